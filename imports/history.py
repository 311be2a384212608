"""What the history page shows: every viewing by day, newest first, with the imports that told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from django import forms
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.paginator import Page, Paginator
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from imports.models import Claim, Import
from media.days import shown_day, shown_on
from media.forms import FIRST_DAY
from media.library import seen
from media.models import Episode, LibraryEntryQuerySet, Viewing
from media.pages import Choice
from media.progress import ONE_DAY, EpisodeKey, Watched, episode_keys, told_again
from media.titles import put_into_language

VIEWINGS_PER_PAGE = 100
# So many more pages of what a search finds are looked for, and linked to.
PAGES_AHEAD = 5
LAST_DAY = date(9998, 12, 31)


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """One state of the history; every state has an address of its own."""

    search: str = ""
    profile: str = ""
    page: int = 1
    day: date | None = None

    @property
    def is_narrowed(self) -> bool:
        return bool(self.search or self.profile or self.day)

    def address(self, profile: str) -> str:
        day = self.day.isoformat() if self.day else ""
        wanted = {"q": self.search, "profile": profile, "day": day}
        query = urlencode({name: value for name, value in wanted.items() if value})
        return f"?{query}" if query else "."


class HistoryForm(forms.Form):
    """Reads a state from an address; what makes no sense there is as if it were not there."""

    q = forms.CharField(max_length=200, required=False)
    profile = forms.CharField(max_length=200, required=False)
    page = forms.IntegerField(min_value=1, required=False)
    day = forms.DateField(
        input_formats=["%Y-%m-%d"],
        validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)],
        required=False,
    )

    def query(self) -> HistoryQuery:
        self.is_valid()
        given = self.cleaned_data
        return HistoryQuery(
            given.get("q") or "",
            given.get("profile") or "",
            given.get("page") or 1,
            given.get("day"),
        )


@dataclass(frozen=True, slots=True)
class Watch:
    """Something watched once. `imports` are the files that told of it; none for a mark by hand."""

    viewing: Viewing
    place: str
    imports: tuple[Import, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """A day with what was watched on it; None for marks without a day."""

    day: date | None
    watches: tuple[Watch, ...]

    @property
    def imports(self) -> tuple[Import, ...]:
        """The files that told of all of it, to be named once; none when they differ."""
        of_each = {watch.imports for watch in self.watches}
        return next(iter(of_each)) if len(of_each) == 1 else ()


@dataclass(frozen=True, slots=True)
class HistoryPage:
    query: HistoryQuery
    page: Page[int]
    days: tuple[Day, ...]
    profiles: tuple[Choice, ...]

    @property
    def news(self) -> str:
        """How many viewings there are; of a search that found many, how many at least."""
        count = self.page.paginator.count
        shown = intcomma(count)
        if self.query.search and count == most_found(self.query.page):
            return _("%(shown)s viewings and more") % {"shown": shown}
        return ngettext("%(shown)s viewing", "%(shown)s viewings", count) % {"shown": shown}

    @property
    def is_empty(self) -> bool:
        return not self.page.paginator.count and not self.query.is_narrowed


def most_found(page: int) -> int:
    """How many of the viewings that a search finds are looked for, to show a page of them."""
    return VIEWINGS_PER_PAGE * (page + PAGES_AHEAD)


def history_page(user: User, query: HistoryQuery) -> HistoryPage:
    """One page of all that a user watched; a fixed number of queries at any size."""
    viewings = Viewing.objects.of(user).shown()
    profiles = Viewing.objects.profiles_of(user)
    if query.profile:
        viewings = viewings.exclude(profile="").filter(profile=query.profile)
    if query.day:
        viewings = viewings.filter(shown_on(query.day, query.day))
    if query.search:
        viewings = viewings.named(query.search, user)
    ids = viewings.newest_first().values_list("pk", flat=True)
    if query.search:
        # To count what a search finds would take as long as the library is large.
        ids = ids[: most_found(query.page)]
    paginator = Paginator(list(ids) if query.search else ids, VIEWINGS_PER_PAGE)
    page = paginator.get_page(query.page)
    found = _with_what_is_shown(list(page))
    put_into_language([viewing.entry for viewing in found], user)
    told_twice = _told_twice(user, found)
    imports = _imports([*(viewing.pk for viewing in found), *told_twice])
    twins: dict[int, list[int]] = defaultdict(list)
    for twin, first in told_twice.items():
        twins[first].append(twin)
    watches = [
        Watch(viewing, _place(viewing), _all_imports([viewing.pk, *twins[viewing.pk]], imports))
        for viewing in found
        if viewing.pk not in told_twice
    ]
    return HistoryPage(query, page, _by_day(watches), _choices(query, profiles))


def _with_what_is_shown(ids: Sequence[int]) -> list[Viewing]:
    """The viewings, in this order, with entry, titles and the number of their TMDB episode.

    They are found by number after the page is cut out, so that late pages cost what early ones do.
    """
    first = Episode.objects.filter(viewings=OuterRef("pk")).order_by("number")
    viewings = Viewing.objects.select_related("entry__media").annotate(
        number=Subquery(first.values("number")[:1]),
        own_name=LibraryEntryQuerySet.first_name("entry"),
    )
    by_id = viewings.in_bulk(ids)
    for viewing in by_id.values():
        vars(viewing.entry)["own_name"] = vars(viewing)["own_name"]
    return [by_id[pk] for pk in ids if pk in by_id]


def _told_twice(user: User, found: Sequence[Viewing]) -> dict[int, int]:
    """Viewings that tell again of a watch, with the viewing that stands for it (rule 7).

    Two titles of one episode within a day of each other are one watch. What lies on the
    neighbouring pages is looked at, too, so that a watch is never shown on two of them.
    """
    shown = [viewing.day for viewing in found if viewing.day]
    if not shown:
        return {}
    near = (
        Viewing.objects.of(user)
        .counted()
        .filter(
            entry__in={viewing.entry_id for viewing in found},
            day__range=(min(shown) - ONE_DAY, max(shown) + ONE_DAY),
        )
    )
    of_entry: dict[int, list[Watched]] = defaultdict(list)
    day_of: dict[int, date | None] = {}
    for one in seen(near):
        of_entry[one.entry_id].append(one.watched)
        day_of[one.watched.id] = one.day
    told: dict[int, int] = {}
    for watched_ones in of_entry.values():
        of_key: dict[frozenset[EpisodeKey], dict[int, date | None]] = defaultdict(dict)
        for pk, keys in episode_keys(watched_ones).items():
            of_key[keys][pk] = day_of[pk]
        for days in of_key.values():
            told |= told_again(days)
    return told


def _imports(viewing_ids: Sequence[int]) -> Mapping[int, list[Import]]:
    imports: dict[int, list[Import]] = defaultdict(list)
    claims = Claim.objects.filter(viewing__in=viewing_ids).select_related("of_import")
    for claim in claims.order_by("of_import_id"):
        if claim.of_import not in imports[claim.viewing_id]:
            imports[claim.viewing_id].append(claim.of_import)
    return imports


def _all_imports(
    viewing_ids: Iterable[int], imports: Mapping[int, list[Import]]
) -> tuple[Import, ...]:
    found = {one.pk: one for pk in viewing_ids for one in imports.get(pk, ())}
    return tuple(found[pk] for pk in sorted(found))


def _place(viewing: Viewing) -> str:
    """ "S2 E3 Title" of an episode, as far as it is known; nothing for a movie."""
    if viewing.kind != "episode":
        return ""
    season = viewing.season_number if viewing.tmdb_season is None else viewing.tmdb_season
    number: int | None = getattr(viewing, "number", None)
    if number is None:
        number = viewing.episode_number
    known = []
    if season is not None and not (viewing.season_inferred and viewing.tmdb_season is None):
        known.append(_("S%(season)s") % {"season": season})
    if number is not None:
        known.append(_("E%(number)s") % {"number": number})
    return " ".join([*known, viewing.episode_title]).strip()


def _by_day(watches: Sequence[Watch]) -> tuple[Day, ...]:
    days: dict[date | None, list[Watch]] = defaultdict(list)
    for watch in watches:
        days[shown_day(watch.viewing.day, watch.viewing.watched_at)].append(watch)
    order = sorted(days, key=lambda day: day or date.min, reverse=True)
    return tuple(Day(day, tuple(days[day])) for day in order)


def _choices(query: HistoryQuery, profiles: Sequence[str]) -> tuple[Choice, ...]:
    """The profiles to choose from, when there are several."""
    if len(profiles) < 2:
        return ()
    everybody = Choice(_("All profiles"), query.address(profile=""), not query.profile)
    return (
        everybody,
        *(Choice(name, query.address(profile=name), name == query.profile) for name in profiles),
    )
