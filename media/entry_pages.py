"""What the pages of a series and of a movie show, made ready so that templates need no logic."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import accumulate

from django.utils import timezone
from django.utils.translation import gettext as _

from media import marking
from media.bars import Bar, draw
from media.library import Seen
from media.library import seen as seen_in
from media.models import DecisionLog, Episode, LibraryEntry, Media, Season, Viewing
from media.pages import Next, is_complete, make_bar, numbered, progress_text
from media.progress import SPECIALS, EpisodeKey, Watched, episode_keys
from media.titles import show_titles_in
from media.wording import generic_season

# Of episodes, viewings or titles on one page. A file can make a series of any length, and while
# its page is drawn, others wait.
MOST_LINES = 2000


@dataclass(frozen=True, slots=True)
class Line:
    """An episode in a list, with the days on which it was watched, newest first.

    `is_listed` is False when only the file knows it: TMDB has no such episode. A watched one
    without days was marked by hand. `key` says which episode it is, in addresses and forms: `t`
    and TMDB's id of the episode, or `v` and the id of a viewing.
    """

    key: str
    number: int | None
    title: str
    air_date: date | None = None
    is_aired: bool = True
    is_watched: bool = False
    days: tuple[date, ...] = ()
    viewings: tuple[int, ...] = ()
    is_listed: bool = True


@dataclass(frozen=True, slots=True)
class Marks:
    """What a mark of several episodes makes watched, by key, and how many it spares."""

    keys: tuple[str, ...] = ()
    spared: int = 0

    @property
    def joined(self) -> str:
        return ",".join(self.keys)

    def __add__(self, other: Marks) -> Marks:
        return Marks(self.keys + other.keys, self.spared + other.spared)


@dataclass(frozen=True, slots=True)
class SeasonView:
    """A season opened to its episodes. `total` is None where only the file knows it."""

    number: int | None
    name: str
    watched: int
    total: int | None
    lines: tuple[Line, ...]
    is_open: bool = False
    anchor: str = ""
    unshown: int = 0

    @property
    def size(self) -> int:
        return len(self.lines) + self.unshown

    @property
    def progress(self) -> str:
        return f"{self.watched}/{self.total}" if self.total else f"{self.watched}"

    @property
    def text(self) -> str:
        return progress_text(self.watched, self.total)

    @property
    def bar(self) -> Bar | None:
        return draw(self.watched, self.total) if self.total else None

    @property
    def is_complete(self) -> bool:
        return bool(self.total) and self.watched >= (self.total or 0)

    @property
    def has_unlisted(self) -> bool:
        return any(not line.is_listed for line in self.lines)

    @property
    def has_both(self) -> bool:
        """Whether episodes of TMDB's list stand beside some that only the file knows."""
        return self.has_unlisted and any(line.is_listed for line in self.lines)

    @property
    def to_watch(self) -> Marks:
        """What has aired and is not watched."""
        return _marks(self.lines, [at for at, line in enumerate(self.lines) if _is_open(line)])

    def up_to(self, place: int) -> Marks:
        """The same up to one of its lines, which is the last to be spared."""
        before = [at for at, line in enumerate(self.lines[:place]) if _is_open(line)]
        last = [place] if _is_open(self.lines[place]) else []
        return _marks(self.lines, before, last)

    @property
    def to_unwatch(self) -> str:
        """The keys of the watched episodes."""
        return ",".join(line.key for line in self.lines if line.is_watched)


def _is_open(line: Line) -> bool:
    return line.is_aired and not line.is_watched


def _marks(lines: Sequence[Line], wanted: Sequence[int], last: Sequence[int] = ()) -> Marks:
    """Marks of the lines at the places `wanted` and `last`, such that nothing counts twice.

    A title that TMDB's list has not counts already, and may be any of the episodes that are not
    watched. For each such title one of them is spared, those of `last` only after the others:
    the next after all that was watched by the title's day, which it most likely is.
    """
    seen = sorted((min(one.days), at) for at, one in enumerate(lines) if one.is_listed and one.days)
    days = [day for day, _at in seen]
    furthest = [-1, *accumulate((at for _day, at in seen), max)]
    before, after, spared = [*wanted], [*last], 0
    for day in sorted(min(one.days, default=date.max) for one in lines if not one.is_listed):
        among = before or after
        if among:
            place = bisect_right(among, furthest[bisect_right(days, day)])
            among.pop(place if place < len(among) else 0)
            spared += 1
    return Marks(tuple(lines[at].key for at in (*before, *after)), spared)


@dataclass(frozen=True, slots=True)
class SeriesPage:
    """The page of a series.

    `unaired` episodes are in the total but have not aired, `left` have aired and were not
    watched, `excess` are watched beyond the total, `unlisted` are watched but not in TMDB's
    list of episodes.
    """

    entry: LibraryEntry
    media: Media
    progress: str
    bar: Bar | None
    is_complete: bool
    unaired: int
    left: int
    excess: int
    unlisted: int
    next: Next | None
    seasons: tuple[SeasonView, ...]
    specials: SeasonView | None
    other_specials: SeasonView | None
    last_mark: DecisionLog | None

    @property
    def names(self) -> tuple[str, ...]:
        """What else the series is called; asks the database unless names came with the entry."""
        return _other_names(self.entry)

    @property
    def last_mark_text(self) -> str:
        return marking.in_words(self.last_mark) if self.last_mark else ""

    def find(self, key: str) -> tuple[SeasonView, Line] | None:
        """The season and line of an episode, by the line's key or that of any viewing of it."""
        for view in (*self.seasons, *filter(None, [self.specials, self.other_specials])):
            for line in view.lines:
                if key == line.key or (key[0] == "v" and int(key[1:]) in line.viewings):
                    return view, line
        return None

    def up_to(self, key: str) -> Marks:
        """What has aired up to an episode and is not watched.

        Nothing for a special, and for what has no place among TMDB's episodes.
        """
        marks = Marks()
        for view in self.seasons:
            place = next((at for at, line in enumerate(view.lines) if line.key == key), None)
            if place is not None:
                return marks + view.up_to(place) if view.lines[place].is_listed else Marks()
            marks += view.to_watch
        return Marks()

    @property
    def counted(self) -> int:
        """The number that decides between "episode" and "episodes"."""
        return self.media.total_episodes or self.entry.watched_episodes_count


@dataclass(frozen=True, slots=True)
class MoviePage:
    """The page of a movie."""

    entry: LibraryEntry
    media: Media
    names: tuple[str, ...]
    viewings: tuple[Viewing, ...]
    again_key: str
    last_mark: DecisionLog | None

    @property
    def last_mark_text(self) -> str:
        return marking.in_words(self.last_mark) if self.last_mark else ""


@dataclass(frozen=True, slots=True)
class EpisodePage:
    """The page of an episode. `up_to` are the episodes up to it that are not watched."""

    series: SeriesPage
    season: SeasonView
    line: Line
    viewings: tuple[Viewing, ...]
    up_to: Marks

    @property
    def offers_up_to(self) -> bool:
        """Whether a mark of all up to here is more than a mark of the episode itself."""
        marks = self.up_to
        return bool(marks.keys) and (marks.keys != (self.line.key,) or marks.spared > 0)


def episode_page(entry: LibraryEntry, key: str) -> EpisodePage | None:
    """All that the page of an episode shows; None when the series has no such episode."""
    page = series_page(entry)
    found = page.find(key)
    if found is None:
        return None
    season, line = found
    viewings = Viewing.objects.filter(entry=entry, pk__in=line.viewings)
    return EpisodePage(
        series=page,
        season=season,
        line=line,
        viewings=tuple(viewings.newest_first()),
        up_to=page.up_to(line.key),
    )


def movie_page(entry: LibraryEntry) -> MoviePage:
    """All that the page of a movie shows; a fixed number of queries."""
    viewings = list(Viewing.objects.filter(entry=entry).newest_first()[:MOST_LINES])
    return MoviePage(
        entry=entry,
        media=entry.media,
        names=_other_names(entry),
        viewings=tuple(viewing for viewing in viewings if viewing.dismissed_at is None),
        again_key=f"v{viewings[0].pk}" if viewings else "",
        last_mark=marking.latest_of(entry),
    )


def series_page(entry: LibraryEntry, opened: str = "") -> SeriesPage:
    """All that the page of a series shows; a fixed number of queries at any size.

    `opened` is the anchor of a season to open.
    """
    media = entry.media
    seasons = list(media.seasons.prefetch_related("episodes"))
    show_titles_in(seasons, entry.shown_in)
    regular, special = _seen(entry)
    views = _seasons([s for s in seasons if s.number != SPECIALS], regular, media.aired_episodes)
    upcoming = _next(views)
    specials = _specials(seasons, special, opened)
    total = media.total_episodes or 0
    aired = total if media.aired_episodes is None else min(media.aired_episodes, total)
    watched = entry.watched_episodes_count
    return SeriesPage(
        entry=entry,
        media=media,
        progress=progress_text(watched, media.total_episodes),
        bar=make_bar(entry, seasons, {view.number: view.watched for view in views if view.number}),
        is_complete=is_complete(entry),
        unaired=total - aired,
        left=max(aired - watched, 0),
        excess=max(watched - total, 0) if total else 0,
        unlisted=sum(not line.is_listed for view in views for line in view.lines),
        next=upcoming,
        seasons=_bounded(_with_one_open(views, upcoming, opened)),
        specials=next((view for view in specials if view.watched), None),
        other_specials=next((view for view in specials if not view.watched), None),
        last_mark=marking.latest_of(entry),
    )


def _bounded(views: Iterable[SeasonView]) -> tuple[SeasonView, ...]:
    """The seasons with as many lines as a page can take."""
    bounded: list[SeasonView] = []
    left = MOST_LINES
    for view in views:
        shown = view.lines[:left]
        bounded.append(replace(view, lines=shown, unshown=len(view.lines) - len(shown)))
        left -= len(shown)
    return tuple(bounded)


def days_watched(days: Iterable[date]) -> tuple[date, ...]:
    """Days on which one episode was watched, newest first.

    Two titles of one episode within a day of each other are one watch (rule 7): files that
    differ in spelling or time zone tell of it twice.
    """
    kept: list[date] = []
    for day in sorted(days):
        if not kept or day - kept[-1] > timedelta(days=1):
            kept.append(day)
    return tuple(reversed(kept))


def aired_ids(episodes: Sequence[Episode], aired_episodes: int | None) -> frozenset[int]:
    """TMDB's ids of the regular episodes that have aired; `episodes` in order of airing.

    Where TMDB has no date, the number of aired episodes decides, and without that the doubt is
    in favour of having aired.
    """
    today = timezone.localdate()
    return frozenset(
        episode.tmdb_id
        for position, episode in enumerate(episodes, start=1)
        if (
            episode.air_date <= today
            if episode.air_date
            else aired_episodes is None or position <= aired_episodes
        )
    )


def _other_names(entry: LibraryEntry) -> tuple[str, ...]:
    names = {name.name for name in entry.names.all()} | {
        entry.media.title,
        entry.media.original_title,
    }
    return tuple(sorted(names - {"", entry.media.shown_title}, key=str.casefold))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of one watched episode: its days, and one viewing of it as read."""

    days: tuple[date, ...]
    viewings: tuple[int, ...]
    viewing: Watched
    raw_title: str


_SeenByKey = Mapping[EpisodeKey, _Seen]


def _seen(entry: LibraryEntry) -> tuple[_SeenByKey, _SeenByKey]:
    """The entry's watched episodes and, apart, its watched specials."""
    seen = {one.watched.id: one for one in seen_in(entry.viewings.shown())}

    def by_key(is_special: bool) -> _SeenByKey:
        watched = [one.watched for one in seen.values() if one.is_special == is_special]
        of_key: dict[EpisodeKey, list[Seen]] = defaultdict(list)
        for pk, keys in episode_keys(watched).items():
            for key in keys:
                of_key[key].append(seen[pk])
        return {
            key: _Seen(
                days=days_watched(one.day for one in found if one.day),
                viewings=tuple(sorted(one.watched.id for one in found)),
                viewing=found[0].watched,
                raw_title=found[0].raw_title,
            )
            for key, found in of_key.items()
        }

    return by_key(is_special=False), by_key(is_special=True)


def _seasons(
    seasons: Sequence[Season], seen: _SeenByKey, aired_episodes: int | None
) -> list[SeasonView]:
    """TMDB's seasons, each with what the file alone has of it, then what has no season there."""
    aired = aired_ids([e for season in seasons for e in season.episodes.all()], aired_episodes)
    listed = {("tmdb", e.tmdb_id) for season in seasons for e in season.episodes.all()}
    numbers = {season.number for season in seasons}
    extra: dict[int, list[Line]] = defaultdict(list)
    elsewhere: dict[tuple[int | None, str], list[Line]] = defaultdict(list)
    for key, found in seen.items():
        if key in listed:
            continue
        season_number = found.viewing.season_number
        if season_number in numbers and season_number is not None:
            extra[season_number].append(_unlisted_line(found))
        else:
            elsewhere[(season_number, found.viewing.season_name)].append(_unlisted_line(found))
    views = [_season(season, seen, aired, extra[season.number]) for season in seasons]
    for (number, name), lines in sorted(elsewhere.items(), key=_by_number):
        lines = _in_order(lines)
        if not seasons:
            lines = [replace(line, is_listed=True) for line in lines]
        views.append(
            SeasonView(
                number=number,
                name=_season_name(number, name),
                watched=len(lines),
                total=None,
                lines=tuple(lines),
            )
        )
    return views


def _season(
    season: Season, seen: _SeenByKey, aired: Collection[int], extra: Collection[Line]
) -> SeasonView:
    lines = [_listed_line(e, seen, e.tmdb_id in aired) for e in season.episodes.all()]
    if extra and sum(line.is_watched for line in lines) + len(extra) >= len(lines):
        # The whole season is watched, in part under titles that TMDB does not have.
        lines = [line for line in lines if line.is_watched]
    lines += _in_order(extra)
    return SeasonView(
        number=season.number,
        name=_season_name(season.number, season.shown_name),
        watched=sum(line.is_watched for line in lines),
        total=season.episode_count or None,
        lines=tuple(lines),
    )


def _specials(seasons: Sequence[Season], seen: _SeenByKey, opened: str) -> tuple[SeasonView, ...]:
    """The specials that were watched and, apart, TMDB's others: of those there can be many."""
    season = next((season for season in seasons if season.number == SPECIALS), None)
    episodes = list(season.episodes.all()) if season else []
    aired = aired_ids(episodes, None)
    listed = [_listed_line(e, seen, e.tmdb_id in aired) for e in episodes]
    keys = {("tmdb", e.tmdb_id) for e in episodes}
    unlisted = [
        replace(_unlisted_line(found), is_listed=True)
        for key, found in seen.items()
        if key not in keys
    ]
    watched = [*(line for line in listed if line.is_watched), *_in_order(unlisted)]
    others = [line for line in listed if not line.is_watched]
    name = _("Specials")
    views = (
        SeasonView(SPECIALS, name, len(watched), None, tuple(watched), anchor="specials"),
        SeasonView(
            SPECIALS,
            name,
            watched=0,
            total=None,
            lines=tuple(others),
            is_open=opened == "other-specials",
            anchor="other-specials",
        ),
    )
    return _bounded(view for view in views if view.lines)


def _listed_line(episode: Episode, seen: _SeenByKey, is_aired: bool = True) -> Line:
    found = seen.get(("tmdb", episode.tmdb_id))
    return Line(
        key=f"t{episode.tmdb_id}",
        number=episode.number,
        title=episode.shown_title or numbered(episode.number),
        air_date=episode.air_date,
        is_aired=is_aired,
        is_watched=found is not None,
        days=found.days if found else (),
        viewings=found.viewings if found else (),
    )


def _unlisted_line(found: _Seen) -> Line:
    viewing = found.viewing
    title = viewing.title
    if not title and viewing.number is not None:
        title = numbered(viewing.number)
    return Line(
        key=f"v{found.viewings[0]}",
        number=viewing.number,
        title=title or found.raw_title,
        is_watched=True,
        days=found.days,
        viewings=found.viewings,
        is_listed=False,
    )


def _in_order(lines: Iterable[Line]) -> list[Line]:
    """By number where there is one, else in the order in which they were first watched."""
    return sorted(
        lines,
        key=lambda line: (
            line.number is None,
            line.number or 0,
            min(line.days, default=date.max),
            line.title,
        ),
    )


def _by_number(item: tuple[tuple[int | None, str], object]) -> tuple[bool, int, str]:
    (number, name), _lines = item
    return number is None, number or 0, name


def _season_name(number: int | None, name: str) -> str:
    """A season's own name; one that only counts is said in the language of the page."""
    if name and not (number and generic_season(name) == number):
        return name
    if number is None:
        return _("Season not told")
    return _("Season %(number)s") % {"number": number}


def _next(views: Sequence[SeasonView]) -> Next | None:
    """The first aired, unwatched episode after the furthest one that was watched."""
    upcoming: Next | None = None
    for view in reversed(views):
        if view.has_unlisted and view.is_complete:
            return upcoming
        if view.has_unlisted and not any(line.is_listed and line.is_watched for line in view.lines):
            # Which ones were watched is not known.
            return None
        for line in reversed(view.lines):
            if not line.is_listed or view.number is None or line.number is None:
                continue
            if line.is_watched:
                return upcoming
            if line.is_aired:
                upcoming = Next(line.key, view.number, line.number, line.title)
    return None


def _with_one_open(
    views: Sequence[SeasonView], upcoming: Next | None, opened: str
) -> tuple[SeasonView, ...]:
    """The season that was asked for is open, else the one that goes on, or the only one."""
    anchors = [f"season-{position}" for position in range(1, len(views) + 1)]
    return tuple(
        replace(
            view,
            anchor=anchor,
            is_open=anchor == opened
            if opened in anchors
            else len(views) == 1 or (upcoming is not None and view.number == upcoming.season),
        )
        for view, anchor in zip(views, anchors, strict=True)
    )
