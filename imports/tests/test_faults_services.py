"""What imports survive of the services around them: PostgreSQL, Redis and TMDB, each a real one."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.utils import timezone

from conftest import skip_or_fail
from imports.models import Import, State
from imports.outages import outlast
from imports.tests.making import history, long_history
from imports.tests.workers import Rows, hand_in, library_rows
from media.models import LibraryEntry, LookupStatus
from tmdb.tests.servers import redis_server

pytestmark = pytest.mark.django_db(transaction=True)

# On a busy machine everything takes its time; when all is well, nothing waits for so long.
PATIENCE = 120
LIMIT, PERIOD = 20, 1
UNDER_A_LIMIT = {"TMDB_RATE_LIMIT": str(LIMIT), "TMDB_RATE_PERIOD": str(PERIOD)}


def is_over(of_import: Import) -> bool:
    outlast(of_import.refresh_from_db)
    return not of_import.is_active


def in_state(of_import: Import, *states: State) -> bool:
    outlast(of_import.refresh_from_db)
    return of_import.state in states


class TestTmdb:
    """Whatever TMDB does, imports end; what they could not ask is asked later."""

    DATA = long_history(120)

    @pytest.mark.parametrize(
        "faults",
        [
            pytest.param({"error_rate": 0.2}, id="errors"),
            pytest.param({"hang_rate": 0.1, "hang_s": 60}, id="hangs"),
            pytest.param({"garbage_rate": 0.3}, id="garbage"),
            pytest.param({"limit": "5/1"}, id="too many requests"),
            pytest.param({"down": True}, id="down"),
        ],
    )
    def test_no_fault_of_it_stores_a_wrong_value_or_breaks_the_limit(
        self, workers, demo_tmdb, undisturbed, make_user, wait_until, faults
    ):
        expected = undisturbed(self.DATA)
        demo_tmdb.faults(**faults)
        ana, ben = make_user("ana"), make_user("ben")
        workers.env |= UNDER_A_LIMIT | {"TMDB_READ_TIMEOUT": "0.5"}
        running = [workers.start() for _ in "12"]
        made = [hand_in(user, self.DATA) for user in (ana, ben)]
        wait_until(lambda: all(map(is_over, made)), PATIENCE)
        assert [one.state for one in made] == [State.DONE, State.DONE]
        for user in (ana, ben):
            wrong = matches(library_rows(user)) - matches(expected)
            assert {match for match in wrong if match[1] != "None"} == set()
        assert demo_tmdb.stats(PERIOD)["busiest"] <= LIMIT

        # An hour later TMDB is back. A worker looks for what is due as soon as it starts.
        waiting = LibraryEntry.objects.waiting()
        assert waiting.exists() or not faults.get("down")
        assert not waiting.filter(next_lookup_at__isnull=True).exists()
        assert not waiting.due(timezone.now() + timedelta(minutes=4)).exists()
        demo_tmdb.faults(**dict.fromkeys(["error_rate", "hang_rate", "garbage_rate"], 0))
        demo_tmdb.faults(limit=None, down=False)
        an_hour_later()
        for process in running:
            process.terminate()
        workers.start()
        wait_until(lambda: not waiting.exists(), PATIENCE)
        for user in (ana, ben):
            assert library_rows(user)["entries"] == expected["entries"]
            assert library_rows(user)["names"] == expected["names"]

    def test_a_refused_key_leaves_everything_for_later(
        self, workers, undisturbed, make_user, wait_until
    ):
        expected = undisturbed(self.DATA)
        ana = make_user("ana")
        refused = workers.start(TMDB_API_KEY="invalid")
        made = hand_in(ana, self.DATA)
        wait_until(lambda: is_over(made), PATIENCE)
        assert made.state == State.DONE
        waiting = LibraryEntry.objects.waiting()
        assert waiting.exists()
        assert not waiting.filter(lookup_attempts__gt=0).exists()
        refused.terminate()
        an_hour_later()
        workers.start()
        wait_until(lambda: not waiting.exists(), PATIENCE)
        assert library_rows(ana)["entries"] == expected["entries"]

    def test_it_is_asked_less_and_less_often_while_it_is_down(
        self, workers, demo_tmdb, make_user, wait_until
    ):
        demo_tmdb.faults(down=True)
        workers.start()
        made = hand_in(make_user("ana"), history(("Dark: Season 1: Secrets", "6/20/21")))
        wait_until(lambda: is_over(made), PATIENCE)
        waits = []
        for attempt in (1, 2, 3):
            wait_until(LibraryEntry.objects.filter(lookup_attempts=attempt).exists, PATIENCE)
            entry = LibraryEntry.objects.get()
            assert entry.lookup_status == LookupStatus.PENDING
            assert entry.next_lookup_at
            waits.append(entry.next_lookup_at - timezone.now())
            LibraryEntry.objects.update(next_lookup_at=timezone.now())
            workers.start()
        assert waits[0] > timedelta(minutes=4)
        assert waits[1] > 1.5 * waits[0]
        assert waits[2] > 1.5 * waits[1]


def matches(rows: Rows) -> set[tuple[str, ...]]:
    """Each name with its TMDB id and its number of episodes."""
    pattern = re.compile(r"key=(\S+) .*tmdb_id=(\S+) .*total_episodes=(\S+)")
    return {found.groups() for row in rows["names"] if (found := pattern.search(row))}


def an_hour_later() -> None:
    """What was put off is due as if an hour had gone by."""
    LibraryEntry.objects.update(next_lookup_at=F("next_lookup_at") - timedelta(hours=1))


@contextmanager
def site(env: dict[str, str]) -> Iterator[str]:
    """The site as a process of its own; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [sys.executable, "-m", "gunicorn", "watchlog.wsgi", "--bind", address]
    # The tests' settings need no collected static files.
    env = env | {"DJANGO_SETTINGS_MODULE": "watchlog.test_settings"}
    process = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
    try:
        yield address
    finally:
        process.kill()
        process.wait()


def test_redis_may_be_away_at_the_start_go_midway_and_come_back(
    workers, demo_tmdb, make_user, client, tmp_path, wait_until
):
    demo_tmdb.faults(latency_ms=100)
    names = [f"Qx{n}zz" for n in range(120)]
    data = history(*((f"{name}: Season 1: Opening", "6/20/21") for name in names))
    ana, ben = make_user("ana"), make_user("ben")
    client.force_login(ana)
    cookie = f"sessionid={client.cookies['sessionid'].value}"

    with redis_server(tmp_path) as redis:
        redis.kill()
        workers.env |= UNDER_A_LIMIT | {"REDIS_URL": redis.url}
        with site(workers.env) as address:

            def library_is_shown() -> bool:
                try:
                    with closing(http.client.HTTPConnection(address, timeout=30)) as browser:
                        browser.request("GET", "/", headers={"Cookie": cookie})
                        page = browser.getresponse()
                        return page.status == 200 and b"ana" in page.read()
                except ConnectionError:
                    return False

            def asked() -> int:
                return int(demo_tmdb.stats()["requests"])

            workers.start()
            workers.start()
            made = hand_in(ana, data)
            for change in (redis.start, redis.kill, redis.start):
                before = asked()
                wait_until(lambda before=before: asked() >= before + 15, PATIENCE)
                assert wait_until(library_is_shown, PATIENCE)
                change()
            wait_until(lambda: is_over(made), PATIENCE)
            assert wait_until(library_is_shown, PATIENCE)
        assert made.state == State.DONE
        assert ana.library.filter(lookup_status=LookupStatus.NOT_FOUND).count() == len(names)
        assert demo_tmdb.stats(PERIOD)["busiest"] <= LIMIT

        # What is asked from now on is kept in Redis again.
        data = data.replace(b"Qx", b"Qy")
        for user, most in ((ana, len(names)), (ben, 0)):
            before = asked()
            made = hand_in(user, data)
            wait_until(lambda made=made: is_over(made), PATIENCE)
            assert asked() - before <= most


PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


class Cluster:
    """A PostgreSQL of a test's own, which may be restarted at any time."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        # The server refuses to run as root, and must get into the folder.
        self.user = "postgres" if os.getuid() == 0 else None
        if self.user:
            shutil.chown(folder, self.user)
            for above in folder.parents[:3]:
                above.chmod(0o711)
        self.run("initdb", "--auth=trust", "--username=postgres", "--no-sync")
        self.control("start")

    def control(self, *order: str) -> None:
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -k {self.folder} -c fsync=off"
        self.run("pg_ctl", *order, "-s", "-w", "-o", options, "-l", str(self.folder / "log"))

    def run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [PROGRAMS[-1] / program, "-D", self.folder, *arguments],
            user=self.user,
            check=True,
            timeout=PATIENCE,
            stdout=subprocess.DEVNULL,
        )


@pytest.fixture
def cluster(
    transactional_db: None, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cluster]:
    """With the tables that are needed; this process uses it instead of its usual database."""
    if not PROGRAMS:
        skip_or_fail("PostgreSQL is not installed")
    with tempfile.TemporaryDirectory() as folder:
        found = Cluster(Path(folder), free_port)
        connection.close()
        with monkeypatch.context() as patch:
            place = {"HOST": "127.0.0.1", "PORT": free_port, "NAME": "postgres"}
            for key, value in (place | {"USER": "postgres", "PASSWORD": ""}).items():
                patch.setitem(connection.settings_dict, key, value)
            try:
                call_command("migrate", verbosity=0)
                yield found
            finally:
                connection.close()
                found.control("stop", "-m", "immediate")


def drop_connections(cluster: Cluster) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )


def restart(cluster: Cluster, how: str) -> None:
    cluster.control("restart", "-m", how)
    connection.close()


# Once is enough: it is another PostgreSQL than that of the other tests.
@pytest.mark.postgres
def test_postgresql_may_restart_or_drop_its_connections_at_any_step(
    cluster, workers, undisturbed, make_user, wait_until
):
    data = long_history(1500)
    expected = undisturbed(data)
    steps = [State.READING, State.STORING, State.LOOKING_UP, State.DONE]
    process = workers.start()
    for disturb in (
        drop_connections,
        partial(restart, how="fast"),
        partial(restart, how="immediate"),
    ):
        user = make_user()
        made = hand_in(user, data)
        for number in range(3):
            # A step may be over before it is seen; then the next one is disturbed twice.
            wait_until(lambda made=made, n=number: in_state(made, *steps[n:]), PATIENCE)
            disturb(cluster)
        wait_until(lambda made=made: is_over(made), PATIENCE)
        assert made.state == State.DONE
        assert library_rows(user) == expected
    assert process.poll() is None
