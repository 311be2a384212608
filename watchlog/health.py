"""/healthz: whether this installation can serve, for a platform's health check."""

from __future__ import annotations

import logging

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Max
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from imports.models import WorkerHeartbeat
from imports.worker import STALE_AFTER

logger = logging.getLogger(__name__)

OK = "ok"


@login_not_required
@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while pages can be served, else 503. What is wrong stands in the log, not here.

    `{"status": "ok"|"degraded"|"down", "database", "cache", "worker": "ok" or what is the
    matter, "worker_seconds_ago": seconds since the last sign of a worker, or null}`
    """
    database = check_database()
    worker, seconds_ago = check_worker() if database == OK else ("unknown", None)
    parts = {
        "database": database,
        "cache": check_cache() if database == OK else "unknown",
        "worker": worker,
    }
    if database != OK:
        status = "down"
    else:
        status = OK if set(parts.values()) == {OK} else "degraded"
    return JsonResponse(
        {"status": status, **parts, "worker_seconds_ago": seconds_ago},
        status=503 if status == "down" else 200,
    )


def check_database() -> str:
    """ "ok", "unreachable", or "migrations pending" where the code wants newer tables."""
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error as error:
        logger.error("health: database: %s", type(error).__name__)
        return "unreachable"
    return "migrations pending" if pending else OK


def check_cache() -> str:
    """Writes and reads a value of its own; a Redis that is away answers with nothing."""
    key = f"healthz:{get_random_string(12)}"
    try:
        cache.set(key, OK, timeout=10)
        found = cache.get(key)
        cache.delete(key)
    except Exception as error:
        logger.error("health: cache: %s", type(error).__name__)
        return "unreachable"
    return OK if found == OK else "unreachable"


def check_worker() -> tuple[str, float | None]:
    """ "ok", "not running" or "stale", and the seconds since the newest heartbeat."""
    newest = WorkerHeartbeat.objects.aggregate(newest=Max("beat_at"))["newest"]
    if newest is None:
        return "not running", None
    age = timezone.now() - newest
    return OK if age <= STALE_AFTER else "stale", round(age.total_seconds(), 1)
