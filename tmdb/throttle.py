"""At most TMDB_RATE_LIMIT requests in any TMDB_RATE_PERIOD seconds, over all processes.

How it holds. There are TMDB_RATE_LIMIT slots. A request takes one before it is sent and gives
it back when its answer arrives; the slot is then used again a whole period later. A request
reaches TMDB after its slot was taken and before its answer arrives, so two requests of one slot
reach TMDB more than a period apart, and no window of that length ever holds more than the limit.
(Where the way takes a good part of the period, part of it is given back: `head_start`.)
When all slots are used, a caller reserves the one that comes back first and sleeps until then.
A slot that is never given back (its process was killed) comes back by itself.

Where it counts. In Redis when REDIS_URL is set, else in one row of the database, each by its
own clock. That row also says which of the two counts, so that never both do:

- Redis fails or has forgotten its slots: the row says "table", and no request starts until every
  one that Redis may have let through is over, plus a period.
- Redis is back: the table's slots are copied, then the row says "redis".
- Whoever uses Redis reads the row again every LEASE seconds, also one who did not notice.
"""

from __future__ import annotations

import functools
import logging
import math
import secrets
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar, cast

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

from .errors import TmdbInterrupted, TmdbUnavailable
from .models import ThrottleState

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Seconds.
LEASE = 2.0
# Between two looks at whether an answer is still wanted.
LOOK = 0.25
# Between the start of a slot and the sending of its request.
GRACE = 2.0
# On top of the period, for clocks that do not run quite alike.
MARGIN = 0.002
# On top of the longest request, for one that its caller has given up but that is still under way.
SLACK = 10.0
# Redis must answer within; a connection on one machine or in one data centre takes milliseconds.
REDIS_TIMEOUT = 1.0
# No slot starts while the table's slots are copied to Redis.
COPYING = 4 * REDIS_TIMEOUT
# Between two tries to reach a Redis that failed.
REDIS_RETRY = 5.0
# Periods that the table goes on counting after Redis failed, so that a Redis that only some
# processes can reach does not make the store change all the time.
SETTLE_PERIODS = 3
# Between two looks when there is no slot that could be reserved.
POLL = 0.05

KEY = "tmdb:throttle:{generation}"
KEY_SECONDS = 30 * 24 * 3600

# A slot is a member of a sorted set: "h" + token while held, "f" + token when given back, with
# the time at which it comes back as its score. "counting" is always there: without it the set
# was lost. The steps are those of `reserve` below.
RESERVE = """
local key, token = KEYS[1], ARGV[1]
local limit, period, hold = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local function at(moment) return string.format('%.6f', moment) end
if not redis.call('ZSCORE', key, 'counting') then return 'lost' end
redis.call('ZREMRANGEBYSCORE', key, '-inf', at(now))
local latest = now + hold + 2 * period
local live, given_back = 0, {}
local slots = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
for i = 1, #slots, 2 do
  local slot, back = slots[i], tonumber(slots[i + 1])
  if slot ~= 'counting' then
    if back > latest then
      back = latest
      redis.call('ZADD', key, at(back), slot)
    end
    live = live + 1
    if string.sub(slot, 1, 1) == 'f' then table.insert(given_back, {slot, back}) end
  end
end
local start = now
if live >= limit then
  local needed = live - limit + 1
  if #given_back < needed then return 'full' end
  for i = 1, needed do redis.call('ZREM', key, given_back[i][1]) end
  start = given_back[needed][2]
end
redis.call('ZADD', key, at(start + hold + period), 'h' .. token)
redis.call('EXPIRE', key, ARGV[5])
return at(start - now)
"""
GIVE_BACK = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
redis.call('ZREM', KEYS[1], 'h' .. ARGV[1])
local seconds = tonumber(ARGV[2])
if seconds > 0 and redis.call('ZSCORE', KEYS[1], 'counting') then
  redis.call('ZADD', KEYS[1], string.format('%.6f', now + seconds), 'f' .. ARGV[1])
end
return 'ok'
"""
TAKE_OVER = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
redis.call('ZADD', KEYS[1], '+inf', 'counting')
for i = 2, #ARGV, 2 do
  redis.call('ZADD', KEYS[1], string.format('%.6f', now + ARGV[i + 1]), ARGV[i])
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 'ok'
"""


@dataclass(frozen=True)
class Limits:
    """`requests` in any `period` seconds; `longest` is the time that one request may take."""

    requests: int
    period: float
    longest: float

    @property
    def hold(self) -> float:
        """Seconds after which a slot counts as lost, a period apart."""
        return GRACE + self.longest + SLACK


@dataclass(frozen=True)
class Slot:
    """`until`: when it comes back, by the store's clock; while held, at the latest."""

    token: str
    held: bool
    until: float


class _RedisFailed(Exception):
    """Redis does not answer, or has lost the slots."""


class Turn:
    """The right to send one request now."""

    def __init__(self, token: str, generation: str, started: float, expires: float) -> None:
        self.token = token
        self.generation = generation
        self.started = started
        self._expires = expires

    def is_current(self) -> bool:
        """Whether the request may still be sent; ask right before sending.

        False when this process stood still meanwhile or the store was changed.
        """
        if time.monotonic() > self._expires:
            return False
        return not self.generation or self.generation == _redis_generation()

    def finish(self, answered: float, quickest: float = 0.0) -> None:
        """The answer began to arrive at `answered`, by the monotonic clock.

        `quickest` is the shortest time that an answer lately took.
        """
        period = settings.TMDB_RATE_PERIOD
        _give_back(self.token, answered + period + MARGIN - head_start(quickest, period))

    def give_back(self) -> None:
        """No request was sent."""
        _give_back(self.token, self.started)


# One thread of a process looks for slots at a time, for those behind it too: they would only be
# in its way, and each write of the table waits for whoever else uses the database.
_queue = threading.Lock()
_line = threading.Lock()
# Threads that want a turn and have none, and turns that were found for them.
_in_line = 0
_found: deque[Turn] = deque()
_table = threading.Lock()
# Slots given back, by token and moment (monotonic), that the next write of the table takes along.
_given_back: dict[str, float] = {}
_stopping = threading.Event()
_over: ContextVar[threading.Event | None] = ContextVar("tmdb_over", default=None)
# The set in Redis that counts, and until when (monotonic) that is known without asking.
_lease: tuple[str, float] = ("", 0.0)
_next_redis_try = 0.0


def limits() -> Limits:
    longest = settings.TMDB_CONNECT_TIMEOUT + settings.TMDB_READ_TIMEOUT + 1
    return Limits(settings.TMDB_RATE_LIMIT, settings.TMDB_RATE_PERIOD, longest)


def take_turn() -> Turn:
    """Wait until one more request may be sent.

    Raises TmdbInterrupted after `interrupt()`, TmdbUnavailable when the database cannot be
    used. Must not be called inside a transaction: others could not see the slot.
    """
    while True:
        turn = _next_turn()
        try:
            sleep(turn.started - time.monotonic())
        except BaseException:
            turn.give_back()
            raise
        if turn.is_current():
            return turn
        turn.give_back()


def _next_turn() -> Turn:
    global _in_line
    with _line:
        _in_line += 1
    with _queue:
        with _line:
            _in_line -= 1
            if _found:
                return _found.popleft()
            behind = _in_line
        turn, *others = _find_turns(1 + behind)
        # Those behind are still there: nobody leaves the line without a turn or this lock.
        with _line:
            _found.extend(others)
    return turn


def _somebody_will_write() -> bool:
    """Whether a thread in line will yet look for slots, and take along what was given back."""
    with _line:
        return _in_line > len(_found)


def sleep(seconds: float) -> None:
    """Sleep, but wake and raise TmdbInterrupted once `is_interrupted()`."""
    ends = time.monotonic() + seconds
    longest = math.inf if _over.get() is None else LOOK
    while not is_interrupted():
        left = ends - time.monotonic()
        if left <= 0:
            return
        _stopping.wait(min(left, longest))
    raise TmdbInterrupted("Stopped before TMDB was asked.")


@contextmanager
def until(over: threading.Event) -> Iterator[None]:
    """What is asked inside is not waited for any more once `over` is set, as after a cancel."""
    token = _over.set(over)
    try:
        yield
    finally:
        _over.reset(token)


def interrupt() -> None:
    """End every wait of this process with TmdbInterrupted, from now on: it is to stop."""
    _stopping.set()


def is_interrupted() -> bool:
    """Whether the process is to stop, or nobody wants the answer any more."""
    over = _over.get()
    return _stopping.is_set() or (over is not None and over.is_set())


def reset() -> None:
    """Forget what this process knows, an interruption too. The stores stay as they are."""
    global _lease, _next_redis_try
    _stopping.clear()
    _lease = ("", 0.0)
    _next_redis_try = 0.0


def head_start(quickest: float, period: float) -> float:
    """How many seconds before the end of its period a slot may be used again.

    The way to TMDB of one request and the way back of another take some time together. A tenth
    of the shortest time that both took lately is left aside for ways that become shorter. Next
    to a long period there is nothing to gain, and no risk is taken.
    """
    gain = min(quickest * 0.9, period / 4)
    return gain if gain > period / 50 else 0.0


def reserve(
    slots: Iterable[Slot], token: str, now: float, limits: Limits
) -> tuple[list[Slot], float | None]:
    """Take a slot, or the one that comes back first: the slots then, and when it starts.

    None when all are held, so that nobody knows when the first comes back.
    """
    # A slot far in the future means that the clock was set back.
    latest = now + limits.hold + 2 * limits.period
    live = [Slot(s.token, s.held, min(s.until, latest)) for s in slots if s.until > now]
    start = now
    if len(live) >= limits.requests:
        # More than one only after the limit was lowered.
        needed = len(live) - limits.requests + 1
        given_back = sorted((s for s in live if not s.held), key=lambda s: s.until)[:needed]
        if len(given_back) < needed:
            return live, None
        live = [s for s in live if s not in given_back]
        start = given_back[-1].until
    return [*live, Slot(token, True, start + limits.hold + limits.period)], start


def _find_turns(wanted: int) -> list[Turn]:
    """One turn at least, and where they are to be had at once as many as wanted, first to come
    first."""
    bounds = limits()
    while True:
        generation = _redis_generation()
        if generation:
            token = secrets.token_hex(6)
            try:
                start = _reserve_in_redis(generation, token, bounds)
            except _RedisFailed as failure:
                _leave_redis(generation, bounds, str(failure))
                continue
            starts = {} if start is None else {token: start}
        else:
            if settings.REDIS_URL:
                _try_redis(bounds)
            starts = _reserve_in_table([secrets.token_hex(6) for _ in range(wanted)], bounds)
        if starts:
            return [Turn(token, generation, *start) for token, start in starts.items()]
        sleep(POLL)


def _give_back(token: str, back: float) -> None:
    """The slot comes back at `back` (monotonic). One that cannot be given back does by itself."""
    try:
        generation = _redis_generation()
        if not generation:
            generation = _give_back_to_table(token, back)
        if generation:
            _call_redis(GIVE_BACK, generation, token, f"{back - time.monotonic():.6f}")
    except (_RedisFailed, TmdbUnavailable) as failure:
        logger.debug("a slot was not given back: %s", failure)


# The table


@dataclass(frozen=True)
class _Moment:
    """The store's time, and the process's before and after it was read.

    What is reckoned from one clock to the other uses the one that makes it rather late than early.
    """

    before: float
    store: float
    after: float


def _in_turn(change: Callable[[ThrottleState, _Moment], T]) -> T:
    """Call `change` with the locked row and the present moment in a transaction of its own.

    Slots that it leaves in the row are kept.
    """
    with _table:
        return _write(change)


def _write(change: Callable[[ThrottleState, _Moment], T]) -> T:
    for attempt in (1, 2):
        try:
            with transaction.atomic(durable=True):
                state = ThrottleState.objects.locked()
                before, store = time.monotonic(), _database_time()
                moment = _Moment(before, store, time.monotonic())
                slots = state.slots
                given = dict(_given_back)
                if state.store == ThrottleState.Store.REDIS:
                    # Their owners tell Redis, as long as that makes a difference.
                    given = {token: back for token, back in given.items() if back < before}
                elif given:
                    _take_back(state, given, moment)
                result = change(state, moment)
                if state.slots is not slots:
                    state.save_slots()
        except (OperationalError, InterfaceError) as error:
            failure = type(error).__name__
            if connection.in_atomic_block:
                break
            # A connection that the server has dropped is replaced by the next query.
            connection.close()
            logger.debug("throttle attempt=%s error=%s", attempt, failure)
        else:
            for token in given:
                _given_back.pop(token, None)
            return result
    raise TmdbUnavailable(f"TMDB was not asked: the database cannot be used ({failure}).")


def _database_time() -> float:
    """Seconds since 1970, the same clock for every process that shares the database."""
    if connection.vendor != "postgresql":
        return time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        return float(cursor.fetchone()[0])


def _slots(state: ThrottleState) -> list[Slot]:
    return [Slot(token, held, until) for token, held, until in state.slots]


def _keep(state: ThrottleState, slots: Iterable[Slot]) -> None:
    state.slots = [[slot.token, slot.held, slot.until] for slot in slots]


def _take_back(state: ThrottleState, given: Mapping[str, float], moment: _Moment) -> None:
    left = [slot for slot in _slots(state) if slot.token not in given]
    free = [
        Slot(token, False, moment.store + back - moment.before)
        for token, back in given.items()
        if back > moment.before
    ]
    _keep(state, [*left, *free])


def _reserve_in_table(tokens: Iterable[str], bounds: Limits) -> dict[str, tuple[float, float]]:
    """When the slots start and expire (monotonic), of as many tokens as can have one now."""

    def change(state: ThrottleState, moment: _Moment) -> dict[str, tuple[float, float]]:
        now = moment.store
        starts: dict[str, tuple[float, float]] = {}
        if state.store == ThrottleState.Store.REDIS:
            if not settings.REDIS_URL:
                _let_table_count(state, now, bounds)
            return starts
        if state.not_before > now:
            return starts
        slots = _slots(state)
        for token in tokens:
            slots, start = reserve(slots, token, now, bounds)
            if start is None:
                break
            starts[token] = moment.after + start - now, moment.before + start - now + GRACE
        if starts:
            _keep(state, slots)
        return starts

    return _in_turn(change)


def _give_back_to_table(token: str, back: float) -> str:
    """The set in Redis that it belongs to instead, when Redis counts by now."""

    def change(state: ThrottleState, moment: _Moment) -> str:
        counts = state.store == ThrottleState.Store.REDIS and settings.REDIS_URL
        return state.generation if counts else ""

    _given_back[token] = back
    if _somebody_will_write():
        return ""
    try:
        with _table:
            return _write(change) if token in _given_back else ""
    finally:
        _given_back.pop(token, None)


def _let_table_count(state: ThrottleState, now: float, bounds: Limits) -> None:
    # Until then others may send requests that Redis let through, and as long after it they count.
    state.not_before = now + LEASE + GRACE + bounds.longest + bounds.period
    state.redis_after = state.not_before + SETTLE_PERIODS * bounds.period
    state.store = ThrottleState.Store.TABLE
    state.slots = []
    state.save()


# Redis


@functools.cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=REDIS_TIMEOUT,
        socket_timeout=REDIS_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


def _call_redis(script: str, generation: str, *arguments: str) -> str:
    try:
        # Sent whole each time: a few hundred bytes, and no second try after a restart.
        answer = _client(settings.REDIS_URL).eval(
            script, 1, KEY.format(generation=generation), *arguments
        )
    except (redis.RedisError, OSError, ValueError) as error:
        raise _RedisFailed(type(error).__name__) from None
    return cast(str, answer)


def _redis_generation() -> str:
    """The set in Redis that counts; empty when the table does."""
    global _lease
    if not settings.REDIS_URL:
        return ""
    generation, until = _lease
    asked = time.monotonic()
    if generation and asked < until:
        return generation
    try:
        state = ThrottleState.objects.filter(pk=ThrottleState.ONLY).first()
    except DatabaseError as error:
        raise TmdbUnavailable(
            f"TMDB was not asked: the database cannot be used ({type(error).__name__})."
        ) from None
    counts = state is not None and state.store == ThrottleState.Store.REDIS
    generation = state.generation if state is not None and counts else ""
    _lease = (generation, asked + LEASE)
    return generation


def _reserve_in_redis(generation: str, token: str, bounds: Limits) -> tuple[float, float] | None:
    """When the slot starts and expires (monotonic); None when none can be reserved now."""
    asked = time.monotonic()
    answer = _call_redis(
        RESERVE,
        generation,
        token,
        str(bounds.requests),
        str(bounds.period),
        str(bounds.hold),
        str(KEY_SECONDS),
    )
    if answer == "lost":
        raise _RedisFailed("it has lost what it counted")
    if answer == "full":
        return None
    return time.monotonic() + float(answer), asked + float(answer) + GRACE


def _leave_redis(generation: str, bounds: Limits, reason: str) -> None:
    """Let the table count from now on, unless another process has already seen to it."""
    global _lease, _next_redis_try

    def change(state: ThrottleState, moment: _Moment) -> bool:
        counted = state.store == ThrottleState.Store.REDIS and state.generation == generation
        if counted:
            _let_table_count(state, moment.store, bounds)
        return counted

    if _in_turn(change):
        logger.warning("throttle store=table, Redis failed: %s", reason)
    _lease = ("", 0.0)
    _next_redis_try = time.monotonic() + REDIS_RETRY


def _try_redis(bounds: Limits) -> None:
    """Let Redis count from now on, if it answers and the time has come."""
    global _next_redis_try
    if time.monotonic() < _next_redis_try:
        return
    _next_redis_try = time.monotonic() + REDIS_RETRY
    try:
        _client(settings.REDIS_URL).ping()
    except (redis.RedisError, OSError, ValueError):
        return
    generation = uuid.uuid4().hex

    def begin(state: ThrottleState, moment: _Moment) -> list[Slot] | None:
        global _next_redis_try
        now = moment.store
        due = max(state.not_before, state.redis_after)
        if state.store == ThrottleState.Store.REDIS or due > now:
            _next_redis_try = time.monotonic() + max(due - now, POLL)
            return None
        state.next_generation = generation
        state.not_before = now + COPYING
        state.redis_after = state.not_before + REDIS_RETRY
        state.save()
        return [Slot(s.token, s.held, s.until - now) for s in _slots(state) if s.until > now]

    def complete(state: ThrottleState, moment: _Moment) -> bool:
        # Too late: the table counts again, and its slots are not those that were copied.
        in_time = state.next_generation == generation and moment.store < state.not_before
        if in_time:
            state.store = ThrottleState.Store.REDIS
            state.generation = generation
            state.slots = []
            state.save()
        return in_time

    slots = _in_turn(begin)
    if slots is None:
        return
    copied = [(("h" if s.held else "f") + s.token, f"{s.until:.6f}") for s in slots]
    arguments = [text for pair in copied for text in pair]
    try:
        _call_redis(TAKE_OVER, generation, str(KEY_SECONDS), *arguments)
    except _RedisFailed:
        return
    if _in_turn(complete):
        logger.info("throttle store=redis")
