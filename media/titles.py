"""Titles in the language that a user chose, and in others where there are none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from django.db.models import prefetch_related_objects

from accounts.models import User
from media.models import LibraryEntry, LibraryEntryQuerySet, Season
from media.wording import fold, generic_number, generic_season

# As TMDB writes what Django names by script.
AT_TMDB = {"zh-hans": "zh-CN", "zh-hant": "zh-TW", "pt": "pt-PT", "nb": "no-NO"}
# TMDB's languages in which countries have titles of their own; elsewhere they say nothing more.
OF_COUNTRIES = frozenset({"es-MX", "fr-CA", "pt-BR", "zh-HK", "zh-TW"})
ENGLISH = "en"


def put_into_language(entries: Sequence[LibraryEntry], user: User) -> None:
    """Give the catalogue rows of entries a `shown_title` in the user's language.

    Where TMDB has none, the title is as in the user's own file. At most one query; none for
    users who chose no language, and for entries that came `with_own_name()`.
    """
    for entry in entries:
        entry.title_language = user.title_language
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


def title_code(language: str | None) -> str:
    """Under which code titles are kept that TMDB gave in a language: "de" for de-DE."""
    wanted = AT_TMDB.get((language or ENGLISH).lower(), language or ENGLISH)
    parts = wanted.split("-")
    code = f"{parts[0].lower()}-{parts[-1].upper()}"
    return code if code in OF_COUNTRIES else parts[0].lower()


def episode_title(titles: Mapping[str, str], number: int, languages: Iterable[str]) -> str:
    """An episode's title in the first of the languages that has one, else in any other.

    Nothing where TMDB only numbers it, whatever the language.
    """
    return _first_of(titles, languages, lambda title: generic_number(title) != number)


def season_name(names: Mapping[str, str], number: int, languages: Iterable[str]) -> str:
    """A season's own name, as with episodes; nothing where it is only numbered."""
    return _first_of(names, languages, lambda name: not number or generic_season(name) != number)


def show_titles_in(seasons: Iterable[Season], languages: Sequence[str]) -> None:
    """Give seasons, and the episodes that came with them, a `shown_name` and a `shown_title`."""
    for season in seasons:
        names = season.names or {"": season.name}
        season.shown_name = season_name(names, season.number, languages)
        for episode in season.episodes.all():
            titles = episode.titles or {"": episode.title}
            episode.shown_title = episode_title(titles, episode.number, languages)


def _first_of(
    texts: Mapping[str, str], languages: Iterable[str], says_more: Callable[[str], bool]
) -> str:
    found = (texts[code] for code in _by_preference(texts, languages) if texts[code])
    return next(filter(says_more, found), "")


def _by_preference(codes: Iterable[str], languages: Iterable[str]) -> Iterator[str]:
    """The codes of each language, also as other countries write it, and then all others."""
    there = sorted(codes)
    for language in languages:
        wanted = title_code(language)
        base = wanted.partition("-")[0]
        yield from (code for code in there if code == wanted)
        yield from (code for code in there if code != wanted and code.partition("-")[0] == base)
    yield from there
