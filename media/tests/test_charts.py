"""Charts as lengths to draw."""

from __future__ import annotations

from calendar import isleap
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import charts


@given(st.just(0) | st.floats(0.01, 1e7), st.booleans())
def test_ticks_are_few_round_even_steps_that_reach_the_highest_value(most, whole):
    marks = charts.ticks(most, whole)
    assert marks[0] == 0
    assert marks[-1] >= most * 0.999999
    assert 2 <= len(marks) <= 6
    step = marks[1] - marks[0]
    assert marks == pytest.approx([step * n for n in range(len(marks))])
    if whole:
        assert all(float(mark).is_integer() for mark in marks)


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (0, (0, 1)),
        (1, (0, 1)),
        (3, (0, 1, 2, 3)),
        (17, (0, 5, 10, 15, 20)),
        (90, (0, 25, 50, 75, 100)),
    ],
)
def test_ticks(most, expected):
    assert charts.ticks(most) == expected


@given(st.lists(st.lists(st.integers(0, 5000), min_size=2, max_size=2), min_size=1, max_size=60))
def test_columns_are_as_high_as_their_values(stacks):
    chart = charts.columns(stacks, height=180, head=0)
    top = chart.ticks[-1].value
    for stack, column in zip(stacks, chart.columns, strict=True):
        height = sum(float(part.height) for part in column.parts)
        assert height == pytest.approx(sum(stack) * 180 / top, abs=0.03)
        assert [part.series for part in column.parts] == [n for n in (0, 1) if stack[n]]
        assert 0 <= float(column.x[:-1]) < float(column.middle[:-1]) < 100


@given(st.integers(1990, 2100), st.lists(st.integers(0, 365), unique=True), st.randoms())
def test_a_year_has_each_day_once_at_its_weekday(year, chosen, random):
    first = date(year, 1, 1)
    values = {
        day: float(random.randint(1, 9))
        for day in (first + timedelta(days=n) for n in chosen)
        if day.year == year
    }
    drawn = charts.calendar(year, values, charts.thresholds(list(values.values())))
    assert {cell.day for cell in drawn.cells} == set(values)
    assert len(drawn.cells) + drawn.empty.count("M") == 365 + isleap(year)
    assert len({(cell.x, cell.y) for cell in drawn.cells}) == len(drawn.cells)
    for cell in drawn.cells:
        assert (cell.y - charts.HEAD) / charts.PITCH == cell.day.weekday()
        assert 0 <= cell.x <= drawn.width - charts.CELL
        assert 1 <= cell.level <= charts.LEVELS
    assert [month.first.month for month in drawn.months] == list(range(1, 13))


@given(st.lists(st.integers(1, 50), min_size=1))
def test_more_is_never_lighter(values):
    limits = charts.thresholds(values)
    levels = [charts.level(value, limits) for value in sorted(values)]
    assert levels == sorted(levels)
    assert levels[0] == 1


def test_a_share_of_nothing_is_nothing():
    assert charts.share(1, 4) == "25%"
    assert charts.share(0, 0) == "0%"
