"""What workers do by themselves, from time to time."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from imports import importing
from imports.models import Import, ImportFile, State, WorkerHeartbeat
from imports.sweeping import sum_up_changes, tidy_up
from imports.tests.making import BREAKING_BAD, history
from imports.worker import STALE_AFTER, beat
from media.models import MonthFigures, Viewing
from media.statistics import Selection, figures_of
from media.tests.shelf import add_movie

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(make_user):
    user = make_user("ana")
    add_movie(user, "Roma", date(2024, 5, 9))
    return user


def is_up_to_date(user):
    return not MonthFigures.objects.filter(user=user, is_stale=True).exists()


class TestSummingUp:
    def test_figures_are_there_before_anybody_looks(self, ana, django_assert_num_queries):
        sum_up_changes()
        assert is_up_to_date(ana)
        # The months, what is not named, and what was first and last; no viewing is summed up.
        with django_assert_num_queries(3):
            assert figures_of(ana, Selection()).figures.total.movies == 1

    def test_a_change_is_summed_up_by_the_next_sweep(self, ana):
        sum_up_changes()
        add_movie(ana, "Okja", date(2024, 6, 9))
        assert not is_up_to_date(ana)
        sum_up_changes()
        assert is_up_to_date(ana)

    @pytest.mark.parametrize(
        "busy", [{"state": State.STORING}, {"state": State.DONE, "undo_asked_at": timezone.now()}]
    )
    def test_an_import_ends_first(self, ana, make_user, busy):
        ben = make_user("ben")
        add_movie(ben, "Okja", date(2024, 6, 9))
        working = Import.objects.create(user=ana, filename="a.csv", **busy)
        sum_up_changes()
        assert not is_up_to_date(ana)
        assert is_up_to_date(ben)
        Import.objects.filter(pk=working.pk).update(state=State.DONE, undo_asked_at=None)
        sum_up_changes()
        assert is_up_to_date(ana)


def test_a_preview_that_nobody_confirms_goes_after_24_hours(ana):
    def asked(hours, data=BREAKING_BAD, preview_first=True):
        made = importing.submit(ana, f"{hours}.csv", data, preview_first=preview_first)
        made = importing.run(made.pk)
        assert made.state == State.NEEDS_ANSWER
        made.asked_at = timezone.now() - timedelta(hours=hours)
        made.save()
        return made

    over = asked(24.1)
    waiting = asked(23.9, BREAKING_BAD + b"Roma,6/1/21\n")
    question = asked(24 * 7, history(("Roma", "3/4/24"), ("Okja", "2/4/24")), preview_first=False)
    tidy_up()
    assert set(Import.objects.all()) == {waiting, question}
    assert not ImportFile.objects.filter(pk=over.pk).exists()


class TestQueue:
    """Rows of tasks: those of workers that died, and those that are over."""

    def task(self, status, worker, minutes_ago):
        then = timezone.now() - timedelta(minutes=minutes_ago)
        return DBTaskResult.objects.create(
            task_path="imports.tasks.run_import",
            args_kwargs={"args": [1], "kwargs": {}},
            backend_name="default",
            run_after=then,
            status=status,
            started_at=then,
            finished_at=None if status == "RUNNING" else then,
            worker_ids=[worker],
        )

    def test_tasks_end_whose_worker_died(self, db):
        beat("alive")
        died = timezone.now() - STALE_AFTER - timedelta(seconds=1)
        WorkerHeartbeat.objects.create(worker_id="silent", beat_at=died)
        running = {
            worker: self.task("RUNNING", worker, minutes_ago=1)
            for worker in ("alive", "silent", "killed")
        }
        # Its worker may not have beaten for the first time.
        begun = self.task("RUNNING", "new", minutes_ago=0)
        tidy_up()
        assert {
            worker: DBTaskResult.objects.get(pk=task.pk).status for worker, task in running.items()
        } == {"alive": "RUNNING", "silent": "FAILED", "killed": "FAILED"}
        assert DBTaskResult.objects.get(pk=begun.pk).status == "RUNNING"

    def test_tasks_that_are_over_are_forgotten_after_a_day(self, db):
        day = 24 * 60
        kept = self.task("SUCCESSFUL", "alive", minutes_ago=day - 1)
        for status in ("SUCCESSFUL", "FAILED"):
            self.task(status, "alive", minutes_ago=day + 1)
        tidy_up()
        assert DBTaskResult.objects.get() == kept


def test_what_an_older_version_stored_can_be_searched_soon(ana):
    Viewing.objects.update(folded=None)
    tidy_up()
    assert Viewing.objects.get().folded == "roma"
