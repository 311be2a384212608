from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from imports import parts
from imports.parts import Part, cut, pack, unpack
from imports.reading import Alternative, Kind, Message, Row, title_key

DAY = date(2024, 3, 10)


def row(title: str, day: date | None = DAY, kind: Kind = Kind.EPISODE, **facts) -> Row:
    return Row(
        line=facts.pop("line", 2),
        title=title,
        title_key=title_key(title),
        kind=kind,
        reason=Message("because"),
        series=facts.pop("series", "Dark"),
        watched_on=day,
        **facts,
    )


def test_titles_keep_the_order_of_the_file():
    (part,) = cut([row("B"), row("A"), row("B", DAY + timedelta(days=1))])
    assert [(title.raw_title, len(title.plays)) for title in part.titles] == [("B", 2), ("A", 1)]
    assert part.repeated == 0


def test_plays_of_one_day_are_summed_from_the_earliest():
    at = datetime(2024, 3, 10, 20, tzinfo=UTC)
    (part,) = cut(
        [
            row("A", line=2, watched_at=None, duration_seconds=None),
            row("A", line=3, watched_at=at, duration_seconds=60, profile="Ana"),
            row("A", line=4, watched_at=at - timedelta(hours=3), duration_seconds=600),
        ]
    )
    (title,) = part.titles
    assert title.plays == [(2, DAY, at - timedelta(hours=3), 660, "Ana")]
    assert part.repeated == 2


def test_large_files_become_several_parts_and_no_row_is_lost(monkeypatch):
    monkeypatch.setattr(parts, "TITLES", 10)
    monkeypatch.setattr(parts, "PROBLEMS", 3)
    rows = [row(f"T{n % 25}", DAY + timedelta(days=n % 3)) for n in range(100)]
    rows += [row(f"S{n}", kind=Kind.SKIPPED) for n in range(20)]
    cut_up = list(cut(rows))
    assert max(len(part.titles) for part in cut_up) == 10
    assert max(len(part.problems) for part in cut_up) == 3
    plays = sum(len(title.plays) for part in cut_up for title in part.titles)
    problems = sum(len(part.problems) for part in cut_up)
    assert plays + problems + sum(part.repeated for part in cut_up) == 120


def test_an_empty_file_has_no_part():
    assert list(cut([])) == []


def test_numbers_and_texts_fit_the_database():
    (part,) = cut([row("A\0\ud800", season_number=10**12, profile="x" * 300, series="\0")])
    (title,) = part.titles
    assert (title.raw_title, title.season_number, title.kind) == ("A", None, "movie")
    assert len(title.plays[0].profile) == 200


texts = st.text(max_size=20)
rows = st.lists(
    st.builds(
        row,
        texts,
        st.none() | st.dates(),
        st.sampled_from(Kind),
        line=st.integers(1, 10**6),
        series=st.none() | texts,
        season_number=st.none() | st.integers(0, 10**12),
        episode_title=st.none() | texts,
        watched_at=st.none() | st.datetimes(timezones=st.just(UTC)),
        duration_seconds=st.none() | st.integers(0, 10**10),
        profile=st.none() | texts,
        reading_uncertain=st.booleans(),
        alternative=st.none() | st.builds(Alternative, st.sampled_from(Kind), st.none() | texts),
    ),
    max_size=8,
)


@given(rows)
def test_what_is_packed_comes_back_equal(file):
    for part in cut(file):
        back = unpack(pack(part))
        assert back == Part(list(part.titles), list(part.problems), part.repeated)
