"""On which day something was watched, as people see it."""

from __future__ import annotations

from datetime import date, datetime

from django.utils import timezone


def shown_day(day: date | None, watched_at: datetime | None) -> date | None:
    """The day of a viewing: where its time is known, in the time zone of the user (rule 5).

    `day` is the date as the file wrote it, `watched_at` the moment where a file told it.
    """
    return timezone.localdate(watched_at) if watched_at else day
