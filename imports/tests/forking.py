"""Workers forked from one process that has loaded everything, so that a new one costs little.

They are processes of their own all the same, which run what `manage.py worker` runs. A line
`start FILE` forks one that logs to this file, `wait PID` waits for its end; both answer by its PID.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import django
from django.core.management import call_command


def main() -> None:
    django.setup()
    # What the command needs is to be loaded before the first fork.
    from imports.management.commands import worker  # noqa: F401

    for line in sys.stdin:
        match line.split(maxsplit=1):
            case ["start", file]:
                if not (pid := os.fork()):
                    work(Path(file.strip()))
                print(pid, flush=True)  # noqa: T201
            case ["wait", pid]:
                os.waitpid(int(pid), 0)
                print(pid, end="", flush=True)  # noqa: T201


def work(log: Path) -> None:
    """Be a worker until a signal ends it."""
    random.seed()
    with log.open("ab") as file, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    try:
        call_command("worker", skip_checks=True)
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
