"""How names and episode titles are compared, in any language. Pure: no Django, no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from tmdb.names import comparison_key, exact_key

_ROMAN = {
    "i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7", "viii": "8",
    "ix": "9", "x": "10",
}  # fmt: skip
_NUMBER_WORDS = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13",
    "fourteen": "14", "fifteen": "15", "sixteen": "16", "seventeen": "17", "eighteen": "18",
    "nineteen": "19", "twenty": "20",
}  # fmt: skip
# Words for "episode", as `fold` leaves them, by which services number episodes without a title.
_EPISODE_WORD = (
    "episode|episodes|ep|eps|e|episodio|episodi|episod|epizod|epizoda|folge|teil|capitulo|capitol|"
    "chapter|chapitre|kapitel|kapitola|hoofdstuk|rozdzial|aflevering|odcinek|bolum|dil|resz|"
    "fejezet|afsnit|avsnitt|del|jakso|osa|part|parte|partie|czesc|cast|"
    "серия|эпизод|серія|епізод|επεισοδιο|פרק|الحلقة|ตอนที่|ตอน|tap"
)
_GENERIC = (
    re.compile(rf"(?:{_EPISODE_WORD}) ?(?P<number>\d{{1,4}})"),
    re.compile(rf"(?P<number>\d{{1,4}}) ?(?:{_EPISODE_WORD})"),
    re.compile(r"[第제]? ?(?P<number>\d{1,4}) ?[話话集回화회]"),
    re.compile(r"(?:エピソード|에피소드) ?(?P<number>\d{1,4})"),
    re.compile(r"(?P<number>\d{1,4})"),
)
# As TMDB calls seasons that have no name, in its languages.
_SEASON_WORD = (
    "season|staffel|saison|temporada|stagione|seizoen|sezon|sezona|sezonul|sæson|saeson|sasong|"
    "sesong|kausi|evad|musim|mua|сезон|сезона|σεζον|κυκλοσ|עונה|الموسم|ซีซั่น|ฤดูกาลที่|시즌|シーズン"
)
_SEASON = (
    re.compile(rf"(?:{_SEASON_WORD}) ?(?P<number>\d{{1,4}})"),
    re.compile(rf"(?P<number>\d{{1,4}}) ?(?:{_SEASON_WORD})"),
    re.compile(r"第 ?(?P<number>\d{1,4}) ?季"),
)
_OTHER_COUNT = re.compile(r"(?:series|serie|seria|volume|vol|book|buch|livre|libro) \d{1,4}")
# What may stand before the colon of an episode title and is not part of its name.
_HEADING = re.compile(rf"(?:{_EPISODE_WORD}) \S+(?: \S+)?|\w+ \d{{1,4}}|\d{{1,4}}")
_PART_WORDS = frozenset({"part", "parts", "pt", "pts"})
_BRACKETS = re.compile(r"\s*[(（\[][^()（）\[\]]*[)）\]]")
_BETWEEN_TITLES = re.compile(r"\s*/\s*|\s*;\s+|\s+&\s+|\s+and\s+", re.IGNORECASE)
_TWO_PARTS = re.compile(
    r"(?P<stem>.+?)\W+(?:(?:parts?|pts?)\W*)?(?P<first>\d|i+)\s*(?:and|[&/+–-])\s*(?P<second>\d|i+)\W*",
    re.IGNORECASE,
)

fold = lru_cache(maxsize=65536)(exact_key)
name_key = lru_cache(maxsize=65536)(comparison_key)


@lru_cache(maxsize=65536)
def generic_number(title: str) -> int | None:
    """7 for `Episode 7`, `Folge 7`, `7. díl`, `第7話`, `Chapter Seven`; None for a real title."""
    words = " ".join(_NUMBER_WORDS.get(word, word) for word in fold(title).split())
    for pattern in _GENERIC:
        if found := pattern.fullmatch(words):
            return int(found["number"])
    return None


@lru_cache(maxsize=4096)
def generic_season(name: str) -> int | None:
    """3 for `Season 3`, `Staffel 3`, `3. Sezon`; None for a season with a name of its own."""
    folded = fold(name)
    for pattern in _SEASON:
        if found := pattern.fullmatch(folded):
            return int(found["number"])
    return None


def only_counts(name: str) -> bool:
    """Whether a season's name is but a number: `Season 3`, `Part 3`, `Series 3`."""
    return (
        generic_season(name) is not None
        or generic_number(name) is not None
        or _OTHER_COUNT.fullmatch(fold(name)) is not None
    )


@lru_cache(maxsize=65536)
def title_forms(title: str) -> tuple[str, ...]:
    """The keys under which an episode title may be found, the fullest first.

    `Chapter Nine: The Piggyback` is also "the piggyback"; `Pilot (1)`, `Pilot: Part One` and
    `Pilot, Pt. I` are all "pilot 1".
    """
    forms = [_with_digits(fold(title))]
    head, colon, rest = title.partition(":")
    if colon and fold(rest) and _HEADING.fullmatch(fold(head)):
        forms.append(_with_digits(fold(rest)))
    return tuple(dict.fromkeys(form for form in forms if form))


@lru_cache(maxsize=65536)
def short_forms(title: str) -> tuple[str, ...]:
    """What is left of a title without its additions, the longest first: to be believed only
    where no full form is found, and within one season.

    `Tom Keen (No. 7)` is "tom keen", `Julian: Part III` is "part 3", `Run (2)` is "run".
    """
    bare = _BRACKETS.sub(" ", title)
    forms = [_with_digits(fold(bare))]
    _, colon, rest = bare.partition(":")
    if colon and fold(rest):
        forms.append(_with_digits(fold(rest)))
    forms += [form.rsplit(" ", 1)[0] for form in forms if form.rsplit(" ", 1)[-1].isdigit()]
    full = title_forms(title)
    return tuple(f for f in dict.fromkeys(forms) if f and f not in full and f not in _PART_WORDS)


def _with_digits(folded: str) -> str:
    """A folded title with the number of its part, at the end, as plain digits."""
    words = folded.split()
    if len(words) > 1:
        after_part = words[-2] in _PART_WORDS
        last = _ROMAN.get(words[-1], words[-1])
        if after_part:
            last = _NUMBER_WORDS.get(last, last)
        words[-1] = last
        if after_part and last.isdigit() and len(words) > 2:
            del words[-2]
    return " ".join(words)


def divided(title: str) -> Iterator[tuple[str, ...]]:
    """The ways in which one title may name several episodes: `A / B`, `Pilot: Parts 1 & 2`."""
    if found := _TWO_PARTS.fullmatch(title):
        yield (f"{found['stem']} {found['first']}", f"{found['stem']} {found['second']}")
    pieces = tuple(piece for piece in _BETWEEN_TITLES.split(title) if fold(piece))
    if len(pieces) > 1:
        yield pieces
