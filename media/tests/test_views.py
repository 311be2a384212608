"""The pages of the library as a browser gets them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from media import library
from media.models import LibraryEntry, LookupStatus
from media.tests.shelf import DAY, add_movie, add_series, watch

pytestmark = pytest.mark.django_db

LIBRARY = "/"
MOST_QUERIES = 10


@pytest.fixture
def ana(client, make_user):
    user = make_user("ana")
    client.force_login(user)
    return user


def text_of(html):
    """What a reader reads: without tags, blanks joined."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def queries_of(client, address):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_without_signing_in_there_is_no_page(client, make_user):
    entry = add_series(make_user("ana"), "Dark", [10], 1)
    for address in (LIBRARY, entry.get_absolute_url()):
        assert client.get(address).url == f"{reverse('accounts:login')}?next={address}"


def test_a_known_total_is_shown_with_a_bar_that_can_be_heard(client, ana):
    add_series(ana, "The Big Bang Theory", [23] * 12, 45)
    html = client.get(LIBRARY).text
    assert "45/276 episodes" in html
    assert 'role="img" aria-label="45 of 276 episodes watched, 12 seasons"' in html


def test_an_unknown_total_shows_the_count_without_a_bar(client, ana):
    add_series(ana, "Komi", watched=28)
    html = client.get(LIBRARY).text
    assert "28 episodes" in html
    assert 'class="bar' not in html


def test_a_movie_shows_neither(client, ana):
    add_movie(ana, "Roma")
    (card,) = re.findall(r'<li class="card">.*?</li>', client.get(LIBRARY).text, re.DOTALL)
    assert "Roma" in card
    assert "episode" not in card
    assert 'class="bar' not in card


def test_an_empty_library_leads_to_the_import(client, ana):
    html = client.get(LIBRARY).text
    assert "Your library is still empty" in html
    assert f'href="{reverse("imports:new")}"' in html


def test_a_search_without_result_helps_on(client, ana):
    add_movie(ana, "Roma")
    html = client.get(LIBRARY, {"q": "<b>zzz"}).text
    assert "Nothing here is called “&lt;b&gt;zzz”" in html
    assert "Show everything" in html


def test_a_search_with_results_elsewhere_says_so(client, ana):
    add_movie(ana, "Roma")
    html = client.get(LIBRARY, {"q": "roma", "show": "complete"}).text
    assert 'href="?q=roma"' in html


def test_htmx_gets_the_list_alone_and_caches_know_it(client, ana):
    add_movie(ana, "Roma")
    whole, part = client.get(LIBRARY), client.get(LIBRARY, headers={"HX-Request": "true"})
    assert "<html" in whole.text
    assert "<html" not in part.text
    assert "Roma" in part.text
    assert "HX-Request" in whole["Vary"]


def test_pages_keep_the_rest_of_the_address(client, ana):
    for number in range(61):
        add_movie(ana, f"Film {number}")
    html = client.get(LIBRARY, {"show": "movies", "sort": "title"}).text
    assert 'rel="next" href="?show=movies&amp;sort=title&amp;page=2"' in html


def test_without_a_key_the_library_says_once_how_to_get_one(client, ana, settings):
    entry = add_series(ana, "Komi", watched=1)
    LibraryEntry.objects.update(lookup_status=LookupStatus.PENDING)
    assert client.get(LIBRARY).text.count("themoviedb.org/settings/api</a>") == 1
    assert "TMDB_API_KEY" in client.get(entry.get_absolute_url()).text
    settings.TMDB_API_KEY = "key"
    assert "themoviedb.org/settings/api" not in client.get(LIBRARY).text


def test_with_a_key_what_waits_is_looked_up_by_one_click(client, ana, tmdb):
    add_series(ana, "Breaking Bad", watched=1)
    LibraryEntry.objects.update(lookup_status=LookupStatus.PENDING)
    assert "Look up now" in client.get(LIBRARY).text
    client.post(reverse("media:look-up"))
    assert "1/3 episodes" in client.get(LIBRARY).text


def test_series_of_others_are_not_looked_up(client, ana, tmdb, make_user):
    add_series(make_user("ben"), "Breaking Bad", watched=1)
    LibraryEntry.objects.update(lookup_status=LookupStatus.PENDING)
    client.post(reverse("media:look-up"))
    assert LibraryEntry.objects.get().lookup_status == LookupStatus.PENDING


def test_the_page_of_a_series_says_all_that_is_known(client, ana):
    entry = add_series(ana, "Dark", [10, 8], 12, tmdb_status="Ended")
    html = client.get(entry.get_absolute_url()).text
    text = text_of(html)
    assert "<title>Dark: 12/18 episodes" in html
    assert "12 /18 episodes" in text
    assert 'aria-label="12 of 18 episodes watched, 2 seasons"' in html
    assert "6 to go" in text
    assert "Next S2 E3 S2E3" in text
    assert "ended" in text


def test_a_count_above_the_total_is_explained(client, ana):
    entry = add_series(ana, "Recut", [3], 3)
    watch(entry, "Recut: Season 1: Half", DAY, season_number=1, episode_title="Half")
    library.recount([entry.pk])
    text = text_of(client.get(entry.get_absolute_url()).text)
    assert "4 /3 episodes" in text
    assert "1 episode more than TMDB lists." in text
    assert "Half only in your history" in text


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (LookupStatus.UNCERTAIN, "would rather not guess"),
        (LookupStatus.NOT_FOUND, "knows no series of this name"),
        (LookupStatus.ERROR, "could not be reached"),
    ],
)
def test_a_series_without_a_match_says_why(client, ana, status, words):
    entry = add_series(ana, "Kingdom", watched=3)
    LibraryEntry.objects.update(lookup_status=status)
    assert words in client.get(entry.get_absolute_url()).text


def test_a_series_that_tmdb_removed_keeps_its_total_and_says_so(client, ana):
    entry = add_series(ana, "Dark", [10], 3, tmdb_gone_at=timezone.now())
    html = client.get(entry.get_absolute_url()).text
    assert "TMDB has removed this series" in html
    assert "Dark: 3/10 episodes" in html


@pytest.mark.parametrize("key", ["", "key"])
@pytest.mark.parametrize("status", LookupStatus)
def test_each_entry_leads_to_where_one_says_what_it_is(client, ana, settings, status, key):
    settings.TMDB_API_KEY = key
    series = [add_series(ana, "Kingdom", watched=3), add_series(ana, "Dark", [10], 3)]
    LibraryEntry.objects.update(lookup_status=status)
    for entry in (*series, add_movie(ana, "Roma")):
        address = reverse("media:fix", args=[entry.pk])
        html = client.get(entry.get_absolute_url()).text
        (acts,) = re.findall(r'<\w+ class="hero__acts.*?href="([^"]+)">([^<]+)<', html, re.DOTALL)
        assert acts[0] == address
        assert acts[1].endswith("Fix or hide")
        assert 'value="hide"' in client.get(address).text


def test_what_is_hidden_says_so_on_its_own_page_and_is_shown_again_there(client, ana):
    entries = [add_series(ana, "Dark", [10], 3), add_series(ana, "Komi"), add_movie(ana, "Roma")]
    for entry in entries:
        address = entry.get_absolute_url()
        assert "This is hidden" not in client.get(address).text
        act = reverse("media:act", args=[entry.pk])
        client.post(act, {"act": "hide"})
        html = client.get(address).text
        assert "This is hidden" in html
        assert f'action="{act}"' in html and 'name="act" value="show"' in html
        assert client.post(act, {"act": "show"}).url == address
        html = client.get(address).text
        assert "is shown again" in html
        assert "This is hidden" not in html
    assert LibraryEntry.objects.visible().count() == len(entries)


def test_the_page_of_a_movie_says_when_it_was_watched(client, ana):
    entry = add_movie(ana, "Roma", DAY, DAY + timedelta(days=366))
    html = client.get(entry.get_absolute_url()).text
    assert '<time datetime="2024-05-01"' in html
    assert '<time datetime="2025-05-02"' in html
    assert "episodes watched" not in html


def test_entries_of_others_are_not_there(client, ana, make_user):
    ben = make_user("ben")
    for entry in (add_series(ben, "Dark", [10], 1), add_movie(ben, "Roma")):
        response = client.get(entry.get_absolute_url())
        assert response.status_code == 404
        assert entry.media.title not in response.text
    assert "Dark" not in client.get(LIBRARY).text


def test_titles_cannot_bring_markup_into_a_page(client, ana):
    entry = add_series(ana, "<script>alert(1)</script>", [3], 1)
    for address in (LIBRARY, entry.get_absolute_url()):
        assert "<script>alert" not in client.get(address).text


@pytest.fixture(params=["", "de"], ids=["no title language", "titles in German"])
def with_language(request, ana):
    """A user who may want titles in a language in which TMDB has none."""
    ana.title_language = request.param
    ana.save()
    return ana


def test_the_library_asks_the_database_no_more_often_when_it_grows(client, with_language):
    ana = with_language
    add_series(ana, "Dark", [10, 8], 12)
    add_movie(ana, "Roma")
    few = queries_of(client, LIBRARY)
    for number in range(40):
        add_series(ana, f"Series {number}", [4, 4], 5)
        add_movie(ana, f"Film {number}")
    assert queries_of(client, LIBRARY) == few <= MOST_QUERIES
    assert queries_of(client, f"{LIBRARY}?show=in-progress&sort=nearly-finished") <= MOST_QUERIES


def test_a_series_asks_the_database_no_more_often_when_it_grows(client, with_language):
    ana = with_language
    small = add_series(ana, "Small", [2], 1)
    large = add_series(ana, "Large", [10] * 12, 100)
    few = queries_of(client, small.get_absolute_url())
    assert queries_of(client, large.get_absolute_url()) == few <= MOST_QUERIES


def test_no_page_has_a_script_or_style_of_its_own(client, ana):
    entry = add_series(ana, "Dark", [10], 1)
    for address in (LIBRARY, entry.get_absolute_url()):
        html = client.get(address).text
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", html)


def test_the_table_is_remembered(client, ana):
    add_series(ana, "Dark", [10], 3)
    assert "<table" not in client.get(LIBRARY).text
    assert "<table" in client.get(LIBRARY, {"view": "table"}, follow=True).text
    html = client.get(LIBRARY).text
    assert "<table" in html and "3/10 episodes" in html
    assert "<table" not in client.get(LIBRARY, {"view": "grid"}, follow=True).text


def test_a_view_once_chosen_is_not_chosen_again_by_going_back(client, ana):
    add_series(ana, "Dark", [10], 3)
    assert client.get(LIBRARY, {"view": "table"}).url == LIBRARY
    chosen = client.get(f"{LIBRARY}?show=series&page=2&view=grid&q=d%26k")
    assert chosen.url == f"{LIBRARY}?show=series&q=d%26k&page=2"
    assert client.get(LIBRARY, {"view": "grid"}).status_code == 200
    assert client.get(LIBRARY, {"view": "nonsense"}).status_code == 200


def test_all_filters_together_keep_within_the_queries(client, ana):
    for at in range(5):
        add_series(ana, f"Series {at}", [10], 3)
    ana.title_language = "de"
    ana.save()
    state = "?q=series&year=2024&sort=progress&show=series&view=table"
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            client.get(LIBRARY + state)
        assert len(captured) <= MOST_QUERIES


def test_a_series_without_a_total_offers_to_find_it(client, ana):
    lost = add_series(ana, "Komi", watched=28)
    add_series(ana, "Dark", [10], 3)
    for view in ("grid", "table"):
        html = client.get(LIBRARY, {"view": view}, follow=True).text
        assert html.count("Find total") == 1
        assert f'href="{reverse("media:fix", args=[lost.pk])}"' in html
