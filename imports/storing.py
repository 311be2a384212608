"""Storing what a file says: some titles in one short transaction, under the library's lock.

A title's viewings follow from the claims that imports have on it (`deriving.py`). So the order
of imports does not matter, and undoing one leaves what the others would have made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from operator import attrgetter

from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat

from imports.deriving import (
    CLAIM_COLUMNS,
    COLUMNS,
    Group,
    StoredClaim,
    StoredViewing,
    apply_claims,
    apply_reading,
    find_dropped,
    find_keepers,
    find_unchanged,
    group_claims,
)
from imports.models import Claim
from imports.parts import Title
from imports.reading import name_key
from media import bulk, library
from media.models import Decision, EntryName, MediaType, Source, Viewing, ViewingKind

WRITTEN = COLUMNS[COLUMNS.index("name_id") :]


@dataclass(frozen=True, slots=True)
class Stored:
    """Of the plays stored: how many the import brought, and how many were there without it."""

    new: int
    known: int


@dataclass(slots=True)
class Changes:
    """What becomes of some titles' viewings and claims."""

    created: list[StoredViewing] = field(default_factory=list)
    changed: dict[int | None, StoredViewing] = field(default_factory=dict)
    renamed: list[StoredViewing] = field(default_factory=list)
    dropped: list[StoredViewing] = field(default_factory=list)
    placed: list[tuple[StoredClaim, StoredViewing]] = field(default_factory=list)
    withdrawn: list[StoredClaim] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)
    """Entries whose counts may change."""
    new: int = 0
    known: int = 0


def store_titles(user_id: int, import_id: int, titles: Sequence[Title]) -> Stored:
    """Make an import claim these titles' plays, instead of what it claimed of them before.

    A title without plays is claimed no more: viewings that nothing else claims go, what
    somebody marked by hand stays. Needs the library's lock. A fixed number of queries,
    whatever the number of titles.
    """
    readings = _readings(user_id, [title for title in titles if title.plays])
    viewings, claimed = _viewings_of(user_id, import_id, [title.title_hash for title in titles])
    changes = Changes()
    others: list[tuple[Title, list[StoredClaim]]] = []
    for title in titles:
        there = viewings.get(title.title_hash, [])
        new = [StoredClaim(None, None, import_id, *play) for play in title.plays]
        same = find_unchanged(there, readings.get(title.title_hash), new)
        if same and title.title_hash not in claimed:
            changes.placed += same
            changes.known += len(same)
        else:
            others.append((title, new))
    claims = _claims_on(
        viewing for title, _ in others for viewing in viewings.get(title.title_hash, ())
    )
    for title, new in others:
        there = viewings.get(title.title_hash, [])
        old = [claim for viewing in there for claim in claims.get(viewing.pk, ())]
        _derive(changes, import_id, readings.get(title.title_hash), there, old, new)
    _write(user_id, changes)
    return Stored(changes.new, changes.known)


def count_titles(user_id: int, titles: Sequence[Title]) -> Stored:
    """What `store_titles` would count for an import that claims nothing yet. Writes nothing."""
    viewings, _claimed = _viewings_of(user_id, 0, [title.title_hash for title in titles])
    claims = _claims_on(viewing for there in viewings.values() for viewing in there)
    new = known = 0
    for title in titles:
        there = viewings.get(title.title_hash, [])
        old = [claim for viewing in there for claim in claims.get(viewing.pk, ())]
        claimed = [StoredClaim(None, None, 0, *play) for play in title.plays]
        groups = group_claims(there, [*old, *claimed])
        for keeper, group in zip(find_keepers(there, groups), groups, strict=True):
            number = sum(claim.pk is None for claim in group.claims)
            if keeper is None:
                new += number
            else:
                known += number
    return Stored(new, known)


def _viewings_of(
    user_id: int, import_id: int, hashes: Sequence[str]
) -> tuple[dict[str, list[StoredViewing]], set[str]]:
    """The viewings of some titles by title hash, and which titles the import claims already."""
    viewings: dict[str, list[StoredViewing]] = defaultdict(list)
    claimed = set()
    own = Claim.objects.filter(of_import_id=import_id, viewing=OuterRef("pk"))
    of_titles = Viewing.objects.filter(
        user_id=user_id, title_hash__in=hashes, source=Source.FILE
    ).order_by()
    for *values, is_claimed in of_titles.values_list(*COLUMNS, Exists(own)):
        viewing = StoredViewing(*values)
        viewings[viewing.title_hash].append(viewing)
        if is_claimed:
            claimed.add(viewing.title_hash)
    for there in viewings.values():
        there.sort(key=attrgetter("pk"))
    return viewings, claimed


def _claims_on(viewings: Iterable[StoredViewing]) -> dict[int | None, list[StoredClaim]]:
    """All claims on some viewings, by viewing."""
    claims: dict[int | None, list[StoredClaim]] = defaultdict(list)
    keys = [viewing.pk for viewing in viewings if viewing.pk]
    if keys:
        for values in Claim.objects.filter(viewing_id__in=keys).values_list(*CLAIM_COLUMNS):
            claim = StoredClaim(*values)
            claims[claim.viewing_id].append(claim)
    return claims


def _derive(
    changes: Changes,
    import_id: int,
    reading: StoredViewing | None,
    there: Sequence[StoredViewing],
    old: Sequence[StoredClaim],
    new: Sequence[StoredClaim],
) -> None:
    """Work out what becomes of the viewings `there` are of one title."""
    own = [claim for claim in old if claim.of_import_id == import_id]
    brought = _brought(import_id, old) if own else frozenset()
    changes.withdrawn += own
    groups = group_claims(there, [*(c for c in old if c.of_import_id != import_id), *new])
    kept = find_keepers(there, groups)
    for keeper, group in zip(kept, groups, strict=True):
        claimed = sum(claim.pk is None for claim in group.claims)
        if keeper is None:
            viewing = replace(reading or there[0], pk=None, day=None, dismissed_at=None)
            apply_claims(viewing, group)
            changes.created.append(viewing)
            changes.touched.add(viewing.entry_id)
            changes.new += claimed
        else:
            viewing = keeper
            _keep(changes, viewing, group, reading)
            if viewing.pk in brought:
                changes.new += claimed
            else:
                changes.known += claimed
        changes.placed += [
            (claim, viewing)
            for claim in group.claims
            if claim.pk is None or claim.viewing_id != viewing.pk
        ]
    if len(there) > len(groups) - kept.count(None):
        gone, heirs = find_dropped(there, kept, groups)
        changes.dropped += gone
        changes.touched |= {viewing.entry_id for viewing in gone}
        changes.changed |= {viewing.pk: viewing for viewing in heirs}


def _brought(import_id: int, claims: Iterable[StoredClaim]) -> frozenset[int | None]:
    """The viewings that an import brought into the library: those that it claimed first."""
    first: dict[int | None, int] = {}
    for claim in sorted(claims, key=lambda claim: claim.pk or 0):
        first.setdefault(claim.viewing_id, claim.of_import_id)
    return frozenset(pk for pk, claimed_by in first.items() if claimed_by == import_id)


def _keep(
    changes: Changes, viewing: StoredViewing, group: Group, reading: StoredViewing | None
) -> None:
    """Go on with a stored viewing, changed where its claims or its reading are."""
    identity, entry_id = viewing.fingerprint, viewing.entry_id
    if apply_claims(viewing, group) | apply_reading(viewing, reading):
        changes.changed[viewing.pk] = viewing
        changes.touched |= {entry_id, viewing.entry_id}
    if viewing.fingerprint != identity:
        changes.renamed.append(viewing)


def _write(user_id: int, changes: Changes) -> None:
    if changes.withdrawn:
        Claim.objects.filter(pk__in=[claim.pk for claim in changes.withdrawn]).delete()
    if changes.renamed or changes.dropped:
        # Viewings of one title may swap fingerprints, or leave theirs to a new one.
        _viewings([*changes.renamed, *changes.dropped]).update(
            fingerprint=Concat(Value("~"), Cast("pk", CharField()))
        )
    values_of = attrgetter(*WRITTEN, "pk")
    bulk.update(Viewing, WRITTEN, (values_of(viewing) for viewing in changes.changed.values()))
    _insert_viewings(user_id, changes.created)
    moved = [(viewing.pk, claim.pk) for claim, viewing in changes.placed if claim.pk is not None]
    bulk.update(Claim, ["viewing_id"], moved)
    _insert_claims((claim, viewing) for claim, viewing in changes.placed if claim.pk is None)
    if changes.dropped:
        _viewings(changes.dropped).delete()
    if changes.touched:
        library.recount(changes.touched - library.remove_empty_entries(changes.touched))


def _viewings(stored: Iterable[StoredViewing]) -> QuerySet[Viewing]:
    return Viewing.objects.filter(pk__in=[viewing.pk for viewing in stored if viewing.pk])


def _insert_viewings(user_id: int, viewings: Sequence[StoredViewing]) -> None:
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


def _insert_claims(placed: Iterable[tuple[StoredClaim, StoredViewing]]) -> None:
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


OVERRULING = {
    (MediaType.TV_SERIES.value, Decision.MOVIE.value),
    (MediaType.MOVIE.value, Decision.SERIES.value),
}


def _readings(user_id: int, titles: Sequence[Title]) -> dict[str, StoredViewing]:
    """What each title reads as, by title hash, under names of the user's library."""
    # What was decided about a title itself comes before what it reads as.
    decided = {
        name.key: name
        for name in EntryName.objects.filter(
            user_id=user_id,
            media_type=MediaType.MOVIE,
            decision__in=[Decision.MOVIE, Decision.SERIES],
        ).select_related("decided_series")
    }
    names = _find_names(
        user_id,
        {
            title.title_hash: _movie_name(title) if title.title_hash in decided else _name(title)
            for title in titles
        },
    )
    others: dict[str, library.NewName] = {}
    for title in titles:
        name = names[title.title_hash]
        if (name.media_type, name.decision) in OVERRULING:
            of_title = decided.get(title.title_hash)
            if of_title is not None and of_title.decided_series is not None:
                names[title.title_hash] = of_title.decided_series
            else:
                others[title.title_hash] = _name_as_decided(title, name)
    if others:
        names |= _find_names(user_id, others)
    return {
        title.title_hash: _reading(
            title, names[title.title_hash], is_decided=title.title_hash in decided
        )
        for title in titles
    }


def _find_names(user_id: int, wanted: Mapping[str, library.NewName]) -> dict[str, EntryName]:
    names = library.find_or_create_names(user_id, wanted.values())
    return {
        title_hash: names[new.media_type.value, library.bounded_key(new.key)]
        for title_hash, new in wanted.items()
    }


def _name(title: Title) -> library.NewName:
    if title.kind == ViewingKind.EPISODE:
        return _series_name(title.series, title.language)
    return _movie_name(title)


@lru_cache(maxsize=10_000)
def _series_name(series: str, language: str) -> library.NewName:
    return library.NewName(MediaType.TV_SERIES, series, name_key(series), language)


def _movie_name(title: Title) -> library.NewName:
    return library.NewName(MediaType.MOVIE, tidy(title.raw_title), title.title_hash, title.language)


def _name_as_decided(title: Title, name: EntryName) -> library.NewName:
    """The name to use where a person said that a name is a movie, or a series, after all."""
    if name.media_type == MediaType.TV_SERIES:
        return _movie_name(title)
    return _series_name(title.series or tidy(title.raw_title), title.language)


def _reading(title: Title, name: EntryName, *, is_decided: bool) -> StoredViewing:
    viewing = StoredViewing(
        None,
        title.title_hash,
        title.raw_title,
        name.pk,
        name.entry_id,
        ViewingKind.MOVIE.value,
        # What a person decided about the title or its name leaves no doubt.
        reading_uncertain=title.reading_uncertain
        and not is_decided
        and name.decision == Decision.NONE,
        alternative=title.alternative,
    )
    if name.media_type == MediaType.TV_SERIES:
        viewing.kind = ViewingKind.EPISODE.value
        viewing.season_number = title.season_number
        viewing.season_inferred = title.season_inferred
        viewing.season_name = title.season_name
        viewing.episode_number = title.episode_number
        viewing.episode_title = title.episode_title
        if title.kind != ViewingKind.EPISODE:
            library.fill_as_episode(viewing, name.name)
    return viewing


def tidy(title: str) -> str:
    """A title as the name of a movie; never empty."""
    return " ".join(title.split()) or "?"
