"""What nobody asks for and must happen all the same. Each worker does it from time to time.

Everything here may run in several workers at once, and does nothing twice.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django_tasks.base import Task
from django_tasks_db.models import DBTaskResult

from accounts import audit
from imports import importing
from imports.models import ENDED, Import, ImportFile, ReadRows, State, WorkerHeartbeat
from imports.tasks import doubtful_by_themselves, look_up_due, waiting_by_themselves, waits
from imports.worker import STALE_AFTER, regularly
from media import undoing
from media.folding import fold_missing
from media.models import Media, MonthFigures, Viewing
from media.tasks import complete_titles, refresh_due, work_out_statistics

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0
TIDY_SECONDS = 60.0
PREVIEWS_WAIT = timedelta(hours=24)
REFRESH_EVERY = timedelta(hours=1)
TITLES_EVERY = timedelta(minutes=10)
DOUBTS_EVERY = timedelta(hours=1)
TASKS_KEPT = timedelta(days=1)


@contextmanager
def sweeping() -> Iterator[None]:
    """Sweeps in the background while the block runs."""
    tidied_at = -math.inf

    def sweep() -> None:
        nonlocal tidied_at
        restart_stuck_imports()
        sum_up_changes()
        if time.monotonic() - tidied_at >= TIDY_SECONDS:
            tidied_at = time.monotonic()
            tidy_up()

    with regularly("sweep", min(SWEEP_SECONDS, settings.IMPORT_LEASE_SECONDS / 4), sweep):
        yield


def restart_stuck_imports() -> int:
    """Have the imports gone on with that nobody works on; how many.

    Their worker died, or the task that was to begin them was lost with it.
    """
    number = 0
    for of_import in Import.objects.unattended().order_by("created_at", "pk"):
        number += importing.start(of_import)
    return number


def sum_up_changes() -> None:
    """Have the figures brought up to date of whose libraries changed, once their imports end."""
    busy = Import.objects.running().union(Import.objects.being_undone()).values("user")
    stale = MonthFigures.objects.filter(is_stale=True).exclude(user__in=busy)
    for user_id in stale.order_by("user").values_list("user_id", flat=True).distinct():
        if not waits(work_out_statistics, user_id):
            work_out_statistics.enqueue(user_id)


def tidy_up() -> None:
    """Look-ups and refreshes whose time has come; what is kept for a while and no longer."""
    now = timezone.now()
    if settings.TMDB_API_KEY:
        retry_look_ups(now)
        refresh_totals(now)
        fetch_titles(now)
    # An older version may still store some while a newer one starts.
    fold_missing(Viewing)
    forget_old_files(now)
    drop_unconfirmed_previews(now)
    clear_queue(now)
    audit.forget_what_is_over(now)
    undoing.forget_old(now)


def retry_look_ups(now: datetime) -> None:
    """Have series looked up whose next try is due, and those that no import asks about.

    Doubtful titles about which TMDB has not answered go with them, or else have a try every hour.
    """
    busy = Import.objects.running().values("user")
    due = waiting_by_themselves().due(now).exclude(user__in=busy)
    users = set(due.order_by().values_list("user_id", flat=True).distinct())
    doubtful = doubtful_by_themselves().exclude(user__in=busy).order_by()
    if in_doubt := set(doubtful.values_list("user_id", flat=True).distinct()):
        lately = _enqueued(look_up_due, since=now - DOUBTS_EVERY)
        users |= in_doubt - {
            task["args"][0] for task in lately.values_list("args_kwargs", flat=True)
        }
    for user_id in sorted(users):
        if not waits(look_up_due, user_id):
            look_up_due.enqueue(user_id)


def refresh_totals(now: datetime) -> None:
    """Have series fetched anew whose totals may be out of date; a failing TMDB is left alone."""
    lately = _enqueued(refresh_due, since=now - REFRESH_EVERY)
    if Media.objects.due_for_refresh(now).exists() and not lately.exists():
        refresh_due.enqueue()


def fetch_titles(now: datetime) -> None:
    """Have English titles fetched where episodes have none; a failing TMDB is left alone."""
    lately = _enqueued(complete_titles, since=now - TITLES_EVERY)
    if Media.objects.wanting_english().exists() and not lately.exists():
        complete_titles.enqueue()


def _enqueued(task: Task[Any, Any], since: datetime) -> QuerySet[Any]:
    return DBTaskResult.objects.filter(task_path=task.module_path, enqueued_at__gt=since)


def forget_old_files(now: datetime) -> None:
    """Delete stored files after IMPORT_FILE_DAYS; who still waits for an answer is told."""
    old = now - timedelta(days=settings.IMPORT_FILE_DAYS)
    ended = Import.objects.filter(created_at__lt=old, state__in=ENDED)
    ReadRows.objects.filter(of_import__in=ended).delete()
    ImportFile.objects.filter(of_import__in=ended).delete()
    for of_import in Import.objects.filter(state=State.NEEDS_ANSWER, asked_at__lt=old):
        importing.cancel(of_import)


def drop_unconfirmed_previews(now: datetime) -> None:
    Import.objects.filter(
        state=State.NEEDS_ANSWER, preview_first=True, asked_at__lt=now - PREVIEWS_WAIT
    ).delete()


def clear_queue(now: datetime) -> None:
    """Tasks of killed workers stay RUNNING for ever, since the queue does not notice.

    What they worked on goes on by itself (`restart_stuck_imports`); here only their rows end.
    """
    alive = set(
        WorkerHeartbeat.objects.filter(beat_at__gt=now - STALE_AFTER).values_list(
            "worker_id", flat=True
        )
    )
    running = DBTaskResult.objects.filter(status="RUNNING", started_at__lt=now - STALE_AFTER)
    dead = [task.pk for task in running if not alive.intersection(task.worker_ids[-1:])]
    if dead:
        logger.warning("%d tasks of workers that are gone", len(dead))
    DBTaskResult.objects.filter(pk__in=dead, status="RUNNING").update(
        status="FAILED", finished_at=now
    )
    DBTaskResult.objects.filter(finished_at__lt=now - TASKS_KEPT).delete()
