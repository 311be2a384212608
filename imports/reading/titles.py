"""What each title of a file says: series, season and episode, or a movie.

The whole file is read before anything is decided: rows explain one another.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from imports.reading.evidence import File, Unmarked, repeats, season_number
from imports.reading.judging import SUFFIXED, Verdict, judge
from imports.reading.keys import title_key
from imports.reading.knowledge import film_stem, is_sequel
from imports.reading.markers import (
    Level,
    Marker,
    may_be_marker,
    read_marker,
    read_trailer,
    table,
)
from imports.reading.spelling import clean, fold, segments
from imports.reading.types import Alternative, Format, Kind, Known, Message

# Netflix dropped the marker of series with one season between 28 March and 30 June 2022.
NEW_GRAMMAR = date(2022, 6, 1)
_LEAKED = re.compile(r"_(?:hook|shortpreview)(?:_|$)|_\d+x\d+$")
_PLACEHOLDERS = frozenset({"videoepisode"})
_STRAY_LABEL = "english title"

_PREVIEW = Message("Skipped: a preview that Netflix played by itself, not a viewing.")
_TRAILER = Message("Skipped: a trailer or a clip, not a viewing.")
_BLANK = Message("The title is blank: Netflix no longer says what was watched.")
_NAMELESS = Message("The series' name is missing: Netflix no longer says what was watched.")
_NO_EPISODE = Message("The episode's name is missing: Netflix no longer says which it was.")
_PLACEHOLDER = Message("The title holds a placeholder instead of the episode's name.")
_STRAY = Message("The title holds a stray “English Title” instead of the series' name.")
_ONE_PART = Message("Movie, because the title has only one part.")
_MARKED = "Series, because “%(marker)s” marks the season."
_SAID = Message("Movie, because you said so.")


class TitleReading(NamedTuple):
    """What one title says, and why (`reason`)."""

    kind: Kind
    reason: Message
    series: str | None = None
    language: str | None = None
    season_number: int | None = None
    season_inferred: bool = False
    season_name: str | None = None
    episode_number: int | None = None
    episode_title: str | None = None
    reading_uncertain: bool = False
    alternative: Alternative | None = None


@dataclass(frozen=True, slots=True)
class Interpretation:
    """The readings by raw title, and the language most titles of the file are in."""

    titles: Mapping[str, TitleReading]
    language: str


@dataclass(slots=True)
class _Season:
    """The titles of the file that share everything up to a season marker."""

    series: str
    name: str
    marker: Marker
    episodes: list[tuple[str, str, int | None]] = field(default_factory=list)


@dataclass(slots=True)
class _Sorted:
    """The titles of a file, sorted by what can be read from each alone."""

    seasons: dict[tuple[str, str], _Season] = field(default_factory=dict)
    unmarked: list[Unmarked] = field(default_factory=list)
    single: list[tuple[str, str, int | None]] = field(default_factory=list)
    readings: dict[str, TitleReading] = field(default_factory=dict)
    markers: dict[str, Marker | None] = field(default_factory=dict)

    def marker_of(self, part: str) -> Marker | None:
        """The part as a marker, read once per file."""
        try:
            return self.markers[part]
        except KeyError:
            marker = self.markers[part] = read_marker(part)
            return marker


def interpret(
    titles: Mapping[str, Collection[date]],
    *,
    format: Format,
    newest_day: date | None,
    known: Known,
    fallback_language: str,
) -> Interpretation:
    """Read the distinct raw titles of a file's viewings together.

    `titles` maps each to the days it was watched; `newest_day` is the file's last day, which
    tells whether it was exported before or after Netflix changed its titles. Never raises.
    """
    found = _sort(titles, known)
    marked: dict[str, set[int | None]] = {}
    for season in found.seasons.values():
        marked.setdefault(fold(season.series), set()).add(season.marker.number)
    file = File(
        marked,
        known.series,
        _film_stems(found),
        found.marker_of,
        old=newest_day is not None and newest_day < NEW_GRAMMAR,
        activity=format is Format.NETFLIX_ACTIVITY,
    )
    verdicts = judge(found.unmarked, file)
    languages = _Languages(found, titles, fallback_language)
    readings = found.readings
    for season in found.seasons.values():
        _read_season(season, languages, readings)
    _read_unmarked(found, verdicts, marked, languages, known, readings)
    return Interpretation(readings, languages.majority)


def _film_stems(found: _Sorted) -> frozenset[str]:
    """What the names of the file's certain films begin with: those of one part, and sequels."""
    if not found.unmarked:
        return frozenset()
    names = {fold(text) for _, text, number in found.single if number is None}
    firsts = {fold(title.parts[0]) for title in found.unmarked if len(title.parts) == 2}
    names.update(filter(is_sequel, firsts))
    return frozenset(map(film_stem, names))


def _sort(titles: Iterable[str], known: Known) -> _Sorted:
    """Read each title as far as it goes alone: markers, suffixes, and what is no viewing."""
    found = _Sorted()
    seasons = found.seasons
    suffix = table().suffix
    for raw in titles:
        text = clean(raw)
        if "_" in text and _LEAKED.search(text):
            found.readings[raw] = TitleReading(Kind.SKIPPED, _PREVIEW)
            continue
        number: int | None = None
        if text.endswith(")"):
            match = suffix.search(text)
            if match:
                number = int((match.group(1) or match.group(2))[:9])
                text = text[: match.start()]
        if " :" not in text and text[-1:] != ":":
            parts = text.split(": ", 2)
            if len(parts) == 3:
                season = seasons.get((parts[0], parts[1]))
                if season is not None:
                    season.episodes.append((raw, parts[2], number))
                    continue
                if ": " in parts[2]:
                    parts[2:] = parts[2].split(": ")
        else:
            parts = segments(text)
        _sort_one(raw, text, parts, number, found, known)
    return found


def _sort_one(
    raw: str, text: str, parts: list[str], number: int | None, found: _Sorted, known: Known
) -> None:
    broken = _broken(parts)
    if broken is not None:
        found.readings[raw] = TitleReading(Kind.ERROR, broken)
        return
    if known.movies and title_key(raw) in known.movies:
        found.readings[raw] = TitleReading(Kind.MOVIE, _SAID)
        return
    last = len(parts) - 1
    for position in range(1, last + 1):
        marker = found.marker_of(parts[position])
        if marker is None or not _ends_series(marker, position, parts):
            continue
        series = ": ".join(parts[:position])
        if position == last:
            found.readings[raw] = TitleReading(Kind.ERROR, _NO_EPISODE)
            return
        key = (series, parts[position])
        season = found.seasons.get(key)
        if season is None:
            season = found.seasons[key] = _Season(series, parts[position], marker)
        season.episodes.append((raw, ": ".join(parts[position + 1 :]), number))
        return
    if read_trailer(text):
        found.readings[raw] = TitleReading(Kind.SKIPPED, _TRAILER)
        return
    head, comma, tail = parts[0].rpartition(", ")
    if comma and last > 0:
        marker = found.marker_of(tail)
        if marker is not None and marker.level is Level.SEASON and marker.exact:
            season = found.seasons.setdefault((head, tail), _Season(head, tail, marker))
            season.episodes.append((raw, ": ".join(parts[1:]), number))
            return
    if last == 0:
        found.single.append((raw, text, number))
    else:
        found.unmarked.append(Unmarked(raw, parts, number))


def _ends_series(marker: Marker, position: int, parts: list[str]) -> bool:
    """Whether a marker at this place says where the name of the series ends."""
    last = position == len(parts) - 1
    if marker.level in (Level.SEASON, Level.LIMITED):
        return marker.exact or not last
    if marker.level in (Level.PART, Level.SPECIAL):
        return not last and not (position > 1 and repeats(parts[1], parts[0]))
    return False


def _broken(parts: list[str]) -> Message | None:
    """Why a title cannot be read, when Netflix withdrew its name; None when it can."""
    if not parts[0]:
        return _BLANK if len(parts) == 1 else _NAMELESS
    if len(parts) == 1:
        return None
    if not parts[-1]:
        return _NO_EPISODE
    if parts[-1].casefold() in _PLACEHOLDERS:
        return _PLACEHOLDER
    if any(part.casefold() == _STRAY_LABEL for part in parts):
        return _STRAY
    return None


class _Languages:
    """Which language each series is in: its markers say so, or else most of the file."""

    def __init__(self, found: _Sorted, titles: Iterable[str], fallback: str) -> None:
        votes: Counter[tuple[str, ...]] = Counter()
        for season in found.seasons.values():
            votes[season.marker.languages] += len(season.episodes)
        for title in found.unmarked:
            marker = found.markers.get(title.parts[-1])
            if marker is not None and marker.level is Level.EPISODE:
                votes[marker.languages] += 1
        weights: Counter[str] = Counter()
        for languages, count in votes.items():
            for language in languages:
                weights[language] += count
        for languages, count in votes.items():
            if len(languages) == 1:
                weights[languages[0]] += count
        self._rank = dict(weights)
        self._titles = titles
        self._chosen: dict[tuple[str, ...], str] = {}
        tally: Counter[str] = Counter()
        for languages, count in votes.items():
            tally[self.of(languages)] += count
        self.majority = min(tally, key=lambda name: (-tally[name], name)) if tally else fallback

    def of(self, languages: tuple[str, ...]) -> str:
        """The likeliest of the languages that a marker belongs to."""
        chosen = self._chosen.get(languages)
        if chosen is None:
            best = max(self._rank[language] for language in languages)
            leading = [name for name in languages if self._rank[name] == best]
            chosen = leading[0] if len(leading) == 1 else self._by_letters(leading)
            self._chosen[languages] = chosen
        return chosen

    def _by_letters(self, leading: list[str]) -> str:
        letters = table().letters
        text = "".join(self._titles).casefold()
        counts = {name: sum(map(text.count, letters[name])) for name in leading}
        return max(leading, key=counts.__getitem__)


def _count(title: str, found: dict[str, Marker | None]) -> Marker | None:
    """What counts an episode in its title: "Episode 7", "Chapter Two: Trick or Treat, Freak"."""
    head = title.partition(": ")[0] if ": " in title else title
    if not may_be_marker(head):
        return None
    try:
        return found[head]
    except KeyError:
        marker = read_marker(head)
        if marker is not None and marker.level not in (Level.EPISODE, Level.CHAPTER):
            marker = None
        found[head] = marker
        return marker


def _read_season(season: _Season, languages: _Languages, readings: dict[str, TitleReading]) -> None:
    reason = Message(_MARKED, {"marker": season.name})
    language = languages.of(season.marker.languages)
    number = season.marker.number
    found: dict[str, Marker | None] = {}
    counts = [_count(title, found) for _, title, _ in season.episodes]
    # Some series count their chapters on from season to season, and then they are no numbers of
    # episodes: "Lupin: Part 2: Chapter 6" is the first of its part.
    chapters = {
        count.number for count in counts if count is not None and count.level is Level.CHAPTER
    }
    trusted = number == 1 or 1 in chapters
    for (raw, title, suffix), count in zip(season.episodes, counts, strict=True):
        if title.casefold() in _PLACEHOLDERS:
            readings[raw] = TitleReading(Kind.ERROR, _PLACEHOLDER)
            continue
        episode = suffix
        if episode is None and count is not None and (trusted or count.level is Level.EPISODE):
            episode = count.number
        readings[raw] = TitleReading(
            Kind.EPISODE,
            reason,
            season.series,
            language,
            number,
            False,
            season.name,
            episode,
            title,
        )


def _read_unmarked(
    found: _Sorted,
    verdicts: Mapping[str, Verdict],
    marked: Mapping[str, set[int | None]],
    languages: _Languages,
    known: Known,
    readings: dict[str, TitleReading],
) -> None:
    for raw, text, number in found.single:
        if number is None:
            readings[raw] = TitleReading(Kind.MOVIE, _ONE_PART)
        else:
            readings[raw] = TitleReading(
                Kind.EPISODE, SUFFIXED, text, languages.majority, 1, True, None, number, None
            )
    named: dict[str, set[int | None]] = {}
    for title in found.unmarked:
        verdict = verdicts[title.raw]
        if verdict.kind is Kind.EPISODE and verdict.season > verdict.series:
            series = fold(": ".join(title.parts[: verdict.series]))
            named.setdefault(series, set()).add(_named_number(title, verdict))
    counts: dict[str, Marker | None] = {}
    episodes = _marked_episodes(found, {fold(title.parts[0]) for title in found.unmarked})
    for title in found.unmarked:
        verdict = verdicts[title.raw]
        if verdict.kind is not Kind.EPISODE:
            readings[title.raw] = TitleReading(
                verdict.kind,
                verdict.reason,
                reading_uncertain=verdict.uncertain,
                alternative=verdict.alternative,
            )
            continue
        parts = title.parts
        series = ": ".join(parts[: verdict.series])
        episode = ": ".join(parts[verdict.season :])
        folded = fold(series)
        known_series = known.series.get(folded)
        language = languages.majority
        if known_series is not None and known_series.language:
            language = known_series.language
        if verdict.season > verdict.series:
            season, inferred = _named_number(title, verdict), False
        else:
            season, inferred = _unmarked_season(
                episodes.get((folded, fold(episode)), ()),
                marked.get(folded, set()) | named.get(folded, set()),
            )
        number = title.number
        count = _count(episode, counts) if number is None else None
        if count is not None:
            number = count.number
        readings[title.raw] = TitleReading(
            Kind.EPISODE,
            verdict.reason,
            series,
            language,
            season,
            inferred,
            ": ".join(parts[verdict.series : verdict.season]) or None,
            number,
            episode,
            verdict.uncertain,
            verdict.alternative,
        )


def _named_number(title: Unmarked, verdict: Verdict) -> int | None:
    name = ": ".join(title.parts[verdict.series : verdict.season])
    series = ": ".join(title.parts[: verdict.series])
    return season_number(name, series) if repeats(name, series) else None


def _marked_episodes(
    found: _Sorted, wanted: Collection[str]
) -> dict[tuple[str, str], set[int | None]]:
    """The marked seasons of each episode title, for series that have unmarked titles too."""
    episodes: dict[tuple[str, str], set[int | None]] = {}
    for season in found.seasons.values():
        series = fold(season.series)
        if series in wanted:
            for _, title, _ in season.episodes:
                episodes.setdefault((series, fold(title)), set()).add(season.marker.number)
    return episodes


def _unmarked_season(
    same_title: Collection[int | None], seasons: Collection[int | None]
) -> tuple[int | None, bool]:
    """The season of an episode without a marker, and whether it is inferred.

    The season of the one marked title that it repeats; else the first season, unless the file
    marks that one: Netflix drops the marker of a whole first season, never of a part of it.
    """
    if len(same_title) == 1:
        return next(iter(same_title)), True
    if 1 in seasons:
        return None, False
    return 1, True
