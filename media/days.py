"""On which day something was watched, as people see it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Expression,
    F,
    IntegerField,
    Q,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.utils import timezone

from media.progress import ONE_DAY

A_WEEK = timedelta(days=7)
# Nothing was streamed before, and of later offsets nobody knows.
FIRST_MOMENT = datetime(1990, 1, 1, tzinfo=UTC)
LAST_MOMENT = datetime(2100, 1, 1, tzinfo=UTC)


def shown_day(day: date | None, watched_at: datetime | None) -> date | None:
    """The day of a viewing: where its time is known, in the time zone of the user (rule 5).

    `day` is the date as the file wrote it, `watched_at` the moment where a file told it.
    """
    return timezone.localdate(watched_at) if watched_at else day


def shown_on(first: date, last: date) -> Q:
    """The viewings whose shown day lies from `first` to `last`, in the current time zone."""
    zone = timezone.get_current_timezone()
    start = datetime(first.year, first.month, first.day, tzinfo=zone)
    after = last + timedelta(days=1)
    end = datetime(after.year, after.month, after.day, tzinfo=zone)
    return Q(
        # As the file says, the day is no further away: this finds them by index.
        Q(watched_at__isnull=True, day__range=(first, last))
        | Q(watched_at__gte=start, watched_at__lt=end),
        DayIsKnown(),
        day__range=(first - timedelta(days=1), after),
    )


class DayIsKnown(Expression):
    """Whether a viewing has a day, or none where `known` is False; beside a range of days.

    Both databases take a range of days from the index `media_viewing_by_day` only when what
    comes before the day in that index is given in so many words. `= FALSE` would be turned into
    something else by PostgreSQL, and a list of one into that.
    """

    conditional = True

    def __init__(self, known: bool = True) -> None:
        super().__init__(output_field=BooleanField())
        self.known = known
        self.parts: list[Any] = [F("day")]

    def get_source_expressions(self) -> list[Any]:
        return self.parts

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        self.parts = list(exprs)

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, tuple[Any, ...]]:
        day, values = compiler.compile(self.parts[0])
        wanted = "FALSE, FALSE" if self.known else "TRUE, TRUE"
        return f"({day} IS NULL) IN ({wanted})", tuple(values)


class ShownHour(Expression):
    """The day and, where the time is known, the hour of a viewing in the current time zone.

    Text such as "2024-03-12 21", or "2024-03-12" where only the day is known; NULL where not
    even that. The time zone's offsets stand in the query, from the same data that Python has: an
    SQLite that had to call Python for each row would take ten times as long.
    """

    def __init__(
        self, zone: tzinfo | None = None, days: tuple[date, date] = (date.min, date.max)
    ) -> None:
        """Of viewings whose `day` lies within `days`; fewer days make a shorter query."""
        offset = _offset(offsets_in(days, offsets(zone or timezone.get_current_timezone())))
        super().__init__(output_field=CharField())
        self.parts: list[Any] = [F("watched_at"), F("day"), offset]

    def get_source_expressions(self) -> list[Any]:
        return self.parts

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        self.parts = list(exprs)

    def as_sqlite(
        self, compiler: Any, connection: Any, **context: Any
    ) -> tuple[str, tuple[Any, ...]]:
        # Without fractions of a second, since SQLite rounds them, into the next hour if need be.
        return self._sql(
            compiler,
            "CASE WHEN {0} IS NULL THEN {1}"
            " ELSE strftime('%%Y-%%m-%%d %%H', substr({0}, 1, 19), ({2}) || ' seconds') END",
        )

    def as_postgresql(
        self, compiler: Any, connection: Any, **context: Any
    ) -> tuple[str, tuple[Any, ...]]:
        return self._sql(
            compiler,
            "CASE WHEN {0} IS NULL THEN to_char({1}, 'YYYY-MM-DD') ELSE to_char(({0} AT TIME ZONE"
            " 'UTC') + ({2}) * interval '1 second', 'YYYY-MM-DD HH24') END",
        )

    def _sql(self, compiler: Any, template: str) -> tuple[str, tuple[Any, ...]]:
        (moment, _), (day, _), (offset, values) = map(compiler.compile, self.parts)
        return template.format(moment, day, offset), tuple(values)


Offsets = tuple[tuple[datetime, int], ...]


@lru_cache(maxsize=64)
def offsets(zone: tzinfo) -> Offsets:
    """The seconds that a time zone is ahead of UTC, each from a moment on, the earliest first."""
    found = [(FIRST_MOMENT, _ahead(FIRST_MOMENT, zone))]
    moment = FIRST_MOMENT
    while moment < LAST_MOMENT:
        # No zone changes twice within a week, even around Ramadan.
        following = moment + A_WEEK
        if _ahead(following, zone) != found[-1][1]:
            change = _change(moment, following, zone)
            found.append((change, _ahead(change, zone)))
        moment = following
    return tuple(found)


def offsets_in(days: tuple[date, date], known: Offsets) -> Offsets:
    """Those that count anywhere from a day before the first of `days` to a day after the last."""
    first, last = days
    # The day as the file wrote it is that of the moment in UTC, here with a day to spare.
    begun = [start.date() <= last + ONE_DAY if last < date.max else True for start, _ in known]
    over = [start.date() < first - ONE_DAY if first > date.min else False for start, _ in known[1:]]
    return (
        tuple(
            offset
            for offset, has_begun, is_over in zip(known, begun, [*over, False], strict=True)
            if has_begun and not is_over
        )
        or known[:1]
    )


def _ahead(moment: datetime, zone: tzinfo) -> int:
    offset = moment.astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The first second from which the offset is that of `after` and not that of `before`."""
    old = _ahead(before, zone)
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before).total_seconds() // 2)
        if _ahead(middle, zone) == old:
            before = middle
        else:
            after = middle
    return after


def _offset(known: Sequence[tuple[datetime, int]]) -> Combinable:
    """The offset at `watched_at`, found by halving: few comparisons for each row."""
    if len(known) == 1:
        return Value(known[0][1], output_field=IntegerField())
    middle = len(known) // 2
    return Case(
        When(watched_at__lt=known[middle][0], then=_offset(known[:middle])),
        default=_offset(known[middle:]),
        output_field=IntegerField(),
    )
