"""Names that films or performers have before a colon, read from `data/names.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import resources

from imports.reading.spelling import fold


class NameOf(Enum):
    """Whose name a name is known to be."""

    FILMS = "films"
    FILMS_AND_SERIES = "both"
    PERSON = "people"
    PERHAPS_PERSON = "first_names"


@dataclass(frozen=True, slots=True)
class _Names:
    whole: dict[str, NameOf]
    beginnings: dict[str, tuple[str, ...]]
    naming_seasons: frozenset[str]
    series: frozenset[str]
    no_hint: frozenset[str]
    first_names: frozenset[str]


# As one text, a long list is read ten times as fast as with a pair of quotes for each name.
_BETWEEN_NAMES = re.compile(r";\s+")
# The articles that names lose in lists and in sequels: "(The) Hunger Games".
_ARTICLES = frozenset(
    [
        "the",
        "el",
        "la",
        "los",
        "las",
        "le",
        "les",
        "o",
        "os",
        "as",
        "der",
        "die",
        "das",
        "de",
        "il",
        "lo",
        "gli",
    ]
)
_SEQUEL = re.compile(r"\d{1,2}|[ivx]{2,4}")
_SEQUEL_DIGIT = re.compile(r"[^\d] [2-9]$")
_SEQUEL_DIGITS = frozenset("23456789")
_ROMAN_DIGITS = frozenset("ivx")
# "I" and "1" number an episode more often than a first film.
_SEQUEL_ROMAN = re.compile(r"\S (?:i[iv]|vi{0,3}|iii|ix)$")
_SERIES = frozenset(("series", "serie", "série", "serien", "seriál", "serial"))
# "Harry Potter and the Deathly Hallows" is one of the films of "Harry Potter".
_AND = frozenset(["and", "y", "e", "et", "und", "en", "og", "och", "ja", "i", "a", "és", "ve", "&"])
_OF_FILMS = (NameOf.FILMS, NameOf.FILMS_AND_SERIES)
# Words that hardly any person's name has, and those that stand inside some names.
_NO_NAME = frozenset(
    (
        *("a", "an", "and", "at", "das", "det", "does", "e", "em", "en", "es", "est", "et", "for"),
        *("from", "i", "im", "in", "is", "ist", "ja", "las", "les", "och", "of", "og", "on", "the"),
        *("to", "un", "una", "und", "une", "vs", "vs.", "with", "y", "&"),
    )
)
_INNER = frozenset(
    (
        *("al", "bin", "da", "de", "del", "della", "den", "der", "di", "dos", "el", "ibn"),
        *("la", "le", "mc", "st.", "van", "von"),
    )
)


def _bare(folded: str) -> str:
    first, _, rest = folded.partition(" ")
    if first in _ARTICLES and rest and not rest[0].isspace():
        return rest
    return folded.removeprefix("l'")


def _without_number(bare: str) -> str:
    """A name without the number of a sequel at its end."""
    name, blank, last = bare.rpartition(" ")
    return name if blank and len(last) <= 4 and _SEQUEL.fullmatch(last) else bare


def listed(text: str) -> list[str]:
    """The names of a list, which a semicolon and a blank or a new line divide."""
    return _BETWEEN_NAMES.split(text.strip())


@cache
def _names() -> _Names:
    path = resources.files("imports.reading") / "data" / "names.toml"
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    whole: dict[str, NameOf] = {}
    beginnings: dict[str, list[str]] = {}
    for meaning in (NameOf.FILMS, NameOf.FILMS_AND_SERIES, NameOf.PERSON):
        for names in data[meaning.value].values():
            for name in map(fold, listed(names)):
                first, colon, rest = name.partition(": ")
                if colon:
                    beginnings.setdefault(_bare(first), []).append(rest)
                else:
                    whole.setdefault(_bare(name), meaning)
    return _Names(
        whole,
        {first: tuple(rests) for first, rests in beginnings.items()},
        frozenset(_bare(fold(name)) for name in listed(data["named_seasons"]["names"])),
        frozenset(_bare(fold(name)) for names in data["series"].values() for name in listed(names)),
        frozenset(map(fold, listed(data["first_names"]["series"]))),
        frozenset(map(fold, data["first_names"]["names"].split())),
    )


def name_of(folded: str) -> NameOf | None:
    """Whose name the folded part before a title's colon is, as far as is known."""
    names = _names()
    bare = _bare(folded)
    found = names.whole.get(bare)
    if found is not None:
        return found
    words = bare.split(" ")
    if len(words) > 1:
        found = names.whole.get(_without_number(bare))
        if found is not None and found is not NameOf.PERSON:
            return found
    if len(words) > 2:
        hero = _before_and(words)
        if hero is not None and names.whole.get(hero) in _OF_FILMS:
            return NameOf.FILMS if " " in hero else NameOf.FILMS_AND_SERIES
        if _begins_like_film(words, names):
            return NameOf.FILMS_AND_SERIES
    return NameOf.PERHAPS_PERSON if _may_be_person(folded, names) else None


def known_films(folded: str) -> tuple[str, ...]:
    """How the folded rest begins of films that have this name before their colon."""
    return _names().beginnings.get(_bare(folded), ())


def film_stem(folded: str) -> str:
    """What the names of a film and of its sequels share: no article, no number at the end."""
    return _without_number(_bare(folded))


def is_sequel(folded: str) -> bool:
    """Whether a name ends in a number as those of sequels do ("Madagascar 3")."""
    return (
        folded[-1:] in _SEQUEL_DIGITS
        and _SEQUEL_DIGIT.search(folded) is not None
        and folded not in _names().no_hint
    )


def is_roman_sequel(folded: str) -> bool:
    """Whether a name ends in a Roman number from two up ("Undisputed IV").

    Unlike a digit, it says nothing of other titles: documentary series have it, too.
    """
    return (
        folded[-1:] in _ROMAN_DIGITS
        and _SEQUEL_ROMAN.search(folded) is not None
        and folded not in _names().no_hint
    )


def names_its_seasons(folded: str) -> bool:
    """Whether the series of this folded name is known to call its seasons by name."""
    return _bare(folded) in _names().naming_seasons


def is_name_of_series(folded: str) -> bool:
    """Whether this folded name, which may have a colon in it, is known to be a series'."""
    return _bare(folded) in _names().series


def _before_and(words: list[str]) -> str | None:
    """The words before the first "and" that stands between others."""
    if _AND.isdisjoint(words):
        return None
    places = (place for place in range(1, len(words) - 1) if words[place] in _AND)
    place = next(places, None)
    return None if place is None else " ".join(words[:place])


def _begins_like_film(words: list[str], names: _Names) -> bool:
    """Whether more words follow a film's name of two words or three ("Mortal Kombat Legends")."""
    return _SERIES.isdisjoint(words) and any(
        names.whole.get(" ".join(words[:count])) in _OF_FILMS
        for count in range(2, min(len(words), 4))
    )


def _may_be_person(folded: str, names: _Names) -> bool:
    """Two or three words that begin with a first name; inner words ("van", "de") come on top."""
    words = folded.split(" ")
    if words[0] not in names.first_names or folded in names.no_hint:
        return False
    others = [word for word in words[1:] if word not in _INNER]
    if not 1 <= len(others) <= 2 or len(words) > 4 or words[-1] in _INNER:
        return False
    return not any(word in _NO_NAME or word.endswith("'s") or word[:1].isdigit() for word in others)
