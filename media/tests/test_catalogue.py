"""What is stored of TMDB's episodes, and what becomes of viewings when TMDB changes its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from imports import sweeping
from media import lookup, marking, refreshing
from media.catalogue import store_series
from media.entry_pages import series_page
from media.forms import LibraryQuery
from media.models import Episode, LibraryEntry, Media, Season, Source, Viewing
from media.pages import library_page
from media.tests.making import DAY, look_up, watch
from media.titles import episode_title, put_into_language
from tmdb.service import Seasons, series_details

DARK = 70523


@pytest.fixture
def dark(tmdb):
    """Dark as TMDB has it, to be changed there."""
    tmdb.add(DARK, "Dark", {1: ["Secrets", "Lies", "Placeholder"], 2: ["Beginnings"]})
    return tmdb.series[DARK]


def change(series, titles, ids=None):
    """What TMDB lists from now on; episodes of the seasons in `ids` bear these ids."""
    series["titles"] = titles
    series["episode_ids"] = ids or {}
    regular = {number: of_season for number, of_season in titles.items() if number}
    series["number_of_seasons"] = len(regular)
    series["number_of_episodes"] = sum(map(len, regular.values()))
    series["seasons"] = [
        {"season_number": number, "name": f"Season {number}", "episode_count": len(of_season)}
        for number, of_season in titles.items()
    ]


def refresh(series, titles, ids=None):
    change(series, titles, ids)
    assert refreshing.refresh(Media.objects.get(tmdb_id=series["id"]))


def page_of(user):
    return series_page(LibraryEntry.objects.select_related("media").get(user=user))


def lines(page):
    return [
        (view.number, line.number, line.title, line.is_watched)
        for view in page.seasons
        for line in view.lines
    ]


def next_on_card(user):
    (card,) = library_page(user, LibraryQuery()).cards
    return card.next


def watched_episodes(user):
    """TMDB's ids of the episodes that each viewing is of, by title."""
    viewings = Viewing.objects.of(user).order_by("episode_title", "pk")
    return [
        (v.episode_title, v.tmdb_season, [e.tmdb_id for e in v.tmdb_episodes.order_by("number")])
        for v in viewings
    ]


def test_a_placeholder_that_tmdb_removed_is_neither_listed_nor_next(user, dark):
    watch(user, "Dark", "Secrets", "Lies")
    look_up()
    refresh(dark, {1: ["Secrets", "Lies"]})
    page = page_of(user)
    assert (page.progress, page.is_complete, page.next) == ("2/2 episodes", True, None)
    assert lines(page) == [(1, 1, "Secrets", True), (1, 2, "Lies", True)]
    assert not Episode.objects.filter(title="Placeholder").exists()


def test_card_and_page_name_the_same_next_episode_once_a_placeholder_is_gone(user, dark):
    watch(user, "Dark", "Secrets", "Lies")
    look_up()
    refresh(dark, {1: ["Secrets", "Lies"], 2: ["Beginnings"]})
    assert page_of(user).next == next_on_card(user)
    assert (next_on_card(user).season, next_on_card(user).title) == (2, "Beginnings")


def test_a_season_that_comes_back_with_new_ids_is_listed_once_and_stays_watched(user, dark):
    watch(user, "Dark", "Secrets", "Lies")
    watch(User.objects.create_user("ben"), "Dark", "Lies")
    look_up()
    refresh(dark, {1: ["Secrets", "Lies", "Past and Present"]}, {1: [901, 902, 903]})
    page = page_of(user)
    assert lines(page) == [
        (1, 1, "Secrets", True),
        (1, 2, "Lies", True),
        (1, 3, "Past and Present", False),
    ]
    assert (page.progress, page.seasons[0].progress) == ("2/3 episodes", "2/3")
    assert page.next == next_on_card(user)
    assert page.next.title == "Past and Present"
    assert watched_episodes(user) == [("Lies", 1, [902]), ("Secrets", 1, [901])]
    assert watched_episodes(User.objects.get(username="ben")) == [("Lies", 1, [902])]
    assert not Episode.objects.filter(season__isnull=True).exists()


def test_the_next_import_of_anybody_settles_what_is_gone_for_all(user, dark, tmdb):
    watch(user, "Dark", "Secrets", "Lies")
    look_up()
    change(dark, {1: ["Secrets", "Lies"]}, {1: [901, 902]})
    series_details(DARK, "en", Seasons.ALL, refresh=True)
    watch(User.objects.create_user("ben"), "Dark", "Lies")
    look_up()
    assert watched_episodes(user) == [("Lies", 1, [902]), ("Secrets", 1, [901])]


def test_marks_by_hand_go_along_by_number_where_the_title_changed_too(user, dark):
    watch(user, "Dark", "Secrets")
    look_up()
    entry = LibraryEntry.objects.get()
    third = Episode.objects.get(title="Placeholder")
    marking.watch_episodes(entry, [third.tmdb_id], DAY)
    marking.watch_episodes(entry, [third.tmdb_id], DAY + timedelta(days=9))
    refresh(dark, {1: ["Secrets", "Lies", "Past and Present"]}, {1: [901, 902, 903]})
    marks = Viewing.objects.filter(source=Source.MANUAL)
    assert {tuple(mark.tmdb_episodes.values_list("tmdb_id", flat=True)) for mark in marks} == {
        (903,)
    }
    assert lines(page_of(user))[2] == (1, 3, "Past and Present", True)
    assert page_of(user).entry.watched_episodes_count == 2


def test_a_title_is_followed_to_another_number_of_its_season(user, dark):
    watch(user, "Dark", "Lies")
    look_up()
    marking.watch_episodes(LibraryEntry.objects.get(), [DARK * 10_000 + 101])
    refresh(dark, {1: ["Prologue", "Secrets", "Lies"]}, {1: [901, 902, 903]})
    assert [line[3] for line in lines(page_of(user))] == [False, True, True]


def test_an_episode_that_moved_up_to_the_number_of_a_removed_one_is_not_taken_for_it(user, dark):
    watch(user, "Dark", "Secrets", "Lies")
    look_up()
    season = Episode.objects.filter(season__number=1)
    _, second, third = season.values_list("tmdb_id", flat=True)
    refresh(dark, {1: ["Lies", "Placeholder", "Truths"]}, {1: [second, third, 904]})
    assert watched_episodes(user) == [("Lies", 1, [second]), ("Secrets", None, [])]
    assert page_of(user).entry.watched_episodes_count == 2


def test_what_is_watched_of_a_season_that_tmdb_dropped_is_found_where_it_went(user, dark):
    watch(user, "Dark", "Secrets")
    watch(user, "Dark", "Beginnings", "Unheard of", season=2)
    look_up()
    special = Episode.objects.get(title="Beginnings")
    marking.watch_episodes(LibraryEntry.objects.get(), [special.tmdb_id], DAY)
    refresh(dark, {1: ["Secrets", "Lies", "Beginnings"]}, {1: [901, 902, 903]})
    assert not Season.objects.filter(number=2).exists()
    assert watched_episodes(user) == [
        ("Beginnings", 1, [903]),
        ("Beginnings", 1, [903]),
        ("Secrets", 1, [901]),
        ("Unheard of", None, []),
    ]
    assert page_of(user).entry.watched_episodes_count == 3


def test_a_double_episode_stays_both(user, dark):
    watch(user, "Dark", "Secrets / Lies")
    look_up()
    refresh(dark, {1: ["Secrets", "Lies"]}, {1: [901, 902]})
    assert watched_episodes(user) == [("Secrets / Lies", 1, [901, 902])]


def test_what_somebody_dismissed_stays_dismissed_and_goes_along(user, dark):
    watch(user, "Dark", "Secrets", "Lies")
    look_up()
    lies = Episode.objects.get(title="Lies")
    marking.unwatch(LibraryEntry.objects.get(), [lies.tmdb_id])
    refresh(dark, {1: ["Secrets", "Lies"]}, {1: [901, 902]})
    assert watched_episodes(user) == [("Lies", 1, [902]), ("Secrets", 1, [901])]
    assert page_of(user).entry.watched_episodes_count == 1


def test_a_film_linked_to_a_special_goes_along(user, tmdb, dark):
    change(dark, {0: ["Making of"], 1: ["Secrets"]})
    watch(user, "Dark", "Secrets")
    look_up()
    film = watch(user, "Dark", "Making of").viewings.get(episode_title="Making of")
    Viewing.objects.filter(pk=film.pk).update(kind="movie", season_number=None, tmdb_season=0)
    film.tmdb_episodes.set(Episode.objects.filter(season__number=0))
    refresh(dark, {0: ["Making of"], 1: ["Secrets"]}, {0: [900]})
    film.refresh_from_db()
    assert (film.tmdb_season, film.tmdb_episodes.get().tmdb_id) == (0, 900)


def test_an_episode_that_comes_back_is_listed_as_before(user, dark):
    watch(user, "Dark", "Secrets", "Lies")
    look_up()
    before = watched_episodes(user)
    refresh(dark, {1: ["Secrets"]})
    assert watched_episodes(user)[0] == ("Lies", None, [])
    refresh(dark, {1: ["Secrets", "Lies"]})
    assert watched_episodes(user) == before


def test_a_season_whose_episodes_tmdb_did_not_tell_keeps_them(user, dark):
    watch(user, "Dark", "Secrets", "Lies")
    look_up()
    details = series_details(DARK, "en", [2], refresh=True)
    assert [season.episodes is None for season in details.seasons] == [True, False]
    store_series(details)
    assert Episode.objects.filter(season__number=1).count() == 3
    empty = tuple(replace(season, episodes=()) for season in details.seasons)
    store_series(replace(details, seasons=empty))
    assert Episode.objects.count() == 4, "TMDB says how many there are, and has not told them"


def test_an_answer_older_than_the_stored_one_takes_nothing_back(user, dark):
    watch(user, "Dark", "Secrets")
    look_up()
    older = series_details(DARK, "en", Seasons.ALL)
    refresh(dark, {1: ["Secrets", "Lies", "Past and Present", "Truths"]})
    store_series(replace(older, fetched_at=older.fetched_at - timedelta(hours=1)))
    media = Media.objects.get(tmdb_id=DARK)
    assert (media.total_episodes, media.seasons.count()) == (4, 1)
    assert Episode.objects.filter(title="Truths").exists()


def test_a_successor_that_is_gone_in_turn_is_followed_on(user, dark):
    watch(user, "Dark", "Secrets", "Lies")
    look_up()
    for ids in ([901, 902], [911, 912]):
        change(dark, {1: ["Secrets", "Lies"]}, {1: ids})
        store_series(series_details(DARK, "en", Seasons.ALL, refresh=True))
    lookup.identify_gone()
    assert watched_episodes(user) == [("Lies", 1, [912]), ("Secrets", 1, [911])]
    assert Episode.objects.count() == 2


@pytest.fixture
def ben(db):
    return User.objects.create_user("ben")


@pytest.fixture
def translated(dark):
    """Dark with titles in German, too."""
    change(dark, {1: ["Secrets", "Lies", "Past and Present"]})
    dark["titles_in"] = {"de": {1: ["Geheimnisse", "Lügen", "Gestern und heute"]}}
    return dark


def reimport(user, *titles, **options):
    """What an import does with further titles of a series that is matched."""
    watch(user, "Dark", *titles, **options)
    lookup.identify_new_viewings(LibraryEntry.objects.of(user))


def next_for(user):
    """What comes next, on the card and on the page of the series."""
    entry = LibraryEntry.objects.of(user).select_related("media").prefetch_related("names").get()
    put_into_language([entry], user)
    page = series_page(entry)
    assert page.next == next_on_card(user)
    return page.next and page.next.title


class TestLanguages:
    def test_nobody_elses_look_up_takes_the_titles_of_ones_language(self, user, ben, translated):
        watch(user, "Dark", "Secrets")
        look_up()
        watch(ben, "Dark", "Geheimnisse", language="de")
        look_up()
        reimport(user, "Lies")
        assert watched_episodes(user)[0] == ("Lies", 1, [DARK * 10_000 + 102])
        assert (next_for(user), next_for(ben)) == ("Past and Present", "Lügen")

    def test_rows_in_any_language_stored_are_identified(self, user, ben, translated):
        watch(user, "Dark", "Secrets")
        watch(ben, "Dark", "Geheimnisse", language="de")
        look_up()
        reimport(user, "Lügen")
        reimport(ben, "Lies", language="de")
        assert {
            ids for who in (user, ben) for t, _, [ids] in watched_episodes(who) if "L" in t
        } == {DARK * 10_000 + 102}

    def test_the_language_that_one_chose_for_titles_goes_first(self, user, ben, translated):
        watch(user, "Dark", "Secrets")
        watch(ben, "Dark", "Geheimnisse", language="de")
        look_up()
        user.title_language = "de"
        assert next_for(user) == "Lügen"
        user.title_language = "fr"
        assert next_for(user) == "Lies"

    def test_a_refresh_in_one_language_keeps_and_completes_the_others(
        self, user, ben, translated, tmdb
    ):
        watch(user, "Dark", "Secrets")
        watch(ben, "Dark", "Geheimnisse", language="de")
        look_up()
        german = translated["titles_in"]["de"][1]
        translated["titles_in"]["de"] = {1: [*german, "Doppelleben"]}
        tmdb.languages.clear()
        refresh(translated, {1: ["Secrets", "Lies", "Past and Present", "Double Lives"]})
        assert Episode.objects.get(number=4).titles == {"de": "Doppelleben", "en": "Double Lives"}
        assert len(tmdb.languages) == 2
        tmdb.languages.clear()
        refresh(translated, translated["titles"])
        assert len(tmdb.languages) == 1, "nothing is missing any more"

    def test_the_cached_answer_of_another_language_adds_its_titles_alone(self, user, translated):
        watch(user, "Dark", "Secrets")
        look_up()
        german = series_details(DARK, "de", Seasons.ALL)
        refresh(translated, {1: ["Secrets", "Truths"]})
        store_series(replace(german, fetched_at=german.fetched_at - timedelta(hours=1)))
        assert dict(Episode.objects.values_list("title", "titles")) == {
            "Secrets": {"en": "Secrets", "de": "Geheimnisse"},
            "Truths": {"en": "Truths", "de": "Lügen"},
        }

    def test_seasons_have_names_by_language_too(self, user, translated):
        watch(user, "Dark", "Secrets")
        look_up()
        details = series_details(DARK, "en", Seasons.ALL)
        for code, name in (("en", "Coven"), ("de", "Hexenzirkel"), ("fr", "Saison 1")):
            of_season = tuple(replace(season, name=name) for season in details.seasons)
            store_series(replace(details, seasons=of_season, language=code))
        user.title_language = "de"
        entry = LibraryEntry.objects.get()
        put_into_language([entry], user)
        assert series_page(entry).seasons[0].name == "Hexenzirkel"
        entry.title_language = "fr"
        assert series_page(entry).seasons[0].name == "Coven"

    def test_titles_that_only_number_are_none(self):
        titles = {"de": "Folge 3", "en": "Lies", "fr": "Mensonges", "pt-BR": "Mentiras"}
        assert episode_title(titles, 3, ["de", "en"]) == "Lies"
        assert episode_title(titles, 3, ["pt-PT", "en"]) == "Mentiras"
        assert episode_title(titles, 3, ["tr"]) == "Lies"
        assert episode_title({"de": "Folge 3"}, 3, ["de"]) == ""
        assert episode_title({"de": "Folge 14"}, 3, ["de"]) == "Folge 14"


class TestEnglishTitles:
    """They are fetched in the background where a series has none in the language of its rows."""

    @pytest.fixture
    def numbered(self, dark):
        change(dark, {1: ["Secrets", "Lies", "Past and Present"]})
        dark["titles_in"] = {"de": {1: ["Folge 1", "Folge 2", "Folge 3"]}}
        return dark

    def test_they_come_with_the_next_task_and_are_asked_for_once(self, ben, numbered, tmdb):
        watch(ben, "Dark", "Folge 1", "Lies", language="de")
        look_up()
        assert (next_for(ben), len(tmdb.asked)) == ("Episode 2", 2)
        assert watched_episodes(ben)[1] == ("Lies", None, [])
        sweeping.fetch_titles(timezone.now())
        assert (next_for(ben), len(tmdb.asked)) == ("Past and Present", 3)
        assert watched_episodes(ben)[1] == ("Lies", 1, [DARK * 10_000 + 102])
        sweeping.fetch_titles(timezone.now() + timedelta(days=1))
        assert len(tmdb.asked) == 3

    def test_no_page_asks_for_them(self, client, ben, numbered, tmdb):
        watch(ben, "Dark", "Folge 1", language="de")
        look_up()
        asked = len(tmdb.asked)
        client.force_login(ben)
        for address in ("/", LibraryEntry.objects.get().get_absolute_url()):
            assert client.get(address).status_code == 200
        assert len(tmdb.asked) == asked

    def test_nobody_asks_where_there_are_titles_or_english_ones_are_no_better(
        self, user, ben, translated, tmdb
    ):
        tmdb.add(5, "Plain", {1: ["Episode 1", "Episode 2"]})
        watch(ben, "Dark", "Geheimnisse", language="de")
        watch(user, "Plain", "Episode 1")
        look_up()
        assert not Media.objects.wanting_english().exists()

    def test_a_failing_tmdb_is_left_alone_for_a_while(self, ben, numbered, tmdb, monkeypatch):
        monkeypatch.setattr("tmdb.throttle.sleep", lambda seconds: None)
        watch(ben, "Dark", "Folge 1", language="de")
        look_up()
        tmdb.status = 503
        sweeping.fetch_titles(timezone.now())
        assert Media.objects.wanting_english().exists()
        tmdb.status = 200
        refreshing.refresh(Media.objects.get(tmdb_id=DARK))
        assert not Media.objects.wanting_english().exists()
        assert next_for(ben) == "Lies"
