"""The shared catalogue: what TMDB said about a series, kept for all users."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Container, Iterable, Mapping
from datetime import date
from operator import itemgetter
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from media import bulk
from media.models import Episode, Media, MediaType, Season, Viewing
from media.progress import SPECIALS
from media.titles import ENGLISH, episode_title, season_name, title_code
from media.wording import fold, generic_number
from tmdb.types import SeriesDetails


def store_series(details: SeriesDetails) -> Media:
    """Keep a series with its seasons and episodes; returns the catalogue row.

    Episodes are told apart by TMDB's episode id, since numbers change there. What TMDB lists no
    more goes; where viewings are of such episodes, `lookup.identify_gone` says of what they are
    now. Titles are kept in each language in which TMDB told them. An answer older than the one
    that is stored adds titles, and changes nothing else.
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
            if media.last_tmdb_update and details.fetched_at < media.last_tmdb_update:
                _add_titles(media, details)
                return media
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


class _Stored(NamedTuple):
    """An episode as the database has it."""

    pk: int
    id: int
    season: int
    number: int
    titles: dict[str, str]
    air_date: date | None


def _store_seasons(media: Media, details: SeriesDetails) -> None:
    code = title_code(details.language)
    _store_list_of_seasons(media, details, code)
    seasons = dict(media.seasons.values_list("number", "pk"))
    before = _stored_episodes(media)
    told = {
        episode.id: (
            season.number,
            episode.number,
            _with(before[episode.id].titles if episode.id in before else {}, code, episode.title),
            episode.air_date,
        )
        for season in details.seasons
        for episode in season.episodes or ()
    }
    bulk.insert_or_update(
        Episode,
        ["tmdb_id", "season_id", "number", "title", "titles", "air_date", "successor_id"],
        [
            (id, seasons[season], number, _usual_title(titles, number), titles, air_date, None)
            for id, (season, number, titles, air_date) in sorted(told.items(), key=itemgetter(0))
            if id not in before or before[id][2:] != (season, number, titles, air_date)
        ],
        unique=["tmdb_id"],
    )
    listed = {season.number for season in details.seasons}
    # Of seasons that are there still, only where TMDB told the episodes.
    complete = {
        season.number
        for season in details.seasons
        if season.episodes or (season.episodes is not None and not season.episode_count)
    }
    gone = [
        episode
        for id, episode in before.items()
        if id not in told
        and listed
        and (episode.season in complete or episode.season not in listed)
    ]
    if gone:
        _take_off(gone, before, _stored_episodes(media))
    if listed and seasons.keys() - listed:
        media.seasons.exclude(number__in=listed).delete()
    there = {id: episode[2:5] for id, episode in before.items() if episode not in gone}
    there |= {id: episode[:3] for id, episode in told.items()}
    _note_whether_english_is_wanted(media, there.values())


def _store_list_of_seasons(media: Media, details: SeriesDetails, code: str) -> None:
    before = dict(media.seasons.values_list("number", "names"))
    rows = []
    for season in sorted(details.seasons, key=lambda s: s.number):
        names = _with(before.get(season.number, {}), code, season.name[:300])
        count = season.episode_count or len(season.episodes or ())
        name = _usual_name(names, season.number)
        rows.append((media.pk, season.number, name, names, count, season.air_date))
    bulk.insert_or_update(
        Season,
        ["media_id", "number", "name", "names", "episode_count", "air_date"],
        rows,
        unique=["media_id", "number"],
    )


def _add_titles(media: Media, details: SeriesDetails) -> None:
    """Keep the titles that an answer tells of the seasons and episodes that are listed."""
    code = title_code(details.language)
    told_names = {season.number: season.name[:300] for season in details.seasons}
    names = [
        (_with(names, code, told_names[number]), number, pk)
        for pk, number, names in media.seasons.values_list("pk", "number", "names")
        if number in told_names
    ]
    bulk.update(
        Season,
        ["name", "names"],
        [(_usual_name(new, number), new, pk) for new, number, pk in names],
    )
    told = {e.id: e.title for season in details.seasons for e in season.episodes or ()}
    before = _stored_episodes(media)
    titles = {
        id: _with(episode.titles, code, told[id]) if id in told else episode.titles
        for id, episode in before.items()
    }
    bulk.update(
        Episode,
        ["title", "titles"],
        [
            (_usual_title(titles[id], episode.number), titles[id], episode.pk)
            for id, episode in before.items()
            if titles[id] != episode.titles
        ],
    )
    _note_whether_english_is_wanted(
        media, [(episode.season, episode.number, titles[id]) for id, episode in before.items()]
    )


def _note_whether_english_is_wanted(
    media: Media, episodes: Iterable[tuple[int, int, Mapping[str, str]]]
) -> None:
    """Note where episodes, given by season, number and titles, are only numbered so far."""
    wanted = any(
        season != SPECIALS and ENGLISH not in titles and not episode_title(titles, number, ())
        for season, number, titles in episodes
    )
    if media.wants_english != wanted:
        media.wants_english = wanted
        media.save(update_fields=["wants_english"])


def _with(texts: Mapping[str, str], code: str, text: str) -> dict[str, str]:
    """The texts with the one in a language, which is not in an unknown one then."""
    text = text[:500]
    return {c: t for c, t in texts.items() if c or t != text} | {code: text}


def _usual_languages() -> tuple[str, ...]:
    return settings.TMDB_LANGUAGE, ENGLISH


def _usual_title(titles: Mapping[str, str], number: int) -> str:
    return _usual(titles, episode_title(titles, number, _usual_languages()))


def _usual_name(names: Mapping[str, str], season: int) -> str:
    return _usual(names, season_name(names, season, _usual_languages()))


def _usual(texts: Mapping[str, str], telling: str) -> str:
    """What is shown where nobody's language is asked for: one that tells something, if any."""
    own = texts.get(title_code(settings.TMDB_LANGUAGE), "")
    return telling or own or next(filter(None, texts.values()), "")


def _stored_episodes(media: Media) -> dict[int, _Stored]:
    """The episodes that are listed of a series, by TMDB's id."""
    rows = Episode.objects.filter(season__media=media).order_by("tmdb_id")
    columns = ("pk", "tmdb_id", "season__number", "number", "titles", "air_date")
    return {row[1]: _Stored(*row) for row in rows.values_list(*columns)}


def _take_off(
    gone: Collection[_Stored], before: Mapping[int, _Stored], now: Mapping[int, _Stored]
) -> None:
    """Take episodes off the list; those of which there are viewings stay without a season."""
    links = Viewing.tmdb_episodes.through.objects.filter(episode__in=[e.pk for e in gone])
    watched = set(links.order_by().values_list("episode_id", flat=True).distinct())
    ids = {episode.id for episode in gone}
    successors = _successors(gone, [e for e in now.values() if e.id not in ids], before)
    bulk.update(
        Episode,
        ["season_id", "successor_id"],
        [(None, successors.get(e.pk), e.pk) for e in gone if e.pk in watched],
    )
    Episode.objects.filter(pk__in=[e.pk for e in gone if e.pk not in watched]).delete()


def _successors(
    gone: Collection[_Stored], listed: Collection[_Stored], before: Container[int]
) -> dict[int, int]:
    """What stands in the place of episodes that are gone, by primary key, where that is clear.

    It is the one of the same title in that season, or else the new one of the same number; one
    that was listed before under another number is another episode.
    """
    titled: dict[tuple[int, str, str], set[int]] = defaultdict(set)
    for episode in listed:
        for title in _telling(episode):
            titled[title].add(episode.pk)
    alike = Counter(title for episode in gone for title in _telling(episode))
    found: dict[int, int] = {}
    for episode in gone:
        same = {pk for t in _telling(episode) if alike[t] == 1 for pk in titled[t]}
        if len(same) == 1:
            found[episode.pk] = same.pop()
    new = {(e.season, e.number): e.pk for e in listed if e.id not in before}
    taken = set(found.values())
    for episode in gone:
        same_number = new.get((episode.season, episode.number))
        if episode.pk not in found and same_number is not None and same_number not in taken:
            found[episode.pk] = same_number
    return found


def _telling(episode: _Stored) -> set[tuple[int, str, str]]:
    """An episode's titles but those that only say the number: season, language, as compared."""
    return {
        (episode.season, code, fold(title))
        for code, title in episode.titles.items()
        if fold(title) and generic_number(title) != episode.number
    }
