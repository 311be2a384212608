"""A library that watchlog itself wrote as a file (`media/exporting.py`), imported again.

The lines are not read as titles: they say what they mean. They wait in parts like those of
other files, names before viewings, and the import claims each viewing (rule 18).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.preferences import chosen_in, restore_preferences
from imports.models import Claim, Import, ImportProblem, Outcome
from imports.parts import Problem, storable
from imports.reading import MOST_PROFILES
from media import restoring
from media.models import MediaType, Source, Viewing, ViewingKind

FORMAT = "watchlog"
MARK = b"own"
MEDIA_AT_A_TIME = 200
VIEWINGS_AT_A_TIME = 1000
PROBLEMS_AT_A_TIME = 2000
LONGEST_LINE = 1_000_000
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
    return first[:1] == b"{" and any(
        str(line.get("type")) in TYPES for *_, line in _objects(first, [])
    )


def _objects(content: bytes, problems: list[Problem]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Each line that is a JSON object; the others become problems. Raises TooLong."""
    start, number = 0, 0
    while start < len(content):
        end = content.find(b"\n", start)
        end = len(content) if end < 0 else end
        number += 1
        if number > LINES_PER_ROW * settings.IMPORT_MAX_ROWS + FURTHER_LINES:
            raise TooLong(
                _("This file has more than the %(limit)s rows that this watchlog takes.")
                % {"limit": settings.IMPORT_MAX_ROWS}
            )
        line, start = content[start:end].strip(b"\xef\xbb\xbf \r"), end + 1
        if not line:
            continue
        try:
            if len(line) > LONGEST_LINE:
                raise ValueError
            text = line.decode()
            found = json.loads(text, parse_constant=_refuse)
            if not isinstance(found, dict):
                raise ValueError
        except (ValueError, RecursionError):
            shown = storable(line[:200].decode("utf-8", "replace"))
            problems.append(_problem(number, shown, _("This line is not as watchlog writes it.")))
        else:
            yield number, text, found


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _problem(number: int, title: str, reason: str) -> Problem:
    return Problem(number, title, Outcome.FAILED.value, reason)


@dataclass(frozen=True, slots=True)
class Checked:
    """A line that can be restored: one of the three."""

    number: int
    text: str
    media: restoring.MediaLine | None = None
    viewing: restoring.ViewingLine | None = None
    preferences: dict[str, str | float] | None = None


def _checked(content: bytes, problems: list[Problem]) -> Iterator[Checked]:
    """The lines that can be restored; `problems` grows by the others."""
    for number, text, line in _objects(content, problems):
        kind = line.get("type")
        if kind not in TYPES:
            # From a newer watchlog.
            continue
        try:
            media = restoring.read_media(line) if kind == "media" else None
            viewing = restoring.read_viewing(line) if kind == "viewing" else None
        except restoring.NotOurs as error:
            title = line.get("raw_title") or line.get("title")
            problems.append(
                _problem(
                    number,
                    storable(title)[:1000] if isinstance(title, str) else "",
                    _("This line is not as watchlog writes it (%(field)s).") % {"field": error},
                )
            )
        else:
            yield Checked(
                number, text, media, viewing, chosen_in(line) if kind == "account" else None
            )


def cut(content: bytes) -> Iterator[OwnPart]:
    """The file as parts: names, the series that titles belong to, viewings, preferences, and
    problems."""
    media = ((line.number, line.text) for line in _checked(content, []) if line.media)
    while some := list(islice(media, MEDIA_AT_A_TIME)):
        yield OwnPart(media=some)
    # Once all names are there.
    media = ((line.number, line.text) for line in _checked(content, []) if _has_series(line))
    while some := list(islice(media, MEDIA_AT_A_TIME)):
        yield OwnPart(media=some)
    problems: list[Problem] = []
    chosen: dict[str, str | float] = {}
    viewings = _viewings(_checked(content, problems), chosen)
    while some := list(islice(viewings, VIEWINGS_AT_A_TIME)):
        yield OwnPart(viewings=some)
    if chosen:
        yield OwnPart(preferences=chosen)
    waiting = iter(problems)
    while left := list(islice(waiting, PROBLEMS_AT_A_TIME)):
        yield OwnPart(problems=left)


def _viewings(lines: Iterable[Checked], chosen: dict[str, str | float]) -> Iterator[Numbered]:
    """The viewings among the lines; `chosen` grows by the preferences that stand beside them."""
    for line in lines:
        if line.viewing:
            yield line.number, line.text
        elif line.preferences and not chosen:
            chosen.update(line.preferences)


def _has_series(line: Checked) -> bool:
    return line.media is not None and any(name.series for name in line.media.names)


def findings(content: bytes) -> dict[str, object]:
    """What the import shows of the file. Raises TooLong."""
    problems: list[Problem] = []
    kinds = {"media": 0, "viewing": 0, "account": 0}
    profiles: dict[str, int] = {}
    for line in _checked(content, problems):
        kinds["viewing" if line.viewing else "media" if line.media else "account"] += 1
        if line.viewing and (profile := line.viewing.viewing.profile):
            profiles[profile] = profiles.get(profile, 0) + 1
        if len(profiles) > MOST_PROFILES:
            raise TooLong(_("This file has more profiles than any account."))
        if max(kinds.values()) > settings.IMPORT_MAX_ROWS:
            raise TooLong(
                _("This file has more than the %(limit)s rows that this watchlog takes.")
                % {"limit": settings.IMPORT_MAX_ROWS}
            )
    return {
        "file_format": FORMAT,
        "profiles": profiles,
        "rows": kinds["viewing"] + len(problems),
        "question": None,
    }


def preview(content: bytes, user_id: int) -> dict[str, object]:
    """What `imports/preview.py` tells of other files. Reads the library, writes nothing."""
    problems: list[Problem] = []
    media: list[restoring.MediaLine] = []
    kinds: list[str] = []
    days: list[str] = []
    known = 0
    lines = _checked(content, problems)
    while some := list(islice(lines, VIEWINGS_AT_A_TIME)):
        media += [line.media for line in some if line.media]
        viewings = [line.viewing.viewing for line in some if line.viewing]
        kinds += [viewing.kind for viewing in viewings]
        days += [viewing.day.isoformat() for viewing in viewings if viewing.day]
        fingerprints = [viewing.fingerprint for viewing in viewings]
        known += Viewing.objects.filter(user_id=user_id, fingerprint__in=fingerprints).count()
    series = [line for line in media if line.media_type == MediaType.TV_SERIES]
    keys = [(name.media_type, name.key) for line in series for name in line.names]
    there = restoring.names_by_key(user_id, keys)
    new = [
        line.title
        for line in series
        if not any((name.media_type, name.key) in there for name in line.names)
    ]
    return {
        "rows": len(kinds) + len(problems),
        "episodes": kinds.count(ViewingKind.EPISODE.value),
        "movies": kinds.count(ViewingKind.MOVIE.value),
        "skipped": 0,
        "failed": len(problems),
        "new": len(kinds) - known,
        "known": known,
        "first_day": min(days, default=None),
        "last_day": max(days, default=None),
        "series": len(series),
        "new_series": len(new),
        "new_series_names": sorted(new, key=str.casefold)[:50],
        "doubtful": 0,
        "doubtful_titles": [],
    }


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
