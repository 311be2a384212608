"""What a person decided holds when the same file is imported again, and TMDB asked again."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from imports import importing
from imports.knowing import known_to
from imports.reading import Options, read
from imports.tests.making import history
from media import deciding
from media.models import DecidedBy, Decision, EntryName, LibraryEntry, Viewing, ViewingKind
from media.tests.fake_tmdb import fake_tmdb
from media.tests.states import entry_named, state

USER = DecidedBy.USER
ROWS = [
    ("Breaking Bad: Season 1: Pilot", "6/20/21"),
    ("Breaking Bad: Season 2: Seven Thirty-Seven", "6/21/21"),
    ("Kingdom: Season 1: One", "6/19/21"),
    ("Kingdom: Season 1: Two", "6/18/21"),
    ("Haus des Geldes: Teil 1: Folge 1", "6/17/21"),
    ("Money Heist: Part 1: Episode 2", "6/16/21"),
    ("Jumanji: Season 1: The Next Level", "6/15/21"),
    ("Malibu Rescue: The Next Wave", "6/14/21"),
    ("Inception", "6/13/21"),
]


@pytest.fixture
def user(make_user):
    return make_user("ana")


@pytest.fixture
def library(user):
    with fake_tmdb() as tmdb:
        tmdb.add(1396, "Breaking Bad", {1: ["Pilot"], 2: ["Seven Thirty-Seven", "Grilled"]})
        tmdb.add(2, "Kingdom", {1: ["One", "Two"]}, first_air_date="2019-01-25")
        tmdb.add(3, "Kingdom", {1: ["One", "Two"]}, first_air_date="2019-02-25")
        tmdb.add(
            71446,
            "Money Heist",
            {1: ["Episode 1", "Episode 2"]},
            other_names=("Haus des Geldes",),
        )
        import_rows(user)
        assert entry_named("Kingdom").lookup_status == "uncertain"
        assert entry_named("Haus des Geldes") == entry_named("Money Heist")
        assert Viewing.objects.get(raw_title__startswith="Malibu").reading_uncertain
        yield user


def import_rows(user, rows=ROWS):
    importing.run(importing.submit(user, "NetflixViewingHistory.csv", history(*rows)).pk)


def rows_as_read(user):
    return read(history(*ROWS), Options(), known_to(user.pk)).rows


def malibu():
    return Viewing.objects.get(raw_title__startswith="Malibu")


def title_hash(title):
    return Viewing.objects.get(raw_title=title).title_hash


def read_malibu(user, kind):
    deciding.read_titles(user.pk, {malibu().title_hash}, kind)


DECISIONS = {
    "match": lambda user: deciding.match_to(entry_named("Kingdom"), 3, USER),
    "match what was matched": lambda user: deciding.match_to(entry_named("Breaking Bad"), 2, USER),
    "ignore": lambda user: deciding.ignore(entry_named("Breaking Bad"), USER),
    "hide": lambda user: deciding.hide(entry_named("Kingdom"), hidden=True),
    "movies": lambda user: deciding.make_movies(entry_named("Jumanji"), USER),
    "movies of what was matched": lambda user: deciding.make_movies(
        entry_named("Money Heist"), USER
    ),
    "series": lambda user: deciding.make_series(entry_named("Inception"), "Dreams"),
    "series that is there": lambda user: deciding.make_series(
        entry_named("Inception"), "breaking bad"
    ),
    "read as an episode": lambda user: read_malibu(user, ViewingKind.EPISODE),
    "read as a movie": lambda user: read_malibu(user, ViewingKind.MOVIE),
    "one title is a movie": lambda user: deciding.read_as_movies(
        entry_named("Breaking Bad"), [title_hash("Breaking Bad: Season 1: Pilot")]
    ),
    "a title put there is a movie": lambda user: deciding.read_as_movies(
        deciding.make_series(entry_named("Inception"), "breaking bad"), [title_hash("Inception")]
    ),
    "split": lambda user: deciding.split(
        entry_named("Money Heist"), [EntryName.objects.get(name="Haus des Geldes").pk]
    ),
    "merge": lambda user: deciding.merge(entry_named("Jumanji"), entry_named("Breaking Bad")),
}


@pytest.mark.parametrize("decide", DECISIONS.values(), ids=DECISIONS.keys())
def test_a_decision_outlives_re_imports_and_look_ups(library, decide):
    decide(library)
    call_command("match", "--pending")
    after = state(library)
    import_rows(library)
    assert state(library) == after
    call_command("match", "--all")
    assert state(library) == after


@pytest.mark.parametrize("decide", DECISIONS.values(), ids=DECISIONS.keys())
def test_rows_are_explained_as_they_were_decided(library, decide):
    before = rows_as_read(library)
    decide(library)
    for row, undecided in zip(rows_as_read(library), before, strict=True):
        viewing = Viewing.objects.select_related("name").get(raw_title=row.title)
        assert row.kind == viewing.kind
        assert row.series == (viewing.name.name if viewing.kind == ViewingKind.EPISODE else None)
        assert (row.episode_title or "") == viewing.episode_title
        assert row.season_number == viewing.season_number
        decided = (row.kind, row.series) != (undecided.kind, undecided.series)
        assert str(row.reason).endswith("because you said so.") or not decided
        assert row.reading_uncertain == viewing.reading_uncertain


def test_a_title_said_to_be_an_episode_tells_its_series_even_when_that_is_gone(library):
    deciding.make_series(entry_named("Inception"), "Dreams")
    EntryName.objects.filter(decision=Decision.SERIES).update(decided_series=None)
    (row,) = (row for row in rows_as_read(library) if row.title == "Inception")
    import_rows(library, [("Inception", "7/21/22")])
    stored = Viewing.objects.get(raw_title="Inception", day="2022-07-21")
    assert row.series == stored.name.name == "Inception"


@pytest.mark.parametrize("kind", ViewingKind)
def test_a_title_read_by_hand_is_read_so_when_it_comes_again(library, kind):
    read_malibu(library, kind)
    Viewing.objects.filter(pk=malibu().pk).delete()
    import_rows(library, [("Malibu Rescue: The Next Wave", "7/21/22")])
    viewing = malibu()
    assert (viewing.kind, viewing.reading_uncertain) == (kind, False)
    named = "Malibu Rescue" if kind == ViewingKind.EPISODE else "Malibu Rescue: The Next Wave"
    assert viewing.entry.media.title == named


def test_a_movie_said_to_be_an_episode_stays_one_whatever_the_file_says(library):
    deciding.make_series(entry_named("Inception"), "Breaking Bad")
    import_rows(library, [("Inception", "7/21/22")])
    assert {v.entry for v in Viewing.objects.filter(raw_title="Inception")} == {
        entry_named("Breaking Bad")
    }
    assert entry_named("Breaking Bad").watched_episodes_count == 3


def test_the_series_that_a_title_was_put_into_outlives_its_viewings(library):
    deciding.make_series(entry_named("Inception"), "Dreams")
    Viewing.objects.filter(raw_title="Inception").delete()
    dreams = EntryName.objects.get(name="Dreams")
    assert EntryName.objects.get(decision=Decision.SERIES).decided_series == dreams
    import_rows(library, [("Inception", "7/21/22")])
    assert entry_named("Dreams").viewings.count() == 1


def test_what_only_keeps_a_decision_is_not_shown(library):
    shown = LibraryEntry.objects.of(library).visible().count()
    deciding.make_series(entry_named("Inception"), "Breaking Bad")
    assert LibraryEntry.objects.of(library).visible().count() == shown - 1
