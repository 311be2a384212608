from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imports.reading.packing import Packer, Readings
from imports.reading.types import Alternative, Kind, Message, TitleReading

TITLE = "Dark: Season 1: Secrets"
TEXTS = st.sampled_from(["Dark", "Season 1", "Secrets", "", TITLE, "no piece of it", "😀"])
NUMBERS = st.none() | st.integers(0, 10**12)
READINGS = st.builds(
    TitleReading,
    kind=st.sampled_from(Kind),
    reason=st.builds(
        Message,
        st.sampled_from(["A reason.", "Another %(one)s, %(other)s."]),
        st.fixed_dictionaries({}, optional={"one": TEXTS, "other": NUMBERS}),
    ),
    series=st.none() | TEXTS,
    language=st.none() | TEXTS,
    season_number=NUMBERS,
    season_inferred=st.booleans(),
    season_name=st.none() | TEXTS,
    episode_number=NUMBERS,
    episode_title=st.none() | TEXTS,
    reading_uncertain=st.booleans(),
    alternative=st.none()
    | st.builds(Alternative, st.sampled_from(Kind), st.none() | TEXTS, NUMBERS),
)


@given(st.lists(READINGS, max_size=20))
def test_what_is_packed_is_the_same_again(readings):
    packer = Packer()
    titles = [f"{TITLE}{'😀' * n}" for n in range(len(readings))]
    kept = {title: packer.pack(title, one) for title, one in zip(titles, readings, strict=True)}
    assert dict(Readings(kept, packer)) == dict(zip(titles, readings, strict=True))


def test_readings_of_pieces_of_their_titles_take_little():
    packer = Packer()
    packed = packer.pack(TITLE, TitleReading(Kind.EPISODE, Message("So."), "Dark", "en", 1))
    assert isinstance(packed, bytes)
    assert len(packed) < 40
