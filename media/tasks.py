"""Background tasks. They take ids, look at the state again, and do nothing twice."""

from __future__ import annotations

import time

from django.utils import timezone
from django_tasks import task

from accounts.models import User
from media import deciding
from media.library import library_lock
from media.lookup import look_up
from media.models import LibraryEntry, Media

# A deploy waits for the running task, so that none may take long.
SLICE_SECONDS = 5.0


def look_up_now(user: User) -> None:
    """Have all series of the user's library that wait for TMDB looked up, failed ones included."""
    with library_lock(user.pk):
        LibraryEntry.objects.of(user).waiting().order_by().update(next_lookup_at=None)
    look_up_waiting.enqueue(user.pk)


@task()
def look_up_waiting(user_id: int) -> None:
    """Look up a user's series for a few seconds, then leave the rest to the next task."""
    if not look_up(LibraryEntry.objects.filter(user_id=user_id).waiting(), seconds=SLICE_SECONDS):
        look_up_waiting.enqueue(user_id)


@task(priority=-20)
def refresh_due() -> None:
    """Fetch the series anew whose totals may be out of date, for a few seconds.

    Ends when TMDB cannot be reached. The next task goes on with the rest.
    """
    ends = time.monotonic() + SLICE_SECONDS
    for media in Media.objects.due_for_refresh(timezone.now()).filter(tmdb_gone_at__isnull=True):
        if not deciding.refresh(media):
            return
        if time.monotonic() >= ends:
            refresh_due.enqueue()
            return
