"""What the statistics show, made ready so that their templates need no logic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from urllib.parse import urlencode

from django import forms
from django.core.cache import cache
from django.db import models
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import formats
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.translation import (
    get_language,
    gettext_lazy,
    ngettext,
    npgettext,
    pgettext,
    pgettext_lazy,
)
from django.utils.translation import gettext as _

from accounts.models import User
from media import charts
from media.charts import Calendar, Cell, Column, Columns
from media.models import LibraryEntry, Media, Viewing
from media.pages import Choice
from media.statistics import (
    Figures,
    Finished,
    Found,
    Selection,
    Streak,
    Tally,
    Top,
    figures_of,
)
from media.statistics import total as total_of
from media.tasks import work_out_statistics
from media.titles import put_into_language

FINISHED_SHOWN = 12
MOVIES_SHOWN = 6
# So many months have room for a column each.
MOST_YEARS_OF_MONTHS = 30
# Files may tell of any, if by mistake: see imports/reading/dates.py.
YEAR_MIN, YEAR_MAX = 1900, 9998


class Measure(models.TextChoices):
    """What the charts count; the value stands in the address."""

    ALL = "all", pgettext_lazy("statistics", "Everything")
    EPISODES = "episodes", gettext_lazy("Episodes")
    MOVIES = "movies", gettext_lazy("Movies")
    HOURS = "hours", gettext_lazy("Hours")

    def stack(self, tally: Tally) -> tuple[float, ...]:
        """The stacked values of a tally, lowest first; see `legend`."""
        match self:
            case Measure.EPISODES:
                return (tally.new_episodes, tally.episodes_again)
            case Measure.MOVIES:
                return (tally.new_movies, tally.movies_again)
            case Measure.HOURS:
                return (tally.hours,)
            case Measure.ALL:
                return (tally.episodes + tally.specials, tally.movies)

    def amount(self, tally: Tally) -> float:
        return sum(self.stack(tally))

    def words(self, tally: Tally) -> str:
        """ "5 episodes, 1 movie", as far as this measure counts them."""
        said = []
        if self == Measure.HOURS:
            return time_text(tally.seconds)
        if self != Measure.MOVIES and tally.episodes:
            said.append(episodes_text(tally.episodes))
        if self == Measure.ALL and tally.specials:
            text = ngettext("%(number)s special", "%(number)s specials", tally.specials)
            said.append(text % {"number": number(tally.specials)})
        if self != Measure.EPISODES and tally.movies:
            said.append(movies_text(tally.movies))
        return ", ".join(said) or pgettext("watched", "nothing")

    @property
    def legend(self) -> tuple[str, ...]:
        match self:
            case Measure.ALL:
                return (_("Episodes"), _("Movies"))
            case Measure.HOURS:
                return ()
            case _:
                return (pgettext("watched", "For the first time"), pgettext("watched", "Again"))


def number(value: float) -> str:
    """A whole number as the language of the page groups its digits."""
    return formats.number_format(round(value), force_grouping=True)


def episodes_text(episodes: int) -> str:
    text = ngettext("%(number)s episode", "%(number)s episodes", episodes)
    return text % {"number": number(episodes)}


def movies_text(movies: int) -> str:
    text = ngettext("%(number)s movie", "%(number)s movies", movies)
    return text % {"number": number(movies)}


def days_text(days: int) -> str:
    return ngettext("%(number)s day", "%(number)s days", days) % {"number": number(days)}


def time_text(seconds: int) -> str:
    """ "412 h", or "52 min" of less than an hour."""
    if seconds < 3600:
        return _("%(minutes)s min") % {"minutes": round(seconds / 60)}
    return _("%(hours)s h") % {"hours": number(seconds / 3600)}


def whole_date(day: date) -> str:
    """ "12 Mar 2024"."""
    return _whole_date(day, get_language())


# Ten years of days stand on one page.
@lru_cache(maxsize=10_000)
def _whole_date(day: date, language: str | None) -> str:
    return formats.date_format(day, pgettext("day of another year", "j M Y"))


@dataclass(frozen=True, slots=True)
class StatisticsQuery:
    """One state of the statistics; every state has an address of its own."""

    selection: Selection = field(default_factory=Selection)
    measure: Measure = Measure.ALL

    def address(self, **changes: object) -> str:
        """The query string of this state with `changes`; what is usual is left out."""
        wanted: dict[str, object] = {
            "year": self.selection.year,
            "profile": self.selection.profile,
            "series": self.selection.entry,
            "of": "" if self.measure == Measure.ALL else self.measure.value,
        }
        wanted |= changes
        query = urlencode({name: value for name, value in wanted.items() if value})
        return f"{reverse('media:statistics')}{'?' if query else ''}{query}"

    @property
    def filters(self) -> int:
        """How many of the filters in the menu are in use."""
        return bool(self.selection.profile) + bool(self.selection.entry)


class StatisticsForm(forms.Form):
    """Reads a state from an address; what makes no sense there is as if it were not there."""

    year = forms.IntegerField(min_value=YEAR_MIN, max_value=YEAR_MAX, required=False)
    profile = forms.CharField(max_length=200, required=False)
    series = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    of = forms.ChoiceField(choices=Measure.choices, required=False)

    def query(self) -> StatisticsQuery:
        self.is_valid()
        given = self.cleaned_data
        return StatisticsQuery(
            Selection(given.get("year"), given.get("profile") or "", given.get("series")),
            Measure(given.get("of") or Measure.ALL),
        )


@dataclass(frozen=True, slots=True)
class Day:
    """A cell of the calendar that leads to the history of its day."""

    cell: Cell
    address: str
    words: str


@dataclass(frozen=True, slots=True)
class YearView:
    """A year as a calendar."""

    calendar: Calendar
    days: tuple[Day, ...]
    months: tuple[tuple[int, str], ...]
    tally: Tally
    words: str
    address: str
    table: str
    gap: str
    """What lies between it and the calendar above."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A column with its name below, where there is room for it, and in words."""

    column: Column
    label: str
    words: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table behind a chart."""

    name: str
    address: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """What a chart draws, in numbers: everything that any measure counts."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class ChartView:
    """Columns with their words, and the table behind them."""

    name: str
    title: str
    chart: Columns
    bars: tuple[Bar, ...]
    table: Table
    ticks: tuple[tuple[str, str], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class TopView:
    """A series or film among those watched most."""

    entry: LibraryEntry
    media: Media
    words: str
    facts: str
    share: str
    address: str
    times: int


@dataclass(frozen=True, slots=True)
class FinishedView:
    entry: LibraryEntry
    media: Media
    last: date
    episodes: str
    took: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a whole, to draw and in words."""

    words: str
    share: str
    start: str
    percent: str


@dataclass(frozen=True, slots=True)
class Record:
    """Something remarkable: a large figure, what it is, and where it leads."""

    name: str
    figure: str
    words: str
    address: str = ""
    entry: LibraryEntry | None = None


@dataclass(frozen=True, slots=True)
class StatisticsPage:
    query: StatisticsQuery
    figures: Figures
    total: Tally
    entry: LibraryEntry | None
    years: tuple[Choice, ...]
    measures: tuple[Choice, ...]
    profiles: tuple[str, ...]
    headline: tuple[Record, ...]
    calendars: tuple[YearView, ...]
    legend: tuple[str, ...]
    months: ChartView | None
    weekdays: ChartView | None
    hours: ChartView | None
    records: tuple[Record, ...]
    series: tuple[TopView, ...]
    movies: tuple[TopView, ...]
    finished: tuple[FinishedView, ...]
    finished_count: str
    days: Table | None
    choices: tuple[LibraryEntry, ...]
    splits: tuple[tuple[Part, ...], ...]
    known: str
    undated: str
    is_empty: bool
    is_current: bool

    @property
    def unfiltered(self) -> str:
        return self.query.address(profile="", series="")


def statistics_page(user: User, query: StatisticsQuery) -> StatisticsPage:
    """The statistics of a user; a fixed number of queries at any size.

    Raises Http404 for a series that is not in the user's library.
    """
    selection = query.selection
    entry = None
    if selection.entry:
        of_user = LibraryEntry.objects.of(user).select_related("media")
        entry = get_object_or_404(of_user, pk=selection.entry)
        put_into_language([entry], user)
    found = current_figures(user, selection)
    figures = found.figures
    entries = named_entries(user, figures)
    total = figures.total
    return StatisticsPage(
        query=query,
        figures=figures,
        total=total,
        entry=entry,
        years=_years(query, found.years),
        measures=_measures(query, total),
        profiles=Viewing.objects.profiles_of(user),
        headline=headline(figures),
        calendars=calendars(figures, query),
        legend=query.measure.legend if all(query.measure.stack(total)) else (),
        months=months(figures, query),
        weekdays=weekdays(figures, query.measure),
        hours=hours(figures, query.measure),
        records=records(figures, entries),
        series=tops(figures, entries, "episode", query),
        movies=tuple(top for top in tops(figures, entries, "movie", query) if top.times > 1),
        finished=finished(figures.finished[:FINISHED_SHOWN], entries),
        finished_count=number(figures.finished_count),
        days=days(figures, selection.profile) if selection.year else None,
        choices=_choices(figures, entries, entry),
        splits=splits(total),
        known=known(total),
        undated=undated(figures),
        is_empty=figures.is_empty,
        is_current=found.is_current,
    )


def current_figures(user: User, selection: Selection) -> Found:
    """The figures of a selection; where they are not up to date, a task sees to that."""
    found = figures_of(user, selection)
    # Whoever looks again and again needs no more than one task.
    if not found.is_current and cache.add(f"statistics:{user.pk}", 1, 20):
        work_out_statistics.enqueue(user.pk)
    return found


def named_entries(user: User, figures: Figures) -> Mapping[int, LibraryEntry]:
    """The entries that the figures speak of, with their posters and names; one query."""
    entries = LibraryEntry.objects.of(user).with_own_name().with_own_language()
    entries = entries.select_related("media")
    found = entries.in_bulk(list(figures.named))
    put_into_language(list(found.values()), user)
    return found


def _years(query: StatisticsQuery, watched: Iterable[int]) -> tuple[Choice, ...]:
    """The years to choose from, newest first."""
    chosen = query.selection.year
    years = {*watched, chosen}
    if not any(years):
        return ()
    everything = Choice(_("All years"), query.address(year=""), not chosen)
    return (
        everything,
        *(
            Choice(str(year), query.address(year=year), year == chosen)
            for year in sorted(filter(None, years), reverse=True)
        ),
    )


def _choices(
    figures: Figures, entries: Mapping[int, LibraryEntry], chosen: LibraryEntry | None
) -> tuple[LibraryEntry, ...]:
    """The series and films to choose from: those watched most, by name."""
    found = {top.entry: entries[top.entry] for top in figures.tops if top.entry in entries}
    if chosen:
        found[chosen.pk] = chosen
    return tuple(sorted(found.values(), key=lambda entry: entry.media.shown_title.casefold()))


def days(figures: Figures, profile: str = "") -> Table | None:
    """The days on which something was watched, each with its address."""
    return table(
        (whole_date(day), history_of(day, profile), figures.days[day])
        for day in figures.watched_days()
    )


def table(named: Iterable[tuple[str, str, Tally]]) -> Table:
    """The table of what was watched, each with a name and an address or none.

    Specials, and what was watched again, have a column where there are any.
    """
    found = tuple(named)
    whole = total_of(tally for _name, _address, tally in found)
    columns: list[tuple[str, Callable[[Tally], str]]] = [
        (_("Episodes"), lambda tally: number(tally.episodes)),
    ]
    if whole.episodes_again:
        columns.append((_("of these again"), lambda tally: number(tally.episodes_again)))
    if whole.specials:
        columns.append((_("Specials"), lambda tally: number(tally.specials)))
    columns.append((_("Movies"), lambda tally: number(tally.movies)))
    if whole.movies_again:
        columns.append((_("of these again"), lambda tally: number(tally.movies_again)))
    if whole.timed:
        columns.append((_("Time"), lambda tally: time_text(tally.seconds) if tally.timed else "–"))
    return Table(
        tuple(name for name, _cell in columns),
        tuple(
            Row(name, address, tuple(cell(tally) for _name, cell in columns))
            for name, address, tally in found
        ),
    )


def history_of(day: date, profile: str = "") -> str:
    """The address of the history of a day."""
    query = {"day": day.isoformat()} | ({"profile": profile} if profile else {})
    return f"{reverse('history')}?{urlencode(query)}"


def _measures(query: StatisticsQuery, total: Tally) -> tuple[Choice, ...]:
    """What the charts can count: what there is any of."""
    return tuple(
        Choice(measure.label, query.address(of=measure.value), measure == query.measure)
        for measure in Measure
        if measure in (Measure.ALL, query.measure) or measure.amount(total)
    )


def headline(figures: Figures) -> tuple[Record, ...]:
    """The largest figures of all."""
    total = figures.total
    said = [
        (ngettext("episode", "episodes", total.episodes), number(total.episodes), total.episodes),
        (
            npgettext("number of", "movie", "movies", total.movies),
            number(total.movies),
            total.movies,
        ),
        (hours_name(total), number(total.hours), total.seconds >= 1800 and are_mostly_known(total)),
        (
            npgettext("number of", "series", "series", figures.series),
            number(figures.series),
            figures.series if figures.series > 1 else 0,
        ),
        (
            ngettext("day", "days", len(figures.watched_days())),
            number(len(figures.watched_days())),
            len(figures.days),
        ),
        (
            npgettext("number of", "special", "specials", total.specials),
            number(total.specials),
            total.specials,
        ),
    ]
    return tuple(Record(name, figure, "") for name, figure, is_there in said if is_there)


def are_mostly_known(total: Tally) -> bool:
    """Whether files tell how long at least half of it took: the hours of less say little."""
    return 2 * total.timed >= total.viewings > 0


def hours_name(total: Tally) -> str:
    """What a large number of hours is called, where some are not known."""
    hours = round(total.hours)
    if total.timed == total.viewings:
        return ngettext("hour", "hours", hours)
    return ngettext("known hour", "known hours", hours)


def calendars(figures: Figures, query: StatisticsQuery) -> tuple[YearView, ...]:
    """Each year with something as a calendar, the newest first, all by one scale."""
    measure, profile = query.measure, query.selection.profile
    values = {day: measure.amount(tally) for day, tally in figures.days.items()}
    limits = charts.thresholds([value for value in values.values() if value])
    before, _day, after = history_of(date.min, profile).partition(date.min.isoformat())
    views: list[YearView] = []
    for year, tally in sorted(figures.by_year().items(), reverse=True):
        if not tally.viewings:
            continue
        drawn = charts.calendar(
            year, {day: value for day, value in values.items() if day.year == year}, limits
        )
        views.append(
            YearView(
                calendar=drawn,
                days=tuple(
                    Day(
                        cell,
                        f"{before}{cell.day}{after}",
                        f"{whole_date(cell.day)}: {measure.words(figures.days[cell.day])}",
                    )
                    for cell in drawn.cells
                ),
                months=tuple(
                    (month.x, formats.date_format(month.first, "M")) for month in drawn.months
                ),
                tally=tally,
                words=measure.words(tally),
                address=reverse("media:year", args=[year]),
                # Of many years, the days of one are listed once it is chosen.
                table="" if query.selection.year else f"{query.address(year=year)}#days",
                gap=_gap_before(views[-1].calendar.year, year) if views else "",
            )
        )
    return tuple(views)


def _gap_before(later: int, year: int) -> str:
    """Of the years between two calendars, that there is nothing in them."""
    if later - year == 1:
        return ""
    if later - year == 2:
        return _("Nothing in %(year)s.") % {"year": year + 1}
    return _("Nothing from %(first)s to %(last)s.") % {"first": year + 1, "last": later - 1}


def _chart(
    name: str,
    title: str,
    measure: Measure,
    named: Sequence[tuple[str, str, Tally, str]],
    note: str = "",
) -> ChartView | None:
    """A chart of columns: each its label, its whole name, what was watched, and an address."""
    tallies = [tally for _label, _name, tally, _address in named]
    if not any(measure.amount(tally) for tally in tallies):
        return None
    whole = measure != Measure.HOURS
    drawn = charts.columns([measure.stack(tally) for tally in tallies], whole=whole)
    return ChartView(
        name=name,
        title=title,
        chart=drawn,
        bars=tuple(
            Bar(column, label, f"{whole_name}: {measure.words(tally)}", address)
            for column, (label, whole_name, tally, address) in zip(
                drawn.columns, named, strict=True
            )
        ),
        table=table((whole_name, address, tally) for _label, whole_name, tally, address in named),
        ticks=tuple((tick.y, tick_text(tick.value)) for tick in drawn.ticks),
        note=note,
    )


def tick_text(value: float) -> str:
    if float(value).is_integer():
        return number(value)
    return formats.number_format(f"{value:g}")


def months(figures: Figures, query: StatisticsQuery) -> ChartView | None:
    """By month: the twelve of a year, or all from the first to the last; of a longer time by year."""
    year = query.selection.year
    years = figures.by_year()
    if len(years) > MOST_YEARS_OF_MONTHS:
        by_year = [
            (str(one) if one % (len(years) // 10) == 0 else "", str(one), tally, "")
            for one, tally in years.items()
        ]
        return _chart("months", _("By year"), query.measure, by_year)
    found = figures.by_month()
    if year:
        found = {
            date(year, month, 1): found.get(date(year, month, 1), Tally()) for month in range(1, 13)
        }
    named = []
    for first, tally in found.items():
        if year:
            label = formats.date_format(first, "M")
        else:
            # A longer history has room for the years alone.
            label = str(first.year) if first.month == 1 else ""
            if len(found) <= 12:
                label = formats.date_format(first, "M")
        named.append((label, formats.date_format(first, "YEAR_MONTH_FORMAT"), tally, ""))
    return _chart("months", _("By month"), query.measure, named)


def weekdays(figures: Figures, measure: Measure) -> ChartView | None:
    named = [
        (str(WEEKDAYS_ABBR[day]), str(WEEKDAYS[day]), tally, "")
        for day, tally in enumerate(figures.by_weekday())
    ]
    return _chart("weekdays", _("By day of the week"), measure, named)


def hours(figures: Figures, measure: Measure) -> ChartView | None:
    """By hour of the day, of what has a time."""
    timed = sum(tally.viewings for tally in figures.hours)
    viewings = figures.total.viewings - figures.undated.viewings
    note = ""
    if timed < viewings:
        note = _("Of %(timed)s viewings whose time a file tells; %(others)s have a day only.") % {
            "timed": number(timed),
            "others": number(viewings - timed),
        }
    named = [
        (
            str(hour) if hour % 6 == 0 else "",
            _("%(from)s to %(to)s o’clock") % {"from": hour, "to": hour + 1},
            tally,
            "",
        )
        for hour, tally in enumerate(figures.hours)
    ]
    return _chart("hours", _("By hour of the day"), measure, named, note)


def streak_text(streak: Streak) -> str:
    return _("from %(first)s to %(last)s") % {
        "first": whole_date(streak.first),
        "last": whole_date(streak.last),
    }


def records(figures: Figures, entries: Mapping[int, LibraryEntry]) -> tuple[Record, ...]:
    """What is remarkable: streak, binge, the day with most, the first and the last."""
    found = []
    if (streak := figures.streak()) and streak.days > 1:
        found.append(Record(_("Longest streak"), days_text(streak.days), streak_text(streak)))
    if (busiest := figures.busiest()) and figures.days[busiest].titles > 1:
        found.append(
            Record(
                _("Busiest day"),
                Measure.ALL.words(figures.days[busiest]),
                whole_date(busiest),
                history_of(busiest),
            )
        )
    binge = figures.binge
    if binge and binge.episodes > 1 and (entry := entries.get(binge.entry)):
        found.append(
            Record(
                _("Biggest binge"),
                episodes_text(binge.episodes),
                _("%(title)s, %(day)s")
                % {"title": entry.media.shown_title, "day": whole_date(binge.day)},
                history_of(binge.day),
                entry,
            )
        )
    if figures.first_day and figures.last_day and figures.first_day < figures.last_day:
        for name, day, pk in (
            (_("First"), figures.first_day, figures.first),
            (pgettext("viewing", "Last"), figures.last_day, figures.last),
        ):
            if entry := entries.get(pk or 0):
                found.append(
                    Record(
                        name,
                        entry.media.shown_title,
                        whole_date(day),
                        history_of(day),
                        entry,
                    )
                )
    return tuple(found)


def tops(
    figures: Figures, entries: Mapping[int, LibraryEntry], kind: str, query: StatisticsQuery
) -> tuple[TopView, ...]:
    """What was watched most, of one kind; nothing when a single series was chosen."""
    if query.selection.entry:
        return ()
    found = [top for top in figures.tops if top.kind == kind and top.entry in entries]
    most = max((top.times for top in found), default=0)
    return tuple(
        TopView(
            entry=entries[top.entry],
            media=entries[top.entry].media,
            words=times_text(top),
            facts=time_text(top.seconds) if 2 * top.timed >= top.times and top.seconds else "",
            share=charts.share(top.times, most),
            address=query.address(series=top.entry),
            times=top.times,
        )
        for top in found
    )


def times_text(top: Top) -> str:
    if top.kind == "episode":
        return episodes_text(top.times)
    return ngettext("%(number)s time", "%(number)s times", top.times) % {
        "number": number(top.times)
    }


def finished(
    some: Iterable[Finished], entries: Mapping[int, LibraryEntry]
) -> tuple[FinishedView, ...]:
    return tuple(
        FinishedView(
            entries[one.entry],
            entries[one.entry].media,
            one.last,
            number(one.episodes),
            days_text(one.days),
        )
        for one in some
        if one.entry in entries
    )


def splits(total: Tally) -> tuple[tuple[Part, ...], ...]:
    """Series against movies, and what was new against what was watched again."""
    again = total.episodes_again + total.movies_again
    new = total.new_episodes + total.new_movies
    found = []
    if total.episodes and total.movies:
        found.append(
            _split(
                (episodes_text(total.episodes), total.episodes),
                (movies_text(total.movies), total.movies),
            )
        )
    if again and new:
        found.append(
            _split(
                (_("%(number)s for the first time") % {"number": number(new)}, new),
                (_("%(number)s watched before") % {"number": number(again)}, again),
            )
        )
    return tuple(found)


def _split(*parts: tuple[str, int]) -> tuple[Part, ...]:
    whole = sum(size for _words, size in parts)
    found = []
    start = 0
    for words, size in parts:
        found.append(
            Part(
                words,
                charts.share(size, whole),
                charts.share(start, whole),
                _("%(percent)s%%") % {"percent": round(100 * size / whole)},
            )
        )
        start += size
    return tuple(found)


def undated(figures: Figures) -> str:
    """How much of the figures is in none of the charts."""
    titles = figures.undated.titles
    if not titles:
        return ""
    return ngettext(
        "%(number)s viewing has no day, and is in none of the charts.",
        "%(number)s viewings have no day, and are in none of the charts.",
        titles,
    ) % {"number": number(titles)}


def known(total: Tally) -> str:
    """Of how much the hours are, where that is not everything."""
    if not total.timed or total.timed == total.viewings:
        return ""
    return _(
        "The hours are those of %(timed)s of %(viewings)s viewings: only ViewingActivity.csv tells how long."
    ) % {
        "timed": number(total.timed),
        "viewings": number(total.viewings),
    }
