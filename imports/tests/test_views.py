"""Handing in files, the page of an import, and its problem rows."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import EventKind
from imports.models import Import, ImportFile, ImportProblem, Outcome, State, WorkerHeartbeat
from imports.pages import problems_as_csv
from imports.tests.making import BREAKING_BAD, activity, history
from media.models import Viewing
from media.spreadsheets import defused

pytestmark = pytest.mark.django_db

NEW = "/imports/new/"
HISTORY = "NetflixViewingHistory.csv"
TWO_PROFILES = activity(
    ("Ana", "2024-03-02 20:00:00", "00:40:00", "Dark: Season 1: Secrets (Episode 1)"),
    ("Ben", "2024-03-01 20:00:00", "01:50:00", "Inception"),
)


@pytest.fixture
def ana(client, make_user):
    user = make_user("ana")
    client.force_login(user)
    return user


@pytest.fixture
def queued(settings):
    """Tasks wait for a worker that does not come."""
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}


def upload(client, *files, **options):
    named = [SimpleUploadedFile(name, data, "text/csv") for name, data in files]
    return client.post(NEW, {"file": named, **options})


def make_import(user, **fields):
    return Import.objects.create(
        user=user, filename=HISTORY, digest=str(Import.objects.count()), **fields
    )


def text_of(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def queries_of(client, address):
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


class TestHandingIn:
    def test_the_page_says_how_to_get_both_files(self, client, ana):
        html = client.get(NEW).text
        assert "netflix.com/viewingactivity" in html
        assert "netflix.com/account/getmyinfo" in html

    def test_an_upload_leads_to_the_page_of_its_import(self, client, ana, queued):
        response = upload(client, (HISTORY, BREAKING_BAD))
        made = Import.objects.get()
        assert response.url == made.get_absolute_url()
        assert made.user == ana
        assert made.state == State.QUEUED

    def test_what_was_uploaded_is_in_the_library(self, client, ana):
        response = upload(client, (HISTORY, BREAKING_BAD))
        assert "4 new viewings in your library" in text_of(client.get(response.url).text)
        assert "3 episodes" in client.get("/").text

    def test_several_files_are_several_imports(self, client, ana, queued):
        other = history(("Inception", "6/17/21"))
        response = upload(client, ("a.csv", BREAKING_BAD), ("b.csv", other))
        assert response.url == reverse("imports:list")
        assert {i.filename for i in Import.objects.all()} == {"a.csv", "b.csv"}

    def test_the_same_file_again_opens_the_import_that_runs(self, client, ana, queued):
        first = upload(client, (HISTORY, BREAKING_BAD))
        assert upload(client, (HISTORY, BREAKING_BAD)).url == first.url
        assert Import.objects.count() == 1

    def test_the_options_are_kept_with_the_import(self, client, ana, queued):
        upload(client, (HISTORY, BREAKING_BAD), profile="Ana", date_order="mdy", min_minutes="5")
        assert Import.objects.get().options == {
            "profile": "Ana",
            "date_order": "mdy",
            "min_minutes": 5.0,
        }

    def test_without_a_minimum_the_users_own_holds_and_the_form_names_it(self, client, ana):
        ana.min_minutes = 7.5
        ana.save()
        play = activity(("Ana", "2024-03-02 20:00:00", "00:07:00", "Inception"))
        upload(client, ("ViewingActivity.csv", play), min_minutes="")
        assert Import.objects.get().state == State.DONE
        assert not Viewing.objects.exists()
        assert 'placeholder="7.5"' in client.post(NEW, {"min_minutes": ""}).text

    def test_without_a_file_nothing_happens_and_the_page_says_so(self, client, ana):
        assert "Choose a file first." in client.post(NEW, {}).text
        assert not Import.objects.exists()

    def test_an_empty_file_is_refused(self, client, ana):
        assert "This file is empty" in upload(client, (HISTORY, b"")).text
        assert not Import.objects.exists()

    def test_a_file_that_is_too_large_is_refused_before_it_is_stored(self, client, ana, settings):
        settings.IMPORT_MAX_BYTES = 1024
        html = upload(client, ("big.csv", b"x" * 1025), (HISTORY, BREAKING_BAD)).text
        assert "big.csv is larger than the 1.0\xa0KB that this watchlog takes." in html
        assert not Import.objects.exists()

    @pytest.mark.parametrize("in_memory", [0, 2**22])
    def test_of_an_endless_file_hardly_more_than_allowed_is_kept(
        self, client, ana, settings, monkeypatch, in_memory
    ):
        settings.IMPORT_MAX_BYTES = 1_000_000
        settings.FILE_UPLOAD_MAX_MEMORY_SIZE = in_memory
        kept = []

        def measure(field, file):
            kept.append(len(file.read()))
            return file

        monkeypatch.setattr("imports.forms.ManyFilesField._bounded", measure)
        upload(client, ("endless.csv", b"x" * 3_000_000))
        assert 1_000_000 < kept[0] < 1_200_000

    def test_a_file_name_is_shown_as_text_and_without_its_path(self, client, ana, queued):
        response = upload(client, ("../../<img src=x>.csv", BREAKING_BAD))
        html = client.get(response.url).text
        assert "&lt;img src=x&gt;.csv" in html
        assert "../" not in Import.objects.get().filename

    def test_uploads_are_protected_against_forged_requests(self, ana, queued):
        forger = Client(enforce_csrf_checks=True)
        forger.force_login(ana)
        assert upload(forger, (HISTORY, BREAKING_BAD)).status_code == 403
        assert not Import.objects.exists()

    def test_who_is_not_signed_in_cannot_upload(self, client):
        assert upload(client, (HISTORY, BREAKING_BAD)).status_code == 302
        assert not Import.objects.exists()

    def test_something_that_is_no_history_fails_with_a_reason(self, client, ana):
        page = client.get(upload(client, ("holiday.png", b"\x89PNG\r\n")).url).text
        assert "This is a picture." in page
        assert "Choose another file" in page


class TestWatching:
    def test_a_running_import_is_polled_and_works_without_javascript(self, client, ana):
        running = make_import(
            ana, state=State.LOOKING_UP, rows=50, rows_new=50, series_total=9, series_matched=3
        )
        html = client.get(running.get_absolute_url()).text
        assert f'hx-get="{reverse("imports:progress", args=[running.pk])}?have=' in html
        assert '<noscript><meta http-equiv="refresh"' in html
        assert "3 of 9 series looked up" in text_of(html)
        assert '<progress aria-labelledby="headline" value="3" max="9">' in html

    def test_polling_ends_with_the_import(self, client, ana):
        done = make_import(ana, state=State.DONE, rows=1, rows_new=1)
        for address in (done.get_absolute_url(), reverse("imports:progress", args=[done.pk])):
            html = client.get(address).text
            assert "hx-get" not in html
            assert "http-equiv" not in html

    def test_what_has_not_changed_is_not_sent_again(self, client, ana):
        running = make_import(ana, state=State.STORING, rows=100, rows_new=10)
        html = client.get(running.get_absolute_url()).text
        (address,) = re.findall(r'hx-get="([^"]+)"', html)
        assert client.get(address).status_code == 204
        Import.objects.update(rows_new=20)
        part = client.get(address)
        assert "20 of 100 rows stored" in text_of(part.text)
        assert "<html" not in part.text

    @pytest.mark.parametrize(
        ("state", "fields", "places"),
        [
            (State.QUEUED, {}, ["ahead"] * 4),
            (State.READING, {}, ["current", "ahead", "ahead", "ahead"]),
            (State.STORING, {"rows": 9}, ["done", "current", "ahead", "ahead"]),
            (State.LOOKING_UP, {"rows": 9}, ["done", "done", "current", "ahead"]),
            (State.DONE, {"rows": 9}, ["done"] * 4),
            (State.FAILED, {}, ["current", "ahead", "ahead", "ahead"]),
        ],
    )
    def test_the_steps_say_how_far_it_is(self, client, ana, state, fields, places):
        html = client.get(make_import(ana, state=state, **fields).get_absolute_url()).text
        assert re.findall(r'<li class="is-(\w+)"', html) == places

    def test_without_a_worker_the_page_says_why_nothing_happens(self, client, ana):
        waiting = make_import(ana)
        assert "No worker is running" not in client.get(waiting.get_absolute_url()).text
        Import.objects.update(created_at=timezone.now() - timedelta(minutes=1))
        assert "No worker is running" in client.get(waiting.get_absolute_url()).text
        WorkerHeartbeat.objects.create(worker_id="w", beat_at=timezone.now())
        assert "No worker is running" not in client.get(waiting.get_absolute_url()).text

    def test_the_time_left_is_told_once_there_is_enough_to_go_by(self, client, ana):
        running = make_import(
            ana,
            state=State.LOOKING_UP,
            rows=9,
            series_total=100,
            series_matched=50,
            started_at=timezone.now() - timedelta(seconds=600),
            looking_up_since=timezone.now() - timedelta(seconds=40),
        )
        assert "about 40 seconds left" in client.get(running.get_absolute_url()).text
        Import.objects.update(series_matched=4)
        assert "left" not in text_of(client.get(running.get_absolute_url()).text)

    def test_the_result_accounts_for_every_row_and_says_what_to_do_next(self, client, ana):
        done = make_import(
            ana,
            state=State.DONE,
            rows=1841,
            rows_new=1793,
            rows_known=41,
            rows_skipped=7,
            series_total=131,
            series_matched=126,
            series_uncertain=3,
            series_not_found=2,
            date_reason="Dates are read as day/month/year: '18/06/20' can be nothing else.",
        )
        text = text_of(client.get(done.get_absolute_url()).text)
        assert "1,841 rows of the file new 1,793 already there 41 repeated 0 skipped 7" in text
        assert "matched 126 uncertain 3 not found 2" in text
        assert "&#x27;18/06/20&#x27; can be nothing else." in text
        assert "5 series without a match" in text
        assert "themoviedb.org/settings/api" in text


class TestQuestions:
    def test_the_page_asks_what_the_file_leaves_open_and_goes_on_with_the_answer(self, client, ana):
        asked = client.get(upload(client, ("ViewingActivity.csv", TWO_PROFILES)).url)
        assert "Whose history is this?" in asked.text
        assert "hx-get" not in asked.text
        assert not Viewing.objects.exists()
        made = Import.objects.get()
        answered = client.post(reverse("imports:answer", args=[made.pk]), {"profile": "Ana"})
        assert answered.url == made.get_absolute_url()
        assert [viewing.profile for viewing in Viewing.objects.all()] == ["Ana"]

    @pytest.mark.parametrize("answer", [{}, {"profile": "Eve"}])
    def test_what_is_no_answer_is_asked_again(self, client, ana, answer):
        upload(client, ("ViewingActivity.csv", TWO_PROFILES))
        made = Import.objects.get()
        response = client.post(reverse("imports:answer", args=[made.pk]), answer)
        assert response.status_code == 422
        assert "errorlist" in response.text
        made.refresh_from_db()
        assert made.state == State.NEEDS_ANSWER

    def test_an_answer_to_nothing_changes_nothing(self, client, ana):
        done = make_import(ana, state=State.DONE)
        response = client.post(reverse("imports:answer", args=[done.pk]), {"profile": "Ana"})
        assert response.url == done.get_absolute_url()
        done.refresh_from_db()
        assert done.state == State.DONE


def act(client, of_import, what):
    address = reverse("imports:act", args=[of_import.pk])
    return client.post(address, {"act": what}, follow=True)


class TestPreview:
    def test_a_button_beside_the_other_looks_first_without_javascript(self, client, ana):
        html = client.get(NEW).text
        form = html[html.index('<form class="form"') : html.index("</form>", html.index("hand-in"))]
        buttons = re.findall(r"<button([^>]*)>([^<]+)</button>", form)
        assert [text for _, text in buttons] == ["Import", "Look first, import later"]
        at_once, first = (attributes for attributes, _ in buttons)
        assert "name=" not in at_once
        assert 'type="submit"' in first
        sent = dict(re.findall(r'(name|value)="([^"]+)"', first))
        upload(client, (HISTORY, BREAKING_BAD), **{sent["name"]: sent["value"]})
        assert Import.objects.get().preview is not None
        assert not Viewing.objects.exists()
        assert "Nothing is stored until you say so." in text_of(form)
        assert form.index("</button>") < form.index("<details")

    def test_several_files_can_be_looked_at_first(self, client, ana):
        other = history(("Inception", "6/17/21"))
        response = upload(client, (HISTORY, BREAKING_BAD), ("more.csv", other), preview="on")
        assert response.url == reverse("imports:list")
        assert not Viewing.objects.exists()
        shown = text_of(client.get(response.url).text)
        assert shown.count("Look and confirm") == 2
        for of_import in Import.objects.all():
            assert "What this file would bring" in client.get(of_import.get_absolute_url()).text
            act(client, of_import, "confirm")
        assert Viewing.objects.of(ana).count() == 4

    def test_nothing_is_stored_before_the_preview_is_confirmed(self, client, ana):
        response = upload(client, (HISTORY, BREAKING_BAD), preview="on")
        shown = text_of(client.get(response.url).text)
        assert "What this file would bring" in shown
        assert "1 series that your library does not have yet" in shown
        assert "Breaking Bad" in shown
        assert not Viewing.objects.exists()
        confirmed = text_of(act(client, Import.objects.get(), "confirm").text)
        assert "4 new viewings in your library" in confirmed
        assert Viewing.objects.of(ana).count() == 4

    def test_a_preview_that_is_not_wanted_leaves_nothing(self, client, ana):
        upload(client, (HISTORY, BREAKING_BAD), preview="on")
        act(client, Import.objects.get(), "cancel")
        assert Import.objects.get().state == State.CANCELLED
        assert not Viewing.objects.exists()

    def test_what_the_file_cannot_decide_is_listed_with_both_readings(self, client, ana):
        upload(client, (HISTORY, BREAKING_BAD), preview="on")
        preview = Import.objects.get().preview
        doubt = {
            "line": 3,
            "title": "Chef: Pasta <b>",
            "reads_as": "a movie",
            "or_as": "an episode of Chef",
            "reason": "It says too little.",
            "message": None,
        }
        assert preview is not None
        changed = {**preview, "doubtful": 70, "doubtful_titles": [doubt]}
        Import.objects.update(preview=changed)
        html = client.get(Import.objects.get().get_absolute_url()).text
        assert "Chef: Pasta &lt;b&gt;" in html
        assert "a movie or an episode of Chef It says too little." in text_of(html)
        assert "and 69 more" in html

    def test_a_question_comes_before_the_confirmation(self, client, ana):
        response = upload(client, ("ViewingActivity.csv", TWO_PROFILES), preview="on")
        of_import = Import.objects.get()
        html = client.get(response.url).text
        assert "Whose history is this?" in html and "Import it" not in html
        assert "Answer the questions" in act(client, of_import, "confirm").text
        client.post(reverse("imports:answer", args=[of_import.pk]), {"profile": "Ana"})
        assert not Viewing.objects.exists()
        act(client, of_import, "confirm")
        assert [viewing.profile for viewing in Viewing.objects.all()] == ["Ana"]


class TestActing:
    def test_the_account_tells_from_where_an_import_was_undone_and_its_file_deleted(
        self, client, ana
    ):
        response = upload(client, (HISTORY, BREAKING_BAD))
        made = Import.objects.get()
        act(client, made, "forget-file")
        client.post(reverse("imports:undo", args=[made.pk]), REMOTE_ADDR="127.0.0.7")
        assert response.url == made.get_absolute_url()
        events = ana.events.filter(subject=HISTORY).order_by("pk")
        assert list(events.values_list("kind", "address")) == [
            (EventKind.FILE_DELETED, "127.0.0.1"),
            (EventKind.IMPORT_UNDONE, "127.0.0.7"),
        ]

    def test_a_running_import_can_be_cancelled(self, client, ana):
        running = make_import(ana, state=State.LOOKING_UP, rows=4, rows_new=4, series_total=2)
        assert "Cancel the import" in client.get(running.get_absolute_url()).text
        shown = text_of(act(client, running, "cancel").text)
        assert "What was stored before stays" in shown
        assert Import.objects.get().state == State.CANCELLED

    def test_undo_says_what_will_go_and_asks_once(self, client, ana):
        upload(client, (HISTORY, BREAKING_BAD))
        of_import = Import.objects.get()
        address = reverse("imports:undo", args=[of_import.pk])
        assert address in client.get(of_import.get_absolute_url()).text
        asked = text_of(client.get(address).text)
        assert "4 viewings go from your library" in asked
        assert "1 series and 1 movies" in asked
        assert Viewing.objects.count() == 4
        done = text_of(client.post(address, follow=True).text)
        assert "What only this import brought is gone" in done
        assert not Viewing.objects.exists()
        # As the second half of a double click.
        again = client.post(address, follow=True)
        assert again.redirect_chain == [(of_import.get_absolute_url(), 302)]
        assert "nothing of this import to undo" not in text_of(again.text)

    @pytest.mark.parametrize(
        ("what", "state", "untrue"),
        [
            ("cancel", State.DONE, "The import is cancelled."),
            ("confirm", State.CANCELLED, "The file is being imported."),
            ("forget-file", State.QUEUED, "The stored file is deleted."),
        ],
    )
    def test_from_a_stale_page_nothing_is_said_to_be_done(
        self, client, ana, queued, what, state, untrue
    ):
        of_import = make_import(ana, state=state, rows=4)
        ImportFile.objects.create(of_import=of_import, content=BREAKING_BAD)
        shown = text_of(act(client, of_import, what).text)
        assert untrue not in shown
        of_import.refresh_from_db()
        assert of_import.state == state
        assert ImportFile.objects.filter(of_import=of_import).exists()

    def test_what_another_import_has_too_is_said_to_stay(self, client, ana):
        upload(client, (HISTORY, BREAKING_BAD))
        upload(client, ("other.csv", BREAKING_BAD + b"\n"))
        address = reverse("imports:undo", args=[Import.objects.latest("pk").pk])
        asked = text_of(client.get(address).text)
        assert "No viewing goes" in asked and "4 viewings stay" in asked

    def test_while_it_is_being_undone_the_page_follows_and_offers_nothing_more(
        self, client, ana, queued
    ):
        of_import = make_import(ana, state=State.DONE, rows=4, undo_asked_at=timezone.now())
        html = client.get(of_import.get_absolute_url()).text
        assert "Being undone" in html and "hx-trigger" in html
        assert reverse("imports:act", args=[of_import.pk]) not in html

    def test_an_import_is_tried_again_while_its_file_is_kept(self, client, ana):
        upload(client, (HISTORY, history(("Inception", "6/17/21"), ("Chef", "never"))))
        of_import = Import.objects.get()
        assert "Try the failed ones again" in client.get(of_import.get_absolute_url()).text
        assert "once more" in act(client, of_import, "try-again").text
        assert Import.objects.get().state == State.DONE
        assert Import.objects.get().rows_failed == 1

    def test_the_stored_file_can_be_deleted_and_what_it_brought_stays(self, client, ana):
        upload(client, (HISTORY, BREAKING_BAD))
        of_import = Import.objects.get()
        html = act(client, of_import, "forget-file").text
        assert "Delete the stored file" not in html and "file again" not in html
        assert not ImportFile.objects.exists()
        assert Viewing.objects.count() == 4
        assert "no longer kept" in act(client, of_import, "try-again").text

    def test_what_nobody_offers_changes_nothing(self, client, ana):
        running = make_import(ana, state=State.QUEUED)
        act(client, running, "explode")
        assert Import.objects.get().state == State.QUEUED


class TestProblems:
    @pytest.fixture
    def done(self, ana):
        done = make_import(ana, state=State.DONE, rows=60, rows_skipped=58, rows_failed=2)
        for line in range(2, 62):
            outcome = Outcome.FAILED if line > 59 else Outcome.SKIPPED
            ImportProblem.objects.create(
                of_import=done, line=line, title=f"Row {line}", outcome=outcome, reason="Because."
            )
        return done

    def test_failed_rows_are_shown_first_with_line_and_reason(self, client, done):
        text = text_of(client.get(done.get_absolute_url()).text)
        assert "Line Title Why 60 Row 60 Because. 61 Row 61 Because." in text
        assert "Row 2 " not in text

    def test_skipped_rows_come_in_pages(self, client, done):
        second = client.get(done.get_absolute_url(), {"rows": "skipped", "page": "2"}).text
        assert "Row 59" in second
        assert "Row 51 " not in text_of(second)
        assert 'href="?rows=skipped&amp;page=1#problems"' in second

    def test_all_of_them_can_be_had_as_csv(self, client, done):
        response = client.get(reverse("imports:problems", args=[done.pk]))
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        assert response["Content-Disposition"].startswith("attachment")
        rows = list(csv.reader(io.StringIO(response.getvalue().decode("utf-8-sig"))))
        assert rows[0] == ["line", "title", "outcome", "reason"]
        assert rows[1] == ["2", "Row 2", "skipped", "Because."]
        assert len(rows) == 61

    def test_no_title_becomes_a_formula_in_a_spreadsheet(self, client, done):
        ImportProblem.objects.update(title='=HYPERLINK("http://evil.example")')
        csv_file = client.get(reverse("imports:problems", args=[done.pk])).getvalue().decode()
        rows = list(csv.reader(io.StringIO(csv_file)))
        assert {row[1][0] for row in rows[1:]} == {"'"}

    @pytest.mark.parametrize(
        "cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", " =1", "＝1", "|cmd"]
    )
    def test_cells_that_could_be_formulas_are_defused(self, cell):
        assert defused(cell) == f"'{cell}"

    @pytest.mark.parametrize("edge", [";", "\t", "\r", "\n", "; ", ";;"])
    def test_nor_do_they_become_formulas_where_spreadsheets_split_otherwise(self, edge):
        """In half of Europe a spreadsheet splits a line at its semicolons, quoted or not."""
        cell = f'Dark{edge}=HYPERLINK("http://evil.example"){edge}x'
        written = "".join(problems_as_csv([ImportProblem(line=2, title=cell, reason="")]))
        for found in re.split(r"[;\t\r\n]", written):
            assert not found.strip().startswith("=")

    @pytest.mark.parametrize(
        "cell", ["Dark", "9-1-1", "M*A*S*H", "", "'tis = it is", "100 %", "Steins;Gate", "a; b"]
    )
    def test_other_cells_stay_as_they_are(self, cell):
        assert defused(cell) == cell


class TestSeparation:
    def test_imports_of_others_are_not_there(self, client, ana, make_user):
        others = make_import(make_user("ben"), state=State.NEEDS_ANSWER, question={"questions": []})
        for name in ("detail", "progress", "problems"):
            assert client.get(reverse(f"imports:{name}", args=[others.pk])).status_code == 404
        assert client.post(reverse("imports:answer", args=[others.pk])).status_code == 404
        assert "You have not imported anything yet." in client.get(reverse("imports:list")).text

    def test_the_page_of_an_import_asks_no_more_often_when_it_grows(self, client, ana):
        small = make_import(ana, state=State.DONE, rows=1, rows_failed=1)
        large = make_import(ana, state=State.DONE, rows=300, rows_failed=300)
        for of_import, count in ((small, 1), (large, 300)):
            ImportProblem.objects.bulk_create(
                ImportProblem(
                    of_import=of_import, line=line, title="x", outcome=Outcome.FAILED, reason="y"
                )
                for line in range(count)
            )
        few = queries_of(client, small.get_absolute_url())
        assert queries_of(client, large.get_absolute_url()) == few <= 8
