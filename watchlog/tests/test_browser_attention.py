"""Needs attention in Chromium: with the keyboard, on a phone, and without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from imports.tests.making import history as written
from watchlog.tests import test_browser
from watchlog.tests.test_browser import DESKTOP, PHONE, Visit, fits, hand_in

pytestmark = pytest.mark.browser

chromium = test_browser.chromium
empty_database = test_browser.empty_database
site = test_browser.site
page = test_browser.page

# Two series that no TMDB knows, and one that each of the servers has.
ROWS = written(
    ("Our Holidays 2003: Season 1: Day 1", "6/18/21"),
    ("Our Holidays 2003: Season 1: Day 2", "6/19/21"),
    ("Wedding of Aunt Hedwig: Season 1: The Cake", "6/20/21"),
    ("Dark: Season 1: Secrets", "6/21/21"),
)


def hand_in_rows(page):
    hand_in(page, {"name": "NetflixViewingHistory.csv", "mimeType": "text/csv", "buffer": ROWS})


VISITS = {"phone": Visit(PHONE), "without JavaScript": Visit(DESKTOP, scripts=False)}


@pytest.mark.parametrize("page", VISITS.values(), ids=VISITS.keys(), indirect=True)
def test_what_needs_attention_is_settled_one_after_another_and_undone(page):
    hand_in_rows(page)
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


@pytest.mark.parametrize("page", [Visit(DESKTOP)], ids=["keyboard"], indirect=True)
def test_the_keyboard_is_enough(page):
    hand_in_rows(page)
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
