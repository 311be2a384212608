"""What somebody does with their own account."""

from __future__ import annotations

import re
from datetime import timedelta
from io import StringIO

import pytest
from axes.models import AccessAttempt
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.invitations import invite
from accounts.limits import allow
from accounts.models import (
    AccountEvent,
    ApiToken,
    EventKind,
    Invitation,
    UseCount,
    UserSession,
)
from accounts.tokens import make
from imports.sweeping import tidy_up
from media import undoing
from media.models import DecisionKind, DecisionLog

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(make_user):
    return make_user("ana")


@pytest.fixture
def signed_in(client, ana):
    client.force_login(ana)
    return client


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None
    return match.group()


def kinds(user):
    return [event.kind for event in user.events.newest_first()]


class TestSessions:
    def test_a_session_knows_whose_it_is(self, signed_in, ana):
        assert UserSession.objects.get().user == ana

    def test_signing_out_everywhere_ends_every_session_and_nobody_elses(self, ana, make_user):
        here, there, ben = Client(), Client(), Client()
        here.force_login(ana)
        there.force_login(ana)
        ben.force_login(make_user("ben"))
        here.post(reverse("accounts:sign-out-everywhere"))
        for browser in (here, there):
            assert browser.get(reverse("media:library")).status_code == 302
        assert ben.get(reverse("media:library")).status_code == 200
        assert not UserSession.objects.filter(user=ana).exists()
        assert EventKind.SIGNED_OUT_EVERYWHERE in kinds(ana)

    def test_signing_out_everywhere_revokes_the_tokens(self, signed_in, ana, make_user):
        """Whoever borrowed a browser could have made one, to come back with."""
        token, bens = make(ana, "script"), make(make_user("ben"), "his")
        signed_in.post(reverse("accounts:sign-out-everywhere"))
        statuses = [
            Client().get("/api/media/", headers={"authorization": f"Bearer {each}"}).status_code
            for each in (token, bens)
        ]
        assert statuses == [401, 200]
        assert EventKind.TOKEN_REVOKED in kinds(ana)

    def test_a_changed_password_signs_other_browsers_out(self, signed_in, ana):
        other = Client()
        other.force_login(ana)
        new = {"new_password1": "quite-another-1", "new_password2": "quite-another-1"}
        signed_in.post(reverse("accounts:password"), {"old_password": "password", **new})
        assert signed_in.get(reverse("media:library")).status_code == 200
        assert other.get(reverse("media:library")).status_code == 302
        assert kinds(ana)[0] == EventKind.PASSWORD_CHANGED

    def test_a_borrowed_session_cannot_try_passwords_for_long(self, signed_in, ana):
        new = {"new_password1": "quite-another-1", "new_password2": "quite-another-1"}
        for _ in range(10):
            signed_in.post(reverse("accounts:password"), {"old_password": "guess", **new})
        page = signed_in.post(reverse("accounts:password"), {"old_password": "password", **new})
        assert "Too many tries" in page.text
        ana.refresh_from_db()
        assert ana.check_password("password")

    def test_signing_in_anew_ends_the_wait_of_its_owner(self, ana, client):
        new = {"new_password1": "quite-another-1", "new_password2": "quite-another-1"}
        client.force_login(ana)
        for _ in range(11):
            client.post(reverse("accounts:password"), {"old_password": "guess", **new})
        client.logout()
        client.post(reverse("accounts:login"), {"username": "ana", "password": "password"})
        client.post(reverse("accounts:password"), {"old_password": "password", **new})
        ana.refresh_from_db()
        assert ana.check_password("quite-another-1")


class TestShuttingOut:
    def change(self, browser, user, **fields):
        return browser.post(reverse("admin:accounts_user_change", args=[user.pk]), fields)

    def test_a_superuser_shuts_somebody_out_at_once(self, signed_in, ana, make_user):
        chief = Client()
        chief.force_login(make_user("chief", is_staff=True, is_superuser=True))
        assert self.change(chief, ana, is_staff="").status_code == 302
        assert signed_in.get(reverse("media:library")).status_code == 302

    def test_other_staff_neither_sees_nor_changes_accounts(self, ana, make_user):
        mia = make_user("mia", is_staff=True)
        browser = Client()
        browser.force_login(mia)
        assert self.change(browser, mia, is_superuser="on", is_active="on").status_code == 403
        assert browser.get(reverse("admin:accounts_user_changelist")).status_code == 403
        mia.refresh_from_db()
        assert not mia.is_superuser

    def test_nobody_sets_anothers_password_or_deletes_an_account_there(self, ana, make_user):
        chief = Client()
        chief.force_login(make_user("chief", is_staff=True, is_superuser=True))
        page = chief.get(reverse("admin:accounts_user_change", args=[ana.pk])).text
        assert "password" not in page.lower().replace("password_change", "").replace(
            "change password", ""
        )
        delete = reverse("admin:accounts_user_delete", args=[ana.pk])
        assert chief.post(delete, {"post": "yes"}).status_code == 403


class TestTokens:
    def make(self, client, name="my script"):
        page = client.post(reverse("accounts:make-token"), {"name": name}).text
        return found(r"watchlog_[\w-]{43}", page)

    def read(self, token, scheme="Bearer"):
        return Client().get("/api/media/", headers={"authorization": f"{scheme} {token}"})

    def test_a_token_reads_the_library(self, signed_in):
        token = self.make(signed_in)
        assert self.read(token).json()["count"] == 0
        assert ApiToken.objects.get().last_used_at is not None

    def test_it_is_shown_once_and_only_its_hash_is_kept(self, signed_in):
        token = self.make(signed_in)
        assert token not in signed_in.get(reverse("accounts:account")).text
        assert token not in str(ApiToken.objects.values())
        assert token not in str(UserSession.objects.values())

    def test_a_revoked_token_opens_nothing(self, signed_in):
        token = self.make(signed_in)
        signed_in.post(reverse("accounts:revoke-token", args=[ApiToken.objects.get().pk]))
        assert self.read(token).status_code == 401

    def test_nobody_revokes_the_token_of_another_one(self, signed_in, make_user):
        self.make(signed_in)
        ben = Client()
        ben.force_login(make_user("ben"))
        address = reverse("accounts:revoke-token", args=[ApiToken.objects.get().pk])
        assert ben.post(address).status_code == 404
        assert ApiToken.objects.exists()

    def test_a_token_opens_nothing_but_the_api(self, signed_in):
        headers = {"authorization": f"Bearer {self.make(signed_in)}"}
        for page in ("media:library", "accounts:account", "download", "imports:list"):
            assert Client().get(reverse(page), headers=headers).status_code == 302

    @pytest.mark.parametrize("token", ["", "wrong", "watchlog_" + "A" * 43, "\udc80", "x" * 5000])
    def test_a_wrong_token_is_refused_also_beside_a_session(self, signed_in, token):
        headers = {"authorization": f"Bearer {token}"}
        assert signed_in.get("/api/media/", headers=headers).status_code == 401

    def test_the_token_of_somebody_shut_out_opens_nothing(self, signed_in, ana):
        token = self.make(signed_in)
        ana.is_active = False
        ana.save()
        assert self.read(token).status_code == 401

    def test_too_many_requests_in_a_minute_are_refused(self, signed_in, monkeypatch):
        monkeypatch.setattr("accounts.tokens.REQUESTS_PER_MINUTE", 3)
        token = self.make(signed_in)
        assert [self.read(token).status_code for _ in range(4)] == [200, 200, 200, 429]
        assert self.read(self.make(signed_in)).status_code == 200

    def test_there_are_only_so_many(self, signed_in, ana, monkeypatch):
        monkeypatch.setattr("accounts.tokens.MOST_PER_USER", 1)
        self.make(signed_in)
        page = signed_in.post(reverse("accounts:make-token"), {"name": "x"}, follow=True)
        assert "You have enough tokens" in page.text
        assert ana.api_tokens.count() == 1


@pytest.mark.parametrize("mails", [False, True])
def test_without_email_nothing_speaks_of_it(client, signed_in, settings, mails):
    settings.SENDS_EMAIL = mails
    client.logout()
    assert ("changepassword" in client.get(reverse("accounts:login")).text) is not mails
    status = client.get(reverse("accounts:forgotten")).status_code
    assert status == (200 if mails else 404)


class TestForgotten:
    @pytest.fixture(autouse=True)
    def _email(self, settings, ana):
        settings.SENDS_EMAIL = True
        ana.email = "ana@example.org"
        ana.save()

    def ask(self, client, email="ana@example.org"):
        return client.post(reverse("accounts:forgotten"), {"email": email}, follow=True)

    def test_a_link_sets_a_new_password_and_ends_all_sessions(self, client, ana):
        elsewhere = Client()
        elsewhere.force_login(ana)
        self.ask(client)
        [message] = mail.outbox
        assert message.to == ["ana@example.org"]
        link = found(r"(?<=http://testserver)/password/\S+", str(message.body))
        form = client.get(link, follow=True)
        assert form.status_code == 200
        new = {"new_password1": "quite-another-1", "new_password2": "quite-another-1"}
        client.post(form.redirect_chain[-1][0], new)
        ana.refresh_from_db()
        assert ana.check_password("quite-another-1")
        assert not ana.sessions.exists()
        assert elsewhere.get(reverse("media:library")).status_code == 302
        assert kinds(ana)[0] == EventKind.PASSWORD_RESET
        assert "used already" in Client().get(link, follow=True).text

    def reset(self, client):
        self.ask(client)
        [message] = mail.outbox
        link = found(r"(?<=http://testserver)/password/\S+", str(message.body))
        new = {"new_password1": "quite-another-1", "new_password2": "quite-another-1"}
        return client.post(client.get(link, follow=True).redirect_chain[-1][0], new)

    def test_it_revokes_the_tokens(self, client, ana):
        token = make(ana, "script")
        self.reset(client)
        answer = Client().get("/api/media/", headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 401
        assert kinds(ana)[:2] == [EventKind.TOKEN_REVOKED, EventKind.PASSWORD_RESET]

    def test_who_guessed_wrong_before_comes_in_with_the_new_one(self, client, ana):
        page = reverse("accounts:login")
        for _ in range(8):
            locked = client.post(page, {"username": "ana", "password": "wrong"})
        assert locked.status_code == 429
        self.reset(client)
        answer = client.post(page, {"username": "ana", "password": "quite-another-1"})
        assert answer.status_code == 302

    def test_an_unknown_address_gets_the_same_answer_and_no_letter(self, client):
        known, unknown = self.ask(client), self.ask(client, "nobody@example.org")
        strip = re.compile(r'name="csrfmiddlewaretoken" value="\w+"').sub
        assert strip("", known.text) == strip("", unknown.text)
        assert len(mail.outbox) == 1

    def test_nobody_is_flooded_with_letters(self, client):
        for number in range(15):
            client.defaults["REMOTE_ADDR"] = f"10.0.0.{number}"
            self.ask(client)
        assert len(mail.outbox) == 10

    def test_a_foreign_host_name_gets_no_link_sent(self, client):
        response = client.post(
            reverse("accounts:forgotten"),
            {"email": "ana@example.org"},
            headers={"host": "evil.example"},
        )
        assert response.status_code == 400
        assert mail.outbox == []

    def test_the_address_is_changed_only_with_the_password(self, client, ana):
        client.force_login(ana)
        change = {"email": "thief@example.org", "password": "guess"}
        assert client.post(reverse("accounts:email"), change).status_code == 200
        ana.refresh_from_db()
        assert ana.email == "ana@example.org"
        client.post(reverse("accounts:email"), {**change, "password": "password"})
        ana.refresh_from_db()
        assert ana.email == "thief@example.org"
        assert kinds(ana)[0] == EventKind.EMAIL_CHANGED


class TestEvents:
    def test_sign_ins_are_shown_with_their_address(self, client, ana):
        client.post(
            reverse("accounts:login"),
            {"username": "ana", "password": "password"},
            REMOTE_ADDR="203.0.113.9",
        )
        page = client.get(reverse("accounts:account")).text
        assert "signed in" in page
        assert "203.0.113.9" in page

    def test_none_is_out_of_sight_however_many_follow(self, client, ana):
        client.post(
            reverse("accounts:login"),
            {"username": "ana", "password": "password"},
            REMOTE_ADDR="203.0.113.9",
        )
        for _ in range(40):
            client.get(reverse("download-csv"))
        pages = [client.get(reverse("accounts:account"), {"page": page}).text for page in (1, 2)]
        assert ["203.0.113.9" in page for page in pages] == [False, True]
        assert "?page=2#events" in pages[0]

    def test_downloads_are_shown(self, signed_in, ana):
        signed_in.get(reverse("download"))
        signed_in.get(reverse("download-csv"))
        assert kinds(ana)[:2] == [EventKind.EXPORTED] * 2

    def test_what_the_operator_does_is_shown_without_an_address(self, ana, monkeypatch):
        call_command("export", user="ana", stdout=StringIO())
        monkeypatch.setattr(
            "django.contrib.auth.management.commands.changepassword.getpass.getpass",
            lambda prompt: "quite-another-1",
        )
        call_command("changepassword", "ana", stdout=StringIO())
        ana.refresh_from_db()
        assert ana.check_password("quite-another-1")
        assert list(ana.events.newest_first().values_list("kind", "subject", "address")) == [
            (EventKind.PASSWORD_CHANGED, "manage.py changepassword", None),
            (EventKind.EXPORTED, "manage.py export", None),
        ]

    def test_nobody_sees_those_of_another_one(self, signed_in, make_user):
        ben = make_user("ben")
        AccountEvent.objects.create(user=ben, kind=EventKind.TOKEN_MADE, subject="bens-token")
        assert "bens-token" not in signed_in.get(reverse("accounts:account")).text


def test_nothing_is_kept_longer_than_was_promised(client, ana, make_user):
    """docs/privacy.md says for how long; whoever is gone for good cleans up no more than others."""
    day = timedelta(days=1)
    AccountEvent.objects.create(user=ana, kind=EventKind.SIGNED_IN)
    invite(ana)
    client.force_login(ana)
    client.post(reverse("accounts:login"), {"username": "ana", "password": "wrong"})
    Client().post(reverse("accounts:login"), {"username": "ana", "password": "wrong"})
    allow("something", 1, 60)
    undoing.keep(ana.pk, DecisionKind.HIDDEN, {}, subject="Dark")
    kept = [
        (AccountEvent, "at", 180 * day),
        (Invitation, "expires_at", timedelta()),
        (UserSession, "expire_date", timedelta()),
        (AccessAttempt, "attempt_time", timedelta(minutes=15)),
        (UseCount, "ends_at", timedelta()),
        (DecisionLog, "made_at", 30 * day),
    ]
    for model, field, time in kept:
        model.objects.update(**{field: timezone.now() - time + timedelta(minutes=5)})
    tidy_up()
    for model, field, time in kept:
        assert model.objects.exists(), model
        model.objects.update(**{field: timezone.now() - time - timedelta(minutes=5)})
    tidy_up()
    for model, *_ in kept:
        assert not model.objects.exists(), model
