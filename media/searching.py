"""Searching TMDB by a person's own words, or by what they pasted from themoviedb.org."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

from media import matching
from media.asking import Answer, candidate_of, season_facts
from media.lookup import candidates_to_show, evidence_for
from media.models import LibraryEntry
from tmdb.errors import TmdbAuthError, TmdbError, TmdbNotConfigured, TmdbNotFound
from tmdb.names import parse_tmdb_reference
from tmdb.service import Seasons, search_series, series_details
from tmdb.types import SeriesDetails, SeriesSummary

# Of so many results the details are fetched, which tell seasons and episodes.
DETAILED = 3


class Problem(Enum):
    """Why a search brought nothing."""

    NO_KEY = auto()
    NO_ANSWER = auto()
    IS_MOVIE = auto()
    NO_SUCH_ID = auto()
    NOTHING = auto()


@dataclass(frozen=True, slots=True)
class Found:
    """Candidates in the shape in which look-ups store them, best first, or why there are none."""

    candidates: tuple[dict[str, Any], ...] = ()
    problem: Problem | None = None


def search(entry: LibraryEntry, words: str) -> Found:
    """Ask TMDB for series by words, by an ID or by the address of a page; never raises.

    A number is searched for as well, since it may be a name: "1899". Results are weighed by
    what the entry's files say. At most five requests.
    """
    reference = parse_tmdb_reference(words)
    if reference is not None and reference[0] == "movie":
        return Found(problem=Problem.IS_MOVIE)
    is_address = reference is not None and not words.strip().isdigit()
    evidence = evidence_for(entry)
    answer = Answer(replace(evidence, other_names=(*evidence.other_names, words)))
    try:
        if reference is not None:
            _add_by_id(answer, reference[1])
            if is_address and not answer.summaries:
                return Found(problem=Problem.NO_SUCH_ID)
        if not is_address:
            for result in search_series(words, language=evidence.language).results:
                answer.summaries.setdefault(result.id, result)
        _weigh(answer)
        for scored in answer.decision.candidates[:DETAILED]:
            _add_details(answer, scored.tmdb_id)
        _weigh(answer)
    except (TmdbNotConfigured, TmdbAuthError):
        return Found(problem=Problem.NO_KEY)
    except TmdbError:
        return Found(problem=Problem.NO_ANSWER)
    shown = candidates_to_show(answer)
    return Found(tuple(shown), None if shown else Problem.NOTHING)


def _add_by_id(answer: Answer, tmdb_id: int) -> None:
    details = _add_details(answer, tmdb_id)
    if details is not None:
        answer.summaries[tmdb_id] = SeriesSummary(
            id=tmdb_id,
            name=details.name,
            original_name=details.original_name,
            original_language=details.original_language,
            origin_country=details.origin_country,
            first_air_date=details.first_air_date,
            popularity=0.0,
            vote_count=0,
            poster_path=details.poster_path,
        )


def _add_details(answer: Answer, tmdb_id: int) -> SeriesDetails | None:
    if tmdb_id not in answer.details:
        try:
            answer.details[tmdb_id] = series_details(
                tmdb_id,
                language=answer.evidence.language,
                seasons=Seasons.ALL,
                alternative_titles=True,
                translations=True,
            )
        except TmdbNotFound:
            answer.summaries.pop(tmdb_id, None)
            return None
    return answer.details[tmdb_id]


def _weigh(answer: Answer) -> None:
    candidates = []
    for position, (tmdb_id, summary) in enumerate(answer.summaries.items()):
        candidate = candidate_of(summary, position)
        if details := answer.details.get(tmdb_id):
            candidate = replace(
                candidate, other_names=details.names, seasons=season_facts(details.seasons)
            )
        candidates.append(candidate)
    answer.decision = matching.match(replace(answer.evidence, candidates=tuple(candidates)))
