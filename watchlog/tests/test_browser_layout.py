"""Nothing on a page moves while it loads, nor while an import goes on; and all of it fits."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import ViewportSize, expect

from tmdb.demo.posters import poster
from watchlog.tests import test_browser
from watchlog.tests.test_browser import (
    ACTIVITY,
    DESKTOP,
    MADE_UP,
    PHONE,
    Visit,
    fits,
    hand_in,
    upload,
)

pytestmark = pytest.mark.browser

chromium = test_browser.chromium
empty_database = test_browser.empty_database
site = test_browser.site
page = test_browser.page
held_back = test_browser.held_back

# Besides the made-up history, a series that no TMDB knows: it needs attention.
FILE = {
    "name": "NetflixViewingHistory.csv",
    "mimeType": "text/csv",
    "buffer": MADE_UP.read_bytes() + b'"Our Holidays 2003: Season 1: Day 1","6/18/21"\n',
}
OTHER_FILE = {
    "name": "NetflixViewingHistory.csv",
    "mimeType": "text/csv",
    "buffer": b'Title,Date\n"Wedding of Aunt Hedwig: Season 1: The Cake","6/18/21"\n',
}
NO_HISTORY = {"name": "holiday.png", "mimeType": "image/png", "buffer": poster(1, "Holiday", 342)}
NARROW: ViewportSize = {"width": 320, "height": 640}
PICTURE = poster(1, "Late", 342)
WATCH_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const shift of list.getEntries()) {
    window.shifts.push([shift.value, ...shift.sources.map(({ node, previousRect, currentRect }) =>
      [node?.outerHTML?.slice(0, 120), previousRect.toJSON(), currentRect.toJSON()])]);
  }
}).observe({ type: "layout-shift", buffered: true });
"""
# Posters on the screen that have not come yet.
WAITING = """
[...document.querySelectorAll("img[src*='/posters/']")].filter((one) => {
  const { top, bottom } = one.getBoundingClientRect();
  return !one.complete && one.checkVisibility() && top < innerHeight && bottom > 0;
}).map((one) => one.src)
"""
TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def settle(page):
    """Wait until what changed is drawn, and what was observed of it is told."""
    page.evaluate(TWO_FRAMES)


def shifts(page):
    settle(page)
    return page.evaluate("window.shifts")


def shifts_while_posters_come_late(page, address):
    """What moves on a page that is drawn before any of its posters arrive, and after each."""
    held = []
    page.route("**/posters/**", lambda route: held.append(route))
    page.goto(address, wait_until="domcontentloaded")
    settle(page)
    deadline = time.monotonic() + 30
    while page.evaluate(WAITING):
        assert time.monotonic() < deadline, f"posters never came: {page.evaluate(WAITING)}"
        while held:
            held.pop().fulfill(body=PICTURE, content_type="image/png")
        settle(page)
    page.unroute("**/posters/**")
    return shifts(page)


@pytest.mark.parametrize(
    "page", [Visit(DESKTOP), Visit(PHONE)], ids=["desktop", "phone"], indirect=True
)
def test_nothing_moves_while_pages_load_and_an_import_goes_on(page, site, wait_until):
    page.add_init_script(WATCH_SHIFTS)
    hand_in(page, FILE)
    assert shifts(page) == []
    page.goto(f"{site}/?show=in-progress")
    series = page.locator(".card__title a").first.get_attribute("href")
    for path in ("/", "/history/", series, "/attention/", "/statistics/", "/imports/new/"):
        assert shifts_while_posters_come_late(page, site + path) == [], path
    # Were nothing observed, nothing would have moved either.
    page.evaluate("document.querySelector('main').before(document.createElement('hr'))")
    wait_until(lambda: shifts(page))


@pytest.mark.parametrize(
    "page", [Visit(DESKTOP), Visit(PHONE)], ids=["desktop", "phone"], indirect=True
)
def test_nothing_moves_while_several_imports_go_on(page, site, held_back):
    page.add_init_script(WATCH_SHIFTS)
    for files, end in (
        ([FILE, NO_HISTORY], "All imports have ended"),
        ([OTHER_FILE, ACTIVITY], "1 import waits for you"),
    ):
        page.goto(f"{site}/imports/new/")
        held_back()
        upload(page, *files)
        # The last one waits for its turn meanwhile.
        expect(page.get_by_role("progressbar")).to_be_visible()
        held_back(False)
        expect(page.get_by_role("heading", name=end)).to_be_visible(timeout=90_000)
        assert shifts(page) == []


@pytest.mark.parametrize(
    "page", [Visit(NARROW, language="de")], ids=["narrow, German"], indirect=True
)
def test_all_pages_fit_the_narrowest_phones_in_the_language_of_long_words(page, site):
    hand_in(page, FILE)
    fits(page)
    page.goto(f"{site}/?show=in-progress")
    series = page.locator(".card__title a").first.get_attribute("href")
    paths = (
        "/", "/?view=table", "/history/", "/statistics/", "/attention/", "/attention/decided/",
        "/imports/", "/imports/new/", "/imports/1/rows/", "/imports/1/undo/", "/account/",
        "/account/password/", "/account/delete/", "/settings/", "/about/",
        series, f"{series}fix/",
    )  # fmt: skip
    for path in paths:
        page.goto(site + path)
        fits(page)
