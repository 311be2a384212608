"""The worker as a process of its own, as it runs in production."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from threading import Event

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.utils import timezone
from django_tasks import task
from django_tasks_db.management.commands.db_worker import Worker as QueueWorker
from django_tasks_db.models import DBTaskResult

from conftest import empty_cache
from imports import worker
from imports.models import WorkerHeartbeat

pytestmark = pytest.mark.django_db(transaction=True)


@task()
def slow_task() -> str:
    # The test waits for the task to be RUNNING, so any duration longer than its poll will do.
    Event().wait(2)
    return "done"


@task()
def failing_task() -> None:
    raise ValueError("on purpose")


def enqueue(name):
    """What the database backend stores; the tests' settings run tasks at once."""
    return DBTaskResult.objects.create(
        task_path=f"imports.tests.test_worker.{name}",
        args_kwargs={"args": [], "kwargs": {}},
        backend_name="default",
        run_after=timezone.now(),
    )


@pytest.fixture
def running_worker(process_env):
    @contextmanager
    def run():
        process = subprocess.Popen(
            [sys.executable, "manage.py", "worker"],
            env=process_env,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    return run


def status_of(result):
    result.refresh_from_db()
    return result.status


def test_what_a_process_of_a_test_caches_goes_with_the_tests_own(process_env):
    writing = "from django.core.cache import cache; cache.set('kept', 'by a process')"
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", writing]
    subprocess.run(command, env=process_env, check=True)
    assert cache.get("kept") == "by a process"
    empty_cache()
    assert cache.get("kept") is None


def test_it_runs_tasks_and_beats_until_it_is_stopped(running_worker, wait_until):
    failing, slow = enqueue("failing_task"), enqueue("slow_task")
    with running_worker() as process:
        wait_until(lambda: WorkerHeartbeat.objects.exists(), 30)
        wait_until(lambda: status_of(failing) == "FAILED", 30)
        wait_until(lambda: status_of(slow) == "SUCCESSFUL", 30)
        process.terminate()
        assert process.wait(timeout=10) == 0
    assert not WorkerHeartbeat.objects.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_running_task_end(running_worker, wait_until, number):
    slow = enqueue("slow_task")
    with running_worker() as process:
        wait_until(lambda: status_of(slow) == "RUNNING", 30)
        process.send_signal(number)
        _, log = process.communicate(timeout=15)
        assert process.returncode == 0
        assert "Traceback" not in log
    assert status_of(slow) == "SUCCESSFUL"


@pytest.mark.postgres
def test_it_reconnects_when_the_database_drops_its_connections(running_worker, wait_until):
    with running_worker() as process:
        wait_until(lambda: WorkerHeartbeat.objects.exists(), 30)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        slow = enqueue("slow_task")
        wait_until(lambda: status_of(slow) == "SUCCESSFUL", 30)
        before = WorkerHeartbeat.objects.get().beat_at
        wait_until(lambda: WorkerHeartbeat.objects.get().beat_at > before, 30)
        assert process.poll() is None


def test_it_waits_for_a_database_that_is_away(monkeypatch):
    attempts = []

    def run(self):
        attempts.append(self)
        if len(attempts) < 3:
            raise OperationalError
        self.running = False

    monkeypatch.setattr(QueueWorker, "run", run)
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.01)
    worker.Worker("worker-1").run()
    assert len(attempts) == 3


def test_a_signal_ends_the_wait_for_the_database(monkeypatch):
    def run(self):
        self.shutdown(signal.SIGTERM, None)
        raise OperationalError

    monkeypatch.setattr(QueueWorker, "run", run)
    monkeypatch.setattr(worker, "POLL_SECONDS", 3600.0)
    worker.Worker("worker-1").run()


def test_the_heartbeat_outlives_a_database_that_is_away(monkeypatch, wait_until):
    failures: list[str] = []

    def beat(worker_id):
        if not failures:
            failures.append(worker_id)
            raise OperationalError
        WorkerHeartbeat.objects.create(worker_id=worker_id, beat_at=timezone.now())

    monkeypatch.setattr(worker, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(worker, "beat", beat)
    with worker.heartbeat("worker-1"):
        wait_until(lambda: WorkerHeartbeat.objects.exists())


def test_a_beat_moves_the_heartbeat_of_its_worker_alone():
    worker.beat("worker-1")
    first = WorkerHeartbeat.objects.get()
    worker.beat("worker-2")
    worker.beat("worker-1")
    again = WorkerHeartbeat.objects.get(worker_id="worker-1")
    assert again.beat_at > first.beat_at
    assert again.started_at == first.started_at
    assert WorkerHeartbeat.objects.count() == 2


def test_workers_that_died_long_ago_are_forgotten():
    long_ago = timezone.now() - worker.FORGET_AFTER - timedelta(minutes=1)
    WorkerHeartbeat.objects.create(worker_id="killed", beat_at=long_ago)
    worker.beat("worker-1")
    assert [heartbeat.worker_id for heartbeat in WorkerHeartbeat.objects.all()] == ["worker-1"]


def test_worker_ids_differ_and_fit():
    ids = {worker.new_worker_id() for _ in range(100)}
    assert len(ids) == 100
    assert max(map(len, ids)) <= 64
