"""What a file says, cut into parts that can be stored one after the other.

A file is read as a whole, since its titles explain one another, and stored in short
transactions, maybe by several workers. In between its parts wait in the database: reading the
file again would give another result, because the library knows more by then.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any, NamedTuple

from imports.models import Outcome
from imports.reading import Alternative, Kind, Message, Row, name_key, paused_collection
from media.keys import digest, storable
from media.models import ViewingKind

# What one transaction stores in well under a second (rule 19).
TITLES = 1000
PROBLEMS = 2000

MAX_NUMBER = 2**31 - 1
MAX_PROFILE = 200
MAX_SEASON_NAME = 300


class Play(NamedTuple):
    """That a title was watched on a day; partial plays of one day are summed."""

    line: int
    day: date
    watched_at: datetime | None
    duration_seconds: int | None
    profile: str


class Title(NamedTuple):
    """How a title reads, and when it was watched. Numbers and texts fit the database."""

    title_hash: str
    raw_title: str
    kind: str
    series: str
    """Empty when nobody could think it an episode."""
    language: str
    season_number: int | None
    season_inferred: bool
    season_name: str
    episode_number: int | None
    episode_title: str
    reading_uncertain: bool
    alternative: dict[str, Any] | None
    plays: Sequence[Play]


class Problem(NamedTuple):
    """A row that is not taken, and why."""

    line: int
    title: str
    outcome: str
    reason: str
    """In English; `message` is the same as template and values."""
    message: dict[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Some titles with all their plays, some problem rows, and how many rows repeat others."""

    titles: Sequence[Title] = ()
    problems: Sequence[Problem] = ()
    repeated: int = 0


def cut(rows: Sequence[Row]) -> Iterator[Part]:
    """The rows of a file as parts, titles in file order. Each row counts in exactly one part."""
    with paused_collection():
        titles, problems = _sorted(rows)
    of_titles, of_problems = iter(titles), iter(problems)
    while True:
        with paused_collection():
            some = [[rows[index] for index in indexes] for indexes in islice(of_titles, TITLES)]
            read = [_title(of_title) for of_title in some]
            left_out = [_problem(rows[index]) for index in islice(of_problems, PROBLEMS)]
        if not read and not left_out:
            return
        repeated = sum(map(len, some)) - sum(len(title.plays) for title in read)
        yield Part(read, left_out, repeated)


def _sorted(rows: Iterable[Row]) -> tuple[Sequence[Sequence[int]], Sequence[int]]:
    """Where the rows of each title are, and those that are not taken."""
    firsts: dict[str, int] = {}
    more: dict[int, list[int]] = {}
    problems: list[int] = []
    for index, row in enumerate(rows):
        if row.kind is Kind.SKIPPED or row.kind is Kind.ERROR or row.watched_on is None:
            problems.append(index)
            continue
        first = firsts.setdefault(row.title_key, index)
        if first != index:
            more.setdefault(first, [first]).append(index)
    return [more.get(first, (first,)) for first in firsts.values()], problems


def withdrawing(title_hashes: Iterable[str]) -> Iterator[Part]:
    """Parts that take back what an import claimed of some titles."""
    hashes = iter(title_hashes)
    while some := list(islice(hashes, TITLES)):
        yield Part([_withdrawn(title_hash) for title_hash in some])


def _withdrawn(title_hash: str) -> Title:
    return Title(title_hash, "", "", "", "", None, False, "", None, "", False, None, ())


def pack(part: Part) -> bytes:
    """The part as bytes for the database: JSON, compressed."""
    content = {"titles": part.titles, "problems": part.problems, "repeated": part.repeated}
    text = json.dumps(content, default=_isoformat, separators=(",", ":"))
    return zlib.compress(text.encode(), level=1)


def unpack(packed: bytes) -> Part:
    content = json.loads(zlib.decompress(packed))
    return Part(
        [_unpacked(title) for title in content["titles"]],
        [Problem(*problem) for problem in content["problems"]],
        content["repeated"],
    )


def _unpacked(title: list[Any]) -> Title:
    title[-1] = [_play(*play) for play in title[-1]]
    return Title._make(title)


def _isoformat(value: date) -> str:
    return value.isoformat()


def _play(
    line: int, day: str, watched_at: str | None, duration_seconds: int | None, profile: str
) -> Play:
    moment = datetime.fromisoformat(watched_at) if watched_at else None
    return Play(line, date.fromisoformat(day), moment, duration_seconds, profile)


def _title(rows: Sequence[Row]) -> Title:
    row = rows[0]
    series = storable(row.series or "")
    is_episode = row.kind is Kind.EPISODE and series
    other = row.alternative
    return Title(
        digest(row.title_key),
        storable(row.title),
        ViewingKind.EPISODE.value if is_episode else ViewingKind.MOVIE.value,
        series or storable((other and other.series) or ""),
        row.language or "",
        bounded(row.season_number),
        row.season_inferred,
        storable(row.season_name or "")[:MAX_SEASON_NAME],
        bounded(row.episode_number),
        storable(row.episode_title or ""),
        row.reading_uncertain,
        _other_reading(other, row.reason) if other else None,
        _plays(rows),
    )


def _other_reading(other: Alternative, reason: Message) -> dict[str, object]:
    series = storable(other.series or "")
    return {
        "kind": other.kind.value,
        "series": series or None,
        "series_key": name_key(series),
        "season_number": bounded(other.season_number),
        "episode_title": storable(other.episode_title or "") or None,
        "reason": storable(str(reason)),
        "message": kept(reason),
    }


def _plays(rows: Sequence[Row]) -> list[Play]:
    """One play a day, in file order."""
    plays: dict[date, Play] = {}
    for row in rows:
        if row.watched_on is None:
            continue
        play = Play(
            row.line,
            row.watched_on,
            row.watched_at,
            bounded(row.duration_seconds),
            storable(row.profile or "")[:MAX_PROFILE],
        )
        earlier = plays.get(row.watched_on)
        plays[row.watched_on] = _together(earlier, play) if earlier else play
    return list(plays.values())


def _together(play: Play, other: Play) -> Play:
    lengths = [p.duration_seconds for p in (play, other) if p.duration_seconds is not None]
    return play._replace(
        watched_at=min((p.watched_at for p in (play, other) if p.watched_at), default=None),
        duration_seconds=bounded(sum(lengths)) if lengths else None,
        profile=play.profile or other.profile,
    )


def _problem(row: Row) -> Problem:
    outcome = Outcome.SKIPPED if row.kind is Kind.SKIPPED else Outcome.FAILED
    return Problem(
        row.line,
        storable(row.title),
        outcome.value,
        storable(str(row.reason)),
        kept(row.reason),
    )


def kept(message: Message) -> dict[str, object]:
    """A message as JSON: template and values, for `media.sentences.in_words`."""
    return {
        "template": message.template,
        "values": {name: _kept_value(value) for name, value in message.values.items()},
    }


def _kept_value(value: object) -> object:
    if isinstance(value, Message):
        return kept(value)
    if isinstance(value, date):
        return {"day": value.isoformat()}
    return value if isinstance(value, int | float) else storable(str(value))


def bounded(number: int | None) -> int | None:
    """The number where the database can hold it, else None."""
    return number if number is not None and 0 <= number <= MAX_NUMBER else None
