"""/healthz: whether this installation can serve, for a platform's health check."""

from __future__ import annotations

import logging

from django.contrib.auth.decorators import login_not_required
from django.db import Error
from django.db.models import Max
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from imports.doctor import cache_works, missing_migrations
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
    cache, worker, seconds_ago = "unknown", "unknown", None
    try:
        database = "migrations pending" if missing_migrations() else OK
        if database == OK:
            worker, seconds_ago = worker_state()
            cache = OK if cache_works() else "unreachable"
    except Error as error:
        logger.error("database: %s", type(error).__name__)
        database = "unreachable"
    if database != OK:
        status = "down"
    else:
        status = OK if cache == worker == OK else "degraded"
    return JsonResponse(
        {
            "status": status,
            "database": database,
            "cache": cache,
            "worker": worker,
            "worker_seconds_ago": seconds_ago,
        },
        status=503 if status == "down" else 200,
    )


def worker_state() -> tuple[str, float | None]:
    """Whether a worker is "ok", "not running" or "stale", and seconds since the last heartbeat."""
    newest = WorkerHeartbeat.objects.aggregate(newest=Max("beat_at"))["newest"]
    if newest is None:
        return "not running", None
    age = timezone.now() - newest
    return OK if age <= STALE_AFTER else "stale", round(age.total_seconds(), 1)
