"""Finding out which TMDB series an entry is: gather evidence, ask TMDB, record the decision.

Network calls happen outside every transaction (rule 16). What TMDB answered is cached by the
`tmdb` app; what was decided is stored under the user's lock.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from media import library, matching
from media.catalogue import store_series
from media.episodes import EpisodeFacts, SeasonFacts, Watched, identify
from media.matching import Candidate, Decision, Evidence, Search, WantKind
from media.models import (
    DecidedBy,
    LibraryEntry,
    LibraryEntryQuerySet,
    LookupStatus,
    Viewing,
    ViewingKind,
)
from tmdb.errors import TmdbAuthError, TmdbError, TmdbNotConfigured, TmdbNotFound
from tmdb.service import Seasons, search_series, series_details
from tmdb.types import Season, SeriesDetails, SeriesSummary

logger = logging.getLogger(__name__)

Entries = LibraryEntryQuerySet

# Requests that one doubtful series may cost; a clear one needs a search and its details.
MOST_REQUESTS = 4
# After so many failures in a row TMDB is taken to be out of reach, and the rest waits.
FAILURES_IN_A_ROW = 5
FIRST_RETRY = timedelta(minutes=5)
LAST_RETRY = timedelta(days=1)
ATTEMPTS_BEFORE_ERROR = 6


@dataclass(frozen=True, slots=True)
class Result:
    """How the look-up of one entry ended; `status` is `error` when TMDB did not answer."""

    entry_id: int
    status: LookupStatus


@dataclass(slots=True)
class Answer:
    """What TMDB said about one entry's name, and what follows."""

    evidence: Evidence
    decision: Decision
    details: dict[int, SeriesDetails] = field(default_factory=dict)
    english: dict[int, SeriesDetails] = field(default_factory=dict)
    summaries: dict[int, SeriesSummary] = field(default_factory=dict)


def evidence_for(entry: LibraryEntry) -> Evidence:
    """What the user's files say about an entry. Two queries."""
    names = list(entry.names.all())
    main = max(names, key=lambda name: (name.pk == min(n.pk for n in names), name.pk))
    episodes = {
        matching.WatchedEpisode(season, season_name or None, number, title or None): None
        for season, season_name, number, title in entry.viewings.filter(
            kind=ViewingKind.EPISODE
        ).values_list("season_number", "season_name", "episode_number", "episode_title")
    }
    return Evidence(
        name=main.name,
        other_names=tuple(name.name for name in names if name.pk != main.pk),
        language=main.language or settings.TMDB_LANGUAGE.split("-")[0],
        episodes=tuple(episodes),
        first_watched=entry.first_watched,
    )


def look_up(
    entries: Entries,
    *,
    even_if_not_due: bool = False,
    seconds: float | None = None,
    on_result: Callable[[Result], None] = lambda result: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Look up the entries, in their order, for at most `seconds`; whether all were asked.

    A failing TMDB leaves entries pending, to be tried again later and later. Without a key, or
    when TMDB refuses it or seems out of reach, the rest is left as it is: there is nothing more
    to ask now, so that counts as done.
    """
    if not settings.TMDB_API_KEY:
        return True
    if not even_if_not_due:
        entries = entries.due(timezone.now())
    ids = list(entries.values_list("pk", flat=True))
    ends = time.monotonic() + seconds if seconds is not None else None
    failures = 0
    with closing(_answers(ids)) as answers:
        for entry_id, answer in answers:
            if isinstance(answer, TmdbAuthError | TmdbNotConfigured):
                logger.warning("TMDB refuses the key; series stay pending until it is mended")
                return True
            if isinstance(answer, TmdbError):
                failures += 1
                on_result(_record_failure(entry_id))
                if failures >= FAILURES_IN_A_ROW:
                    logger.warning("TMDB is out of reach; the remaining series stay pending")
                    return True
            else:
                failures = 0
                if answer is not None and (result := record(entry_id, answer)):
                    on_result(result)
            if should_stop():
                return True
            if ends is not None and time.monotonic() >= ends:
                return entry_id == ids[-1]
    return True


def _answers(
    ids: Sequence[int],
) -> Generator[tuple[int, Answer | TmdbError | None]]:
    """What TMDB says about each entry, asked side by side, given in the order of `ids`."""
    if settings.TMDB_PARALLEL <= 1:
        yield from ((entry_id, _ask_about(entry_id)) for entry_id in ids)
        return
    with ThreadPoolExecutor(settings.TMDB_PARALLEL, thread_name_prefix="lookup") as pool:
        waiting = iter(ids)
        under_way: dict[Future[Answer | TmdbError | None], int] = {}
        try:
            while True:
                for entry_id in waiting:
                    under_way[pool.submit(_ask_in_thread, entry_id)] = entry_id
                    if len(under_way) >= settings.TMDB_PARALLEL:
                        break
                if not under_way:
                    return
                done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    yield under_way.pop(future), future.result()
        finally:
            for future in under_way:
                future.cancel()


def _ask_in_thread(entry_id: int) -> Answer | TmdbError | None:
    try:
        return _ask_about(entry_id)
    finally:
        connection.close()


def _ask_about(entry_id: int) -> Answer | TmdbError | None:
    entry = LibraryEntry.objects.prefetch_related("names").filter(pk=entry_id).first()
    if entry is None or not entry.names.all():
        return None
    try:
        return ask(evidence_for(entry))
    except TmdbError as error:
        return error


def ask(evidence: Evidence) -> Answer:
    """Ask TMDB until the evidence decides, or until the requests for one series are used up.

    Raises TmdbError when TMDB cannot be asked.
    """
    answer = Answer(evidence, Decision(matching.Status.NOT_FOUND))
    candidates: dict[int, Candidate] = {}
    requests = 0

    def search(wanted: Search) -> None:
        page = search_series(wanted.query, language=wanted.language, page=wanted.page)
        for position, summary in enumerate(page.results):
            answer.summaries.setdefault(summary.id, summary)
            candidates.setdefault(summary.id, _candidate(summary, position))
        answer.evidence = replace(answer.evidence, searched=(*answer.evidence.searched, wanted))

    def fetch(tmdb_id: int) -> None:
        try:
            details = series_details(
                tmdb_id,
                language=evidence.language,
                seasons=Seasons.ALL,
                alternative_titles=True,
                translations=True,
            )
        except TmdbNotFound:
            candidates.pop(tmdb_id, None)
            return
        answer.details[tmdb_id] = details
        candidates[tmdb_id] = replace(
            candidates[tmdb_id],
            other_names=details.names,
            seasons=season_facts(details.seasons),
            first_air_date=details.first_air_date or candidates[tmdb_id].first_air_date,
        )

    def fetch_english(tmdb_id: int) -> None:
        details = series_details(tmdb_id, language="en-US", seasons=Seasons.ALL)
        answer.english[tmdb_id] = details
        candidates[tmdb_id] = replace(
            candidates[tmdb_id], english_seasons=season_facts(details.seasons)
        )

    def decide() -> None:
        answer.evidence = replace(answer.evidence, candidates=tuple(candidates.values()))
        answer.decision = matching.match(answer.evidence)

    search(Search(evidence.name, evidence.language))
    requests += 1
    decide()
    while answer.decision.wants and requests < MOST_REQUESTS:
        want = answer.decision.wants[0]
        if want.kind is WantKind.SEARCH and want.search is not None:
            search(want.search)
        elif want.kind is WantKind.ENGLISH and want.tmdb_id is not None:
            fetch_english(want.tmdb_id)
        elif want.tmdb_id is not None:
            fetch(want.tmdb_id)
        requests += 1
        decide()
    matched = answer.decision.tmdb_id
    if matched is not None and matched not in answer.details:
        fetch(matched)
        decide()
    return answer


def _candidate(summary: SeriesSummary, position: int) -> Candidate:
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


def record(entry_id: int, answer: Answer) -> Result | None:
    """Store what was decided about an entry; None when it is gone or decided meanwhile."""
    decision = answer.decision
    matched = answer.details.get(decision.tmdb_id) if decision.tmdb_id is not None else None
    user_id = LibraryEntry.objects.filter(pk=entry_id).values_list("user_id", flat=True).first()
    if user_id is None:
        return None
    with library.library_lock(user_id):
        entry = LibraryEntry.objects.select_related("media").filter(pk=entry_id).first()
        if entry is None or entry.lookup_status in (LookupStatus.IGNORED, LookupStatus.NOT_NEEDED):
            return None
        if entry.decided_by != DecidedBy.AUTOMATIC:
            return None
        if matched is None:
            status = LookupStatus(
                matching.Status.NOT_FOUND
                if decision.status is matching.Status.NOT_FOUND
                else matching.Status.UNCERTAIN
            )
            library.set_status(entry, status, candidates=_candidates_to_show(answer))
            return Result(entry_id, status)
        entry = library.attach(entry, store_series(matched))
        english = answer.english.get(matched.id)
        identify_episodes(entry, season_facts(english.seasons) if english else ())
        if entry.decided_by == DecidedBy.AUTOMATIC:
            library.set_status(entry, LookupStatus.MATCHED, candidates=_candidates_to_show(answer))
        return Result(entry_id, LookupStatus.MATCHED)


def _candidates_to_show(answer: Answer) -> list[dict[str, object]]:
    """The best candidates with what a person needs to choose, best first."""
    shown: list[dict[str, object]] = []
    for scored in answer.decision.candidates[:8]:
        summary = answer.summaries[scored.tmdb_id]
        details = answer.details.get(scored.tmdb_id)
        shown.append(
            {
                "tmdb_id": scored.tmdb_id,
                "name": summary.name,
                "original_name": summary.original_name,
                "year": summary.first_air_date.year if summary.first_air_date else None,
                "countries": list(summary.origin_country),
                "poster_path": summary.poster_path or "",
                "seasons": details.number_of_seasons if details else None,
                "episodes": details.number_of_episodes if details else None,
                "score": round(scored.score, 1),
                "parts": [
                    {
                        "name": part.name,
                        "points": round(part.points, 1),
                        "sentence": part.sentence.template,
                        "values": dict(part.sentence.values),
                    }
                    for part in scored.parts
                ],
            }
        )
    return shown


def identify_episodes(entry: LibraryEntry, english: Sequence[SeasonFacts] = ()) -> None:
    """Set which TMDB episodes an entry's viewings are, and count anew. Needs the user's lock."""
    seasons = [
        SeasonFacts(
            number=season.number,
            name=season.name,
            episode_count=season.episode_count,
            episodes=tuple(
                EpisodeFacts(e.tmdb_id, e.number, e.title, e.air_date)
                for e in season.episodes.all()
            ),
        )
        for season in entry.media.seasons.prefetch_related("episodes")
    ]
    viewings = list(entry.viewings.filter(kind=ViewingKind.EPISODE))
    found = identify(
        [
            Watched(v.pk, v.season_number, v.season_name or None, v.episode_number, v.episode_title)
            for v in viewings
        ],
        seasons,
        english,
    )
    place = {e.tmdb_id: (e, s.number) for s in entry.media.seasons.all() for e in s.episodes.all()}
    through = Viewing.tmdb_episodes.through
    through.objects.filter(viewing__in=[v.pk for v in viewings]).delete()
    links = []
    changed = []
    for viewing in viewings:
        episodes = [place[tmdb_id] for tmdb_id in found.get(viewing.pk, ()) if tmdb_id in place]
        links += [through(viewing_id=viewing.pk, episode_id=e.pk) for e, _ in episodes]
        season = episodes[0][1] if episodes else None
        if viewing.tmdb_season != season:
            viewing.tmdb_season = season
            changed.append(viewing)
    through.objects.bulk_create(links, batch_size=1000)
    Viewing.objects.bulk_update(changed, ["tmdb_season"], batch_size=500)
    library.recount([entry.pk])


def _record_failure(entry_id: int) -> Result:
    """Leave an entry pending and put off its next look-up, longer each time."""
    entry = LibraryEntry.objects.filter(pk=entry_id).only("pk", "lookup_attempts").first()
    if entry is not None:
        attempts = entry.lookup_attempts + 1
        status = LookupStatus.ERROR if attempts >= ATTEMPTS_BEFORE_ERROR else LookupStatus.PENDING
        LibraryEntry.objects.filter(
            pk=entry_id,
            lookup_attempts=entry.lookup_attempts,
            lookup_status__in=[LookupStatus.PENDING, LookupStatus.ERROR],
        ).update(
            lookup_attempts=attempts,
            lookup_status=status,
            next_lookup_at=timezone.now() + min(FIRST_RETRY * 2 ** (attempts - 1), LAST_RETRY),
        )
    return Result(entry_id, LookupStatus.ERROR)
