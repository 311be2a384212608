from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imports.reading.markers import (
    Level,
    Marker,
    _load,
    read_count,
    read_marker,
    read_trailer,
    table,
)
from imports.reading.spelling import fold

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
    ("2. сезона", 2, "sr"),
    ("2. sezona", 2, "sl"),
    ("2 sezonas", 2, "lt"),
    ("2. sezona", 2, "lv"),
    ("2. hooaeg", 2, "et"),
    ("2. þáttaröð", 2, "is"),
    ("فصل ۲", 2, "fa"),
    ("सीझन 2", 2, "mr"),
    ("সিজন 2", 2, "bn"),
    ("சீசன் 2", 2, "ta"),
    ("సీజన్ 2", 2, "te"),
    ("Msimu wa 2", 2, "sw"),
]


@pytest.mark.parametrize(("text", "number", "language"), SEASONS)
def test_seasons_are_read_in_many_languages(text, number, language):
    marker = read_marker(text)
    assert marker is not None
    assert (marker.level, marker.number, marker.exact) == (Level.SEASON, number, True)
    assert language in marker.languages


WRITTEN_OUT = [
    ("The Second Season", 2, "en"), ("Third Season", 3, "en"), ("Season Two", 2, "en"),
    ("Primera temporada", 1, "es"), ("La segunda temporada", 2, "es"),
    ("Décima primera temporada", 11, "es"), ("A segunda temporada", 2, "pt"),
    ("Deuxième saison", 2, "fr"), ("La seconde saison", 2, "fr"), ("Zweite Staffel", 2, "de"),
    ("Die zweite Staffel", 2, "de"), ("Tweede seizoen", 2, "nl"),
    ("Het tweede seizoen", 2, "nl"), ("Drugi sezon", 2, "pl"), ("Sezon drugi", 2, "pl"),
    ("Birinci Sezon", 1, "tr"), ("İkinci Sezon", 2, "tr"), ("Druhá řada", 2, "cs"),
    ("Második évad", 2, "hu"), ("A második évad", 2, "hu"), ("Anden sæson", 2, "da"),
    ("Den andre sesong", 2, "no"), ("Toinen kausi", 2, "fi"), ("Seconda stagione", 2, "it"),
    ("La seconda stagione", 2, "it"), ("Andra säsongen", 2, "sv"),
    ("Den andra säsongen", 2, "sv"), ("Sezonul al doilea", 2, "ro"),
    ("Al doilea sezon", 2, "ro"), ("Sezonul al II-lea", 2, "ro"), ("Второй сезон", 2, "ru"),
    ("Сезон второй", 2, "ru"), ("2-й сезон", 2, "ru"), ("Другий сезон", 2, "uk"),
    ("Втори сезон", 2, "bg"), ("Δεύτερος κύκλος", 2, "el"), ("Η δεύτερη σεζόν", 2, "el"),
    ("עונה שנייה", 2, "he"), ("העונה השנייה", 2, "he"),
    ("الموسم الثاني", 2, "ar"), ("الموسم الثاني عشر", 12, "ar"), ("السلسلة الأولى", 1, "ar"),
    ("ซีซั่นที่สอง", 2, "th"), ("ซีซั่น ที่สอง", 2, "th"), ("दूसरा सीज़न", 2, "hi"),
    ("두 번째 시즌", 2, "ko"), ("첫째 시즌", 1, "ko"), ("セカンドシーズン", 2, "ja"),
    ("第二シーズン", 2, "ja"), ("第二季", 2, "zh"), ("第二十一季", 21, "zh"),
    ("Musim Kedua", 2, "id"), ("Musim ke-2", 2, "ms"), ("Mùa thứ hai", 2, "vi"),
    ("Druga sezona", 2, "hr"), ("Druhá séria", 2, "sk"), ("Segona temporada", 2, "ca"),
    ("Bigarren denboraldia", 2, "eu"), ("Segunda temporada", 2, "gl"),
    ("Unang Season", 1, "tl"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "number", "language"), WRITTEN_OUT)
def test_seasons_are_read_with_their_numbers_written_out(text, number, language):
    marker = read_marker(text)
    assert marker is not None
    assert (marker.level, marker.number, marker.exact) == (Level.SEASON, number, True)
    assert language in marker.languages


@pytest.mark.parametrize(
    ("text", "level", "number"),
    [
        ("Partea a II-a", Level.PART, 2), ("Partea a doua", Level.PART, 2),
        ("Druga część", Level.PART, 2), ("Część druga", Level.PART, 2),
        ("Друга частина", Level.PART, 2), ("Втора част", Level.PART, 2),
        ("第二部分", Level.PART, 2), ("Vol. II", Level.PART, 2), ("Том второй", Level.PART, 2),
        ("Druhý díl", Level.EPISODE, 2), ("الحلقة الأولى", Level.EPISODE, 1),
        ("Rozdział trzynasty", Level.CHAPTER, 13), ("Kapitola čtrnáctá", Level.CHAPTER, 14),
        ("ตอนที่สอง", Level.EPISODE, 2), ("Второй эпизод", Level.EPISODE, 2),
    ],
)  # fmt: skip
def test_parts_and_episodes_are_counted_in_words(text, level, number):
    marker = read_marker(text)
    assert marker is not None
    assert (marker.level, marker.number) == (level, number)


@pytest.mark.parametrize("text", ["X-Men", "Part X-Ray", "The Office (U.S.)", "Una", "La Casa"])
def test_words_that_look_like_numbers_mark_nothing(text):
    assert read_marker(text) is None


def test_no_written_number_means_two():
    meanings: dict[str, set[int]] = {}
    for words in _load().values():
        for name in ("cardinals", "ordinals"):
            for number, forms in enumerate(words.get(name, ()), 1):
                for form in forms.split("/"):
                    meanings.setdefault(fold(form), set()).add(number)
    assert {form: found for form, found in meanings.items() if len(found) > 1} == {}
    # A single letter is one of "Part B" or "(U.S.)".
    assert not [form for form in meanings if len(form) < 2 and form.isascii()]


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
        ("第 1 季 第 2 部分", 1),
        ("シーズン2 パート1", 2),
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
        ("Episode #4194", 4194),
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
        "Season 5 Main Character Clip 4: Gabby's Dollhouse",
    ],
)
def test_trailers_and_clips_are_recognised(text):
    assert read_trailer(text)


@pytest.mark.parametrize(
    "text", ["Trailer Park Boys: Season 1: Pilot", "Zapowiedź", "Clip", "Dark (2017)", "The Recap"]
)
def test_titles_that_hold_the_word_of_a_trailer_are_none(text):
    assert not read_trailer(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("#Girls Season 2", 2),
        ("# Season 1", 1),
        ("Season #2", 2),
        ("Season #", None),
    ],
)
def test_a_number_sign_without_a_number_counts_nothing(text, number):
    marker = read_marker(text)
    assert (marker.number if marker else None) == number


@pytest.mark.parametrize(
    "words", ["Season {}", "Season {} Part {}", "{}. Bölüm", "第{}話", "No. {}"]
)
def test_texts_that_differ_in_their_numbers_alone_keep_their_own(words):
    for first, second in ((3, 4), (4, 3), (12, 1), (2019, 2020)):
        marker = read_marker(words.format(first, second))
        assert marker is not None
        assert marker.number == first


@pytest.mark.parametrize(
    "text",
    [
        "Episode of Love",
        "Chapter Without End",
        "Second Chances",
        "Kapitel der Liebe",
        "第7話帰り道",
    ],
)
def test_a_word_of_a_marker_among_other_words_is_none(text):
    assert read_marker(text) is None


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
