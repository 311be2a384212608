"""The one table of this app: how many requests to TMDB may still be sent, for all processes."""

from __future__ import annotations

import json
from collections.abc import Iterable

from django.db import connection, models

ROW = "SELECT * FROM tmdb_throttlestate WHERE id = 1"
LOCKED_ROW = "SELECT * FROM tmdb_throttlestate WHERE id = 1 FOR UPDATE"


class ThrottleStateQuerySet(models.QuerySet["ThrottleState"]):
    def locked(self) -> ThrottleState:
        """The one row, made when missing, held until the end of the transaction.

        In plain SQL: each request to TMDB asks twice, and to build the query anew each time
        takes five times as long as the rest of it.
        """
        state = next(iter(self._locked()), None)
        if state is None:
            self.get_or_create(pk=ThrottleState.ONLY)
            (state,) = self._locked()
        return state

    def _locked(self) -> Iterable[ThrottleState]:
        # SQLite knows no locks of rows: there the transaction holds the whole database.
        return self.raw(LOCKED_ROW if connection.features.has_select_for_update else ROW)


class ThrottleState(models.Model):
    """Which store counts the requests and, while it is this table, the slots themselves.

    Times are seconds since 1970 by the database's clock. `tmdb/throttle.py` explains them.
    """

    ONLY = 1

    class Store(models.TextChoices):
        TABLE = "table"
        REDIS = "redis"

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    store = models.CharField(max_length=8, choices=Store, default=Store.TABLE)
    # Names the sorted set in Redis; another one each time Redis takes over.
    generation = models.CharField(max_length=32, default="", blank=True)
    # The name it will have, while the slots are being copied.
    next_generation = models.CharField(max_length=32, default="", blank=True)
    # No slot of the table starts before.
    not_before = models.FloatField(default=0.0)
    # When Redis is to be tried again.
    redis_after = models.FloatField(default=0.0)
    slots = models.JSONField(default=list, blank=True)

    objects = ThrottleStateQuerySet.as_manager()

    class Meta:
        verbose_name = "throttle state"
        verbose_name_plural = "throttle state"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="tmdb_throttlestate_only_one"),
            models.CheckConstraint(
                condition=models.Q(store__in=("table", "redis")),
                name="tmdb_throttlestate_store",
            ),
        ]

    def __str__(self) -> str:
        return f"counted in {self.get_store_display()}"

    def save_slots(self) -> None:
        """Store the slots alone, in plain SQL, too."""
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE tmdb_throttlestate SET slots = %s WHERE id = 1", [json.dumps(self.slots)]
            )
