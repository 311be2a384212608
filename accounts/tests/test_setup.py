"""The first visit: one person becomes the owner, and then the door is closed."""

from __future__ import annotations

import logging
import threading

import pytest
from django.db import connection
from django.urls import reverse

from accounts import setup
from accounts.models import Installation, User

pytestmark = pytest.mark.django_db

FORM = {"username": "ana", "password1": "a-long-enough-one", "password2": "a-long-enough-one"}


@pytest.fixture
def in_production(settings):
    settings.PLAIN_HTTP = False
    settings.SECURE_SSL_REDIRECT = False


@pytest.mark.parametrize(
    "page",
    ["media:library", "imports:new", "accounts:login", "about", "admin:index", "admin:login"],
)
def test_every_page_leads_to_the_setup_while_there_is_no_account(client, page):
    response = client.get(reverse(page), follow=True)
    assert response.redirect_chain[-1][0] == reverse("accounts:setup")
    assert response.status_code == 200


def test_the_first_visitor_becomes_the_owner_and_is_led_to_the_import(client):
    response = client.post(reverse("accounts:setup"), FORM)
    assert response.url == reverse("imports:new")
    owner = User.objects.get()
    assert owner.is_superuser
    assert owner.check_password("a-long-enough-one")
    assert Installation.objects.get().owner == owner
    assert client.get(reverse("imports:new")).status_code == 200


def test_the_setup_is_closed_once_there_is_an_account(client, make_user):
    make_user("made-by-createsuperuser")
    assert client.get(reverse("accounts:setup")).url == reverse("accounts:login")
    response = client.post(reverse("accounts:setup"), FORM, follow=True)
    assert "has its owner already" in response.text
    assert not User.objects.filter(username="ana").exists()


def test_the_setup_stays_closed_when_the_owner_is_gone(client):
    client.post(reverse("accounts:setup"), FORM)
    client.logout()
    User.objects.all().delete()
    assert client.post(reverse("accounts:setup"), FORM).url == reverse("accounts:login")
    assert not User.objects.exists()


def test_a_weak_password_is_refused(client):
    response = client.post(
        reverse("accounts:setup"), {**FORM, "password1": "password", "password2": "password"}
    )
    assert "too common" in response.text
    assert not User.objects.exists()
    assert not Installation.objects.exists()


def test_at_home_no_code_is_asked_for(client):
    assert 'name="code"' not in client.get(reverse("accounts:setup")).text


@pytest.mark.usefixtures("in_production")
class TestInProduction:
    def test_the_code_is_printed_in_the_log(self, client, caplog):
        with caplog.at_level(logging.WARNING):
            client.get(reverse("accounts:setup"))
        assert setup.code() in caplog.text

    def test_a_configured_code_stays_out_of_the_log(self, client, caplog, settings):
        settings.SETUP_CODE = "from-the-environment"
        client.get(reverse("accounts:setup"))
        assert "from-the-environment" not in caplog.text

    @pytest.mark.parametrize("code", ["", "wrong", "falsch-ß"])
    def test_without_the_right_code_nobody_becomes_the_owner(self, client, code):
        response = client.post(reverse("accounts:setup"), {**FORM, "code": code})
        assert response.status_code == 200
        assert not User.objects.exists()

    def test_after_many_tries_not_even_the_page_tells_the_right_code(self, client, monkeypatch):
        monkeypatch.setattr("accounts.views.SETUP_TRIES_PER_HOUR", 2)
        pages = [
            client.post(reverse("accounts:setup"), {**FORM, "code": code}).text
            for code in ("wrong", "wrong", "wrong", setup.code())
        ]
        assert ["not the set-up code" in page for page in pages] == [True, True, False, False]
        assert ["Too many tries" in page for page in pages] == [False, False, True, True]
        assert not User.objects.exists()

    def test_the_code_of_the_log_lets_in(self, client):
        client.post(reverse("accounts:setup"), {**FORM, "code": f" {setup.code()} "})
        assert User.objects.get().is_superuser

    def test_a_configured_code_replaces_the_derived_one(self, client, settings):
        derived = setup.code()
        settings.SETUP_CODE = "from-the-environment"
        client.post(reverse("accounts:setup"), {**FORM, "code": derived})
        assert not User.objects.exists()
        client.post(reverse("accounts:setup"), {**FORM, "code": "from-the-environment"})
        assert User.objects.exists()


def test_the_code_depends_on_the_secret_key(settings):
    one = setup.code()
    settings.SECRET_KEY = "another one"
    assert setup.code() != one


@pytest.mark.django_db(transaction=True)
def test_of_two_first_visitors_at_once_one_wins():
    barrier = threading.Barrier(2, timeout=10)
    outcomes = {}

    def visit(name):
        owner = User(username=name)
        owner.set_password("a-long-enough-one")
        barrier.wait()
        try:
            setup.create_owner(owner)
            outcomes[name] = "owner"
        except setup.AlreadySetUp:
            outcomes[name] = "too late"
        finally:
            connection.close()

    threads = [threading.Thread(target=visit, args=(name,)) for name in ("ana", "ben")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(outcomes.values()) == ["owner", "too late"]
    winner = next(name for name, outcome in outcomes.items() if outcome == "owner")
    assert [user.username for user in User.objects.all()] == [winner]
    assert User.objects.get() == Installation.objects.get().owner
