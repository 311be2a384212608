"""What a library is, to be compared before and after."""

from __future__ import annotations

from accounts.models import User
from media.models import EntryName, LibraryEntry, Viewing


def state(user: User) -> dict[str, set[tuple[object, ...]]]:
    """All that a library is, without primary keys."""
    entries = (
        LibraryEntry.objects.of(user)
        .select_related("media")
        .prefetch_related("names__decided_series")
    )
    viewings = Viewing.objects.of(user).prefetch_related("tmdb_episodes")
    return {
        "entries": {
            (
                entry.media.title,
                entry.media.tmdb_id,
                entry.lookup_status,
                entry.decided_by,
                entry.watched_episodes_count,
                entry.last_watched,
                tuple(c["tmdb_id"] for c in entry.candidates),
                tuple(_name(name) for name in entry.names.all()),
            )
            for entry in entries
        },
        "viewings": {
            (
                v.raw_title,
                v.day,
                v.kind,
                v.name.name,
                v.entry.media.title,
                v.season_number,
                v.episode_title,
                v.reading_uncertain,
                v.tmdb_season,
                tuple(e.title for e in v.tmdb_episodes.all()),
            )
            for v in viewings.select_related("name", "entry__media")
        },
    }


def _name(name: EntryName) -> tuple[object, ...]:
    return (
        name.name,
        name.key,
        name.media_type,
        name.decision,
        name.decided_by,
        name.decided_tmdb_id,
        name.is_hidden,
        name.decided_series.name if name.decided_series else None,
    )


def entry_named(name: str) -> LibraryEntry:
    return LibraryEntry.objects.select_related("media").get(names__name=name)
