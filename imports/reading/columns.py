"""Which column of a file holds what: by the header where there is one, else by what is in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from imports.reading.container import unreadable
from imports.reading.dates import parse_date
from imports.reading.delimited import DELIMITERS, Record, split
from imports.reading.formats import LAYOUTS, netflix_activity, netflix_history
from imports.reading.formats.layout import Layout, Role, header_key
from imports.reading.formats.others import recognise
from imports.reading.types import UnreadableFile

_PREAMBLE = 10
_SHOWN = 80
_BY_HEADER = 1_000_000
_CONTROL = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x9f\ufffd]")
_DURATION = re.compile(r"\d{1,4}:\d\d(?::\d\d)?")
_SUPPLEMENT = re.compile(r"(?:[A-Z_]{4,})?")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the cells of a record are; None for what the file does not have.

    `width` is how many cells a record has. `unnamed` are columns that should be empty: pieces
    of titles that a re-save cut at their commas turn up there. `header_line` is where the
    header stands, 0 without one; `header` are its cells as `header_key` writes them.
    """

    layout: Layout
    width: int
    title: int
    when: int
    profile: int | None = None
    duration: int | None = None
    supplement: int | None = None
    unnamed: tuple[int, ...] = ()
    header_line: int = 0
    header: tuple[str, ...] = ()


def is_date(cell: str) -> bool:
    return parse_date(cell) is not None


def has_row_shape(cells: Sequence[str]) -> bool:
    """Whether cells can be a row of some file: a date, and something beside it."""
    filled = [cell for cell in cells if cell.strip()]
    return len(filled) > 1 and any(map(is_date, filled))


def unwrapped(cells: Sequence[str], delimiters: Iterable[str]) -> Sequence[str]:
    """The cells of a row that stands as a whole in one cell: quoted, or cut at the wrong sign.

    The cells as they are when they are no such thing.
    """
    for inner in _inner_cells(cells, delimiters):
        if any(map(is_date, inner)):
            return inner
    return cells


def _inner_cells(cells: Sequence[str], delimiters: Iterable[str]) -> Iterator[Sequence[str]]:
    """The ways to split the only filled cell of a record."""
    filled = [cell for cell in cells if cell.strip()]
    if len(filled) == 1:
        whole = filled[0].rstrip(" ;\t")
        for delimiter in delimiters:
            inner = split(whole, delimiter) if delimiter in whole else []
            if len(inner) > 1:
                yield inner


def find_columns(sample: Sequence[Record]) -> Columns:
    """Find header and columns in the first filled records of a file (cells already unwrapped).

    Raises UnreadableFile, which names the file where it is known, when these records are not a
    viewing history.
    """
    for line, cells in sample[:_PREAMBLE]:
        if any(map(is_date, cells)):
            break
        for header in (cells, *_inner_cells(cells, DELIMITERS)):
            keys = [header_key(cell) for cell in header]
            if other := recognise(keys):
                raise unreadable(other)
            for layout in LAYOUTS:
                roles = _roles(keys, layout)
                if Role.TITLE in roles and Role.WHEN in roles:
                    return _named(layout, roles, keys, line, sample)
    return _by_content(sample)


def likeness(sample: Sequence[Record]) -> int:
    """How surely records are a viewing history, 0 for not at all.

    A header that says so counts for more than any number of rows that look like it.
    """
    try:
        columns = find_columns(sample)
    except UnreadableFile:
        return 0
    roles = _roles(columns.header, columns.layout)
    if Role.TITLE in roles and Role.WHEN in roles:
        return _BY_HEADER
    return sum(has_row_shape(cells) for _, cells in sample)


def _roles(keys: Iterable[str], layout: Layout) -> dict[Role, int]:
    roles: dict[Role, int] = {}
    for index, key in enumerate(keys):
        role = layout.names.get(key)
        if role is not None:
            roles.setdefault(role, index)
    return roles


def _named(
    layout: Layout,
    roles: dict[Role, int],
    keys: Sequence[str],
    header_line: int,
    sample: Sequence[Record],
) -> Columns:
    body = [cells for line, cells in sample if line > header_line]
    # Where no row is as long as the header, the header is what was damaged.
    width = len(keys) if not body or len(keys) in map(len, body) else _usual_width(body)
    width = max(width, *(index + 1 for index in roles.values()))
    return Columns(
        layout=layout,
        width=width,
        title=roles[Role.TITLE],
        when=roles[Role.WHEN],
        profile=roles.get(Role.PROFILE),
        duration=roles.get(Role.DURATION),
        supplement=roles.get(Role.SUPPLEMENT),
        unnamed=tuple(index for index in range(width) if index < len(keys) and not keys[index]),
        header_line=header_line,
        header=tuple(keys),
    )


def _usual_width(body: Sequence[Sequence[str]]) -> int:
    """How many cells most rows have. Of two equal numbers the smaller: stray commas add cells."""
    widths = Counter(map(len, body))
    return max(widths, key=lambda width: (widths[width], -width), default=0)


def _by_content(sample: Sequence[Record]) -> Columns:
    """Columns of a file whose header is missing, or in words that watchlog does not know."""
    line, first = sample[0] if sample else (0, [])
    has_header = not any(is_date(cell) or _DURATION.fullmatch(cell.strip()) for cell in first)
    body = [cells for _, cells in sample[has_header:] if has_row_shape(cells)]
    width = _usual_width(body)
    columns = [[row[index].strip() for row in body if len(row) == width] for index in range(width)]
    filled = [index for index in range(width) if any(columns[index])]
    dated = [index for index in filled if _share(map(is_date, columns[index])) > 0.5]
    if not dated:
        raise _unknown(first)
    when = dated[0]
    lasting = [
        index
        for index in filled
        if index > when and _share(map(_DURATION.fullmatch, columns[index])) > 0.8
    ]
    duration = lasting[0] if lasting else None
    texts = [index for index in filled if index not in dated and index not in lasting]
    keys = [header_key(cell) for cell in first] if has_header else []
    title = _roles(keys, netflix_history.LAYOUT).get(Role.TITLE)
    if title not in texts:
        if not texts:
            raise _unknown(first)
        title = max(
            texts, key=lambda index: (len(set(columns[index])), sum(map(len, columns[index])))
        )
        # Only two columns, lengths of plays, or titles in parts tell a history from other tables.
        in_parts = _share(": " in cell for cell in columns[title]) > 0.25
        if len(filled) > 2 and duration is None and not in_parts:
            raise _unknown(first)
    layout = netflix_history.LAYOUT if duration is None else netflix_activity.LAYOUT
    timed = duration is not None
    after = title + 1
    return Columns(
        layout=layout,
        width=width,
        title=title,
        when=when,
        profile=when - 1 if timed and when - 1 in texts and when - 1 != title else None,
        duration=duration,
        supplement=after
        if timed and after < width and all(map(_SUPPLEMENT.fullmatch, columns[after]))
        else None,
        header_line=line if has_header else 0,
        header=tuple(keys),
    )


def _share(matches: Iterable[object]) -> float:
    found = [bool(match) for match in matches]
    return sum(found) / len(found) if found else 0.0


def _unknown(first: Sequence[str]) -> UnreadableFile:
    start = ", ".join(cell.strip() for cell in first if cell.strip())[:_SHOWN]
    if 4 * len(_CONTROL.findall(start)) > len(start):
        return unreadable("This is not a text file.")
    return unreadable(
        "watchlog finds no titles and dates in this file, which begins with '%(start)s'.",
        start=start,
    )


def fit(
    cells: Sequence[str], columns: Columns, *, delimiter: str, joiner: str, whole: bool = False
) -> list[str] | None:
    """Bring the cells of an odd row into the columns of its file; None where that is ambiguous.

    Repairs rows that stand in one cell, and titles cut at their own commas (joined by `joiner`).
    With `whole`, a row that ends early is refused.
    """
    cells = unwrapped(cells, (delimiter, *(other for other in DELIMITERS if other != delimiter)))
    while len(cells) > columns.width and not cells[-1].strip():
        cells = cells[:-1]
    excess = len(cells) - columns.width
    if whole and excess < 0:
        return None
    if columns.title < columns.when:
        return _fit_title_first(cells, columns, excess, joiner)
    return _fit_date_first(cells, columns, excess, joiner)


def _fit_title_first(
    cells: Sequence[str], columns: Columns, excess: int, joiner: str
) -> list[str] | None:
    title, when = columns.title, columns.when
    dated = [index for index in range(title + 1, len(cells)) if is_date(cells[index])]
    if excess > 0 and when + excess in dated:
        found = when + excess
    elif when in dated:
        found = when
    elif len(dated) == 1:
        found = dated[0]
    else:
        return None
    shift = found - when
    between = sum(1 for index in range(title + 1, when) if index not in columns.unnamed)
    if found - between <= title:
        return None
    pieces = list(cells[title : found - between])
    while columns.unnamed and len(pieces) > 1 and not pieces[-1].strip():
        pieces.pop()
    fitted = [*cells[:title], joiner.join(pieces)]
    fitted += [
        "" if index in columns.unnamed else cells[index + shift] for index in range(title + 1, when)
    ]
    return _padded(fitted + list(cells[found:]), columns)


def _fit_date_first(
    cells: Sequence[str], columns: Columns, excess: int, joiner: str
) -> list[str] | None:
    title, more = columns.title, max(excess, 0)
    if len(cells) <= title or not is_date(cells[columns.when]):
        return None
    after = title + 1 + more
    fitted = [*cells[:title], joiner.join(cells[title:after]), *cells[after:]]
    fitted = _padded(fitted, columns)
    if columns.supplement is not None and not _SUPPLEMENT.fullmatch(fitted[columns.supplement]):
        return None
    return fitted


def _padded(cells: list[str], columns: Columns) -> list[str]:
    return (cells + [""] * columns.width)[: columns.width]
