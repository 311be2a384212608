from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmdb.names import (
    MAX_QUERY,
    ParsedName,
    clean_name,
    comparison_key,
    exact_key,
    is_language,
    parse_name,
    parse_tmdb_reference,
    search_key,
    tidy,
)


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("Kingdom (2019)", "Kingdom"),
        ("Shameless (U.S.)", "Shameless"),
        ("House of Cards (US, 2013)", "House of Cards"),
        ("Kingdom (2019) (KR)", "Kingdom"),
        ("Marvel's Daredevil", "Daredevil"),
        ("Marvel’s Daredevil", "Daredevil"),
        ("Naruto (English Dub)", "Naruto"),
        ("Maid: Limited Series", "Maid"),
        ("1899", "1899"),
        ("Love (no)", "Love (no)"),
        ("(Un)Well", "(Un)Well"),
        ("(U.S.)", "(U.S.)"),
        ("Marvel's", "Marvel's"),
        ("  Dark \u200b ", "Dark"),
    ],
)
def test_cleaning_takes_away_what_is_not_the_name(name: str, cleaned: str) -> None:
    assert clean_name(name) == cleaned


def test_year_and_countries_are_kept_apart_from_the_name() -> None:
    parsed = parse_name("The Office (UK) [2001]")
    assert parsed == ParsedName("The Office", 2001, frozenset({"GB"}))


@pytest.mark.parametrize("country", ["EE. UU.", "EUA", "États-Unis", "Estados Unidos"])
def test_countries_are_known_in_the_languages_that_name_them(country: str) -> None:
    assert parse_name(f"Shameless ({country})") == ParsedName("Shameless", None, frozenset({"US"}))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Élite", "elite"),
        ("Komi Can't Communicate", "Komi Can’t Communicate"),
        ("Tom & Jerry", "Tom and Jerry"),
        ("Rápido y furioso", "Rápido & furioso"),
        ("Fate II", "Fate 2"),
        ("The Boys", "Boys"),
        ("Shameless (U.S.)", "Shameless"),
        ("Kingdom (2019)", "Kingdom"),
        ("S.W.A.T.", "SWAT"),
        ("M*A*S*H", "MASH"),
        ("Marvel's Agents of S.H.I.E.L.D.", "Agents of SHIELD"),
        ("Ｄａｒｋ", "Dark"),
        ("Borgen – Gefährliche Seilschaften", "Borgen: Gefahrliche Seilschaften"),
        ("Łowcy", "Lowcy"),
    ],
)
def test_spellings_of_one_name_have_one_comparison_key(one: str, other: str) -> None:
    assert comparison_key(one) == comparison_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Dark", "Dark Matter"),
        ("V", "5"),
        ("Malcolm X", "Malcolm 10"),
        ("The", "A"),
        ("3%", "3"),
        ("ガンダム", "カンタム"),
        ("नमस्ते", "नमस्ता"),
        ("สวัสดี", "สวสด"),
        ("???", "!!!"),
        ("Class of 2007", "Class of 2009"),
    ],
)
def test_different_names_have_different_comparison_keys(one: str, other: str) -> None:
    assert comparison_key(one) != comparison_key(other)


def test_the_exact_key_keeps_articles_years_and_countries() -> None:
    assert exact_key("The Boys") != exact_key("Boys")
    assert exact_key("Kingdom (2019)") != exact_key("Kingdom")
    assert exact_key("KOMI can’t communicate!") == exact_key("Komi Can't Communicate")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Ёлка: Éclair", "елка eclair"),
        ("Smørrebrød & Þór", "smorrebrod and thor"),
        # In one piece and in two, with a mark that belongs to no letter, and far from Latin.
        ("\u30ab\u3099 \u30ac", "\u30ac \u30ac"),
        ("\u0301a", "a"),
        ("a\U0001e944b", "ab"),
        ("\U0001e900\U0001e944", "\U0001e922\U0001e944"),
        ("\u0928\u092e\u0938\u094d\u0924\u0947", "\u0928\u092e\u0938\u094d\u0924\u0947"),
    ],
)
def test_marks_go_from_letters_that_are_the_same_without_them(name: str, key: str) -> None:
    assert exact_key(name) == key


def test_a_search_looks_into_a_text_to_its_end() -> None:
    words = ["Été"] * MAX_QUERY
    assert search_key(": ".join(words)) == " ".join(["ete"] * MAX_QUERY)
    assert len(exact_key(" ".join(words))) < MAX_QUERY


@given(st.text(max_size=MAX_QUERY // 4))
def test_a_short_text_is_searched_by_the_key_it_is_compared_by(text: str) -> None:
    assert search_key(text) == exact_key(text)


@given(st.text())
def test_any_text_has_a_key_and_a_query_that_stay_the_same(text: str) -> None:
    query = tidy(text)
    assert len(query) <= MAX_QUERY
    assert tidy(query) == query
    query.encode()
    assert comparison_key(query) == comparison_key(text)
    assert bool(comparison_key(text)) == bool(query)


@pytest.mark.parametrize("language", ["de", "en-US", "zh-Hant-TW", "es-419", "yue"])
def test_languages_are_recognised(language: str) -> None:
    assert is_language(language)


@pytest.mark.parametrize("language", ["", "DE", "de_DE", "de-de", "en-US&page=2", "de\n"])
def test_other_texts_are_no_languages(language: str) -> None:
    assert not is_language(language)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("71446", ("tv", 71446)),
        (" 71446\n", ("tv", 71446)),
        ("https://www.themoviedb.org/tv/71446-la-casa-de-papel?language=de", ("tv", 71446)),
        ("http://themoviedb.org/tv/246-avatar/season/1", ("tv", 246)),
        ("www.themoviedb.org/movie/278", ("movie", 278)),
        ("https://www.themoviedb.org/de-DE/tv/1396", ("tv", 1396)),
    ],
)
def test_an_id_or_an_address_of_tmdb_is_understood(text: str, reference: object) -> None:
    assert parse_tmdb_reference(text) == reference


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "-5",
        "５",
        "99999999999",
        "2147483648",
        "Dark",
        "https://example.com/tv/71446",
        "https://www.themoviedb.org@example.com/tv/71446",
        "https://www.themoviedb.org/person/71446",
        "https://www.themoviedb.org/tv/71446x",
        "javascript://www.themoviedb.org/tv/1",
        "https://[/tv/1",
    ],
)
def test_anything_else_is_no_reference(text: str) -> None:
    assert parse_tmdb_reference(text) is None
