"""A database that goes away is waited for; one that is full is not."""

from __future__ import annotations

import logging
import math
import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

from imports import stopping

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Restarted servers, dropped connections, deadlocks, lock time-outs, a locked SQLite file.
DATABASE_GONE = (OperationalError, InterfaceError)

FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 5.0
PATIENCE_SECONDS = 60.0

# PostgreSQL's class 53: disk full, out of memory, too many connections.
OUT_OF_SPACE = "53100"


def is_full(error: BaseException) -> bool:
    """Whether the database cannot take more."""
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return getattr(cause, "sqlstate", None) == OUT_OF_SPACE


def outlast(action: Callable[[], T]) -> T:
    """What the action returns, tried again while the database is away, for a minute each time.

    The action must look at the database again each time, since the failing try may have been
    committed. Raises what the last try raised: at once when the database is full, when called
    inside a transaction, and when the process is to stop.
    """
    seconds = FIRST_WAIT_SECONDS
    gives_up_at = failed_at = -math.inf
    while True:
        try:
            return action()
        except DATABASE_GONE as error:
            now = time.monotonic()
            if now - failed_at > PATIENCE_SECONDS:
                seconds, gives_up_at = FIRST_WAIT_SECONDS, now + PATIENCE_SECONDS
            failed_at = now
            if connection.in_atomic_block or is_full(error) or now > gives_up_at:
                raise
            connection.close()
            logger.warning("no database, trying again: %s", type(error).__name__)
            if stopping.wait(seconds):
                raise
            seconds = min(seconds * 2, LONGEST_WAIT_SECONDS)
