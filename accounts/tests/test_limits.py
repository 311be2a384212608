"""How often something may be done."""

from __future__ import annotations

import pytest

from accounts.limits import allow, forget

pytestmark = pytest.mark.django_db


def test_so_many_are_allowed_and_no_more():
    assert [allow("x", 2, 60) for _ in range(5)] == [True, True, False, False, False]
    assert allow("y", 2, 60)


def test_what_is_forgotten_is_counted_anew():
    assert [allow("x", 1, 60) for _ in range(2)] == [True, False]
    forget("x")
    assert allow("x", 1, 60)


def test_asking_again_and_again_makes_nobody_wait_longer(wait_until):
    """As a script does that asks the API more often than it may."""
    assert [allow("x", 1, 1) for _ in range(2)] == [True, False]
    wait_until(lambda: allow("x", 1, 1), 10)
