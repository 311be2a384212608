from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import RequestFactory
from django.utils import timezone

from imports.models import WorkerHeartbeat
from imports.worker import STALE_AFTER, beat
from watchlog import health

pytestmark = pytest.mark.django_db


def answer():
    response = health.healthz(RequestFactory().get("/healthz"))
    return response.status_code, json.loads(response.content)


def test_all_is_well_with_a_worker_at_work():
    beat("worker-1")
    status, body = answer()
    assert status == 200
    assert body.pop("worker_seconds_ago") < 5
    assert body == {"status": "ok", "database": "ok", "cache": "ok", "worker": "ok"}


def test_it_is_answered_without_signing_in_and_never_stored(client):
    response = client.get("/healthz")
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]


def test_a_platform_may_ask_over_plain_http_from_inside(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz").status_code == 200
    assert client.get("/").status_code == 301


def test_without_a_worker_the_site_still_serves():
    assert answer() == (
        200,
        {
            "status": "degraded",
            "database": "ok",
            "cache": "ok",
            "worker": "not running",
            "worker_seconds_ago": None,
        },
    )


def test_a_worker_that_stopped_beating_is_told():
    WorkerHeartbeat.objects.create(
        worker_id="worker-1", beat_at=timezone.now() - STALE_AFTER - timedelta(seconds=1)
    )
    status, body = answer()
    assert (status, body["status"], body["worker"]) == (200, "degraded", "stale")
    assert body["worker_seconds_ago"] > STALE_AFTER.total_seconds()


def test_the_newest_of_several_workers_counts():
    WorkerHeartbeat.objects.create(worker_id="gone", beat_at=timezone.now() - timedelta(hours=1))
    beat("worker-2")
    assert answer()[1]["worker"] == "ok"


@pytest.mark.parametrize("failing", ["set", "get"])
def test_a_cache_that_fails_degrades_and_says_no_details(monkeypatch, failing):
    def fail(*args, **kwargs):
        raise ConnectionError("redis://user:password@host")

    beat("worker-1")
    monkeypatch.setattr(type(caches["default"]), failing, fail)
    status, body = answer()
    assert (status, body["status"], body["cache"]) == (200, "degraded", "unreachable")
    assert "password" not in str(body)


def test_a_cache_that_forgets_at_once_degrades(monkeypatch):
    def forget(self, key, default=None, version=None):
        return default

    monkeypatch.setattr(type(caches["default"]), "get", forget)
    assert answer()[1]["cache"] == "unreachable"


def test_without_a_database_the_site_is_down_and_says_no_details(monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError("connection to db.internal refused for user watchlog")

    monkeypatch.setattr(connection, "cursor", fail)
    status, body = answer()
    assert status == 503
    assert body == {
        "status": "down",
        "database": "unreachable",
        "cache": "unknown",
        "worker": "unknown",
        "worker_seconds_ago": None,
    }


def test_a_database_that_goes_away_halfway_is_down(monkeypatch):
    def fail():
        raise OperationalError

    monkeypatch.setattr(health, "worker_state", fail)
    status, body = answer()
    assert (status, body["status"], body["database"]) == (503, "down", "unreachable")


def test_a_database_older_than_the_code_is_down():
    newest = MigrationLoader(connection).graph.leaf_nodes("imports")[0]
    MigrationRecorder(connection).record_unapplied(*newest)
    status, body = answer()
    assert (status, body["database"]) == (503, "migrations pending")
