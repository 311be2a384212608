"""A library exported and imported again."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime

import pytest
from django.db.models import F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from imports.importing import confirm, run, submit, undo
from imports.models import State
from imports.tests.making import activity, history
from media import deciding, library
from media.exporting import export_lines
from media.keys import digest, fingerprint
from media.models import (
    DecidedBy,
    Decision,
    EntryName,
    LibraryEntry,
    LookupStatus,
    Media,
    Viewing,
    ViewingKind,
)
from media.tests.shelf import add_movie, add_series

pytestmark = pytest.mark.django_db


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
    # Viewings of these tests carry the fingerprint of their raw title.
    for viewing in Viewing.objects.filter(user=user):
        Viewing.objects.filter(pk=viewing.pk).update(
            fingerprint=fingerprint(viewing.title_hash, viewing.day)
        )
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


def restore(user, content):
    return run(submit(user, "watchlog.jsonl", content).pk)


def test_the_library_comes_back_whole_in_an_empty_account(ana, make_user):
    ben = make_user("ben")
    done = restore(ben, exported(ana))
    assert done.state == State.DONE
    assert (done.rows_failed, done.rows_new) == (0, ana.viewings.count())
    assert done.rows == done.rows_new
    assert comparable(ben) == comparable(ana)


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


NUMBERS = itertools.count()
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
