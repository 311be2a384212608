from __future__ import annotations

import logging
import threading
from typing import Any

import pytest
from django.core.cache import cache as django_cache
from hypothesis import given
from hypothesis import strategies as st

from tmdb import cache
from tmdb.tests.conftest import Clock

pytestmark = pytest.mark.django_db

part = st.none() | st.integers() | st.text(max_size=20)


@pytest.mark.parametrize(
    "one, other",
    [
        (["search", "a\0str:b"], ["search", "a", "b"]),
        (["search", "a?"], ["search", "a\ud800"]),
        (["search", "1"], ["search", 1]),
        (["search", ""], ["search", None]),
    ],
)
def test_no_title_takes_the_place_of_another(one: list[Any], other: list[Any]) -> None:
    assert cache.key(*one) != cache.key(*other)


def test_what_was_written_is_read(clock: Clock) -> None:
    cache.write("k", {"a": [1, None, "ü"]})
    entry = cache.read("k")
    assert entry and entry.value == {"a": [1, None, "ü"]}
    assert entry.fetched_at.timestamp() == clock.now


def test_an_answer_is_fresh_for_a_week_and_kept_for_half_a_year(clock: Clock) -> None:
    cache.write("k", {"a": 1})
    clock.pass_days(6.9)
    assert (entry := cache.read("k")) and entry.is_fresh
    clock.pass_days(0.2)
    assert (entry := cache.read("k")) and not entry.is_fresh
    clock.pass_days(172)
    assert cache.read("k")
    clock.pass_days(1)
    assert cache.read("k") is None


def test_absence_is_kept_for_a_day(clock: Clock) -> None:
    cache.write("k", None)
    clock.pass_days(0.9)
    assert (entry := cache.read("k")) and entry.is_fresh and entry.value is None
    clock.pass_days(0.2)
    assert cache.read("k") is None


def test_an_answer_of_the_future_is_not_fresh(clock: Clock) -> None:
    cache.write("k", {"a": 1})
    clock.pass_days(-1)
    assert (entry := cache.read("k")) and not entry.is_fresh


@pytest.mark.parametrize(
    "kept", ["text", 5, None, {}, {"stored": "x", "value": {}}, {"stored": 1.0, "value": [1]}]
)
def test_anything_of_another_shape_counts_as_missing(kept: object) -> None:
    django_cache.set("k", kept)
    assert cache.read("k") is None


@given(st.lists(part, min_size=1, max_size=4), st.lists(part, min_size=1, max_size=4))
def test_two_lists_of_arguments_never_share_a_key(one: list[Any], other: list[Any]) -> None:
    one, other = ["search", *one], ["search", *other]
    same = [(type(p), p) for p in one] == [(type(p), p) for p in other]
    assert (cache.key(*one) == cache.key(*other)) == same


def test_a_key_is_safe_for_every_cache() -> None:
    key = cache.key("search", "Ein Name\n mit \x00 Zeichen " * 50, "de-DE", 1)
    assert key.isascii() and key.isprintable() and " " not in key and len(key) < 200


class BrokenCache:
    def get(self, key: str) -> object:
        raise ConnectionError("down")

    def set(self, key: str, value: object, timeout: int) -> None:
        raise ConnectionError("down")


def test_a_cache_that_fails_is_no_cache_and_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(cache, "_said_at", -1e9)
    monkeypatch.setattr(cache, "cache", BrokenCache())
    for _ in range(3):
        cache.write("k", {"a": 1})
        assert cache.read("k") is None
    (said,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "going on without it" in said.getMessage()


def test_one_key_is_looked_up_by_one_thread_at_a_time() -> None:
    inside, most, asked = 0, 0, threading.Barrier(4)
    guard = threading.Lock()

    def look_up() -> None:
        nonlocal inside, most
        asked.wait(5)
        with cache.one_at_a_time("k"):
            with guard:
                inside += 1
                most = max(most, inside)
            threading.Event().wait(0.02)
            with guard:
                inside -= 1

    threads = [threading.Thread(target=look_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert not cache._locks
