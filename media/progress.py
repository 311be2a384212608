"""Counting episodes (rules 9 to 11). Pure: no Django, no I/O.

A viewing's *episode keys* say which episodes it showed: the TMDB episodes when identified, else
its season and title, else its season and number. Equal keys are one episode, however often and
under however many spellings it was watched.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

SPECIALS = 0
ONE_DAY = timedelta(days=1)

EpisodeKey = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class Watched:
    """What is known of one viewing of an episode: as the file reads, and as TMDB counts."""

    id: int
    season_number: int | None = None
    season_name: str = ""
    season_inferred: bool = False
    number: int | None = None
    title: str = ""
    tmdb_season: int | None = None
    tmdb_episodes: tuple[int, ...] = ()


def title_key(title: str, number: int | None = None) -> str:
    """The letters and digits of a title, casefolded; empty when it only says a number.

    `Folge 3` and `3. Bölüm` name no episode beyond its number, so the same episode in two
    languages has one key.
    """
    text = unicodedata.normalize("NFKC", title).casefold()
    words = re.findall(r"\d+|[^\W\d_]+", text)
    if number is not None and str(number) in (w.lstrip("0") or w for w in words):
        others = [w for w in words if not w.isdigit()]
        if len(others) <= 1 or (len(others) == 2 and max(map(len, others)) <= 2):
            return ""
    return " ".join(words) or text.strip()


def episode_keys(viewings: Sequence[Watched]) -> dict[int, frozenset[EpisodeKey]]:
    """The episode keys of each viewing of one entry, by viewing id.

    A row that has number and title links the two, so that another row with the number alone is
    the same episode; where one number bears several titles, titles decide. A season that the
    file doesn't tell, or that was only inferred, equals the known one in which alone the title
    occurs.
    """
    titles = {v.id: title_key(v.title, v.number) for v in viewings}
    seasons_of_title: dict[str, set[Hashable]] = defaultdict(set)
    for v in viewings:
        if titles[v.id] and not v.season_inferred and _season(v) is not None:
            seasons_of_title[titles[v.id]].add(_season(v))

    def season(v: Watched) -> Hashable:
        known = seasons_of_title.get(titles[v.id], ())
        if (v.season_inferred or _season(v) is None) and len(known) == 1:
            return next(iter(known))
        return _season(v)

    titles_of_number: dict[EpisodeKey, set[str]] = defaultdict(set)
    for v in viewings:
        if titles[v.id] and v.number is not None:
            titles_of_number[(season(v), v.number)].add(titles[v.id])

    def key_as_read(v: Watched) -> EpisodeKey:
        title = titles[v.id]
        if not title and v.number is not None:
            linked = titles_of_number.get((season(v), v.number), ())
            title = next(iter(linked)) if len(linked) == 1 else ""
        if title:
            return ("title", season(v), title)
        if v.number is not None:
            return ("number", season(v), v.number)
        return ("viewing", v.id)

    as_read = {v.id: key_as_read(v) for v in viewings}
    identified: dict[EpisodeKey, frozenset[EpisodeKey]] = {}
    for v in viewings:
        if v.tmdb_episodes:
            identified[as_read[v.id]] = frozenset(("tmdb", e) for e in v.tmdb_episodes)
    keys: dict[int, frozenset[EpisodeKey]] = {}
    for v in viewings:
        if v.tmdb_episodes:
            keys[v.id] = frozenset(("tmdb", e) for e in v.tmdb_episodes)
        else:
            keys[v.id] = identified.get(as_read[v.id], frozenset([as_read[v.id]]))
    return keys


def is_special(viewing: Watched) -> bool:
    """Whether TMDB, or else the file, puts the viewing among the specials (season 0)."""
    if viewing.tmdb_season is not None:
        return viewing.tmdb_season == SPECIALS
    return viewing.season_number == SPECIALS


def regular_keys(viewings: Iterable[Watched]) -> dict[int, frozenset[EpisodeKey]]:
    """The episode keys of one entry's viewings without the specials: what rule 10 counts."""
    return episode_keys([v for v in viewings if not is_special(v)])


def distinct(keys: Mapping[int, frozenset[EpisodeKey]]) -> int:
    """How many episodes the keys name."""
    return len(frozenset().union(*keys.values()))


def told_again(days: Mapping[int, date | None]) -> dict[int, int]:
    """Of viewings of one episode: those that tell again of a watch, and the one that stands for it.

    What lies within a day of an earlier viewing is the same watch (rule 7). `days` has the day of
    each viewing by its id.
    """
    told: dict[int, int] = {}
    first: tuple[date, int] | None = None
    for day, pk in sorted((day, pk) for pk, day in days.items() if day):
        if first is not None and day - first[0] <= ONE_DAY:
            told[pk] = first[1]
        else:
            first = (day, pk)
    return told


def first_and_again(
    keys: Mapping[int, frozenset[EpisodeKey]], days: Mapping[int, date | None]
) -> dict[int, tuple[int, int]]:
    """How many episodes each viewing of an entry shows for the first time, and how many again.

    `keys` and `days` are by viewing id. A viewing that tells again of a watch shows nothing, and
    so does one without a day where a day is known: it says no more than that it was watched.
    """
    of_episode: dict[frozenset[EpisodeKey], dict[int, date | None]] = defaultdict(dict)
    for pk, shown in keys.items():
        of_episode[shown][pk] = days[pk]
    told = {pk for same in of_episode.values() for pk in told_again(same)}
    seen: set[EpisodeKey] = set()
    found: dict[int, tuple[int, int]] = {}
    for pk in sorted(keys, key=lambda pk: (days[pk] is None, days[pk] or date.min, pk)):
        new = len(keys[pk] - seen)
        is_dated = days[pk] is not None
        found[pk] = (0, 0) if pk in told else (new, len(keys[pk]) - new if is_dated else 0)
        seen |= keys[pk]
    return found


def count_by_season(viewings: Iterable[Watched]) -> Mapping[int | None, int]:
    """Distinct episodes per season: TMDB's number where identified, else as read."""
    regular = [v for v in viewings if not is_special(v)]
    keys = episode_keys(regular)
    by_season: dict[int | None, set[EpisodeKey]] = defaultdict(set)
    placed: set[EpisodeKey] = set()
    # Identified ones first: an episode counts once, in the season that TMDB gives it.
    for v in sorted(regular, key=lambda v: not v.tmdb_episodes):
        season = v.tmdb_season if v.tmdb_episodes else v.season_number
        by_season[season] |= keys[v.id] - placed
        placed |= keys[v.id]
    return {season: len(found) for season, found in by_season.items() if found}


def _season(v: Watched) -> Hashable:
    if v.season_number is not None:
        return v.season_number
    return v.season_name.casefold() or None
