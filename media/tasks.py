"""Background tasks. They take ids, look at the state again, and do nothing twice."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone
from django_tasks import task

from accounts.models import User
from accounts.preferences import zone_of
from media import refreshing, statistics
from media.library import library_lock
from media.lookup import look_up
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


@task()
def refresh_chosen(media_ids: Sequence[int]) -> None:
    """Fetch series anew that somebody chose, for a few seconds, then leave the rest to the next.

    Ends when TMDB cannot be reached; they are due again by themselves.
    """
    chosen = list(Media.objects.shared().filter(pk__in=media_ids).order_by("pk"))
    fetched = refreshing.fetch_each(chosen, refreshing.refresh, SLICE_SECONDS)
    left = [media.pk for media in chosen[fetched.asked :]]
    if fetched.is_cut_off and left:
        refresh_chosen.enqueue(left)


@task(priority=-15)
def complete_titles() -> None:
    """Fetch English titles of series whose episodes have none, for a few seconds."""
    wanting = Media.objects.wanting_english()
    fetched = refreshing.fetch_each(wanting, refreshing.complete_titles, SLICE_SECONDS)
    if fetched.is_cut_off and fetched.answered:
        complete_titles.enqueue()


@task(priority=-20)
def refresh_due() -> None:
    """Fetch the series anew whose totals may be out of date, for a few seconds."""
    due = Media.objects.due_for_refresh(timezone.now())
    fetched = refreshing.fetch_each(due, refreshing.refresh, SLICE_SECONDS)
    if fetched.is_cut_off and fetched.answered:
        refresh_due.enqueue()
