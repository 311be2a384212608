"""Titles without a season marker: what the other titles of the file say about them.

Figures are from 111 real exports. A series with one season lost its marker in exports from
mid-2022 on; before that an unmarked title with a colon was a film 19 times out of 20.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from imports.reading.knowledge import NameOf, name_of
from imports.reading.markers import Level, Marker, read_number, table
from imports.reading.spelling import fold
from imports.reading.types import Alternative, Kind, KnownSeries, Message


class Unmarked(NamedTuple):
    """A title of two parts or more without a season marker; `number` is of its "(Episode 7)"."""

    raw: str
    parts: list[str]
    number: int | None


class Verdict(NamedTuple):
    """How an unmarked title is read: the first `series` parts are the series' name, the next
    ones up to `season` the name of a season (none when equal), the rest is the episode."""

    kind: Kind
    reason: Message
    series: int = 1
    season: int = 1
    uncertain: bool = False
    alternative: Alternative | None = None


@dataclass(frozen=True, slots=True)
class File:
    """What is known of the whole file and the library before unmarked titles are read.

    `marked` has the seasons that markers show, by folded series name. `old` says that the file
    was exported before Netflix dropped markers; `activity` that it always has them.
    """

    marked: Mapping[str, Collection[int | None]]
    marker_of: Callable[[str], Marker | None]
    known: Mapping[str, KnownSeries]
    old: bool
    activity: bool


_SUFFIX = Message("Series, because the title closes with the number of an episode.")
_ONLY_TRAILING = Message(
    "Movie: files of this kind mark every episode, and nothing marks this title as one."
)
_REPEATED = Message("Series, because the second part repeats the name of the series.")
_COUNTED = Message("Series, because “%(word)s” counts an episode.")
_MANY = Message("Series, because %(count)d titles of this file begin with “%(name)s”.")
_FEW_OLD = Message(
    "Movie: only %(count)d titles of this file begin with “%(name)s”, and files of its time mark "
    "the season of most episodes."
)
_ALONE_OLD = Message(
    "Movie: no other title of this file begins with “%(name)s”, and files of its time mark the "
    "season of most episodes."
)
_ALONE_NEW = Message(
    "Series, perhaps: no other title of this file begins with “%(name)s”, but nothing says that it "
    "is a film."
)
_FILMS = Message("Movie, because “%(name)s” is the name of a series of films.")
_PERHAPS_FILMS = Message("Movie, because “%(name)s” is the name of films as well as of a series.")
_PERSON = Message("Movie, because “%(name)s” is a performer with programmes of their own.")
_PERHAPS_PERSON = Message("Movie, because “%(name)s” seems to be a person's name.")
_PRESENTS = Message("Movie, because “%(name)s” introduces a title of its own.")
_FILM_WORD = Message("Movie, because of the word “%(word)s” in its title.")
_SEQUEL = Message("Movie, because “%(name)s” ends like the name of a sequel.")
_PART_OF_FILM = Message("Movie, because “%(word)s” closes the name of a film in parts.")
_BESIDE_FIRST = Message(
    "Movie, because this file marks season 1 of “%(name)s”, and this title is not in it."
)
_BESIDE_OLD = Message(
    "Movie, because this file marks the seasons of “%(name)s”, and this title has none."
)
_BESIDE_LATER = Message(
    "Series, because this file marks later seasons of “%(name)s”, and its first has no mark."
)
_BESIDE_MANY = Message(
    "Series, because this file marks seasons of “%(name)s”, and %(count)d titles without a mark go "
    "with them."
)
_KNOWN = Message("Series, because “%(name)s” is a series of your library.")
_PILOT = Message("Series, because “%(word)s” is what a first or last episode is called.")
_NAMED_SEASON = Message("Series, because “%(season)s” seems to be a season of “%(name)s”.")
_THREE_PARTS = Message("Series, because the title has the three parts of an episode.")

# From this many titles of one name on, it is a series whatever its name says.
_SURELY_SERIES = 7
_SURELY_SERIES_NEW = 5
_PLAIN = re.compile(r"[\W_]+")
_SEQUEL_END = re.compile(r"(?: |#)([2-9])$")


def plain(text: str) -> str:
    """Folded text as words between single blanks, a blank before and behind."""
    return f" {_PLAIN.sub(' ', fold(text)).strip()} "


def repeats(part: str, name: str) -> bool:
    """Whether a part of a title repeats the name before it, or most of it ("Haikyu!! II")."""
    ours, theirs = plain(part), plain(name)
    if len(ours) < 4 or len(theirs) < 4:
        return ours == theirs
    if theirs in ours or ours in theirs:
        return True
    words = ours.split()
    if len(words) > 2 and read_number(words[-1]) is not None:
        return f" {' '.join(words[:-1])} " in theirs
    return False


def season_number(part: str, name: str) -> int | None:
    """The number in a season's name that repeats the series' ("Stranger Things 4": 4)."""
    ours, theirs = plain(part), plain(name)
    if ours == theirs:
        return 1
    if ours.startswith(theirs):
        following = ours[len(theirs) :].split()
        return read_number(following[0]) if following else None
    words = ours.split()
    if len(words) > 1 and f" {' '.join(words[:-1])} " in theirs:
        return read_number(words[-1])
    return None


@dataclass(slots=True)
class _Group:
    """All unmarked titles of one first part, and what they say together."""

    name: str
    folded: str
    file: File
    pairs: list[Unmarked] = field(default_factory=list)
    longer: list[Unmarked] = field(default_factory=list)

    # How many episodes stand under each second part, and how many under each second and third.
    seconds: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    thirds: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    three: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    numbered: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    named: set[str] = field(default_factory=set)
    counted: bool = False
    has_named_seasons: bool = False
    seasons: set[int | None] = field(default_factory=set)

    def gather(self) -> None:
        """Count what stands beside what, before any title is read."""
        marker_of = self.file.marker_of
        for title in self.pairs:
            second = title.parts[1]
            marker = marker_of(second)
            if marker is None:
                self.named.add(fold(second))
            elif marker.level is Level.EPISODE:
                self.counted = True
            elif marker.exact and marker.number is not None:
                self.numbered[""].add(marker.number)
            else:
                self.named.add(fold(second))
        for title in self.longer:
            parts = title.parts
            second, third = fold(parts[1]), fold(parts[2])
            marker = marker_of(parts[1])
            if marker is not None and marker.level in (Level.CHAPTER, Level.EPISODE):
                self.counted = True
                continue
            last = marker_of(parts[-1])
            if last is not None and last.level is not Level.EPISODE and last.number is not None:
                self.numbered[second].add(last.number)
            self.seconds[second].add(" ".join(map(fold, parts[2:])))
            if len(parts) == 3:
                self.three[second].add(third)
            else:
                self.thirds[second].add(third)
            if repeats(parts[1], parts[0]):
                self.has_named_seasons = True
                self.seasons.add(season_number(parts[1], parts[0]))


def judge(titles: Iterable[Unmarked], file: File) -> dict[str, Verdict]:
    """Read all unmarked titles of a file; the answer is by raw title."""
    groups: dict[str, _Group] = {}
    for title in titles:
        first = title.parts[0]
        folded = fold(first)
        group = groups.get(folded)
        if group is None:
            group = groups[folded] = _Group(first, folded, file)
        (group.pairs if len(title.parts) == 2 else group.longer).append(title)
    verdicts: dict[str, Verdict] = {}
    for group in groups.values():
        group.gather()
        for title in group.longer:
            verdicts[title.raw] = _judge_longer(group, title)
        for title in group.pairs:
            verdicts[title.raw] = _judge_pair(group, title)
    return verdicts


def _movie(reason: Message, *, uncertain: bool, title: Unmarked) -> Verdict:
    alternative = None
    if uncertain:
        alternative = Alternative(Kind.EPISODE, title.parts[0], 1, ": ".join(title.parts[1:]))
    return Verdict(Kind.MOVIE, reason, uncertain=uncertain, alternative=alternative)


def _episode(
    reason: Message,
    *,
    uncertain: bool = False,
    series: int = 1,
    season: int | None = None,
    alternative: Alternative | None = None,
) -> Verdict:
    if uncertain and alternative is None:
        alternative = Alternative(Kind.MOVIE)
    return Verdict(
        Kind.EPISODE, reason, series, series if season is None else season, uncertain, alternative
    )


def _film_word(text: str) -> str | None:
    """The word of a title that films have, if there is one."""
    words = table()
    plain_text = plain(text)
    for word in plain_text.split():
        if word in words.film_words:
            return word
    for phrase in words.film_phrases:
        if phrase in plain_text:
            return phrase.strip()
    return None


def _film_hint(text: str) -> str | None:
    hints = table().film_hints
    return next((word for word in plain(text).split() if word in hints), None)


def _judge_pair(group: _Group, title: Unmarked) -> Verdict:
    """A title of two parts: "Spider-Man: Homecoming", "The Glory: Episode 16"."""
    first, second = title.parts
    file = group.file
    values = {"name": first}
    if title.number is not None:
        return _episode(_SUFFIX)
    marker = file.marker_of(second)
    if marker is not None and marker.level is Level.EPISODE:
        return _episode(Message(_COUNTED.template, {"word": second}))
    folded = fold(second)
    whose = name_of(group.folded, folded)
    if marker is not None and marker.exact and marker.number is not None:
        return _judge_numbered(group, title, second, "", whose)
    count = len(group.named)
    if whose is NameOf.FILMS:
        return _movie(Message(_FILMS.template, values), uncertain=False, title=title)
    if group.folded in file.marked:
        return _judge_beside_marked(group, title, count, whose)
    if whose is NameOf.PERSON:
        return _movie(Message(_PERSON.template, values), uncertain=False, title=title)
    if file.activity:
        return _movie(_ONLY_TRAILING, uncertain=False, title=title)
    if repeats(second, first) and plain(first) in plain(second):
        return _episode(_REPEATED, uncertain=count < _SURELY_SERIES_NEW)
    if group.folded in file.known:
        known = file.known[group.folded]
        return _episode(Message(_KNOWN.template, values), uncertain=not known.confirmed)
    many = Message(_MANY.template, {"name": first, "count": count})
    if count >= _SURELY_SERIES:
        return _episode(many, uncertain=whose is not None)
    if group.counted or group.has_named_seasons:
        return _judge_beside_marked(group, title, count, whose)
    if group.folded.rpartition(" ")[2] in table().presenting:
        return _movie(Message(_PRESENTS.template, values), uncertain=False, title=title)
    if folded in table().pilots:
        return _episode(Message(_PILOT.template, {"word": second}), uncertain=True)
    film = _judge_as_film(group, title, count, whose)
    if film is not None:
        return film
    if file.old:
        if count >= _SURELY_SERIES_NEW:
            return _episode(many, uncertain=True)
        few = _ALONE_OLD if count == 1 else _FEW_OLD
        reason = Message(few.template, {"name": first, "count": count})
        return _movie(reason, uncertain=True, title=title)
    if count > 1:
        return _episode(many, uncertain=count < _SURELY_SERIES_NEW)
    return _episode(Message(_ALONE_NEW.template, values), uncertain=True)


def _judge_as_film(
    group: _Group, title: Unmarked, count: int, whose: NameOf | None
) -> Verdict | None:
    """What in the words of a title says that it is a film, although nothing else decides."""
    first, second = title.parts
    values = {"name": first}
    if whose is NameOf.FILMS_AND_SERIES and count < _SURELY_SERIES_NEW:
        return _movie(Message(_PERHAPS_FILMS.template, values), uncertain=True, title=title)
    if whose is NameOf.PERHAPS_PERSON and count < _SURELY_SERIES_NEW:
        return _movie(Message(_PERHAPS_PERSON.template, values), uncertain=True, title=title)
    word = _film_word(second)
    if word is not None and count < _SURELY_SERIES_NEW:
        return _movie(Message(_FILM_WORD.template, {"word": word}), uncertain=True, title=title)
    if count < 3:
        if _SEQUEL_END.search(group.folded):
            return _movie(Message(_SEQUEL.template, values), uncertain=True, title=title)
        word = _film_hint(second)
        if word is None and count == 1 and fold(second).startswith(("a ", "an ")):
            word = second.partition(" ")[0]
        if word is not None:
            return _movie(Message(_FILM_WORD.template, {"word": word}), uncertain=True, title=title)
    marker = group.file.marker_of(second)
    if marker is not None and marker.level in (Level.PART, Level.CHAPTER):
        return _movie(
            Message(_PART_OF_FILM.template, {"word": second}), uncertain=True, title=title
        )
    return None


def _judge_numbered(
    group: _Group, title: Unmarked, word: str, under: str, whose: NameOf | None
) -> Verdict:
    """A title that closes with a part, volume or chapter and its number."""
    file = group.file
    marker = file.marker_of(word)
    numbers = group.numbered[under]
    series = len(title.parts) - 1
    counted = Message(_COUNTED.template, {"word": word})
    part_of_film = Message(_PART_OF_FILM.template, {"word": word})
    if whose is NameOf.FILMS:
        return _movie(part_of_film, uncertain=False, title=title)
    if len(numbers) > 2 or max(numbers) > 4:
        return _episode(counted, series=series)
    if group.counted or (group.folded in file.marked and 1 not in file.marked[group.folded]):
        return _episode(counted, uncertain=True, series=series)
    chapter = marker is not None and marker.level is Level.CHAPTER
    if chapter and not file.old and not file.activity and 1 in numbers:
        return _episode(counted, uncertain=True, series=series)
    return _movie(part_of_film, uncertain=not file.activity, title=title)


def _judge_beside_marked(
    group: _Group, title: Unmarked, count: int, whose: NameOf | None
) -> Verdict:
    """An unmarked title of a series that the file marks elsewhere.

    Netflix drops the marker of a whole first season. Where the file marks season 1, a title
    without a mark is a film or a special of that world.
    """
    first, second = title.parts
    file = group.file
    values = {"name": first, "count": count}
    seasons = set(file.marked.get(group.folded, ())) | group.seasons
    if whose is NameOf.PERSON:
        return _movie(Message(_PERSON.template, values), uncertain=False, title=title)
    if file.activity:
        return _movie(_ONLY_TRAILING, uncertain=False, title=title)
    if count >= _SURELY_SERIES:
        return _episode(Message(_BESIDE_MANY.template, values), uncertain=1 in seasons)
    if 1 in seasons:
        if count >= _SURELY_SERIES_NEW:
            return _episode(Message(_BESIDE_MANY.template, values), uncertain=True)
        return _movie(Message(_BESIDE_FIRST.template, values), uncertain=True, title=title)
    if fold(second) in table().pilots:
        return _episode(Message(_PILOT.template, {"word": second}))
    if count < 3:
        word = _film_word(second)
        if word is not None:
            return _movie(Message(_FILM_WORD.template, {"word": word}), uncertain=True, title=title)
        if file.old:
            return _movie(Message(_BESIDE_OLD.template, values), uncertain=True, title=title)
    return _episode(Message(_BESIDE_LATER.template, values), uncertain=file.old or count < 2)


def _judge_longer(group: _Group, title: Unmarked) -> Verdict:
    """A title of three parts or more: mostly an episode, but of which name?"""
    parts = title.parts
    file = group.file
    marker_of = file.marker_of
    second = fold(parts[1])
    whose = name_of(group.folded, second)
    count = len(group.seconds[second])
    if whose is NameOf.FILMS and group.folded not in file.marked and title.number is None:
        last = marker_of(parts[-1])
        if count < 3 or last is not None:
            return _movie(
                Message(_FILMS.template, {"name": parts[0]}), uncertain=count > 1, title=title
            )
    if whose is NameOf.PERSON and count < 3 and title.number is None:
        return _movie(Message(_PERSON.template, {"name": parts[0]}), uncertain=True, title=title)
    marker = marker_of(parts[1])
    if marker is not None and marker.level in (Level.CHAPTER, Level.EPISODE):
        return _episode(Message(_COUNTED.template, {"word": parts[1]}))
    last = marker_of(parts[-1])
    counted = last is not None and last.level is Level.EPISODE
    if file.activity and title.number is None and not counted:
        return _movie(_ONLY_TRAILING, uncertain=False, title=title)
    series, season, other = _split(group, title)
    if title.number is not None:
        reason = _SUFFIX
    elif counted:
        reason = Message(_COUNTED.template, {"word": parts[-1]})
    elif season > series:
        reason = Message(
            _NAMED_SEASON.template,
            {"season": ": ".join(parts[series:season]), "name": ": ".join(parts[:series])},
        )
    else:
        reason = _THREE_PARTS
    if (
        last is not None
        and last.level in (Level.PART, Level.CHAPTER)
        and title.number is None
        and len(group.numbered[second]) < 3
        and not group.named
        and group.folded not in file.marked
        and len(group.seconds) == 1
        and file.old
    ):
        return _movie(
            Message(_PART_OF_FILM.template, {"word": parts[-1]}), uncertain=True, title=title
        )
    if other is None:
        certain = count > 1 or title.number is not None or counted or group.folded in file.marked
        return _episode(
            reason, series=series, season=season, uncertain=not (certain or group.counted)
        )
    return _episode(
        reason,
        series=series,
        season=season,
        uncertain=True,
        alternative=Alternative(
            Kind.EPISODE, ": ".join(parts[:other]), None, ": ".join(parts[max(other, season) :])
        ),
    )


def _split(group: _Group, title: Unmarked) -> tuple[int, int, int | None]:
    """Where the series' and the season's name end, and where the series' could end otherwise."""
    parts = title.parts
    file = group.file
    second, third = fold(parts[1]), fold(parts[2])
    both = f"{group.folded}: {second}"
    if both in file.marked or both in file.known:
        return 2, 2, None
    if repeats(parts[1], parts[0]):
        return 1, 2, None
    four = len(parts) > 3 and not group.three[second]
    if four and (repeats(parts[2], parts[1]) or repeats(parts[2], f"{parts[0]} {parts[1]}")):
        return 2, 3, None
    beside = len(group.seconds[second])
    if group.folded in file.marked or group.folded in file.known:
        if file.activity or beside > 2 and len(group.numbered[second]) < 3:
            return 1, 2, None
        return 1, 1, None
    if group.counted or len(group.named) > 1:
        return (1, 2, None) if beside > 2 else (1, 1, None)
    if len(group.seconds) > 1:
        largest = max(map(len, group.seconds.values()))
        if file.activity or file.old or largest > 2:
            return 1, 2, None
        if len(group.seconds) > 2:
            return 1, 1, 2
        return 2, 2, 1
    if four:
        if plain(parts[0]) in plain(parts[2]) and not plain(parts[2]).startswith(plain(parts[0])):
            return 3, 3, 2
        return 2, 3, 1
    if file.activity:
        return 1, 2, None
    if file.old:
        return 1, 2, None if beside > 2 else 2
    return 2, 2, 1
