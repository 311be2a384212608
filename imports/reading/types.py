"""What goes into reading a viewing-history file and what comes out. No Django, no I/O."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class Kind(StrEnum):
    """What a row of the file is."""

    EPISODE = "episode"
    MOVIE = "movie"
    SKIPPED = "skipped"
    ERROR = "error"


class DateOrder(StrEnum):
    """The order of day, month and year in a file that writes dates as numbers."""

    AUTO = "auto"
    MDY = "mdy"
    DMY = "dmy"
    YMD = "ymd"


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence for a person: an English template and the values to fill in.

    The template is kept apart so that the pages can translate it; `str()` gives English. A
    value can be a `Message` itself (the name of a date order, what to do next): translate it too.
    """

    template: str
    values: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))

    def __str__(self) -> str:
        return self.template % self.values if self.values else self.template


class UnreadableFile(Exception):
    """The file as a whole cannot be taken; `message` says why and what to do next."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


@dataclass(frozen=True, slots=True)
class Options:
    """What the person chose for one file.

    `profile` is a profile's name, "all", or None for "ask when there are several".
    `min_seconds` is the shortest play that counts, summed over one title and day; 0 keeps all.
    `fallback_language` (ISO 639-1) is assumed where neither markers nor the file tell.
    `max_rows` and `max_unpacked_bytes` bound what a hostile file can cost.
    """

    filename: str = ""
    profile: str | None = None
    date_order: DateOrder = DateOrder.AUTO
    min_seconds: int = 120
    fallback_language: str = "en"
    max_rows: int = 200_000
    max_unpacked_bytes: int = 200 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class KnownSeries:
    """A series that the user's library has already: as it is named there.

    `seasons` are those that earlier files marked, `episodes` has the seasons of their episodes
    by title. `unmarked` are the titles that were read as episodes although nothing marked them.
    Titles are written as `name_key` does.
    """

    name: str
    language: str | None = None
    seasons: frozenset[int] = frozenset()
    episodes: Mapping[str, Collection[int]] = field(default_factory=lambda: MappingProxyType({}))
    unmarked: Collection[str] = frozenset()
    confirmed: bool = False
    """True when TMDB or a person confirmed it, not only an earlier reading."""


@dataclass(frozen=True, slots=True)
class Known:
    """What was learned before this file, keyed by `name_key` and by title key (rule 4)."""

    series: Mapping[str, KnownSeries] = field(default_factory=lambda: MappingProxyType({}))
    movies: frozenset[str] = frozenset()
    """Title keys that a person said are movies, whatever the file suggests."""
    episodes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The series that a person said a title is an episode of; empty: the one that it names."""
    no_series: frozenset[str] = frozenset()
    """Names whose titles are all movies, as a person said."""


NOTHING_KNOWN = Known()


class Alternative(NamedTuple):
    """The other way to read a row that the file alone cannot decide."""

    kind: Kind
    series: str | None = None
    season_number: int | None = None
    episode_title: str | None = None


class TitleReading(NamedTuple):
    """What one title says, and why (`reason`)."""

    kind: Kind
    reason: Message
    series: str | None = None
    language: str | None = None
    season_number: int | None = None
    season_inferred: bool = False
    season_name: str | None = None
    episode_number: int | None = None
    episode_title: str | None = None
    reading_uncertain: bool = False
    alternative: Alternative | None = None


class Row(NamedTuple):
    """One data row, read. Every data row of the file becomes exactly one of these.

    A tuple, because a file has up to 200,000 of them and a frozen dataclass takes ten times
    as long to make.

    `line` is where the record starts in the file (1 is the first line). `title` is the cell
    as written, `title_key` the identity that rule 4 makes of it. `watched_on` is the date as
    the file writes it (UTC for timed rows); `watched_at` is there for timed rows only, in UTC.
    `same_viewing_as` is the line of the first row of the same title key and day.
    """

    line: int
    title: str
    title_key: str
    kind: Kind
    reason: Message
    series: str | None = None
    language: str | None = None
    season_number: int | None = None
    season_inferred: bool = False
    season_name: str | None = None
    episode_number: int | None = None
    episode_title: str | None = None
    watched_on: date | None = None
    watched_at: datetime | None = None
    duration_seconds: int | None = None
    profile: str | None = None
    reading_uncertain: bool = False
    alternative: Alternative | None = None
    same_viewing_as: int | None = None


class QuestionKind(StrEnum):
    PROFILE = "profile"
    DATE_ORDER = "date_order"


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: `value` goes into `Options`, `label` is for the person."""

    value: str
    label: Message


@dataclass(frozen=True, slots=True)
class Question:
    """Something the person must decide before the file can be imported."""

    kind: QuestionKind
    text: Message
    choices: tuple[Choice, ...]


class Format(StrEnum):
    """The kinds of file that watchlog reads."""

    NETFLIX_HISTORY = "netflix-history"
    NETFLIX_ACTIVITY = "netflix-activity"


@dataclass(frozen=True, slots=True)
class Reading:
    """A whole file, understood.

    With `questions`, `rows` are read under the likeliest answers (for a preview); importing
    waits until the options answer them. `profiles` counts data rows per profile, most first.
    `language` is the one most titles of the file are in.
    """

    format: Format
    rows: Sequence[Row]
    date_order: DateOrder
    date_reason: Message
    language: str
    profiles: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    questions: tuple[Question, ...] = ()
