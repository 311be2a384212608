"""Figures about what somebody watched, from sums by month.

What counts, and how days and hours are meant, stands in docs/library.md. A month is summed up in
one pass over its viewings and kept until something in it changes, which the database notes by
itself (`media/triggers.py`): so sums can be lost but never wrong.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from heapq import nsmallest
from itertools import pairwise
from typing import Any, NamedTuple

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.utils import timezone

from accounts.models import User
from media.days import DayIsKnown, ShownHour, shown_day, shown_on
from media.library import library_lock
from media.models import (
    UNDATED,
    LibraryEntry,
    MonthFigures,
    Viewing,
    ViewingKind,
    ViewingQuerySet,
)
from media.progress import ONE_DAY

TOPS = 12
MOST_FINISHED = 200
# Of more viewings in months that changed, whoever waits for a page gets the figures from before.
MOST_AT_ONCE = 30_000
# How long a transaction may take, in seconds, about.
A_MOMENT = 0.2
MOST_SPANS = 3
LAST_MONTH = date(9999, 12, 1)

SPECIAL = Q(tmdb_season=0) | Q(tmdb_season__isnull=True, season_number=0)
# What rule 10 counts as an episode.
EPISODE = Q(kind=ViewingKind.EPISODE) & (
    Q(tmdb_season__gt=0)
    | Q(tmdb_season__isnull=True) & (Q(season_number__isnull=True) | Q(season_number__gt=0))
)


class Tally(NamedTuple):
    """What was watched in some time. Seconds are those of the `timed` among the viewings."""

    new_episodes: int = 0
    episodes_again: int = 0
    new_movies: int = 0
    movies_again: int = 0
    specials: int = 0
    seconds: int = 0
    timed: int = 0
    viewings: int = 0

    def plus(self, other: Tally) -> Tally:
        return Tally(*map(sum, zip(self, other, strict=True)))

    @property
    def episodes(self) -> int:
        return self.new_episodes + self.episodes_again

    @property
    def movies(self) -> int:
        return self.new_movies + self.movies_again

    @property
    def titles(self) -> int:
        """Everything that was watched, each as often as it was."""
        return self.episodes + self.movies + self.specials

    @property
    def hours(self) -> float:
        return self.seconds / 3600


NOTHING = Tally()


class Top(NamedTuple):
    """How often the episodes of a series, or a film, were watched.

    Seconds are those of the `timed` of these times, and of plays that are no times of their own.
    """

    entry: int
    kind: str
    times: int
    seconds: int
    timed: int


class Binge(NamedTuple):
    """The most episodes of one series on one day."""

    entry: int
    day: date
    episodes: int


class Finished(NamedTuple):
    """A complete series: the day of its first episode, and of the last that was missing."""

    entry: int
    first: date
    last: date
    episodes: int

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


class Streak(NamedTuple):
    """Days in a row on each of which something was watched."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Figures:
    """What somebody watched, by day, by hour and by what it was.

    `undated` was watched on a day nobody noted. `hours` has what was watched in each hour of the
    day, as far as times are known. `series` and `movies` say of how many something was watched.
    The newest of `finished` come first, and `finished_count` counts them all.
    """

    days: Mapping[date, Tally]
    hours: tuple[Tally, ...]
    undated: Tally
    tops: tuple[Top, ...]
    series: int
    movies: int
    binge: Binge | None
    finished: tuple[Finished, ...]
    finished_count: int
    first: int | None
    last: int | None

    @property
    def total(self) -> Tally:
        return total([*self.days.values(), self.undated])

    @property
    def is_empty(self) -> bool:
        return not self.days and not self.undated.viewings

    @property
    def first_day(self) -> date | None:
        return min(self.days, default=None)

    @property
    def last_day(self) -> date | None:
        return max(self.days, default=None)

    def by_year(self) -> dict[int, Tally]:
        """Every year from the first to the last."""
        found: dict[int, list[Tally]] = defaultdict(list)
        for day, tally in self.days.items():
            found[day.year].append(tally)
        years = range(min(found), max(found) + 1) if found else range(0)
        return {year: total(found[year]) for year in years}

    def by_month(self) -> dict[date, Tally]:
        """Every month from the first to the last, by its first day."""
        found: dict[date, list[Tally]] = defaultdict(list)
        for day, tally in self.days.items():
            found[day.replace(day=1)].append(tally)
        months = {}
        month = min(found, default=None)
        while month and month <= max(found):
            months[month] = total(found[month])
            month = (month + timedelta(days=31)).replace(day=1)
        return months

    def by_weekday(self) -> tuple[Tally, ...]:
        """Monday to Sunday."""
        found: list[list[Tally]] = [[] for _ in range(7)]
        for day, tally in self.days.items():
            found[day.weekday()].append(tally)
        return tuple(map(total, found))

    def busiest(self) -> date | None:
        """The day on which most was watched, the latest of several."""
        return max(self.watched_days(), key=lambda day: (self.days[day].titles, day), default=None)

    def watched_days(self) -> list[date]:
        return sorted(day for day, tally in self.days.items() if tally.titles)

    def streak(self) -> Streak | None:
        """The most days in a row, the latest of several."""
        runs: list[Streak] = []
        for day in self.watched_days():
            if runs and day - runs[-1].last == ONE_DAY:
                runs[-1] = runs[-1]._replace(last=day)
            else:
                runs.append(Streak(day, day))
        return max(runs, key=lambda run: (run.days, run.last), default=None)

    def gap(self) -> Streak | None:
        """The most days in a row without anything, between two with something."""
        watched = self.watched_days()
        gaps = [
            Streak(day + ONE_DAY, following - ONE_DAY)
            for day, following in pairwise(watched)
            if following - day > ONE_DAY
        ]
        return max(gaps, key=lambda gap: (gap.days, gap.last), default=None)

    @property
    def named(self) -> set[int]:
        """The entries that the figures speak of."""
        singles = [self.binge.entry if self.binge else None, self.first, self.last]
        found = {*(top.entry for top in self.tops), *(one.entry for one in self.finished)}
        return found | {entry for entry in singles if entry is not None}


def total(tallies: Iterable[Tally]) -> Tally:
    columns = zip(*tallies, strict=True)
    return Tally(*map(sum, columns))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which viewings of a user the figures are of."""

    year: int | None = None
    profile: str = ""
    entry: int | None = None

    def viewings(self, user: User) -> ViewingQuerySet:
        """Those of any year: what a series took may have begun in another one."""
        found = Viewing.objects.of(user).shown()
        if self.profile:
            found = found.exclude(profile="").filter(profile=self.profile)
        return found.filter(entry=self.entry) if self.entry else found


class Shown(NamedTuple):
    """What was watched of an entry in a month; days are those of the month, 0 for none.

    `first` is the day of the first viewing and `last` of the last new one; `most` episodes were
    watched on the day `most_on`, the latest of several. `timed` of the times have seconds.
    """

    entry: int
    kind: str
    times: int
    seconds: int
    timed: int
    new: int
    first: int
    last: int
    most: int
    most_on: int


@dataclass(frozen=True, slots=True)
class Month:
    """The sums of a month: by day of the month (0 in `UNDATED`), by hour, and by entry.

    Those by entry are lists in the order of `Shown` where they come from the database: there
    are ten thousands of them.
    """

    days: dict[int, Tally]
    hours: dict[int, Tally]
    shown: Sequence[Shown]

    def packed(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {"days": self.days, "hours": self.hours, "shown": self.shown}

    @classmethod
    def unpacked(cls, kept: Mapping[str, Any]) -> Month:
        return cls(
            {int(day): Tally(*tally) for day, tally in kept["days"].items()},
            {int(hour): Tally(*tally) for hour, tally in kept["hours"].items()},
            kept["shown"],
        )


@dataclass(slots=True)
class Pile:
    """What is being summed up of a profile's month, or of several together.

    By time, as text like that of `ShownHour`, and what it was: times new and again, seconds,
    how many have those, and viewings. By entry and what it was, by day: new, again, seconds, and
    of how many times.
    """

    by_time: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    by_entry: dict[tuple[int, str], dict[int, list[int]]] = field(default_factory=dict)

    def add(self, other: Pile) -> None:
        _add_each(self.by_time, other.by_time)
        for entry, days in other.by_entry.items():
            _add_each(self.by_entry.setdefault(entry, {}), days)

    def month(self) -> Month:
        days: dict[int, Tally] = defaultdict(Tally)
        hours: dict[int, Tally] = defaultdict(Tally)
        for (shown, what), (first, again, *rest) in self.by_time.items():
            match what:
                case "episode":
                    tally = Tally(first, again, 0, 0, 0, *rest)
                case "movie":
                    tally = Tally(0, 0, first, again, 0, *rest)
                case _:
                    tally = Tally(0, 0, 0, 0, first + again, *rest)
            day = int(shown[8:10] or 0)
            days[day] = days[day].plus(tally)
            if shown[11:]:
                hour = int(shown[11:])
                hours[hour] = hours[hour].plus(tally)
        return Month(dict(days), dict(hours), list(self._shown()))

    def _shown(self) -> Iterator[Shown]:
        for (entry, kind), days in self.by_entry.items():
            # Specials are neither among what was watched most nor needed to finish a series.
            if kind == "special":
                continue
            times = seconds = timed = new = last = most = most_on = 0
            for day, (first, again, taken, known) in days.items():
                times += first + again
                seconds += taken
                timed += known
                new += first
                if first and day > last:
                    last = day
                if (first + again, day) > (most, most_on):
                    most, most_on = first + again, day
            yield Shown(entry, kind, times, seconds, timed, new, min(days), last, most, most_on)


def _add_each(mine: dict[Any, list[int]], others: Mapping[Any, list[int]]) -> None:
    for key, amounts in others.items():
        there = mine.get(key)
        mine[key] = [a + b for a, b in zip(there, amounts, strict=True)] if there else amounts


# By profile, "" being everything; by month.
Months = dict[date, dict[str, Month]]


def sums_of(
    viewings: ViewingQuerySet, months: Sequence[date] | None = None, most: int | None = None
) -> Months | None:
    """Viewings summed up by month; None of more than `most`. One query.

    With `months` given, at least all viewings in these are there.
    """
    if months is None:
        rows = _rows(viewings)
    else:
        first, *others = [
            _rows(viewings.filter(DayIsKnown(), day__range=days), days)
            if days
            else _rows(viewings.filter(DayIsKnown(False)))
            for days in _spans(months)
        ]
        rows = first.union(*others, all=True) if others else first
    if most is not None:
        rows = rows[: most + 1]
    piles: dict[tuple[str, str], Pile] = defaultdict(Pile)
    count = 0
    for entry, what, time_shown, new, again, seconds, profile in _each_play_once(rows):
        count += 1
        shown = time_shown or ""
        pile = piles[shown[:7], profile]
        sums = pile.by_time.get((shown, what))
        if sums is None:
            sums = pile.by_time[shown, what] = [0, 0, 0, 0, 0]
        sums[0] += new
        sums[1] += again
        sums[4] += 1
        if seconds is not None:
            sums[2] += seconds
            sums[3] += 1
        of_entry = pile.by_entry.get((entry, what))
        if of_entry is None:
            of_entry = pile.by_entry[entry, what] = {}
        day = int(shown[8:10] or 0)
        sums = of_entry.get(day)
        if sums is None:
            sums = of_entry[day] = [0, 0, 0, 0]
        sums[0] += new
        sums[1] += again
        if seconds is not None:
            sums[2] += seconds
            sums[3] += new + again
    if most is not None and count > most:
        return None
    wholes: dict[str, Pile] = defaultdict(Pile)
    found: Months = defaultdict(dict)
    for (name, profile), pile in piles.items():
        wholes[name].add(pile)
        if profile:
            found[_month(name)][profile] = pile.month()
    for name, whole in wholes.items():
        found[_month(name)][""] = whole.month()
    return found


def _each_play_once(rows: QuerySet[Any, Sequence[Any]]) -> Iterator[Sequence[Any]]:
    """Rows without those that tell of a play once more, as two files do that spell a title in
    two ways: of the same title and hour, as long to the second, and no watch of its own."""
    plays: set[tuple[Any, ...]] = set()
    told = []
    for row in rows.iterator(chunk_size=5000):
        entry, what, shown, new, again, seconds, profile = row
        if seconds is not None and not (new or again):
            told.append(row)
            continue
        if seconds is not None:
            plays.add((entry, what, shown, seconds, profile))
        yield row
    for row in told:
        entry, what, shown, _new, _again, seconds, profile = row
        play = (entry, what, shown, seconds, profile)
        if play not in plays:
            plays.add(play)
            yield row


def _rows(
    viewings: ViewingQuerySet, days: tuple[date, date] = (date.min, date.max)
) -> QuerySet[Any, Sequence[Any]]:
    sort = Case(
        When(kind=ViewingKind.MOVIE, then=Value("movie")),
        When(SPECIAL, then=Value("special")),
        default=Value("episode"),
    )
    return viewings.order_by().values_list(
        "entry_id",
        sort,
        ShownHour(days=days),
        "seen_first",
        "seen_again",
        "duration_seconds",
        "profile",
    )


def _spans(months: Sequence[date]) -> list[tuple[date, date] | None]:
    """The days on which viewings of these months lie, as few spans; None where there is no day.

    A day of a viewing is at most one off from the day shown.
    """
    spans: list[tuple[date, date]] = []
    for month in sorted(set(months) - {UNDATED}):
        after = _following(month)
        if spans and spans[-1][1] == month:
            spans[-1] = (spans[-1][0], after)
        else:
            spans.append((month, after))
    while len(spans) > MOST_SPANS:
        # Rather more days than a longer query.
        at = min(range(len(spans) - 1), key=lambda n: spans[n + 1][0] - spans[n][1])
        spans[at : at + 2] = [(spans[at][0], spans[at + 1][1])]
    return [
        *([None] if UNDATED in months else []),
        *((first - ONE_DAY, after) for first, after in spans),
    ]


def _following(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1) if month < LAST_MONTH else date.max


def _month(name: str) -> date:
    return date(int(name[:4]), int(name[5:]), 1) if name else UNDATED


@dataclass(frozen=True, slots=True)
class Found:
    """Figures, whether nothing changed since, and the years in which something was watched."""

    figures: Figures
    is_current: bool
    years: tuple[int, ...]


def figures_of(user: User, selection: Selection) -> Found:
    """The figures of a selection; four queries at most.

    Months that changed are summed up anew, unless they hold too much for who waits for a page:
    then the figures are those from before, until `bring_up_to_date` was there.
    """
    if selection.entry:
        months = sums_of(selection.viewings(user).filter(entry=selection.entry)) or {}
        return _found(user, selection, _of_profile(months, ""), True)
    kept: dict[date, Month] = {}
    stale = []
    column = "by_profile" if selection.profile else "figures"
    for month, is_stale, zone, sums in (
        MonthFigures.objects.filter(user=user)
        .order_by("month")
        .values_list("month", "is_stale", "zone", column)
    ):
        if is_stale or zone != timezone.get_current_timezone_name():
            stale.append(month)
        if selection.profile:
            sums = (sums or {}).get(selection.profile)
        if sums:
            kept[month] = Month.unpacked(sums)
    anew: Months | None = {}
    if stale:
        anew = sums_of(Viewing.objects.of(user).shown(), stale, MOST_AT_ONCE)
    if anew is None:
        return _found(user, selection, kept, False)
    for month in stale:
        kept.pop(month, None)
    # Around their ends, the query finds viewings of months that did not change, too.
    kept |= _of_profile({month: anew[month] for month in stale if month in anew}, selection.profile)
    return _found(user, selection, kept, True)


def bring_up_to_date(user: User, seconds: float) -> bool:
    """Sum up the months that changed, the newest first, for some seconds; whether all are done."""
    ends = time.monotonic() + seconds
    zone = timezone.get_current_timezone_name()
    stale = MonthFigures.objects.filter(user=user).filter(Q(is_stale=True) | ~Q(zone=zone))
    waiting = list(stale.order_by("-month").values_list("month", flat=True))
    at_once = 1
    while waiting:
        started = time.monotonic()
        if started >= ends:
            return False
        _sum_up(user, waiting[:at_once])
        del waiting[:at_once]
        # So that nobody waits long for the lock.
        at_once = at_once * 2 if time.monotonic() - started < A_MOMENT else max(1, at_once // 2)
    return True


def _sum_up(user: User, months: Sequence[date]) -> None:
    """Keep the sums of some months, which are up to date then.

    Under the library's lock, so that nothing changes between the look at the viewings and the
    note that a month is up to date.
    """
    with library_lock(user.pk):
        rows = MonthFigures.objects.filter(user=user)
        found = sums_of(Viewing.objects.of(user).shown(), months) or {}
        rows.filter(month__in=set(months) - found.keys()).delete()
        for month in found.keys() & set(months):
            sums = found[month]
            rows.filter(month=month).update(
                is_stale=False,
                zone=timezone.get_current_timezone_name(),
                figures=sums.pop("").packed(),
                by_profile={profile: one.packed() for profile, one in sums.items()},
            )


def _of_profile(months: Months, profile: str) -> dict[date, Month]:
    return {month: sums[profile] for month, sums in months.items() if profile in sums}


def _found(
    user: User, selection: Selection, months: Mapping[date, Month], is_current: bool
) -> Found:
    years = {month.year for month in months if month != UNDATED}
    figures = _figures(user, selection, months)
    return Found(figures, is_current, tuple(sorted(years)))


def _figures(user: User, selection: Selection, months: Mapping[date, Month]) -> Figures:
    hidden, complete = _not_named_and_complete(user)
    days: dict[date, Tally] = {}
    hours: dict[int, list[Tally]] = defaultdict(list)
    undated = NOTHING
    tops: dict[str, dict[int, list[int]]] = {"episode": {}, "movie": {}}
    binges: list[tuple[int, int, int]] = []
    finishing: dict[int, list[int]] = {}
    for month, sums in sorted(months.items()):
        before = month.toordinal() - 1
        is_chosen = selection.year in (None, month.year)
        if is_chosen and month == UNDATED:
            undated = total(sums.days.values())
        elif is_chosen:
            for day in sorted(sums.days):
                days[date.fromordinal(before + day)] = sums.days[day]
            for hour, tally in sums.hours.items():
                hours[hour].append(tally)
        for entry, kind, times, seconds, timed, new, first, last, most, most_on in sums.shown:
            if entry in hidden:
                continue
            if is_chosen:
                top = tops[kind].get(entry)
                if top is None:
                    tops[kind][entry] = [times, seconds, timed]
                else:
                    top[0] += times
                    top[1] += seconds
                    top[2] += timed
                if most and month != UNDATED and kind == "episode":
                    binges.append((-most, -before - most_on, entry))
            if entry in complete and kind == "episode":
                one = finishing.setdefault(entry, [0, 0, date.max.toordinal(), 0])
                one[0] += new
                if month == UNDATED:
                    one[1] += new
                else:
                    one[2] = min(one[2], before + first)
                    one[3] = max(one[3], before + last if last else 0)
    finished = _finished(finishing, complete, selection.year)
    found, numbers = _tops(tops)
    binge = min(binges, default=None)
    first_entry, last_entry = _ends(selection.viewings(user), days, hidden)
    return Figures(
        days=days,
        hours=tuple(total([NOTHING, *hours[hour]]) for hour in range(24)),
        undated=undated,
        tops=found,
        series=numbers["episode"],
        movies=numbers["movie"],
        binge=Binge(binge[2], date.fromordinal(-binge[1]), -binge[0]) if binge else None,
        finished=finished[:MOST_FINISHED],
        finished_count=len(finished),
        first=first_entry,
        last=last_entry,
    )


def _not_named_and_complete(user: User) -> tuple[set[int], dict[int, int]]:
    """What counts but is not spoken of, and the complete series with their numbers of episodes."""
    entries = LibraryEntry.objects.of(user).order_by()
    rows = list(
        entries.not_visible(user)
        .values_list("pk", Value(-1, output_field=IntegerField()))
        .union(entries.complete().values_list("pk", "watched_episodes_count"), all=True)
    )
    return (
        {pk for pk, episodes in rows if episodes < 0},
        {pk: episodes for pk, episodes in rows if episodes >= 0},
    )


def _tops(
    sums: Mapping[str, Mapping[int, list[int]]],
) -> tuple[tuple[Top, ...], dict[str, int]]:
    """What was watched most, series and films apart, and of how many of each something was."""
    found: list[Top] = []
    numbers = {}
    for kind, of_entry in sums.items():
        ranked = [
            (-times, -seconds, pk, timed)
            for pk, (times, seconds, timed) in of_entry.items()
            if times
        ]
        numbers[kind] = len(ranked)
        found += [
            Top(pk, kind, -times, -seconds, timed)
            for times, seconds, pk, timed in nsmallest(TOPS, ranked)
        ]
    return tuple(found), numbers


def _finished(
    sums: Mapping[int, list[int]], complete: Mapping[int, int], year: int | None
) -> tuple[Finished, ...]:
    """The complete series that these viewings alone finished, in a year, the newest first.

    Not those of which nobody knows when the last missing episode was watched.
    """
    found = [
        Finished(entry, date.fromordinal(first), date.fromordinal(last), episodes)
        for entry, (episodes, undated, first, last) in sums.items()
        if not undated and last and episodes >= complete[entry]
    ]
    return tuple(
        sorted(
            (one for one in found if year in (None, one.last.year)),
            key=lambda one: (-one.last.toordinal(), one.entry),
        )
    )


def _ends(
    viewings: ViewingQuerySet, days: Mapping[date, Tally], hidden: set[int]
) -> tuple[int | None, int | None]:
    """What was watched first and last, where it may be named."""
    if not days:
        return None, None
    start, end = min(days), max(days)
    # A union, because SQLite takes no two ranges from one index.
    on_start, on_end = (
        viewings.filter(shown_on(day, day))
        .order_by()
        .values_list("pk", "day", "watched_at", "entry_id")
        for day in (start, end)
    )
    rows = [
        (shown_day(day, moment), moment, pk, entry)
        for pk, day, moment, entry in sorted(on_start.union(on_end), key=lambda row: row[0])
        if entry not in hidden
    ]
    # Among those of one day, of which only some have a time, these are known to be in order.
    timed = [(moment, pk, entry) for _, moment, pk, entry in rows if moment]

    def of(day: date, which: Any) -> int | None:
        known = [row for row in timed if timezone.localdate(row[0]) == day]
        if known:
            return int(which(known)[2])
        return next((entry for shown, _, _, entry in rows if shown == day), None)

    return of(start, min), of(end, max)
