"""How entries, dates and posters are shown."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django import template
from django.core.paginator import Page
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.models import Posters
from media.bars import Bar
from media.charts import CELL
from media.days import shown_day
from media.models import Media, Viewing
from media.posters import WIDTHS
from media.statistics_pages import YearView
from tmdb.service import poster_url
from tmdb.types import is_poster_path

register = template.Library()

# As many as static/css/poster.css has classes, and templates/components/_motifs.html drawings.
TONES = 18
TAB_SKIPS = ' tabindex="-1"'
MOTIFS = 8


@dataclass(frozen=True, slots=True)
class Poster:
    """A poster's addresses, and the drawing that stands in its place or behind it."""

    title: str
    source: str
    sources: str
    tone: int
    motif: int


def poster_of(media: Media, come: str = Posters.SITE) -> Poster:
    """What to show of a series or movie; the drawing follows from the title alone.

    `come` says where posters come from, as the user chose.
    """
    digest = hashlib.blake2b(media.title.casefold().encode(), digest_size=4).digest()
    source, sources = "", ""
    # The path comes from TMDB and becomes part of an address that browsers fetch.
    if come != Posters.NONE and is_poster_path(media.poster_path):
        source = poster_address(media.poster_path, 342, come)
        sources = ", ".join(
            f"{poster_address(media.poster_path, width, come)} {width}w" for width in WIDTHS
        )
    return Poster(media.shown_title, source, sources, digest[0] % TONES, digest[1] % MOTIFS)


def poster_address(path: str, width: int, come: str) -> str:
    if come == Posters.TMDB:
        return poster_url(path, f"w{width}") or ""
    return reverse("media:poster", args=[f"w{width}", path.removeprefix("/")])


@register.inclusion_tag("components/_poster.html", takes_context=True)
def poster(
    context: template.Context, media: Media, sizes: str = "11rem", eager: bool = False
) -> dict[str, object]:
    """The poster of a series or movie; `sizes` is how wide the page shows it."""
    come = context["request"].user.posters
    return {"poster": poster_of(media, come), "sizes": sizes, "eager": eager}


@register.inclusion_tag("components/_pages.html", takes_context=True)
def pages(context: template.Context, page: Page[Any], anchor: str = "") -> dict[str, object]:
    """Links to the pages of a list, keeping the rest of the address."""
    numbers = page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1)
    return {"page": page, "numbers": numbers, "anchor": anchor, "request": context["request"]}


@register.filter
def day(value: date | None) -> str | SafeString:
    """A day, short: "28 Sep", with the year unless it is this one; "today", "yesterday"."""
    return _time(value, short_day(value, timezone.localdate())) if value else ""


@register.filter
def about_day(value: date | None) -> str | SafeString:
    """As `day`, but of other years the month alone: for where there is little room."""
    if value is None or value.year == timezone.localdate().year:
        return day(value)
    return _time(value, formats.date_format(value, pgettext("month of another year", "M Y")))


def _time(value: date, shown: str) -> SafeString:
    whole = formats.date_format(value, "DATE_FORMAT")
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), whole, shown)


@register.filter
def watched_on(viewing: Viewing) -> date | None:
    """The day of a viewing in the user's time zone, for the filters of days."""
    return shown_day(viewing.day, viewing.watched_at)


@register.filter
def whole_day(value: date) -> SafeString:
    """A day as a heading: "Wednesday, 5 June 2024", without the year when it is this one."""
    if value.year == timezone.localdate().year:
        shown = formats.date_format(value, pgettext("heading of a day of this year", "l, j F"))
    else:
        shown = formats.date_format(value, pgettext("heading of a day", "l, j F Y"))
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), shown)


@register.filter
def localday(value: datetime) -> str | SafeString:
    """The day of a moment, as `day`, in the installation's time zone."""
    return day(timezone.localdate(value))


@register.filter
def aired(value: date | None) -> str | SafeString:
    """The day on which something aired or will, always with its year."""
    if value is None:
        return ""
    shown = formats.date_format(value, pgettext("day of another year", "j M Y"))
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), shown)


@register.filter
def minutes(seconds: int) -> str:
    """ "1 h 52 min" of a number of seconds."""
    hours, rest = divmod(max(round(seconds / 60), 1), 60)
    if not hours:
        return _("%(minutes)s min") % {"minutes": rest}
    return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": rest}


@register.simple_tag
def calendar_days(year: YearView) -> SafeString:
    """The days of a calendar on which something was watched, as links; only the last is a stop
    of the Tab key.

    Not a template: ten years have thousands of them.
    """
    last = len(year.days) - 1
    links = [
        f'<a href="{escape(day.address)}"{"" if at == last else TAB_SKIPS}>'
        f"<title>{escape(day.words)}</title>"
        f'<path class="day-{day.cell.level}" d="M{day.cell.x} {day.cell.y}h{CELL}v{CELL}h-{CELL}z"/>'
        "</a>"
        for at, day in enumerate(year.days)
    ]
    return mark_safe("".join(links))  # noqa: S308


@register.filter
def grouped(value: int) -> str:
    """A whole number with its digits grouped as the language does."""
    return formats.number_format(value, force_grouping=True)


def short_day(value: date, today: date) -> str:
    if value == today:
        return _("today")
    if value == today - timedelta(days=1):
        return _("yesterday")
    if value.year == today.year:
        return formats.date_format(value, pgettext("day of this year", "j M"))
    return formats.date_format(value, pgettext("day of another year", "j M Y"))


@register.filter
def ago(value: datetime | None) -> str:
    """ "3 days ago": the largest unit only."""
    if value is None:
        return ""
    if timezone.now() - value < timedelta(minutes=1):
        return _("just now")
    return _("%(time)s ago") % {"time": timesince(value, depth=1)}


@register.filter
def years(media: Media) -> str:
    """ "2007–2019" for a series that is over, "since 2007" for one that goes on."""
    if media.first_air_date is None:
        return ""
    first = media.first_air_date.year
    if media.tmdb_status not in ("Ended", "Canceled"):
        return _("since %(year)s") % {"year": first}
    last = media.last_air_date.year if media.last_air_date else first
    return f"{first}–{last}" if last > first else str(first)


@register.filter
def status(media: Media) -> str:
    """TMDB's status of a series, in words that fit after its years."""
    words = {
        "Returning Series": _("returning"),
        "Ended": _("ended"),
        "Canceled": _("cancelled"),
        "In Production": _("in production"),
        "Planned": _("planned"),
        "Pilot": _("pilot"),
    }
    return words.get(media.tmdb_status, "")


@register.inclusion_tag("components/_bar.html")
def bar(bar: Bar, is_tall: bool = False) -> dict[str, object]:
    """The season-cut progress bar, with the same in words for a screen reader."""
    return {"bar": bar, "label": bar_label(bar), "is_tall": is_tall}


def bar_label(bar: Bar) -> str:
    """ "45 of 276 episodes watched, 12 seasons"."""
    watched = ngettext(
        "%(watched)s of %(total)s episode watched",
        "%(watched)s of %(total)s episodes watched",
        bar.total,
    ) % {"watched": bar.watched, "total": bar.total}
    if not bar.seasons:
        return watched
    seasons = ngettext("%(count)s season", "%(count)s seasons", bar.seasons)
    return f"{watched}, {seasons % {'count': bar.seasons}}"
