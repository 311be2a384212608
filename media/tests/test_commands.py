from __future__ import annotations

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import AccountEvent, EventKind, User
from media.lookup import FAILURES_IN_A_ROW
from media.models import Media
from media.tests.making import look_up, watch


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("match", *arguments, stdout=out)
    return out.getvalue()


def test_pending_series_are_looked_up(user, tmdb):
    watch(user, "Breaking Bad", "Pilot")
    assert "1 series: 1 matched" in run("--pending")


def test_one_users_series_only(user, tmdb):
    watch(user, "Breaking Bad", "Pilot")
    User.objects.create_user("ben")
    assert "0 series" in run("--pending", "--user", "ben")
    with pytest.raises(CommandError, match="no user zoe"):
        run("--pending", "--user", "zoe")


def test_totals_that_are_due_are_refreshed(user, tmdb):
    watch(user, "Breaking Bad", "Pilot")
    look_up()
    assert "0 of 0" in run("--refresh")
    Media.objects.update(last_tmdb_update=timezone.now() - timedelta(days=91))
    tmdb.series[1396]["number_of_episodes"] = 4
    assert "1 of 1" in run("--refresh")
    assert Media.objects.get().total_episodes == 4


def test_totals_stay_due_when_tmdb_does_not_answer(user, tmdb, monkeypatch):
    monkeypatch.setattr("tmdb.throttle.sleep", lambda seconds: None)
    for n in range(FAILURES_IN_A_ROW + 2):
        tmdb.add(n + 1, f"Series {n}", {1: ["One"]})
        watch(user, f"Series {n}", "One")
    look_up()
    Media.objects.update(last_tmdb_update=timezone.now() - timedelta(days=91))
    tmdb.status = 503
    out = run("--refresh")
    assert f"0 of {FAILURES_IN_A_ROW + 2}" in out
    assert "2 not asked" in out
    assert Media.objects.due_for_refresh(timezone.now()).count() == FAILURES_IN_A_ROW + 2


def test_a_score_is_explained(user, tmdb):
    watch(user, "Breaking Bad", "Pilot")
    assert "Breaking Bad" in run("--explain", "breaking bad")


def test_a_name_is_found_as_files_of_any_spelling_write_it(user, tmdb):
    tmdb.add(7, "Élite", {1: ["Bienvenidos"]})
    entry = watch(user, "Élite", "Bienvenidos")
    entry.names.update(key="élite")
    assert "in the library" not in run("--explain", "ÉLITE ")
    assert AccountEvent.objects.exists()


def test_a_name_that_no_library_has_is_explained_by_itself(user, tmdb):
    out = run("--explain", "Breaking Bad")
    assert "No series in the library is called so" in out
    assert "TMDB 1396" in out
    assert not AccountEvent.objects.exists()


def test_whose_score_was_explained_sees_that_in_their_account(user, tmdb):
    watch(user, "Breaking Bad", "Pilot")
    watch(User.objects.create_user("ben"), "Dark", "Secrets")
    run("--explain", "breaking bad")
    (event,) = AccountEvent.objects.all()
    assert (event.user, event.kind, event.address) == (user, EventKind.MATCH_EXPLAINED, None)
    assert event.subject == "manage.py match --explain Breaking Bad"


def test_what_could_not_be_explained_leaves_no_event(user, tmdb, monkeypatch):
    monkeypatch.setattr("tmdb.throttle.sleep", lambda seconds: None)
    watch(user, "Breaking Bad", "Pilot")
    tmdb.status = 503
    for name in ("Breaking Bad", "Nobody's"):
        with pytest.raises(CommandError):
            run("--explain", name)
    assert not AccountEvent.objects.exists()


def test_without_a_key_it_says_where_to_get_one(user):
    with pytest.raises(CommandError, match=r"themoviedb\.org/settings/api"):
        run("--pending")


def test_the_export_has_the_stable_form(user, tmdb):
    watch(user, "Breaking Bad", "Pilot")
    look_up()
    out = io.StringIO()
    call_command("export", user="ana", stdout=out)
    media, viewing = map(json.loads, out.getvalue().splitlines())
    stable = {
        "type": "media",
        "id": 0,
        "title": "Breaking Bad",
        "media_type": "tv_series",
        "names": ["Breaking Bad"],
        "tmdb_id": 1396,
        "total_seasons": 2,
        "total_episodes": 3,
        "watched_episodes_count": 1,
        "lookup_status": "matched",
        "decided_by": "automatic",
        "last_tmdb_update": "",
    }
    # There may be more fields, and none less.
    assert media | stable == media | {"id": 0, "last_tmdb_update": ""}
    stable = {
        "type": "viewing",
        "media_id": media["id"],
        "raw_title": "Breaking Bad: Season 1: Pilot",
        "kind": "episode",
        "series": "Breaking Bad",
        "season_number": 1,
        "season_name": None,
        "episode_number": None,
        "episode_title": "Pilot",
        "tmdb_season": 1,
        "tmdb_episodes": [1],
        "watched_on": "2020-05-01",
        "watched_at": None,
        "duration_seconds": None,
        "profile": None,
        "source": "file",
        "dismissed": False,
    }
    assert viewing | stable == viewing
