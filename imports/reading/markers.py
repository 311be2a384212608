"""Season and episode markers in many languages, read from `data/markers.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from imports.reading.spelling import fold


class Level(Enum):
    """What a marker stands for."""

    SEASON = "season"
    LIMITED = "limited"
    PART = "part"
    SERIES = "series"
    SPECIAL = "special"
    CHAPTER = "chapter"
    EPISODE = "episode"


class Marker(NamedTuple):
    """A part of a title, read as a marker.

    `number` is None for a marker without one; `exact` says that the part is nothing else.
    """

    level: Level
    number: int | None
    languages: tuple[str, ...]
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """The words of all languages, compiled for look-up by folded text with "#" for numbers."""

    shapes: dict[str, tuple[Level, tuple[str, ...], bool]]
    numbers: dict[str, int]
    first_words: frozenset[str]
    last_words: frozenset[str]
    unspaced: frozenset[str]
    trailers: frozenset[str]
    pilots: frozenset[str]
    film_words: frozenset[str]
    letters: dict[str, tuple[str, ...]]
    languages: tuple[str, ...]
    suffix: re.Pattern[str]


_LEVELS = {
    "season": Level.SEASON,
    "final": Level.SEASON,
    "limited": Level.LIMITED,
    "part": Level.PART,
    "series": Level.SERIES,
    "special": Level.SPECIAL,
    "chapter": Level.CHAPTER,
    "episode": Level.EPISODE,
}
# Where one shape means two things, the one that says more about a season wins.
_RANK = {level: rank for rank, level in enumerate(Level)}
_TOKEN = re.compile(
    r"(\d+)(?:[-:]?(?:[a-z]{1,3}|[^\W\d_a-z]{1,2}(?<=[α-ωа-яèéñ]))(?!\w))?\.?"
    r"|[^\W\d_]+(?:'[^\W\d_]+)?"
)
_AROUND_NUMBER = re.compile(r" ?# ?")
_SEPARATOR = re.compile(r" - | : |, | ?[()] ?|: ")
_LETTER_AT_END = re.compile(r" ([a-h])$")
_ROMAN = re.compile(r"(?=[ivxl])x{0,3}(?:ix|iv|v?i{0,3})")
_ROMAN_DIGITS = {"i": 1, "v": 5, "x": 10}
_UNSPACED = re.compile("[\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def _roman(word: str) -> int | None:
    # Netflix writes some Roman numerals with a small L for the I ("Part ll").
    word = word.replace("l", "i")
    if not _ROMAN.fullmatch(word):
        return None
    values = [_ROMAN_DIGITS[letter] for letter in word]
    return sum(
        -value if value < following else value
        for value, following in zip(values, [*values[1:], 0], strict=True)
    )


def _shape(folded: str, numbers: dict[str, int]) -> tuple[str, list[int]]:
    """The text with "#" for each number, blanks around it dropped, and the numbers."""
    found: list[int] = []

    def replace(match: re.Match[str]) -> str:
        digits = match.group(1)
        if digits is not None:
            number: int | None = int(digits[:9])
        else:
            word = match.group()
            number = numbers.get(word)
            if number is None and len(word) <= 6:
                number = _roman(word)
        if number is None:
            return match.group()
        found.append(number)
        return "#"

    return _AROUND_NUMBER.sub("#", _TOKEN.sub(replace, folded)), found


def _canonical(template: str) -> str:
    return _AROUND_NUMBER.sub("#", fold(template))


def _load() -> dict[str, dict[str, Any]]:
    path = resources.files("imports.reading") / "data" / "markers.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


@cache
def table() -> Table:
    """The table of `data/markers.toml`, compiled once."""
    data = _load()
    numbers: dict[str, int] = {}
    shapes: dict[str, tuple[Level, list[str], bool]] = {}
    trailers: set[str] = set()
    pilots: set[str] = set()
    film_words: set[str] = set()
    letters: dict[str, list[str]] = {}
    episode_words: set[str] = set()
    for language, words in data.items():
        for position, word in enumerate(words.get("cardinals", ()), 1):
            numbers.setdefault(fold(word), position)
        for position, word in enumerate(words.get("ordinals", ()), 1):
            numbers.setdefault(fold(word), position)
        for name, level in _LEVELS.items():
            for template in words.get(name, ()):
                shape = _canonical(template)
                known = shapes.get(shape)
                if known is None or _RANK[level] < _RANK[known[0]]:
                    shapes[shape] = (level, [language], name == "final")
                elif known[0] is level:
                    known[1].append(language)
        for name in ("chapter", "episode"):
            episode_words.update(fold(t).replace("#", "").strip() for t in words.get(name, ()))
        trailers.update(_canonical(word) for word in words.get("trailer", ()))
        pilots.update(fold(word) for word in words.get("pilot", ()))
        film_words.update(fold(word) for word in words.get("film", ()))
        for letter in words.get("letters", ""):
            letters.setdefault(letter, []).append(language)
    flat = {shape: (lvl, tuple(langs), final) for shape, (lvl, langs, final) in shapes.items()}
    spaced = [shape for shape in flat if not _UNSPACED.search(shape)]
    alternatives = "|".join(sorted(map(re.escape, episode_words), key=len, reverse=True))
    return Table(
        shapes=flat,
        numbers=numbers,
        first_words=frozenset(re.split(r"[ #]", shape)[0] for shape in spaced) - {""},
        last_words=frozenset(re.split(r"[ #]", shape)[-1] for shape in spaced) - {""},
        unspaced=frozenset(shape for shape in flat if _UNSPACED.search(shape)),
        trailers=frozenset(trailers),
        pilots=frozenset(pilots),
        film_words=frozenset(film_words),
        letters={letter: tuple(langs) for letter, langs in letters.items()},
        languages=tuple(data),
        suffix=re.compile(
            rf" ?\((?:(?:{alternatives})\.? ?(\d+)|(\d+)\.? ?(?:{alternatives}))\)$", re.IGNORECASE
        ),
    )


def _find(shape: str, words: Table) -> tuple[Level, tuple[str, ...], bool] | None:
    found = words.shapes.get(shape)
    if found is None:
        lettered = _LETTER_AT_END.sub("#", shape)
        if lettered != shape:
            found = words.shapes.get(lettered)
    return found


def read_marker(segment: str) -> Marker | None:
    """Read one part of a title as a marker; None when it is something else.

    A season's words may stand among others ("Season 4 Remix", "Saison 2 Partie A"): such a
    marker is not `exact`. Every other kind has to fill the part.
    """
    words = table()
    folded = fold(segment)
    if not folded:
        return None
    if not (
        any(map(str.isdigit, folded))
        or folded.partition(" ")[0] in words.first_words
        or folded.rpartition(" ")[2] in words.last_words
        or (not folded.isascii() and _UNSPACED.search(folded))
    ):
        return None
    shape, numbers = _shape(folded, words.numbers)
    found = _find(shape, words)
    if found is not None:
        level, languages, _ = found
        if numbers:
            return Marker(level, numbers[0], languages)
        letter = _LETTER_AT_END.search(shape)
        if letter is not None and shape not in words.shapes:
            return Marker(level, ord(letter.group(1)) - ord("a") + 1, languages)
        if level is Level.LIMITED:
            return Marker(level, 1, languages)
        return Marker(level, None, languages)
    return _read_compound(shape, numbers, words)


def _read_compound(shape: str, numbers: list[int], words: Table) -> Marker | None:
    pieces = [piece for piece in _SEPARATOR.split(shape) if piece]
    if not pieces:
        return None
    found = _find(pieces[0], words)
    if found is None:
        head, sign, _ = pieces[0].partition("#")
        found = words.shapes.get(head + sign) if sign and head else None
        if found is None and sign and not head:
            after = pieces[0][1:].partition(" ")[0]
            found = words.shapes.get("#" + after)
        if found is not None and found[0] is not Level.SEASON:
            found = None
    if found is None:
        for shape_words, entry in _finals(words):
            if shape.startswith(shape_words):
                return Marker(Level.SEASON, None, entry, exact=False)
        for piece in pieces:
            words_of_piece = piece.split(" ")
            for word in words_of_piece:
                entry = words.shapes.get(word)
                if entry is not None and "#" in word and entry[0] is Level.SEASON:
                    position = shape[: shape.index(word)].count("#")
                    return Marker(Level.SEASON, numbers[position], entry[1], exact=False)
        return None
    level, languages, _ = found
    if level in (Level.SEASON, Level.LIMITED):
        number = numbers[0] if "#" in pieces[0] and numbers else None
        return Marker(level, 1 if level is Level.LIMITED else number, languages, exact=False)
    if all(_find(piece, words) is not None for piece in pieces) or (
        len(pieces) == 2 and shape.endswith(")")
    ):
        return Marker(level, numbers[0] if numbers else None, languages, exact=False)
    return None


@cache
def _final_shapes() -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(
        (shape, languages) for shape, (_, languages, final) in table().shapes.items() if final
    )


def _finals(words: Table) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return _final_shapes()


def is_trailer(segment: str) -> bool:
    """Whether the first part of a title says that it was a trailer, a clip or the like."""
    words = table()
    shape, _ = _shape(fold(segment), words.numbers)
    if shape in words.trailers:
        return True
    pieces = [piece for piece in _SEPARATOR.split(shape) if piece]
    if len(pieces) > 1 and pieces[-1] in words.trailers:
        return True
    return any(
        shape.endswith(" " + trailer) or "#" + trailer in shape for trailer in words.trailers
    )
