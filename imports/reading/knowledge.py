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
    no_hint: frozenset[str]
    first_names: frozenset[str]


# The articles that names lose in lists and in sequels: "(The) Hunger Games".
_ARTICLE = re.compile(r"(?:the|el|la|los|las|le|les|o|os|as|der|die|das|de|il|lo|gli) (?=\S)|l'")
_SEQUEL = re.compile(r" (?:\d{1,2}|[ivx]{2,4})$")
_SEQUEL_DIGIT = re.compile(r"[^\d] [2-9]$")
# "I" and "1" number an episode more often than a first film.
_SEQUEL_ROMAN = re.compile(r"\S (?:i[iv]|vi{0,3}|iii|ix)$")
_SERIES = frozenset(("series", "serie", "série", "serien", "seriál", "serial"))
# "Harry Potter and the Deathly Hallows" is one of the films of "Harry Potter".
_AND = re.compile(r" (?:and|y|e|et|und|en|og|och|ja|i|a|és|ve|&) ")
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
    return _ARTICLE.sub("", folded, count=1) if _ARTICLE.match(folded) else folded


@cache
def _names() -> _Names:
    path = resources.files("imports.reading") / "data" / "names.toml"
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    whole: dict[str, NameOf] = {}
    beginnings: dict[str, list[str]] = {}
    for meaning in (NameOf.FILMS, NameOf.FILMS_AND_SERIES, NameOf.PERSON):
        for names in data[meaning.value].values():
            for name in map(fold, names):
                first, colon, rest = name.partition(": ")
                if colon:
                    beginnings.setdefault(_bare(first), []).append(rest)
                else:
                    whole.setdefault(_bare(name), meaning)
    return _Names(
        whole,
        {first: tuple(rests) for first, rests in beginnings.items()},
        frozenset(_bare(fold(name)) for name in data["named_seasons"]["names"]),
        frozenset(map(fold, data["first_names"]["series"])),
        frozenset(map(fold, data["first_names"]["names"].split())),
    )


def name_of(folded: str) -> NameOf | None:
    """Whose name the folded part before a title's colon is, as far as is known."""
    names = _names()
    bare = _bare(folded)
    found = names.whole.get(bare)
    if found is not None:
        return found
    found = names.whole.get(_SEQUEL.sub("", bare))
    if found is not None and found is not NameOf.PERSON:
        return found
    hero = _AND.split(bare, maxsplit=1)[0]
    if hero != bare and names.whole.get(hero) in _OF_FILMS:
        return NameOf.FILMS if " " in hero else NameOf.FILMS_AND_SERIES
    if _begins_like_film(bare, names):
        return NameOf.FILMS_AND_SERIES
    return NameOf.PERHAPS_PERSON if _may_be_person(folded, names) else None


def known_films(folded: str) -> tuple[str, ...]:
    """How the folded rest begins of films that have this name before their colon."""
    return _names().beginnings.get(_bare(folded), ())


def film_stem(folded: str) -> str:
    """What the names of a film and of its sequels share: no article, no number at the end."""
    return _SEQUEL.sub("", _bare(folded))


def is_sequel(folded: str) -> bool:
    """Whether a name ends in a number as those of sequels do ("Madagascar 3")."""
    return _SEQUEL_DIGIT.search(folded) is not None and folded not in _names().no_hint


def is_roman_sequel(folded: str) -> bool:
    """Whether a name ends in a Roman number from two up ("Undisputed IV").

    Unlike a digit, it says nothing of other titles: documentary series have it, too.
    """
    return _SEQUEL_ROMAN.search(folded) is not None and folded not in _names().no_hint


def names_its_seasons(folded: str) -> bool:
    """Whether the series of this folded name is known to call its seasons by name."""
    return _bare(folded) in _names().naming_seasons


def _begins_like_film(bare: str, names: _Names) -> bool:
    """Whether more words follow a film's name of two words or three ("Mortal Kombat Legends")."""
    words = bare.split(" ")
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
