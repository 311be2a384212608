from __future__ import annotations

import tomllib
from collections import Counter
from importlib import resources

import pytest

from imports.reading.knowledge import (
    NameOf,
    film_stem,
    is_roman_sequel,
    is_sequel,
    known_films,
    listed,
    name_of,
)
from imports.reading.spelling import fold

SURE = (NameOf.FILMS, NameOf.FILMS_AND_SERIES, NameOf.PERSON)


@pytest.mark.parametrize(
    ("name", "whose"),
    [
        ("Spider-Man", NameOf.FILMS),
        ("SPIDER-MAN", NameOf.FILMS),
        ("The Hunger Games", NameOf.FILMS),
        ("Hunger Games", NameOf.FILMS),
        ("Madagascar 3", NameOf.FILMS),
        ("Harry Potter and the Deathly Hallows", NameOf.FILMS),
        ("Mortal Kombat Chronicles", NameOf.FILMS_AND_SERIES),
        ("Barbie & Friends", NameOf.FILMS_AND_SERIES),
        ("Star Trek - The Animated Series", None),
        ("El señor de los anillos", NameOf.FILMS),
        ("Homem-Aranha", NameOf.FILMS),
        ("Барсук", None),
        ("Мстители", NameOf.FILMS),
        ("Barbie", NameOf.FILMS_AND_SERIES),
        ("Ali Wong", NameOf.PERSON),
        ("ariana grande", NameOf.PERSON),
        ("Ludwig van Hausen", NameOf.PERHAPS_PERSON),
        ("Rafa Márquez", NameOf.PERHAPS_PERSON),
        ("Jessica Jones", None),
        ("Grace and Frankie", None),
        ("Jane the Virgin", None),
        ("Bob's Burgers", None),
        ("Komi Can't Communicate", None),
        ("", None),
    ],
)
def test_a_name_is_known_to_be_of_films_or_of_a_person(name, whose):
    assert name_of(fold(name)) is whose


def test_films_whose_name_has_a_colon_are_known_by_both_parts():
    assert (
        "Mission: Impossible - Fallout".casefold()
        .partition(": ")[2]
        .startswith(known_films("mission"))
    )
    assert not "accomplished".startswith(known_films("mission"))
    assert not "anything".startswith(known_films("dark"))


def test_a_film_and_its_sequels_have_one_stem():
    assert {film_stem(fold(name)) for name in ("The Sandlot", "Sandlot 2", "The Sandlot III")} == {
        "sandlot"
    }


@pytest.mark.parametrize(("name", "sequel"), [("cars 3", True), ("cars", False), ("round 6", False),
                                              ("apollo 13", False), ("2", False)])  # fmt: skip
def test_a_small_number_at_the_end_makes_a_sequel(name, sequel):
    assert is_sequel(name) is sequel


@pytest.mark.parametrize(
    ("name", "sequel"),
    [("undisputed iv", True), ("omen ii", True), ("malcolm x", False), ("part i", False),
     ("v", False), ("planet earth ii", False)],
)  # fmt: skip
def test_a_roman_number_at_the_end_makes_a_sequel(name, sequel):
    assert is_roman_sequel(name) is sequel


def test_no_name_stands_in_two_lists():
    path = resources.files("imports.reading") / "data" / "names.toml"
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    lists = {kind: [name for names in data[kind].values() for name in listed(names)]
             for kind in ("films", "both", "people")}  # fmt: skip
    kinds = Counter(
        stem for names in lists.values() for stem in {film_stem(fold(name)) for name in names}
    )
    assert [stem for stem, count in kinds.items() if count > 1] == []
    series = [fold(name) for names in data["series"].values() for name in listed(names)]
    assert len(set(series)) == len(series)
    assert [name for name in series if ": " not in name and name_of(name) in SURE] == []
