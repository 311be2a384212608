"""What the library page shows, made ready so that its template needs no logic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

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
from django.db.models.functions import Cast, Coalesce, Lower, NullIf
from django.utils.translation import ngettext
from django_stubs_ext import StrOrPromise

from accounts.models import User
from media import bars
from media.bars import Bar, Length
from media.forms import LibraryQuery, Show, Sort
from media.models import (
    LibraryEntry,
    LibraryEntryQuerySet,
    LookupStatus,
    Media,
    Season,
    Viewing,
)
from media.titles import entries_named, put_into_language

CARDS_PER_PAGE = 60


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
class Card:
    """An entry in the grid."""

    entry: LibraryEntry
    media: Media
    progress: str
    bar: Bar | None
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
    page: Page[LibraryEntry]
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
        entries = entries.filter(pk__in=entries_named(user, query.search))
    if query.year:
        entries = entries.watched_in(query.year)
    if query.profile:
        entries = entries.watched_by(query.profile)
    totals = count_totals(entries, user)
    chosen = in_order(narrowed(entries, query.show), query.sort).for_display()
    paginator = Paginator(chosen, CARDS_PER_PAGE)
    paginator.count = totals.of(query.show)  # Known already: one query less.
    page = paginator.get_page(query.page)
    put_into_language(list(page), user)
    return LibraryPage(
        query=query,
        totals=totals,
        cards=make_cards(list(page)),
        page=page,
        filters=_filters(query, totals),
        orders=tuple(
            Choice(sort.label, query.address(sort=sort), sort == query.sort) for sort in Sort
        ),
        years=_years(query, totals),
        profiles=Viewing.objects.profiles_of(user),
        is_empty=not totals.titles and not query.is_narrowed,
    )


def count_totals(entries: LibraryEntryQuerySet, user: User) -> Totals:
    """What `entries` of a user hold, in one query."""
    series = Q(media__media_type="tv_series")
    # Not `entries` again: what a search found is a long list.
    of_user = LibraryEntry.objects.of(user)
    found = entries.aggregate(
        titles=Count("pk"),
        series=Count("pk", filter=series),
        started=Count("pk", filter=series & Q(watched_episodes_count__gt=0)),
        complete=Count("pk", filter=Q(pk__in=of_user.complete().values("pk"))),
        attention=Count("pk", filter=Q(pk__in=of_user.needing_attention().values("pk"))),
        waiting=Count("pk", filter=Q(pk__in=of_user.waiting().order_by().values("pk"))),
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
            return entries.order_by(Lower("media__title"), "pk")
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
    """Cards of entries that came `for_display()`; one more query for all of them."""
    with_total = [entry for entry in entries if entry.media.total_episodes]
    watched = watched_by_season([entry.pk for entry in with_total])
    return tuple(
        Card(
            entry=entry,
            media=entry.media,
            progress=progress_text(entry.watched_episodes_count, entry.media.total_episodes)
            if entry.media.is_series
            else "",
            bar=make_bar(entry, entry.media.seasons.all(), watched[entry.pk]),
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


def watched_by_season(entry_ids: Sequence[int]) -> Mapping[int, Mapping[int, int]]:
    """Roughly how many episodes of which season, for the bars of a page of cards.

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
        )
        .values_list("entry_id", "season", "identified", "others")
    )
    watched: dict[int, dict[int, int]] = defaultdict(dict)
    for entry_id, season, identified, others in rows:
        if season is not None:
            watched[entry_id][season] = identified + others
    return watched
