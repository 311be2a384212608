"""Charts as lengths to draw: scales with ticks, columns, calendars. Pure: no Django, no I/O.

Lengths are written as SVG wants them in any language. Across, columns are in percent, so that
a chart is as wide as there is room and its words keep their size; calendars are in units of a
drawing that is scaled as a whole.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, floor, log10

A_DAY = timedelta(days=1)
# A day of the calendar, and from one to the next.
CELL, PITCH = 11, 13
# Room above the calendar, for the names of months.
HEAD = 16
WEEKS = 54
LEVELS = 4
STEPS = (1, 2, 2.5, 5, 10)


def ticks(most: float, whole: bool = True, about: int = 4) -> tuple[float, ...]:
    """Round numbers from 0 to `most` or just above, some `about` steps; `whole` ones only."""
    if most <= 0:
        return (0, 1)
    rough = most / about
    power = 10.0 ** floor(log10(rough))
    step = next(power * nice for nice in STEPS if power * nice >= rough * 0.999)
    if whole:
        step = max(1, ceil(step))
    return tuple(round(step * n, 6) for n in range(ceil(most / step - 1e-9) + 1))


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across the chart, and what it stands for."""

    y: str
    value: float


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a column; `series` says which of the stacked ones, from 0."""

    y: str
    height: str
    series: int


@dataclass(frozen=True, slots=True)
class Column:
    x: str
    width: str
    middle: str
    parts: tuple[Part, ...]
    # What to point at: the whole height, so that small columns can be hit.
    left: str
    room: str


@dataclass(frozen=True, slots=True)
class Columns:
    height: int
    base: str
    ticks: tuple[Tick, ...]
    columns: tuple[Column, ...]


def columns(
    stacks: Sequence[Sequence[float]],
    height: int = 180,
    gap: float = 0.28,
    whole: bool = True,
    head: int = 8,
) -> Columns:
    """Columns of stacked values from the left to the right, lowest value first.

    `height` is in pixels, without the words below; `gap` is the part of each column's room that
    stays free; `head` is the room above the highest tick.
    """
    marks = ticks(max((sum(stack) for stack in stacks), default=0), whole)
    scale = (height - head) / marks[-1]
    room = 100 / max(len(stacks), 1)
    drawn = []
    for at, stack in enumerate(stacks):
        parts = []
        reached = 0.0
        for series, value in enumerate(stack):
            if value > 0:
                bottom = height - reached * scale
                reached += value
                top = height - reached * scale
                parts.append(Part(_length(top), _length(bottom - top), series))
        drawn.append(
            Column(
                x=f"{_length((at + gap / 2) * room)}%",
                width=f"{_length((1 - gap) * room)}%",
                middle=f"{_length((at + 0.5) * room)}%",
                parts=tuple(parts),
                left=f"{_length(at * room)}%",
                room=f"{_length(room)}%",
            )
        )
    return Columns(
        height=height,
        base=_length(height),
        ticks=tuple(Tick(_length(height - mark * scale), mark) for mark in marks),
        columns=tuple(drawn),
    )


@dataclass(frozen=True, slots=True)
class Cell:
    """A day on which something was watched; `level` is from 1 to `LEVELS`."""

    day: date
    x: int
    y: int
    level: int


@dataclass(frozen=True, slots=True)
class Month:
    first: date
    x: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """A year, one column a week from Monday to Sunday. `empty` is a path of all other days."""

    year: int
    width: int
    height: int
    cells: tuple[Cell, ...]
    empty: str
    months: tuple[Month, ...]


def thresholds(values: Sequence[float]) -> tuple[float, ...]:
    """From which value on a day is of the second, third and fourth level: a quarter of days each.

    `values` are those of all days with something, so that years can be compared.
    """
    some = sorted(values)
    if not some:
        return ()
    return tuple(some[len(some) * part // LEVELS] for part in range(1, LEVELS))


def level(value: float, limits: Sequence[float]) -> int:
    """1 to 4. Where many days have the same value, it is of the lowest of their levels."""
    return bisect_left(limits, value) + 1


def calendar(year: int, values: Mapping[date, float], limits: Sequence[float]) -> Calendar:
    """A year with a value for each day on which something was watched."""
    first = date(year, 1, 1)
    offset = first.weekday()
    cells, empty = [], []
    day = first
    while day.year == year:
        week, weekday = divmod((day - first).days + offset, 7)
        x, y = week * PITCH, HEAD + weekday * PITCH
        value = values.get(day, 0)
        if value > 0:
            cells.append(Cell(day, x, y, level(value, limits)))
        else:
            empty.append(f"M{x} {y}h{CELL}v{CELL}h-{CELL}z")
        day += A_DAY
    months = []
    for number in range(1, 13):
        start = date(year, number, 1)
        week = ((start - first).days + offset + 6) // 7
        months.append(Month(start, week * PITCH))
    return Calendar(
        year=year,
        width=WEEKS * PITCH - (PITCH - CELL),
        height=HEAD + 7 * PITCH - (PITCH - CELL),
        cells=tuple(cells),
        empty="".join(empty),
        months=tuple(months),
    )


def share(part: float, whole: float) -> str:
    """Part of a whole in percent, as a length."""
    return f"{_length(100 * part / whole if whole else 0)}%"


def _length(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"
