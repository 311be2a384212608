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
from typing import NamedTuple

from rapidfuzz import fuzz, process

from media.wording import divided, fold, generic_number, short_forms, title_forms

# rapidfuzz.fuzz.ratio, 0 to 100: for a title within the seasons meant and anywhere else in the
# series, and how far the second best must be behind.
_SIMILAR = 80.0
_SIMILAR_ELSEWHERE = 92.0
_LEAD = 8.0
# Of the episodes known by title, how many must be numbered alike before numbers are believed.
_AGREEING = 0.8
_PART = re.compile(r"(?:part|parte|partie|teil|deel|del|czesc|cast|osa|resz|часть|パート|파트)\b")


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
class Place:
    """An episode of a series, with the keys of its titles in the rows' language and in English.

    `telling` keys are of titles that say more than the episode's own number.
    """

    id: int
    season: int
    number: int
    keys: tuple[str, ...]
    telling: tuple[str, ...]


class Titles:
    """The episodes of a series, to be found by title."""

    def __init__(self, seasons: Iterable[SeasonFacts], english: Iterable[SeasonFacts] = ()) -> None:
        titles: dict[int, list[str]] = defaultdict(list)
        numbers: dict[int, tuple[int, int]] = {}
        self.names: dict[str, int] = {}
        for season in (*seasons, *english):
            if season.name:
                self.names.setdefault(fold(season.name), season.number)
            for episode in season.episodes or ():
                numbers.setdefault(episode.id, (season.number, episode.number))
                titles[episode.id].append(episode.title)
        self.episodes = [
            Place(
                id,
                season,
                number,
                tuple(dict.fromkeys(key for title in titles[id] for key in title_forms(title))),
                tuple(
                    dict.fromkeys(
                        key
                        for title in titles[id]
                        if generic_number(title) != number
                        for key in title_forms(title)
                    )
                ),
            )
            for id, (season, number) in numbers.items()
        ]
        self.by_id = {place.id: place for place in self.episodes}
        self.by_number = {(place.season, place.number): place for place in self.episodes}
        self.seasons = {place.season for place in self.episodes}
        self._within: dict[tuple[int, str], list[Place]] = defaultdict(list)
        self._shortened: dict[tuple[int, str], list[Place]] = defaultdict(list)
        self._anywhere: dict[str, list[Place]] = defaultdict(list)
        # Keys by season and the numbers in them: titles that differ in these are not alike.
        self._alike: dict[tuple[int, tuple[str, ...]], dict[tuple[int, int], str]] = defaultdict(
            dict
        )
        for place in self.episodes:
            for key in place.keys:
                self._within[place.season, key].append(place)
            for at, key in enumerate(place.telling):
                self._anywhere[key].append(place)
                self._alike[place.season, _numbers(key)][place.id, at] = key
            for key in {k for title in titles[place.id] for k in short_forms(title)}:
                self._shortened[place.season, key].append(place)

    def called(self, title: str, seasons: Iterable[int] | None = None) -> Place | None:
        """The only episode with this title, in any of its forms; the fuller form goes first.

        Without `seasons`, titles that only say the episode's number do not count.
        """
        for key in title_forms(title):
            if seasons is None:
                places = self._anywhere.get(key, [])
            else:
                places = [p for season in seasons for p in self._within.get((season, key), ())]
            if places:
                return places[0] if len(places) == 1 else None
        return None

    def called_in_short(self, title: str, seasons: Sequence[int]) -> Place | None:
        """The only episode of these seasons that has this title but for additions to either."""
        for key in (*title_forms(title), *short_forms(title)):
            places = {
                place.id: place
                for season in seasons
                for known in (self._within, self._shortened)
                for place in known.get((season, key), ())
            }
            if places:
                return next(iter(places.values())) if len(places) == 1 else None
        return None

    def occurs(self, title: str) -> bool:
        """Whether any episode has this telling title, or each of those it is made of."""
        return any(key in self._anywhere for key in title_forms(title)) or any(
            all(key in self._anywhere for part in parts for key in title_forms(part)[-1:])
            for parts in divided(title)
        )

    def resembling(self, title: str, seasons: Iterable[int], at_least: float) -> Place | None:
        """The episode whose title is spelled nearly so, when no other one comes near."""
        scores: dict[int, float] = {}
        for form in title_forms(title):
            for season in seasons:
                choices = self._alike.get((season, _numbers(form)), {})
                for _, score, (id, _) in process.extract(
                    form, choices, scorer=fuzz.ratio, score_cutoff=at_least - _LEAD, limit=None
                ):
                    scores[id] = max(score, scores.get(id, 0.0))
        best, second = [*sorted(scores, key=lambda id: (-scores[id], id)), None, None][:2]
        if best is None or scores[best] < at_least:
            return None
        if second is not None and scores[best] - scores[second] < _LEAD:
            return None
        return self.by_id[best]

    def several(self, title: str, seasons: Sequence[int]) -> tuple[Place, ...]:
        """The neighbouring episodes that a double episode's title names, else none."""
        for parts in divided(title):
            found = [self.called(part, seasons) for part in parts]
            places = sorted((p for p in found if p is not None), key=lambda p: p.number)
            first = places[0] if places else None
            if first and [(p.season, p.number) for p in places] == [
                (first.season, first.number + at) for at in range(len(parts))
            ]:
                return tuple(places)
        return ()


def _numbers(key: str) -> tuple[str, ...]:
    return tuple(word for word in key.split() if word.isdigit())


def identify(
    watched: Sequence[Watched],
    seasons: Sequence[SeasonFacts],
    english: Sequence[SeasonFacts] = (),
) -> Mapping[Hashable, tuple[int, ...]]:
    """The TMDB episode ids of what was watched of one series, by the callers' keys.

    `seasons` have titles in the rows' language, `english` the same in English where known.
    A double episode gives two ids; what cannot be known is absent.
    """
    series = Titles(seasons, english)
    found: dict[Hashable, tuple[int, ...]] = {}
    groups: dict[tuple[int | None, str | None], list[Watched]] = defaultdict(list)
    for item in watched:
        groups[item.season_number, item.season_name].append(item)
    meant = {group: _seasons_meant(series, *group, items) for group, items in groups.items()}
    recut = any(
        number is not None and number > 0 and number not in meant[number, name].seasons
        for number, name in groups
    )
    for group, items in groups.items():
        spread, proven = meant[group].seasons, meant[group].proven
        found.update(_by_title(series, items, spread))
        if proven or not (recut or _is_later_part(*group)):
            found.update(_by_number(series, items, spread, found))
        found.update(_by_elimination(series, items, spread, found))
    return found


class _Meant(NamedTuple):
    """TMDB's seasons over which the file's season is spread, most episodes first; `proven` when
    titles or the season's name say so, and not its number alone."""

    seasons: tuple[int, ...]
    proven: bool


def _seasons_meant(
    series: Titles, number: int | None, name: str | None, items: Sequence[Watched]
) -> _Meant:
    votes: Counter[int] = Counter()
    for item in items:
        if item.title and (place := series.called(item.title)) and place.season > 0:
            votes[place.season] += 1
    named = series.names.get(fold(name)) if name else None
    told = named if named is not None else number
    if told is None or told not in series.seasons:
        return _Meant(tuple(season for season, _ in votes.most_common()), proven=True)
    if votes.total() - votes[told] > max(1, votes[told]):
        return _Meant(
            tuple(season for season, count in votes.most_common() if count > 1), proven=True
        )
    return _Meant((told,), proven=named is not None or votes[told] > 0)


def _is_later_part(number: int | None, name: str | None) -> bool:
    """Whether the file's season is a part, which is where Netflix cuts seasons as it likes."""
    return name is not None and (number or 0) > 1 and _PART.match(fold(name)) is not None


def _by_title(
    series: Titles, items: Sequence[Watched], meant: Sequence[int]
) -> dict[Hashable, tuple[int, ...]]:
    found: dict[Hashable, tuple[int, ...]] = {}
    for item in items:
        if not item.title:
            continue
        if place := series.called(item.title, meant) or series.called(item.title):
            found[item.key] = (place.id,)
        elif double := series.several(item.title, meant):
            found[item.key] = tuple(place.id for place in double)
    taken = {id for ids in found.values() for id in ids}
    for item in items:
        if item.key in found or not item.title or generic_number(item.title) is not None:
            continue
        near = (
            series.called_in_short(item.title, meant)
            or series.resembling(item.title, meant, _SIMILAR)
            or series.resembling(item.title, series.seasons, _SIMILAR_ELSEWHERE)
        )
        if near and near.id not in taken:
            found[item.key] = (near.id,)
    return found


def _by_number(
    series: Titles,
    items: Sequence[Watched],
    meant: Sequence[int],
    known: Mapping[Hashable, tuple[int, ...]],
) -> dict[Hashable, tuple[int, ...]]:
    """Episodes by the number in the file, unless titles show that TMDB counts otherwise."""
    if len(meant) != 1:
        return {}
    shifts: Counter[int | None] = Counter()
    for item in items:
        ids = known.get(item.key, ())
        if item.number is not None and len(ids) == 1:
            place = series.by_id[ids[0]]
            shifts[place.number - item.number if place.season == meant[0] else None] += 1
    shift, count = shifts.most_common(1)[0] if shifts else (0, 1)
    if shift is None or count < _AGREEING * max(shifts.total(), 1) or (shift and count < 2):
        return {}
    taken = {id for item in items for id in known.get(item.key, ())}
    found: dict[Hashable, tuple[int, ...]] = {}
    for item in items:
        number = item.number if item.number is not None else generic_number(item.title or "")
        if item.key in known or number is None:
            continue
        target = series.by_number.get((meant[0], number + shift))
        if target and target.id not in taken:
            found[item.key] = (target.id,)
    return found


def _by_elimination(
    series: Titles,
    items: Sequence[Watched],
    meant: Sequence[int],
    known: Mapping[Hashable, tuple[int, ...]],
) -> dict[Hashable, tuple[int, ...]]:
    """The one title left of a season of which all else was watched is the one episode left."""
    if len(meant) != 1:
        return {}
    season = [place for place in series.episodes if place.season == meant[0]]
    taken = {id for item in items for id in known.get(item.key, ())}
    left = [item for item in items if item.key not in known]
    free = [place for place in season if place.id not in taken]
    if not len(left) == len(free) == 1 or len(season) < 3:
        return {}
    title = left[0].title
    if free[0].telling and title and generic_number(title) is None:
        # Both have a title and they differ: rather a special that Netflix counts with the season.
        return {}
    return {left[0].key: (free[0].id,)}
