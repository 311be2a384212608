"""Posters through the site."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import User
from media.models import Media
from media.tests.shelf import add_series
from tmdb import images

pytestmark = pytest.mark.django_db

PICTURE = images.Picture(b"\xff\xd8\xff", "image/jpeg")
ADDRESS = "/posters/w342/abc.jpg"


@pytest.fixture
def ana(client, make_user):
    user = make_user("ana")
    client.force_login(user)
    entry = add_series(user, "Dark", [10], 3)
    Media.objects.filter(pk=entry.media_id).update(poster_path="/abc.jpg")
    return user


@pytest.fixture
def asked(monkeypatch):
    asked = []

    def poster(path, size, **_how):
        asked.append((path, size))
        return PICTURE if path == "/abc.jpg" else None

    monkeypatch.setattr(images, "poster", poster)
    return asked


def test_a_poster_is_a_picture_and_nothing_else(client, ana, asked):
    response = client.get(ADDRESS)
    assert response.content == PICTURE.content
    assert response["Content-Type"] == "image/jpeg"
    assert response["Cache-Control"] == "private, max-age=2592000, immutable"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert asked == [("/abc.jpg", "w342")]


@pytest.mark.parametrize(
    "address",
    [
        "/posters/w342/none.jpg",
        "/posters/w1/abc.jpg",
        "/posters/original/abc.jpg",
        "/posters/w342/abc.svg",
        "/posters/w342/..%2fabc.jpg",
        "/posters/w342/x/abc.jpg",
        "/posters/w342/http://evil.example/abc.jpg",
    ],
)
def test_what_is_no_poster_is_not_there_and_leads_nowhere(client, ana, asked, address):
    response = client.get(address)
    assert response.status_code == 404
    assert "Location" not in response


def test_strangers_cannot_have_posters_fetched(client, asked):
    User.objects.create_user("ana")
    assert client.get(ADDRESS).status_code == 302
    assert not asked


@pytest.mark.parametrize(
    ("chosen", "source", "allowed"),
    [
        ("site", "/posters/w342/abc.jpg", False),
        ("tmdb", "https://image.tmdb.org/t/p/w342/abc.jpg", True),
        ("none", None, False),
    ],
)
def test_pages_have_posters_from_where_the_user_chose(client, ana, chosen, source, allowed):
    User.objects.update(posters=chosen)
    response = client.get(reverse("media:library"))
    assert ("<img" in response.text) == (source is not None)
    assert source is None or f'src="{source}"' in response.text
    policy = response["Content-Security-Policy"]
    assert ("https://image.tmdb.org" in policy) == allowed
    assert "img-src 'self' data:" in policy
