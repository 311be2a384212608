"""The calendar of the statistics by keyboard, in Chromium."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from media.tests.shelf import add_movie
from watchlog.tests import test_accessibility, test_browser
from watchlog.tests.test_browser import DESKTOP

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

chromium = test_browser.chromium
_queries_beside_playwright = test_accessibility._queries_beside_playwright

MONDAY = date(2024, 5, 6)
# Two weeks of which some days are missing, and one far from them.
DAYS = [MONDAY + timedelta(days=n) for n in (0, 1, 4, 7, 9, 70)]


@pytest.fixture
def calendar(chromium, live_server, client, make_user):
    """The calendar of 2024, with its first day in focus."""
    user = make_user("anna")
    client.force_login(user)
    for day in DAYS:
        add_movie(user, f"Film of {day}", day)
    context = chromium.new_context(viewport=DESKTOP)
    cookie = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/statistics/?year=2024")
    calendar = page.locator("[data-calendar]")
    calendar.locator("a:not([tabindex])").focus()
    page.keyboard.press("Home")
    yield calendar
    context.close()


def is_on(calendar, day):
    expect(calendar.locator(f'a[href="/history/?day={day}"]')).to_be_focused()


def test_arrow_keys_go_from_day_to_day(calendar):
    press = calendar.page.keyboard.press
    is_on(calendar, DAYS[0])
    press("ArrowDown")
    is_on(calendar, DAYS[1])
    press("ArrowDown")
    is_on(calendar, DAYS[2])
    press("ArrowUp")
    is_on(calendar, DAYS[1])


def test_arrow_keys_go_from_week_to_week(calendar):
    press = calendar.page.keyboard.press
    press("ArrowRight")
    is_on(calendar, DAYS[3])
    press("ArrowRight")
    is_on(calendar, DAYS[5])
    press("ArrowLeft")
    is_on(calendar, DAYS[3])
    press("ArrowLeft")
    is_on(calendar, DAYS[0])


def test_at_its_ends_it_stays(calendar):
    press = calendar.page.keyboard.press
    press("ArrowUp")
    is_on(calendar, DAYS[0])
    press("ArrowLeft")
    is_on(calendar, DAYS[0])
    press("End")
    is_on(calendar, DAYS[5])
    press("ArrowDown")
    is_on(calendar, DAYS[5])


def test_the_tab_key_comes_back_to_the_day_it_left(calendar):
    press = calendar.page.keyboard.press
    press("ArrowDown")
    press("Tab")
    expect(calendar.locator("a:focus")).to_have_count(0)
    press("Shift+Tab")
    is_on(calendar, DAYS[1])


def test_the_enter_key_opens_the_day(calendar):
    calendar.page.keyboard.press("ArrowDown")
    calendar.page.keyboard.press("Enter")
    calendar.page.wait_for_url(f"**/history/?day={DAYS[1]}")
