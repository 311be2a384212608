"""Nobody reaches what is somebody else's, on any page."""

from __future__ import annotations

import pytest
from django.conf import settings as project
from django.core.exceptions import ObjectDoesNotExist
from django.test import Client
from django.urls import reverse

from watchlog.tests import routes
from watchlog.tests.routes import (
    API,
    OBJECTS,
    OWN,
    OWN_BY_VALUE,
    PUBLIC,
    SECRET,
    SHARED,
    is_admin,
    make_person,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(make_user):
    """Whose things nobody may see."""
    return make_person(make_user("ana", is_staff=True), SECRET)


@pytest.fixture
def ben(make_user):
    return make_person(make_user("ben"), "harmless")


def everything_of(person):
    """All rows of somebody, by table."""
    user = person.user
    return {
        name: sorted(map(str, getattr(user, name).values_list()))
        for name in (
            "library",
            "entry_names",
            "viewings",
            "own_media",
            "imports",
            "decisions",
            "api_tokens",
            "invitations",
            "events",
            "sessions",
        )
    }


def test_every_page_is_classified():
    there = {name for name, address in routes.all_routes() if not is_admin(name, address)}
    classified = [*PUBLIC, *API, *OWN, *OWN_BY_VALUE, *SHARED, *OBJECTS]
    assert sorted(there) == sorted(classified)


@pytest.mark.parametrize("name", sorted(OWN))
@pytest.mark.parametrize("method", ["get", "head", "post", "put", "delete"])
def test_ones_own_pages_want_a_sign_in(make_user, name, method):
    make_user()
    response = getattr(Client(), method)(reverse(name))
    assert response.status_code == 302
    assert response.url.startswith(reverse("accounts:login"))


def test_what_has_values_in_its_address_wants_a_sign_in(make_user):
    make_user()
    for name, kwargs in (SHARED | OWN_BY_VALUE).items():
        assert Client().get(reverse(name, kwargs=kwargs)).status_code == 302


@pytest.mark.parametrize("name", sorted(OBJECTS))
def test_pages_about_something_want_a_sign_in(ana, name):
    address = reverse(name, kwargs=OBJECTS[name](ana))
    for method in ("get", "head", "post"):
        response = getattr(Client(), method)(address)
        assert response.status_code == 302
        assert response.url.startswith(reverse("accounts:login"))


@pytest.mark.parametrize("name", sorted(OBJECTS))
def test_something_of_somebody_else_is_not_found(ana, ben, name):
    address = reverse(name, kwargs=OBJECTS[name](ana))
    before = everything_of(ana)
    for method in ("get", "head", "post"):
        for headers in ({}, {"hx-request": "true"}):
            response = getattr(ben.browser, method)(address, headers=headers)
            assert response.status_code in (404, 405)
            assert SECRET not in response.text
    assert ben.browser.get(address).status_code == 404 or (
        ben.browser.post(address).status_code == 404
    )
    assert everything_of(ana) == before


@pytest.mark.parametrize("name", sorted(OBJECTS))
def test_ones_own_is_found(ben, name):
    """Else the test above could not fail."""
    address = reverse(name, kwargs=OBJECTS[name](ben))
    statuses = {ben.browser.get(address).status_code, ben.browser.post(address).status_code}
    assert statuses - {404, 405}


@pytest.mark.parametrize("name", ["media:viewing", "media:episode"])
def test_somebody_elses_viewing_is_not_found_in_ones_own_entry(ana, ben, name):
    kwargs = {**OBJECTS[name](ana), "pk": ben.entry.pk}
    before = everything_of(ana)
    for method in ("get", "post"):
        response = getattr(ben.browser, method)(reverse(name, kwargs=kwargs))
        assert response.status_code in (404, 405)
    assert everything_of(ana) == before


@pytest.mark.parametrize("name", sorted(OWN | API))
def test_ones_own_pages_show_nothing_of_others(ana, ben, name):
    response = ben.browser.get(reverse(name))
    content = b"".join(response) if response.streaming else response.content
    assert SECRET.encode() not in content


@pytest.mark.parametrize("name", sorted(OWN_BY_VALUE))
def test_ones_own_pages_with_values_show_nothing_of_others(ana, ben, name):
    response = ben.browser.get(reverse(name, kwargs=OWN_BY_VALUE[name]))
    assert response.status_code == 200
    assert SECRET not in response.text
    assert "harmless" in response.text


def test_statistics_of_a_series_of_somebody_else_are_not_found(ana, ben):
    address = reverse("media:statistics")
    assert ben.browser.get(address, {"series": ana.entry.pk}).status_code == 404
    assert ben.browser.get(address, {"series": ben.entry.pk}).status_code == 200


def test_numbers_of_others_in_forms_do_nothing(ana, ben):
    before = everything_of(ana)
    theirs = {
        "entry": ana.entry.pk,
        "into": ana.entry.pk,
        "other": ana.entry.pk,
        "target": ana.entry.pk,
        "names": list(ana.user.entry_names.values_list("pk", flat=True)),
        "name": list(ana.user.entry_names.values_list("pk", flat=True)),
        "titles": list(ana.user.viewings.values_list("title_hash", flat=True)),
        "viewing": ana.viewing.pk,
        "pk": ana.entry.pk,
        "tmdb_id": "1",
        "kind": "movie",
        "choice": [f"{pk}:1" for pk in ana.user.library.values_list("pk", flat=True)],
        "as": "movie",
        "action": "ignore",
        "do": "hide",
    }
    for name in sorted(OWN - {"delete-account", "accounts:sign-out-everywhere"}):
        assert SECRET not in ben.browser.post(reverse(name), theirs, follow=True).text
    for name in sorted(OBJECTS):
        try:
            kwargs = OBJECTS[name](ben)
        except (IndexError, ObjectDoesNotExist):
            continue  # An earlier form took it away.
        response = ben.browser.post(reverse(name, kwargs=kwargs), theirs)
        assert SECRET not in response.text
    assert everything_of(ana) == before


class TestAdministration:
    def addresses(self):
        return [
            routes.filled(address)
            for name, address in routes.all_routes()
            if is_admin(name, address)
        ]

    def test_there_are_pages_to_try(self):
        assert len(self.addresses()) > 10

    def test_only_staff_comes_in(self, ben):
        # The sign-in, where everybody may ask, and the words of its scripts.
        open_to_all = {reverse("admin:login"), reverse("admin:jsi18n")}
        for browser in (Client(), ben.browser):
            for address in self.addresses():
                for method in ("get", "post"):
                    response = getattr(browser, method)(address)
                    if address not in open_to_all:
                        assert response.status_code in (302, 403, 404), address

    def test_it_never_shows_who_watched_what(self, ana, make_user):
        chief = Client()
        chief.force_login(make_user("chief", is_staff=True, is_superuser=True))
        for address in self.addresses():
            page = chief.get(address).text
            assert f"{SECRET} episode" not in page
            assert f"{SECRET}.csv" not in page

    @pytest.mark.parametrize(
        "asked",
        [
            "media/media/?owner={ana}",
            "media/media/?owner__id__exact={ana}",
            "media/media/?owner_id__in={ana}",
            "media/media/?entries__id__gt=0",
            "media/media/?title__regex=(",
            "media/media/?tmdb_status__regex=(",
            "media/media/?tmdb_status=%00",
            "accounts/user/?viewings__id__gt=0",
            "accounts/user/?library__id__gt=0",
            "accounts/user/?password__startswith=pbkdf2",
            "accounts/user/?email__contains=a",
        ],
    )
    def test_no_address_asks_it_who_watched_what(self, ana, make_user, asked):
        chief = Client()
        chief.force_login(make_user("chief", is_staff=True, is_superuser=True))
        address = reverse("admin:index") + asked.format(ana=ana.user.pk)
        assert chief.get(address).status_code == 400

    @pytest.mark.parametrize(
        "asked",
        [
            "media/media/?media_type__exact=movie&totals=missing",
            "media/media/?tmdb_status=Ended&q=dark",
            "accounts/user/?is_active__exact=1&is_staff__exact=0",
        ],
    )
    def test_what_its_lists_offer_narrows_them(self, make_user, asked):
        chief = Client()
        chief.force_login(make_user("chief", is_staff=True, is_superuser=True))
        assert chief.get(reverse("admin:index") + asked).status_code == 200

    def test_another_path_hides_it(self):
        assert reverse("admin:index") == f"/{project.ADMIN_PATH}"
