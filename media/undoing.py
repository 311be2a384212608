"""Remembering what a decision replaces, so that it can be undone.

What is kept are names, entries and readings by their keys and not by primary keys alone: an
import, a look-up or another decision may have moved or removed rows meanwhile. All functions
but `is_current` need the lock of the user concerned.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from media import library, lookup
from media.models import (
    DecidedBy,
    Decision,
    DecisionKind,
    DecisionLog,
    EntryName,
    LibraryEntry,
    LookupStatus,
    Media,
    MediaType,
    Viewing,
)

KEPT = timedelta(days=30)
MOST_CANDIDATES = 8
DECIDED = ["decision", "decided_by", "decided_tmdb_id", "is_hidden"]
READ = [
    "kind",
    "season_number",
    "season_inferred",
    "season_name",
    "episode_number",
    "episode_title",
    "reading_uncertain",
]

State = dict[str, Any]


def state_of(entries: Iterable[LibraryEntry], titles: Collection[str] = ()) -> State:
    """The state of entries and their names, and how titles (by hash) read, as JSON."""
    found = list(
        LibraryEntry.objects.filter(pk__in=[entry.pk for entry in entries])
        .select_related("media")
        .prefetch_related("names__decided_series")
        .order_by("pk")
    )
    viewings = {
        viewing.title_hash: viewing
        for viewing in Viewing.objects.filter(
            user_id__in={entry.user_id for entry in found}, title_hash__in=titles
        ).select_related("name")
    }
    names = [name for entry in found for name in entry.names.all()]
    return {
        "entries": [_entry_state(entry) for entry in found],
        "readings": [_reading_state(viewings[title]) for title in sorted(viewings)],
        "touches": sorted(
            {f"{name.media_type}:{name.key}" for name in names}
            | {f"{MediaType.MOVIE.value}:{title}" for title in titles}
        ),
    }


def _entry_state(entry: LibraryEntry) -> State:
    media = entry.media
    return {
        "pk": entry.pk,
        "media_type": media.media_type,
        "tmdb_id": media.tmdb_id,
        "title": media.title,
        "base_title": media.base_title,
        "lookup_status": entry.lookup_status,
        "decided_by": entry.decided_by,
        "candidates": entry.candidates[:MOST_CANDIDATES],
        "names": [
            {
                "media_type": name.media_type,
                "key": name.key,
                "name": name.name,
                "language": name.language,
                "decided_series": name.decided_series.key if name.decided_series else None,
                **{field: getattr(name, field) for field in DECIDED},
            }
            for name in entry.names.all()
        ],
    }


def _reading_state(viewing: Viewing) -> State:
    return {
        "title": viewing.title_hash,
        "name": [viewing.name.media_type, viewing.name.key],
        **{field: getattr(viewing, field) for field in READ},
    }


def keep(
    user_id: int,
    kind: DecisionKind,
    before: State,
    *,
    subject: str,
    outcome: str = "",
    count: int = 1,
) -> DecisionLog:
    """Note a decision with the state before it, for 30 days."""
    return DecisionLog.objects.create(
        user_id=user_id,
        kind=kind,
        before=before,
        subject=subject[:500],
        outcome=outcome[:500],
        count=count,
    )


def forget_old(now: datetime) -> None:
    """Delete the notes of decisions that were kept long enough."""
    DecisionLog.objects.filter(made_at__lt=now - KEPT).delete()


def is_current(log: DecisionLog) -> bool:
    """Whether no later decision was about the same names: only then it can be undone."""
    return log.pk in current([log])


def current(logs: Sequence[DecisionLog]) -> set[int]:
    """The ids of those of one user's decisions that can be undone. One query.

    `logs` are newest first, or one alone.
    """
    if not logs:
        return set()
    wanted = {log.pk for log in logs}
    since = DecisionLog.objects.filter(user_id=logs[0].user_id, pk__gte=min(wanted))
    found: set[int] = set()
    seen: set[str] = set()
    for pk, touches in since.order_by("-pk").values_list("pk", "before__touches"):
        if pk in wanted and seen.isdisjoint(touches):
            found.add(pk)
        seen.update(touches)
    return found


def restore(log: DecisionLog) -> list[LibraryEntry]:
    """Put back what a decision replaced, and forget the decision; the entries as they are then."""
    before, user_id = log.before, log.user_id
    titles = [reading["title"] for reading in before["readings"]]
    viewings = Viewing.objects.filter(user_id=user_id, title_hash__in=titles)
    touched = set(viewings.values_list("entry_id", flat=True))
    # Where what was decided about the titles themselves is kept.
    touched |= set(_own_names(user_id, titles).values_list("entry_id", flat=True))
    names = _names_again(user_id, before)
    touched |= {name.entry_id for name in names.values()}
    entries = []
    for was in before["entries"]:
        of_entry = [names[where] for name in was["names"] if (where := _where(name)) in names]
        if of_entry:
            entries.append(_restore_entry(user_id, was, of_entry))
    _restore_decisions(user_id, before)
    _restore_readings(user_id, before["readings"])
    for entry in entries:
        # What has no seasons (any more) loses the episodes of those it had.
        lookup.identify_episodes(entry)
    touched |= {entry.pk for entry in entries}
    library.recount(touched - library.remove_empty_entries(touched))
    log.delete()
    return entries


def _where(name: Mapping[str, Any]) -> tuple[str, str]:
    return name["media_type"], name["key"]


def _names_again(user_id: int, before: State) -> dict[tuple[str, str], EntryName]:
    """The names of the state that there are, and those that its readings need, by type and key."""
    kept = [name for was in before["entries"] for name in was["names"]]
    needed = {tuple(reading["name"]) for reading in before["readings"]}
    library.find_or_create_names(
        user_id,
        [
            library.NewName(
                MediaType(name["media_type"]), name["name"], name["key"], name["language"]
            )
            for name in kept
            if _where(name) in needed
        ],
    )
    found = EntryName.objects.filter(user_id=user_id, key__in=[name["key"] for name in kept])
    wanted = {_where(name) for name in kept}
    return {
        (name.media_type, name.key): name for name in found if (name.media_type, name.key) in wanted
    }


def _restore_entry(user_id: int, was: State, names: Sequence[EntryName]) -> LibraryEntry:
    entry = _home(user_id, was, names)
    library.move_names(names, entry)
    status = LookupStatus(was["lookup_status"])
    if status == LookupStatus.MATCHED and entry.media.tmdb_id is None:
        # Its shared row is gone meanwhile.
        status = LookupStatus.PENDING
    library.set_status(entry, status, DecidedBy(was["decided_by"]), was["candidates"])
    return entry


def _home(user_id: int, was: State, names: Sequence[EntryName]) -> LibraryEntry:
    """The entry for names: the former one where nothing else lives in it now, or another."""
    former = LibraryEntry.objects.select_related("media").filter(pk=was["pk"], user_id=user_id)
    entry = former.exclude(
        names__in=EntryName.objects.filter(user_id=user_id).exclude(
            pk__in=[name.pk for name in names]
        )
    ).first()
    if was["tmdb_id"] is not None:
        media = Media.objects.filter(media_type=was["media_type"], tmdb_id=was["tmdb_id"]).first()
        if media is None:
            media = _own_media(user_id, was)
    elif entry is not None and entry.media.owner_id is not None:
        return entry
    else:
        media = _own_media(user_id, was)
    there = LibraryEntry.objects.select_related("media").filter(user_id=user_id, media=media)
    if (found := there.first()) is not None:
        return found
    if entry is not None:
        return library.attach(entry, media)
    return LibraryEntry.objects.create(
        user_id=user_id, media=media, lookup_status=was["lookup_status"]
    )


def _own_media(user_id: int, was: State) -> Media:
    return Media.objects.create(
        media_type=was["media_type"],
        title=was["title"],
        base_title=was["base_title"],
        owner_id=user_id,
    )


def _own_names(user_id: int, titles: Collection[str]) -> QuerySet[EntryName]:
    return EntryName.objects.filter(
        user_id=user_id, media_type=MediaType.MOVIE, key__in=list(titles)
    )


def _restore_decisions(user_id: int, before: State) -> None:
    """What was decided about the names; titles that had no name of their own decide nothing."""
    _own_names(user_id, [reading["title"] for reading in before["readings"]]).update(
        decision=Decision.NONE, decided_by=DecidedBy.AUTOMATIC, decided_series=None
    )
    series = {
        name.key: name
        for name in EntryName.objects.filter(
            user_id=user_id,
            media_type=MediaType.TV_SERIES,
            key__in=[
                name["decided_series"]
                for was in before["entries"]
                for name in was["names"]
                if name["decided_series"]
            ],
        )
    }
    for was in before["entries"]:
        for name in was["names"]:
            EntryName.objects.filter(
                user_id=user_id, media_type=name["media_type"], key=name["key"]
            ).update(
                decided_series=series.get(name["decided_series"]),
                **{field: name[field] for field in DECIDED},
            )


def _restore_readings(user_id: int, readings: Sequence[State]) -> None:
    by_title = {reading["title"]: reading for reading in readings}
    names = {
        (name.media_type, name.key): name
        for name in EntryName.objects.filter(
            user_id=user_id, key__in=[reading["name"][1] for reading in readings]
        )
    }
    viewings = list(Viewing.objects.filter(user_id=user_id, title_hash__in=by_title))
    for viewing in viewings:
        reading = by_title[viewing.title_hash]
        for field in READ:
            setattr(viewing, field, reading[field])
        viewing.name = names[reading["name"][0], reading["name"][1]]
        viewing.entry_id = viewing.name.entry_id
        viewing.tmdb_season = None
    library.save_readings(viewings)
