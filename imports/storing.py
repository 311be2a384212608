"""From a file read to viewings in a user's library, in short transactions.

All rows of one title are stored together, and a title's viewings follow from the claims that
imports have on it: which days belong to one viewing (rule 6), its time, duration and profile.
So the order of imports does not matter, and undoing one leaves what the others would have made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from operator import attrgetter

from django.db import transaction
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat

from imports.models import Claim, Import, ImportProblem, Outcome, State
from imports.reading import Kind, Reading, Row, name_key
from media import bulk, library
from media.keys import digest, fingerprint
from media.models import Decision, EntryName, MediaType, Source, Viewing, ViewingKind

# Titles in one transaction: well under a second on both databases (rule 19).
CHUNK = 1000
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
class _Viewing:
    """A viewing as the database has it or shall have it, without the cost of a model."""

    pk: int | None
    title_hash: str
    raw_title: str
    # How the title reads:
    name_id: int
    entry_id: int
    kind: str
    season_number: int | None = None
    season_inferred: bool = False
    season_name: str = ""
    episode_number: int | None = None
    episode_title: str = ""
    reading_uncertain: bool = False
    alternative: dict[str, object] | None = None
    # What follows from the claims:
    fingerprint: str = ""
    day: Day = None
    listed_on: Day = None
    watched_at: datetime | None = None
    duration_seconds: int | None = None
    profile: str = ""
    dismissed_at: datetime | None = None

    @property
    def timed_on(self) -> Day:
        return self.watched_at.date() if self.watched_at else None


COLUMNS = [attribute.name for attribute in fields(_Viewing)]
READ = COLUMNS[COLUMNS.index("name_id") : COLUMNS.index("fingerprint")]
WRITTEN = COLUMNS[COLUMNS.index("name_id") :]


@dataclass(slots=True)
class _Claim:
    """A claim, likewise; without `pk` it is new."""

    pk: int | None
    viewing_id: int | None
    of_import_id: int
    line: int
    day: date
    watched_at: datetime | None
    duration_seconds: int | None
    profile: str


CLAIM_COLUMNS = [attribute.name for attribute in fields(_Claim)]


@dataclass(slots=True)
class _Title:
    """What is to be written of one title: how it reads now, and an import's new claims.

    Without a reading the viewings keep the one they have.
    """

    reading: _Viewing | None = None
    claims: list[_Claim] = field(default_factory=list)


@dataclass(slots=True)
class _Group:
    """The claims that make one viewing, and the days that they give it."""

    timed_on: Day
    listed_on: Day
    claims: list[_Claim]


def _store_chunk(of_import: Import, chunk: Mapping[str, list[Play]]) -> None:
    readings = _readings(of_import.user_id, {title: plays[0] for title, plays in chunk.items()})
    titles = {
        reading.title_hash: _Title(reading, [_claim(of_import.pk, play) for play in plays])
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


def _readings(user_id: int, plays: Mapping[str, Play]) -> list[_Viewing]:
    """What each title key reads as, under names of the user's library; those are made."""
    hashes = {title: digest(title) for title in plays}
    # What was decided about a title itself comes before what it reads as.
    decided = {
        name.key: name
        for name in EntryName.objects.filter(
            user_id=user_id,
            media_type=MediaType.MOVIE,
            decision__in=[Decision.MOVIE, Decision.SERIES],
        ).select_related("decided_series")
    }
    wanted = {
        title: _movie_name(hashes[title], play.row)
        if hashes[title] in decided
        else _name(hashes[title], play.row)
        for title, play in plays.items()
    }
    by_title = _find_names(user_id, wanted)
    overruled = {
        title: name
        for title, name in by_title.items()
        if (name.media_type, name.decision) in OVERRULING
    }
    if overruled:
        chosen = {
            title: series
            for title in overruled
            if (name := decided.get(hashes[title])) and (series := name.decided_series)
        }
        others = {
            title: _name_as_decided(hashes[title], plays[title].row, name)
            for title, name in overruled.items()
            if title not in chosen
        }
        by_title |= chosen | _find_names(user_id, others)
    return [
        _reading(hashes[title], play.row, by_title[title], is_decided=hashes[title] in decided)
        for title, play in plays.items()
    ]


def _find_names(user_id: int, wanted: Mapping[str, library.NewName]) -> dict[str, EntryName]:
    names = library.find_or_create_names(user_id, wanted.values())
    return {
        title: names[new.media_type.value, library.bounded_key(new.key)]
        for title, new in wanted.items()
    }


def _name(title_hash: str, row: Row) -> library.NewName:
    series = _storable(row.series or "")
    if row.kind == Kind.EPISODE and series:
        return _series_name(series, row.language or "")
    return _movie_name(title_hash, row)


@lru_cache(maxsize=10_000)
def _series_name(series: str, language: str) -> library.NewName:
    return library.NewName(MediaType.TV_SERIES, series, name_key(series), language)


def _movie_name(title_hash: str, row: Row) -> library.NewName:
    return library.NewName(MediaType.MOVIE, _tidy(row.title), title_hash, row.language or "")


def _name_as_decided(title_hash: str, row: Row, name: EntryName) -> library.NewName:
    """The name to use where a person said that a name is a movie, or a series, after all."""
    if name.media_type == MediaType.TV_SERIES:
        return _movie_name(title_hash, row)
    other = _storable((row.alternative and row.alternative.series) or "")
    return _series_name(other or _tidy(row.title), row.language or "")


def _reading(title_hash: str, row: Row, name: EntryName, *, is_decided: bool) -> _Viewing:
    viewing = _Viewing(
        None,
        title_hash,
        _storable(row.title),
        name.pk,
        name.entry_id,
        ViewingKind.MOVIE.value,
        # What a person decided about the title or its name leaves no doubt.
        reading_uncertain=row.reading_uncertain
        and not is_decided
        and name.decision == Decision.NONE,
    )
    if row.alternative is not None:
        viewing.alternative = {
            "kind": row.alternative.kind.value,
            "series": row.alternative.series,
            "series_key": name_key(row.alternative.series or ""),
            "season_number": row.alternative.season_number,
            "episode_title": row.alternative.episode_title,
            "reason": str(row.reason),
        }
    if name.media_type == MediaType.TV_SERIES:
        viewing.kind = ViewingKind.EPISODE.value
        viewing.season_number = _bounded(row.season_number)
        viewing.season_inferred = row.season_inferred
        viewing.season_name = _storable(row.season_name or "")[:300]
        viewing.episode_number = _bounded(row.episode_number)
        viewing.episode_title = _storable(row.episode_title or "")
        if row.kind != Kind.EPISODE:
            library.fill_as_episode(viewing, name.name)
    return viewing


def _claim(import_id: int, play: Play) -> _Claim:
    return _Claim(
        None,
        None,
        import_id,
        play.row.line,
        play.day,
        play.watched_at,
        _bounded(play.duration_seconds),
        _storable(play.row.profile or "")[:200],
    )


def _write(user_id: int, titles: Mapping[str, _Title]) -> tuple[int, int]:
    """Make the viewings of some titles, by title hash, what their claims say.

    Returns how many of the new claims made a viewing, and how many met one. A fixed number of
    queries for any number of titles.
    """
    stored: dict[str, list[_Viewing]] = defaultdict(list)
    for values in (
        Viewing.objects.filter(user_id=user_id, title_hash__in=list(titles), source=Source.FILE)
        .order_by("pk")
        .values_list(*COLUMNS)
    ):
        viewing = _Viewing(*values)
        stored[viewing.title_hash].append(viewing)
    claims: dict[int | None, list[_Claim]] = defaultdict(list)
    if stored:
        ids = [viewing.pk for there in stored.values() for viewing in there if viewing.pk]
        of_viewings = Claim.objects.filter(viewing_id__in=ids).order_by("pk")
        for values in of_viewings.values_list(*CLAIM_COLUMNS):
            claim = _Claim(*values)
            claims[claim.viewing_id].append(claim)

    created: list[_Viewing] = []
    changed: dict[int | None, _Viewing] = {}
    renamed: list[_Viewing] = []
    dropped: list[_Viewing] = []
    placed: list[tuple[_Claim, _Viewing]] = []
    touched: set[int] = set()
    known = 0
    for title_hash, title in titles.items():
        there = stored.get(title_hash, [])
        old = [claim for viewing in there for claim in claims[viewing.pk]]
        groups = _groups(there, old, title.claims)
        kept = _keepers(there, groups)
        for keeper, group in zip(kept, groups, strict=True):
            if keeper is None:
                viewing = replace(title.reading or there[0], pk=None, dismissed_at=None)
                _apply(viewing, group)
                created.append(viewing)
            else:
                viewing = keeper
                identity, entry_id = viewing.fingerprint, viewing.entry_id
                known += sum(claim.pk is None for claim in group.claims)
                if _apply(viewing, group) | _reread(viewing, title.reading):
                    changed[viewing.pk] = viewing
                    touched |= {entry_id, viewing.entry_id}
                if viewing.fingerprint != identity:
                    renamed.append(viewing)
            placed += [
                (claim, viewing)
                for claim in group.claims
                if claim.pk is None or claim.viewing_id != viewing.pk
            ]
        gone, heirs = _dropped(there, kept, groups)
        dropped += gone
        changed |= {viewing.pk: viewing for viewing in heirs}

    touched |= {viewing.entry_id for viewing in [*created, *dropped]}
    if moved := [claim.pk for claim, _ in placed if claim.pk is not None]:
        Claim.objects.filter(pk__in=moved).delete()
    if dropped:
        Viewing.objects.filter(pk__in=[v.pk for v in dropped if v.pk]).delete()
    if renamed:
        # Two viewings of one title may swap fingerprints.
        Viewing.objects.filter(pk__in=[v.pk for v in renamed if v.pk]).update(
            fingerprint=Concat(Value("~"), Cast("pk", CharField()))
        )
    values_of = attrgetter(*WRITTEN, "pk")
    bulk.update(Viewing, WRITTEN, (values_of(viewing) for viewing in changed.values()))
    _insert_viewings(user_id, created)
    bulk.insert(
        Claim,
        CLAIM_COLUMNS[1:],
        (
            (
                viewing.pk,
                claim.of_import_id,
                claim.line,
                claim.day,
                claim.watched_at,
                claim.duration_seconds,
                claim.profile,
            )
            for claim, viewing in placed
        ),
    )
    library.recount(touched - library.remove_empty_entries(touched))
    return len(placed) - len(moved) - known, known


def _insert_viewings(user_id: int, viewings: Sequence[_Viewing]) -> None:
    """Insert new viewings, and set their primary keys."""
    if not viewings:
        return
    values = attrgetter(*COLUMNS[1:])
    bulk.insert(
        Viewing,
        ["user_id", "source", *COLUMNS[1:]],
        ((user_id, Source.FILE.value, *values(viewing)) for viewing in viewings),
    )
    keys = dict(
        Viewing.objects.filter(
            user_id=user_id, fingerprint__in=[viewing.fingerprint for viewing in viewings]
        ).values_list("fingerprint", "pk")
    )
    for viewing in viewings:
        viewing.pk = keys[viewing.fingerprint]


def _groups(
    there: Sequence[_Viewing], old: Iterable[_Claim], new: Iterable[_Claim]
) -> list[_Group]:
    timed: dict[date, list[_Claim]] = defaultdict(list)
    listed: dict[date, list[_Claim]] = defaultdict(list)
    for claim in [*old, *new]:
        (timed if claim.watched_at else listed)[claim.day].append(claim)
    for viewing in there:
        # A mark by hand keeps a viewing that no import claims any more.
        if viewing.dismissed_at:
            if (day := viewing.timed_on) is not None:
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


def _keepers(there: Sequence[_Viewing], groups: Sequence[_Group]) -> list[_Viewing | None]:
    """Which stored viewing each group goes on with: one of both its days, or of either."""
    kept: list[_Viewing | None] = [None] * len(groups)
    free = {viewing.pk: viewing for viewing in there}
    rounds: tuple[Callable[[Day, Day], object], ...] = (
        lambda timed_on, listed_on: (timed_on, listed_on),
        lambda timed_on, listed_on: listed_on,
        lambda timed_on, listed_on: timed_on,
    )
    for key in rounds:
        if not free:
            break
        index = {key(v.timed_on, v.listed_on): v for v in free.values()}
        index.pop(None, None)
        for place, group in enumerate(groups):
            if kept[place] is None:
                found = index.pop(key(group.timed_on, group.listed_on), None)
                if found is not None:
                    kept[place] = free.pop(found.pk)
    return kept


def _dropped(
    there: Sequence[_Viewing], kept: Sequence[_Viewing | None], groups: Sequence[_Group]
) -> tuple[list[_Viewing], list[_Viewing]]:
    """The stored viewings that no group goes on with, and those that inherit a dismissal."""
    stays = {viewing.pk for viewing in kept if viewing is not None}
    gone = [viewing for viewing in there if viewing.pk not in stays]
    heirs = []
    for viewing in gone:
        for heir, group in zip(kept, groups, strict=True):
            same_day = (viewing.timed_on and viewing.timed_on == group.timed_on) or (
                viewing.listed_on and viewing.listed_on == group.listed_on
            )
            if heir and same_day and viewing.dismissed_at and not heir.dismissed_at:
                heir.dismissed_at = viewing.dismissed_at
                heirs.append(heir)
    return gone, heirs


def _apply(viewing: _Viewing, group: _Group) -> bool:
    """Set what follows from the claims; whether that changed anything."""
    before = (
        viewing.day,
        viewing.listed_on,
        viewing.watched_at,
        viewing.duration_seconds,
        viewing.profile,
    )
    viewing.day = group.timed_on or group.listed_on
    viewing.fingerprint = fingerprint(viewing.title_hash, viewing.day)
    viewing.listed_on = group.listed_on
    if group.claims:
        timed = [claim for claim in group.claims if claim.watched_at]
        viewing.watched_at = min((c.watched_at for c in timed if c.watched_at), default=None)
        viewing.duration_seconds = max(
            (c.duration_seconds for c in timed if c.duration_seconds is not None), default=None
        )
        viewing.profile = next((c.profile for c in timed if c.profile), "")
    return before != (
        viewing.day,
        viewing.listed_on,
        viewing.watched_at,
        viewing.duration_seconds,
        viewing.profile,
    )


_read_of = attrgetter(*READ)


def _reread(viewing: _Viewing, reading: _Viewing | None) -> bool:
    """Take a newer reading of the title, unless it is less certain than the one there is."""
    if reading is None or (reading.reading_uncertain and not viewing.reading_uncertain):
        return False
    if _read_of(viewing) == _read_of(reading):
        return False
    for attribute in READ:
        setattr(viewing, attribute, getattr(reading, attribute))
    return True


def _tidy(title: str) -> str:
    return " ".join(_storable(title).split()) or "?"


def _storable(text: str) -> str:
    """Without what PostgreSQL cannot hold in a text: NUL and lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def _bounded(number: int | None) -> int | None:
    return number if number is not None and 0 <= number <= MAX_NUMBER else None
