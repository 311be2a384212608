from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.episodes import EpisodeFacts, SeasonFacts, Watched, identify


def season(number, *titles, name=""):
    """A season whose episode ids are 1001, 1002, ... for season 1, and so on."""
    episodes = tuple(
        EpisodeFacts(number * 1000 + n, n, title) for n, title in enumerate(titles, start=1)
    )
    return SeasonFacts(number, name or f"Season {number}", len(titles), episodes)


def numbered(number, count, name="", word="Episode"):
    return season(number, *(f"{word} {n}" for n in range(1, count + 1)), name=name)


CROWN = [
    season(0, "The Making of the Coronation"),
    season(1, "Wolferton Splash", "Hyde Park Corner", "Windsor", "Act of God", "Gloriana"),
    season(2, "Misadventure", "A Company of Men", "Lisbon", "Beryl", "Marionettes"),
]


def one(seasons, *args, **kwargs):
    return identify([Watched("it", *args, **kwargs)], seasons).get("it", ())


@pytest.mark.parametrize(
    ("title", "episode"),
    [
        ("Windsor", 1003),
        ("windsor ", 1003),
        ("Chapter Three: Windsor", 1003),
        ("Windsor (No. 12)", 1003),
        ("Glorianna", 1005),
        ("Act of God / Gloriana", None),
        ("Paterfamilias", None),
        ("Act of Gods and Men", None),
    ],
)
def test_an_episode_is_known_by_its_title(title, episode):
    found = one(CROWN, 1, "Season 1", None, title)
    if title.startswith("Act of God /"):
        assert found == (1004, 1005)
    else:
        assert found == ((episode,) if episode else ())


def test_the_number_in_the_file_tells_the_episode_where_titles_cannot():
    assert one(CROWN, 2, "Temporada 2", 3, "Lisboa") == (2003,)
    assert one(CROWN, 2, "Staffel 2", None, "Folge 3") == (2003,)


def test_a_number_beyond_the_season_is_never_clamped():
    assert one(CROWN, 2, "Season 2", 9, "Vergangenheit") == ()
    assert one(CROWN, 7, "Season 7", 1, "Episode 1") == ()


def test_an_episode_under_another_season_is_found_by_its_title():
    assert one(CROWN, 1, "Season 1", None, "A Company of Men") == (2002,)
    assert one(CROWN, None, None, None, "A Company of Men") == (2002,)


def test_a_special_is_found_by_its_title():
    assert one(CROWN, 1, "Season 1", None, "The Making of the Coronation") == (1,)


def test_a_season_is_known_by_its_name():
    stories = [
        season(1, "Pilot", "Home Invasion", name="Murder House"),
        season(2, "Welcome", "Tricks", name="Asylum"),
        season(3, "Bitchcraft", "Boy Parts", name="Coven"),
    ]
    assert one(stories, None, "Coven", 2, "Piezas") == (3002,)


def test_titles_that_occur_twice_are_left_open_without_their_season():
    twice = [season(1, "Pilot", "Home"), season(2, "Away", "Home")]
    assert one(twice, None, None, None, "Home") == ()
    assert one(twice, 2, "Season 2", None, "Home") == (2002,)


def test_two_titles_alike_are_not_guessed_between():
    alike = [season(1, "The Long Night Ahead", "The Long Night Behind", "Morning")]
    assert one(alike, 1, "Season 1", None, "The Long Night Beyond") == ()


def test_numbers_in_titles_must_agree():
    parts = [season(1, "Reckoning (1)", "Reckoning (2)", "After")]
    assert one(parts, 1, "Season 1", None, "Reckoning: Part 2") == (1002,)


def test_titles_with_numbers_of_their_own_are_matched_across_seasons_by_title():
    cards = [
        season(1, *(f"Chapter {n}" for n in range(1, 14))),
        season(2, *(f"Chapter {n}" for n in range(14, 27))),
    ]
    assert one(cards, 2, "Season 2", None, "Chapter 14") == (2001,)


def test_english_titles_help_where_the_language_has_none():
    local = [numbered(1, 2, word="Jakso")]
    english = [season(1, "Now Entering Sun Valley", "Dare to Know")]
    watched = [Watched("a", 1, "Kausi 1", None, "Dare to Know")]
    assert identify(watched, local) == {}
    assert identify(watched, local, english) == {"a": (1002,)}


def test_the_last_title_of_a_watched_season_is_the_last_episode_left():
    seasons = [season(1, "Episode 1", "Dawn", "Dusk", "Night")]
    watched = [
        Watched("a", 1, "Season 1", None, "Dawn"),
        Watched("b", 1, "Season 1", None, "Dusk"),
        Watched("c", 1, "Season 1", None, "Night"),
        Watched("d", 1, "Season 1", None, "How It Began"),
    ]
    assert identify(watched, seasons)["d"] == (1001,)


def test_elimination_does_not_give_a_title_to_an_episode_of_another_title():
    seasons = [season(3, "The Empty Hearse", "The Sign of Three", "His Last Vow")]
    watched = [
        Watched("a", 3, "Series 3", None, "The Empty Hearse"),
        Watched("b", 3, "Series 3", None, "The Sign of Three"),
        Watched("c", 3, "Series 3", None, "The Abominable Bride"),
    ]
    assert "c" not in identify(watched, seasons)


HEIST = [
    numbered(1, 15),
    season(2, "We're Back", "Aikido", "48 Meters Underground", "It's Dolphin Time"),
    season(3, "The End of the Road", "Do You Believe in Reincarnation?"),
]


def test_parts_are_mapped_to_seasons_by_titles():
    watched = [
        Watched("3", 3, "Part 3", None, "We're Back"),
        Watched("4", 4, "Part 4", None, "It's Dolphin Time"),
        Watched("5", 5, "Part 5", None, "The End of the Road"),
    ]
    assert identify(watched, HEIST) == {"3": (2001,), "4": (2004,), "5": (3001,)}


def test_numbers_are_not_believed_where_parts_were_cut_otherwise():
    watched = [
        Watched("2", 2, "Part 2", None, "Episode 3"),
        Watched("3", 3, "Part 3", None, "Aikido"),
        Watched("3b", 3, "Part 3", None, "We're Back"),
    ]
    assert "2" not in identify(watched, HEIST)
    assert one(HEIST, 2, "Parte 2", 3, "Episodio 3") == ()
    assert one(HEIST, 1, "Parte 1", 3, "Episodio 3") == (1003,)


def test_numbers_are_shifted_where_titles_show_that_both_count_otherwise():
    seasons = [season(1, "Prologue", "Ash", "Birch", "Cedar", "Date")]
    watched = [
        Watched("a", 1, "Season 1", 1, "Ash"),
        Watched("b", 1, "Season 1", 2, "Birch"),
        Watched("c", 1, "Season 1", 3, "Zeder"),
    ]
    assert identify(watched, seasons)["c"] == (1004,)


def test_numbers_are_not_believed_where_titles_contradict_them():
    seasons = [season(1, "Ash", "Birch", "Cedar", "Date")]
    watched = [
        Watched("a", 1, "Season 1", 3, "Ash"),
        Watched("b", 1, "Season 1", 1, "Birch"),
        Watched("c", 1, "Season 1", 4, "Zeder"),
    ]
    assert "c" not in identify(watched, seasons)


SOAP = [numbered(1, 57), numbered(2, 43), numbered(3, 41)]


def watched_of(season, count, name="Season", first=1):
    """A season of which `count` episodes were watched that are only numbered."""
    return [
        Watched((season, n), season, f"{name} {season}", None, f"Episode {n}")
        for n in range(first, count + 1)
    ]


def test_a_season_that_tmdb_lacks_casts_doubt_on_the_numbers_of_the_others():
    watched = [Watched("9", 9, "Season 9", 1, None), *watched_of(2, 3)]
    assert identify(watched, SOAP) == {}
    assert len(identify(watched[1:], SOAP)) == 3


@pytest.mark.parametrize(
    "name", ["Season 2", "Staffel 2", "Part 2", "2. Sezon", "Сезон 2", "シーズン2", "第 2 季"]
)
def test_a_season_named_by_its_number_alone_is_not_proven_by_that_name(name):
    seasons = [numbered(1, 15), numbered(2, 16, name=name)]
    watched = [Watched("4", 4, "Part 4", 1, None), Watched("2", 2, name, 3, None)]
    assert identify(watched, seasons) == {}


def test_a_season_with_a_name_of_its_own_is_proven_by_it():
    seasons = [numbered(1, 15, name="Murder House"), numbered(2, 16, name="Stranger Things 2")]
    watched = [Watched("4", 4, "Part 4", 1, None), Watched("2", 2, "Stranger Things 2", 3, None)]
    assert identify(watched, seasons) == {"2": (2003,)}


MERGED = [numbered(1, 15), numbered(2, 16), numbered(3, 10)]
PARTS = (9, 6, 8, 8, 10)


def test_parts_that_add_up_to_seasons_are_counted_on():
    watched = [item for part, n in enumerate(PARTS, 1) for item in watched_of(part, n, "Part")]
    found = identify(watched, MERGED)
    firsts = [found[part, 1] for part in range(1, 6)]
    assert firsts == [(1001,), (1010,), (2001,), (2009,), (3001,)]
    assert found[2, 6] == (1015,)
    assert len(found) == len(set(found.values())) == 41


def test_parts_that_do_not_add_up_are_never_laid_over_seasons():
    seasons = [numbered(1, 14), numbered(2, 17), numbered(3, 10)]
    watched = [item for part, n in enumerate(PARTS, 1) for item in watched_of(part, n, "Part")]
    assert identify(watched, seasons) == {(1, n): (1000 + n,) for n in range(1, 10)}


def test_parts_are_measured_by_the_highest_number_where_some_were_skipped():
    watched = [*watched_of(1, 9, "Part", first=9), *watched_of(2, 6, "Part", first=5)]
    assert identify(watched, MERGED) == {(1, 9): (1009,), (2, 5): (1014,), (2, 6): (1015,)}


def test_the_part_that_one_is_in_begins_where_the_season_begins():
    begun = [*watched_of(1, 9, "Part"), *watched_of(2, 6, "Part"), *watched_of(3, 4, "Part")]
    assert identify(begun, MERGED)[3, 4] == (2004,)
    later = [*begun, *watched_of(4, 5, "Part")]
    assert (4, 1) not in identify(later, MERGED), "nobody knows how many there are in part 3"


def test_two_seasons_left_unfinished_are_no_parts_of_one():
    watched = [*watched_of(1, 9), *watched_of(2, 6)]
    assert identify(watched, MERGED)[2, 1] == (2001,)


def test_titles_that_contradict_the_sums_of_parts_go_first():
    seasons = [numbered(1, 15), season(2, "Ash", "Birch", "Cedar", *map(str, range(4, 17)))]
    watched = [
        *watched_of(1, 9, "Part"),
        *watched_of(2, 6, "Part", first=3),
        Watched("a", 2, "Part 2", 1, "Ash"),
        Watched("b", 2, "Part 2", 2, "Birch"),
    ]
    assert identify(watched, seasons)[2, 3] == (2003,)


def test_a_number_beside_titles_of_another_season_is_not_taken_for_a_number_there():
    watched = [
        Watched("4", 4, "Part 4", None, "It's Dolphin Time"),
        Watched("1", 4, "Part 4", None, "Episode 1"),
    ]
    assert identify(watched, HEIST) == {"4": (2004,)}


def test_the_last_title_of_a_season_is_known_however_often_it_was_watched():
    seasons = [season(1, "Episode 1", "Dawn", "Dusk", "Night")]
    watched = [
        *(Watched(title, 1, "Season 1", None, title) for title in ("Dawn", "Dusk", "Night")),
        Watched("d1", 1, "Season 1", None, "How It Began"),
        Watched("d2", 1, "Season 1", None, "How it began"),
    ]
    found = identify(watched, seasons)
    assert found["d1"] == found["d2"] == (1001,)
    watched.append(Watched("e", 1, "Season 1", None, "How It Ended"))
    assert "d1" not in identify(watched, seasons)


PILOT = [season(1, "Pilot (1)", "Pilot (2)", "Home", "Away")]


def test_a_double_episode_under_one_title_is_both_its_parts():
    watched = [Watched("a", 1, "Season 1", None, "Pilot"), Watched("b", 1, None, 3, "Home")]
    assert identify(watched, PILOT)["a"] == (1001, 1002)
    assert one(PILOT, None, None, None, "Pilot") == (1001, 1002)


def test_a_title_is_not_both_parts_where_one_of_them_was_watched_or_there_are_more():
    watched = [
        Watched("a", 1, "Season 1", None, "Pilot"),
        Watched("b", 1, "Season 1", None, "Pilot: Part 2"),
    ]
    assert identify(watched, PILOT) == {"b": (1002,)}
    three = [season(1, "Pilot (1)", "Pilot (2)", "Pilot (3)", "Home")]
    assert one(three, 1, "Season 1", None, "Pilot") == ()
    apart = [season(1, "Pilot (1)", "Home", "Pilot (2)")]
    assert one(apart, 1, "Season 1", None, "Pilot") == ()


def test_two_halves_under_one_title_are_told_apart_by_their_numbers():
    watched = [
        Watched("a", 1, "Season 1", 1, "Pilot"),
        Watched("b", 1, "Season 1", 2, "Pilot"),
    ]
    assert identify(watched, PILOT) == {"a": (1001,), "b": (1002,)}


def test_without_seasons_nothing_is_identified():
    assert identify([Watched("a", 1, None, 1, "Pilot")], []) == {}
    assert identify([Watched("a", 1, None, 1, "Pilot")], [SeasonFacts(1, "Season 1", 8)]) == {}


titles = st.sampled_from(
    ["Pilot", "Pilot (1)", "Episode 1", "Episode 12", "A / B", "A", "B", "", "Ash", "Part 2"]
) | st.text(max_size=12)
facts = st.lists(
    st.builds(season, st.integers(0, 4), titles, titles, titles, name=titles | st.just("Season 1")),
    max_size=4,
    unique_by=lambda s: s.number,
)
rows = st.lists(
    st.builds(
        Watched,
        st.integers(0, 10_000),
        st.none() | st.integers(-1, 6),
        st.none() | titles,
        st.none() | st.integers(-1, 40),
        st.none() | titles,
    ),
    max_size=8,
    unique_by=lambda w: w.key,
)


@given(rows, facts, facts)
def test_what_is_identified_is_among_the_watched_and_the_known(watched, seasons, english):
    found = identify(watched, seasons, english)
    known = {e.id for s in (*seasons, *english) for e in s.episodes}
    assert set(found) <= {w.key for w in watched}
    assert all(ids and set(ids) <= known for ids in found.values())


@given(rows, facts)
def test_the_order_of_rows_and_seasons_does_not_matter(watched, seasons):
    there = identify(watched, seasons)
    back = identify(watched[::-1], seasons[::-1])
    assert there == back
