from __future__ import annotations

import time
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imports.reading.keys import name_key, title_key
from imports.reading.markers import read_marker
from imports.reading.titles import interpret
from imports.reading.types import (
    NOTHING_KNOWN,
    Alternative,
    Format,
    Kind,
    Known,
    KnownSeries,
    Message,
)

OLD = date(2021, 5, 4)
NEW = date(2024, 5, 4)
UNMARKED_SERIES = tuple(f"Made Up {a}: Episode name {b}" for a in "abcdefgh" for b in "abcdefgh")


def read(*titles, day=NEW, known=NOTHING_KNOWN, file_format=Format.NETFLIX_HISTORY, language="en"):
    """The readings of a file's titles, in the order given."""
    interpretation = interpret(
        titles,
        format=file_format,
        newest_day=day,
        known=known,
        fallback_language=language,
    )
    return [interpretation.titles[title] for title in titles]


def read_activity(*titles):
    return read(*titles, file_format=Format.NETFLIX_ACTIVITY)


def episode(reading):
    assert reading.kind is Kind.EPISODE, reading.reason
    return reading.series, reading.season_number, reading.episode_title


def kinds(readings):
    return [reading.kind.value for reading in readings]


@pytest.mark.parametrize(
    ("title", "series", "season", "name"),
    [
        ("Breaking Bad: Season 5: Ozymandias", "Breaking Bad", 5, "Ozymandias"),
        ("Star Trek: Discovery: Season 1: The Vulcan Hello", "Star Trek: Discovery", 1, "The Vulcan Hello"),
        ("Arcane: Staffel 2: Die Last der Krone", "Arcane", 2, "Die Last der Krone"),
        ("Haus des Geldes: Teil 5: Folge 1", "Haus des Geldes", 5, "Folge 1"),
        ("The Queen's Gambit: Limited Series: Openings", "The Queen's Gambit", 1, "Openings"),
        ("3%: Season 2: Chapter 01: Mirror", "3%", 2, "Chapter 01: Mirror"),
        ("Avatar: The Last Airbender: Book 1: The Boy in the Iceberg", "Avatar: The Last Airbender", 1, "The Boy in the Iceberg"),
        ("Narcos: Season 1: Part 2: The Sword", "Narcos", 1, "Part 2: The Sword"),
        ("Merlin: Saison\u00a05: Le fléau d’Arthur", "Merlin", 5, "Le fléau d’Arthur"),
        ("Cursed : La rebelle: Saison 1: Le lac rouge", "Cursed : La rebelle", 1, "Le lac rouge"),
        ("Riverdale: Season 3: Chapter\tForty-Seven:\tBizarrodale", "Riverdale", 3, "Chapter Forty-Seven: Bizarrodale"),
        ("Skins: Vol. 3: Cook", "Skins", 3, "Cook"),
        ("The OA: Part II: Angel of Death", "The OA", 2, "Angel of Death"),
        ("HERO MASK: Part ll: Encounter", "HERO MASK", 2, "Encounter"),
        ("キングダム: 第2シリーズ: 嵐の祝宴", "キングダム", 2, "嵐の祝宴"),
        ("통 메모리즈: 시즌 1: 2부", "통 메모리즈", 1, "2부"),
        ("Club 57, Temporada 1: Piloto", "Club 57", 1, "Piloto"),
        ("Malibu Rescue: The Series: Season 1: Hide and Seek", "Malibu Rescue: The Series", 1, "Hide and Seek"),
        ("Forensic Files: Collection 3: The List Murders", "Forensic Files", 3, "The List Murders"),
        ("Goedam: Collection: Birth", "Goedam", None, "Birth"),
        ("Attack on Titan: The Final Season Part 2: Judgment", "Attack on Titan", None, "Judgment"),
        ("Black Mirror: Specials: White Christmas", "Black Mirror", 0, "White Christmas"),
        ("Korra: Korra: Book 1: Air", "Korra", 1, "Air"),
        ("Avatar: Aang: Avatar: Aang: 1. Kitap: Kaçak", "Avatar: Aang", 1, "Kaçak"),
        ("Better Call Saul : Saison 2 : Cobbler", "Better Call Saul", 2, "Cobbler"),
        ("Seinfeld: Season 3: The Pen (Episode 5)", "Seinfeld", 3, "The Pen"),
    ],
)  # fmt: skip
def test_the_marker_decides_where_the_name_of_the_series_ends(title, series, season, name):
    (reading,) = read(title)
    assert episode(reading) == (series, season, name)
    assert not reading.reading_uncertain
    assert not reading.season_inferred


# Language, a season, a limited series, a part, an episode that is only a number, and the closing
# of ViewingActivity.csv: as Netflix writes them, or (see `confirmed` in markers.toml) would.
LANGUAGES = [
    ("en", "Season 2", "Limited Series", "Part 2", "Episode 3", "(Episode 3)"),
    ("es", "Temporada 2", "Miniserie", "Parte 2", "Episodio 3", "(Episodio 3)"),
    ("es", "2.ª temporada", "Serie limitada", "Volumen 2", "Capítulo 3", "(Capítulo 3)"),
    ("pt", "Temporada 2", "Minissérie", "Parte 2", "Episódio 3", "(Episódio 3)"),
    ("pt", "2ª temporada", "Série limitada", "Coleção 2", "Episódio 3", "(Episódio 3)"),
    ("fr", "Saison\u00a02", "Mini-série", "Partie 2", "Épisode\u00a03", "(Épisode\u00a03)"),
    ("fr", "2e saison", "Minisérie", "2e partie", "Épisode 3", "(Épisode 3)"),
    ("de", "Staffel 2", "Miniserie", "Teil 2", "Folge 3", "(Folge 3)"),
    ("nl", "Seizoen 2", "Beperkte serie", "Deel 2", "Aflevering 3", "(Aflevering 3)"),
    ("pl", "Sezon 2", "Miniserial", "Część 2", "Odcinek 3", "(Odcinek 3)"),
    ("tr", "2. Sezon", "Mini Dizi", "2. Kısım", "3. Bölüm", "(Bölüm 3)"),
    ("cs", "2. řada", "Minisérie", "2. část", "3. díl", "(3. díl)"),
    ("sk", "2. séria", "Miniséria", "2. časť", "3. diel", "(3. diel)"),
    ("hu", "2. évad", "Minisorozat", "2. rész", "3. epizód", "(3. epizód)"),
    ("da", "Sæson 2", "Begrænset serie", "Del 2", "Afsnit 3", "(Afsnit 3)"),
    ("no", "Sesong 2", "Begrenset serie", "Del 2", "Episode 3", "(Episode 3)"),
    ("sv", "Säsong 2", "Begränsad serie", "Del 2", "Avsnitt 3", "(Avsnitt 3)"),
    ("fi", "Kausi 2", "Minisarja", "Osa 2", "Jakso 3", "(Jakso 3)"),
    ("it", "Stagione 2", "Serie limitata", "Parte 2", "Episodio 3", "(Puntata 3)"),
    ("ro", "Sezonul 2", "Miniserie", "Partea a 2-a", "Episodul 3", "(Episodul 3)"),
    ("hr", "2. sezona", "Mini-serija", "2. dio", "3. epizoda", "(3. epizoda)"),
    ("el", "Κύκλος 2", "Μίνι σειρά", "Μέρος 2", "Επεισόδιο 3", "(Επεισόδιο 3)"),
    ("ru", "Сезон 2", "Мини-сериал", "Часть 2", "Серия 3", "(Серия 3)"),
    ("uk", "Сезон 2", "Мінісеріал", "Частина 2", "Епізод 3", "(Епізод 3)"),
    ("bg", "Сезон 2", "Минисериал", "Част 2", "Епизод 3", "(Епизод 3)"),
    ("he", "עונה 2", "סדרה מוגבלת", "חלק 2", "פרק 3", "(פרק 3)"),
    ("ar", "الموسم 2", "مسلسل قصير", "الجزء 2", "الحلقة 3", "(الحلقة 3)"),
    ("hi", "सीज़न 2", "लिमिटेड सीरीज़", "भाग 2", "एपिसोड 3", "(एपिसोड 3)"),
    ("th", "ซีซั่น 2", "ลิมิเต็ดซีรีส์", "ภาค 2", "ตอนที่ 3", "(ตอนที่ 3)"),
    ("vi", "Mùa 2", "Phim ngắn tập", "Phần 2", "Tập 3", "(Tập 3)"),
    ("id", "Musim 2", "Serial Terbatas", "Bagian 2", "Episode 3", "(Episode 3)"),
    ("ms", "Musim 2", "Siri Terhad", "Bahagian 2", "Episod 3", "(Episod 3)"),
    ("zh", "第 2 季", "限定剧", "第 2 部分", "第 3 集", "(第 3 集)"),
    ("zh", "第二季", "迷你影集", "第 2 輯", "第 3 集", "(第 3 集)"),
    ("ja", "シーズン2", "リミテッドシリーズ", "パート2", "エピソード3", "(第3話)"),
    ("ko", "시즌 2", "리미티드 시리즈", "파트 2", "3화", "(3화)"),
]


@pytest.mark.parametrize(
    ("language", "season", "limited", "part", "episode_word", "closing"), LANGUAGES
)
def test_titles_are_read_in_many_languages(language, season, limited, part, episode_word, closing):
    assert episode(read(f"Qorvik: {season}: Vom")[0]) == ("Qorvik", 2, "Vom")
    assert episode(read(f"Qorvik: {limited}: Vom")[0]) == ("Qorvik", 1, "Vom")
    assert episode(read(f"Qorvik: {part}: Vom")[0]) == ("Qorvik", 2, "Vom")
    unmarked = read(f"Qorvik: {episode_word}")[0]
    assert episode(unmarked)[:2] == ("Qorvik", 1)
    marked, closed = read(f"Qorvik: {season}: {episode_word}", f"Qorvik: {season}: Vom {closing}")
    assert closed.episode_number == 3
    assert closed.episode_title == "Vom"
    # Some series count chapters on over all their seasons.
    assert marked.episode_number in (3, None)
    marker = read_marker(season)
    assert marker is not None
    assert language in marker.languages


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Qorvik: Chapter 2", "movie"),
        ("Qorvik: Chapitre 2", "episode"),
        ("Qorvik: Capítulo 2", "episode"),
        ("Qorvik: Rozdział 2", "episode"),
        ("It: Capítulo 2", "movie"),
    ],
)
def test_a_lone_second_chapter_is_a_film_in_english_alone(title, kind):
    (reading,) = read(title)
    assert reading.kind == kind
    assert read(title, day=OLD)[0].kind is Kind.MOVIE


def test_the_reason_names_the_marker():
    (reading,) = read("Arcane: Staffel 2: Die Last der Krone")
    assert str(reading.reason) == "Series, because “Staffel 2” marks the season."
    assert reading.season_name == "Staffel 2"


@pytest.mark.parametrize(
    ("title", "number"),
    [
        ("Dark: Staffel 1: Folge 8", 8),
        ("Seinfeld: Season 3: The Pen (Episode 5)", 5),
        ("Elvira: 1. Sezon: Ay (Bölüm 12)", 12),
        ("Pod: Sezon 1: Kret (Odcinek 3)", 3),
        ("Sabrina: Part 1: Chapter Two: The Dark Baptism", 2),
        ("Friends: Season 1: The One with the Two Parts (Part 2)", None),
        ("The Blacklist: Season 5: Ilyas Surkov (No. 54)", None),
    ],
)
def test_an_episode_has_the_number_that_its_title_gives(title, number):
    (reading,) = read(title)
    assert reading.episode_number == number
    assert "(Episode" not in reading.episode_title


def test_chapters_that_count_on_from_season_to_season_number_no_episode():
    readings = read(
        "Lupin: Part 1: Chapter 5",
        "Lupin: Part 2: Chapter 6",
        "Elite: Season 2: Chapter 1",
        "Elite: Season 2: Chapter 2",
    )
    assert [reading.episode_number for reading in readings] == [5, None, 1, 2]


@pytest.mark.parametrize(
    "title", [" ", "", ": ", " : Episode 14", "New Amsterdam: : ", "Get Even: Season 1: ",
              "Modern Family: SEASON: VideoEpisode", "Dark: Season 1: VideoEpisode",
              "El sueño: English Title: The Dream", "VideoEpisode", "Season 1: Episode 3",
              "Staffel 1: Folge 8", "Temporada 1: Capítulo 2: Luz", "Limited Series: Episode 2",
              "Part 1: Episode 2", "Season 1: Pilot (Episode 1)"],
)  # fmt: skip
def test_titles_that_netflix_broke_are_reported(title):
    (reading,) = read(title)
    assert reading.kind is Kind.ERROR
    assert reading.series is None
    assert str(reading.reason)


@pytest.mark.parametrize(
    "title", ["Series 7: The Contenders", "The Season: Episode 3", "Part 1: Northbound"]
)
def test_a_name_that_looks_much_like_a_season_may_be_one(title):
    (reading,) = read(title)
    assert reading.kind in (Kind.MOVIE, Kind.EPISODE)


def test_an_episode_whose_season_lost_its_name_is_still_an_episode():
    (reading,) = read("My Hero Academia: : Episode 131")
    assert reading.series == "My Hero Academia"
    assert reading.episode_number == 131


@pytest.mark.parametrize(
    "title",
    ["Personal Shopper_hook_primary_16x9", "Escobar: Season 1_hook_02_16x9", "War_shortpreview_9x16",
     "Season 1 Trailer: Heartstopper", "Temporada 1 (Tráiler): La Revolución"],
)  # fmt: skip
def test_previews_and_trailers_are_skipped(title):
    (reading,) = read(title)
    assert reading.kind is Kind.SKIPPED


def test_a_title_of_one_part_is_a_movie():
    (reading,) = read("Kill Bill : volume 1")
    assert reading.kind is Kind.MOVIE
    assert not reading.reading_uncertain


@pytest.mark.parametrize("day", [OLD, NEW])
@pytest.mark.parametrize(
    "title",
    ["The Glory: Episode 16", "Luther: Aflevering 1", "Vagabond: 1. díl", "Terim: EP1",
     "Rugal: エピソード1", "Uncoupled: Chapitre 7", "Stranger Things: Chapter One: The Vanishing"],
)  # fmt: skip
def test_a_word_that_counts_episodes_needs_no_season(title, day):
    (reading,) = read(title, day=day)
    assert reading.kind is Kind.EPISODE
    assert (reading.season_number, reading.season_inferred) == (1, True)
    assert not reading.reading_uncertain


@pytest.mark.parametrize(
    ("titles", "day", "expected"),
    [
        (["Komi: It's just Obon."], NEW, "episode"),
        (["Komi: It's just Obon."], OLD, "movie"),
        (["Komi: It's just Obon.", "Komi: It's just stage fright."], NEW, "episode"),
        (["Komi: It's just Obon.", "Komi: It's just stage fright."], OLD, "movie"),
    ],
)
def test_few_unmarked_titles_are_read_by_the_age_of_the_file_and_said_to_be_uncertain(
    titles, day, expected
):
    for reading in read(*titles, day=day):
        assert reading.kind.value == expected
        assert reading.reading_uncertain
        assert reading.alternative is not None
        assert {reading.kind, reading.alternative.kind} == {Kind.MOVIE, Kind.EPISODE}


@pytest.mark.parametrize(("day", "count"), [(NEW, 5), (OLD, 7)])
def test_many_titles_of_one_name_are_a_series(day, count):
    readings = read(*(f"Komi: Story {chr(65 + n)}" for n in range(count)), day=day)
    assert {episode(reading)[:2] for reading in readings} == {("Komi", 1)}
    assert not any(reading.reading_uncertain for reading in readings)


@pytest.mark.parametrize("day", [OLD, NEW])
@pytest.mark.parametrize(
    "titles",
    [
        ["Spider-Man: Homecoming", "Spider-Man: Far from Home", "Spider-Man: No Way Home"],
        ["Mission: Impossible", "Mission: Impossible - Fallout", "Mission: Impossible III"],
        ["Misión: Imposible", "Misión: Imposible - Repercusión"],
        ["Star Wars: Episode IV: A New Hope"],
        ["Harry Potter and the Deathly Hallows: Part 1"],
        ["Kill Bill: Vol. 1", "Kill Bill: Vol. 2"],
        ["The Twilight Saga: Breaking Dawn: Part 1", "The Twilight Saga: Breaking Dawn: Part 2"],
        ["Rebel Moon: Part One: A Child of Fire", "Rebel Moon (Parte uno): La niña del fuego"],
        ["Fear Street Part 1: 1994", "Fear Street Part 2: 1978"],
        ["John Wick: Chapter 2", "John Wick: Chapter 3 - Parabellum"],
        ["Madagascar 3: Europe's Most Wanted", "Madagascar: Escape 2 Africa"],
        ["American Pie Presents: The Naked Mile"],
        ["Homem-Aranha: De Volta ao Lar"],
        ["Ali Wong: Baby Cobra", "Ali Wong: Hard Knock Wife", "Ali Wong: Don Wong"],
        ["Kevin Hart: What Now?", "Kevin Hart: Laugh at My Pain", "Kevin Hart: Irresponsible",
         "Kevin Hart: Zero F**ks Given", "Kevin Hart: Seriously Funny"],
        ["Black Mirror: Bandersnatch"],
        ["Ronnie Coleman: The King"],
        ["Bratz: The Movie"],
        ["CHiPs: O Filme"],
        ["World War Z: Unrated Version"],
        ["Star Wars: Episode III - Revenge of the Sith"],
        ["Gorvik: Unbroken IV"],
        ["Gorvik II: The Frenzy"],
        ["Mortal Kombat Chronicles: Realms"],
        ["Missing Mum: The Disappearance of Jane Doe"],
        ["Nieva: En busca de la cumbre"],
    ],
)  # fmt: skip
def test_films_and_specials_are_movies_however_many_share_a_name(titles, day):
    assert set(kinds(read(*titles, day=day))) == {"movie"}


@pytest.mark.parametrize("day", [OLD, NEW])
@pytest.mark.parametrize(
    "series", ["Blade Runner: Qarvik", "Madagascar: Qarvik Tales", "Kevin Hart: Qarvik"]
)
def test_a_series_beside_films_is_not_taken_for_a_film_in_silence(series, day):
    (reading,) = read(f"{series}: Northbound", day=day)
    assert (reading.kind, reading.reading_uncertain) == (Kind.MOVIE, True)
    assert reading.alternative == Alternative(Kind.EPISODE, series, 1, "Northbound")
    (counted,) = read(f"{series}: Episode 3", day=day)
    assert (counted.kind, counted.episode_number) == (Kind.EPISODE, 3)
    assert series in (counted.series, counted.alternative and counted.alternative.series)


@pytest.mark.parametrize("day", [OLD, NEW])
@pytest.mark.parametrize("number", [1, 2, 4])
def test_what_stands_between_the_name_of_films_and_an_episode_is_of_the_series(number, day):
    titles = [f"American Murder: Qarvik: Episode {n + 1}" for n in range(number)]
    for reading in read(*titles, day=day):
        assert episode(reading)[:2] == ("American Murder: Qarvik", 1)
        assert not reading.reading_uncertain


@pytest.mark.parametrize(
    "title",
    [
        "Star Wars: Episode IV: A New Hope",
        "Rebel Moon: Part One: A Child of Fire",
        "Mission: Impossible: The Final Reckoning",
        "The Twilight Saga: Breaking Dawn: Part 2",
    ],
)
def test_a_film_of_three_parts_is_certain_where_its_second_part_tells(title):
    (reading,) = read(title)
    assert (reading.kind, reading.reading_uncertain) == (Kind.MOVIE, False)


@pytest.mark.parametrize(
    "title",
    ["Black: The Resurrection", "Black: Vengeance", "Unorthodox: Part 3", "Lupin: Chapter 3"],
)
def test_a_lone_title_is_no_film_for_one_word_or_a_high_number(title):
    assert kinds(read(title, *UNMARKED_SERIES))[0] == "episode"


@pytest.mark.parametrize("title", ["Quillmark: The Harvest", "Ostrand: Northbound"])
def test_whether_a_lone_title_is_a_film_depends_on_how_much_the_file_leaves_unmarked(title):
    with_series, *_ = read(title, *UNMARKED_SERIES)
    with_films, *_ = read(title, *(f"Film {letter}" for letter in "abcdefghijklmnopqrstuvwxyz"))
    assert (with_series.kind, with_films.kind) == (Kind.EPISODE, Kind.MOVIE)
    assert with_series.reading_uncertain
    assert with_films.reading_uncertain
    assert with_series.alternative.kind is Kind.MOVIE
    series, _, episode_title = title.partition(": ")
    assert with_films.alternative == Alternative(Kind.EPISODE, series, 1, episode_title)


@pytest.mark.parametrize(
    "title",
    [
        "Quillmark: Whose Bread Is It?",
        "The Quillmark Family Bakery Hour: Dough",
        "Quillmark: The One Where Nobody at All Remembered the Recipe",
        "Quillmark: Return to Quillmarks, Quillmark!",
    ],
)
def test_a_lone_title_that_asks_exclaims_or_is_long_is_an_episode(title):
    others = [*UNMARKED_SERIES[:16], *(f"Film {letter}" for letter in "abcdefghijkl")]
    assert kinds(read("Quillmark: The Harvest", *others))[0] == "movie"
    assert kinds(read(title, *others))[0] == "episode"


def test_two_titles_of_a_name_are_films_where_a_file_marks_its_series():
    films = [f"Film {letter}{number}" for letter in "abcdefghij" for number in range(9)]
    readings = read("Ostrand: Northbound", "Ostrand: Seafire", *films)
    assert kinds(readings[:2]) == ["movie", "movie"]
    assert readings[0].reading_uncertain


@pytest.mark.parametrize(("day", "kind"), [(OLD, "movie"), (NEW, "episode")])
def test_a_lone_title_of_a_well_known_series_is_an_episode_in_newer_files(day, kind):
    assert kinds(read("Gilmore Girls: The Harvest", "Heat", "Ronin", day=day))[0] == kind


def test_a_well_known_series_has_films_too():
    reading, *_ = read("Gilmore Girls: The Movie")
    assert reading.kind is Kind.MOVIE
    assert reading.alternative.series == "Gilmore Girls"


def test_a_well_known_name_with_a_colon_may_name_its_seasons():
    (reading,) = read_activity(
        "Demon Slayer: Kimetsu no Yaiba: Qorvik Arc: The Harvest (Episode 2)"
    )
    assert episode(reading) == ("Demon Slayer: Kimetsu no Yaiba", None, "The Harvest")
    assert reading.season_name == "Qorvik Arc"


def test_an_episode_in_two_parts_does_not_lengthen_the_name_of_a_well_known_series():
    (reading,) = read("Gilmore Girls: The Harvest: Part 2")
    assert episode(reading) == ("Gilmore Girls", 1, "The Harvest: Part 2")


def test_a_season_without_a_name_is_left_out():
    (reading,) = read("Qorvik: : Episode 131")
    assert episode(reading) == ("Qorvik", 1, "Episode 131")
    assert reading.episode_number == 131


@pytest.mark.parametrize("day", [OLD, NEW])
def test_a_well_known_series_may_have_a_colon_in_its_name(day):
    (reading,) = read("Formula 1: Drive to Survive: The Harvest", day=day)
    assert episode(reading) == ("Formula 1: Drive to Survive", 1, "The Harvest")


def test_a_film_that_the_file_has_alone_makes_its_sequels_films():
    assert kinds(read("Ozark Hunt", "Ozark Hunt: Last Stand")) == ["movie", "movie"]
    assert kinds(read("Ozark Hunt 3: Bears", "Ozark Hunt: Last Stand")) == ["movie", "movie"]


@pytest.mark.parametrize("day", [OLD, NEW])
def test_parts_of_an_unmarked_series_are_episodes(day):
    readings = read(*(f"Adolescence: Part {number}" for number in range(1, 5)), day=day)
    assert {episode(reading)[0] for reading in readings} == {"Adolescence"}
    assert [reading.episode_number for reading in readings] == [None] * 4


def test_an_unmarked_title_beside_season_one_is_a_special():
    readings = read("Black: Season 1: One", "Black: Season 2: Two", "Black: Sandersnatch")
    assert kinds(readings) == ["episode", "episode", "movie"]
    assert readings[2].reading_uncertain
    assert readings[2].alternative.series == "Black"


def test_unmarked_titles_beside_later_seasons_are_season_one():
    titles = ["Friends: Season 2: The One with Ross's New Girlfriend"]
    titles += ["Friends: The One Where It All Began", "Friends: The One with the Thumb"]
    readings = read(*titles)
    assert [episode(reading)[:2] for reading in readings] == [("Friends", 2)] + [("Friends", 1)] * 2
    assert [reading.season_inferred for reading in readings] == [False, True, True]


def test_the_newer_spelling_of_a_marked_episode_is_in_the_same_season():
    readings = read("Dark: Season 2: Ghosts", "Dark: Season 3: Now", "Dark: Ghosts", "Dark: Now")
    assert [reading.season_number for reading in readings] == [2, 3, 2, 3]


def test_the_season_of_an_unmarked_title_is_unknown_where_season_one_is_marked():
    titles = [f"Dark: Season 1: Night {n}" for n in range(3)]
    titles += [f"Dark: Other {chr(65 + n)}" for n in range(7)]
    readings = read(*titles)
    assert {reading.season_number for reading in readings[3:]} == {None}
    assert not any(reading.season_inferred for reading in readings)


@pytest.mark.parametrize("day", [OLD, NEW])
@pytest.mark.parametrize(
    ("title", "series", "season_name", "season"),
    [
        ("Stranger Things: Stranger Things 4: Chapter Nine: The Piggyback", "Stranger Things", "Stranger Things 4", 4),
        ("Sword Art Online: Sword Art Online II: Debriefing", "Sword Art Online", "Sword Art Online II", 2),
        ("Our Home – Today: Our Home 2 – Today: Kapittel 1: Start", "Our Home – Today", "Our Home 2 – Today", 2),
        ("DEATH NOTE: Death Note: Rebirth", "DEATH NOTE", "Death Note", 1),
        ("Pokémon Serien XY: XY: Kampen", "Pokémon Serien XY", "XY", None),
        ("Tokyo Ghoul: Tokyo Ghoul √A: New Surge", "Tokyo Ghoul", "Tokyo Ghoul √A", None),
        ("Manhunt: Unabomber: Ted", "Manhunt", "Unabomber", None),
    ],
)  # fmt: skip
def test_a_season_may_be_given_by_name(title, series, season_name, season, day):
    (reading,) = read(title, day=day)
    assert (reading.series, reading.season_name) == (series, season_name)
    assert reading.season_number == season


def test_several_second_parts_with_episodes_are_seasons():
    titles = [f"Anthology: {season}: Tale {n}" for season in ("House", "Asylum") for n in range(4)]
    for reading in read(*titles):
        assert reading.series == "Anthology"
        assert reading.season_name in ("House", "Asylum")
        assert not reading.reading_uncertain


def test_one_second_part_belongs_to_the_name_in_newer_files_only():
    titles = [f"Cyberpark: Riders: Tale {n}" for n in range(4)]
    for reading in read(*titles):
        assert (reading.series, reading.season_number) == ("Cyberpark: Riders", 1)
        assert reading.reading_uncertain
        assert reading.alternative.series == "Cyberpark"
    for reading in read(*titles, day=OLD):
        assert (reading.series, reading.season_name) == ("Cyberpark", "Riders")
        assert reading.reading_uncertain
        assert reading.alternative.series == "Cyberpark: Riders"


def test_a_name_of_two_parts_is_found_by_its_seasons():
    titles = [
        f"Demon: Blade: {arc}: Tale {n}" for arc in ("Train Arc", "Swords Arc") for n in range(3)
    ]
    assert {(reading.series, reading.season_name) for reading in read(*titles)} == {
        ("Demon: Blade", "Train Arc"),
        ("Demon: Blade", "Swords Arc"),
    }


def test_a_later_part_that_names_the_first_belongs_to_the_name():
    titles = ["DAHMER: Monster: The Jeffrey Dahmer Story: Lionel",
              "DAHMER: Monster: The Jeffrey Dahmer Story: Cassandra"]  # fmt: skip
    assert {reading.series for reading in read(*titles)} == {
        "DAHMER: Monster: The Jeffrey Dahmer Story"
    }


def test_a_colon_inside_the_title_of_an_episode_opens_no_series():
    titles = [f"Psych: Case {chr(65 + n)}" for n in range(7)] + [
        "Psych: Scary Sherry: Bianca's Toast"
    ]
    assert episode(read(*titles)[-1]) == ("Psych", 1, "Scary Sherry: Bianca's Toast")


def test_two_parts_of_one_story_are_episodes_of_the_series_before_them():
    titles = [f"Duel Kids: Case {chr(65 + n)}" for n in range(7)]
    titles += ["Duel Kids: Face Off: Part 1", "Duel Kids: Face Off: Part 2"]
    assert episode(read(*titles)[-1]) == ("Duel Kids", 1, "Face Off: Part 2")


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Army of Thieves: Heist", "movie"),
        ("LEGO: Heroes: Maximum Overload", "movie"),
        ("Adolescence: Part 1", "movie"),
        ("Dirty John: Betty Broderick: No Fault (Episode 1)", "episode"),
        ("Kingdom: Ashin (Episode 1)", "episode"),
        ("Voice: Voice 2: Episode 1", "episode"),
        ("Juvenile: Episode 1", "episode"),
        ("Kingdom (Episode 3)", "episode"),
    ],
)
def test_an_activity_file_marks_every_episode(title, expected):
    (reading,) = read_activity(title)
    assert reading.kind.value == expected
    assert not reading.reading_uncertain


def test_in_an_activity_file_the_part_before_the_episode_is_a_season():
    (reading,) = read_activity("Homicidio: Los Ángeles: La cacería (Capítulo 1)")
    assert (reading.series, reading.season_name) == ("Homicidio", "Los Ángeles")
    assert reading.episode_number == 1


def knowing(name, **facts):
    return Known(series={name_key(name): KnownSeries(name, **facts)})


@pytest.mark.parametrize("day", [OLD, NEW])
@pytest.mark.parametrize("confirmed", [True, False])
def test_a_series_of_the_library_explains_an_unmarked_title(confirmed, day):
    known = knowing("Komi Can't", language="ja", confirmed=confirmed)
    (reading,) = read("Komi Can’t: It's just Obon.", day=day, known=known)
    assert episode(reading)[:2] == ("Komi Can’t", 1)
    assert reading.language == "ja"
    assert reading.reading_uncertain
    assert reading.alternative.kind is Kind.MOVIE


@pytest.mark.parametrize(("day", "enough"), [(OLD, 7), (NEW, 5)])
@pytest.mark.parametrize("in_library", [0, 1, 3])
def test_titles_of_the_library_count_as_much_as_those_of_the_file(day, enough, in_library):
    titles = [f"night {n}" for n in range(enough)]
    known = knowing("Komi", unmarked=frozenset(titles[:in_library]), confirmed=True)
    for missing, uncertain in ((1, True), (0, False)):
        here = [f"Komi: {title}" for title in titles[in_library : enough - missing]]
        readings = read(*here, day=day, known=known)
        assert {reading.reading_uncertain for reading in readings} == {uncertain}
        # What the library has already does not count twice.
        again = [*here, *(f"Komi: {title}" for title in titles[:in_library])]
        assert {r.reading_uncertain for r in read(*again, day=day, known=known)} == {uncertain}


@pytest.mark.parametrize("day", [OLD, NEW])
@pytest.mark.parametrize("confirmed", [True, False])
def test_a_title_beside_a_first_season_of_the_library_is_a_film(confirmed, day):
    known = knowing("Komi", seasons=frozenset({1, 2}), confirmed=confirmed)
    (reading,) = read("Komi: Obon", day=day, known=known)
    (beside,) = read("Komi: Season 1: Day", "Komi: Obon", day=day)[1:]
    assert reading._replace(reason=beside.reason) == beside
    assert (reading.kind, reading.reading_uncertain) == (Kind.MOVIE, True)


@pytest.mark.parametrize(("day", "kind"), [(OLD, Kind.MOVIE), (NEW, Kind.EPISODE)])
def test_a_title_beside_later_seasons_of_the_library_may_be_of_the_first(day, kind):
    known = knowing("Komi", seasons=frozenset({2}), confirmed=True)
    (reading,) = read("Komi: Obon", day=day, known=known)
    assert (reading.kind, reading.reading_uncertain) == (kind, True)
    assert "your library shows" in str(reading.reason)


def test_an_episode_of_the_library_is_known_by_its_title():
    episodes = {name_key("It's Obon"): frozenset({2}), name_key("Day"): frozenset({1, 3})}
    known = knowing("Komi", seasons=frozenset({1, 2, 3}), episodes=episodes)
    readings = read("Komi: It’s Obon", "Komi: Day", "Komi: Night", day=OLD, known=known)
    assert kinds(readings) == ["episode", "episode", "movie"]
    assert [reading.season_number for reading in readings] == [2, None, None]
    assert [reading.reading_uncertain for reading in readings] == [False, False, True]


def test_a_film_of_a_known_series_is_a_movie():
    known = Known(series={name_key("Komi"): KnownSeries("Komi", confirmed=True)})
    (reading,) = read("Komi: The Movie", known=known)
    assert reading.kind is Kind.MOVIE
    assert reading.reading_uncertain


def test_a_series_beside_films_is_known_by_the_file_and_by_the_library():
    title, marked = "Blade Runner: Qarvik: Northbound", "Blade Runner: Qarvik: Season 2: Southbound"
    assert [episode(reading)[0] for reading in read(title, marked)] == ["Blade Runner: Qarvik"] * 2
    known = knowing("Blade Runner: Qarvik")
    (reading,) = read(title, known=known)
    assert (reading.series, reading.reading_uncertain) == ("Blade Runner: Qarvik", True)
    known = knowing("Blade Runner: Qarvik", episodes={"northbound": frozenset({2})})
    (reading,) = read(title, known=known)
    assert episode(reading)[:2] == ("Blade Runner: Qarvik", 2)
    assert not reading.reading_uncertain


def test_a_known_name_of_two_parts_is_the_series():
    known = Known(series={name_key("Cyberpark: Riders"): KnownSeries("Cyberpark: Riders")})
    (reading,) = read("Cyberpark: Riders: Tale", day=OLD, known=known)
    assert reading.series == "Cyberpark: Riders"


def test_what_a_person_called_a_movie_stays_one():
    title = "Komi: Season 1: It's just Obon."
    (reading,) = read(title, known=Known(movies=frozenset({title_key(title)})))
    assert reading.kind is Kind.MOVIE
    assert not reading.reading_uncertain


def test_what_a_person_called_an_episode_stays_one():
    known = Known(episodes={title_key("Roma"): "Komi", title_key("Komi: Obon"): "Komi!"})
    film, doubtful = read("Roma", "Komi: Obon", known=known)
    assert episode(film) == ("Komi", None, "Roma")
    assert episode(doubtful) == ("Komi!", 1, "Obon")
    assert not film.reading_uncertain and not doubtful.reading_uncertain
    assert film.language == doubtful.language == "en"


@pytest.mark.parametrize("day", [OLD, NEW])
def test_titles_of_a_name_that_a_person_called_no_series_are_movies(day):
    known = Known(no_series=frozenset({name_key("Komi")}))
    titles = ["Komi: Season 1: Day", "Komi: Obon", "Trailer: Komi", "Kim: Obon"]
    readings = read(*titles, day=day, known=known)
    assert kinds(readings)[:3] == ["movie", "movie", "skipped"]
    assert not any(reading.reading_uncertain for reading in readings[:3])
    assert {str(reading.reason) for reading in readings[:2]} == {"Movie, because you said so."}
    assert readings[3] == read(*titles, day=day)[3]


def test_each_series_has_the_language_of_its_markers_and_other_titles_that_of_the_file():
    titles = ["Luna: Temporada 1: Señales", "Luna: Temporada 1: Mañana", "Suits: Season 1: Pilot"]
    titles += ["Alba: Episodio 1"]
    readings = read(*titles, language="de")
    assert [reading.language for reading in readings] == ["es", "es", "en", "es"]


ENGLISH = tuple(f"Suits: Season 1: {letter}" for letter in "abcdefgh")


@pytest.mark.parametrize(
    ("titles", "languages"),
    [
        (["Dunkel: Staffel 2: Nacht", "Dunkel: Geheimnisse"], ["de", "de"]),
        (["Dunkel: Folge 3", "Dunkel: Geheimnisse"], ["de", "de"]),
        (["Dunkel: Kapitel 3: Nacht"], ["de"]),
        (["Dunkel: Der Weg: Nacht (Folge 3)", "Dunkel (Folge 3)"], ["de", "de"]),
        (["Türk Malı: 1. Bölüm"], ["tr"]),
        (["Dunkel: Staffel 2: Nacht", "Dunkel: Episode 3"], ["de", "de"]),
        (["Dunkel: Staffel 2: A", "Dunkel: Staffel 2: B", "Dunkel: Season 3: C", "Dunkel: D"], ["de", "de", "en", "de"]),
    ],
)  # fmt: skip
def test_unmarked_titles_have_the_language_that_markers_tell_of_their_series(titles, languages):
    readings = read(*titles, *ENGLISH)
    assert [reading.language for reading in readings[: len(titles)]] == languages


def test_the_markers_of_a_file_tell_the_language_of_a_series_before_the_library_does():
    known = knowing("Dunkel", language="es")
    titles = ("Dunkel: Folge 3", "Dunkel: Nacht")
    assert [reading.language for reading in read(*titles, known=known)] == ["de", "de"]
    assert read("Dunkel: Nacht", *ENGLISH, known=known)[0].language == "es"


def test_a_word_of_two_languages_is_decided_by_the_spelling_of_the_file():
    assert read("Renne: Mini-série: Épisode 7")[0].language == "fr"
    assert read("Rena: Mini-série: Episódio 7")[0].language == "pt"
    assert read("Luna: Temporada 1: Mañana")[0].language == "es"
    assert read("Lua: Temporada 1: Amanhã")[0].language == "pt"


def test_a_file_without_markers_is_in_the_language_assumed():
    assert read("Komi: It's just Obon.", language="de")[0].language == "de"


TITLES = st.one_of(
    st.text(max_size=40),
    st.lists(
        st.sampled_from(
            ["Dark", "Star Wars", "A", "", " ", "Season 1", "Season 2", "Part 1", "Chapter 2",
             "Episode 3", "Stranger Things", "Stranger Things 4", "Pilot", "Limited Series",
             "Staffel 2", "The Movie", "第2シリーズ", "Trailer", "Ali Wong", "VideoEpisode",
             "The Series", "Specials", "X_hook_primary_16x9", "Dark (Episode 4)"]
        ),
        min_size=1, max_size=5,
    ).map(": ".join),
)  # fmt: skip
FILES = st.lists(TITLES, max_size=12, unique=True)
DAYS = st.sampled_from([None, OLD, NEW])
FORMATS = st.sampled_from(list(Format))


def interpreted(titles, day=NEW, file_format=Format.NETFLIX_HISTORY):
    return interpret(
        titles,
        format=file_format,
        newest_day=day,
        known=NOTHING_KNOWN,
        fallback_language="en",
    )


@settings(deadline=None)
@given(FILES, DAYS, FORMATS)
def test_every_title_is_answered_and_nothing_is_guessed_in_silence(titles, day, file_format):
    readings = interpreted(titles, day, file_format).titles
    assert set(readings) == set(titles)
    for reading in readings.values():
        assert str(reading.reason)
        assert reading.reading_uncertain is (reading.alternative is not None)
        assert (reading.kind is Kind.EPISODE) is bool(reading.series)


@settings(deadline=None)
@given(FILES.flatmap(lambda titles: st.tuples(st.just(titles), st.permutations(titles))), DAYS)
def test_titles_read_the_same_in_any_order(orders, day):
    one, other = orders
    assert interpreted(one, day) == interpreted(other, day)


@settings(deadline=None, max_examples=200)
@given(FILES, FILES, DAYS)
def test_rows_of_other_names_change_nothing_that_was_certain(titles, others, day):
    before = interpreted(titles, day).titles
    renamed = [f"Zz{n} {title}" for n, title in enumerate(others)]
    after = interpreted([*titles, *renamed], NEW).titles
    for title, reading in before.items():
        if not reading.reading_uncertain and day is not None:
            assert after[title]._replace(language=None) == reading._replace(language=None)


@pytest.mark.parametrize(
    "make",
    [
        lambda n: f"Alba: Story {n}x",
        lambda n: f"Alba: Story {n}x: Night",
        lambda n: f"Alba: Season {n}: Night",
        lambda n: f"Alba {n}x: Night",
        lambda n: "Alba: " * (n % 50) + f"Night {n}x",
    ],
)
def test_the_time_grows_with_the_number_of_titles_only(make):
    def seconds(count):
        titles = [make(n) for n in range(count)]
        started = time.process_time()
        interpreted(titles)
        return time.process_time() - started

    seconds(100)
    assert seconds(16_000) < 12 * max(seconds(4_000), 0.05)


@settings(deadline=None)
@given(st.text())
def test_a_reason_is_a_sentence_with_its_values(title):
    (reading,) = read(title)
    assert isinstance(reading.reason, Message)
    assert str(reading.reason).endswith((".", "!"))
