"""The library as JSON."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from media import api
from media.tests.shelf import DAY, add_movie, add_series

pytestmark = pytest.mark.django_db

ADDRESS = "/api/media/"


@pytest.fixture
def ana(client, make_user):
    user = make_user("ana")
    client.force_login(user)
    return user


def test_signed_out_it_answers_401_in_json(client):
    response = client.get(ADDRESS)
    assert response.status_code == 401
    assert response["Content-Type"] == "application/json"
    assert "Sign in" in response.json()["detail"]


def test_a_series_tells_its_totals_and_how_far_one_is(client, ana):
    entry = add_series(ana, "Dark", [10, 8], 12)
    answer = client.get(ADDRESS).json()
    assert answer == {
        "count": 1,
        "next": None,
        "previous": None,
        "results": [
            {
                "id": entry.media_id,
                "title": "Dark",
                "media_type": "tv_series",
                "total_seasons": 2,
                "total_episodes": 18,
                "watched_episodes_count": 12,
                "lookup_status": "matched",
                "tmdb_id": entry.media.tmdb_id,
                "first_watched": "2024-04-20",
                "last_watched": "2024-05-01",
            }
        ],
    }


def test_unknown_totals_and_those_of_movies_are_null(client, ana):
    add_series(ana, "Komi", watched=3)
    add_movie(ana, "Roma", DAY)
    for entry in client.get(ADDRESS).json()["results"]:
        assert entry["total_seasons"] is entry["total_episodes"] is entry["tmdb_id"] is None


def test_pages_are_linked_and_hold_everything_once(client, ana, monkeypatch):
    monkeypatch.setattr(api, "PER_PAGE", 2)
    for number in range(5):
        add_movie(ana, f"Film {number}")
    titles, address, pages = [], ADDRESS, 0
    while address:
        answer = client.get(address).json()
        assert answer["count"] == 5
        titles += [entry["title"] for entry in answer["results"]]
        address, pages = answer["next"], pages + 1
    assert pages == 3
    assert sorted(titles) == [f"Film {number}" for number in range(5)]
    assert answer["previous"].endswith("/api/media/?page=2")


@pytest.mark.parametrize("page", ["0", "2", "x", "-1", "", "1e9"])
def test_a_page_that_is_not_there_is_404_in_json(client, ana, page):
    response = client.get(ADDRESS, {"page": page})
    assert response.status_code == 404
    assert response.json() == {"detail": "There is no such page."}


def test_it_is_read_only(client, ana):
    assert client.post(ADDRESS).status_code == 405


def test_nobody_sees_the_library_of_others(client, ana, make_user):
    add_series(make_user("ben"), "Dark", [10], 1)
    assert client.get(ADDRESS).json()["results"] == []


def test_it_asks_the_database_no_more_often_when_the_library_grows(client, ana):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            client.get(ADDRESS)
        return len(captured)

    add_series(ana, "Dark", [10], 1)
    few = queries()
    for number in range(20):
        add_series(ana, f"Series {number}", [2], 1)
    assert queries() == few <= 5
