"""What `media/exporting.py` wrote, back into a library.

Such a file comes from outside, and anybody may have made it: every value is checked, nothing of
it reaches the shared catalogue, and what is in the library already stays as it is. Functions that
write expect to be called under `library_lock` of the user concerned.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from media import library
from media.keys import fingerprint, storable
from media.library import MAX_NAME
from media.models import (
    DecidedBy,
    Decision,
    EntryName,
    Episode,
    LibraryEntry,
    LookupStatus,
    Media,
    MediaType,
    Source,
    Viewing,
    ViewingKind,
)
from media.sentences import SENTENCES
from tmdb.names import is_language

MAX_NUMBER = 2**31 - 1
# Between these, days can be shown in every time zone. No other file is read beyond either.
OLDEST, NEWEST = date(1900, 1, 1), date(2199, 12, 31)
MAX_TITLE = 5000
MOST_NAMES = 200
MOST_CANDIDATES = 8
MOST_PARTS = 12
MOST_EPISODES = 50
HASH = re.compile(r"[0-9a-f]{32}")
# A place in a sentence that is filled in. Nothing else that begins with a percent sign is taken:
# "%(title)999999999s" would fill the memory.
PLACE = re.compile(r"%\((\w+)\)[sd]")
NUMBER = re.compile(r"%\((\w+)\)d")
POSTER = re.compile(r"/[\w-]+\.(?:jpe?g|png|webp)", re.ASCII)

Line = Mapping[str, Any]
NameKey = tuple[str, str]
"""Media type and key of a name."""


class NotOurs(ValueError):
    """A line is not as watchlog writes it; the text says what is wrong."""


# --- reading lines -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NameLine:
    """A name and what was decided about it; `series` is the key of the series it belongs to."""

    media_type: str
    key: str
    name: str
    language: str
    decision: str
    decided_by: str
    decided_tmdb_id: int | None
    series: str | None
    is_hidden: bool


@dataclass(frozen=True, slots=True)
class MediaLine:
    """A series or movie with all its names."""

    media_type: str
    tmdb_id: int | None
    title: str
    base_title: str
    lookup_status: str
    decided_by: str
    candidates: list[dict[str, object]]
    episodes_when_finished: int | None
    names: tuple[NameLine, ...]


@dataclass(frozen=True, slots=True)
class ViewingLine:
    """A viewing, unsaved and without its name, and the TMDB episodes it shows."""

    name: NameKey
    viewing: Viewing
    tmdb_episode_ids: tuple[int, ...]


def read_media(line: Line) -> MediaLine:
    """Raises NotOurs."""
    media_type = _choice(line, "media_type", MediaType.values)
    decisions = line.get("decisions")
    if not isinstance(decisions, list) or not 0 < len(decisions) <= MOST_NAMES:
        raise NotOurs("decisions")
    title = _text(line, "title", MAX_NAME, needed=True)
    status = _choice(line, "lookup_status", LookupStatus.values)
    is_series = media_type == MediaType.TV_SERIES
    return MediaLine(
        media_type=media_type,
        tmdb_id=_number(line, "tmdb_id") or None,
        title=title,
        base_title=_text(line, "base_title", MAX_NAME) or title,
        lookup_status=status if is_series else LookupStatus.NOT_NEEDED.value,
        decided_by=_choice(line, "decided_by", DecidedBy.values),
        candidates=_candidates(line.get("candidates")) if is_series else [],
        episodes_when_finished=_number(line, "episodes_when_finished"),
        names=tuple(_name(name) for name in decisions),
    )


def _name(line: object) -> NameLine:
    if not isinstance(line, dict):
        raise NotOurs("decisions")
    tmdb_id = _number(line, "decided_tmdb_id") or None
    decision = _choice(line, "decision", Decision.values)
    if (decision == Decision.MATCHED) != (tmdb_id is not None):
        raise NotOurs("decided_tmdb_id")
    return NameLine(
        media_type=_choice(line, "media_type", MediaType.values),
        key=_text(line, "key", MAX_NAME, needed=True),
        name=_text(line, "name", MAX_NAME, needed=True),
        language=_language(line),
        decision=decision,
        decided_by=_choice(line, "decided_by", DecidedBy.values),
        decided_tmdb_id=tmdb_id,
        series=_text(line, "decided_series", MAX_NAME) or None,
        is_hidden=_flag(line, "hidden"),
    )


def _candidates(given: object) -> list[dict[str, object]]:
    """What TMDB offered, with the reasons whose sentences are watchlog's."""
    if not isinstance(given, list):
        return []
    return [
        {
            "tmdb_id": _number(one, "tmdb_id", needed=True),
            "name": _text(one, "name", MAX_NAME),
            "original_name": _text(one, "original_name", MAX_NAME),
            "year": _number(one, "year"),
            "countries": [
                code
                for code in one.get("countries") or ()
                if isinstance(code, str) and re.fullmatch("[A-Z]{2}", code)
            ]
            if isinstance(one.get("countries"), list)
            else [],
            "poster_path": path if POSTER.fullmatch(path := _text(one, "poster_path", 200)) else "",
            "seasons": _number(one, "seasons"),
            "episodes": _number(one, "episodes"),
            "score": _score(one),
            "parts": _parts(one.get("parts")),
        }
        for one in given[:MOST_CANDIDATES]
        if isinstance(one, dict)
    ]


def _score(line: Line, field: str = "score") -> float:
    score = line.get(field)
    return float(score) if isinstance(score, int | float) and abs(score) < 1e6 else 0.0


def _parts(given: object) -> list[dict[str, object]]:
    return [
        {
            "name": _text(part, "name", 20),
            "points": _score(part, "points"),
            "sentence": message["template"],
            "values": message["values"],
        }
        for part in (given[:MOST_PARTS] if isinstance(given, list) else ())
        if isinstance(part, dict)
        and (message := _message(part.get("sentence"), part.get("values")))
        and message["template"] in SENTENCES
    ]


def _message(template: object, values: object) -> dict[str, Any] | None:
    """A sentence and its values, which fit it; None when they are not as watchlog writes them."""
    if not isinstance(template, str) or not isinstance(values, dict):
        return None
    names = set(PLACE.findall(template))
    plain = {
        name: storable(value[:MAX_TITLE]) if isinstance(value, str) else value
        for name, value in values.items()
        if name in names
        and (isinstance(value, str) or (isinstance(value, int | float) and abs(value) < 1e9))
    }
    if len(template) > MAX_TITLE or plain.keys() != names or "%" in PLACE.sub("", template):
        return None
    if any(isinstance(plain[name], str) for name in NUMBER.findall(template)):
        return None
    return {"template": storable(template), "values": plain}


def read_viewing(line: Line) -> ViewingLine:
    """Raises NotOurs."""
    title_hash = _text(line, "title_hash", 32, needed=True)
    if not HASH.fullmatch(title_hash):
        raise NotOurs("title_hash")
    kind = _choice(line, "kind", ViewingKind.values)
    source = _choice(line, "source", Source.values)
    day = _day(line, "watched_on")
    if day is None and source == Source.FILE:
        raise NotOurs("watched_on")
    season, episode = _number(line, "season_number"), _number(line, "episode_number")
    if kind != ViewingKind.EPISODE:
        season = episode = None
    viewing = Viewing(
        kind=kind,
        raw_title=_text(line, "raw_title", MAX_TITLE, needed=True),
        title_hash=title_hash,
        fingerprint=fingerprint(title_hash, day),
        day=day,
        listed_on=_day(line, "listed_on"),
        watched_at=_moment(line, "watched_at"),
        duration_seconds=_number(line, "duration_seconds"),
        profile=_text(line, "profile", 200),
        source=source,
        dismissed_at=_moment(line, "dismissed_at"),
        season_number=season,
        season_inferred=_flag(line, "season_inferred"),
        season_name=_text(line, "season_name", 300),
        episode_number=episode,
        episode_title=_text(line, "episode_title", MAX_TITLE),
        reading_uncertain=_flag(line, "reading_uncertain"),
        alternative=_alternative(line.get("alternative")),
        tmdb_season=_number(line, "tmdb_season"),
    )
    ids = line.get("tmdb_episode_ids", [])
    if not isinstance(ids, list) or len(ids) > MOST_EPISODES:
        raise NotOurs("tmdb_episode_ids")
    return ViewingLine(
        name=(
            _choice(line, "name_type", MediaType.values),
            _text(line, "name_key", MAX_NAME, needed=True),
        ),
        viewing=viewing,
        tmdb_episode_ids=tuple(_whole(number, "tmdb_episode_ids") for number in ids),
    )


def _alternative(given: object) -> dict[str, object] | None:
    if not isinstance(given, dict):
        return None
    message = _message(*_pair(given.get("message")))
    return {
        "kind": _choice(given, "kind", ViewingKind.values),
        "series": _text(given, "series", MAX_TITLE) or None,
        "series_key": _text(given, "series_key", MAX_TITLE),
        "season_number": _number(given, "season_number"),
        "episode_title": _text(given, "episode_title", MAX_TITLE) or None,
        "reason": _text(given, "reason", MAX_TITLE),
        **({"message": message} if message else {}),
    }


def _pair(message: object) -> tuple[object, object]:
    return (
        (message.get("template"), message.get("values"))
        if isinstance(message, dict)
        else (None, None)
    )


def _text(line: Line, field: str, longest: int, *, needed: bool = False) -> str:
    value = line.get(field)
    if value is None:
        value = ""
    if not isinstance(value, str) or len(value) > longest:
        raise NotOurs(field)
    value = storable(value)
    if needed and not value:
        raise NotOurs(field)
    return value


def _language(line: Line) -> str:
    """A language in which TMDB can be asked; nothing where the line's is none."""
    code = _text(line, "language", 10)
    return code if is_language(code) else ""


def _choice(line: Line, field: str, choices: Sequence[str]) -> str:
    value = line.get(field)
    if not isinstance(value, str) or value not in choices:
        raise NotOurs(field)
    return value


def _number(line: Line, field: str, *, needed: bool = False) -> int | None:
    value = line.get(field)
    if value is None and not needed:
        return None
    return _whole(value, field)


def _whole(value: object, field: str) -> int:
    if type(value) is not int or not 0 <= value <= MAX_NUMBER:
        raise NotOurs(field)
    return value


def _flag(line: Line, field: str) -> bool:
    return line.get(field) is True


def _day(line: Line, field: str) -> date | None:
    try:
        value = _text(line, field, 10)
        if not value:
            return None
        day = date.fromisoformat(value)
        if not OLDEST <= day <= NEWEST:
            raise NotOurs(field)
        return day
    except ValueError as error:
        raise NotOurs(field) from error


def _moment(line: Line, field: str) -> datetime | None:
    try:
        value = _text(line, field, 40)
        if not value:
            return None
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        if not OLDEST <= moment.date() <= NEWEST:
            raise NotOurs(field)
        return moment
    except (ValueError, OverflowError) as error:
        raise NotOurs(field) from error


# --- writing -----------------------------------------------------------------------------------


def restore_media(user_id: int, lines: Sequence[MediaLine]) -> None:
    """Make the names that the library lacks, with their decisions and an entry to live in."""
    for line in lines:
        there = names_by_key(user_id, [(name.media_type, name.key) for name in line.names])
        missing = [name for name in line.names if (name.media_type, name.key) not in there]
        if not missing:
            continue
        neighbours = {name.entry_id for name in there.values()}
        entry = _home(user_id, line, neighbours)
        EntryName.objects.bulk_create(
            EntryName(
                user_id=user_id,
                entry=entry,
                media_type=name.media_type,
                key=name.key,
                name=name.name,
                language=name.language,
                decision=name.decision,
                decided_by=name.decided_by,
                decided_tmdb_id=name.decided_tmdb_id,
                is_hidden=name.is_hidden,
            )
            for name in {(name.media_type, name.key): name for name in missing}.values()
        )


def names_by_key(user_id: int, keys: Sequence[NameKey]) -> dict[NameKey, EntryName]:
    """A user's names by media type and key, those of `keys` that there are. One query."""
    found = EntryName.objects.filter(user_id=user_id, key__in={key for _, key in keys})
    wanted = set(keys)
    return {
        (name.media_type, name.key): name
        for name in found.select_related("entry__media")
        if (name.media_type, name.key) in wanted
    }


def _home(user_id: int, line: MediaLine, neighbours: set[int]) -> LibraryEntry:
    """The entry for a line's names: that of the same shared row, or a new one."""
    shared = _shared(line)
    if shared is not None:
        there = LibraryEntry.objects.filter(user_id=user_id, media=shared).first()
        return there or _entry(user_id, shared, line, line.lookup_status)
    if line.tmdb_id is None and len(neighbours) == 1:
        found = LibraryEntry.objects.filter(
            pk__in=neighbours, media__owner_id=user_id, media__media_type=line.media_type
        ).first()
        if found is not None:
            return found
    own = Media.objects.create(
        media_type=line.media_type,
        title=line.title if line.tmdb_id is None else line.base_title,
        base_title=line.base_title,
        owner_id=user_id,
    )
    # A match that this catalogue does not have is looked up anew: what TMDB says of a series
    # comes from TMDB and from nobody's file.
    status = line.lookup_status
    if status == LookupStatus.MATCHED:
        status = LookupStatus.PENDING.value
    return _entry(user_id, own, line, status)


def _shared(line: MediaLine) -> Media | None:
    if line.tmdb_id is None:
        return None
    return Media.objects.filter(media_type=line.media_type, tmdb_id=line.tmdb_id).first()


def _entry(user_id: int, media: Media, line: MediaLine, status: str) -> LibraryEntry:
    is_open = status == LookupStatus.PENDING
    return LibraryEntry.objects.create(
        user_id=user_id,
        media=media,
        lookup_status=status,
        decided_by=DecidedBy.AUTOMATIC if is_open else line.decided_by,
        candidates=line.candidates,
        episodes_when_finished=line.episodes_when_finished,
    )


def restore_series_of_titles(user_id: int, lines: Sequence[MediaLine]) -> None:
    """Which series a title was said to be an episode of; for when all names are there."""
    wanted = {
        (name.media_type, name.key): (MediaType.TV_SERIES.value, name.series)
        for line in lines
        for name in line.names
        if name.series
    }
    names = names_by_key(user_id, list(wanted))
    series = names_by_key(user_id, list(wanted.values()))
    for key, name in names.items():
        of_series = series.get(wanted[key])
        if of_series is not None and name.decided_series_id is None:
            EntryName.objects.filter(pk=name.pk).update(decided_series=of_series)


@dataclass(frozen=True, slots=True)
class Restored:
    """A viewing as it now is in the library, and whether it was not there before."""

    viewing: Viewing
    is_new: bool


def restore_viewings(user_id: int, lines: Sequence[ViewingLine]) -> list[Restored | None]:
    """The viewings of lines, made where they are missing; None where the name is.

    A fixed number of queries for any number of lines.
    """
    names = names_by_key(user_id, [line.name for line in lines])
    there = {
        viewing.fingerprint: viewing
        for viewing in Viewing.objects.filter(
            user_id=user_id, fingerprint__in={line.viewing.fingerprint for line in lines}
        )
    }
    new: dict[str, ViewingLine] = {}
    for line in lines:
        name = names.get(line.name)
        identity = line.viewing.fingerprint
        if name is not None and identity not in there and identity not in new:
            line.viewing.user_id = user_id
            line.viewing.name, line.viewing.entry_id = name, name.entry_id
            new[identity] = line
    episodes = _episodes(new.values())
    for line in new.values():
        if not _links(line, episodes):
            line.viewing.tmdb_season = None
    Viewing.objects.bulk_create([line.viewing for line in new.values()], batch_size=500)
    through = Viewing.tmdb_episodes.through
    through.objects.bulk_create(
        [
            through(viewing_id=line.viewing.pk, episode_id=pk)
            for line in new.values()
            for pk in _links(line, episodes)
        ],
        batch_size=1000,
    )
    library.recount({line.viewing.entry_id for line in new.values()})
    restored: list[Restored | None] = []
    for line in lines:
        identity = line.viewing.fingerprint
        if identity in there:
            restored.append(Restored(there[identity], is_new=False))
        elif identity in new:
            restored.append(Restored(new[identity].viewing, is_new=new[identity] is line))
        else:
            restored.append(None)
    return restored


def _episodes(lines: Collection[ViewingLine]) -> dict[int, tuple[int, int]]:
    """Primary key and catalogue row of the TMDB episodes that there are, by TMDB's id."""
    wanted = {tmdb_id for line in lines for tmdb_id in line.tmdb_episode_ids}
    return {
        tmdb_id: (pk, media_id)
        for tmdb_id, pk, media_id in Episode.objects.filter(tmdb_id__in=wanted).values_list(
            "tmdb_id", "pk", "season__media_id"
        )
    }


def _links(line: ViewingLine, episodes: Mapping[int, tuple[int, int]]) -> list[int]:
    """The episodes of a viewing's own series among those that a line names."""
    media_id = line.viewing.name.entry.media_id
    return [
        episodes[tmdb_id][0]
        for tmdb_id in dict.fromkeys(line.tmdb_episode_ids)
        if tmdb_id in episodes and episodes[tmdb_id][1] == media_id
    ]
