"""What the library page shows, in which order, and how it counts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.http import QueryDict
from django.utils import timezone

from media import library
from media.entry_pages import series_page
from media.forms import LibraryForm, LibraryQuery, Show, Sort
from media.models import EntryName, Episode, LibraryEntry, LookupStatus, Media, Viewing
from media.pages import library_page
from media.tests.shelf import DAY, add_movie, add_seasons, add_series, watch

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
    return [card.media.shown_title for card in library_page(user, LibraryQuery(**query)).cards]


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
    for title in ("beta", "Zoo", "Élite", "Alpha", "ähnlich", "Gamma"):
        add_movie(user, title)
    in_order = ["ähnlich", "Alpha", "beta", "Élite", "Gamma", "Zoo"]
    assert titles(user, sort=Sort.TITLE) == in_order
    user.title_language = "de"
    assert titles(user, sort=Sort.TITLE) == in_order


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


def test_titles_come_in_pages_of_full_rows(user):
    for number in range(49):
        add_movie(user, f"Film {number:02}", date(2024, 1, 1) + timedelta(days=number))
    assert titles(user)[0] == "Film 48"
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
    entry.media.title = "Money Heist"
    entry.media.titles = {"de-DE": "Haus des Geldes", "pt-BR": "A Casa de Papel"}
    entry.media.save()
    assert titles(user) == ["Money Heist"]
    user.title_language = "de"
    assert titles(user) == ["Haus des Geldes"]
    assert titles(user, search="geldes") == ["Haus des Geldes"]
    user.title_language = "fr"
    assert titles(user) == ["La casa de papel"]


def next_on_cards(user):
    return {title: card.next for title, card in cards_by_title(user).items() if card.next}


def test_a_card_names_the_episode_that_comes_next(shelf):
    upcoming = next_on_cards(shelf)
    assert {title: (one.season, one.number) for title, one in upcoming.items()} == {
        "Dark": (3, 1),
        "Almost": (1, 10),
    }
    assert upcoming["Dark"].title == "S3E1"


NOT_YET, LONG_AGO = date(9999, 1, 1), date(2000, 1, 1)


@pytest.mark.parametrize(
    ("seasons", "watched", "aired", "days"),
    [
        ([3, 3], 0, None, {}),
        ([3, 3], 3, None, {}),
        ([3, 3], 5, 5, {}),
        ([3, 3], 4, None, {5: NOT_YET, 6: LONG_AGO}),
        ([3, 0, 3], 3, None, {}),
        ([3, 3], 3, 4, {}),
    ],
)
def test_a_card_names_the_same_episode_as_the_page_of_the_series(
    user, seasons, watched, aired, days
):
    entry = add_series(user, "Dark", seasons, watched, aired=aired)
    add_seasons(entry.media, [2], first_number=0)
    episodes = Episode.objects.filter(season__number__gt=0).order_by("season__number", "number")
    for at, episode in enumerate(episodes, start=1):
        Episode.objects.filter(pk=episode.pk).update(air_date=days.get(at))
    card = cards_by_title(user)["Dark"]
    expected = series_page(entry).next
    assert card.next == (expected if watched and not card.is_complete else None)


def test_after_a_gap_the_card_goes_on_with_what_follows_the_furthest(user):
    entry = add_series(user, "Dark", [3, 3], 5)
    gone = Viewing.objects.filter(tmdb_episodes__season__number=1).order_by("pk")[0]
    gone.delete()
    Viewing.objects.filter(tmdb_episodes__number=2, tmdb_season=2).delete()
    library.recount([entry.pk])
    upcoming = cards_by_title(user)["Dark"].next
    assert (upcoming.season, upcoming.number) == (2, 2)


def test_titles_are_sorted_as_they_are_shown(user):
    for title, german in (("Money Heist", "Haus des Geldes"), ("Dark", ""), ("Elite", "Élite")):
        entry = add_series(user, title, [10], 2)
        Media.objects.filter(pk=entry.media_id).update(titles={"de-DE": german})
    add_movie(user, "Flucht")
    assert titles(user, sort=Sort.TITLE) == ["Dark", "Elite", "Flucht", "Money Heist"]
    user.title_language = "de"
    in_german = ["Dark", "Élite", "Flucht", "Haus des Geldes"]
    assert titles(user, sort=Sort.TITLE) == in_german
    assert titles(user, sort=Sort.TITLE, show=Show.MOVIES) == ["Flucht"]


def test_what_is_shown_in_a_language_is_not_stored(user):
    entry = add_series(user, "Money Heist", [10], 2)
    Media.objects.filter(pk=entry.media_id).update(titles={"de-DE": "Haus des Geldes"})
    user.title_language = "de"
    (card,) = library_page(user, LibraryQuery()).cards
    card.media.save()
    assert (card.media.shown_title, Media.objects.get().title) == ("Haus des Geldes", "Money Heist")


def test_a_name_that_an_older_version_stored_is_found(user):
    add_movie(user, "Größe")
    Media.objects.update(folded="")
    EntryName.objects.update(folded="")
    assert titles(user, search="grosse") == []
    import_module("media.migrations.0011_folded_titles").fold_all(apps, None)
    assert titles(user, search="grosse") == ["Größe"]


def test_profiles_are_those_of_viewings_that_are_shown(user, make_user):
    for profile in ("Zoë", "", "Ada", "Ada", "Émile", "Gone"):
        viewing = add_movie(user, f"Of {profile} {make_user()}").viewings.get()
        viewing.profile = profile
        viewing.dismissed_at = timezone.now() if profile == "Gone" else None
        viewing.save()
    assert sorted(Viewing.objects.profiles_of(user)) == ["Ada", "Zoë", "Émile"]
    assert Viewing.objects.profiles_of(make_user()) == ()


def test_a_number_instead_of_a_title_is_not_said_twice(user):
    entry = add_series(user, "Dark", [3], 2)
    Episode.objects.filter(season__media=entry.media, number=3).update(title="Episode 3")
    assert not cards_by_title(user)["Dark"].next.is_titled
    Episode.objects.filter(season__media=entry.media, number=3).update(title="Secrets")
    assert cards_by_title(user)["Dark"].next.is_titled


def test_the_last_day_is_that_of_the_users_time_zone_where_the_time_is_known(user):
    late = add_movie(user, "Roma")
    late.viewings.update(watched_at=datetime(2024, 5, 1, 23, 30, tzinfo=UTC))
    add_movie(user, "Okja")
    with timezone.override("Europe/Berlin"):
        days = {title: card.entry.last_day for title, card in cards_by_title(user).items()}
    assert days == {"Roma": DAY + timedelta(days=1), "Okja": DAY}


def test_nothing_comes_next_where_nobody_knows_which_episodes_were_watched(user):
    entry = add_series(user, "Dark", [3, 3], 3)
    for at in (1, 2):
        title = f"Unheard of {at}"
        watch(entry, f"Dark: Season 2: {title}", DAY, season_number=2, episode_title=title)
    library.recount([entry.pk])
    assert cards_by_title(user)["Dark"].next is series_page(entry).next is None
