"""Excel workbooks (.xlsx) as records of text cells, written as a CSV file would have them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from io import BytesIO
from itertools import islice
from typing import Any

# openpyxl parses XML with defusedxml where that is installed. Imported here so that a machine
# without it fails at once, instead of reading hostile XML.
import defusedxml  # noqa: F401
import openpyxl

from imports.reading.delimited import Record
from imports.reading.types import Message, UnreadableFile

# No file that watchlog reads has more columns; a single far-off cell would make every row wide.
_MAX_COLUMNS = 26
# What Excel itself can hold.
_MAX_ROW = 1_048_576
# What of a workbook is looked at to find the sheet that is meant.
_SHEETS = 20
_ROWS = 5000
_SAMPLE = 100

Likeness = Callable[[Sequence[Record]], int]
"""How much the first filled records of a sheet look like what is wanted: the more, the higher."""


def spreadsheet_records(data: bytes, *, limit: int, likeness: Likeness) -> list[Record]:
    """The filled records of the sheet that is likest, at most `limit`. Rows count like lines.

    Of equals it is the first that has any. Raises UnreadableFile when the workbook is damaged.
    Unpacked sizes are the caller's to check.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _likest_sheet(data, limit, likeness)
    # The library raises whatever a hostile or damaged file makes it stumble over.
    except Exception as error:
        raise UnreadableFile(
            Message(
                "This spreadsheet is damaged and cannot be opened. Save it as CSV and upload that, "
                "or download the file from Netflix again."
            )
        ) from error


def _likest_sheet(data: bytes, limit: int, likeness: Likeness) -> list[Record]:
    workbook = openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=True)
    sheets = workbook.worksheets[:_SHEETS]
    samples = [list(islice(_records(sheet, _ROWS), _SAMPLE)) for sheet in sheets]
    filled = [place for place, sample in enumerate(samples) if sample] or range(len(sheets))
    likest = max(filled, key=lambda place: likeness(samples[place]), default=None)
    if likest is None:
        return []
    return list(islice(_records(sheets[likest], _MAX_ROW), limit))


def _records(sheet: Any, rows: int) -> Iterator[Record]:
    """The filled records among the first rows of a sheet."""
    found = sheet.iter_rows(max_col=_MAX_COLUMNS, max_row=rows, values_only=True)
    for number, values in enumerate(found, start=1):
        if values.count(None) == len(values):
            continue
        cells = [_text(value) for value in values]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield number, cells


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        # Excel keeps times as fractions of a day: they come out a hair beside the second.
        value = (value + timedelta(milliseconds=500)).replace(microsecond=0)
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value)
