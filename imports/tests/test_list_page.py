"""The page of all imports: several at once go on before one's eyes, and it says what to do next."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from imports.models import Import, State, WorkerHeartbeat
from imports.tests.test_views import make_import, queries_of, text_of
from media.tests.shelf import add_series

pytestmark = pytest.mark.django_db

LIST = "/imports/"
HTMX = {"HX-Request": "true"}
QUESTION = {"questions": [{"kind": "profile", "text": {"template": "Whose?"}, "choices": []}]}
PREVIEW = {"new": 1}


@pytest.fixture
def ana(client, make_user):
    user = make_user("ana")
    client.force_login(user)
    return user


def line_of(page, of_import):
    """The HTML of an import's line."""
    (line,) = re.findall(rf'<li>(?:(?!</li>).)*id="import-{of_import.pk}".*?</li>', page, re.S)
    return line


def polled(page):
    """The addresses that a page asks by itself."""
    return [html.unescape(address) for address in re.findall(r'hx-get="([^"]+)"', page)]


class TestWatching:
    def test_several_imports_are_polled_and_followed_without_javascript(self, client, ana):
        running = make_import(
            ana, state=State.LOOKING_UP, rows=50, rows_new=50, series_total=9, series_matched=3
        )
        waiting = make_import(ana, state=State.QUEUED)
        page = client.get(LIST).text
        assert len(polled(page)) == 1
        assert '<noscript><meta http-equiv="refresh" content="3">' in page
        assert "2 imports are under way" in text_of(page)
        line = line_of(page, running)
        assert "3 of 9 series looked up looking up series" in text_of(line)
        assert f'<progress aria-labelledby="import-{running.pk}" value="3" max="9">' in line
        assert "Waiting to begin waiting" in text_of(line_of(page, waiting))
        assert "<progress" not in line_of(page, waiting)

    def test_what_has_not_changed_is_not_sent_again(self, client, ana):
        running = make_import(ana, state=State.STORING, rows=100, rows_new=10)
        make_import(ana, state=State.QUEUED)
        (address,) = polled(client.get(LIST).text)
        assert client.get(address, headers=HTMX).status_code == 204
        Import.objects.filter(pk=running.pk).update(rows_new=20)
        part = client.get(address, headers=HTMX).text
        assert "20 of 100 rows stored" in text_of(part)
        assert "<html" not in part
        assert polled(part) not in ([], [address])

    @pytest.mark.parametrize(
        "ended",
        [
            {"state": State.DONE},
            {"state": State.FAILED},
            {"state": State.CANCELLED},
            {"state": State.UNDONE, "undo_asked_at": timezone.now()},
            {"state": State.NEEDS_ANSWER, "question": QUESTION},
            {"state": State.NEEDS_ANSWER, "preview": PREVIEW},
        ],
        ids=["done", "failed", "cancelled", "undone", "question", "preview"],
    )
    def test_polling_ends_by_itself(self, client, ana, ended):
        make_import(ana, state=State.DONE)
        last = make_import(ana, state=State.READING)
        (address,) = polled(client.get(LIST).text)
        Import.objects.filter(pk=last.pk).update(**ended)
        for page in (client.get(address, headers=HTMX).text, client.get(LIST).text):
            assert polled(page) == []
            assert "http-equiv" not in page
            assert "<progress" not in page

    def test_an_import_that_is_being_undone_is_followed(self, client, ana):
        undone = make_import(ana, state=State.DONE, undo_asked_at=timezone.now())
        page = client.get(LIST).text
        assert len(polled(page)) == 1
        assert "Being undone" in text_of(line_of(page, undone))

    def test_an_import_on_another_page_of_the_list_is_waited_for(self, client, ana):
        old = make_import(ana, state=State.READING)
        for _ in range(30):
            make_import(ana, state=State.DONE)
        page = client.get(LIST).text
        assert f'id="import-{old.pk}"' not in page
        (address,) = polled(page)
        part = client.get(address.replace("page=1", "page=2"), headers=HTMX).text
        assert f'id="import-{old.pk}"' in part
        assert 'href="?page=1"' in part

    def test_imports_of_others_keep_nobody_waiting(self, client, ana, make_user):
        make_import(make_user("ben"), state=State.READING)
        make_import(ana, state=State.DONE)
        assert polled(client.get(LIST).text) == []

    def test_without_a_worker_the_page_says_why_nothing_happens(self, client, ana):
        make_import(ana, state=State.QUEUED)
        make_import(ana, state=State.QUEUED)
        assert "No worker is running" not in client.get(LIST).text
        Import.objects.update(created_at=timezone.now() - timedelta(minutes=1))
        assert client.get(LIST).text.count("No worker is running") == 1
        WorkerHeartbeat.objects.create(worker_id="w", beat_at=timezone.now())
        assert "No worker is running" not in client.get(LIST).text


class TestWhatToDoNext:
    @pytest.mark.parametrize(
        ("fields", "words"),
        [({"question": QUESTION}, "Answer"), ({"preview": PREVIEW}, "Look and confirm")],
        ids=["question", "preview"],
    )
    def test_an_import_that_waits_for_its_user_leads_there(self, client, ana, fields, words):
        waiting = make_import(ana, state=State.NEEDS_ANSWER, **fields)
        running = make_import(ana, state=State.READING)
        page = client.get(LIST).text
        leads = rf'<a class="button[^>]*href="{waiting.get_absolute_url()}"[^>]*>{words}</a>'
        assert re.search(leads, line_of(page, waiting))
        assert 'class="button' not in line_of(page, running)
        assert "1 more waits for you." in text_of(page)
        Import.objects.filter(pk=running.pk).update(state=State.DONE)
        page = client.get(LIST).text
        assert "1 import waits for you" in text_of(page)
        assert re.search(leads, line_of(page, waiting))

    def test_once_all_are_done_it_says_what_to_do_next(self, client, ana):
        make_import(ana, state=State.DONE, rows=4, rows_new=4)
        last = make_import(ana, state=State.LOOKING_UP)
        add_series(ana, "Dark", [10], 3)
        add_series(ana, "Our Holidays", watched=3)
        add_series(ana, "Wedding of Aunt Hedwig", watched=1)
        before = client.get(LIST).text
        assert "without a match" not in before
        (address,) = polled(before)
        Import.objects.filter(pk=last.pk).update(state=State.DONE)
        for page in (client.get(address, headers=HTMX).text, client.get(LIST).text):
            assert "All imports have ended" in text_of(page)
            assert re.search(r'button--primary"[^>]*href="/">See your library<', page)
            assert f'href="{reverse("media:attention")}">2 series without a match<' in page

    def test_it_does_not_lead_to_a_library_that_nothing_came_into(self, client, ana):
        failed = make_import(ana, state=State.FAILED, error="This is a picture.")
        page = client.get(LIST).text
        assert "See your library" not in page
        assert "This is a picture." in text_of(line_of(page, failed))
        assert "Open one to see what became of it" in text_of(page)

    def test_where_totals_lack_a_key_it_says_how_to_get_one(self, client, ana, settings):
        make_import(ana, state=State.DONE, series_total=3)
        assert "themoviedb.org/settings/api" in client.get(LIST).text
        settings.TMDB_API_KEY = "key"
        assert "themoviedb.org/settings/api" not in client.get(LIST).text

    @pytest.mark.parametrize("state", [State.QUEUED, State.NEEDS_ANSWER, State.DONE])
    def test_it_takes_ten_queries_at_any_number_of_imports(self, client, ana, state):
        def make(number):
            for _ in range(number):
                make_import(ana, state=state, question=QUESTION, rows=9, series_total=3)
            Import.objects.update(created_at=timezone.now() - timedelta(minutes=1))
            add_series(ana, f"Series {number}", watched=1)

        make(1)
        few = queries_of(client, LIST)
        make(70)
        assert queries_of(client, LIST) == few <= 10
        assert queries_of(client, f"{LIST}?page=3") == few
