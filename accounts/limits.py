"""How often something may be done."""

from __future__ import annotations

import hashlib

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
    if cache.add(key, 1, seconds):
        return True
    try:
        # A Redis that is away answers None.
        return (cache.incr(key) or 0) <= limit
    except ValueError:
        # It ran out between the two calls.
        return True
