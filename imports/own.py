"""A library that watchlog itself wrote as a file (`media/exporting.py`), imported again.

The lines are not read as titles: they say what they mean. They wait in parts like those of
other files, names before viewings, and the import claims each viewing (rule 18).
"""

from __future__ import annotations

import heapq
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.preferences import chosen_in, restore_preferences
from imports import stopping
from imports.models import Claim, Import, ImportProblem, Outcome
from imports.parts import Problem
from imports.preview import SHOWN
from imports.reading import MOST_PROFILES
from media import restoring
from media.keys import storable
from media.models import MediaType, Source, Viewing, ViewingKind

FORMAT = "watchlog"
MARK = b"own"
MEDIA_AT_A_TIME = 200
VIEWINGS_AT_A_TIME = 1000
LONGEST_LINE = 1_000_000
# Characters of which some lines together have no more, but for the last one. One beyond the
# first 65,536 makes all of its line take four bytes each.
LONGEST_PART = 500_000
# Of the title of a line that is not taken.
LONGEST_PROBLEM = 100
# A title for each viewing at most, and what else is kept about somebody.
LINES_PER_ROW = 2
FURTHER_LINES = 10_000
TYPES = ("media", "viewing", "account")

# Whoever wrote the file may have put anything into a line; only its text is kept for long.
Numbered = tuple[int, str]
"""The number of a line, and its text."""


class TooLong(Exception):
    """The file has more rows than this installation takes; the text says so."""


@dataclass(slots=True)
class OwnPart:
    """Lines to be stored in one transaction."""

    media: list[Numbered] = field(default_factory=list)
    preferences: dict[str, str | float] = field(default_factory=dict)
    viewings: list[Numbered] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stored:
    new: int
    known: int
    failed: int


def is_own(content: bytes) -> bool:
    """Whether a file is one that watchlog wrote, by its first line."""
    first = content.lstrip(b"\xef\xbb\xbf \r\n")[: LONGEST_LINE + 1].split(b"\n", 1)[0]
    found = _parsed(first.rstrip(b" \r")) if first[:1] == b"{" else None
    return found is not None and str(found[1].get("type")) in TYPES


@dataclass(frozen=True, slots=True)
class Checked:
    """A line that can be restored, as one of three, or why it cannot."""

    number: int
    text: str = ""
    media: restoring.MediaLine | None = None
    viewing: restoring.ViewingLine | None = None
    preferences: dict[str, str | float] | None = None
    problem: Problem | None = None


def _checked(content: bytes, kinds: Sequence[str] = TYPES) -> Iterator[Checked]:
    """The lines of some kinds, and those that are none. Raises TooLong.

    A newer watchlog may write lines of further kinds.
    """
    for number, line in _lines(content):
        found = _parsed(line)
        if found is None:
            start = line[:LONGEST_PROBLEM].decode("utf-8", "replace")
            reason = _("This line is not as watchlog writes it.")
            yield Checked(number, problem=_problem(number, start, reason))
            continue
        text, values = found
        kind = values.get("type")
        if kind not in kinds:
            continue
        try:
            media = restoring.read_media(values) if kind == "media" else None
            viewing = restoring.read_viewing(values) if kind == "viewing" else None
        except restoring.NotOurs as error:
            title = values.get("raw_title") or values.get("title")
            shown = title if isinstance(title, str) else ""
            reason = _("This line is not as watchlog writes it (%(field)s).") % {"field": error}
            yield Checked(number, problem=_problem(number, shown, reason))
        else:
            chosen = chosen_in(values) if kind == "account" else None
            yield Checked(number, text, media, viewing, chosen)


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers. Raises TooLong."""
    start, number = 0, 0
    while start < len(content):
        end = content.find(b"\n", start)
        end = len(content) if end < 0 else end
        number += 1
        if number > LINES_PER_ROW * settings.IMPORT_MAX_ROWS + FURTHER_LINES:
            raise _too_long()
        line, start = content[start:end].strip(b"\xef\xbb\xbf \r"), end + 1
        if line:
            yield number, line


def _parsed(line: bytes) -> tuple[str, dict[str, Any]] | None:
    """A line as text and as what it says; None when it is no JSON object of a usual size."""
    if len(line) > LONGEST_LINE:
        return None
    try:
        text = line.decode()
        values: object = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return (text, values) if isinstance(values, dict) else None


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _problem(number: int, title: str, reason: str) -> Problem:
    return Problem(number, storable(title[:LONGEST_PROBLEM]), Outcome.FAILED.value, reason)


def _too_long() -> TooLong:
    return TooLong(
        _("This file has more than the %(limit)s rows that this watchlog takes.")
        % {"limit": settings.IMPORT_MAX_ROWS}
    )


def _batches(lines: Iterable[Checked], most: int) -> Iterator[list[Checked]]:
    """So many lines at a time, fewer where they are long."""
    some: list[Checked] = []
    length = 0
    for line in lines:
        some.append(line)
        length += len(line.text)
        if len(some) == most or length >= LONGEST_PART:
            yield some
            some, length = [], 0
    if some:
        yield some


def cut(content: bytes) -> Iterator[OwnPart]:
    """The file as parts: names, the series that titles belong to, and then all the others."""
    named = (line for line in _checked(content, ["media"]) if line.media)
    some_have_series = False
    for some in _batches(named, MEDIA_AT_A_TIME):
        some_have_series |= any(map(_has_series, some))
        yield OwnPart(media=_numbered(some))
    if some_have_series:
        # Once all names are there.
        of_series = (line for line in _checked(content, ["media"]) if _has_series(line))
        for some in _batches(of_series, MEDIA_AT_A_TIME):
            yield OwnPart(media=_numbered(some))
    others = (line for line in _checked(content) if not line.media)
    chosen: dict[str, str | float] = {}
    for some in _batches(others, VIEWINGS_AT_A_TIME):
        part = OwnPart(
            viewings=_numbered(line for line in some if line.viewing),
            problems=[line.problem for line in some if line.problem],
        )
        if not chosen:
            chosen = next((line.preferences for line in some if line.preferences), {})
            part.preferences = chosen
        yield part


def _numbered(lines: Iterable[Checked]) -> list[Numbered]:
    return [(line.number, line.text) for line in lines]


def _has_series(line: Checked) -> bool:
    return line.media is not None and any(name.series for name in line.media.names)


def findings(content: bytes) -> dict[str, object]:
    """What the import shows of the file. Raises TooLong."""
    rows = media = others = 0
    profiles: Counter[str] = Counter()
    for line in _checked(content):
        if line.viewing or line.problem:
            rows += 1
        elif line.media:
            media += 1
        else:
            others += 1
        if line.viewing and (profile := line.viewing.viewing.profile):
            profiles[profile] += 1
        if len(profiles) > MOST_PROFILES:
            raise TooLong(_("This file has more profiles than any account."))
        if max(rows, media, others) > settings.IMPORT_MAX_ROWS:
            raise _too_long()
    return {"file_format": FORMAT, "profiles": dict(profiles), "rows": rows, "question": None}


def preview(content: bytes, user_id: int) -> dict[str, object]:
    """What `imports/preview.py` tells of other files. Reads the library, writes nothing."""
    kinds: Counter[str] = Counter()
    days: set[date] = set()
    names: list[str] = []
    failed = known = series = new_series = 0
    batches = _batches(_checked(content), VIEWINGS_AT_A_TIME)
    while some := stopping.next_of(batches):
        failed += sum(line.problem is not None for line in some)
        viewings = [line.viewing.viewing for line in some if line.viewing]
        kinds.update(viewing.kind for viewing in viewings)
        days.update(viewing.day for viewing in viewings if viewing.day)
        days = {min(days), max(days)} if days else days
        fingerprints = [viewing.fingerprint for viewing in viewings]
        known += Viewing.objects.filter(user_id=user_id, fingerprint__in=fingerprints).count()
        of_series = [
            line.media
            for line in some
            if line.media and line.media.media_type == MediaType.TV_SERIES
        ]
        new = _new_series(user_id, of_series)
        series += len(of_series)
        new_series += len(new)
        names = heapq.nsmallest(SHOWN, [*names, *new], key=str.casefold)
    return {
        "rows": kinds.total() + failed,
        "episodes": kinds[ViewingKind.EPISODE.value],
        "movies": kinds[ViewingKind.MOVIE.value],
        "skipped": 0,
        "failed": failed,
        "new": kinds.total() - known,
        "known": known,
        "first_day": min(days).isoformat() if days else None,
        "last_day": max(days).isoformat() if days else None,
        "series": series,
        "new_series": new_series,
        "new_series_names": names,
        "doubtful": 0,
        "doubtful_titles": [],
    }


def _new_series(user_id: int, series: Sequence[restoring.MediaLine]) -> list[str]:
    """The titles of those of which the library has no name."""
    keys = [(name.media_type, name.key) for line in series for name in line.names]
    there = restoring.names_by_key(user_id, keys)
    return [
        line.title
        for line in series
        if not any((name.media_type, name.key) in there for name in line.names)
    ]


def pack(part: OwnPart) -> bytes:
    content = {
        "media": part.media,
        "preferences": part.preferences,
        "viewings": part.viewings,
        "problems": part.problems,
    }
    return MARK + zlib.compress(json.dumps(content, separators=(",", ":")).encode(), level=1)


def is_packed(content: bytes) -> bool:
    """Whether a waiting part is one of these; those of other files are bare zlib."""
    return content.startswith(MARK)


def unpack(content: bytes) -> OwnPart:
    found = json.loads(zlib.decompress(content[len(MARK) :]))
    return OwnPart(
        media=[(number, line) for number, line in found["media"]],
        # Parts that waited while watchlog was upgraded have none.
        preferences=found.get("preferences", {}),
        viewings=[(number, line) for number, line in found["viewings"]],
        problems=[Problem(*problem) for problem in found["problems"]],
    )


def store(of_import: Import, part: OwnPart) -> Stored:
    """Store a part. Needs the library's lock."""
    user_id = of_import.user_id
    media = [restoring.read_media(json.loads(text)) for _number, text in part.media]
    restoring.restore_media(user_id, media)
    restoring.restore_series_of_titles(user_id, media)
    if part.preferences:
        restore_preferences(user_id, part.preferences)
    lines = [restoring.read_viewing(json.loads(text)) for _number, text in part.viewings]
    restored = restoring.restore_viewings(user_id, lines)
    problems = list(part.problems)
    claims: list[Claim] = []
    new = known = 0
    for (number, _text), line, found in zip(part.viewings, lines, restored, strict=True):
        if found is None:
            reason = _("The file lacks the series or movie that this line belongs to.")
            problems.append(_problem(number, line.viewing.raw_title, reason))
            continue
        new += found.is_new
        known += not found.is_new
        claims += _claims(of_import, number, found.viewing)
    Claim.objects.bulk_create(claims, batch_size=1000, ignore_conflicts=True)
    ImportProblem.objects.bulk_create(
        ImportProblem(of_import=of_import, **problem._asdict()) for problem in problems
    )
    return Stored(new, known, len(problems))


def _claims(of_import: Import, number: int, viewing: Viewing) -> Iterable[Claim]:
    """What the files said of which the viewing once came; a mark by hand is no file's."""
    if viewing.source != Source.FILE or viewing.day is None:
        return
    yield Claim(
        of_import=of_import,
        viewing=viewing,
        line=number,
        day=viewing.day,
        watched_at=viewing.watched_at,
        duration_seconds=viewing.duration_seconds,
        profile=viewing.profile,
    )
    if viewing.watched_at and viewing.listed_on and viewing.listed_on != viewing.day:
        yield Claim(of_import=of_import, viewing=viewing, line=number, day=viewing.listed_on)
