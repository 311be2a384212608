"""Reading viewing-history files: from bytes to rows that say what was watched. Pure."""

from __future__ import annotations

from imports.reading.collecting import paused_collection
from imports.reading.keys import name_key, title_key
from imports.reading.reader import ALL_PROFILES, MOST_PROFILES, read, take, understand
from imports.reading.types import (
    NOTHING_KNOWN,
    Alternative,
    Choice,
    DateOrder,
    Format,
    Kind,
    Known,
    KnownSeries,
    Message,
    Options,
    Question,
    QuestionKind,
    Reading,
    Row,
    UnreadableFile,
)

__all__ = [
    "ALL_PROFILES",
    "MOST_PROFILES",
    "NOTHING_KNOWN",
    "Alternative",
    "Choice",
    "DateOrder",
    "Format",
    "Kind",
    "Known",
    "KnownSeries",
    "Message",
    "Options",
    "Question",
    "QuestionKind",
    "Reading",
    "Row",
    "UnreadableFile",
    "name_key",
    "paused_collection",
    "read",
    "take",
    "title_key",
    "understand",
]
