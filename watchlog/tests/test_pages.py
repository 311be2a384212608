"""Every page answers in each of its states, and none is left out."""

from __future__ import annotations

import pytest
from django.db import transaction

from watchlog.tests.pages import ALL, Visit
from watchlog.tests.routes import NO_PAGE, routes_that_show

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(client, make_user, settings, monkeypatch):
    return Visit(client, make_user, settings, monkeypatch)


@pytest.mark.parametrize("whose", ALL)
def test_every_page_answers_as_it_should(visit, whose):
    for page in list(ALL[whose](visit)):
        html = page.html
        if not html:
            answer = visit.client.get(page.path, follow=True)
            assert answer.status_code == page.status, page.path
            html = answer.text
        assert "<h1" in html, page.path


def test_a_new_page_is_entered_or_excused(visit):
    tried = set()
    for pages in ALL.values():
        with transaction.atomic():
            tried |= {page.route for page in pages(visit) if page.status == 200}
            transaction.set_rollback(True)
    there = routes_that_show()
    assert there - tried - set(NO_PAGE) == set()
    assert set(NO_PAGE) <= there - tried
