"""make demo: watchlog with a made-up history and a tiny TMDB of its own, without internet."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.run import ROOT, prepare, serve, set_home_defaults
from scripts.supervise import CannotStart, Process, answers, free_port, say

DATABASE = ROOT / "var" / "demo.sqlite3"
HISTORY = ROOT / "scripts" / "made_up_history" / "NetflixViewingHistory.csv"
GREETING = """
  watchlog's demo is running on  http://127.0.0.1:{port}

  Sign in as  demo  with the password  demo
  What it shows is made up, and starts anew with each "make demo".

  Ctrl-C stops it.
"""


def main() -> int:
    try:
        port = free_port(os.environ.get("PORT") or "8000", rerun="make demo")
        tmdb_port = any_port()
        tmdb = Process(
            "demo TMDB", [sys.executable, "-m", "tmdb.demo.server", "--port", str(tmdb_port)]
        )
        set_demo_environment(tmdb_port)
        for file in DATABASE.parent.glob(f"{DATABASE.name}*"):
            file.unlink()
        prepare()
        with running(tmdb, tmdb_port):
            import_history()
    except CannotStart as reason:
        say(f"\n{reason}\n")
        return 1
    return serve(port, GREETING.format(port=port), others=(tmdb,))


def set_demo_environment(tmdb_port: int) -> None:
    """Nothing of the owner's own settings, database or key takes part."""
    os.environ |= {
        "WATCHLOG_ENV_FILE": "",
        "DATABASE_URL": f"sqlite:///{DATABASE}",
        "REDIS_URL": "",
        "SENTRY_DSN": "",
        "LOG_LEVEL": "WARNING",
        "TMDB_API_KEY": "demo",
        "TMDB_API_URL": f"http://127.0.0.1:{tmdb_port}/3",
        "TMDB_IMAGE_URL": f"http://127.0.0.1:{tmdb_port}/t/p",
        # The limit is for the real TMDB's sake.
        "TMDB_RATE_LIMIT": "1000",
    }
    set_home_defaults()


def import_history() -> None:
    from accounts.models import User
    from accounts.setup import create_owner

    owner = User(username="demo")
    owner.set_password("demo")
    create_owner(owner)
    command = [sys.executable, "manage.py", "import", str(HISTORY), "--user", "demo"]
    if subprocess.run(command, cwd=ROOT).returncode:
        raise CannotStart("The made-up history could not be imported; see above.")


@contextmanager
def running(process: Process, port: int) -> Iterator[None]:
    child = subprocess.Popen(process.command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while not answers(port):
            if child.poll() is not None or time.monotonic() > deadline:
                raise CannotStart(f"The {process.name} did not start; see above.")
            time.sleep(0.1)
        yield
    finally:
        child.terminate()
        child.wait()


def any_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
