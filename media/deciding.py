"""What people decide about the library, by pages, admin or command.

Decisions belong to names and outlive every re-import and refresh (rule 13). These functions ask
TMDB first, where they must, and then take the lock of each user concerned.
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.utils import timezone

from media import library, lookup
from media.catalogue import store_series
from media.library import library_lock
from media.models import (
    DecidedBy,
    Decision,
    EntryName,
    LibraryEntry,
    LookupStatus,
    Media,
    MediaType,
)
from tmdb.errors import TmdbError, TmdbNotFound
from tmdb.service import Seasons, series_details
from tmdb.types import SeriesDetails

logger = logging.getLogger(__name__)


def match_to(entry: LibraryEntry, tmdb_id: int, decided_by: DecidedBy) -> LibraryEntry:
    """Say that an entry is a TMDB series; returns the entry that now stands for it.

    Raises TmdbNotFound when TMDB has no such series; nothing is changed then. When TMDB cannot
    be asked the decision is kept and totals are pending (rule 16).
    """
    details = ask_for(tmdb_id)
    with library_lock(entry.user_id):
        return _pin(entry.pk, _shared_row(tmdb_id, details), decided_by)


def ask_for(tmdb_id: int, *, anew: bool = False) -> SeriesDetails | None:
    """A series' details; None when TMDB cannot be asked. Raises TmdbNotFound.

    `anew` asks TMDB even when a recent answer is kept.
    """
    try:
        return series_details(
            tmdb_id,
            language=settings.TMDB_LANGUAGE,
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


def _shared_row(tmdb_id: int, details: SeriesDetails | None) -> Media:
    if details is not None:
        return store_series(details)
    # The title is TMDB's to tell: a user's own name for it must not reach others (rule 14).
    return Media.objects.get_or_create(
        media_type=MediaType.TV_SERIES,
        tmdb_id=tmdb_id,
        defaults={"title": f"TMDB {tmdb_id}", "base_title": f"TMDB {tmdb_id}"},
    )[0]


def _pin(entry_id: int, media: Media, decided_by: DecidedBy) -> LibraryEntry:
    entry = LibraryEntry.objects.get(pk=entry_id)
    entry.names.update(
        decision=Decision.MATCHED, decided_by=decided_by, decided_tmdb_id=media.tmdb_id
    )
    entry = library.attach(entry, media)
    lookup.identify_episodes(entry)
    library.set_status(entry, LookupStatus.MATCHED, decided_by)
    return entry


def change_tmdb_id(media: Media, tmdb_id: int, details: SeriesDetails | None) -> Media:
    """An administrator says that a row is another TMDB series (rule 16); returns its row.

    All entries go there but those that their own user decided; the old row stays while used.
    `details` come from `ask_for`, which the caller asks before any transaction; None when TMDB
    could not be asked: totals are then pending.
    """
    target = _shared_row(tmdb_id, details)
    moving = media.entries.exclude(decided_by=DecidedBy.USER).order_by("user_id")
    for entry_id, user_id in moving.values_list("pk", "user_id"):
        with library_lock(user_id):
            _pin(entry_id, target, DecidedBy.ADMIN)
    if media.pk != target.pk:
        Media.objects.filter(pk=media.pk, entries__isnull=True).delete()
    return target


def clear_match(entry: LibraryEntry) -> list[LibraryEntry]:
    """Take back what an entry was matched to; each of its names waits to be looked up again."""
    with library_lock(entry.user_id):
        names = list(entry.names.all())
        _decide(names, Decision.NONE, DecidedBy.AUTOMATIC)
        if entry.media.owner_id is not None:
            library.set_status(entry, LookupStatus.PENDING)
            return [entry]
        return [library.detach([name]) for name in names]


def ignore(entry: LibraryEntry, decided_by: DecidedBy) -> LibraryEntry:
    """Say that TMDB doesn't have this series: it is shown, and never looked up again."""
    with library_lock(entry.user_id):
        names = list(entry.names.all())
        _decide(names, Decision.IGNORED, decided_by)
        if entry.media.owner_id is None:
            entry = library.detach(names)
        library.set_status(entry, LookupStatus.IGNORED, decided_by)
        return entry


def hide(entry: LibraryEntry, *, hidden: bool) -> None:
    """Hide an entry from the library, or show it again. Nothing else changes."""
    with library_lock(entry.user_id):
        entry.names.update(is_hidden=hidden)


def make_movies(entry: LibraryEntry, decided_by: DecidedBy) -> list[LibraryEntry]:
    """Say that a series is none: each raw title of its names is a film of its own (rule 17)."""
    with library_lock(entry.user_id):
        names = list(entry.names.all())
        _decide(names, Decision.MOVIE, decided_by)
        made = library.read_as_movies(list(entry.viewings.select_related("name").order_by("pk")))
        if entry.media.owner_id is None:
            entry = library.detach(names)
        library.set_status(entry, LookupStatus.NOT_NEEDED, decided_by)
        library.recount(made)
        return list(LibraryEntry.objects.filter(pk__in=made - {entry.pk}))


def _decide(names: list[EntryName], decision: Decision, decided_by: DecidedBy) -> None:
    EntryName.objects.filter(pk__in=[name.pk for name in names]).update(
        decision=decision, decided_by=decided_by, decided_tmdb_id=None
    )


def refresh(media: Media) -> bool:
    """Fetch a shared series anew from TMDB; whether TMDB answered.

    An id that TMDB no longer knows keeps what is there, and is marked.
    """
    if media.tmdb_id is None:
        return False
    try:
        details = ask_for(media.tmdb_id, anew=True)
    except TmdbNotFound:
        Media.objects.filter(pk=media.pk, tmdb_gone_at__isnull=True).update(
            tmdb_gone_at=timezone.now()
        )
        return True
    if details is None or details.stale:
        return False
    store_series(details)
    return True
