"""Anything at all, sent to every page: never an error, never a byte of somebody else's.

WATCHLOG_FUZZ_REQUESTS sets how many requests (`make soak` sends 5,000).
"""

from __future__ import annotations

import inspect
import os
import re
from pathlib import Path

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.core.files.uploadedfile import SimpleUploadedFile
from django.forms import BaseForm
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import accounts.forms
import imports.forms
import media.attention_forms
import media.forms
from watchlog.tests import routes
from watchlog.tests.routes import (
    API,
    OBJECTS,
    OWN,
    OWN_BY_VALUE,
    PUBLIC,
    SECRET,
    SHARED,
    is_admin,
    make_person,
)
from watchlog.tests.test_isolation import everything_of

pytestmark = pytest.mark.django_db

REQUESTS = int(os.environ.get("WATCHLOG_FUZZ_REQUESTS", "250"))
PROJECT = Path(__file__).resolve().parents[2]

HOSTILE = [
    "",
    "0",
    "-1",
    "1e9",
    "9" * 30,
    "9" * 5000,
    "٣",
    "None",
    "null",
    "true",
    "all",
    "series",
    "movie",
    "watched",
    "<script>alert(1)</script>",
    "'\"><img src=x onerror=alert(1)>",
    "{{ 7*7 }}",
    "{% debug %}",
    "%(x)s %s %d",
    "{0.__class__}",
    "' OR 1=1 --",
    "%",
    "_",
    "\\",
    "*",
    "(((((",
    "[",
    "\x00",
    "a\x00b",
    "../../etc/passwd",
    "..%2f..%2f",
    "//evil.example/",
    "https://evil.example/",
    "javascript:alert(1)",
    "/\\evil.example",
    "http://169.254.169.254/latest/meta-data/",
    "file:///etc/passwd",
    "https://www.themoviedb.org/tv/1",
    "2020-02-31",
    "0001-01-01",
    "9999-12-31",
    "99999-01-01",
    "=1+1",
    "\u202egnp.exe",
    "😀" * 50,
    "x" * 3000,
    "\r\nSet-Cookie: a=b",
    "v0",
    "t1",
]


def names_of_fields():
    """Every name that a form of the project knows, in Python or in a template."""
    names = {"next", "page", "q", "pk", "csrfmiddlewaretoken", "_method"}
    for module in (accounts.forms, imports.forms, media.forms, media.attention_forms):
        for _name, found in inspect.getmembers(module, inspect.isclass):
            if issubclass(found, BaseForm):
                names |= set(getattr(found, "base_fields", {}))
    for template in (PROJECT / "templates").rglob("*.html"):
        names |= set(re.findall(r'name="([\w-]+)"', template.read_text()))
    return sorted(names)


FIELDS = names_of_fields()


def addresses(person, other):
    """An address of every page: one's own, and somebody else's."""
    found = [reverse(name, kwargs=kwargs) for name, kwargs in PUBLIC.items()]
    found += [reverse(name) for name in sorted(OWN | API)]
    found += [
        reverse(name, kwargs=kwargs) for name, kwargs in sorted((OWN_BY_VALUE | SHARED).items())
    ]
    for name, of_person in sorted(OBJECTS.items()):
        for whose in (person, other):
            try:
                found.append(reverse(name, kwargs=of_person(whose)))
            except (IndexError, ObjectDoesNotExist):
                continue
    found += [
        routes.filled(address) for name, address in routes.all_routes() if is_admin(name, address)
    ]
    return found


def test_every_page_is_tried():
    tried = {*PUBLIC, *OWN, *API, *OWN_BY_VALUE, *SHARED, *OBJECTS}
    left = {name for name, address in routes.all_routes() if not is_admin(name, address)} - tried
    assert left == set()


@pytest.fixture
def ana(make_user):
    return make_person(make_user("ana", is_staff=True), SECRET)


@pytest.fixture
def ben(make_user):
    return make_person(make_user("ben"), "harmless")


@settings(
    max_examples=REQUESTS,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def send_anything(ana, ben, pages, values, data):
    browser = Client()
    if data.draw(st.booleans(), label="signed in"):
        browser.force_login(ben.user)
    address = data.draw(
        st.sampled_from(pages) | st.text(max_size=30).map(lambda text: f"/{text}"), label="address"
    )
    # A few fields with anything in them, or all of them with the same: some need others.
    fields = data.draw(
        st.dictionaries(st.sampled_from(FIELDS), st.lists(values, max_size=3), max_size=5)
        | values.map(lambda value: {name: [value] for name in FIELDS}),
        label="fields",
    )
    headers = data.draw(
        st.dictionaries(
            st.sampled_from(
                [
                    "HX-Request",
                    "Accept-Language",
                    "Authorization",
                    "X-Forwarded-For",
                    "Accept",
                    "Referer",
                    "If-Modified-Since",
                    "Range",
                    "X-HTTP-Method-Override",
                ]
            ),
            st.sampled_from(
                ["true", "de", "Bearer x", "*", "bytes=0-1", "1.2.3.4, <x>", "xx-yy;q=9"]
            ),
            max_size=2,
        ),
        label="headers",
    )
    # What no text can be: half a character, NUL, a cut-off escape.
    address += data.draw(st.sampled_from(["", "?q=%ed%a0%80", "?page=%00", "?q=%", "?%ff=%fe"]))
    if address.startswith(reverse("imports:new")):
        content = data.draw(st.binary(max_size=200), label="file")
        name = data.draw(st.sampled_from(["a.csv", "../x.zip", "<b>.xlsx", "b.jsonl"]))
        fields["file"] = [SimpleUploadedFile(name, content)]
    if data.draw(st.booleans(), label="post"):
        response = browser.post(address, fields, headers=headers)
    else:
        fields.pop("file", None)
        response = browser.get(address, fields, headers=headers)
    content = response.getvalue() if response.streaming else response.content
    assert response.status_code < 500
    assert SECRET.encode() not in content
    assert SECRET not in str(response.headers)
    if response.headers.get("Content-Type", "").startswith("text/html"):
        assert b"<script>alert" not in content
        assert b"<img src=x" not in content
    assert (
        not response.headers.get("Location", "")
        .lower()
        .startswith(("//", "http", "javascript", "/\\"))
    )


def test_no_request_breaks_anything_or_shows_what_is_somebody_elses(ana, ben, monkeypatch):
    monkeypatch.setattr("tmdb.images._fetch", lambda address: b"")
    before = everything_of(ana)
    ids = [
        *ana.user.library.values_list("pk", flat=True),
        *ana.user.viewings.values_list("pk", flat=True),
        *ben.user.library.values_list("pk", flat=True),
        *ben.user.viewings.values_list("title_hash", flat=True),
        *ana.user.viewings.values_list("title_hash", flat=True),
        *ben.user.entry_names.values_list("pk", flat=True),
    ]
    values = st.sampled_from([*HOSTILE, *map(str, ids)]) | st.text(max_size=40)
    send_anything(ana, ben, addresses(ben, ana), values)
    assert everything_of(ana) == before
