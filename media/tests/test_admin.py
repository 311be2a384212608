from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from media.models import LibraryEntry, LookupStatus, Media
from media.tests.making import look_up, watch


@pytest.fixture
def admin(db, client) -> object:
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture
def media(user, tmdb) -> Media:
    watch(user, "Breaking Bad", "Pilot")
    look_up()
    tmdb.add(99, "The Right One", {1: ["One"]})
    return Media.objects.get()


def save(admin, media: Media, reference: str) -> str:
    response = admin.post(
        f"/admin/media/media/{media.pk}/change/", {"tmdb_reference": reference}, follow=True
    )
    assert response.status_code == 200
    return str(response.text)


@pytest.mark.parametrize("reference", ["99", "https://www.themoviedb.org/tv/99-the-right-one"])
def test_another_id_fetches_title_and_totals_and_is_pinned(admin, media, reference):
    save(admin, media, reference)
    entry = LibraryEntry.objects.get()
    assert (entry.media.title, entry.media.total_episodes) == ("The Right One", 1)
    assert entry.decided_by == "admin"


def test_staff_needs_no_more_than_to_be_staff(client, media, make_user):
    client.force_login(make_user("mia", is_staff=True))
    save(client, media, "99")
    assert LibraryEntry.objects.get().media.title == "The Right One"
    assert "Media" in client.get("/admin/").text.title()


def test_others_do_not_come_in(client, media, make_user):
    client.force_login(make_user("ben"))
    for address in ("/admin/media/media/", f"/admin/media/media/{media.pk}/change/"):
        assert client.get(address).status_code == 302


@pytest.mark.parametrize("reference", ["4711", "nonsense", "https://example.com/tv/99", "-1"])
def test_a_wrong_id_says_so_and_changes_nothing(admin, media, reference):
    text = save(admin, media, reference)
    assert "errorlist" in text
    assert LibraryEntry.objects.get().media == media


def test_saving_without_a_change_asks_nothing(admin, media, tmdb):
    asked = len(tmdb.asked)
    save(admin, media, str(media.tmdb_id))
    assert len(tmdb.asked) == asked


@pytest.mark.parametrize(
    ("action", "status"),
    [("look_up_again", "pending"), ("clear_match", "not_found"), ("ignore", "ignored")],
)
def test_actions(admin, media, action, status):
    admin.post("/admin/media/media/", {"action": action, "_selected_action": [media.pk]})
    assert LibraryEntry.objects.get().lookup_status == LookupStatus(status)


def test_totals_can_be_refreshed(admin, media, tmdb):
    tmdb.series[1396]["number_of_episodes"] = 77
    admin.post("/admin/media/media/", {"action": "refresh_totals", "_selected_action": [media.pk]})
    media.refresh_from_db()
    assert media.total_episodes == 77


def test_many_totals_are_refreshed_by_tasks_of_a_few_seconds(admin, media, user, tmdb, monkeypatch):
    tmdb.add(2, "Dark", {1: ["Secrets"]})
    watch(user, "Dark", "Secrets")
    look_up()
    monkeypatch.setattr("media.tasks.SLICE_SECONDS", 0.0)
    old = timezone.now() - timedelta(days=3)
    Media.objects.update(last_tmdb_update=old)
    answered = admin.post(
        "/admin/media/media/",
        {"action": "refresh_totals", "_selected_action": [m.pk for m in Media.objects.all()]},
        follow=True,
    )
    assert "2 series waiting to be refreshed" in answered.text
    assert not Media.objects.filter(last_tmdb_update=old).exists()


def test_lists_filter_and_search_and_show_no_viewing(admin, media):
    for query in (
        "?q=breaking",
        "?totals=missing",
        "?totals=known",
        "?media_type__exact=movie",
    ):
        response = admin.get(f"/admin/media/media/{query}")
        assert response.status_code == 200
        assert "Pilot" not in response.text
    assert "Pilot" not in admin.get(f"/admin/media/media/{media.pk}/change/").text


def test_only_staff_may_enter(client, user, media):
    client.force_login(user)
    assert client.get("/admin/media/media/").status_code == 302


def test_whom_a_change_concerns_is_told(admin, media, user, make_user):
    save(admin, media, "99")
    admin.post(
        "/admin/media/media/",
        {"action": "ignore", "_selected_action": [LibraryEntry.objects.get().media_id]},
    )
    told = user.events.filter(kind="admin_match").order_by("pk")
    assert list(told.values_list("subject", flat=True)) == ["Breaking Bad", "The Right One"]
    assert not make_user("ben").events.exists()
