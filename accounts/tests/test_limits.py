"""How often something may be done."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from accounts import limits
from accounts.limits import allow, forget

pytestmark = pytest.mark.django_db


def test_so_many_are_allowed_and_no_more():
    assert [allow("x", 2, 60) for _ in range(5)] == [True, True, False, False, False]
    assert allow("y", 2, 60)


def test_nothing_is_allowed_with_a_limit_of_none():
    assert not allow("x", 0, 60)


@pytest.mark.django_db(transaction=True)
def test_those_who_ask_at_once_all_count():
    together = threading.Barrier(8)

    def ask(_: int) -> list[bool]:
        together.wait(30)
        try:
            return [allow("x", 30, 600) for _ in range(10)]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(8)))
    assert sum(map(sum, answers)) == 30


def test_a_database_that_does_not_answer_keeps_nobody_out(monkeypatch):
    def fail(*args: object) -> bool:
        raise OperationalError

    monkeypatch.setattr(limits, "_count", fail)
    assert allow("x", 1, 60)


def test_what_is_forgotten_is_counted_anew():
    assert [allow("x", 1, 60) for _ in range(2)] == [True, False]
    forget("x")
    assert allow("x", 1, 60)


def test_asking_again_and_again_makes_nobody_wait_longer(wait_until):
    """As a script does that asks the API more often than it may."""
    assert [allow("x", 1, 1) for _ in range(2)] == [True, False]
    wait_until(lambda: allow("x", 1, 1), 10)


def test_what_is_counted_by_user_is_known_to_go_with_the_account():
    project = Path(__file__).resolve().parents[2]
    sources = [
        file.read_text()
        for app in ("accounts", "imports", "media")
        for file in (project / app).rglob("*.py")
        if "tests" not in file.parts
    ]
    counted = re.compile(r'allow\(\s*f"([\w-]+):\{(?:request\.)?user\.pk\}"')
    assert {name for text in sources for name in counted.findall(text)} == set(limits.OF_USERS)
