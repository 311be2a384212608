"""gunicorn's threaded worker, made safe from slow clients.

gunicorn gives a new connection a thread and lets it wait there for the request. Eight clients
that send byte by byte then keep eight threads, and nobody else is served. Here the event loop
collects a request, and a thread gets it when it has arrived; what a client does not read at once
of the answer waits in a file, and the loop sends it while the thread serves others. gunicorn's
documentation (docs.gunicorn.org, "Deploying") advises a proxy that does the same; this is for
those who have none.
"""

from __future__ import annotations

import errno
import math
import re
import selectors
import socket
import struct
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import IO, Any

from gunicorn.workers.gthread import TConn, ThreadWorker

# All but long bodies must be here after so many seconds, and begin to be read at once.
ARRIVES_WITHIN = 15.0
LONGEST_HEAD = 64 * 1024
# A longer body is an upload: it is read by a thread, but only half of the threads read any.
SHORT_BODY = 64 * 1024
UPLOAD_WAITS = 60.0
SLOWEST_UPLOAD = 50_000  # bytes a second
# Reading a download may take as long; a thread cannot be stopped, but its connection can.
ANSWERED_WITHIN = 600.0
LINGERS = 2.0
# What the system keeps until the client has read it. The rest waits here; whoever takes none of
# it for so long is given up.
SEND_BUFFER = 256 * 1024
DEAF_FOR = 20
IN_MEMORY = 64 * 1024
AT_ONCE = 1024 * 1024
# Bytes of all answers of one process that wait, on disk. Beyond, threads wait for their readers,
# so many at most, and the others' readers are given up.
MOST_KEPT = 512 * 1024 * 1024
MOST_WAITING = 2

HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,15})[ \t]*\r\n", re.IGNORECASE)
# A body of unknown length, one that is not sent until it is asked for, or no plain number.
UNKNOWN = re.compile(
    rb"\r\n(?:transfer-encoding|expect|content-length(?!:[ \t]*[0-9]{1,15}[ \t]*\r\n))",
    re.IGNORECASE,
)

BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\n"
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
NOTHING_MORE = b"Content-Length: 0\r\nConnection: close\r\n\r\n"


class _Room:
    """How much may still be kept of answers that wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used = 0
        self.waiting = threading.BoundedSemaphore(MOST_WAITING)

    def take(self, size: int) -> bool:
        with self._lock:
            if self._used + size > MOST_KEPT:
                return False
            self._used += size
            return True

    def give_back(self, size: int) -> None:
        with self._lock:
            self._used -= size


class Answer:
    """A socket for writing an answer to, which never keeps the writer waiting.

    First a thread writes; when it is done, the event loop sends what is left.
    """

    def __init__(self, sock: socket.socket, room: _Room) -> None:
        self.sock, self._room = sock, room
        self._file: IO[bytes] | None = None
        self._kept = self._sent = 0
        self.is_broken = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)

    @property
    def is_waiting(self) -> bool:
        return self._sent < self._kept

    def sendall(self, data: bytes) -> None:
        try:
            left = memoryview(data)
            if self.send_on():
                left = left[self._send(left) :]
            if left:
                self._keep(left)
        except OSError:
            self.is_broken = True
            raise

    def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> int:
        file.seek(offset)
        left = math.inf if count is None else count
        while piece := file.read(int(min(left, IN_MEMORY))):
            self.sendall(piece)
            left -= len(piece)
        return file.tell() - offset

    def send_on(self) -> bool:
        """Send what waits as far as the client takes it; whether nothing is left."""
        ends = self._sent + AT_ONCE
        while self.is_waiting and self._sent < ends:
            piece = self._next()
            taken = self._send(piece)
            self._sent += taken
            if taken < len(piece):
                break
        return not self.is_waiting

    def close(self) -> None:
        """Forget what waits."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._room.give_back(self._kept)
        self._kept = self._sent = 0

    def _send(self, data: bytes | memoryview) -> int:
        try:
            return self.sock.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0

    def _next(self) -> bytes:
        assert self._file is not None  # noqa: S101 - what waits is in it
        self._file.seek(self._sent)
        return self._file.read(IN_MEMORY)

    def _keep(self, data: memoryview) -> None:
        if not self._room.take(len(data)):
            self._wait_for_reader(data)
            return
        if self._file is None:
            self._file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - see close()
        self._file.seek(self._kept)
        self._kept += len(data)
        self._file.write(data)

    def _wait_for_reader(self, data: memoryview) -> None:
        if not self._room.waiting.acquire(blocking=False):
            raise OSError(errno.EPIPE, "too many slow readers")
        try:
            while self.is_waiting:
                piece = self._next()
                self.sock.sendall(piece)
                self._sent += len(piece)
            self.sock.sendall(data)
        finally:
            self._room.waiting.release()


class Connection(TConn):  # type: ignore[misc]
    """A connection with what has arrived of its next request."""

    def __init__(self, *args: Any, linger: Callable[[Connection], None]) -> None:
        super().__init__(*args)
        self.arrived = bytearray()
        # When its present stage ends, and how many seconds the next one may take.
        self.ends = self.answered_within = self.deaf_at = math.inf
        self.answer: Answer | None = None
        self._linger = linger

    def close(self, graceful: bool = False) -> None:
        """gunicorn's own graceful way waits for the client, and every other one meanwhile."""
        if graceful:
            self._linger(self)
        else:
            self.sock.close()

    def upload_size(self) -> int | None:
        """Bytes of a body that is an upload, 0 where the length is unknown; None: no upload."""
        head = self.arrived[: self.arrived.find(HEAD_END) + 2]
        if UNKNOWN.search(head):
            return 0
        length = self._length(head)
        return length if length > SHORT_BODY else None

    def has_whole_request(self) -> bool:
        end = self.arrived.find(HEAD_END)
        return end >= 0 and len(self.arrived) >= end + len(HEAD_END) + self._length(
            self.arrived[: end + 2]
        )

    @staticmethod
    def _length(head: bytearray) -> int:
        found = LENGTH.search(head)
        return int(found[1]) if found else 0


class Worker(ThreadWorker):  # type: ignore[misc]
    """For plain HTTP/1.1, with TLS ending elsewhere; gunicorn.conf.py names it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # In the order in which their time ends.
        self.arriving: dict[Connection, None] = {}
        self.uploads_waiting: deque[Connection] = deque()
        self.uploads: set[Connection] = set()
        self.at_work: set[Connection] = set()
        # Answers that threads have written and clients have not read, with how they ended.
        self.unread: dict[Connection, Future[Any]] = {}
        self.room = _Room()
        self.lingering: dict[Connection, float] = {}

    # --- requests arriving ---------------------------------------------------------------------

    def accept(self, listener: socket.socket) -> None:
        try:
            sock, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", DEAF_FOR, 0))
        self.nr_conns += 1
        self._await(
            Connection(self.cfg, sock, address, listener.getsockname(), linger=self._linger)
        )
        if len(self.arriving) > self.worker_connections // 2:
            # Who is honest is here within milliseconds.
            self._drop(next(iter(self.arriving)))

    def enqueue_req(self, conn: Connection) -> None:
        """Take the next request of a connection that is kept alive."""
        self._await(conn, conn.parser.unreader.take_buffered())

    def _await(self, conn: Connection, arrived: bytes = b"") -> None:
        conn.sock.setblocking(False)
        conn.arrived += arrived
        conn.ends = time.monotonic() + ARRIVES_WITHIN
        self.arriving[conn] = None
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._on_data, conn))
        if arrived:
            self._consider(conn)

    def _on_data(self, conn: Connection, sock: socket.socket) -> None:
        try:
            data = sock.recv(SHORT_BODY)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(conn)
            return
        conn.arrived += data
        self._consider(conn)

    def _consider(self, conn: Connection) -> None:
        """Give a request to a thread once it is there."""
        if HEAD_END not in conn.arrived:
            if len(conn.arrived) > LONGEST_HEAD:
                self._refuse(conn, TOO_LARGE)
            return
        size = conn.upload_size()
        if size is not None:
            self._stop_reading(conn)
            conn.ends = time.monotonic() + UPLOAD_WAITS
            self.uploads_waiting.append(conn)
            self._begin_uploads()
        elif conn.has_whole_request():
            self._stop_reading(conn)
            self._begin(conn, ANSWERED_WITHIN)

    def _begin_uploads(self) -> None:
        while self.uploads_waiting and len(self.uploads) < max(1, self.cfg.threads // 2):
            conn = self.uploads_waiting.popleft()
            self.uploads.add(conn)
            self._begin(conn, ANSWERED_WITHIN + (conn.upload_size() or 0) / SLOWEST_UPLOAD)

    def _begin(self, conn: Connection, seconds: float) -> None:
        conn.ends, conn.answered_within = math.inf, seconds
        self.at_work.add(conn)
        super().enqueue_req(conn)

    def handle(self, conn: Connection) -> Any:
        # It may have waited for its thread.
        conn.ends = time.monotonic() + conn.answered_within
        conn.init()
        conn.parser.unreader.unread(bytes(conn.arrived))
        conn.arrived.clear()
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Connection) -> Any:
        plain = conn.sock
        conn.sock = conn.answer = Answer(plain, self.room)
        try:
            return super().handle_request(req, conn)
        finally:
            conn.sock = plain

    # --- requests answered ---------------------------------------------------------------------

    def finish_request(self, conn: Connection, fs: Future[Any]) -> None:
        self.at_work.remove(conn)
        self.uploads.discard(conn)
        answer = conn.answer
        if answer and answer.is_waiting and not answer.is_broken and conn.sock.fileno() >= 0:
            conn.sock.setblocking(False)
            conn.deaf_at = time.monotonic() + DEAF_FOR
            self.unread[conn] = fs
            self.poller.register(conn.sock, selectors.EVENT_WRITE, partial(self._on_room, conn))
            if len(self.unread) > self.worker_connections // 4:
                self._give_up(next(iter(self.unread)))
        else:
            self._end_answer(conn, fs)
        self._begin_uploads()

    def _end_answer(self, conn: Connection, fs: Future[Any]) -> None:
        if conn.answer is not None:
            conn.answer.close()
            conn.answer = None
        super().finish_request(conn, fs)

    def _on_room(self, conn: Connection, sock: socket.socket) -> None:
        """The client has read something."""
        conn.deaf_at = time.monotonic() + DEAF_FOR
        try:
            is_sent = conn.answer is None or conn.answer.send_on()
        except OSError:
            self._give_up(conn)
            return
        if is_sent:
            self.poller.unregister(sock)
            self._end_answer(conn, self.unread.pop(conn))

    def _give_up(self, conn: Connection) -> None:
        del self.unread[conn]
        self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        if conn.answer is not None:
            conn.answer.close()
        conn.close()

    def _linger(self, conn: Connection) -> None:
        """Close a connection when the client has read all, or does not for a while."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            conn.close()
            return
        self.lingering[conn] = time.monotonic() + LINGERS
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._on_last_data, conn))

    def _on_last_data(self, conn: Connection, sock: socket.socket) -> None:
        try:
            if sock.recv(SHORT_BODY):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._end_lingering(conn)

    def _end_lingering(self, conn: Connection) -> None:
        del self.lingering[conn]
        self.poller.unregister(conn.sock)
        conn.close()

    # --- time that is up -----------------------------------------------------------------------

    def murder_pending(self) -> None:
        """Called every second."""
        now = time.monotonic()
        for conn in [each for each in self.arriving if self._is_late(each, now)]:
            self._drop(conn)
        for conn in [each for each in self.uploads_waiting if self._is_late(each, now)]:
            self.uploads_waiting.remove(conn)
            self._end(conn, BUSY)
        for conn in self.at_work:
            if conn.ends < now:
                # The thread's next word to or from the client fails.
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RDWR)
        for conn in [each for each in self.unread if min(each.ends, each.deaf_at) < now]:
            self._give_up(conn)
        for conn in [each for each, ends in self.lingering.items() if ends < now]:
            self._end_lingering(conn)

    def _is_late(self, conn: Connection, now: float) -> bool:
        return conn.ends < now or not (self.alive or conn.arrived)

    def _stop_reading(self, conn: Connection) -> None:
        del self.arriving[conn]
        self.poller.unregister(conn.sock)

    def _drop(self, conn: Connection) -> None:
        self._stop_reading(conn)
        self.nr_conns -= 1
        conn.close()

    def _refuse(self, conn: Connection, status: bytes) -> None:
        self._stop_reading(conn)
        self._end(conn, status)

    def _end(self, conn: Connection, status: bytes) -> None:
        self.nr_conns -= 1
        try:
            conn.sock.send(status + NOTHING_MORE)
        except OSError:
            conn.close()
        else:
            self._linger(conn)
