"""How each row of a file was read: kept beside the file, shown on a page of the import."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.core.paginator import Page, Paginator
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from imports.models import Import, ReadRows
from imports.parts import kept
from imports.reading import Kind, Row, paused_collection, title_key
from media.keys import digest, storable
from media.models import LibraryEntry, Viewing
from media.pages import Choice
from media.sentences import in_words
from media.titles import put_into_language
from tmdb.names import search_key

PER_RECORD = 1000
PER_PAGE = 50


class Show(models.TextChoices):
    """Which rows to show: all, those of one `Kind`, or those the file alone cannot decide."""

    ALL = "all", gettext_lazy("All rows")
    EPISODE = "episode", gettext_lazy("Episodes")
    MOVIE = "movie", gettext_lazy("Movies")
    UNCERTAIN = "uncertain", gettext_lazy("Uncertain")
    SKIPPED = "skipped", gettext_lazy("Skipped")
    FAILED = "error", gettext_lazy("Failed")


class ReadRow(NamedTuple):
    """One row as it is kept: what the file says, and what the reader made of it."""

    line: int
    title: str
    kind: str
    series: str
    season_number: int | None
    season_inferred: bool
    episode_number: int | None
    episode_title: str
    is_uncertain: bool
    repeats: int | None
    """The line of the first row of the same viewing."""
    reason: dict[str, Any]


def _is_in(row: ReadRow, show: Show) -> bool:
    return show in (Show.ALL, row.kind) or (show == Show.UNCERTAIN and row.is_uncertain)


def pack(rows: Iterable[Row]) -> Iterator[tuple[dict[str, int], bytes]]:
    """The rows of a file by the thousand: how many each filter shows, and they, compressed."""
    left = iter(rows)
    while True:
        with paused_collection():
            some = list(islice(left, PER_RECORD))
            if not some:
                return
            packed = _packed(some)
        yield packed


def _packed(some: Sequence[Row]) -> tuple[dict[str, int], bytes]:
    counts = Counter(row.kind.value for row in some)
    counts[Show.UNCERTAIN.value] = sum(row.reading_uncertain for row in some)
    counts[Show.ALL.value] = len(some)
    # Many rows share one sentence.
    reasons = {id(row.reason): row.reason for row in some}
    places = {key: place for place, key in enumerate(reasons)}
    content = {
        "reasons": [kept(reason) for reason in reasons.values()],
        "rows": [_kept(row, places[id(row.reason)]) for row in some],
    }
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    return counts, zlib.compress(text.encode(), level=1)


def _kept(row: Row, reason: int) -> tuple[object, ...]:
    is_episode = row.kind is Kind.EPISODE
    return (
        row.line,
        storable(row.title),
        row.kind.value,
        storable(row.series or "") if is_episode else "",
        row.season_number if is_episode else None,
        row.season_inferred,
        row.episode_number,
        storable(row.episode_title or "") if is_episode else "",
        row.reading_uncertain,
        row.same_viewing_as,
        reason,
    )


def unpack(packed: bytes) -> list[ReadRow]:
    content = json.loads(zlib.decompress(packed))
    reasons = content["reasons"]
    return [ReadRow._make((*row, reasons[reason])) for *row, reason in content["rows"]]


@dataclass(frozen=True, slots=True)
class RowsQuery:
    """Which rows of a file to show; every state has an address of its own."""

    show: Show = Show.ALL
    search: str = ""
    page: int = 1

    def address(self, show: Show) -> str:
        wanted = {"show": "" if show == Show.ALL else show.value, "q": self.search}
        query = urlencode({name: value for name, value in wanted.items() if value})
        return f"?{query}" if query else "."


class RowsForm(forms.Form):
    """Reads a state from an address; what makes no sense there is as if it were not there."""

    show = forms.ChoiceField(choices=Show.choices, required=False)
    q = forms.CharField(max_length=200, required=False)
    page = forms.IntegerField(min_value=1, required=False)

    def query(self) -> RowsQuery:
        self.is_valid()
        given = self.cleaned_data
        return RowsQuery(
            Show(given.get("show") or Show.ALL), given.get("q") or "", given.get("page") or 1
        )


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One row of the page. `entry` is what it is in the library now, if it is there."""

    row: ReadRow
    place: str
    why: str
    entry: LibraryEntry | None


@dataclass(frozen=True, slots=True)
class RowsPage:
    """A page of the rows of an import; none when they are no longer kept."""

    of_import: Import
    query: RowsQuery
    choices: tuple[Choice, ...]
    page: Page[ReadRow]
    rows: tuple[ShownRow, ...]

    @property
    def are_kept(self) -> bool:
        return bool(self.choices)


def rows_page(of_import: Import, query: RowsQuery) -> RowsPage:
    """One page of how the rows of an import were read, in file order; a fixed number of queries.

    Without a search text the records of that page alone are unpacked, with one all of them.
    """
    records = list(of_import.read_rows.order_by("number").values_list("pk", "counts"))
    rows: Sequence[ReadRow]
    if query.search:
        rows = list(_search(of_import, query))
    else:
        rows = _Rows(query.show, [(pk, counts.get(query.show.value, 0)) for pk, counts in records])
    page = Paginator(rows, PER_PAGE).get_page(query.page)
    totals: Counter[str] = Counter()
    for _pk, counts in records:
        totals.update(counts)
    choices = tuple(
        Choice(show.label, query.address(show), show == query.show, totals[show.value])
        for show in Show
        if totals[show.value] or (show == query.show and records)
    )
    return RowsPage(of_import, query, choices, page, _shown(of_import, list(page)))


class _Rows(Sequence[ReadRow]):
    """The rows of one filter, of which only those records are read that a page needs."""

    def __init__(self, show: Show, records: Sequence[tuple[int, int]]) -> None:
        self._show = show
        self._records = records

    def __len__(self) -> int:
        return sum(count for _pk, count in self._records)

    def __getitem__(self, wanted: Any) -> Any:
        start, stop, _step = wanted.indices(len(self))
        needed: list[int] = []
        before = skipped = 0
        for pk, count in self._records:
            if before + count <= start:
                skipped += count
            elif before < stop and count:
                needed.append(pk)
            before += count
        found = ReadRows.objects.filter(pk__in=needed).order_by("number")
        rows = [
            row
            for content in found.values_list("content", flat=True)
            for row in unpack(bytes(content))
            if _is_in(row, self._show)
        ]
        return rows[start - skipped : stop - skipped]


def _search(of_import: Import, query: RowsQuery) -> Iterator[ReadRow]:
    wanted = search_key(query.search)
    records = of_import.read_rows.order_by("number").values_list("content", flat=True)
    for content in records.iterator(chunk_size=10):
        for row in unpack(bytes(content)):
            if _is_in(row, query.show) and wanted in search_key(row.title):
                yield row


def _shown(of_import: Import, rows: Sequence[ReadRow]) -> tuple[ShownRow, ...]:
    hashes = [digest(title_key(row.title)) for row in rows]
    viewings = Viewing.objects.filter(user=of_import.user_id, title_hash__in=set(hashes))
    entries = {
        viewing.title_hash: viewing.entry
        for viewing in viewings.shown().select_related("entry__media").order_by()
    }
    put_into_language(list(entries.values()), of_import.user)
    return tuple(
        ShownRow(row, _place(row), in_words(row.reason), entries.get(title_hash))
        for row, title_hash in zip(rows, hashes, strict=True)
    )


def _place(row: ReadRow) -> str:
    """Season, number and title of an episode, as far as the reader knows them."""
    known = []
    if row.season_number is not None:
        season = _("season %(number)s") if not row.season_inferred else _("season %(number)s?")
        known.append(season % {"number": row.season_number})
    if row.episode_number is not None:
        known.append(_("episode %(number)s") % {"number": row.episode_number})
    if row.episode_title:
        known.append(row.episode_title)
    return " · ".join(known)
