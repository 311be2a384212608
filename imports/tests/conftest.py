"""Fixtures for tests with worker processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from conftest import empty_cache
from imports import importing
from imports.tests.workers import Rows, Workers, library_rows, workers_on
from media.models import Media
from tmdb.demo.server import serve_in_thread
from tmdb.tests.servers import TmdbControl
from watchlog.leaving import delete_account

# What was seen once; it takes as long as any other import.
IN_PEACE: dict[tuple[bytes, ...], Rows] = {}


@pytest.fixture
def database_queue(settings: Any) -> None:
    """Tasks wait for a worker, as in production."""
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}


@pytest.fixture
def demo_tmdb() -> Iterator[TmdbControl]:
    """A small TMDB of the test's own, whose faults it may change."""
    with serve_in_thread() as server:
        yield TmdbControl(server.address)


@pytest.fixture
def workers(
    process_env: dict[str, str], database_queue: None, demo_tmdb: TmdbControl, tmp_path: Path
) -> Iterator[Workers]:
    """Workers on the test's database that ask `demo_tmdb`; `start` begins one."""
    env = {**process_env, "TMDB_API_KEY": "demo", "TMDB_API_URL": demo_tmdb.api_url}
    with workers_on(env, tmp_path) as found:
        yield found


@pytest.fixture
def undisturbed(
    transactional_db: None, demo_tmdb: TmdbControl, settings: Any
) -> Callable[..., Rows]:
    """undisturbed(data, ...): the library after importing these files in peace, one by one.

    What is found afterwards in the catalogue, in the cache, or by TMDB's counters is not of it.
    """
    settings.TMDB_API_KEY, settings.TMDB_API_URL = "demo", demo_tmdb.api_url

    def run(*files: bytes) -> Rows:
        if files not in IN_PEACE:
            IN_PEACE[files] = run_now(files)
        return dict(IN_PEACE[files])

    def run_now(files: tuple[bytes, ...]) -> Rows:
        user = User.objects.create_user("undisturbed")
        for data in files:
            importing.run(importing.submit(user, "NetflixViewingHistory.csv", data).pk)
        rows = library_rows(user)
        delete_account(user)
        Media.objects.all().delete()
        empty_cache()
        demo_tmdb.reset()
        return rows

    return run
