"""Every decision can be undone: afterwards the library is what it was."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from media import deciding, undoing
from media.models import (
    DecidedBy,
    DecisionLog,
    EntryName,
    Media,
    Viewing,
    ViewingKind,
)
from media.tests.making import look_up, watch
from media.tests.states import entry_named, state
from media.tests.test_doubts import doubt

USER = DecidedBy.USER


@pytest.fixture
def shelf(user, tmdb):
    """Matched under two names, uncertain, not found, a movie and doubtful titles."""
    tmdb.add(2, "Kingdom", {1: ["One", "Two"]}, first_air_date="2019-01-25")
    tmdb.add(3, "Kingdom", {1: ["One", "Two"]}, first_air_date="2019-02-25")
    tmdb.add(4, "Dark", {1: ["Secrets", "Lies"]}, other_names=("Dunkel",))
    watch(user, "Breaking Bad", "Pilot", "Cat's in the Bag")
    watch(user, "Dark", "Secrets")
    watch(user, "Dunkel", "Lies")
    watch(user, "Kingdom", "One", "Two")
    watch(user, "Jumanji", "Welcome to the Jungle", "The Next Level")
    doubt(user, "Dark", "Alpha")
    doubt(user, "Lupin", "Chapter 1", read_as="episode")
    doubt(user, "Lupin", "Chapter 2", read_as="episode")
    look_up()
    assert entry_named("Kingdom").lookup_status == "uncertain"
    assert entry_named("Jumanji").lookup_status == "not_found"
    assert entry_named("Dark") == entry_named("Dunkel")
    return user


def hashes(name):
    return set(Viewing.objects.filter(name__name=name).values_list("title_hash", flat=True))


DECISIONS = {
    "match": lambda: deciding.match_to(entry_named("Kingdom"), 3, USER),
    "match to a series that is there": lambda: deciding.match_to(entry_named("Kingdom"), 4, USER),
    "match what was matched": lambda: deciding.match_to(entry_named("Breaking Bad"), 2, USER),
    "affirm": lambda: deciding.match_to(entry_named("Breaking Bad"), 1396, USER),
    "confirm": lambda: deciding.confirm(
        entry_named("Kingdom").user_id, {entry_named("Kingdom").pk: 2}
    ),
    "ignore": lambda: deciding.ignore(entry_named("Jumanji"), USER),
    "ignore what was matched": lambda: deciding.ignore(entry_named("Dark"), USER),
    "hide": lambda: deciding.hide(entry_named("Dark"), hidden=True),
    "movies": lambda: deciding.make_movies(entry_named("Jumanji"), USER),
    "movies of what was matched": lambda: deciding.make_movies(entry_named("Dark"), USER),
    "series": lambda: deciding.make_series(entry_named("Dark: Alpha"), "Something new"),
    "series that is there": lambda: deciding.make_series(entry_named("Dark: Alpha"), "dark"),
    "read as episodes": lambda: deciding.read_titles(
        entry_named("Lupin").user_id, hashes("Lupin"), ViewingKind.EPISODE
    ),
    "read a movie as an episode": lambda: deciding.read_titles(
        entry_named("Lupin").user_id, hashes("Dark: Alpha"), ViewingKind.EPISODE
    ),
    "read as movies": lambda: deciding.read_titles(
        entry_named("Lupin").user_id, hashes("Lupin"), ViewingKind.MOVIE
    ),
    "read a movie as one": lambda: deciding.read_titles(
        entry_named("Lupin").user_id, hashes("Dark: Alpha"), ViewingKind.MOVIE
    ),
    "split": lambda: deciding.split(entry_named("Dark"), [EntryName.objects.get(name="Dunkel").pk]),
    "merge": lambda: deciding.merge(entry_named("Jumanji"), entry_named("Kingdom")),
    "merge into what is matched": lambda: deciding.merge(
        entry_named("Jumanji"), entry_named("Dark")
    ),
    "merge two that are matched": lambda: deciding.merge(
        entry_named("Breaking Bad"), entry_named("Dark")
    ),
    "reopen": lambda: deciding.clear_match(entry_named("Dark"), USER),
}


@pytest.mark.parametrize("decide", DECISIONS.values(), ids=DECISIONS.keys())
def test_undo_restores_the_library(shelf, decide):
    before = state(shelf)
    decide()
    assert state(shelf) != before
    deciding.undo(DecisionLog.objects.get())
    assert state(shelf) == before
    assert not DecisionLog.objects.exists()
    assert not Media.objects.filter(owner=shelf, entries__isnull=True).exists()


@pytest.mark.parametrize("decide", DECISIONS.values(), ids=DECISIONS.keys())
def test_no_decision_loses_or_makes_a_viewing(shelf, decide):
    before = set(Viewing.objects.values_list("fingerprint", flat=True))
    decide()
    assert set(Viewing.objects.values_list("fingerprint", flat=True)) == before
    assert not Viewing.objects.exclude(entry__user=shelf).exists()


def test_several_decisions_are_undone_from_the_last_to_the_first(shelf):
    states = [state(shelf)]
    decide = [
        lambda: deciding.match_to(entry_named("Kingdom"), 3, USER),
        lambda: deciding.merge(entry_named("Jumanji"), entry_named("Kingdom")),
        lambda: deciding.hide(entry_named("Kingdom"), hidden=True),
        lambda: deciding.make_movies(entry_named("Kingdom"), USER),
    ]
    for one in decide:
        one()
        states.append(state(shelf))
    states.pop()
    for log in DecisionLog.objects.of(shelf).newest_first():
        deciding.undo(log)
        assert state(shelf) == states.pop()


def test_a_decision_waits_for_the_undo_of_a_later_one_about_the_same_name(shelf):
    deciding.match_to(entry_named("Kingdom"), 3, USER)
    deciding.ignore(entry_named("Jumanji"), USER)
    deciding.hide(entry_named("Kingdom"), hidden=True)
    matched, ignored, hidden = DecisionLog.objects.order_by("pk")
    assert undoing.current([hidden, ignored, matched]) == {hidden.pk, ignored.pk}
    after = state(shelf)
    with pytest.raises(deciding.CannotUndo):
        deciding.undo(matched)
    assert state(shelf) == after
    deciding.undo(hidden)
    deciding.undo(matched)
    assert entry_named("Kingdom").lookup_status == "uncertain"


def test_undoing_twice_is_undoing_once(shelf):
    deciding.match_to(entry_named("Kingdom"), 3, USER)
    log = DecisionLog.objects.get()
    deciding.undo(log)
    after = state(shelf)
    assert deciding.undo(log) == []
    assert state(shelf) == after


def test_what_was_imported_since_goes_back_with_its_name(shelf):
    deciding.match_to(entry_named("Kingdom"), 4, USER)
    watch(shelf, "Kingdom", "Three")
    deciding.undo(DecisionLog.objects.get())
    assert entry_named("Kingdom").watched_episodes_count == 3
    assert entry_named("Dark").watched_episodes_count == 2


def test_a_shared_series_that_is_gone_meanwhile_is_looked_up_again(shelf):
    deciding.match_to(entry_named("Breaking Bad"), 2, USER)
    Media.objects.get(tmdb_id=1396).delete()
    deciding.undo(DecisionLog.objects.get())
    entry = entry_named("Breaking Bad")
    assert (entry.lookup_status, entry.media.owner) == ("pending", shelf)


def test_decisions_are_kept_for_thirty_days(shelf):
    deciding.hide(entry_named("Kingdom"), hidden=True)
    DecisionLog.objects.update(made_at=timezone.now() - timedelta(days=31))
    deciding.hide(entry_named("Dark"), hidden=True)
    assert [log.subject for log in DecisionLog.objects.all()] == ["Dark"]


def test_an_administrators_decisions_are_not_the_users_to_undo(shelf):
    deciding.ignore(entry_named("Jumanji"), DecidedBy.ADMIN)
    deciding.match_to(entry_named("Kingdom"), 3, DecidedBy.ADMIN)
    assert not DecisionLog.objects.exists()
