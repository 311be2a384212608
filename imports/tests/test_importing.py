from __future__ import annotations

import io
import itertools
import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from accounts.models import EventKind, User
from imports import importing, parts, sweeping
from imports.importing import ImportOptions, Refused
from imports.models import Import, ImportFile, ImportFileQuerySet, State
from imports.pages import import_page
from imports.running import Turn, advance
from imports.tests.making import BREAKING_BAD, activity, history
from media.models import LibraryEntry, Viewing
from media.pages import progress_text
from media.tests.fake_tmdb import FakeTmdb, fake_tmdb
from tmdb import client

SEASONS = {1: ["Pilot", "Cat's in the Bag"], 2: ["Seven Thirty-Seven", "Grilled"]}
TWO_PROFILES = activity(
    ("Ana", "2024-03-02 20:00:00", "00:40:00", "Breaking Bad: Season 1: Pilot (Episode 1)"),
    ("Ben", "2024-03-01 20:00:00", "01:50:00", "Inception"),
)
AMBIGUOUS = history(("Inception", "3/4/24"), ("Dark: Season 1: Secrets", "2/4/24"))


@pytest.fixture
def user(db) -> User:
    return User.objects.create_user("ana")


@pytest.fixture
def tmdb() -> Iterator[FakeTmdb]:
    with fake_tmdb() as fake:
        fake.add(1396, "Breaking Bad", SEASONS)
        yield fake


def import_file(user: User, data: bytes, name: str = "NetflixViewingHistory.csv", **options):
    made = importing.submit(user, name, data, ImportOptions(**options))
    return importing.run(made.pk)


def shown(title: str) -> str:
    entry = LibraryEntry.objects.select_related("media").get(media__title=title)
    return progress_text(entry.watched_episodes_count, entry.media.total_episodes)


class TestTheOwnersScenarios:
    def test_a_known_series_shows_how_many_of_how_many(self, user, tmdb):
        done = import_file(user, BREAKING_BAD)
        assert done.state == State.DONE
        assert shown("Breaking Bad") == "3/4 episodes"
        assert (done.series_total, done.series_matched) == (1, 1)

    def test_an_obscure_series_shows_how_many(self, user, tmdb):
        rows = [(f"Our Holidays 2003: Season 1: Day {n}", f"6/{n}/21") for n in range(13, 18)]
        done = import_file(user, history(*rows))
        assert (done.state, done.series_not_found) == (State.DONE, 1)
        assert shown("Our Holidays 2003") == "5 episodes"

    @pytest.mark.parametrize(
        ("status", "body"), [(401, None), (503, None), (200, "<html>nonsense"), (200, "[]")]
    )
    def test_a_failing_tmdb_stops_no_import_and_a_later_run_fills_in(
        self, user, tmdb, monkeypatch, caplog, status, body
    ):
        monkeypatch.setattr("tmdb.throttle.sleep", lambda seconds: None)
        tmdb.status, tmdb.body = status, body
        assert import_file(user, BREAKING_BAD).state == State.DONE
        assert shown("Breaking Bad") == "3 episodes"
        assert any(record.levelname in ("WARNING", "ERROR") for record in caplog.records)
        tmdb.status, tmdb.body = 200, None
        client.reset()
        call_command("match", "--pending", stdout=io.StringIO())
        assert shown("Breaking Bad") == "3/4 episodes"

    def test_movies_cause_no_call(self, user, tmdb):
        import_file(user, BREAKING_BAD)
        assert tmdb.searches == ["Breaking Bad"]

    def test_a_name_known_already_causes_no_call(self, user, tmdb):
        import_file(user, BREAKING_BAD)
        asked = len(tmdb.asked)
        other = User.objects.create_user("ben")
        import_file(other, BREAKING_BAD)
        assert len(tmdb.asked) == asked
        assert LibraryEntry.objects.filter(media__tmdb_id=1396).count() == 2


class TestSubmitting:
    def test_the_same_file_while_active_is_one_import(self, user):
        first = importing.submit(user, "a.csv", BREAKING_BAD)
        assert importing.submit(user, "copy of a.csv", BREAKING_BAD) == first
        other = importing.submit(user, "a.csv", BREAKING_BAD, ImportOptions(date_order="mdy"))
        assert other != first

    def test_the_same_file_twice_changes_nothing(self, user, tmdb):
        import_file(user, BREAKING_BAD)
        before = list(Viewing.objects.order_by("pk").values())
        again = import_file(user, BREAKING_BAD)
        assert list(Viewing.objects.order_by("pk").values()) == before
        assert (again.rows_new, again.rows_known, again.series_total) == (0, 4, 0)

    @pytest.mark.parametrize("data", [b"", b"x" * 101])
    def test_what_is_empty_or_too_large_is_refused(self, user, settings, data):
        settings.IMPORT_MAX_BYTES = 100
        with pytest.raises(Refused):
            importing.submit(user, "a.csv", data)
        assert not Import.objects.exists()

    def test_one_account_cannot_fill_the_disk(self, user, settings, monkeypatch):
        """The oldest files go, those of others and of imports that still run stay."""
        monkeypatch.setattr(importing, "KEPT_FILES", 3)
        settings.IMPORT_MAX_BYTES = 1000
        other = import_file(
            User.objects.create_user("ben"), TWO_PROFILES.ljust(1000), profile="Ana"
        )
        waiting = importing.submit(user, "waits.csv", AMBIGUOUS.ljust(1000))
        imports = [
            import_file(user, history(("Roma", f"1/{n}/20")).ljust(990)) for n in (13, 14, 15, 16)
        ]
        kept = ImportFile.objects.values_list("of_import", flat=True)
        assert set(kept) == {other.pk, waiting.pk, *(one.pk for one in imports[1:])}
        assert not imports[0].read_rows.exists()
        assert user.viewings.count() == 4

    def test_a_file_of_another_kind_fails_and_says_what_it_is(self, user):
        failed = import_file(
            user, b"Profile Name,Title Name,Rating Type,Star Value\nAna,Dark,x,5\n"
        )
        assert failed.state == State.FAILED
        assert "Ratings" in failed.error
        assert not Viewing.objects.exists()


class TestQuestions:
    def test_several_profiles_ask_which(self, user):
        asking = import_file(user, TWO_PROFILES, "ViewingActivity.csv")
        assert asking.state == State.NEEDS_ANSWER
        assert not Viewing.objects.exists()
        (question,) = asking.question["questions"]
        assert {choice["value"] for choice in question["choices"]} >= {"Ana", "Ben", "all"}
        importing.answer(asking, profile="Ana")
        asking.refresh_from_db()
        assert asking.state == State.DONE
        assert [viewing.profile for viewing in Viewing.objects.all()] == ["Ana"]

    def test_an_ambiguous_date_order_asks_which(self, user):
        asking = import_file(user, AMBIGUOUS)
        assert asking.state == State.NEEDS_ANSWER
        importing.answer(asking, date_order="dmy")
        assert set(Viewing.objects.values_list("day", flat=True)) == {
            date(2024, 4, 3),
            date(2024, 4, 2),
        }

    def test_an_answer_that_makes_it_a_twin_of_an_active_import_is_refused(self, user):
        asking = import_file(user, AMBIGUOUS)
        importing.submit(user, "x.csv", AMBIGUOUS, ImportOptions(date_order="dmy"))
        with pytest.raises(Refused):
            importing.answer(asking, date_order="dmy")


class TestEnding:
    def test_a_cancelled_import_is_not_run(self, user):
        made = importing.submit(user, "a.csv", BREAKING_BAD)
        assert importing.cancel(made)
        assert importing.run(made.pk).state == State.CANCELLED
        assert not Viewing.objects.exists()
        assert not importing.cancel(made)

    def test_cancelling_while_looking_up_keeps_what_is_stored(self, user, tmdb):
        made = importing.submit(user, "a.csv", BREAKING_BAD)

        def cancel(of_import: Import) -> None:
            if of_import.state == State.LOOKING_UP:
                importing.cancel(of_import)

        assert importing.run(made.pk, on_progress=cancel).state == State.CANCELLED
        assert tmdb.asked == []
        assert Viewing.objects.count() == 4

    def test_undoing_leaves_the_worker_to_others_after_its_time(self, user, monkeypatch):
        monkeypatch.setattr(parts, "TITLES", 1)
        made = import_file(user, BREAKING_BAD)
        monkeypatch.setattr(importing, "start", lambda of_import: True)
        importing.undo(made)
        turns = [advance(made.pk, seconds=0) for _ in range(6)]
        assert turns == [Turn.PAUSED] * 4 + [Turn.ENDED] + [Turn.NOT_MINE]
        made.refresh_from_db()
        assert made.state == State.UNDONE

    def test_an_unforeseen_error_fails_the_import_and_says_so(self, user, monkeypatch, caplog):
        def explode(*args):
            raise ZeroDivisionError

        monkeypatch.setattr("imports.running.take", explode)
        made = importing.submit(user, "a.csv", BREAKING_BAD)
        failed = importing.run(made.pk)
        assert (failed.state, bool(failed.error)) == (State.FAILED, True)
        assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("size", [1, 9, 10, 11, 20, 25])
def test_a_file_comes_out_of_the_database_as_it_went_in(user, monkeypatch, size):
    monkeypatch.setattr(ImportFileQuerySet, "SLICE", 10)
    data = bytes(range(200, 200 + size))
    made = importing.submit(user, "a.csv", data)
    assert ImportFile.objects.content_of(made) == data
    importing.cancel(made)
    importing.forget_file(made)
    assert ImportFile.objects.content_of(made) is None


class TestWhatTheAccountShowsAfterwards:
    @pytest.fixture
    def done(self, user):
        return import_file(user, BREAKING_BAD, "history.csv")

    @pytest.fixture
    def from_home(self, rf):
        return rf.post("/", REMOTE_ADDR="127.0.0.7")

    def events(self, user):
        return list(user.events.values_list("kind", "subject", "address"))

    def test_that_an_import_was_undone_and_from_where(self, user, done, from_home):
        assert importing.undo(done, request=from_home)
        assert not importing.undo(done, request=from_home)
        assert self.events(user) == [(EventKind.IMPORT_UNDONE, "history.csv", "127.0.0.7")]

    def test_that_a_file_was_deleted_and_from_where(self, user, done, from_home):
        assert importing.forget_file(done, request=from_home)
        assert not importing.forget_file(done, request=from_home)
        assert self.events(user) == [(EventKind.FILE_DELETED, "history.csv", "127.0.0.7")]

    def test_not_that_an_old_file_went_by_itself(self, user, done):
        Import.objects.update(created_at=timezone.now() - timedelta(days=365))
        sweeping.forget_old_files(timezone.now())
        assert not ImportFile.objects.exists()
        assert self.events(user) == []


class TestCounting:
    """Each series counts once in an import, and what became of it is told as it is now."""

    DATA = history(*((f"Series {n}: Season 1: Pilot", f"6/{n}/21") for n in range(13, 19)))

    def page(self, of_import: Import) -> dict[str, int]:
        page = import_page(Import.objects.get(pk=of_import.pk))
        return {fact.label: fact.value for fact in page.series}

    def labels(self, of_import: Import) -> list[str]:
        page = import_page(Import.objects.get(pk=of_import.pk))
        return [action.label for action in page.actions]

    def test_a_series_that_fails_is_not_tried_twice_in_one_import(
        self, user, tmdb, monkeypatch, settings
    ):
        """Not even in one that takes longer than the wait before the next try."""
        settings.TMDB_PARALLEL = 1
        monkeypatch.setattr("tmdb.throttle.sleep", lambda seconds: None)
        monkeypatch.setattr("media.lookup.FIRST_RETRY", timedelta())
        tmdb.status = 503
        of_import = importing.submit(user, "NetflixViewingHistory.csv", self.DATA)
        while of_import.is_active:
            # One series at a time.
            advance(of_import.pk, seconds=0)
            of_import.refresh_from_db()
            if of_import.series_failed == 2:
                tmdb.status = 200
        counted = (of_import.series_failed, of_import.series_done, of_import.series_total)
        assert counted == (2, 6, 6)

    def test_what_is_settled_later_no_longer_waits(self, user, tmdb, monkeypatch):
        monkeypatch.setattr("tmdb.throttle.sleep", lambda seconds: None)
        tmdb.status = 503
        done = import_file(user, self.DATA)
        assert done.series_failed > 0
        assert self.page(done)["waiting"] == 6
        assert "Try the failed ones again" in self.labels(done)
        tmdb.status = 200
        client.reset()
        LibraryEntry.objects.waiting().update(next_lookup_at=None)
        sweeping.retry_look_ups(timezone.now())
        shown = self.page(done)
        assert (shown["waiting"], shown["settled since then"]) == (0, 6)
        assert "Try the failed ones again" not in self.labels(done)


class TestRetries:
    """What TMDB did not answer about is asked again by itself."""

    DATA = history(
        ("Breaking Bad: Season 2: Seven Thirty-Seven", "6/20/21"),
        ("Breaking Bad: Season 1: Pilot", "6/19/21"),
        ("Breaking Bad: Grilled", "6/18/21"),
    )

    @pytest.fixture
    def failed(self, user, tmdb, monkeypatch):
        monkeypatch.setattr("tmdb.throttle.sleep", lambda seconds: None)
        tmdb.status = 503
        import_file(user, self.DATA)
        tmdb.status = 200
        return Viewing.objects.never_asked_about().get()

    @pytest.mark.parametrize("which", ["--pending", "--all"])
    def test_doubtful_titles_by_the_command(self, user, tmdb, settings, which):
        key, settings.TMDB_API_KEY = settings.TMDB_API_KEY, ""
        import_file(user, self.DATA)
        settings.TMDB_API_KEY = key
        out = io.StringIO()
        call_command("match", which, "--user", "ana", stdout=out)
        assert "1 of 1 doubtful titles settled" in out.getvalue()
        found = Viewing.objects.get(raw_title="Breaking Bad: Grilled")
        assert (found.kind, found.tmdb_season, found.reading_uncertain) == ("episode", 2, False)

    def test_doubtful_titles_with_their_series(self, failed):
        LibraryEntry.objects.waiting().update(next_lookup_at=timezone.now())
        sweeping.retry_look_ups(timezone.now())
        failed.refresh_from_db()
        assert (failed.kind, failed.tmdb_season, failed.reading_uncertain) == ("episode", 2, False)
        assert shown("Breaking Bad") == "3/4 episodes"

    def test_doubtful_titles_of_series_that_are_settled(self, failed):
        LibraryEntry.objects.waiting().update(lookup_status="ignored", next_lookup_at=None)
        sweeping.retry_look_ups(timezone.now())
        failed.refresh_from_db()
        assert (failed.kind, failed.reading_uncertain) == ("episode", False)

    def test_doubtful_titles_every_hour(self, failed, settings):
        settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
        LibraryEntry.objects.waiting().update(lookup_status="ignored", next_lookup_at=None)
        now = timezone.now()
        for minutes, tasks in ((0, 1), (30, 1), (61, 2)):
            sweeping.retry_look_ups(now + timedelta(minutes=minutes))
            assert DBTaskResult.objects.count() == tasks
            DBTaskResult.objects.update(status="SUCCESSFUL", finished_at=now)

    def test_no_titles_of_an_import_that_was_cancelled(self, failed, settings):
        settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
        LibraryEntry.objects.waiting().update(lookup_status="ignored", next_lookup_at=None)
        Import.objects.update(look_up=False)
        sweeping.retry_look_ups(timezone.now())
        assert not DBTaskResult.objects.exists()


class TestSpellings:
    """Exports from before and after 2022 write one episode otherwise (rule 7)."""

    def test_both_give_the_same_progress_without_tmdb(self, user):
        titles = ("Secrets", "Lies", "Past and Present", "Double Lives", "Truths", "Alpha")
        old = [(f"Dark: Season 1: {title}", f"6/{20 - n}/21") for n, title in enumerate(titles)]
        new = [(f"Dark: {title}", f"6/{20 - n}/23") for n, title in enumerate(titles)]
        import_file(user, history(*old))
        assert shown("Dark") == "6 episodes"
        import_file(user, history(*new))
        assert shown("Dark") == "6 episodes"
        ben = User.objects.create_user("ben")
        import_file(ben, history(*new))
        assert LibraryEntry.objects.get(user=ben).watched_episodes_count == 6


class TestCommand:
    @pytest.fixture
    def write(self, tmp_path):
        def write(name: str, data: bytes) -> str:
            path: Path = tmp_path / name
            path.write_bytes(data)
            return str(path)

        return write

    def run(self, *arguments: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        code = 0
        try:
            call_command("import", *arguments, stdout=out, stderr=err)
        except SystemExit as stop:
            code = int(stop.code or 0)
        return code, out.getvalue(), err.getvalue()

    def test_it_runs_to_the_end_in_the_foreground(self, user, tmdb, write):
        code, out, err = self.run(write("a.csv", BREAKING_BAD), "--user", "ana")
        assert (code, err) == (0, "")
        assert "4 rows: 4 new" in out
        assert "1 matched" in out
        assert shown("Breaking Bad") == "3/4 episodes"

    def on_terminal(self, *arguments: str, columns: int = 200) -> list[str]:
        """What stood in the line that rewrites itself, one after the other."""

        class Terminal(io.StringIO):
            def isatty(self):
                return True

        out = Terminal()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("COLUMNS", str(columns))
            call_command("import", *arguments, stdout=out)
        *lines, _summary = out.getvalue().split("\r\x1b[K")
        return [line for line, _same in itertools.groupby(lines[1:])]

    def test_a_terminal_shows_step_and_counts_as_they_grow(self, user, tmdb, write, monkeypatch):
        monkeypatch.setattr(parts, "TITLES", 3)
        series = [f"Unknown {letter}" for letter in "abcdef"]
        rows = [(f"{name}: Season 1: Pilot", "6/20/21") for name in series]
        data = history(*rows, rows[0], ("Breaking Bad: Season 1: Pilot", "6/18/21"), ("", "x"))
        lines = self.on_terminal(write("a.csv", data), "--user", "ana")
        told = [re.sub(r", about \d+ seconds left", ", TIME LEFT", line) for line in lines]
        assert told[:5] == [
            "a.csv: Reading the file",
            "a.csv: 0 of 9 rows stored",
            "a.csv: 5 of 9 rows stored, TIME LEFT: 3 new, 1 repeated, 1 failed",
            "a.csv: 8 of 9 rows stored, TIME LEFT: 6 new, 1 repeated, 1 failed",
            "a.csv: 9 of 9 rows stored: 7 new, 1 repeated, 1 failed",
        ]
        assert [line.partition(" series looked up")[0] for line in told[5:-1]] == [
            f"a.csv: {done} of 7" for done in range(8)
        ]
        assert told[5].endswith(": 7 waiting")
        assert "TIME LEFT" in told[-3]
        assert told[-2:] == [
            "a.csv: 7 of 7 series looked up: 1 matched, 6 not found",
            "a.csv: 7 new viewings in your library",
        ]

    def test_a_line_on_a_terminal_is_never_wider_than_it(self, user, tmdb, write):
        lines = self.on_terminal(write("a.csv", BREAKING_BAD), "--user", "ana", columns=30)
        assert max(map(len, lines)) == 29

    @pytest.mark.parametrize("is_read", [True, False])
    def test_what_waits_to_be_confirmed_in_the_browser_is_imported(
        self, user, tmdb, write, is_read
    ):
        looked_at = importing.submit(user, "a.csv", BREAKING_BAD, preview_first=True)
        if is_read:
            assert importing.run(looked_at.pk).state == State.NEEDS_ANSWER
        code, out, _ = self.run(write("a.csv", BREAKING_BAD), "--user", "ana")
        assert (code, Viewing.objects.count()) == (0, 4)
        assert "4 rows: 4 new" in out
        assert Import.objects.get().state == State.DONE

    def test_what_waits_for_an_answer_in_the_browser_goes_on_waiting(self, user, write):
        asked = importing.submit(user, "a.csv", TWO_PROFILES)
        assert importing.run(asked.pk).state == State.NEEDS_ANSWER
        assert self.run(write("a.csv", TWO_PROFILES), "--user", "ana")[0] == 2
        assert Import.objects.get().state == State.NEEDS_ANSWER

    def test_no_lookup_asks_nothing(self, user, tmdb, write):
        self.run(write("a.csv", BREAKING_BAD), "--user", "ana", "--no-lookup")
        assert tmdb.asked == []

    def test_a_failing_file_does_not_stop_the_others(self, user, write):
        code, _, err = self.run(
            write("a.csv", b"\x89PNG\r\n\x1a\n"),
            write("b.csv", BREAKING_BAD),
            "/nowhere/c.csv",
            "--user",
            "ana",
        )
        assert code == 1
        assert len(err.splitlines()) == 2
        assert Viewing.objects.count() == 4

    @pytest.mark.parametrize(
        ("data", "question", "hint", "choices", "answer"),
        [
            (
                TWO_PROFILES,
                "the viewings of 2 profiles",
                "--profile",
                ["Ana: Ana (rows: 1)", "Ben: Ben (rows: 1)", "all: All profiles (rows: 2)"],
                ["--profile", "all"],
            ),
            (
                AMBIGUOUS,
                "the month or the day first",
                "--date-order",
                ["dmy: day/month/year: watched from ", "mdy: month/day/year: watched from "],
                ["--date-order", "dmy"],
            ),
        ],
    )
    def test_a_question_is_asked_with_its_choices_and_leaves_nothing(
        self, user, write, data, question, hint, choices, answer
    ):
        path = write("a.csv", data)
        for how in ([], ["--dry-run"]):
            code, _, err = self.run(path, "--user", "ana", *how)
            assert code == 2
            asked, *lines = err.splitlines()
            assert question in asked
            assert hint in asked
            assert len(lines) == len(choices)
            assert all(map(str.startswith, map(str.strip, lines), choices))
            assert "{" not in err
        assert not Import.objects.exists()
        assert self.run(path, "--user", "ana", *answer)[0] == 0
        assert Viewing.objects.exists()

    def test_minimum_minutes(self, user, write):
        path = write("a.csv", activity(("A", "2024-03-02 20:00:00", "00:03:00", "Inception")))
        self.run(path, "--user", "ana", "--min-minutes", "5")
        assert not Viewing.objects.exists()
        assert self.run(path, "--user", "ana")[0] == 0
        assert Viewing.objects.get().duration_seconds == 180

    @pytest.mark.parametrize(
        ("of_user", "chosen", "counts"),
        [(None, [], True), (5, [], False), (5, ["--min-minutes", "1"], True), (0, [], True)],
    )
    def test_the_minimum_is_the_users_own_unless_one_is_given(
        self, user, write, settings, of_user, chosen, counts
    ):
        settings.IMPORT_MIN_MINUTES = 2 if of_user is None else 4
        user.min_minutes = of_user
        user.save()
        path = write("a.csv", activity(("A", "2024-03-02 20:00:00", "00:03:00", "Inception")))
        dry = ["--dry-run", "--format", "jsonl"]
        _, out, _ = self.run(path, "--user", "ana", *dry, *chosen)
        assert (json.loads(out)["kind"] == "movie") is counts
        self.run(path, "--user", "ana", *chosen)
        assert Viewing.objects.exists() is counts

    def test_it_needs_a_user_that_exists(self, user, write):
        path = write("a.csv", BREAKING_BAD)
        with pytest.raises(CommandError, match="--user"):
            self.run(path)
        with pytest.raises(CommandError, match="ana"):
            self.run(path, "--user", "zoe")

    def test_a_dry_run_writes_and_asks_nothing(self, db, tmdb, write):
        code, out, _ = self.run(write("a.csv", BREAKING_BAD), "--dry-run", "--format", "jsonl")
        assert code == 0
        assert tmdb.asked == []
        assert not Import.objects.exists()
        rows = [json.loads(line) for line in out.splitlines()]
        assert [row["line"] for row in rows] == [2, 3, 4, 5]
        assert rows[0] == {
            "file": "a.csv",
            "line": 2,
            "title": "Breaking Bad: Season 2: Seven Thirty-Seven",
            "kind": "episode",
            "series": "Breaking Bad",
            "language": "en",
            "season_number": 2,
            "season_inferred": False,
            "season_name": "Season 2",
            "episode_number": None,
            "episode_title": "Seven Thirty-Seven",
            "watched_on": "2021-06-20",
            "reading_uncertain": False,
            "alternative": None,
            "same_viewing_as": None,
            "reason": rows[0]["reason"],
        }
        assert "Season 2" in rows[0]["reason"]

    def test_a_dry_run_shows_a_line_for_each_row_and_what_it_was_read_with(self, db, write):
        data = activity(
            ("Ana", "2024-03-02 20:00:00", "00:40:00", "Dark: Season 1: Secrets (Episode 1)"),
            ("Ana", "2024-03-02 21:00:00", "00:00:40", "Roma\n\x1b[31m"),
            ("Ben", "2024-03-01 20:00:00", "01:50:00", "Kevin Hart: Qarvik: Northbound"),
        )
        path = write("a.csv", data)
        code, out, _ = self.run(path, "--dry-run", "--profile", "all", "--min-minutes", "1.5")
        assert code == 0
        because = "Movie, because “Kevin Hart” is a performer with programmes of their own."
        assert out.splitlines() == [
            "2: Dark: Season 1: Secrets (Episode 1) → episode of Dark, season 1: Secrets. "
            "Series, because “Season 1” marks the season.",
            "3: Roma [31m → Skipped as too short: played for 40 seconds that day, the minimum is "
            "90.",
            "5: Kevin Hart: Qarvik: Northbound → movie (uncertain, perhaps episode of Kevin Hart: "
            f"Qarvik, season 1: Northbound). {because}",
            "a.csv: 3 rows: 1 of episodes of 1 series, 1 of movies, 1 skipped, 0 not readable, 1 "
            "uncertain.",
            "a.csv: Dates are read as year/month/day: '2024-03-02 20:00:00' begins with the year.",
            "a.csv: Rows by profile: Ana 2, Ben 1.",
            "a.csv: The shortest play that counts: 1.5 minutes.",
        ]

    def test_a_dry_run_tells_an_inferred_season_and_what_cannot_be_read(self, db, write):
        path = write("a.csv", history(("Glory: Episode 3", "3/24/24"), ("Roma", "never")))
        _, out, _ = self.run(path, "--dry-run")
        assert out.splitlines()[:2] == [
            "2: Glory: Episode 3 → episode of Glory, season 1?: Episode 3. "
            "Series, because “Episode 3” counts an episode.",
            "3: Roma → not readable. 'never' is no date when read as month/day/year.",
        ]

    def test_a_dry_run_with_a_question_shows_rows_and_ends_with_two(self, db, write):
        code, out, err = self.run(write("a.csv", AMBIGUOUS), "--dry-run", "--format", "jsonl")
        assert code == 2
        assert len(out.splitlines()) == 2
        assert "--date-order" in err

    def test_a_dry_run_uses_what_the_library_knows(self, user, write):
        import_file(user, history(("Dark: Season 2: Gamma", "6/20/21")))
        path = write("a.csv", history(("Dark: Gamma", "6/20/21")))
        _, alone, _ = self.run(path, "--dry-run", "--format", "jsonl")
        _, known, _ = self.run(path, "--dry-run", "--format", "jsonl", "--user", "ana")
        assert json.loads(alone)["kind"] == "movie"
        assert json.loads(known)["kind"] == "episode"


def test_every_shared_export_is_imported_and_accounted_for(user, shared_folder):
    """No file crashes, and imported + already there + skipped + failed = data rows."""
    facts = json.loads((shared_folder / "exports" / "files.json").read_text())
    for fact in facts:
        path = shared_folder / "exports" / fact["file"]
        done = import_file(user, path.read_bytes(), path.name, profile="all")
        assert done.state == State.DONE, path.name
        assert done.rows == fact["rows"], path.name
        assert done.rows == (
            done.rows_new
            + done.rows_known
            + done.rows_repeated
            + done.rows_skipped
            + done.rows_failed
        ), path.name
