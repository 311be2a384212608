"""Everything a library holds, as JSON Lines. The form is stable: tools depend on it.

`media/restoring.py` reads it again. New facts become new fields; none is renamed or removed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime

from django.contrib.auth.models import AbstractBaseUser

from media.models import EntryName, LibraryEntry, Viewing


def export_lines(user: AbstractBaseUser) -> Iterator[str]:
    """One JSON object a line: each series and movie, then each viewing, oldest first.

    `media_id` of a viewing is the `id` of its series or movie. Days are ISO dates as the file
    wrote them, times are UTC, durations seconds. Reads in batches, however large the library.
    """
    entries = LibraryEntry.objects.filter(user_id=user.pk).select_related("media")
    entries = entries.prefetch_related("names__decided_series").order_by("pk")
    for entry in entries.iterator(chunk_size=500):
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
        "base_title": media.base_title,
        "hidden": all(name.is_hidden for name in entry.names.all()),
        "decisions": [_decision(name) for name in entry.names.all()],
        "candidates": entry.candidates,
        "episodes_when_finished": entry.episodes_when_finished,
    }


def _decision(name: EntryName) -> dict[str, object]:
    """A name with what was decided about it; `key` is what makes two spellings one name."""
    return {
        "name": name.name,
        "media_type": name.media_type,
        "key": name.key,
        "language": name.language,
        "decision": name.decision,
        "decided_by": name.decided_by,
        "decided_tmdb_id": name.decided_tmdb_id,
        "decided_series": name.decided_series.key if name.decided_series else None,
        "hidden": name.is_hidden,
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
        "dismissed_at": _iso(viewing.dismissed_at),
        "name_type": viewing.name.media_type,
        "name_key": viewing.name.key,
        "title_hash": viewing.title_hash,
        "listed_on": _iso(viewing.listed_on),
        "season_inferred": viewing.season_inferred,
        "reading_uncertain": viewing.reading_uncertain,
        "alternative": viewing.alternative,
        "tmdb_episode_ids": sorted(episode.tmdb_id for episode in viewing.tmdb_episodes.all()),
    }


def _iso(moment: date | datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _line(content: dict[str, object]) -> str:
    return json.dumps(content, ensure_ascii=False)
