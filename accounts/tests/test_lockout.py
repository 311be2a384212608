"""Guessing passwords."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts import lockout
from accounts.addresses import client_address, client_network

pytestmark = pytest.mark.django_db

PAIR, ADDRESS, SLOWED = 8, 40, 20


@pytest.fixture(autouse=True)
def slept(monkeypatch):
    naps: list[float] = []
    monkeypatch.setattr("accounts.lockout.time.sleep", naps.append)
    return naps


@pytest.fixture(autouse=True)
def ana(make_user):
    return make_user("ana")


def sign_in(username="ana", password="wrong", address="203.0.113.1", page="accounts:login"):
    return Client().post(
        reverse(page), {"username": username, "password": password}, REMOTE_ADDR=address
    )


@pytest.mark.parametrize("page", ["accounts:login", "admin:login"])
def test_account_and_address_together_are_locked(page):
    statuses = [sign_in(page=page).status_code for _ in range(PAIR)]
    assert statuses == [200] * (PAIR - 1) + [429]
    locked = sign_in(password="password", page=page)
    assert locked.status_code == 429
    assert locked["Retry-After"] == "900"
    assert "Too many tries" in locked.text


def test_the_owner_comes_in_from_elsewhere_meanwhile():
    for _ in range(PAIR):
        sign_in()
    assert sign_in(password="password", address="203.0.113.2").status_code == 302


def test_an_address_that_tries_many_accounts_is_locked():
    for number in range(ADDRESS):
        sign_in(username=f"user{number}")
    assert sign_in(password="password").status_code == 429
    assert sign_in(password="password", address="203.0.113.2").status_code == 302


def test_a_household_is_not_locked_by_one_who_forgot():
    for _ in range(PAIR):
        sign_in(username="ben")
    assert sign_in(password="password").status_code == 302


def test_an_account_guessed_at_from_everywhere_is_slowed_and_never_locked(slept):
    for number in range(SLOWED):
        sign_in(address=f"203.0.113.{number}")
    assert slept == []
    assert sign_in(password="password", address="198.51.100.7").status_code == 302
    assert slept == [lockout.SECONDS_SLOWED]


def test_an_account_that_does_not_exist_is_slowed_alike(slept):
    for number in range(SLOWED + 1):
        sign_in(username="nobody", address=f"203.0.113.{number}")
    assert slept == [lockout.SECONDS_SLOWED]


@pytest.mark.parametrize("spelling", [" ana ", "\uff41na", "ana\t"])
def test_no_other_spelling_of_a_name_escapes_the_wait(slept, spelling):
    for number in range(SLOWED):
        sign_in(address=f"203.0.113.{number}")
    sign_in(spelling, address="198.51.100.7")
    assert slept == [lockout.SECONDS_SLOWED]


@pytest.mark.parametrize("page", ["accounts:login", "admin:login"])
def test_a_name_that_no_database_takes_is_a_wrong_one(page):
    assert sign_in("a\0na", page=page).status_code == 200
    assert sign_in("x" * 5000, page=page).status_code == 200


def test_who_is_locked_takes_no_place_among_those_who_wait(slept):
    """Else one address, locked for long, could keep the owner from ever getting a turn."""
    for number in range(SLOWED):
        sign_in(address=f"203.0.113.{number}")
    for _ in range(PAIR):
        sign_in(address="198.51.100.9")
    slept.clear()
    assert sign_in(address="198.51.100.9").status_code == 429
    assert slept == []
    assert sign_in(password="password", address="198.51.100.7").status_code == 302
    assert slept == [lockout.SECONDS_SLOWED]


def test_waiting_never_takes_all_threads(slept):
    for number in range(SLOWED):
        sign_in(address=f"203.0.113.{number}")
    taken = [lockout._waiting.acquire(blocking=False) for _ in range(lockout.MOST_WAITING)]
    try:
        assert all(taken)
        assert sign_in(address="198.51.100.7").status_code == 429
    finally:
        for _ in taken:
            lockout._waiting.release()
    assert slept == []


def test_signing_in_does_not_wash_an_address_clean(make_user):
    make_user("mallory")
    for number in range(ADDRESS):
        if number % 5 == 0:
            sign_in("mallory", "password")
        sign_in(username=f"user{number}")
    assert sign_in(username="ana").status_code == 429


def test_a_lock_ends_by_itself(settings, monkeypatch):
    for _ in range(PAIR):
        sign_in()
    later = timezone.now() + settings.AXES_COOLOFF_TIME
    monkeypatch.setattr("axes.handlers.proxy.now", lambda: later)
    assert sign_in(password="password").status_code == 302


def test_trying_while_locked_does_not_prolong_it():
    from axes.models import AccessAttempt

    for _ in range(PAIR + 5):
        sign_in()
    assert AccessAttempt.objects.get().failures_since_start == PAIR


def test_wrong_passwords_are_not_kept():
    from axes.models import AccessAttempt

    sign_in(password="my-real-password-elsewhere")
    assert "my-real-password-elsewhere" not in str(AccessAttempt.objects.values())


class TestAddress:
    def of(self, forwarded=None, remote="10.0.0.1"):
        request = RequestFactory().get("/", REMOTE_ADDR=remote)
        if forwarded is not None:
            request.META["HTTP_X_FORWARDED_FOR"] = forwarded
        return client_address(request)

    def test_without_proxies_the_header_is_anybodys(self):
        assert self.of("1.2.3.4") == "10.0.0.1"

    @pytest.mark.parametrize(
        ("count", "forwarded", "address"),
        [
            (1, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
            (2, "6.6.6.6, 1.2.3.4, 10.0.0.9", "1.2.3.4"),
            (2, "1.2.3.4", "1.2.3.4"),
            (1, None, "10.0.0.1"),
            (1, "", "10.0.0.1"),
            (1, "<script>", None),
        ],
    )
    def test_behind_proxies_it_is_what_the_outermost_saw(self, settings, count, forwarded, address):
        settings.TRUSTED_PROXY_COUNT = count
        assert self.of(forwarded) == address

    def test_ipv6_counts_by_network(self):
        request = RequestFactory().get("/", REMOTE_ADDR="2001:db8:1:2:3:4:5:6")
        assert client_network(request) == "2001:db8:1::"
        request = RequestFactory().get("/", REMOTE_ADDR="::ffff:1.2.3.4")
        assert client_network(request) == "1.2.3.4"

    def test_an_invented_header_does_not_escape_the_lock(self):
        for number in range(PAIR):
            Client().post(
                reverse("accounts:login"),
                {"username": "ana", "password": "wrong"},
                headers={"x-forwarded-for": f"1.1.1.{number}"},
            )
        assert sign_in(password="password", address="127.0.0.1").status_code == 429
