"""What imports survive: killed, stopped and crowded worker processes, a full or busy database."""

from __future__ import annotations

import itertools
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from subprocess import PIPE

import psycopg
import pytest
import requests
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection
from django.db.backends.signals import connection_created
from django.db.models import F
from django.test import Client
from django_tasks_db.models import DBTaskResult

from imports import importing
from imports import lease as leases
from imports.doctor import examine, wrong_counts
from imports.lease import MOST_WORKERS_LOST
from imports.models import (
    Import,
    ImportFile,
    ImportPart,
    ImportProblem,
    State,
    WorkerHeartbeat,
)
from imports.sweeping import tidy_up
from imports.tasks import look_up_due, run_import
from imports.tests.making import long_history
from imports.tests.workers import APPLICATION, hand_in, library_rows
from media.exporting import export_lines
from media.models import EntryName, LibraryEntry, Viewing
from media.tests.shelf import add_series
from watchlog.leaving import delete_account

pytestmark = pytest.mark.django_db(transaction=True)

# On a busy machine everything takes its time; when all is well, nothing waits for so long.
PATIENCE = 180
# A deploy waits no longer.
SECONDS_TO_STOP = 10
# How long another process writes; watchlog waits for 20.
SECONDS_HELD = 4

UNDOING = "undoing"
# How often workers are killed in each step.
KILLS = 20
# Of as many users, so that some go on while others wait for the lease of a dead worker to end.
IMPORTS, WORKERS = 8, 4
# A worker is killed within so many seconds after it has begun a step, about as many as it takes.
SECONDS = {State.READING: 0.2, State.STORING: 0.4, State.LOOKING_UP: 1.0, UNDOING: 0.1}


@pytest.fixture
def catch_in(workers, wait_until):
    """catch_in(step, import): the worker that does this step of it now, as soon as there is one.

    When the step was over too soon to be seen, the import goes round once more.
    """

    def catch(step, of_import):
        def worker():
            now = step_of(of_import)
            if now is None:
                go_round(of_import)
            return workers.at_work_on(of_import) if now == step else None

        return wait_until(worker, PATIENCE)

    return catch


def step_of(of_import):
    """What is to be done with an import now, if anything."""
    of_import.refresh_from_db()
    return step_as_seen(of_import)


def step_as_seen(of_import):
    """The same without another look at the database."""
    if of_import.undo_asked_at and of_import.state != State.UNDONE:
        return UNDOING
    return of_import.state if of_import.is_active else None


def go_round(of_import):
    """Have an import that is done undone, and one that is undone made again."""
    if of_import.state == State.DONE:
        importing.undo(of_import)
    elif of_import.state == State.UNDONE:
        importing.try_again(of_import)


def test_a_worker_leaves_what_the_foreground_leaves(workers, undisturbed, make_user, wait_until):
    """And the comparison that the other tests rely on sees a day that differs."""
    data = long_history(300)
    expected = undisturbed(data)
    ana = make_user("ana")
    workers.start()
    made = hand_in(ana, data)
    wait_until(lambda: not step_of(made), PATIENCE)
    assert library_rows(ana) == expected
    assert made.state == State.DONE
    assert {kind for kind, rows in expected.items() if not rows} == set()
    Viewing.objects.filter(pk=ana.viewings.first().pk).update(day=F("day") + timedelta(days=1))
    changed = library_rows(ana)
    assert {kind for kind in expected if changed[kind] != expected[kind]} >= {"viewings"}


def test_workers_killed_at_20_moments_of_every_step_lose_nothing(
    workers, demo_tmdb, undisturbed, make_user, wait_until
):
    """Imports go round, read, stored, looked up and undone, until all kills are done."""
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    data = long_history(2000)
    expected = undisturbed(data)
    demo_tmdb.faults(latency_ms=150)
    imports = [hand_in(make_user(), data) for _ in range(IMPORTS)]
    for _ in range(WORKERS):
        workers.fork(TMDB_PARALLEL="2", TMDB_RATE_PERIOD="1")
    left = Counter(dict.fromkeys(SECONDS, KILLS))
    due: dict[tuple[int, int, str], float] = {}
    killed = set()
    deadline = time.monotonic() + 2 * PATIENCE
    while left.total():
        assert time.monotonic() < deadline, f"{left} seed {seed}"
        at_work = workers.at_work()
        for made in Import.objects.order_by("pk"):
            worker, step = at_work.get(made.pk), step_as_seen(made)
            if step is None:
                go_round(made)
            # An import that loses more of them before it gets on would be given up.
            if not left[step] or worker is None or made.workers_lost >= MOST_WORKERS_LOST - 2:
                continue
            moment = time.monotonic() + chance.uniform(0, SECONDS[step])
            if time.monotonic() < due.setdefault((made.pk, made.fence, step), moment):
                continue
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            step, lease = step_of(made), (made.pk, made.fence)
            # The lease was this worker's own, and not that of one killed before.
            if made.leased_until and lease not in killed and left[step]:
                left[step] -= 1
                killed.add(lease)
                if not left[State.LOOKING_UP]:
                    # They come round to the other steps sooner.
                    demo_tmdb.faults(latency_ms=0)
            workers.fork()
        time.sleep(0.02)
    for made in imports:
        wait_until(lambda made=made: step_of(made) is None, PATIENCE)
        if made.state == State.UNDONE:
            importing.try_again(made)
            wait_until(lambda made=made: step_of(made) is None, PATIENCE)
        assert library_rows(made.user) == expected, f"seed {seed}"


def test_an_import_that_kills_each_of_its_workers_is_given_up_and_others_go_on(
    workers, make_user, wait_until
):
    made = hand_in(make_user("ana"), long_history(20_000))

    def is_given_up():
        if step_of(made) is None:
            return True
        # As when reading took more memory than there is.
        if worker := workers.at_work_on(made):
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            workers.fork()
        return False

    workers.fork(IMPORT_LEASE_SECONDS="0.5")
    wait_until(is_given_up, PATIENCE)
    assert made.state == State.FAILED
    # Those that are killed while they give it up count, too.
    assert made.workers_lost >= MOST_WORKERS_LOST
    assert [finding.check for finding in examine() if not finding.is_well] == ["crashes", "TMDB"]
    other = hand_in(make_user("ben"), long_history(20))
    wait_until(lambda: not step_of(other), PATIENCE)
    assert other.state == State.DONE


def test_a_worker_that_stood_still_writes_nothing_more(
    workers, demo_tmdb, undisturbed, make_user, wait_until, catch_in
):
    data = long_history(4000)
    expected = undisturbed(data)
    demo_tmdb.faults(latency_ms=150)
    imports, stopped = [], []
    for step in (State.READING, State.STORING, State.LOOKING_UP):
        workers.start(TMDB_PARALLEL="2")
        imports.append(hand_in(make_user(step), data))

        def stand_still(step=step, made=imports[-1]):
            worker = catch_in(step, made)
            worker.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, worker.pid, os.WSTOPPED | os.WNOWAIT)
            # One that holds a lock would block the others for as long as the database allows.
            if step_of(made) == step and not somebody_writes():
                return worker
            worker.send_signal(signal.SIGCONT)
            return None

        stopped.append((wait_until(stand_still, PATIENCE), imports[-1].pk, imports[-1].fence))
    workers.start(TMDB_PARALLEL="2")
    wait_until(lambda: not any(step_of(made) or made.leased_until for made in imports), PATIENCE)
    before = list(Import.objects.order_by("pk").values())
    for worker, pk, fence in stopped:
        worker.send_signal(signal.SIGCONT)
        tried = f"import id={pk} fence={fence} not_mine"
        wait_until(lambda worker=worker, tried=tried: tried in workers.log_of(worker), PATIENCE)
    assert list(Import.objects.order_by("pk").values()) == before
    assert [library_rows(made.user) == expected for made in imports] == [True] * 3


def somebody_writes():
    """Whether another process is within a transaction that writes."""
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=0)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            return False
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = %s AND state <> 'idle'",
            [APPLICATION],
        )
        return bool(cursor.fetchone()[0])


@pytest.fixture
def park_in(workers, wait_until, catch_in):
    """park_in(step, import): a new worker is told to stop in this step, and does in time.

    When the step was over before the signal came, the import goes on to its next chance.
    """

    def park(step, made):
        def is_parked():
            worker = workers.start()
            assert catch_in(step, made) == worker
            worker.terminate()
            assert worker.wait(SECONDS_TO_STOP) == 0
            assert "Traceback" not in workers.log_of(worker)
            now = step_of(made)
            assert made.leased_until is None
            return now == step

        wait_until(is_parked, PATIENCE)

    return park


def test_a_worker_that_is_to_stop_parks_its_import_and_the_next_goes_on(
    workers, demo_tmdb, undisturbed, make_user, wait_until, park_in
):
    data = long_history(5000)
    expected = undisturbed(data)
    made = hand_in(make_user("ana"), data)
    park_in(State.READING, made)
    park_in(State.STORING, made)
    demo_tmdb.faults(hang_rate=1, hang_s=600)
    park_in(State.LOOKING_UP, made)
    demo_tmdb.faults(hang_rate=0)
    last = workers.start()
    wait_until(lambda: not step_of(made), PATIENCE)
    assert library_rows(made.user) == expected
    last.terminate()
    last.wait(SECONDS_TO_STOP)
    importing.undo(made)
    park_in(UNDOING, made)
    workers.start()
    wait_until(lambda: not step_of(made), PATIENCE)
    assert made.state == State.UNDONE
    assert not made.user.viewings.exists()


def test_a_worker_that_is_to_stop_parks_a_library_that_watchlog_wrote(
    workers, undisturbed, make_user, wait_until, park_in
):
    ana = make_user("ana")
    importing.run(importing.submit(ana, "a.csv", long_history(5000), look_up=False).pk)
    content = "\n".join(export_lines(ana)).encode()
    delete_account(ana)
    expected = undisturbed(content)
    made = hand_in(make_user("ben"), content)
    park_in(State.READING, made)
    assert not made.claims.exists()
    park_in(State.STORING, made)
    # What is told is what is stored, and what is stored stays.
    assert made.rows_new == made.claims.count() == made.user.viewings.count()
    told = made.rows_new
    workers.start()
    wait_until(lambda: not step_of(made), PATIENCE)
    assert made.rows_new == made.rows > told
    assert library_rows(made.user) == expected


def test_a_cancelled_import_stops_within_seconds_keeps_what_is_stored_and_asks_nobody(
    workers, demo_tmdb, make_user, wait_until, catch_in, settings
):
    demo_tmdb.faults(hang_rate=1, hang_s=600)
    worker = workers.start()
    for step in (State.STORING, State.LOOKING_UP):
        made = hand_in(make_user(step), long_history(5000))
        assert catch_in(step, made) == worker
        fence = made.fence
        assert importing.cancel(made)
        stopped = f"import id={made.pk} fence={fence} not_mine"
        wait_until(lambda stopped=stopped: stopped in workers.log_of(worker), SECONDS_TO_STOP)
        made.refresh_from_db()
        assert (made.state, made.leased_until) == (State.CANCELLED, None)
        assert made.rows_new == made.claims.count() == made.user.viewings.count()
        assert not made.parts.exists()
    assert made.rows_new
    # Later, when TMDB answers and whoever sweeps has a key for it, too.
    assert LibraryEntry.objects.waiting().exists()
    settings.TMDB_API_KEY = "demo"
    tidy_up()
    assert not DBTaskResult.objects.filter(task_path=look_up_due.module_path).exists()
    assert worker.poll() is None


@pytest.fixture
def browse(live_server, client):
    """browse(user): an open tab of theirs, on a server that many threads may ask at once."""

    def sign_in(user):
        client.force_login(user)
        return Tab(live_server.url, client.cookies["sessionid"].value)

    return sign_in


class Tab:
    def __init__(self, address, session):
        self.address = address
        self.session = requests.Session()
        self.session.cookies.set("sessionid", session)

    def get(self, path):
        return self.session.get(self.address + path, allow_redirects=False, timeout=PATIENCE)

    def post(self, path, form, **options):
        """Post a form, with the token of the page that the tab showed last."""
        fields = {**form, "csrfmiddlewaretoken": self.session.cookies["csrftoken"]}
        return self.session.post(
            self.address + path, fields, allow_redirects=False, timeout=PATIENCE, **options
        )

    def upload(self, data):
        files = {"file": ("NetflixViewingHistory.csv", data)}
        return self.post("/imports/new/", {}, files=files)


def test_the_same_file_handed_in_at_once_by_double_clicks_in_two_tabs_runs_once(
    workers, demo_tmdb, undisturbed, make_user, wait_until, browse
):
    data = long_history(2000)
    expected = undisturbed(data)
    demo_tmdb.faults(latency_ms=300)
    ana = make_user("ana")
    for _ in range(2):
        workers.start(TMDB_PARALLEL="2")
    wait_until(lambda: WorkerHeartbeat.objects.count() == 2, PATIENCE)
    tabs = [browse(ana), browse(ana)]
    for tab in tabs:
        assert tab.get("/imports/new/").status_code == 200
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda tab: tab.upload(data), tabs * 2))
    made = Import.objects.get()
    assert {(answer.status_code, answer.headers["Location"]) for answer in answers} == {
        (302, made.get_absolute_url())
    }
    # Both workers are told to do it, however the four requests followed one another.
    run_import.enqueue(made.pk)
    run_import.enqueue(made.pk)
    wait_until(lambda: not step_of(made), PATIENCE)
    taken = DBTaskResult.objects.exclude(worker_ids=[]).values_list("worker_ids", flat=True)
    assert len({ids[-1] for ids in taken}) == 2
    assert library_rows(ana) == expected
    assert demo_tmdb.stats()["repeated_urls"] == {}


@pytest.fixture
def hold_database():
    """Another process writes to SQLite's file, and commits when the block ends."""

    @contextmanager
    def hold():
        program = """if True:
            import sqlite3, sys
            other = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            other.execute("UPDATE accounts_user SET first_name = 'x'")
            print("held", flush=True)
            sys.stdin.read()
            other.execute("COMMIT")
        """
        command = [sys.executable, "-c", program, str(connection.settings_dict["NAME"])]
        with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True) as process:
            assert process.stdin
            assert process.stdout
            assert process.stdout.readline() == "held\n"
            yield
            process.stdin.close()
            assert process.wait(PATIENCE) == 0

    return hold


def test_while_another_process_writes_for_long_pages_are_read_and_writes_wait(
    workers, undisturbed, make_user, wait_until, catch_in, browse, hold_database
):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL does not lock the whole database")
    data = long_history(4000)
    expected = undisturbed(data)
    ana, ben = make_user("ana"), make_user("ben")
    entry = add_series(ana, "Dark", watched=3)
    viewing = entry.viewings.order_by("pk")[0]
    uploading, marking, reading = [browse(ana) for _ in range(3)]
    for tab in (uploading, marking):
        assert tab.get("/imports/new/").status_code == 200
    worker = workers.start()
    made = hand_in(ben, data)
    catch_in(State.STORING, made)
    with hold_database():
        released_at = time.monotonic() + SECONDS_HELD
        made.refresh_from_db()
        stored = made.rows_new
        pool = ThreadPoolExecutor(2)
        uploaded = pool.submit(uploading.upload, b"Title,Date\nInception,6/17/21\n")
        form = {"unwatched": f"v{viewing.pk}"}
        marked = pool.submit(marking.post, f"/entry/{entry.pk}/mark/", form)
        pages = ["/", entry.get_absolute_url(), "/history/", "/attention/", "/imports/"]
        while time.monotonic() < released_at:
            assert [reading.get(page).status_code for page in pages] == [200] * len(pages)
        assert not uploaded.done()
        assert not marked.done()
        made.refresh_from_db()
        assert made.rows_new == stored
    assert (uploaded.result().status_code, marked.result().status_code) == (302, 302)
    viewing.refresh_from_db()
    assert viewing.dismissed_at
    wait_until(lambda: not any(map(step_of, Import.objects.all())), PATIENCE)
    assert library_rows(ben) == expected
    assert Viewing.objects.filter(user=ana, raw_title="Inception").exists()
    assert "locked" not in workers.log_of(worker)


def test_a_lease_is_given_back_when_nothing_renews_it_any_more(
    database_queue, make_user, monkeypatch, settings
):
    settings.IMPORT_LEASE_SECONDS = 0.04
    give_back = leases.give_back
    threads: list[str] = []

    def record(lease):
        threads.extend(thread.name for thread in threading.enumerate())
        give_back(lease)

    monkeypatch.setattr(leases, "give_back", record)
    made = importing.run(hand_in(make_user("ana"), long_history(20)).pk)
    assert (made.state, made.leased_until) == (State.DONE, None)
    assert threads
    assert "lease" not in threads


@contextmanager
def room_for(more):
    """Within the block this thread adds so many pages to the database and not one more.

    SQLite itself refuses them. For PostgreSQL, whose disk cannot be filled here, the driver
    raises what it raises then, after so many INSERTs.
    """
    thread = threading.current_thread()
    left = itertools.count(more, -1)

    def bound(connection, **options):
        if threading.current_thread() is thread:
            connection.connection.execute(f"PRAGMA max_page_count = {most}")

    def counting(execute):
        def counted(cursor, query, *args, **options):
            adds = str(query).startswith("INSERT") and threading.current_thread() is thread
            if adds and next(left) <= 0:
                raise psycopg.errors.DiskFull("could not extend file: No space left on device")
            return execute(cursor, query, *args, **options)

        return counted

    with pytest.MonkeyPatch.context() as patch:
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("VACUUM")
                cursor.execute("PRAGMA page_count")
                most = cursor.fetchone()[0] + more
            bound(connection)
            # A connection whose transaction failed is given up for a new one.
            connection_created.connect(bound)
        else:
            for name in ("execute", "executemany"):
                patch.setattr(psycopg.Cursor, name, counting(getattr(psycopg.Cursor, name)))
        try:
            yield
        finally:
            connection_created.disconnect(bound)
            connection.close()


@pytest.mark.parametrize("step", [State.READING, State.STORING, State.LOOKING_UP])
def test_an_import_that_finds_the_database_full_fails_and_is_made_whole_later(
    database_queue, undisturbed, make_user, step
):
    data = long_history(3000)
    expected = undisturbed(data)
    made = importing.submit(make_user("ana"), "NetflixViewingHistory.csv", data)
    seen = []
    with ExitStack() as full:

        def fill_up(now):
            seen.append(now.state)
            # When something is stored already.
            if seen.count(step) == (2 if step == State.STORING else 1):
                full.enter_context(room_for(0))

        made = importing.run(made.pk, on_progress=fill_up)
    assert made.state == State.FAILED
    assert "database is full" in made.error
    assert made.claims.count() == made.rows_new == Viewing.objects.count()
    assert bool(made.rows_new) == (step != State.READING)
    assert not made.parts.exists()
    assert wrong_counts() == []
    importing.try_again(made)
    assert importing.run(made.pk).state == State.DONE
    rows = library_rows(made.user)
    if step == State.LOOKING_UP:
        # It looked up less, since some were known by then.
        del rows["imports"], expected["imports"]
    assert rows == expected


def test_a_full_database_refuses_what_people_do_with_words_and_shows_its_pages(
    database_queue, make_user
):
    ana = make_user("ana")
    entry = add_series(ana, "Dark", watched=3)
    browser = Client(raise_request_exception=False)
    browser.force_login(ana)

    def upload():
        data = long_history(20_000)
        return browser.post("/imports/new/", {"file": [SimpleUploadedFile("a.csv", data)]})

    def act(what):
        return browser.post(f"/entry/{entry.pk}/act/", {"act": what})

    with room_for(0):
        assert "no room left for this file" in upload().text
        assert not Import.objects.exists()
        # What is left of the last pages takes some decisions.
        answers = (act(what) for _ in range(100) for what in ("hide", "show"))
        refused = next(answer for answer in answers if answer.status_code != 302)
        assert refused.status_code == 503
        assert "The database is full" in refused.text
        assert browser.get("/").status_code == 200
    assert upload().status_code == act("hide").status_code == 302


@pytest.mark.parametrize("gone", ["import", "user"])
def test_an_import_or_user_that_is_deleted_meanwhile_leaves_nothing_and_the_worker_goes_on(
    workers, demo_tmdb, undisturbed, make_user, wait_until, catch_in, gone
):
    data = long_history(4000)
    expected = undisturbed(data)
    demo_tmdb.faults(latency_ms=150)
    worker = workers.start(TMDB_PARALLEL="2")

    def delete(of_import):
        if gone == "user":
            delete_account(of_import.user)
            return True
        try:
            return of_import.delete()
        except IntegrityError:
            # A part of it was stored in between.
            return False

    for step in (State.READING, State.STORING, State.LOOKING_UP):
        made = hand_in(make_user(step), data)
        assert catch_in(step, made) == worker
        wait_until(lambda made=made: delete(made), PATIENCE)
    last = hand_in(make_user("last"), data)
    wait_until(lambda: not step_of(last), PATIENCE)
    assert library_rows(last.user) == expected
    assert worker.poll() is None
    assert "Traceback" not in workers.log_of(worker)
    assert set(Import.objects.all()) == set(Import.objects.filter(claims__isnull=False)) == {last}
    assert not ImportPart.objects.exists()
    assert [finding for finding in examine() if not finding.is_well] == []
    if gone == "user":
        for model in (Viewing, LibraryEntry, EntryName, Import, ImportProblem, ImportFile):
            of_user = "of_import__user" if hasattr(model, "of_import") else "user"
            assert set(model.objects.values_list(of_user, flat=True)) == {last.user_id}
