"""The wish of this process to stop: what runs is parked, and somebody else goes on with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from tmdb import throttle

T = TypeVar("T")

POLL_SECONDS = 0.1

# A plain value and no Event: a signal's handler must not wait for a lock that its own thread
# may hold.
_asked = False
_may_break_off = False


class Parked(BaseException):
    """Raised in the midst of work that can be broken off anywhere. No `except Exception`."""


def ask() -> None:
    """Have the work of this process end soon. For a signal's handler, in the main thread.

    Raises Parked there when what is being done may be broken off.
    """
    global _asked, _may_break_off
    _asked = True
    if _may_break_off:
        _may_break_off = False
        raise Parked


def is_asked() -> bool:
    return _asked


def wait(seconds: float) -> bool:
    """Sleep so long, or until the process is to stop; whether it is."""
    ends = time.monotonic() + seconds
    while not _asked and (left := ends - time.monotonic()) > 0:
        time.sleep(min(left, POLL_SECONDS))
    return _asked


@contextmanager
def passed_on() -> Iterator[None]:
    """While the block runs, the wish to stop also ends every wait for TMDB."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(POLL_SECONDS):
            if _asked:
                throttle.interrupt()
                return

    thread = threading.Thread(target=watch, name="stopping", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def may_break_off() -> Iterator[None]:
    """What happens inside changes nothing outside, so that Parked may end it at any moment."""
    global _may_break_off
    _may_break_off = True
    try:
        if _asked:
            raise Parked
        yield
    finally:
        _may_break_off = False


def next_of(items: Iterator[T]) -> T | None:
    """The next item, None after the last. Getting it may be broken off by Parked."""
    with may_break_off():
        return next(items, None)


def take(items: Iterator[T], most: int) -> list[T]:
    """So many of the next items. Getting them may be broken off by Parked."""
    with may_break_off():
        return list(islice(items, most))
