"""What each title of a file says: series, season and episode, or a movie.

The whole file is read before anything is decided: rows explain one another.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from typing import NamedTuple

from imports.reading.anew import held
from imports.reading.collecting import paused_collection
from imports.reading.decided import as_decided
from imports.reading.evidence import (
    File,
    Unmarked,
    is_counted,
    repeats,
    season_number,
    without_suffix,
)
from imports.reading.judging import SUFFIXED, Judged, Verdict, judge
from imports.reading.knowledge import NameOf, film_stem, is_sequel, name_of
from imports.reading.languages import Languages
from imports.reading.markers import (
    Level,
    Marker,
    read_count,
    read_marker,
    read_trailer,
    table,
)
from imports.reading.packing import Kept, Packer, Readings
from imports.reading.spelling import clean, fold, segments
from imports.reading.types import (
    Alternative,
    Format,
    Kind,
    Known,
    KnownSeries,
    Message,
    TitleReading,
    UnreadableFile,
)

# Netflix dropped the marker of series with one season between 28 March and 30 June 2022.
NEW_GRAMMAR = date(2022, 5, 15)
_LEAKED = re.compile(r"_(?:hook|shortpreview)(?:_|$)|_\d+x\d+$")
_ANY_COLON = re.compile(" ?: ")
# One for every fourth row of the longest file.
_MOST_SEASONS = 50_000
_PLACEHOLDER = "VideoEpisode"
_STRAY_LABEL = "English Title"

_PREVIEW = Message("Skipped: a preview that Netflix played by itself, not a viewing.")
_TRAILER = Message("Skipped: a trailer or a clip, not a viewing.")
_BLANK = Message("The title is blank: Netflix no longer says what was watched.")
_NO_SERIES = Message("The name of the series is missing: Netflix no longer says what was watched.")
_NO_EPISODE = Message("The name of the episode is missing: Netflix no longer says which it was.")
_NO_REAL_NAME = Message("The title holds a placeholder instead of the name of an episode.")
_STRAY = Message("The title holds a stray “English Title” instead of the name of the series.")
_ONE_PART = Message("Movie, because the title has only one part.")
_MARKED = "Series, because “%(marker)s” marks the season."
_SEASON_ONLY = "Movie, because the title ends with “%(marker)s”, as programmes about a season do."


# Stands for "not looked at yet" where None is an answer.
_UNREAD = Marker(Level.SEASON, None, ())
_NOT_ANSWERED = TitleReading(Kind.ERROR, _BLANK)
_FILM = TitleReading(Kind.MOVIE, _ONE_PART)
# So many parts of titles are remembered as markers or none, which most histories do not reach.
_MOST_REMEMBERED = 50_000
# From so many titles on, what each says is packed: that takes time, and no history is so long.
_MANY = 100_000


@dataclass(frozen=True, slots=True)
class Interpretation:
    """The readings by raw title, and the language most titles of the file are in."""

    titles: Mapping[str, TitleReading]
    language: str


_Episode = tuple[str, str, int | None]
"""A raw title, the name of its episode, and the number of its closing "(Episode 7)"."""


@dataclass(slots=True)
class _Season:
    """The titles of the file that share everything up to a season marker."""

    series: str
    name: str
    marker: Marker
    episodes: list[_Episode] = field(default_factory=list)
    """Those still to be read."""
    read: list[str] = field(default_factory=list)
    """The names of those that are."""

    def __len__(self) -> int:
        return len(self.episodes) + len(self.read)


@dataclass(slots=True)
class _Sorted:
    """The titles of a file, sorted by what can be read from each alone.

    All titles have their place in `readings` from the start.
    """

    readings: dict[str, Kept]
    packer: Packer = field(default_factory=Packer)
    seasons: dict[tuple[str, str], _Season] = field(default_factory=dict)
    unmarked: dict[str, list[str]] = field(default_factory=dict)
    """Those of two parts or more without a marker, by their folded first part."""
    counted: set[str] = field(default_factory=set)
    """The first parts of those that say outright that they are episodes."""
    sequels: set[str] = field(default_factory=set)
    """The first parts of those of two that end as the name of a sequel does."""
    votes: Counter[tuple[str, ...]] = field(default_factory=Counter)
    """How many of the unmarked ones close with the number of an episode in which languages."""
    films: list[str] = field(default_factory=list)
    """Those of one part."""
    suffixed: list[str] = field(default_factory=list)
    """Those of one part that close with the number of an episode."""
    markers: dict[str, Marker | None] = field(default_factory=dict)

    def take(self, title: str, reading: TitleReading) -> None:
        """Keep a reading that no other title has."""
        many = len(self.readings) > _MANY
        self.readings[title] = self.packer.pack(title, reading) if many else reading

    def marker_of(self, part: str) -> Marker | None:
        """The part as a marker, mostly read once per file."""
        marker = self.markers.get(part, _UNREAD)
        if marker is _UNREAD:
            marker = read_marker(part)
            if len(self.markers) >= _MOST_REMEMBERED:
                self.markers.clear()
            self.markers[part] = marker
        return marker


def interpret(
    titles: Iterable[str],
    *,
    format: Format,
    newest_day: date | None,
    known: Known,
    fallback_language: str,
) -> Interpretation:
    """Read the raw titles of a file's viewings together.

    `newest_day` is the file's last day, which tells whether it was exported before or after
    Netflix changed its titles; a file without days is taken for a new one. `fallback_language`
    is for files whose titles do not tell theirs. Every title is answered, whatever it holds, and
    their order does not matter.
    """
    with paused_collection():
        return _interpret(
            titles,
            known,
            fallback_language,
            old=newest_day is not None and newest_day < NEW_GRAMMAR,
            activity=format is Format.NETFLIX_ACTIVITY,
        )


def _interpret(
    titles: Iterable[str], known: Known, fallback_language: str, *, old: bool, activity: bool
) -> Interpretation:
    found = _sort(titles)
    series: dict[str, list[_Season]] = {}
    for season in found.seasons.values():
        series.setdefault(fold(season.series), []).append(season)
    marked = {
        name: {season.marker.number for season in seasons} for name, seasons in series.items()
    }
    stems = _film_stems(found)
    file = File(
        marked,
        known.series,
        stems,
        len(found.films) + len(found.suffixed),
        found.marker_of,
        old=old,
        activity=activity,
    )
    languages = Languages(_votes(found), found.readings, fallback_language)
    for season in found.seasons.values():
        _read_season(season, languages.of(season.marker.languages), found)
    _read_suffixed(found, languages)
    for judged in judge(found.unmarked, found.counted, file):
        _read_unmarked(judged, found, file, series, languages)
    readings = Readings(found.readings, found.packer)
    found.readings.update(as_decided(readings, known, languages.majority))
    return Interpretation(readings, languages.majority)


def _sort(titles: Iterable[str]) -> _Sorted:
    """Read each title as far as it goes alone: markers, suffixes, and what is no viewing."""
    found = _Sorted(dict.fromkeys(titles, _NOT_ANSWERED))
    seasons = found.seasons
    for raw in found.readings:
        text = clean(raw)
        if "_" in text and _LEAKED.search(text):
            found.readings[raw] = TitleReading(Kind.SKIPPED, _PREVIEW)
            continue
        suffix: int | None = None
        if text.endswith(")"):
            text, suffix = without_suffix(text)
        if " :" in text or text[-1:] == ":":
            parts = segments(text)
        else:
            parts = text.split(": ", 2)
            if len(parts) == 3:
                # Most titles stand in a season that an earlier one has opened.
                rest = parts[2]
                season = seasons.get((parts[0], parts[1]))
                if season is None and ": " in rest:
                    third, _, rest = rest.partition(": ")
                    season = seasons.get((f"{parts[0]}: {parts[1]}", third))
                if season is not None:
                    season.episodes.append((raw, rest, suffix))
                    continue
                if ": " in parts[2]:
                    parts[2:] = parts[2].split(": ")
        _sort_one(Unmarked(raw, parts, suffix), text, found)
    return found


def _sort_one(title: Unmarked, text: str, found: _Sorted) -> None:
    raw, parts, suffix = title
    nameless = _nameless(parts) or _begins_with_season(title, found)
    if nameless is not None:
        found.readings[raw] = TitleReading(Kind.ERROR, nameless)
        return
    if "" in parts:
        # Of "My Hero Academia: : Episode 131" only the name of the season is gone.
        parts[:] = filter(None, parts)
    position, marker = _season_marker(parts, found)
    if marker is None and " : " in text:
        # Some French titles have the typographic colon between all their parts.
        spaced = _ANY_COLON.split(text)
        position, marker = _season_marker(spaced, found, sure=True)
        parts = parts if marker is None else spaced
    if marker is not None:
        name = parts[position]
        if position < len(parts) - 1:
            series = _series_before(parts, position)
            rest = ": ".join(parts[position + 1 :])
            _open_season(found, series, name, marker).append((raw, rest, suffix))
            return
        reading = TitleReading(
            Kind.MOVIE,
            Message(_SEASON_ONLY, {"marker": name}),
            reading_uncertain=True,
            alternative=Alternative(Kind.EPISODE, ": ".join(parts[:-1]), marker.number),
        )
        found.take(raw, reading)
        return
    if (len(parts) > 1 or text.endswith(")")) and read_trailer(text):
        found.readings[raw] = TitleReading(Kind.SKIPPED, _TRAILER)
    elif parts[-1] == _PLACEHOLDER:
        found.readings[raw] = TitleReading(Kind.ERROR, _NO_REAL_NAME)
    elif _STRAY_LABEL in parts[1:]:
        found.readings[raw] = TitleReading(Kind.ERROR, _STRAY)
    elif len(parts) == 1:
        if suffix is None:
            found.readings[raw] = _FILM
            found.films.append(raw)
        else:
            found.suffixed.append(raw)
    elif not _sort_behind_comma(title, found):
        _sort_unmarked(title, found)


def _sort_unmarked(title: Unmarked, found: _Sorted) -> None:
    raw, parts, _ = title
    folded = fold(parts[0])
    found.unmarked.setdefault(folded, []).append(raw)
    if is_counted(parts, found.marker_of(parts[1])):
        found.counted.add(folded)
    if len(parts) == 2 and is_sequel(folded):
        found.sequels.add(folded)
    last = found.marker_of(parts[-1])
    if last is not None and last.level is Level.EPISODE:
        found.votes[last.languages] += 1


def _open_season(found: _Sorted, series: str, name: str, marker: Marker) -> list[_Episode]:
    """The episodes of a season of the file, which may be the first ones.

    Raises UnreadableFile when the file has more seasons than anybody can have watched.
    """
    season = found.seasons.get((series, name))
    if season is None:
        if len(found.seasons) >= _MOST_SEASONS:
            raise UnreadableFile(
                Message(
                    "The titles of this file name more than %(limit)d seasons: no viewing history "
                    "has so many.",
                    {"limit": _MOST_SEASONS},
                )
            )
        season = found.seasons[series, name] = _Season(series, name, marker)
    return season.episodes


def _sort_behind_comma(title: Unmarked, found: _Sorted) -> bool:
    """Read a season that a comma divides from the series: "Club 57, Temporada 1: Piloto"."""
    series, comma, name = title.parts[0].rpartition(", ")
    marker = found.marker_of(name) if comma else None
    if marker is None or marker.level is not Level.SEASON or not marker.exact:
        return False
    rest = ": ".join(title.parts[1:])
    _open_season(found, series, name, marker).append((title.raw, rest, title.number))
    return True


def _season_marker(
    parts: list[str], found: _Sorted, *, sure: bool = False
) -> tuple[int, Marker | None]:
    """Where the marker stands that ends the name of the series, and that marker.

    `sure` wants one that is nothing else and has an episode behind it.
    """
    last = len(parts) - 1
    for position in range(1, last + 1):
        marker = found.marker_of(parts[position])
        if marker is None:
            continue
        if marker.level in (Level.SEASON, Level.LIMITED):
            if (position < last or not sure) if marker.exact else (position < last and not sure):
                return position, marker
        elif marker.level in (Level.PART, Level.SPECIAL) and position < last and not sure:
            # "Rebel Moon: Part One: A Child of Fire" is a film, and behind "Stranger Things:
            # Stranger Things 4" a part is one of that season.
            if position == 1 and name_of(fold(parts[0])) is NameOf.FILMS:
                continue
            repeated = position == 2 and repeats(parts[1], parts[0])
            if not repeated or fold(parts[1]) == fold(parts[0]):
                return position, marker
    return 0, None


def _series_before(parts: list[str], position: int) -> str:
    """The name before a marker; Netflix writes some twice ("Korra: Korra: Book 1")."""
    half, odd = divmod(position, 2)
    if not odd and [*map(fold, parts[:half])] == [*map(fold, parts[half:position])]:
        return ": ".join(parts[:half])
    return ": ".join(parts[:position])


def _nameless(parts: list[str]) -> Message | None:
    """What is missing in a title whose name Netflix withdrew; None when nothing is."""
    if not parts[0]:
        return _NO_SERIES if any(parts) else _BLANK
    return None if parts[-1] else _NO_EPISODE


def _begins_with_season(title: Unmarked, found: _Sorted) -> Message | None:
    """What is missing where the name before a season is lost: "Season 1: Episode 3"."""
    parts = title.parts
    if len(parts) < 2:
        return None
    if title.number is None:
        # "Series 7: The Contenders" is a film.
        counting = found.marker_of(parts[1])
        if counting is None or counting.level not in (Level.EPISODE, Level.CHAPTER):
            return None
    first = found.marker_of(parts[0])
    if first is None or not first.exact:
        return None
    return _NO_SERIES if first.level in (Level.SEASON, Level.LIMITED, Level.PART) else None


def _film_stems(found: _Sorted) -> frozenset[str]:
    """The stems of the file's film names (titles of one part, and names of sequels), as far as an
    unmarked title has the same.
    """
    wanted = set(map(film_stem, found.unmarked))
    if not wanted:
        return frozenset()
    films = (fold(title.parts[0]) for title in map(Unmarked.of, found.films))
    stems = map(film_stem, chain(films, found.sequels))
    return frozenset(wanted.intersection(stems))


def _votes(found: _Sorted) -> Counter[tuple[str, ...]]:
    """How many titles of the file have a marker of which languages."""
    votes = _votes_of(found.seasons.values())
    votes.update(found.votes)
    return votes


def _votes_of(seasons: Iterable[_Season]) -> Counter[tuple[str, ...]]:
    votes: Counter[tuple[str, ...]] = Counter()
    for season in seasons:
        votes[season.marker.languages] += len(season)
    return votes


def _read_season(season: _Season, language: str, found: _Sorted) -> None:
    readings = found.readings
    reason = Message(_MARKED, {"marker": season.name})
    series, name, number = season.series, season.name, season.marker.number
    chapters: list[tuple[str, TitleReading, int | None]] = []
    new, kind = tuple.__new__, Kind.EPISODE
    starts = table().count_starts
    for raw, title, episode in season.episodes:
        # Most titles begin with an ordinary letter, and with no word that counts.
        count = None
        if episode is None and (
            not "@" <= title[:1] < "\u0e00" or title.split(" ", 1)[0].casefold() in starts
        ):
            count = read_count(title, found.marker_of)
            if count is not None and count.level is not Level.CHAPTER:
                episode = count.number
        # As `TitleReading(...)`, in half the time.
        reading = readings[raw] = new(
            TitleReading,
            (kind, reason, series, language, number, False, name, episode, title, False, None),
        )
        if count is not None and count.level is Level.CHAPTER:
            chapters.append((raw, reading, count.number))
        if title == _PLACEHOLDER:
            readings[raw] = TitleReading(Kind.ERROR, _NO_REAL_NAME)
    # Some series count their chapters on from season to season, and then they are no numbers of
    # episodes: "Lupin: Part 2: Chapter 6" is the first of its part.
    if number == 1 or any(chapter == 1 for _, _, chapter in chapters):
        for raw, reading, chapter in chapters:
            readings[raw] = reading._replace(episode_number=chapter)
    season.read = [title for _, title, _ in season.episodes]
    season.episodes.clear()


def _read_suffixed(found: _Sorted, languages: Languages) -> None:
    for raw in found.suffixed:
        _, parts, suffix = Unmarked.of(raw)
        count = _read_suffix(raw, found)
        language = languages.majority if count is None else languages.of(count.languages)
        reading = TitleReading(Kind.EPISODE, SUFFIXED, parts[0], language, 1, True, None, suffix)
        found.take(raw, reading)


class _Parted(NamedTuple):
    """An unmarked title that is an episode, cut; `counting` is the marker that counts it."""

    title: Unmarked
    verdict: Verdict
    series: str
    folded: str
    episode: str
    counting: Marker | None


def _read_unmarked(
    judged: Judged,
    found: _Sorted,
    file: File,
    series: Mapping[str, Collection[_Season]],
    languages: Languages,
) -> None:
    """Read the unmarked titles of one series, or of several that might be."""
    count = 0
    for title, verdict in judged:
        if verdict.kind is Kind.EPISODE:
            count += 1
            continue
        reading = TitleReading(
            verdict.kind,
            verdict.reason,
            reading_uncertain=verdict.uncertain,
            alternative=verdict.alternative,
        )
        found.take(title.raw, reading)
    episodes = held(
        lambda: (_part(*one, found) for one in judged if one[1].kind is Kind.EPISODE), count
    )
    named = _named_seasons(episodes)
    spoken = _languages_told(episodes, series, languages)
    marked: dict[str, Mapping[str, Collection[int | None]]] = {}
    for title, verdict, name, folded, episode, counting in episodes:
        raw, parts, number = title
        ends, begins = verdict.series, verdict.season
        known = file.known.get(folded)
        season: int | None
        if begins > ends:
            season, inferred = _named_season(title, verdict), False
        else:
            if folded not in marked:
                marked[folded] = _marked_episodes(series.get(folded, ()), known)
            in_seasons = marked[folded]
            season, inferred = _unmarked_season(
                in_seasons.get(fold(episode), ()) if in_seasons else (),
                1 in file.marked.get(folded, ())
                or 1 in named.get(folded, ())
                or (known is not None and 1 in known.seasons),
            )
        language = spoken.get(folded)
        if language is None:
            learned = None if known is None else known.language
            language = spoken[folded] = learned or languages.majority
        reading = TitleReading(
            Kind.EPISODE,
            verdict.reason,
            name,
            language,
            season,
            inferred,
            ": ".join(parts[ends:begins]) or None,
            number if number is not None or counting is None else counting.number,
            episode,
            verdict.uncertain,
            verdict.alternative,
        )
        found.take(raw, reading)


def _part(title: Unmarked, verdict: Verdict, found: _Sorted) -> _Parted:
    raw, parts, number = title
    ends, begins = verdict.series, verdict.season
    name = parts[0] if ends == 1 else ": ".join(parts[:ends])
    episode = parts[-1] if begins == len(parts) - 1 else ": ".join(parts[begins:])
    if number is None:
        counting = read_count(episode, found.marker_of)
    else:
        counting = _read_suffix(raw, found)
    return _Parted(title, verdict, name, fold(name), episode, counting)


def _read_suffix(raw: str, found: _Sorted) -> Marker | None:
    """The closing "(Episode 7)" of a title as a marker."""
    return found.marker_of(clean(raw).rpartition("(")[2].removesuffix(")"))


def _languages_told(
    episodes: Iterable[_Parted], series: Mapping[str, Collection[_Season]], languages: Languages
) -> dict[str, str]:
    """The language of each series of unmarked titles that markers tell, by folded name.

    Those of its seasons; without any, the words that count its episodes.
    """
    votes: dict[str, Counter[tuple[str, ...]]] = {}
    for _, _, _, folded, _, counting in episodes:
        if folded in series:
            if folded not in votes:
                votes[folded] = _votes_of(series[folded])
        elif counting is not None:
            votes.setdefault(folded, Counter())[counting.languages] += 1
    return {folded: languages.of_most(told) for folded, told in votes.items()}


def _named_seasons(episodes: Iterable[_Parted]) -> dict[str, set[int | None]]:
    """The seasons that names tell, by folded series."""
    seasons: dict[str, set[int | None]] = {}
    for title, verdict, _, folded, _, _ in episodes:
        if verdict.season > verdict.series:
            seasons.setdefault(folded, set()).add(_named_season(title, verdict))
    return seasons


def _named_season(title: Unmarked, verdict: Verdict) -> int | None:
    name = ": ".join(title.parts[verdict.series : verdict.season])
    series = ": ".join(title.parts[: verdict.series])
    return season_number(name, series) if repeats(name, series) else None


def _marked_episodes(
    seasons: Iterable[_Season], known: KnownSeries | None
) -> Mapping[str, Collection[int | None]]:
    """The marked seasons of one series by folded title of their episodes."""
    episodes: dict[str, set[int | None]] = {}
    if known is not None:
        episodes = {title: set(numbers) for title, numbers in known.episodes.items()}
    for season in seasons:
        for title in season.read:
            episodes.setdefault(fold(title), set()).add(season.marker.number)
    return episodes


def _unmarked_season(
    same_title: Collection[int | None], first_is_shown: bool
) -> tuple[int | None, bool]:
    """The season of an episode without a marker, and whether it is inferred.

    The season of the one marked title that it repeats; else the first season, unless the file
    shows that one: Netflix drops the marker of a whole first season, never of a part of it.
    """
    if len(same_title) == 1:
        return next(iter(same_title)), True
    return (None, False) if first_is_shown else (1, True)
