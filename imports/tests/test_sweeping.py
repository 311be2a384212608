"""What workers do by themselves, from time to time."""

from __future__ import annotations

from datetime import date

import pytest
from django.utils import timezone

from imports.models import Import, State
from imports.sweeping import sum_up_changes, tidy_up
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


def test_what_an_older_version_stored_can_be_searched_soon(ana):
    Viewing.objects.update(folded=None)
    tidy_up()
    assert Viewing.objects.get().folded == "roma"
