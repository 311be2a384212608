from __future__ import annotations

import struct
import subprocess
import sys
import time
import zlib
from typing import Any

import pytest
import requests

from tmdb.demo.posters import poster
from tmdb.demo.server import Catalogue, busiest, serve_in_thread
from tmdb.tests.servers import PROJECT, TmdbControl
from tmdb.types import parse_details, parse_search_page


def get(tmdb: TmdbControl, path: str) -> Any:
    return requests.get(tmdb.api_url + path, {"api_key": "demo"}, timeout=5).json()


def status(address: str) -> int:
    return requests.get(address, timeout=5).status_code


def test_every_series_reads_as_one_of_tmdb() -> None:
    with serve_in_thread() as server:
        tmdb = TmdbControl(server.address)
        assert len(server.catalogue.by_id) >= 30
        for number, record in server.catalogue.by_id.items():
            series = parse_details(get(tmdb, f"/tv/{number}?append_to_response=season/1"))
            first = series.season(1)
            assert first and first.episodes and len(first.episodes) == first.episode_count
            assert series.number_of_episodes and series.first_air_date and series.poster_path
            for season, titles in record.get("episode_titles", {}).items():
                counted = series.season(int(season))
                assert counted and len(titles) <= (counted.episode_count or 0)


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("haus+des+geldes", 71446),
        ("komi+can%27t", 123876),
        ("one+pie", 37854),
        ("kingdom", 70593),
        ("elite", None),
    ],
)
def test_a_search_finds_every_word_in_one_title(
    demo: TmdbControl, query: str, first: int | None
) -> None:
    page = parse_search_page(get(demo, f"/search/tv?query={query}"))
    assert (page.results[0].id if page.results else None) == first


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/3/configuration?api_key=invalid", 401),
        ("/3/configuration", 401),
        ("/3/tv/5?api_key=x", 404),
        ("/3/tv/1396/season/9?api_key=x", 404),
        ("/3/tv/1396/season/2?api_key=x", 200),
        ("/3/tv/1396/translations?api_key=x", 200),
        ("/3/search/tv?query=&api_key=x", 422),
        ("/3/search/tv?query=a&page=501&api_key=x", 400),
        ("/3/tv/1396?append_to_response=" + ",".join("x" * 21) + "&api_key=x", 400),
        ("/3/nothing?api_key=x", 404),
        ("/t/p/w92/1396.png", 200),
        ("/t/p/w92/5.png", 404),
        ("/t/p/w92/series.json", 404),
    ],
)
def test_it_answers_with_the_status_of_tmdb(demo: TmdbControl, path: str, expected: int) -> None:
    assert status(demo.address + path) == expected


def test_faults_are_done_and_counted(demo: TmdbControl) -> None:
    address = f"{demo.api_url}/tv/1396?api_key=x"
    demo.faults(limit="2/60")
    assert [status(address) for _ in range(3)] == [200, 200, 429]
    demo.faults(limit=None, error_rate=1.0)
    assert status(address) in (500, 503)
    demo.faults(error_rate=0.0, down=True)
    assert status(address) == 503
    demo.faults(down=False, latency_ms=100)
    started = time.monotonic()
    assert status(address) == 200
    assert time.monotonic() - started >= 0.1
    stats = demo.stats()
    assert stats["requests"] == 6
    assert list(stats["repeated_urls"].values()) == [6]
    demo.reset()
    assert demo.stats()["requests"] == 0


def test_the_busiest_window_is_found() -> None:
    assert busiest([], 1.0) == 0
    assert busiest([0.0, 0.5, 0.9, 1.0, 1.1, 3.0], 1.0) == 4


def test_a_poster_is_a_png_of_the_size_asked_for() -> None:
    picture = poster(1396, "Breaking Bad & a Very Long Title Indeed", 154)
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", picture[16:24]) == (154, 231)
    start = picture.index(b"IDAT")
    (length,) = struct.unpack(">I", picture[start - 4 : start])
    pixels = zlib.decompress(picture[start + 4 : start + 4 + length])
    assert len(pixels) == 231 * 155
    assert poster(1396, "Breaking Bad", 154) != poster(1396, "Dark", 154)
    assert poster(1, "ワンピース", 92)


def test_it_runs_as_a_program_and_says_where() -> None:
    command = [sys.executable, "-m", "tmdb.demo.server", "--port", "0", "--latency-ms", "1"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            address = line.split()[3]
            assert line.startswith("TMDB demo on http://127.0.0.1:")
            answer = requests.get(f"{address}/tv/1396?api_key=x", timeout=5)
            assert answer.json()["name"] == "Breaking Bad"
        finally:
            process.kill()


def test_a_fault_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="colour"), serve_in_thread(colour="red"):
        pass


def test_the_facts_hold_together() -> None:
    for record in Catalogue().by_id.values():
        numbers = [season[0] for season in record["seasons"]]
        assert numbers == sorted(set(numbers))
        assert record["first_air_date"] <= record["last_air_date"]
