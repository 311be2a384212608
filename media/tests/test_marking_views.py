"""Marks as a browser makes them, with and without scripts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from media import library
from media.models import Episode, LibraryEntry, Season, Viewing
from media.tests.shelf import DAY, add_movie, add_seasons, add_series, watch

pytestmark = pytest.mark.django_db
MOST_QUERIES = 10


@pytest.fixture
def ana(client, make_user):
    user = make_user("ana")
    client.force_login(user)
    return user


def ids(entry, season=1):
    episodes = Season.objects.get(media=entry.media, number=season).episodes
    return list(episodes.order_by("number").values_list("tmdb_id", flat=True))


def count(entry):
    return LibraryEntry.objects.get(pk=entry.pk).watched_episodes_count


def mark(client, entry, **data):
    return client.post(reverse("media:mark", args=[entry.pk]), data)


def test_a_click_on_the_circle_marks_an_episode_and_comes_back_to_its_season(client, ana):
    entry = add_series(ana, "Dark", [10, 8], 1)
    response = mark(client, entry, watched=f"t{ids(entry, 2)[0]}", at="season-2")
    assert response.url == f"{entry.get_absolute_url()}?open=season-2#season-2"
    assert count(entry) == 2
    html = client.get(response.url).text
    assert "Dark: Season 2: S2E1” is marked as watched" in html
    assert f'name="unwatched" value="t{ids(entry, 2)[0]}"' in html


def test_with_htmx_the_page_itself_is_answered(client, ana):
    entry = add_series(ana, "Dark", [10], 1)
    address = reverse("media:mark", args=[entry.pk])
    response = client.post(address, {"unwatched": f"t{ids(entry)[0]}"}, HTTP_HX_REQUEST="true")
    assert response.text.strip().startswith('<article id="series"')
    assert "0<span>/10</span>" in response.text


def test_a_whole_season_is_marked_and_the_undo_brings_it_back(client, ana):
    entry = add_series(ana, "Dark", [10], 3)
    html = client.get(entry.get_absolute_url()).text
    (everything,) = [
        part.split('"')[0] for part in html.split('id="season-1-none" name="unwatched" value="')[1:]
    ]
    mark(client, entry, unwatched=everything)
    assert count(entry) == 0
    log = ana.decisions.get()
    undone = client.post(reverse("media:undo", args=[log.pk]), {"next": entry.get_absolute_url()})
    assert undone.url == entry.get_absolute_url()
    assert count(entry) == 3


def test_the_page_of_an_episode_marks_all_up_to_there(client, ana):
    entry = add_series(ana, "Dark", [3, 3], 1)
    page = reverse("media:episode", args=[entry.pk, f"t{ids(entry, 2)[1]}"])
    html = client.get(page).text
    assert "Mark all up to here as watched (4 episodes)" in html
    wanted = ",".join(f"t{pk}" for pk in [*ids(entry)[1:], *ids(entry, 2)[:2]])
    assert f'value="{wanted}"' in html
    mark(client, entry, watched=wanted)
    assert count(entry) == 5


def test_beside_a_title_that_only_the_file_has_all_is_marked_and_nothing_counts_twice(client, ana):
    entry = add_series(ana, "Dark", [4, 3], 1)
    watch(entry, "Dark: Season 1: Bonus", DAY, season_number=1, episode_title="Bonus")
    library.recount([entry.pk])
    html = client.get(entry.get_absolute_url()).text
    assert html.count("1 episode is left unmarked: a title that is only in your history") == 1
    wanted = html.split('id="season-1-all" name="watched" value="')[1].split('"')[0]
    page = reverse("media:episode", args=[entry.pk, f"t{ids(entry, 2)[1]}"])
    html = client.get(page).text
    assert "Mark all up to here as watched (4 episodes)" in html
    assert "1 episode is left unmarked" in html
    mark(client, entry, watched=wanted)
    assert count(entry) == 4
    html = client.get(entry.get_absolute_url()).text
    assert "left unmarked" not in html
    assert "Mark all up to here as watched (2 episodes)" in client.get(page).text


def test_specials_that_are_not_watched_are_folded_away_and_can_be_marked(client, ana):
    entry = add_series(ana, "Dark", [3], 1)
    special, later, unaired = add_seasons(entry.media, [3], first_number=0)
    Episode.objects.filter(pk=unaired.pk).update(air_date=timezone.localdate() + timedelta(days=30))
    address = entry.get_absolute_url()
    html = client.get(address).text
    assert '<details class="season" id="other-specials">' in html
    assert "3 specials" in html
    assert f'name="watched" value="t{special.tmdb_id}"' in html
    assert f'value="t{unaired.tmdb_id}"' not in html
    response = mark(client, entry, watched=f"t{special.tmdb_id}", at="other-specials")
    assert response.url == f"{address}?open=other-specials#other-specials"
    html = client.get(response.url).text
    assert '<details class="season" id="other-specials" open>' in html
    assert "2 specials" in html
    assert f'name="unwatched" value="t{special.tmdb_id}"' in html
    assert count(entry) == 1
    page = reverse("media:episode", args=[entry.pk, f"t{later.tmdb_id}"])
    html = client.get(page).text
    assert "Mark as watched" in html and "up to here" not in html
    mark(client, entry, watched=f"t{later.tmdb_id}", day="2024-09-01", episode=f"t{later.tmdb_id}")
    assert "1 Sep 2024" in client.get(page).text
    assert count(entry) == 1


def test_a_viewing_gets_another_day_or_goes(client, ana):
    entry = add_series(ana, "Dark", [3], 1)
    key = f"t{ids(entry)[0]}"
    viewing = entry.viewings.get()
    address = reverse("media:viewing", args=[entry.pk, viewing.pk])
    response = client.post(address, {"day": "2023-02-01", "episode": key})
    assert response.url == reverse("media:episode", args=[entry.pk, key])
    moved = Viewing.objects.shown().get(entry=entry)
    assert str(moved.day) == "2023-02-01"
    client.post(reverse("media:viewing", args=[entry.pk, moved.pk]), {"remove": "1"})
    assert not Viewing.objects.shown().filter(entry=entry).exists()


def test_days_that_cannot_be_are_refused(client, ana):
    entry = add_series(ana, "Dark", [3], 1)
    for day in (timezone.localdate() + timedelta(days=3), "1889-01-01", "soon"):
        response = mark(client, entry, watched=f"t{ids(entry)[0]}", day=day)
        assert response.status_code == 302
    assert Viewing.objects.filter(entry=entry).count() == 1
    assert "A day between 1990 and today, please." in client.get("/").text


def test_an_episode_that_only_the_file_knows_has_a_page(client, ana):
    entry = add_series(ana, "Komi", watched=2)
    viewing = entry.viewings.latest("day")
    page = reverse("media:episode", args=[entry.pk, f"v{viewing.pk}"])
    assert "Title 2" in client.get(page).text
    mark(client, entry, watched=f"v{viewing.pk}", day="2024-09-01", episode=f"v{viewing.pk}")
    assert count(entry) == 2
    assert "1 Sep 2024" in client.get(page).text


def test_a_movie_is_watched_again(client, ana):
    movie = add_movie(ana, "Roma")
    response = mark(client, movie, watched=f"v{movie.viewings.get().pk}", day="2024-12-24")
    assert response.url == movie.get_absolute_url()
    assert "24 Dec 2024" in client.get(response.url).text


def test_nobody_marks_what_is_anothers(client, ana, make_user):
    entry = add_series(make_user("ben"), "Dark", [3], 1)
    viewing = entry.viewings.get()
    assert mark(client, entry, unwatched=f"t{ids(entry)[0]}").status_code == 404
    for name, key in (("media:viewing", viewing.pk), ("media:episode", f"t{ids(entry)[0]}")):
        address = reverse(name, args=[entry.pk, key])
        assert client.post(address, {"remove": "1"}).status_code in (404, 405)
    own = add_series(ana, "Komi", watched=1)
    address = reverse("media:viewing", args=[own.pk, viewing.pk])
    assert client.post(address, {"remove": "1"}).status_code == 404
    assert count(entry) == 1


def test_nonsense_marks_nothing(client, ana):
    entry = add_series(ana, "Dark", [3], 1)
    for keys in ("x1", "t", "t1;drop", "t9999999999999999"):
        mark(client, entry, unwatched=keys)
    mark(client, entry, unwatched="t123456789012345")
    assert count(entry) == 1
    assert client.get(f"{entry.get_absolute_url()}episode/t123456789012345/").status_code == 404


@pytest.mark.parametrize("language", ["", "de"])
def test_the_page_of_an_episode_asks_the_database_a_fixed_number_of_times(client, ana, language):
    ana.title_language = language
    ana.save()
    entry = add_series(ana, "Dark", [30] * 10, 120)
    first = entry.media.seasons.get(number=1).episodes.get(number=1)
    for at in range(30):
        watch(
            entry, f"Dark again {at}", DAY + timedelta(days=30 * at), season_number=1, tmdb_season=1
        ).tmdb_episodes.add(first)
    mark(client, entry, watched=f"t{ids(entry, 10)[0]}")
    for address in (
        reverse("media:episode", args=[entry.pk, f"t{first.tmdb_id}"]),
        entry.get_absolute_url(),
    ):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        assert len(captured) <= MOST_QUERIES, [q["sql"][:90] for q in captured]
