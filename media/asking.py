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
from tmdb.service import MAX_APPENDED, search_series, series_details
from tmdb.types import Season, SeriesDetails, SeriesSummary

# Requests that one doubtful name may cost; a clear one needs a search and its details. Only the
# episodes of a series with more seasons than one request brings may take more, once it is matched.
MOST_REQUESTS = 4
MOST_FOR_SEASONS = 6


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
        # Series of whose seasons not all were asked for yet.
        self.incomplete: set[int] = set()

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
        while (want := self._next_want(decision)) is not None:
            self._get(want)
            decision = self._decide(evidence)
        if decision.tmdb_id in self.incomplete:
            self._fetch(decision.tmdb_id, MOST_FOR_SEASONS)
            decision = self._decide(evidence)
        if decision.tmdb_id is not None and decision.tmdb_id not in self.answer.details:
            # Without its episodes nobody could tell how far somebody is.
            return replace(decision, status=matching.Status.UNCERTAIN, tmdb_id=None)
        return decision

    def _next_want(self, decision: Decision) -> Want | None:
        """What to ask for next; the last request must not find what could not be looked into."""
        left = MOST_REQUESTS - self.requests
        if left > 1 or not decision.wants:
            return decision.wants[0] if left and decision.wants else None
        best = decision.candidates[0].tmdb_id if decision.candidates else None
        wants = [want for want in decision.wants if want.kind is not WantKind.SEARCH]
        wants.sort(key=lambda want: want.tmdb_id != best)
        return wants[0] if left and wants else None

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
            known = self.candidates.setdefault(summary.id, candidate_of(summary, position))
            if search.language is None:
                self.candidates[summary.id] = replace(known, english_name=summary.name)

    def _fetch(self, tmdb_id: int, most: int | None = None) -> None:
        """Get to know a series, in at most so many requests or those that are left."""
        self.incomplete.discard(tmdb_id)
        try:
            details, left = self._details(tmdb_id, self.language, names=True, most=most)
        except TmdbNotFound:
            self.candidates.pop(tmdb_id, None)
            return
        if left:
            self.incomplete.add(tmdb_id)
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
            english_name=known.english_name if known else "",
            seasons=season_facts(details.seasons),
            english_seasons=known.english_seasons if known else None,
        )

    def _fetch_english(self, tmdb_id: int) -> None:
        details, _left = self._details(tmdb_id, "en-US", names=False)
        self.answer.english[tmdb_id] = details
        self.candidates[tmdb_id] = replace(
            self.candidates[tmdb_id], english_seasons=season_facts(details.seasons)
        )

    def _details(
        self, tmdb_id: int, language: str, *, names: bool, most: int | None = None
    ) -> tuple[SeriesDetails, list[int]]:
        """A series with its episodes, and maybe all its names; and the seasons still to be asked.

        One request brings the first twenty parts and tells which seasons there are. Of a series
        with more, those come that the requests left can bring.
        """
        ends = self.requests + most if most is not None else MOST_REQUESTS
        wanted = list(range(MAX_APPENDED - 2 * names))
        known: SeriesDetails | None = None
        asked: set[int] = set()
        while True:
            self.requests += 1
            details = series_details(
                tmdb_id,
                language=language,
                seasons=wanted,
                alternative_titles=names and known is None,
                translations=names and known is None,
            )
            known = _with_seasons(known, details) if known else details
            asked.update(wanted)
            left = [s.number for s in known.seasons if s.number not in asked]
            if not left or self.requests >= ends:
                return known, left
            wanted = left[:MAX_APPENDED]


def _with_seasons(known: SeriesDetails, further: SeriesDetails) -> SeriesDetails:
    """A series with the episodes that a further request brought."""
    brought = {s.number: s for s in further.seasons if s.episodes is not None}
    return replace(known, seasons=tuple(brought.get(s.number, s) for s in known.seasons))


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
