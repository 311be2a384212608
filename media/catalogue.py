"""The shared catalogue: what TMDB said about a series, kept for all users."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from media import bulk
from media.models import Episode, Media, MediaType, Season
from tmdb.types import SeriesDetails

SPECIALS = 0


def store_series(details: SeriesDetails) -> Media:
    """Keep a series with its seasons and episodes; returns the catalogue row.

    Episodes are told apart by TMDB's episode id, since numbers change there. Seasons that TMDB
    no longer has go, unless a viewing is known to be of one of their episodes.
    """
    title = _title(details)
    name = details.name[:500] or nameless(details.id)
    told: dict[str, object] = {
        "original_title": details.original_name[:500],
        "total_seasons": details.number_of_seasons,
        "total_episodes": details.number_of_episodes,
        "aired_episodes": aired_episodes(details, timezone.localdate()),
        "first_air_date": details.first_air_date,
        "last_air_date": details.last_air_date,
        "poster_path": details.poster_path or "",
        "tmdb_status": details.status[:40],
        "last_tmdb_update": details.fetched_at,
        "tmdb_gone_at": None,
    }
    if details.translations:
        told["titles"] = {code: name[:500] for code, name in details.translations.items() if name}
    with transaction.atomic():
        media, created = Media.objects.select_for_update().get_or_create(
            media_type=MediaType.TV_SERIES,
            tmdb_id=details.id,
            defaults={"title": title or name, "base_title": name, **told},
        )
        if not created:
            if title or media.title == nameless(details.id):
                told["title"] = title or name
            for field, value in told.items():
                setattr(media, field, value)
            media.save(update_fields=[*told, "folded"])
        _store_seasons(media, details)
    return media


def nameless(tmdb_id: int) -> str:
    """What a series is called until TMDB told its name: never what a user's file calls it."""
    return f"TMDB {tmdb_id}"


def _title(details: SeriesDetails) -> str:
    """The series' name in the installation's language; empty where these details lack it."""
    wanted = settings.TMDB_LANGUAGE
    base = wanted.split("-")[0]
    if (details.language or base).split("-")[0] == base:
        return details.name[:500]
    names = {code: name for code, name in details.translations.items() if name}
    of_language = [name for code, name in names.items() if code.split("-")[0] == base]
    original = [details.original_name] if details.original_language == base else []
    return next(iter([*filter(None, [names.get(wanted)]), *of_language, *original]), "")[:500]


def aired_episodes(details: SeriesDetails, today: date) -> int | None:
    """How many regular episodes had been aired by `today`; None where TMDB doesn't tell.

    TMDB's last_episode_to_air is the newest aired one; the seasons before its own are over.
    """
    regular = [season for season in details.seasons if season.number != SPECIALS]
    last = details.last_episode_to_air
    if last is not None and last.season_number != SPECIALS:
        counts = [s.episode_count for s in regular if s.number < last.season_number]
        if any(count is None for count in counts):
            return None
        aired = sum(count or 0 for count in counts) + last.number
        return min(aired, details.number_of_episodes or aired)
    dates = [episode.air_date for season in regular for episode in season.episodes or ()]
    if dates and len(dates) == details.number_of_episodes and all(dates):
        return sum(day <= today for day in dates if day)
    return None


def _store_seasons(media: Media, details: SeriesDetails) -> None:
    bulk.insert_or_update(
        Season,
        ["media_id", "number", "name", "episode_count", "air_date"],
        [
            (
                media.pk,
                season.number,
                season.name[:300],
                season.episode_count or len(season.episodes or ()),
                season.air_date,
            )
            for season in sorted(details.seasons, key=lambda s: s.number)
        ],
        unique=["media_id", "number"],
    )
    seasons = dict(media.seasons.values_list("number", "pk"))
    episodes = {
        episode.id: (
            episode.id,
            seasons[season.number],
            episode.number,
            episode.title[:500],
            episode.air_date,
        )
        for season in details.seasons
        for episode in season.episodes or ()
    }
    bulk.insert_or_update(
        Episode,
        ["tmdb_id", "season_id", "number", "title", "air_date"],
        sorted(episodes.values()),
        unique=["tmdb_id"],
    )
    told = {season.number for season in details.seasons}
    if gone := [pk for number, pk in seasons.items() if told and number not in told]:
        media.seasons.filter(pk__in=gone).exclude(episodes__viewings__isnull=False).delete()
