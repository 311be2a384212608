"""What a script asks for and does not get is told in Chromium; searches go without scripts."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from accounts.sessions import end_all
from imports import importing
from imports.models import Import, State
from imports.tests.making import history
from media.tests.shelf import add_series
from watchlog.tests import test_accessibility, test_browser
from watchlog.tests.test_browser import DESKTOP, PHONE, fits

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

chromium = test_browser.chromium
_queries_beside_playwright = test_accessibility._queries_beside_playwright

UNREACHED = "watchlog cannot be reached"
FAILED = "Try again in a moment"
OUTDATED = "no longer up to date"
RETRYING = "The connection is lost. Trying again"
# Every text that was told, however shortly.
LISTEN = """
window.told = [];
document.addEventListener("DOMContentLoaded", () => {
  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const node of change.addedNodes) window.told.push(node.textContent);
    }
  }).observe(document.querySelector(".messages"), { childList: true });
});
"""


@pytest.fixture
def anna(make_user):
    return make_user("anna")


@pytest.fixture
def series(anna):
    return add_series(anna, "Dark", [10, 8, 8], 3)


@pytest.fixture
def visit(chromium, live_server, client, anna):
    """visit(path, viewport=…, scripts=True): a page on anna's screen."""
    client.force_login(anna)
    contexts = []

    def go(path, viewport=DESKTOP, scripts=True):
        context = chromium.new_context(viewport=viewport, java_script_enabled=scripts)
        contexts.append(context)
        context.add_init_script(LISTEN)
        cookie = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.goto(live_server.url + path)
        return page

    yield go
    for context in contexts:
        context.close()


def told(page):
    """The region that is read aloud, with what went wrong."""
    return page.get_by_role("status").locator(".trouble")


def fails(status):
    """A route that answers with a status, or with None not at all."""
    return lambda route: route.fulfill(status=status, body="") if status else route.abort()


@pytest.mark.parametrize(
    ("status", "words", "viewport"),
    [(None, UNREACHED, PHONE), (500, FAILED, DESKTOP), (503, FAILED, PHONE), (429, FAILED, PHONE)],
)
def test_a_mark_that_fails_is_told_until_one_succeeds(visit, series, status, words, viewport):
    page = visit(series.get_absolute_url(), viewport)
    # However far down somebody marks.
    page.locator("main").evaluate("main => { main.style.paddingBottom = '200vh'; scrollTo(0, 50) }")
    watched = page.get_by_role("button", name="Watched", exact=True)
    page.route("**/mark/", fails(status))
    watched.click()
    expect(told(page)).to_contain_text(words)
    expect(told(page)).to_be_in_viewport(ratio=1)
    fits(page)
    page.unroute("**/mark/")
    watched.click()
    expect(page.get_by_text("4/26")).to_be_visible()
    expect(told(page)).to_have_count(0)


@pytest.mark.parametrize("status", [403, 404])
def test_a_page_that_is_no_longer_up_to_date_can_be_loaded_again(visit, series, status):
    page = visit(f"{series.get_absolute_url()}#main")
    page.route("**/mark/", fails(status))
    page.get_by_role("button", name="Watched", exact=True).click()
    expect(told(page)).to_contain_text(OUTDATED)
    with page.expect_navigation():
        told(page).get_by_role("link", name="Load the page again").click()
    expect(told(page)).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_have_text("Dark")


def test_a_search_that_fails_is_told_until_one_succeeds(visit, series):
    page = visit("/")
    page.route("**/?q=*", fails(None))
    page.get_by_role("searchbox").press_sequentially("dark")
    expect(told(page)).to_contain_text(UNREACHED)
    page.unroute("**/?q=*")
    page.get_by_role("searchbox").press_sequentially("er")
    expect(page.get_by_text("Dark", exact=True)).to_have_count(0)
    expect(told(page)).to_have_count(0)


def test_a_decision_that_fails_is_told_and_can_be_made_again(visit, anna):
    add_series(anna, "Our Holidays", watched=3)
    page = visit("/attention/")
    page.route("**/act/", fails(500))
    hide = page.get_by_role("article").get_by_role("button", name="Hide")
    hide.click()
    expect(told(page)).to_contain_text(FAILED)
    page.unroute("**/act/")
    hide.click()
    expect(page.get_by_role("article")).to_have_count(0)
    expect(told(page)).to_have_count(0)


class TestRunningImport:
    @pytest.fixture
    def running(self, anna):
        return Import.objects.create(
            user=anna, filename="a.csv", state=State.STORING, rows=100, rows_new=10
        )

    def test_a_connection_that_stays_lost_is_told_quietly_until_it_is_back(self, visit, running):
        page = visit(running.get_absolute_url())
        page.route("**/progress/*", fails(None))
        expect(told(page)).to_contain_text(RETRYING, timeout=30_000)
        expect(told(page)).not_to_have_class(re.compile("notice--error"))
        page.unroute("**/progress/*")
        expect(told(page)).to_have_count(0, timeout=30_000)
        assert len(page.evaluate("window.told")) == 1

    def test_a_moment_without_connection_is_not_told(self, visit, running):
        page = visit(running.get_absolute_url())
        asked = []

        def sometimes(route):
            asked.append(route)
            if len(asked) % 3:
                route.abort()
            else:
                route.continue_()

        page.route("**/progress/*", sometimes)
        for _answer in range(2):
            page.wait_for_event("response", lambda answer: "/progress/" in answer.url)
        assert len(asked) >= 6
        assert page.evaluate("window.told") == []


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_session_that_ended_costs_a_sign_in_and_no_more(visit, anna, series, scripts):
    page = visit(series.get_absolute_url(), scripts=scripts)
    end_all(anna)
    page.get_by_role("button", name="Watched", exact=True).click()
    expect(page).to_have_url(re.compile("/sign-in/"))
    expect(page.get_by_role("status")).to_contain_text("nothing was changed")
    page.get_by_label("Username").fill("anna")
    page.get_by_label("Password").fill("password")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(f"{series.get_absolute_url()}$"))
    page.get_by_role("button", name="Watched", exact=True).click()
    expect(page.get_by_text("4/26")).to_be_visible()


@pytest.fixture
def searches(anna, series):
    """Pages with a search that goes on while one types."""
    done = importing.submit(anna, "NetflixViewingHistory.csv", history(("Okja", "6/18/21")))
    importing.run(done.pk)
    return ["/", reverse("history"), reverse("imports:rows", args=[done.pk])]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_search_has_its_button_where_there_are_no_scripts(visit, searches, viewport):
    for path in searches:
        page = visit(path, viewport, scripts=False)
        button = page.get_by_role("button", name="Search")
        box = button.bounding_box()
        assert min(box["width"], box["height"]) >= 44
        fits(page)
        page.get_by_role("searchbox").fill("okja")
        button.click()
        expect(page).to_have_url(re.compile(r"\?q=okja"))


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_search_has_its_button_when_the_tab_key_comes_to_it(visit, searches, viewport):
    for path in searches:
        page = visit(path, viewport)
        button = page.get_by_role("button", name="Search")
        assert button.bounding_box()["width"] == 1
        page.get_by_role("searchbox").focus()
        page.keyboard.press("Tab")
        expect(button).to_be_focused()
        box = button.bounding_box()
        assert min(box["width"], box["height"]) >= 44
        expect(button).to_be_in_viewport(ratio=1)
        fits(page)
        button.click()
        expect(page).to_have_url(re.compile(r"\?q="))
