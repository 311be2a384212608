from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from django.core.cache import caches
from django.db import connection

from tmdb import cache, client, service, throttle
from tmdb.models import ThrottleState
from tmdb.tests.servers import RedisServer, TmdbControl, redis_server
from tmdb.tests.test_throttle import hammer, result
from tmdb.throttle import Slot, reserve, take_turn

pytestmark = pytest.mark.django_db(transaction=True)

Store = ThrottleState.Store


@pytest.fixture(scope="module")
def one_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def own_redis(
    one_redis: RedisServer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RedisServer]:
    """A running, empty Redis that the throttle uses, and patience that suits a test."""
    one_redis.kill()
    one_redis.start()
    settings.REDIS_URL = one_redis.url
    settings.TMDB_RATE_LIMIT, settings.TMDB_RATE_PERIOD = 20, 0.5
    settings.TMDB_CONNECT_TIMEOUT = settings.TMDB_READ_TIMEOUT = 0.3
    for name, seconds in {"LEASE": 0.2, "GRACE": 0.2, "REDIS_RETRY": 0.2}.items():
        monkeypatch.setattr(throttle, name, seconds)
    yield one_redis
    throttle._client.cache_clear()


def store() -> str:
    return ThrottleState.objects.get().store


def ask_in_threads(
    requests: int, threads: int, meanwhile: Callable[[], None] = lambda: None
) -> list[Exception]:
    """The errors; `meanwhile` runs beside the requests."""
    errors: list[Exception] = []

    def ask() -> None:
        for _ in range(requests):
            try:
                client.fetch("/tv/1396", {}, lambda body: body, subject="id=1396")
            except Exception as error:
                errors.append(error)
        connection.close()

    running = [threading.Thread(target=ask) for _ in range(threads)]
    for thread in running:
        thread.start()
    meanwhile()
    for thread in running:
        thread.join()
    return errors


def test_redis_counts_where_there_is_one(own_redis: RedisServer) -> None:
    take_turn().finish(time.monotonic())
    state = ThrottleState.objects.get()
    assert state.store == Store.REDIS and state.slots == []
    members = redis.Redis(port=own_redis.port).zrange(f"tmdb:throttle:{state.generation}", 0, -1)
    assert len(members) == 2


def test_threads_together_stay_under_the_limit_with_redis(
    own_redis: RedisServer, demo: TmdbControl, settings: Any
) -> None:
    settings.TMDB_RATE_LIMIT, settings.TMDB_RATE_PERIOD = 20, 0.5
    demo.faults(latency_ms=20)
    assert ask_in_threads(6, 10) == []
    stats = demo.stats(0.5)
    assert stats["requests"] == 60
    assert 10 < stats["busiest"] <= 20
    assert stats["seconds"] < 3
    assert store() == Store.REDIS


def test_processes_together_stay_under_the_limit_with_redis(
    own_redis: RedisServer, demo: TmdbControl, process_env: dict[str, str]
) -> None:
    demo.faults(latency_ms=30)
    env = process_env | {
        "TMDB_API_URL": demo.api_url,
        "TMDB_API_KEY": "demo",
        "TMDB_RATE_LIMIT": "20",
        "TMDB_RATE_PERIOD": "1",
        "REDIS_URL": own_redis.url,
        "LOG_LEVEL": "WARNING",
    }
    processes = [hammer(env, 40, 8) for _ in range(2)]
    assert [result(process)["answered"] for process in processes] == [40, 40]
    assert 10 < demo.stats(1.0)["busiest"] <= 20
    assert store() == Store.REDIS


def test_redis_reckons_as_the_table_does(own_redis: RedisServer, settings: Any) -> None:
    bounds = throttle.limits()
    throttle._call_redis(throttle.TAKE_OVER, "g", "60", "fa", "0.3", "fb", "0.2", "hc", "9")
    slots = [Slot("a", False, 0.3), Slot("b", False, 0.2), Slot("c", True, 9.0)]
    settings.TMDB_RATE_LIMIT = 3
    for token in "defg":
        slots, start = reserve(slots, token, 0.0, throttle.Limits(3, bounds.period, bounds.longest))
        before = time.monotonic()
        reserved = throttle._reserve_in_redis("g", token, throttle.limits())
        if start is None:
            assert reserved is None
        else:
            assert reserved and reserved[0] - before == pytest.approx(start, abs=0.15)
    throttle._call_redis(throttle.GIVE_BACK, "g", "d", "0.1")
    slots, start = reserve([*slots[:-2], Slot("d", False, 0.1)], "h", 0.0, bounds)
    assert throttle._reserve_in_redis("g", "h", throttle.limits())
    assert throttle._reserve_in_redis("g", "i", throttle.limits()) is None


def test_a_lower_limit_holds_at_once_in_redis(own_redis: RedisServer, settings: Any) -> None:
    slots = [text for n in range(1, 6) for text in (f"f{n}", f"{n * 0.1}")]
    throttle._call_redis(throttle.TAKE_OVER, "g", "60", *slots)
    settings.TMDB_RATE_LIMIT = 3
    before = time.monotonic()
    reserved = throttle._reserve_in_redis("g", "x", throttle.limits())
    assert reserved and reserved[0] - before == pytest.approx(0.3, abs=0.1)


def test_without_redis_at_the_start_the_table_counts_at_once(
    own_redis: RedisServer, demo: TmdbControl
) -> None:
    own_redis.kill()
    started = time.monotonic()
    assert ask_in_threads(2, 5) == []
    assert time.monotonic() - started < 2
    assert store() == Store.TABLE


def test_a_redis_killed_midway_and_started_again_breaks_no_limit(
    own_redis: RedisServer, demo: TmdbControl, settings: Any
) -> None:
    settings.TMDB_RATE_LIMIT, settings.TMDB_RATE_PERIOD = 20, 0.5
    demo.faults(latency_ms=20)
    seen: list[str] = []

    def kill_and_start() -> None:
        for step, wanted in ((own_redis.kill, Store.TABLE), (own_redis.start, Store.REDIS)):
            time.sleep(0.3)
            step()
            deadline = time.monotonic() + 15
            while store() != wanted:
                assert time.monotonic() < deadline, f"the store is not {wanted}"
                time.sleep(0.05)
            seen.append(wanted)

    assert ask_in_threads(25, 8, kill_and_start) == []
    assert seen == [Store.TABLE, Store.REDIS]
    stats = demo.stats(0.5)
    assert stats["requests"] == 200
    assert stats["busiest"] <= 20


def test_a_redis_that_forgot_is_not_taken_for_an_unused_one(
    own_redis: RedisServer, settings: Any
) -> None:
    settings.TMDB_RATE_LIMIT = 2
    for _ in range(2):
        take_turn().finish(time.monotonic())
    redis.Redis(port=own_redis.port).flushall()
    used_up = time.monotonic()
    take_turn().finish(time.monotonic())
    assert time.monotonic() - used_up >= settings.TMDB_RATE_PERIOD


def test_slots_used_in_the_table_are_used_in_redis_too(
    own_redis: RedisServer, settings: Any
) -> None:
    settings.TMDB_RATE_LIMIT, settings.TMDB_RATE_PERIOD = 2, 1.0
    own_redis.kill()
    turns = [take_turn() for _ in range(2)]
    turns[0].finish(time.monotonic())
    used_up = time.monotonic()
    own_redis.start()
    throttle._next_redis_try = 0.0
    ThrottleState.objects.update(redis_after=0.0)
    later = take_turn()
    assert later.generation and store() == Store.REDIS
    assert time.monotonic() - used_up >= 0.9
    turns[1].finish(time.monotonic())
    given_back = time.monotonic()
    take_turn()
    assert time.monotonic() - given_back >= 0.9


def test_who_did_not_notice_the_change_of_store_does_not_send(own_redis: RedisServer) -> None:
    turn = take_turn()
    assert turn.generation and turn.is_current()
    # Another process, which cannot reach this Redis, has let the table count.
    bounds = throttle.limits()
    throttle._in_turn(lambda state, now: throttle._let_table_count(state, now.store, bounds))
    deadline = time.monotonic() + 2
    while turn.is_current() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert time.monotonic() - turn.started <= throttle.LEASE + 0.5
    state = ThrottleState.objects.get()
    assert state.not_before > time.time() + bounds.longest


def test_without_redis_in_the_settings_the_table_takes_over(
    own_redis: RedisServer, settings: Any
) -> None:
    take_turn().finish(time.monotonic())
    assert store() == Store.REDIS
    settings.REDIS_URL = ""
    changed = time.monotonic()
    take_turn().finish(time.monotonic())
    assert store() == Store.TABLE
    assert time.monotonic() - changed > settings.TMDB_RATE_PERIOD


def test_a_cache_in_redis_that_goes_away_and_comes_back_takes_nothing_down(
    own_redis: RedisServer, demo: TmdbControl, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": own_redis.url}
    }
    monkeypatch.setattr(cache, "cache", caches.create_connection("default"))
    assert service.get_episode_count("Dark") == (3, 26)
    before = demo.stats()["requests"]
    assert service.get_episode_count("Dark") == (3, 26)
    assert demo.stats()["requests"] == before
    own_redis.kill()
    assert service.get_episode_count("Dark") == (3, 26)
    assert demo.stats()["requests"] == before + 2
    own_redis.start()
    service.get_episode_count("Dark")
    after = demo.stats()["requests"]
    assert service.get_episode_count("Dark") == (3, 26)
    assert demo.stats()["requests"] == after
