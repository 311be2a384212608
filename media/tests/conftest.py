"""What the tests of the library share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from accounts.models import User
from media.tests.fake_tmdb import FakeTmdb, fake_tmdb


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("ana")


@pytest.fixture
def tmdb() -> Iterator[FakeTmdb]:
    """A TMDB that knows Breaking Bad: two seasons of three episodes, and a special."""
    with fake_tmdb() as fake:
        fake.add(
            1396,
            "Breaking Bad",
            {1: ["Pilot", "Cat's in the Bag"], 2: ["Seven Thirty-Seven"], 0: ["Making of"]},
        )
        yield fake
