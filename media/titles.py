"""Titles in the language that a user chose, and searching in all of them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import prefetch_related_objects

from accounts.models import User
from media.models import EntryName, LibraryEntry, Media
from media.wording import fold

# As TMDB writes what Django names by script.
AT_TMDB = {"zh-hans": "zh-CN", "zh-hant": "zh-TW", "pt": "pt-PT", "nb": "no-NO"}


def put_into_language(entries: Sequence[LibraryEntry], user: User) -> None:
    """Give the catalogue rows of entries, for display only, titles in the user's language.

    Where TMDB has none, the title is as in the user's own file. At most one query, and none for
    users who chose no language.
    """
    if not user.title_language:
        return
    without = []
    for entry in entries:
        title = title_in(entry.media, user.title_language)
        if title:
            entry.media.title = title
        elif entry.media.tmdb_id is not None:
            without.append(entry)
    prefetch_related_objects(without, "names")
    for entry in without:
        names = [name.name for name in entry.names.all()]
        entry.media.title = names[0] if names else entry.media.title


def title_in(media: Media, language: str) -> str:
    """TMDB's title in a language, of whatever region where its own has none; else nothing."""
    wanted = AT_TMDB.get(language, language)
    titles: dict[str, str] = media.titles
    base = wanted.partition("-")[0].lower()
    for code, title in titles.items():
        if code.lower() == wanted.lower() and title:
            return title
    return next(
        (title for code, title in titles.items() if code.lower().startswith(f"{base}-") and title),
        "",
    )


def entries_named(user: User, text: str) -> list[int]:
    """The entries of which a name or a title contains `text`: one query.

    Case, accents and punctuation make no difference, in any script. Databases cannot compare
    so; reading some thousands of names and folding them takes some milliseconds, since what was
    folded once is remembered.
    """
    wanted = fold(text)
    names = EntryName.objects.filter(user=user).values_list(
        "entry_id",
        "name",
        "entry__media__title",
        "entry__media__original_title",
        "entry__media__titles",
    )
    return sorted(
        {
            entry_id
            for entry_id, name, title, original, titles in names
            if any(wanted in fold(one) for one in (name, title, original, *titles.values()))
        }
    )
