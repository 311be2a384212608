"""Asking TMDB: one request with its throttle, time-outs, retries and errors.

Everything that a request needs to be polite and to end is here; what is asked and what is kept
is in `service.py`. Documentation: https://developer.themoviedb.org/docs/errors,
https://developer.themoviedb.org/docs/rate-limiting, .../docs/authentication-application.
"""

from __future__ import annotations

import email.utils
import hashlib
import json
import logging
import os
import random
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn, TypeVar

import requests
import urllib3
from django.conf import settings
from django.db import connections
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from . import throttle
from .errors import (
    TmdbAuthError,
    TmdbBadAnswer,
    TmdbError,
    TmdbInterrupted,
    TmdbNotConfigured,
    TmdbNotFound,
    TmdbRateLimited,
    TmdbUnavailable,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")

MAX_TRIES = 4
# Seconds for one request with its retries, waiting for the throttle apart. Two of them, a search
# and the details, stay under the half minute that a look-up may take at worst.
REQUEST_SECONDS = 14.0
LOOK_UP_SECONDS = 28.0
# Seconds before the first retry; doubled for each further one.
FIRST_BACKOFF = 0.3
LONGEST_RETRY_AFTER = 10.0
# Seconds for which a key that TMDB refused is not tried again.
REFUSED_SECONDS = 300.0
ENOUGH_TIMES = 8
# The details of a long series with 20 seasons, every guest star included, stay well below.
MAX_BYTES = 32 * 1024 * 1024
RETRIED = {429, 500, 502, 503, 504}
KEY = re.compile(r"[\x21-\x7e]+")
API_KEY_IN_URL = re.compile(r"(api_key=)[^&\s\"']+")

BAD_KEY = (
    "TMDB does not accept the key in TMDB_API_KEY. Copy the API key or the API read access token"
    " from https://www.themoviedb.org/settings/api into the settings and start watchlog again."
    " Series stay pending until then."
)
NO_KEY = "No TMDB key is set. Get a free one at https://www.themoviedb.org/settings/api."


class _HideKey(logging.Filter):
    """urllib3 logs addresses at DEBUG, and a v3 key is part of the address."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = API_KEY_IN_URL.sub(r"\1...", record.getMessage())
        record.args = ()
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_HideKey())


class _Credential(AuthBase):
    """A read access token goes into a header, a v3 key into the address."""

    def __init__(self, key: str) -> None:
        self.key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.key.startswith("eyJ"):
            request.headers["Authorization"] = f"Bearer {self.key}"
        else:
            request.prepare_url(request.url, {"api_key": self.key})
        return request


@dataclass(frozen=True)
class _Reply:
    """What came back. `status` 0: nothing did, for the `reason`, which names no address."""

    status: int = 0
    body: bytes = b""
    retry_after: str = ""
    answered_at: float = 0.0
    reason: str = ""
    retry: bool = True


class _Allowance:
    """Seconds that may still be used, waiting for the throttle not counted."""

    def __init__(self, seconds: float) -> None:
        self.ends = time.monotonic() + seconds

    def left(self) -> float:
        return self.ends - time.monotonic()

    def extend(self, seconds: float) -> None:
        self.ends += seconds


_allowances: ContextVar[tuple[_Allowance, ...]] = ContextVar("tmdb_allowances", default=())
_idle_sessions: list[requests.Session] = []
# Seconds from request to answer, of the last ones.
_times: deque[float] = deque(maxlen=256)
_refused: dict[str, float] = {}
_said: set[str] = set()
_state = threading.Lock()


def fetch(
    path: str, parameters: Mapping[str, str], parse: Callable[[object], T], *, subject: str
) -> T:
    """The parsed answer to GET `path`, with the retries it took.

    `subject` says in the log what was asked about, without a name: "id=5", "query=<hash>".
    Raises a TmdbError when there is no usable answer, and RuntimeError inside a transaction.
    """
    key = settings.TMDB_API_KEY
    if not key:
        raise TmdbNotConfigured(NO_KEY)
    if is_refused():
        raise TmdbAuthError(BAD_KEY)
    if not KEY.fullmatch(key):
        _refuse()
    _forbid_transaction()
    allowances = (*_allowances.get(), _Allowance(REQUEST_SECONDS))
    for number in range(1, MAX_TRIES + 1):
        reply, milliseconds = _try_once(path, parameters, allowances)
        outcome = _judge(reply, parse)
        failure = outcome if isinstance(outcome, TmdbError) else None
        logger.info(
            "endpoint=%s %s cache=miss status=%s ms=%d try=%d%s",
            path,
            subject,
            reply.status or "-",
            milliseconds,
            number,
            f" error={reply.reason or type(failure).__name__}" if failure else "",
        )
        if not isinstance(outcome, TmdbError):
            _accept()
            return outcome
        wait = _wait_before_retry(reply, outcome, number)
        if wait is None or wait >= min(allowance.left() for allowance in allowances):
            break
        throttle.sleep(wait)
    if isinstance(failure, TmdbAuthError):
        _refuse()
    if not isinstance(failure, TmdbNotFound):
        logger.warning("endpoint=%s %s given up after tries=%d", path, subject, number)
    raise failure or AssertionError("a loop of at least one try")


@contextmanager
def time_limit(seconds: float = LOOK_UP_SECONDS) -> Iterator[None]:
    """Let all requests inside take at most so long together, waiting for the throttle apart.

    A request for which no time is left raises TmdbUnavailable.
    """
    token = _allowances.set((*_allowances.get(), _Allowance(seconds)))
    try:
        yield
    finally:
        _allowances.reset(token)


def allow(seconds: float) -> None:
    """Give the limits of `time_limit` so much more time, for waiting that is nobody's fault."""
    for allowance in _allowances.get():
        allowance.extend(seconds)


def is_refused() -> bool:
    """Whether TMDB refused the present key within the last minutes."""
    return time.monotonic() < _refused.get(_credential_id(), 0.0)


def forget_refusal() -> None:
    """Let the present key be tried again."""
    with _state:
        _refused.pop(_credential_id(), None)


def reset() -> None:
    """Close the connections and forget refused keys; for tests and new processes."""
    with _state:
        sessions, _idle_sessions[:] = _idle_sessions[:], []
        _times.clear()
        _refused.clear()
        _said.clear()
    for session in sessions:
        session.close()


# Two processes must not speak over one connection.
os.register_at_fork(after_in_child=_idle_sessions.clear)


def _try_once(
    path: str, parameters: Mapping[str, str], allowances: tuple[_Allowance, ...]
) -> tuple[_Reply, float]:
    """One request, when its turn has come; and how many milliseconds it took."""
    prepared = _prepare(path, parameters)
    if isinstance(prepared, _Reply):
        return prepared, 0.0
    asked = time.monotonic()
    try:
        turn = throttle.take_turn()
    except BaseException:
        _return_session(prepared.session)
        raise
    started = time.monotonic()
    for allowance in allowances:
        allowance.extend(started - asked)
    seconds = min(throttle.limits().longest, *(allowance.left() for allowance in allowances))
    if seconds <= 0:
        turn.give_back()
        _return_session(prepared.session)
        return _Reply(reason="no time left", retry=False), 0.0
    exchange = _Exchange(prepared, seconds)
    exchange.start()
    reply = exchange.wait(seconds)
    ended = time.monotonic()
    # A request that was not answered in time keeps its slot: it may still arrive.
    if reply.answered_at or reply.reason != "timeout":
        turn.finish(reply.answered_at or ended, _quickest())
    return reply, (ended - started) * 1000


class _Prepared(NamedTuple):
    """A request that only has to be sent, and a session that nobody else uses."""

    request: requests.PreparedRequest
    session: requests.Session
    is_new: bool
    options: Mapping[str, Any]


def _prepare(path: str, parameters: Mapping[str, str]) -> _Prepared | _Reply:
    """All that can be done before the turn comes: what is done after it makes the next one late.

    An address or header that cannot be sent is the reply, and no better at the next try.
    """
    session, is_new = _borrow_session()
    try:
        request = session.prepare_request(
            requests.Request(
                "GET",
                settings.TMDB_API_URL.rstrip("/") + path,
                params=dict(parameters),
                auth=_Credential(settings.TMDB_API_KEY),
            )
        )
        options = session.merge_environment_settings(request.url, {}, True, None, None)
    except Exception as error:
        session.close()
        return _Reply(reason=_reason(error), retry=False)
    return _Prepared(request, session, is_new, options)


class _Exchange(threading.Thread):
    """A request on its way, in a thread that can be left behind.

    The time-outs of sockets bound each wait for bytes, neither the look-up of the host name nor
    the trying of its addresses nor an answer that comes byte by byte.
    """

    def __init__(self, prepared: _Prepared, seconds: float) -> None:
        super().__init__(name="tmdb-request", daemon=True)
        self._prepared = prepared
        self._timeout = (
            min(settings.TMDB_CONNECT_TIMEOUT, seconds),
            min(settings.TMDB_READ_TIMEOUT, seconds),
        )
        self._ends = time.monotonic() + seconds
        self._over = threading.Event()
        self._reply = _Reply()

    def run(self) -> None:
        session = self._prepared.session
        sent = time.monotonic()
        try:
            self._reply = self._ask(session)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            # An address or header that cannot be sent is no better at the next try.
            self._reply = _Reply(reason=_reason(error), retry=not isinstance(error, ValueError))
        except Exception as error:
            self._reply = _Reply(reason=_reason(error), retry=False)
        if self._reply.status:
            _return_session(session)
            # The first request of a session also pays for making the connection.
            if not self._prepared.is_new:
                _times.append(self._reply.answered_at - sent)
        else:
            session.close()
        self._over.set()

    def wait(self, seconds: float) -> _Reply:
        ends = time.monotonic() + seconds
        while not self._over.wait(min(0.25, max(0.0, ends - time.monotonic()))):
            if throttle.is_interrupted():
                raise TmdbInterrupted("Stopped while TMDB was asked.")
            if time.monotonic() >= ends:
                return _Reply(reason="timeout")
        return self._reply

    def _ask(self, session: requests.Session) -> _Reply:
        with session.send(
            self._prepared.request,
            timeout=self._timeout,
            allow_redirects=False,
            **self._prepared.options,
        ) as response:
            answered_at = time.monotonic()
            body = bytearray()
            while chunk := response.raw.read1(65536, decode_content=True):
                body += chunk
                if len(body) > MAX_BYTES:
                    return _Reply(answered_at=answered_at, reason="too large", retry=False)
                if time.monotonic() > self._ends:
                    return _Reply(answered_at=answered_at, reason="timeout")
            return _Reply(
                response.status_code,
                bytes(body),
                response.headers.get("Retry-After", ""),
                answered_at,
            )


def _judge(reply: _Reply, parse: Callable[[object], T]) -> T | TmdbError:
    """The value, or what is wrong."""
    status = reply.status
    if not status:
        return TmdbUnavailable(f"TMDB could not be reached ({reply.reason}).")
    if status == 429:
        return TmdbRateLimited("TMDB asks for fewer requests.", _seconds(reply.retry_after))
    body = _json(reply.body)
    if status == 401 or (status == 403 and isinstance(body, dict)):
        return TmdbAuthError(BAD_KEY)
    if status == 404 and isinstance(body, dict):
        return TmdbNotFound("TMDB has no such record.")
    if status in (403, 404):
        # From somebody between us and TMDB, or from another server: no answer about a series.
        return TmdbBadAnswer(f"The answer with status {status} is not TMDB's.")
    if status != 200:
        return TmdbUnavailable(f"TMDB answered with status {status}.")
    if body is None:
        return TmdbBadAnswer("TMDB's answer is not JSON.")
    try:
        return parse(body)
    except TmdbBadAnswer as error:
        return error


def _json(body: bytes) -> object:
    """The parsed body; None when it is no JSON, or null."""
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _wait_before_retry(reply: _Reply, failure: TmdbError, number: int) -> float | None:
    """Seconds; None when it makes no sense to ask again."""
    damaged = isinstance(failure, TmdbBadAnswer) and reply.status == 200
    unreached = not reply.status and reply.retry
    if number == MAX_TRIES or not (damaged or unreached or reply.status in RETRIED):
        return None
    backoff = FIRST_BACKOFF * (1 << (number - 1)) * random.uniform(0.75, 1.25)  # noqa: S311
    if isinstance(failure, TmdbRateLimited) and failure.retry_after is not None:
        return max(backoff, min(failure.retry_after, LONGEST_RETRY_AFTER))
    return backoff


def _seconds(header: str) -> float | None:
    """Seconds from a Retry-After header, which holds seconds or a date."""
    header = header.strip()
    if re.fullmatch(r"[0-9]{1,9}", header):
        return float(header)
    try:
        date = email.utils.parsedate_to_datetime(header)
        return max(0.0, float(date.timestamp()) - time.time())
    except (ValueError, OverflowError):
        return None


def _reason(error: BaseException) -> str:
    """The kind of an error; its text may hold the address and with it the key."""
    if isinstance(error, requests.Timeout | TimeoutError | urllib3.exceptions.TimeoutError):
        return "timeout"
    return type(error).__name__


def _quickest() -> float:
    """The shortest time in seconds that an answer lately took; 0 while too few are known."""
    times = list(_times)
    return min(times) if len(times) >= ENOUGH_TIMES else 0.0


def _borrow_session() -> tuple[requests.Session, bool]:
    """A session that nobody else uses, and whether it is a new one."""
    with _state:
        if _idle_sessions:
            return _idle_sessions.pop(), False
    session = requests.Session()
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=1, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers.update({"Accept": "application/json", "User-Agent": "watchlog"})
    return session, True


def _return_session(session: requests.Session) -> None:
    # No two threads ever use one session; it keeps its connection for whoever comes next.
    session.cookies.clear()
    with _state:
        _idle_sessions.append(session)


def _credential_id() -> str:
    text = f"{settings.TMDB_API_URL} {settings.TMDB_API_KEY}"
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _refuse() -> NoReturn:
    credential = _credential_id()
    with _state:
        _refused[credential] = time.monotonic() + REFUSED_SECONDS
        first = credential not in _said
        _said.add(credential)
    if first:
        logger.error(BAD_KEY)
    raise TmdbAuthError(BAD_KEY)


def _accept() -> None:
    with _state:
        _said.discard(_credential_id())


def _forbid_transaction() -> None:
    for connection in connections.all(initialized_only=True):
        blocks = connection.atomic_blocks
        # Django's test cases wrap each test in a transaction of their own.
        if blocks and not getattr(blocks[-1], "_from_testcase", False):
            raise RuntimeError("TMDB must not be asked inside a database transaction.")
