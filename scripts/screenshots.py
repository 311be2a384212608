"""make screenshots: every page of the demo, light and dark, wide and on a phone.

Besides, the set-up and the empty library of a watchlog that was started a moment ago. They come
into the folder `screenshots`, which git ignores. `--chosen` takes anew the few that the README
shows, in `docs/screenshots`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from scripts.demo import HISTORY, any_port
from scripts.run import ROOT
from scripts.supervise import answers, say

DEMO = """
import sys
from pathlib import Path
from scripts import demo
demo.DATABASE = Path(sys.argv[1])
sys.exit(demo.main())
"""
SIZES = {"wide": (1280, 860), "phone": (390, 844)}
LOOKS = [(theme, size) for theme in ("light", "dark") for size in SIZES]
PASSWORD = "correct horse battery"  # noqa: S105
PAGES = {
    "library": "/?view=grid",
    "table": "/?view=table",
    "history": "/history/",
    "statistics": "/statistics/",
    "your-year": "/statistics/2020/",
    "import": "/imports/new/",
    "imports": "/imports/",
    "import-done": "/imports/1/",
    "rows": "/imports/1/rows/",
    "preview": "/imports/2/",
    "attention": "/attention/",
    "decided": "/attention/decided/",
    "account": "/account/",
    "settings": "/settings/",
    "about": "/about/",
    "error": "/nothing-here/",
}
# Name, theme and size of those that the README shows.
CHOSEN = (
    ("library", "light", "wide"),
    ("series", "dark", "wide"),
    ("library", "dark", "phone"),
    ("series", "light", "phone"),
)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--chosen", action="store_true", help="only those of the README")
    only_chosen = options.parse_args().chosen
    folder = ROOT / ("docs/screenshots" if only_chosen else "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        say("There is no Chromium on this machine (Debian: apt install chromium).")
        return 1
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        # Root, as in containers, cannot use Chromium's sandbox.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        database = Path(temporary) / "demo.sqlite3"
        with running("-c", DEMO, str(database)) as address:
            if not only_chosen:
                leave_something_to_see(browser, address)
            for theme, size in LOOKS:
                take(browser, address, folder, theme, size, only_chosen)
        if not only_chosen:
            with running("-m", "scripts.run", database=Path(temporary) / "new.sqlite3") as address:
                take_new(browser, address, folder)
        browser.close()
    say(f"They are in {folder.relative_to(ROOT)}.")
    return 0


@contextmanager
def running(*arguments: str, database: Path | None = None) -> Iterator[str]:
    """The address of a site that runs with a database of its own, without the owner's settings."""
    port = any_port()
    environment = {**os.environ, "PORT": str(port), "SECRET_KEY": "only-for-pictures"}
    if database:
        environment |= {
            "WATCHLOG_ENV_FILE": "",
            "DATABASE_URL": f"sqlite:///{database}",
            "REDIS_URL": "",
            "SETUP_CODE": "",
            "TMDB_API_KEY": "",
            "LOG_LEVEL": "WARNING",
        }
    command = [sys.executable, *arguments]
    site = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 90
        while not answers(port):
            if site.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("The site did not start; “make demo” says why.")
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        site.send_signal(signal.SIGINT)
        site.wait(timeout=30)


def looking(browser: Browser, theme: str, size: str) -> BrowserContext:
    width, height = SIZES[size]
    return browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        has_touch=size == "phone",
    )


def sign_in(page: Page) -> None:
    page.get_by_label("Username").fill("demo")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in").click()


def leave_something_to_see(browser: Browser, address: str) -> None:
    """A file that waits to be confirmed, and a decision."""
    context = looking(browser, "light", "wide")
    page = context.new_page()
    page.goto(f"{address}/sign-in/?next=/imports/new/")
    sign_in(page)
    page.locator("input[type=file]").set_input_files(HISTORY)
    page.get_by_role("button", name="Look first, import later").click()
    page.get_by_role("heading", name="What this file would bring").wait_for(timeout=90_000)
    page.goto(f"{address}/attention/?show=not-found")
    page.get_by_role("button", name="Not on TMDB").last.click()
    page.get_by_text("is not on TMDB").first.wait_for()
    context.close()


def take_new(browser: Browser, address: str, folder: Path) -> None:
    """The pages of a watchlog in which there is nothing yet."""
    contexts = {look: looking(browser, *look) for look in LOOKS}
    pages = {look: context.new_page() for look, context in contexts.items()}
    for (theme, size), page in pages.items():
        page.goto(address)
        shoot(page, folder, "set-up", theme, size, None)
    page.get_by_label("Username").fill("demo")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password confirmation").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.get_by_role("heading", level=1, name="Import your viewing history").wait_for()
    cookies = page.context.cookies()
    for (theme, size), page in pages.items():
        page.context.add_cookies(
            [{"name": one["name"], "value": one["value"], "url": address} for one in cookies]
        )
        page.goto(address)
        shoot(page, folder, "empty-library", theme, size, None)
        page.context.close()


def take(
    browser: Browser, address: str, folder: Path, theme: str, size: str, only_chosen: bool
) -> None:
    context = looking(browser, theme, size)
    page = context.new_page()
    wanted = {name for name, *of in CHOSEN if of == [theme, size]} if only_chosen else None
    page.goto(f"{address}/sign-in/")
    shoot(page, folder, "sign-in", theme, size, wanted)
    sign_in(page)
    for name, path in PAGES.items():
        if wanted is None or name in wanted:
            page.goto(address + path)
            shoot(page, folder, name, theme, size, wanted)
    page.goto(f"{address}/?view=grid&show=in-progress&sort=most-episodes")
    page.locator(".card__title a").first.click()
    series = page.url
    shoot(page, folder, "series", theme, size, wanted)
    page.locator("details[open] .episode__title a").first.click()
    shoot(page, folder, "episode", theme, size, wanted)
    page.goto(f"{series}fix/")
    shoot(page, folder, "fix", theme, size, wanted)
    page.goto(f"{address}/?view=grid&show=movies")
    page.locator(".card__title a").first.click()
    shoot(page, folder, "movie", theme, size, wanted)
    context.close()


def shoot(
    page: Page, folder: Path, name: str, theme: str, size: str, wanted: set[str] | None
) -> None:
    if wanted is None or name in wanted:
        page.wait_for_load_state("networkidle")
        page.screenshot(path=folder / f"{name}-{theme}-{size}.png")


if __name__ == "__main__":
    sys.exit(main())
