"""Every page in Chromium, light and dark: no violation that axe-core finds, no layout shift."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchlog.tests import test_browser
from watchlog.tests.pages import ALL, Visit
from watchlog.tests.test_browser import DESKTOP, PHONE, fits
from watchlog.tests.test_browser_layout import settle

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

chromium = test_browser.chromium

AXE = (Path(__file__).parent / "vendor" / "axe-core-4.10.3.min.js").read_text()
FIND_VIOLATIONS = """
async () => (await axe.run()).violations.map(
  (one) => `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => node.html).join(" ")}`
)
"""
WATCH_SHIFTS = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({type: "layout-shift", buffered: true});
"""
# Colours that fade from one theme to the other are neither.
FADED = """
async () => {
  const fading = () => document.getAnimations().filter((one) => one instanceof CSSTransition);
  while (fading().length) await Promise.allSettled(fading().map((one) => one.finished));
}
"""
UNFOLD = "folds => { for (const fold of folds) fold.open = true; }"


@pytest.fixture(scope="module", autouse=True)
def _queries_beside_playwright():
    """Playwright's loop runs in this thread; Django would take its own queries for asynchronous."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture
def visit(live_server, client, make_user, settings, monkeypatch):
    return Visit(client, make_user, settings, monkeypatch)


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def tab(request, chromium):
    """A tab of a browser in which nobody is signed in yet."""
    context = chromium.new_context(viewport=request.param, reduced_motion="reduce")
    context.add_init_script(WATCH_SHIFTS)
    yield context.new_page()
    context.close()


def whats_wrong(tab, address, page):
    """What is wrong with a page: what moves, sticks out sideways, or keeps somebody from using it."""
    if page.html:
        tab.route(address, lambda route: route.fulfill(status=page.status, body=page.html), times=1)
    tab.emulate_media(color_scheme="light")
    answer = tab.goto(address)
    assert answer.status == page.status, page
    settle(tab)
    if (shift := tab.evaluate("window.shift")) > 0.01:
        yield f"{page.path}: shifts by {shift:.3f}"
    fits(tab)
    tab.locator("main details").evaluate_all(UNFOLD)
    tab.evaluate(AXE)
    for theme in ("light", "dark"):
        tab.emulate_media(color_scheme=theme)
        settle(tab)
        tab.evaluate(FADED)
        for violation in tab.evaluate(FIND_VIOLATIONS):
            yield f"{page.path}, {theme}: {violation}"


@pytest.mark.parametrize("whose", ALL)
def test_nothing_keeps_anybody_from_using_a_page(tab, live_server, visit, whose):
    pages = list(ALL[whose](visit))
    if session := visit.client.cookies.get("sessionid"):
        cookie = {"name": "sessionid", "value": session.value, "url": live_server.url}
        tab.context.add_cookies([cookie])
    wrong = [what for page in pages for what in whats_wrong(tab, live_server.url + page.path, page)]
    assert wrong == []
