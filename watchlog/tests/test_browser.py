"""A newcomer's first visit, in Chromium, on the site that `make run` starts."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from conftest import skip_or_fail

pytestmark = pytest.mark.browser

PROJECT = Path(__file__).resolve().parents[2]
MADE_UP = PROJECT / "scripts" / "made_up_history" / "NetflixViewingHistory.csv"
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
TOTAL = re.compile(r"\b\d+/\d+ episodes\b")


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


@pytest.fixture
def site(tmp_path, free_port, big_tmdb, wait_until):
    """A fresh watchlog with web server and worker."""
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.run"],
        cwd=PROJECT,
        env={
            "PATH": os.environ["PATH"],
            "WATCHLOG_ENV_FILE": "",
            "PORT": str(free_port),
            "SECRET_KEY": "only-for-tests",
            "DATABASE_URL": f"sqlite:///{tmp_path}/watchlog.sqlite3",
            "TMDB_API_URL": big_tmdb.api_url,
            "TMDB_IMAGE_URL": big_tmdb.image_url,
            "TMDB_API_KEY": "standin",
            "TMDB_RATE_LIMIT": "1000",
        },
    )

    def serves():
        assert process.poll() is None
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/healthz", timeout=5):
                return True
        except urllib.error.URLError:
            return False

    try:
        wait_until(serves, 60)
        yield f"http://127.0.0.1:{free_port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


@pytest.fixture
def history():
    """A real export where there is one, else the demo's."""
    shared = Path(os.environ.get("WATCHLOG_SHARED", PROJECT.parent / "shared"))
    real = shared / "exports" / "010_history_en.csv"
    return real if real.is_file() else MADE_UP


@pytest.mark.parametrize(
    ("viewport", "scripts"),
    [(DESKTOP, True), (PHONE, True), (DESKTOP, False)],
    ids=["desktop", "phone", "without JavaScript"],
)
def test_a_newcomer_gets_from_the_first_page_to_totals(chromium, site, history, viewport, scripts):
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

    page.locator("input[type=file]").set_input_files(history)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page).to_have_url(re.compile(r"/imports/\d+/$"))
    fits(page)

    # Only a finished import offers this. Without scripts the page refreshes itself until then.
    expect(page.get_by_role("link", name="Import another file")).to_be_visible(timeout=90_000)
    fits(page)
    page.get_by_role("link", name="See your library").click()
    with_total = page.get_by_role("listitem").filter(has_text=TOTAL).first
    expect(with_total).to_be_visible()
    fits(page)

    with_total.get_by_role("link").click()
    expect(page.get_by_text(TOTAL).first).to_be_visible()
    fits(page)
    assert troubles == []
    context.close()


def fits(page):
    """Nothing sticks out of the window sideways."""
    width = page.locator("html").evaluate("page => page.scrollWidth - page.clientWidth")
    assert width <= 0
