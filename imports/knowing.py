"""What a user's library teaches the reader about the next file."""

from __future__ import annotations

from dataclasses import dataclass, field

from imports.reading import NOTHING_KNOWN, Known, KnownSeries, name_key, title_key
from media.keys import digest
from media.models import (
    Decision,
    EntryName,
    LookupStatus,
    MediaType,
    Source,
    Viewing,
    ViewingKind,
)


@dataclass(slots=True)
class _Shown:
    """What earlier files show of the series of one name."""

    episodes: dict[str, frozenset[int]] = field(default_factory=dict)
    unmarked: set[str] = field(default_factory=set)


def known_to(user_id: int | None) -> Known:
    """The series of a library, and what its user decided about titles and names."""
    if user_id is None:
        return NOTHING_KNOWN
    movies, episodes = _decided_titles(user_id)
    shown = _shown_of(user_id)
    nothing = _Shown()
    names = EntryName.objects.filter(user_id=user_id, media_type=MediaType.TV_SERIES)
    series = {}
    no_series = set()
    for pk, key, name, language, status, decision in names.values_list(
        "pk", "key", "name", "language", "entry__lookup_status", "decision"
    ):
        if decision == Decision.MOVIE:
            no_series.add(key)
            continue
        of_name = shown.get(pk, nothing)
        series[key] = KnownSeries(
            name=name,
            language=language or None,
            seasons=frozenset().union(*of_name.episodes.values()),
            episodes=of_name.episodes,
            unmarked=of_name.unmarked,
            confirmed=status == LookupStatus.MATCHED or decision == Decision.MATCHED,
        )
    return Known(series=series, movies=movies, episodes=episodes, no_series=frozenset(no_series))


def _decided_titles(user_id: int) -> tuple[frozenset[str], dict[str, str]]:
    """The title keys that a user said are movies, and those said to be of a series."""
    movies, episodes = set(), {}
    decided = EntryName.objects.filter(
        user_id=user_id,
        media_type=MediaType.MOVIE,
        decision__in=[Decision.MOVIE, Decision.SERIES],
    )
    for title_hash, name, decision, series in decided.values_list(
        "key", "name", "decision", "decided_series__name"
    ):
        # The name is the title as a file wrote it, unless it was too long for that.
        key = title_key(name)
        if digest(key) != title_hash:
            continue
        if decision == Decision.MOVIE:
            movies.add(key)
        else:
            episodes[key] = series or ""
    return frozenset(movies), episodes


def _shown_of(user_id: int) -> dict[int, _Shown]:
    """What the files of a user show, by name. One query."""
    shown: dict[int, _Shown] = {}
    only: dict[int, frozenset[int]] = {}
    episodes = Viewing.objects.filter(
        user_id=user_id,
        source=Source.FILE,
        kind=ViewingKind.EPISODE,
        season_number__isnull=False,
    ).order_by()
    for name_id, season, inferred, title in episodes.values_list(
        "name_id", "season_number", "season_inferred", "episode_title"
    ).iterator():
        of_name = shown.setdefault(name_id, _Shown())
        key = name_key(title)
        if inferred:
            of_name.unmarked.add(key)
        elif season is not None:
            this = only.setdefault(season, frozenset([season]))
            other = of_name.episodes.get(key, this)
            of_name.episodes[key] = this if other is this else other | this
    return shown
