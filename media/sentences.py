"""The sentences of the score table, where translators find them.

`media/matching.py` knows no Django, so that nothing there marks its texts for translation.
"""

from __future__ import annotations

from django.utils.translation import gettext_noop

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
)
