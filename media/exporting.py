"""Everything a library holds, as JSON Lines. The form is stable: tools depend on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime

from django.contrib.auth.models import AbstractBaseUser

from media.models import LibraryEntry, Viewing


def export_lines(user: AbstractBaseUser) -> Iterator[str]:
    """One JSON object a line: each series and movie, then each viewing, oldest first.

    `media_id` of a viewing is the `id` of its series or movie. Days are ISO dates as the file
    wrote them, times are UTC, durations seconds. Reads in batches, however large the library.
    """
    entries = LibraryEntry.objects.filter(user_id=user.pk).select_related("media")
    for entry in entries.prefetch_related("names").order_by("pk").iterator(chunk_size=500):
        yield _line(_media(entry))
    viewings = (
        Viewing.objects.filter(user_id=user.pk)
        .select_related("name", "entry")
        .prefetch_related("tmdb_episodes")
        .order_by("day", "pk")
    )
    for viewing in viewings.iterator(chunk_size=1000):
        yield _line(_viewing(viewing))


def _media(entry: LibraryEntry) -> dict[str, object]:
    media = entry.media
    return {
        "type": "media",
        "id": media.pk,
        "title": media.title,
        "media_type": media.media_type,
        "names": [name.name for name in entry.names.all()],
        "tmdb_id": media.tmdb_id,
        "total_seasons": media.total_seasons,
        "total_episodes": media.total_episodes,
        "watched_episodes_count": entry.watched_episodes_count,
        "lookup_status": entry.lookup_status,
        "decided_by": entry.decided_by,
        "last_tmdb_update": _iso(media.last_tmdb_update),
    }


def _viewing(viewing: Viewing) -> dict[str, object]:
    is_episode = viewing.kind == "episode"
    return {
        "type": "viewing",
        "media_id": viewing.entry.media_id,
        "raw_title": viewing.raw_title,
        "kind": viewing.kind,
        "series": viewing.name.name if is_episode else None,
        "season_number": viewing.season_number,
        "season_name": viewing.season_name or None,
        "episode_number": viewing.episode_number,
        "episode_title": viewing.episode_title or None,
        "tmdb_season": viewing.tmdb_season,
        "tmdb_episodes": sorted(episode.number for episode in viewing.tmdb_episodes.all()),
        "watched_on": _iso(viewing.day),
        "watched_at": _iso(viewing.watched_at),
        "duration_seconds": viewing.duration_seconds,
        "profile": viewing.profile or None,
        "source": viewing.source,
        "dismissed": viewing.dismissed_at is not None,
    }


def _iso(moment: date | datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _line(content: dict[str, object]) -> str:
    return json.dumps(content, ensure_ascii=False)
