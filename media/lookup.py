"""Finding out which TMDB series an entry is: gather evidence, ask TMDB, record the decision.

Network calls happen outside every transaction (rule 16). What TMDB answered is cached by the
`tmdb` app; what was decided is stored under the user's lock.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from threading import Event

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Exists, OuterRef
from django.utils import timezone

from media import bulk, doubts, library, matching
from media.asking import Answer, Question, ask
from media.catalogue import store_series
from media.doubts import DoubtfulName
from media.episodes import EpisodeFacts, SeasonFacts, Watched, identify
from media.matching import Evidence
from media.models import (
    DecidedBy,
    Episode,
    LibraryEntry,
    LibraryEntryQuerySet,
    LookupStatus,
    Media,
    Season,
    Source,
    Viewing,
    ViewingKind,
    ViewingQuerySet,
)
from tmdb import throttle
from tmdb.errors import TmdbAuthError, TmdbError, TmdbInterrupted, TmdbNotConfigured
from tmdb.names import is_language

logger = logging.getLogger(__name__)

Entries = LibraryEntryQuerySet
Viewings = ViewingQuerySet

# After so many failures in a row TMDB is taken to be out of reach, and the rest waits.
FAILURES_IN_A_ROW = 5
FIRST_RETRY = timedelta(minutes=5)
LAST_RETRY = timedelta(days=1)
ATTEMPTS_BEFORE_ERROR = 6
NEVER_LOOKED_UP = (LookupStatus.IGNORED, LookupStatus.NOT_NEEDED)
# How long to wait for an answer before asking whether to go on waiting.
QUIET_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Result:
    """How the look-up of one entry ended; `status` is `error` when TMDB did not answer."""

    entry_id: int
    status: LookupStatus


# Called in the transaction that records a result, so that what it writes and the result become
# visible together; whatever it raises undoes the recording. None: no entry was to be matched.
OnRecorded = Callable[[Result | None], None]


@dataclass(frozen=True, slots=True)
class Subject:
    """A name to ask TMDB about: an entry to be matched, doubtful titles to be settled, or both."""

    user_id: int
    entry_id: int | None
    is_to_be_matched: bool
    last_watched: date | None
    doubtful: DoubtfulName | None = None


def look_up(
    entries: Entries,
    *,
    doubtful: Viewings | None = None,
    even_if_not_due: bool = False,
    seconds: float | None = None,
    on_recorded: OnRecorded = lambda result: None,
    on_result: Callable[[Result], None] = lambda result: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Look up entries, and settle doubtful viewings, last watched first (rule 24).

    Begins nothing new after `seconds`; returns whether everything was asked. A failing TMDB
    leaves entries pending, to be tried again later and later. Without a key, or when TMDB
    refuses it or seems out of reach, the rest is left for later: there is nothing more to ask
    now, so that counts as everything. `on_result` is called for each entry, `on_recorded` in
    the transaction that records one. When `should_stop`, asked at least each second, says so,
    or the process is to stop, what is under way is given up.
    """
    if not settings.TMDB_API_KEY:
        return True
    if not even_if_not_due:
        entries = entries.due(timezone.now())
    subjects = _subjects(entries, doubtful, even_if_not_due)
    left = {subject.entry_id for subject in subjects if subject.is_to_be_matched}
    failures = answered = 0
    with closing(_answers(subjects, seconds)) as answers:
        for subject, answer in answers:
            if subject is None:
                if should_stop():
                    return False
                continue
            answered += 1
            if isinstance(answer, TmdbInterrupted):
                return False
            if isinstance(answer, TmdbAuthError | TmdbNotConfigured):
                logger.warning("TMDB refuses the key; series stay pending until it is mended")
                _put_off(left)
                return True
            left.discard(subject.entry_id)
            if isinstance(answer, TmdbError):
                failures += 1
                if subject.entry_id is not None and subject.is_to_be_matched:
                    on_result(_record_failure(subject.user_id, subject.entry_id, on_recorded))
                if failures >= FAILURES_IN_A_ROW:
                    logger.warning("TMDB is out of reach; the remaining series stay pending")
                    _put_off(left)
                    return True
            else:
                failures = 0
                if answer is not None and (result := record(subject, answer, on_recorded)):
                    on_result(result)
            if should_stop():
                return False
    return answered == len(subjects)


def _subjects(
    entries: Entries, doubtful: Viewings | None, even_if_not_due: bool = False
) -> list[Subject]:
    """The names to ask about, last watched first; an entry's doubtful titles go with it.

    They wait with an entry whose next try is not due: asked apart, they would leave it with other
    candidates than if TMDB had not failed.
    """
    names = []
    if doubtful is not None:
        names = doubts.doubtful_names(doubtful.in_fixed_order().select_related("name"))
    by_entry = {name.entry_id: name for name in names if name.entry_id is not None}
    subjects = [
        Subject(user_id, pk, True, last_watched, by_entry.pop(pk, None))
        for pk, user_id, last_watched in entries.values_list("pk", "user_id", "last_watched")
    ]
    if by_entry and not even_if_not_due:
        put_off = LibraryEntry.objects.waiting().filter(next_lookup_at__gt=timezone.now())
        for pk in put_off.filter(pk__in=list(by_entry)).values_list("pk", flat=True):
            del by_entry[pk]
    alone = [*by_entry.values(), *(name for name in names if name.entry_id is None)]
    subjects += [
        Subject(name.user_id, name.entry_id, False, name.last_watched, name) for name in alone
    ]
    return sorted(subjects, key=lambda s: s.last_watched or date.min, reverse=True)


def _answers(
    subjects: Sequence[Subject], seconds: float | None
) -> Generator[tuple[Subject | None, Answer | TmdbError | None]]:
    """What TMDB says about each subject, asked side by side, as the answers come.

    None for the subject when there was no answer for a while. After so many seconds only what
    is under way is still waited for.
    """
    ends = math.inf if seconds is None else time.monotonic() + seconds
    waiting = iter(subjects)
    over = Event()
    if settings.TMDB_PARALLEL <= 1:
        for subject in waiting:
            yield subject, _ask_about(subject, over)
            if time.monotonic() >= ends:
                return
        return
    opened: list[BaseDatabaseWrapper] = []

    def keep_connection() -> None:
        # Making one takes longer than the questions that one subject asks of it.
        opened.append(connections[DEFAULT_DB_ALIAS])
        opened[-1].inc_thread_sharing()

    pool = ThreadPoolExecutor(
        settings.TMDB_PARALLEL, thread_name_prefix="lookup", initializer=keep_connection
    )
    under_way: dict[Future[Answer | TmdbError | None], Subject] = {}
    try:
        while True:
            # As many again wait in line, so that no thread idles while answers are recorded.
            room = 2 * settings.TMDB_PARALLEL - len(under_way)
            for subject in islice(waiting, room if time.monotonic() < ends else 0):
                under_way[pool.submit(_ask_about, subject, over)] = subject
            if time.monotonic() >= ends:
                under_way = {f: s for f, s in under_way.items() if not f.cancel()}
            if not under_way:
                return
            done, _ = wait(under_way, QUIET_SECONDS, return_when=FIRST_COMPLETED)
            if not done:
                yield None, None
            for future in done:
                yield under_way.pop(future), future.result()
    finally:
        # Who stopped listening, as after a cancel, does not wait for a TMDB that hangs.
        over.set()
        pool.shutdown(cancel_futures=True)
        for used in opened:
            used.close()


def _ask_about(subject: Subject, over: Event) -> Answer | TmdbError | None:
    """What TMDB says about a subject; it is not waited for any more once `over` is set."""
    question = question_about(subject)
    if question is None:
        return None
    try:
        with throttle.until(over):
            return ask(question)
    except TmdbError as error:
        return error


def question_about(subject: Subject) -> Question | None:
    """What to ask TMDB about a subject; None when it is gone or settled meanwhile."""
    entry = (
        LibraryEntry.objects.select_related("media")
        .prefetch_related("names")
        .filter(pk=subject.entry_id or 0)
        .first()
    )
    viewings: list[Viewing] = []
    if subject.doubtful is not None:
        viewings = list(
            Viewing.objects.doubtful()
            .filter(pk__in=subject.doubtful.viewing_ids)
            .in_fixed_order()
            .select_related("name")
        )
    pinned, is_left_alone = None, False
    if entry is not None and entry.names.all():
        evidence = evidence_for(entry)
        if entry.decided_by != DecidedBy.AUTOMATIC:
            pinned = entry.media.tmdb_id
            is_left_alone = entry.lookup_status in NEVER_LOOKED_UP
    elif subject.doubtful is not None and viewings:
        evidence = Evidence(
            name=subject.doubtful.series.name,
            language=language_or_usual(subject.doubtful.series.language),
            episodes=tuple(dict.fromkeys(doubts.as_watched(viewings))),
            first_watched=min((v.day for v in viewings if v.day), default=None),
        )
    else:
        return None
    is_decided = pinned is not None or is_left_alone
    if not viewings and (is_decided or not subject.is_to_be_matched):
        return None
    return Question(
        evidence,
        doubts.as_doubts(viewings),
        doubts.as_watched(viewings),
        pinned,
        is_left_alone=is_left_alone,
    )


def evidence_for(entry: LibraryEntry) -> Evidence:
    """What the user's files say about an entry, the newest viewing first. Two queries."""
    names = sorted(entry.names.all(), key=lambda name: name.pk)
    episodes = {
        matching.WatchedEpisode(season, season_name or None, number, title or None): None
        for season, season_name, number, title in entry.viewings.filter(kind=ViewingKind.EPISODE)
        .in_fixed_order()
        .values_list("season_number", "season_name", "episode_number", "episode_title")
    }
    return Evidence(
        name=names[0].name,
        other_names=tuple(name.name for name in names[1:]),
        language=language_of(entry),
        episodes=tuple(episodes),
        first_watched=entry.first_watched,
    )


def language_of(entry: LibraryEntry) -> str:
    """The language of an entry's names, in which TMDB is asked about it."""
    names = sorted(entry.names.all(), key=lambda name: name.pk)
    return language_or_usual(names[0].language if names else "")


def language_or_usual(code: str) -> str:
    """A name's language, or the installation's where that is not known."""
    return code if is_language(code) else settings.TMDB_LANGUAGE.split("-")[0]


def record(
    subject: Subject, answer: Answer, on_recorded: OnRecorded = lambda result: None
) -> Result | None:
    """Store what was decided about the subject's entry; None when only doubts were open.

    An entry whose viewings all turned out to be movies is gone: its status is `not_needed`.
    `on_recorded` is called with the result in the same transaction.
    """
    with library.library_lock(subject.user_id):
        name = subject.doubtful
        touched: set[int] = set()
        if name is not None and answer.settled:
            touched = doubts.apply(name.user_id, name.series, answer.settled, answer.details)
        entry = _entry_to_decide(subject, touched)
        result = Result(subject.entry_id or 0, LookupStatus.NOT_NEEDED)
        if entry is not None:
            result = _decide(entry, answer)
            touched.discard(entry.pk)
        if touched:
            for other in LibraryEntry.objects.filter(pk__in=touched, lookup_status="matched"):
                identify_episodes(other)
            library.recount(touched)
        told = result if subject.is_to_be_matched else None
        on_recorded(told)
    identify_gone()
    return told


def _entry_to_decide(subject: Subject, touched: Iterable[int]) -> LibraryEntry | None:
    """The entry that the answer is about: the subject's own, or one that the doubts made."""
    entries = LibraryEntry.objects.select_related("media")
    if subject.is_to_be_matched:
        entry = entries.filter(pk=subject.entry_id or 0).first()
        is_open = entry is not None and entry.lookup_status not in NEVER_LOOKED_UP
        if entry and is_open and entry.decided_by == DecidedBy.AUTOMATIC:
            return entry
        return None
    if subject.entry_id is None and subject.doubtful is not None:
        made = entries.filter(
            decided_by=DecidedBy.AUTOMATIC,
            pk__in=list(touched),
            lookup_status=LookupStatus.PENDING,
            names__key=library.bounded_key(subject.doubtful.series.key),
        )
        return made.first()
    return None


def _decide(entry: LibraryEntry, answer: Answer) -> Result:
    decision = answer.decision
    matched = answer.details.get(decision.tmdb_id) if decision.tmdb_id is not None else None
    candidates = candidates_to_show(answer)
    if matched is None:
        status = (
            LookupStatus.NOT_FOUND
            if decision.status is matching.Status.NOT_FOUND
            else LookupStatus.UNCERTAIN
        )
        if entry.media.tmdb_id is not None:
            entry = library.detach(list(entry.names.all()))
        library.set_status(entry, status, candidates=candidates)
        library.recount([entry.pk])
        return Result(entry.pk, status)
    entry = library.attach(entry, store_series(matched))
    if english := answer.english.get(matched.id):
        store_series(english)
    identify_episodes(entry)
    if entry.decided_by == DecidedBy.AUTOMATIC:
        library.set_status(entry, LookupStatus.MATCHED, candidates=candidates)
    return Result(entry.pk, LookupStatus.MATCHED)


def candidates_to_show(answer: Answer) -> list[dict[str, object]]:
    """The best candidates with what a person needs to choose, best first."""
    shown: list[dict[str, object]] = []
    for scored in answer.decision.candidates[:8]:
        summary = answer.summaries.get(scored.tmdb_id)
        if summary is None:
            continue
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


def identify_episodes(entry: LibraryEntry, *, only_new: bool = False) -> None:
    """Set which TMDB episodes an entry's viewings are, and count anew. Needs the user's lock.

    A viewing that is known to be of an episode stays so unless another is found for it; with
    `only_new` in any case.
    """
    _go_on_to_successors(entry)
    viewings = list(
        entry.viewings.filter(kind=ViewingKind.EPISODE)
        .in_fixed_order()
        .values_list(
            "pk",
            "season_number",
            "season_name",
            "episode_number",
            "episode_title",
            "source",
            "tmdb_season",
        )
    )
    if viewings:
        seasons, places = _stored_seasons(entry.media_id)
        through = Viewing.tmdb_episodes.through
        of_entry = through.objects.filter(viewing__entry=entry, viewing__kind=ViewingKind.EPISODE)
        linked = {
            (viewing, episode): pk
            for viewing, episode, pk in of_entry.values_list("viewing_id", "episode_id", "pk")
        }
        seasons_of = dict(places.values())
        before: dict[int, list[tuple[int, int]]] = {}
        for viewing, episode in linked:
            if episode in seasons_of:
                before.setdefault(viewing, []).append((episode, seasons_of[episode]))
        # A mark by hand is of the episode that it was made for.
        free = [v for v in viewings if v[5] != Source.MANUAL or v[0] not in before]
        found = identify(
            [
                Watched(pk, season, season_name or None, number, title)
                for pk, season, season_name, number, title, _, _ in free
            ],
            seasons,
        )
        links, changed = set(), []
        found_again = {tmdb_id for ids in found.values() for tmdb_id in ids}
        taken = {places[tmdb_id][0] for tmdb_id in found_again if tmdb_id in places}
        for pk, *_, season_before in free:
            episodes = [places[tmdb_id] for tmdb_id in found.get(pk, ()) if tmdb_id in places]
            was = before.get(pk, [])
            if was and (only_new or not (episodes or taken & {episode for episode, _ in was})):
                episodes = was
            links |= {(pk, episode) for episode, _ in episodes}
            season = episodes[0][1] if episodes else None
            if season != season_before:
                changed.append((season, pk))
        ids = {v[0] for v in free}
        gone = [pk for link, pk in linked.items() if link[0] in ids and link not in links]
        if gone:
            through.objects.filter(pk__in=gone).delete()
        bulk.insert(through, ["viewing_id", "episode_id"], sorted(links - linked.keys()))
        bulk.update(Viewing, ["tmdb_season"], changed)
    library.recount([entry.pk])


def _go_on_to_successors(entry: LibraryEntry) -> None:
    """Have viewings of episodes that TMDB lists no more be of those in their place, if any."""
    through = Viewing.tmdb_episodes.through
    links = through.objects.filter(viewing__entry=entry)
    gone = links.filter(episode__season__isnull=True)
    moved: set[int] = set()
    # A successor may be gone as well.
    while found := list(gone.values_list("pk", "viewing_id", "episode__successor_id")):
        moved |= {viewing for _, viewing, _ in found}
        through.objects.filter(pk__in=[pk for pk, _, _ in found]).delete()
        there = links.filter(viewing__in=moved).values_list("viewing_id", "episode_id")
        wanted = {(viewing, to) for _, viewing, to in found if to is not None}
        bulk.insert(through, ["viewing_id", "episode_id"], sorted(wanted - set(there)))
    if moved:
        seasons = dict(
            links.filter(viewing__in=moved).values_list("viewing_id", "episode__season__number")
        )
        bulk.update(Viewing, ["tmdb_season"], [(seasons.get(pk), pk) for pk in sorted(moved)])


def to_identify(media: Media) -> Entries:
    """The entries of a series with viewings whose episode is not known, or has moved since."""
    known = Viewing.tmdb_episodes.through.objects.filter(
        viewing=OuterRef("pk"), episode__season__number=OuterRef("tmdb_season")
    )
    unknown = Viewing.objects.filter(~Exists(known), entry=OuterRef("pk"), kind=ViewingKind.EPISODE)
    entries = LibraryEntry.objects.filter(Exists(unknown), media=media)
    return entries.filter(lookup_status=LookupStatus.MATCHED).prefetch_related("names")


def _stored_seasons(
    media_id: int,
) -> tuple[list[SeasonFacts], dict[int, tuple[int, int]]]:
    """A series' seasons as stored, and by TMDB's episode id its primary key and season."""
    episodes: dict[int, list[EpisodeFacts]] = {}
    keys: dict[int, tuple[int, int]] = {}
    for pk, season, tmdb_id, number, title, titles, air_date in (
        Episode.objects.filter(season__media=media_id)
        .order_by("season__number", "number", "tmdb_id")
        .values_list("pk", "season__number", "tmdb_id", "number", "title", "titles", "air_date")
    ):
        others = tuple(other for other in titles.values() if other != title)
        episodes.setdefault(season, []).append(
            EpisodeFacts(tmdb_id, number, title, air_date, others)
        )
        keys[tmdb_id] = pk, season
    seasons = [
        SeasonFacts(
            number, name, count, tuple(episodes.get(number, ())), other_names=tuple(names.values())
        )
        for number, name, names, count in Season.objects.filter(media=media_id).values_list(
            "number", "name", "names", "episode_count"
        )
    ]
    return seasons, keys


def identify_new_viewings(entries: Entries, on_recorded: OnRecorded = lambda result: None) -> None:
    """Identify the episodes of matched entries that have viewings without one. Asks nobody.

    `on_recorded` is called in the transaction of each entry.
    """
    waiting = entries.filter(
        lookup_status=LookupStatus.MATCHED,
        viewings__kind=ViewingKind.EPISODE,
        viewings__tmdb_season__isnull=True,
    )
    for pk, user_id in waiting.order_by("pk").values_list("pk", "user_id").distinct():
        with library.library_lock(user_id):
            entry = LibraryEntry.objects.select_related("media").filter(pk=pk).first()
            if entry is not None:
                identify_episodes(entry)
            on_recorded(None)


def identify_gone() -> None:
    """Say of what viewings are now whose episodes TMDB lists no more, each user's on its own.

    Takes the locks, so that none may be held.
    """
    gone = Viewing.tmdb_episodes.through.objects.filter(episode__season__isnull=True)
    entries = gone.order_by("viewing__entry").values_list("viewing__entry", "viewing__user")
    for pk, user_id in list(entries.distinct()):
        with suppress(get_user_model().DoesNotExist), library.library_lock(user_id):
            entry = LibraryEntry.objects.select_related("media").filter(pk=pk).first()
            if entry is not None:
                identify_episodes(entry, only_new=True)
    Episode.objects.filter(season__isnull=True, viewings__isnull=True).delete()


def _record_failure(user_id: int, entry_id: int, on_recorded: OnRecorded) -> Result:
    """Leave an entry pending and put off its next look-up, longer each time."""
    result = Result(entry_id, LookupStatus.ERROR)
    with library.library_lock(user_id):
        waiting = LibraryEntry.objects.waiting().filter(pk=entry_id)
        entry = waiting.only("pk", "lookup_attempts").first()
        if entry is not None:
            if entry.lookup_attempts + 1 >= ATTEMPTS_BEFORE_ERROR:
                entry.lookup_status = LookupStatus.ERROR
            wait_for = FIRST_RETRY * 2 ** min(entry.lookup_attempts, 16)
            entry.next_lookup_at = timezone.now() + min(wait_for, LAST_RETRY)
            entry.lookup_attempts += 1
            entry.save(update_fields=["lookup_status", "lookup_attempts", "next_lookup_at"])
        on_recorded(result)
    return result


def _put_off(entry_ids: Iterable[int | None]) -> None:
    """Have nobody ask about entries for a while, without counting that against them."""
    LibraryEntry.objects.filter(pk__in=list(entry_ids), next_lookup_at__isnull=True).update(
        next_lookup_at=timezone.now() + FIRST_RETRY
    )
