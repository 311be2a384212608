"""Which TMDB series a name in the file is, decided on evidence. Pure: no Django, no I/O.

`match` weighs every candidate by named parts (docs/matching.md explains them with examples).
Ten points are about one unit of log-likelihood: how much likelier the observation is for the
right series than for another of that name, estimated on real exports. A wrong match costs more
than a missing one, so a candidate must reach a threshold and lead the next one by a margin.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from rapidfuzz import fuzz

from media.episodes import EpisodeFacts, Place, SeasonFacts, Titles
from media.wording import fold, generic_number, name_key
from tmdb.names import parse_name

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

# Matched: at least this score, and this far ahead of the second.
THRESHOLD = 58.0
MARGIN = 10.0
# Below, a candidate is not worth showing to a person.
POSSIBLE = 35.0
_NEAR_NAME = 28.0
_PART_OF_NAME = 10.0
# Points for episode titles from which on they prove a series whatever its name is.
PROOF = 20.0
# Of the candidates that could be meant, so many of the best are looked into.
_BEST = 2
_MOST_EXPLAINED = 4
_CERTAIN_NAME = 50.0
_IMPOSSIBLE = -60.0
_SAME_TITLE = 90.0
SAME_NAME = "the same name: %(name)s"
_NAME_LENGTHS = ((5, -6.0), (10, -2.0), (15, 2.0), (20, 5.0))
_EPISODE_LIKE = re.compile(r": |\bpilot", re.IGNORECASE)
_SPECIAL_WORDS = re.compile(
    r"\b(?:movie|film|filmen|pelicula|filme|special|especial|making|making of|after|afterparty|"
    r"christmas|natale|navidad|natal|noel|reunion)\b"
)
_PAGE = 20
# Of the results of a search, so many are looked into for names that it does not show.
_LOOKED_INTO = 3
_CLOSING_BRACKETS = re.compile(r"\s*[(（\[][^()（）\[\]]*[)）\]]$")


class Sentence(NamedTuple):
    """A sentence for a person: an English template and the values to fill in."""

    template: str
    values: Mapping[str, object] = {}

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

    `english_name` comes with a search without language, `other_names`, which are alternative and
    translated ones, with the details. So do `seasons`, in the rows' language; `()` means TMDB
    knows none, which speaks neither for nor against.
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
    english_name: str = ""
    position: int = 0
    seasons: tuple[SeasonFacts, ...] | None = None
    english_seasons: tuple[SeasonFacts, ...] | None = None


class Search(NamedTuple):
    """A search that was or should be made; `language` None is without one."""

    query: str
    language: str | None
    page: int = 1


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

    @property
    def is_english(self) -> bool:
        return self.language.partition("-")[0] == "en"


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
        ([candidate.english_name, *(candidate.other_names or ())], 55.0),
    )
    for wanted in (evidence.name, *evidence.other_names):
        for names, most in groups:
            for name in names:
                if name and (part := _compare(wanted, name, most)).points > best.points:
                    best = part
    return best


def _compare(wanted: str, name: str, most: float) -> Part:
    values = {"name": name}
    most += _distinctness(wanted)
    if fold(wanted) == fold(name):
        return Part("name", most, Sentence(SAME_NAME, values))
    ours, theirs = name_key(wanted), name_key(name)
    bare = name_key(_CLOSING_BRACKETS.sub("", wanted))
    if theirs in (ours, bare):
        return Part(
            "name", most - 15, Sentence("the same name but for small words: %(name)s", values)
        )
    if min(len(ours), len(theirs)) >= 8 and _digits(ours) == _digits(theirs):
        ratio = fuzz.ratio(ours, theirs)
        if ratio >= 90:
            points = most - 20 - (100 - ratio)
            return Part("name", points, Sentence("nearly the same name: %(name)s", values))
    short, long = sorted((ours, theirs), key=len)
    if short and (long.startswith(short + " ") or long.endswith(" " + short)):
        return Part(
            "name", _PART_OF_NAME, Sentence("one name is part of the other: %(name)s", values)
        )
    points = fuzz.token_sort_ratio(ours, theirs) / 10
    return Part("name", points, Sentence("another name: %(name)s", values))


def _distinctness(name: str) -> float:
    """Points by length: "H" and "Murder" are many series' names, a whole sentence is one's."""
    # A letter of Chinese, Japanese or Korean says about as much as two of an alphabet.
    letters = sum(2 if character >= "\u2e80" else 1 for character in fold(name))
    return next((points for length, points in _NAME_LENGTHS if letters <= length), 8.0)


def _digits(text: str) -> list[str]:
    return [word for word in text.split() if any(c.isdigit() for c in word)]


def _addition_parts(evidence: Evidence, candidate: Candidate) -> Iterable[Part]:
    """The country and the year that stand in brackets after the name in the file."""
    added = parse_name(evidence.name)
    if added.countries and candidate.origin_country:
        fits = not added.countries.isdisjoint(candidate.origin_country)
        values = {"countries": ", ".join(candidate.origin_country)}
        sentence = "made in %(countries)s, as the name in your file says"
        other = "made in %(countries)s, not where the name in your file says"
        yield Part(
            "country", 15.0 if fits else -25.0, Sentence(sentence if fits else other, values)
        )
    if added.year and candidate.first_air_date:
        aired = candidate.first_air_date.year
        fits = abs(aired - added.year) <= 1
        year = {"aired": aired}
        sentence = "first aired %(aired)s, the year in the name"
        other = "first aired %(aired)s, not the year in the name"
        yield Part("year", 20.0 if fits else -40.0, Sentence(sentence if fits else other, year))


# TMDB has one first day for the whole world, and some records only a month.
_GRACE = timedelta(days=31)
# Points by years between first airing and first watching: Netflix mostly shows what is recent.
_AGES = ((1, 15.0), (2, 5.0), (5, 0.0), (9, -4.0), (16, -22.0), (31, -29.0))


def _date_part(evidence: Evidence, candidate: Candidate) -> Part | None:
    aired, watched = candidate.first_air_date, evidence.first_watched
    if aired is None:
        return Part("date", -26.0, Sentence("TMDB does not know when it first aired"))
    if watched is None:
        return None
    values = {"aired": aired.year, "watched": watched.year}
    if aired - watched > _GRACE:
        return Part(
            "date",
            -63.0,
            Sentence("first aired %(aired)s, after you watched it (%(watched)s)", values),
        )
    years = (watched - aired).days / 365
    points = next((points for limit, points in _AGES if years < limit), -41.0)
    return Part(
        "date", points, Sentence("first aired %(aired)s, first watched %(watched)s", values)
    )


def _seasons_of(evidence: Evidence) -> dict[int, list[WatchedEpisode]]:
    seen: dict[int, list[WatchedEpisode]] = defaultdict(list)
    for episode in evidence.episodes:
        if episode.season_number:
            seen[episode.season_number].append(episode)
    return seen


# Netflix splits or joins some episodes; only a season far beyond TMDB's is another season.
_MORE_THAN = 1.25
# Netflix cuts seasons into parts; fewer than this many episodes are hardly called a part.
_EPISODES_IN_A_PART = 6


def _season_parts(evidence: Evidence, candidate: Candidate) -> Iterable[Part]:
    seasons = {s.number: s for s in candidate.seasons or () if s.number > 0}
    seen = _seasons_of(evidence)
    if not seen:
        return
    if not seasons:
        if candidate.seasons is not None and max(seen) >= 3:
            yield Part(
                "seasons",
                -8.0,
                Sentence(
                    "your file has season %(seen)s, and TMDB knows no season",
                    {"seen": max(seen)},
                ),
            )
        return
    highest, known = max(seen), max(seasons)
    total = sum(season.episode_count or 0 for season in seasons.values())
    values = {"seen": highest, "known": known, "total": total}
    if highest <= known:
        yield Part(
            "seasons",
            {1: 15.0, 2: 15.0, 3: 18.0}.get(highest, 22.0),
            Sentence("season %(seen)s of your file is among its %(known)s", values),
        )
    elif total >= _EPISODES_IN_A_PART * highest:
        yield Part(
            "seasons",
            -2.0,
            Sentence(
                "your file has season %(seen)s, TMDB %(known)s, with episodes enough (%(total)s) "
                "to be divided otherwise",
                values,
            ),
        )
    else:
        yield Part(
            "seasons",
            -22.0,
            Sentence("your file has season %(seen)s, TMDB knows %(known)s", values),
        )
    equal, over = 0, 0
    example: dict[str, object] = {}
    for number, episodes in seen.items():
        count = seasons[number].episode_count if number in seasons else None
        if not count:
            continue
        watched = len({fold(e.title or "") or e.number for e in episodes})
        watched = max(watched, *(e.number or 0 for e in episodes))
        if watched > _MORE_THAN * count + 1:
            over += 1
            if not equal:
                example = {"season": number, "count": count}
        elif watched == count and count > 2:
            equal += 1
            example = {"season": number, "count": count}
    if equal:
        yield Part(
            "episodes",
            17.0,
            Sentence(
                "%(count)s episodes in season %(season)s, as in your file",
                example,
            ),
        )
    elif over:
        yield Part(
            "episodes",
            -12.0,
            Sentence(
                "only %(count)s episodes in season %(season)s, fewer than in your file",
                example,
            ),
        )


def _title_part(evidence: Evidence, candidate: Candidate) -> Part | None:
    """How many of the watched titles occur among the candidate's episodes."""
    if not candidate.seasons and not candidate.english_seasons:
        return None
    own = {fold(evidence.name), fold(candidate.name)}
    asked = [title for title in _telling_titles(evidence) if fold(title) not in own]
    if not asked:
        return None
    known = Titles(candidate.seasons or (), candidate.english_seasons or ())
    if not any(place.telling for place in known.episodes):
        return None
    found = [title for title in asked if known.occurs(title)]
    share = len(found) / len(asked)
    gain = min(sum(_weight(title) for title in found), 70.0)
    # Only English titles are complete enough on TMDB for a missing one to mean something.
    loss = min(4.0 + 3.0 * len(asked), 16.0) if evidence.is_english else 0.0
    if candidate.original_language not in ("en", ""):
        loss /= 2
    points = gain * min(2 * share, 1.0) - loss * max(1.0 - 2 * share, 0.0)
    values: dict[str, object] = {
        "found": len(found),
        "asked": len(asked),
        "title": max(found, key=len, default=""),
    }
    sentence = (
        "%(found)s of %(asked)s episode titles occur, such as “%(title)s”"
        if found
        else "none of %(asked)s episode titles occurs"
    )
    return Part("titles", points, Sentence(sentence, values)) if points else None


def _telling_titles(evidence: Evidence) -> list[str]:
    return sorted(
        {e.title for e in evidence.episodes if e.title and generic_number(e.title) is None}
    )


def _weight(title: str) -> float:
    """Points for a title that occurs: one word ("Plants") is in many series, four in few."""
    words = fold(title).split()
    return {1: 5.0, 2: 12.0}.get(len(words), 24.0) if len(title) > 3 else 2.0


def _popularity_part(candidate: Candidate) -> Part:
    """At most a quarter of what a name is worth, so that it decides between equals only."""
    points = max(-10.0, min(5 * math.log2(max(candidate.popularity, 0.1)), 16.0))
    values = {"popularity": round(candidate.popularity, 1)}
    sentence = "%(popularity)s at TMDB, which decides between equals only"
    return Part("popularity", points, Sentence(sentence, values))


def _score(evidence: Evidence, candidate: Candidate) -> ScoredCandidate:
    parts = [
        _name_part(evidence, candidate),
        *_addition_parts(evidence, candidate),
        _date_part(evidence, candidate),
        *_season_parts(evidence, candidate),
        _title_part(evidence, candidate),
        _popularity_part(candidate),
    ]
    kept = tuple(part for part in parts if part is not None)
    return ScoredCandidate(candidate.tmdb_id, sum(part.points for part in kept), kept)


def _is_named(scored: ScoredCandidate) -> bool:
    """Whether the name is the same or nearly so, or else the episodes prove the series.

    A name that is only a part of the other never wins by seasons, dates and popularity.
    """
    return _points(scored, "name") >= _NEAR_NAME or _points(scored, "titles") >= PROOF


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
    if best and best.score >= THRESHOLD and margin >= MARGIN and _is_named(best):
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
    details = _details_wanted(evidence, by_id, scored, status)
    if status is Status.MATCHED or details:
        return details
    best = scored[0].score if scored else 0.0
    wants: list[Want] = []
    if best < THRESHOLD:
        wants += _wants_of_the_hidden(evidence, by_id)
    if not evidence.is_english and _telling_titles(evidence):
        wants += [
            Want(WantKind.ENGLISH, entry.tmdb_id)
            for entry in scored[:2]
            if by_id[entry.tmdb_id].seasons
            and by_id[entry.tmdb_id].english_seasons is None
            and entry.score >= POSSIBLE
        ]
    return tuple(wants)


def _wants_of_the_hidden(evidence: Evidence, by_id: Mapping[int, Candidate]) -> list[Want]:
    """What may bring out a series that bears the name, though no result shows it."""
    hidden = [c for c in by_id.values() if c.other_names is None and c.position < _LOOKED_INTO]
    # Found by the search, yet under no name that was seen: by one that the details tell.
    inside = [Want(WantKind.DETAILS, c.tmdb_id) for c in sorted(hidden, key=lambda c: c.position)]
    searches = [
        Want(WantKind.SEARCH, search=search)
        for search in _further_searches(evidence)
        if search not in evidence.searched
    ]
    # A full page holds the most popular of many that have the word; else few have the name, and
    # mostly the first is the right one.
    is_first_known = any(c.other_names is not None for c in by_id.values())
    if is_first_known or _is_crowded(evidence):
        return [*searches, *inside]
    return [*inside[:1], *searches, *inside[1:]]


def _is_crowded(evidence: Evidence) -> bool:
    return len(evidence.name.split()) == 1 and len(evidence.candidates) >= _PAGE


def _details_wanted(
    evidence: Evidence,
    by_id: Mapping[int, Candidate],
    scored: Sequence[ScoredCandidate],
    status: Status,
) -> tuple[Want, ...]:
    """Details of the leading candidate, and of those that details could still bring before it."""
    if not scored or scored[0].score < POSSIBLE:
        return ()
    proven = any(part.name == "titles" and part.points >= PROOF for part in scored[0].parts)
    reach = 25.0 if proven else 60.0 if evidence.is_english else 40.0
    near = [
        entry
        for entry in scored
        if entry.score >= scored[0].score - reach
        and (_is_named(entry) or (entry is scored[0] and _points(entry, "name") >= _PART_OF_NAME))
    ]
    # What most people watch is worth a look, however old it is.
    popular = sorted(near[_BEST:], key=lambda entry: -by_id[entry.tmdb_id].popularity)[:1]
    unknown = [e for e in (*near[:_BEST], *popular) if by_id[e.tmdb_id].seasons is None]
    # Whom to ask about first may follow popularity, unlike whom to believe.
    unknown.sort(key=lambda entry: (-entry.score - _points(entry, "popularity"), entry.tmdb_id))
    return tuple(Want(WantKind.DETAILS, entry.tmdb_id) for entry in unknown)


def _further_searches(evidence: Evidence) -> list[Search]:
    """Other ways to search for the name, the likeliest first.

    Without a language TMDB shows its English names, which files in other languages have, too.
    """
    name, language = evidence.name, evidence.language
    queries = [parse_name(name).base, _CLOSING_BRACKETS.sub("", name)]
    words = name.split()
    queries.append(" ".join(word for word in words if word.casefold() not in ("and", "&")))
    queries += [head for head, mark, _ in (name.rpartition(": "), name.rpartition(" - ")) if mark]
    searches = [Search(query, language) for query in dict.fromkeys(queries) if query != name]
    if _is_crowded(evidence):
        searches.append(Search(name, language, page=2))
    if not evidence.is_english:
        searches.append(Search(name, None))
    return [search for search in searches if search.query.strip()]


_UNTOLD = Sentence("TMDB does not tell what it is.")


class Verdict(StrEnum):
    """What a doubtful `A: B` turned out to be; `AS_READ` when TMDB does not tell."""

    EPISODE = "episode"
    SPECIAL = "special"
    MOVIE = "movie"
    AS_READ = "as_read"


@dataclass(frozen=True, slots=True)
class Doubt:
    """A title `A: B` of which the file does not tell whether it is an episode or a movie.

    `key` is the caller's and comes back; `title` is B, all that follows A; `is_episode` is how
    the file alone was read.
    """

    key: Hashable
    title: str
    is_episode: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """The verdict on a doubtful row, why, and where TMDB has it.

    A special stays a movie in kind and is linked to the series (rule 17). `tmdb_id` is the
    series for episodes and specials; `season_number` is TMDB's, where the title was found.
    """

    verdict: Verdict
    reason: Sentence
    tmdb_id: int | None = None
    season_number: int | None = None
    episode_ids: tuple[int, ...] = ()


def settle(
    doubts: Sequence[Doubt], evidence: Evidence, decision: Decision, pinned: int | None = None
) -> Mapping[Hashable, Settled]:
    """Say of the doubtful rows `A: B` of one name A whether they are its episodes.

    `evidence` and `decision` are those of A, with the titles B among the evidence's episodes.
    B is an episode when a series A has it in a regular season, or has most of the other rows';
    where titles cannot be compared, when the name alone is strong and nothing speaks against it.
    A lone B is a movie when TMDB has no series of that name.

    With `pinned` a person said which series A is. What was read as its episode is one then,
    whatever TMDB calls that series and whether it still has it; nothing is made a movie.
    """
    by_hand = {}
    if pinned is not None:
        reason = Sentence(
            "It was said by hand which series %(series)s is.", {"series": evidence.name}
        )
        sure = Settled(Verdict.EPISODE, reason, pinned)
        by_hand = {doubt.key: sure for doubt in doubts if doubt.is_episode}
    left = [doubt for doubt in doubts if doubt.key not in by_hand]
    found = _settled_by_titles(left, evidence, decision, pinned)
    if found is None:
        found = {doubt.key: _settled_by_name(doubt, evidence, decision, pinned) for doubt in left}
    return {**by_hand, **found}


def settle_as_read(doubts: Sequence[Doubt]) -> Mapping[Hashable, Settled]:
    """What becomes of doubtful rows about which TMDB is not to be asked: nothing."""
    return {doubt.key: Settled(Verdict.AS_READ, _UNTOLD) for doubt in doubts}


def _settled_by_titles(
    doubts: Sequence[Doubt], evidence: Evidence, decision: Decision, pinned: int | None
) -> Mapping[Hashable, Settled] | None:
    """The verdicts when a candidate of that name has any of the titles; else None."""
    by_id = {candidate.tmdb_id: candidate for candidate in evidence.candidates}
    for scored in decision.candidates:
        candidate = by_id[scored.tmdb_id]
        if pinned is None:
            is_meant = _is_named(scored) and _points(scored, "date") > _IMPOSSIBLE
        else:
            is_meant = scored.tmdb_id == pinned
        if not is_meant:
            continue
        titles = Titles(candidate.seasons or (), candidate.english_seasons or ())
        places = {doubt.key: _place_of(doubt.title, titles) for doubt in doubts}
        regular = sum(place is not None and place.season > 0 for place in places.values())
        if not any(places.values()):
            continue
        return {
            doubt.key: _verdict_by_title(
                doubt, candidate, places[doubt.key], supported=2 * regular >= len(doubts)
            )
            for doubt in doubts
        }
    return None


def _verdict_by_title(
    doubt: Doubt, candidate: Candidate, place: Place | None, *, supported: bool
) -> Settled:
    values = {"title": doubt.title, "series": candidate.name}
    if place is None and supported:
        reason = Sentence("Other titles beside it are episodes of %(series)s.", values)
        return Settled(Verdict.EPISODE, reason, candidate.tmdb_id)
    if place is None:
        return Settled(Verdict.AS_READ, Sentence("%(series)s has no such episode.", values))
    if place.season == 0:
        reason = Sentence("“%(title)s” is a special of %(series)s.", values)
        return Settled(Verdict.SPECIAL, reason, candidate.tmdb_id, 0, (place.id,))
    reason = Sentence("“%(title)s” is an episode of %(series)s.", values)
    return Settled(Verdict.EPISODE, reason, candidate.tmdb_id, place.season, (place.id,))


def _place_of(title: str, titles: Titles) -> Place | None:
    """Where a series has a title, which may have the name of a season before it."""
    seasons = sorted(titles.seasons, key=lambda season: season == 0)
    regular = [season for season in seasons if season > 0]
    _, colon, rest = title.partition(": ")
    for form in (title, rest) if colon else (title,):
        if generic_number(form) is None and (
            place := titles.called(form, regular) or titles.called(form, seasons)
        ):
            return place
    if generic_number(title) is not None:
        return None
    return titles.resembling(title, seasons, _SAME_TITLE)


def _settled_by_name(
    doubt: Doubt, evidence: Evidence, decision: Decision, pinned: int | None
) -> Settled:
    as_read = Settled(Verdict.AS_READ, _UNTOLD)
    values = {"title": doubt.title, "series": evidence.name}
    best = _named_as_meant(decision, pinned)
    if best is None:
        exists = any(_points(scored, "name") >= _NEAR_NAME for scored in decision.candidates)
        if doubt.is_episode and not exists and _looks_like_a_film(doubt, evidence):
            return Settled(Verdict.MOVIE, Sentence("TMDB has no series called %(series)s.", values))
        return as_read
    if _points(best, "titles") < 0:
        return Settled(Verdict.AS_READ, Sentence("%(series)s has no such episode.", values))
    if doubt.is_episode:
        reason = Sentence("There is a series called %(series)s.", values)
        return Settled(Verdict.EPISODE, reason, best.tmdb_id)
    candidate = next(c for c in evidence.candidates if c.tmdb_id == best.tmdb_id)
    if _SPECIAL_WORDS.search(fold(doubt.title)) or not _had_one_season(candidate, evidence, best):
        return as_read
    reason = Sentence("%(series)s is a series of one season, which Netflix does not name.", values)
    return Settled(Verdict.EPISODE, reason, best.tmdb_id)


def _named_as_meant(decision: Decision, pinned: int | None) -> ScoredCandidate | None:
    """The candidate that is meant beyond doubt: the pinned one, or one of the very name."""
    if pinned is not None:
        return next((s for s in decision.candidates if s.tmdb_id == pinned), None)
    best = decision.candidates[0] if decision.candidates else None
    if decision.tmdb_id is None or best is None or _points(best, "name") < _CERTAIN_NAME:
        return None
    return best


def _looks_like_a_film(doubt: Doubt, evidence: Evidence) -> bool:
    """Whether nothing but the doubtful title bears the name, and the title has just two parts."""
    return (
        len(evidence.episodes) <= 1
        and not any(episode.season_name for episode in evidence.episodes)
        and ": " not in evidence.name
        and not _EPISODE_LIKE.search(doubt.title)
    )


def _had_one_season(candidate: Candidate, evidence: Evidence, scored: ScoredCandidate) -> bool:
    """Whether it was a recent series of one season when watched: Netflix then leaves "Season 1"
    out, while of a series with more seasons only specials and films have no season."""
    watched = evidence.first_watched
    seasons = [season for season in candidate.seasons or () if season.number > 0]
    aired = [
        season
        for season in seasons
        if not (season.air_date and watched) or season.air_date <= watched + _GRACE
    ]
    least = 0.0 if seasons else _AGES[0][1]
    return len(aired) <= 1 and _points(scored, "date") >= least


def wants_to_settle(
    doubts: Sequence[Doubt], evidence: Evidence, decision: Decision, pinned: int | None = None
) -> tuple[Want, ...]:
    """What TMDB should be asked before `settle`, the most useful first; empty when nothing."""
    if pinned is not None:
        doubts = [doubt for doubt in doubts if not doubt.is_episode]
    elif decision.wants:
        return decision.wants
    if _settled_by_titles(doubts, evidence, decision, pinned) is not None:
        return ()
    if evidence.is_english or all(generic_number(doubt.title) is not None for doubt in doubts):
        return ()
    by_id = {candidate.tmdb_id: candidate for candidate in evidence.candidates}
    return tuple(
        Want(WantKind.ENGLISH, scored.tmdb_id)
        for scored in decision.candidates[:1]
        if (pinned is not None or _points(scored, "name") >= _CERTAIN_NAME)
        and by_id[scored.tmdb_id].seasons
        and by_id[scored.tmdb_id].english_seasons is None
    )


def _points(scored: ScoredCandidate, name: str) -> float:
    return next((part.points for part in scored.parts if part.name == name), 0.0)


def explain(evidence: Evidence, decision: Decision) -> str:
    """The score table of a decision as plain text, for people: the best candidates, by part."""
    by_id = {candidate.tmdb_id: candidate for candidate in evidence.candidates}
    lines = [
        f"{evidence.name}: {decision.status}"
        f" (matched from {THRESHOLD:.0f} points, {MARGIN:.0f} ahead of the second)"
    ]
    for scored in decision.candidates[:_MOST_EXPLAINED]:
        candidate = by_id[scored.tmdb_id]
        year = candidate.first_air_date.year if candidate.first_air_date else "?"
        lines.append(f"{scored.score:6.0f}  {candidate.name} ({year}), TMDB {scored.tmdb_id}")
        lines += [f"{part.points:+13.0f}  {part.name}: {part.sentence}" for part in scored.parts]
    if more := len(decision.candidates) - _MOST_EXPLAINED:
        lines += [f"        and {more} more below"] * (more > 0)
    return "\n".join(lines)
