"""The progress bar cut where the seasons are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media.bars import Length, Piece, draw


def lengths(*counts):
    return [Length(number, count) for number, count in enumerate(counts, start=1)]


def filled_percent(bar):
    return sum(float(piece.width.rstrip("%")) for piece in bar.filled)


def test_the_bar_is_filled_where_the_episodes_were_watched():
    bar = draw(15, 40, lengths(10, 10, 20), {1: 10, 3: 5})
    assert bar.filled == (Piece("0%", "25%"), Piece("50%", "12.5%"))
    assert bar.cuts == ("25%", "50%")
    assert bar.seasons == 3


def test_seasons_that_touch_are_one_piece_under_the_cuts():
    assert draw(20, 20, lengths(10, 10), {1: 10, 2: 10}).filled == (Piece("0%", "100%"),)


def test_episodes_of_unknown_place_fill_the_earliest_room():
    assert draw(5, 20, lengths(10, 10), {2: 3}).filled == (
        Piece("0%", "10%"),
        Piece("50%", "15%"),
    )


def test_a_count_above_the_total_fills_the_bar_and_no_more():
    bar = draw(279, 276, lengths(200, 76))
    assert filled_percent(bar) == 100
    assert (bar.watched, bar.total) == (279, 276)


def test_a_bar_is_not_full_before_the_last_episode():
    """Also where TMDB's seasons hold fewer episodes than its total says."""
    bar = draw(10, 12, lengths(10), {1: 10})
    assert filled_percent(bar) < 100


def test_specials_and_empty_seasons_have_no_piece():
    bar = draw(1, 10, [Length(0, 5), Length(1, 10), Length(2, 0)])
    assert bar.cuts == ()
    assert bar.seasons == 1


def test_what_has_not_aired_is_told_apart():
    assert draw(2, 10, lengths(10), aired=8).unaired == Piece("80%", "20%")
    assert draw(2, 10, lengths(10), aired=10).unaired is None


def test_without_seasons_the_bar_is_plain():
    bar = draw(5, 10)
    assert bar.filled == (Piece("0%", "50%"),)
    assert bar.labels == ()


@given(
    st.lists(st.integers(0, 300), max_size=40),
    st.integers(1, 3000),
    st.integers(0, 3500),
    st.dictionaries(st.integers(-1, 45), st.integers(0, 400), max_size=40),
    st.none() | st.integers(0, 3000),
)
def test_the_filled_length_always_says_watched_of_total(counts, total, watched, by_season, aired):
    bar = draw(watched, total, lengths(*counts), by_season, aired)
    whole = max(total, sum(counts))
    expected = 100 if watched >= total else watched / whole * 100
    assert abs(filled_percent(bar) - expected) < 0.1
    ends = [float(p.x.rstrip("%")) + float(p.width.rstrip("%")) for p in bar.filled]
    assert all(end < 100.01 for end in ends)
