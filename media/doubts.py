"""Titles that the file alone could not decide: is `A: B` an episode of A, or a movie?

TMDB settles them (`matching.settle`): this module finds them and stores the verdicts. What it
cannot settle stays as the file was read, marked as doubtful, for a person to decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from media import library
from media.catalogue import store_series
from media.matching import Doubt, Settled, Verdict, WatchedEpisode
from media.models import EntryName, Episode, MediaType, Viewing, ViewingKind
from tmdb.types import SeriesDetails


@dataclass(frozen=True, slots=True)
class DoubtfulName:
    """A series' name with one user's doubtful titles, and the entry that bears it, if any."""

    user_id: int
    series: library.NewName
    entry_id: int | None
    viewing_ids: tuple[int, ...]
    last_watched: date | None


def doubtful_names(viewings: Iterable[Viewing]) -> list[DoubtfulName]:
    """The series' names that doubtful viewings may belong to. One query beside the viewings'.

    `viewings` come with their `name`.
    """
    found: dict[tuple[int, str], list[Viewing]] = {}
    names: dict[tuple[int, str], library.NewName] = {}
    entries: dict[tuple[int, str], int] = {}
    for viewing in viewings:
        series = series_meant(viewing)
        if series is None:
            continue
        where = (viewing.user_id, series.key)
        if viewing.kind == ViewingKind.EPISODE:
            entries[where] = viewing.entry_id
        found.setdefault(where, []).append(viewing)
        names.setdefault(where, series)
    entries |= {
        (user_id, key): entry_id
        for user_id, key, entry_id in EntryName.objects.filter(
            media_type=MediaType.TV_SERIES,
            user_id__in={user_id for user_id, _ in found},
            key__in=[library.bounded_key(key) for _, key in found],
        ).values_list("user_id", "key", "entry_id")
    }
    return [
        DoubtfulName(
            user_id,
            names[user_id, key],
            entries.get((user_id, library.bounded_key(key))),
            tuple(viewing.pk for viewing in doubtful),
            max((viewing.day for viewing in doubtful if viewing.day), default=None),
        )
        for (user_id, key), doubtful in found.items()
    ]


def series_meant(viewing: Viewing) -> library.NewName | None:
    """The series that a viewing, which comes with its `name`, is or might be an episode of."""
    if viewing.kind == ViewingKind.EPISODE:
        name, key = viewing.name.name, viewing.name.key
    else:
        other = viewing.alternative or {}
        name, key = other.get("series") or "", other.get("series_key") or ""
    if not name or not key:
        return None
    return library.NewName(MediaType.TV_SERIES, name, key, viewing.name.language)


def as_doubts(viewings: Iterable[Viewing]) -> list[Doubt]:
    """The viewings as `matching.settle` takes them."""
    return [
        Doubt(viewing.pk, _title(viewing), viewing.kind == ViewingKind.EPISODE)
        for viewing in viewings
    ]


def as_watched(viewings: Iterable[Viewing]) -> list[WatchedEpisode]:
    """What those of the viewings that are read as movies would be as episodes."""
    return [
        WatchedEpisode(title=_title(viewing))
        for viewing in viewings
        if viewing.kind == ViewingKind.MOVIE
    ]


def _title(viewing: Viewing) -> str:
    if viewing.kind == ViewingKind.EPISODE:
        return viewing.episode_title
    return str((viewing.alternative or {}).get("episode_title") or viewing.raw_title)


def apply(
    user_id: int,
    series: library.NewName,
    verdicts: Mapping[int, Settled],
    details: Mapping[int, SeriesDetails],
) -> set[int]:
    """Store the verdicts on doubtful viewings, by their ids; returns the entries touched.

    Needs the user's lock. Viewings that a person or another run settled meanwhile are left
    alone. Counting the entries anew is the caller's.
    """
    viewings = {
        viewing.pk: viewing
        for viewing in Viewing.objects.doubtful()
        .filter(user_id=user_id, pk__in=verdicts)
        .select_related("name")
    }
    by_verdict: dict[Verdict, list[Viewing]] = {verdict: [] for verdict in Verdict}
    for pk, viewing in viewings.items():
        by_verdict[verdicts[pk].verdict].append(viewing)
    _remember(viewings.values(), verdicts)
    specials = by_verdict[Verdict.SPECIAL]
    touched = library.read_as_episodes(by_verdict[Verdict.EPISODE], series)
    touched |= library.read_as_movies(by_verdict[Verdict.MOVIE])
    touched |= library.read_as_movies(specials)
    _link(specials, verdicts, details)
    return touched - library.remove_empty_entries(touched)


def _remember(viewings: Iterable[Viewing], verdicts: Mapping[int, Settled]) -> None:
    """Note when TMDB was asked, and why the reading is what it is now."""
    now = timezone.now()
    changed = []
    for viewing in viewings:
        settled = verdicts[viewing.pk]
        viewing.doubt_asked_at = now
        if settled.verdict is not Verdict.AS_READ:
            template, values = settled.reason
            viewing.alternative = {
                **(viewing.alternative or {}),
                "settled": str(settled.reason),
                "settled_message": {"template": template, "values": dict(values)},
            }
        changed.append(viewing)
    Viewing.objects.bulk_update(changed, ["doubt_asked_at", "alternative"], batch_size=200)


def _link(
    specials: Sequence[Viewing],
    verdicts: Mapping[int, Settled],
    details: Mapping[int, SeriesDetails],
) -> None:
    """Link movies that are specials of a series to TMDB's episodes (rule 17)."""
    for tmdb_id in {verdicts[viewing.pk].tmdb_id or 0 for viewing in specials}:
        if tmdb_id in details:
            store_series(details[tmdb_id])
    for viewing in specials:
        episodes = Episode.objects.filter(tmdb_id__in=verdicts[viewing.pk].episode_ids)
        viewing.tmdb_episodes.set(episodes)
        viewing.tmdb_season = 0
        viewing.save(update_fields=["tmdb_season"])
