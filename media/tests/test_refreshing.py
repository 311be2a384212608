"""Totals stay true: what is asked anew and when, and what follows from new episodes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.models import User
from imports import sweeping
from media import deciding, lookup, refreshing
from media.forms import LibraryQuery
from media.library import recount
from media.models import (
    DecidedBy,
    EntryName,
    Episode,
    LibraryEntry,
    Media,
    MediaType,
    Season,
    Viewing,
)
from media.pages import library_page
from media.tasks import refresh_due
from media.tests.making import look_up, watch

# Status at TMDB, days since the last answer (None: never asked), whether it is time.
DUE = [
    ("Returning Series", 6, False),
    ("Returning Series", 7, True),
    ("In Production", 7, True),
    ("Planned", 7, True),
    ("", 7, True),
    ("Ended", 7, False),
    ("Ended", 89, False),
    ("Ended", 90, True),
    ("Canceled", 89, False),
    ("Canceled", 90, True),
    ("Ended", None, True),
    ("", None, True),
]


def stored(status, days, **fields):
    asked = None if days is None else timezone.now() - timedelta(days=days)
    return Media.objects.create(
        media_type=MediaType.TV_SERIES,
        title="Dark",
        base_title="Dark",
        tmdb_id=Media.objects.count() + 1,
        tmdb_status=status,
        last_tmdb_update=asked,
        **fields,
    )


@pytest.mark.django_db
@pytest.mark.parametrize(("status", "days", "is_due"), DUE)
def test_series_that_go_on_are_due_weekly_and_others_every_ninety_days(status, days, is_due):
    stored(status, days)
    assert Media.objects.due_for_refresh(timezone.now()).exists() == is_due


@pytest.mark.django_db
def test_nothing_is_kept_beyond_the_180_days_of_tmdbs_terms():
    statuses = {status for status, _, _ in DUE}
    for status in statuses:
        stored(status, 179)
    assert Media.objects.due_for_refresh(timezone.now()).count() == len(statuses)


@pytest.mark.django_db
def test_the_oldest_come_first_and_those_never_asked_before_them():
    recent, old, never = stored("Ended", 91), stored("Ended", 150), stored("", None)
    assert list(Media.objects.due_for_refresh(timezone.now())) == [never, old, recent]


@pytest.mark.django_db
def test_movies_and_what_tmdb_does_not_know_are_never_due(user):
    Media.objects.create(media_type="tv_series", title="Own", base_title="Own", owner=user)
    Media.objects.create(media_type="movie", title="Roma", base_title="Roma", tmdb_id=1)
    assert not Media.objects.due_for_refresh(timezone.now()).exists()


@pytest.mark.django_db
def test_an_id_that_is_gone_is_not_asked_about_again_and_again():
    stored("Ended", 100, tmdb_gone_at=timezone.now())
    assert not Media.objects.due_for_refresh(timezone.now()).exists()


def test_the_command_refreshes_what_is_due_and_nothing_else(user, tmdb, capsys):
    tmdb.add(2, "Dark", {1: ["Secrets"]})
    watch(user, "Breaking Bad", "Pilot")
    watch(user, "Dark", "Secrets")
    look_up()
    Media.objects.filter(tmdb_id=2).update(last_tmdb_update=timezone.now() - timedelta(days=100))
    tmdb.asked.clear()
    call_command("match", "--refresh")
    assert tmdb.asked == ["/tv/2"]
    assert "1 of 1 series refreshed" in capsys.readouterr().out


def test_one_person_with_many_names_does_not_choose_the_language_for_all(user, tmdb):
    tmdb.add(2, "Dark", {1: ["Secrets"]})
    watch(user, "Dark", "Secrets")
    look_up()
    entry = LibraryEntry.objects.get(user=user)
    for name in ("ben", "cleo"):
        other = User.objects.create_user(name)
        watch(other, "Dark", "Secrets")
    look_up()
    for number in range(9):
        EntryName.objects.create(
            user=user,
            entry=entry,
            media_type="tv_series",
            name="D",
            key=f"d{number}",
            language="th",
        )
    assert refreshing._language_of(entry.media) == "en-US"


def test_a_language_that_is_none_keeps_no_series_from_being_refreshed(user, tmdb):
    tmdb.add(2, "Dark", {1: ["Secrets"]})
    watch(user, "Dark", "Secrets")
    look_up()
    EntryName.objects.update(language="x y&z=1")
    assert refreshing.refresh(Media.objects.get(tmdb_id=2))
    entry = LibraryEntry.objects.get(user=user)
    assert lookup.language_of(entry) == "en"


@pytest.fixture
def returning(tmdb):
    """Breaking Bad as it was when three episodes had aired and more were to come."""
    series = tmdb.series[1396]
    series["status"] = "Returning Series"
    return series


def watch_all(user):
    watch(user, "Breaking Bad", "Pilot", "Cat's in the Bag")
    watch(user, "Breaking Bad", "Seven Thirty-Seven", season=2)
    look_up()
    return LibraryEntry.objects.get(user=user)


def air(series, *titles, season=2):
    series["titles"][season] = [*series["titles"][season], *titles]
    series["number_of_episodes"] += len(titles)
    for facts in series["seasons"]:
        facts["episode_count"] = len(series["titles"][facts["season_number"]])
    refreshing.refresh(Media.objects.get(tmdb_id=series["id"]))


def has_new(user):
    entry = LibraryEntry.objects.select_related("media").get(user=user)
    found = LibraryEntry.objects.of(user).with_new_episodes().exists()
    (card,) = library_page(user, LibraryQuery()).cards
    assert found == entry.has_new_episodes == card.has_new_episodes
    return found


def test_a_finished_series_that_goes_on_has_new_episodes(user, returning):
    watch_all(user)
    assert not has_new(user)
    air(returning, "Grilled", "Bit by a Dead Bee")
    assert has_new(user)
    watch(user, "Breaking Bad", "Grilled", season=2)
    assert has_new(user)
    watch(user, "Breaking Bad", "Bit by a Dead Bee", season=2)
    assert not has_new(user)
    air(returning, "Down")
    assert has_new(user)


def test_a_series_that_one_never_finished_has_none(user, returning):
    watch(user, "Breaking Bad", "Pilot")
    look_up()
    air(returning, "Grilled")
    assert not has_new(user)


def test_episodes_announced_but_not_aired_are_not_new(user, returning):
    watch_all(user)
    tomorrow = (timezone.localdate() + timedelta(days=1)).isoformat()
    returning["last_episode_to_air"] = {
        "id": 13960201,
        "season_number": 2,
        "episode_number": 1,
        "name": "Seven Thirty-Seven",
        "air_date": "2015-01-01",
    }
    returning["next_episode_to_air"] = {
        **returning["last_episode_to_air"],
        "id": 13960202,
        "episode_number": 2,
        "air_date": tomorrow,
    }
    air(returning, "Grilled")
    entry = LibraryEntry.objects.select_related("media").get()
    assert (entry.media.aired_episodes, entry.media.total_episodes) == (3, 4)
    assert not has_new(user)


def test_each_user_has_finished_for_oneself(user, returning):
    ben = User.objects.create_user("ben")
    watch_all(user)
    watch(ben, "Breaking Bad", "Pilot")
    look_up()
    air(returning, "Grilled")
    assert (has_new(user), has_new(ben)) == (True, False)


def test_who_had_finished_is_noted_before_the_totals_change(user, returning):
    entry = watch_all(user)
    LibraryEntry.objects.filter(pk=entry.pk).update(episodes_when_finished=None)
    air(returning, "Grilled")
    assert has_new(user)


def test_another_match_has_nothing_new_for_having_finished_the_former(user, returning, tmdb):
    tmdb.add(2, "Longer", {1: ["One", "Two", "Three", "Four", "Five"]})
    entry = watch_all(user)
    deciding.match_to(entry, 2, DecidedBy.USER)
    assert not has_new(user)


def test_what_is_dismissed_later_was_finished_all_the_same(user, returning):
    entry = watch_all(user)
    entry.viewings.filter(episode_title="Pilot").update(dismissed_at=timezone.now())
    recount([entry.pk])
    air(returning, "Grilled")
    assert has_new(user)


def test_a_refresh_identifies_what_tmdb_did_not_have_before(user, returning):
    watch_all(user)
    watch(user, "Breaking Bad", "Grilled", season=2)
    assert not Viewing.objects.filter(episode_title="Grilled", tmdb_season=2).exists()
    air(returning, "Grilled")
    found = Viewing.objects.get(episode_title="Grilled", tmdb_season=2)
    assert [episode.title for episode in found.tmdb_episodes.all()] == ["Grilled"]
    assert LibraryEntry.objects.get().watched_episodes_count == 4


def test_a_refresh_follows_an_episode_into_another_season_and_forgets_none(user, returning):
    watch_all(user)
    moved = Viewing.objects.get(episode_title="Seven Thirty-Seven")
    assert moved.tmdb_season == 2
    special = Season.objects.get(number=0)
    Episode.objects.filter(viewings=moved).update(season=special)
    entry = LibraryEntry.objects.get()
    lookup.identify_episodes(entry, only_new=True)
    moved.refresh_from_db()
    assert (moved.tmdb_season, moved.tmdb_episodes.count()) == (0, 1)


def test_what_english_titles_told_is_kept_when_they_are_not_at_hand(user, tmdb):
    tmdb.add(2, "Dark", {1: ["Secrets", "Lies"]})
    watch(user, "Dark", "Secrets", "Lies")
    look_up()
    for number, title in enumerate(("Geheimnisse", "Doppelleben"), 1):
        Episode.objects.filter(number=number, season__media__tmdb_id=2).update(title=title)
    entry = LibraryEntry.objects.get()
    lookup.identify_episodes(entry)
    assert Viewing.objects.filter(tmdb_season=1, tmdb_episodes__isnull=False).count() == 2


def test_titles_are_refreshed_in_the_language_of_most_names(user, returning, tmdb):
    watch_all(user)
    EntryName.objects.update(language="de")
    refreshing.refresh(Media.objects.get())
    assert tmdb.languages[-1] == "de"


def test_one_series_that_tmdb_cannot_answer_about_does_not_keep_the_others_waiting(user, tmdb):
    for tmdb_id, name in ((2, "Dark"), (3, "Arcane"), (4, "Lupin")):
        tmdb.add(tmdb_id, name, {1: ["One"]})
        watch(user, name, "One")
    look_up()
    old = timezone.now() - timedelta(days=100)
    Media.objects.update(last_tmdb_update=old)
    tmdb.series[2]["id"] = 5
    refresh_due.call()
    assert list(Media.objects.filter(last_tmdb_update=old).values_list("tmdb_id", flat=True)) == [2]


def test_the_worker_asks_again_weekly_or_after_ninety_days(user, returning, tmdb, monkeypatch):
    tmdb.add(2, "Dark", {1: ["Secrets"]})
    watch_all(user)
    watch(user, "Dark", "Secrets")
    look_up()
    today = timezone.now()
    asked = {}
    for day in range(201):
        now = today + timedelta(days=day)
        monkeypatch.setattr(timezone, "now", lambda now=now: now)
        monkeypatch.setattr("tmdb.cache.now", now.timestamp)
        tmdb.asked.clear()
        sweeping.refresh_totals(now)
        asked[day] = list(tmdb.asked)
    weekly = [day for day, paths in asked.items() if "/tv/1396" in paths]
    rarely = [day for day, paths in asked.items() if "/tv/2" in paths]
    assert weekly == list(range(7, 201, 7))
    assert rarely == [90, 180]
