"""The background worker: the task queue's worker, and patience with the database."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from types import FrameType

from django.db import Error, connection, connections, transaction
from django.utils import timezone
from django.utils.crypto import get_random_string
from django_tasks_db.management.commands.db_worker import Worker as QueueWorker

from imports import stopping
from imports.models import WorkerHeartbeat
from imports.outages import DATABASE_GONE

logger = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
# A worker that has not beaten for this long is taken for dead.
STALE_AFTER = timedelta(seconds=30)
FORGET_AFTER = timedelta(days=1)
POLL_SECONDS = 1.0
LONGEST_RECONNECT_SECONDS = 10.0


def new_worker_id() -> str:
    """Where a worker runs, and a random end because containers share names and process ids."""
    return f"{socket.gethostname()[:40]}-{os.getpid()}-{get_random_string(6)}"


class Worker(QueueWorker):
    """Runs the tasks of all queues, one after the other, until a signal ends it.

    A database that goes away is waited for. At the first SIGTERM or SIGINT the running task is
    to park what it does, which takes a few seconds at most; a second one ends it at once.
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
            logger.info("%s: parking what runs", signal.Signals(signum).name)
            stopping.ask()
        else:
            super().shutdown(signum, frame)

    def run(self) -> None:
        delay = POLL_SECONDS
        with stopping.passed_on():
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
                    stopping.wait(delay)
                    delay = min(delay * 2, LONGEST_RECONNECT_SECONDS)
        logger.info("worker %s stopped", self.worker_id)


def beat(worker_id: str) -> None:
    """Say that this worker is alive now, and forget those that died long ago."""
    now = timezone.now()
    with transaction.atomic():
        WorkerHeartbeat.objects.update_or_create(worker_id=worker_id, defaults={"beat_at": now})
        WorkerHeartbeat.objects.filter(beat_at__lt=now - FORGET_AFTER).delete()


@contextmanager
def heartbeat(worker_id: str) -> Iterator[None]:
    """Beats every few seconds from a thread, also while a long task runs; forgotten at the end."""
    try:
        with regularly("heartbeat", BEAT_SECONDS, lambda: beat(worker_id)):
            yield
    finally:
        with suppress(Error):
            WorkerHeartbeat.objects.filter(worker_id=worker_id).delete()


@contextmanager
def regularly(name: str, seconds: float, action: Callable[[], object]) -> Iterator[None]:
    """Calls the action at once, and from then on every few seconds from a thread of its own.

    What it raises is logged and does not end it.
    """
    ended = threading.Event()

    def repeat() -> None:
        while True:
            try:
                action()
            except DATABASE_GONE as error:
                logger.warning("%s missed: %s", name, type(error).__name__)
            except Exception:
                logger.exception("%s failed", name)
            # The thread's own connection: it may be broken, and is not needed for a while.
            connection.close()
            if ended.wait(seconds):
                return

    thread = threading.Thread(target=repeat, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=seconds)
