"""Writes to a user's library: entries, their names and viewings, and the counts that follow.

Every function that writes expects to be called under `library_lock` of the user concerned
(rule 19), unless it says that it takes the lock itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from media import bulk
from media.days import shown_day
from media.keys import digest
from media.models import (
    DecidedBy,
    Decision,
    EntryName,
    LibraryEntry,
    LookupStatus,
    Media,
    MediaType,
    Viewing,
    ViewingKind,
)
from media.progress import (
    Watched,
    distinct,
    episode_keys,
    first_and_again,
    is_special,
    regular_keys,
)

MAX_NAME = 500


@contextmanager
def library_lock(user_id: int) -> Iterator[None]:
    """A transaction in which nobody else writes to this user's library.

    On PostgreSQL the user's row is locked; on SQLite every transaction is IMMEDIATE, which
    locks the whole database. Raises User.DoesNotExist when the user is gone.
    """
    with transaction.atomic():
        # NO KEY, so that others may still insert rows that point to this user.
        get_user_model().objects.select_for_update(no_key=True).only("pk").get(pk=user_id)
        yield


@dataclass(frozen=True, slots=True)
class NewName:
    """A name as a file gives it. `key` is what makes two spellings the same name."""

    media_type: MediaType
    name: str
    key: str
    language: str = ""


def bounded_key(key: str) -> str:
    """A name's key, shortened where a database index could not take it whole."""
    return key if len(key) <= MAX_NAME else f"{key[: MAX_NAME - 33]} {digest(key)}"


def find_or_create_names(
    user_id: int, wanted: Iterable[NewName]
) -> dict[tuple[str, str], EntryName]:
    """The user's names for `wanted`, by media type and key; missing ones are made.

    A new name gets an entry and a catalogue row of its own, which wait to be looked up when
    they are a series. A fixed number of queries, whatever the number of names.
    """
    names = {(n.media_type.value, bounded_key(n.key)): n for n in wanted}
    found = _names_by_key(user_id, names)
    missing = {where: new for where, new in names.items() if where not in found}
    if missing:
        _create_names(user_id, missing)
        found |= _names_by_key(user_id, missing)
    return found


def _names_by_key(
    user_id: int, wanted: Collection[tuple[str, str]]
) -> dict[tuple[str, str], EntryName]:
    keys_by_type: dict[str, list[str]] = defaultdict(list)
    for media_type, key in wanted:
        keys_by_type[media_type].append(key)
    return {
        (name.media_type, name.key): name
        for media_type, keys in keys_by_type.items()
        for name in EntryName.objects.filter(user_id=user_id, media_type=media_type, key__in=keys)
    }


def _create_names(user_id: int, missing: Mapping[tuple[str, str], NewName]) -> None:
    new = list(missing.items())
    media = Media.objects.bulk_create(
        Media(
            media_type=media_type,
            title=name.name[:MAX_NAME],
            base_title=name.name[:MAX_NAME],
            owner_id=user_id,
        )
        for (media_type, _), name in new
    )
    entries = LibraryEntry.objects.bulk_create(
        LibraryEntry(user_id=user_id, media=row, lookup_status=_first_status(row.media_type))
        for row in media
    )
    EntryName.objects.bulk_create(
        EntryName(
            user_id=user_id,
            entry=entry,
            media_type=media_type,
            name=name.name[:MAX_NAME],
            key=key,
            language=name.language[:10],
        )
        for entry, ((media_type, key), name) in zip(entries, new, strict=True)
    )


def _first_status(media_type: str) -> LookupStatus:
    return LookupStatus.PENDING if media_type == MediaType.TV_SERIES else LookupStatus.NOT_NEEDED


def move_names(names: Iterable[EntryName], target: LibraryEntry) -> None:
    """Move names, with their viewings, to another entry of the same user.

    Entries that lose their last name go, and with them catalogue rows that nobody uses.
    """
    moving = [name for name in names if name.entry_id != target.pk]
    if not moving:
        return
    left = {name.entry_id for name in moving}
    ids = [name.pk for name in moving]
    EntryName.objects.filter(pk__in=ids).update(entry=target, media_type=target.media.media_type)
    Viewing.objects.filter(name_id__in=ids).update(entry=target)
    gone = _remove_nameless(left)
    recount([pk for pk in [*left, target.pk] if pk not in gone])


def remove_empty_entries(entry_ids: Iterable[int]) -> set[int]:
    """Delete those of the entries that have no viewing left; returns their ids.

    A name that somebody decided about keeps its entry even without viewings.
    """
    entries = LibraryEntry.objects.filter(pk__in=list(entry_ids), viewings__isnull=True)
    gone = entries.exclude(
        pk__in=EntryName.objects.exclude(decision=Decision.NONE, is_hidden=False).values("entry")
    ).exclude(
        # A title was said to be an episode of it.
        pk__in=EntryName.objects.filter(decided_series__isnull=False).values(
            "decided_series__entry"
        )
    )
    doomed = list(gone.values_list("pk", "media_id"))
    EntryName.objects.filter(entry_id__in=[pk for pk, _ in doomed]).delete()
    LibraryEntry.objects.filter(pk__in=[pk for pk, _ in doomed]).delete()
    remove_orphans(media_id for _, media_id in doomed)
    return {pk for pk, _ in doomed}


def _remove_nameless(entry_ids: Iterable[int]) -> set[int]:
    doomed = list(
        LibraryEntry.objects.filter(pk__in=list(entry_ids), names__isnull=True).values_list(
            "pk", "media_id"
        )
    )
    LibraryEntry.objects.filter(pk__in=[pk for pk, _ in doomed]).delete()
    remove_orphans(media_id for _, media_id in doomed)
    return {pk for pk, _ in doomed}


def remove_orphans(media_ids: Iterable[int]) -> None:
    """Delete the users' own catalogue rows among `media_ids` that no entry uses any more."""
    orphans = Media.objects.filter(
        pk__in=list(media_ids), owner__isnull=False, entries__isnull=True
    )
    # Only TMDB's series have seasons, and nothing else refers to a catalogue row.
    bulk.delete(Media, orphans.values_list("pk", flat=True))


def attach(entry: LibraryEntry, media: Media) -> LibraryEntry:
    """Make `entry` stand for the shared row `media`; returns the entry that now does.

    When the user has an entry of that row already, the names and viewings move to it.
    """
    if entry.media_id == media.pk:
        return entry
    there = LibraryEntry.objects.filter(user_id=entry.user_id, media=media).first()
    if there is not None:
        move_names(entry.names.all(), there)
        return there
    before = entry.media_id
    entry.media = media
    entry.episodes_when_finished = None
    entry.save(update_fields=["media", "episodes_when_finished"])
    remove_orphans([before])
    return entry


def detach(names: Collection[EntryName]) -> LibraryEntry:
    """Give names an entry and a catalogue row of their own, with their viewings.

    All names must be one user's and of one media type; the first lends its spelling.
    """
    first = next(iter(names))
    media = Media.objects.create(
        media_type=first.media_type,
        title=first.name,
        base_title=first.name,
        owner_id=first.user_id,
    )
    entry = LibraryEntry.objects.create(
        user_id=first.user_id, media=media, lookup_status=_first_status(first.media_type)
    )
    move_names(names, entry)
    return entry


AS_READ = [
    "kind",
    "name",
    "entry",
    "season_number",
    "season_inferred",
    "season_name",
    "episode_number",
    "episode_title",
    "tmdb_season",
    "reading_uncertain",
]


def read_as_movies(viewings: Sequence[Viewing]) -> set[int]:
    """Make viewings of one user movies, each raw title one of its own, whatever they were.

    Returns the entries that lost or gained viewings; counting them anew, and removing those
    left empty, is the caller's.
    """
    if not viewings:
        return set()
    user_id = viewings[0].user_id
    titles = {viewing.title_hash: movie_name(viewing) for viewing in viewings}
    films = find_or_create_names(user_id, titles.values())
    touched = {viewing.entry_id for viewing in viewings}
    for viewing in viewings:
        viewing.kind = ViewingKind.MOVIE
        viewing.name = films[MediaType.MOVIE.value, viewing.title_hash]
        viewing.entry_id = viewing.name.entry_id
        viewing.season_number = viewing.episode_number = viewing.tmdb_season = None
        viewing.season_inferred = viewing.reading_uncertain = False
        viewing.season_name = viewing.episode_title = ""
    save_readings(viewings)
    return touched | {viewing.entry_id for viewing in viewings}


def movie_name(viewing: Viewing) -> NewName:
    """The name that a viewing's title has as a movie; its key is the title's hash."""
    return NewName(
        MediaType.MOVIE,
        " ".join(viewing.raw_title.split()) or viewing.raw_title,
        viewing.title_hash,
        viewing.name.language,
    )


def read_as_episodes(viewings: Sequence[Viewing], series: NewName) -> set[int]:
    """Make viewings of one user episodes of a series.

    Season and title are those of their other reading where it is an episode, else the title is
    what follows the series' name. Returns the entries that lost or gained viewings, as
    `read_as_movies` does.
    """
    if not viewings:
        return set()
    name = find_or_create_names(viewings[0].user_id, [series])[
        series.media_type.value, bounded_key(series.key)
    ]
    touched = {viewing.entry_id for viewing in viewings} | {name.entry_id}
    for viewing in viewings:
        if viewing.kind != ViewingKind.EPISODE:
            viewing.kind = ViewingKind.EPISODE
            fill_as_episode(viewing, series.name)
        viewing.name, viewing.entry_id = name, name.entry_id
        viewing.tmdb_season = None
        viewing.reading_uncertain = False
    save_readings(viewings)
    return touched


class EpisodeReading(Protocol):
    """What a title reads as when it is an episode."""

    raw_title: str
    alternative: Any
    season_number: int | None
    season_inferred: bool
    episode_title: str


def fill_as_episode(reading: EpisodeReading, series: str) -> None:
    """Give a title that was read as a movie the season and title of an episode of `series`.

    They are those of its other reading, else the title is what follows the series' name.
    """
    other = reading.alternative or {}
    follows = reading.raw_title.removeprefix(series).lstrip(": ")
    reading.season_number = other.get("season_number")
    reading.season_inferred = reading.season_number is not None
    reading.episode_title = other.get("episode_title") or follows or reading.raw_title


def save_readings(viewings: Sequence[Viewing]) -> None:
    """Store how viewings read now. Which TMDB episodes they are is to be found out again."""
    Viewing.tmdb_episodes.through.objects.filter(viewing__in=viewings).delete()
    Viewing.objects.bulk_update(viewings, AS_READ, batch_size=200)


def set_status(
    entry: LibraryEntry,
    status: LookupStatus,
    decided_by: DecidedBy = DecidedBy.AUTOMATIC,
    candidates: list[dict[str, object]] | None = None,
) -> None:
    """Record how the look-up of an entry ended; a decision clears its retries."""
    entry.lookup_status = status
    entry.decided_by = decided_by
    entry.candidates = candidates or []
    entry.lookup_attempts = 0
    entry.next_lookup_at = None
    entry.save(
        update_fields=[
            "lookup_status",
            "decided_by",
            "candidates",
            "lookup_attempts",
            "next_lookup_at",
        ]
    )


@dataclass(frozen=True, slots=True)
class Counts:
    """What is stored of an entry and follows from its viewings.

    `reseen` are those of its viewings that are stored as seen for the first time or again, and
    should be otherwise: id, first, again. None where all is as it should be.
    """

    episodes: int
    first: date | None
    last: date | None
    reseen: tuple[tuple[int, int, int], ...] = ()


def count(entry_ids: Collection[int]) -> dict[int, Counts]:
    """The counts that the entries should show, computed from their viewings (rule 10)."""
    of_entry: dict[int, list[Stored]] = defaultdict(list)
    for viewing in _stored(entry_ids):
        of_entry[viewing.entry_id].append(viewing)
    return {entry_id: _counts(of_entry[entry_id]) for entry_id in entry_ids}


def _counts(viewings: Sequence[Stored]) -> Counts:
    episodes = [viewing.watched for viewing in viewings if viewing.watched]
    regular = regular_keys(episodes)
    keys = regular | episode_keys([watched for watched in episodes if is_special(watched)])
    keys |= {v.pk: frozenset([("film", v.film)]) for v in viewings if not v.watched}
    seen = first_and_again(keys, {viewing.pk: viewing.day for viewing in viewings})
    dated = [viewing.day for viewing in viewings if viewing.day]
    return Counts(
        distinct(regular),
        min(dated, default=None),
        max(dated, default=None),
        tuple((v.pk, *seen[v.pk]) for v in viewings if v.seen != seen[v.pk]),
    )


@dataclass(frozen=True, slots=True)
class Stored:
    """A viewing as counting takes it: of an episode, or else of a film with the key `film`."""

    pk: int
    entry_id: int
    day: date | None
    seen: tuple[int, int]
    watched: Watched | None
    film: str = ""


def _stored(entry_ids: Collection[int]) -> Iterator[Stored]:
    """The viewings of entries as counting takes them; three queries."""
    viewings = Viewing.objects.filter(entry_id__in=entry_ids, dismissed_at__isnull=True)
    shown = viewings.filter(kind=ViewingKind.EPISODE)
    rows = list(shown.values_list("entry_id", "day", "seen_first", "seen_again", *AS_COUNTED))
    episodes = _tmdb_episodes(_links().filter(viewing__entry__in=entry_ids)) if rows else {}
    for entry_id, day, first, again, *facts in rows:
        watched = _watched(facts, episodes)
        yield Stored(watched.id, entry_id, day, (first, again), watched)
    films = viewings.filter(kind=ViewingKind.MOVIE).values_list(
        "pk",
        "entry_id",
        "day",
        "seen_first",
        "seen_again",
        "title_hash",
        "entry__media__media_type",
    )
    for pk, entry_id, day, first, again, title, media_type in films:
        # Under a series, films are its specials (rule 17), each by its title.
        film = "" if media_type == MediaType.MOVIE else title
        yield Stored(pk, entry_id, day, (first, again), None, film)


AS_COUNTED = (
    "pk",
    "season_number",
    "season_name",
    "season_inferred",
    "episode_number",
    "episode_title",
    "tmdb_season",
)


def _watched(facts: Sequence[Any], episodes: Mapping[int, tuple[int, ...]]) -> Watched:
    pk, season, season_name, is_inferred, number, title, tmdb_season = facts
    return Watched(
        pk, season, season_name, is_inferred, number, title, tmdb_season, episodes.get(pk, ())
    )


def _links() -> QuerySet[Any]:
    """Which viewings are of which TMDB episodes."""
    links: QuerySet[Any] = Viewing.tmdb_episodes.through.objects.all()
    return links


def _tmdb_episodes(links: QuerySet[Any]) -> dict[int, tuple[int, ...]]:
    episodes: dict[int, list[int]] = defaultdict(list)
    for viewing_id, tmdb_id in links.values_list("viewing_id", "episode__tmdb_id"):
        episodes[viewing_id].append(tmdb_id)
    return {pk: tuple(sorted(ids)) for pk, ids in episodes.items()}


@dataclass(frozen=True, slots=True)
class Seen:
    """A viewing as pages and marks take it; its day is that of the user's time zone."""

    entry_id: int
    watched: Watched
    is_special: bool
    day: date | None
    raw_title: str


def seen(viewings: QuerySet[Viewing]) -> list[Seen]:
    """What the viewings show, specials included; two queries."""
    episodes = _tmdb_episodes(_links().filter(viewing__in=viewings.order_by()))
    found = []
    for entry_id, kind, day, watched_at, raw_title, *facts in viewings.values_list(
        "entry_id", "kind", "day", "watched_at", "raw_title", *AS_COUNTED
    ):
        watched = _watched(facts, episodes)
        # A film that TMDB lists among a series' specials is a movie in kind (rule 17).
        is_apart = is_special(watched) or kind != ViewingKind.EPISODE
        found.append(Seen(entry_id, watched, is_apart, shown_day(day, watched_at), raw_title))
    return found


def recount(entry_ids: Iterable[int]) -> None:
    """Store the counts of the entries anew, in the transaction that changed their viewings.

    What is complete now is noted with the number of episodes aired, so that later ones are new.
    """
    wanted = count(list(entry_ids))
    if not wanted:
        return
    stored = LibraryEntry.objects.filter(pk__in=wanted).values_list(
        "pk",
        "watched_episodes_count",
        "first_watched",
        "last_watched",
        "episodes_when_finished",
        Coalesce("media__aired_episodes", "media__total_episodes"),
    )
    changed = []
    for pk, episodes, first, last, finished, aired in stored:
        counts = wanted[pk]
        finished_now = aired if aired and counts.episodes >= aired else finished
        stored_now = (counts.episodes, counts.first, counts.last, finished_now)
        if stored_now != (episodes, first, last, finished):
            changed.append((*stored_now, pk))
    bulk.update(
        LibraryEntry,
        [
            "watched_episodes_count",
            "first_watched",
            "last_watched",
            "episodes_when_finished",
        ],
        changed,
    )
    bulk.update(
        Viewing,
        ["seen_first", "seen_again"],
        [(first, again, pk) for c in wanted.values() for pk, first, again in c.reseen],
    )
