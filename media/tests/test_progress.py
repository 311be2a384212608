from __future__ import annotations

from typing import Any

import pytest

from media.progress import Watched, count_by_season, distinct, regular_keys, title_key


def count_episodes(rows):
    return distinct(regular_keys(rows))


def watched(*rows: dict[str, Any]) -> list[Watched]:
    return [Watched(id=n, **row) for n, row in enumerate(rows)]


def test_the_same_episode_watched_twice_counts_once():
    rows = watched(
        {"season_number": 1, "title": "Secrets"}, {"season_number": 1, "title": "SECRETS"}
    )
    assert count_episodes(rows) == 1


def test_two_titles_of_one_season_are_two_episodes():
    rows = watched({"season_number": 1, "title": "Secrets"}, {"season_number": 1, "title": "Lies"})
    assert count_episodes(rows) == 2


def test_one_title_in_two_seasons_is_two_episodes():
    rows = watched({"season_number": 1, "title": "Pilot"}, {"season_number": 2, "title": "Pilot"})
    assert count_episodes(rows) == 2


def test_an_unknown_season_equals_the_only_one_with_that_title():
    rows = watched({"season_number": 1, "title": "Secrets"}, {"title": "Secrets"})
    assert count_episodes(rows) == 1


def test_an_unknown_season_stays_apart_when_two_seasons_have_that_title():
    rows = watched(
        {"season_number": 1, "title": "Pilot"},
        {"season_number": 2, "title": "Pilot"},
        {"title": "Pilot"},
    )
    assert count_episodes(rows) == 3


def test_an_inferred_season_gives_way_to_a_known_one():
    rows = watched(
        {"season_number": 2, "title": "Secrets"},
        {"season_number": 1, "season_inferred": True, "title": "Secrets"},
    )
    assert count_episodes(rows) == 1


def test_a_row_with_number_and_title_links_the_two():
    rows = watched(
        {"season_number": 1, "number": 3},
        {"season_number": 1, "title": "Secrets"},
        {"season_number": 1, "number": 3, "title": "Secrets"},
    )
    assert count_episodes(rows) == 1


def test_a_number_that_bears_two_titles_joins_neither():
    rows = watched(
        {"season_number": 1, "number": 3, "title": "Secrets"},
        {"season_number": 1, "number": 3, "title": "Lies"},
    )
    assert count_episodes(rows) == 2


def test_numbered_titles_in_two_languages_are_one_episode():
    rows = watched(
        {"season_number": 1, "number": 3, "title": "Folge 3"},
        {"season_number": 1, "number": 3, "title": "3. Bölüm"},
    )
    assert count_episodes(rows) == 1


def test_a_double_episode_is_two_tmdb_episodes():
    rows = watched({"title": "Finale", "tmdb_season": 1, "tmdb_episodes": (8, 9)})
    assert count_episodes(rows) == 2


def test_an_identified_spelling_lends_its_episode_to_an_equal_one():
    rows = watched(
        {"season_number": 1, "title": "Secrets", "tmdb_season": 1, "tmdb_episodes": (7,)},
        {"season_number": 1, "title": "Secrets"},
        {"season_number": 4, "title": "Geheimnisse", "tmdb_season": 1, "tmdb_episodes": (7,)},
    )
    assert count_episodes(rows) == 1


def test_specials_do_not_count():
    rows = watched(
        {"season_number": 0, "title": "Making of"},
        {"season_number": 1, "title": "Christmas", "tmdb_season": 0, "tmdb_episodes": (5,)},
    )
    assert count_episodes(rows) == 0


def test_rows_without_anything_to_tell_them_apart_count_each():
    assert count_episodes(watched({}, {})) == 2


def test_seasons_are_counted_as_tmdb_numbers_them_where_it_is_known():
    rows = watched(
        {"season_number": 3, "title": "A", "tmdb_season": 2, "tmdb_episodes": (1,)},
        {"season_number": 3, "title": "B"},
        {"title": "C"},
    )
    assert count_by_season(rows) == {2: 1, 3: 1, None: 1}


@pytest.mark.parametrize(
    ("title", "number", "key"),
    [
        ("Folge 3", 3, ""),
        ("3. Bölüm", 3, ""),
        ("第3話", 3, ""),
        ("Episode 03", 3, ""),
        ("Chapter One: The Vanishing", 1, "chapter one the vanishing"),
        ("The One with 3 Weddings", 3, "the one with 3 weddings"),
        ("7", None, "7"),
        ("…", None, "..."),
    ],
)
def test_title_keys(title, number, key):
    assert title_key(title, number) == key
