from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imports.reading.markers import Level, Marker, read_count, read_marker, read_trailer, table

SEASONS = [
    ("Season 2", 2, "en"),
    ("Series 4", 4, "en"),
    ("SEASON 2", 2, "en"),
    ("temporada 1", 1, "es"),
    ("Temporada 12", 12, "pt"),
    ("4ª temporada", 4, "pt"),
    ("Series", 1, "en"),
    ("Saison 5", 5, "fr"),
    ("Staffel 1", 1, "de"),
    ("2. Staffel", 2, "de"),
    ("Seizoen 1", 1, "nl"),
    ("Sezon 3", 3, "pl"),
    ("Seria 1", 1, "pl"),
    ("1. Sezon", 1, "tr"),
    ("2. řada", 2, "cs"),
    ("2. évad", 2, "hu"),
    ("Sæson 2", 2, "da"),
    ("Sesong 4", 4, "no"),
    ("Kausi 3", 3, "fi"),
    ("シーズン1", 1, "ja"),
    ("第2シリーズ", 2, "ja"),
    ("시즌 1", 1, "ko"),
    ("Sezonul 7", 7, "ro"),
    ("Stagione 1", 1, "it"),
    ("Säsong 1", 1, "sv"),
    ("第 1 季", 1, "zh"),
    ("第二季", 2, "zh"),
    ("第十二季", 12, "zh"),
    ("Сезон 1", 1, "ru"),
    ("Сезон 1", 1, "uk"),
    ("Σεζόν 2", 2, "el"),
    ("עונה 1", 1, "he"),
    ("الموسم ١", 1, "ar"),
    ("ซีซั่น 1", 1, "th"),
    ("सीज़न 2", 2, "hi"),
    ("Musim 1", 1, "id"),
    ("Mùa 1", 1, "vi"),
    ("Sezona 2", 2, "hr"),
    ("2. séria", 2, "sk"),
]


@pytest.mark.parametrize(("text", "number", "language"), SEASONS)
def test_seasons_are_read_in_many_languages(text, number, language):
    marker = read_marker(text)
    assert marker is not None
    assert (marker.level, marker.number, marker.exact) == (Level.SEASON, number, True)
    assert language in marker.languages


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Season\u00a05", 5),
        ("Season 1B", 1),
        ("Sezon 1B", 1),
        ("3B. řada", 3),
        ("Kausi 3B", 3),
        ("Temporada 3B", 3),
        ("Season 1 - Volume 3", 1),
        ("Temporada 1 - Volumen 1", 1),
        ("1. Sezon - 3. Cilt", 1),
        ("Season 2 Succession", 2),
        ("Season 4 Remix", 4),
        ("Remix Saison 4 : Conséquences fatidiques", 4),
        ("Saison 1 : Partie 1", 1),
        ("Saison 2 Partie A", 2),
        ("Seizoen 2 (Deel B)", 2),
        ("Staffel 2 – Teil B", 2),
        ("Saison 1 (Channel 4)", 1),
        ("Season 3 Part 1", 3),
        ("Selections from Season 2", 2),
        ("Dernière saison : Partie 1", None),
        ("Sezon finałowy", None),
        ("The Final Season Part 2", None),
    ],
)
def test_a_season_is_found_among_other_words(text, number):
    marker = read_marker(text)
    assert marker is not None
    assert (marker.level, marker.number) == (Level.SEASON, number)


@pytest.mark.parametrize(
    "text",
    [
        "Limited Series", "Miniserie", "Mini-série", "Mini Dizi", "Miniserial", "Minissérie",
        "Minisérie", "Minisarja", "リミテッドシリーズ", "Minisorozat", "Мини-сериал",
    ],
)  # fmt: skip
def test_a_limited_series_is_its_first_season(text):
    marker = read_marker(text)
    assert marker is not None
    assert (marker.level, marker.number) == (Level.LIMITED, 1)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Part 2", 2), ("Part II", 2), ("Part ll", 2), ("Part l", 1), ("Part Two", 2),
        ("Part Two!!", 2), ("Parte I", 1), ("Parte III", 3), ("1re partie", 1), ("2e partie", 2),
        ("Deuxième partie", 2), ("Część 2", 2), ("Część A", 1), ("Deel 4", 4), ("3. část", 3),
        ("1. Kısım", 1), ("Kısım 1", 1), ("Del 1", 1), ("パート4", 4), ("Teil B", 2), ("Osa 1", 1),
        ("Volume 1", 1), ("Vol. 7", 7), ("Volumen 1", 1), ("1. Cilt", 1), ("Bind 1", 1),
        ("Book Four", 4), ("Księga 1", 1), ("Libro dos", 2), ("Livro 1", 1), ("Boek 1", 1),
        ("1. Kitap", 1), ("Collection 3", 3), ("Collection", None), ("Colección 1", 1),
        ("Koleksiyon 2", 2),
    ],
)  # fmt: skip
def test_parts_are_read_with_any_kind_of_number(text, number):
    marker = read_marker(text)
    assert marker is not None
    assert (marker.level, marker.number) == (Level.PART, number)


@pytest.mark.parametrize(
    ("text", "level", "number"),
    [
        ("Episode 3", Level.EPISODE, 3), ("Episodio 3", Level.EPISODE, 3),
        ("Episódio 3", Level.EPISODE, 3), ("Épisode\u00a03", Level.EPISODE, 3),
        ("Aflevering 3", Level.EPISODE, 3), ("Odcinek 3", Level.EPISODE, 3),
        ("3. Bölüm", Level.EPISODE, 3), ("Bölüm 3", Level.EPISODE, 3), ("3. díl", Level.EPISODE, 3),
        ("3. epizód", Level.EPISODE, 3), ("Folge 3", Level.EPISODE, 3),
        ("Afsnit 3", Level.EPISODE, 3), ("Jakso 3", Level.EPISODE, 3),
        ("エピソード3", Level.EPISODE, 3), ("第3話", Level.EPISODE, 3), ("3화", Level.EPISODE, 3),
        ("Avsnitt 3", Level.EPISODE, 3), ("Puntata 3", Level.EPISODE, 3), ("פרק 3", Level.EPISODE, 3),
        ("Серия 3", Level.EPISODE, 3), ("Tập 3", Level.EPISODE, 3), ("EP1", Level.EPISODE, 1),
        ("Episódio 1 – 121045", Level.EPISODE, 1), ("Épisode 1 : Le début", Level.EPISODE, 1),
        ("Chapter 9", Level.CHAPTER, 9), ("Capítulo 12", Level.CHAPTER, 12),
        ("Kapitola šestá", Level.CHAPTER, 6), ("Hoofdstuk 5", Level.CHAPTER, 5),
        ("Chapitre vingt-cinq : Œil pour œil", Level.CHAPTER, 25), ("Első fejezet", Level.CHAPTER, 1),
    ],
)  # fmt: skip
def test_episodes_and_chapters_are_counted(text, level, number):
    marker = read_marker(text)
    assert marker is not None
    assert (marker.level, marker.number) == (level, number)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "The Vanishing of Will Byers", "Seasons of Love", "Season of the Witch", "24",
        "Partners", "Part of Me", "3", "Volume", "The Book of Eli", "63 hours missing", "222",
        "Unabomber", "Stranger Things 4", "Deel", "No. 1 Fan", "Party 2", "Chapterhouse 3",
    ],
)  # fmt: skip
def test_other_words_are_no_marker(text):
    assert read_marker(text) is None


@pytest.mark.parametrize(
    ("title", "number"),
    [
        ("Episode 7", 7),
        ("Chapter Two: Trick or Treat, Freak", 2),
        ("Kapitel 3: Der Wald", 3),
        ("3. Bölüm", 3),
        ("第4話", 4),
        ("The Chapter", None),
        ("Part 2", None),
        ("Pilot", None),
    ],
)
def test_the_count_of_an_episode_stands_at_the_start_of_its_title(title, number):
    marker = read_count(title, read_marker)
    assert (marker.number if marker else None) == number


@pytest.mark.parametrize(
    "text",
    [
        "Trailer: Money, Explained",
        "Season 1 Trailer: Heartstopper",
        "Season 1 Teaser 2: Behind Every Star",
        "Zwiastun: Blues jazzmana",
        "Temporada 1 (Tráiler): La Revolución",
        "Sezon 1 (Klip nr 2): Kret",
        "Saison 3 (Récap) : Castlevania",
        "Der Baum des Blutes (Trailer)",
        "House of Cards: Season 2 (Recap)",
    ],
)
def test_trailers_and_clips_are_recognised(text):
    assert read_trailer(text)


@pytest.mark.parametrize(
    "text", ["Trailer Park Boys: Season 1: Pilot", "Zapowiedź", "Clip", "Dark (2017)", "The Recap"]
)
def test_titles_that_hold_the_word_of_a_trailer_are_none(text):
    assert not read_trailer(text)


def test_every_language_has_the_words_for_a_season_and_an_episode():
    languages = {
        level: {name for entry in table().shapes.values() if entry.level is level
                for name in entry.languages}
        for level in (Level.SEASON, Level.EPISODE)
    }  # fmt: skip
    assert languages[Level.SEASON] == languages[Level.EPISODE]
    assert len(languages[Level.SEASON]) >= 30


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_without_an_error(text):
    assert isinstance(read_marker(text), Marker | None)
    assert isinstance(read_trailer(text), bool)


@pytest.mark.parametrize(
    "text", ["1 " * 50_000, "(" * 50_000, "part " * 20_000, "i" * 100_000, "9" * 100_000]
)
def test_a_hostile_text_takes_no_more_than_its_length_deserves(text):
    started = time.process_time()
    read_marker(text)
    read_trailer(text + ": x")
    assert time.process_time() - started < 2
