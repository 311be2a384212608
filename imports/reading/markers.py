"""Season and episode markers in many languages, read from `data/markers.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache
from importlib import resources
from itertools import count
from typing import Any, NamedTuple

from imports.reading.spelling import fold


class Level(Enum):
    """What a marker stands for, the one that says most about a season first."""

    SEASON = "season"
    LIMITED = "limited"
    PART = "part"
    SERIES = "series"
    SPECIAL = "special"
    CHAPTER = "chapter"
    EPISODE = "episode"


class Marker(NamedTuple):
    """A part of a title, read as a marker.

    `number` is None for a marker without one ("Collection", "The Final Season"), but 1 for a
    limited series and a bare "Season", and 0 for specials.
    `exact` says that the part holds nothing else.
    """

    level: Level
    number: int | None
    languages: tuple[str, ...]
    exact: bool = True


class _Entry(NamedTuple):
    level: Level
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The words of all languages.

    A shape is folded text with "#" for each number and no blank beside it: "season#", "#rada".
    `written` has whole markers without blanks, for numbers that are no word between blanks.
    """

    shapes: dict[str, _Entry]
    final_starts: tuple[str, ...]
    final_heads: frozenset[str]
    numbers: dict[str, int]
    written: dict[str, tuple[_Entry, int]]
    articles: frozenset[str]
    endings: tuple[str, ...]
    marking: frozenset[str]
    vocabulary: frozenset[str]
    season_words: frozenset[str]
    count_starts: frozenset[str]
    trailers: frozenset[str]
    trailer_edges: frozenset[str]
    pilots: frozenset[str]
    presenting: frozenset[str]
    film_words: frozenset[str]
    film_phrases: tuple[str, ...]
    film_hints: frozenset[str]
    film_starts: frozenset[str]
    hint_starts: frozenset[str]
    speaking: frozenset[str]
    speaking_starts: frozenset[str]
    letters: dict[str, str]
    episode_words: dict[str, tuple[str, ...]]
    suffix: re.Pattern[str]


_LEVELS = {level.value: level for level in Level} | {"final": Level.SEASON}
_RANK = {level: rank for rank, level in enumerate(Level)}
_WHOLE_NUMBERS = {Level.LIMITED: 1, Level.SPECIAL: 0}
# Digits with an ordinal ending or a letter ("1re", "4a", "3B", "2."), or a word.
_TOKEN = re.compile(
    r"(\d+)(?:[-:.]?[a-zα-ωа-яèé]{1,3}(?!\w))?\.?"
    r"|[^\W\d_]+(?:['-][^\W\d_]+)*"
)
_DIGITS = re.compile(r"\d+")
_LETTERS = re.compile(r"[^\W\d_]+")
_LETTERS_OR_DIGITS = re.compile(r"[^\W_]+")
# What may count without being a word of the table: Roman numbers, and the letters of "Part B",
# "3B", "1re" and "2nd".
_SHORTEST_WORD = 4
_NO_ROMAN = re.compile(r"[^ivxl]")
_NUMBER_SIGN = re.compile(r"#(?=\d)")
_AROUND_NUMBER = re.compile(r"\.? ?# ?")
_SEPARATOR = re.compile(r" - | : |: |, | ?[()] ?")
_LETTER_AT_END = re.compile(r" ([a-h])$")
# Chinese and Japanese write numbers out inside a word: 第二季.
_HAN_DIGITS = "一二三四五六七八九"
_HAN_NUMBER = re.compile("(?<=第)[一二三四五六七八九十]+")
_ROMAN = re.compile(r"(?=[ivx])x{0,3}(?:ix|iv|v?i{0,3})")
_LONGEST_ROMAN = 6
_ROMAN_DIGITS = {"i": 1, "v": 5, "x": 10}
# Scripts that put no blank between words: Thai, Lao, Japanese, Chinese, Korean.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LOOSE = (Level.CHAPTER, Level.EPISODE)
# Stand for the numbers of a text while the words around them are read: of nine digits, as no
# number that is written out has them.
_FIRST_PLACE = 100_000_000
_LONGEST_REMEMBERED = 100
# No words for a last season are shorter; their first signs are looked up before all of them.
_HEAD = 3


def _roman(word: str) -> int | None:
    # Netflix writes some Roman numerals with a small L for the I ("Part ll").
    word = word.replace("l", "i")
    if not _ROMAN.fullmatch(word):
        return None
    values = [_ROMAN_DIGITS[letter] for letter in word]
    following = [*values[1:], 0]
    return sum(-a if a < b else a for a, b in zip(values, following, strict=True))


def _han_digits(match: re.Match[str]) -> str:
    tens, ten, ones = match.group().rpartition("十")
    value = _HAN_DIGITS.find(ones[-1]) + 1 if ones else 0
    return str(value + 10 * (_HAN_DIGITS.find(tens[-1:] or "一") + 1) if ten else value)


def _word_number(word: str, numbers: Mapping[str, int]) -> int | None:
    number = numbers.get(word)
    if number is not None:
        return number
    tens, hyphen, ones = word.partition("-")
    if hyphen:
        if hyphen + ones in table().endings:
            return _roman(tens)
        parts = numbers.get(tens, 0), numbers.get(ones, 0)
        return sum(parts) if parts[0] >= 20 and 0 < parts[1] < 10 else None
    return _roman(word) if len(word) <= _LONGEST_ROMAN else None


def read_number(word: str) -> int | None:
    """A folded word as a number: digits, Roman, or written out in any language of the table."""
    return int(word[:9]) if word.isdecimal() else _word_number(word, table().numbers)


def _shape(folded: str, numbers: Mapping[str, int]) -> tuple[str, list[int]]:
    """The shape of a folded text, and its numbers in order."""
    found: list[int] = []
    if "#" in folded:
        # One without a number must not look like the sign of a shape ("Season #blessed").
        folded = _NUMBER_SIGN.sub("", folded).replace("#", "\0")
    if "第" in folded:
        folded = _HAN_NUMBER.sub(_han_digits, folded)

    def replace(match: re.Match[str]) -> str:
        digits = match.group(1)
        number = _word_number(match.group(), numbers) if digits is None else int(digits[:9])
        if number is None:
            return match.group()
        found.append(number)
        return "#"

    shape = _AROUND_NUMBER.sub("#", _TOKEN.sub(replace, folded))
    return shape.rstrip("!.…") or shape, found


def _first_words(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(_LETTERS_OR_DIGITS.findall(text)[0] for text in texts)


def has_unspaced(text: str) -> bool:
    """Whether a text has letters of a script that puts no blank between words."""
    return _UNSPACED.search(text) is not None


def _template(words: str) -> str:
    return _AROUND_NUMBER.sub("#", fold(words))


def _numbered_words(shapes: Mapping[str, _Entry], levels: Collection[Level]) -> frozenset[str]:
    return frozenset(
        word
        for shape, entry in shapes.items()
        if entry.level in levels and "#" in shape
        for word in re.split("[ #]", shape)
        if word
    )


def _forms(numbers: Iterable[str]) -> Iterator[str]:
    """The single words among written-out numbers, each in all its forms."""
    return (fold(form) for forms in numbers for form in forms.split("/") if " " not in form)


def _letters(texts: Iterable[str]) -> frozenset[str]:
    """The runs of letters in these texts."""
    return frozenset(run for text in texts for run in _LETTERS.findall(text))


def _load() -> dict[str, dict[str, Any]]:
    path = resources.files("imports.reading") / "data" / "markers.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _closing(templates: Iterable[str]) -> re.Pattern[str]:
    """The number of an episode in brackets at the end: "(Episode 7)", "(7. díl)", "(第 7 集)"."""
    words: set[str] = set()
    around: dict[str, set[str]] = {}
    for template in templates:
        before, _, behind = (part.strip() for part in template.partition("#"))
        if before and behind:
            around.setdefault(before, set()).add(behind)
        else:
            words.add(before or behind)
    either = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    ways = [rf"(?:{either})\.? ?(\d+)", rf"(\d+)\.? ?(?:{either})"]
    for before, ends in around.items():
        end = "|".join(sorted(map(re.escape, ends)))
        ways.append(rf"{re.escape(before)} ?(\d+) ?(?:{end})")
    return re.compile(rf" ?\((?:{'|'.join(ways)})\)$", re.IGNORECASE)


@cache
def table() -> Table:
    """The table of `data/markers.toml`, compiled once."""
    data = _load()

    def every(*names: str) -> Iterator[str]:
        return (word for words in data.values() for name in names for word in words.get(name, ()))

    numbers: dict[str, int] = {}
    # Numbers of several words, or in a script without blanks or with signs that are no letters.
    beside: dict[str, dict[str, int]] = {}
    levels: dict[str, Level] = {}
    languages: dict[str, list[str]] = {}
    for language, words in data.items():
        for name in ("cardinals", "ordinals"):
            for position, forms in enumerate(words.get(name, ()), 1):
                for word in map(fold, forms.split("/")):
                    if _TOKEN.fullmatch(word) and not _UNSPACED.search(word):
                        numbers.setdefault(word, position)
                    else:
                        beside.setdefault(language, {}).setdefault(word, position)
        for position, word in enumerate(words.get("tens", ()), 1):
            numbers.setdefault(fold(word), position * 10)
        for name, level in _LEVELS.items():
            for shape in map(_template, words.get(name, ())):
                known = levels.get(shape, level)
                if _RANK[level] < _RANK[known]:
                    languages[shape] = []
                if _RANK[level] <= _RANK[known]:
                    levels[shape] = level
                    languages.setdefault(shape, []).append(language)
    shapes = {shape: _Entry(level, tuple(languages[shape])) for shape, level in levels.items()}
    written = {
        shape.replace("#", word).replace(" ", ""): (entry, number)
        for shape, entry in shapes.items()
        if "#" in shape
        for language in entry.languages
        for word, number in beside.get(language, {}).items()
    }
    film = [fold(words) for words in every("film")]
    hints = frozenset(map(fold, every("film_hints")))
    speaking = frozenset(map(fold, every("speaking")))
    return Table(
        shapes=shapes,
        final_starts=tuple(dict.fromkeys(map(_template, every("final")))),
        final_heads=frozenset(_template(start)[:_HEAD] for start in every("final")),
        numbers=numbers,
        written=written,
        articles=frozenset(map(fold, every("articles"))),
        endings=tuple(map(fold, every("endings"))),
        marking=_numbered_words(shapes, tuple(Level)),
        vocabulary=_letters((*shapes, *numbers, *every("articles", "endings"))),
        season_words=_letters(
            shape for shape, entry in shapes.items() if entry.level is Level.SEASON and "#" in shape
        ),
        count_starts=_numbered_words(shapes, _LOOSE) | set(_forms(every("ordinals"))),
        trailers=frozenset(map(_template, every("trailer"))),
        trailer_edges=frozenset(
            edge
            for words in every("trailer")
            for edge in re.split("[ #]+", fold(words))[:1] + re.split("[ #]+", fold(words))[-1:]
        )
        - {""},
        pilots=frozenset(map(fold, every("pilot"))),
        presenting=frozenset(map(fold, every("presents"))),
        film_words=frozenset(
            word for word in film if word.isalpha() and not _UNSPACED.search(word)
        ),
        film_phrases=tuple(
            word if _UNSPACED.search(word) else f" {word} "
            for word in film
            if not word.isalpha() or _UNSPACED.search(word)
        ),
        film_hints=hints,
        film_starts=_first_words(film),
        hint_starts=_first_words(hints),
        speaking=speaking,
        speaking_starts=_first_words(speaking),
        letters={language: words.get("letters", "") for language, words in data.items()},
        episode_words={
            language: tuple(_AROUND_NUMBER.sub("", fold(word)) for word in words["episode"])
            for language, words in data.items()
        },
        suffix=_closing(map(fold, every("episode", "closing"))),
    )


def _may_be_marker(folded: str, words: Table) -> bool:
    """A quick look for words of markers: anywhere beside digits, else at an end of the text."""
    pieces, marking = folded.split(" "), words.marking
    return (
        pieces[-1] in marking
        or pieces[0].rstrip("0123456789.") in marking
        or folded in words.shapes
        or (folded[:_HEAD] in words.final_heads and folded.startswith(words.final_starts))
        or (not marking.isdisjoint(pieces) and _DIGITS.search(folded) is not None)
        or (not folded.isascii() and _UNSPACED.search(folded) is not None)
        or "".join(pieces) in words.written
    )


def _is_other_text(folded: str, words: Table) -> bool:
    """Whether a text is surely no marker, although it may have a word of one: "Episode of Love".

    All letters of a marker that stands alone are of the table or of a number; one that does not
    stands before a sign, or has the word of a season.
    """
    letters = set(_LETTERS.findall(folded))
    for run in letters - words.vocabulary:
        if len(run) >= _SHORTEST_WORD and (len(run) > _LONGEST_ROMAN or _NO_ROMAN.search(run)):
            break
    else:
        return False
    return (
        letters.isdisjoint(words.season_words)
        and not folded.startswith(words.final_starts)
        and _SEPARATOR.search(folded) is None
    )


def read_count(title: str, marker_of: Callable[[str], Marker | None]) -> Marker | None:
    """What counts an episode at the start of its title: "Episode 7", "Chapter Two: Nosedive".

    `marker_of` is `read_marker`, or remembers what that said.
    """
    first = title[:1]
    if (
        first < "\u0e00"
        and not first.isdigit()
        and title.partition(" ")[0].casefold() not in table().count_starts
    ):
        return None
    marker = marker_of(title.partition(": ")[0])
    return marker if marker is not None and marker.level in _LOOSE else None


def read_marker(segment: str) -> Marker | None:
    """Read one part of a title as a marker; None when it is something else.

    A season's words may stand among others ("Season 4 Remix", "Saison 2 Partie A"), and a title
    may follow an episode's number ("Épisode 1 : ..."): such a marker is not `exact`.
    """
    folded = fold(segment)
    if _DIGITS.search(folded) is None or len(folded) > _LONGEST_REMEMBERED:
        return _read(folded)
    digits = _DIGITS.findall(folded)
    # Many parts of a file's titles differ in their numbers alone.
    if len(digits) == 1:
        marker = _read_remembered(_DIGITS.sub(str(_FIRST_PLACE), folded))
    else:
        places = count(_FIRST_PLACE)
        marker = _read_remembered(_DIGITS.sub(lambda _: str(next(places)), folded))
    place = -1 if marker is None or marker.number is None else marker.number - _FIRST_PLACE
    if marker is None or place < 0:
        return marker
    return Marker(marker.level, int(digits[place][:9]), marker.languages, marker.exact)


def _read(folded: str) -> Marker | None:
    words = table()
    if not _may_be_marker(folded, words):
        return None
    written = words.written.get(folded.replace(" ", ""))
    if written is not None:
        (level, languages), value = written
        return Marker(level, value, languages)
    if "第" not in folded and _is_other_text(folded, words):
        return None
    shape, numbers = _shape(folded, words.numbers)
    article, sign, rest = shape.partition("#")
    if sign and article in words.articles:
        shape = sign + rest
    entry = words.shapes.get(shape)
    if entry is not None:
        number = numbers[0] if numbers else _WHOLE_NUMBERS.get(entry.level)
        if entry.level is Level.SEASON and not numbers and shape not in words.final_starts:
            number = 1
        return Marker(entry.level, number, entry.languages)
    lettered = _LETTER_AT_END.search(shape)
    if lettered is not None:
        entry = words.shapes.get(shape[:-2] + "#")
        if entry is not None:
            return Marker(entry.level, ord(lettered.group(1)) - ord("a") + 1, entry.languages)
    return _read_beside_others(folded, words) or _read_among_others(shape, numbers, words)


_read_remembered = lru_cache(maxsize=4096)(_read)


def _read_beside_others(folded: str, words: Table) -> Marker | None:
    """A marker that a sign divides from other words: "Season 1 - Volume 3", "Saison 2 (B)"."""
    pieces = [piece for piece in _SEPARATOR.split(folded) if piece]
    if len(pieces) < 2:
        return None
    shapes = [_shape(piece, words.numbers) for piece in pieces]
    shape, numbers = shapes[0]
    entry = words.shapes.get(shape)
    if entry is None:
        return None
    if entry.level in (Level.SEASON, Level.LIMITED, *_LOOSE) or (
        entry.level is Level.PART and all(other in words.shapes for other, _ in shapes)
    ):
        number = numbers[0] if numbers else _WHOLE_NUMBERS.get(entry.level)
        return Marker(entry.level, number, entry.languages, exact=False)
    return None


def _read_among_others(shape: str, numbers: list[int], words: Table) -> Marker | None:
    """A season among other words: "Season 4 Remix", "The Final Season Part 2"."""
    for start in words.final_starts:
        if shape.startswith(start):
            return Marker(Level.SEASON, None, words.shapes[start].languages, exact=False)
    pieces = re.split("(?<=#)| ", shape)
    for position, piece in enumerate(pieces[:4]):
        if "#" not in piece:
            continue
        entry = words.shapes.get(piece)
        if entry is None and piece == "#":
            entry = words.shapes.get("#" + "".join(pieces[position + 1 : position + 2]))
        if entry is not None and entry.level is Level.SEASON:
            before = "".join(pieces[:position]).count("#")
            return Marker(Level.SEASON, numbers[before], entry.languages, exact=False)
    # Where no blank stands in a marker, one stands between two: "第1季 第2部分".
    parts = shape.split(" ")
    for position, part in enumerate(parts[:4]):
        entry = words.shapes.get(part) if _UNSPACED.search(part) else None
        if entry is not None and entry.level is Level.SEASON and "#" in part:
            before = "".join(parts[:position]).count("#")
            return Marker(Level.SEASON, numbers[before], entry.languages, exact=False)
    return None


def read_trailer(text: str) -> bool:
    """Whether a cleaned title says that it was a trailer, a clip or the like.

    The word stands alone before the first colon, behind a season there, or in brackets at the
    end of a part: "Trailer: X", "Season 1 Trailer: X", "Temporada 2 (Clipe): X", "X (Trailer)".
    """
    if text.endswith(")") and _ends_in_trailer(text):
        return True
    head, colon, _ = text.partition(": ")
    if not colon:
        return False
    words = table()
    head = head.rstrip(" ")
    if head.endswith(")"):
        return _ends_in_trailer(head)
    if (
        head.rstrip("0123456789 ").rpartition(" ")[2].casefold() not in words.trailer_edges
        and head.partition(" ")[0].casefold() not in words.trailer_edges
    ):
        return False
    shape, numbers = _shape(fold(head), words.numbers)
    return shape in words.trailers or any(
        shape.endswith(trailer) and _is_of_season(shape[: -len(trailer)].rstrip(), numbers, words)
        for trailer in words.trailers
    )


def _is_of_season(shape: str, numbers: list[int], words: Table) -> bool:
    """Whether a clip's name is "Season 1" or begins so: "Season 5 Main Character Clip 4: X"."""
    return shape in words.shapes or _read_among_others(shape, numbers, words) is not None


def _ends_in_trailer(text: str) -> bool:
    before, _, inside = fold(text).rpartition("(")
    words = table()
    return bool(before) and _shape(inside[:-1], words.numbers)[0] in words.trailers
