"""What takes too long for CI: `make soak`.

fuzz    5,000 requests of any kind to every page
kills   1,000 times SIGKILL to a worker at a random moment, as often in each step, while imports
        are read, stored, looked up and undone; every library must equal that of an undisturbed
        run in the end, row by row
crowd   10 people import 5,000 rows each with 4 workers while 20 readers browse over HTTP:
        everything right in the end, no error, and how long each page took

Kills and crowd need a PostgreSQL server that DATABASE_URL names (postgres://me@localhost/any):
they work in a database of their own there, which goes afterwards. TMDB is the demo's.
"""

from __future__ import annotations

import argparse
import csv
import io
import itertools
import multiprocessing
import os
import random
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.cookiejar import CookieJar
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.bench import scratch_database
from scripts.demo import HISTORY, any_port, running
from scripts.run import ROOT
from scripts.supervise import Process

if TYPE_CHECKING:
    from accounts.models import User
    from imports.models import Import

PARTS = ("fuzz", "kills", "crowd")
PASSWORD = "a password for the soak"  # noqa: S105
EPISODES = 25
LAST_DAY = date(2025, 6, 30)
# Kills: short, so that an import goes on soon after its worker died.
LEASE_SECONDS = 1.5
USERS, WORKERS = 8, 6
STUCK_AFTER_SECONDS = 900
UNDOING = "undoing"
# A worker is killed within so many seconds after it was seen in a step, about as many as it takes.
STEPS = {"reading": 0.15, "storing": 0.2, "looking_up": 0.3, UNDOING: 0.1}


def options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="make soak", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    options.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART")
    options.add_argument("--requests", type=int, default=5_000, help="of the fuzz")
    options.add_argument("--kills", type=int, default=1_000)
    options.add_argument("--minutes", type=float, default=60, help="no new kills after so many")
    options.add_argument("--people", type=int, default=10)
    options.add_argument("--rows", type=int, default=5_000, help="that each of the people imports")
    options.add_argument("--workers", type=int, default=4)
    options.add_argument("--readers", type=int, default=20)
    options.add_argument("--pause", type=float, default=2.0, help="seconds between two pages")
    options.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    return options


def main() -> int:
    chosen = options().parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    failed = []
    if "fuzz" in chosen.only and not fuzz(chosen.requests):
        failed.append("fuzz")
    server = os.environ.get("DATABASE_URL", "")
    if {"kills", "crowd"}.isdisjoint(chosen.only):
        pass
    elif not server.startswith("postgres"):
        print("Kills and crowd need a PostgreSQL server: set DATABASE_URL to its address.")
        failed.append("kills and crowd")
    else:
        with scratch_database(server) as url, demo_tmdb() as api_url:
            prepare(url, api_url)
            if "kills" in chosen.only and not kill(chosen):
                failed.append("kills")
            if "crowd" in chosen.only and not crowd(chosen):
                failed.append("crowd")
    print(f"\nWrong: {', '.join(failed)}" if failed else "\nAll right.")
    return len(failed)


def fuzz(requests: int) -> bool:
    """Send so many requests of any kind to every page, by the test that CI runs with fewer."""
    tests = [sys.executable, "-m", "pytest", "-q", "watchlog/tests/test_fuzz.py"]
    env = os.environ | {"WATCHLOG_FUZZ_REQUESTS": str(requests)}
    return subprocess.run(tests, cwd=ROOT, env=env).returncode == 0


@contextmanager
def demo_tmdb() -> Iterator[str]:
    port = any_port()
    options = ["--port", str(port), "--latency-ms", "50"]
    server = Process("demo TMDB", [sys.executable, "-m", "tmdb.demo.server", *options])
    with running(server, port):
        yield f"http://127.0.0.1:{port}/3"


def prepare(database_url: str, tmdb_url: str) -> None:
    os.environ |= {
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "watchlog.settings",
        "WATCHLOG_ENV_FILE": "",
        "SECRET_KEY": "soak",
        "PLAIN_HTTP": "true",
        "LOG_LEVEL": "ERROR",
        "TMDB_API_KEY": "demo",
        "TMDB_API_URL": tmdb_url,
        "TMDB_RATE_PERIOD": "1",
    }
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable")
    call_command("collectstatic", interactive=False, verbosity=0)


def export(first: int, rows: int) -> bytes:
    """A Netflix history of so many rows: some of the demo's, which TMDB knows, others made up."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    known = rows_of_known_series()
    out.write("Title,Date\n")
    writer.writerows(known)
    for n in range(first, first + rows - len(known)):
        day = LAST_DAY - timedelta(days=n % 3000)
        title = f"Soaked {n // EPISODES} Stories: Season 1: Part {n % EPISODES + 1}, told {n}"
        writer.writerow([title, f"{day.month}/{day.day}/{day.year % 100}"])
    return out.getvalue().encode()


def rows_of_known_series() -> list[list[str]]:
    """The rows of the demo's history but for series that it has under several names.

    What is shown of their match depends on which of the names is answered last.
    """
    from tmdb.demo.server import Catalogue, titles, words

    with HISTORY.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    names = {row[0]: " ".join(words(row[0].partition(":")[0])) for row in rows}
    for record in Catalogue().by_id.values():
        of_series = {" ".join(words(title)) for title in titles(record)} & set(names.values())
        if len(of_series) > 1:
            rows = [row for row in rows if names[row[0]] not in of_series]
    return rows


# Kills


def kill(chosen: argparse.Namespace) -> bool:
    """Kill workers while everybody imports a file, then one that overlaps, and undoes the first.

    In as many rounds, each with users of its own, as it takes to kill often enough.
    """
    from django.conf import settings

    print(
        f"\n{chosen.kills} kills (seed {chosen.seed}), {WORKERS} workers, {USERS} imports at once"
    )
    settings.IMPORT_LEASE_SECONDS = LEASE_SECONDS
    # So many workers with more would want more connections than a server usually takes.
    settings.TMDB_PARALLEL = 4
    files = [export(0, 1_500), export(700, 1_500)]
    started = time.monotonic()
    users: list[User] = []
    with tempfile.TemporaryDirectory() as folder:
        dice = random.Random(chosen.seed)  # noqa: S311
        killer = Killer(dice, Path(folder) / "log", chosen.kills, chosen.minutes)
        try:
            for number in itertools.count(1):
                users += round_of_imports(killer, files)
                minutes = (time.monotonic() - started) / 60
                print(f"round {number}: {killer.hits.total()} kills in {minutes:.1f} minutes")
                if killer.has_ended():
                    break
        finally:
            killer.end()
            sys.stdout.write("".join(killer.errors()))
            for step, times in killer.hits.most_common():
                print(f"{times:6} while {step}")
    alike = are_alike(users, imported_alone(files, undo_first=True))
    for step, number in killer.wanting().items():
        print(f"{number} kills too few while {step}: give it more --minutes")
    return alike and not killer.wanting()


def round_of_imports(killer: Killer, files: Sequence[bytes]) -> list[User]:
    from accounts.models import User
    from imports import importing
    from imports.models import State

    users = [User.objects.create(username=f"kills-{time.time_ns()}") for _ in range(USERS)]
    for number, data in enumerate(files):
        handed_in = [importing.submit(user, f"{number}.csv", data) for user in users]
        for one in handed_in:
            importing.start(one)
        killer.work_until_none_is(lambda found: found.active(), handed_in)
    first = [user.imports.earliest("pk") for user in users]
    for one in first:
        importing.undo(one)
    killer.work_until_none_is(lambda found: found.exclude(state=State.UNDONE), first)
    return users


def step_of(of_import: Import) -> str:
    return UNDOING if of_import.undo_asked_at else of_import.state


class Killer:
    """Workers, forked so that a new one costs little, and their deaths.

    They are processes of their own all the same, which run what `manage.py worker` runs.
    """

    def __init__(self, dice: random.Random, log: Path, kills: int, minutes: float) -> None:
        self.dice = dice
        self.log = log
        self.kills_of_each = -(-kills // len(STEPS))
        self.ends = time.monotonic() + 60 * minutes
        self.hits: Counter[str] = Counter()
        """How many kills hit a worker in which step of an import."""
        self.due: dict[tuple[int, int, str], float] = {}
        """When which import, by its fence, is to lose its worker in which step."""
        self.workers: list[BaseProcess] = []

    def work_until_none_is(
        self, unfinished: Callable[..., Sequence[Import]], imports: Sequence[Import]
    ) -> None:
        """Let workers work, and die, until none of the imports is unfinished any more."""
        from imports.models import Import

        ids = [of_import.pk for of_import in imports]
        deadline = time.monotonic() + STUCK_AFTER_SECONDS
        while left := list(unfinished(Import.objects.filter(pk__in=ids))):
            if time.monotonic() > deadline:
                states = [(one.pk, one.state, one.fence, one.leased_until) for one in left]
                raise RuntimeError(f"these imports do not end: {states}")
            self._replace_the_dead()
            self._kill_who_is_due()
            time.sleep(0.02)

    def _kill_who_is_due(self) -> None:
        from django_tasks_db.models import DBTaskResult

        from imports.lease import MOST_WORKERS_LOST
        from imports.models import Import

        running = DBTaskResult.objects.filter(
            status="RUNNING", task_path="imports.tasks.run_import"
        ).values_list("pk", "worker_ids", "args_kwargs")
        # Ids are host-pid-random.
        at_work = {
            int(worker_ids[-1].rsplit("-", 2)[1]): (task, called["args"][0])
            for task, worker_ids, called in running
        }
        # One that loses more of them before it gets on would be given up.
        may_lose = Import.objects.filter(workers_lost__lt=MOST_WORKERS_LOST - 2)
        found = may_lose.in_bulk([import_id for _task, import_id in at_work.values()])
        for worker in [worker for worker in self.workers if worker.pid in at_work]:
            task, import_id = at_work[worker.pid or 0]
            if import_id in found and self._is_due(found[import_id]):
                worker.kill()
                worker.join()
                if DBTaskResult.objects.filter(pk=task, status="RUNNING").exists():
                    self.hits[step_of(Import.objects.get(pk=import_id))] += 1

    def _is_due(self, of_import: Import) -> bool:
        step = step_of(of_import)
        if step not in self.wanting() or self.has_ended():
            return False
        moment = time.monotonic() + self.dice.uniform(0, STEPS[step])
        return time.monotonic() >= self.due.setdefault(
            (of_import.pk, of_import.fence, step), moment
        )

    def wanting(self) -> dict[str, int]:
        """How many kills each step still lacks, of those that lack any."""
        left = {step: self.kills_of_each - self.hits[step] for step in STEPS}
        return {step: number for step, number in left.items() if number > 0}

    def has_ended(self) -> bool:
        return not self.wanting() or time.monotonic() >= self.ends

    def _replace_the_dead(self) -> None:
        from django.db import connections

        self.workers = [worker for worker in self.workers if worker.is_alive()]
        if len(self.workers) < WORKERS:
            # Not to be shared with a fork.
            connections.close_all()
        while len(self.workers) < WORKERS:
            fork = multiprocessing.get_context("fork")
            worker = fork.Process(target=self._work)
            worker.start()
            self.workers.append(worker)

    def _work(self) -> None:
        from django.core.management import call_command

        with self.log.open("ab") as log:
            os.dup2(log.fileno(), sys.stderr.fileno())
            call_command("worker")

    def errors(self) -> list[str]:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return text.splitlines(keepends=True)[:100]

    def end(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.join()


def imported_alone(files: Sequence[bytes], *, undo_first: bool = False) -> User:
    """A user who imported the same in peace, after all the others."""
    from accounts.models import User
    from imports import importing

    user = User.objects.create(username=f"alone-{time.time_ns()}")
    imports = [
        importing.run(importing.submit(user, f"{number}.csv", data).pk)
        for number, data in enumerate(files)
    ]
    if undo_first:
        importing.undo(imports[0])
        importing.run(imports[0].pk)
    return user


def are_alike(users: Sequence[User], alone: User) -> bool:
    """Whether each library equals the one made in peace; prints what differs."""
    from imports.tests.workers import library_rows

    expected = library_rows(alone)
    wrong = 0
    for user in users:
        found = library_rows(user)
        wrong += found != expected
        for kind, rows in expected.items():
            for row in sorted(set(rows) ^ set(found[kind]))[:5]:
                print(f"{user}: {kind}: {'missing' if row in rows else 'too much'}: {row[:1000]}")
    compared = {kind: len(rows) for kind, rows in expected.items()}
    print(f"{len(users) - wrong} of {len(users)} libraries equal the one made in peace: {compared}")
    return not wrong


# Crowd


def crowd(chosen: argparse.Namespace) -> bool:
    """People import over HTTP while readers browse; whether all went right."""
    from accounts.models import User
    from imports.models import ENDED, Import

    print(
        f"\n{chosen.people} people import {chosen.rows} rows each with {chosen.workers} workers, "
        f"{chosen.readers} readers open a page every {chosen.pause:g} s"
    )
    data = export(0, chosen.rows)
    names = [f"crowd-{number}-{time.time_ns()}" for number in range(chosen.people)]
    users = [User.objects.create_user(name, password=PASSWORD) for name in names]
    port = any_port()
    web = Process(
        "web server",
        [sys.executable, "-m", "gunicorn", "watchlog.wsgi", "--bind", f"127.0.0.1:{port}"],
    )
    worker = [sys.executable, "manage.py", "worker"]
    with ExitStack() as stack:
        stack.enter_context(running(web, port))
        # The first answer comes when the web server has started, which is not measured.
        urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=60).close()
        for _ in range(chosen.workers):
            process = subprocess.Popen(worker, cwd=ROOT)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        address = f"http://127.0.0.1:{port}"
        readers = [
            Reader(address, name, chosen.pause, chosen.seed + number)
            for number, name in zip(range(chosen.readers), itertools.cycle(names), strict=False)
        ]
        browsing = [threading.Thread(target=reader.browse) for reader in readers]
        for thread in browsing:
            thread.start()
        started = time.monotonic()
        uploaders = [Reader(address, name, 0, 0) for name in names]
        for uploader in uploaders:
            uploader.sign_in()
            uploader.upload("0.csv", data)
        imports = Import.objects.filter(user__in=users)
        while imports.exclude(state__in=ENDED).exists() or imports.count() < len(users):
            if time.monotonic() - started > STUCK_AFTER_SECONDS:
                print("These imports did not end:", list(imports.values_list("pk", "state")))
                break
            time.sleep(0.5)
        seconds = time.monotonic() - started
        for reader in readers:
            reader.ended.set()
        for thread in browsing:
            thread.join()
    print(f"All imports done after {seconds:.0f} s.")
    problems = report([*readers, *uploaders])
    return are_alike(users, imported_alone([data])) and not problems


@dataclass
class Reader:
    """A browser of one person; notes how long each page took, and what went wrong."""

    address: str
    name: str
    pause: float
    seed: int
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    problems: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.cookies = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def browse(self) -> None:
        """Open pages in turn until told to end; the next ones are found on the page before."""
        dice = random.Random(self.seed)  # noqa: S311
        self.sign_in()
        while not self.ended.wait(dice.uniform(0.5, 1.5) * self.pause):
            library = self.get("library", dice.choice(["/", "/?sort=progress", "/?q=stories"]))
            entries = re.findall(r'href="(/entry/\d+/)"', library)
            imports = re.findall(r'href="(/imports/\d+/)"', self.get("imports", "/imports/"))
            further = [("history", "/history/"), ("attention", "/attention/")]
            if entries:
                further.append(("series", dice.choice(entries)))
            if imports:
                further.append(("import", imports[0]))
                further.append(("progress", f"{imports[0]}progress/"))
            for page, path in further:
                if self.ended.wait(dice.uniform(0.5, 1.5) * self.pause):
                    return
                self.get(page, path)

    def sign_in(self) -> None:
        form = {"username": self.name, "password": PASSWORD}
        self.post("sign in", "/sign-in/", urllib.parse.urlencode(form | self._token("/sign-in/")))

    def upload(self, name: str, data: bytes) -> None:
        token = self._token("/imports/new/")["csrfmiddlewaretoken"]
        parts = [
            f'--edge\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{token}',
            f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            f"Content-Type: text/csv\r\n\r\n{data.decode()}",
            "--edge--\r\n",
        ]
        self.post(
            "hand in", "/imports/new/", "\r\n".join(parts), "multipart/form-data; boundary=edge"
        )

    def _token(self, path: str) -> dict[str, str]:
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get("form", path))
        return {"csrfmiddlewaretoken": found[1] if found else ""}

    def get(self, page: str, path: str) -> str:
        return self._open(page, urllib.request.Request(self.address + path))  # noqa: S310

    def post(
        self, page: str, path: str, body: str, kind: str = "application/x-www-form-urlencoded"
    ) -> None:
        headers = {"Content-Type": kind, "Referer": self.address + path}
        url = self.address + path
        self._open(page, urllib.request.Request(url, body.encode(), headers))  # noqa: S310

    def _open(self, page: str, request: urllib.request.Request) -> str:
        started = time.perf_counter()
        try:
            with self.opener.open(request, timeout=60) as response:
                text: str = response.read().decode()
                if "/sign-in/" in response.url and page != "form":
                    self.problems.append(f"{page}: sent to the sign-in")
        except (OSError, urllib.error.HTTPError) as problem:
            self.problems.append(f"{page} {request.selector}: {problem}")
            return ""
        self.times[page].append(time.perf_counter() - started)
        return text


def report(readers: Sequence[Reader]) -> list[str]:
    """Print how long pages took; the problems there were."""
    times: dict[str, list[float]] = defaultdict(list)
    for reader in readers:
        for page, seconds in reader.times.items():
            times[page] += seconds
    print(f"{'page':12}{'times':>7}{'p50':>9}{'p95':>9}{'max':>9}  ms")
    everything = {"all pages": list(itertools.chain.from_iterable(times.values()))}
    for page, seconds in (dict(sorted(times.items())) | everything).items():
        p95 = statistics.quantiles([*seconds, seconds[-1]], n=20)[-1]
        figures = [statistics.median(seconds), p95, max(seconds)]
        print(f"{page:12}{len(seconds):7}" + "".join(f"{one * 1000:9.0f}" for one in figures))
    problems = [problem for reader in readers for problem in reader.problems]
    print(f"{len(problems)} problems")
    for problem, number in Counter(problems).most_common(10):
        print(f"{number:6} times {problem}")
    return problems


if __name__ == "__main__":
    sys.exit(main())
