"""Pages about watchlog itself, error pages, and what every answer carries."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from media.models import LibraryEntry
from media.tests.shelf import add_series
from watchlog.context import version

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(client, make_user):
    user = make_user("ana")
    client.force_login(user)
    return user


def test_about_names_the_version_and_what_leaves_the_machine(client, make_user):
    make_user()
    html = client.get(reverse("about")).text
    assert version() in html
    assert "not endorsed, certified, or otherwise approved by TMDB" in html
    assert "What leaves this machine" in html


@pytest.mark.parametrize("signed_in", [True, False])
def test_an_unknown_address_is_told_apart_from_a_fault(client, make_user, signed_in):
    user = make_user()
    if signed_in:
        client.force_login(user)
    response = client.get("/no/such/page")
    assert response.status_code == 404
    assert "Nothing is here" in response.text


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        (RuntimeError("boom"), 500, "nothing of your library is lost"),
        (OperationalError("database is locked"), 503, "Try again in a moment"),
        (PermissionDenied(), 403, "This is not for you"),
        (SuspiciousOperation(), 400, "This request makes no sense"),
    ],
)
def test_a_fault_is_answered_by_a_page_that_helps(ana, monkeypatch, fault, status, words):
    def fail(*args):
        raise fault

    monkeypatch.setattr("media.views.library_page", fail)
    client = Client(raise_request_exception=False)
    client.force_login(ana)
    response = client.get("/")
    assert response.status_code == status
    assert words in response.text
    assert "boom" not in response.text


def test_every_answer_forbids_inline_scripts_and_styles(client, ana):
    policy = client.get("/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_the_manifest_leads_to_the_library(client):
    response = client.get(reverse("manifest"))
    assert response["Content-Type"] == "application/manifest+json"
    assert json.loads(response.text)["start_url"] == "/"


def test_browsers_that_ask_for_a_favicon_find_it(client):
    assert client.get("/favicon.ico").url.endswith("img/icon.svg")


def test_pages_travel_compressed(client, make_user):
    client.force_login(make_user("ana"))
    response = client.get("/about/", HTTP_ACCEPT_ENCODING="gzip")
    assert response["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in response["Vary"]
    assert b"About watchlog" in gzip.decompress(response.content)


def test_a_first_load_is_light(client, ana):
    for number in range(60):
        add_series(ana, f"Series {number}", [2] * 8, 3, poster_path=f"/{number:027}.jpg")
    LibraryEntry.objects.filter(media__title__endswith="5").update(lookup_status="not_found")
    soap = add_series(ana, "Soap", [60] * 20, 300, poster_path="/soap.jpg")
    weights = {}
    for address in (
        reverse("media:library"),
        soap.get_absolute_url(),
        reverse("media:attention"),
        reverse("imports:new"),
        reverse("history"),
        reverse("media:statistics"),
    ):
        page = client.get(address, headers={"Accept-Encoding": "gzip"})
        html = gzip.decompress(page.content).decode()
        static = set(re.findall(r'(?:href|src)="/static/([^"?]+)"', html))
        assert {"css/base.css", "js/watchlog.js"} <= static
        files = [Path(finders.find(file) or "") for file in static]
        compressed = [len(gzip.compress(file.read_bytes())) for file in files]
        weights[address] = len(page.content) + sum(compressed)
    assert max(weights.values()) <= 120_000, weights
