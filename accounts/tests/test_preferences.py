"""Settings of each user, and what follows from them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.urls import reverse

from accounts.models import User
from accounts.preferences import time_zones
from media.tests.shelf import add_movie, watch

pytestmark = pytest.mark.django_db

USUAL = {"library_view": "grid", "posters": "site"}


@pytest.fixture
def ana(client, make_user):
    user = make_user("ana")
    client.force_login(user)
    return user


def save(client, **chosen):
    return client.post(reverse("accounts:settings"), USUAL | chosen)


def test_what_is_chosen_is_kept(client, ana):
    response = save(
        client, title_language="de", time_zone="Asia/Tokyo", min_minutes="5", posters="none"
    )
    assert response.url == reverse("accounts:settings")
    ana.refresh_from_db()
    assert (ana.title_language, ana.time_zone) == ("de", "Asia/Tokyo")
    assert (ana.min_minutes, ana.posters) == (5, "none")


@pytest.mark.parametrize(
    "nonsense",
    [{"time_zone": "Mars/Base"}, {"title_language": "xx"}, {"min_minutes": "-1"}, {"posters": "x"}],
)
def test_nonsense_is_refused_beside_its_field(client, ana, nonsense):
    response = save(client, **nonsense)
    assert response.status_code == 200
    assert "errorlist" in response.text
    ana.refresh_from_db()
    assert (ana.time_zone, ana.title_language, ana.posters) == ("", "", "site")


def test_a_zone_that_this_machine_no_longer_knows_breaks_no_page(client, ana):
    User.objects.filter(pk=ana.pk).update(time_zone="Gone/Away")
    assert client.get(reverse("accounts:settings")).status_code == 200


def test_zones_are_named_by_place():
    assert {"Europe/Berlin", "UTC"} <= set(time_zones())
    assert not {"Etc/GMT+3", "EST", "US/Pacific"} & set(time_zones())


def test_the_account_page_leads_to_the_settings(client, ana):
    html = client.get(reverse("accounts:account")).text
    assert f'href="{reverse("accounts:settings")}"' in html


def test_the_minimum_play_time_stands_in_the_import_form(client, ana):
    save(client, min_minutes="7.5")
    html = client.get(reverse("imports:new")).text
    assert 'name="min_minutes" value="7.5"' in html


def test_days_of_timed_viewings_are_those_of_the_users_zone(client, ana):
    movie = add_movie(ana, "Roma")
    late = datetime(2024, 5, 10, 23, 30, tzinfo=UTC)
    watch(movie, "Roma late", late.date(), kind="movie", watched_at=late)
    assert '<time datetime="2024-05-10">' in client.get(reverse("history")).text
    save(client, time_zone="Europe/Berlin")
    html = client.get(reverse("history")).text
    assert 'datetime="2024-05-11"' in html
    assert 'datetime="2024-05-10"' not in html
    assert 'datetime="2024-05-11"' in client.get(movie.get_absolute_url()).text
    assert movie.viewings.latest("day").day == date(2024, 5, 10)
