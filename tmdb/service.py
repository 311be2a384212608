"""What the other apps ask TMDB through: typed answers, kept for a week, stale rather than none.

The functions raise a TmdbError when there is no answer, kept or new; the three named
`search_tv_series`, `get_series_details` and `get_episode_count` log it and return None instead.

Endpoints: https://developer.themoviedb.org/reference/search-tv,
.../reference/tv-series-details, .../docs/append-to-response.
"""

from __future__ import annotations

import enum
import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.conf import settings
from rapidfuzz import fuzz

from . import cache, client
from .errors import TmdbAuthError, TmdbBadAnswer, TmdbError, TmdbNotConfigured, TmdbNotFound
from .names import ParsedName, comparison_key, exact_key, is_language, parse_name, tidy
from .types import (
    MAX_NUMBER,
    EpisodeCount,
    SearchPage,
    Season,
    SeriesDetails,
    SeriesSummary,
    details_to_json,
    is_poster_path,
    parse_details,
    parse_search_page,
    search_page_to_json,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")

# https://developer.themoviedb.org/docs/errors, number 27.
MAX_APPENDED = 20
# Error 22.
MAX_PAGE = 500
ALTERNATIVE_TITLES = "alternative_titles"
TRANSLATIONS = "translations"
# https://developer.themoviedb.org/docs/image-basics
POSTER_SIZES = frozenset(("w92", "w154", "w185", "w342", "w500", "w780", "original"))
# Of 100, and so much better than the second; short names are too easily alike.
FUZZY_SCORE = 92.0
FUZZY_MARGIN = 5.0
FUZZY_LENGTH = 6
# Candidates whose further names are fetched when no result bears the name sought.
LOOKED_INTO = 2


class Seasons(enum.Enum):
    """`ALL`: every season that TMDB lists, specials included, however many there are."""

    ALL = "all"


class KeyCheck(enum.Enum):
    """What `verify_key` found out."""

    ACCEPTED = "accepted"
    MISSING = "missing"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class _Wanted:
    parts: tuple[str, ...]
    every_season: bool

    def missing(self, known: _Collected | None) -> list[str] | None:
        """The parts to ask for next, at most 20; None when nothing is missing."""
        if known is None:
            # How many seasons there are is not known yet: as many as one request can bring.
            guess = map(_season_part, range(MAX_APPENDED)) if self.every_season else ()
            return [*self.parts, *guess][:MAX_APPENDED]
        listed = [_season_part(season.number) for season in known.series.seasons]
        every = (*self.parts, *(listed if self.every_season else ()))
        return [part for part in every if part not in known.parts][:MAX_APPENDED] or None


@dataclass(frozen=True)
class _Collected:
    """What is known of a series in one language: `parts` were asked for at `stored` or later."""

    series: SeriesDetails
    parts: frozenset[str]
    stored: float

    @classmethod
    def read(cls, entry: cache.Entry | None) -> _Collected | None:
        match entry and entry.value:
            case {"parts": list(parts), "series": series} if entry:
                try:
                    return cls(parse_details(series), frozenset(map(str, parts)), entry.stored)
                except TmdbBadAnswer:
                    return None
        return None

    def to_json(self) -> dict[str, Any]:
        return {"parts": sorted(self.parts), "series": details_to_json(self.series)}

    def with_parts(self, newer: SeriesDetails, parts: Iterable[str]) -> _Collected:
        """This and what a later request brought."""
        seasons = {season.number: season for season in newer.seasons}
        for season in self.series.seasons:
            present = seasons.get(season.number, season)
            if present.episodes is None and season.episodes is not None:
                seasons[season.number] = replace(present, episodes=season.episodes)
        series = replace(
            newer,
            seasons=tuple(seasons[number] for number in sorted(seasons)),
            alternative_titles=newer.alternative_titles or self.series.alternative_titles,
            translations=newer.translations or self.series.translations,
        )
        return _Collected(series, self.parts | set(parts), self.stored)

    def result(self, wanted: _Wanted, language: str | None, *, stale: bool) -> SeriesDetails:
        """What was asked for and no more, so that what else is kept changes no answer."""
        titles, names = ALTERNATIVE_TITLES in wanted.parts, TRANSLATIONS in wanted.parts
        return replace(
            self.series,
            seasons=tuple(
                season
                if wanted.every_season or _season_part(season.number) in wanted.parts
                else replace(season, episodes=None)
                for season in self.series.seasons
            ),
            alternative_titles=self.series.alternative_titles if titles else (),
            translations=self.series.translations if names else {},
            language=language,
            fetched_at=datetime.fromtimestamp(self.stored, UTC),
            stale=stale,
        )


def search_series(
    query: str, language: str | None = None, page: int = 1, *, refresh: bool = False
) -> SearchPage:
    """Search series by any of their names; pages 1 to 500.

    Names come in `language`, without one in English. `refresh` asks TMDB even when a fresh
    answer is kept. A query without a visible character finds nothing.
    """
    query = tidy(query)
    _check_language(language)
    if not 1 <= page <= MAX_PAGE:
        raise ValueError(f"TMDB has the pages 1 to {MAX_PAGE}.")
    if not query:
        return SearchPage(1, 1, 0, ())
    # TMDB's search does not tell capital letters from small ones.
    key = cache.key("search", query.lower(), language, page)
    subject = f"query={_hash(query)} language={language or '-'} page={page}"
    parameters = {"query": query, "page": str(page)} | _language_parameter(language)
    with _alone(key):
        entry = cache.read(key)
        kept = _read_search_page(entry, page)
        if entry and kept and entry.is_fresh and not refresh:
            _log_kept("/search/tv", subject)
            return kept
        try:
            logger.debug("search query=%s is %r", _hash(query), query)
            found = client.fetch("/search/tv", parameters, parse_search_page, subject=subject)
        except TmdbError as error:
            if not kept:
                raise
            _log_kept("/search/tv", subject, error)
            return replace(kept, stale=True)
        entry = cache.write(key, search_page_to_json(found) if found.results else None)
    return replace(found, fetched_at=entry.fetched_at)


def series_details(
    tmdb_id: int,
    language: str | None = None,
    seasons: Iterable[int] | Seasons = (),
    *,
    alternative_titles: bool = False,
    translations: bool = False,
    refresh: bool = False,
) -> SeriesDetails:
    """A series, with the episodes of the seasons wanted, in as few requests as possible.

    One request brings up to 20 parts (a season, the alternative titles, the translations).
    Seasons that TMDB does not have are absent from the result. `refresh` asks TMDB even when a
    fresh answer is kept. Raises TmdbNotFound when TMDB has no such series.
    """
    _check_language(language)
    if not 0 < tmdb_id <= MAX_NUMBER:
        raise TmdbNotFound("TMDB has no such record.")
    every_season = isinstance(seasons, Seasons)
    numbers = [] if isinstance(seasons, Seasons) else sorted(set(seasons))
    parts = [ALTERNATIVE_TITLES] * alternative_titles + [TRANSLATIONS] * translations
    wanted = _Wanted((*parts, *map(_season_part, numbers)), every_season)
    key = cache.key("tv", tmdb_id, language)
    subject = f"id={tmdb_id} language={language or '-'}"
    with _alone(key):
        entry = cache.read(key)
        kept = _Collected.read(entry)
        fresh = entry is not None and entry.is_fresh and not refresh
        if fresh and not kept and entry and entry.value is None:
            _log_kept("/tv", subject)
            raise TmdbNotFound("TMDB has no such record.")
        known = kept if fresh else None
        if known and wanted.missing(known) is None:
            _log_kept("/tv", subject)
            return known.result(wanted, language, stale=False)
        try:
            while (missing := wanted.missing(known)) is not None:
                known = _ask_details(tmdb_id, language, missing, known, subject)
                cache.write(key, known.to_json(), stored=known.stored)
        except TmdbNotFound:
            cache.write(key, None)
            raise
        except TmdbError as error:
            if kept is None or wanted.missing(kept) is not None:
                raise
            _log_kept("/tv", subject, error)
            return kept.result(wanted, language, stale=True)
    if known is None:
        raise AssertionError("a request was made or something was known")
    return known.result(wanted, language, stale=False)


def season_details(tmdb_id: int, number: int, language: str | None = None) -> Season | None:
    """One season with its episodes; None when the series has no such season."""
    season = series_details(tmdb_id, language, [number]).season(number)
    return season if season and season.episodes is not None else None


def episode_count(series_name: str, language: str | None = None) -> EpisodeCount | None:
    """The totals of the series that bears the name; None when no series clearly does.

    Kept under the name itself, so that a second call asks nothing. `language` is
    TMDB_LANGUAGE when not given.
    """
    language = language or settings.TMDB_LANGUAGE
    key = f"tmdb:series:{language}:{_hash(tidy(series_name).lower(), whole=True)}"
    subject = f"name={_hash(tidy(series_name))} language={language}"
    with client.time_limit(), _alone(key):
        entry = cache.read(key)
        kept = _read_episode_count(entry)
        if entry and entry.is_fresh and (kept or entry.value is None):
            _log_kept("episode count", subject)
            return kept
        try:
            series_id = find_series(series_name, language)
            series = series_details(series_id, language) if series_id else None
        except TmdbNotFound:
            series = None
        except TmdbError as error:
            if not kept:
                raise
            _log_kept("episode count", subject, error)
            return kept
        if series is None:
            cache.write(key, None)
            return None
        count = EpisodeCount(
            series.id, series.number_of_seasons, series.number_of_episodes, series.fetched_at
        )
        if not series.stale:
            cache.write(key, _episode_count_to_json(count), stored=series.fetched_at.timestamp())
        return count


def find_series(name: str, language: str | None = None) -> int | None:
    """The id of the series that bears the name, judged by the name alone.

    In turn: a result with exactly this name; after cleaning the name (year, country, brand), one
    with the same name; one whose further names include it; one that is nearly the same and
    clearly nearer than the next. Of several the one that a year or country in the name
    points to, then the most popular.
    """
    parsed = parse_name(name)
    found: dict[int, SeriesSummary] = {}
    asked = ""
    for query, key in ((tidy(name), exact_key), (parsed.base, comparison_key)):
        if query != asked:
            asked = query
            found.update((result.id, result) for result in search_series(query, language).results)
        fitting = [result for result in found.values() if _fits(result, parsed)]
        same = [r for r in fitting if key(name) in (key(r.name), key(r.original_name))]
        if same:
            return max(same, key=lambda result: result.popularity).id
    for result in fitting[:LOOKED_INTO]:
        series = series_details(result.id, language, alternative_titles=True, translations=True)
        if comparison_key(name) in map(comparison_key, series.names):
            return series.id
    return _nearly_the_same(comparison_key(name), fitting)


def search_tv_series(query: str) -> int | None:
    """The TMDB id of the series that bears the name; None when none clearly does, or on errors."""
    return _or_none("search", _hash(tidy(query)), lambda: find_series(query, _own_language()))


def get_series_details(tmdb_id: int) -> SeriesDetails | None:
    """The series in TMDB_LANGUAGE, without episodes; None when there is none, or on errors."""
    return _or_none("details", tmdb_id, lambda: series_details(tmdb_id, _own_language()))


def get_episode_count(series_name: str) -> tuple[int, int] | None:
    """(total seasons, total episodes) of the series that bears the name.

    None when none clearly does, when TMDB does not know the totals, or on errors.
    """
    count = _or_none("episode count", _hash(tidy(series_name)), lambda: episode_count(series_name))
    if count is None or count.total_seasons is None or count.total_episodes is None:
        return None
    return count.total_seasons, count.total_episodes


def verify_key() -> KeyCheck:
    """Ask TMDB whether it accepts the key, also when it did not a moment ago."""
    client.forget_refusal()
    try:
        client.fetch("/configuration", {}, lambda body: body, subject="key")
    except TmdbNotConfigured:
        return KeyCheck.MISSING
    except TmdbAuthError:
        return KeyCheck.REFUSED
    except TmdbError:
        return KeyCheck.UNREACHABLE
    return KeyCheck.ACCEPTED


def poster_url(path: str | None, size: str = "w342") -> str | None:
    """The address of a poster, safe as it stands; None when there is none or it is not a poster.

    `size` is one of POSTER_SIZES; w342 is 342 pixels wide.
    """
    if size not in POSTER_SIZES:
        raise ValueError(f"{size} is not a size of TMDB's posters.")
    if not path or not is_poster_path(path):
        return None
    return f"{settings.TMDB_IMAGE_URL.rstrip('/')}/{size}{path}"


@contextmanager
def _alone(key: str) -> Iterator[None]:
    """One thread at a time; the time spent waiting for another one does not count."""
    asked = time.monotonic()
    with cache.one_at_a_time(key):
        client.allow(time.monotonic() - asked)
        yield


def _ask_details(
    tmdb_id: int,
    language: str | None,
    parts: list[str],
    known: _Collected | None,
    subject: str,
) -> _Collected:
    def parse(body: object) -> SeriesDetails:
        series = parse_details(body)
        if series.id != tmdb_id:
            raise TmdbBadAnswer("TMDB's answer is about another series.")
        return series

    parameters = _language_parameter(language)
    if parts:
        parameters["append_to_response"] = ",".join(parts)
    series = client.fetch(f"/tv/{tmdb_id}", parameters, parse, subject=subject)
    if known:
        return known.with_parts(series, parts)
    return _Collected(series, frozenset(parts), cache.now())


def _fits(result: SeriesSummary, parsed: ParsedName) -> bool:
    """Whether year and country in the name do not speak against the result."""
    year = result.first_air_date.year if result.first_air_date else None
    if parsed.year and year and abs(parsed.year - year) > 1:
        return False
    countries = set(result.origin_country)
    return not (parsed.countries and countries and parsed.countries.isdisjoint(countries))


def _nearly_the_same(key: str, candidates: Iterable[SeriesSummary]) -> int | None:
    if len(key) < FUZZY_LENGTH:
        return None
    scores = sorted(
        (
            max(_likeness(key, comparison_key(n)) for n in {result.name, result.original_name}),
            result.id,
        )
        for result in candidates
    )
    if not scores or scores[-1][0] < FUZZY_SCORE:
        return None
    clear = len(scores) == 1 or scores[-1][0] - scores[-2][0] >= FUZZY_MARGIN
    return scores[-1][1] if clear else None


def _likeness(key: str, other: str) -> float:
    """0 to 100 for two comparison keys; another number means another series."""
    if [w for w in key.split() if w.isdigit()] != [w for w in other.split() if w.isdigit()]:
        return 0.0
    return fuzz.ratio(key, other)


def _read_search_page(entry: cache.Entry | None, page: int) -> SearchPage | None:
    if entry is None:
        return None
    if entry.value is None:
        return SearchPage(page, 1, 0, (), entry.fetched_at)
    try:
        return replace(parse_search_page(entry.value), fetched_at=entry.fetched_at)
    except TmdbBadAnswer:
        return None


def _read_episode_count(entry: cache.Entry | None) -> EpisodeCount | None:
    match entry and entry.value:
        case {
            "tmdb_id": int(tmdb_id),
            "total_seasons": int() | None as total_seasons,
            "total_episodes": int() | None as total_episodes,
            "updated_at": str(updated_at),
        }:
            return EpisodeCount(
                tmdb_id, total_seasons, total_episodes, datetime.fromisoformat(updated_at)
            )
    return None


def _episode_count_to_json(count: EpisodeCount) -> dict[str, Any]:
    return {**asdict(count), "updated_at": count.updated_at.isoformat()}


def _or_none(what: str, subject: str | int, answer: Callable[[], T]) -> T | None:
    try:
        with client.time_limit():
            return answer()
    except TmdbError as error:
        # Failed requests are warned of, and a refused key said, where they happen.
        logger.info("%s of %s: none, %s", what, subject, type(error).__name__)
        return None


def _log_kept(endpoint: str, subject: str, error: TmdbError | None = None) -> None:
    state = f"stale error={type(error).__name__}" if error else "hit"
    logger.info("endpoint=%s %s cache=%s", endpoint, subject, state)


def _check_language(language: str | None) -> None:
    if language is not None and not is_language(language):
        raise ValueError("A language is written as in 'de' or 'pt-BR'.")


def _language_parameter(language: str | None) -> dict[str, str]:
    return {"language": language} if language else {}


def _own_language() -> str:
    return str(settings.TMDB_LANGUAGE)


def _season_part(number: int) -> str:
    return f"season/{number}"


def _hash(text: str, *, whole: bool = False) -> str:
    """Stands for a name where the name must not be written, or cannot be a key."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return digest if whole else digest[:12]
