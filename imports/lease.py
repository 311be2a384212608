"""Who works on an import: a lease that ends by itself, and a number that fences others off.

A worker takes a lease, renews it while it works, and gives it back. When it dies the lease ends
and another worker takes a new one. One that only stood still learns so as soon as it writes:
every taking raises the import's fencing number, and so does every decision to stop it, and each
transaction asks whether the number is still the worker's own. Times are the database's, so that
workers on several machines need no common clock.

An import that ends each of its workers, as by taking all memory, is not taken over for ever: the
leases that ended by themselves are counted until it gets on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import Error, IntegrityError, connection, transaction
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from imports.models import Import, State

logger = logging.getLogger(__name__)

# A lease is renewed so many times before it would end.
RENEWALS = 4
# So many workers in a row may end over an import before it gets on. Fewer than the restarts after
# which platforms give a worker up, commonly ten: it would be missed by everybody's imports.
MOST_WORKERS_LOST = 5


class Lost(Exception):
    """The import is somebody else's now, was stopped, or is gone; nothing more is written."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one import."""

    import_id: int
    fence: int

    def write(self, **changes: object) -> None:
        """Change the import, in the transaction of what gets it on. Keeps the lease. Raises Lost."""
        self._update(workers_lost=0, **changes)

    def keep(self) -> None:
        """Keep the lease, in a transaction whose work would be done anew. Raises Lost."""
        self._update()

    def give_up(self, **changes: object) -> None:
        """Change the import for good, and keep how many workers it has ended. Raises Lost."""
        self._update(**changes)

    def _update(self, **changes: object) -> None:
        mine = Import.objects.filter(pk=self.import_id, fence=self.fence)
        if not mine.update(leased_until=_until(), **changes):
            raise Lost

    def is_held(self) -> bool:
        return Import.objects.filter(pk=self.import_id, fence=self.fence).exists()


def take(import_id: int) -> Lease | None:
    """Begin to work on an import, or go on with it; None when it is not to be worked on now."""
    free = Import.objects.unattended().filter(pk=import_id)
    found = free.values_list("fence", "state", "leased_until").first()
    if found is None:
        return None
    fence, state, ended = found
    changes: dict[str, object] = {"fence": fence + 1, "leased_until": _until()}
    if state == State.QUEUED:
        changes |= {"state": State.READING, "started_at": Now()}
    if ended is not None:
        changes["workers_lost"] = F("workers_lost") + 1
    try:
        with transaction.atomic():
            # Not `free`: a subquery of another import may have been true a moment ago only.
            taken = Import.objects.filter(pk=import_id, fence=fence, state=state).update(**changes)
    except IntegrityError:
        # Another import of this user has begun; this one stays in the queue.
        return None
    return Lease(import_id, fence + 1) if taken else None


@contextmanager
def held(lease: Lease) -> Iterator[None]:
    """Renews the lease from a thread while the block works, and gives it back at the end."""
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(settings.IMPORT_LEASE_SECONDS / RENEWALS):
            try:
                mine = Import.objects.filter(pk=lease.import_id, fence=lease.fence)
                mine.update(leased_until=_until())
            except Error as error:
                # The thread's own connection; the next renewal opens a new one.
                connection.close()
                logger.warning("lease not renewed: %s", type(error).__name__)
        connection.close()

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def give_back(lease: Lease) -> None:
    """Let whoever comes next go on at once."""
    Import.objects.filter(pk=lease.import_id, fence=lease.fence).update(leased_until=None)


def fence_off() -> dict[str, object]:
    """What to change on an import along with the rest so that nobody works on it any more."""
    return {"fence": F("fence") + 1, "leased_until": None, "workers_lost": 0}


def _until() -> Combinable:
    seconds = timedelta(seconds=settings.IMPORT_LEASE_SECONDS)
    return ExpressionWrapper(
        Now() + Value(seconds, output_field=DurationField()), output_field=DateTimeField()
    )
