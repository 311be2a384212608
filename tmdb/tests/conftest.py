"""Fixtures for the tests of this app."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tmdb import cache, client, throttle
from tmdb.demo.server import serve_in_thread
from tmdb.tests.servers import TmdbControl

URL = "http://tmdb.test/3"


@pytest.fixture(autouse=True)
def _own_state(settings: Any) -> Iterator[None]:
    """A key, an address that leads nowhere, and nothing remembered from another test."""
    settings.TMDB_API_KEY = "0123456789abcdef0123456789abcdef"
    settings.TMDB_API_URL = URL
    settings.TMDB_LANGUAGE = "en-US"
    client.reset()
    throttle.reset()
    yield
    client.reset()
    throttle.reset()


@pytest.fixture
def demo(settings: Any) -> Iterator[TmdbControl]:
    """The demo server, and settings that point to it; a short period that no test waits for."""
    with serve_in_thread() as server:
        control = TmdbControl(server.address)
        settings.TMDB_API_URL = control.api_url
        settings.TMDB_IMAGE_URL = control.image_url
        settings.TMDB_RATE_LIMIT = 1000
        yield control
        client.reset()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses before retries in seconds, noted and not made."""
    made: list[float] = []
    monkeypatch.setattr(throttle, "sleep", lambda seconds: made.append(seconds))
    return made


class Clock:
    """The time of what is kept, to be moved."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def pass_days(self, days: float) -> None:
        self.now += days * cache.DAY


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    moved = Clock()
    monkeypatch.setattr(cache, "now", lambda: moved.now)
    return moved
