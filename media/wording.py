"""How names and episode titles are compared, in any language. Pure: no Django, no I/O."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Letters that NFKD leaves whole, though people and catalogues write them both ways.
_PLAIN_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d"}
)
_APOSTROPHES = re.compile("['’‘`´ʼ＇]")
_INITIALS = re.compile(r"\b(?:\w\.){2,}")
_WORD = re.compile(r"[\w%]+")
# English, Spanish, Portuguese, French, Italian, German, Dutch, Nordic, Hungarian.
_ARTICLES = frozenset(
    re.findall(
        r"\w+",
        "the a an el la los las un una o os as um uma le les une des il lo gli i der die das den "
        "het een en et ett az",
    )
)
_AND = frozenset({"and", "y", "e", "et", "und", "en", "og", "och", "i", "a", "ja", "es", "ve"})
_ROMAN = {
    numeral: str(number)
    for number, numeral in enumerate(
        re.findall(r"\w+", "ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx"),
        start=2,
    )
}
_NUMBER_WORDS = {
    word: str(number)
    for number, word in enumerate(
        re.findall(
            r"\w+",
            "one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
            "fifteen sixteen seventeen eighteen nineteen twenty",
        ),
        start=1,
    )
}
_CLOSING_BRACKETS = re.compile(r"\s*[(（\[]([^()（）\[\]]*)[)）\]]\s*$")
_YEAR = re.compile(r"(19[3-9]\d|20[0-4]\d)")

# Words that stand for "episode", as Netflix and TMDB write them where an episode has no title.
_EPISODE_WORD = (
    r"episode|episodes|ep|eps|episodio|episodi|episod|epizod|epizoda|epizodes|folge|teil|capitulo|"
    r"capitol|chapter|chapitre|kapitel|kapitola|hoofdstuk|rozdzial|aflevering|afl|odcinek|bolum|"
    r"dil|resz|fejezet|afsnit|avsnitt|del|jakso|osa|part|parte|partie|czesc|cast|"
    r"серия|эпизод|серія|епізод|επεισοδιο|פרק|الحلقة|ตอนท|ตอน|tap"
)
_GENERIC = (
    re.compile(rf"(?:{_EPISODE_WORD})\s*(?P<number>\d{{1,4}})"),
    re.compile(rf"(?P<number>\d{{1,4}})\s*(?:{_EPISODE_WORD})"),
    re.compile(r"(?:第|제)?\s*(?P<number>\d{1,4})\s*(?:話|话|集|回|화|회)"),
    re.compile(r"(?:エピソード|エヒソート|에피소드|제)\s*(?P<number>\d{1,4})"),
    re.compile(r"(?P<number>\d{1,4})"),
)
_HEADING = re.compile(rf"(?:{_EPISODE_WORD})\s+[\w-]+(?:\s+[\w-]+)?|\d{{1,4}}|\w+\s+\d{{1,4}}")


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """The words of a text, casefolded, without accents and punctuation; `&` becomes "and".

    A text of nothing but signs ("###") keeps its signs, so that it never equals another.
    """
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_PLAIN_LETTERS)
    plain = "".join(
        c for c in unicodedata.normalize("NFKD", plain) if not "\u0300" <= c <= "\u036f"
    )
    plain = unicodedata.normalize("NFKC", plain)
    plain = _INITIALS.sub(lambda found: found[0].replace(".", "") + " ", plain)
    words = _WORD.findall(_APOSTROPHES.sub("", plain).replace("&", " and "))
    return " ".join(words) or " ".join(plain.split())


@lru_cache(maxsize=65536)
def loose(text: str) -> str:
    """`fold` without closing brackets, leading article and "and"; Roman numerals as digits."""
    bare = text
    while (found := _CLOSING_BRACKETS.search(bare)) and found.start():
        bare = bare[: found.start()]
    words = fold(bare).split()
    if len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    kept = [
        _ROMAN.get(word, word) if at else word
        for at, word in enumerate(words)
        if not (0 < at < len(words) - 1 and word in _AND)
    ]
    return " ".join(kept)


def brackets(text: str) -> tuple[str, ...]:
    """What stands in brackets at the end of a name: ("U.S.",) for `The Office (U.S.)`."""
    inside: list[str] = []
    while (found := _CLOSING_BRACKETS.search(text)) and found.start():
        inside.insert(0, found[1])
        text = text[: found.start()]
    return tuple(inside)


def year_in(text: str) -> int | None:
    """The year that a name carries in closing brackets, if it is a year and nothing else."""
    for inside in brackets(text):
        if found := _YEAR.fullmatch(inside.strip()):
            return int(found[1])
    return None


@lru_cache(maxsize=65536)
def generic_number(title: str) -> int | None:
    """7 for `Episode 7`, `Folge 7`, `7. díl`, `第7話`, `Chapter Seven`; None for a real title."""
    words = " ".join(_NUMBER_WORDS.get(word, word) for word in fold(title).split())
    for pattern in _GENERIC:
        if found := pattern.fullmatch(words):
            return int(found["number"])
    return None


@lru_cache(maxsize=65536)
def title_forms(title: str) -> tuple[str, ...]:
    """The keys under which an episode title may be found, the fullest first.

    `Chapter Nine: The Piggyback` is also `the piggyback`; `Pilot (1)` is also `pilot 1`.
    """
    forms = [numbered(fold(title))]
    head, colon, rest = title.partition(":")
    if colon and rest.strip() and _HEADING.fullmatch(fold(head)):
        forms.append(numbered(fold(rest)))
    return tuple(dict.fromkeys(form for form in forms if form))


def numbered(folded: str) -> str:
    """A folded title with "part one", "pt 1", "(I)" and the like written as plain digits."""
    words = folded.split()
    kept = []
    for at, word in enumerate(words):
        after_part = at > 0 and words[at - 1] in {"part", "pt", "parts", "chapter"}
        last = at == len(words) - 1 and at > 0
        if after_part or last:
            word = _ROMAN.get(word, "1" if word == "i" else word)
        if after_part:
            word = _NUMBER_WORDS.get(word, word)
        kept.append(word)
    return " ".join(
        word
        for at, word in enumerate(kept)
        if not (word in {"part", "pt"} and at > 0 and at + 1 < len(kept) and kept[at + 1].isdigit())
    )
