"""How often something may be done."""

from __future__ import annotations

import hashlib
import time

from django.core.cache import cache


def _key(what: str) -> str:
    return f"watchlog:limit:{hashlib.sha256(what.encode()).hexdigest()}"


def forget(what: str) -> None:
    """Begin to count anew."""
    cache.delete(_key(what))


def allow(what: str, limit: int, seconds: int) -> bool:
    """Count one use of `what`; whether it is among the first `limit` within `seconds`.

    Without a working cache everything is allowed: this keeps down load and guessing, and no
    door hangs on it alone.
    """
    key = _key(what)
    # Apart from the number, since counting up makes a cache in the database keep a number for
    # some minutes more, each time, whatever was left of the time.
    began = cache.get_or_set(key, time.time(), seconds)
    number = f"{key}:{began}"
    if cache.add(number, 1, seconds):
        return limit > 0
    try:
        # A Redis that is away answers None.
        used = cache.incr(number) or 0
        cache.touch(number, seconds)
    except ValueError:
        # It ran out between the two calls.
        return True
    return used <= limit
