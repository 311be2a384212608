"""Taking everything along, and leaving nothing behind."""

from __future__ import annotations

import csv
import io
import json

import pytest
from axes.models import AccessAttempt
from django.apps import apps
from django.db.models import RestrictedError
from django.test import Client
from django.urls import reverse

from accounts.limits import OF_USERS, allow
from accounts.models import EventKind, Invitation, User, UserSession
from accounts.tokens import make
from imports.importing import run, submit
from imports.models import Import
from imports.tests.making import history
from media import deciding
from media.models import DecidedBy, Media
from media.tests.shelf import add_movie, add_series
from watchlog.leaving import delete_account

pytestmark = pytest.mark.django_db

HISTORY = history(
    ("Dark: Season 1: Secrets", "6/18/21"),
    ("Dark: Season 1: Lies", "6/19/21"),
    ('=HYPERLINK("http://evil.example")', "6/17/21"),
    ("Roma", "6/17/21"),
)


def furnish(user):
    """Rows of every kind that belong to a user."""
    run(submit(user, f"history-of-{user}.csv", HISTORY).pk)
    add_series(user, f"Shared {user}", [4], 2)
    deciding.ignore(add_series(user, f"Private {user}", watched=2), DecidedBy.USER)
    deciding.hide(add_movie(user, f"Film {user}"), hidden=True)
    make(user, f"token of {user}")
    Invitation.objects.create(
        token_hash=f"hash{user}", created_by=user, expires_at=user.date_joined
    )
    browser = Client()
    browser.force_login(user)
    AccessAttempt.objects.create(
        username=user.username, ip_address="203.0.113.1", failures_since_start=1
    )
    return browser


@pytest.fixture
def ana(make_user):
    return make_user("ana")


@pytest.fixture
def browser(ana):
    return furnish(ana)


def rows_of_all():
    """Every row of every table, as text, by table."""
    return {
        model._meta.label: sorted(str(row) for row in model._default_manager.values_list())
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and model._meta.app_label not in ("contenttypes", "auth")
    }


class TestDeleting:
    def delete(self, browser, password="password"):
        return browser.post(reverse("delete-account"), {"password": password}, follow=True)

    def by_the_page(self, browser):
        assert "Your account is deleted" in self.delete(browser).text

    def by_the_model(self, browser):
        User.objects.get(username="ana").delete()

    def by_a_queryset(self, browser):
        User.objects.filter(username="ana").delete()

    @pytest.mark.parametrize("way", [by_the_page, by_the_model, by_a_queryset])
    def test_really_everything_goes_and_the_catalogue_stays(self, make_user, way):
        ben = make_user("ben")
        furnish(ben)
        before = rows_of_all()
        browser = furnish(make_user("ana"))
        shared = Media.objects.get(title="Shared ana")
        ana = User.objects.get(username="ana")
        for what in (*OF_USERS, "token"):
            number = ana.api_tokens.get().pk if what == "token" else ana.pk
            allow(f"{what}:{number}", 1, 60)
        way(self, browser)
        after = rows_of_all()
        # The catalogue knows the series, its seasons and episodes; nobody's session says more.
        for label in ("media.Media", "media.Season", "media.Episode", "accounts.UserSession"):
            before.pop(label)
            after.pop(label)
        # The queue keeps the numbers of tasks done.
        after = {label: rows for label, rows in after.items() if "DBTaskResult" not in label}
        before = {label: rows for label, rows in before.items() if "DBTaskResult" not in label}
        assert after == before
        shared.refresh_from_db()
        assert not Media.objects.filter(owner__username="ana").exists()
        assert Media.objects.filter(owner=ben).exists()
        assert set(UserSession.objects.values_list("user", flat=True)) <= {ben.pk, None}

    def test_the_catalogue_keeps_what_others_watch(self, ana, make_user):
        series = add_series(ana, "Shared", [4], 2)
        with pytest.raises(RestrictedError):
            series.media.delete()
        assert ana.library.exists()

    def test_it_takes_the_password(self, ana, browser):
        assert "not your password" in self.delete(browser, "guess").text
        assert User.objects.filter(pk=ana.pk).exists()
        assert ana.viewings.exists()

    def test_guesses_are_bounded(self, ana, browser):
        for _ in range(10):
            self.delete(browser, "guess")
        assert "Too many tries" in self.delete(browser).text
        assert User.objects.filter(pk=ana.pk).exists()

    def test_looking_deletes_nothing(self, ana, browser):
        assert browser.get(reverse("delete-account")).status_code == 200
        assert User.objects.filter(pk=ana.pk).exists()

    def test_every_browser_and_token_is_shut_out(self, ana, browser):
        other = Client()
        other.force_login(ana)
        token = make(ana, "script")
        self.delete(browser)
        assert other.get(reverse("media:library")).status_code == 302
        headers = {"authorization": f"Bearer {token}"}
        assert Client().get("/api/media/", headers=headers).status_code == 401

    def test_the_only_administrator_is_warned(self, browser, ana):
        assert "only administrator" not in browser.get(reverse("delete-account")).text
        User.objects.filter(pk=ana.pk).update(is_superuser=True)
        assert "only administrator" in browser.get(reverse("delete-account")).text

    def test_large_libraries_go_in_chunks(self, ana, browser, monkeypatch):
        monkeypatch.setattr("watchlog.leaving.CHUNK", 2)
        delete_account(ana)
        assert not User.objects.exists()

    def test_an_import_under_way_writes_nothing_afterwards(self, ana):
        waiting = submit(ana, "later.csv", HISTORY)
        delete_account(ana)
        assert not Import.objects.exists()
        with pytest.raises(Import.DoesNotExist):
            run(waiting.pk)
        assert not Media.objects.exists()


class TestDownloads:
    def test_it_is_everything_and_only_ones_own(self, browser, make_user):
        furnish(make_user("ben"))
        response = browser.get(reverse("download"))
        text = response.getvalue().decode()
        lines = [json.loads(line) for line in text.splitlines()]
        assert {line["type"] for line in lines} == {
            "media",
            "viewing",
            "account",
            "event",
            "decision",
            "token",
            "import",
        }
        assert "token of ana" in text
        assert [line["subject"] for line in lines if line["type"] == "decision"] == [
            "Private ana",
            "Film ana",
        ]
        assert "history-of-ana.csv" in text
        assert "pbkdf2" not in text
        assert User.objects.get(username="ana").password not in text
        assert "Private ana" in text
        assert "Film ana" in text
        assert " ben" not in text
        assert response["Content-Disposition"].startswith('attachment; filename="watchlog-')
        assert response["Cache-Control"].count("private") == 1

    def test_it_can_be_imported_again(self, browser, ana, make_user):
        content = browser.get(reverse("download")).getvalue()
        ben = make_user("ben")
        done = run(submit(ben, "watchlog.jsonl", content).pk)
        assert (done.state, done.rows_failed) == ("done", 0)
        assert ben.viewings.count() == ana.viewings.count()

    def test_asking_for_headers_only_is_no_export(self, browser, ana):
        browser.head(reverse("download"))
        assert not ana.events.filter(kind=EventKind.EXPORTED).exists()

    def test_the_spreadsheet_holds_no_formulas(self, browser):
        text = browser.get(reverse("download-csv")).getvalue().decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text)))
        assert len({len(row) for row in rows}) == 1
        cells = [cell for row in rows for cell in row]
        assert '\'=HYPERLINK("http://evil.example")' in cells
        assert not [cell for cell in cells if cell[:1] in "=+-@\t\r" and cell]

    def test_nobody_downloads_without_signing_in(self):
        for page in ("download", "download-csv", "delete-account"):
            assert Client().get(reverse(page))["Location"].startswith(reverse("accounts:login"))
