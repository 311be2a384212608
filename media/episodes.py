"""Which TMDB episode each viewing is. Pure: no Django, no I/O.

A wrong identification is worse than none: where titles, numbers and counts do not settle it,
the viewing stays without an episode and still counts by its title (rule 9).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rapidfuzz import fuzz

from media.wording import fold, generic_number, title_forms

# rapidfuzz.fuzz.ratio, 0 to 100: a spelling within the season, one anywhere else in the series,
# and how far ahead of the second best it must be.
_SIMILAR = 80.0
_SIMILAR_ELSEWHERE = 92.0
_LEAD = 8.0
_BETWEEN_TITLES = re.compile(r"\s+/\s+|\s*/\s*|\s*;\s+|\s+&\s+|\s+and\s+", re.IGNORECASE)
_SEVERAL_PARTS = re.compile(
    r"(?P<stem>.+?)\W+(?:parts?|pts?)?\W*(?P<first>\d|i+)\s*(?:and|&|/|\+|-)\s*(?P<second>\d|i+)\W*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class EpisodeFacts:
    """An episode as TMDB has it; `id` stays when TMDB renumbers."""

    id: int
    number: int
    title: str
    air_date: date | None = None


@dataclass(frozen=True, slots=True)
class SeasonFacts:
    """A season as TMDB has it; number 0 holds the specials.

    `episode_count` 0 or None means that TMDB does not know, `episodes` None that nobody asked.
    """

    number: int
    name: str = ""
    episode_count: int | None = None
    episodes: tuple[EpisodeFacts, ...] | None = None
    air_date: date | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """One thing watched, as the file says; `key` is the caller's, and comes back."""

    key: Hashable
    season_number: int | None = None
    season_name: str | None = None
    number: int | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class _Episode:
    """An episode with the keys of its titles, in the rows' language and in English."""

    id: int
    season: int
    number: int
    keys: tuple[str, ...]


class _Series:
    """A series' episodes, to be found by title within some of its seasons."""

    def __init__(self, seasons: Iterable[SeasonFacts], english: Iterable[SeasonFacts]) -> None:
        titles: dict[int, list[str]] = defaultdict(list)
        places: dict[int, tuple[int, int]] = {}
        self.counts: dict[int, int] = {}
        self.names: dict[str, int] = {}
        for season in (*seasons, *english):
            if season.episode_count:
                self.counts[season.number] = season.episode_count
            if season.name:
                self.names.setdefault(fold(season.name), season.number)
            for episode in season.episodes or ():
                places.setdefault(episode.id, (season.number, episode.number))
                titles[episode.id].append(episode.title)
        self.episodes = [
            _Episode(
                id,
                season,
                number,
                tuple(
                    dict.fromkeys(
                        key
                        for title in titles[id]
                        if generic_number(title) is None
                        for key in title_forms(title)
                    )
                ),
            )
            for id, (season, number) in places.items()
        ]
        self.by_place = {(e.season, e.number): e for e in self.episodes}
        self.by_key: dict[str, list[_Episode]] = defaultdict(list)
        for known in self.episodes:
            for key in known.keys:
                self.by_key[key].append(known)

    def called(self, title: str, among: Iterable[int] | None = None) -> _Episode | None:
        """The only episode with this very title, in any form of it; fuller forms go first."""
        allowed = None if among is None else set(among)
        for key in title_forms(title):
            found = {
                e.id: e for e in self.by_key.get(key, ()) if allowed is None or e.season in allowed
            }
            if len(found) == 1:
                return next(iter(found.values()))
            if found:
                return None
        return None

    def resembling(
        self, title: str, among: Iterable[int], at_least: float, taken: Iterable[int]
    ) -> _Episode | None:
        """The episode whose title is spelled nearly so, when none other comes near."""
        allowed, used = set(among), set(taken)
        best: tuple[float, _Episode] | None = None
        second = 0.0
        for episode in self.episodes:
            if episode.season not in allowed:
                continue
            score = max(
                (
                    fuzz.ratio(ours, theirs)
                    for ours in title_forms(title)
                    for theirs in episode.keys
                    if _numbers(ours) == _numbers(theirs)
                ),
                default=0.0,
            )
            if best is None:
                best = (score, episode)
            elif score > best[0]:
                best, second = (score, episode), best[0]
            else:
                second = max(second, score)
        if best is None or best[0] < at_least or best[0] - second < _LEAD or best[1].id in used:
            return None
        return best[1]

    def several(self, title: str, among: Iterable[int]) -> tuple[_Episode, ...]:
        """The neighbouring episodes that a double episode's title names, else none."""
        for parts in _divided(title):
            found = [self.called(part, among) for part in parts]
            known = [episode for episode in found if episode is not None]
            numbers = sorted(episode.number for episode in known)
            if (
                len(known) == len(parts)
                and len({episode.season for episode in known}) == 1
                and numbers == list(range(numbers[0], numbers[0] + len(parts)))
            ):
                return tuple(sorted(known, key=lambda episode: episode.number))
        return ()


def _numbers(key: str) -> list[str]:
    return [word for word in key.split() if word.isdigit()]


def _divided(title: str) -> Iterable[list[str]]:
    """The ways in which one title may name several episodes."""
    if found := _SEVERAL_PARTS.fullmatch(title):
        yield [f"{found['stem']} {found['first']}", f"{found['stem']} {found['second']}"]
    pieces = [piece for piece in _BETWEEN_TITLES.split(title) if piece.strip()]
    if len(pieces) > 1:
        yield pieces


def identify(
    watched: Sequence[Watched],
    seasons: Sequence[SeasonFacts],
    english: Sequence[SeasonFacts] = (),
) -> Mapping[Hashable, tuple[int, ...]]:
    """The TMDB episode ids of what was watched of one series, by the callers' keys.

    `seasons` have titles in the rows' language, `english` the same in English where known.
    A double episode gives two ids; what cannot be known is absent.
    """
    series = _Series(seasons, english)
    if not series.episodes:
        return {}
    found: dict[Hashable, tuple[int, ...]] = {}
    groups: dict[tuple[int | None, str | None], list[Watched]] = defaultdict(list)
    for item in watched:
        groups[item.season_number, item.season_name].append(item)
    for (number, name), items in groups.items():
        places = _seasons_meant(series, number, name, items)
        found.update(_by_title(series, items, places))
        found.update(_by_number(series, items, places, found))
        found.update(_by_elimination(series, items, places, found))
    return found


def _seasons_meant(
    series: _Series, number: int | None, name: str | None, items: Sequence[Watched]
) -> tuple[int, ...]:
    """TMDB's seasons that the file's season is spread over, the surest first."""
    votes: Counter[int] = Counter()
    for item in items:
        if item.title and (episode := series.called(item.title)):
            votes[episode.season] += 1
    named = series.names.get(fold(name)) if name else None
    told = named if named is not None else number
    if told is None or told not in {e.season for e in series.episodes}:
        regular = [season for season, _ in votes.most_common() if season > 0]
        return tuple(regular)
    elsewhere = sum(votes.values()) - votes[told]
    if elsewhere > max(1, votes[told]):
        return tuple(season for season, count in votes.most_common() if count > 1 and season > 0)
    return (told,)


def _by_title(
    series: _Series, items: Sequence[Watched], places: Sequence[int]
) -> dict[Hashable, tuple[int, ...]]:
    found: dict[Hashable, tuple[int, ...]] = {}
    named = [
        (item, item.title) for item in items if item.title and generic_number(item.title) is None
    ]
    for item, title in named:
        if episode := series.called(title, places) or series.called(title):
            found[item.key] = (episode.id,)
        elif double := series.several(title, places):
            found[item.key] = tuple(episode.id for episode in double)
    taken = {id for ids in found.values() for id in ids}
    for item, title in named:
        if item.key in found:
            continue
        everywhere = {episode.season for episode in series.episodes}
        near = series.resembling(title, places, _SIMILAR, taken) or series.resembling(
            title, everywhere, _SIMILAR_ELSEWHERE, taken
        )
        if near:
            found[item.key] = (near.id,)
    return found


def _by_number(
    series: _Series,
    items: Sequence[Watched],
    places: Sequence[int],
    known: Mapping[Hashable, tuple[int, ...]],
) -> dict[Hashable, tuple[int, ...]]:
    """Episodes by the number in the file, unless titles show that TMDB counts otherwise."""
    if len(places) != 1:
        return {}
    season = places[0]
    by_id = {episode.id: episode for episode in series.episodes}
    shifts: Counter[tuple[int, int]] = Counter()
    for item in items:
        ids = known.get(item.key, ())
        if item.number is not None and len(ids) == 1:
            episode = by_id[ids[0]]
            shifts[episode.season, episode.number - item.number] += 1
    same = shifts[season, 0]
    if sum(shifts.values()) - same > same:
        return {}
    taken = {id for item in items for id in known.get(item.key, ())}
    found: dict[Hashable, tuple[int, ...]] = {}
    for item in items:
        number = item.number if item.number is not None else generic_number(item.title or "")
        if item.key in known or number is None:
            continue
        target = series.by_place.get((season, number))
        if target and target.id not in taken:
            found[item.key] = (target.id,)
    return found


def _by_elimination(
    series: _Series,
    items: Sequence[Watched],
    places: Sequence[int],
    known: Mapping[Hashable, tuple[int, ...]],
) -> dict[Hashable, tuple[int, ...]]:
    """The one title left of a season of which everything was watched is the one episode left."""
    if len(places) != 1:
        return {}
    season = [episode for episode in series.episodes if episode.season == places[0]]
    left = [item for item in items if item.key not in known]
    taken = {id for item in items for id in known.get(item.key, ())}
    free = [episode for episode in season if episode.id not in taken]
    if len(left) == 1 and len(free) == 1 and len(season) > 2:
        return {left[0].key: (free[0].id,)}
    return {}
