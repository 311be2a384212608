"""Asking TMDB about one name until the evidence decides, within a budget of requests."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from media import matching
from media.episodes import EpisodeFacts, SeasonFacts
from media.matching import (
    Candidate,
    Decision,
    Doubt,
    Evidence,
    Search,
    Settled,
    Want,
    WantKind,
    WatchedEpisode,
)
from tmdb.client import time_limit
from tmdb.errors import TmdbNotFound
from tmdb.service import MAX_APPENDED, Seasons, search_series, series_details
from tmdb.types import Season, SeriesDetails, SeriesSummary

# Requests that one doubtful name may cost; a clear one needs a search and its details.
MOST_REQUESTS = 4


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be found out about one name of a series.

    `doubts` are titles that may be its episodes, `doubtful` the same as episodes. With
    `pinned` a person decided which series it is, and only the doubts are open. When it
    `is_left_alone` a person decided that TMDB has no such series, or that it is none.
    """

    evidence: Evidence
    doubts: Sequence[Doubt] = ()
    doubtful: Sequence[WatchedEpisode] = ()
    pinned: int | None = None
    is_left_alone: bool = False


@dataclass(slots=True)
class Answer:
    """What TMDB said about a name, and what follows from it."""

    evidence: Evidence
    decision: Decision = field(default_factory=lambda: Decision(matching.Status.NOT_FOUND))
    settled: dict[int, Settled] = field(default_factory=dict)
    details: dict[int, SeriesDetails] = field(default_factory=dict)
    english: dict[int, SeriesDetails] = field(default_factory=dict)
    summaries: dict[int, SeriesSummary] = field(default_factory=dict)


def ask(question: Question) -> Answer:
    """Ask TMDB until the evidence decides, or the requests for one name are used up.

    Ends within half a minute, waiting for the throttle apart. Raises TmdbError when TMDB cannot
    be asked.
    """
    with time_limit():
        return _Asking(question).run()


class _Asking:
    """The candidates known so far, and the requests made."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.language = question.evidence.language
        self.answer = Answer(question.evidence)
        self.candidates: dict[int, Candidate] = {}
        self.searched: list[Search] = []
        self.requests = 0

    def run(self) -> Answer:
        answer = self.answer
        evidence = self.question.evidence
        if self.question.is_left_alone:
            self._leave_as_read()
            return answer
        if self.question.pinned is not None:
            self._fetch(self.question.pinned)
            decision = self._decide(evidence)
        else:
            decision = self._match(evidence)
        answer.evidence, answer.decision = self._with_candidates(evidence), decision
        if self.question.doubts:
            self._settle()
        return answer

    def _match(self, evidence: Evidence) -> Decision:
        self._search(Search(evidence.name, self.language))
        decision = self._decide(evidence)
        while decision.wants and self.requests < MOST_REQUESTS:
            self._get(decision.wants[0])
            decision = self._decide(evidence)
        matched = decision.tmdb_id
        if matched is not None and matched not in self.answer.details:
            self._fetch(matched)
            decision = self._decide(evidence)
        return decision

    def _decide(self, evidence: Evidence) -> Decision:
        return matching.match(self._with_candidates(evidence))

    def _with_candidates(self, evidence: Evidence) -> Evidence:
        return replace(
            evidence, candidates=tuple(self.candidates.values()), searched=tuple(self.searched)
        )

    def _settle(self) -> None:
        """Decide the doubts, with their titles as further evidence."""
        doubts, pinned = self.question.doubts, self.question.pinned
        titles = dict.fromkeys((*self.question.evidence.episodes, *self.question.doubtful))
        widened = replace(self.question.evidence, episodes=tuple(titles))
        while True:
            evidence = self._with_candidates(widened)
            decision = matching.match(evidence)
            wants = matching.wants_to_settle(doubts, evidence, decision, pinned)
            if not wants or self.requests >= MOST_REQUESTS:
                break
            self._get(wants[0])
        self._keep(matching.settle(doubts, evidence, decision, pinned))

    def _leave_as_read(self) -> None:
        """Without asking: no answer of TMDB's could change what was decided."""
        self._keep(matching.settle_as_read(self.question.doubts))

    def _keep(self, verdicts: Mapping[Hashable, Settled]) -> None:
        self.answer.settled = {int(str(key)): settled for key, settled in verdicts.items()}

    def _get(self, want: Want) -> None:
        if want.kind is WantKind.SEARCH and want.search is not None:
            self._search(want.search)
        elif want.kind is WantKind.ENGLISH and want.tmdb_id is not None:
            self._fetch_english(want.tmdb_id)
        elif want.tmdb_id is not None:
            self._fetch(want.tmdb_id)

    def _search(self, search: Search) -> None:
        self.requests += 1
        self.searched.append(search)
        page = search_series(search.query, language=search.language, page=search.page)
        for position, summary in enumerate(page.results):
            self.answer.summaries.setdefault(summary.id, summary)
            self.candidates.setdefault(summary.id, candidate_of(summary, position))

    def _fetch(self, tmdb_id: int) -> None:
        self.requests += 1
        try:
            details = series_details(
                tmdb_id,
                language=self.language,
                seasons=Seasons.ALL,
                alternative_titles=True,
                translations=True,
            )
        except TmdbNotFound:
            self.candidates.pop(tmdb_id, None)
            return
        self.requests += _further_requests(len(details.seasons) + 2)
        self.answer.details[tmdb_id] = details
        known = self.candidates.get(tmdb_id)
        self.candidates[tmdb_id] = Candidate(
            tmdb_id=tmdb_id,
            name=known.name if known else details.name,
            original_name=details.original_name,
            other_names=details.names,
            first_air_date=details.first_air_date,
            origin_country=details.origin_country,
            original_language=details.original_language,
            popularity=known.popularity if known else 0.0,
            position=known.position if known else 0,
            seasons=season_facts(details.seasons),
        )

    def _fetch_english(self, tmdb_id: int) -> None:
        self.requests += 1
        details = series_details(tmdb_id, language="en-US", seasons=Seasons.ALL)
        self.requests += _further_requests(len(details.seasons))
        self.answer.english[tmdb_id] = details
        self.candidates[tmdb_id] = replace(
            self.candidates[tmdb_id], english_seasons=season_facts(details.seasons)
        )


def _further_requests(parts: int) -> int:
    """How many requests it takes beyond the first to bring so many parts of a series."""
    return max(parts - 1, 0) // MAX_APPENDED


def candidate_of(summary: SeriesSummary, position: int) -> Candidate:
    return Candidate(
        tmdb_id=summary.id,
        name=summary.name,
        original_name=summary.original_name,
        first_air_date=summary.first_air_date,
        origin_country=summary.origin_country,
        original_language=summary.original_language,
        popularity=summary.popularity,
        position=position,
    )


def season_facts(seasons: Sequence[Season]) -> tuple[SeasonFacts, ...]:
    """TMDB's seasons as matching and identifying take them."""
    return tuple(
        SeasonFacts(
            number=season.number,
            name=season.name,
            episode_count=season.episode_count,
            episodes=None
            if season.episodes is None
            else tuple(EpisodeFacts(e.id, e.number, e.title, e.air_date) for e in season.episodes),
            air_date=season.air_date,
        )
        for season in seasons
    )
