"""Which TMDB episode each viewing is. Pure: no Django, no I/O.

A wrong identification is worse than none: where titles, numbers and counts do not settle it,
the viewing stays without an episode and still counts by its title (rule 9).
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Container, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, TypeGuard

from rapidfuzz import fuzz, process

from media.progress import SPECIALS
from media.wording import divided, fold, generic_number, only_counts, short_forms, title_forms

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
    """An episode as TMDB has it; `id` stays when TMDB renumbers.

    `other_titles` are those in further languages.
    """

    id: int
    number: int
    title: str
    air_date: date | None = None
    other_titles: tuple[str, ...] = ()


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
    other_names: tuple[str, ...] = ()


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
            for name in filter(None, (season.name, *season.other_names)):
                self.names.setdefault(fold(name), season.number)
            for episode in season.episodes or ():
                numbers.setdefault(episode.id, (season.number, episode.number))
                titles[episode.id] += (episode.title, *episode.other_titles)
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
        self.regular = self.seasons - {SPECIALS}
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

    def lengths(self) -> Iterator[tuple[int, int]]:
        """The regular seasons in order, with their numbers of episodes, as far as those are known."""
        for season in itertools.count(1):
            numbers = {place.number for place in self.episodes if place.season == season}
            if not numbers or numbers != set(range(1, len(numbers) + 1)):
                return
            yield season, len(numbers)

    def called(
        self, title: str, seasons: Iterable[int] | None = None, *, numbered: bool = True
    ) -> Place | None:
        """The only episode with this title, in any of its forms; the fuller form goes first.

        Titles that only say the episode's number count if `numbered`, and with `seasons` alone.
        """
        for key in title_forms(title):
            if seasons is None:
                places = self._anywhere.get(key, [])
            else:
                places = [p for season in seasons for p in self._within.get((season, key), ())]
            if not numbered:
                places = [place for place in places if key in place.telling]
            if places:
                return places[0] if len(places) == 1 else None
        return None

    def called_in_short(
        self, title: str, seasons: Sequence[int], *, numbered: bool
    ) -> Place | None:
        """The only episode of these seasons that has this title but for additions to either."""
        for key in (*title_forms(title), *short_forms(title)):
            places = {
                place.id: place
                for season in seasons
                for known in (self._within, self._shortened)
                for place in known.get((season, key), ())
                if numbered or generic_number(key) != place.number
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

    def several(self, title: str, seasons: Sequence[int], *, numbered: bool) -> tuple[Place, ...]:
        """The neighbouring episodes that a double episode's title names, else none."""
        for parts in divided(title):
            found = [self.called(part, seasons, numbered=numbered) for part in parts]
            places = sorted((p for p in found if p is not None), key=lambda p: p.number)
            first = places[0] if places else None
            if first and [(p.season, p.number) for p in places] == [
                (first.season, first.number + at) for at in range(len(parts))
            ]:
                return tuple(places)
        return ()

    def halves(self, title: str, seasons: Iterable[int]) -> tuple[Place, ...]:
        """The two neighbouring episodes that are parts of one with this title, else none."""
        for key in title_forms(title):
            found = []
            for season in seasons:
                parts = [self._within.get((season, f"{key} {n}"), []) for n in (1, 2, 3)]
                if [len(places) for places in parts] == [1, 1, 0]:
                    found.append((parts[0][0], parts[1][0]))
            if len(found) == 1 and found[0][1].number == found[0][0].number + 1:
                return found[0]
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
    groups: dict[_Group, list[Watched]] = defaultdict(list)
    for item in watched:
        groups[item.season_number, item.season_name].append(item)
    counted = _how_counted(series, groups)
    found: dict[Hashable, tuple[int, ...]] = {}
    for group, items in groups.items():
        found.update(_by_title(series, items, counted[group]))
    taken = {id for ids in found.values() for id in ids}
    for group, items in groups.items():
        found.update(_by_halves(series, items, counted[group].seasons, found, taken))
    for group, items in groups.items():
        found.update(_by_number(series, items, counted[group], found))
        found.update(_by_elimination(series, items, counted[group].seasons, found))
    return found


_Group = tuple[int | None, str | None]
"""Number and name of a season, as the file has it."""


class _Counted(NamedTuple):
    """How TMDB counts what is a season in the file.

    `seasons` are TMDB's. In the only one of them, TMDB's numbers are the file's and `shift`; None
    where only titles can show by how much they differ, if at all.
    """

    seasons: tuple[int, ...]
    shift: int | None


_UNKNOWN = _Counted((), None)


def _how_counted(
    series: Titles, groups: Mapping[_Group, Sequence[Watched]]
) -> Mapping[_Group, _Counted]:
    """How TMDB counts each season of the file.

    Where TMDB lacks one of them, or it is a later part, Netflix may have cut all of them
    otherwise: then only titles, a name or sums of episodes say which season is meant.
    """
    counted: dict[_Group, _Counted] = {}
    unproven: set[_Group] = set()
    for group, items in groups.items():
        votes = _votes(series, items)
        named, season = _season_told(series, *group)
        if season is None:
            # Without a number of its own it can be but the only season that there is.
            is_only = group[0] is None and series.regular == set(votes)
            counted[group] = _Counted(_most_voted(votes, 1), 0 if is_only else None)
        elif votes.total() - votes[season] > max(1, votes[season]):
            counted[group] = _Counted(_most_voted(votes, 2), None)
        else:
            counted[group] = _Counted((season,), 0)
            if not (named or votes[season]):
                unproven.add(group)
    recut = any(
        number is not None and number > 0 and number not in counted[number, name].seasons
        for number, name in groups
    )
    sums = _sums(series, groups)
    if any(
        told.seasons[0] not in counted[group].seasons
        for group in groups.keys() - unproven
        if counted[group].seasons and (told := sums.get(group[0] or 0))
    ):
        sums = {}
    for group in groups:
        told = sums.get(group[0] or 0)
        if group not in unproven:
            if told and counted[group].shift is None:
                counted[group] = told
        elif (recut and group[0] != 1) or _is_later_part(*group):
            # The first one begins where TMDB's begins, however long either is.
            counted[group] = told or _UNKNOWN
    return counted


def _votes(series: Titles, items: Iterable[Watched]) -> Counter[int]:
    """How many titles are of episodes of which season."""
    titles = {fold(item.title): item.title for item in items if item.title}
    places = (series.called(title) for title in titles.values())
    return Counter(place.season for place in places if place and place.season > 0)


def _most_voted(votes: Counter[int], at_least: int) -> tuple[int, ...]:
    return tuple(sorted(season for season, count in votes.items() if count >= at_least))


def _season_told(series: Titles, number: int | None, name: str | None) -> tuple[bool, int | None]:
    """Whether a name of its own says which season of TMDB's is meant, and which one it is."""
    by_name = series.names.get(fold(name)) if name else None
    season = number if by_name is None else by_name
    if season not in series.seasons:
        return False, None
    return by_name is not None and name is not None and not only_counts(name), season


def _sums(series: Titles, groups: Mapping[_Group, Sequence[Watched]]) -> Mapping[int, _Counted]:
    """Where the file's seasons lie in TMDB's when several of them add up to just one of TMDB's.

    Parts of 9 and 6 episodes are a season of 15. What does not add up, or is not finished, is
    left out, but for the part with which a season begins.
    """
    parts: dict[int, list[Watched]] = defaultdict(list)
    for (number, _), items in groups.items():
        parts[number or 0] += items
    lengths = iter(series.lengths())
    found: dict[int, _Counted] = {}
    season, length = next(lengths, (0, 0))
    begun: dict[int, _Counted] = {}
    reached = 0
    for part in itertools.count(1):
        if part not in parts or not length:
            break
        begun[part] = _Counted((season,), reached)
        reached += _length(parts[part])
        if reached > length:
            return found
        if reached == length:
            found |= begun
            season, length = next(lengths, (0, 0))
            begun, reached = {}, 0
    # What comes after a season that added up begins the next one.
    return found | dict(list(begun.items())[:1] if found else [])


def _length(items: Iterable[Watched]) -> int:
    """How many episodes a season of the file has: those watched, or up to the highest number."""
    numbers = {_number(item) for item in items} - {None}
    titles = {fold(item.title) for item in items if item.title and _number(item) is None}
    return max([len(numbers) + len(titles), *filter(None, numbers)])


def _number(item: Watched) -> int | None:
    """The number of an episode in its season, as its title or else the file says."""
    of_title = generic_number(item.title) if item.title else None
    return item.number if of_title is None else of_title


def _is_telling(title: str | None) -> TypeGuard[str]:
    """Whether there is a title that says more than a number."""
    return bool(title) and generic_number(title) is None


def _is_later_part(number: int | None, name: str | None) -> bool:
    """Whether the file's season is a part, which is where Netflix cuts seasons as it likes."""
    return name is not None and (number or 0) > 1 and _PART.match(fold(name)) is not None


def _by_title(
    series: Titles, items: Sequence[Watched], counted: _Counted
) -> dict[Hashable, tuple[int, ...]]:
    """Episodes by title; titles that only say a number count where TMDB's numbers are the file's."""
    meant, numbered = counted.seasons, counted.shift == 0
    found: dict[Hashable, tuple[int, ...]] = {}
    for item in items:
        if not item.title:
            continue
        exact = series.called(item.title, meant, numbered=numbered) or series.called(item.title)
        if exact:
            found[item.key] = (exact.id,)
        elif double := series.several(item.title, meant, numbered=numbered):
            found[item.key] = tuple(place.id for place in double)
    taken = {id for ids in found.values() for id in ids}
    for item in items:
        if item.key in found or not _is_telling(item.title):
            continue
        near = (
            series.called_in_short(item.title, meant, numbered=numbered)
            or series.resembling(item.title, meant, _SIMILAR)
            or series.resembling(item.title, series.seasons, _SIMILAR_ELSEWHERE)
        )
        if near and near.id not in taken:
            found[item.key] = (near.id,)
    return found


def _by_halves(
    series: Titles,
    items: Sequence[Watched],
    meant: Sequence[int],
    known: Mapping[Hashable, tuple[int, ...]],
    taken: Container[int],
) -> dict[Hashable, tuple[int, ...]]:
    """Double episodes whose halves TMDB lists apart, as `Pilot (1)` and `Pilot (2)`.

    Not where either half was watched by itself, or the file has two of that title.
    """
    numbers: dict[str, set[int | None]] = defaultdict(set)
    for item in items:
        numbers[fold(item.title or "")].add(item.number)
    found: dict[Hashable, tuple[int, ...]] = {}
    for item in items:
        if item.key in known or not item.title or len(numbers[fold(item.title)] - {None}) > 1:
            continue
        halves = series.halves(item.title, meant or series.seasons)
        if halves and not any(half.id in taken for half in halves):
            found[item.key] = tuple(half.id for half in halves)
    return found


def _by_number(
    series: Titles,
    items: Sequence[Watched],
    counted: _Counted,
    known: Mapping[Hashable, tuple[int, ...]],
) -> dict[Hashable, tuple[int, ...]]:
    """Episodes by the number in the file, unless titles show that TMDB counts otherwise."""
    if len(counted.seasons) != 1:
        return {}
    (season,) = counted.seasons
    shifts: Counter[int | None] = Counter()
    for item in items:
        ids = known.get(item.key, ())
        if item.number is not None and len(ids) == 1:
            place = series.by_id[ids[0]]
            shifts[place.number - item.number if place.season == season else None] += 1
    shift = counted.shift
    if shifts:
        shift, count = shifts.most_common(1)[0]
        if count < _AGREEING * shifts.total() or (shift != counted.shift and count < 2):
            return {}
    if shift is None:
        return {}
    taken = {id for item in items for id in known.get(item.key, ())}
    found: dict[Hashable, tuple[int, ...]] = {}
    for item in items:
        number = _number(item)
        if item.key in known or number is None:
            continue
        target = series.by_number.get((season, number + shift))
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
    free = [place for place in season if place.id not in taken]
    left = [item for item in items if item.key not in known]
    titles = {fold(item.title) if _is_telling(item.title) else "" for item in left}
    numbers = {_number(item) for item in left} - {None}
    if not len(titles) == len(free) == 1 or len(numbers) > 1 or len(season) < 3:
        return {}
    if free[0].telling and "" not in titles:
        # Both have a title and they differ: rather a special that Netflix counts with the season.
        return {}
    return {item.key: (free[0].id,) for item in left}
