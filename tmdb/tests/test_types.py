from __future__ import annotations

import copy
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmdb.demo.server import Catalogue, details, summary
from tmdb.errors import TmdbBadAnswer
from tmdb.types import (
    details_to_json,
    parse_details,
    parse_search_page,
    search_page_to_json,
)

MONEY_HEIST = Catalogue().by_id[71446]
PARTS = ["season/0", "season/1", "season/3", "season/9", "alternative_titles", "translations"]


def answer() -> dict[str, Any]:
    return copy.deepcopy(details(MONEY_HEIST, "en-US", PARTS))


def page() -> dict[str, Any]:
    results = [summary(MONEY_HEIST, "de-DE")]
    return {"page": 1, "total_pages": 1, "total_results": 1, "results": results}


def test_details_are_read() -> None:
    series = parse_details(answer())
    assert (series.id, series.name, series.original_name) == (
        71446,
        "Money Heist",
        "La Casa de Papel",
    )
    assert (series.number_of_seasons, series.number_of_episodes) == (3, 41)
    assert series.first_air_date == date(2017, 5, 2)
    assert [season.number for season in series.seasons] == [0, 1, 2, 3]
    assert series.translations["de-DE"] == "Haus des Geldes"
    assert "Haus des Geldes" in series.names
    last = series.season(3)
    assert last and last.episodes
    assert (last.episodes[0].season_number, last.episodes[0].number) == (3, 1)
    assert last.episodes[0].title == "The End of the Road"


def test_a_season_not_asked_for_has_no_episodes_and_a_missing_one_is_absent() -> None:
    series = parse_details(answer())
    second = series.season(2)
    assert second and second.episodes is None and second.episode_count == 16
    assert series.season(9) is None


def test_zero_seasons_and_episodes_mean_unknown() -> None:
    series = parse_details(answer() | {"number_of_seasons": 0, "number_of_episodes": None})
    assert series.number_of_seasons is None
    assert series.number_of_episodes is None


def test_what_is_kept_reads_as_what_was_answered() -> None:
    series, found = parse_details(answer()), parse_search_page(page())
    assert parse_details(details_to_json(series)) == series
    assert parse_search_page(search_page_to_json(found)) == found


def test_an_empty_season_stays_empty_when_kept() -> None:
    body = answer()
    body["season/1"]["episodes"] = []
    series = parse_details(body)
    again = parse_details(details_to_json(series))
    first = again.season(1)
    assert first and first.episodes == ()


@pytest.mark.parametrize("day", ["", None, "2019-00-00", "soon"])
def test_a_day_that_is_none_is_unknown(day: str | None) -> None:
    assert parse_details(answer() | {"first_air_date": day}).first_air_date is None


@pytest.mark.parametrize(
    "path",
    ["../../etc/passwd", "//example.com/x.jpg", "/a.jpg?x", "/x.svg", '/"onerror=.jpg', "/a/b.jpg"],
)
def test_a_poster_path_that_is_none_is_dropped(path: str) -> None:
    assert parse_details(answer() | {"poster_path": path}).poster_path is None


def test_texts_lose_what_databases_refuse() -> None:
    series = parse_details(answer() | {"name": " Da\x00rk\ud800 " + "x" * 5000})
    assert series.name.startswith("Dark x") and len(series.name) <= 1000
    series.name.encode()


@pytest.mark.parametrize(
    "change",
    [
        {"id": "71446"},
        {"id": 0},
        {"id": True},
        {"id": 2**31},
        {"name": None},
        {"name": ["x"]},
        {"seasons": None},
        {"seasons": {"season_number": 1}},
        {"seasons": [{"season_number": -1}]},
        {"number_of_episodes": "41"},
        {"number_of_episodes": -1},
        {"first_air_date": 2017},
        {"origin_country": "ES"},
        {"origin_country": [5]},
        {"translations": []},
        {"translations": {"translations": [{"iso_639_1": "de", "data": None}]}},
        {"alternative_titles": {"titles": []}},
        {"season/1": []},
        {"season/1": {"season_number": 2, "episodes": []}},
        {"season/1": {"season_number": 1}},
        {"season/1": {"season_number": 1, "episodes": [{"id": 1, "name": "x"}]}},
        {"last_episode_to_air": "yesterday"},
    ],
)
def test_details_of_another_shape_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(TmdbBadAnswer):
        parse_details(answer() | change)


@pytest.mark.parametrize(
    "change",
    [
        {"results": None},
        {"results": [None]},
        {"results": [{"id": 1}]},
        {"results": [{"id": 1, "name": "x", "popularity": "high"}]},
        {"results": [{"id": 1, "name": "x", "popularity": 10**400}]},
        {"results": [{"id": 1, "name": "x", "vote_count": 1.5}]},
        {"page": "1"},
    ],
)
def test_a_search_of_another_shape_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(TmdbBadAnswer):
        parse_search_page(page() | change)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.sampled_from(sorted(answer())), json_values)
def test_no_json_breaks_the_reader(key: str, value: object) -> None:
    try:
        series = parse_details(answer() | {key: value})
    except TmdbBadAnswer:
        return
    assert parse_details(details_to_json(series)) == series
