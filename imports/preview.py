"""What a file would bring, told before anything of it is stored."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import lru_cache
from heapq import nsmallest
from itertools import islice

from django.utils.translation import gettext as _

from imports import parts, stopping
from imports.reading import Kind, Reading, Row, name_key
from imports.storing import count_titles
from media.keys import storable
from media.library import bounded_key
from media.models import EntryName, MediaType

# So many names and doubtful titles are shown; their numbers are always told.
SHOWN = 50
# Keys of names that are remembered, since most rows of a series stand together.
KEYS = 1000


def of(reading: Reading, user_id: int) -> dict[str, object]:
    """The preview of a file for a user, as JSON. Reads the library, writes nothing.

    Counts of rows (`episodes`, `movies`, `skipped`, `failed`), of viewings (`new`, `known`), and
    of names; `doubtful` are titles that the file alone cannot decide, with both readings.
    """
    kinds: Counter[Kind] = Counter()
    days: set[date] = set()
    # Rows by index, as in what follows: a file may have as many series as rows.
    series: dict[str, int] = {}
    doubtful: dict[str, int] = {}
    key_of = lru_cache(maxsize=KEYS)(name_key)
    for index, row in enumerate(reading.rows):
        kinds[row.kind] += 1
        if row.watched_on:
            days.add(row.watched_on)
        if row.kind is Kind.EPISODE and row.series:
            series.setdefault(key_of(row.series), index)
        if row.reading_uncertain:
            doubtful[row.title_key] = index
    known = set(
        EntryName.objects.filter(user_id=user_id, media_type=MediaType.TV_SERIES).values_list(
            "key", flat=True
        )
    )
    new_series = [index for key, index in series.items() if bounded_key(key) not in known]
    names = (storable(reading.rows[index].series or "") for index in new_series)
    shown = nsmallest(SHOWN, names, key=str.casefold)
    number = len(series)
    del series
    new = there = 0
    cut = parts.cut(reading.rows)
    while part := stopping.next_of(cut):
        counted = count_titles(user_id, part.titles)
        new += counted.new
        there += counted.known
    return {
        "rows": len(reading.rows),
        "episodes": kinds[Kind.EPISODE],
        "movies": kinds[Kind.MOVIE],
        "skipped": kinds[Kind.SKIPPED],
        "failed": kinds[Kind.ERROR],
        "new": new,
        "known": there,
        "first_day": min(days).isoformat() if days else None,
        "last_day": max(days).isoformat() if days else None,
        "series": number,
        "new_series": len(new_series),
        "new_series_names": shown,
        "doubtful": len(doubtful),
        "doubtful_titles": [
            _doubt(reading.rows[index]) for index in islice(doubtful.values(), SHOWN)
        ],
    }


def _doubt(row: Row) -> dict[str, object]:
    other = row.alternative
    return {
        "line": row.line,
        "title": storable(row.title),
        "reads_as": _words(row.kind, row.series),
        "or_as": _words(other.kind, other.series) if other else None,
        "reason": storable(str(row.reason)),
        "message": parts.kept(row.reason),
    }


def _words(kind: Kind, series: str | None) -> str:
    if kind is Kind.EPISODE:
        return _("an episode of %(series)s") % {"series": storable(series or "")}
    return _("a movie")
