"""Whoever did something on a page that had waited for too long is led back to a page."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import resolve, reverse

from accounts.sessions import end_all
from watchlog.tests.routes import OBJECTS, OWN, make_person

pytestmark = pytest.mark.django_db

SITE = "http://testserver"
HTMX = {"HX-Request": "true"}
# Where the browser says a form stood; {address} is where the form goes. Some pages are themselves
# the answer to a form, others are gone, and some browsers tell nothing.
TOLD = (
    "",
    f"{SITE}/attention/?show=uncertain",
    SITE + "{address}",
    f"{SITE}/no/such/page/",
    "https://evil.example/attention/",
)
# No page, whatever looks like one.
HOSTILE = (
    "https://evil.example/entry/1/",
    "//evil.example/entry/1/",
    f"{SITE}//evil.example/",
    f"{SITE}:8000/history/",
    f"{SITE}.evil.example/history/",
    "https:///evil.example/history/",
    "javascript:alert(1)",
    "/\\evil.example",
    "http://[",
    "x",
)


@pytest.fixture
def ana(make_user):
    return make_person(make_user("ana", is_staff=True), "harmless")


@pytest.fixture
def series(ana):
    return f"/entry/{ana.entry.pk}/"


@pytest.fixture
def addresses(ana):
    """All that want a sign-in, and signing out."""
    own = [reverse(name) for name in [*OWN, "accounts:logout"]]
    return own + [reverse(name, kwargs=of(ana)) for name, of in OBJECTS.items()]


@pytest.fixture
def forms(addresses):
    """Those that only forms are sent to."""
    return [address for address in addresses if hasattr(resolve(address).func, "shows_nothing")]


def sign_in(answer):
    """Follow a redirect to the sign-in, sign in there, and follow where that leads."""
    assert answer["Location"].startswith(reverse("accounts:login"))
    browser = answer.client
    page = browser.get(answer["Location"])
    (there,) = re.findall(r'name="next" value="([^"]+)"', page.text)
    data = {"username": "ana", "password": "password", "next": unescape(there)}
    return page, browser.post(answer["Location"], data, follow=True)


def buttons(answer):
    return [
        unescape(found) for found in re.findall(r'class="button[^"]*" href="(.+?)"', answer.text)
    ]


def is_page(answer):
    return answer.status_code == 200 and "</html>" in answer.text


def test_what_shows_nothing_is_known(ana, addresses, forms):
    """Nobody is led to an address that only takes forms: each has accounts' own require_POST."""
    refusing = [address for address in addresses if ana.browser.get(address).status_code == 405]
    assert forms == refusing
    assert len(forms) > 18


class TestSessionThatEnded:
    @pytest.mark.parametrize("told", TOLD)
    def test_signing_in_leads_to_a_page(self, forms, told):
        led_to = {}
        for address in set(forms) - {reverse("accounts:logout")}:
            answer = Client().post(address, headers={"Referer": told.format(address=address)})
            led_to[answer["Location"]] = answer
        for answer in led_to.values():
            _page, back = sign_in(answer)
            assert is_page(back), answer["Location"]

    def test_it_is_the_page_on_which_the_form_stood(self, ana, series):
        end_all(ana.user)
        answer = ana.browser.post(
            f"{series}mark/", headers={"Referer": f"{SITE}{series}?open=s1&x=%26#s1"}
        )
        page, back = sign_in(answer)
        assert "nothing was changed" in page.text
        assert back.redirect_chain == [(f"{series}?open=s1&x=%26", 302)]

    def test_a_page_that_takes_forms_itself_is_asked_for_again(self, ana):
        _page, back = sign_in(Client().post("/settings/?x=y", {"language": "de"}))
        assert back.redirect_chain == [("/settings/?x=y", 302)]

    def test_what_is_no_page_of_this_site_leads_nowhere(self, series):
        for told in HOSTILE:
            answer = Client().post(f"{series}mark/", headers={"Referer": told})
            assert answer["Location"] == f"{reverse('accounts:login')}?next={series}", told

    def test_a_page_that_is_only_looked_at_says_nothing_of_changes(self, ana):
        page, back = sign_in(Client().get("/history/?q=x"))
        assert "nothing was changed" not in page.text
        assert back.redirect_chain == [("/history/?q=x", 302)]

    def test_a_part_of_a_page_sends_the_whole_page_to_the_sign_in(self, ana, series):
        browser = Client()
        referer = {"Referer": f"{SITE}{series}?open=s1"}
        answer = browser.post(f"{series}mark/", headers=HTMX | referer)
        assert (answer.status_code, answer.content) == (401, b"")
        there = answer["HX-Redirect"]
        assert there == f"{reverse('accounts:login')}?next={series}%3Fopen%3Ds1"
        assert "nothing was changed" in browser.get(there).text

    def test_what_a_page_asks_for_by_itself_leads_to_that_page(self, ana):
        pk = ana.of_import.pk
        page = reverse("imports:detail", args=[pk])
        answer = Client().get(
            reverse("imports:progress", args=[pk]), headers=HTMX | {"Referer": SITE + page}
        )
        assert answer["HX-Redirect"] == f"{reverse('accounts:login')}?next={page}"


class TestStaleForm:
    @pytest.fixture
    def strict(self, ana):
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(ana.user)
        return browser

    @pytest.mark.parametrize("told", TOLD)
    def test_its_buttons_lead_to_pages(self, strict, forms, told):
        led_to = set()
        for address in forms:
            refused = strict.post(address, headers={"Referer": told.format(address=address)})
            assert refused.status_code == 403
            assert len(buttons(refused)) == 2
            led_to |= set(buttons(refused))
        assert [there for there in led_to if not is_page(strict.get(there))] == []

    def test_the_page_on_which_it_stood_is_loaded_again(self, strict, series):
        refused = strict.post(
            f"{series}mark/", headers={"Referer": f"{SITE}{series}?open=s1&x=%22"}
        )
        assert buttons(refused)[0] == f"{series}?open=s1&x=%22"

    def test_nothing_leads_to_another_site(self, strict, series):
        for told in HOSTILE:
            refused = strict.post(f"{series}mark/", headers={"Referer": told})
            assert buttons(refused) == [series, "/"], told

    def test_the_sign_in_keeps_where_it_leads(self, ana):
        address = "/sign-in/?next=/history/"
        refused = Client(enforce_csrf_checks=True).post(
            address, headers={"Referer": SITE + address}
        )
        assert buttons(refused)[0] == address


class TestAddressOfAForm:
    def test_every_one_says_where_to_go(self, ana, forms):
        led_to = set()
        for address in forms:
            answer = ana.browser.get(address)
            assert answer.status_code == 405
            assert answer["Allow"] == "POST"
            assert "Nothing was changed" in answer.text
            assert buttons(answer)
            led_to |= set(buttons(answer))
        assert [there for there in led_to if not is_page(ana.browser.get(there))] == []

    @pytest.mark.parametrize(
        ("address", "page"),
        [
            ("/entry/7/mark/", "/entry/7/"),
            ("/entry/7/viewing/3/", "/entry/7/"),
            ("/imports/7/act/", "/imports/7/"),
            ("/account/tokens/7/revoke/", "/account/"),
            ("/attention/undo/7/", "/attention/"),
            ("/look-up/", "/"),
            ("/admin/logout/", "/admin/"),
        ],
    )
    def test_the_page_above_is_the_way_out(self, ana, address, page):
        assert buttons(ana.browser.get(address))[0] == page

    def test_whoever_is_not_signed_in_gets_help_too(self, ana):
        answer = Client().get(reverse("accounts:logout"))
        assert answer.status_code == 405
        assert buttons(answer) == ["/"]

    def test_a_page_that_takes_no_forms_leads_to_itself(self, ana):
        answer = ana.browser.post("/history/", headers={"Referer": f"{SITE}/history/?q=x"})
        assert answer.status_code == 405
        assert buttons(answer)[0] == "/history/?q=x"
