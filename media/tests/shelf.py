"""Libraries to look at, for the tests of pages."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date, timedelta

from accounts.models import User
from media import library
from media.keys import digest, fingerprint
from media.models import (
    Episode,
    LibraryEntry,
    LookupStatus,
    Media,
    MediaType,
    Season,
    Viewing,
    ViewingKind,
)

DAY = date(2024, 5, 1)
_tmdb_ids = itertools.count(1)


def add_entry(user: User, title: str, media_type: MediaType, status: LookupStatus) -> LibraryEntry:
    """An entry with a catalogue row and a name of its own."""
    new = library.NewName(media_type, title, title.casefold())
    name = library.find_or_create_names(user.pk, [new])[media_type, new.key]
    LibraryEntry.objects.filter(pk=name.entry_id).update(lookup_status=status)
    return LibraryEntry.objects.select_related("media").get(pk=name.entry_id)


def add_movie(user: User, title: str, *days: date) -> LibraryEntry:
    entry = add_entry(user, title, MediaType.MOVIE, LookupStatus.NOT_NEEDED)
    for day in days or (DAY,):
        watch(entry, title, day, kind=ViewingKind.MOVIE)
    library.recount([entry.pk])
    return LibraryEntry.objects.get(pk=entry.pk)


def add_series(
    user: User,
    title: str,
    seasons: Sequence[int] = (),
    watched: int = 0,
    *,
    aired: int | None = None,
    total: int | None = None,
    last: date = DAY,
    **fields: object,
) -> LibraryEntry:
    """A series matched at TMDB with `seasons` of so many episodes, the first ones watched.

    Without seasons it is one that TMDB doesn't know, and episodes are as the file reads them.
    """
    status = LookupStatus.MATCHED if seasons else LookupStatus.NOT_FOUND
    entry = add_entry(user, title, MediaType.TV_SERIES, status)
    if seasons:
        fields |= {
            "tmdb_id": next(_tmdb_ids),
            "owner": None,
            "total_seasons": len(seasons),
            "total_episodes": total or sum(seasons),
            "aired_episodes": aired,
        }
    for name, value in fields.items():
        setattr(entry.media, name, value)
    entry.media.save()
    episodes = add_seasons(entry.media, seasons)
    for at in range(watched):
        day = last - timedelta(days=watched - 1 - at)
        episode = episodes[at] if at < len(episodes) else None
        season = episode.season if episode else None
        number = season.number if season else 1
        viewing = watch(
            entry,
            f"{title}: Season {number}: Title {at + 1}",
            day,
            season_number=number,
            episode_title=f"Title {at + 1}",
            tmdb_season=season.number if season else None,
        )
        if episode:
            viewing.tmdb_episodes.add(episode)
    library.recount([entry.pk])
    return LibraryEntry.objects.select_related("media").get(pk=entry.pk)


def add_seasons(media: Media, counts: Sequence[int], first_number: int = 1) -> list[Episode]:
    episodes = []
    for number, count in enumerate(counts, start=first_number):
        season = Season.objects.create(media=media, number=number, episode_count=count)
        for at in range(1, count + 1):
            episodes.append(
                Episode.objects.create(
                    season=season,
                    tmdb_id=media.pk * 100_000 + number * 1000 + at,
                    number=at,
                    title=f"S{number}E{at}",
                )
            )
    return episodes


def watch(entry: LibraryEntry, raw_title: str, day: date | None, **fields: object) -> Viewing:
    fields.setdefault("kind", ViewingKind.EPISODE)
    if day is None:
        fields["source"] = "manual"
    name = entry.names.first()
    assert name is not None
    return Viewing.objects.create(
        user_id=entry.user_id,
        entry=entry,
        name=name,
        raw_title=raw_title,
        title_hash=digest(raw_title),
        fingerprint=fingerprint(raw_title, day),
        day=day,
        **fields,
    )
