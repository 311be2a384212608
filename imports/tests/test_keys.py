from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imports.reading.keys import name_key, title_key
from media.keys import typed_key


@pytest.mark.parametrize(
    "raw",
    [
        "Dark: Season 1: Secrets",
        "  Dark:  Season 1:\tSecrets ",
        "DARK: SEASON 1: SECRETS",
        "Dark: Season\u00a01: Secrets",
        "Da\u200brk: Season 1: Secrets\ufeff",
        "Ｄark: Season １: Secrets",
        "Dark: Season 1: Secrets (Episode 1)",
        "Dark: Season 1: Secrets (Folge 1)",
        "Dark: Season 1: Secrets (Épisode\u00a01)",
        "Dark: Season 1: Secrets (Capítulo 12)",
        "Dark: Season 1: Secrets (Bölüm 3)",
        "Dark: Season 1: Secrets (1. díl)",
        "Dark: Season 1: Secrets (第1話)",
        "Dark: Season 1: Secrets (1화)",
    ],
)
def test_spellings_of_one_title_have_one_key(raw):
    assert title_key(raw) == "dark: season 1: secrets"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Friends: The Last One (Part 1)", "Friends: The Last One (Part 2)"),
        ("Kingdom (2007)", "Kingdom (2019)"),
        ("Dark: Season 1: Secrets", "Dark: Season 2: Secrets"),
        ("Dark: Secrets (Episode 1) again", "Dark: Secrets (Episode 2) again"),
    ],
)
def test_other_closing_brackets_stay_part_of_the_title(one, other):
    assert title_key(one) != title_key(other)


@settings(deadline=None)
@given(st.text(max_size=80))
def test_a_key_has_single_blanks_and_no_capitals(raw):
    key = title_key(raw)
    assert key == " ".join(key.split())
    assert key == key.casefold()


def test_names_that_differ_in_quotes_blanks_and_capitals_have_one_key():
    names = ["Grey's Anatomy", "Grey’s  Anatomy", "GREY'S\u00a0ANATOMY", "\u200bGrey's Anatomy "]
    assert {name_key(name) for name in names} == {"grey's anatomy"}


def test_names_that_differ_in_words_have_different_keys():
    assert name_key("Kingdom") != name_key("The Kingdom")


NAMES = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            "ab ’‘ʼʻ`´′“”„«»″‐‑–—―−\u00ad\u034f\u200b\u3000\u00a0ﬁ½ÅåİıſßΣς\u0301\t\x1f"
        ),
    ),
    max_size=30,
)


@given(NAMES)
def test_a_name_that_is_typed_has_the_key_that_a_file_gives_it(name: str) -> None:
    assert typed_key(name) == name_key(name)
