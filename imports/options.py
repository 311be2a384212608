"""What a person can choose about reading a file, and what the reader needs to know of it."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from accounts.models import User
from imports.reading import DateOrder, Options


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the person chose; `profile` None asks when there are several.

    `date_order` is auto, mdy, dmy or ymd. `min_minutes` None means the user's own setting, and
    without one the installation's.
    """

    profile: str | None = None
    date_order: str = DateOrder.AUTO.value
    min_minutes: float | None = None


def options_for_reader(filename: str, chosen: ImportOptions, user: User | None = None) -> Options:
    """The reader's options, from what was chosen, the user's settings and the installation's."""
    minutes = chosen.min_minutes
    if minutes is None:
        minutes = usual_minutes(None if user is None else user.min_minutes)
    return Options(
        filename=filename,
        profile=chosen.profile,
        date_order=DateOrder(chosen.date_order),
        min_seconds=round(minutes * 60),
        fallback_language=settings.TMDB_LANGUAGE.split("-")[0].lower() or "en",
        max_rows=settings.IMPORT_MAX_ROWS,
        max_unpacked_bytes=settings.IMPORT_MAX_UNPACKED_BYTES,
    )


def usual_minutes(of_user: float | None) -> float:
    """The shortest play that counts where nothing is chosen for a file."""
    return settings.IMPORT_MIN_MINUTES if of_user is None else of_user
