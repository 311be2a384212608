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


# Series that the demo's TMDB has, some more than once; some titles are doubtful without it.
ON_TMDB = ("Breaking Bad", "Dark", "Friends", "Kingdom", "Sherlock", "The Crown", "The Office")


def long_history(rows: int, unknown_series: int = 20) -> bytes:
    """A history of so many rows: series that TMDB has or not, movies, and rows that repeat or fail.

    The same at each call, so that two imports of it can be compared row by row.
    """
    names = [*ON_TMDB, *(f"Qx{n}zz" for n in range(unknown_series))]
    made = []
    for n in range(rows):
        name, day = names[n % len(names)], f"{n % 12 + 1}/{n % 28 + 1}/{n // 400 % 20 + 1:02}"
        match n % 20:
            case 7:
                made.append((f"A Film {n}", day))
            case 11:
                made.append((f"{name}: The One With {n}", day))
            case 13:
                made.append((f"{name}: Season 1: Episode {n % 9 + 1}", "sometime"))
            case 17:
                made.append(made[-1])
            case _:
                made.append((f"{name}: Season {n % 3 + 1}: Episode {n // 3}", day))
    return history(*made)
