"""Runs the processes of a watchlog at home side by side, and stops them together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from types import FrameType

STARTED_WITHIN_SECONDS = 60
# Longer than gunicorn's graceful_timeout.
STOPPED_WITHIN_SECONDS = 15


class CannotStart(Exception):
    """Why, in words for whoever typed the command."""


@dataclass(frozen=True)
class Process:
    name: str
    command: list[str]


def say(text: str) -> None:
    print(text, flush=True)


def free_port(given: str, rerun: str) -> int:
    """The port `given` as a number, when nothing listens on it.

    `rerun` is the command to suggest with another port. Raises CannotStart.
    """
    if not given.isdecimal() or not 0 < int(given) < 65536:
        raise CannotStart(f"PORT must be a number between 1 and 65535, not {given!r}.")
    port = int(given)
    with socket.socket() as probe:
        # As gunicorn does, so that a port just freed counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise CannotStart(
                f"Port {port} is reserved for the system. Choose another: {rerun} PORT=8001"
            ) from None
        except OSError:
            raise CannotStart(
                f"Port {port} is in use; maybe watchlog runs already on http://127.0.0.1:{port}.\n"
                f"Stop what uses it, or choose another port: {rerun} PORT={port + 1}"
            ) from None
    return port


def answers(port: int) -> bool:
    """Whether something on this machine listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def run_together(processes: list[Process], health_url: str, greeting: str) -> int:
    """Run all until a signal comes or one of them ends. The exit code: 0 after a signal, else 1.

    Prints `greeting` once `health_url` answers.
    """
    signals = _Signals()
    children: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for process in processes:
            # In sessions of their own: Ctrl-C reaches this process alone, which then ends
            # them in an orderly way.
            children[process.name] = subprocess.Popen(process.command, start_new_session=True)
        return _watch(children, signals, health_url, greeting)
    finally:
        _stop(list(children.values()), signals)


class _Signals:
    """What asked to stop: Ctrl-C, kill, or a closed terminal (SIGHUP)."""

    def __init__(self) -> None:
        self.first_at: float | None = None
        self.again = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._receive)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.first_at is None:
            self.first_at = now
        elif now - self.first_at > 1:
            # One request may arrive twice at once: make passes SIGTERM on to its children.
            self.again = True


def _watch(
    children: dict[str, subprocess.Popen[bytes]], signals: _Signals, health_url: str, greeting: str
) -> int:
    greeted = False
    give_up_at = time.monotonic() + STARTED_WITHIN_SECONDS
    while signals.first_at is None:
        for name, child in children.items():
            if child.poll() is not None:
                say(f"\nThe {name} ended by itself (exit code {child.returncode}); see above.")
                return 1
        if not greeted and _serves(health_url):
            say(greeting)
            greeted = True
        if not greeted and time.monotonic() > give_up_at:
            say(f"\nNo answer from {health_url} within {STARTED_WITHIN_SECONDS} s; see above.")
            return 1
        time.sleep(0.2)
    say("\nStopping ...")
    return 0


def _serves(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _stop(children: list[subprocess.Popen[bytes]], signals: _Signals) -> None:
    """End all: politely, then by force when it takes too long or is asked for again."""
    for child in children:
        child.terminate()
    deadline = time.monotonic() + STOPPED_WITHIN_SECONDS
    while running := [child for child in children if child.poll() is None]:
        if time.monotonic() > deadline or signals.again:
            for child in running:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        time.sleep(0.05)
