"""What may be wrong with an installation, and what to do about it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.core.cache import cache
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import get_random_string
from django_tasks_db.models import DBTaskResult

from imports.lease import MOST_WORKERS_LOST
from imports.models import Import, State, WorkerHeartbeat
from imports.tasks import run_import
from imports.worker import STALE_AFTER
from media import library
from media.models import LibraryEntry, Media, Viewing
from tmdb.service import KeyCheck, verify_key

logger = logging.getLogger(__name__)

STUCK_AFTER = timedelta(minutes=15)
CRASHES_TOLD_FOR = timedelta(days=7)
ENTRIES_AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: `advice` is empty when all is well."""

    check: str
    result: str
    advice: str = ""

    @property
    def is_well(self) -> bool:
        return not self.advice


def examine() -> Iterator[Finding]:
    """Every check in turn. Changes nothing; asks TMDB once."""
    checks: tuple[Callable[[], Finding], ...] = (
        _database,
        _migrations,
        _cache,
        _worker,
        _imports,
        _crashes,
        _tmdb,
        _orphans,
        _counts,
    )
    for check in checks:
        try:
            yield check()
        except Error as error:
            yield Finding(
                check.__name__.strip("_"),
                type(error).__name__,
                "The database does not answer as it should. Check DATABASE_URL, then run "
                "manage.py migrate.",
            )


def _database() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return Finding("database", connection.vendor)


def missing_migrations() -> int:
    """How many migrations of this code the database lacks."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _migrations() -> Finding:
    missing = missing_migrations()
    if missing:
        return Finding("migrations", f"{missing} missing", "Run manage.py migrate.")
    return Finding("migrations", "complete")


def cache_works() -> bool:
    """Whether the cache gives back what it was given; a Redis that is away gives nothing."""
    key, value = f"watchlog:health:{get_random_string(12)}", "here"
    try:
        cache.set(key, value, 10)
        kept = cache.get(key)
        cache.delete(key)
    except Exception as error:  # whatever a cache raises, the answer is the same
        logger.error("cache: %s", type(error).__name__)
        return False
    return bool(kept == value)


def _cache() -> Finding:
    if cache_works():
        return Finding("cache", "works")
    return Finding(
        "cache",
        "does not keep what it is given",
        "With REDIS_URL set, check that Redis runs; else run manage.py createcachetable. "
        "watchlog goes on without, but asks TMDB more often.",
    )


def _worker() -> Finding:
    newest = WorkerHeartbeat.objects.order_by("-beat_at").first()
    waiting = DBTaskResult.objects.filter(status="READY").count()
    if newest is None or timezone.now() - newest.beat_at > STALE_AFTER:
        return Finding(
            "worker",
            f"not running, {waiting} tasks wait",
            "Start manage.py worker (make run starts it with the site).",
        )
    return Finding("worker", f"running, {waiting} tasks wait")


def _imports() -> Finding:
    long_ago = timezone.now() - STUCK_AFTER
    tasks = DBTaskResult.objects.filter(
        status="READY", task_path=run_import.module_path, enqueued_at__lt=long_ago
    )
    waiting = [called["args"][0] for called in tasks.values_list("args_kwargs", flat=True)]
    # Without a task or a lease that ended nobody was told; sweeping workers do so in seconds.
    left_alone = Q(leased_until__lt=long_ago) | Q(pk__in=waiting)
    stuck = Import.objects.unattended().filter(left_alone).count()
    if stuck:
        return Finding(
            "imports",
            f"nobody has worked on {stuck} for over {STUCK_AFTER.seconds // 60} minutes",
            "Start manage.py worker, which goes on with them by itself, or look into its log.",
        )
    return Finding("imports", "none stuck")


def _crashes() -> Finding:
    given_up = Import.objects.filter(
        state=State.FAILED,
        workers_lost__gte=MOST_WORKERS_LOST,
        finished_at__gt=timezone.now() - CRASHES_TOLD_FOR,
    )
    if ids := list(given_up.order_by("pk").values_list("pk", flat=True)):
        return Finding(
            "crashes",
            f"{MOST_WORKERS_LOST} workers in a row ended over import {', '.join(map(str, ids))}",
            "Give the worker more memory, or look into its log. Then its user may import the file "
            "again, or in smaller parts.",
        )
    return Finding("crashes", "no import ends its workers")


def _tmdb() -> Finding:
    match verify_key():
        case KeyCheck.ACCEPTED:
            return Finding("TMDB", "key accepted")
        case KeyCheck.MISSING:
            return Finding(
                "TMDB",
                "no key",
                "Without a key there are no totals. A free one: "
                "https://www.themoviedb.org/settings/api, put it into .env as TMDB_API_KEY.",
            )
        case KeyCheck.REFUSED:
            return Finding(
                "TMDB", "key refused", "Check TMDB_API_KEY: TMDB does not accept this one."
            )
        case _:
            return Finding(
                "TMDB", "not reachable", "Check the connection; series are tried again later."
            )


def _orphans() -> Finding:
    orphans = Media.objects.filter(owner__isnull=False, entries__isnull=True).count()
    strangers = LibraryEntry.objects.filter(media__owner__isnull=False).exclude(
        media__owner=F("user")
    )
    astray = Viewing.objects.exclude(entry=F("name__entry"))
    found = orphans + strangers.count() + astray.count()
    if found:
        return Finding(
            "library", f"{found} rows point nowhere", "Please report this: it should never happen."
        )
    return Finding("library", "no orphans")


def _counts() -> Finding:
    wrong = len(wrong_counts())
    if wrong:
        return Finding(
            "progress", f"{wrong} series show a wrong count", "Run manage.py doctor --fix."
        )
    return Finding("progress", "all counts right")


def wrong_counts() -> list[int]:
    """Entries whose stored counts differ from what their viewings say (rule 10)."""
    wrong = []
    last = 0
    while entries := list(
        LibraryEntry.objects.filter(pk__gt=last).order_by("pk")[:ENTRIES_AT_A_TIME]
    ):
        counted = library.count([entry.pk for entry in entries])
        wrong += [
            entry.pk
            for entry in entries
            if counted[entry.pk]
            != library.Counts(entry.watched_episodes_count, entry.first_watched, entry.last_watched)
        ]
        last = entries[-1].pk
    return wrong


def fix_counts() -> int:
    """Count those entries anew, each under its user's lock; returns how many."""
    wrong = LibraryEntry.objects.filter(pk__in=wrong_counts()).values_list("user_id", "pk")
    for user_id, entry_id in wrong:
        with library.library_lock(user_id):
            library.recount([entry_id])
    return len(wrong)
