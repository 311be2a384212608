"""How often pages ask the database: at most ten times, whatever a library holds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from imports.importing import run, submit
from imports.tests.making import history
from media import deciding, library, marking
from media.models import LibraryEntry, LookupStatus, Media
from media.statistics import bring_up_to_date
from media.tests.shelf import DAY, add_movie, add_seasons, add_series, watch
from media.tests.test_doubts import doubt

pytestmark = pytest.mark.django_db

MOST_QUERIES = 10
OPEN = [
    LookupStatus.UNCERTAIN,
    LookupStatus.NOT_FOUND,
    LookupStatus.ERROR,
    LookupStatus.PENDING,
    LookupStatus.IGNORED,
]


@pytest.fixture(params=["", "de"], ids=["no title language", "titles in German"])
def ana(request, client, make_user):
    user = make_user("ana")
    user.title_language = request.param
    user.save()
    client.force_login(user)
    return user


@pytest.fixture
def few_a_page(monkeypatch):
    for where in (
        "media.pages.CARDS_PER_PAGE",
        "media.attention.PER_PAGE",
        "media.attention.DECIDED_PER_PAGE",
        "imports.history.VIEWINGS_PER_PAGE",
        "imports.rows.PER_PAGE",
    ):
        monkeypatch.setattr(where, 5)


@pytest.fixture
def addresses(ana, few_a_page):
    """The pages of a library with some of everything."""
    rows = [("Foo: Season 1: X", "6/18/21"), ("", "6/17/21"), ("Film", "never")]
    of_import = run(submit(ana, "few.csv", history(*rows)).pk).get_absolute_url()
    dark = add_series(ana, "Dark", [10, 8], 12)
    special, other_special = add_seasons(dark.media, [2], first_number=0)
    made = watch(dark, "Dark: Making of", DAY, season_number=0, tmdb_season=0)
    made.tmdb_episodes.add(special)
    film = watch(dark, "Dark: The film", DAY, kind="movie", profile="Ana")
    bonus = watch(dark, "Dark: Bonus", DAY, season_number=2, episode_title="B", profile="Ben")
    watch(dark, "Dark: Elsewhere", DAY, season_number=9, watched_at=timezone.now())
    library.recount([dark.pk])
    gone = add_series(ana, "Gone", [3], 1, tmdb_gone_at=timezone.now())
    hidden = add_series(ana, "Hidden", [3, 4], 5)
    for n in range(8):
        series = add_series(ana, f"Series {n}", [3, 4], 5)
        watch(series, f"Series {n}: X", DAY - timedelta(days=n), season_number=1, profile="Ana")
        movie = add_movie(ana, f"Movie {n}")
        of_status = add_series(ana, f"Open {n}", watched=2)
        LibraryEntry.objects.filter(pk=of_status.pk).update(lookup_status=OPEN[n % len(OPEN)])
        doubt(ana, f"Doubtful {n}", "Alpha")
        deciding.hide(add_movie(ana, f"Hidden {n}"), hidden=True)
    deciding.hide(hidden, hidden=True)
    Media.objects.filter(title="Series 1").update(titles={"de-DE": "Serie 1"})
    marking.watch_episodes(dark, [other_special.tmdb_id])
    entries = [dark, gone, hidden, movie, LibraryEntry.objects.get(names__name="Hidden 1")]
    entries += LibraryEntry.objects.filter(media__title__startswith="Open")[: len(OPEN)]
    second = dark.media.seasons.get(number=2).episodes
    keys = [f"t{special.tmdb_id}", *(f"t{e.tmdb_id}" for e in second.filter(number__in=[1, 8]))]
    return [
        *("/", "/?page=2", "/?profile=Ana", "/?hidden=1&page=2", "/?sort=title&page=2"),
        *("/?q=s&year=2024&profile=Ana&sort=progress&show=series", "/?show=attention"),
        *(entry.get_absolute_url() for entry in entries),
        *(reverse("media:fix", args=[entry.pk]) for entry in entries),
        *(
            reverse("media:episode", args=[dark.pk, key])
            for key in (*keys, f"v{bonus.pk}", f"v{film.pk}")
        ),
        *(f"/attention/?page={number}" for number in range(1, 5)),
        *("/attention/?show=gone", "/attention/?show=episode-or-movie&page=2"),
        *("/attention/decided/", "/attention/decided/?page=2"),
        *("/history/", "/history/?page=2", "/history/?profile=Ana&q=s"),
        *("/statistics/", f"/statistics/?series={dark.pk}&year=2024&profile=Ana"),
        *("/statistics/2024/", "/statistics/2024.svg"),
        *("/imports/", "/imports/new/", of_import, f"{of_import}rows/", f"{of_import}undo/"),
        *("/account/", "/settings/", "/about/", "/account/delete/"),
    ]


def counted(client, address):
    with CaptureQueriesContext(connection) as captured:
        response = client.get(address)
    return len(captured), response


def test_no_page_asks_the_database_more_than_ten_times(client, ana, addresses):
    for is_table in (False, True):
        ana.library_view = "table" if is_table else "grid"
        ana.save()
        found = {address: counted(client, address) for address in addresses}
        assert {response.status_code for _, response in found.values()} == {200}
        assert {at: count for at, (count, _) in found.items() if count > MOST_QUERIES} == {}
        # Figures of months are summed up by the worker after the first look at them.
        bring_up_to_date(ana, 60)


def test_choosing_how_to_see_the_library_takes_no_more(client, ana, addresses):
    for view in ("table", "grid"):
        count, response = counted(client, f"/?q=s&sort=title&view={view}&page=2")
        assert count <= MOST_QUERIES
        assert response.url == "/?sort=title&q=s&page=2"
        count, response = counted(client, response.url)
        assert count <= MOST_QUERIES
        assert ("<table" in response.text) == (view == "table")
