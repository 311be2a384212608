"""Titles that the file could not decide are settled by TMDB."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.models import User
from media import deciding, library, lookup
from media.keys import digest, fingerprint
from media.models import DecidedBy, Episode, LibraryEntry, MediaType, Viewing
from media.tests.fake_tmdb import FakeTmdb
from media.tests.making import DAY, watch

TITLES = ["Secrets", "Lies", "Past and Present", "Double Lives"]


def doubt(user: User, series: str, title: str, *, read_as: str = "movie") -> Viewing:
    """A viewing of `A: B` as an import stores it when the file cannot tell what it is."""
    raw = f"{series}: {title}"
    new = (
        library.NewName(MediaType.MOVIE, raw, digest(raw), "en")
        if read_as == "movie"
        else library.NewName(MediaType.TV_SERIES, series, series.casefold(), "en")
    )
    name = library.find_or_create_names(user.pk, [new])[new.media_type.value, new.key]
    episode = {"season_number": 1, "season_inferred": True, "episode_title": title}
    viewing = Viewing.objects.create(
        user=user,
        entry_id=name.entry_id,
        name=name,
        kind=read_as,
        raw_title=raw,
        title_hash=digest(raw),
        fingerprint=fingerprint(digest(raw), DAY),
        day=DAY,
        reading_uncertain=True,
        alternative={
            "kind": "episode" if read_as == "movie" else "movie",
            "series": series,
            "series_key": series.casefold(),
            "season_number": 1,
            "episode_title": title,
            "reason": "the file does not tell",
        },
        **(episode if read_as == "episode" else {}),
    )
    library.recount([name.entry_id])
    return viewing


def settle() -> None:
    lookup.look_up(LibraryEntry.objects.all().waiting(), doubtful=Viewing.objects.all().doubtful())


@pytest.fixture
def dark(tmdb: FakeTmdb) -> FakeTmdb:
    tmdb.add(70523, "Dark", {1: TITLES, 0: ["The Making of Dark"]}, first_air_date="2019-12-01")
    return tmdb


def test_a_title_among_the_episodes_of_a_series_is_one(user, dark):
    doubt(user, "Dark", "Past and Present")
    settle()
    viewing = Viewing.objects.get()
    assert (viewing.kind, viewing.reading_uncertain, viewing.tmdb_season) == ("episode", False, 1)
    entry = LibraryEntry.objects.get()
    assert (entry.media.tmdb_id, entry.watched_episodes_count) == (70523, 1)
    assert viewing.alternative is not None
    assert "Dark" in viewing.alternative["settled"]


def test_it_joins_the_series_that_the_library_has(user, dark):
    watch(user, "Dark", "Secrets", "Lies")
    doubt(user, "Dark", "Past and Present")
    settle()
    assert LibraryEntry.objects.get().watched_episodes_count == 3


def test_a_later_import_settles_what_an_earlier_one_left_open(user, dark):
    watch(user, "Dark", "Secrets", "Lies")
    settle()
    doubt(user, "Dark", "Past and Present")
    settle()
    entry = LibraryEntry.objects.get()
    assert (entry.watched_episodes_count, entry.lookup_status) == (3, "matched")


def test_a_film_that_no_series_has_stays_one(user, tmdb):
    doubt(user, "Thor", "Ragnarok")
    settle()
    viewing = Viewing.objects.get()
    assert viewing.kind == "movie"
    assert viewing.doubt_asked_at is not None
    assert LibraryEntry.objects.get().lookup_status == "not_needed"


def test_a_lone_episode_of_a_series_that_tmdb_lacks_becomes_a_movie(user, tmdb):
    doubt(user, "Thor", "Ragnarok", read_as="episode")
    settle()
    assert Viewing.objects.get().kind == "movie"
    entry = LibraryEntry.objects.get()
    assert (entry.media.media_type, entry.watched_episodes_count) == ("movie", 0)


def test_a_special_stays_a_movie_linked_to_the_series(user, dark):
    doubt(user, "Dark", "The Making of Dark")
    settle()
    viewing = Viewing.objects.get()
    assert (viewing.kind, viewing.tmdb_season, viewing.reading_uncertain) == ("movie", 0, False)
    assert viewing.tmdb_episodes.get() in Episode.objects.filter(season__media__tmdb_id=70523)
    assert viewing.entry.media.media_type == "movie"


def test_a_failing_tmdb_leaves_the_doubt(user, dark, monkeypatch):
    monkeypatch.setattr("tmdb.throttle.sleep", lambda seconds: None)
    doubt(user, "Dark", "Past and Present")
    dark.status = 503
    settle()
    viewing = Viewing.objects.get()
    assert (viewing.reading_uncertain, viewing.doubt_asked_at) == (True, None)


def test_a_doubt_waits_with_its_series_until_both_are_due(user, dark, monkeypatch):
    monkeypatch.setattr("tmdb.throttle.sleep", lambda seconds: None)
    watch(user, "Dark", "Secrets", "Lies")
    doubt(user, "Dark", "Past and Present")
    dark.status = 503
    settle()
    dark.status = 200
    asked = len(dark.asked)
    settle()
    assert len(dark.asked) == asked, "it is not yet time again"
    assert Viewing.objects.never_asked_about().exists()
    LibraryEntry.objects.filter(next_lookup_at__isnull=False).update(next_lookup_at=timezone.now())
    settle()
    assert LibraryEntry.objects.get().watched_episodes_count == 3


def test_doubts_of_two_users_stay_apart(user, dark):
    other = User.objects.create_user("ben")
    doubt(user, "Dark", "Past and Present")
    doubt(other, "Dark", "Secrets")
    settle()
    for each in (user, other):
        assert LibraryEntry.objects.get(user=each).watched_episodes_count == 1


def test_new_viewings_of_a_matched_series_are_identified_without_asking(user, dark):
    watch(user, "Dark", "Secrets")
    settle()
    watch(user, "Dark", "Lies")
    asked = len(dark.asked)
    lookup.identify_new_viewings(LibraryEntry.objects.all())
    assert Viewing.objects.filter(tmdb_season=1).count() == 2
    assert len(dark.asked) == asked


# What a person decided leaves no doubt


@pytest.fixture
def elsewhere(tmdb: FakeTmdb) -> FakeTmdb:
    tmdb.add(5, "Thor", {1: ["Hammer"]})
    tmdb.add(6, "Thor", {1: ["Anvil"]})
    tmdb.add(7, "Totally Else", {1: ["Love and Thunder"]})
    return tmdb


def test_a_match_by_hand_ends_the_doubts_about_its_rows(user, elsewhere):
    viewing = doubt(user, "Thor", "Ragnarok", read_as="episode")
    deciding.match_to(viewing.entry, 7, DecidedBy.USER)
    viewing.refresh_from_db()
    assert (viewing.kind, viewing.reading_uncertain) == ("episode", False)


@pytest.mark.parametrize("is_gone", [False, True])
def test_what_was_matched_by_hand_stays_a_series_whatever_tmdb_says(user, elsewhere, is_gone):
    viewing = doubt(user, "Thor", "Ragnarok", read_as="episode")
    entry = deciding.match_to(viewing.entry, 7, DecidedBy.USER)
    # As a library has it whose owner decided before that ended the doubt.
    Viewing.objects.update(reading_uncertain=True)
    if is_gone:
        del elsewhere.series[7]
    settle()
    viewing.refresh_from_db()
    assert (viewing.kind, viewing.entry, viewing.reading_uncertain) == ("episode", entry, False)
    entry.refresh_from_db()
    assert (entry.media.tmdb_id, entry.watched_episodes_count) == (7, 1)
    assert viewing.alternative is not None
    assert viewing.alternative["settled"] == "It was said by hand which series Thor is."


def test_a_title_read_as_a_movie_joins_the_series_chosen_by_hand_that_has_it(user, elsewhere):
    doubt(user, "Thor", "Ragnarok", read_as="episode")
    entry = deciding.match_to(LibraryEntry.objects.get(), 7, DecidedBy.USER)
    doubt(user, "Thor", "Love and Thunder")
    doubt(user, "Thor", "The Dark World")
    doubt(user, "Thor", "A Film of 2011")
    elsewhere.asked.clear()
    settle()
    kinds = dict(Viewing.objects.values_list("raw_title", "kind"))
    assert kinds["Thor: Love and Thunder"] == "episode"
    assert kinds["Thor: The Dark World"] == "movie"
    assert Viewing.objects.get(raw_title="Thor: Love and Thunder").entry == entry
    assert elsewhere.searches == []


def test_tmdb_is_not_asked_about_titles_of_what_is_not_there(user, elsewhere):
    watch(user, "Thor", "Hammer")
    deciding.ignore(LibraryEntry.objects.get(), DecidedBy.USER)
    viewing = doubt(user, "Thor", "Love and Thunder")
    settle()
    assert elsewhere.asked == []
    viewing.refresh_from_db()
    assert (viewing.kind, viewing.reading_uncertain) == ("movie", True)
    assert not Viewing.objects.never_asked_about().exists()


def test_that_tmdb_lacks_a_series_does_not_make_it_a_movie(user, tmdb):
    viewing = doubt(user, "Thor", "Ragnarok", read_as="episode")
    deciding.ignore(viewing.entry, DecidedBy.USER)
    settle()
    viewing.refresh_from_db()
    assert (viewing.kind, viewing.reading_uncertain) == ("episode", False)
    assert LibraryEntry.objects.get().lookup_status == "ignored"
