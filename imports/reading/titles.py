"""What each title of a file says: series, season and episode, or a movie.

The whole file is read before anything is decided: rows explain one another.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from imports.reading.markers import Level, Marker, is_trailer, read_marker, table
from imports.reading.spelling import clean, fold, segments
from imports.reading.types import Alternative, Format, Kind, Known, Message

# Netflix dropped the marker of series with one season between 28 March and 30 June 2022.
NEW_GRAMMAR = date(2022, 6, 1)
_LEAKED = re.compile(r"_(?:hook|shortpreview)(?:_|$)|_\d+x\d+$")


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
    new_grammar = newest_day is None or newest_day >= NEW_GRAMMAR
    readings: dict[str, TitleReading] = {}
    markers: dict[str, Marker | None] = {}
    unmarked: list[tuple[str, list[str], int | None]] = []
    seasons: defaultdict[str, set[int | None]] = defaultdict(set)
    votes: Counter[str] = Counter()
    suffix = table().suffix

    def marker_of(part: str) -> Marker | None:
        try:
            return markers[part]
        except KeyError:
            found = markers[part] = read_marker(part)
            return found

    for raw in titles:
        text = clean(raw)
        if _LEAKED.search(text):
            readings[raw] = TitleReading(
                Kind.SKIPPED, Message("Skipped: a preview that Netflix played, not a viewing.")
            )
            continue
        number: int | None = None
        if text.endswith(")"):
            match = suffix.search(text)
            if match:
                number = int((match.group(1) or match.group(2))[:9])
                text = text[: match.start()]
        parts = segments(text)
        if not parts[0] or parts[0].startswith(":"):
            readings[raw] = TitleReading(
                Kind.ERROR, Message("The title has no name: Netflix no longer shows what it was.")
            )
            continue
        for position in range(1, len(parts)):
            marker = marker_of(parts[position])
            if marker is None or marker.level in (Level.CHAPTER, Level.EPISODE):
                continue
            if marker.level in (Level.PART, Level.SERIES, Level.SPECIAL) and (
                position == len(parts) - 1
            ):
                continue
            votes.update(marker.languages)
            series = ": ".join(parts[:position])
            title = ": ".join(parts[position + 1 :])
            last = marker_of(parts[-1])
            episode = number
            if episode is None and last is not None and last.level is Level.EPISODE:
                episode = last.number
            seasons[fold(series)].add(marker.number)
            readings[raw] = TitleReading(
                Kind.EPISODE,
                Message(
                    "Series, because “%(marker)s” marks the season.", {"marker": parts[position]}
                ),
                series,
                marker.languages[0],
                marker.number,
                False,
                parts[position],
                episode,
                title or None,
            )
            break
        else:
            if len(parts) > 1 and is_trailer(parts[0]):
                readings[raw] = TitleReading(
                    Kind.SKIPPED, Message("Skipped: a trailer, not a viewing.")
                )
            elif len(parts) == 1 and number is None:
                readings[raw] = TitleReading(
                    Kind.MOVIE, Message("Movie: the title has only one part.")
                )
            else:
                unmarked.append((raw, parts, number))

    siblings = Counter(fold(parts[0]) for _, parts, _ in unmarked)
    for raw, parts, number in unmarked:
        first = fold(parts[0])
        last = marker_of(parts[-1])
        is_episode = (
            number is not None
            or (last is not None and last.level is Level.EPISODE)
            or first in seasons
            or siblings[first] >= (3 if new_grammar else 7)
            or len(parts) > 2
        )
        if is_episode:
            named = len(parts) > 2
            readings[raw] = TitleReading(
                Kind.EPISODE,
                Message("Series: other titles of this file share the name."),
                parts[0],
                None,
                None if named else 1,
                not named,
                parts[1] if named else None,
                number,
                ": ".join(parts[2:] if named else parts[1:]),
            )
        else:
            readings[raw] = TitleReading(
                Kind.MOVIE, Message("Movie: no other title of this file shares the name.")
            )
    language = votes.most_common(1)[0][0] if votes else fallback_language
    return Interpretation(readings, language)
