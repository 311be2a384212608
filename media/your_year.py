"""One year of somebody's, as a page to show around, and as a picture that stands alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from unicodedata import east_asian_width

from django.db.models import prefetch_related_objects
from django.urls import reverse
from django.utils import formats
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from media.bars import Bar
from media.charts import CELL
from media.models import LibraryEntry
from media.pages import make_cards
from media.statistics import Figures, Selection
from media.statistics_pages import (
    ChartView,
    FinishedView,
    Measure,
    Record,
    StatisticsQuery,
    Table,
    TopView,
    YearView,
    calendars,
    current_figures,
    days,
    episodes_text,
    finished,
    headline,
    known,
    months,
    named_entries,
    number,
    records,
    tops,
    whole_date,
)

POSTERS = 6
# From when on something is worth telling.
MUCH, FEW = 20, 5


@dataclass(frozen=True, slots=True)
class YearPage:
    year: int
    figures: Figures
    headline: tuple[Record, ...]
    calendar: YearView | None
    months: ChartView | None
    tops: tuple[TopView, ...]
    records: tuple[Record, ...]
    finished: tuple[FinishedView, ...]
    days: Table | None
    known: str
    odd: str
    before: int | None
    after: int | None
    statistics: str
    legend: tuple[str, ...]
    is_current: bool

    @property
    def is_empty(self) -> bool:
        return self.figures.is_empty


def year_page(user: User, year: int) -> YearPage:
    """A year of a user; a fixed number of queries at any size."""
    found = current_figures(user, Selection(year))
    figures = found.figures
    entries = named_entries(user, figures)
    query = StatisticsQuery(Selection(year))
    most = [*tops(figures, entries, "episode", query), *tops(figures, entries, "movie", query)]
    return YearPage(
        year=year,
        figures=figures,
        headline=headline(figures),
        calendar=next(iter(calendars(figures, query)), None),
        months=months(figures, query),
        tops=tuple(most[:POSTERS]),
        records=records(figures, entries),
        finished=finished(figures.finished, entries),
        days=days(figures),
        known=known(figures.total),
        odd=oddest(figures, entries),
        before=max((other for other in found.years if other < year), default=None),
        after=min((other for other in found.years if other > year), default=None),
        statistics=reverse("media:statistics") + f"?year={year}",
        legend=Measure.ALL.legend if all(Measure.ALL.stack(figures.total)) else (),
        is_current=found.is_current,
    )


def oddest(figures: Figures, entries: Mapping[int, LibraryEntry]) -> str:
    """The oddest fact: of all that are true, the one furthest from what is usual.

    Each candidate comes with how many times as much it is as one would expect; the first of
    equals wins.
    """
    facts = list(_odd_facts(figures, entries))
    return max(facts, key=lambda fact: fact[0])[1] if facts else ""


def _odd_facts(
    figures: Figures, entries: Mapping[int, LibraryEntry]
) -> Iterator[tuple[float, str]]:
    watched = figures.watched_days()
    total = figures.total
    if not watched:
        return
    usual = total.titles / len(watched)
    binge = figures.binge
    if binge and binge.episodes >= FEW and binge.entry in entries:
        yield (
            binge.episodes / usual,
            _("On %(day)s you watched %(episodes)s of %(title)s.")
            % {
                "day": whole_date(binge.day),
                "episodes": episodes_text(binge.episodes),
                "title": entries[binge.entry].media.shown_title,
            },
        )
    if (gap := figures.gap()) and gap.days >= 14 and len(watched) >= MUCH:
        span = (watched[-1] - watched[0]).days + 1
        yield (
            gap.days / (span / len(watched)) / 10,
            _("For %(days)s days, from %(first)s to %(last)s, you watched nothing at all.")
            % {
                "days": gap.days,
                "first": whole_date(gap.first),
                "last": whole_date(gap.last),
            },
        )
    if total.titles >= MUCH:
        weekdays = figures.by_weekday()
        most = max(range(7), key=lambda day: weekdays[day].titles)
        yield (
            weekdays[most].titles / total.titles * 7,
            _("%(percent)s%% of everything was watched on a %(weekday)s.")
            % {
                "percent": round(100 * weekdays[most].titles / total.titles),
                "weekday": WEEKDAYS[most],
            },
        )
    night = sum(tally.titles for tally in figures.hours[:5])
    if night >= FEW:
        timed = sum(tally.titles for tally in figures.hours)
        yield (
            # Few people watch then at all: a tenth is much.
            night / timed * 10,
            ngettext(
                "%(number)s time you were still watching between midnight and five.",
                "%(number)s times you were still watching between midnight and five.",
                night,
            )
            % {"number": number(night)},
        )
    yield from _odd_titles(figures, entries, usual)
    year = watched[0].year
    for month, day, oddity in ((2, 29, 2.5), (12, 24, 1.6), (1, 1, 1.4), (12, 31, 1.3)):
        tally = next((figures.days[d] for d in watched if (d.month, d.day) == (month, day)), None)
        if tally:
            yield (
                oddity,
                _("Even on %(day)s: %(watched)s.")
                % {
                    "day": formats.date_format(date(year, month, day), "MONTH_DAY_FORMAT"),
                    "watched": Measure.ALL.words(tally),
                },
            )


def _odd_titles(
    figures: Figures, entries: Mapping[int, LibraryEntry], usual: float
) -> Iterator[tuple[float, str]]:
    episodes = figures.total.episodes
    for top in figures.tops:
        if top.entry not in entries:
            continue
        title = entries[top.entry].media.shown_title
        if top.kind == "movie" and top.times >= 3:
            yield (
                float(top.times),
                _("You watched %(title)s %(number)s times.")
                % {"title": title, "number": number(top.times)},
            )
        if top.kind == "episode" and figures.series >= FEW and top.times >= MUCH:
            yield (
                top.times / episodes * min(figures.series, 8),
                _("%(percent)s%% of all episodes were of a single series: %(title)s.")
                % {"percent": round(100 * top.times / episodes), "title": title},
            )
    for done in figures.finished:
        if done.entry in entries and done.episodes >= 6:
            yield (
                done.episodes / done.days / usual,
                ngettext(
                    "%(title)s, all %(episodes)s episodes, took you %(days)s day.",
                    "%(title)s, all %(episodes)s episodes, took you %(days)s days.",
                    done.days,
                )
                % {
                    "title": entries[done.entry].media.shown_title,
                    "episodes": done.episodes,
                    "days": done.days,
                },
            )


@dataclass(frozen=True, slots=True)
class Line:
    """A title of the picture, with its season-cut bar where a total is known."""

    title: str
    words: str
    y: int
    bar_y: int
    share: str
    bar: Bar | None


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    figure: str
    x: int


@dataclass(frozen=True, slots=True)
class Level:
    """The days of one level in one path, and its colour."""

    fill: str
    path: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A year as a picture of 1080 by 1350, the size in which pictures are sent around."""

    year: int
    figures: tuple[Figure, ...]
    calendar: YearView
    lines: tuple[Line, ...]
    odd: tuple[tuple[int, str], ...]
    levels: tuple[Level, ...]
    words: str


# From the track to the accent of static/css/tokens.css, as statistics.css mixes them.
LEVEL_FILLS = ("#d9b8a0", "#d08f6a", "#c36a38", "#b3420c")
LINES = 5
MOST_FIGURES = 4
LINE_FROM, LINE_STEP = 790, 74
# The first line of the oddest fact, and from one to the next.
ODD_FROM, ODD_STEP = 1206, 44
ODD_LINES = 2


def year_picture(page: YearPage) -> Picture | None:
    """The picture of a year; None of a year without anything."""
    if page.calendar is None:
        return None
    top = page.tops[:LINES]
    shown = [one.entry for one in top]
    prefetch_related_objects(shown, "media__seasons")
    cards = make_cards(shown)
    return Picture(
        year=page.year,
        figures=tuple(placed(page.headline[:MOST_FIGURES])),
        calendar=page.calendar,
        lines=tuple(
            Line(
                clipped(one.media.shown_title, 34),
                one.words,
                LINE_FROM + at * LINE_STEP,
                LINE_FROM + at * LINE_STEP + 18,
                one.share,
                card.bar,
            )
            for at, (one, card) in enumerate(zip(top, cards, strict=True))
        ),
        odd=tuple(
            (ODD_FROM + at * ODD_STEP, line)
            for at, line in enumerate(wrapped(page.odd, 50, ODD_LINES))
        ),
        levels=tuple(
            Level(
                fill,
                "".join(
                    f"M{day.cell.x} {day.cell.y}h{CELL}v{CELL}h-{CELL}z"
                    for day in page.calendar.days
                    if day.cell.level == level
                ),
            )
            for level, fill in enumerate(LEVEL_FILLS, start=1)
        ),
        words=page.calendar.words,
    )


def placed(records: Iterable[Record]) -> Iterator[Figure]:
    """Large figures beside one another, each with as much room as it takes."""
    x = 80
    for one in records:
        yield Figure(one.name, one.figure, x)
        x += round(max(width(one.figure) * 43, width(one.name) * 14)) + 62


def width(text: str) -> float:
    """How wide a text is, roughly, in letters: those of East Asia count twice."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def clipped(text: str, letters: int) -> str:
    """A text that is at most so wide, with an ellipsis where something is missing."""
    if width(text) <= letters:
        return text
    while text and width(text) > letters - 1:
        text = text[:-1]
    return f"{text.rstrip()}…"


def wrapped(text: str, letters: int, lines: int) -> list[str]:
    """A text in at most so many lines of about the same width; SVG breaks none by itself."""
    found = _broken(text, letters)
    if len(found) > lines:
        kept = found[:lines]
        return [*kept[:-1], clipped(f"{kept[-1]} {found[lines]}", letters)]
    while letters > 1 and len(narrower := _broken(text, letters - 1)) == len(found):
        if any(width(line) >= letters for line in narrower):
            break
        found, letters = narrower, letters - 1
    return [clipped(line, letters) for line in found]


def _broken(text: str, letters: int) -> list[str]:
    """A text broken between words into lines of a width; longer words stay whole."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width(longer) <= letters:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
