"""What TMDB says about series, as frozen dataclasses.

`parse_...` takes TMDB's JSON (https://developer.themoviedb.org/reference/search-tv,
.../tv-series-details, .../tv-season-details) and raises TmdbBadAnswer when it has another
shape. `..._to_json` writes the fields we keep back in TMDB's own words, so that one parser
reads both TMDB and the cache.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from .errors import TmdbBadAnswer

# Larger ones do not fit the columns that callers keep them in; ids of episodes are larger.
MAX_NUMBER = 2**31 - 1
MAX_EPISODE_ID = 2**63 - 1
MAX_TEXT = 1000
# Printable only where it is safe in a URL and in HTML as it stands.
POSTER_PATH = re.compile(r"/[A-Za-z0-9_-]{1,100}\.(?:jpg|jpeg|png|webp)")
# Control characters and lone surrogates: databases and UTF-8 refuse them.
UNSTORABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class SeriesSummary:
    """One result of a search."""

    id: int
    name: str
    original_name: str
    original_language: str
    origin_country: tuple[str, ...]
    first_air_date: date | None
    popularity: float
    vote_count: int
    poster_path: str | None


@dataclass(frozen=True)
class SearchPage:
    """One page of at most 20 results, in TMDB's order.

    `fetched_at` is when TMDB gave this answer; `stale` when it is older than a week and TMDB
    could not be asked again.
    """

    page: int
    total_pages: int
    total_results: int
    results: tuple[SeriesSummary, ...]
    fetched_at: datetime = NEVER
    stale: bool = False


@dataclass(frozen=True)
class Episode:
    """`id` is TMDB's own and stays when numbers change. `runtime` is in minutes."""

    id: int
    season_number: int
    number: int
    title: str
    air_date: date | None
    runtime: int | None = None


@dataclass(frozen=True)
class Season:
    """`episode_count` None: unknown. `episodes` None: not asked for, or TMDB gave none."""

    number: int
    name: str
    episode_count: int | None
    air_date: date | None
    episodes: tuple[Episode, ...] | None = None


@dataclass(frozen=True)
class SeriesDetails:
    """A series as TMDB counts it.

    `number_of_seasons` and `number_of_episodes` are without specials; None where TMDB does not
    know (it then says 0). `seasons` has the specials as number 0. `alternative_titles` and
    `translations` (names by language, such as "de-DE") are empty unless asked for. `language`
    is the one that names and titles were asked in.
    """

    id: int
    name: str
    original_name: str
    original_language: str
    origin_country: tuple[str, ...]
    first_air_date: date | None
    last_air_date: date | None
    status: str
    in_production: bool
    number_of_seasons: int | None
    number_of_episodes: int | None
    poster_path: str | None
    seasons: tuple[Season, ...]
    last_episode_to_air: Episode | None = None
    next_episode_to_air: Episode | None = None
    alternative_titles: tuple[str, ...] = ()
    translations: Mapping[str, str] = field(default_factory=dict)
    language: str | None = None
    fetched_at: datetime = NEVER
    stale: bool = False

    def season(self, number: int) -> Season | None:
        return next((season for season in self.seasons if season.number == number), None)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name known of the series, each once, its name first."""
        every = (self.name, self.original_name, *self.alternative_titles)
        return tuple(dict.fromkeys(n for n in (*every, *self.translations.values()) if n))


@dataclass(frozen=True)
class EpisodeCount:
    """The totals of a series found by its name; None where TMDB does not know them."""

    tmdb_id: int
    total_seasons: int | None
    total_episodes: int | None
    updated_at: datetime


def parse_search_page(body: object) -> SearchPage:
    page = _object(body, "search")
    return SearchPage(
        page=_number(page, "page", default=1),
        total_pages=_number(page, "total_pages", default=1),
        total_results=_number(page, "total_results", default=0),
        results=tuple(_summary(item) for item in _list(page, "results")),
    )


def search_page_to_json(page: SearchPage) -> dict[str, Any]:
    return {
        "page": page.page,
        "total_pages": page.total_pages,
        "total_results": page.total_results,
        "results": [
            {
                "id": result.id,
                "name": result.name,
                "original_name": result.original_name,
                "original_language": result.original_language,
                "origin_country": list(result.origin_country),
                "first_air_date": _iso(result.first_air_date),
                "popularity": result.popularity,
                "vote_count": result.vote_count,
                "poster_path": result.poster_path,
            }
            for result in page.results
        ],
    }


def parse_details(body: object) -> SeriesDetails:
    """Details with whatever was appended: `season/N`, alternative titles, translations."""
    series = _object(body, "series")
    name = _text(series, "name")
    seasons = {season.number: season for season in map(_season, _list(series, "seasons"))}
    for key, value in series.items():
        number = key.removeprefix("season/")
        # A season that does not exist is absent or, rarely, an error body of its own.
        if number == key or (isinstance(value, dict) and value.get("success") is False):
            continue
        season = _season(value)
        if str(season.number) != number or season.episodes is None:
            raise TmdbBadAnswer("TMDB's answer has another season than the one asked for.")
        known = seasons.get(season.number, season)
        seasons[season.number] = replace(known, episodes=season.episodes)
    return SeriesDetails(
        id=_identifier(series),
        name=name,
        original_name=_text(series, "original_name", default="") or name,
        original_language=_text(series, "original_language", default=""),
        origin_country=_texts(series, "origin_country"),
        first_air_date=_date(series, "first_air_date"),
        last_air_date=_date(series, "last_air_date"),
        status=_text(series, "status", default=""),
        in_production=series.get("in_production") is True,
        number_of_seasons=_number(series, "number_of_seasons", default=0) or None,
        number_of_episodes=_number(series, "number_of_episodes", default=0) or None,
        poster_path=_poster(series),
        seasons=tuple(seasons[number] for number in sorted(seasons)),
        last_episode_to_air=_aired_episode(series, "last_episode_to_air"),
        next_episode_to_air=_aired_episode(series, "next_episode_to_air"),
        alternative_titles=_alternative_titles(series),
        translations=_translations(series),
    )


def details_to_json(series: SeriesDetails) -> dict[str, Any]:
    return {
        "id": series.id,
        "name": series.name,
        "original_name": series.original_name,
        "original_language": series.original_language,
        "origin_country": list(series.origin_country),
        "first_air_date": _iso(series.first_air_date),
        "last_air_date": _iso(series.last_air_date),
        "status": series.status,
        "in_production": series.in_production,
        "number_of_seasons": series.number_of_seasons or 0,
        "number_of_episodes": series.number_of_episodes or 0,
        "poster_path": series.poster_path,
        "seasons": [
            {
                "season_number": season.number,
                "name": season.name,
                "episode_count": season.episode_count,
                "air_date": _iso(season.air_date),
                "episodes": None
                if season.episodes is None
                else [_episode_to_json(episode) for episode in season.episodes],
            }
            for season in series.seasons
        ],
        "last_episode_to_air": series.last_episode_to_air
        and _episode_to_json(series.last_episode_to_air),
        "next_episode_to_air": series.next_episode_to_air
        and _episode_to_json(series.next_episode_to_air),
        "alternative_titles": {"results": [{"title": t} for t in series.alternative_titles]},
        "translations": {
            "translations": [
                {
                    "iso_639_1": language.partition("-")[0],
                    "iso_3166_1": language.partition("-")[2],
                    "data": {"name": name},
                }
                for language, name in series.translations.items()
            ]
        },
    }


def is_poster_path(path: str) -> bool:
    return POSTER_PATH.fullmatch(path) is not None


def clean_text(text: str) -> str:
    """The text without what a database refuses, trimmed, at most 1,000 characters."""
    return UNSTORABLE.sub("", text)[:MAX_TEXT].strip()


def _summary(body: object) -> SeriesSummary:
    result = _object(body, "search result")
    name = _text(result, "name")
    return SeriesSummary(
        id=_identifier(result),
        name=name,
        original_name=_text(result, "original_name", default="") or name,
        original_language=_text(result, "original_language", default=""),
        origin_country=_texts(result, "origin_country"),
        first_air_date=_date(result, "first_air_date"),
        popularity=_decimal(result, "popularity"),
        vote_count=_number(result, "vote_count", default=0),
        poster_path=_poster(result),
    )


def _season(body: object) -> Season:
    season = _object(body, "season")
    number = _number(season, "season_number")
    episodes = None
    if season.get("episodes") is not None:
        episodes = tuple(_episode(item, number) for item in _list(season, "episodes"))
    return Season(
        number=number,
        name=_text(season, "name", default=""),
        episode_count=_number(season, "episode_count", default=len(episodes or ())) or None,
        air_date=_date(season, "air_date"),
        episodes=episodes,
    )


def _episode(body: object, season_number: int) -> Episode:
    episode = _object(body, "episode")
    return Episode(
        id=_identifier(episode, MAX_EPISODE_ID),
        season_number=_number(episode, "season_number", default=season_number),
        number=_number(episode, "episode_number"),
        title=_text(episode, "name", default=""),
        air_date=_date(episode, "air_date"),
        runtime=_number(episode, "runtime", default=0) or None,
    )


def _episode_to_json(episode: Episode) -> dict[str, Any]:
    return {
        "id": episode.id,
        "season_number": episode.season_number,
        "episode_number": episode.number,
        "name": episode.title,
        "air_date": _iso(episode.air_date),
        "runtime": episode.runtime,
    }


def _aired_episode(series: Mapping[str, Any], key: str) -> Episode | None:
    body = series.get(key)
    return None if body is None else _episode(body, 0)


def _alternative_titles(series: Mapping[str, Any]) -> tuple[str, ...]:
    part = series.get("alternative_titles")
    if part is None:
        return ()
    titles = (
        _text(_object(item, "alternative title"), "title")
        for item in _list(_object(part, "alternative titles"), "results")
    )
    return _distinct(titles)


def _translations(series: Mapping[str, Any]) -> dict[str, str]:
    part = series.get("translations")
    if part is None:
        return {}
    names: dict[str, str] = {}
    for item in _list(_object(part, "translations"), "translations"):
        translation = _object(item, "translation")
        language = _text(translation, "iso_639_1")
        country = _text(translation, "iso_3166_1", default="")
        name = _text(_object(translation.get("data"), "translation"), "name", default="")
        # An empty name means that the series is not called otherwise there.
        if name:
            names[f"{language}-{country}" if country else language] = name
    return names


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TmdbBadAnswer(f"TMDB's answer has no {what} where one belongs.")
    return value


def _list(body: Mapping[str, Any], key: str) -> list[object]:
    value = body.get(key)
    if not isinstance(value, list):
        raise TmdbBadAnswer(f"TMDB's answer has no list under '{key}'.")
    return value


def _checked(
    body: Mapping[str, Any], key: str, default: Any, fits: Callable[[object], bool]
) -> Any:
    value = body.get(key)
    if value is None and default is not None:
        return default
    if not fits(value):
        raise TmdbBadAnswer(f"TMDB's answer has something else than expected under '{key}'.")
    return value


def _number(
    body: Mapping[str, Any], key: str, *, default: int | None = None, largest: int = MAX_NUMBER
) -> int:
    def fits(value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= largest

    return int(_checked(body, key, default, fits))


def _identifier(body: Mapping[str, Any], largest: int = MAX_NUMBER) -> int:
    number = _number(body, "id", largest=largest)
    if number == 0:
        raise TmdbBadAnswer("TMDB's answer has a record without an id.")
    return number


def _decimal(body: Mapping[str, Any], key: str) -> float:
    def fits(value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return 0 <= value <= MAX_NUMBER

    return float(_checked(body, key, 0.0, fits))


def _text(body: Mapping[str, Any], key: str, *, default: str | None = None) -> str:
    return clean_text(_checked(body, key, default, lambda value: isinstance(value, str)))


def _texts(body: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = _checked(body, key, [], lambda value: isinstance(value, list))
    if not all(isinstance(value, str) for value in values):
        raise TmdbBadAnswer(f"TMDB's answer has something else than texts under '{key}'.")
    return _distinct(clean_text(value) for value in values)


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))


def _date(body: Mapping[str, Any], key: str) -> date | None:
    text = _text(body, key, default="")
    try:
        return date.fromisoformat(text)
    except ValueError:
        # TMDB's editors leave impossible days such as 2019-00-00; they mean "unknown".
        return None


def _poster(body: Mapping[str, Any]) -> str | None:
    path = _text(body, "poster_path", default="")
    return path if is_poster_path(path) else None


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
