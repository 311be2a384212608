from __future__ import annotations

from copy import copy
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from imports.deriving import (
    StoredClaim,
    StoredViewing,
    apply_claims,
    find_keepers,
    find_unchanged,
    group_claims,
    pair_days,
)

DAY = date(2024, 3, 10)
days = st.sets(st.integers(0, 6).map(lambda n: DAY + timedelta(days=n)), max_size=5)


@st.composite
def claims(draw, of_import):
    """What a file could tell of one title: each day once, timed or not."""
    made = []
    for day in sorted(draw(days)):
        timed = draw(st.booleans())
        made.append(
            StoredClaim(
                None,
                None,
                of_import,
                2,
                day,
                datetime(day.year, day.month, day.day, draw(st.integers(8, 9)), tzinfo=UTC)
                if timed
                else None,
                draw(st.sampled_from([None, 600, 1200])) if timed else None,
                draw(st.sampled_from(["", "Ada", "Grace"])) if timed else "",
            )
        )
    return made


def viewings_of(told):
    """The viewings that claims make, as an empty library would store them."""
    viewings = []
    for number, group in enumerate(group_claims([], told), start=1):
        viewing = StoredViewing(number, "hash", "Dark", 1, 1, "movie")
        apply_claims(viewing, group)
        viewings.append(viewing)
    return viewings


@given(days, days)
def test_pairs_hold_every_day_once_and_only_neighbours(timed_days, listed_days):
    pairs = pair_days(timed_days, listed_days)
    assert sorted(t for t, _ in pairs if t) == sorted(timed_days)
    assert sorted(d for _, d in pairs if d) == sorted(listed_days)
    assert all(abs(t - d) <= timedelta(days=1) for t, d in pairs if t and d)
    assert all((d, d) in pairs for d in timed_days & listed_days)


@given(claims(1), claims(2), st.booleans(), st.data())
def test_claims_taken_for_unchanged_change_nothing_when_all_are_looked_at(old, new, again, data):
    if again and old:
        new = data.draw(st.lists(st.sampled_from(old), unique_by=lambda claim: claim.day))
    there = viewings_of(old)
    before = [copy(viewing) for viewing in there]
    placed = find_unchanged(there, None, new)
    assert placed or not (again and new and viewings_of(old) == viewings_of(new))
    if not placed:
        return
    groups = group_claims(there, [*old, *new])
    kept = find_keepers(there, groups)
    for viewing, group in zip(kept, groups, strict=True):
        assert viewing is not None and not apply_claims(viewing, group)
    assert there == before
    of_claim = {id(claim): viewing for claim, viewing in placed}
    for viewing, group in zip(kept, groups, strict=True):
        for claim in group.claims:
            assert of_claim.get(id(claim), viewing) is viewing
