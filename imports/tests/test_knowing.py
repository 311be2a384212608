"""What a library teaches the reader about the next file."""

from __future__ import annotations

import itertools

import pytest

from imports import importing
from imports.knowing import known_to
from imports.reading import Kind, Options, read
from imports.tests.making import activity, history
from media.models import Viewing
from media.tests.fake_tmdb import fake_tmdb
from media.tests.states import state

FILM = ("The Last Kingdom: Seven Kings Must Die", "4/15/23")
SEASONS = [
    ("The Last Kingdom: Season 2: Episode 1", "4/14/23"),
    ("The Last Kingdom: Season 1: Episode 2", "4/13/23"),
    ("The Last Kingdom: Season 1: Episode 1", "4/12/23"),
]


@pytest.fixture
def user(make_user):
    return make_user("ana")


@pytest.fixture
def tmdb():
    with fake_tmdb() as tmdb:
        tmdb.add(
            63333,
            "The Last Kingdom",
            {0: ["Seven Kings Must Die"], 1: ["Episode 1", "Episode 2"], 2: ["Episode 1"]},
        )
        yield tmdb


def import_data(user, data):
    importing.run(importing.submit(user, "NetflixViewingHistory.csv", data).pk)


def rows_known_to(user, *rows, data=None):
    return read(data or history(*rows), Options(profile="all"), known_to(user.pk)).rows


FILES = {"all": [FILM, *SEASONS], "seasons": SEASONS, "film": [FILM]}


def test_a_film_of_a_series_stays_one_whatever_file_is_imported_first(make_user, tmdb):
    states = []
    for order in itertools.permutations(FILES):
        user = make_user(f"user {order}")
        for name in order:
            import_data(user, history(*FILES[name]))
        states.append(state(user))
        film = Viewing.objects.get(user=user, raw_title=FILM[0])
        assert (film.kind, film.reading_uncertain) == ("movie", False), order
    assert all(other == states[0] for other in states)


def test_a_lone_title_of_a_matched_series_is_not_certain(user, tmdb):
    import_data(user, history(*SEASONS[1:]))
    (row,) = rows_known_to(user, FILM)
    assert (row.kind, row.reading_uncertain) == (Kind.MOVIE, True)
    assert row.alternative.series == "The Last Kingdom"
    assert "your library shows season 1" in str(row.reason)


def test_the_titles_of_the_library_count_with_those_of_the_file(user, tmdb):
    """Five titles are a series in a newer file, two in one and three in the other as well."""
    titles = [(f"The Last Kingdom: Night {n}", f"4/{20 + n}/23") for n in range(5)]
    import_data(user, history(*titles[:2]))
    assert all(row.reading_uncertain for row in rows_known_to(user, *titles[:2]))
    together = rows_known_to(user, *titles[2:])
    assert {(row.kind, row.reading_uncertain) for row in together} == {(Kind.EPISODE, False)}
    assert "5 titles of this file and of your library" in str(together[0].reason)


def test_the_newer_spelling_of_an_episode_of_the_library_is_that_episode(user):
    data = activity(
        ("Ana", "2024-03-02 20:00:00", "00:40:00", "Friends: Season 1: The Pilot (Episode 1)"),
        ("Ana", "2024-03-03 20:00:00", "00:40:00", "Friends: Season 2: The Bullies (Episode 21)"),
    )
    import_data(user, data)
    rows = rows_known_to(user, ("Friends: The Pilot", "3/2/24"), ("Friends: The Bullies", "3/3/24"))
    assert [(row.kind, row.season_number, row.reading_uncertain) for row in rows] == [
        (Kind.EPISODE, 1, False),
        (Kind.EPISODE, 2, False),
    ]
    assert {str(row.reason) for row in rows} == {
        "Series, because your library has an episode of “Friends” with this title."
    }


def test_only_seasons_that_a_file_marked_are_known(user):
    import_data(user, history(*((f"Komi: Night {n}", f"4/{20 + n}/23") for n in range(7))))
    known = known_to(user.pk).series["komi"]
    assert known.seasons == frozenset()
    assert set(known.unmarked) == {f"night {n}" for n in range(7)}
    import_data(user, history(("Komi: Season 2: Day", "4/29/23")))
    known = known_to(user.pk).series["komi"]
    assert known.seasons == frozenset({2})
    assert known.episodes == {"day": frozenset({2})}
