"""What is nearly sure by keyboard, in Chromium."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from media.models import DecidedBy, LibraryEntry, LookupStatus
from media.tests.shelf import DAY, add_series
from media.tests.test_attention import SAME, candidate
from watchlog.tests import test_accessibility, test_browser
from watchlog.tests.test_browser import DESKTOP

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

chromium = test_browser.chromium
_queries_beside_playwright = test_accessibility._queries_beside_playwright

TITLES = ["Kingdom", "Lupin", "Dark"]


@pytest.fixture
def page(chromium, live_server, client, make_user):
    """What needs attention: three series that are nearly sure, and one that is not found."""
    user = make_user("anna")
    client.force_login(user)
    for at, title in enumerate(TITLES):
        entry = add_series(user, title, watched=1, last=DAY - timedelta(days=at))
        LibraryEntry.objects.filter(pk=entry.pk).update(
            lookup_status=LookupStatus.UNCERTAIN,
            candidates=[
                candidate(at + 1, SAME, score=90.0, name=title, poster_path=""),
                candidate(at + 11, SAME, score=85.0, name=title, poster_path=""),
            ],
        )
    add_series(user, "Our Holidays", watched=1)
    context = chromium.new_context(viewport=DESKTOP)
    cookie = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/attention/")
    yield page
    context.close()


def test_what_is_nearly_sure_is_gone_through_ticked_and_confirmed_by_keys(page):
    press, focused = page.keyboard.press, page.locator("[data-item]:focus")
    ticks = page.get_by_role("checkbox")
    page.get_by_role("link", name="Look closer Kingdom").focus()
    press("1")
    expect(ticks.nth(0)).to_be_checked()
    press("j")
    expect(focused).to_contain_text("Lupin")
    press("1")
    press("j")
    expect(focused).to_contain_text("Dark")
    press("1")
    press("j")
    expect(focused).to_contain_text("Our Holidays")
    press("k")
    press("k")
    expect(focused).to_contain_text("Lupin")
    press("1")
    expect(ticks.nth(1)).not_to_be_checked()
    # From a tick the keys go on, too.
    ticks.nth(1).focus()
    press("k")
    expect(focused).to_contain_text("Kingdom")
    press("Enter")
    expect(page.get_by_text("2 series confirmed").first).to_be_visible()
    decided = LibraryEntry.objects.filter(decided_by=DecidedBy.USER)
    assert set(decided.values_list("names__name", flat=True)) == {"Kingdom", "Dark"}
