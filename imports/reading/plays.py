"""The data rows of a file as written, brought into columns and not yet understood."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from sys import getsizeof, intern
from typing import NamedTuple

from imports.reading.columns import Columns, find_columns, fit, has_row_shape, unwrapped
from imports.reading.container import Table, unreadable
from imports.reading.dates import Parsed, parse_date
from imports.reading.delimited import DELIMITERS, Dialect, Record, Text, records
from imports.reading.formats.layout import header_key
from imports.reading.types import Kind, Message, UnreadableFile

# Records to tell the delimiter by, to tell columns without a header by, and blank ones at most.
_FEW = 15
_SAMPLE = 100
_MANY = 5000
_LONGEST_PROFILE = 200
# Netflix's files have ten columns at most, and titles a few commas.
_MOST_CELLS = 50
# Netflix's longest title has 266 characters; more than this is several rows run together.
LONGEST_TITLE = 1000
# What titles and what odd rows may take in memory for each row allowed, in bytes: twice what
# Netflix's titles do.
_TITLE_BYTES = 200
_ODD_BYTES = 200
_SPARE_BYTES = 1_000_000
# Signs that stand for whole words, which their titles are compared by: up to 18 letters each.
_SWELLING = re.compile("[\u3300-\u33ff\ufdf0-\ufdff]")
_SWOLLEN_BYTES = 40
# Lines for each row allowed, blank ones included.
_LINES = 20
_LENGTH = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d\d)(?:[.,]\d{1,6})?")

_REPEATED_HEADER = Message("Skipped: the header line once more, not a viewing.")

Verdict = tuple[Kind, Message]


@dataclass(slots=True)
class Plays:
    """The data rows of a file in file order, one list a column, all of one length.

    `when` are the date cells as written, `parsed` what each different one can be. For files
    without a time of day, `profiles` and `seconds` are empty. `supplements` has the Supplemental
    Video Type of the rows with one, `verdicts` the rows that their shape alone decides; both by
    index. Lists of columns take half the memory of a list of records.
    """

    columns: Columns
    from_spreadsheet: bool
    lines: list[int] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    when: list[str] = field(default_factory=list)
    parsed: dict[str, Parsed | None] = field(default_factory=dict)
    profiles: list[str] = field(default_factory=list)
    seconds: list[int | None] = field(default_factory=list)
    supplements: dict[int, str] = field(default_factory=dict)
    verdicts: dict[int, Verdict] = field(default_factory=dict)


def read_plays(table: Table, *, max_rows: int) -> Plays:
    """Bring the rows of a table into columns, damaged rows repaired where that is unambiguous.

    Raises UnreadableFile when the table is no viewing history, or has more than `max_rows`. What
    a table without a viewing in it can cost is bounded, too.
    """
    if table.text is None:
        dialect = Dialect()
        columns = find_columns(table.records[:_SAMPLE])
        rows: Iterable[Record] = table.records
    else:
        dialect = _find_dialect(table.text)
        columns = find_columns(_sample(table.text, dialect, _SAMPLE))
        rows = records(table.text.lines(), dialect, _row_test(columns, dialect))
    plays = Plays(columns, from_spreadsheet=table.text is None)
    odd = _take_rows(plays, rows, max_rows)
    if odd:
        _take_odd_rows(plays, odd, dialect)
    return plays


def _find_dialect(text: Text) -> Dialect:
    """How the cells of a text are set apart: so that most of its first records look like rows."""
    best: tuple[tuple[int, int], Dialect] | None = None
    head = text.start()
    for delimiter in DELIMITERS:
        dialect = Dialect(delimiter, skip_blanks=f'"{delimiter} "' in head)
        sample = _sample(text, dialect, _FEW)
        rows = sum(has_row_shape(cells) for _, cells in sample)
        score = (rows, len(sample[0][1]) if sample else 0)
        if best is None or score > best[0]:
            best = score, dialect
    assert best is not None  # noqa: S101 - there are delimiters
    return best[1]


def _sample(text: Text, dialect: Dialect, count: int) -> list[Record]:
    """The first filled records of a text."""
    filled = (
        (line, list(unwrapped(cells, (dialect.delimiter,))))
        for line, cells in islice(records(text.lines(), dialect, _no_row), _MANY)
        if any(map(str.strip, cells))
    )
    return list(islice(filled, count))


def _no_row(cells: Sequence[str]) -> bool:
    return False


def _row_test(columns: Columns, dialect: Dialect) -> Callable[[Sequence[str]], bool]:
    def is_row(cells: Sequence[str]) -> bool:
        fitted = fit(cells, columns, delimiter=dialect.delimiter, joiner="", whole=True)
        return fitted is not None

    return is_row


class _Odd(NamedTuple):
    """A row that is not of the usual shape, by its index `at`; of one with too many cells, one."""

    at: int
    width: int
    cells: list[str]


def _take_rows(plays: Plays, rows: Iterable[Record], max_rows: int) -> list[_Odd]:
    """Take the rows of the usual shape; the odd ones keep their place and come back by index."""
    columns = plays.columns
    width, at_title, at_when, unnamed = columns.width, columns.title, columns.when, columns.unnamed
    lines, titles, when, parsed = plays.lines, plays.titles, plays.when, plays.parsed
    timed = columns.layout.timed
    same: dict[str, str] = {}
    odd: list[_Odd] = []
    title_bytes = odd_bytes = 0
    for line, cells in rows:
        text = cells[at_when] if len(cells) == width else ""
        if text not in parsed:
            parsed[text] = parse_date(text)
        if parsed[text] is None or (unnamed and any(cells[i].strip() for i in unnamed)):
            if line <= columns.header_line or not any(map(str.strip, cells)):
                if line > _LINES * max_rows:
                    raise _too_long(max_rows)
                continue
            one = _Odd(len(lines), len(cells), cells)
            if len(cells) > _MOST_CELLS:
                one = one._replace(cells=[next(filter(str.strip, cells))])
            odd.append(one)
            odd_bytes += sum(map(getsizeof, one.cells))
            cells = [""] * width
            text = ""
        title = _shortened(cells[at_title])
        if timed:
            # Every play is a row of its own: the same titles come again and again.
            title = same.setdefault(title, title)
            profile, seconds, supplement = _details(cells, columns)
            plays.profiles.append(profile)
            plays.seconds.append(seconds)
            if supplement:
                plays.supplements[len(lines)] = supplement
        else:
            # Here it is the days that do.
            text = same.setdefault(text, text)
        title_bytes += getsizeof(title)
        if not title.isascii():
            title_bytes += _SWOLLEN_BYTES * len(_SWELLING.findall(title))
        lines.append(line)
        titles.append(title)
        when.append(text)
        if len(lines) > max_rows:
            raise _too_long(max_rows)
        if title_bytes > _TITLE_BYTES * max_rows + _SPARE_BYTES:
            raise unreadable("The titles of this file are far longer than Netflix's.")
        if odd_bytes > _ODD_BYTES * max_rows + _SPARE_BYTES:
            raise unreadable("Too much of this file is damaged.")
    return odd


def _shortened(title: str) -> str:
    """A title that can be told from a whole one by its length, and does not cost more."""
    return title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE + 1]


def _too_long(max_rows: int) -> UnreadableFile:
    return unreadable(
        "This file has more than %(limit)d rows: no viewing history is that long.", limit=max_rows
    )


def _details(cells: Sequence[str], columns: Columns) -> tuple[str, int | None, str]:
    """Profile, length of the play in seconds, and Supplemental Video Type of a timed row."""
    profile = (
        "" if columns.profile is None else intern(cells[columns.profile].strip()[:_LONGEST_PROFILE])
    )
    seconds = None if columns.duration is None else _seconds(cells[columns.duration])
    supplement = "" if columns.supplement is None else cells[columns.supplement].strip()
    return profile, seconds, supplement


@lru_cache(maxsize=50_000)
def _seconds(text: str) -> int | None:
    found = _LENGTH.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, seconds = found.groups()
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)


def _take_odd_rows(plays: Plays, odd: Sequence[_Odd], dialect: Dialect) -> None:
    columns = plays.columns
    joiner = dialect.delimiter + " " * dialect.skip_blanks
    # Where a program turned the commas of titles into semicolons, no title has a comma left.
    if dialect.delimiter == ";" and not any("," in title for title in plays.titles):
        joiner = ","
    reasons: dict[int, Message] = {}
    for index, width, cells in odd:
        if tuple(map(header_key, cells)) == columns.header:
            plays.verdicts[index] = (Kind.SKIPPED, _REPEATED_HEADER)
            plays.titles[index] = cells[columns.title]
            continue
        fitted = None
        if width <= _MOST_CELLS:
            fitted = fit(cells, columns, delimiter=dialect.delimiter, joiner=joiner)
        if fitted is None and len(cells) == columns.width:
            fitted = cells
        if fitted is None:
            if width not in reasons:
                reasons[width] = Message(
                    "This line cannot be split into its columns: %(found)d cells instead of "
                    "%(expected)d.",
                    {"found": width, "expected": columns.width},
                )
            plays.verdicts[index] = (Kind.ERROR, reasons[width])
            title = cells[columns.title] if columns.title < len(cells) else ""
            plays.titles[index] = _shortened(title or next(filter(str.strip, cells)))
            continue
        text = fitted[columns.when]
        if text not in plays.parsed:
            plays.parsed[text] = parse_date(text)
        plays.titles[index] = _shortened(fitted[columns.title])
        plays.when[index] = text
        if columns.layout.timed:
            profile, seconds, supplement = _details(fitted, columns)
            plays.profiles[index] = profile
            plays.seconds[index] = seconds
            if supplement:
                plays.supplements[index] = supplement
