"""Signing in and out, and the account page."""

from __future__ import annotations

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(make_user):
    return make_user("ana")


def sign_in(client, **data):
    return client.post(
        reverse("accounts:login"), {"username": "ana", "password": "password", **data}
    )


def test_signing_in_leads_to_the_library(client, ana):
    assert sign_in(client).url == reverse("media:library")


def test_signing_in_leads_back_to_where_one_wanted_to_go(client, ana):
    wanted = reverse("imports:list")
    asked = client.get(wanted)
    assert asked.url == f"{reverse('accounts:login')}?next={wanted}"
    assert sign_in(client, next=wanted).url == wanted


def test_signing_in_never_leads_to_another_site(client, ana):
    assert sign_in(client, next="https://evil.example/").url == reverse("media:library")


def test_signing_in_never_leads_back_to_the_sign_in(client, ana):
    here = reverse("accounts:login")
    assert sign_in(client, next=here).url == reverse("media:library")
    assert client.get(here, {"next": here}).url == reverse("media:library")


def test_a_wrong_password_is_refused_without_saying_what_was_wrong(client, ana):
    wrong_password = sign_in(client, password="wrong").text
    wrong_name = sign_in(client, username="nobody", password="wrong").text
    assert "Please enter a correct username and password" in wrong_password
    assert "Please enter a correct username and password" in wrong_name


def test_the_session_is_another_one_after_signing_in(client, ana):
    session = client.session
    session["planted"] = True
    session.save()
    before = client.cookies["sessionid"].value
    sign_in(client)
    assert client.cookies["sessionid"].value != before


def test_signing_out_needs_a_post_and_ends_the_session(client, ana):
    sign_in(client)
    assert client.get(reverse("accounts:logout")).status_code == 405
    assert client.post(reverse("accounts:logout")).url == reverse("accounts:login")
    assert client.get(reverse("media:library")).status_code == 302


def test_a_signed_in_user_does_not_see_the_sign_in_page(client, ana):
    client.force_login(ana)
    assert client.get(reverse("accounts:login")).url == reverse("media:library")


def test_the_password_can_be_changed_and_the_session_goes_on(client, ana):
    client.force_login(ana)
    response = client.post(
        reverse("accounts:password"),
        {
            "old_password": "password",
            "new_password1": "quite-another-1",
            "new_password2": "quite-another-1",
        },
        follow=True,
    )
    assert "Your password is changed." in response.text
    ana.refresh_from_db()
    assert ana.check_password("quite-another-1")


def test_a_wrong_old_password_changes_nothing(client, ana):
    client.force_login(ana)
    response = client.post(
        reverse("accounts:password"),
        {
            "old_password": "guessed",
            "new_password1": "quite-another-1",
            "new_password2": "quite-another-1",
        },
    )
    assert response.status_code == 200
    ana.refresh_from_db()
    assert ana.check_password("password")


def test_only_staff_is_shown_the_way_to_the_administration(client, ana, make_user):
    client.force_login(ana)
    assert reverse("admin:index") not in client.get(reverse("accounts:account")).text
    client.force_login(make_user("chief", is_staff=True))
    assert reverse("admin:index") in client.get(reverse("accounts:account")).text


def test_signing_in_is_protected_against_forged_requests(ana):
    from django.test import Client

    response = sign_in(Client(enforce_csrf_checks=True))
    assert response.status_code == 403
    assert "Please send that once more" in response.text
