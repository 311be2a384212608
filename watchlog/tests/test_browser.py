"""A newcomer's first visit in Chromium, in both languages, on the site that `make run` starts."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from playwright.sync_api import ViewportSize, expect, sync_playwright

from conftest import skip_or_fail
from imports.tests.making import activity

pytestmark = pytest.mark.browser

PROJECT = Path(__file__).resolve().parents[2]
MADE_UP = PROJECT / "scripts" / "made_up_history" / "NetflixViewingHistory.csv"
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def chromium():
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        skip_or_fail("no Chromium on this machine (Debian: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            # Root, as CI is, cannot use Chromium's sandbox.
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"],
        )
        yield browser
        browser.close()


ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "WATCHLOG_ENV_FILE": "",
    "SECRET_KEY": "only-for-tests",
}


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """A database with all tables and without a row, made once for all sites."""
    database = tmp_path_factory.mktemp("empty") / "watchlog.sqlite3"
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0"],
        cwd=PROJECT,
        env={**ENVIRONMENT, "DATABASE_URL": f"sqlite:///{database}"},
        check=True,
        timeout=120,
    )
    return database


@pytest.fixture
def site(tmp_path, free_port, big_tmdb, wait_until, empty_database):
    """A fresh watchlog with web server and worker."""
    database = shutil.copy(empty_database, tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.run"],
        cwd=PROJECT,
        env={
            **ENVIRONMENT,
            "PORT": str(free_port),
            "DATABASE_URL": f"sqlite:///{database}",
            "TMDB_API_URL": big_tmdb.api_url,
            "TMDB_IMAGE_URL": big_tmdb.image_url,
            "TMDB_API_KEY": "standin",
            "TMDB_RATE_LIMIT": "1000",
            # A few at once, so that answers that are held back keep an import going for long.
            "TMDB_PARALLEL": "4",
        },
    )

    def serves():
        assert process.poll() is None
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/healthz", timeout=5):
                return True
        except OSError:
            return False

    try:
        wait_until(serves, 180)
        yield f"http://127.0.0.1:{free_port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


@dataclass(frozen=True)
class Visit:
    """How somebody comes: on which screen, with scripts or without, in which language."""

    viewport: ViewportSize
    scripts: bool = True
    language: str = "en"


@pytest.fixture
def page(request, chromium, site):
    """The page of a newcomer who made the account a moment ago; `request.param` is a Visit."""
    visit: Visit = request.param
    context = chromium.new_context(
        viewport=visit.viewport, java_script_enabled=visit.scripts, locale=visit.language
    )
    page = context.new_page()
    troubles = []
    page.on("pageerror", lambda error: troubles.append(str(error)))

    def note(line):
        # The stand-in draws its posters as SVG, which the site does not pass on.
        if line.type == "error" and "/posters/" not in line.location["url"]:
            troubles.append(f"{line.text} {line.location}")

    page.on("console", note)
    with translation.override(visit.language):
        page.goto(site)
        page.get_by_label(_("Username")).fill("anna")
        page.get_by_label(_("Password"), exact=True).fill("correct horse battery")
        page.get_by_label(_("Password confirmation")).fill("correct horse battery")
        page.get_by_role("button", name=_("Create account")).click()
        yield page
    assert troubles == []
    context.close()


@pytest.fixture
def held_back(big_tmdb):
    """Called, it lets TMDB take its time from then on; `held_back(False)` ends that."""

    def hold_back(is_so=True):
        big_tmdb.faults(latency_ms=3000 if is_so else 0)

    yield hold_back
    hold_back(False)


def upload(page, *files):
    page.locator("input[type=file]").set_input_files(files)
    page.get_by_role("button", name=_("Import"), exact=True).click()


def wait_for_the_end(page):
    """Wait until the import whose page is shown is over."""
    # Only a finished import offers this. Without scripts the page refreshes itself until then.
    expect(page.get_by_role("link", name=_("Import another file"))).to_be_visible(timeout=90_000)


def hand_in(page, file):
    """Import a file and wait until its import is over."""
    upload(page, file)
    expect(page).to_have_url(re.compile(r"/imports/\d+/$"))
    wait_for_the_end(page)


@pytest.fixture
def history():
    """A real export where there is one, else the demo's."""
    shared = Path(os.environ.get("WATCHLOG_SHARED", PROJECT.parent / "shared"))
    real = shared / "exports" / "010_history_en.csv"
    return real if real.is_file() else MADE_UP


VISITS = {
    "desktop": Visit(DESKTOP),
    "phone, German": Visit(PHONE, language="de"),
    "desktop, German, without JavaScript": Visit(DESKTOP, scripts=False, language="de"),
    "phone, without JavaScript": Visit(PHONE, scripts=False),
}


@pytest.mark.parametrize("page", VISITS.values(), ids=VISITS.keys(), indirect=True)
def test_a_newcomer_gets_to_totals_fixes_a_match_and_takes_that_back(page, history, held_back):
    held_back()
    upload(page, history)
    expect(page).to_have_url(re.compile(r"/imports/\d+/$"))
    expect(page.locator("[aria-current=step]")).to_have_text(
        pgettext("step of an import", "Look up series")
    )
    expect(page.get_by_role("progressbar")).to_be_visible()
    fits(page)
    held_back(False)
    wait_for_the_end(page)
    expect(page.get_by_role("progressbar")).to_have_count(0)
    fits(page)
    page.get_by_role("link", name=_("See your library")).click()
    total = re.compile(
        re.escape(ngettext("%(watched)s/%(total)s episode", "%(watched)s/%(total)s episodes", 9))
        .replace(re.escape("%(watched)s"), r"\b\d+")
        .replace(re.escape("%(total)s"), r"\d+")
    )
    with_total = page.get_by_role("listitem").filter(has_text=total).first
    expect(with_total).to_be_visible()
    fits(page)

    with_total.get_by_role("link").click()
    figure = page.get_by_text(re.compile(r"^\d+/\d+$")).first
    watched_of_total = figure.inner_text()
    fits(page)
    address, title = page.url, page.get_by_role("heading", level=1).inner_text()
    other = "Dark" if title == "Breaking Bad" else "Breaking Bad"
    page.get_by_role("link", name=_("Not this series?")).click()
    fits(page)
    page.get_by_role("searchbox").fill(other)
    page.get_by_role("button", name=_("Search")).last.click()
    page.get_by_role("button", name=re.compile(f"^{_('This one')}.*{other},")).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(other)
    page.get_by_role("status").get_by_role("link", name=_("Undo")).click()
    fits(page)
    page.get_by_role("button", name=re.compile(f"^{_('Undo')}")).first.click()
    expect(page.get_by_role("status").first).to_contain_text(_("Undone: %(decision)s.")[:7])
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(figure).to_have_text(watched_of_total)


# The other kind of file, of two people; one of the series is known to no TMDB.
ACTIVITY = {
    "name": "ViewingActivity.csv",
    "mimeType": "text/csv",
    "buffer": activity(
        ("Ana", "2024-03-02 20:00:00", "00:40:00", "Dark: Season 1: Secrets (Episode 1)"),
        (
            "Ana",
            "2024-03-01 20:00:00",
            "00:40:00",
            "Our Holidays 2003: Season 1: Day 1 (Episode 1)",
        ),
        ("Ben", "2024-03-01 20:00:00", "01:50:00", "Inception"),
    ),
}
HISTORY = {
    "name": "NetflixViewingHistory.csv",
    "mimeType": "text/csv",
    "buffer": MADE_UP.read_bytes(),
}


@pytest.mark.parametrize(
    "page",
    [Visit(PHONE), Visit(DESKTOP, scripts=False)],
    ids=["phone", "no scripts"],
    indirect=True,
)
def test_both_kinds_of_file_at_once_are_followed_answered_and_seen(page, held_back):
    held_back()
    upload(page, ACTIVITY, HISTORY)
    expect(page).to_have_url(re.compile(r"/imports/$"))
    running = page.get_by_role("listitem").filter(has_text="NetflixViewingHistory.csv")
    expect(running).to_contain_text(re.compile(r"\d+ of \d+ series looked up"))
    expect(running.get_by_role("progressbar")).to_be_visible()
    fits(page)
    asking = page.get_by_role("listitem").filter(has_text="ViewingActivity.csv")
    asking.get_by_role("link", name="Answer").click()
    page.get_by_label("Ana").check()
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("link", name="Your imports").click()
    expect(page.get_by_role("heading", name="2 imports are under way")).to_be_visible()
    expect(asking).to_contain_text("Waiting to begin")
    held_back(False)
    # Nobody loads it anew.
    over = page.get_by_role("heading", name="All imports have ended")
    expect(over).to_be_visible(timeout=90_000)
    expect(page.get_by_role("progressbar")).to_have_count(0)
    expect(
        page.get_by_role("link", name=re.compile(r"^\d+ series without a match$"))
    ).to_be_visible()
    fits(page)
    page.get_by_role("link", name="See your library").click()
    expect(page.get_by_role("link", name="Our Holidays 2003", exact=True)).to_be_visible()


def fits(page):
    """Nothing sticks out of the window sideways."""
    width = page.locator("html").evaluate("page => page.scrollWidth - page.clientWidth")
    assert width <= 0
