"""Every page in Chromium, light and dark: no violation that axe-core finds, no layout shift."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.urls import reverse

from imports import importing
from imports.models import Import
from imports.tests.making import history
from media import deciding, marking
from media.models import LibraryEntry, LookupStatus
from media.tests.shelf import DAY, add_movie, add_seasons, add_series, watch
from watchlog.tests import test_browser
from watchlog.tests.test_browser import DESKTOP, PHONE, fits

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
REFUSED = {"/nothing-here/": 404, "/sign-out/": 405}
CANDIDATE = {
    "tmdb_id": 1,
    "name": "Komi Can't Communicate",
    "original_name": "Komi-san",
    "year": 2021,
    "countries": ["JP"],
    "poster_path": "",
    "seasons": 2,
    "episodes": 24,
    "score": 60.0,
    "parts": [
        {
            "name": "name",
            "points": 60.0,
            "sentence": "the same name: %(name)s",
            "values": {"name": "Komi Can't Communicate"},
        }
    ],
}
RIVAL = CANDIDATE | {"tmdb_id": 2, "year": 2022, "score": 58.0}


@pytest.fixture(scope="module", autouse=True)
def _queries_beside_playwright():
    """Playwright's loop runs in this thread; Django would take its own queries for asynchronous."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture
def address(live_server):
    return live_server.url


@pytest.fixture
def pages(address, client, make_user, settings):
    """The addresses of all pages of somebody who has one of everything."""
    settings.TMDB_API_KEY = "key"
    user = make_user("anna", is_staff=True)
    client.force_login(user)
    dark = add_series(user, "Dark", [10, 8, 8], 14, tmdb_status="Ended")
    episode = dark.media.seasons.get(number=1).episodes.get(number=1)
    bonus = watch(dark, "Dark: Bonus", DAY, season_number=0, episode_title="Making of")
    assert bonus.entry_id == dark.pk
    late = datetime(2024, 5, 9, 21, 30, tzinfo=UTC)
    watch(dark, "Dark: Late", late.date(), watched_at=late, duration_seconds=3000, profile="Anna")
    marking.watch_episodes(dark, [episode.tmdb_id], DAY)
    lost = add_series(user, "Our Holidays", watched=3)
    unsure = add_series(user, "Komi", watched=2)
    LibraryEntry.objects.filter(pk=unsure.pk).update(
        lookup_status=LookupStatus.UNCERTAIN, candidates=[CANDIDATE, RIVAL]
    )
    open_one = add_series(user, "Kingdom", watched=2)
    LibraryEntry.objects.filter(pk=open_one.pk).update(
        lookup_status=LookupStatus.UNCERTAIN, candidates=[CANDIDATE]
    )
    movie = add_movie(user, "Roma")
    seasons = add_series(user, "Money Heist", [6], 3)
    add_seasons(seasons.media, [3], first_number=0)
    watch(seasons, "Money Heist: Extra", DAY, season_number=1, episode_title="Extra")
    deciding.hide(seasons, hidden=True)
    settings.TMDB_API_KEY = ""
    done = importing.submit(
        user, "NetflixViewingHistory.csv", history(("Okja", "6/18/21"), ("", "x"))
    )
    importing.run(done.pk)
    assert Import.objects.filter(user=user).exists()
    return [
        "/",
        "/?view=table",
        "/?q=zzz&view=grid",
        dark.get_absolute_url(),
        lost.get_absolute_url(),
        unsure.get_absolute_url(),
        movie.get_absolute_url(),
        f"{seasons.get_absolute_url()}?open=other-specials",
        reverse("media:episode", args=[dark.pk, f"t{episode.tmdb_id}"]),
        reverse("media:fix", args=[unsure.pk]),
        reverse("media:fix", args=[movie.pk]),
        reverse("media:attention"),
        reverse("media:decided"),
        reverse("history"),
        "/history/?q=zzz",
        "/history/?day=2024-05-01",
        "/statistics/",
        "/statistics/?year=2024&of=hours",
        "/statistics/?profile=Anna",
        f"/statistics/?series={dark.pk}",
        "/statistics/?year=1999",
        "/statistics/2024/",
        "/statistics/2019/",
        reverse("imports:new"),
        reverse("imports:list"),
        done.get_absolute_url(),
        reverse("accounts:account"),
        reverse("accounts:settings"),
        reverse("accounts:password"),
        reverse("about"),
        "/nothing-here/",
    ]


@pytest.fixture
def doors(address, make_user):
    """The addresses of the pages for who is not signed in."""
    make_user("ben")
    return [reverse("accounts:login"), reverse("about"), *REFUSED]


def look(chromium, address, paths, theme, viewport, cookie=None):
    """What is wrong with the pages: violations, shifts, and what sticks out sideways."""
    context = chromium.new_context(viewport=viewport, color_scheme=theme)
    context.add_init_script(WATCH_SHIFTS)
    if cookie:
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": address}])
    page = context.new_page()
    wrong = []
    for path in paths:
        answer = page.goto(address + path)
        assert answer.status == REFUSED.get(path, 200), path
        for fold in page.locator("main details.menu, main details.behind").all():
            fold.evaluate("fold => fold.open = true")
        page.evaluate(AXE)
        wrong += [f"{path}: {violation}" for violation in page.evaluate(FIND_VIOLATIONS)]
        page.reload()
        page.wait_for_load_state("networkidle")
        if (shift := page.evaluate("window.shift")) > 0.01:
            wrong.append(f"{path}: shifts by {shift:.3f}")
        fits(page)
    context.close()
    return wrong


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_keeps_anybody_from_using_a_page(chromium, address, pages, client, theme, viewport):
    cookie = client.cookies["sessionid"].value
    assert look(chromium, address, pages, theme, viewport, cookie) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_keeps_anybody_from_coming_in(chromium, address, doors, theme):
    assert look(chromium, address, doors, theme, PHONE) == []


def test_nothing_keeps_anybody_from_beginning(chromium, address, client, make_user):
    client.force_login(make_user("anna"))
    cookie = client.cookies["sessionid"].value
    assert (
        look(
            chromium,
            address,
            ["/", "/history/", "/statistics/", "/imports/"],
            "light",
            PHONE,
            cookie,
        )
        == []
    )


def test_the_set_up_can_be_used_by_everybody(chromium, address):
    assert look(chromium, address, ["/setup/"], "light", DESKTOP) == []
