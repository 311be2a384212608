"""Servers of the tests' own, on free ports: a TMDB that obeys, and a Redis that can be killed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
IN_CI = os.environ.get("CI") == "true"


class TmdbControl:
    """A running stand-in or demo server; both take the same orders."""

    def __init__(self, address: str) -> None:
        self.address = address

    @property
    def api_url(self) -> str:
        return f"{self.address}/3"

    @property
    def image_url(self) -> str:
        return f"{self.address}/t/p"

    def stats(self, window: float = 10.0) -> dict[str, Any]:
        """What was asked; `busiest`, the most in any window, is the demo server's alone."""
        return self._call(f"/__stats?window={window}", None)

    def reset(self) -> None:
        self._call("/__reset", b"")

    def faults(self, **faults: Any) -> None:
        self._call("/__faults", json.dumps(faults).encode())

    def _call(self, path: str, body: bytes | None) -> dict[str, Any]:
        with urllib.request.urlopen(self.address + path, body, timeout=10) as answer:  # noqa: S310
            result: dict[str, Any] = json.load(answer)
        return result


@contextmanager
def tmdb_server() -> Iterator[TmdbControl]:
    """The big stand-in of the shared folder, or where there is none the demo server.

    In a process of its own. The stand-in takes some seconds to start.
    """
    shared = Path(os.environ.get("WATCHLOG_SHARED", PROJECT.parent / "shared"))
    standin = shared / "tmdb_standin" / "serve.py"
    program = [str(standin)] if standin.is_file() else ["-m", "tmdb.demo.server"]
    command = [sys.executable, *program, "--port", "0"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        try:
            # Its first line tells the port: "TMDB stand-in on http://127.0.0.1:34567/3 (...)".
            line = process.stdout.readline() if process.stdout else ""
            yield TmdbControl(line.partition(" on ")[2].partition("/3")[0])
        finally:
            process.kill()


class RedisServer:
    """A redis-server on one port, which keeps nothing when it is killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), *options, "--dir", str(self.folder)],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while not self._answers():
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.02)

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(5) == b"+PONG"
        except OSError:
            return False


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """A running one; the test is skipped where redis-server is not installed, in CI it fails."""
    if not shutil.which("redis-server"):
        reason = "redis-server is not installed"
        if IN_CI:
            pytest.fail(reason)
        pytest.skip(reason)
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
