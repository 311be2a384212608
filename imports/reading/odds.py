"""How likely a name belongs to a film where neither words nor other titles tell.

A logistic model with few terms: what the form of a title says, and what the file does. All weights
are natural logarithms of odds that the title is a film's.
"""

from __future__ import annotations

import math
import re

from imports.reading.evidence import plain
from imports.reading.markers import table
from imports.reading.spelling import fold

# Fitted to TMDB's English titles of 370 films with a colon and to the first episodes of 10,000
# series, those left out that words or known names tell apart.
_FORM = 0.45
_NUMBER_IN_NAME = 1.0
_CLOSING_SIGNS = {"?": -2.6, "？": -2.6, "!": -1.1, "！": -1.1}
_SIGNS_INSIDE = (("(", -1.5), (", ", -0.4))
_NUMBER_IN_TITLE = -0.25
_SPEAKING = -0.5
_WORDS_OF_NAME = (0.0, 0.0, 0.0, -0.5, -1.0)
_WORDS_OF_TITLE = (0.0, -0.2, 0.0, 0.0, 0.0, 0.0, -0.2, -0.2, -2.6)
_WORD_OF_NAME_IN_TITLE = -1.4
_SHORT = 4
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
# Newer exports have so many series for a film among names with so many titles, relative to names
# with one title (111 exports).
_SERIES_OF_SEVERAL = (1.0, 1.0, 3.2, 5.9, 8.6)
# A newer file has so many series with one unmarked title for each one with five or more, and so
# many films with a colon and an unknown name for each film without a colon (25 exports).
_LONE_PER_SERIES = 0.7
_UNKNOWN_PER_FILM = 0.02


def form(name: str, title: str) -> float:
    """What the form of "name: title" says."""
    weight = _FORM
    if _DIGIT.search(name):
        weight += _NUMBER_IN_NAME
    signs = _CLOSING_SIGNS.get(title[-1:], 0.0)
    for sign, odds in _SIGNS_INSIDE:
        if sign in title:
            signs += odds
    numbered = _DIGIT.search(title) is not None
    if numbered:
        signs += _NUMBER_IN_TITLE
    weight += signs
    names, words = plain(name).split(), plain(title).split()
    weight += _WORDS_OF_NAME[min(len(names), len(_WORDS_OF_NAME) - 1)]
    weight += _WORDS_OF_TITLE[min(len(words), len(_WORDS_OF_TITLE) - 1)]
    for word in names:
        if word in words and len(word) >= _SHORT:
            weight += _WORD_OF_NAME_IN_TITLE
            break
    # Most titles have none of the words that those of the table begin with.
    known = table()
    if (numbered or not known.speaking_starts.isdisjoint(words)) and (
        not known.speaking.isdisjoint(_WORD.findall(fold(title)))
    ):
        weight += _SPEAKING
    return weight


def rarity(unmarked_series: int, films: int, titles: int) -> float:
    """What a file says of a name with this many titles (one to four).

    `unmarked_series` of the file have five or more titles without a marker; `films` of it have a
    title without a colon. Some newer files mark nearly every series.
    """
    series = _LONE_PER_SERIES * (unmarked_series + 0.5) * _SERIES_OF_SEVERAL[titles]
    return math.log(_UNKNOWN_PER_FILM * (films + 5) / series)
