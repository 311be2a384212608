"""Worker processes of a test's own, and a library's rows to compare with an undisturbed run's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet
from django_tasks_db.models import DBTaskResult

from accounts.models import User
from imports import importing
from imports.importing import ImportOptions
from imports.models import Claim, Import, ImportProblem
from media.models import EntryName, LibraryEntry, Viewing

PROJECT = Path(__file__).resolve().parents[2]
# A worker that dies is replaced after so long; a minute in production.
LEASE_SECONDS = 2.0

# By this name PostgreSQL knows the sessions of workers from the test's own.
APPLICATION = "worker of a test"


class Forked:
    """A worker that `forking.py` started, as far as it is used like a process."""

    def __init__(self, parent: subprocess.Popen[str], log: Path) -> None:
        self.parent = parent
        self.has_ended = False
        self.pid = int(self._ask(f"start {log}"))

    def _ask(self, line: str) -> str:
        assert self.parent.stdin
        assert self.parent.stdout
        self.parent.stdin.write(line + "\n")
        self.parent.stdin.flush()
        return self.parent.stdout.readline()

    def send_signal(self, number: int) -> None:
        if not self.has_ended:
            os.kill(self.pid, number)

    def wait(self) -> None:
        if not self.has_ended:
            self._ask(f"wait {self.pid}")
            self.has_ended = True

    def poll(self) -> int | None:
        return 0 if self.has_ended else None


Process = subprocess.Popen[bytes]


class Workers:
    """`manage.py worker`, as often as wanted, on the database that `env` names."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        self.env = {"IMPORT_LEASE_SECONDS": str(LEASE_SECONDS), "PGAPPNAME": APPLICATION, **env}
        self.folder = folder
        self.processes: list[Process | Forked] = []
        self.parent: subprocess.Popen[str] | None = None

    def start(self, **env: str) -> Process:
        """One more worker; `env` changes its environment."""
        with self._log(len(self.processes)).open("wb") as log:
            process = subprocess.Popen(
                # The checks of a start take half a second, which is much where many are killed.
                [sys.executable, "manage.py", "worker", "--skip-checks"],
                cwd=PROJECT,
                env={**self.env, **env},
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    def fork(self, **env: str) -> None:
        """One more worker that costs little; `env` counts for all of them."""
        if self.parent is None:
            self.parent = subprocess.Popen(
                [sys.executable, "-m", "imports.tests.forking"],
                cwd=PROJECT,
                env={**self.env, **env},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        self.processes.append(Forked(self.parent, self._log(len(self.processes))))

    def _log(self, number: int) -> Path:
        return self.folder / f"worker-{number}.log"

    def log_of(self, process: Process | Forked) -> str:
        """What a worker has written so far."""
        return self._log(self.processes.index(process)).read_text(errors="replace")

    def logs(self) -> str:
        return "".join(map(self.log_of, self.processes))

    def at_work_on(self, of_import: Import) -> Process | Forked | None:
        """The living worker whose task this import is, if one has begun it."""
        return self.at_work().get(of_import.pk)

    def at_work(self) -> dict[int, Process | Forked]:
        """The living workers, each by the import that is its task."""
        tasks = DBTaskResult.objects.filter(
            status="RUNNING", task_path="imports.tasks.run_import"
        ).values_list("worker_ids", "args_kwargs")
        # Tasks of killed workers stay RUNNING for a while. Ids are host-pid-random.
        imports = {int(ids[-1].rsplit("-", 2)[1]): called["args"][0] for ids, called in tasks}
        return {
            imports[process.pid]: process
            for process in self.processes
            if process.pid in imports and process.poll() is None
        }

    def end(self) -> None:
        """Kill what still runs, stopped processes too."""
        for process in self.processes:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            process.wait()
        if self.parent is not None:
            self.parent.communicate()
        if connection.vendor == "postgresql":
            # The server notices that they are gone when it next talks to them.
            with connection.cursor() as cursor:
                while True:
                    cursor.execute(
                        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND application_name = %s",
                        [APPLICATION],
                    )
                    if cursor.fetchone() == (0,):
                        return
                    time.sleep(0.05)


@contextmanager
def workers_on(env: dict[str, str], folder: Path) -> Iterator[Workers]:
    """Workers that end with the block; what they wrote is shown when it fails."""
    workers = Workers(env, folder)
    try:
        yield workers
    except BaseException:
        sys.stderr.write(workers.logs())
        raise
    finally:
        workers.end()


def hand_in(user: User, data: bytes, name: str = "NetflixViewingHistory.csv") -> Import:
    """Keep a file and have it imported as the page does; needs the fixture `database_queue`."""
    made = importing.submit(user, name, data, ImportOptions())
    importing.start(made)
    return made


# When something happened, and by which number or try, differs from run to run.
NOT_COMPARED = {
    "id",
    "next_lookup_at",
    "lookup_attempts",
    "doubt_asked_at",
    "dismissed_at",
    "created_at",
    "started_at",
    "looking_up_since",
    "finished_at",
    "undo_asked_at",
    "leased_until",
    "fence",
}

Rows = dict[str, list[str]]


def library_rows(user: User) -> Rows:
    """Everything that imports made of a user's files, row by row, by kind of row, sorted.

    Two users whose libraries are alike have equal rows: what tells their rows apart in the
    database (ids and times of work) is left out.
    """
    series = ("media_type", "title", "tmdb_id", "total_seasons", "total_episodes")
    entry = [f"entry__media__{field}" for field in series]
    return {
        "entries": _rows(
            LibraryEntry.objects.filter(user=user), *(f"media__{field}" for field in series)
        ),
        "names": _rows(EntryName.objects.filter(user=user), *entry),
        "viewings": _rows(Viewing.objects.filter(user=user), *entry, "name__key"),
        "episodes": _rows(
            Viewing.tmdb_episodes.through.objects.filter(viewing__user=user),
            "viewing__raw_title",
            "viewing__day",
            "episode__tmdb_id",
        ),
        "claims": _rows(
            Claim.objects.filter(of_import__user=user),
            "of_import__filename",
            "viewing__raw_title",
            "viewing__day",
        ),
        "problems": _rows(
            ImportProblem.objects.filter(of_import__user=user), "of_import__filename"
        ),
        "imports": _rows(Import.objects.filter(user=user)),
    }


def _rows(of: QuerySet[Any], *related: str) -> list[str]:
    fields = [*_own_fields(of.model), *related]
    return sorted(
        " ".join(f"{field}={value!r}" for field, value in zip(fields, row, strict=True))
        for row in of.order_by().values_list(*fields)
    )


def _own_fields(model: type[Model]) -> list[str]:
    return [
        field.name
        for field in model._meta.concrete_fields
        if not field.is_relation and field.name not in NOT_COMPARED
    ]
