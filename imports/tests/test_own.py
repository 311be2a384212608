"""A library exported and imported again."""

from __future__ import annotations

import itertools
import json
import tracemalloc
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from django.db.models import F
from django.urls import reverse
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from accounts.preferences import PreferencesForm
from imports import own, stopping
from imports.importing import confirm, run, submit, undo
from imports.models import State
from imports.running import Turn, advance
from imports.tests.making import activity, history
from media import deciding, library, marking
from media.exporting import export_lines
from media.keys import digest, fingerprint
from media.models import (
    DecidedBy,
    Decision,
    EntryName,
    Episode,
    LibraryEntry,
    LookupStatus,
    Media,
    Season,
    Viewing,
    ViewingKind,
)
from media.tests.shelf import add_movie, add_series

pytestmark = pytest.mark.django_db


def name_by_day(user):
    """Give viewings made for tests the fingerprint that imports give."""
    for viewing in Viewing.objects.filter(user=user):
        Viewing.objects.filter(pk=viewing.pk).update(
            fingerprint=fingerprint(viewing.title_hash, viewing.day)
        )


@pytest.fixture
def ana(make_user):
    """Somebody who has one of everything."""
    user = make_user("ana")
    run(
        submit(
            user,
            "a.csv",
            history(
                ("Dark: Season 1: Secrets", "6/18/21"),
                ("Dark: Season 1: Lies", "6/19/21"),
                ("Roma", "6/17/21"),
                ("Komi Can't Communicate: Season 1: It's Just, I Want to Speak.", "6/16/21"),
                ('=HYPERLINK("http://evil")', "6/15/21"),
            ),
        ).pk
    )
    run(
        submit(
            user,
            "b.csv",
            activity(
                ("Kids", "2021-06-18 20:00:00", "00:50:00", "Dark: Season 1: Secrets (Episode 1)"),
            ),
        ).pk
    )
    bad = add_series(user, "Breaking Bad", [7, 13], 9)
    first = bad.viewings.order_by("pk")[0]
    Viewing.objects.filter(pk=first.pk).update(dismissed_at=datetime(2024, 5, 6, tzinfo=UTC))
    name = bad.names.get()
    by_hand = Viewing.objects.create(
        user=user,
        entry=bad,
        name=name,
        kind=ViewingKind.EPISODE,
        raw_title="Breaking Bad: S2E13",
        title_hash=digest("\nby hand"),
        fingerprint=fingerprint(digest("\nby hand"), None),
        source="manual",
        season_number=2,
        episode_number=13,
        tmdb_season=2,
    )
    by_hand.tmdb_episodes.add(bad.media.seasons.get(number=2).episodes.get(number=13))
    library.recount([bad.pk])
    add_series(user, "Narcos", [3], 3)
    deciding.hide(add_movie(user, "Hidden Film"), hidden=True)
    deciding.ignore(add_series(user, "My Home Videos", watched=2), DecidedBy.USER)
    unsure = add_series(user, "Unsure", watched=1)
    LibraryEntry.objects.filter(pk=unsure.pk).update(
        lookup_status="uncertain",
        candidates=[
            {
                "tmdb_id": 5,
                "name": "Unsure",
                "original_name": "",
                "year": 2001,
                "countries": ["DE"],
                "poster_path": "/a.jpg",
                "seasons": 1,
                "episodes": 3,
                "score": 50.0,
                "parts": [],
            }
        ],
    )
    film = add_movie(user, "Dark: A Look Back")
    EntryName.objects.filter(entry=film).update(
        decision=Decision.SERIES,
        decided_by=DecidedBy.USER,
        decided_series=EntryName.objects.get(user=user, key="dark", media_type="tv_series"),
    )
    name_by_day(user)
    return user


def exported(user):
    return ("\n".join(export_lines(user)) + "\n").encode()


def comparable(user):
    """What the export says, without numbers of rows."""
    lines = [json.loads(line) for line in export_lines(user)]
    titles = {line["id"]: line["title"] for line in lines if line["type"] == "media"}
    for line in lines:
        if line["type"] == "media":
            del line["id"]
            line["decisions"].sort(key=lambda name: name["key"])
            line["names"].sort()
        else:
            line["media_id"] = titles[line["media_id"]]
    return sorted(json.dumps(line, sort_keys=True) for line in lines)


def peak_of_reading(content):
    """How many bytes reading a file takes at once, the file itself apart."""
    tracemalloc.start()
    try:
        own.findings(content)
        own.preview(content, user_id=0)
        for _part in own.cut(content):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def restore(user, content):
    return run(submit(user, "watchlog.jsonl", content).pk)


def test_the_library_comes_back_whole_in_an_empty_account(ana, make_user):
    ben = make_user("ben")
    done = restore(ben, exported(ana))
    assert done.state == State.DONE
    assert (done.rows_failed, done.rows_new) == (0, ana.viewings.count())
    assert done.rows == done.rows_new
    assert comparable(ben) == comparable(ana)


# Numbers of rows, which stand for the rows compared beside them, and when TMDB is asked next.
NOT_COMPARED = {"id", "user_id", "lookup_attempts", "next_lookup_at", "doubt_asked_at"}


def columns(user):
    """Every column of every row of a library, without numbers of rows."""
    rows = []
    for model in (LibraryEntry, EntryName, Viewing):
        for row in model.objects.filter(user=user):
            values = {
                field.name: getattr(row, field.name if field.is_relation else field.attname)
                for field in model._meta.fields
                if field.attname not in NOT_COMPARED
            }
            for name, value in values.items():
                match value:
                    case LibraryEntry():
                        values[name] = sorted(value.names.values_list("media_type", "key"))
                    case EntryName():
                        values[name] = (value.media_type, value.key)
                    case Media():
                        values[name] = (value.media_type, value.title, value.tmdb_id)
            if isinstance(row, Viewing):
                if row.dismissed_at is not None:
                    # What is not shown is counted nowhere, and keeps what it was counted as.
                    del values["seen_first"], values["seen_again"]
                values["tmdb_episodes"] = sorted(row.tmdb_episodes.values_list("pk", flat=True))
            rows.append((model.__name__, sorted((k, str(v)) for k, v in values.items())))
    return sorted(rows)


def test_every_column_of_the_library_comes_back(ana, make_user):
    other = add_series(ana, "Breaking Bad (OmU)", watched=2)
    deciding.merge(other, ana.library.get(names__name="Breaking Bad"))
    deciding.match_to(ana.library.get(names__name="My Home Videos"), 77, DecidedBy.USER)
    name_by_day(ana)
    ben = make_user("ben")
    restore(ben, exported(ana))
    assert columns(ben) == columns(ana)


def test_everything_of_interest_is_in_that_library(ana):
    entries = LibraryEntry.objects.of(ana)
    assert entries.hidden().exists()
    assert set(entries.values_list("lookup_status", flat=True)) >= {
        "ignored",
        "uncertain",
        "matched",
        "not_needed",
    }
    viewings = ana.viewings
    assert viewings.filter(dismissed_at__isnull=False).exists()
    assert viewings.filter(source="manual", day__isnull=True).exists()
    assert viewings.filter(profile="Kids", duration_seconds=3000).exists()
    assert viewings.filter(listed_on__isnull=False, watched_at__isnull=False).exists()
    assert EntryName.objects.filter(user=ana, decided_series__isnull=False).exists()


def test_the_counts_are_the_same_and_right(ana, make_user):
    ben = make_user("ben")
    restore(ben, exported(ana))
    entries = LibraryEntry.objects.of(ben)
    counted = library.count(list(entries.values_list("pk", flat=True)))
    for entry in entries:
        assert counted[entry.pk].episodes == entry.watched_episodes_count
    assert (
        not LibraryEntry.objects.filter(media__owner__isnull=False)
        .exclude(media__owner=F("user"))
        .exists()
    )


def test_a_second_time_adds_nothing(ana):
    before = comparable(ana)
    done = restore(ana, exported(ana))
    assert (done.rows_new, done.rows_known) == (0, ana.viewings.count())
    assert comparable(ana) == before


def test_the_netflix_file_afterwards_adds_nothing(ana, make_user):
    ben = make_user("ben")
    restore(ben, exported(ana))
    done = run(submit(ben, "a.csv", history(("Dark: Season 1: Secrets", "6/18/21"))).pk)
    assert (done.rows_new, done.rows_known) == (0, 1)


def test_undoing_it_leaves_marks_and_decisions_by_hand(ana, make_user):
    ben = make_user("ben")
    done = restore(ben, exported(ana))
    undo(done)
    run(done.pk)
    done.refresh_from_db()
    assert done.state == State.UNDONE
    left = ben.viewings.values_list("source", "dismissed_at")
    assert left
    assert all(source == "manual" or dismissed for source, dismissed in left)
    assert LibraryEntry.objects.of(ben).filter(lookup_status="ignored").exists()


def test_a_preview_tells_what_would_come_and_stores_nothing(ana, make_user):
    ben = make_user("ben")
    waiting = submit(ben, "watchlog.jsonl", exported(ana), preview_first=True)
    waiting = run(waiting.pk)
    assert waiting.state == State.NEEDS_ANSWER
    assert waiting.preview is not None
    assert waiting.preview["new"] == ana.viewings.count()
    assert not ben.library.exists()
    confirm(waiting)
    run(waiting.pk)
    assert comparable(ben) == comparable(ana)


@pytest.mark.parametrize("preview_first", [False, True])
def test_a_worker_that_is_to_stop_breaks_off_reading_at_any_line(
    ana, make_user, monkeypatch, preview_first
):
    """Each time a few lines later, until it has read the file as often as it has to."""
    content = exported(ana)
    of_file = len(content.splitlines())
    ben = make_user("ben")
    made = submit(ben, "watchlog.jsonl", content, preview_first=preview_first)
    parse, read = own._parsed, []

    def parse_or_stop(line):
        read.append(line)
        if len(read) == stop_at:
            stopping.ask()
        return parse(line)

    monkeypatch.setattr(own, "_parsed", parse_or_stop)
    # The line that tells what file it is comes before.
    for stop_at in itertools.count(2, 3):
        read.clear()
        monkeypatch.setattr(stopping, "_asked", False)
        turn = advance(made.pk)
        if turn is Turn.ENDED:
            break
        assert (turn, len(read)) == (Turn.PAUSED, stop_at)
        made.refresh_from_db()
        assert (made.state, made.leased_until) == (State.READING, None)
    times = 2 if preview_first else 4
    assert times * of_file < stop_at <= times * of_file + 4
    monkeypatch.setattr(own, "_parsed", parse)
    made.refresh_from_db()
    if preview_first:
        assert made.preview is not None
        assert made.preview["new"] == ana.viewings.count()
        confirm(made)
        run(made.pk)
    assert comparable(ben) == comparable(ana)


CHOSEN = {
    "language": "de",
    "title_language": "pt-br",
    "time_zone": "Asia/Tokyo",
    "min_minutes": 7.5,
    "library_view": "table",
    "posters": "none",
}


def preferences(user):
    return User.objects.values(*CHOSEN).get(pk=user.pk)


class TestPreferences:
    @pytest.fixture(autouse=True)
    def _language(self):
        """Pages are shown in the language that was chosen, and the next test's are not."""
        with translation.override("en"):
            yield

    @pytest.fixture
    def content(self, ana, client):
        """All that the account page gives, of somebody who set everything."""
        User.objects.filter(pk=ana.pk).update(**CHOSEN)
        client.force_login(User.objects.get(pk=ana.pk))
        return client.get(reverse("download")).getvalue()

    def changed(self, content, **changes):
        lines = [json.loads(line) for line in content.splitlines()]
        for line in lines:
            if line["type"] == "account":
                line |= changes
        return "\n".join(json.dumps(line) for line in lines).encode()

    def test_no_preference_is_left_out(self):
        assert set(CHOSEN) == set(PreferencesForm.Meta.fields)

    def test_they_come_back_with_the_library(self, ana, content, make_user):
        ben = make_user("ben")
        done = restore(ben, content)
        assert (done.state, done.rows_failed) == (State.DONE, 0)
        assert preferences(ben) == CHOSEN
        assert columns(ben) == columns(ana)
        assert comparable(ben) == comparable(ana)

    def test_what_the_account_set_itself_stays(self, content, make_user):
        ben = make_user("ben", time_zone="Europe/Berlin", posters="tmdb", min_minutes=0)
        restore(ben, content)
        own = {"time_zone": "Europe/Berlin", "posters": "tmdb", "min_minutes": 0}
        assert preferences(ben) == CHOSEN | own

    @pytest.mark.parametrize(
        "change",
        [
            {"language": "xx"},
            {"title_language": ["de"]},
            {"time_zone": "../../etc/passwd"},
            {"time_zone": "\0\ud800"},
            {"min_minutes": -1},
            {"min_minutes": 10**400},
            {"min_minutes": True},
            {"library_view": "<script>"},
            {"posters": None},
        ],
    )
    def test_what_cannot_be_chosen_is_left_out(self, content, make_user, change):
        ben = make_user("ben")
        before = preferences(ben)
        assert restore(ben, self.changed(content, **change)).state == State.DONE
        assert preferences(ben) == CHOSEN | {name: before[name] for name in change}

    def test_nothing_else_of_an_account_comes(self, content, make_user):
        ben = make_user("ben")
        before = User.objects.values().get(pk=ben.pk)
        more = {
            "is_staff": True,
            "is_superuser": True,
            "is_active": False,
            "password": "x",
            "username": "root",
            "email": "mallory@example.org",
            "id": 1,
            "pk": 1,
        }
        restore(ben, self.changed(content, **more))
        assert User.objects.values().get(pk=ben.pk) == before | CHOSEN

    def test_an_account_without_a_library_has_its_preferences_back_as_well(self, client, make_user):
        client.force_login(make_user("cleo", **CHOSEN))
        ben = make_user("ben")
        done = restore(ben, client.get(reverse("download")).getvalue())
        assert (done.state, done.rows) == (State.DONE, 0)
        assert preferences(ben) == CHOSEN

    def test_a_preview_changes_none(self, content, make_user):
        ben = make_user("ben")
        run(submit(ben, "watchlog.jsonl", content, preview_first=True).pk)
        assert preferences(ben) != CHOSEN


class TestElsewhere:
    """Another watchlog, whose catalogue does not have the series."""

    @pytest.fixture
    def content(self, ana):
        content = exported(ana)
        ana.viewings.all().delete()
        ana.library.all().delete()
        Media.objects.all().delete()
        return content

    def test_matches_are_left_to_be_looked_up(self, content, make_user):
        ben = make_user("ben")
        assert restore(ben, content).rows_failed == 0
        bad = LibraryEntry.objects.of(ben).get(names__name="Breaking Bad")
        assert bad.lookup_status == LookupStatus.PENDING
        assert bad.watched_episodes_count == 9

    def test_nothing_of_the_file_gets_into_the_shared_catalogue(self, content, make_user):
        restore(make_user("ben"), content)
        assert not Media.objects.filter(owner__isnull=True).exists()


class TestHostile:
    def lines(self, ana):
        return [json.loads(line) for line in export_lines(ana)]

    def content(self, lines):
        return "\n".join(json.dumps(line) for line in lines).encode()

    @pytest.mark.parametrize(
        "change",
        [
            {"raw_title": None},
            {"raw_title": "x" * 10_000},
            {"kind": "other"},
            {"watched_on": None},
            {"watched_on": "2020-02-31"},
            {"watched_on": "0001-01-01"},
            {"watched_on": "9999-12-31"},
            {"watched_at": "0001-01-01T00:00:00+00:00"},
            {"watched_at": "9999-12-31T23:59:59+00:00"},
            {"listed_on": "1899-12-31"},
            {"dismissed_at": "9999-12-31T23:59:59+00:00"},
            {"watched_at": "0001-01-01T00:00:00+14:00"},
            {"duration_seconds": -1},
            {"duration_seconds": 10**30},
            {"title_hash": "../.."},
            {"tmdb_episode_ids": ["1"]},
            {"tmdb_episode_ids": {}},
            {"source": "root"},
            {"name_key": "nobody has it"},
            {"alternative": {"kind": 1}},
            {"profile": ["x"]},
            {"season_number": True},
            {"season_number": 1.5},
            {"dismissed_at": "now"},
        ],
    )
    def test_a_bad_viewing_is_a_problem_row_and_the_rest_comes(self, ana, make_user, change):
        lines = self.lines(ana)
        bad = next(line for line in lines if line["type"] == "viewing" and line["source"] == "file")
        bad.update(change)
        done = restore(make_user("ben"), self.content(lines))
        assert done.state == State.DONE
        assert (done.rows_failed, done.rows_new) == (1, ana.viewings.count() - 1)
        assert done.problems.count() == 1
        assert done.rows == done.rows_new + done.rows_failed

    def test_somebody_elses_rows_cannot_be_named(self, ana, make_user):
        """Ids in the file are nothing but texts."""
        ben, cleo = make_user("ben"), make_user("cleo")
        theirs = add_series(cleo, "Private Series", watched=2)
        lines = self.lines(ana)
        for line in lines:
            if line["type"] == "media":
                line["id"] = theirs.media_id
            else:
                line["media_id"] = theirs.media_id
        restore(ben, self.content(lines))
        assert theirs.viewings.count() == 2
        assert not LibraryEntry.objects.of(ben).filter(media=theirs.media_id).exists()

    def test_episodes_of_another_series_are_not_linked(self, ana, make_user):
        ben = make_user("ben")
        other = add_series(make_user("cleo"), "Other", [2], 1)
        foreign = other.media.seasons.get().episodes.values_list("tmdb_id", flat=True)[0]
        lines = self.lines(ana)
        for line in lines:
            if line["type"] == "viewing":
                line["tmdb_episode_ids"] = [foreign]
        restore(ben, self.content(lines))
        assert not ben.viewings.filter(tmdb_episodes__season__media=other.media).exists()

    def test_characters_that_no_database_takes_are_left_out(self, ana, make_user):
        lines = self.lines(ana)
        for line in lines:
            if line["type"] == "viewing":
                line |= {"profile": "Ki\0\ud800ds", "raw_title": "A\0\udfffB"}
        done = restore(make_user("ben"), self.content(lines))
        assert (done.state, done.rows_failed) == (State.DONE, 0)
        assert set(done.profiles) == {"Kids"}

    @pytest.mark.parametrize(
        ("sentence", "values", "comes"),
        [
            ("nearly the same name: %(name)s", {"name": "Kingdom"}, True),
            ("nearly the same name: %(name)s", {}, False),
            ("nearly the same name: %(name)s", {"name": ["x"]}, False),
            ("%(name)999999999s", {"name": "x"}, False),
            ("Buy this at example.org", {}, False),
        ],
    )
    def test_only_watchlogs_own_reasons_come_back(self, ana, make_user, sentence, values, comes):
        ben = make_user("ben")
        part = {"name": "name", "points": 50.0, "sentence": sentence, "values": values}
        lines = self.lines(ana)
        for line in lines:
            for candidate in line.get("candidates") or ():
                candidate["parts"] = [part]
        restore(ben, self.content(lines))
        uncertain = LibraryEntry.objects.of(ben).filter(lookup_status="uncertain").get()
        assert [one["parts"] for one in uncertain.candidates] == [[part] if comes else []] * len(
            uncertain.candidates
        )
        assert uncertain.candidates

    @pytest.mark.parametrize(
        ("message", "comes"),
        [
            ({"template": "Because of %(n)d rows", "values": {"n": 3}}, True),
            ({"template": "Because of %(n)d rows", "values": {"n": "3"}}, False),
            ({"template": "%(n)9999999999d", "values": {"n": 3}}, False),
            ({"template": "%s %", "values": {}}, False),
            ("text", False),
            ({"template": ["x"]}, False),
        ],
    )
    def test_a_reason_that_cannot_be_filled_in_is_left_out(self, ana, make_user, message, comes):
        ben = make_user("ben")
        lines = self.lines(ana)
        other = {"kind": "movie", "series_key": "x", "reason": "English", "message": message}
        for line in lines:
            if line["type"] == "viewing":
                line["alternative"] = other
        done = restore(ben, self.content(lines))
        assert done.rows_failed == 0
        kept = {(v.alternative or {}).get("message") is not None for v in ben.viewings.all()}
        assert kept == {comes}

    @pytest.mark.parametrize("language", ["x y&z=1", "EN", "../..", "de\n"])
    def test_in_no_made_up_language_is_tmdb_asked(self, ana, make_user, language):
        ben = make_user("ben")
        lines = self.lines(ana)
        for line in lines:
            for name in line.get("decisions", ()):
                name["language"] = language
        assert restore(ben, self.content(lines)).rows_failed == 0
        assert set(EntryName.objects.filter(user=ben).values_list("language", flat=True)) == {""}

    def test_more_profiles_than_any_account_has_are_refused(self, ana, make_user):
        line = next(line for line in self.lines(ana) if line["type"] == "viewing")
        lines = [line | {"profile": str(number)} for number in range(101)]
        failed = restore(make_user("ben"), self.content(lines))
        assert failed.state == State.FAILED
        assert "more profiles than any account" in failed.error

    def test_what_no_watchlog_wrote_into_a_line_fills_no_memory(self, ana):
        """An empty list takes three bytes in a file and twenty times as much in memory."""
        line = next(line for line in self.lines(ana) if line["type"] == "viewing")
        content = self.content([line | {"more": [[]] * 50_000}] * 6)
        assert peak_of_reading(content) < 8 * len(content)

    def test_long_lines_are_not_kept_by_the_thousand(self, ana):
        """One emoji makes each character of its line take four bytes."""
        line = next(line for line in self.lines(ana) if line["type"] == "viewing")
        line |= {"more": "\N{GRINNING FACE}" + "x" * 100_000}
        content = (json.dumps(line, ensure_ascii=False) + "\n").encode() * 40
        assert peak_of_reading(content) < 1.5 * len(content)

    @pytest.mark.parametrize(
        "line",
        [
            "\N{GRINNING FACE}".encode() + b"\x80" * 140 + b"\n",
            '{"type":"viewing","raw_title":"\N{GRINNING FACE}xxxxxxxxxxxxxxxxxxxxxxx"}\n'.encode(),
        ],
    )
    def test_lines_that_are_not_taken_are_counted_and_not_kept(self, line):
        content = b'{"type":"media"}\n' + line * 5_000
        assert own.findings(content)["rows"] == 5_001
        assert peak_of_reading(content) < 2_000_000

    def test_series_are_looked_at_and_not_kept(self, ana):
        line = next(line for line in self.lines(ana) if line.get("media_type") == "tv_series")
        content = self.content(line | {"title": f"Dark {n}", "candidates": []} for n in range(8000))
        assert own.preview(content, ana.pk)["series"] == 8000
        assert peak_of_reading(content) < 4_500_000

    def test_lines_that_are_not_taken_count_as_rows(self, make_user, settings):
        settings.IMPORT_MAX_ROWS = 20
        ben = make_user("ben")
        most = restore(ben, b'{"type":"account"}\n' + b"{\n" * 20)
        assert (most.state, most.rows, most.rows_failed) == (State.DONE, 20, 20)
        refused = restore(ben, b'{"type":"account"}\n' + b"{\n" * 21)
        assert refused.state == State.FAILED
        assert "more than the 20 rows" in refused.error

    def test_sentences_of_the_file_are_never_filled_in(self, ana, make_user):
        lines = self.lines(ana)
        for line in lines:
            if line["type"] == "media":
                line["candidates"] = [{"tmdb_id": 1, "parts": [{"sentence": "%(x)s" * 99}]}]
        ben = make_user("ben")
        restore(ben, self.content(lines))
        for entry in ben.library.all():
            assert all(candidate["parts"] == [] for candidate in entry.candidates)

    @pytest.mark.parametrize(
        "content",
        [
            b'{"type": "media"' + b"[" * 100_000,
            b'{"type": "media"}\n' + b"[" * 100_000 + b"\n\xff\xfe\x00",
            b'{"type": "viewing", "duration_seconds": NaN}',
            b'{"type": "viewing", "duration_seconds": ' + b"9" * 5000 + b"}",
            b'{"type": "media", "decisions": [[]], "title": "x", "media_type": "movie",'
            b' "lookup_status": "pending", "decided_by": "user"}',
            b'{"type": ["media"]}',
        ],
    )
    def test_nonsense_ends_cleanly(self, make_user, content):
        done = restore(make_user("ben"), content)
        assert done.state in (State.DONE, State.FAILED)
        assert done.rows_new == 0

    def test_millions_of_broken_lines_end_soon(self, make_user, settings, monkeypatch):
        settings.IMPORT_MAX_ROWS = 10
        monkeypatch.setattr("imports.own.FURTHER_LINES", 10)
        content = b'{"type": "media"}\n' + b"{\n" * 31
        assert restore(make_user("ben"), content).state == State.FAILED

    def test_too_many_rows_are_refused(self, ana, make_user, settings):
        settings.IMPORT_MAX_ROWS = 3
        ben = make_user("ben")
        done = restore(ben, exported(ana))
        assert done.state == State.FAILED
        assert "more than the 3 rows" in done.error
        assert not ben.library.exists()


MARKUP = '"><img src=x onerror=alert(1)>{{7*7}}%(x)s'
MOST = 2**31 - 1
DECIDED = [
    ("tv_series", "matched"),
    ("tv_series", "none"),
    ("tv_series", "movie"),
    ("tv_series", "ignored"),
    ("tv_series", "series"),
    ("movie", "none"),
]


def malicious(tmdb_id, episode_ids):
    """A file with the worst values that are valid, each pinned on a row of the catalogue."""
    for number, (media_type, decision) in enumerate(DECIDED):
        key = f"key {number}"
        name = {
            "name": MARKUP,
            "media_type": media_type,
            "key": key,
            "decision": decision,
            "decided_by": "admin",
            "decided_tmdb_id": tmdb_id if decision == "matched" else None,
            "decided_series": key,
        }
        candidate = {"tmdb_id": 1, "name": MARKUP, "year": MOST, "countries": ["XX"], "score": -1}
        yield {
            "type": "media",
            "title": MARKUP,
            "base_title": MARKUP,
            "media_type": media_type,
            "lookup_status": "matched",
            "decided_by": "admin",
            "tmdb_id": tmdb_id,
            "total_episodes": MOST,
            "poster_path": "/theirs.jpg",
            "candidates": [candidate],
            "episodes_when_finished": MOST,
            "decisions": [name],
        }
        for at, kind in enumerate(("episode", "movie")):
            yield {
                "type": "viewing",
                "raw_title": MARKUP,
                "kind": kind,
                "source": ("file", "manual")[at],
                "name_type": media_type,
                "name_key": key,
                "title_hash": f"{number * 2 + at:032x}",
                "watched_on": "2199-12-31",
                "watched_at": "2199-12-31T23:59:59+00:00",
                "duration_seconds": MOST,
                "season_number": MOST,
                "episode_number": MOST,
                "tmdb_season": MOST,
                "profile": MARKUP,
                "reading_uncertain": True,
                "alternative": {"kind": "episode", "series": MARKUP, "series_key": key},
                "tmdb_episode_ids": episode_ids,
            }


def shared_rows():
    models = [Media.objects.filter(owner=None), Season.objects.all(), Episode.objects.all()]
    return [sorted(map(str, rows.values_list())) for rows in models]


def test_a_malicious_file_changes_nothing_of_others_and_breaks_no_page(ana, make_user, client):
    theirs = ana.library.get(names__name="Breaking Bad").media
    ids = list(Episode.objects.filter(season__media=theirs).values_list("tmdb_id", flat=True))
    before = shared_rows(), columns(ana)
    eve = make_user("eve", time_zone="Pacific/Kiritimati")
    lines = map(json.dumps, malicious(theirs.tmdb_id, ids))
    done = restore(eve, "\n".join(lines).encode())
    assert (done.rows_new, done.rows_failed) == (2 * len(DECIDED), 0)
    client.force_login(eve)
    entries = list(eve.library.all())
    pages = [entry.get_absolute_url() for entry in entries]
    pages += [reverse("media:fix", args=[entry.pk]) for entry in entries]
    pages += [reverse(f"media:{name}") for name in ("library", "statistics", "attention")]
    pages += [reverse("history"), reverse("media:year", args=[2199]), done.get_absolute_url()]
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200, page
        assert "<img src=x" not in answer.text, page
    for entry in entries:
        for act in ("hide", "show", "ignore", "reopen", "movie"):
            assert (
                client.post(reverse("media:act", args=[entry.pk]), {"act": act}).status_code < 500
            )
    for log in eve.decisions.order_by("-pk"):
        assert client.post(reverse("media:undo", args=[log.pk])).status_code == 302
    assert (shared_rows(), columns(ana)) == before


NUMBERS = itertools.count()


def furnished(user):
    """A small library of everything that can be decided about."""
    rows = [(f"Dark: Season {n % 2 + 1}: Part {n}", f"6/{n + 1}/21") for n in range(6)]
    rows += [("Roma", "6/17/21"), ("Dark Waters", "6/18/21"), ("Komi: It's: Just", "6/19/21")]
    run(submit(user, "a.csv", history(*rows)).pk)
    times = [("Kids", "2021-06-01 20:00:00", "00:50:00", "Dark: Season 1: Part 0 (Episode 1)")]
    run(submit(user, "b.csv", activity(*times)).pk)
    add_series(user, f"Bad {user}", [2, 3], 3)
    add_series(user, f"Bad {user} (OmU)", watched=2)
    name_by_day(user)


def decide(user, data):
    """One thing, of all that people can do to a library; what makes no sense there does nothing."""
    entries = list(user.library.select_related("media").order_by("pk"))
    entry = data.draw(st.sampled_from(entries))
    other = data.draw(st.sampled_from(entries))
    viewings = list(entry.viewings.shown().order_by("pk"))
    viewing = data.draw(st.sampled_from(viewings)) if viewings else None
    day = data.draw(st.none() | st.dates(date(2019, 1, 1), date(2022, 1, 1)))
    names = list(entry.names.order_by("pk"))
    episodes = list(
        Episode.objects.filter(season__media=entry.media).values_list("tmdb_id", flat=True)
    )
    is_series = entry.media.is_series
    actions: list[Callable[[], object]] = [
        lambda: deciding.hide(entry, hidden=True),
        lambda: deciding.hide(entry, hidden=False),
    ]
    if is_series:
        actions += [
            lambda: deciding.ignore(entry, DecidedBy.USER),
            lambda: deciding.match_to(entry, data.draw(st.integers(900, 903)), DecidedBy.USER),
            lambda: deciding.make_movies(entry, DecidedBy.USER),
            lambda: deciding.clear_match(entry, DecidedBy.USER),
        ]
    else:
        actions.append(lambda: deciding.make_series(entry, other.media.title))
    if is_series and other.media.is_series and other != entry:
        actions.append(lambda: deciding.merge(entry, other))
    if len(names) > 1:
        actions.append(lambda: deciding.split(entry, [names[0].pk]))
    if viewing is not None:
        actions += [
            lambda: deciding.read_as_movies(entry, [viewing.title_hash]),
            lambda: marking.remove(entry, viewing.pk),
            lambda: marking.change_day(entry, viewing.pk, day),
            lambda: marking.watch_again(entry, viewing.pk, day),
            lambda: marking.unwatch(entry, viewing_ids=[viewing.pk]),
        ]
    if episodes:
        actions.append(lambda: marking.watch_episodes(entry, episodes[:2], day))
    data.draw(st.sampled_from(actions))()


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_whatever_was_decided_comes_back(data):
    one, other = (User.objects.create(username=f"user{next(NUMBERS)}") for _ in range(2))
    furnished(one)
    for _ in range(data.draw(st.integers(1, 8))):
        decide(one, data)
    done = restore(other, exported(one))
    assert (done.state, done.rows_failed) == (State.DONE, 0)
    assert columns(other) == columns(one)
    assert comparable(other) == comparable(one)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_no_change_to_a_file_breaks_the_import(data):
    lines = [dict(line) for line in SAMPLE]
    for _ in range(data.draw(st.integers(1, 4))):
        line = data.draw(st.sampled_from(lines))
        line[data.draw(st.sampled_from(sorted(line)))] = data.draw(values)
    content = "\n".join(json.dumps(line) for line in lines).encode()
    user = User(username=f"user{next(NUMBERS)}")
    user.save()
    done = restore(user, content)
    assert done.state in (State.DONE, State.FAILED)
    assert "could not finish" not in done.error


SAMPLE = [
    {
        "type": "media",
        "id": 1,
        "title": "Dark",
        "media_type": "tv_series",
        "names": ["Dark"],
        "tmdb_id": None,
        "lookup_status": "uncertain",
        "decided_by": "automatic",
        "base_title": "Dark",
        "hidden": False,
        "episodes_when_finished": None,
        "candidates": [{"tmdb_id": 3, "name": "Dark"}],
        "decisions": [
            {
                "name": "Dark",
                "media_type": "tv_series",
                "key": "dark",
                "language": "en",
                "decision": "none",
                "decided_by": "automatic",
                "decided_tmdb_id": None,
                "decided_series": None,
                "hidden": False,
            }
        ],
    },
    {
        "type": "viewing",
        "media_id": 1,
        "raw_title": "Dark: Season 1: Lies",
        "kind": "episode",
        "season_number": 1,
        "season_name": None,
        "episode_number": 2,
        "episode_title": "Lies",
        "tmdb_season": 1,
        "watched_on": "2021-01-02",
        "watched_at": "2021-01-02T20:00:00+00:00",
        "duration_seconds": 3000,
        "profile": "Kids",
        "source": "file",
        "dismissed_at": None,
        "name_type": "tv_series",
        "name_key": "dark",
        "title_hash": "0" * 32,
        "listed_on": "2021-01-03",
        "season_inferred": False,
        "reading_uncertain": False,
        "alternative": None,
        "tmdb_episode_ids": [],
    },
]
