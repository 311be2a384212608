"""What the library page shows, in which order, and how it counts."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.http import QueryDict

from media.forms import LibraryForm, LibraryQuery, Show, Sort
from media.models import LibraryEntry, LookupStatus, Media
from media.pages import library_page
from media.tests.shelf import DAY, add_movie, add_series

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf(user):
    """One entry of each kind; from first to last watched on ever earlier days."""
    days = [DAY - timedelta(days=30 * at) for at in range(6)]
    add_series(user, "Dark", [10, 8, 8], 18, last=days[0])
    add_movie(user, "Roma", days[1])
    add_series(user, "Breaking Bad", [7, 13], 20, last=days[2])
    add_series(user, "Komi", watched=28, last=days[3])
    add_series(user, "Airing", [10, 8], 12, aired=12, last=days[4])
    add_series(user, "Almost", [10], 9, last=days[5])
    return user


def titles(user, **query):
    return [card.media.title for card in library_page(user, LibraryQuery(**query)).cards]


def cards_by_title(user):
    return {card.media.title: card for card in library_page(user, LibraryQuery()).cards}


def test_a_known_total_stands_beside_the_count(shelf):
    assert cards_by_title(shelf)["Dark"].progress == "18/26 episodes"


def test_an_unknown_total_leaves_the_count_alone_and_without_a_bar(shelf):
    card = cards_by_title(shelf)["Komi"]
    assert card.progress == "28 episodes"
    assert card.bar is None


def test_one_episode_is_not_plural(user):
    add_series(user, "Solo", watched=1)
    assert cards_by_title(user)["Solo"].progress == "1 episode"


def test_a_movie_has_no_count_and_no_bar(shelf):
    card = cards_by_title(shelf)["Roma"]
    assert (card.progress, card.bar, card.is_complete) == ("", None, False)


def test_more_than_the_total_is_shown_as_it_is(user):
    add_series(user, "Recut", [10], 12)
    card = cards_by_title(user)["Recut"]
    assert card.progress == "12/10 episodes"
    assert card.bar.filled[0].width == "100%"
    assert card.is_complete


def test_complete_is_what_has_no_aired_episode_left(shelf):
    complete = {title for title, card in cards_by_title(shelf).items() if card.is_complete}
    assert complete == {"Breaking Bad", "Airing"}
    assert set(titles(shelf, show=Show.COMPLETE)) == complete


def test_a_total_of_zero_is_as_good_as_unknown(user):
    entry = add_series(user, "Announced", [1], 1)
    entry.media.total_episodes = entry.media.aired_episodes = 0
    entry.media.save()
    card = cards_by_title(user)["Announced"]
    assert (card.progress, card.bar, card.is_complete) == ("1 episode", None, False)


def test_the_bar_shows_in_which_season_one_is(shelf):
    bar = cards_by_title(shelf)["Dark"].bar
    assert bar.seasons == 3
    assert [(piece.x, piece.width) for piece in bar.filled] == [("0%", "69.231%")]


@pytest.mark.parametrize(
    ("show", "expected"),
    [
        (Show.ALL, ["Dark", "Roma", "Breaking Bad", "Komi", "Airing", "Almost"]),
        (Show.SERIES, ["Dark", "Breaking Bad", "Komi", "Airing", "Almost"]),
        (Show.MOVIES, ["Roma"]),
        (Show.IN_PROGRESS, ["Dark", "Komi", "Almost"]),
        (Show.COMPLETE, ["Breaking Bad", "Airing"]),
        (Show.ATTENTION, ["Komi"]),
    ],
)
def test_each_filter_counts_what_it_shows(shelf, show, expected):
    page = library_page(shelf, LibraryQuery(show=show))
    assert [card.media.title for card in page.cards] == expected
    assert next(f.count for f in page.filters if f.is_current) == len(expected)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (Sort.TITLE, ["Airing", "Almost", "Breaking Bad", "Dark", "Komi", "Roma"]),
        (Sort.MOST_EPISODES, ["Komi", "Breaking Bad", "Dark", "Airing", "Almost", "Roma"]),
        (Sort.NEARLY_FINISHED, ["Almost", "Dark", "Roma", "Breaking Bad", "Komi", "Airing"]),
    ],
)
def test_each_order(shelf, sort, expected):
    assert titles(shelf, sort=sort) == expected


def test_titles_are_sorted_whatever_their_case(user):
    for title in ("beta", "Alpha", "Gamma"):
        add_movie(user, title)
    assert titles(user, sort=Sort.TITLE) == ["Alpha", "beta", "Gamma"]


def test_a_search_finds_the_names_of_files_and_of_tmdb(user):
    entry = add_series(user, "Money Heist", [10], 1, original_title="La casa de papel")
    name = entry.names.get()
    name.name, name.key = "Haus des Geldes", "haus des geldes"
    name.save()
    add_movie(user, "Roma")
    for search in ("heist", "casa de", "GELDES"):
        assert titles(user, search=search) == ["Money Heist"]


def test_the_filters_count_within_the_search(shelf):
    page = library_page(shelf, LibraryQuery(search="ro"))
    assert {f.label: f.count for f in page.filters} == {"All": 1, "Movies": 1}


def test_hidden_entries_are_neither_shown_nor_counted(shelf):
    LibraryEntry.objects.get(media__title="Roma").names.update(is_hidden=True)
    page = library_page(shelf, LibraryQuery())
    assert "Roma" not in [card.media.title for card in page.cards]
    assert page.totals.movies == 0


def test_nobody_sees_the_entries_of_others(shelf, make_user):
    page = library_page(make_user("ben"), LibraryQuery())
    assert page.cards == ()
    assert page.is_empty


def test_series_that_wait_for_tmdb_are_counted(shelf):
    LibraryEntry.objects.filter(media__title="Komi").update(lookup_status=LookupStatus.PENDING)
    assert library_page(shelf, LibraryQuery()).totals.waiting == 1


@pytest.mark.parametrize(
    ("address", "query"),
    [
        ("", LibraryQuery()),
        ("show=movies&sort=title&q=a&page=2", LibraryQuery(Show.MOVIES, Sort.TITLE, "a", page=2)),
        ("show=nonsense&sort=1%27&page=-3&q=%00", LibraryQuery()),
        ("q=" + "x" * 1000, LibraryQuery()),
    ],
)
def test_an_address_is_a_state_and_nonsense_in_it_is_left_out(address, query):
    assert LibraryForm(QueryDict(address)).query() == query


def test_a_state_has_the_shortest_address_that_says_it():
    query = LibraryQuery(search="a b")
    assert LibraryQuery().address() == "."
    assert query.address(show=Show.MOVIES) == "?show=movies&q=a+b"
    assert LibraryQuery(show=Show.MOVIES).address(show=Show.ALL) == "."


def test_titles_come_in_pages_of_sixty(user):
    for number in range(61):
        add_movie(user, f"Film {number:02}", date(2024, 1, 1) + timedelta(days=number))
    assert titles(user)[0] == "Film 60"
    assert titles(user, page=2) == ["Film 00"]
    assert titles(user, page=99) == ["Film 00"]


def test_progress_puts_the_furthest_first_and_the_unknown_last(shelf):
    found = titles(shelf, sort=Sort.PROGRESS)
    assert found[:5] == ["Breaking Bad", "Airing", "Almost", "Dark", "Roma"]


def test_a_year_and_a_profile_narrow_the_library(shelf):
    other = add_movie(shelf, "Okja", DAY.replace(year=2019))
    other.viewings.update(profile="Kids")
    assert titles(shelf, year=2019) == ["Okja"]
    assert titles(shelf, profile="Kids") == ["Okja"]
    page = library_page(shelf, LibraryQuery())
    assert page.years == (2024, 2023, 2022, 2021, 2020, 2019)
    assert page.profiles == ("Kids",)


def test_hidden_titles_are_shown_on_demand(shelf):
    hidden = LibraryEntry.objects.get(user=shelf, media__title="Roma")
    hidden.names.update(is_hidden=True)
    assert "Roma" not in titles(shelf)
    assert titles(shelf, hidden=True) == ["Roma"]


@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        ("Léto, kdy umřel Hikaru", "LETO KDY UMR"),
        ("Größe", "GROSSE"),
        ("КУХНЯ", "кухня"),
        ("進撃の巨人", "巨人"),
        ("Ωmega", "ωm"),
    ],
)
def test_searching_minds_neither_case_nor_accents_in_any_script(user, title, wanted):
    add_movie(user, title)
    add_movie(user, "Other")
    assert titles(user, search=wanted) == [title]


def test_titles_are_in_the_language_of_the_user_where_tmdb_has_it(user):
    entry = add_series(user, "La casa de papel", [10], 2)
    Media.objects.filter(pk=entry.media_id).update(
        title="Money Heist", titles={"de-DE": "Haus des Geldes", "pt-BR": "A Casa de Papel"}
    )
    assert titles(user) == ["Money Heist"]
    user.title_language = "de"
    assert titles(user) == ["Haus des Geldes"]
    assert titles(user, search="geldes") == ["Haus des Geldes"]
    user.title_language = "fr"
    assert titles(user) == ["La casa de papel"]
