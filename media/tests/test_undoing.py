"""Every decision can be undone: afterwards the library is what it was."""

from __future__ import annotations

import pytest

from media import deciding, undoing
from media.models import (
    DecidedBy,
    DecisionLog,
    EntryName,
    Media,
    Viewing,
    ViewingKind,
)
from media.tests.making import watch
from media.tests.states import entry_named, state

USER = DecidedBy.USER


def hashes(name):
    return set(Viewing.objects.filter(name__name=name).values_list("title_hash", flat=True))


DECISIONS = {
    "match what has doubtful titles": lambda: deciding.match_to(entry_named("Lupin"), 4, USER),
    "ignore what has doubtful titles": lambda: deciding.ignore(entry_named("Lupin"), USER),
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
    "one title is a movie": lambda: deciding.read_as_movies(
        entry_named("Dark"), [min(hashes("Dark"))]
    ),
    "all titles are movies": lambda: deciding.read_as_movies(
        entry_named("Kingdom"), hashes("Kingdom")
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
def test_undo_restores_the_library(open_shelf, decide):
    before = state(open_shelf)
    decide()
    assert state(open_shelf) != before
    deciding.undo(DecisionLog.objects.get())
    assert state(open_shelf) == before
    assert not DecisionLog.objects.exists()
    assert not Media.objects.filter(owner=open_shelf, entries__isnull=True).exists()


@pytest.mark.parametrize("decide", DECISIONS.values(), ids=DECISIONS.keys())
def test_no_decision_loses_or_makes_a_viewing(open_shelf, decide):
    before = set(Viewing.objects.values_list("fingerprint", flat=True))
    decide()
    assert set(Viewing.objects.values_list("fingerprint", flat=True)) == before
    assert not Viewing.objects.exclude(entry__user=open_shelf).exists()


def test_several_decisions_are_undone_from_the_last_to_the_first(open_shelf):
    states = [state(open_shelf)]
    decide = [
        lambda: deciding.match_to(entry_named("Kingdom"), 3, USER),
        lambda: deciding.merge(entry_named("Jumanji"), entry_named("Kingdom")),
        lambda: deciding.hide(entry_named("Kingdom"), hidden=True),
        lambda: deciding.make_movies(entry_named("Kingdom"), USER),
    ]
    for one in decide:
        one()
        states.append(state(open_shelf))
    states.pop()
    for log in DecisionLog.objects.of(open_shelf).newest_first():
        deciding.undo(log)
        assert state(open_shelf) == states.pop()


def test_a_decision_waits_for_the_undo_of_a_later_one_about_the_same_name(open_shelf):
    deciding.match_to(entry_named("Kingdom"), 3, USER)
    deciding.ignore(entry_named("Jumanji"), USER)
    deciding.hide(entry_named("Kingdom"), hidden=True)
    matched, ignored, hidden = DecisionLog.objects.order_by("pk")
    assert undoing.current([hidden, ignored, matched]) == {hidden.pk, ignored.pk}
    after = state(open_shelf)
    with pytest.raises(deciding.CannotUndo):
        deciding.undo(matched)
    assert state(open_shelf) == after
    deciding.undo(hidden)
    deciding.undo(matched)
    assert entry_named("Kingdom").lookup_status == "uncertain"


def test_undoing_twice_is_undoing_once(open_shelf):
    deciding.match_to(entry_named("Kingdom"), 3, USER)
    log = DecisionLog.objects.get()
    deciding.undo(log)
    after = state(open_shelf)
    assert deciding.undo(log) == []
    assert state(open_shelf) == after


def test_what_was_imported_since_goes_back_with_its_name(open_shelf):
    deciding.match_to(entry_named("Kingdom"), 4, USER)
    watch(open_shelf, "Kingdom", "Three")
    deciding.undo(DecisionLog.objects.get())
    assert entry_named("Kingdom").watched_episodes_count == 3
    assert entry_named("Dark").watched_episodes_count == 2


def test_a_shared_series_that_is_gone_meanwhile_is_looked_up_again(open_shelf):
    deciding.match_to(entry_named("Breaking Bad"), 2, USER)
    Media.objects.get(tmdb_id=1396).delete()
    deciding.undo(DecisionLog.objects.get())
    entry = entry_named("Breaking Bad")
    assert (entry.lookup_status, entry.media.owner) == ("pending", open_shelf)


def test_an_administrators_decisions_are_not_the_users_to_undo(open_shelf):
    deciding.ignore(entry_named("Jumanji"), DecidedBy.ADMIN)
    deciding.match_to(entry_named("Kingdom"), 3, DecidedBy.ADMIN)
    assert not DecisionLog.objects.exists()
