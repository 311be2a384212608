"""Titles without a season marker: episode or movie, and where the name of the series ends.

The figures behind the rules are from 111 real exports. In exports from mid-2022 on, a series with
one season has lost its marker; before that, an unmarked title with a colon was a film 19 times
out of 20. Five titles of one name are a series in every newer export, seven in every older one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from imports.reading.anew import held
from imports.reading.evidence import File, Group, Unmarked, is_name, mentions, plain, repeats
from imports.reading.knowledge import (
    NameOf,
    film_stem,
    is_name_of_series,
    is_roman_sequel,
    is_sequel,
    name_of,
    names_its_seasons,
)
from imports.reading.markers import Level, Marker, has_unspaced, table
from imports.reading.odds import form, rarity
from imports.reading.spelling import fold
from imports.reading.types import Alternative, Kind, Message

_OR_MOVIE = Alternative(Kind.MOVIE)
_BREAK = re.compile(r" [-–—] | \(")
_SURELY = 7
_SURELY_NEW = 5
_HINT_WORDS = 3
_NO_SEASONS: frozenset[int] = frozenset()
# Logarithm of the odds from which a title is taken for a film.
_LIKELY_FILM = -1.25

SUFFIXED = Message("Series, because the title closes with the number of an episode.")
_EVERY_MARKED = Message(
    "Movie: files of this kind mark every episode, and nothing marks this title as one."
)
_REPEATED = Message("Series, because the second part repeats the name of the series.")
_COUNTED = "Series, because “%(word)s” counts an episode."
_MANY = "Series, because %(count)d titles of this file begin with “%(name)s”."
_FEW_OLD = (
    "Movie: only %(count)d titles of this file begin with “%(name)s”, and files of its time mark "
    "the season of most episodes."
)
_ALONE_OLD = (
    "Movie: no other title of this file begins with “%(name)s”, and files of its time mark the "
    "season of most episodes."
)
_ALONE_NEW = (
    "Series, perhaps: no other title of this file begins with “%(name)s”, but nothing says that "
    "it is a film."
)
_LIKE_FILM = (
    "Movie, perhaps: few titles of this file begin with “%(name)s”, and they look more like films "
    "than like episodes."
)
_FILMS = "Movie, because “%(name)s” is the name of films."
_PERHAPS_FILMS = "Movie, because “%(name)s” is the name of films as well as of a series."
_PERSON = "Movie, because “%(name)s” is a performer with programmes of their own."
_PERHAPS_PERSON = "Movie, because “%(name)s” seems to be a person's name."
_PRESENTS = "Movie, because “%(name)s” introduces a title of its own."
_FILM_WORD = "Movie, because of the word “%(word)s” in its title."
_OTHER_FILM = "Movie, because this file has another film called “%(name)s”."
_SEQUEL = "Movie, because “%(name)s” ends like the name of a sequel."
_PART_OF_FILM = "Movie, because “%(word)s” closes the name of a film in parts."
_BESIDE_FIRST = (
    "Movie, because this file marks season 1 of “%(name)s”, and this title is not in it."
)
_BESIDE_OLD = "Movie, because this file marks the seasons of “%(name)s”, and this title has none."
_BESIDE_LATER = (
    "Series, because this file shows later seasons of “%(name)s”, and its first has no marker."
)
_BESIDE_EPISODES = "Series, because this file has episodes of “%(name)s”."
_BESIDE_MANY = (
    "Series, because this file marks seasons of “%(name)s”, and %(count)d titles without a "
    "marker go with them."
)
_KNOWN = "Series, because “%(name)s” is a series of your library."
_KNOWN_MANY = (
    "Series, because %(count)d titles of this file and of your library begin with “%(name)s”."
)
_KNOWN_EPISODE = "Series, because your library has an episode of “%(name)s” with this title."
_BESIDE_KNOWN_FIRST = (
    "Movie, because your library shows season 1 of “%(name)s”, and this title is not in it."
)
_BESIDE_KNOWN_OLD = (
    "Movie, because your library shows the seasons of “%(name)s”, and this title has none."
)
_BESIDE_KNOWN_LATER = (
    "Series, because your library shows later seasons of “%(name)s”, and its first has no marker."
)
_NAME_OF_SERIES = "Series, because “%(name)s” is the name of a series."
_PILOT = "Series, because “%(word)s” is what a first or last episode is called."
_NAMED_SEASON = "Series, because “%(season)s” seems to be a season of “%(name)s”."
_LONG = "Series, because the title has the parts of an episode of “%(name)s”."


class Verdict(NamedTuple):
    """How an unmarked title is read.

    Its first `series` parts are the name of the series, the next ones up to `season` that of a
    season (none when they are equal), and the rest is the episode.
    """

    kind: Kind
    reason: Message
    series: int = 1
    season: int = 1
    uncertain: bool = False
    alternative: Alternative | None = None


Judged = Iterable[tuple[Unmarked, Verdict]]


def judge(named: dict[str, list[str]], counted: Collection[str], file: File) -> Iterator[Judged]:
    """Read all unmarked titles of a file, those of one series together.

    `named` are the titles by their folded first part, and is taken empty: what is known of a name
    is forgotten with its titles, for a file may have as many names. `counted` are the names with a
    title that says outright that it is an episode.
    """
    unmarked_series = sum(
        folded not in file.marked and (folded in counted or _has_many(folded, titles, file))
        for folded, titles in named.items()
    )
    beside = _with_colons(named)
    waiting = list(named)
    while waiting:
        folded = waiting.pop()
        together = {
            name: named.pop(name)
            for name in beside.get(folded.partition(": ")[0], (folded,))
            if name in named
        }
        yield _judge_groups(together, file, unmarked_series)


def _has_many(folded: str, titles: Sequence[str], file: File) -> bool:
    """Whether many titles show a series whose seasons are not marked."""
    if len(titles) < _SURELY_NEW or name_of(folded) in (NameOf.FILMS, NameOf.PERSON):
        return False
    names: set[str] = set()
    for title in map(Unmarked.of, titles):
        if len(title.parts) != 2:
            continue
        marker = file.marker_of(title.parts[1])
        if marker is None or is_name(marker):
            names.add(fold(title.parts[1]))
            if len(names) >= _SURELY_NEW:
                return True
    return False


def _with_colons(names: Iterable[str]) -> dict[str, list[str]]:
    """The folded names that have a colon, as "：" becomes one, by what stands before it.

    They may name the same series as titles that a colon cuts there.
    """
    found: dict[str, list[str]] = {}
    for name in names:
        if ": " in name:
            first = name.partition(": ")[0]
            found.setdefault(first, [first]).append(name)
    return found


def _judge_groups(named: Mapping[str, Sequence[str]], file: File, unmarked_series: int) -> Judged:
    groups = [Group(titles, name, file, unmarked_series) for name, titles in named.items()]
    return held(
        lambda: ((title, _judge(group, title)) for group in groups for title in group.titles),
        sum(map(len, named.values())),
    )


def _film_odds(group: Group) -> float:
    """How much more likely a name with few titles is a film's, as logarithm of the odds."""
    if group.film_odds is None:
        group.film_odds = _weigh(group)
    return group.film_odds


def _weigh(group: Group) -> float:
    pairs = [title.parts for title in group.titles if len(title.parts) == 2]
    if not 0 < len(group.named) < _SURELY_NEW or group.file.old:
        return 0.0
    forms = sum(form(first, second) for first, second in pairs) / len(pairs)
    return forms + rarity(group.unmarked_series, group.file.singles, len(group.named))


def _judge(group: Group, title: Unmarked) -> Verdict:
    if len(title.parts) == 2:
        return _judge_pair(group, title)
    return _judge_longer(group, title)


def _movie(title: Unmarked, template: str, *, uncertain: bool = True, **values: object) -> Verdict:
    alternative = None
    if uncertain:
        alternative = Alternative(Kind.EPISODE, title.parts[0], 1, ": ".join(title.parts[1:]))
    return Verdict(Kind.MOVIE, Message(template, values), 1, 1, uncertain, alternative)


def _episode(template: str, *, uncertain: bool = False, **values: object) -> Verdict:
    alternative = _OR_MOVIE if uncertain else None
    return Verdict(Kind.EPISODE, Message(template, values), 1, 1, uncertain, alternative)


def _judge_pair(group: Group, title: Unmarked) -> Verdict:
    """A title of two parts: "Spider-Man: Homecoming", "The Glory: Episode 16"."""
    first, second = title.parts
    file = group.file
    if title.number is not None:
        return Verdict(Kind.EPISODE, SUFFIXED)
    marker = file.marker_of(second)
    folded = fold(second)
    whose = group.whose(folded)
    # "Star Wars: Episode III - Revenge of the Sith" is a film.
    if (
        marker is not None
        and marker.level is Level.EPISODE
        and (marker.exact or whose is not NameOf.FILMS)
    ):
        return _episode(_COUNTED, word=second)
    if whose is NameOf.FILMS:
        return _movie(title, _FILMS, name=first, uncertain=False)
    if marker is not None and marker.number is not None:
        if marker.exact:
            return _judge_numbered(group, title, marker)
        if marker.level is Level.CHAPTER and (" - " not in folded or marker.number == 1):
            return _episode(_COUNTED, word=second, uncertain=True)
    if whose is NameOf.PERSON:
        return _movie(title, _PERSON, name=first, uncertain=False)
    if file.activity:
        return Verdict(Kind.MOVIE, _EVERY_MARKED)
    known = group.known
    if known is not None and folded in known.episodes:
        return _episode(_KNOWN_EPISODE, name=first)
    if group.is_series or (known is not None and known.seasons):
        return _judge_beside(group, title)
    return _judge_by_words(group, title, folded, whose)


def _judge_by_words(group: Group, title: Unmarked, folded: str, whose: NameOf | None) -> Verdict:
    """A title of two names, and nothing else shows that the first is a series."""
    first, second = title.parts
    file = group.file
    count = len(group.named)
    if _contains(second, first):
        return Verdict(
            Kind.EPISODE,
            _REPEATED,
            uncertain=count < _SURELY,
            alternative=None if count >= _SURELY else _OR_MOVIE,
        )
    known = group.known
    if known is not None:
        word = _film_word(second)
        if word is not None:
            return _movie(title, _FILM_WORD, word=word)
        if group.count < (_SURELY if file.old else _SURELY_NEW):
            return _episode(_KNOWN, name=first, uncertain=True)
        return _of_many(group, _MANY, uncertain=whose is not None and not known.confirmed)
    if count >= _SURELY:
        return _episode(_MANY, name=first, count=count, uncertain=whose is not None)
    if group.folded.rpartition(" ")[2] in table().presenting:
        return _movie(title, _PRESENTS, name=first, uncertain=False)
    if folded in table().pilots:
        return _episode(_PILOT, word=second, uncertain=True)
    if not file.old and is_name_of_series(group.folded):
        word = _film_word(second)
        if word is not None:
            return _movie(title, _FILM_WORD, word=word)
        return _episode(_NAME_OF_SERIES, name=first, uncertain=True)
    if count < _SURELY_NEW:
        film = _judge_as_film(group, title, whose)
        if film is not None:
            return film
    if not file.old:
        if count < _SURELY_NEW and _film_odds(group) > _LIKELY_FILM:
            return _movie(title, _LIKE_FILM, name=first)
        if count > 1:
            return _episode(_MANY, name=first, count=count, uncertain=count < _SURELY_NEW)
        return _episode(_ALONE_NEW, name=first, uncertain=True)
    if count >= _SURELY_NEW:
        return _episode(_MANY, name=first, count=count, uncertain=True)
    return _movie(title, _ALONE_OLD if count == 1 else _FEW_OLD, name=first, count=count)


def _contains(part: str, name: str) -> bool:
    """Whether a part has a name in it, blanks and signs apart ("Startup: START-UP")."""
    ours, theirs = plain(part), plain(name)
    if theirs in ours:
        return theirs != "  "
    return ours[1] == theirs[1] and ours.replace(" ", "") == theirs.replace(" ", "") != ""


def _judge_as_film(group: Group, title: Unmarked, whose: NameOf | None) -> Verdict | None:
    """What says that one of a few titles of two parts is a film; None when nothing does."""
    first, second = title.parts
    if whose is NameOf.FILMS_AND_SERIES:
        return _movie(title, _PERHAPS_FILMS, name=first)
    if film_stem(group.folded) in group.file.films:
        return _movie(title, _OTHER_FILM, name=first)
    if len(group.named) > 2:
        return None
    if whose is NameOf.PERHAPS_PERSON:
        return _movie(title, _PERHAPS_PERSON, name=first)
    word = _film_word(second)
    if word is not None:
        return _movie(title, _FILM_WORD, word=word)
    if is_sequel(group.folded) or is_roman_sequel(group.folded):
        return _movie(title, _SEQUEL, name=first)
    if _ends_like_sequel(second):
        return _movie(title, _SEQUEL, name=second)
    marker = group.file.marker_of(second)
    if marker is not None and marker.level in (Level.PART, Level.CHAPTER):
        return _movie(title, _PART_OF_FILM, word=second)
    if _ends_in_part(first, group.file):
        return _movie(title, _PART_OF_FILM, word=first)
    word = _film_hint(second)
    return None if word is None else _movie(title, _FILM_WORD, word=word)


def _ends_like_sequel(text: str) -> bool:
    """Whether a title ends in the number of a sequel ("Boyka: Undisputed IV"), not of a part."""
    folded = fold(text)
    return is_roman_sequel(folded) and folded.split(" ")[-2] not in table().marking


def _ends_in_part(name: str, file: File) -> bool:
    """Whether a name closes with a part: "Fear Street Part 1", "Rebel Moon (Parte uno)"."""
    if name.count(" ") < 2 and "(" not in name and ")" not in name:
        return False
    last = " ".join(name.split(" ")[-2:])
    behind = _BREAK.split(name.rstrip(")"))[-1]
    if behind == name:
        return _is_part(last, file) and not _is_part(name, file)
    return _is_part(behind, file) or (last != name and _is_part(last, file))


def _is_part(text: str, file: File) -> bool:
    marker = file.marker_of(text)
    return marker is not None and marker.level is Level.PART and marker.number is not None


def _film_word(text: str) -> str | None:
    """The word of a title that only films have, if there is one."""
    words = table()
    plain_text = plain(text)
    of_text = plain_text.split()
    if not words.film_words.isdisjoint(of_text):
        return next(word for word in of_text if word in words.film_words)
    if words.film_starts.isdisjoint(of_text) and (
        plain_text.isascii() or not has_unspaced(plain_text)
    ):
        return None
    for phrase in words.film_phrases:
        if phrase in plain_text:
            return phrase.strip()
    return None


def _film_hint(text: str) -> str | None:
    """The first words of a title that those of films have far more often than episodes.

    A lone word ("Redemption", "The Return") is as often the title of an episode.
    """
    hints, starts = table().film_hints, table().hint_starts
    words = plain(text).split()
    if starts.isdisjoint(words):
        return None
    if len(words) < 2 or (len(words) == 2 and len(words[0]) <= 3):
        return None
    for start, word in enumerate(words):
        if word not in starts:
            continue
        for end in range(start + 1, min(start + _HINT_WORDS, len(words)) + 1):
            phrase = " ".join(words[start:end])
            if phrase in hints:
                return phrase
    return None


def _judge_numbered(group: Group, title: Unmarked, marker: Marker) -> Verdict:
    """A title of two parts that closes with a part, a volume or a chapter and its number."""
    first, second = title.parts
    file = group.file
    numbers = group.numbers
    if len(numbers) > 2 or max(numbers) > 4 or len(group.named) >= _SURELY:
        return _episode(_COUNTED, word=second)
    if file.activity:
        return Verdict(Kind.MOVIE, _EVERY_MARKED)
    if group.is_series and 1 not in group.seasons:
        return _episode(_COUNTED, word=second, uncertain=True)
    if film_stem(group.folded) in file.films:
        return _movie(title, _OTHER_FILM, name=first)
    # "Chapter 2" alone is a sequel; a film is hardly ever called "Chapter 1", nor "Part 1" or
    # "Part 3" where limited series have no marker. In other languages chapters are episodes.
    foreign = not file.old and "en" not in marker.languages
    if marker.level is Level.CHAPTER and (1 in numbers or max(numbers) > 3 or foreign):
        return _episode(_COUNTED, word=second, uncertain=True)
    beyond = 1 in numbers or max(numbers) > 2
    if beyond and not file.old and not fold(second).startswith("vol"):
        return _episode(_COUNTED, word=second, uncertain=True)
    return _movie(title, _PART_OF_FILM, word=second)


def _judge_beside(group: Group, title: Unmarked) -> Verdict:
    """An unmarked title of a name that the file or the library shows to be a series.

    Netflix drops the marker of a whole first season. Where season 1 is marked, a title without
    a marker is a film or a special of that world ("Black Mirror: Bandersnatch").
    """
    first, second = title.parts
    file = group.file
    here, count = len(group.named), group.count
    seasons = group.seasons
    known = _NO_SEASONS if group.known is None else group.known.seasons
    if 1 in seasons or 1 in known:
        if count >= _SURELY_NEW:
            return _of_many(group, _BESIDE_MANY if seasons else _MANY, uncertain=count < _SURELY)
        return _movie(title, _BESIDE_FIRST if 1 in seasons else _BESIDE_KNOWN_FIRST, name=first)
    if count >= _SURELY:
        return _of_many(group, _MANY)
    if fold(second) in table().pilots:
        return _episode(_PILOT, word=second)
    if count < 3:
        word = _film_word(second)
        if word is not None:
            return _movie(title, _FILM_WORD, word=word)
        if file.old and not group.counted:
            return _movie(title, _BESIDE_OLD if seasons else _BESIDE_KNOWN_OLD, name=first)
    if not group.is_series:
        uncertain = file.old or count < _SURELY_NEW
        return _episode(_BESIDE_KNOWN_LATER, name=first, uncertain=uncertain)
    template = _BESIDE_LATER if seasons else _BESIDE_EPISODES
    return _episode(template, name=first, uncertain=file.old or here < 2)


def _of_many(group: Group, template: str, *, uncertain: bool = False) -> Verdict:
    if group.count > len(group.named):
        template = _KNOWN_MANY
    return _episode(template, name=group.name, count=group.count, uncertain=uncertain)


def _judge_longer(group: Group, title: Unmarked) -> Verdict:
    """A title of three parts or more: mostly an episode, but of a series of which name?"""
    parts = title.parts
    file = group.file
    marker = file.marker_of(parts[1])
    if title.number is None:
        film = _judge_long_film(group, title)
        if film is not None:
            return film
    if marker is not None and marker.level in (Level.CHAPTER, Level.EPISODE):
        return _episode(_COUNTED, word=parts[1])
    last = file.marker_of(parts[-1])
    counted = last is not None and last.level is Level.EPISODE
    series, season, other = _split(group, title)
    name = ": ".join(parts[:series])
    if title.number is not None:
        reason = SUFFIXED
    elif counted:
        reason = Message(_COUNTED, {"word": parts[-1]})
    elif season > series:
        reason = Message(_NAMED_SEASON, {"season": ": ".join(parts[series:season]), "name": name})
    else:
        reason = Message(_LONG, {"name": name})
    if other is not None:
        rest = ": ".join(parts[max(other, season) :])
        otherwise = Alternative(Kind.EPISODE, ": ".join(parts[:other]), None, rest)
        return Verdict(Kind.EPISODE, reason, series, season, True, otherwise)
    known = file.known.get(fold(name))
    if known is not None and fold(": ".join(parts[season:])) in known.episodes:
        return Verdict(Kind.EPISODE, Message(_KNOWN_EPISODE, {"name": name}), series, season)
    sure = (
        counted
        or title.number is not None
        or group.is_series
        or len(group.below.get(fold(parts[1]), ())) > 1
        or len(group.named) >= _SURELY
    )
    alternative = None if sure else _OR_MOVIE
    return Verdict(Kind.EPISODE, reason, series, season, not sure, alternative)


def _judge_long_film(group: Group, title: Unmarked) -> Verdict | None:
    """What says that a title of three parts or more is a film; None when nothing does."""
    parts = title.parts
    file = group.file
    second = fold(parts[1])
    whose = group.whose(second)
    count = len(group.below.get(second, ()))
    last = file.marker_of(parts[-1])
    in_parts = last is not None and last.level in (Level.PART, Level.CHAPTER)
    # "Star Wars: Episode IV: A New Hope" is a film, "Blade Runner: Black Lotus: ..." none at all.
    numbered = file.marker_of(parts[1]) is not None
    counted = last is not None and last.level is Level.EPISODE and last.exact
    both = f"{group.folded}: {second}"
    if (counted and not numbered) or both in file.marked or both in file.known:
        return None
    if is_name_of_series(both):
        return None
    if group.folded not in file.marked:
        if whose is NameOf.FILMS and (count < 3 or in_parts):
            sure = count < 2 and (numbered or group.has_film(second))
            return _long_movie(title, _FILMS, uncertain=not sure)
        if whose is NameOf.PERSON and count < 3:
            return _long_movie(title, _PERSON)
    if file.activity and (last is None or last.level is not Level.EPISODE):
        return Verdict(Kind.MOVIE, _EVERY_MARKED)
    alone = not group.is_series and not group.named and len(group.below) == 1
    if in_parts and file.old and alone and len(group.parts_below.get(second, ())) < 3:
        return _movie(title, _PART_OF_FILM, word=parts[-1])
    return None


def _long_movie(title: Unmarked, template: str, *, uncertain: bool = True) -> Verdict:
    """A film because of its first part. Were it none, it would be of a series beside the films."""
    name, second, *rest = title.parts
    verdict = _movie(title, template, name=name, uncertain=uncertain)
    if not uncertain:
        return verdict
    other = Alternative(Kind.EPISODE, f"{name}: {second}", 1, ": ".join(rest))
    return verdict._replace(alternative=other)


def _split(group: Group, title: Unmarked) -> tuple[int, int, int | None]:
    """Where the name of the series ends, where that of the season, and where else the series'
    may end (None where that is certain)."""
    parts = title.parts
    file = group.file
    second = fold(parts[1])
    below = group.below.get(second, ())
    both = f"{group.folded}: {second}"
    marker = file.marker_of(parts[1])
    if both in file.marked or both in file.known:
        return 2, 2, None
    if marker is not None and marker.level is Level.SERIES:
        return 2, 2, None
    # "The Duel: Part 1" and "The Duel: Part 2" are titles, not a season of two episodes.
    in_parts = bool(group.named) and len(group.parts_below.get(second, ())) == len(below)
    if len(parts) > 3 and names_its_seasons(both):
        return 2, 3, None
    if is_name_of_series(both):
        return 2, 2, None
    if second in group.repeating or (names_its_seasons(group.folded) and not in_parts):
        return 1, 2, None
    if second in table().pilots:
        return 1, 1, None
    four = second not in group.triples
    if four and (repeats(parts[2], parts[1]) or repeats(parts[2], f"{parts[0]}: {parts[1]}")):
        return 2, 3, None
    if not four and group.whose(second) is NameOf.FILMS and group.folded not in file.marked:
        return 2, 2, None
    several = len(below) > 2 and not in_parts
    if group.folded in file.marked or group.folded in file.known:
        return (1, 2, None) if file.activity or several else (1, 1, None)
    if group.counted or len(group.named) > 1:
        return (1, 2, None) if several else (1, 1, None)
    if len(group.below) > 1:
        if file.activity or group.most_below > 2:
            return 1, 2, None
        if file.old:
            return 1, 2, 2
        return (1, 1, 2) if len(group.below) > 2 else (2, 2, 1)
    if four:
        # "DAHMER: Monster: The Jeffrey Dahmer Story" is one name, as its last part shows.
        for position in range(2, len(parts) - 1):
            if mentions(parts[position], parts[0]):
                return position + 1, position + 1, 2
        return 2, 3, 1
    if file.activity:
        return 1, 2, None
    last = file.marker_of(parts[-1])
    if last is not None and last.level is Level.PART and is_name_of_series(group.folded):
        return 1, 1, None
    return (1, 2, 2) if file.old else (2, 2, 1)
