"""Titles in the language that a user chose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db.models import prefetch_related_objects

from accounts.models import User
from media.models import LibraryEntry, LibraryEntryQuerySet
from media.wording import fold

# As TMDB writes what Django names by script.
AT_TMDB = {"zh-hans": "zh-CN", "zh-hant": "zh-TW", "pt": "pt-PT", "nb": "no-NO"}


def put_into_language(entries: Sequence[LibraryEntry], user: User) -> None:
    """Give the catalogue rows of entries a `shown_title` in the user's language.

    Where TMDB has none, the title is as in the user's own file. At most one query; none for
    users who chose no language, and for entries that came `with_own_name()`.
    """
    if not user.title_language:
        return
    without = []
    for entry in entries:
        title = title_in(entry.media.titles, user.title_language)
        if title:
            entry.media.shown_title = title
        elif entry.media.tmdb_id is not None:
            without.append(entry)
    prefetch_related_objects([e for e in without if not hasattr(e, "own_name")], "names")
    for entry in without:
        own_name = getattr(entry, "own_name", None)
        names = [own_name] if own_name else [name.name for name in entry.names.all()]
        entry.media.shown_title = names[0] if names else entry.media.title


def by_shown_title(entries: LibraryEntryQuerySet, user: User) -> list[int]:
    """The ids of a user's entries by the titles that the user sees. One query."""
    shown = []
    for pk, title, titles, tmdb_id, own_name in entries.order_by().values_list(
        "pk", "media__title", "media__titles", "media__tmdb_id", entries.first_name()
    ):
        own = own_name if tmdb_id is not None else title
        shown.append((fold(title_in(titles, user.title_language) or own or title), pk))
    return [pk for _title, pk in sorted(shown)]


def title_in(titles: Mapping[str, str], language: str) -> str:
    """TMDB's title in a language, of whatever region where its own has none; else nothing."""
    wanted = AT_TMDB.get(language, language)
    base = wanted.partition("-")[0].lower()
    for code, title in titles.items():
        if code.lower() == wanted.lower() and title:
            return title
    return next(
        (title for code, title in titles.items() if code.lower().startswith(f"{base}-") and title),
        "",
    )
