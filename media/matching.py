"""Which TMDB series a name in the file is, decided on evidence. Pure: no Django, no I/O.

`match` weighs every candidate by named parts (docs/matching.md explains them with examples).
Ten points are about one unit of log-likelihood: how much likelier the observation is for the
right series than for another of that name, estimated on real exports. A wrong match costs more
than a missing one, so a candidate must reach a threshold and lead the next one by a margin.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from rapidfuzz import fuzz

from media.episodes import EpisodeFacts, SeasonFacts
from media.wording import fold, generic_number, loose, title_forms

__all__ = [
    "Candidate",
    "Decision",
    "EpisodeFacts",
    "Evidence",
    "Part",
    "ScoredCandidate",
    "Search",
    "SeasonFacts",
    "Sentence",
    "Status",
    "Want",
    "WantKind",
    "WatchedEpisode",
    "explain",
    "match",
]

THRESHOLD = 60.0
MARGIN = 15.0
POSSIBLE = 25.0
REACH = 35.0
_MOST_DETAILS = 3


class Sentence(NamedTuple):
    """A sentence for a person: an English template and the values to fill in."""

    template: str
    values: Mapping[str, object] = MappingProxyType({})

    def __str__(self) -> str:
        return self.template % self.values if self.values else self.template


class Status(StrEnum):
    MATCHED = "matched"
    UNCERTAIN = "uncertain"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class WatchedEpisode:
    """An episode as the file says it; each distinct one once."""

    season_number: int | None = None
    season_name: str | None = None
    number: int | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A series that TMDB offers. `None` means that TMDB was not asked yet.

    `other_names` are alternative and translated names. `seasons` are in the rows' language
    and come with the details; `()` means TMDB knows none, which speaks neither for nor against.
    `english_seasons` hold English episode titles, where they were asked for apart.
    `position` is the place among the results of the search, 0 first.
    """

    tmdb_id: int
    name: str
    original_name: str = ""
    other_names: tuple[str, ...] | None = None
    first_air_date: date | None = None
    origin_country: tuple[str, ...] = ()
    original_language: str = ""
    popularity: float = 0.0
    position: int = 0
    seasons: tuple[SeasonFacts, ...] | None = None
    english_seasons: tuple[SeasonFacts, ...] | None = None


class Search(NamedTuple):
    """A search that was or should be made; `language` None is without one."""

    query: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known about one name when it is to be matched."""

    name: str
    other_names: tuple[str, ...] = ()
    language: str = "en"
    episodes: tuple[WatchedEpisode, ...] = ()
    first_watched: date | None = None
    candidates: tuple[Candidate, ...] = ()
    searched: tuple[Search, ...] = ()


class Part(NamedTuple):
    """One reason for or against a candidate, with its points."""

    name: str
    points: float
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class ScoredCandidate:
    tmdb_id: int
    score: float
    parts: tuple[Part, ...]


class WantKind(StrEnum):
    DETAILS = "details"
    ENGLISH = "english"
    SEARCH = "search"


@dataclass(frozen=True, slots=True)
class Want:
    """A further TMDB answer that could settle the match, the most useful first.

    DETAILS: details of `tmdb_id` in the rows' language, with seasons, alternative names and
    translations. ENGLISH: the same seasons with English titles. SEARCH: another search.
    """

    kind: WantKind
    tmdb_id: int | None = None
    search: Search | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, why, and what else would help.

    `tmdb_id` is set when matched. `margin` is the lead of the best over the second candidate
    (over the threshold's floor when it is alone). `wants` is empty when nothing further helps.
    """

    status: Status
    tmdb_id: int | None = None
    margin: float = 0.0
    candidates: tuple[ScoredCandidate, ...] = ()
    wants: tuple[Want, ...] = ()


# --- the parts -------------------------------------------------------------------------------


def _name_part(evidence: Evidence, candidate: Candidate) -> Part:
    shown = [candidate.name]
    best = Part("name", 0.0, Sentence("the names have little in common"))
    groups = (
        (shown, 60.0),
        ([candidate.original_name], 60.0),
        (list(candidate.other_names or ()), 55.0),
    )
    for wanted in (evidence.name, *evidence.other_names):
        for names, most in groups:
            for name in names:
                if name and (part := _compare(wanted, name, most)).points > best.points:
                    best = part
    return best


def _compare(wanted: str, name: str, most: float) -> Part:
    values = MappingProxyType({"name": name})
    if fold(wanted) == fold(name):
        return Part("name", most, Sentence("the same name: %(name)s", values))
    ours, theirs = loose(wanted), loose(name)
    if ours == theirs:
        return Part(
            "name", most - 5, Sentence("the same name but for small words: %(name)s", values)
        )
    if min(len(ours), len(theirs)) >= 8 and _digits(ours) == _digits(theirs):
        ratio = fuzz.ratio(ours, theirs)
        if ratio >= 90:
            points = most - 12 - (100 - ratio)
            return Part("name", points, Sentence("nearly the same name: %(name)s", values))
    short, long = sorted((ours, theirs), key=len)
    if short and (long.startswith(short + " ") or long.endswith(" " + short)):
        return Part("name", 25.0, Sentence("one name is part of the other: %(name)s", values))
    return Part(
        "name",
        fuzz.token_sort_ratio(ours, theirs) / 10,
        Sentence("another name: %(name)s", values),
    )


def _digits(text: str) -> list[str]:
    return [word for word in text.split() if any(c.isdigit() for c in word)]


# TMDB has one first day for the whole world, and some records only a month.
_GRACE = timedelta(days=31)
# Points by years between first airing and first watching: Netflix mostly shows what is recent.
_AGES = ((1, 14.0), (2, 9.0), (5, 5.0), (9, 0.0), (16, -8.0), (31, -14.0))


def _date_part(evidence: Evidence, candidate: Candidate) -> Part | None:
    aired, watched = candidate.first_air_date, evidence.first_watched
    if aired is None:
        return Part("date", -15.0, Sentence("TMDB does not know when it first aired"))
    if watched is None:
        return None
    values = MappingProxyType({"aired": aired.year, "watched": watched.year})
    if aired - watched > _GRACE:
        return Part(
            "date",
            -50.0,
            Sentence("first aired %(aired)s, after you watched it (%(watched)s)", values),
        )
    years = (watched - aired).days / 365
    points = next((points for limit, points in _AGES if years < limit), -25.0)
    return Part(
        "date", points, Sentence("first aired %(aired)s, first watched %(watched)s", values)
    )


def _seasons_of(evidence: Evidence) -> dict[int, list[WatchedEpisode]]:
    seen: dict[int, list[WatchedEpisode]] = defaultdict(list)
    for episode in evidence.episodes:
        if episode.season_number:
            seen[episode.season_number].append(episode)
    return seen


# Netflix cuts seasons into parts; fewer than this many episodes are hardly called a part.
_EPISODES_IN_A_PART = 6


def _season_parts(evidence: Evidence, candidate: Candidate) -> Iterable[Part]:
    seasons = {s.number: s for s in candidate.seasons or () if s.number > 0}
    seen = _seasons_of(evidence)
    if not seasons or not seen:
        return
    highest, known = max(seen), max(seasons)
    total = sum(season.episode_count or 0 for season in seasons.values())
    values = MappingProxyType({"seen": highest, "known": known, "total": total})
    if highest <= known:
        yield Part(
            "seasons",
            min(7.0 + 3 * highest, 19.0),
            Sentence("season %(seen)s of your file is among its %(known)s", values),
        )
    elif total >= _EPISODES_IN_A_PART * highest:
        yield Part(
            "seasons",
            -8.0,
            Sentence(
                "your file has season %(seen)s, TMDB %(known)s, with episodes enough (%(total)s) "
                "to be divided otherwise",
                values,
            ),
        )
    else:
        yield Part(
            "seasons",
            -25.0,
            Sentence("your file has season %(seen)s, TMDB knows %(known)s", values),
        )
    equal, over = 0, 0
    example: dict[str, object] = {}
    for number, episodes in seen.items():
        count = seasons[number].episode_count if number in seasons else None
        if not count:
            continue
        watched = len({fold(e.title or "") or e.number for e in episodes})
        if watched > count or any((e.number or 0) > count for e in episodes):
            over += 1
            if not equal:
                example = {"season": number, "count": count}
        elif watched == count and count > 2:
            equal += 1
            example = {"season": number, "count": count}
    if equal:
        yield Part(
            "episodes",
            min(15.0 * equal, 25.0),
            Sentence(
                "%(count)s episodes in season %(season)s, as in your file",
                MappingProxyType(example),
            ),
        )
    elif over:
        yield Part(
            "episodes",
            max(-12.0 * over, -24.0),
            Sentence(
                "only %(count)s episodes in season %(season)s, fewer than in your file",
                MappingProxyType(example),
            ),
        )


def _title_part(evidence: Evidence, candidate: Candidate) -> Part | None:
    """How many of the watched titles occur among the candidate's episodes."""
    known: dict[str, set[int]] = defaultdict(set)
    titled = 0
    for season in (*(candidate.seasons or ()), *(candidate.english_seasons or ())):
        for episode in season.episodes or ():
            if generic_number(episode.title) is None:
                titled += 1
                for form in title_forms(episode.title):
                    known[form].add(season.number)
    own = {fold(evidence.name), fold(candidate.name)}
    asked, found, weight = 0, 0, 0.0
    example = ""
    for title in {e.title for e in evidence.episodes if e.title}:
        if generic_number(title) is not None or fold(title) in own:
            continue
        asked += 1
        hit = next((form for form in title_forms(title) if form in known), None)
        if hit is None:
            continue
        found += 1
        weight += min(4.0 + 4.0 * len(hit.split()), 20.0) if len(hit) > 3 else 1.0
        example = max(example, title, key=len)
    if found:
        share = found / asked
        return Part(
            "titles",
            min(weight, 60.0) * (0.5 + 0.5 * share),
            Sentence(
                "%(found)s of %(asked)s episode titles occur, such as %(title)s",
                MappingProxyType({"found": found, "asked": asked, "title": example}),
            ),
        )
    if asked and titled and evidence.language == "en":
        return Part(
            "titles",
            -min(10.0 * asked, 40.0),
            Sentence("none of %(asked)s episode titles occurs", MappingProxyType({"asked": asked})),
        )
    return None


def _popularity_part(candidate: Candidate) -> Part:
    points = max(-8.0, min(3 * math.log2(max(candidate.popularity, 0.1)), 10.0))
    return Part("popularity", points, Sentence("how often TMDB's visitors look at it"))


def _score(evidence: Evidence, candidate: Candidate) -> ScoredCandidate:
    parts = [
        _name_part(evidence, candidate),
        _date_part(evidence, candidate),
        *_season_parts(evidence, candidate),
        _title_part(evidence, candidate),
        _popularity_part(candidate),
    ]
    kept = tuple(part for part in parts if part is not None)
    return ScoredCandidate(candidate.tmdb_id, sum(part.points for part in kept), kept)


def match(evidence: Evidence) -> Decision:
    """Decide which candidate, if any, the name in the file is.

    Returns a decision whose `wants` say what further TMDB answers would settle it; when the
    caller cannot or will not fetch them, the status stands as it is. Never raises.
    """
    by_id = {candidate.tmdb_id: candidate for candidate in evidence.candidates}
    scored = sorted(
        (_score(evidence, candidate) for candidate in by_id.values()),
        key=lambda s: (-s.score, s.tmdb_id),
    )
    best = scored[0] if scored else None
    second = scored[1].score if len(scored) > 1 else 0.0
    margin = best.score - max(second, 0.0) if best else 0.0
    if best and best.score >= THRESHOLD and margin >= MARGIN:
        status = Status.MATCHED
    elif best and best.score >= POSSIBLE:
        status = Status.UNCERTAIN
    else:
        status = Status.NOT_FOUND
    return Decision(
        status=status,
        tmdb_id=best.tmdb_id if best and status is Status.MATCHED else None,
        margin=margin,
        candidates=tuple(scored),
        wants=_wants(evidence, by_id, scored, status),
    )


def _wants(
    evidence: Evidence,
    by_id: Mapping[int, Candidate],
    scored: Sequence[ScoredCandidate],
    status: Status,
) -> tuple[Want, ...]:
    wants: list[Want] = []
    best = scored[0].score if scored else 0.0
    reach = [s for s in scored if s.score >= POSSIBLE and s.score >= best - REACH]
    for entry in reach[:_MOST_DETAILS]:
        if by_id[entry.tmdb_id].seasons is None:
            wants.append(Want(WantKind.DETAILS, entry.tmdb_id))
    if status is Status.MATCHED or wants:
        return tuple(wants)
    if best < THRESHOLD:
        # Found by the search, yet under no name that was seen: by one that the details tell.
        hidden = sorted(
            (c for c in by_id.values() if c.other_names is None), key=lambda c: c.position
        )
        wants += [Want(WantKind.DETAILS, c.tmdb_id) for c in hidden[:2] if c.position < 5]
    if evidence.language != "en":
        wants += [
            Want(WantKind.ENGLISH, entry.tmdb_id)
            for entry in reach[:2]
            if by_id[entry.tmdb_id].english_seasons is None and by_id[entry.tmdb_id].seasons
        ]
    return tuple(wants)


def explain(evidence: Evidence, decision: Decision) -> str:
    """The score table of a decision as plain text, for people."""
    by_id = {candidate.tmdb_id: candidate for candidate in evidence.candidates}
    lines = [f"{evidence.name}: {decision.status}, margin {decision.margin:.0f}"]
    for scored in decision.candidates:
        candidate = by_id[scored.tmdb_id]
        year = candidate.first_air_date.year if candidate.first_air_date else "?"
        lines.append(f"{scored.score:6.0f}  {candidate.name} ({year}), TMDB {scored.tmdb_id}")
        lines += [f"{part.points:+13.0f}  {part.name}: {part.sentence}" for part in scored.parts]
    return "\n".join(lines)
