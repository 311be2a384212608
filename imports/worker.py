"""The background worker: the task queue's worker, a heartbeat, and patience with the database."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from types import FrameType

from django.db import Error, InterfaceError, OperationalError, connection, connections, transaction
from django.utils import timezone
from django.utils.crypto import get_random_string
from django_tasks_db.management.commands.db_worker import Worker as QueueWorker

from imports.models import WorkerHeartbeat

logger = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
# A worker that has not beaten for this long is taken for dead.
STALE_AFTER = timedelta(seconds=30)
FORGET_AFTER = timedelta(days=1)
POLL_SECONDS = 1.0
LONGEST_RECONNECT_SECONDS = 10.0

DATABASE_GONE = (OperationalError, InterfaceError)


def new_worker_id() -> str:
    """Where a worker runs, and a random end because containers share names and process ids."""
    return f"{socket.gethostname()[:40]}-{os.getpid()}-{get_random_string(6)}"


class Worker(QueueWorker):
    """Runs the tasks of all queues, one after the other, until a signal ends it.

    A database that goes away is waited for. A first SIGTERM or SIGINT lets the running task
    end, a second one doesn't.
    """

    def __init__(self, worker_id: str) -> None:
        super().__init__(
            queue_names=["*"],
            interval=POLL_SECONDS,
            batch=False,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=worker_id,
            excluded_queue_names=[],
        )

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        if self.running:
            # The queue's own worker would exit from here when no task runs. Between claiming
            # a task and starting it, that would leave the task claimed for ever.
            self.running = False
        else:
            super().shutdown(signum, frame)

    def run(self) -> None:
        delay = POLL_SECONDS
        while self.running:
            started = time.monotonic()
            try:
                super().run()
            except DATABASE_GONE as error:
                connections.close_all()
                if time.monotonic() - started > LONGEST_RECONNECT_SECONDS:
                    delay = POLL_SECONDS
                logger.warning(
                    "no database, trying again in %.0f s: %s", delay, type(error).__name__
                )
                self._wait(delay)
                delay = min(delay * 2, LONGEST_RECONNECT_SECONDS)
        logger.info("worker %s stopped", self.worker_id)

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.running and time.monotonic() < deadline:
            time.sleep(0.1)


def beat(worker_id: str) -> None:
    """Say that this worker is alive now, and forget those that died long ago."""
    now = timezone.now()
    with transaction.atomic():
        WorkerHeartbeat.objects.update_or_create(worker_id=worker_id, defaults={"beat_at": now})
        WorkerHeartbeat.objects.filter(beat_at__lt=now - FORGET_AFTER).delete()


@contextmanager
def heartbeat(worker_id: str) -> Iterator[None]:
    """Beats every few seconds from a thread, also while a long task runs; forgotten at the end."""
    stopping = threading.Event()

    def keep_beating() -> None:
        while not stopping.is_set():
            try:
                beat(worker_id)
            except Error as error:
                # The thread's own connection; the next beat opens a new one.
                connection.close()
                logger.warning("heartbeat missed: %s", type(error).__name__)
            stopping.wait(BEAT_SECONDS)
        with suppress(Error):
            WorkerHeartbeat.objects.filter(worker_id=worker_id).delete()
        connection.close()

    thread = threading.Thread(target=keep_beating, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(timeout=BEAT_SECONDS)
