"""Who gets an account: by invitation, everybody, or nobody."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import invitations
from accounts.forms import SignUpForm
from accounts.models import Invitation, User

pytestmark = pytest.mark.django_db

FORM = {"username": "ben", "password1": "a-long-enough-one", "password2": "a-long-enough-one"}


@pytest.fixture
def owner(make_user):
    return make_user("ana", is_staff=True, is_superuser=True)


def address_of(secret):
    return reverse("accounts:invitation", args=[secret])


def link_in(page: str) -> str:
    match = re.search(r"(?<=http://testserver)/invitation/[\w-]{40,}/", page)
    assert match is not None
    return match.group()


def test_an_administrator_makes_a_link_that_lets_one_person_in(client, owner):
    client.force_login(owner)
    page = client.post(reverse("accounts:invite")).text
    link = link_in(page)
    client.logout()
    assert client.get(link).status_code == 200
    assert client.post(link, FORM).url == reverse("imports:new")
    ben = User.objects.get(username="ben")
    assert not ben.is_staff
    assert not ben.is_superuser
    assert Invitation.objects.get().used_by == ben
    client.logout()
    again = client.post(link, {**FORM, "username": "cleo"})
    assert again.status_code == 404
    assert not User.objects.filter(username="cleo").exists()


def test_the_link_is_shown_once_and_not_kept(client, owner):
    client.force_login(owner)
    secret = link_in(client.post(reverse("accounts:invite")).text).split("/")[2]
    assert secret not in client.get(reverse("accounts:account")).text
    assert secret not in str(Invitation.objects.values())


def test_only_administrators_invite(client, make_user):
    client.force_login(make_user("ben"))
    assert "Invitations" not in client.get(reverse("accounts:account")).text
    assert client.post(reverse("accounts:invite")).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"expires_at": timezone.now() - timedelta(seconds=1)},
        {"used_at": timezone.now()},
    ],
)
def test_an_invitation_ends(client, owner, change):
    secret = invitations.invite(owner)
    Invitation.objects.update(**change)
    assert client.post(address_of(secret), FORM).status_code == 404
    assert not User.objects.filter(username="ben").exists()


def test_a_withdrawn_invitation_lets_nobody_in(client, owner):
    secret = invitations.invite(owner)
    client.force_login(owner)
    client.post(reverse("accounts:withdraw", args=[Invitation.objects.get().pk]))
    client.logout()
    assert client.get(address_of(secret)).status_code == 404


def test_invitations_of_somebody_who_no_longer_administers_end(client, owner):
    secret = invitations.invite(owner)
    User.objects.filter(pk=owner.pk).update(is_staff=False)
    assert client.get(address_of(secret)).status_code == 404


def test_somebody_elses_invitation_cannot_be_withdrawn(client, owner, make_user):
    invitations.invite(owner)
    client.force_login(make_user("cleo", is_staff=True))
    address = reverse("accounts:withdraw", args=[Invitation.objects.get().pk])
    assert client.post(address).status_code == 404
    assert Invitation.objects.exists()


def test_a_made_up_invitation_lets_nobody_in(client, owner):
    assert client.get(address_of("made-up")).status_code == 404
    assert client.post(address_of("%00ä"), FORM).status_code == 404


def test_when_closed_not_even_an_invitation_lets_in(client, owner, settings):
    secret = invitations.invite(owner)
    settings.SIGN_UP = "closed"
    assert client.post(address_of(secret), FORM).status_code == 404
    assert client.post(reverse("accounts:sign-up"), FORM).status_code == 404
    assert not User.objects.filter(username="ben").exists()


def test_by_invitation_the_open_door_is_shut(client, owner):
    assert client.post(reverse("accounts:sign-up"), FORM).status_code == 404
    assert reverse("accounts:sign-up") not in client.get(reverse("accounts:login")).text


@pytest.mark.django_db(transaction=True)
def test_of_several_who_use_one_invitation_at_once_one_gets_an_account(owner, monkeypatch):
    secret = invitations.invite(owner)
    names = ["ben", "cleo", "dora", "emil"]
    # All of them have found the invitation good, and filled in the form rightly.
    barrier = threading.Barrier(len(names), timeout=30)
    save = SignUpForm.save

    def save_together(form, **given):
        barrier.wait()
        return save(form, **given)

    monkeypatch.setattr(SignUpForm, "save", save_together)
    statuses = {}

    def use(name):
        try:
            answer = Client().post(address_of(secret), {**FORM, "username": name})
            statuses[name] = answer.status_code
        finally:
            connection.close()

    threads = [threading.Thread(target=use, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(statuses.values()) == [302, 404, 404, 404]
    (winner,) = [name for name, status in statuses.items() if status == 302]
    assert set(User.objects.values_list("username", flat=True)) == {"ana", winner}
    assert Invitation.objects.get().used_by == User.objects.get(username=winner)


class TestOpen:
    @pytest.fixture(autouse=True)
    def _open(self, settings, owner):
        settings.SIGN_UP = "open"

    def test_everybody_may_come(self, client):
        assert reverse("accounts:sign-up") in client.get(reverse("accounts:login")).text
        assert client.post(reverse("accounts:sign-up"), FORM).url == reverse("imports:new")
        assert not User.objects.get(username="ben").is_staff

    @pytest.mark.parametrize("name", ["ana", "ANA"])
    def test_a_name_is_taken_in_any_case(self, client, name):
        page = client.post(reverse("accounts:sign-up"), {**FORM, "username": name})
        assert "already exists" in page.text
        assert User.objects.count() == 1

    def test_nobody_makes_themselves_an_administrator(self, client):
        more = {"is_staff": "on", "is_superuser": "on", "email": "x@example.org"}
        client.post(reverse("accounts:sign-up"), {**FORM, **more})
        ben = User.objects.get(username="ben")
        assert (ben.is_staff, ben.is_superuser, ben.email) == (False, False, "")

    def test_one_network_makes_only_so_many_accounts_an_hour(self, client):
        for number in range(12):
            client.post(reverse("accounts:sign-up"), {**FORM, "username": f"bot{number}"})
            client.logout()
        assert User.objects.filter(username__startswith="bot").count() == 10
