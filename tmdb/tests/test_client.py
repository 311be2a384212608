from __future__ import annotations

import logging
import re
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from typing import Any

import pytest
import requests
import responses
from django.db import transaction

from tmdb import client, throttle
from tmdb.demo.server import DemoServer, serve_in_thread
from tmdb.errors import (
    TmdbAuthError,
    TmdbBadAnswer,
    TmdbError,
    TmdbInterrupted,
    TmdbNotConfigured,
    TmdbNotFound,
    TmdbRateLimited,
    TmdbUnavailable,
)
from tmdb.models import ThrottleState
from tmdb.tests.conftest import URL
from tmdb.tests.servers import TmdbControl
from tmdb.types import parse_details

pytestmark = pytest.mark.django_db

ADDRESS = f"{URL}/tv/1"
NOT_FOUND = {"success": False, "status_code": 34, "status_message": "Not found."}
KEY = "0123456789abcdef0123456789abcdef"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"


def ask() -> object:
    return client.fetch("/tv/1", {"language": "de"}, lambda body: body, subject="id=1")


@pytest.fixture
def tmdb() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def test_a_v3_key_goes_into_the_address(tmdb: responses.RequestsMock) -> None:
    tmdb.get(ADDRESS, json={"id": 1})
    assert ask() == {"id": 1}
    request = tmdb.calls[0].request
    assert request.params == {"language": "de", "api_key": KEY}  # type: ignore[attr-defined]
    assert "Authorization" not in request.headers


def test_a_read_access_token_goes_into_a_header(
    tmdb: responses.RequestsMock, settings: Any
) -> None:
    settings.TMDB_API_KEY = TOKEN
    tmdb.get(ADDRESS, json={"id": 1})
    ask()
    request = tmdb.calls[0].request
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in str(request.url)


def test_without_a_key_nothing_is_asked(tmdb: responses.RequestsMock, settings: Any) -> None:
    settings.TMDB_API_KEY = ""
    with pytest.raises(TmdbNotConfigured, match=r"themoviedb\.org/settings/api"):
        ask()
    assert not tmdb.calls


@pytest.mark.parametrize(
    ("answer", "error", "tries"),
    [
        ({"status": 401, "json": {"status_code": 7}}, TmdbAuthError, 1),
        ({"status": 403, "json": {"status_code": 10}}, TmdbAuthError, 1),
        ({"status": 403, "body": "<html>blocked</html>"}, TmdbBadAnswer, 1),
        ({"status": 404, "json": NOT_FOUND}, TmdbNotFound, 1),
        ({"status": 404, "body": "<html>no such page</html>"}, TmdbBadAnswer, 1),
        ({"status": 429, "json": {"status_code": 25}}, TmdbRateLimited, 4),
        ({"status": 500}, TmdbUnavailable, 4),
        ({"status": 502}, TmdbUnavailable, 4),
        ({"status": 503}, TmdbUnavailable, 4),
        ({"status": 504}, TmdbUnavailable, 4),
        ({"status": 400, "json": {"status_code": 27}}, TmdbUnavailable, 1),
        ({"status": 302, "headers": {"Location": "http://other.test/"}}, TmdbUnavailable, 1),
        ({"body": "<html><body>Welcome to the hotel</body></html>"}, TmdbBadAnswer, 4),
        ({"body": '{"id": 1, "na'}, TmdbBadAnswer, 4),
        ({"body": "null"}, TmdbBadAnswer, 4),
        ({"body": ""}, TmdbBadAnswer, 4),
        ({"body": '{"id": NaN}'}, TmdbBadAnswer, 4),
        ({"body": "[" * 100_000}, TmdbBadAnswer, 4),
        ({"body": b"\xff\xfe\x00"}, TmdbBadAnswer, 4),
        ({"json": []}, TmdbBadAnswer, 4),
        ({"body": requests.ConnectionError("refused")}, TmdbUnavailable, 4),
        ({"body": requests.ReadTimeout("slow")}, TmdbUnavailable, 4),
        ({"body": requests.exceptions.ChunkedEncodingError("cut")}, TmdbUnavailable, 4),
    ],
)
def test_each_kind_of_failure_has_its_error_and_its_tries(
    tmdb: responses.RequestsMock,
    pauses: list[float],
    answer: dict[str, Any],
    error: type[TmdbError],
    tries: int,
) -> None:
    tmdb.get(ADDRESS, **answer)
    with pytest.raises(TmdbError) as raised:
        client.fetch("/tv/1", {}, parse_details, subject="id=1")
    assert type(raised.value) is error
    assert len(tmdb.calls) == tries


def test_a_passing_failure_is_not_noticed(
    tmdb: responses.RequestsMock, pauses: list[float]
) -> None:
    tmdb.get(ADDRESS, status=503)
    tmdb.get(ADDRESS, body=requests.ConnectionError())
    tmdb.get(ADDRESS, body='{"id": ')
    tmdb.get(ADDRESS, json={"id": 1})
    assert ask() == {"id": 1}


def test_pauses_double_and_are_not_all_alike(
    tmdb: responses.RequestsMock, pauses: list[float]
) -> None:
    tmdb.get(ADDRESS, status=500)
    for _ in range(5):
        with pytest.raises(TmdbUnavailable):
            ask()
    made = [pause for pause in pauses if pause > 0.1]
    assert len(made) == 15 and len(set(made)) > 5
    for number, pause in enumerate(made):
        usual = client.FIRST_BACKOFF * 2 ** (number % 3)
        assert 0.75 * usual <= pause <= 1.25 * usual


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("2", 2.0), ("3600", client.LONGEST_RETRY_AFTER), (formatdate(time.time() + 4000), 10.0)],
)
def test_retry_after_is_honoured_up_to_a_bound(
    tmdb: responses.RequestsMock, pauses: list[float], header: str, seconds: float
) -> None:
    tmdb.get(ADDRESS, status=429, headers={"Retry-After": header})
    tmdb.get(ADDRESS, json={"id": 1})
    ask()
    assert max(pauses) == seconds


def test_the_error_says_how_long_tmdb_asked_to_wait(
    tmdb: responses.RequestsMock, pauses: list[float]
) -> None:
    tmdb.get(ADDRESS, status=429, headers={"Retry-After": "3600"})
    with pytest.raises(TmdbRateLimited) as raised:
        ask()
    assert raised.value.retry_after == 3600.0


@pytest.mark.parametrize("header", ["", "soon", "-5", "99999999999999"])
def test_a_retry_after_that_is_none_is_ignored(
    tmdb: responses.RequestsMock, pauses: list[float], header: str
) -> None:
    tmdb.get(ADDRESS, status=429, headers={"Retry-After": header})
    tmdb.get(ADDRESS, json={"id": 1})
    ask()
    assert max(pauses) < 1


def test_every_try_takes_a_turn(
    tmdb: responses.RequestsMock, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[throttle.Turn] = []
    take_turn = throttle.take_turn

    def counted() -> throttle.Turn:
        turns.append(take_turn())
        return turns[-1]

    monkeypatch.setattr(throttle, "take_turn", counted)
    tmdb.get(ADDRESS, status=500)
    with pytest.raises(TmdbUnavailable):
        ask()
    assert len(turns) == len(tmdb.calls) == 4


def test_a_refused_key_is_said_once_and_stops_further_calls(
    tmdb: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    tmdb.get(ADDRESS, status=401, json={"status_code": 7})
    for _ in range(3):
        with pytest.raises(TmdbAuthError, match="TMDB_API_KEY"):
            ask()
    assert len(tmdb.calls) == 1
    said = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.getMessage() for record in said] == [client.BAD_KEY]


def test_another_key_is_tried_after_a_refused_one(
    tmdb: responses.RequestsMock, settings: Any
) -> None:
    tmdb.get(ADDRESS, status=401, json={"status_code": 7})
    with pytest.raises(TmdbAuthError):
        ask()
    tmdb.upsert(responses.GET, ADDRESS, json={"id": 1})
    settings.TMDB_API_KEY = TOKEN
    assert ask() == {"id": 1}


def test_a_refused_key_is_tried_again_after_some_minutes(
    tmdb: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "REFUSED_SECONDS", 0.0)
    tmdb.get(ADDRESS, status=401, json={"status_code": 7})
    with pytest.raises(TmdbAuthError):
        ask()
    tmdb.upsert(responses.GET, ADDRESS, json={"id": 1})
    assert ask() == {"id": 1}


@pytest.mark.parametrize("key", ["a key with blanks", "key\nwith: header", "ключ"])
def test_what_cannot_be_a_key_is_refused_without_asking(
    tmdb: responses.RequestsMock, settings: Any, key: str
) -> None:
    settings.TMDB_API_KEY = key
    with pytest.raises(TmdbAuthError):
        ask()
    assert not tmdb.calls


@pytest.mark.parametrize("key", [KEY, TOKEN])
def test_no_key_in_any_log_or_traceback(
    demo: TmdbControl, settings: Any, caplog: pytest.LogCaptureFixture, key: str
) -> None:
    settings.TMDB_API_KEY = key
    caplog.set_level(logging.DEBUG)
    client.fetch("/tv/1396", {}, parse_details, subject="id=1396")
    assert "urllib3.connectionpool" in {record.name for record in caplog.records}
    settings.TMDB_API_URL = "http://127.0.0.1:9/3"
    with pytest.raises(TmdbUnavailable) as raised, client.time_limit(0.2):
        ask()
    error = raised.value
    assert error.__cause__ is None and error.__context__ is None
    assert key not in "".join(traceback.format_exception(error))
    assert key not in caplog.text


def test_the_log_has_status_and_milliseconds_but_no_name(
    demo: TmdbControl, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    query = {"query": "Haus des Geldes"}
    client.fetch("/search/tv", query, lambda body: body, subject="query=abc")
    (line,) = [r.getMessage() for r in caplog.records if r.name == "tmdb.client"]
    assert re.fullmatch(r"endpoint=/search/tv query=abc cache=miss status=200 ms=\d+ try=1", line)


def test_a_connection_is_used_again(settings: Any) -> None:
    connections = 0

    class Counting(DemoServer):
        def verify_request(self, request: Any, client_address: Any) -> bool:
            nonlocal connections
            connections += 1
            return super().verify_request(request, client_address)

    with Counting() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        settings.TMDB_API_URL = f"{server.address}/3"
        for _ in range(5):
            client.fetch("/tv/1396", {}, parse_details, subject="id=1396")
        client.reset()
        server.shutdown()
        thread.join()
    assert connections == 1


def test_too_large_an_answer_is_not_read_to_its_end(
    tmdb: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_BYTES", 100_000)
    tmdb.get(ADDRESS, body=b" " * 200_000 + b"{}")
    with pytest.raises(TmdbUnavailable, match="too large"):
        ask()
    assert len(tmdb.calls) == 1


def test_a_hanging_tmdb_ends_with_the_time_limit(demo: TmdbControl) -> None:
    demo.faults(hang_rate=1.0, hang_s=60)
    started = time.monotonic()
    with pytest.raises(TmdbUnavailable, match="timeout"), client.time_limit(0.5):
        ask()
    assert time.monotonic() - started < 2


@contextmanager
def dripping_server(text: bytes) -> Iterator[int]:
    """Sends the text again and again, one byte every 20 ms: no time-out of a socket sees it."""
    stop = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)

    def drip() -> None:
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                for byte in text * 1000:
                    if stop.wait(0.02):
                        break
                    try:
                        connection.send(bytes([byte]))
                    except OSError:
                        break

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        thread.join()
        listener.close()


@pytest.mark.parametrize(
    "text", [b"HTTP/1.1 200 OK\r\nX-More: and more", b"HTTP/1.1 200 OK\r\n\r\n{ "]
)
def test_an_answer_that_comes_byte_by_byte_ends_with_the_time_limit(
    settings: Any, text: bytes
) -> None:
    with dripping_server(text) as port:
        settings.TMDB_API_URL = f"http://127.0.0.1:{port}/3"
        started = time.monotonic()
        with pytest.raises(TmdbUnavailable), client.time_limit(0.6):
            ask()
        assert time.monotonic() - started < 2


def test_a_request_left_behind_keeps_its_slot(demo: TmdbControl, settings: Any) -> None:
    settings.REDIS_URL = ""
    demo.faults(hang_rate=1.0, hang_s=60)
    with pytest.raises(TmdbUnavailable), client.time_limit(0.3):
        ask()
    (slot,) = ThrottleState.objects.get().slots
    assert slot[1] is True


def test_waiting_for_the_throttle_does_not_count(
    tmdb: responses.RequestsMock, settings: Any
) -> None:
    settings.TMDB_RATE_LIMIT, settings.TMDB_RATE_PERIOD = 1, 0.6
    tmdb.get(ADDRESS, json={"id": 1})
    with client.time_limit(0.5):
        ask()
        started = time.monotonic()
        ask()
    assert time.monotonic() - started > 0.5


def test_a_limit_bounds_several_requests_together(demo: TmdbControl) -> None:
    demo.faults(latency_ms=150)
    with client.time_limit(0.4), pytest.raises(TmdbUnavailable):
        for _ in range(5):
            client.fetch("/tv/1396", {}, parse_details, subject="id=1396")
    assert demo.stats()["requests"] <= 3


def test_a_process_that_stops_waits_no_longer(tmdb: responses.RequestsMock, settings: Any) -> None:
    settings.TMDB_RATE_LIMIT, settings.TMDB_RATE_PERIOD = 1, 60
    tmdb.get(ADDRESS, json={"id": 1})
    ask()
    timer = threading.Timer(0.1, throttle.interrupt)
    timer.start()
    started = time.monotonic()
    with pytest.raises(TmdbInterrupted):
        ask()
    timer.join()
    assert time.monotonic() - started < 5
    assert len(tmdb.calls) == 1


def test_a_process_that_stops_leaves_a_hanging_request(demo: TmdbControl) -> None:
    demo.faults(hang_rate=1.0, hang_s=60)
    timer = threading.Timer(0.2, throttle.interrupt)
    timer.start()
    started = time.monotonic()
    with pytest.raises(TmdbInterrupted):
        ask()
    timer.join()
    assert time.monotonic() - started < 3


@pytest.mark.django_db(transaction=True)
def test_nothing_is_asked_inside_a_transaction(tmdb: responses.RequestsMock) -> None:
    tmdb.get(ADDRESS, json={"id": 1})
    with transaction.atomic(), pytest.raises(RuntimeError, match="transaction"):
        ask()
    assert not tmdb.calls
    ask()


def test_a_redirect_is_not_followed(settings: Any) -> None:
    with serve_in_thread() as other, responses.RequestsMock() as mock:
        mock.get(ADDRESS, status=307, headers={"Location": f"{other.address}/3/tv/1396"})
        with pytest.raises(TmdbUnavailable, match="307"):
            ask()
        assert other.state.stats(1.0)["requests"] == 0
