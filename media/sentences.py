"""Sentences kept as template and values, so that each reader gets them in the own language.

Those of `media/matching.py` stand here, where translators find them: it knows no Django, so that
nothing there marks its texts for translation.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils import formats
from django.utils.translation import gettext, gettext_noop

SENTENCES = (
    gettext_noop("the names have little in common"),
    gettext_noop("another name: %(name)s"),
    gettext_noop("the same name: %(name)s"),
    gettext_noop("the same name but for small words: %(name)s"),
    gettext_noop("one name is part of the other: %(name)s"),
    gettext_noop("nearly the same name: %(name)s"),
    gettext_noop("made in %(countries)s, as the name in your file says"),
    gettext_noop("made in %(countries)s, not where the name in your file says"),
    gettext_noop("first aired %(aired)s, the year in the name"),
    gettext_noop("first aired %(aired)s, not the year in the name"),
    gettext_noop("first aired %(aired)s, first watched %(watched)s"),
    gettext_noop("TMDB does not know when it first aired"),
    gettext_noop("first aired %(aired)s, after you watched it (%(watched)s)"),
    gettext_noop("season %(seen)s of your file is among its %(known)s"),
    gettext_noop("%(count)s episodes in season %(season)s, as in your file"),
    gettext_noop("your file has season %(seen)s, and TMDB knows no season"),
    gettext_noop(
        "your file has season %(seen)s, TMDB %(known)s, with episodes enough (%(total)s) to be "
        "divided otherwise"
    ),
    gettext_noop("your file has season %(seen)s, TMDB knows %(known)s"),
    gettext_noop("only %(count)s episodes in season %(season)s, fewer than in your file"),
    gettext_noop("%(found)s of %(asked)s episode titles occur, such as “%(title)s”"),
    gettext_noop("none of %(asked)s episode titles occurs"),
    gettext_noop("%(popularity)s at TMDB, which decides between equals only"),
    gettext_noop("Other titles beside it are episodes of %(series)s."),
    gettext_noop("%(series)s has no such episode."),
    gettext_noop("“%(title)s” is a special of %(series)s."),
    gettext_noop("“%(title)s” is an episode of %(series)s."),
    gettext_noop("TMDB does not tell what it is."),
    gettext_noop("TMDB has no series called %(series)s."),
    gettext_noop("There is a series called %(series)s."),
    gettext_noop("It was said by hand which series %(series)s is."),
    gettext_noop("%(series)s is a series of one season, which Netflix does not name."),
)


def in_words(message: Mapping[str, Any] | str | None, english: str = "") -> str:
    """A kept message in the current language.

    `english` is what older versions kept instead; a sentence without values is found by it.
    """
    if message is None or isinstance(message, str):
        text = message or english
        return gettext(text) if text else ""
    values = {name: _in_words(value) for name, value in message["values"].items()}
    template = gettext(message["template"])
    return template % values if values else template


def _in_words(value: Any) -> Any:
    match value:
        case {"template": _, "values": _}:
            return in_words(value)
        case {"day": day}:
            return formats.date_format(date.fromisoformat(day), "DATE_FORMAT")
    return value
