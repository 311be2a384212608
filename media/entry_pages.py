"""What the pages of a series and of a movie show, made ready so that templates need no logic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from media.bars import Bar, draw
from media.library import watched_by_entry
from media.models import Episode, LibraryEntry, Media, Season, Viewing, ViewingKind
from media.pages import is_complete, make_bar, progress_text
from media.progress import SPECIALS, EpisodeKey, Watched, episode_keys, is_special


@dataclass(frozen=True, slots=True)
class Line:
    """An episode in a list, with the days on which it was watched, newest first.

    `is_listed` is False when only the file knows it: TMDB has no such episode. A watched one
    without days was marked by hand.
    """

    number: int | None
    title: str
    air_date: date | None = None
    is_aired: bool = True
    is_watched: bool = False
    days: tuple[date, ...] = ()
    is_listed: bool = True


@dataclass(frozen=True, slots=True)
class SeasonView:
    """A season opened to its episodes. `total` is None where only the file knows it."""

    number: int | None
    name: str
    watched: int
    total: int | None
    lines: tuple[Line, ...]
    is_open: bool = False

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


@dataclass(frozen=True, slots=True)
class Next:
    """The episode to watch next."""

    season: int
    number: int
    title: str


@dataclass(frozen=True, slots=True)
class SeriesPage:
    """The page of a series.

    `unaired` episodes are in the total but have not aired, `left` have aired and were not
    watched, `excess` are watched beyond the total, `unlisted` are watched but not in TMDB's
    list of episodes.
    """

    entry: LibraryEntry
    media: Media
    names: tuple[str, ...]
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


def movie_page(entry: LibraryEntry) -> MoviePage:
    """All that the page of a movie shows; a fixed number of queries."""
    return MoviePage(
        entry=entry,
        media=entry.media,
        names=_other_names(entry),
        viewings=tuple(Viewing.objects.filter(entry=entry).shown().newest_first()),
    )


def series_page(entry: LibraryEntry) -> SeriesPage:
    """All that the page of a series shows; a fixed number of queries at any size."""
    media = entry.media
    seasons = list(media.seasons.prefetch_related("episodes"))
    regular, special = _seen(entry)
    views = _seasons([s for s in seasons if s.number != SPECIALS], regular, media.aired_episodes)
    upcoming = _next(views)
    total = media.total_episodes or 0
    aired = total if media.aired_episodes is None else min(media.aired_episodes, total)
    watched = entry.watched_episodes_count
    return SeriesPage(
        entry=entry,
        media=media,
        names=_other_names(entry),
        progress=progress_text(watched, media.total_episodes),
        bar=make_bar(entry, seasons, {view.number: view.watched for view in views if view.number}),
        is_complete=is_complete(entry),
        unaired=total - aired,
        left=max(aired - watched, 0),
        excess=max(watched - total, 0) if total else 0,
        unlisted=sum(not line.is_listed for view in views for line in view.lines),
        next=upcoming,
        seasons=_with_one_open(views, upcoming),
        specials=_specials(seasons, special),
    )


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
    names = {name.name for name in entry.names.all()} | {entry.media.original_title}
    return tuple(sorted(names - {"", entry.media.title}, key=str.casefold))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of one watched episode: its days, and one viewing of it as read."""

    days: tuple[date, ...]
    viewing: Watched
    raw_title: str


_SeenByKey = Mapping[EpisodeKey, _Seen]


def _seen(entry: LibraryEntry) -> tuple[_SeenByKey, _SeenByKey]:
    """The entry's watched episodes and, apart, its watched specials."""
    viewings = Viewing.objects.filter(entry=entry).shown()
    facts = {
        pk: (day, raw_title, kind)
        for pk, day, raw_title, kind in viewings.values_list("pk", "day", "raw_title", "kind")
    }
    regular: list[Watched] = []
    special: list[Watched] = []
    for _entry_id, viewing in watched_by_entry(viewings):
        # A film that TMDB lists among a series' specials is a movie in kind (rule 17).
        is_apart = is_special(viewing) or facts[viewing.id][2] != ViewingKind.EPISODE
        (special if is_apart else regular).append(viewing)

    def by_key(watched: Sequence[Watched]) -> _SeenByKey:
        of_key: dict[EpisodeKey, list[Watched]] = defaultdict(list)
        for pk, keys in episode_keys(watched).items():
            for key in keys:
                of_key[key].append(by_id[pk])
        return {
            key: _Seen(
                days=days_watched(day for v in found if (day := facts[v.id][0])),
                viewing=found[0],
                raw_title=facts[found[0].id][1],
            )
            for key, found in of_key.items()
        }

    by_id = {viewing.id: viewing for viewing in (*regular, *special)}
    return by_key(regular), by_key(special)


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
    lines += _in_order(extra)
    return SeasonView(
        number=season.number,
        name=_season_name(season.number, season.name),
        watched=sum(line.is_watched for line in lines),
        total=season.episode_count or None,
        lines=tuple(lines),
    )


def _specials(seasons: Sequence[Season], seen: _SeenByKey) -> SeasonView | None:
    """The specials that were watched; the rest of TMDB's long lists would only be in the way."""
    if not seen:
        return None
    season = next((season for season in seasons if season.number == SPECIALS), None)
    episodes = list(season.episodes.all()) if season else []
    listed = [line for e in episodes if (line := _listed_line(e, seen)).is_watched]
    keys = {("tmdb", e.tmdb_id) for e in episodes}
    others = [
        replace(_unlisted_line(found), is_listed=True)
        for key, found in seen.items()
        if key not in keys
    ]
    lines = (*listed, *_in_order(others))
    return SeasonView(SPECIALS, _("Specials"), len(lines), None, lines)


def _listed_line(episode: Episode, seen: _SeenByKey, is_aired: bool = True) -> Line:
    found = seen.get(("tmdb", episode.tmdb_id))
    return Line(
        number=episode.number,
        title=episode.title or _("Episode %(number)s") % {"number": episode.number},
        air_date=episode.air_date,
        is_aired=is_aired,
        is_watched=found is not None,
        days=found.days if found else (),
    )


def _unlisted_line(found: _Seen) -> Line:
    viewing = found.viewing
    title = viewing.title
    if not title and viewing.number is not None:
        title = _("Episode %(number)s") % {"number": viewing.number}
    return Line(
        number=viewing.number,
        title=title or found.raw_title,
        is_watched=True,
        days=found.days,
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
    if name:
        return name
    if number is None:
        return _("Season not told")
    return _("Season %(number)s") % {"number": number}


def _next(views: Sequence[SeasonView]) -> Next | None:
    """The first aired, unwatched episode after the furthest one that was watched."""
    upcoming: Next | None = None
    for view in reversed(views):
        for line in reversed(view.lines):
            if not line.is_listed or view.number is None or line.number is None:
                continue
            if line.is_watched:
                return upcoming
            if line.is_aired:
                upcoming = Next(view.number, line.number, line.title)
    return None


def _with_one_open(views: Sequence[SeasonView], upcoming: Next | None) -> tuple[SeasonView, ...]:
    """The season that goes on is open, or the only one there is."""
    return tuple(
        replace(
            view,
            is_open=len(views) == 1 or (upcoming is not None and view.number == upcoming.season),
        )
        for view in views
    )
