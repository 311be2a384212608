"""The shared catalogue: what TMDB said about a series, kept for all users."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from media.models import Episode, Media, MediaType, Season
from tmdb.types import SeriesDetails

SPECIALS = 0


def store_series(details: SeriesDetails) -> Media:
    """Keep a series with its seasons and episodes; returns the catalogue row.

    Episodes are told apart by TMDB's episode id, since numbers change there. Seasons that TMDB
    no longer has go, unless a viewing is known to be of one of their episodes.
    """
    title = _title(details)
    with transaction.atomic():
        media, created = Media.objects.select_for_update().get_or_create(
            media_type=MediaType.TV_SERIES,
            tmdb_id=details.id,
            defaults={
                "title": title or details.name[:500] or nameless(details.id),
                "base_title": details.name[:500] or nameless(details.id),
            },
        )
        if title and not created:
            media.title = title
        elif media.title == nameless(details.id) and details.name:
            media.title = details.name[:500]
        media.original_title = details.original_name[:500]
        if details.translations:
            media.titles = {code: name[:500] for code, name in details.translations.items() if name}
        media.total_seasons = details.number_of_seasons
        media.total_episodes = details.number_of_episodes
        media.aired_episodes = aired_episodes(details, timezone.localdate())
        media.first_air_date = details.first_air_date
        media.last_air_date = details.last_air_date
        media.poster_path = details.poster_path or ""
        media.tmdb_status = details.status[:40]
        media.last_tmdb_update = details.fetched_at
        media.tmdb_gone_at = None
        media.save()
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
    Season.objects.bulk_create(
        [
            Season(
                media=media,
                number=season.number,
                name=season.name[:300],
                episode_count=season.episode_count or len(season.episodes or ()),
                air_date=season.air_date,
            )
            for season in sorted(details.seasons, key=lambda s: s.number)
        ],
        update_conflicts=True,
        unique_fields=["media", "number"],
        update_fields=["name", "episode_count", "air_date"],
    )
    seasons = {season.number: season for season in media.seasons.all()}
    episodes = {
        episode.id: Episode(
            tmdb_id=episode.id,
            season=seasons[season.number],
            number=episode.number,
            title=episode.title[:500],
            air_date=episode.air_date,
        )
        for season in details.seasons
        for episode in season.episodes or ()
    }
    Episode.objects.bulk_create(
        [episodes[tmdb_id] for tmdb_id in sorted(episodes)],
        update_conflicts=True,
        unique_fields=["tmdb_id"],
        update_fields=["season", "number", "title", "air_date"],
        batch_size=1000,
    )
    if details.seasons:
        gone = media.seasons.exclude(number__in=[season.number for season in details.seasons])
        gone.exclude(episodes__viewings__isnull=False).delete()
