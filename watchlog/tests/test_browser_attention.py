"""Fixing matches in Chromium: with the keyboard, on a phone, and without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from imports.tests.making import history as written
from watchlog.tests import test_browser
from watchlog.tests.test_browser import DESKTOP, PHONE, fits

pytestmark = pytest.mark.browser

chromium = test_browser.chromium
site = test_browser.site

# Two series that no TMDB knows, and one that each of the servers has.
ROWS = written(
    ("Our Holidays 2003: Season 1: Day 1", "6/18/21"),
    ("Our Holidays 2003: Season 1: Day 2", "6/19/21"),
    ("Wedding of Aunt Hedwig: Season 1: The Cake", "6/20/21"),
    ("Dark: Season 1: Secrets", "6/21/21"),
)


@pytest.fixture
def page(request, chromium, site):
    """A signed-in newcomer's page, with the rows imported."""
    viewport, scripts = request.param
    context = chromium.new_context(viewport=viewport, java_script_enabled=scripts)
    page = context.new_page()
    troubles = []
    page.on("pageerror", lambda error: troubles.append(str(error)))

    def note(line):
        # The stand-in draws its posters as SVG, which the site does not pass on.
        if line.type == "error" and "/posters/" not in line.location["url"]:
            troubles.append(f"{line.text} {line.location}")

    page.on("console", note)
    page.goto(site)
    page.get_by_label("Username").fill("anna")
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_label("Password confirmation").fill("correct horse battery")
    page.get_by_role("button", name="Create account").click()
    page.locator("input[type=file]").set_input_files(
        {"name": "NetflixViewingHistory.csv", "mimeType": "text/csv", "buffer": ROWS}
    )
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("link", name="Import another file")).to_be_visible(timeout=90_000)
    yield page
    assert troubles == []
    context.close()


SIZES = {"desktop": (DESKTOP, True), "phone": (PHONE, True), "no scripts": (DESKTOP, False)}


@pytest.mark.parametrize("page", SIZES.values(), ids=SIZES.keys(), indirect=True)
def test_what_needs_attention_is_settled_a_match_fixed_and_both_undone(page):
    settle_one_after_another(page)
    fix_a_match(page)


def settle_one_after_another(page):
    page.get_by_role("link", name=re.compile("without a match")).click()
    fits(page)
    items = page.get_by_role("article")
    expect(items).to_have_count(2)
    items.filter(has_text="Wedding").get_by_role("button", name="Not on TMDB").click()
    expect(items).to_have_count(1)
    expect(page.get_by_text("“Wedding of Aunt Hedwig” is not on TMDB").first).to_be_visible()
    items.filter(has_text="Holidays").get_by_role("button", name="Hide").click()
    expect(items).to_have_count(0)
    page.get_by_role("button", name=re.compile("Undo.*“Our Holidays 2003” is hidden")).first.click()
    expect(items).to_have_count(1)


def fix_a_match(page):
    page.get_by_role("link", name="Library").click()
    page.get_by_role("link", name="Dark").click()
    page.get_by_role("link", name="Not this series?").click()
    fits(page)
    page.get_by_role("searchbox").fill("Breaking Bad")
    page.get_by_role("button", name="Search TMDB").click()
    page.get_by_role("button", name=re.compile("This one.*Breaking Bad")).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Breaking Bad")
    page.get_by_role("status").get_by_role("link", name="Undo").click()
    fits(page)
    page.get_by_role("button", name=re.compile("Undo.*“Dark”")).click()
    expect(page.get_by_role("status").first).to_contain_text("Undone")
    page.get_by_role("link", name="Library").click()
    expect(page.get_by_role("link", name="Dark")).to_be_visible()


@pytest.mark.parametrize("page", [(DESKTOP, True)], ids=["keyboard"], indirect=True)
def test_the_keyboard_is_enough(page):
    page.goto(page.url.split("/imports/")[0] + "/attention/")
    page.get_by_role("article").first.get_by_role("link").first.focus()
    focused = page.locator("article:focus")
    page.keyboard.press("j")
    expect(focused).to_contain_text("Our Holidays 2003")
    page.keyboard.press("k")
    expect(focused).to_contain_text("Wedding of Aunt Hedwig")
    page.keyboard.press("/")
    page.keyboard.type("Breaking Bad")
    page.keyboard.press("Enter")
    first = page.get_by_role("article").first
    best = first.get_by_role("button", name=re.compile("This one.*Breaking Bad")).first
    expect(best).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    expect(
        page.get_by_text("“Wedding of Aunt Hedwig” is Breaking Bad at TMDB").first
    ).to_be_visible()
    expect(focused).to_contain_text("Our Holidays 2003")
    page.keyboard.press("u")
    expect(page.get_by_role("article")).to_have_count(2)
