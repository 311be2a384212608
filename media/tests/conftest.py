"""What the tests of the library share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone

from accounts.models import User
from media.models import Viewing
from media.tests.fake_tmdb import FakeTmdb, fake_tmdb
from media.tests.making import look_up, watch
from media.tests.states import entry_named
from media.tests.test_doubts import doubt


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


@pytest.fixture
def open_shelf(user: User, tmdb: FakeTmdb) -> User:
    """Matched under two names, uncertain, not found, a movie and doubtful titles."""
    tmdb.add(2, "Kingdom", {1: ["One", "Two"]}, first_air_date="2019-01-25")
    tmdb.add(3, "Kingdom", {1: ["One", "Two"]}, first_air_date="2019-02-25")
    tmdb.add(4, "Dark", {1: ["Secrets", "Lies"]}, other_names=("Dunkel",))
    watch(user, "Breaking Bad", "Pilot", "Cat's in the Bag")
    watch(user, "Dark", "Secrets")
    watch(user, "Dunkel", "Lies")
    watch(user, "Kingdom", "One", "Two")
    watch(user, "Jumanji", "Welcome to the Jungle", "The Next Level")
    doubt(user, "Dark", "Alpha")
    doubt(user, "Lupin", "Chapter 1", read_as="episode")
    doubt(user, "Lupin", "Chapter 2", read_as="episode")
    look_up()
    # TMDB was asked about them, and left them open.
    Viewing.objects.doubtful().update(doubt_asked_at=timezone.now())
    assert entry_named("Kingdom").lookup_status == "uncertain"
    assert entry_named("Jumanji").lookup_status == "not_found"
    assert entry_named("Dark") == entry_named("Dunkel")
    return user
