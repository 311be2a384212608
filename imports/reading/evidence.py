"""What the titles of a file say about one another: counts behind the reading of unmarked ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from imports.reading.anew import held
from imports.reading.knowledge import NameOf, known_films, name_of
from imports.reading.markers import Level, Marker, read_number, table
from imports.reading.spelling import clean, fold, segments
from imports.reading.types import KnownSeries

_NO_WORD = re.compile(r"[\W_]+")
_COUNTING = (Level.CHAPTER, Level.EPISODE)
# What most groups have of most things, not to make a set for each: never added to.
_NOTHING: frozenset[int] = frozenset()
_NO_NUMBERS: set[int] = set()
_NO_SEASONS: set[int | None] = set()
_NO_NAMES: set[str] = set()
_NONE_BELOW: dict[str, tuple[str] | set[str]] = {}
_NO_PARTS_BELOW: dict[str, set[int]] = {}


class Unmarked(NamedTuple):
    """A title of two parts or more without a season marker; `number` is of its "(Episode 7)"."""

    raw: str
    parts: list[str]
    number: int | None

    @classmethod
    def of(cls, raw: str) -> Unmarked:
        """A title that is known to be one, cut anew: to keep the parts of all takes much memory."""
        text, number = without_suffix(clean(raw))
        parts = segments(text)
        return cls(raw, [*filter(None, parts)] if "" in parts else parts, number)


def without_suffix(text: str) -> tuple[str, int | None]:
    """A cleaned title without its closing "(Episode 7)", and the number of that."""
    match = table().suffix.search(text) if text.endswith(")") else None
    if match is None:
        return text, None
    return text[: match.start()], int(match[match.lastindex or 0][:9])


@dataclass(frozen=True, slots=True)
class File:
    """What is known of the whole file and the library before unmarked titles are read.

    `marked` has the seasons that markers show, by folded name of the series. `films` are the
    stems of the file's film names, `singles` counts its titles without a colon. `old` says that
    the file was exported before Netflix dropped markers; `activity` that files of its kind always
    have them.
    """

    marked: Mapping[str, Collection[int | None]]
    known: Mapping[str, KnownSeries]
    films: Collection[str]
    singles: int
    marker_of: Callable[[str], Marker | None]
    old: bool
    activity: bool


def is_counted(parts: Sequence[str], second: Marker | None) -> bool:
    """Whether a title says outright that it is an episode ("Episode 3"), as a marker in it tells."""
    if second is None:
        return False
    return second.level is Level.EPISODE if len(parts) == 2 else second.level in _COUNTING


def is_name(second: Marker) -> bool:
    """Whether the second of two parts is a name, although it can be read as a marker."""
    return second.level is not Level.EPISODE and not (second.exact and second.number is not None)


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Folded text as words between single blanks, with a blank before and behind."""
    folded = fold(text)
    if "  " not in folded and folded.replace(" ", "").isalnum():
        return f" {folded.strip()} "
    return f" {_NO_WORD.sub(' ', folded).strip()} "


@lru_cache(maxsize=4096)
def repeats(part: str, name: str) -> bool:
    """Whether a part of a title repeats the name before it, or the name with a number.

    "Haikyu!! II" repeats "Haikyu!!", "XY" repeats "Pokémon XY", "Planet 2: Home" "Planet: Home".
    """
    ours, theirs = plain(part), plain(name)
    if min(len(ours), len(theirs)) < 4:
        return ours == theirs != "  "
    if theirs in ours or ours in theirs:
        return True
    words = ours.split()
    if not any(map(theirs.split().__contains__, words)):
        return False
    names = [word for word in words if read_number(word) is None]
    return 1 < len(names) < len(words) and f" {' '.join(names)} " in theirs


@lru_cache(maxsize=4096)
def season_number(part: str, name: str) -> int | None:
    """The number in a season's name that repeats the series' ("Stranger Things 4" is 4).

    The bare name is the first season; None where the season's name adds no number.
    """
    ours, theirs = plain(part).split(), plain(name).split()
    if ours == theirs:
        return 1
    added = (read_number(word) for word in ours if word not in theirs)
    return next((number for number in added if number is not None), None)


def mentions(part: str, name: str) -> bool:
    """Whether a part of a title has the words of a name in it, inflected perhaps."""
    words = plain(name).rstrip()
    return bool(words) and words in plain(part)


class Group:
    """All unmarked titles of one first part, and what they say together."""

    __slots__ = (
        "_films",
        "_named_seasons",
        "_whose",
        "below",
        "count",
        "counted",
        "file",
        "film_odds",
        "folded",
        "is_series",
        "known",
        "most_below",
        "name",
        "named",
        "numbers",
        "parts_below",
        "repeating",
        "seasons",
        "titles",
        "triples",
        "unmarked_series",
    )

    def __init__(
        self, titles: Sequence[str], folded: str, file: File, unmarked_series: int
    ) -> None:
        self.titles = held(lambda: map(Unmarked.of, titles), len(titles))
        self.name = Unmarked.of(titles[0]).parts[0]
        self.folded = folded
        self.file = file
        # The different second parts of titles of two parts: those that are names, and the
        # numbers of those that are "Part 1" or the like.
        self.named: set[str] = set()
        # How many they are together with those that the library has.
        self.count = 0
        self.numbers = _NO_NUMBERS
        # The different titles that stand under each second part; the second parts of those of
        # three parts; the numbers of those that close with "Part 1" or the like; how many the largest has.
        self.below = _NONE_BELOW
        self.triples = _NO_NAMES
        self.parts_below = _NO_PARTS_BELOW
        self.most_below = 0
        # The second parts that repeat the name.
        self.repeating = _NO_NAMES
        # Whether a title says outright that it is an episode ("Episode 3").
        self.counted = False
        # The seasons that the file shows, by markers or by names that repeat the series' name.
        self.seasons = file.marked.get(folded, _NOTHING)
        self._named_seasons = _NO_SEASONS
        # Whether anything but its plain titles shows that the name is a series'.
        self.is_series = False
        # How likely it is a film's, where nothing else tells; see `odds`. None: not asked yet.
        self.film_odds: float | None = None
        # How many series of the file are not marked, for these odds.
        self.unmarked_series = unmarked_series
        self.known = file.known.get(folded)
        self._whose = name_of(folded)
        self._films = known_films(folded)
        self._gather()

    def _gather(self) -> None:
        repeated = False
        for title in self.titles:
            if len(title.parts) == 2:
                self._count_pair(title.parts[1])
            elif self._count_longer(title.parts):
                repeated = True
        known = () if self.known is None else self.known.unmarked
        self.count = len({*self.named, *known}) if known else len(self.named)
        if self._named_seasons:
            self.seasons = {*self.seasons, *self._named_seasons}
        if self.below:
            self.most_below = max(map(len, self.below.values()))
        self.is_series = self.counted or repeated or self.folded in self.file.marked

    def whose(self, second: str) -> NameOf | None:
        """Whose name stands before this folded second part."""
        return NameOf.FILMS if self.has_film(second) else self._whose

    def has_film(self, second: str) -> bool:
        """Whether the name and this folded second part are known to begin a film's together."""
        return second.startswith(self._films)

    def _count_pair(self, second: str) -> None:
        marker = self.file.marker_of(second)
        if marker is None or is_name(marker):
            self.named.add(fold(second))
        elif marker.level is Level.EPISODE:
            self.counted = True
        elif marker.number is not None:
            if not self.numbers:
                self.numbers = set()
            self.numbers.add(marker.number)

    def _count_longer(self, parts: list[str]) -> bool:
        """Count a title of three parts or more; whether its second part repeats the first."""
        marker = self.file.marker_of(parts[1])
        if marker is not None and marker.level in _COUNTING:
            self.counted = True
            return False
        second = fold(parts[1])
        below = fold(": ".join(parts[2:]))
        if not self.below:
            self.below, self.triples, self.parts_below = {}, set(), {}
        others = self.below.setdefault(second, (below,))
        if isinstance(others, set):
            others.add(below)
        elif below not in others:
            self.below[second] = {*others, below}
        if len(parts) == 3:
            self.triples.add(second)
        last = self.file.marker_of(parts[-1])
        if last is not None and last.level is not Level.EPISODE and last.number is not None:
            self.parts_below.setdefault(second, set()).add(last.number)
        if not repeats(parts[1], parts[0]):
            return False
        if not self.repeating:
            self.repeating, self._named_seasons = set(), set()
        self.repeating.add(second)
        self._named_seasons.add(season_number(parts[1], parts[0]))
        return True
