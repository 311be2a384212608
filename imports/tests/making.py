"""Files as Netflix writes them, for tests."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

ACTIVITY = (
    "Profile Name,Start Time,Duration,Attributes,Title,Supplemental Video Type,"
    "Device Type,Bookmark,Latest Bookmark,Country"
)


def history(*rows: tuple[str, str]) -> bytes:
    """NetflixViewingHistory.csv with rows of title and date."""
    return _written("Title,Date", rows)


def activity(*rows: tuple[str, str, str, str]) -> bytes:
    """ViewingActivity.csv with rows of profile, start (UTC), duration and title."""
    return _written(
        ACTIVITY,
        (
            (profile, start, duration, "", title, "", "TV", duration, duration, "DE (Germany)")
            for profile, start, duration, title in rows
        ),
    )


def _written(header: str, rows: Iterable[Iterable[str]]) -> bytes:
    out = io.StringIO()
    out.write(header + "\n")
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


BREAKING_BAD = history(
    ("Breaking Bad: Season 2: Seven Thirty-Seven", "6/20/21"),
    ("Breaking Bad: Season 1: Cat's in the Bag", "6/19/21"),
    ("Breaking Bad: Season 1: Pilot", "6/18/21"),
    ("Inception", "6/17/21"),
)
