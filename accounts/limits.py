"""How often something may be done.

Counted in the database: a cache there counts in two steps, between which other requests count,
and one in Redis may be away.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta

from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import UseCount

# What is counted by user, as "import:7": it goes with the account.
OF_USERS = ("import", "look-up", "password", "poster", "tmdb")

logger = logging.getLogger(__name__)


def _key(what: str) -> str:
    return hashlib.sha256(what.encode()).hexdigest()


def forget(what: str) -> None:
    """Begin to count anew."""
    UseCount.objects.filter(key=_key(what)).delete()


def allow(what: str, limit: int, seconds: int) -> bool:
    """Count one use of `what`; whether it is among the first `limit` within `seconds`.

    A database that is full or does not answer allows everything: this keeps down load and
    guessing, and no door hangs on it alone.
    """
    try:
        with transaction.atomic():
            return _count(_key(what), limit, timedelta(seconds=seconds))
    except DatabaseError as error:
        logger.warning("a use was not counted: %s", type(error).__name__)
        return True


def _count(key: str, limit: int, period: timedelta) -> bool:
    if limit < 1:
        return False
    now = timezone.now()
    counted = UseCount.objects.filter(key=key)
    # Each of these is one statement, so that of several requests at once each counts.
    if counted.filter(ends_at__gt=now, used__lt=limit).update(used=F("used") + 1):
        return True
    if counted.filter(ends_at__lte=now).update(used=1, ends_at=now + period):
        return True
    _, is_first = UseCount.objects.get_or_create(
        key=key, defaults={"used": 1, "ends_at": now + period}
    )
    if is_first:
        return True
    # Somebody else was first, just now or since long.
    return bool(counted.filter(used__lt=limit).update(used=F("used") + 1))
