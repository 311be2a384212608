"""Several users, threads and worker processes at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from accounts.models import User
from imports import importing
from imports.models import Import, State
from imports.tests.making import history
from imports.tests.workers import hand_in
from media.models import EntryName, LibraryEntry, Media, Viewing

pytestmark = pytest.mark.django_db(transaction=True)

LIMIT, PERIOD = 40, 10


def file_of(series: range) -> bytes:
    """One episode each of series that no TMDB knows, so that each costs exactly one search."""
    return history(*((f"Qx{n}zz: Season 1: Opening", f"6/{n % 17 + 13}/21") for n in series))


def in_threads(*work: Callable[[], object]) -> None:
    barrier = threading.Barrier(len(work))
    errors: list[BaseException] = []

    def run(job: Callable[[], object]) -> None:
        try:
            barrier.wait(10)
            job()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []


def test_two_threads_that_import_the_same_rows_store_them_once():
    user = User.objects.create_user("ana")
    data = file_of(range(30))
    imports = [
        importing.submit(user, f"{n}.csv", data, importing.ImportOptions(min_minutes=n))
        for n in (1, 2)
    ]
    in_threads(*(lambda pk=made.pk: importing.run(pk) for made in imports))
    assert Viewing.objects.count() == 30
    assert LibraryEntry.objects.count() == EntryName.objects.count() == Media.objects.count() == 30
    assert sum(Import.objects.values_list("rows_new", flat=True)) == 30
    assert sum(Import.objects.values_list("rows_known", flat=True)) == 30


def test_two_threads_that_submit_one_file_make_one_import():
    user = User.objects.create_user("ana")
    data = file_of(range(3))
    in_threads(*[lambda: importing.submit(user, "a.csv", data)] * 4)
    assert Import.objects.count() == 1


def test_two_workers_share_one_throttle_and_ask_for_no_name_twice(workers, demo_tmdb, wait_until):
    """100+ series: no 10-second window has more than 40 requests; warm names cost none."""
    for name, series in (("ana", range(0, 60)), ("ben", range(45, 105))):
        hand_in(User.objects.create_user(name), file_of(series))
    for _ in range(2):
        workers.start(TMDB_RATE_LIMIT=str(LIMIT), TMDB_RATE_PERIOD=str(PERIOD))
    wait_until(lambda: all_done(2), 90)
    asked = demo_tmdb.stats(PERIOD)
    assert asked["busiest"] <= LIMIT
    # The 15 shared names may be asked for by both at the very same moment.
    assert 105 <= asked["requests"] <= 105 + 15
    hand_in(User.objects.create_user("cora"), file_of(range(105)))
    wait_until(lambda: all_done(3), 30)
    assert demo_tmdb.stats(PERIOD)["requests"] == asked["requests"]
    assert LibraryEntry.objects.filter(lookup_status="not_found").count() == 60 + 60 + 105


def all_done(number: int) -> bool:
    states = list(Import.objects.values_list("state", flat=True))
    assert State.FAILED not in states
    return states == [State.DONE] * number
