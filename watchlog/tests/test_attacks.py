"""What people try on a site that strangers can reach."""

from __future__ import annotations

import re
import runpy
import time
from pathlib import Path
from threading import BoundedSemaphore

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import MemoryFileUploadHandler, TemporaryFileUploadHandler
from django.test import Client, override_settings
from django.urls import reverse

from accounts.models import User
from imports.importing import run, submit
from imports.models import Import
from imports.tests.making import history
from media.attention_views import MOST_ASKING
from media.models import Media
from media.searching import Found
from media.tests.shelf import add_movie, add_series

pytestmark = pytest.mark.django_db

PROJECT = Path(__file__).resolve().parents[2]
SCRIPT = "<script>alert(1)</script>"
BREAKOUT = "'\"><img src=x onerror=alert(1)>"
PAGES = ["media:library", "imports:new", "imports:list", "accounts:account", "about"]
PRODUCTION = override_settings(
    PLAIN_HTTP=False,
    SECURE_SSL_REDIRECT=True,
    SESSION_COOKIE_SECURE=True,
    CSRF_COOKIE_SECURE=True,
    SECURE_HSTS_SECONDS=31_536_000,
    SECURE_HSTS_INCLUDE_SUBDOMAINS=True,
    SECURE_HSTS_PRELOAD=True,
)


@pytest.fixture
def ana(make_user):
    return make_user("ana")


@pytest.fixture
def browser(ana):
    browser = Client()
    browser.force_login(ana)
    return browser


class TestHeaders:
    @pytest.mark.parametrize("page", [*PAGES, "accounts:login", "media:api", "healthz", "download"])
    def test_every_answer_carries_them(self, browser, page):
        headers = browser.get(reverse(page)).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "base-uri 'none'" in policy
        assert "object-src 'none'" in policy
        assert "form-action 'self'" in policy
        assert "unsafe" not in policy
        assert "*" not in policy
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]

    @pytest.mark.parametrize("page", PAGES)
    def test_what_one_sees_is_for_no_shared_cache(self, browser, page):
        assert "private" in browser.get(reverse(page))["Cache-Control"]

    def test_signing_out_empties_the_browsers_cache(self, browser):
        assert browser.post(reverse("accounts:logout"))["Clear-Site-Data"] == '"cache"'

    @pytest.mark.parametrize("address", ["/nowhere/", "/entry/999999/", "/entry/x/"])
    def test_errors_carry_them_too(self, browser, address):
        response = browser.get(address)
        assert response.status_code == 404
        assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
        assert response["X-Frame-Options"] == "DENY"

    @pytest.mark.parametrize(
        ("host", "address", "status"),
        [
            # Nothing of these reaches a view: a middleware answers by itself.
            ("evil.example", "/", 400),
            ("testserver", "/static/admin/css/base.css", 200),
            ("testserver", "/static/img/icon.svg", 200),
        ],
    )
    def test_what_no_view_answers_carries_them_too(self, settings, host, address, status):
        settings.WHITENOISE_USE_FINDERS = True
        response = Client(headers={"host": host}).get(address)
        response.close()
        assert response.status_code == status
        headers = response.headers
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]

    @pytest.mark.parametrize("page", PAGES)
    def test_pages_have_no_inline_scripts_or_styles(self, browser, page):
        text = browser.get(reverse(page)).text
        assert not re.search(r"<script(?![^>]*\bsrc=)", text)
        assert not re.search(r"\son\w+\s*=\s*[\"']", text)
        assert not re.search(r"\sstyle\s*=|<style", text)
        assert "javascript:" not in text

    @PRODUCTION
    def test_production_insists_on_https(self, browser):
        plain = browser.get(reverse("accounts:login"))
        assert (plain.status_code, plain["Location"][:8]) == (301, "https://")
        answer = browser.get(reverse("accounts:account"), secure=True)
        assert answer["Strict-Transport-Security"].startswith("max-age=31536000")

    @PRODUCTION
    def test_cookies_are_for_https_and_this_site_only(self, ana):
        fresh = Client()
        fresh.get(reverse("accounts:login"), secure=True)
        data = {"username": "ana", "password": "password"}
        fresh.post(reverse("accounts:login"), data, secure=True)
        for name in ("sessionid", "csrftoken"):
            cookie = fresh.cookies[name]
            assert cookie["secure"]
            assert cookie["httponly"]
            assert cookie["samesite"] == "Lax"


class TestForgedRequests:
    def test_every_form_wants_its_token(self, ana):
        """CSRF: all pages that change something, by a browser that checks."""
        from watchlog.tests.routes import OBJECTS, OWN, make_person

        person = make_person(User.objects.create_user("ben"), "harmless")
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(person.user)
        addresses = [reverse(name) for name in OWN]
        addresses += [reverse(name, kwargs=of(person)) for name, of in OBJECTS.items()]
        for address in addresses:
            assert strict.post(address, {}).status_code in (403, 405), address
        assert person.user.viewings.exists()

    def test_the_upload_checks_its_token_itself(self, ana):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(ana)
        file = SimpleUploadedFile("a.csv", history(("Dark", "1/1/20")))
        assert strict.post(reverse("imports:new"), {"file": file}).status_code == 403
        assert not Import.objects.exists()


class TestRedirects:
    @pytest.mark.parametrize(
        "to",
        [
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example",
            "///evil.example",
            "javascript:alert(1)",
            "http:evil.example",
            "\thttps://evil.example",
            "/%0d%0aX: y",
        ],
    )
    def test_signing_in_stays_here(self, ana, to):
        for page in ("accounts:login", "admin:login"):
            response = Client().post(
                f"{reverse(page)}?next={to}",
                {"username": "ana", "password": "password", "next": to},
            )
            if response.status_code == 302:
                assert re.fullmatch(r"/(?![/\\]).*", response["Location"])
                assert "evil" not in response["Location"]

    @pytest.mark.parametrize(
        "to", ["https://evil.example/", "//evil.example/", "/\\evil.example", "0", "x", "\0", ""]
    )
    def test_a_decision_leads_back_to_the_list(self, browser, to):
        for page in ("media:confirm", "media:read-titles"):
            response = browser.post(reverse(page), {"next": to})
            assert response["Location"] == reverse("media:attention")


class TestHostHeader:
    @pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "testserver@evil"])
    def test_a_foreign_name_is_refused(self, host):
        assert Client().get("/about/", headers={"host": host}).status_code == 400

    def test_a_forwarded_name_is_not_believed(self, ana, browser):
        page = browser.get("/api/media/", headers={"x-forwarded-host": "evil.example"})
        assert "evil" not in page.text


class TestScripts:
    @pytest.fixture
    def hostile(self, ana):
        content = history(
            (f"{SCRIPT}: Season 1: {BREAKOUT}", "6/18/21"),
            (BREAKOUT, "6/17/21"),
            (SCRIPT, "never"),
        )
        run(submit(ana, f"{BREAKOUT}{SCRIPT}.csv", content).pk)
        add_series(ana, BREAKOUT, [2], 1, poster_path='/x.jpg" onerror="alert(1)')
        add_movie(ana, SCRIPT)
        Media.objects.update(title=f"{SCRIPT}{BREAKOUT}")
        return ana

    def addresses(self, ana):
        return [
            *(reverse(page) for page in [*PAGES, "media:attention"]),
            *(entry.get_absolute_url() for entry in ana.library.all()),
            *(reverse("media:fix", args=[entry.pk]) for entry in ana.library.all()),
            *(of_import.get_absolute_url() for of_import in ana.imports.all()),
            f"/?q={SCRIPT}",
            f"/imports/{ana.imports.get().pk}/?rows={SCRIPT}&page={BREAKOUT}",
            f"/nowhere/{SCRIPT}",
        ]

    def test_titles_files_and_searches_stay_text(self, hostile, browser):
        for address in self.addresses(hostile):
            text = browser.get(address).text
            assert "<script>alert" not in text, address
            assert "<img src=x" not in text, address
            assert 'onerror="alert' not in text, address

    def test_the_administration_shows_them_as_text(self, hostile, make_user):
        chief = Client()
        chief.force_login(make_user("chief", is_staff=True, is_superuser=True))
        for address in ("/admin/media/media/", f"/admin/media/media/?q={SCRIPT}"):
            text = chief.get(address).text
            assert "<script>alert" not in text
            assert "<img src=x" not in text

    def test_what_is_downloaded_is_never_shown_as_a_page(self, hostile, browser):
        for address in (
            reverse("download"),
            reverse("download-csv"),
            "/api/media/",
            reverse("imports:problems", args=[hostile.imports.get().pk]),
        ):
            response = browser.get(address)
            assert not response["Content-Type"].startswith("text/html")
            assert response["X-Content-Type-Options"] == "nosniff"


class TestSearch:
    @pytest.mark.parametrize(
        "words", ["' OR 1=1 --", "R_ma", "R%a", "Ro\\ma'; --", "x' UNION SELECT 1 --"]
    )
    def test_words_are_searched_for_as_they_are(self, ana, browser, words):
        roma = add_movie(ana, "Roma")
        assert roma.get_absolute_url() in browser.get("/", {"q": "rom"}).text
        answer = browser.get("/", {"q": words})
        assert answer.status_code == 200
        assert roma.get_absolute_url() not in answer.text

    @pytest.mark.parametrize(
        "sort", ["password", "user__password", "-pk; DROP TABLE", "media__owner"]
    )
    def test_nobody_sorts_by_what_is_not_offered(self, ana, browser, sort):
        add_movie(ana, "Roma")
        assert browser.get("/", {"sort": sort, "show": sort}).status_code == 200


class TestPaths:
    @pytest.mark.parametrize(
        "address",
        [
            "/static/../watchlog/settings.py",
            "/static/..%2f..%2fwatchlog/settings.py",
            "/static/%2e%2e/db.sqlite3",
            "/static//etc/passwd",
            "/..%2f.env",
            "/.env",
            "/.git/config",
            "/static/..\\..\\.env",
            "/media/../.env",
            "/db.sqlite3",
            "/var/secret-key",
        ],
    )
    def test_no_file_of_the_installation_is_served(self, browser, address):
        assert browser.get(address).status_code in (301, 302, 404)

    @pytest.mark.parametrize(
        "name", ["../../evil.csv", "/etc/passwd", "C:\\x\\y.csv", "a\x00b.csv", "." * 300]
    )
    def test_a_file_name_is_nothing_but_a_text(self, ana, browser, name):
        file = SimpleUploadedFile("x.csv", history(("Dark: Season 1: Lies", "1/30/20")))
        file.__dict__["_name"] = name
        assert browser.post(reverse("imports:new"), {"file": file}).status_code in (200, 302)
        for of_import in Import.objects.all():
            assert browser.get(of_import.get_absolute_url()).status_code == 200


class TestSize:
    def test_nobody_keeps_tmdb_busy_for_all(self, ana, browser, monkeypatch):
        monkeypatch.setattr("media.attention_views.QUESTIONS_PER_MINUTE", 2)
        asked: list[object] = []

        def refresh(media):
            asked.append(media)
            return True

        monkeypatch.setattr("media.refreshing.refresh", refresh)
        entry = add_series(ana, "Dark", [2], 1)
        for _ in range(4):
            page = browser.post(reverse("media:ask-again", args=[entry.pk]), follow=True)
        assert "Wait a minute" in page.text
        assert len(asked) == 2

    def test_uploads_and_questions_together_leave_a_thread_for_pages(self):
        server = runpy.run_path(str(PROJECT / "gunicorn.conf.py"))
        assert server["threads"] // 2 + MOST_ASKING < server["threads"]

    def test_waiting_for_tmdb_never_takes_all_threads(self, ana, browser, monkeypatch):
        monkeypatch.setattr("media.attention_views._asking", BoundedSemaphore(1))
        entry = add_series(ana, "Dark", [2], 1)
        fix = reverse("media:fix", args=[entry.pk])
        seen: list[str] = []

        def search(entry, words):
            # Somebody else asks while this one waits for TMDB's answer.
            if words == "outer":
                other = Client()
                other.force_login(ana)
                seen.append(other.get(fix, {"q": "inner"}).text)
            else:
                seen.append("asked")
            return Found()

        monkeypatch.setattr("media.searching.search", search)
        assert "Wait a minute" not in browser.get(fix, {"q": "outer"}).text
        assert "asked" not in seen
        assert "Wait a minute" in seen[0]
        browser.get(fix, {"q": "later"})
        assert seen[1] == "asked"

    def test_nobody_fills_the_queue_with_look_ups(self, browser, monkeypatch):
        queued: list[object] = []
        monkeypatch.setattr("media.views.look_up_now", queued.append)
        for _ in range(20):
            browser.post(reverse("media:look-up"))
        assert len(queued) == 5

    def test_nobody_fills_the_disk_with_files(self, ana, browser, monkeypatch):
        monkeypatch.setattr("imports.uploads.FILES_PER_HOUR", 2)
        for number in range(3):
            file = SimpleUploadedFile("x.csv", history((f"Dark {number}", "1/30/20")))
            page = browser.post(reverse("imports:new"), {"file": file}, follow=True)
        assert "too many files within an hour" in page.text
        assert ana.imports.count() == 2

    @pytest.mark.parametrize("page", ["accounts:login", "media:look-up", "accounts:make-token"])
    def test_no_other_page_takes_files(self, browser, page, monkeypatch):
        """Django reads a whole request for its token, before it asks who sends it."""
        kept: list[int] = []
        for kind in (MemoryFileUploadHandler, TemporaryFileUploadHandler):
            monkeypatch.setattr(
                kind, "receive_data_chunk", lambda self, data, start: kept.append(len(data))
            )
        strict = Client(enforce_csrf_checks=True)
        strict.cookies["csrftoken"] = "x" * 32
        for visitor in (strict, browser):
            visitor.post(reverse(page), {"file": SimpleUploadedFile("a", b"x" * 100_000)})
        assert not kept

    def test_files_are_bounded_together_as_well(self, browser, settings):
        settings.IMPORT_MAX_BYTES = 1000
        files = [SimpleUploadedFile(f"{number}.csv", b"x" * 900) for number in range(5)]
        page = browser.post(reverse("imports:new"), {"file": files}, follow=True)
        assert "more than watchlog takes at once" in page.text
        assert not Import.objects.exists()

    def test_made_up_posters_are_asked_for_only_so_often(self, browser, monkeypatch, settings):
        settings.CACHES = {
            **settings.CACHES,
            "posters": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
        }
        monkeypatch.setattr("media.posters.NEW_PER_HOUR", 2)
        asked: list[str] = []

        def fetch(address):
            asked.append(address)
            return b""

        monkeypatch.setattr("tmdb.images._fetch", fetch)
        for number in range(4):
            address = reverse("media:poster", kwargs={"size": "w342", "name": f"x{number}.jpg"})
            assert browser.get(address).status_code == 404
        assert len(asked) == 2

    def test_a_huge_form_is_refused(self, browser):
        response = browser.post(reverse("accounts:make-token"), {"name": "x" * 3_000_000})
        assert response.status_code == 400

    def test_a_form_with_thousands_of_fields_is_refused(self, browser):
        fields = {f"f{number}": "x" for number in range(2000)}
        assert browser.post(reverse("accounts:make-token"), fields).status_code == 400

    @pytest.mark.parametrize("number", ["9" * 5000, "9" * 30, "-1", "\u0663", "1e9"])
    def test_a_number_of_any_length_is_no_error(self, ana, browser, number):
        entry = add_series(ana, "Dark", [4], 2)
        for page, field in (("merge", "into"), ("match", "tmdb_id"), ("split", "name")):
            address = reverse(f"media:{page}", args=[entry.pk])
            assert browser.post(address, {field: number}).status_code in (302, 404)
        for page in ("media:library", "media:api", "history", "imports:list", "media:attention"):
            assert browser.get(reverse(page), {"page": number}).status_code in (200, 404)

    def test_a_long_search_ends_soon(self, ana, browser):
        add_movie(ana, "Roma")
        started = time.monotonic()
        assert browser.get("/", {"q": "%_\\" * 1500}).status_code == 200
        assert time.monotonic() - started < 5

    def test_a_long_password_costs_no_time(self, ana):
        started = time.monotonic()
        data = {"username": "ana", "password": "x" * 1_000_000}
        assert Client().post(reverse("accounts:login"), data).status_code == 200
        assert time.monotonic() - started < 5


class TestTellingApart:
    def test_unknown_and_known_names_cost_the_same_work(self, ana, monkeypatch):
        """Both hash a password once; comparing seconds would be a guess."""
        from django.contrib.auth.hashers import MD5PasswordHasher

        hashed: list[str] = []
        encode = MD5PasswordHasher.encode

        def counted(self, password, salt):
            hashed.append(password)
            return encode(self, password, salt)

        monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
        counts = []
        for name in ("ana", "nobody"):
            hashed.clear()
            Client().post(reverse("accounts:login"), {"username": name, "password": "wrong"})
            counts.append(len(hashed))
        assert counts == [1, 1]

    def test_somebody_shut_out_is_told_the_same(self, ana):
        def refusal(**data):
            text = Client().post(reverse("accounts:login"), data).text
            match = re.search(r"role=\"alert\">([^<]+)<", text)
            assert match is not None
            return match.group(1)

        unknown = refusal(username="nobody", password="password")
        User.objects.filter(pk=ana.pk).update(is_active=False)
        assert refusal(username="ana", password="password") == unknown
        assert refusal(username="ana", password="wrong") == unknown

    def test_what_is_not_there_and_what_is_somebody_elses_look_alike(self, browser, make_user):
        theirs = add_movie(make_user("ben"), "Roma")
        foreign = browser.get(theirs.get_absolute_url())
        missing = browser.get(reverse("media:entry", args=[theirs.pk + 1000]))
        assert (foreign.status_code, missing.status_code) == (404, 404)
        assert foreign.text == missing.text


class TestAddressesOfOthers:
    """SSRF: nothing that a visitor or TMDB says decides where a request goes."""

    @pytest.mark.parametrize(
        "path",
        [
            "//evil.example/x.jpg",
            "/../../x.jpg",
            "/x.svg",
            "http://169.254.169.254/x.jpg",
            "/x.jpg?u=http://evil",
            "/x.jpg#",
            "/a/b.jpg",
            "/x.jpg\n",
            "@evil.example/x.jpg",
        ],
    )
    def test_only_a_plain_poster_name_becomes_an_address(self, path):
        from media.templatetags.library import poster_of

        assert poster_of(Media(title="x", poster_path=path)).source == ""

    @pytest.mark.parametrize(
        "reference",
        [
            "http://169.254.169.254/tv/1",
            "https://www.themoviedb.org@evil.example/tv/1",
            "https://evil.example/www.themoviedb.org/tv/1",
            "file:///tv/1",
            "1/../../account",
            "-1",
            "9" * 40,
        ],
    )
    def test_a_pasted_address_is_read_and_never_fetched(self, reference):
        from tmdb.names import parse_tmdb_reference

        assert parse_tmdb_reference(reference) is None


def test_a_session_id_of_somebody_else_is_not_taken_over(ana):
    """Session fixation: signing in makes a new session, also where one was planted."""
    planted = Client()
    planted.cookies["sessionid"] = "a" * 32
    planted.post(reverse("accounts:login"), {"username": "ana", "password": "password"})
    assert planted.cookies["sessionid"].value != "a" * 32
    thief = Client()
    thief.cookies["sessionid"] = "a" * 32
    assert thief.get(reverse("media:library")).status_code == 302
