from __future__ import annotations

import pytest

from accounts.models import User
from media import deciding, lookup, refreshing
from media.models import DecidedBy, Decision, EntryName, LibraryEntry, Media, Viewing
from media.tests.making import look_up, watch
from tmdb.errors import TmdbNotFound


def test_a_match_by_hand_outlives_every_look_up(user, tmdb):
    tmdb.add(99, "Somebody's Bad Break", {1: ["One"]})
    entry = watch(user, "Breaking Bad", "Pilot")
    entry = deciding.match_to(entry, 99, DecidedBy.USER)
    assert (entry.media.tmdb_id, entry.decided_by, entry.lookup_status) == (
        99,
        "user",
        "matched",
    )
    lookup.look_up(LibraryEntry.objects.all(), even_if_not_due=True)
    assert LibraryEntry.objects.get().media.tmdb_id == 99
    name = EntryName.objects.get()
    assert (name.decision, name.decided_tmdb_id) == (Decision.MATCHED, 99)


def test_an_unknown_id_changes_nothing(user, tmdb):
    entry = watch(user, "Breaking Bad", "Pilot")
    with pytest.raises(TmdbNotFound):
        deciding.match_to(entry, 4711, DecidedBy.USER)
    entry.refresh_from_db()
    assert entry.lookup_status == "pending"
    assert Media.objects.get().tmdb_id is None


def test_with_tmdb_down_the_decision_is_kept_and_no_raw_title_becomes_shared(
    user, tmdb, monkeypatch
):
    monkeypatch.setattr("tmdb.throttle.sleep", lambda seconds: None)
    entry = watch(user, "My private name for it", "Pilot")
    tmdb.status = 503
    entry = deciding.match_to(entry, 1396, DecidedBy.USER)
    assert (entry.media.tmdb_id, entry.media.total_episodes) == (1396, None)
    assert "private" not in f"{entry.media.title}{entry.media.base_title}"
    tmdb.status = 200
    assert refreshing.refresh(entry.media)
    entry.media.refresh_from_db()
    assert (entry.media.title, entry.media.total_episodes) == ("Breaking Bad", 3)


def test_an_administrators_change_spares_what_users_decided(user, tmdb):
    tmdb.add(99, "The Right One", {1: ["One"]})
    ben = User.objects.create_user("ben")
    watch(user, "Breaking Bad", "Pilot")
    mine = watch(ben, "Breaking Bad", "Pilot")
    look_up()
    mine = deciding.match_to(LibraryEntry.objects.get(user=ben), 1396, DecidedBy.USER)
    target = deciding.change_tmdb_id(Media.objects.get(tmdb_id=1396), 99, refreshing.ask_for(99))
    assert LibraryEntry.objects.get(user=user).media == target
    assert LibraryEntry.objects.get(user=user).decided_by == "admin"
    mine.refresh_from_db()
    assert mine.media.tmdb_id == 1396


def test_changing_to_an_id_that_exists_merges(user, tmdb):
    tmdb.add(99, "Better Call Saul", {1: ["Uno"]})
    watch(user, "Breaking Bad", "Pilot")
    watch(user, "Better Call Saul", "Uno")
    look_up()
    deciding.change_tmdb_id(Media.objects.get(tmdb_id=99), 1396, refreshing.ask_for(1396))
    entry = LibraryEntry.objects.get()
    assert (entry.viewings.count(), entry.names.count()) == (2, 2)
    assert not Media.objects.filter(tmdb_id=99).exists()


def test_an_ignored_series_is_shown_and_never_looked_up(user, tmdb):
    entry = watch(user, "Breaking Bad", "Pilot")
    look_up()
    entry = deciding.ignore(LibraryEntry.objects.get(), DecidedBy.USER)
    assert (entry.lookup_status, entry.media.tmdb_id) == ("ignored", None)
    asked = len(tmdb.asked)
    lookup.look_up(LibraryEntry.objects.all(), even_if_not_due=True)
    assert LibraryEntry.objects.get().lookup_status == "ignored"
    assert len(tmdb.asked) == asked


def test_a_cleared_match_waits_to_be_looked_up_again(user, tmdb):
    watch(user, "Breaking Bad", "Pilot")
    look_up()
    (entry,) = deciding.clear_match(LibraryEntry.objects.get())
    assert (entry.lookup_status, entry.media.owner_id) == ("pending", user.pk)
    assert entry.viewings.count() == 1


def test_said_to_be_movies_each_title_is_a_film(user, tmdb):
    entry = watch(user, "Jumanji", "Welcome to the Jungle", "The Next Level")
    films = deciding.make_movies(entry, DecidedBy.USER)
    assert {film.media.title for film in films} == {
        "Jumanji: Season 1: Welcome to the Jungle",
        "Jumanji: Season 1: The Next Level",
    }
    assert all(film.viewings.count() == 1 for film in films)
    assert set(Viewing.objects.values_list("kind", flat=True)) == {"movie"}


def test_an_id_that_tmdb_deleted_keeps_what_is_there_and_is_marked(user, tmdb):
    watch(user, "Breaking Bad", "Pilot")
    look_up()
    media = Media.objects.get()
    del tmdb.series[1396]
    assert refreshing.refresh(media)
    media.refresh_from_db()
    assert media.total_episodes == 3
    assert media.tmdb_gone_at is not None


def test_a_renumbered_episode_stays_watched(user, tmdb):
    watch(user, "Breaking Bad", "Pilot")
    look_up()
    series = tmdb.series[1396]
    series["titles"] = {1: ["Pilot", "New First"], 2: ["Seven Thirty-Seven"]}
    refreshing.refresh(Media.objects.get())
    viewing = Viewing.objects.get()
    assert [episode.title for episode in viewing.tmdb_episodes.all()] == ["Pilot"]
