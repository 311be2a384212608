"""Which viewings the claims on a title make, and what they say (rules 6 and 18). Pure.

Every import claims the days on which a file shows a title. All claims on one title are looked
at together, so that the order of imports does not matter, and that withdrawing one leaves what
the others alone would have made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from operator import attrgetter

from media.keys import fingerprint

Day = date | None


@dataclass(slots=True)
class StoredViewing:
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


COLUMNS = [attribute.name for attribute in fields(StoredViewing)]
READ = COLUMNS[COLUMNS.index("name_id") : COLUMNS.index("fingerprint")]


@dataclass(slots=True)
class StoredClaim:
    """A claim, likewise; without `pk` it is new."""

    pk: int | None
    viewing_id: int | None
    of_import_id: int
    line: int
    day: date
    watched_at: datetime | None
    duration_seconds: int | None
    profile: str


CLAIM_COLUMNS = [attribute.name for attribute in fields(StoredClaim)]


@dataclass(slots=True)
class Group:
    """The claims that make one viewing, and the days that they give it."""

    timed_on: Day
    listed_on: Day
    claims: list[StoredClaim]


def pair_days(timed: Collection[date], listed: Collection[date]) -> list[tuple[Day, Day]]:
    """Which days of one title are one viewing: (timed day, listed day), None where alone.

    Nearest first: equal days, then neighbours from the earliest on. The result depends on the
    two sets alone, and so not on the order in which files were imported.
    """
    if not timed:
        return [(None, day) for day in sorted(listed)]
    if not listed:
        return [(day, None) for day in sorted(timed)]
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


def group_claims(there: Sequence[StoredViewing], claims: Iterable[StoredClaim]) -> list[Group]:
    """The viewings that the claims on one title make, where `there` are stored already."""
    timed: dict[date, list[StoredClaim]] = defaultdict(list)
    listed: dict[date, list[StoredClaim]] = defaultdict(list)
    for claim in claims:
        (timed if claim.watched_at else listed)[claim.day].append(claim)
    for viewing in there:
        # A mark by hand keeps a viewing that no import claims any more.
        if viewing.dismissed_at:
            if (day := viewing.timed_on) is not None:
                timed.setdefault(day, [])
            if viewing.listed_on is not None:
                listed.setdefault(viewing.listed_on, [])
    return [
        Group(
            timed_on,
            listed_on,
            [
                *(timed[timed_on] if timed_on else ()),
                *(listed[listed_on] if listed_on else ()),
            ],
        )
        for timed_on, listed_on in pair_days(timed, listed)
    ]


def find_keepers(
    there: Sequence[StoredViewing], groups: Sequence[Group]
) -> list[StoredViewing | None]:
    """Which stored viewing each group goes on with: one of both its days, or of either."""
    kept: list[StoredViewing | None] = [None] * len(groups)
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


def find_dropped(
    there: Sequence[StoredViewing],
    kept: Sequence[StoredViewing | None],
    groups: Sequence[Group],
) -> tuple[list[StoredViewing], list[StoredViewing]]:
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


_claimed_of = attrgetter("day", "listed_on", "watched_at", "duration_seconds", "profile")


def apply_claims(viewing: StoredViewing, group: Group) -> bool:
    """Set what follows from the claims; whether that changed anything."""
    before = _claimed_of(viewing)
    day = group.timed_on or group.listed_on
    if day != viewing.day:
        viewing.day = day
        viewing.fingerprint = fingerprint(viewing.title_hash, day)
    viewing.listed_on = group.listed_on
    if group.claims:
        timed = [claim for claim in group.claims if claim.watched_at]
        viewing.watched_at = min((c.watched_at for c in timed if c.watched_at), default=None)
        viewing.duration_seconds = max(
            (c.duration_seconds for c in timed if c.duration_seconds is not None), default=None
        )
        viewing.profile = min(
            ((c.watched_at, c.profile) for c in timed if c.watched_at and c.profile),
            default=(None, ""),
        )[1]
    return before != _claimed_of(viewing)


_read_of = attrgetter(*READ)
_told_by = attrgetter("watched_at", "duration_seconds", "profile")


def find_unchanged(
    there: Sequence[StoredViewing], reading: StoredViewing | None, new: Sequence[StoredClaim]
) -> list[tuple[StoredClaim, StoredViewing]]:
    """Which viewing each new claim is on, where they change nothing; else nothing at all.

    So it is with a file imported again, and the other claims need not be looked at: each day is
    in the library by a claim of the same kind, and tells what that viewing shows already. What a
    mark by hand keeps may have lost its claims, and is looked at.
    """
    if any(viewing.dismissed_at or changes_reading(viewing, reading) for viewing in there):
        return []
    timed = {viewing.timed_on: viewing for viewing in there if viewing.watched_at}
    listed = {viewing.listed_on: viewing for viewing in there}
    placed = []
    for claim in new:
        viewing = (timed if claim.watched_at else listed).get(claim.day)
        if viewing is None or (claim.watched_at and _told_by(claim) != _told_by(viewing)):
            return []
        placed.append((claim, viewing))
    return placed


def apply_reading(viewing: StoredViewing, reading: StoredViewing | None) -> bool:
    """Take a newer reading of the title, unless it is less certain than the one there is."""
    if reading is None or not changes_reading(viewing, reading):
        return False
    for attribute in READ:
        setattr(viewing, attribute, getattr(reading, attribute))
    return True


def changes_reading(viewing: StoredViewing, reading: StoredViewing | None) -> bool:
    """Whether a newer reading of the title says something else, and is not less certain."""
    if reading is None or (reading.reading_uncertain and not viewing.reading_uncertain):
        return False
    return _read_of(viewing) != _read_of(reading)
