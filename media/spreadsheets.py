"""What somebody watched, as CSV for spreadsheets."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from django.contrib.auth.models import AbstractBaseUser

from media.models import Viewing

COLUMNS = [
    "watched_on",
    "watched_at",
    "title",
    "kind",
    "season",
    "episode",
    "episode_title",
    "title_in_file",
    "profile",
    "minutes",
    "source",
    "not_counted",
]

# Where a cell begins, or would for a spreadsheet that splits at semicolons, tabs or lines, as
# those of many countries do: they heed neither commas nor quotes in the middle.
FORMULA = re.compile(r"(^|[;\t\r\n])(?=[^\S\t\r\n]*[=+\-@|%＝＋－＠])")


def defused(cell: str) -> str:
    """The cell, with an apostrophe before whatever a spreadsheet would take for a formula.

    Titles come from files that anybody may have made.
    """
    found = FORMULA.sub(r"\1'", cell)
    return f"'{found}" if found[:1] in ("\t", "\r", "\n") else found


class _Echo:
    """A file to which csv writes and which hands back what was written."""

    def write(self, text: str) -> str:
        return text


def csv_lines(user: AbstractBaseUser) -> Iterator[str]:
    """The header and each viewing, oldest first, one line at a time.

    Days are ISO dates as the file wrote them, times UTC.
    """
    writer = csv.writer(_Echo())
    # So that spreadsheets read it as UTF-8.
    yield "\ufeff"
    yield writer.writerow(COLUMNS)
    viewings = Viewing.objects.filter(user_id=user.pk).select_related("entry__media")
    for viewing in viewings.order_by("day", "pk").iterator(chunk_size=2000):
        yield writer.writerow(
            [
                viewing.day or "",
                viewing.watched_at.isoformat() if viewing.watched_at else "",
                defused(viewing.entry.media.title),
                viewing.kind,
                viewing.season_number,
                viewing.episode_number,
                defused(viewing.episode_title),
                defused(viewing.raw_title),
                defused(viewing.profile),
                _minutes(viewing.duration_seconds),
                viewing.source,
                "yes" if viewing.dismissed_at else "",
            ]
        )


def _minutes(seconds: int | None) -> str:
    return "" if seconds is None else f"{seconds / 60:.1f}"
