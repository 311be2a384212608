"""Against a TMDB over real HTTP that misbehaves: the shared stand-in, or else the demo server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tmdb import client
from tmdb.errors import TmdbError
from tmdb.service import Seasons, episode_count, get_episode_count, search_series, series_details
from tmdb.tests.servers import TmdbControl

pytestmark = pytest.mark.django_db

NO_FAULTS = {
    "limit": "none",
    "latency_ms": 0,
    "error_rate": 0.0,
    "hang_rate": 0.0,
    "garbage_rate": 0.0,
    "down": False,
}
# Ended, so that no catalogue of any year counts otherwise.
TOTALS = {
    "Breaking Bad": (5, 62),
    "Money Heist": (3, 41),
    "Haus des Geldes": (3, 41),
    "The Big Bang Theory": (12, 279),
    "How I Met Your Mother": (9, 208),
    "Better Call Saul": (6, 63),
    "The Crown": (6, 60),
    "Sherlock": (4, 12),
    "Kingdom (2019)": (2, 12),
    "The Queen's Gambit": (1, 7),
}


@pytest.fixture
def tmdb(big_tmdb: TmdbControl, settings: Any) -> Iterator[TmdbControl]:
    big_tmdb.faults(**NO_FAULTS)
    big_tmdb.reset()
    settings.TMDB_API_URL = big_tmdb.api_url
    settings.TMDB_RATE_LIMIT = 1000
    yield big_tmdb
    big_tmdb.faults(**NO_FAULTS)


def test_totals_are_right(tmdb: TmdbControl) -> None:
    assert {name: get_episode_count(name) for name in TOTALS} == TOTALS
    assert tmdb.stats()["requests"] <= 2.5 * len(TOTALS)


def test_a_second_run_asks_nothing(tmdb: TmdbControl) -> None:
    first = {name: get_episode_count(name) for name in TOTALS}
    tmdb.reset()
    assert {name: get_episode_count(name) for name in TOTALS} == first
    assert tmdb.stats()["requests"] == 0


def test_errors_and_garbage_make_no_wrong_value(tmdb: TmdbControl) -> None:
    tmdb.faults(error_rate=0.2, garbage_rate=0.1)
    found = {}
    for name in TOTALS:
        try:
            count = episode_count(name)
        except TmdbError:
            continue
        assert count is not None
        found[name] = (count.total_seasons, count.total_episodes)
    assert found.items() <= TOTALS.items()
    tmdb.faults(**NO_FAULTS)
    assert {name: get_episode_count(name) for name in TOTALS} == TOTALS


def test_a_limit_of_tmdb_own_is_waited_for(tmdb: TmdbControl) -> None:
    tmdb.faults(limit="4/1")
    for name in list(TOTALS)[:4]:
        assert get_episode_count(name) == TOTALS[name]
    assert tmdb.stats()["by_status"]["429"] >= 1


def test_a_look_up_ends_within_five_seconds_at_100_ms(tmdb: TmdbControl) -> None:
    tmdb.faults(latency_ms=100, error_rate=0.1)
    for name in list(TOTALS)[:4]:
        started = time.monotonic()
        get_episode_count(name)
        assert time.monotonic() - started < 5


def test_a_look_up_of_a_tmdb_that_is_down_ends_within_five_seconds(tmdb: TmdbControl) -> None:
    tmdb.faults(latency_ms=100, down=True)
    started = time.monotonic()
    assert get_episode_count("Dark") is None
    assert time.monotonic() - started < 5


def test_a_look_up_of_a_tmdb_that_hangs_ends_within_its_limit(
    tmdb: TmdbControl, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "REQUEST_SECONDS", 1.4)
    settings.TMDB_READ_TIMEOUT = 0.8
    tmdb.faults(hang_rate=1.0, hang_s=10)
    started = time.monotonic()
    assert get_episode_count("Dark") is None
    assert time.monotonic() - started < 3


def test_a_search_brings_pages_of_twenty(tmdb: TmdbControl) -> None:
    page = search_series("the", "en-US")
    assert len(page.results) == min(20, page.total_results)
    assert page.total_pages == -(-page.total_results // 20)


def test_all_seasons_of_a_long_series_are_brought(tmdb: TmdbControl) -> None:
    series = series_details(1418, "en-US", Seasons.ALL, translations=True)
    assert tmdb.stats()["requests"] == 1
    regular = [season for season in series.seasons if season.number]
    assert sum(len(season.episodes or ()) for season in regular) == series.number_of_episodes
