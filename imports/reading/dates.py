"""The dates of a file: whether day, month or year comes first is decided once, from all rows.

Neither the language of the titles nor the year tells the order (English exports are written
month first or day first, depending on the country), and no row does alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from imports.reading.types import (
    Choice,
    DateOrder,
    Message,
    Question,
    QuestionKind,
    UnreadableFile,
)

# Netflix began to stream in January 2007: no viewing is older.
_FIRST_YEAR = 2007
# Thai dates count the years of the Buddhist era, 543 ahead (the Unicode CLDR's short format).
_BUDDHIST_ERA = 543
_BUDDHIST_FROM, _BUDDHIST_TO = 2500, 2700
# Far wider than what can be true: outside, a number was mistyped or is no year.
_OLDEST, _NEWEST = date(1900, 1, 1), date(2199, 12, 31)
_MAX_LENGTH = 60
# From this many different dates on, their years tell whether the year stands first.
_ENOUGH_DATES = 10
# More days than a century has.
_MOST_DATES = 40_000

_ISO_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d", re.ASCII)
_INVISIBLE = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
# First number, sign, middle number, last number, and what ends the date; hour, minute, second,
# "a" or "p" of the half day, and zone.
_WRITTEN = re.compile(
    r"(\d{1,4}) ?(?:([./\-]) ?(\d{1,2}) ?\2|[年년] ?(\d{1,2}) ?[月월]) ?(\d{1,4}) ?(日|일|г\.?|\.)?"
    r"(?:(?:T|,? )(\d{1,2})[:.](\d\d)(?:[:.](\d\d)(?:[.,]\d{1,9})?)?"
    r" ?(?:([AaPp])\.?[Mm]\.?)? ?(Z|UTC|GMT|[+-]\d\d:?(?:\d\d)?)?)?"
)


class Numbers(NamedTuple):
    """The three numbers of a date whose order its own text does not tell."""

    first: int
    middle: int
    last: int
    long_year: bool
    """True when the last number has four digits, and so is the year."""
    day_last: bool = False
    """True when the last number has one digit, as a year never has."""


class Written(NamedTuple):
    """A date as written, its order still open. `clock` is the time since midnight UTC."""

    numbers: Numbers
    clock: timedelta | None
    dots: bool
    year_style: bool
    """True for the Korean style "21. 12. 27.": dots, blanks, and a dot at the end."""


Parsed = date | datetime | Written
"""A date, a time in UTC (every datetime here has a zone), or one whose order is open."""


@dataclass(frozen=True, slots=True)
class Dates:
    """What the dates of a file mean: `values` by text as written; no value, no date.

    A `question` is there when the rows do not tell the order; `values` are then the likelier.
    """

    order: DateOrder
    reason: Message
    values: Mapping[str, date | datetime]
    question: Question | None = None


ORDER_NAMES: Mapping[DateOrder, Message] = {
    DateOrder.MDY: Message("month/day/year"),
    DateOrder.DMY: Message("day/month/year"),
    DateOrder.YMD: Message("year/month/day"),
}


def parse_date(text: str) -> Parsed | None:
    """Read a cell as a date or time; None when it is neither. Times without a zone are UTC."""
    if len(text) == 19 and _ISO_TIME.fullmatch(text):
        try:
            moment = datetime.fromisoformat(text + "+00:00")
        except ValueError:
            return None
        return moment if _OLDEST.year <= moment.year <= _NEWEST.year else None
    if len(text) > _MAX_LENGTH:
        return None
    found = _WRITTEN.fullmatch(text) or _WRITTEN.fullmatch(_tidy(text))
    if found is None:
        return None
    first, sign, middle, named_month, last, end, hour, minute, second, half, zone = found.groups()
    clock = None
    if hour is not None:
        clock = _clock(int(hour), int(minute), int(second or 0), half, zone)
        if clock is None:
            return None
    month = int(middle or named_month)
    if len(first) == 4:
        if len(last) > 2:
            return None
        day = _date(_full_year(int(first), True), month, int(last))
        return None if day is None else _at(day, clock)
    dots = sign == "."
    year_style = dots and end == "." and ". " in found.group()
    # Korea writes "24. 3. 2."; without its dots, "9-1-1" is a title.
    day_last = len(last) == 1
    if len(first) == 3 or len(last) == 3 or (day_last and not year_style):
        return None
    numbers = Numbers(int(first), month, int(last), len(last) == 4, day_last)
    return Written(numbers, clock, dots, year_style)


def _tidy(text: str) -> str:
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return " ".join(text.split()).strip(" ;,\"'")


def decide(
    column: Sequence[str],
    parsed: Mapping[str, Parsed | None],
    chosen: DateOrder = DateOrder.AUTO,
    *,
    spreadsheet: bool = False,
) -> Dates:
    """Decide what the dates of a file mean.

    `column` has the date cells of all rows in file order, `parsed` what `parse_date` says of
    each different one. An order that is `chosen` (not AUTO) holds without a question. Dates of
    a `spreadsheet` (the program's own, not text) are put right where it swapped day and month.
    Where all of them are, a `chosen` order swaps them, unless they show that they are right.
    Raises UnreadableFile when there are more of them than days on which anybody watched.
    """
    open_dates = {text: value for text, value in parsed.items() if isinstance(value, Written)}
    days: Mapping[Numbers, date | None] = {}
    if open_dates:
        evidence = _Evidence(column, open_dates)
        verdict = evidence.verdict(chosen)
        days = evidence.days[verdict.order]
    else:
        verdict = _of_certain_dates(parsed, spreadsheet)
        is_dated = verdict.order is DateOrder.YMD
        if spreadsheet and is_dated and chosen in (DateOrder.MDY, DateOrder.DMY):
            return _of_spreadsheet(column, parsed, chosen)
    order = verdict.order
    values: dict[str, date | datetime] = {}
    for text, value in parsed.items():
        if isinstance(value, Written):
            day = days[value.numbers]
            if day is not None:
                values[text] = _at(day, value.clock)
        elif value is not None:
            values[text] = value
    reason = verdict.reason
    if spreadsheet and open_dates:
        swapped = _swapped_back(parsed, open_dates, order)
        if swapped:
            values.update(swapped)
            reason = Message(
                "%(reason)s The spreadsheet program had swapped day and month of other dates; "
                "they are put right.",
                {"reason": reason},
            )
    return Dates(order, reason, values, verdict.question)


def day_of(value: date | datetime) -> date:
    """The day of a date or time: the date as the file writes it, UTC for times (rule 5)."""
    return value.date() if isinstance(value, datetime) else value


def _clock(
    hour: int, minute: int, second: int, half: str | None, zone: str | None
) -> timedelta | None:
    """The time since midnight UTC, negative or over a day where the zone makes it so."""
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half in "Pp" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    clock = timedelta(hours=hour, minutes=minute, seconds=second)
    if zone and zone[0] in "+-":
        digits = zone[1:].replace(":", "")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
        clock = clock - offset if zone[0] == "+" else clock + offset
    return clock


def _full_year(number: int, long: bool) -> int:
    if long:
        return number - _BUDDHIST_ERA if _BUDDHIST_FROM <= number < _BUDDHIST_TO else number
    return 2000 + number if number < 50 else 2500 + number - _BUDDHIST_ERA


def _date(year: int, month: int, day: int) -> date | None:
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    return found if _OLDEST <= found <= _NEWEST else None


def _at(day: date, clock: timedelta | None) -> date | datetime:
    if clock is None:
        return day
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + clock


def _resolve(numbers: Numbers, order: DateOrder) -> date | None:
    first, middle, last, long_year, day_last = numbers
    if order is DateOrder.YMD:
        return None if long_year else _date(_full_year(first, False), middle, last)
    if day_last:
        return None
    month, day = (first, middle) if order is DateOrder.MDY else (middle, first)
    return _date(_full_year(last, long_year), month, day) if month <= 12 else None


class _Verdict(NamedTuple):
    order: DateOrder
    reason: Message
    question: Question | None = None


def _of_certain_dates(parsed: Mapping[str, Parsed | None], spreadsheet: bool) -> _Verdict:
    for text, value in parsed.items():
        if value is not None:
            reason = Message(
                "Dates are read as year/month/day: '%(example)s' begins with the year.",
                {"example": text},
            )
            if spreadsheet:
                reason = Message("The spreadsheet says itself which day each of its dates is.")
            return _Verdict(DateOrder.YMD, reason)
    return _Verdict(DateOrder.AUTO, Message("No row of this file has a date."))


def _swapped_back(
    parsed: Mapping[str, Parsed | None], open_dates: Mapping[str, Written], order: DateOrder
) -> dict[str, date | datetime]:
    """Dates that a spreadsheet program misread when it opened the file, day and month swapped.

    It turns the texts that fit its own country's order into dates and leaves the others as
    text. So where every text is impossible in the other order, and no date has a day above 12,
    the dates were read in that other order.
    """
    other = {DateOrder.MDY: DateOrder.DMY, DateOrder.DMY: DateOrder.MDY}.get(order)
    if other is None or any(_resolve(text.numbers, other) for text in open_dates.values()):
        return {}
    return _swapped(parsed)


def _swapped(parsed: Mapping[str, Parsed | None]) -> dict[str, date | datetime]:
    """The dates with day and month swapped; none where one of them has a day above 12."""
    swapped: dict[str, date | datetime] = {}
    for text, value in parsed.items():
        if isinstance(value, date):
            if value.day > 12:
                return {}
            swapped[text] = value.replace(month=value.day, day=value.month)
    return swapped


def _of_spreadsheet(
    column: Sequence[str], parsed: Mapping[str, Parsed | None], chosen: DateOrder
) -> Dates:
    """What the real dates of a spreadsheet mean where a person chose an order.

    A program may have read all of them the wrong way round when it opened the file. Their order
    shows where it did not, and so does a day above 12.
    """
    values = {text: value for text, value in parsed.items() if isinstance(value, date)}
    swapped = _swapped(parsed)
    steps, other_steps = (
        _steps([day_of(days[text]) for text in column if text in days])
        for days in (values, swapped)
    )
    named = {"order": ORDER_NAMES[chosen]}
    if not swapped or swapped == values or _tells(steps, other_steps):
        reason = Message(
            "The spreadsheet says itself which day each of its dates is. That you chose "
            "%(order)s changes nothing.",
            named,
        )
        return Dates(DateOrder.YMD, reason, values)
    reason = Message(
        "Day and month of the spreadsheet's dates are swapped, because you chose %(order)s: the "
        "program that saved it may have read them the wrong way round.",
        named,
    )
    return Dates(chosen, reason, swapped)


def _steps(days: Sequence[date]) -> tuple[int, int]:
    """How often the next row is later, and how often it is earlier. Exports: never later."""
    later = sum(1 for one, following in pairwise(days) if one < following)
    earlier = sum(1 for one, following in pairwise(days) if one > following)
    return later, earlier


def _tells(steps: tuple[int, int], other_steps: tuple[int, int]) -> bool:
    """Whether the rows are sorted by date with these steps, and clearly not with the others."""
    return min(other_steps) >= 1 and any(
        step == 0 and other_step >= 2 for step, other_step in zip(steps, other_steps, strict=True)
    )


class _Evidence:
    """What the rows of a file say about the order of its dates."""

    def __init__(self, column: Sequence[str], open_dates: Mapping[str, Written]) -> None:
        self.written = open_dates
        self.column = [text for text in column if text in open_dates]
        self.rows: Counter[Numbers] = Counter()
        self.examples: dict[Numbers, str] = {}
        for text, count in Counter(self.column).items():
            numbers = open_dates[text].numbers
            self.rows[numbers] += count
            self.examples.setdefault(numbers, text)
            if len(self.rows) > _MOST_DATES:
                raise UnreadableFile(
                    Message(
                        "The dates of this file make no sense, such as '%(example)s': there are "
                        "more different ones than days in a hundred years.",
                        {"example": text},
                    )
                )
        self.days = {
            order: {numbers: _resolve(numbers, order) for numbers in self.rows}
            for order in ORDER_NAMES
        }

    def verdict(self, chosen: DateOrder) -> _Verdict:
        if chosen is not DateOrder.AUTO:
            return self._found("Dates are read as %(order)s, as you chose.", chosen)
        misfits = {
            order: sum(self.rows[numbers] for numbers, day in days.items() if day is None)
            for order, days in self.days.items()
        }
        least = min(misfits.values())
        possible = [order for order in ORDER_NAMES if misfits[order] == least]
        if DateOrder.YMD in possible and len(possible) > 1:
            if self._year_stands_first([order for order in possible if order is not DateOrder.YMD]):
                possible = [DateOrder.YMD]
            else:
                possible.remove(DateOrder.YMD)
        lost = self._impossible_everywhere()
        if lost == len(self.column):
            return self._found("No date of this file exists: '%(example)s'.", possible[0])
        if least > lost:
            return self._misfits(
                min(possible, key=lambda order: min(self._steps(order))), misfits, lost
            )
        if len(possible) > 1:
            return self._between_day_and_month()
        order = possible[0]
        if order is DateOrder.YMD and self._styled():
            return self._found(
                "Dates are read as year/month/day: '%(example)s', with a dot at its end, begins "
                "with the year.",
                order,
            )
        other = DateOrder.MDY if order is not DateOrder.MDY else DateOrder.DMY
        example = next(
            (
                numbers
                for numbers, day in self.days[order].items()
                if day and not self.days[other][numbers]
            ),
            None,
        )
        if example is None:
            return self._found(
                "Dates are read as %(order)s: in any other order they spread over many years.",
                order,
            )
        return self._found(
            "Dates are read as %(order)s: '%(example)s' can be nothing else.", order, example
        )

    def _found(self, template: str, order: DateOrder, example: Numbers | None = None) -> _Verdict:
        if example is None:
            example = next(iter(self.rows), None)
        values: dict[str, object] = {"order": ORDER_NAMES[order]}
        if example is not None:
            values["example"] = self.examples[example]
        return _Verdict(order, Message(template, values))

    def _impossible_everywhere(self) -> int:
        return sum(
            count
            for numbers, count in self.rows.items()
            if not any(days[numbers] for days in self.days.values())
        )

    def _styled(self) -> bool:
        styled = sum(1 for text in self.column if self.written[text].year_style)
        return 2 * styled > len(self.column)

    def _years(self, order: DateOrder) -> tuple[int, int]:
        """Rows older than Netflix, and in how many different years the dates lie."""
        early = 0
        years = set()
        for numbers, day in self.days[order].items():
            if day is not None:
                years.add(day.year)
                early += self.rows[numbers] if day.year < _FIRST_YEAR else 0
        return early, len(years)

    def _year_stands_first(self, others: Sequence[DateOrder]) -> bool:
        """Whether two-digit years stand first: "21. 12. 27." does, "27/12/21" does not.

        Read the wrong way round, days are taken for years: they spread over 31 of them.
        """
        styled = self._styled()
        early, years = self._years(DateOrder.YMD)
        other_early, other_years = min(self._years(order) for order in others)
        if len(self.rows) < _ENOUGH_DATES:
            # Few dates spread little; years before Netflix tell nevertheless.
            return styled or (early == 0 < other_early and years < other_years)
        if styled:
            return not (other_early < early and 2 * other_years < years)
        return early <= other_early and 2 * years < other_years

    def _misfits(self, order: DateOrder, misfits: Mapping[DateOrder, int], lost: int) -> _Verdict:
        others = sorted(
            (order for order in misfits if order is not DateOrder.YMD),
            key=lambda order: misfits[order],
        )
        values = {"order": ORDER_NAMES[order], "misfits": misfits[order] - lost}
        if order is DateOrder.YMD or misfits[others[1]] - lost > 2 * (misfits[order] - lost):
            return _Verdict(
                order,
                Message(
                    "Dates are read as %(order)s, which fits all rows but %(misfits)d.", values
                ),
            )
        reason = Message(
            "This file seems to be put together from exports that write dates in different "
            "orders: read as %(order)s, %(misfits)d rows do not fit.",
            values,
        )
        return _Verdict(order, reason, self._question(reason, others))

    def _between_day_and_month(self) -> _Verdict:
        month_first, day_first = self.days[DateOrder.MDY], self.days[DateOrder.DMY]
        if month_first == day_first:
            return self._found(
                "Each date of this file is the same day whether the month or the day comes first.",
                DateOrder.DMY if self._dots() else DateOrder.MDY,
            )
        if self._dots():
            return self._found(
                "Dates are read as day/month/year, as dates with dots are: '%(example)s'.",
                DateOrder.DMY,
            )
        order, other = sorted(
            (DateOrder.MDY, DateOrder.DMY),
            key=lambda order: (
                min(self._steps(order)),
                self._span(order),
                order is not self._usual(),
            ),
        )
        if self._only_sorted(order, other):
            return self._found(
                "Dates are read as %(order)s: only so are the rows sorted by date.", order
            )
        reason = Message(
            "Nothing in this file tells whether '%(example)s' has the month or the day first.",
            {"example": self._unlike_example()},
        )
        return _Verdict(order, reason, self._question(reason, (order, other)))

    def _unlike_example(self) -> str:
        month_first, day_first = self.days[DateOrder.MDY], self.days[DateOrder.DMY]
        return next(
            self.examples[numbers]
            for numbers in self.rows
            if month_first[numbers] != day_first[numbers]
        )

    def _dots(self) -> bool:
        dotted = sum(1 for text in self.column if self.written[text].dots)
        return 2 * dotted > len(self.column)

    def _usual(self) -> DateOrder:
        slashes = sum(1 for text in self.column if "/" in text)
        return DateOrder.MDY if 2 * slashes > len(self.column) else DateOrder.DMY

    def _steps(self, order: DateOrder) -> tuple[int, int]:
        days = self.days[order]
        return _steps([day for text in self.column if (day := days[self.written[text].numbers])])

    def _only_sorted(self, order: DateOrder, other: DateOrder) -> bool:
        """Whether the rows are sorted by date in one order, and clearly not in the other."""
        return _tells(self._steps(order), self._steps(other))

    def _ends(self, order: DateOrder) -> tuple[date, date] | None:
        days = [day for day in self.days[order].values() if day is not None]
        return (min(days), max(days)) if days else None

    def _span(self, order: DateOrder) -> timedelta:
        ends = self._ends(order)
        return ends[1] - ends[0] if ends else timedelta()

    def _question(self, text: Message, orders: Sequence[DateOrder]) -> Question:
        choices = []
        for order in orders:
            ends = self._ends(order)
            if ends is not None:
                label = Message(
                    "%(order)s: watched from %(first)s to %(last)s",
                    {"order": ORDER_NAMES[order], "first": ends[0], "last": ends[1]},
                )
                choices.append(Choice(order.value, label))
        return Question(QuestionKind.DATE_ORDER, text, tuple(choices))
