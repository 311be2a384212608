"""What TMDB answered, kept in Django's cache. The cache may fail; then there is none.

A value is what `types.py` writes, never a class, so that an entry of an older watchlog is read
or counts as missing.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.cache import cache

logger = logging.getLogger(__name__)

# Another number whenever the meaning of what is kept changes.
PREFIX = "tmdb:v1"
DAY = 24 * 3600.0
FRESH_SECONDS = 7 * DAY
# TMDB's terms of use allow no longer.
KEPT_SECONDS = 180 * DAY
ABSENCE_SECONDS = 1 * DAY
SAY_AGAIN_SECONDS = 600.0

_said_at = -math.inf
_locks: dict[str, threading.Lock] = {}
_users: Counter[str] = Counter()
_guard = threading.Lock()


@dataclass(frozen=True)
class Entry:
    """A kept answer. `value` None: TMDB has no such thing."""

    value: dict[str, Any] | None
    stored: float

    @property
    def is_fresh(self) -> bool:
        lasts = ABSENCE_SECONDS if self.value is None else FRESH_SECONDS
        # A time in the future means that the clock was set back.
        return 0 <= now() - self.stored < lasts

    @property
    def fetched_at(self) -> datetime:
        return datetime.fromtimestamp(self.stored, UTC)


def now() -> float:
    """Seconds since 1970; the one clock of this module."""
    return time.time()


def key(*parts: str | int | None) -> str:
    """A key that two different lists of parts never share, safe for every cache."""
    # JSON leaves no two texts alike, whatever characters a title has.
    return f"{PREFIX}:{parts[0]}:{hashlib.sha256(json.dumps(parts).encode()).hexdigest()}"


def read(key: str) -> Entry | None:
    """What is kept under the key, fresh or not; None when nothing usable is."""
    try:
        kept = cache.get(key)
    except Exception as error:
        _failed(error)
        return None
    _said_at = -math.inf
    match kept:
        case {"stored": float(stored), "value": dict() | None as value}:
            entry = Entry(value, stored)
        case _:
            return None
    lasts = ABSENCE_SECONDS if value is None else KEPT_SECONDS
    return entry if now() - stored < lasts else None


def write(key: str, value: dict[str, Any] | None, *, stored: float | None = None) -> Entry:
    """Keep the value, or with None that there is none. `stored` is when TMDB said so."""
    entry = Entry(value, now() if stored is None else stored)
    lasts = ABSENCE_SECONDS if value is None else KEPT_SECONDS
    seconds = entry.stored + lasts - now()
    try:
        cache.set(key, {"stored": entry.stored, "value": value}, timeout=max(1, int(seconds)))
    except Exception as error:
        _failed(error)
    return entry


@contextmanager
def one_at_a_time(key: str) -> Iterator[None]:
    """Let the threads of this process look one thing up one after the other.

    The second finds the answer of the first in the cache.
    """
    with _guard:
        lock = _locks.setdefault(key, threading.Lock())
        _users[key] += 1
    try:
        with lock:
            yield
    finally:
        with _guard:
            _users[key] -= 1
            if not _users[key]:
                del _users[key], _locks[key]


def _failed(error: Exception) -> None:
    global _said_at
    if time.monotonic() - _said_at >= SAY_AGAIN_SECONDS:
        _said_at = time.monotonic()
        logger.warning("the cache fails, going on without it: %s", type(error).__name__)
