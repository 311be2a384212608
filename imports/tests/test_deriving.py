from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from imports.deriving import pair_days

DAY = date(2024, 3, 10)
days = st.sets(st.integers(0, 6).map(lambda n: DAY + timedelta(days=n)), max_size=5)


@given(days, days)
def test_pairs_hold_every_day_once_and_only_neighbours(timed_days, listed_days):
    pairs = pair_days(timed_days, listed_days)
    assert sorted(t for t, _ in pairs if t) == sorted(timed_days)
    assert sorted(d for _, d in pairs if d) == sorted(listed_days)
    assert all(abs(t - d) <= timedelta(days=1) for t, d in pairs if t and d)
    assert all((d, d) in pairs for d in timed_days & listed_days)
