"""From a file read to viewings in a user's library, in short transactions.

All rows of one title are stored together, and a title's viewings follow from the claims that
imports have on it: which days belong to one viewing (rule 6), its time, duration and profile.
So the order of imports does not matter, and undoing one leaves what the others would have made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat

from imports.models import Claim, Import, ImportProblem, Outcome, State
from imports.reading import Kind, Reading, Row, name_key
from media import library
from media.keys import digest, fingerprint
from media.models import Decision, EntryName, MediaType, Source, Viewing, ViewingKind

# Titles in one transaction: well under a second on both databases (rule 19).
CHUNK = 500
MAX_NUMBER = 2**31 - 1

Day = date | None


@dataclass(slots=True)
class Play:
    """What the file says of one title on one day: its rows, partial plays summed."""

    row: Row
    day: date
    watched_at: datetime | None
    duration_seconds: int | None


def plays_by_title(rows: Iterable[Row]) -> dict[str, list[Play]]:
    """The viewings that a file shows, by title key, both in file order."""
    titles: dict[str, dict[date, Play]] = {}
    for row in rows:
        if row.kind not in (Kind.EPISODE, Kind.MOVIE) or row.watched_on is None:
            continue
        plays = titles.setdefault(row.title_key, {})
        play = plays.get(row.watched_on)
        if play is None:
            plays[row.watched_on] = Play(row, row.watched_on, row.watched_at, row.duration_seconds)
            continue
        if row.duration_seconds is not None:
            play.duration_seconds = (play.duration_seconds or 0) + row.duration_seconds
        if row.watched_at and play.watched_at:
            play.watched_at = min(play.watched_at, row.watched_at)
    return {title: list(plays.values()) for title, plays in titles.items()}


def pair_days(timed: Collection[date], listed: Collection[date]) -> list[tuple[Day, Day]]:
    """Which days of one title are one viewing: (timed day, listed day), None where alone.

    Nearest first: equal days, then neighbours from the earliest on. The result depends on the
    two sets alone, and so not on the order in which files were imported.
    """
    free_timed, free_listed = set(timed), set(listed)
    pairs: list[tuple[Day, Day]] = []
    for step in (0, 1):
        for day in sorted(free_timed):
            for other in (day - timedelta(days=step), day + timedelta(days=step)):
                if other in free_listed:
                    pairs.append((day, other))
                    free_timed.discard(day)
                    free_listed.discard(other)
                    break
    pairs += [(day, None) for day in sorted(free_timed)]
    pairs += [(None, day) for day in sorted(free_listed)]
    return pairs


class Stopped(Exception):
    """The import was cancelled, or somebody else goes on with it; nothing more is written."""


def store(
    of_import: Import,
    reading: Reading,
    on_chunk: Callable[[Import], None] = lambda of_import: None,
) -> None:
    """Store a reading, from where an earlier run of the same import stopped.

    The import's counts grow with each chunk, after which `on_chunk` is called. Raises Stopped
    when the import is no longer `storing`, or when another run stored a chunk of it.
    """
    titles = plays_by_title(reading.rows)
    if not of_import.stored_titles:
        _store_problems(of_import, reading.rows)
    remaining = islice(titles.items(), of_import.stored_titles, None)
    while chunk := dict(islice(remaining, CHUNK)):
        with library.library_lock(of_import.user_id):
            _store_chunk(of_import, chunk)
        of_import.refresh_from_db()
        on_chunk(of_import)


def undo(of_import: Import) -> None:
    """Withdraw an import's claims (rule 18): viewings that nothing else claims go.

    What somebody marked or decided by hand stays. Takes the library's lock, chunk by chunk.
    """
    while True:
        with library.library_lock(of_import.user_id):
            hashes = set(
                of_import.claims.order_by("pk").values_list("viewing__title_hash", flat=True)[
                    :CHUNK
                ]
            )
            if not hashes:
                Import.objects.filter(pk=of_import.pk).update(state=State.UNDONE)
                of_import.refresh_from_db()
                return
            of_import.claims.filter(viewing__title_hash__in=hashes).delete()
            _write(of_import.user_id, {title_hash: _Title() for title_hash in hashes})


def _store_problems(of_import: Import, rows: Sequence[Row]) -> None:
    outcomes = {Kind.SKIPPED: Outcome.SKIPPED, Kind.ERROR: Outcome.FAILED}
    problems = [
        ImportProblem(
            of_import=of_import,
            line=row.line,
            title=_storable(row.title),
            outcome=outcomes[row.kind],
            reason=_storable(str(row.reason)),
        )
        for row in rows
        if row.kind in outcomes
    ]
    failed = sum(problem.outcome == Outcome.FAILED for problem in problems)
    with transaction.atomic():
        of_import.problems.all().delete()
        ImportProblem.objects.bulk_create(problems, batch_size=1000)
        Import.objects.filter(pk=of_import.pk).update(
            rows=len(rows),
            rows_failed=failed,
            rows_skipped=len(problems) - failed,
            rows_repeated=sum(row.same_viewing_as is not None for row in rows),
        )


@dataclass(slots=True)
class _Title:
    """What is to be written of one title: how it reads now, and an import's new claims.

    Without a reading the viewings keep the one they have.
    """

    reading: Viewing | None = None
    claims: list[Claim] = field(default_factory=list)


@dataclass(slots=True)
class _Group:
    """The claims that make one viewing, and the days that they give it."""

    timed_on: Day
    listed_on: Day
    claims: list[Claim]


def _store_chunk(of_import: Import, chunk: Mapping[str, list[Play]]) -> None:
    readings = _readings(of_import.user_id, {title: plays[0] for title, plays in chunk.items()})
    titles = {
        reading.title_hash: _Title(reading, [_claim(of_import, play) for play in plays])
        for reading, plays in zip(readings, chunk.values(), strict=True)
    }
    new, known = _write(of_import.user_id, titles)
    still_ours = Import.objects.filter(
        pk=of_import.pk, state=State.STORING, stored_titles=of_import.stored_titles
    )
    if not still_ours.update(
        stored_titles=F("stored_titles") + len(chunk),
        rows_new=F("rows_new") + new,
        rows_known=F("rows_known") + known,
    ):
        raise Stopped


OVERRULING = {
    (MediaType.TV_SERIES.value, Decision.MOVIE.value),
    (MediaType.MOVIE.value, Decision.SERIES.value),
}


def _readings(user_id: int, plays: Mapping[str, Play]) -> list[Viewing]:
    """An unsaved viewing per title key, with what the title reads as; names are made."""
    films = set(
        EntryName.objects.filter(
            user_id=user_id, media_type=MediaType.MOVIE, decision=Decision.MOVIE
        ).values_list("key", flat=True)
    )
    wanted = {
        title: _movie_name(title, play.row)
        if films and digest(title) in films
        else _name(title, play.row)
        for title, play in plays.items()
    }
    names = library.find_or_create_names(user_id, wanted.values())
    by_title = {
        title: names[new.media_type.value, library.bounded_key(new.key)]
        for title, new in wanted.items()
    }
    overruled = {
        title: _name_as_decided(title, plays[title].row, name)
        for title, name in by_title.items()
        if (name.media_type, name.decision) in OVERRULING
    }
    if overruled:
        names = library.find_or_create_names(user_id, overruled.values())
        by_title |= {
            title: names[new.media_type.value, library.bounded_key(new.key)]
            for title, new in overruled.items()
        }
    return [_reading(user_id, title, play.row, by_title[title]) for title, play in plays.items()]


def _name(title: str, row: Row) -> library.NewName:
    series = _storable(row.series or "")
    if row.kind == Kind.EPISODE and series:
        return library.NewName(MediaType.TV_SERIES, series, name_key(series), row.language or "")
    return _movie_name(title, row)


def _movie_name(title: str, row: Row) -> library.NewName:
    return library.NewName(MediaType.MOVIE, _tidy(row.title), digest(title), row.language or "")


def _name_as_decided(title: str, row: Row, name: EntryName) -> library.NewName:
    """The name to use where a person said that a name is a movie, or a series, after all."""
    if name.media_type == MediaType.TV_SERIES:
        return _movie_name(title, row)
    other = _storable((row.alternative and row.alternative.series) or "")
    series = other or _tidy(row.title)
    return library.NewName(MediaType.TV_SERIES, series, name_key(series), row.language or "")


def _reading(user_id: int, title: str, row: Row, name: EntryName) -> Viewing:
    viewing = Viewing(
        user_id=user_id,
        entry_id=name.entry_id,
        name_id=name.pk,
        kind=ViewingKind.MOVIE,
        raw_title=_storable(row.title),
        title_hash=digest(title),
        source=Source.FILE,
        reading_uncertain=row.reading_uncertain,
    )
    if row.alternative is not None:
        viewing.alternative = {
            "kind": row.alternative.kind.value,
            "series": row.alternative.series,
            "season_number": row.alternative.season_number,
            "episode_title": row.alternative.episode_title,
            "reason": str(row.reason),
        }
    if name.media_type == MediaType.TV_SERIES:
        viewing.kind = ViewingKind.EPISODE
        viewing.season_number = _bounded(row.season_number)
        viewing.season_inferred = row.season_inferred
        viewing.season_name = _storable(row.season_name or "")[:300]
        viewing.episode_number = _bounded(row.episode_number)
        viewing.episode_title = _storable(row.episode_title or "")
    return viewing


def _claim(of_import: Import, play: Play) -> Claim:
    return Claim(
        of_import=of_import,
        line=play.row.line,
        day=play.day,
        watched_at=play.watched_at,
        duration_seconds=_bounded(play.duration_seconds),
        profile=_storable(play.row.profile or "")[:200],
    )


def _write(user_id: int, titles: Mapping[str, _Title]) -> tuple[int, int]:
    """Make the viewings of some titles, by title hash, what their claims say.

    Returns how many of the new claims made a viewing, and how many met one. A fixed number of
    queries for any number of titles.
    """
    stored: dict[str, list[Viewing]] = defaultdict(list)
    for viewing in Viewing.objects.filter(
        user_id=user_id, title_hash__in=list(titles), source=Source.FILE
    ).order_by("pk"):
        stored[viewing.title_hash].append(viewing)
    claims: dict[int, list[Claim]] = defaultdict(list)
    if stored:
        ids = [viewing.pk for there in stored.values() for viewing in there]
        for claim in Claim.objects.filter(viewing_id__in=ids).order_by("pk"):
            claims[claim.viewing_id].append(claim)

    created: list[Viewing] = []
    changed: list[Viewing] = []
    renamed: list[Viewing] = []
    dropped: list[Viewing] = []
    fresh: list[Claim] = []
    moved: list[Claim] = []
    touched: set[int] = set()
    known = 0
    for title_hash, title in titles.items():
        there = stored.get(title_hash, [])
        old = [claim for viewing in there for claim in claims[viewing.pk]]
        groups = _groups(there, old, title.claims)
        kept = _keepers(there, groups)
        for keeper, group in zip(kept, groups, strict=True):
            if keeper is None:
                viewing = copy(title.reading or there[0])
                viewing.pk = None
                _apply(viewing, group)
                created.append(viewing)
            else:
                viewing = keeper
                identity = viewing.fingerprint
                known += sum(claim._state.adding for claim in group.claims)
                touched_before = viewing.entry_id
                if _apply(viewing, group) | _reread(viewing, title.reading):
                    changed.append(viewing)
                    touched |= {touched_before, viewing.entry_id}
                if viewing.fingerprint != identity:
                    renamed.append(viewing)
            for claim in group.claims:
                if claim._state.adding:
                    claim.viewing = viewing
                    fresh.append(claim)
                elif claim.viewing_id != viewing.pk:
                    claim.viewing = viewing
                    moved.append(claim)
        dropped += _dropped(there, kept, groups)

    touched |= {viewing.entry_id for viewing in [*created, *dropped]}
    if moved:
        Claim.objects.filter(pk__in=[claim.pk for claim in moved]).delete()
    if dropped:
        Viewing.objects.filter(pk__in=[viewing.pk for viewing in dropped]).delete()
    if renamed:
        # Two viewings of one title may swap fingerprints.
        Viewing.objects.filter(pk__in=[viewing.pk for viewing in renamed]).update(
            fingerprint=Concat(Value("~"), Cast("pk", CharField()))
        )
    Viewing.objects.bulk_update(changed, WRITTEN, batch_size=100)
    Viewing.objects.bulk_create(created)
    for claim in [*fresh, *moved]:
        claim.pk = None
        claim.viewing_id = claim.viewing.pk
    Claim.objects.bulk_create([*moved, *fresh])
    library.recount(touched - library.remove_empty_entries(touched))
    return len(fresh) - known, known


WRITTEN = [
    "fingerprint",
    "day",
    "listed_on",
    "watched_at",
    "duration_seconds",
    "profile",
    "dismissed_at",
    "entry",
    "name",
    "kind",
    "season_number",
    "season_inferred",
    "season_name",
    "episode_number",
    "episode_title",
    "reading_uncertain",
    "alternative",
]


def _timed_on(viewing: Viewing) -> Day:
    return viewing.watched_at.date() if viewing.watched_at else None


def _groups(there: Sequence[Viewing], old: Iterable[Claim], new: Iterable[Claim]) -> list[_Group]:
    timed: dict[date, list[Claim]] = defaultdict(list)
    listed: dict[date, list[Claim]] = defaultdict(list)
    for claim in [*old, *new]:
        (timed if claim.watched_at else listed)[claim.day].append(claim)
    for viewing in there:
        # A mark by hand keeps a viewing that no import claims any more.
        if viewing.dismissed_at:
            if (day := _timed_on(viewing)) is not None:
                timed.setdefault(day, [])
            if viewing.listed_on is not None:
                listed.setdefault(viewing.listed_on, [])
    return [
        _Group(
            timed_on,
            listed_on,
            [
                *(timed[timed_on] if timed_on else ()),
                *(listed[listed_on] if listed_on else ()),
            ],
        )
        for timed_on, listed_on in pair_days(timed, listed)
    ]


def _keepers(there: Sequence[Viewing], groups: Sequence[_Group]) -> list[Viewing | None]:
    """Which stored viewing each group goes on with: one of both its days, or of either."""
    kept: list[Viewing | None] = [None] * len(groups)
    free = {viewing.pk: viewing for viewing in there}
    rounds: tuple[Callable[[Day, Day], object], ...] = (
        lambda timed_on, listed_on: (timed_on, listed_on),
        lambda timed_on, listed_on: listed_on,
        lambda timed_on, listed_on: timed_on,
    )
    for key in rounds:
        if not free:
            break
        index = {key(_timed_on(v), v.listed_on): v for v in free.values()}
        index.pop(None, None)
        for place, group in enumerate(groups):
            if kept[place] is None and (
                found := index.pop(key(group.timed_on, group.listed_on), None)
            ):
                kept[place] = free.pop(found.pk)
    return kept


def _dropped(
    there: Sequence[Viewing], kept: Sequence[Viewing | None], groups: Sequence[_Group]
) -> list[Viewing]:
    """The stored viewings that no group goes on with; a dismissal passes to its group."""
    stays = {viewing.pk for viewing in kept if viewing is not None}
    gone = [viewing for viewing in there if viewing.pk not in stays]
    for viewing in gone:
        for heir, group in zip(kept, groups, strict=True):
            if (
                heir is not None
                and viewing.dismissed_at
                and (_timed_on(viewing), viewing.listed_on) != (None, None)
                and (_timed_on(viewing) == group.timed_on or viewing.listed_on == group.listed_on)
            ):
                heir.dismissed_at = heir.dismissed_at or viewing.dismissed_at
    return gone


def _apply(viewing: Viewing, group: _Group) -> bool:
    """Set what follows from the claims; whether that changed anything."""
    timed = [claim for claim in group.claims if claim.watched_at]
    durations = [c.duration_seconds for c in timed if c.duration_seconds is not None]
    day = group.timed_on or group.listed_on
    facts: dict[str, object] = {
        "day": day,
        "fingerprint": fingerprint(viewing.title_hash, day),
        "listed_on": group.listed_on,
    }
    if group.claims:
        facts |= {
            "watched_at": min((c.watched_at for c in timed if c.watched_at), default=None),
            "duration_seconds": max(durations, default=None),
            "profile": next((c.profile for c in timed if c.profile), ""),
        }
    changed = False
    for attribute, value in facts.items():
        if getattr(viewing, attribute) != value:
            setattr(viewing, attribute, value)
            changed = True
    return changed


READ = [
    "entry_id",
    "name_id",
    "kind",
    "season_number",
    "season_inferred",
    "season_name",
    "episode_number",
    "episode_title",
    "reading_uncertain",
    "alternative",
]


def _reread(viewing: Viewing, reading: Viewing | None) -> bool:
    """Take a newer reading of the title, unless it is less certain than the one there is."""
    if reading is None or (reading.reading_uncertain and not viewing.reading_uncertain):
        return False
    changed = False
    for attribute in READ:
        value = getattr(reading, attribute)
        if getattr(viewing, attribute) != value:
            setattr(viewing, attribute, value)
            changed = True
    return changed


def _tidy(title: str) -> str:
    return " ".join(_storable(title).split()) or "?"


def _storable(text: str) -> str:
    """Without what PostgreSQL cannot hold in a text: NUL and lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def _bounded(number: int | None) -> int | None:
    return number if number is not None and 0 <= number <= MAX_NUMBER else None
