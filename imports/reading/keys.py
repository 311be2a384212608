"""The identity of titles and of names. What is stored rests on it: it must never change."""

from __future__ import annotations

import re
import unicodedata

from imports.reading.spelling import clean, fold

# Soft hyphens, joiners, direction marks and byte order marks.
_ZERO_WIDTH = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")

# The words that ViewingActivity.csv closes a title with, casefolded: "(Episode 7)". A list of its
# own, not the table of markers: that table may grow, while every key must stay what it was.
# Seen in real exports: the first line; the rest is from what is known of the languages.
_EPISODE_WORDS = (
    "episode", "folge", "episódio", "épisode", "aflevering", "odcinek", "capítulo", "bölüm", "episodul",
    "episodio", "puntata", "avsnitt", "afsnit", "jakso", "osa", "díl", "diel", "část", "epizóda",
    "epizoda", "epizód", "rész", "episod", "episood", "episodi", "epizode", "epizodas", "серия",
    "серія", "эпизод", "епізод", "епизод", "επεισόδιο", "פרק", "الحلقة", "حلقة", "قسمت", "एपिसोड",
    "ตอนที่", "ตอน", "tập", "エピソード", "에피소드",
)  # fmt: skip
_WORDS = "|".join(_EPISODE_WORDS)
_CLOSING = re.compile(
    rf"\((?:(?:{_WORDS})\.? ?\d+|\d+\.? ?(?:{_WORDS})|第 ?\d+ ?[話话集回]|\d+ ?[화회])\)"
)


def title_key(raw: str) -> str:
    """The identity of a row's title (rule 4 of the library), from the cell as written.

    NFKC, zero-width characters removed, blanks joined and stripped, a closing "(Episode 7)" in
    any language removed, casefolded. Holds no series, season, kind, language or profile.
    """
    if raw.isascii() and raw.isprintable() and "  " not in raw and raw == raw.strip(" "):
        key = raw.casefold()
    else:
        key = _spaced(raw)
    if key.endswith(")"):
        bracket = key.rfind("(")
        if bracket >= 0 and _CLOSING.fullmatch(key, bracket):
            key = key[:bracket].rstrip()
    return key


def _spaced(raw: str) -> str:
    if not raw.isascii():
        raw = unicodedata.normalize("NFKC", raw)
        if not raw.isprintable():
            raw = _ZERO_WIDTH.sub("", raw)
    return " ".join(raw.split()).casefold()


def name_key(name: str) -> str:
    """How names of series and movies are told apart: plain quotes, dashes and blanks, casefolded."""
    return fold(clean(name))
