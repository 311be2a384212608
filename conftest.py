"""Fixtures for the tests of all apps."""

from __future__ import annotations

import itertools
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache, caches

from tmdb.tests.servers import TmdbControl, tmdb_server

PROJECT = Path(__file__).resolve().parent
IN_CI = os.environ.get("CI") == "true"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests for PostgreSQL and Redis run where both are set, as in the second half of CI."""
    if item.get_closest_marker("postgres") and not (
        "postgresql" in settings.DATABASES["default"]["ENGINE"] and settings.REDIS_URL
    ):
        pytest.skip("DATABASE_URL and REDIS_URL do not name PostgreSQL and Redis")


@pytest.fixture(scope="session", autouse=True)
def _no_internet() -> Iterator[None]:
    """Connections from tests stay on this machine."""
    connect = socket.socket.connect

    def connect_locally(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0]
            if host not in ("localhost", "::1") and not host.startswith("127."):
                raise AssertionError(f"a test tried to reach {host}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_locally)
        yield


@pytest.fixture(autouse=True)
def _fresh_cache(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[None]:
    """No test finds what another one cached."""
    yield
    caches["posters"].clear()
    # The cache's table is no model's, so that the flush between such tests spares it.
    if settings.REDIS_URL or _commits(request):
        with django_db_blocker.unblock():
            empty_cache()


def empty_cache() -> None:
    """Forget what this run cached."""
    if settings.REDIS_URL:
        # By pattern: clear() would empty the whole Redis, not just the keys of this run.
        cache.delete_pattern("*")  # type: ignore[attr-defined]
    else:
        cache.clear()


def _commits(request: pytest.FixtureRequest) -> bool:
    """Whether the test writes to the database for good instead of being rolled back."""
    marker = request.node.get_closest_marker("django_db")
    return (marker is not None and bool(marker.kwargs.get("transaction"))) or not {
        "transactional_db",
        "live_server",
    }.isdisjoint(request.fixturenames)


def skip_or_fail(reason: str) -> None:
    """Skip the running test for want of something outside; in CI that is a failure."""
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """The folder with real exports and the big TMDB stand-in, which is no part of the project."""
    folder = Path(os.environ.get("WATCHLOG_SHARED", PROJECT.parent / "shared"))
    if not (folder / "exports").is_dir():
        skip_or_fail(f"no shared folder at {folder} (WATCHLOG_SHARED names another)")
    return folder


@pytest.fixture
def make_user(db: None) -> Callable[..., Any]:
    """make_user("anna", is_staff=True) stores a user whose password is `password`."""
    from accounts.models import User

    numbers = itertools.count(1)

    def make(username: str = "", password: str = "password", **fields: Any) -> User:
        username = username or f"user{next(numbers)}"
        return User.objects.create_user(username=username, password=password, **fields)

    return make


@pytest.fixture
def wait_until() -> Callable[..., Any]:
    """wait_until(condition, seconds=10): its first true answer; fails when there is none."""

    def wait(condition: Callable[[], Any], seconds: float = 10) -> Any:
        deadline = time.monotonic() + seconds
        while not (answer := condition()):
            if time.monotonic() > deadline:
                pytest.fail(f"not true within {seconds} s: {condition}")
            time.sleep(0.05)
        return answer

    return wait


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def process_env(transactional_db: None) -> dict[str, str]:
    """The environment for a process that works on the test's own database and cache."""
    from django.db import connection

    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        url = f"sqlite:///{name}"
    else:
        of = connection.settings_dict
        credentials = f"{of['USER']}:{of['PASSWORD']}" if of["PASSWORD"] else of["USER"]
        url = f"postgres://{credentials}@{of['HOST']}:{of['PORT'] or 5432}/{name}"
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", ""),
        "DJANGO_SETTINGS_MODULE": "watchlog.settings",
        "WATCHLOG_ENV_FILE": "",
        "SECRET_KEY": settings.SECRET_KEY,
        "PLAIN_HTTP": "true",
        "DATABASE_URL": url,
        "REDIS_URL": settings.REDIS_URL,
        # What it caches goes with what the test cached.
        "CACHE_KEY_PREFIX": str(settings.CACHES["default"].get("KEY_PREFIX", "")),
        "TMDB_API_KEY": "",
    }


@pytest.fixture(scope="session")
def big_tmdb() -> Iterator[TmdbControl]:
    """One TMDB for all tests over real HTTP: the shared stand-in, or else the demo's small one."""
    with tmdb_server() as server:
        yield server
