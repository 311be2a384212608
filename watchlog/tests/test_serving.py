"""Slow, endless and broken requests, over real connections to the Procfile's web process."""

from __future__ import annotations

import http.client
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
# The Procfile's process has eight.
MORE_THAN_THREADS = 20
PATIENCE = 10.0

HEAD = b"GET /site.webmanifest HTTP/1.1\r\nHost: localhost\r\n"
FORM = b"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\nCookie: csrftoken=x\r\n"
MULTIPART = FORM + b"Content-Type: multipart/form-data; boundary=b\r\n"

APP = """
import time
from watchlog import serving

def app(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    size = int(environ["PATH_INFO"].strip("/") or 0)
    answer = b"x" * size or b"%d" % len(body)
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]
"""


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    """The port of the site, served as the Procfile says."""
    (line,) = re.findall(r"^web: (.+)$", (PROJECT / "Procfile").read_text(), re.MULTILINE)
    port = unused_port()
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "WATCHLOG_ENV_FILE": "",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "PLAIN_HTTP": "true",
        # Nothing here asks the database.
        "DATABASE_URL": f"sqlite:///{tmp_path_factory.mktemp('web') / 'db.sqlite3'}",
        "PORT": str(port),
        "LOG_LEVEL": "WARNING",
    }
    yield from serve(["bash", "-c", line], environment, port)


def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The port of a tiny site behind the same worker, with short times and two threads."""
    tmp_path = tmp_path_factory.mktemp("small")
    port = unused_port()
    (tmp_path / "tiny.py").write_text(APP)
    (tmp_path / "conf.py").write_text(
        f"import sys; sys.path[:0] = [{str(PROJECT)!r}, {str(tmp_path)!r}]\n"
        "from watchlog import serving\n"
        "serving.ARRIVES_WITHIN, serving.UPLOAD_WAITS, serving.ANSWERED_WITHIN = 1.0, 1.0, 2.0\n"
        "worker_class = serving.Worker\n"
        "threads = 2\n"
        "worker_connections = 10\n"
        "keepalive = 5\n"
    )
    command = [sys.executable, "-m", "gunicorn", "-c", str(tmp_path / "conf.py"), "tiny:app"]
    command += ["--bind", f"127.0.0.1:{port}"]
    yield from serve(command, dict(os.environ), port)


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    """As `small`, with the times of the site, and little room for answers that wait."""
    tmp_path = tmp_path_factory.mktemp("patient")
    port = unused_port()
    (tmp_path / "tiny.py").write_text(APP)
    (tmp_path / "conf.py").write_text(
        f"import sys; sys.path[:0] = [{str(PROJECT)!r}, {str(tmp_path)!r}]\n"
        "from watchlog import serving\n"
        "serving.MOST_KEPT, serving.MOST_WAITING = 60_000_000, 1\n"
        "worker_class = serving.Worker\n"
        "threads = 2\n"
        "worker_connections = 40\n"
        "keepalive = 5\n"
    )
    command = [sys.executable, "-m", "gunicorn", "-c", str(tmp_path / "conf.py"), "tiny:app"]
    command += ["--bind", f"127.0.0.1:{port}"]
    yield from serve(command, dict(os.environ), port)


def serve(command, environment, port):
    with subprocess.Popen(command, cwd=PROJECT, env=environment) as process:
        try:
            deadline = time.monotonic() + 90
            while answers(port, "/0", timeout=2) is None:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
            yield port
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


def answers(port, path="/", timeout=PATIENCE):
    """Seconds until a page is there; None when it does not come."""
    started = time.monotonic()
    try:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)) as client:
            client.request("GET", path, headers={"Host": "localhost"})
            client.getresponse().read()
    except (OSError, http.client.HTTPException):
        return None
    return time.monotonic() - started


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def read_all(connection):
    """What comes until the other side closes."""
    received = b""
    while data := connection.recv(65536):
        received += data
    return received


class Dripping:
    """Many clients that each send something at once, and from then on a byte now and then."""

    def __init__(self, port, beginning, drip=b"x", clients=MORE_THAN_THREADS):
        self.stack = ExitStack()
        self.connections = [self.stack.enter_context(connect(port)) for _ in range(clients)]
        self.ended = threading.Event()
        self.beginning, self.drip = beginning, drip

    def __enter__(self):
        for connection in self.connections:
            connection.sendall(self.beginning)
        self.thread = threading.Thread(target=self.send)
        self.thread.start()
        return self

    def send(self):
        while not self.ended.wait(0.1):
            for connection in self.connections:
                try:
                    connection.send(self.drip)
                except OSError:
                    continue

    def __exit__(self, *error):
        self.ended.set()
        self.thread.join()
        self.stack.close()


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"G",
        HEAD,
        HEAD + b"X-Slow: ",
        FORM + b"Content-Length: 500\r\n\r\n",
        MULTIPART + b"Content-Length: 5000000\r\n\r\n--b\r\n",
        MULTIPART + b"Content-Length: 99999999999999999999\r\n\r\n--b\r\n",
        MULTIPART + b"Transfer-Encoding: chunked\r\n\r\n",
        # A whole request, and the next one slowly.
        HEAD + b"\r\n" + HEAD,
    ],
    ids=["nothing", "byte", "line", "header", "form", "upload", "endless", "chunked", "second"],
)
def test_who_sends_byte_by_byte_keeps_nobody_waiting(web, beginning):
    with Dripping(web, beginning):
        for _ in range(5):
            assert answers(web, "/site.webmanifest") is not None


def test_who_does_not_read_keeps_nobody_waiting(web):
    static = PROJECT / "staticfiles"
    names = json.loads((static / "staticfiles.json").read_text())["paths"].values()
    ours = [name for name in names if not name.startswith("admin/")]
    largest = max(ours, key=lambda name: (static / name).stat().st_size)
    with ExitStack() as stack:
        for _ in range(MORE_THAN_THREADS):
            deaf = stack.enter_context(socket.socket())
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            deaf.connect(("127.0.0.1", web))
            deaf.sendall(f"GET /static/{largest} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        for _ in range(5):
            assert answers(web, "/site.webmanifest") is not None


def test_a_client_that_does_not_hang_up_stops_nobody(small):
    """gunicorn's own graceful closing waits for two seconds, with all of its clients."""
    with ExitStack() as stack:
        for _ in range(4):
            connection = stack.enter_context(connect(small))
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert read_all(connection).endswith(b"\r\n\r\n0")
        assert answers(small) < 1.5


@pytest.mark.parametrize("beginning", [b"", b"GET / HT", b"POST / HTTP/1.1\r\nContent-Length: 9"])
def test_what_does_not_arrive_in_time_is_dropped(small, beginning):
    with connect(small) as connection:
        connection.sendall(beginning)
        assert read_all(connection) == b""


def test_an_answer_that_nobody_takes_is_given_up(small):
    with ExitStack() as stack:
        deaf = [stack.enter_context(connect(small)) for _ in range(2)]
        for connection in deaf:
            connection.sendall(b"GET /50000000 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answers(small, timeout=PATIENCE) is not None
        assert len(read_all(deaf[0])) < 50_000_000


def ask_for(small, size, stack, buffer=4096):
    """A connection on which an answer comes that is larger than what is read of it."""
    connection = stack.enter_context(socket.socket())
    connection.settimeout(PATIENCE)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.connect(("127.0.0.1", small))
    request = f"GET /{size} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    connection.sendall(request.encode())
    return connection


def test_slow_readers_keep_no_thread_and_get_all(patient):
    """Three times as many as there are threads, of answers that no buffer of the system holds."""
    size = 5_000_000
    with ExitStack() as stack:
        slow = [ask_for(patient, size, stack) for _ in range(6)]
        for _ in range(5):
            for connection in slow:
                assert connection.recv(100)
            assert answers(patient) is not None
        for connection in slow:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**20)
            received = read_all(connection)
            assert len(received) > size - 1000
            assert set(received[-size + 2000 :]) == {ord("x")}


def test_pages_come_while_no_more_of_answers_can_be_kept(patient):
    with ExitStack() as stack:
        for _ in range(6):
            ask_for(patient, 50_000_000, stack)
        for _ in range(5):
            assert answers(patient) is not None


def test_the_next_answer_on_a_connection_comes_after_a_slow_one(patient):
    with connect(patient) as connection:
        connection.sendall(b"GET /3000000 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answers(patient) is not None
        connection.sendall(b"GET /5 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = read_all(connection)
    assert received.count(b"200 OK") == 2
    assert received.endswith(b"\r\n\r\nxxxxx")


def test_of_too_many_the_slowest_goes_first(small):
    with Dripping(small, b"G", clients=30):
        for _ in range(5):
            assert answers(small) is not None


def test_uploads_wait_for_uploads_alone_and_not_for_ever(small):
    slow = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n"
    with connect(small) as first, connect(small) as second:
        first.sendall(slow)
        # The one place for uploads is taken once a page comes after it.
        assert answers(small) is not None
        second.sendall(slow)
        assert answers(small) is not None
        assert read_all(second).startswith(b"HTTP/1.1 503 ")


def test_a_head_without_end_is_refused(small):
    with connect(small) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000)
        assert connection.recv(100).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("size", [0, 10, 60_000, 70_000, 5_000_000])
def test_bodies_of_any_size_arrive_whole(small, size):
    with closing(http.client.HTTPConnection("127.0.0.1", small, timeout=PATIENCE)) as client:
        for _ in range(3):
            client.request("POST", "/", b"x" * size)
            assert client.getresponse().read() == b"%d" % size


def test_a_body_may_wait_until_it_is_asked_for(small):
    with connect(small) as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
        )
        assert b"100 Continue" in connection.recv(1000)
        connection.sendall(b"abc")
        assert b"200 OK" in connection.recv(1000)


def test_requests_sent_together_are_answered_in_turn(small):
    with connect(small) as connection:
        connection.sendall(b"GET /3 HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
        connection.sendall(b"GET /5 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = read_all(connection)
    assert [received.count(b"200 OK"), received[-5:]] == [3, b"xxxxx"]
