"""The shape that every format's module fills: which columns a file of this kind has."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from imports.reading.types import Format


class Role(StrEnum):
    """What a column that is read is for."""

    TITLE = "title"
    WHEN = "when"
    PROFILE = "profile"
    DURATION = "duration"
    SUPPLEMENT = "supplement"
    """Not empty where the row is a trailer or the like, and no viewing."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of file: its columns by header name, as `header_key` writes it.

    `timed` says that its rows have a time of day, and how long each play was.
    """

    format: Format
    timed: bool
    names: Mapping[str, Role]


def header_key(cell: str) -> str:
    """A column's name without capitals, blanks and signs: "Start Time;" is "starttime"."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", cell).casefold()))
