"""Readings of very many titles, kept as where in each title their texts stand."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from typing import Any

from imports.reading.types import Alternative, Message, TitleReading

Kept = TitleReading | bytes
"""A reading, or one that a `Packer` made small."""

# Stand for a piece of the title and for a number, whose places and values differ by title.
_PIECE = object()
_NUMBER = object()
_LARGEST = 2**31 - 1

_Shape = tuple[tuple[str, ...], str | None, tuple[object, ...]]
"""Template and names of the values of the reason; the language; all other fields."""


class Packer:
    """Makes readings small, and gives them back.

    Nearly all their texts are pieces of the title, and what else they say many titles share. So a
    tenth of the memory is enough for them.
    """

    def __init__(self) -> None:
        self._shapes: list[tuple[_Shape, Message]] = []
        self._numbers: dict[_Shape, int] = {}

    def pack(self, title: str, reading: TitleReading) -> Kept:
        """The reading made small, or itself where a text is no piece of the title, or a number large."""
        kind, reason, series, language, *others, other = reading
        values = reason.values
        numbers = array("i", (0,))
        fields: list[object] = []
        for field in (kind, series, *others, *values.values(), *(other or ())):
            if type(field) is str:
                start = title.find(field)
                if start < 0:
                    return reading
                numbers.extend((start, start + len(field)))
                field = _PIECE
            elif type(field) is int:
                if field > _LARGEST:
                    return reading
                numbers.append(field)
                field = _NUMBER
            fields.append(field)
        shape = (reason.template, *values), language, tuple(fields)
        if shape not in self._numbers:
            self._numbers[shape] = len(self._shapes)
            self._shapes.append((shape, reason))
        numbers[0] = self._numbers[shape]
        return numbers.tobytes()

    def unpack(self, title: str, kept: Kept) -> TitleReading:
        if isinstance(kept, TitleReading):
            return kept
        numbers = array("i", kept)
        left = iter(numbers)
        ((template, *names), language, shape), reason = self._shapes[next(left)]
        fields: list[Any] = [
            title[next(left) : next(left)]
            if field is _PIECE
            else next(left)
            if field is _NUMBER
            else field
            for field in shape
        ]
        kind, series, *others = fields[:_OWN]
        values, rest = fields[_OWN : _OWN + len(names)], fields[_OWN + len(names) :]
        if names:
            reason = Message(template, dict(zip(names, values, strict=True)))
        other = Alternative._make(rest) if rest else None
        return TitleReading._make((kind, reason, series, language, *others, other))


# The fields that are neither the reason, nor the language, nor the alternative.
_OWN = len(TitleReading._fields) - 3


class Readings(Mapping[str, TitleReading]):
    """The readings of a file by raw title."""

    def __init__(self, kept: Mapping[str, Kept], packer: Packer) -> None:
        self._kept = kept
        self._packer = packer

    def __getitem__(self, title: str) -> TitleReading:
        return self._packer.unpack(title, self._kept[title])

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)
