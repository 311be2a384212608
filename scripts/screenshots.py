"""make screenshots: every page of the demo, light and dark, wide and on a phone.

They come into the folder `screenshots`, which git ignores. `--chosen` takes anew the few that
the README shows, in `docs/screenshots`.
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
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from scripts.run import ROOT
from scripts.supervise import answers, free_port, say

DEMO = """
import sys
from pathlib import Path
from scripts import demo
demo.DATABASE = Path(sys.argv[1])
sys.exit(demo.main())
"""
SIZES = {"wide": (1280, 860), "phone": (390, 844)}
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
    "attention": "/attention/",
    "account": "/account/",
    "settings": "/settings/",
    "about": "/about/",
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
    port = free_port("8765", rerun="make screenshots")
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        demo = subprocess.Popen(
            [sys.executable, "-c", DEMO, str(Path(temporary) / "demo.sqlite3")],
            cwd=ROOT,
            env={**os.environ, "PORT": str(port), "SECRET_KEY": "only-for-pictures"},
            stdout=subprocess.DEVNULL,
        )
        try:
            wait_for(port, demo)
            # Root, as in containers, cannot use Chromium's sandbox.
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for theme in ("light", "dark"):
                for size in SIZES:
                    take(browser, f"http://127.0.0.1:{port}", folder, theme, size, only_chosen)
            browser.close()
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(timeout=30)
    say(f"They are in {folder.relative_to(ROOT)}.")
    return 0


def wait_for(port: int, demo: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while not answers(port):
        if demo.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("The demo did not start; “make demo” says why.")
        time.sleep(0.2)


def take(
    browser: Browser, address: str, folder: Path, theme: str, size: str, only_chosen: bool
) -> None:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        has_touch=size == "phone",
    )
    page = context.new_page()
    wanted = {name for name, *of in CHOSEN if of == [theme, size]} if only_chosen else None
    page.goto(f"{address}/sign-in/")
    shoot(page, folder, "sign-in", theme, size, wanted)
    page.get_by_label("Username").fill("demo")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in").click()
    for name, path in PAGES.items():
        if wanted is None or name in wanted:
            page.goto(address + path)
            shoot(page, folder, name, theme, size, wanted)
    page.goto(f"{address}/?view=grid&show=in-progress&sort=most-episodes")
    page.locator(".card__title a").first.click()
    shoot(page, folder, "series", theme, size, wanted)
    page.locator("details[open] .episode__title a").first.click()
    shoot(page, folder, "episode", theme, size, wanted)
    context.close()


def shoot(
    page: Page, folder: Path, name: str, theme: str, size: str, wanted: set[str] | None
) -> None:
    if wanted is None or name in wanted:
        page.wait_for_load_state("networkidle")
        page.screenshot(path=folder / f"{name}-{theme}-{size}.png")


if __name__ == "__main__":
    sys.exit(main())
