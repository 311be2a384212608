"""How each row of a file was read: kept with the file, shown page by page."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from imports import rows, sweeping
from imports.importing import forget_file, run, submit, try_again
from imports.models import Import, ReadRows
from imports.reading import Options, read
from imports.rows import Show, pack, unpack
from imports.tests.making import history, long_history
from media.models import LibraryEntry

pytestmark = pytest.mark.django_db

FILE = history(
    ("Dark: Season 2: Endings and Beginnings", "6/20/21"),
    ("Dark: Season 2: Endings and Beginnings", "6/20/21"),
    ("Inception", "6/17/21"),
    ("Qorvik: Harvest", "6/17/21"),
    ("Trailer: Qorvik", "6/16/21"),
    ("<b>Bold</b>", "never"),
)


@pytest.fixture
def ana(client, make_user):
    user = make_user("ana")
    client.force_login(user)
    return user


@pytest.fixture
def done(ana):
    return run(submit(ana, "history.csv", FILE).pk)


def page_of(client, of_import, **asked):
    response = client.get(f"{of_import.get_absolute_url()}rows/", asked)
    assert response.status_code == 200
    return response.text


def lines_of(html):
    """The cells of each row of the page's table."""
    cells = re.findall(r"<tr>\s*(<td.*?)</tr>", html, re.DOTALL)
    return [
        [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row.split("</td>")[:-1]]
        for row in cells
    ]


class TestThePage:
    def test_each_row_has_its_line_title_reading_and_reason(self, client, done):
        shown = lines_of(page_of(client, done))
        because = "Series, because “Season 2” marks the season."
        dark = "Dark season 2 · Endings and Beginnings"
        title = "Dark: Season 2: Endings and Beginnings"
        assert shown[0] == ["2", title, dark, because, "Dark"]
        assert shown[1][3] == f"{because} The same viewing as line 2."
        assert shown[2][1:4] == [
            "Inception",
            "Movie",
            "Movie, because the title has only one part.",
        ]
        assert shown[3][2] == "Movie uncertain"
        assert shown[4][2:] == ["skipped", "Skipped: a trailer or a clip, not a viewing.", ""]
        assert shown[5][2] == "failed"
        assert len(shown) == 6

    def test_a_title_is_shown_as_text(self, client, done):
        assert "&lt;b&gt;Bold&lt;/b&gt;" in page_of(client, done)

    def test_a_row_leads_to_what_it_is_in_the_library(self, client, ana, done):
        entry = LibraryEntry.objects.get(user=ana, names__name="Dark")
        assert f'<a href="{entry.get_absolute_url()}">Dark</a>' in page_of(client, done)

    @pytest.mark.parametrize(
        ("show", "lines"),
        [("all", "234567"), ("episode", "23"), ("movie", "45"), ("uncertain", "5"),
         ("skipped", "6"), ("error", "7"), ("nonsense", "234567")],
    )  # fmt: skip
    def test_rows_are_filtered_by_what_became_of_them(self, client, done, show, lines):
        shown = lines_of(page_of(client, done, show=show))
        assert "".join(row[0] for row in shown) == lines

    def test_rows_are_found_by_a_piece_of_their_title(self, client, done):
        assert [row[0] for row in lines_of(page_of(client, done, q="QORVIK"))] == ["5", "6"]
        found = lines_of(page_of(client, done, q="qorvik", show="skipped"))
        assert [row[0] for row in found] == ["6"]
        assert "No title of this file contains “zzz”" in page_of(client, done, q="zzz")

    @pytest.mark.parametrize(
        ("title", "wanted"),
        [
            ("Léto, kdy umřel Hikaru", "LETO KDY UMR"),
            ("Größe", "GROSSE"),
            ("КУХНЯ: Ёлка", "кухня елка"),
            ("進撃の巨人", "巨人"),
            ("Ωmega", "ωm"),
        ],
    )
    def test_a_search_minds_neither_case_nor_accents_in_any_script(
        self, client, ana, title, wanted
    ):
        of_import = run(submit(ana, "a.csv", history(("Other", "6/20/21"), (title, "6/19/21"))).pk)
        assert [row[1] for row in lines_of(page_of(client, of_import, q=wanted))] == [title]

    def test_its_reasons_are_in_the_language_of_who_reads_them(self, client, done, monkeypatch):
        said = {"Series, because “%(marker)s” marks the season.": "Serie wegen „%(marker)s“."}
        monkeypatch.setattr("media.sentences.gettext", lambda text: said.get(text, text))
        assert lines_of(page_of(client, done))[0][3] == "Serie wegen „Season 2“."

    def test_the_import_leads_to_it(self, client, done):
        assert f'href="{done.get_absolute_url()}rows/"' in client.get(done.get_absolute_url()).text

    def test_an_import_that_was_not_read_does_not_lead_to_it(self, client, ana):
        failed = run(submit(ana, "x.csv", b"%PDF").pk)
        assert "rows/" not in client.get(failed.get_absolute_url()).text

    def test_nobody_else_sees_it(self, client, make_user, done):
        client.force_login(make_user("ben"))
        assert client.get(f"{done.get_absolute_url()}rows/").status_code == 404

    def test_links_lead_into_ones_own_library_only(self, client, make_user, done):
        ben = make_user("ben")
        his = run(submit(ben, "history.csv", FILE).pk)
        client.force_login(ben)
        mine = LibraryEntry.objects.filter(user=done.user_id)
        html = page_of(client, his)
        assert lines_of(html)[0][4] == "Dark"
        assert not any(f'"{entry.get_absolute_url()}"' in html for entry in mine)

    def test_a_search_as_one_types_brings_the_table_alone(self, client, done):
        address = f"{done.get_absolute_url()}rows/?q=dark"
        assert "<html" not in client.get(address, headers={"HX-Request": "true"}).text


class TestPaging:
    @pytest.fixture
    def small_records(self, monkeypatch):
        monkeypatch.setattr(rows, "PER_RECORD", 7)
        monkeypatch.setattr(rows, "PER_PAGE", 10)

    def test_pages_hold_every_row_once_in_file_order(self, client, ana, small_records):
        of_import = run(submit(ana, "history.csv", long_history(95)).pk)
        assert of_import.read_rows.count() == 14
        for show in ("all", "episode", "movie", "error"):
            expected = [
                str(row.line)
                for row in read(long_history(95), Options()).rows
                if show in ("all", row.kind.value)
            ]
            shown: list[str] = []
            for page in range(1, 11):
                if len(shown) < len(expected):
                    lines = lines_of(page_of(client, of_import, show=show, page=page))
                    shown += [row[0] for row in lines]
            assert shown == expected

    def test_the_number_of_queries_does_not_grow(self, client, ana):
        numbers = []
        for size in (200, 4000):
            of_import = run(submit(ana, f"{size}.csv", long_history(size)).pk)
            for asked in ("", "?page=3&show=episode", "?q=dark"):
                with CaptureQueriesContext(connection) as queries:
                    assert (
                        client.get(f"{of_import.get_absolute_url()}rows/{asked}").status_code == 200
                    )
                numbers.append(len(queries))
        assert numbers[:3] == numbers[3:]


class TestKeeping:
    def test_reading_a_file_again_replaces_what_was_kept(self, done):
        before = list(done.read_rows.values_list("pk", flat=True))
        try_again(done)
        run(done.pk)
        assert done.read_rows.count() == 1
        assert not done.read_rows.filter(pk__in=before).exists()

    def test_it_goes_with_the_file(self, client, done):
        forget_file(done)
        assert not ReadRows.objects.exists()
        assert "This is no longer kept" in page_of(client, done)

    def test_it_goes_with_files_that_are_kept_no_longer(self, settings, done):
        settings.IMPORT_FILE_DAYS = 30
        sweeping.forget_old_files(timezone.now() + timedelta(days=29))
        assert ReadRows.objects.exists()
        sweeping.forget_old_files(timezone.now() + timedelta(days=31))
        assert not ReadRows.objects.exists()

    def test_it_goes_with_the_import(self, done):
        Import.objects.all().delete()
        assert not ReadRows.objects.exists()

    def test_what_no_database_takes_is_left_out(self):
        data = history(("Nul\0l: Season 1: \ud800".encode("utf-8", "ignore").decode(), "6/20/21"))
        ((counts, content),) = pack(read(data, Options()).rows)
        assert counts[Show.ALL.value] == 1
        assert unpack(content)[0].line == 2
