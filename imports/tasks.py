"""Background tasks. They take ids, look at the state again, and do nothing twice."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef
from django_tasks import task
from django_tasks.base import Task
from django_tasks_db.models import DBTaskResult

from imports import importing, running
from imports.models import Claim, Import
from media.lookup import Entries, Viewings, look_up
from media.models import LibraryEntry, Viewing

# A deploy waits for the running task, so that none may take long.
SLICE_SECONDS = 5.0


def waits(of: Task[Any, Any], *args: object) -> bool:
    """Whether such a task waits in the queue, so that no second one is needed."""
    return DBTaskResult.objects.filter(
        status="READY", task_path=of.module_path, args_kwargs={"args": list(args), "kwargs": {}}
    ).exists()


@task()
def run_import(import_id: int) -> None:
    """Work on an import for a few seconds, then leave the rest to the next task."""
    turn = running.advance(import_id, seconds=SLICE_SECONDS)
    of_import = Import.objects.filter(pk=import_id).first()
    if of_import is None:
        return
    if turn is running.Turn.PAUSED:
        importing.start(of_import)
    elif turn is running.Turn.ENDED:
        importing.start_next(of_import.user_id)


@task(priority=-10)
def look_up_due(user_id: int) -> None:
    """Ask TMDB again about a user's series whose time has come, and about the doubtful titles
    that it has not answered yet, for a few seconds."""
    entries = waiting_by_themselves().filter(user_id=user_id)
    doubtful = doubtful_by_themselves().filter(user_id=user_id)
    asked_all = look_up(entries, doubtful=doubtful, seconds=SLICE_SECONDS)
    if not asked_all and not waits(look_up_due, user_id):
        look_up_due.enqueue(user_id)


def waiting_by_themselves() -> Entries:
    """The series that TMDB is asked about without being told to.

    Not those that only such imports brought as were cancelled or wanted no look-up.
    """
    claims = Claim.objects.filter(viewing__entry=OuterRef("pk"))
    wanted = Exists(claims.filter(of_import__look_up=True)) | ~Exists(claims)
    return LibraryEntry.objects.waiting().filter(wanted)


def doubtful_by_themselves() -> Viewings:
    """The doubtful titles that TMDB has not answered about, of imports that wanted look-ups."""
    wanted = Claim.objects.filter(viewing=OuterRef("pk"), of_import__look_up=True)
    return Viewing.objects.never_asked_about().filter(Exists(wanted))
