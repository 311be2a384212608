"""The rows of a file, each made when it is asked for: all at once are most of what a file costs."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast, overload

from imports.reading.plays import Plays, Verdict
from imports.reading.types import Kind, Message, Row, TitleReading

_UNREAD = TitleReading(Kind.SKIPPED, Message("Skipped: not a viewing."))


@dataclass(frozen=True, slots=True, eq=False)
class Rows(Sequence[Row]):
    """The rows of a file, made of its columns; equal to any that are alike.

    `verdicts` has the rows about which something else than their title decides, `repeats` the
    line of the first row of the same viewing; both by index.
    """

    plays: Plays
    keys: Sequence[str]
    days: Sequence[date | None]
    moments: Sequence[datetime | None]
    verdicts: Mapping[int, Verdict]
    repeats: Mapping[int, int]
    readings: Mapping[str, TitleReading]

    def __len__(self) -> int:
        return len(self.keys)

    def __eq__(self, other: object) -> bool:
        is_alike = isinstance(other, Sequence) and len(self) == len(other)
        return is_alike and all(map(operator.eq, self, cast("Sequence[object]", other)))

    def __iter__(self) -> Iterator[Row]:
        return map(self._row, range(len(self.keys)))

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Row, ...]: ...

    def __getitem__(self, index: int | slice) -> Row | tuple[Row, ...]:
        places = range(len(self.keys))[index]
        return self._row(places) if isinstance(places, int) else tuple(map(self._row, places))

    def _row(self, index: int) -> Row:
        plays = self.plays
        title = plays.titles[index]
        # Unpacked at once: eleven look-ups by name would take as long as all the rest.
        (
            kind,
            reason,
            series,
            language,
            season_number,
            season_inferred,
            season_name,
            episode_number,
            episode_title,
            uncertain,
            alternative,
        ) = self.readings.get(title, _UNREAD)
        # What decides about a row beside its title leaves no doubt, however the title reads.
        if index in self.verdicts:
            kind, reason = self.verdicts[index]
            uncertain, alternative = False, None
        moment = seconds = profile = None
        if plays.columns.layout.timed:
            moment = self.moments[index]
            seconds = plays.seconds[index]
            profile = plays.profiles[index] or None
        # As `Row(...)`, in half the time.
        return tuple.__new__(
            Row,
            (
                plays.lines[index],
                title,
                self.keys[index],
                kind,
                reason,
                series,
                language,
                season_number,
                season_inferred,
                season_name,
                episode_number,
                episode_title,
                self.days[index],
                moment,
                seconds,
                profile,
                uncertain,
                alternative,
                self.repeats.get(index),
            ),
        )
