"""Background tasks. They take ids, look at the state again, and do nothing twice."""

from __future__ import annotations

from django_tasks import task

from imports import importing
from imports.models import Import, State

# A deploy waits for the running task, so that none may take long.
SLICE_SECONDS = 5.0


@task()
def run_import(import_id: int) -> None:
    """Read and store a file, then have its series looked up."""
    of_import = Import.objects.filter(pk=import_id).first()
    if of_import is None:
        return
    of_import = importing.read_and_store(import_id)
    if of_import.state == State.LOOKING_UP:
        look_up_import.enqueue(import_id)


@task()
def look_up_import(import_id: int) -> None:
    """Look up an import's series for a few seconds, then leave the rest to the next task."""
    of_import = Import.objects.filter(pk=import_id, state=State.LOOKING_UP).first()
    if of_import is None:
        return
    if importing.look_up_series(of_import, seconds=SLICE_SECONDS):
        importing.finish(of_import)
    else:
        look_up_import.enqueue(import_id)
