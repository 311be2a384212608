"""Text files of cells: bytes to text, and text to records, whatever a re-save made of them."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

Record = tuple[int, list[str]]
"""The line where a record starts (1 is the first of the file), and its cells."""

DELIMITERS = (",", ";", "\t")
_NEWLINE = re.compile(r"\r\n|\r|\n")
_FIRST_BLOCK = 1 << 12
_LARGEST_BLOCK = 1 << 20
# What is kept of a line too long to be a row: enough to recognise it by.
_SHOWN = 1000
# What starting again after a torn line costs, in lines.
_RESTART = 10
# No title has so many line breaks.
_MAX_SPAN = 100


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the cells of a file are set apart."""

    delimiter: str = ","
    skip_blanks: bool = False
    """True where blanks stand between a delimiter and an opening quote."""


def decode(data: bytes) -> str:
    """Turn a file into text: UTF-8 or UTF-16 with or without mark, else Windows-1252. No NULs.

    A file glued together from several is decoded line by line where it is not UTF-8 throughout.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16", "replace")
    elif encoding := _utf16_by_zeros(data):
        text = data.decode(encoding, "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = "".join(_decode_line(line) for line in data.splitlines(keepends=True))
    if "\0" in text:
        text = text.replace("\0", "")
    return text.lstrip("\ufeff")


def records(
    text: str, dialect: Dialect, is_row: Callable[[Sequence[str]], bool]
) -> Iterator[Record]:
    """Yield every record of the text, blank lines too.

    `is_row` says whether cells look like a row on their own: by it a quote that never closes,
    which would swallow the rows after it, is told from a line break inside a cell.
    """
    lines = _Lines(text)
    first = 1
    spent = 0
    while (offset := lines.offset_of(first)) < len(text):
        reader = csv.reader(
            _lines_from(text, offset),
            delimiter=dialect.delimiter,
            skipinitialspace=dialect.skip_blanks,
        )
        read = 0
        try:
            for cells in reader:
                last = reader.line_num
                if last - read > 1 and _is_torn(
                    lines.take(first + read, last - read), dialect, is_row
                ):
                    break
                yield first + read, cells
                read = last
            else:
                return
        except csv.Error:
            pass
        spent += _RESTART + reader.line_num - read
        first += read
        yield first, _alone(lines.take(first, 1)[0], dialect, is_row)
        first += 1
        # Lines after a torn one are read again. Where that happens all the time, the quotes of
        # the file mean nothing: each line is a record then, and the cost stays linear.
        if spent > 4 * first + 10_000:
            for line in _lines_from(text, lines.offset_of(first)):
                yield first, _alone(line, dialect, is_row)
                first += 1
            return


def split(line: str, delimiter: str) -> list[str]:
    """The cells of one line, quotes honoured; none when it cannot be split."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


class _Lines:
    """Finds physical lines by number. Numbers are asked for in rising order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._number = 1
        self._offset = 0

    def offset_of(self, number: int) -> int:
        while self._number < number and self._offset < len(self._text):
            self._offset = _next_line(self._text, self._offset)
            self._number += 1
        return self._offset

    def take(self, number: int, count: int) -> list[str]:
        start = self.offset_of(number)
        taken = []
        for _ in range(count):
            end = _next_line(self._text, start)
            taken.append(self._text[start:end])
            start = end
        return taken


def _next_line(text: str, offset: int) -> int:
    found = _NEWLINE.search(text, offset)
    return found.end() if found else len(text)


def _lines_from(text: str, offset: int) -> Iterator[str]:
    return chain.from_iterable(_blocks(text, offset))


def _blocks(text: str, offset: int) -> Iterator[io.StringIO]:
    """The text in growing blocks of whole lines: a text buffer takes four bytes a character."""
    size = _FIRST_BLOCK
    while offset < len(text):
        end = _next_line(text, min(offset + size, len(text)))
        yield io.StringIO(text[offset:end], newline="")
        offset = end
        size = min(2 * size, _LARGEST_BLOCK)


def _is_torn(
    physical: Sequence[str], dialect: Dialect, is_row: Callable[[Sequence[str]], bool]
) -> bool:
    """Whether a record of several lines swallowed rows: one of its lines is a row by itself."""
    if len(physical) > _MAX_SPAN:
        return True
    *before, last = physical
    # A quote here opens a cell, unless another or a delimiter follows: then it ends this one.
    opens = last.startswith('"') and not last.startswith(('""', f'"{dialect.delimiter}'))
    if opens and is_row(_alone(last, dialect, is_row)):
        return True
    return any(is_row(_alone(line, dialect, is_row)) for line in before)


def _alone(line: str, dialect: Dialect, is_row: Callable[[Sequence[str]], bool]) -> list[str]:
    """The cells of a line that is a record by itself, a quote that does not close ignored."""
    line = line.rstrip("\r\n")
    cells = split(line, dialect.delimiter)
    if not is_row(cells):
        literal = [cell.strip().strip('"') for cell in line.split(dialect.delimiter)]
        if is_row(literal):
            return literal
    return cells or ([line[:_SHOWN]] if line else [])


def _utf16_by_zeros(data: bytes) -> str | None:
    """UTF-16 without a mark: in Latin titles, dates and delimiters every other byte is zero."""
    head = data[:4096]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 10 < len(head) or min(even, odd) * 20 > len(head):
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _decode_line(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")
