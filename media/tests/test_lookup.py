from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from accounts.models import User
from media import deciding, lookup, refreshing
from media.catalogue import store_series
from media.models import DecidedBy, LibraryEntry, Media, Viewing
from media.tests.fake_tmdb import fake_tmdb
from media.tests.making import DAY, look_up, watch
from tmdb.service import series_details


def test_a_clear_series_is_matched_with_two_requests(user, tmdb):
    watch(user, "Breaking Bad", "Pilot", "Cat's in the Bag")
    assert [result.status for result in look_up()] == ["matched"]
    entry = LibraryEntry.objects.get()
    assert (entry.media.tmdb_id, entry.media.total_seasons, entry.media.total_episodes) == (
        1396,
        2,
        3,
    )
    assert (entry.watched_episodes_count, entry.media.owner) == (2, None)
    assert len(tmdb.asked) == 2
    assert Media.objects.count() == 1


def test_identified_episodes_carry_tmdbs_numbers(user, tmdb):
    watch(user, "Breaking Bad", "Pilot", "Unheard of")
    look_up()
    pilot = Viewing.objects.get(episode_title="Pilot")
    assert (pilot.tmdb_season, [e.number for e in pilot.tmdb_episodes.all()]) == (1, [1])
    assert LibraryEntry.objects.get().watched_episodes_count == 2


def test_an_unknown_series_is_left_open_and_counts_on(user, tmdb):
    watch(user, "My Neighbour's Home Videos", "One")
    assert [result.status for result in look_up()] == ["not_found"]
    entry = LibraryEntry.objects.get()
    assert (entry.media.total_episodes, entry.watched_episodes_count) == (None, 1)


def test_what_was_asked_once_is_not_asked_for_another_user(user, tmdb):
    watch(user, "Breaking Bad", "Pilot")
    look_up()
    watch(User.objects.create_user("ben"), "Breaking Bad", "Pilot")
    asked = len(tmdb.asked)
    look_up()
    assert len(tmdb.asked) == asked
    assert LibraryEntry.objects.filter(media__tmdb_id=1396).count() == 2


def test_two_names_of_one_series_become_one_entry(user, tmdb):
    tmdb.add(
        71446, "Money Heist", {1: ["Episode 1", "Episode 2"]}, other_names=("Haus des Geldes",)
    )
    watch(user, "Money Heist", "Episode 1")
    watch(user, "Haus des Geldes", "Episode 2")
    look_up()
    entry = LibraryEntry.objects.get()
    assert {name.name for name in entry.names.all()} == {"Money Heist", "Haus des Geldes"}
    assert entry.watched_episodes_count == 2
    assert entry.viewings.count() == 2


@pytest.mark.parametrize(
    ("status", "body"),
    [(503, None), (500, None), (429, None), (200, "<html>"), (200, '{"results": 3}'), (200, "{")],
)
def test_a_failing_tmdb_leaves_the_series_pending(user, tmdb, monkeypatch, status, body):
    monkeypatch.setattr("tmdb.throttle.sleep", lambda seconds: None)
    entry = watch(user, "Breaking Bad", "Pilot")
    tmdb.status, tmdb.body = status, body
    assert [result.status for result in look_up()] == ["error"]
    entry.refresh_from_db()
    assert (entry.lookup_status, entry.lookup_attempts) == ("pending", 1)
    assert entry.next_lookup_at is not None
    assert entry.next_lookup_at > timezone.now()
    tmdb.status, tmdb.body = 200, None
    assert look_up() == [], "it is not yet time again"
    LibraryEntry.objects.update(next_lookup_at=timezone.now())
    assert [result.status for result in look_up()] == ["matched"]


def test_a_refused_key_stops_all_further_calls(user, tmdb, caplog):
    for name in ("Dark", "Arcane", "Lupin"):
        watch(user, name, "One")
    tmdb.status = 401
    assert look_up() == []
    assert len(tmdb.asked) == 1
    assert set(LibraryEntry.objects.values_list("lookup_status", flat=True)) == {"pending"}
    assert "key" in caplog.text.lower()


def test_a_tmdb_out_of_reach_is_not_asked_about_every_series(user, tmdb, monkeypatch):
    monkeypatch.setattr("tmdb.throttle.sleep", lambda seconds: None)
    for number in range(12):
        watch(user, f"Series {number}", "One")
    tmdb.status = 503
    assert len(look_up()) == lookup.FAILURES_IN_A_ROW


def test_without_a_key_nothing_is_asked(user):
    watch(user, "Breaking Bad", "Pilot")
    with fake_tmdb(key="") as tmdb:
        assert look_up() == []
        assert tmdb.asked == []


def test_last_watched_is_looked_up_first(user, tmdb):
    for days, name in enumerate(("Dark", "Arcane", "Lupin")):
        watch(user, name, "One", day=DAY + timedelta(days=days))
    look_up()
    assert tmdb.searches == ["Lupin", "Arcane", "Dark"]


def test_a_look_up_stops_when_told_to(user, tmdb):
    for name in ("Dark", "Arcane", "Lupin"):
        watch(user, name, "One")
    assert len(look_up(should_stop=lambda: True)) == 1


def test_out_of_time_says_that_some_are_left(user, tmdb):
    for name in ("Dark", "Arcane"):
        watch(user, name, "One")
    assert lookup.look_up(LibraryEntry.objects.all().waiting(), seconds=0) is False


def test_no_request_is_made_inside_a_transaction(user, monkeypatch, transactional_db):
    import requests

    real = requests.Session.send
    inside: list[bool] = []

    def send(self, *args, **kwargs):
        inside.append(connection.in_atomic_block)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(requests.Session, "send", send)
    with fake_tmdb() as tmdb:
        tmdb.add(1396, "Breaking Bad", {1: ["Pilot"]})
        tmdb.add(1, "Other", {1: ["One"]})
        entry = watch(user, "Breaking Bad", "Pilot")
        look_up()
        media = LibraryEntry.objects.get().media
        refreshing.refresh(media)
        deciding.change_tmdb_id(media, 1, refreshing.ask_for(1))
        entry = LibraryEntry.objects.get()
        deciding.match_to(entry, 1396, DecidedBy.USER)
    assert inside and not any(inside)


def test_each_thread_of_a_look_up_has_one_connection_that_is_closed_at_the_end(
    user, monkeypatch, transactional_db, settings
):
    used = []
    ask_about = lookup.question_about

    def note(subject):
        used.append(connections["default"])
        return ask_about(subject)

    monkeypatch.setattr(lookup, "question_about", note)
    with fake_tmdb() as tmdb:
        settings.TMDB_PARALLEL = 3
        for number in range(9):
            tmdb.add(number + 1, f"Series {number}", {1: ["One"]})
            watch(user, f"Series {number}", "One")
        assert {result.status for result in look_up()} == {"matched"}
    assert len(used) == 9
    assert len({id(one) for one in used}) <= 3
    assert [one for one in used if one.connection is not None] == []


def test_a_look_up_in_another_language_leaves_the_title_that_others_see(user, tmdb):
    watch(user, "Breaking Bad", "Pilot")
    look_up()
    german = replace(series_details(1396), name="Reaktion: Böse", language="de")
    assert store_series(replace(german, original_language="es")).title == "Breaking Bad"
    assert store_series(replace(german, translations={"en-US": "BB"})).title == "BB"


def test_evidence_comes_in_the_same_order_however_the_database_keeps_it(user, tmdb):
    """Two libraries of the same viewings, one of them stored back to front."""
    tmdb.add(7, "Babylon Berlin", {1: ["a", "b", "c"], 2: ["d", "e", "f"]})
    watched = [
        (1, "Folge 1", DAY),
        (2, "Folge 1", DAY),
        (1, "Folge 2", DAY + timedelta(days=1)),
        (2, "Folge 2", DAY + timedelta(days=1)),
        (1, "Folge 3", DAY + timedelta(days=2)),
        (2, "Folge 3", DAY + timedelta(days=3)),
    ]
    evidence, candidates = [], []
    for owner, rows in ((user, watched), (User.objects.create_user("ben"), watched[::-1])):
        for season, title, day in rows:
            watch(owner, "Babylon Berlin", title, season=season, day=day)
        entry = LibraryEntry.objects.get(user=owner)
        evidence.append(lookup.evidence_for(entry))
        look_up()
        candidates.append(LibraryEntry.objects.get(user=owner).candidates)
    assert [(e.season_number, e.title) for e in evidence[0].episodes][:2] == [
        (2, "Folge 3"),
        (1, "Folge 3"),
    ]
    assert evidence[0] == evidence[1]
    assert candidates[0] == candidates[1]
