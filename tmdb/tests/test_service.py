from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
import responses
from django.db import connection

from tmdb import cache, client, service
from tmdb.errors import (
    TmdbBadAnswer,
    TmdbError,
    TmdbNotFound,
    TmdbUnavailable,
)
from tmdb.service import (
    KeyCheck,
    Seasons,
    episode_count,
    get_episode_count,
    get_series_details,
    poster_url,
    search_series,
    search_tv_series,
    season_details,
    series_details,
    verify_key,
)
from tmdb.tests.conftest import URL, Clock
from tmdb.tests.servers import TmdbControl

pytestmark = pytest.mark.django_db

ONE_PIECE, MONEY_HEIST, BREAKING_BAD = 37854, 71446, 1396


def asked(demo: TmdbControl) -> int:
    count: int = demo.stats()["requests"]
    return count


# Search


def test_a_search_is_asked_once(demo: TmdbControl) -> None:
    first = search_series("Breaking Bad", "en-US")
    again = search_series(" breaking  BAD ", "en-US")
    assert first == again
    assert [result.id for result in first.results] == [BREAKING_BAD]
    assert asked(demo) == 1


@pytest.mark.parametrize(
    "other",
    [
        ("Kingdoms", "en-US", 1),
        ("Kingdom", "de-DE", 1),
        ("Kingdom", None, 1),
        ("Kingdom", "en-US", 2),
        ("King dom", "en-US", 1),
    ],
)
def test_every_argument_of_a_search_makes_another_answer(
    demo: TmdbControl, other: tuple[str, str | None, int]
) -> None:
    search_series("Kingdom", "en-US", 1)
    search_series(*other)
    assert asked(demo) == 2


def test_names_come_in_the_language_asked_for(demo: TmdbControl) -> None:
    (german,) = search_series("Haus des Geldes", "de-DE").results
    (english,) = search_series("Haus des Geldes", "en-US").results
    assert (german.name, english.name) == ("Haus des Geldes", "Money Heist")


def test_an_empty_query_finds_nothing_and_asks_nothing(demo: TmdbControl) -> None:
    assert search_series(" \u200b\n", "en-US").results == ()
    assert asked(demo) == 0


@pytest.mark.parametrize("page", [0, 501])
def test_there_are_500_pages(page: int) -> None:
    with pytest.raises(ValueError, match="500"):
        search_series("Dark", "en-US", page)


def test_a_language_that_is_none_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="language"):
        search_series("Dark", "de&page=3")


def test_an_empty_result_is_kept_for_a_day(demo: TmdbControl, clock: Clock) -> None:
    assert search_series("No Such Series", "en-US").results == ()
    clock.pass_days(0.9)
    search_series("No Such Series", "en-US")
    assert asked(demo) == 1
    clock.pass_days(0.2)
    search_series("No Such Series", "en-US")
    assert asked(demo) == 2


def test_after_a_week_a_search_is_asked_again(demo: TmdbControl, clock: Clock) -> None:
    old = search_series("Dark", "en-US")
    clock.pass_days(7.1)
    new = search_series("Dark", "en-US")
    assert asked(demo) == 2
    assert new.fetched_at > old.fetched_at and not new.stale


def test_an_old_search_is_better_than_none(
    demo: TmdbControl, clock: Clock, pauses: list[float]
) -> None:
    old = search_series("Dark", "en-US")
    clock.pass_days(8)
    demo.faults(down=True)
    stale = search_series("Dark", "en-US")
    assert stale.stale and stale.results == old.results and stale.fetched_at == old.fetched_at


def test_errors_are_not_kept(demo: TmdbControl, pauses: list[float]) -> None:
    demo.faults(down=True)
    with pytest.raises(TmdbUnavailable):
        search_series("Dark", "en-US")
    with pytest.raises(TmdbUnavailable):
        series_details(BREAKING_BAD)
    assert get_episode_count("Dark") is None
    demo.faults(down=False)
    assert search_series("Dark", "en-US").results
    assert series_details(BREAKING_BAD).number_of_episodes == 62
    assert get_episode_count("Dark") == (3, 26)


def test_a_search_can_be_asked_again_at_once(demo: TmdbControl) -> None:
    search_series("Dark", "en-US")
    search_series("Dark", "en-US", refresh=True)
    assert asked(demo) == 2


# Details


def test_one_request_brings_details_names_and_episodes(demo: TmdbControl) -> None:
    series = series_details(
        BREAKING_BAD, "en-US", Seasons.ALL, alternative_titles=True, translations=True
    )
    assert asked(demo) == 1
    assert [season.number for season in series.seasons] == [0, 1, 2, 3, 4, 5]
    counts = [len(season.episodes or ()) for season in series.seasons]
    assert counts == [season.episode_count for season in series.seasons] == [11, 7, 13, 13, 13, 16]
    first = series.season(1)
    assert first and first.episodes and first.episodes[0].title == "Pilot"


def test_a_series_of_more_than_twenty_seasons_takes_one_request_more(demo: TmdbControl) -> None:
    series = series_details(
        ONE_PIECE, "en-US", Seasons.ALL, alternative_titles=True, translations=True
    )
    assert asked(demo) == 2
    assert len(series.seasons) == 24
    assert all(season.episodes for season in series.seasons)
    series_details(ONE_PIECE, "en-US", Seasons.ALL)
    assert asked(demo) == 2


def test_more_than_twenty_named_seasons_are_asked_in_two_requests(demo: TmdbControl) -> None:
    series = series_details(ONE_PIECE, "en-US", range(1, 24))
    assert asked(demo) == 2
    assert all(season.episodes for season in series.seasons if season.number)


def test_a_season_that_does_not_exist_is_absent_and_not_asked_again(demo: TmdbControl) -> None:
    for _ in range(2):
        series = series_details(BREAKING_BAD, "en-US", [1, 9])
        assert series.season(9) is None
    assert asked(demo) == 1


def test_only_what_was_asked_for_is_in_the_answer(demo: TmdbControl) -> None:
    series_details(MONEY_HEIST, "de-DE", Seasons.ALL, alternative_titles=True, translations=True)
    plain = series_details(MONEY_HEIST, "de-DE")
    assert asked(demo) == 1
    assert plain.translations == {} and plain.alternative_titles == ()
    assert all(season.episodes is None for season in plain.seasons)
    one = series_details(MONEY_HEIST, "de-DE", [2], translations=True)
    assert [season.number for season in one.seasons if season.episodes] == [2]
    assert one.translations["de-DE"] == "Haus des Geldes"
    assert asked(demo) == 1


def test_a_part_asked_for_later_joins_what_is_kept(demo: TmdbControl, clock: Clock) -> None:
    series_details(BREAKING_BAD, "en-US", [1])
    clock.pass_days(6)
    both = series_details(BREAKING_BAD, "en-US", [1, 2])
    assert asked(demo) == 2
    assert demo.stats()["repeated_urls"] == {}
    assert [season.number for season in both.seasons if season.episodes] == [1, 2]
    clock.pass_days(2)
    series_details(BREAKING_BAD, "en-US", [1, 2])
    assert asked(demo) == 3


@pytest.mark.parametrize("language", ["de-DE", None])
def test_another_language_is_another_answer(demo: TmdbControl, language: str | None) -> None:
    series_details(MONEY_HEIST, "en-US")
    other = series_details(MONEY_HEIST, language)
    assert asked(demo) == 2
    assert other.language == language


def test_an_unknown_id_is_not_found_and_not_asked_again_for_a_day(
    demo: TmdbControl, clock: Clock
) -> None:
    for _ in range(2):
        with pytest.raises(TmdbNotFound):
            series_details(999_999_999)
    assert asked(demo) == 1
    clock.pass_days(1.1)
    with pytest.raises(TmdbNotFound):
        series_details(999_999_999)
    assert asked(demo) == 2


@pytest.mark.parametrize("number", [0, -1, 2**31])
def test_what_cannot_be_an_id_is_not_found_without_asking(demo: TmdbControl, number: int) -> None:
    with pytest.raises(TmdbNotFound):
        series_details(number)
    assert asked(demo) == 0


def test_old_details_are_better_than_none(
    demo: TmdbControl, clock: Clock, pauses: list[float]
) -> None:
    old = series_details(BREAKING_BAD, "en-US", [1])
    clock.pass_days(100)
    demo.faults(down=True)
    stale = series_details(BREAKING_BAD, "en-US", [1])
    assert stale.stale and stale.seasons == old.seasons and stale.fetched_at == old.fetched_at
    with pytest.raises(TmdbUnavailable):
        series_details(BREAKING_BAD, "en-US", [1, 2])


def test_old_details_are_served_while_tmdb_limits(
    demo: TmdbControl, clock: Clock, pauses: list[float]
) -> None:
    series_details(BREAKING_BAD)
    clock.pass_days(8)
    demo.faults(limit="1/60")
    search_series("Dark")
    assert series_details(BREAKING_BAD).stale


def test_details_older_than_half_a_year_are_not_served(
    demo: TmdbControl, clock: Clock, pauses: list[float]
) -> None:
    series_details(BREAKING_BAD)
    clock.pass_days(181)
    demo.faults(down=True)
    with pytest.raises(TmdbUnavailable):
        series_details(BREAKING_BAD)


def test_details_that_are_gone_are_not_served(demo: TmdbControl, clock: Clock) -> None:
    series_details(BREAKING_BAD)
    clock.pass_days(8)
    with responses.RequestsMock() as mock:
        mock.get(f"{demo.api_url}/tv/1396", status=404, json={"status_code": 34})
        for _ in range(2):
            with pytest.raises(TmdbNotFound):
                series_details(BREAKING_BAD)
        assert len(mock.calls) == 1


def test_an_answer_about_another_series_is_refused(pauses: list[float]) -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/tv/5", json={"id": 6, "name": "Other", "seasons": []})
        with pytest.raises(TmdbBadAnswer, match="another series"):
            series_details(5)


def test_a_kept_answer_of_another_shape_is_asked_again(demo: TmdbControl) -> None:
    values: list[dict[str, Any]] = [
        {"parts": [], "series": {"id": "x"}},
        {"old": 1},
        {"parts": None, "series": {}},
    ]
    for value in values:
        cache.write(cache.key("tv", BREAKING_BAD, "en-US"), value)
        cache.write(cache.key("search", "dark", "en-US", 1), value)
        assert series_details(BREAKING_BAD, "en-US").number_of_episodes == 62
        assert search_series("Dark", "en-US").results
    assert asked(demo) == 6


def test_a_season_by_itself(demo: TmdbControl) -> None:
    season = season_details(BREAKING_BAD, 2, "en-US")
    assert season and season.episodes and season.episodes[0].title == "Seven Thirty-Seven"
    assert season_details(BREAKING_BAD, 9, "en-US") is None


def test_without_a_working_cache_everything_is_asked(
    demo: TmdbControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "cache", None)
    assert series_details(BREAKING_BAD).number_of_episodes == 62
    assert get_episode_count("Breaking Bad") == (5, 62)
    assert asked(demo) == 3


@pytest.mark.django_db(transaction=True)
def test_threads_that_want_the_same_ask_once(demo: TmdbControl) -> None:
    demo.faults(latency_ms=50)
    found: list[int | None] = []

    def look_up() -> None:
        found.append(series_details(BREAKING_BAD).number_of_episodes)
        connection.close()

    threads = [threading.Thread(target=look_up) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [62] * 5
    assert asked(demo) == 1


# By name


@pytest.mark.parametrize(
    ("name", "tmdb_id"),
    [
        ("Breaking Bad", BREAKING_BAD),
        ("breaking bad", BREAKING_BAD),
        ("Marvel's Breaking Bad", BREAKING_BAD),
        ("Kingdom (2019)", 70593),
        ("Kingdom (2014)", 61427),
        ("Kingdom (U.S.)", 61427),
        ("Kingdom (KR)", 70593),
        ("The Office (UK)", 2996),
        ("The Office (U.S.)", 2316),
        ("Shameless (UK)", 1906),
        ("Haus des Geldes", MONEY_HEIST),
        ("La casa de papel", MONEY_HEIST),
        ("Komi Can’t Communicate", 123876),
        ("Demon Slayer", None),
        ("Kingdom (1950)", None),
        ("No Such Series", None),
        ("Star Trek Discovery", 67198),
        ("???", None),
        ("", None),
    ],
)
def test_a_series_is_found_by_its_name_or_not_at_all(
    demo: TmdbControl, name: str, tmdb_id: int | None
) -> None:
    assert search_tv_series(name) == tmdb_id
    assert asked(demo) <= 4


def test_of_several_with_one_name_the_most_popular_is_taken(demo: TmdbControl) -> None:
    assert search_tv_series("Shameless") == 34307


@pytest.mark.parametrize(
    ("sought", "name", "found"),
    [
        ("The Umbrela Academy", "The Umbrella Academy", True),
        ("Class of 2007", "Class of 2009", False),
        ("Darc", "Dark", False),
        ("You", "Young Sheldon", False),
        ("Dark", "Dark Matter", False),
    ],
)
def test_a_name_must_be_nearly_the_same(sought: str, name: str, found: bool) -> None:
    details = {"id": 7, "name": name, "seasons": []}
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(f"{URL}/search/tv", json={"results": [{"id": 7, "name": name}]})
        mock.get(f"{URL}/tv/7", json=details)
        assert search_tv_series(sought) == (7 if found else None)


def test_two_names_that_are_equally_near_are_not_told_apart_by_chance() -> None:
    results = [{"id": 7, "name": "The Umbrella Academy"}, {"id": 8, "name": "The Umbrellx Academy"}]
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(f"{URL}/search/tv", json={"results": results})
        for result in results:
            mock.get(f"{URL}/tv/{result['id']}", json={**result, "seasons": []})
        assert search_tv_series("The Umbrellq Academy") is None


def test_episode_counts_belong_to_their_names(demo: TmdbControl) -> None:
    known = {
        "Breaking Bad": (5, 62),
        "Dark": (3, 26),
        "Haus des Geldes": (3, 41),
        "Money Heist": (3, 41),
        "The Big Bang Theory": (12, 279),
        "Kingdom (2019)": (2, 12),
        "Kingdom (2014)": (3, 40),
    }
    for _ in range(2):
        assert {name: get_episode_count(name) for name in known} == known
    before = asked(demo)
    assert {name: get_episode_count(name) for name in known} == known
    assert asked(demo) == before


def test_an_episode_count_depends_on_the_language(demo: TmdbControl, settings: Any) -> None:
    get_episode_count("Dark")
    settings.TMDB_LANGUAGE = "de-DE"
    before = asked(demo)
    get_episode_count("Dark")
    assert asked(demo) > before


def test_an_episode_count_is_kept_for_a_week_and_served_older_while_tmdb_fails(
    demo: TmdbControl, clock: Clock, pauses: list[float]
) -> None:
    first = episode_count("Dark")
    clock.pass_days(6.9)
    assert episode_count("Dark") == first
    assert asked(demo) == 2
    demo.faults(down=True)
    clock.pass_days(90)
    assert episode_count("Dark") == first
    assert get_episode_count("Dark") == (3, 26)
    assert first and first.updated_at == datetime.fromtimestamp(1_700_000_000, UTC)
    demo.faults(down=False)
    renewed = episode_count("Dark")
    assert renewed and renewed.updated_at > first.updated_at


def test_a_name_that_is_not_found_is_not_asked_again_for_a_day(
    demo: TmdbControl, clock: Clock
) -> None:
    for _ in range(2):
        assert get_episode_count("No Such Series") is None
    assert asked(demo) == 1
    clock.pass_days(1.1)
    get_episode_count("No Such Series")
    assert asked(demo) == 2


def test_totals_that_tmdb_does_not_know_are_none() -> None:
    body = {"id": 7, "name": "New", "seasons": [], "number_of_seasons": 1, "number_of_episodes": 0}
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/search/tv", json={"results": [{"id": 7, "name": "New"}]})
        mock.get(f"{URL}/tv/7", json=body)
        assert get_episode_count("New") is None
        count = episode_count("New")
    assert count and (count.total_seasons, count.total_episodes) == (1, None)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 401, "json": {"status_code": 7}},
        {"status": 404, "json": {"status_code": 34}},
        {"status": 429},
        {"status": 500},
        {"status": 503},
        {"body": "<html></html>"},
        {"body": '{"results": [{"id": 1, "na'},
        {"json": []},
        {"json": {"results": None}},
        {"body": ConnectionError("x")},
        {"body": TimeoutError("x")},
    ],
)
def test_whatever_fails_is_none_to_the_caller_and_logged(
    answer: dict[str, Any], pauses: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(f"{URL}/search/tv", **answer)
        mock.get(f"{URL}/tv/5", **answer)
        assert search_tv_series("A Secret Name") is None
        assert get_series_details(5) is None
        assert get_episode_count("A Secret Name") is None
    assert caplog.records
    assert "Secret" not in caplog.text
    assert all(record.exc_info is None for record in caplog.records)


def test_without_a_key_everything_is_none(settings: Any) -> None:
    settings.TMDB_API_KEY = ""
    assert search_tv_series("Dark") is None
    assert get_series_details(5) is None
    assert get_episode_count("Dark") is None


def test_names_are_logged_at_debug_alone(
    demo: TmdbControl, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    get_episode_count("Haus des Geldes")
    get_episode_count("Haus des Geldes")
    above = [r.getMessage() for r in caplog.records if r.levelno > logging.DEBUG]
    assert any("cache=miss" in line for line in above)
    assert any("cache=hit" in line for line in above)
    assert not any("Haus" in line or "Geldes" in line for line in above)
    assert "Haus des Geldes" in caplog.text


def test_a_clear_series_costs_two_requests(demo: TmdbControl) -> None:
    get_episode_count("The Crown")
    assert asked(demo) == 2


# The key and posters


def test_the_key_is_verified(demo: TmdbControl, settings: Any, pauses: list[float]) -> None:
    assert verify_key() is KeyCheck.ACCEPTED
    settings.TMDB_API_KEY = "invalid"
    assert verify_key() is KeyCheck.REFUSED
    settings.TMDB_API_KEY = ""
    assert verify_key() is KeyCheck.MISSING
    settings.TMDB_API_KEY = "0123"
    demo.faults(down=True)
    assert verify_key() is KeyCheck.UNREACHABLE


def test_a_key_that_works_again_is_used_again(demo: TmdbControl, settings: Any) -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{demo.api_url}/configuration", status=401)
        assert verify_key() is KeyCheck.REFUSED
    with pytest.raises(TmdbError):
        series_details(BREAKING_BAD)
    assert verify_key() is KeyCheck.ACCEPTED
    assert not client.is_refused()
    assert series_details(BREAKING_BAD).id == BREAKING_BAD


def test_posters_have_addresses(settings: Any) -> None:
    settings.TMDB_IMAGE_URL = "https://image.tmdb.org/t/p/"
    assert poster_url("/aB-9_.jpg", "w154") == "https://image.tmdb.org/t/p/w154/aB-9_.jpg"


@pytest.mark.parametrize("path", [None, "", "x.jpg", "//x.test/a.jpg", "/../a.jpg", "/a.jpg#x"])
def test_what_is_no_poster_has_no_address(path: str | None) -> None:
    assert poster_url(path) is None


def test_a_size_that_tmdb_has_not_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="size"):
        poster_url("/a.jpg", "w1")


def test_no_more_than_twenty_parts_are_appended() -> None:
    wanted = service._Wanted(tuple(f"season/{n}" for n in range(50)), False)
    missing = wanted.missing(None)
    assert missing is not None and len(missing) == service.MAX_APPENDED
