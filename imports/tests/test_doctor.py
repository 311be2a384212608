"""`manage.py doctor`: each check when all is well, when it is not, and what it says to do."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.cache.backends.dummy import DummyCache
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from imports import doctor, importing
from imports.lease import MOST_WORKERS_LOST
from imports.models import Import, State, WorkerHeartbeat
from imports.tasks import run_import
from imports.tests.making import BREAKING_BAD
from imports.worker import FORGET_AFTER, beat
from media.models import LibraryEntry, Media
from tmdb.demo.server import serve_in_thread

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def healthy(make_user, settings):
    """An installation with a library in which nothing is wrong."""
    importing.run(importing.submit(make_user("ana"), "a.csv", BREAKING_BAD).pk)
    beat("worker-1")
    with serve_in_thread() as server:
        settings.TMDB_API_URL, settings.TMDB_API_KEY = f"{server.address}/3", "demo"
        yield server


def examined(*options: str) -> tuple[int, str]:
    out, code = io.StringIO(), 0
    try:
        call_command("doctor", *options, stdout=out)
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, out.getvalue()


def everything() -> list[object]:
    """All rows of the tables that it looks at."""
    return [list(of.objects.order_by("pk").values()) for of in (Import, LibraryEntry, Media)]


def test_nothing_is_wrong_with_a_healthy_installation(healthy):
    code, out = examined()
    assert code == 0
    assert "->" not in out
    names = ["database", "migrations", "cache", "worker", "imports", "crashes", "TMDB"]
    names += ["library", "progress"]
    assert [line.split(":")[0] for line in out.splitlines()] == [f"ok  {name}" for name in names]


def away(monkeypatch, settings, server):
    def refuse(*args, **options):
        raise OperationalError("no")

    monkeypatch.setattr(connection, "cursor", refuse)


def migration_missing(monkeypatch, settings, server):
    applied = MigrationRecorder(connection).applied_migrations()
    last = max(key for key in applied if key[0] == "imports")
    found = {key: value for key, value in applied.items() if key != last}
    monkeypatch.setattr(MigrationRecorder, "applied_migrations", lambda self: found)


def cache_forgets(monkeypatch, settings, server):
    monkeypatch.setattr(doctor, "cache", DummyCache("nowhere", {}))


def cache_raises(monkeypatch, settings, server):
    monkeypatch.setattr(doctor, "cache", None)


def no_worker(monkeypatch, settings, server):
    WorkerHeartbeat.objects.all().delete()


def dead_worker(monkeypatch, settings, server):
    WorkerHeartbeat.objects.update(beat_at=timezone.now() - FORGET_AFTER)


def stuck_import(monkeypatch, settings, server):
    an_hour_ago = timezone.now() - timedelta(hours=1)
    Import.objects.update(state=State.LOOKING_UP, created_at=an_hour_ago, leased_until=an_hour_ago)


def task_left_waiting(monkeypatch, settings, server):
    Import.objects.update(state=State.QUEUED)
    tell_to_run(Import.objects.get(), an_hour_ago=True)


def import_ends_workers(monkeypatch, settings, server):
    Import.objects.update(state=State.FAILED, workers_lost=MOST_WORKERS_LOST)


def tell_to_run(of_import, an_hour_ago=False):
    """What the database backend stores; the tests' settings run tasks at once."""
    waiting = DBTaskResult.objects.create(
        task_path=run_import.module_path,
        args_kwargs={"args": [of_import.pk], "kwargs": {}},
        backend_name="default",
        run_after=timezone.now(),
    )
    if an_hour_ago:
        enqueued_at = timezone.now() - timedelta(hours=1)
        DBTaskResult.objects.filter(pk=waiting.pk).update(enqueued_at=enqueued_at)


def no_key(monkeypatch, settings, server):
    settings.TMDB_API_KEY = ""


def refused_key(monkeypatch, settings, server):
    settings.TMDB_API_KEY = "invalid"


def tmdb_down(monkeypatch, settings, server):
    server.state.change({"down": True})


def orphan(monkeypatch, settings, server):
    Media.objects.create(owner=Import.objects.get().user, media_type="tv_series", title="Nobody's")


def wrong_count(monkeypatch, settings, server):
    LibraryEntry.objects.update(watched_episodes_count=99)


@pytest.mark.parametrize(
    ("harm", "check", "advice"),
    [
        (away, "database", "Check DATABASE_URL"),
        (migration_missing, "migrations", "Run manage.py migrate."),
        (cache_forgets, "cache", "check that Redis runs"),
        (cache_raises, "cache", "manage.py createcachetable"),
        (no_worker, "worker", "Start manage.py worker"),
        (dead_worker, "worker", "Start manage.py worker"),
        (stuck_import, "imports", "Start manage.py worker"),
        (task_left_waiting, "imports", "Start manage.py worker"),
        (import_ends_workers, "crashes", "Give the worker more memory"),
        (no_key, "TMDB", "https://www.themoviedb.org/settings/api"),
        (refused_key, "TMDB", "Check TMDB_API_KEY"),
        (tmdb_down, "TMDB", "Check the connection"),
        (orphan, "library", "Please report this"),
        (wrong_count, "progress", "Run manage.py doctor --fix."),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_wrong_is_named_with_what_to_do(
    healthy, monkeypatch, settings, harm, check, advice
):
    with monkeypatch.context() as patch:
        harm(patch, settings, healthy)
        if harm is not away:
            before = everything()
        code, out = examined()
        if harm is not away:
            assert everything() == before, "it changed something unasked"
    assert code == 1
    told = [line.strip() for line in out.splitlines()]
    (at,) = [at for at, line in enumerate(told) if line.startswith(f"->  {check}:")]
    assert advice in told[at + 1]
    if harm is not away:
        assert sum(line.startswith("->") for line in told) == 1


def test_an_import_that_somebody_works_on_is_not_stuck(healthy):
    long_ago = timezone.now() - timedelta(hours=1)
    soon = timezone.now() + timedelta(minutes=1)
    Import.objects.update(state=State.LOOKING_UP, created_at=long_ago, leased_until=soon)
    assert examined()[0] == 0


@pytest.mark.parametrize("state", [State.QUEUED, State.STORING, State.DONE])
def test_an_old_import_is_not_stuck_that_somebody_has_just_asked_for(healthy, state):
    """Answered, tried again, parked or undone: its next task waits for a worker that is busy."""
    long_ago = timezone.now() - timedelta(days=3)
    Import.objects.update(state=state, created_at=long_ago, started_at=long_ago)
    Import.objects.filter(state=State.DONE).update(undo_asked_at=timezone.now())
    tell_to_run(Import.objects.get())
    assert examined()[0] == 0


def test_an_import_that_waits_for_its_turn_is_not_stuck(healthy):
    running = Import.objects.get()
    soon = timezone.now() + timedelta(minutes=1)
    Import.objects.update(state=State.LOOKING_UP, leased_until=soon)
    waiting = importing.submit(running.user, "b.csv", BREAKING_BAD.replace(b"21", b"20"))
    Import.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert examined()[0] == 0
    # Its turn has come this moment.
    Import.objects.filter(pk=running.pk).update(state=State.DONE, leased_until=None)
    assert Import.objects.unattended().get() == waiting
    assert examined()[0] == 0


def test_wrong_counts_are_mended_when_asked(healthy):
    right = list(LibraryEntry.objects.order_by("pk").values_list("watched_episodes_count"))
    LibraryEntry.objects.update(watched_episodes_count=99)
    code, out = examined("--fix")
    assert code == 0
    assert f"{len(right)} counts mended." in out
    assert list(LibraryEntry.objects.order_by("pk").values_list("watched_episodes_count")) == right
