"""Background tasks. They take ids, look at the state again, and do nothing twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from django.utils import timezone
from django_tasks import task

from accounts.models import User
from accounts.preferences import zone_of
from media import deciding, statistics
from media.library import library_lock
from media.lookup import FAILURES_IN_A_ROW, look_up
from media.models import LibraryEntry, Media, Viewing

# A deploy waits for the running task, so that none may take long.
SLICE_SECONDS = 5.0


def look_up_now(user: User) -> None:
    """Have all series of the user's library that wait for TMDB looked up, failed ones included."""
    with library_lock(user.pk):
        LibraryEntry.objects.of(user).waiting().order_by().update(next_lookup_at=None)
    look_up_waiting.enqueue(user.pk)


@task()
def look_up_waiting(user_id: int) -> None:
    """Look up a user's series, and doubtful titles that TMDB has not answered about, for a few
    seconds, then leave the rest to the next task."""
    entries = LibraryEntry.objects.filter(user_id=user_id).waiting()
    doubtful = Viewing.objects.never_asked_about().filter(user_id=user_id)
    if not look_up(entries, doubtful=doubtful, seconds=SLICE_SECONDS):
        look_up_waiting.enqueue(user_id)


@task(priority=-5)
def work_out_statistics(user_id: int) -> None:
    """Bring the figures of a user up to date for a few seconds, then leave the rest to the next."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        return
    try:
        with timezone.override(zone_of(user)):
            is_done = statistics.bring_up_to_date(user, SLICE_SECONDS)
    except User.DoesNotExist:
        return
    if not is_done:
        work_out_statistics.enqueue(user_id)


@task(priority=-15)
def complete_titles() -> None:
    """Fetch English titles of series whose episodes have none, for a few seconds."""
    if _fetch_for_a_while(Media.objects.wanting_english(), deciding.complete_titles):
        complete_titles.enqueue()


@task(priority=-20)
def refresh_due() -> None:
    """Fetch the series anew whose totals may be out of date, for a few seconds."""
    if _fetch_for_a_while(Media.objects.due_for_refresh(timezone.now()), deciding.refresh):
        refresh_due.enqueue()


def _fetch_for_a_while(series: Iterable[Media], fetch: Callable[[Media], bool]) -> bool:
    """Fetch series for a few seconds; whether another task is to go on with the rest.

    Ends when TMDB cannot be reached.
    """
    ends = time.monotonic() + SLICE_SECONDS
    answered = failures = 0
    for media in series:
        if fetch(media):
            answered, failures = answered + 1, 0
        else:
            failures += 1
        if failures >= FAILURES_IN_A_ROW:
            return False
        if time.monotonic() >= ends:
            return answered > 0
    return False
