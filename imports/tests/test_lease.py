"""Workers that end over an import: how often it is taken over, and what is told then."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from imports import importing, parts, running
from imports import lease as leases
from imports.models import Import, State
from imports.sweeping import restart_stuck_imports
from imports.tests.making import long_history
from media.models import Viewing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("database_queue")]

LOST = leases.MOST_WORKERS_LOST


@pytest.fixture
def made(make_user, monkeypatch):
    monkeypatch.setattr(parts, "TITLES", 100)
    return importing.submit(make_user("ana"), "NetflixViewingHistory.csv", long_history(600))


def lose_workers(of_import, number):
    """Let so many workers take an import and end over it before it gets on."""
    for _ in range(number):
        assert leases.take(of_import.pk)
        ended = timezone.now() - timedelta(seconds=1)
        Import.objects.filter(pk=of_import.pk).update(leased_until=ended)


def work_until(state, of_import):
    """Work on an import as a worker that parks it as soon as it has come so far."""
    while of_import.state != state:
        assert running.advance(of_import.pk, seconds=0) is running.Turn.PAUSED
        of_import.refresh_from_db()


def test_an_import_that_ends_each_of_its_workers_fails_and_is_made_whole_when_asked(made):
    work_until(State.STORING, made)
    running.advance(made.pk, seconds=0)
    stored = Viewing.objects.count()
    assert stored
    lose_workers(made, LOST)
    assert running.advance(made.pk) is running.Turn.ENDED
    made.refresh_from_db()
    assert (made.state, made.leased_until) == (State.FAILED, None)
    assert f"stopped its worker {LOST} times" in made.error
    with translation.override("de"):
        assert made.why_it_failed != made.error
    assert Viewing.objects.count() == made.claims.count() == made.rows_new == stored
    assert not made.parts.exists()
    assert restart_stuck_imports() == 0
    importing.try_again(made)
    lose_workers(made, LOST)
    assert importing.run(made.pk).state == State.FAILED
    importing.try_again(made)
    assert importing.run(made.pk).state == State.DONE
    made.refresh_from_db()
    assert (made.workers_lost, made.error) == (0, "")
    assert made.rows == made.rows_new + made.rows_known + made.rows_repeated + made.rows_failed


def test_workers_that_get_an_import_on_or_give_it_back_are_not_counted(made):
    for state in (State.STORING, State.LOOKING_UP):
        lose_workers(made, LOST - 1)
        work_until(state, made)
        assert made.workers_lost == 0
    for _ in range(LOST):
        lease = leases.take(made.pk)
        assert lease
        leases.give_back(lease)
    lose_workers(made, LOST - 1)
    assert importing.run(made.pk).state == State.DONE


def test_undoing_that_ends_each_of_its_workers_stops_until_asked_again(made):
    importing.run(made.pk)
    importing.undo(made)
    running.advance(made.pk, seconds=0)
    left = Viewing.objects.count()
    assert left
    lose_workers(made, LOST)
    assert importing.run(made.pk).state == State.FAILED
    made.refresh_from_db()
    assert not made.is_being_undone
    assert "undo it once more" in made.error
    assert Viewing.objects.count() == left
    assert importing.undo(made)
    undone = importing.run(made.pk)
    assert (undone.state, undone.error) == (State.UNDONE, "")
    assert not Viewing.objects.exists()
