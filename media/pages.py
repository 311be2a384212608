"""What the library page shows, made ready so that its template needs no logic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import (
    Case,
    Count,
    F,
    FloatField,
    IntegerField,
    Max,
    Min,
    Q,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, NullIf
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_stubs_ext import StrOrPromise

from accounts.models import User
from media import bars
from media.bars import Bar, Length
from media.folding import by_code_point
from media.forms import LibraryQuery, Show, Sort
from media.models import (
    COMPLETE,
    OPEN,
    WAITING,
    Episode,
    LibraryEntry,
    LibraryEntryQuerySet,
    LookupStatus,
    Media,
    Season,
    Viewing,
)
from media.progress import SPECIALS
from media.titles import by_shown_title, episode_title, put_into_language
from media.wording import generic_number

# Full rows of two, three, four, six or eight.
CARDS_PER_PAGE = 48


def progress_text(watched: int, total: int | None) -> str:
    """ "45/276 episodes", or "45 episodes" where the total is not known."""
    if total:
        return ngettext(
            "%(watched)s/%(total)s episode", "%(watched)s/%(total)s episodes", total
        ) % {"watched": watched, "total": total}
    return ngettext("%(watched)s episode", "%(watched)s episodes", watched) % {"watched": watched}


def is_complete(entry: LibraryEntry) -> bool:
    """Every episode aired so far is watched (rule 11), as `complete()` asks the database."""
    media = entry.media
    goal = media.total_episodes if media.aired_episodes is None else media.aired_episodes
    return media.is_series and bool(goal) and entry.watched_episodes_count >= (goal or 0)


@dataclass(frozen=True, slots=True)
class Next:
    """The episode to watch next; `key` is what its line on the series' page has."""

    key: str
    season: int
    number: int
    title: str

    @property
    def is_titled(self) -> bool:
        """Whether the title says more than the number."""
        return generic_number(self.title) != self.number


@dataclass(frozen=True, slots=True)
class Card:
    """An entry in the grid."""

    entry: LibraryEntry
    media: Media
    progress: str
    bar: Bar | None
    next: Next | None
    is_complete: bool
    has_new_episodes: bool

    @property
    def total_is_open(self) -> bool:
        """Whether a person could find the total that watchlog could not."""
        return self.media.is_series and self.entry.lookup_status in (
            LookupStatus.UNCERTAIN,
            LookupStatus.NOT_FOUND,
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter or order to choose: a link."""

    label: StrOrPromise
    address: str
    is_current: bool
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """What the whole library holds, or what the search leaves of it."""

    titles: int
    series: int
    movies: int
    in_progress: int
    complete: int
    attention: int
    episodes: int
    waiting: int
    first: date | None
    last: date | None

    def of(self, show: Show) -> int:
        """How many titles a filter shows."""
        return {
            Show.ALL: self.titles,
            Show.SERIES: self.series,
            Show.MOVIES: self.movies,
            Show.IN_PROGRESS: self.in_progress,
            Show.COMPLETE: self.complete,
            Show.ATTENTION: self.attention,
        }[show]


@dataclass(frozen=True, slots=True)
class LibraryPage:
    query: LibraryQuery
    totals: Totals
    cards: tuple[Card, ...]
    page: Page[int]
    filters: tuple[Choice, ...]
    orders: tuple[Choice, ...]
    years: tuple[int, ...]
    profiles: tuple[str, ...]
    is_empty: bool

    @property
    def everywhere(self) -> str:
        """The address of the same search without the filter."""
        return self.query.address(show=Show.ALL)

    @property
    def unfiltered(self) -> str:
        """The address of the same without what the filter menu leaves out."""
        return self.query.address(year="", profile="", hidden="")


def library_page(user: User, query: LibraryQuery) -> LibraryPage:
    """One page of the user's library; a fixed number of queries at any size."""
    entries = LibraryEntry.objects.of(user)
    entries = entries.hidden() if query.hidden else entries.visible()
    if query.search:
        entries = entries.named(query.search)
    if query.year:
        entries = entries.watched_in(query.year)
    if query.profile:
        entries = entries.watched_by(query.profile)
    totals = count_totals(entries)
    paginator = Paginator(_ids(narrowed(entries, query.show), query.sort, user), CARDS_PER_PAGE)
    paginator.count = totals.of(query.show)  # Known already: one query less.
    page = paginator.get_page(query.page)
    # What cards show comes after the page is cut out, so that nothing is looked up in vain.
    by_id = LibraryEntry.objects.for_display().in_bulk(list(page))
    shown = [by_id[pk] for pk in page if pk in by_id]
    put_into_language(shown, user)
    return LibraryPage(
        query=query,
        totals=totals,
        cards=make_cards(shown),
        page=page,
        filters=_filters(query, totals),
        orders=tuple(
            Choice(sort.label, query.address(sort=sort), sort == query.sort) for sort in Sort
        ),
        years=_years(query, totals),
        profiles=Viewing.objects.profiles_of(user),
        is_empty=not totals.titles and not query.is_narrowed,
    )


def _ids(entries: LibraryEntryQuerySet, sort: Sort, user: User) -> Any:
    """The ids of entries in order: a query or a list, of which a page can be cut out."""
    if sort == Sort.TITLE and user.title_language:
        return by_shown_title(entries, user)
    return in_order(entries, sort).values_list("pk", flat=True)


def count_totals(entries: LibraryEntryQuerySet) -> Totals:
    """What `entries` hold, in one query."""
    series = Q(media__media_type="tv_series")
    gone = Q(lookup_status="matched", media__tmdb_gone_at__isnull=False)
    found = entries.aggregate(
        titles=Count("pk"),
        series=Count("pk", filter=series),
        started=Count("pk", filter=series & Q(watched_episodes_count__gt=0)),
        complete=Count("pk", filter=COMPLETE),
        attention=Count("pk", filter=OPEN | gone),
        waiting=Count("pk", filter=WAITING),
        episodes=Coalesce(Sum("watched_episodes_count"), 0),
        first=Min("first_watched"),
        last=Max("last_watched"),
    )
    return Totals(
        titles=found["titles"],
        series=found["series"],
        movies=found["titles"] - found["series"],
        # What is complete has been started, so the rest of what was started is in progress.
        in_progress=found["started"] - found["complete"],
        complete=found["complete"],
        attention=found["attention"],
        episodes=found["episodes"],
        waiting=found["waiting"],
        first=found["first"],
        last=found["last"],
    )


def narrowed(entries: LibraryEntryQuerySet, show: Show) -> LibraryEntryQuerySet:
    match show:
        case Show.SERIES:
            return entries.series()
        case Show.MOVIES:
            return entries.movies()
        case Show.IN_PROGRESS:
            return entries.in_progress()
        case Show.COMPLETE:
            return entries.complete()
        case Show.ATTENTION:
            return entries.needing_attention()
        case Show.ALL:
            return entries


def in_order(entries: LibraryEntryQuerySet, sort: Sort) -> LibraryEntryQuerySet:
    """Sorted, and always in the same way: what is equal goes by day, then by number."""
    newest = [F("last_watched").desc(nulls_last=True), F("pk").desc()]
    match sort:
        case Sort.LAST_WATCHED:
            return entries.order_by(*newest)
        case Sort.MOST_EPISODES:
            return entries.order_by(F("watched_episodes_count").desc(), *newest)
        case Sort.TITLE:
            return entries.order_by(by_code_point("media__folded"), "pk")
        case Sort.PROGRESS:
            known = NullIf(Coalesce("media__aired_episodes", "media__total_episodes"), 0)
            shares = entries.annotate(share=Cast("watched_episodes_count", FloatField()) / known)
            # What is beyond the total is no further than complete. Not LEAST: on PostgreSQL it
            # passes over an unknown share.
            capped = Case(When(share__gt=1.0, then=Value(1.0)), default=F("share"))
            return shares.order_by(capped.desc(nulls_last=True), *newest)
        case Sort.NEARLY_FINISHED:
            goal = Coalesce("media__aired_episodes", "media__total_episodes")
            left = goal - F("watched_episodes_count")
            unfinished = entries.annotate(left=left)
            return unfinished.annotate(
                to_go=Case(
                    When(left__gt=0, watched_episodes_count__gt=0, then="left"),
                    output_field=IntegerField(),
                )
            ).order_by(F("to_go").asc(nulls_last=True), *newest)


def _years(query: LibraryQuery, totals: Totals) -> tuple[int, ...]:
    """The years to choose from, newest first: those in which the titles on show were watched."""
    years = {query.year} if query.year else set()
    if totals.first and totals.last:
        years |= set(range(totals.first.year, totals.last.year + 1))
    return tuple(sorted(filter(None, years), reverse=True))


def _filters(query: LibraryQuery, totals: Totals) -> tuple[Choice, ...]:
    return tuple(
        Choice(show.label, query.address(show=show), show == query.show, totals.of(show))
        for show in Show
        if totals.of(show) or show in (Show.ALL, query.show)
    )


def make_cards(entries: Sequence[LibraryEntry]) -> tuple[Card, ...]:
    """Cards of entries that came `for_display()`; two more queries for all of them."""
    with_total = [entry for entry in entries if entry.media.total_episodes]
    watched = watched_by_season([entry.pk for entry in with_total])
    upcoming = next_episodes([e for e in with_total if not is_complete(e)], watched)
    return tuple(
        Card(
            entry=entry,
            media=entry.media,
            progress=progress_text(entry.watched_episodes_count, entry.media.total_episodes)
            if entry.media.is_series
            else "",
            bar=make_bar(
                entry,
                entry.media.seasons.all(),
                {number: season.watched for number, season in watched[entry.pk].items()},
            ),
            next=upcoming.get(entry.pk),
            is_complete=is_complete(entry),
            has_new_episodes=entry.has_new_episodes,
        )
        for entry in entries
    )


def make_bar(
    entry: LibraryEntry, seasons: Iterable[Season], watched: Mapping[int, int]
) -> Bar | None:
    """The entry's bar; none while the total is unknown. `watched` counts by season number."""
    if not entry.media.total_episodes:
        return None
    return bars.draw(
        watched=entry.watched_episodes_count,
        total=entry.media.total_episodes,
        lengths=[Length(season.number, season.episode_count) for season in seasons],
        by_season=watched,
        aired=entry.media.aired_episodes,
    )


@dataclass(frozen=True, slots=True)
class SeasonWatched:
    """Roughly how many episodes of a season were watched, and the number of the last of them.

    `furthest` is None where TMDB has none of them.
    """

    watched: int
    furthest: int | None


def watched_by_season(entry_ids: Sequence[int]) -> Mapping[int, Mapping[int, SeasonWatched]]:
    """What was watched of which season, for a page of cards.

    One query that counts in the database: it shows where the watched episodes lie, while how
    many they are is what rule 10 stored on the entry.
    """
    rows = (
        Viewing.objects.counted()
        .filter(entry_id__in=entry_ids)
        .order_by()
        .annotate(season=Coalesce("tmdb_season", "season_number"))
        .values("entry_id", "season")
        .annotate(
            identified=Count("tmdb_episodes", distinct=True),
            others=Count("title_hash", distinct=True, filter=Q(tmdb_episodes__isnull=True)),
            furthest=Max("tmdb_episodes__number"),
        )
        .values_list("entry_id", "season", "identified", "others", "furthest")
    )
    watched: dict[int, dict[int, SeasonWatched]] = defaultdict(dict)
    for entry_id, season, identified, others, furthest in rows:
        if season is not None:
            watched[entry_id][season] = SeasonWatched(identified + others, furthest)
    return watched


def next_episodes(
    entries: Sequence[LibraryEntry], watched: Mapping[int, Mapping[int, SeasonWatched]]
) -> Mapping[int, Next]:
    """The next episode of each entry by its id: aired, not watched, after the furthest watched.

    The same that the series' own page offers; none where nothing watched is known to TMDB. One
    query, of the episodes of two seasons of each entry at most.
    """
    goes_on = {entry.pk: _goes_on(entry, watched[entry.pk]) for entry in entries}
    episodes: dict[int, list[tuple[int, int, dict[str, str], date | None]]] = defaultdict(list)
    rows = Episode.objects.filter(
        season__in=[season.pk for seasons in goes_on.values() for season, _ in seasons]
    )
    for season_id, tmdb_id, number, title, titles, day in rows.order_by("number").values_list(
        "season_id", "tmdb_id", "number", "title", "titles", "air_date"
    ):
        episodes[season_id].append((tmdb_id, number, titles or {"": title}, day))
    found = {}
    today = timezone.localdate()
    for entry in entries:
        aired = entry.media.aired_episodes
        for season, after in goes_on[entry.pk]:
            before = sum(s.episode_count for s in _regular(entry) if s.number < season.number)
            found[entry.pk] = next(
                (
                    Next(
                        f"t{tmdb_id}",
                        season.number,
                        number,
                        episode_title(titles, number, entry.shown_in) or numbered(number),
                    )
                    for at, (tmdb_id, number, titles, day) in enumerate(episodes[season.pk], 1)
                    if number > after
                    and (day <= today if day else aired is None or before + at <= aired)
                ),
                None,
            )
            if found[entry.pk]:
                break
    return {pk: upcoming for pk, upcoming in found.items() if upcoming}


def _goes_on(entry: LibraryEntry, watched: Mapping[int, SeasonWatched]) -> list[tuple[Season, int]]:
    """The seasons in which the next episode can be, each with the number that it is after."""
    regular = _regular(entry)
    for at, season in reversed(list(enumerate(regular))):
        seen = watched.get(season.number)
        if seen is None:
            continue
        following = [(after, 0) for after in regular[at + 1 : at + 2]]
        if seen.watched >= season.episode_count:
            return following
        # Which ones were watched is not known where TMDB has none of them.
        return [(season, seen.furthest), *following] if seen.furthest is not None else []
    return []


def _regular(entry: LibraryEntry) -> list[Season]:
    seasons = entry.media.seasons.all()
    return [one for one in seasons if one.number != SPECIALS and one.episode_count]


def numbered(number: int) -> str:
    """What an episode without a title is called."""
    return _("Episode %(number)s") % {"number": number}
