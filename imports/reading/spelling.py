"""How titles are spelt: cleaning, cutting at the structural colons, and comparing names."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_BLANKS = re.compile(r"\s+")
# A structural colon has no blank before it; the typographic one of French has (" : ").
_STRUCTURAL = re.compile(r"(?<=\S):(?: |$)")
_SAME_SIGNS = str.maketrans(
    {
        "’": "'", "‘": "'", "ʼ": "'", "ʻ": "'", "`": "'", "´": "'", "′": "'",
        "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "″": '"',
        "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-",
    }
)  # fmt: skip

_SIGNS = re.compile(f"[{''.join(map(chr, _SAME_SIGNS))}]")


def clean(raw: str) -> str:
    """The title as shown: NFC, no invisible characters, every run of blanks one plain blank.

    Compatibility characters ("：", "½", "…") stay: folding them could make a colon structural.
    """
    if raw.isascii():
        if raw.isprintable() and "  " not in raw:
            return raw.strip(" ")
        return _BLANKS.sub(" ", raw).strip(" ")
    # French titles are full of no-break spaces, which are not printable.
    text = unicodedata.normalize("NFC", raw).replace("\u00a0", " ")
    if not text.isprintable():
        return " ".join(_INVISIBLE.sub("", text).split())
    return " ".join(text.split()) if "  " in text else text.strip(" ")


def segments(text: str) -> list[str]:
    """The parts of a cleaned title between its structural colons; a part may be empty."""
    if " :" not in text and text[:1] != ":" and text[-1:] != ":":
        return text.split(": ")
    parts: list[str] = []
    for part in _STRUCTURAL.split(text):
        # What a name withdrawn from Netflix leaves behind: ": Episode 14", "New Amsterdam: : ".
        while part.startswith((": ", " :")) or part == ":":
            parts.append("")
            part = part.strip(" ")[1:].strip(" ")
        parts.append(part.strip(" "))
    return parts


def fold(text: str) -> str:
    """A form for comparing names: NFKC, plain quotes and dashes, casefolded, single blanks."""
    return text.casefold() if text.isascii() else _fold(text)


@lru_cache(maxsize=8192)
def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text)
    if _SIGNS.search(plain) is not None:
        plain = plain.translate(_SAME_SIGNS)
    plain = plain.casefold()
    return " ".join(unicodedata.normalize("NFKC", plain).split())
