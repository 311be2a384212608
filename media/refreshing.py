"""What TMDB knows of series, fetched for the shared catalogue: when it is due or wanted.

TMDB is never asked inside a transaction.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from django.conf import settings
from django.db.models import Count
from django.utils import timezone

from media import library, lookup
from media.catalogue import store_series
from media.library import library_lock
from media.models import EntryName, Episode, LibraryEntry, Media
from media.progress import SPECIALS
from media.titles import ENGLISH, title_code
from tmdb.errors import TmdbError, TmdbNotFound
from tmdb.names import is_language
from tmdb.service import Seasons, series_details
from tmdb.types import SeriesDetails

logger = logging.getLogger(__name__)

# In so many languages a series is fetched at most, besides English.
MOST_LANGUAGES = 5


def ask_for(
    tmdb_id: int, *, language: str | None = None, anew: bool = False
) -> SeriesDetails | None:
    """A series' details; None when TMDB cannot be asked. Raises TmdbNotFound.

    Titles of episodes come in `language`, by default the installation's. `anew` asks TMDB even
    when a recent answer is kept.
    """
    try:
        return series_details(
            tmdb_id,
            language=language or settings.TMDB_LANGUAGE,
            seasons=Seasons.ALL,
            alternative_titles=True,
            translations=True,
            refresh=anew,
        )
    except TmdbNotFound:
        raise
    except TmdbError as error:
        logger.warning("series not fetched id=%s error=%s", tmdb_id, type(error).__name__)
        return None


def fetch_titles(tmdb_id: int, language: str, *, anew: bool = False) -> bool:
    """Store a series with its episodes' titles in a further language; whether TMDB answered."""
    try:
        details = series_details(tmdb_id, language=language, seasons=Seasons.ALL, refresh=anew)
    except TmdbError as error:
        logger.warning("series not fetched id=%s error=%s", tmdb_id, type(error).__name__)
        return False
    store_series(details)
    return True


def refresh(media: Media) -> bool:
    """Fetch a shared series anew from TMDB; whether TMDB answered.

    All users' viewings whose episode was not known are identified anew. An id that TMDB no
    longer knows keeps what is there, and is marked.
    """
    if media.tmdb_id is None:
        return False
    language = _language_of(media)
    try:
        details = ask_for(media.tmdb_id, language=language, anew=True)
    except TmdbNotFound:
        Media.objects.filter(pk=media.pk, tmdb_gone_at__isnull=True).update(
            tmdb_gone_at=timezone.now()
        )
        return True
    if details is None or details.stale:
        return False
    _note_who_finished(media)
    media = store_series(details)
    lookup.identify_gone()
    _fetch_further_titles(media, language)
    _identify_anew(media)
    return True


class Fetched(NamedTuple):
    """How many series TMDB was asked about and answered about; whether the time was up."""

    asked: int
    answered: int
    is_cut_off: bool


def fetch_each(
    series: Iterable[Media], fetch: Callable[[Media], bool], seconds: float | None = None
) -> Fetched:
    """Fetch series one by one with `refresh` or `complete_titles`, for so many seconds.

    Ends when TMDB cannot be reached: after as many failures in a row as end a look-up.
    """
    ends = time.monotonic() + seconds if seconds is not None else math.inf
    asked = answered = failures = 0
    for media in series:
        is_answered = fetch(media)
        asked, answered = asked + 1, answered + is_answered
        failures = 0 if is_answered else failures + 1
        if failures >= lookup.FAILURES_IN_A_ROW:
            break
        if time.monotonic() >= ends:
            return Fetched(asked, answered, is_cut_off=True)
    return Fetched(asked, answered, is_cut_off=False)


def complete_titles(media: Media) -> bool:
    """Fetch the English titles that a series wants, once; whether TMDB answered."""
    if media.tmdb_id is None or not fetch_titles(media.tmdb_id, "en-US", anew=True):
        return False
    lookup.identify_gone()
    _identify_anew(media)
    return True


def _language_of(media: Media) -> str:
    """The language in which a series is fetched anew: that of most people's names of it."""
    language = next(iter(_languages_of(media)), settings.TMDB_LANGUAGE)
    is_usual = title_code(language) == title_code(settings.TMDB_LANGUAGE)
    return settings.TMDB_LANGUAGE if is_usual else language


def _languages_of(media: Media) -> list[str]:
    """The languages of people's names of a series, the most common ones first.

    People and not names, of which one person's file can have any number.
    """
    names = EntryName.objects.filter(entry__media=media).exclude(language="").order_by()
    counted = names.values_list("language").annotate(n=Count("user", distinct=True))
    languages = [language for language, _ in counted.order_by("-n", "language")]
    return list(filter(is_language, languages))[:MOST_LANGUAGES]


def _fetch_further_titles(media: Media, stored: str) -> None:
    """Fetch titles in other languages than the one that was `stored`, where somebody lacks them.

    That is in whose language an episode has none, or who watched what was not identified.
    """
    of_people = _languages_of(media)
    regular = Episode.objects.filter(season__media=media).exclude(season__number=SPECIALS)
    known = [set(titles) for titles in regular.values_list("titles", flat=True)]
    lacking = {c for c in map(title_code, of_people) if any(c not in codes for codes in known)}
    if unknown := [lookup.language_of(entry) for entry in lookup.to_identify(media)]:
        lacking |= {ENGLISH, *map(title_code, unknown)}
    if media.wants_english:
        lacking.add(ENGLISH)
    lacking.discard(title_code(stored))
    for language in (*of_people, settings.TMDB_LANGUAGE, "en-US"):
        if title_code(language) in lacking:
            lacking.discard(title_code(language))
            fetch_titles(media.tmdb_id or 0, language, anew=True)


def _identify_anew(media: Media) -> None:
    """Identify what was not known before a series was fetched anew, each user's on its own."""
    unknown = lookup.to_identify(media).values_list("pk", "user_id")
    for entry_id, user_id in list(unknown):
        with library_lock(user_id):
            entry = LibraryEntry.objects.filter(pk=entry_id, media=media).first()
            if entry is not None:
                lookup.identify_episodes(entry, only_new=True)


def _note_who_finished(media: Media) -> None:
    """Note on complete entries how many episodes there were, before there are more."""
    aired = media.total_episodes if media.aired_episodes is None else media.aired_episodes
    unnoted = media.entries.complete().exclude(episodes_when_finished=aired)
    for entry_id, user_id in unnoted.order_by("user_id", "pk").values_list("pk", "user_id"):
        with library_lock(user_id):
            library.recount([entry_id])
