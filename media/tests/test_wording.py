from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.wording import divided, fold, generic_number, generic_season, short_forms, title_forms


@pytest.mark.parametrize(
    ("title", "number"),
    [
        ("Episode 7", 7),
        ("Folge 7", 7),
        ("Épisode\u00a03", 3),
        ("7. díl", 7),
        ("4. Bölüm", 4),
        ("第7話", 7),
        ("エピソード3", 3),
        ("3화", 3),
        ("EP11", 11),
        ("Chapter Nine", 9),
        ("12", 12),
        ("Catch 22", None),
        ("11:00", None),
        ("Apollo 13", None),
        ("", None),
    ],
)
def test_a_title_that_only_counts_tells_its_number(title, number):
    assert generic_number(title) == number


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("Season 3", 3),
        ("Staffel 12", 12),
        ("Säsong 2", 2),
        ("Sæson 2", 2),
        ("2. Sezon", 2),
        ("Сезон 2", 2),
        ("シーズン2", 2),
        ("第 2 季", 2),
        ("Season 3: Cycles", None),
        ("Stranger Things 2", None),
        ("Chapter 3", None),
        ("", None),
    ],
)
def test_a_season_that_only_counts_tells_its_number(name, number):
    assert generic_season(name) == number


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Chapter Nine: The Piggyback", "The Piggyback"),
        ("Rozdział szósty: W głąb", "W głąb"),
        ("Ep. 3: The Letter", "the letter"),
        ("Legend, Part One", "Legend (1)"),
        ("Pilot: Part 1", "Pilot, Pt. I"),
        ("Grey’s Anatomy", "Grey's anatomy"),
        ("Salt & Pepper", "Salt and Pepper"),
    ],
)
def test_titles_that_differ_only_in_additions_share_a_form(ours, theirs):
    assert set(title_forms(ours)) & set(title_forms(theirs))


@pytest.mark.parametrize(
    ("title", "short"),
    [
        ("Tom Keen (No. 7)", "tom keen"),
        ("Julian: Part III", "part 3"),
        ("Run (2)", "run"),
        ("Ian Garvey (No. 13): Conclusion", "ian garvey conclusion"),
    ],
)
def test_additions_can_be_left_out(title, short):
    assert short in short_forms(title)


def test_a_title_of_signs_equals_no_other():
    assert fold("###") != fold("???")


@pytest.mark.parametrize(
    ("title", "parts"),
    [
        ("Bubbles / Teddy's Day Out", ("Bubbles", "Teddy's Day Out")),
        ("Pilot: Parts 1 & 2", ("Pilot 1", "Pilot 2")),
        ("Homecoming, Part 1 and 2", ("Homecoming 1", "Homecoming 2")),
    ],
)
def test_a_double_title_names_its_episodes(title, parts):
    assert parts in list(divided(title))


@given(st.text(max_size=60))
def test_no_title_is_too_odd_to_compare(title):
    assert isinstance(fold(title), str)
    assert all(title_forms(title)) and all(short_forms(title))
    number = generic_number(title)
    assert number is None or number >= 0
    assert all(len(parts) > 1 for parts in divided(title))
