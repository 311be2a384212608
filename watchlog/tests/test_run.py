"""make run: what it starts serves, and nothing of it is left when it stops."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.run import keep_secret
from scripts.supervise import CannotStart, free_port

PROJECT = Path(__file__).resolve().parents[2]


@contextmanager
def started(*arguments, **environment):
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "WATCHLOG_ENV_FILE": ""} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def read_until(process, text):
    """The lines printed up to the one with `text`."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return "".join(lines)
    pytest.fail("ended without printing it:\n" + "".join(lines))


def descendants(pid):
    listing = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True)
    pairs = [line.split() for line in listing.stdout.splitlines()]
    parents = {int(child): int(parent) for child, parent in pairs}
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_serves_until_it_is_stopped_and_leaves_nothing_behind(
    number, tmp_path, free_port, wait_until
):
    database = f"sqlite:///{tmp_path}/watchlog.sqlite3"
    with started(
        "-m", "scripts.run", PORT=str(free_port), DATABASE_URL=database, SECRET_KEY="for-tests"
    ) as process:
        read_until(process, f"watchlog is running on  http://127.0.0.1:{free_port}")
        health = f"http://127.0.0.1:{free_port}/healthz"

        def all_is_well():
            with urllib.request.urlopen(health, timeout=10) as response:
                return json.load(response)["status"] == "ok"

        wait_until(all_is_well, 30)
        family = descendants(process.pid)
        assert len(family) >= 3  # gunicorn, its worker, and the worker of imports
        process.send_signal(number)
        log, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in log
    assert [pid for pid in family if is_running(pid)] == []
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(health, timeout=2)


def test_a_port_in_use_is_said_plainly_and_changes_nothing(tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        database = tmp_path / "watchlog.sqlite3"
        with started(
            "-m", "scripts.run", PORT=str(port), DATABASE_URL=f"sqlite:///{database}"
        ) as process:
            said, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"Port {port} is in use" in said
    assert f"make run PORT={port + 1}" in said
    assert "Traceback" not in said
    assert not database.exists()


@pytest.mark.parametrize("wrong", ["", "http", "-1", "0", "65536", "80.5"])
def test_a_port_must_be_a_port(wrong):
    with pytest.raises(CannotStart, match="PORT must be a number"):
        free_port(wrong, rerun="make run")


def test_a_database_that_is_away_is_said_plainly(free_port):
    with started(
        "-m",
        "scripts.run",
        PORT=str(free_port),
        DATABASE_URL="postgres://nobody@127.0.0.1:1/none",
        SECRET_KEY="for-tests",
    ) as process:
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "The database cannot be used" in said
    assert "Traceback" not in said


def test_when_one_process_ends_the_others_are_ended_too():
    program = (
        "import sys; from scripts.supervise import Process, run_together\n"
        "short = Process('short one', [sys.executable, '-c', 'raise SystemExit(3)'])\n"
        "long = Process('long one', ['sleep', '600'])\n"
        "sys.exit(run_together([long, short], 'http://127.0.0.1:1/', ''))"
    )
    with started("-c", program) as process:
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "The short one ended by itself (exit code 3)" in said


def test_the_secret_is_made_once_and_for_its_owner_alone(tmp_path):
    file = tmp_path / "var" / "secret-key"
    keep_secret(file)
    first = file.read_text()
    keep_secret(file)
    assert file.read_text() == first
    assert len(first) >= 50
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_an_empty_secret_is_made_anew(tmp_path):
    file = tmp_path / "secret-key"
    file.touch()
    keep_secret(file)
    assert len(file.read_text()) >= 50
