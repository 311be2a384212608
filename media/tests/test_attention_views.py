"""The pages on which a person decides: as forms without scripts, and as htmx asks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from conftest import empty_cache
from media import attention, deciding, refreshing
from media.models import (
    DecidedBy,
    Decision,
    DecisionLog,
    EntryName,
    LibraryEntry,
    Media,
    Viewing,
)
from media.tests.making import look_up, watch
from media.tests.shelf import add_movie, add_series
from media.tests.states import entry_named, state
from media.tests.test_doubts import doubt

LIST = reverse("media:attention")
HTMX = {"HX-Request": "true"}


@pytest.fixture
def ana(client, user):
    client.force_login(user)
    return user


@pytest.fixture
def shelf(ana, open_shelf):
    return open_shelf


def to(name, entry):
    return reverse(f"media:{name}", args=[entry.pk])


def act(client, entry, what, **more):
    return client.post(to("act", entry), {"act": what, **more})


def texts(response):
    return [str(message) for message in response.wsgi_request._messages]


class TestTheList:
    def test_it_shows_what_is_asked_with_its_candidates(self, client, shelf):
        kingdom = entry_named("Kingdom")
        kingdom.candidates = [one | {"score": 40.0} for one in kingdom.candidates]
        kingdom.save()
        html = client.get(LIST).text
        assert "Which one is it?" in html
        assert html.count("This one") == 2
        assert "2019 · United States · 1 season, 2 episodes" in html
        assert "Kingdom: Season 1: " in html
        assert "Dark: Alpha" in html

    def test_what_is_nearly_sure_shows_its_rows_too(self, client, shelf):
        html = client.get(f"{LIST}?show=nearly-sure").text
        assert "Confirm what is ticked" in html
        assert "2 rows of your files" in html
        assert "<li>Kingdom: Season 1: One</li>" in html

    def test_it_says_so_when_nothing_is_left(self, client, ana):
        html = client.get(LIST).text
        assert "Nothing needs your attention" in html

    def test_titles_are_in_the_language_of_the_user(self, client, ana):
        lost = add_series(ana, "Money Heist", [3], 1, tmdb_gone_at=timezone.now())
        other = add_series(ana, "Dark", [3], 1)
        ana.title_language = "de"
        ana.save()
        Media.objects.filter(pk=lost.media_id).update(titles={"de-DE": "Haus des Geldes"})
        assert ">Haus des Geldes</a>" in client.get(LIST).text
        assert "Which series is “Haus des Geldes”?" in client.get(to("fix", lost)).text
        assert ">Haus des Geldes</option>" in client.get(to("fix", other)).text

    def test_a_filter_without_anything_left_says_so(self, client, shelf):
        assert "Nothing of this kind is left" in client.get(f"{LIST}?show=failed").text

    def test_an_address_that_makes_no_sense_shows_everything(self, client, shelf):
        assert "Kingdom" in client.get(f"{LIST}?show=nonsense&page=-1").text

    def test_when_a_failed_look_up_is_tried_again_is_said(self, client, ana):
        add_series(ana, "Dark", watched=1)
        LibraryEntry.objects.update(lookup_status="error")
        assert "tried again soon" in client.get(LIST).text

    def test_the_navigation_counts_on_every_page(self, client, shelf):
        for address in (LIST, reverse("media:library"), reverse("imports:new")):
            assert '<b class="nav__count" id="open-items">5</b>' in client.get(address).text

    def test_the_navigation_is_silent_when_nothing_is_left(self, client, ana):
        assert "nav__count" not in client.get(reverse("media:library")).text

    @pytest.mark.parametrize("language", ["", "de"])
    @pytest.mark.parametrize("size", [2, 45])
    def test_at_most_ten_queries_at_any_size(
        self, client, ana, size, language, django_assert_max_num_queries
    ):
        ana.title_language = language
        ana.save()
        for number in range(size):
            add_series(ana, f"Missing {number}", watched=3)
            add_series(ana, f"Gone {number}", [3], 1, tmdb_gone_at=timezone.now())
            doubt(ana, f"Doubtful {number}", "Alpha")
            deciding.hide(add_movie(ana, f"Movie {number}"), hidden=True)
        for address in (LIST, f"{LIST}?show=episode-or-movie", reverse("media:decided")):
            with django_assert_max_num_queries(10):
                assert client.get(address).status_code == 200

    @pytest.mark.parametrize("language", ["", "de"])
    @pytest.mark.parametrize("size", [2, 100])
    def test_fixing_takes_as_many_queries_at_any_size(
        self, client, ana, size, language, django_assert_max_num_queries
    ):
        ana.title_language = language
        ana.save()
        entry = add_series(ana, "Missing", watched=size)
        for number in range(size):
            add_series(ana, f"Other {number}", [3], 1)
        movie = add_movie(ana, "Roma")
        for address in (to("fix", entry), to("fix", movie)):
            with django_assert_max_num_queries(10):
                assert client.get(address).status_code == 200


class TestChoosing:
    def test_one_click_matches_and_leads_to_the_series(self, client, shelf):
        response = client.post(to("match", entry_named("Kingdom")), {"tmdb_id": 3})
        entry = entry_named("Kingdom")
        assert entry.media.tmdb_id == 3
        assert EntryName.objects.get(name="Kingdom").decision == Decision.MATCHED
        assert response.url == entry.get_absolute_url()
        assert "“Kingdom” is settled" in client.get(response.url).text

    def test_from_the_list_it_leads_back_there_where_it_can_be_undone(self, client, shelf):
        back = f"{LIST}?show=uncertain"
        response = client.post(
            to("match", entry_named("Kingdom")), {"tmdb_id": 3, "next": back}, follow=True
        )
        assert response.redirect_chain == [(back, 302)]
        assert reverse("media:undo", args=[DecisionLog.objects.get().pk]) in response.text

    def test_htmx_gets_what_was_decided_in_the_items_place(self, client, shelf):
        response = client.post(
            to("match", entry_named("Kingdom")), {"tmdb_id": 3, "next": LIST}, headers=HTMX
        )
        assert "<html" not in response.text
        assert "“Kingdom” is settled" in response.text
        assert 'id="open-items" hx-swap-oob="true">4</b>' in response.text
        assert reverse("media:undo", args=[DecisionLog.objects.get().pk]) in response.text

    def test_other_hosts_are_not_gone_back_to(self, client, shelf):
        response = client.post(
            to("match", entry_named("Kingdom")), {"tmdb_id": 3, "next": "https://evil.test/"}
        )
        assert response.url == LIST

    def test_an_id_that_tmdb_does_not_have_changes_nothing(self, client, shelf):
        before = state(shelf)
        response = client.post(to("match", entry_named("Kingdom")), {"tmdb_id": 4711})
        assert response.url == to("fix", entry_named("Kingdom"))
        assert "TMDB has no such series any more" in client.get(response.url).text
        assert state(shelf) == before

    @pytest.mark.parametrize("tmdb_id", ["", "x", "0", "-1", "99999999999"])
    def test_what_is_no_id_changes_nothing(self, client, shelf, tmdb_id):
        before = state(shelf)
        response = client.post(to("match", entry_named("Kingdom")), {"tmdb_id": tmdb_id})
        assert response.url == to("fix", entry_named("Kingdom"))
        assert state(shelf) == before

    def test_with_tmdb_down_the_choice_is_kept(self, client, shelf, tmdb, monkeypatch):
        monkeypatch.setattr("tmdb.throttle.sleep", lambda seconds: None)
        empty_cache()
        tmdb.status = 503
        client.post(to("match", entry_named("Kingdom")), {"tmdb_id": 77})
        assert entry_named("Kingdom").media.tmdb_id == 77
        assert entry_named("Kingdom").media.total_episodes is None

    def test_a_name_in_another_language_is_identified_by_english_titles(self, client, ana, tmdb):
        tmdb.add(70523, "Dark", {1: ["Secrets", "Lies"]})
        watch(ana, "Finsternis", "Lies")
        EntryName.objects.update(language="de")
        client.post(to("match", entry_named("Finsternis")), {"tmdb_id": 70523})
        viewing = Viewing.objects.get()
        assert [episode.title for episode in viewing.tmdb_episodes.all()] == ["Lies"]


class TestConfirmingTogether:
    def test_what_is_ticked_is_matched_and_nothing_else(self, client, shelf, tmdb):
        tmdb.add(5, "Shameless", {1: ["One", "Two"]}, first_air_date="2019-01-25")
        tmdb.add(6, "Shameless", {1: ["One", "Two"]}, first_air_date="2019-02-25")
        watch(shelf, "Shameless", "One", "Two")
        look_up()
        kingdom, shameless = entry_named("Kingdom"), entry_named("Shameless")
        html = client.get(LIST).text
        assert f'value="{kingdom.pk}:' in html
        assert f'value="{shameless.pk}:' in html
        response = client.post(reverse("media:confirm"), {"chosen": [f"{kingdom.pk}:2"]})
        assert response.url == LIST
        assert entry_named("Kingdom").media.tmdb_id == 2
        assert entry_named("Shameless").lookup_status == "uncertain"
        assert "1 series confirmed: Kingdom" in client.get(LIST).text

    def test_several_are_one_decision(self, client, shelf, tmdb):
        kingdom, jumanji = entry_named("Kingdom"), entry_named("Jumanji")
        LibraryEntry.objects.filter(pk=jumanji.pk).update(lookup_status="uncertain")
        chosen = [f"{kingdom.pk}:2", f"{jumanji.pk}:4"]
        client.post(reverse("media:confirm"), {"chosen": chosen})
        assert DecisionLog.objects.get().count == 2
        assert entry_named("Jumanji") == entry_named("Dark")

    @pytest.mark.parametrize("chosen", [[], ["x"], ["1:"], ["1:99999999999"], [":"]])
    def test_without_a_tick_it_asks_for_one(self, client, shelf, chosen):
        before = state(shelf)
        response = client.post(reverse("media:confirm"), {"chosen": chosen}, follow=True)
        assert "Tick the series that are right first" in response.text
        assert state(shelf) == before

    def test_what_was_settled_meanwhile_is_left_alone(self, client, shelf):
        kingdom, dark = entry_named("Kingdom"), entry_named("Dark")
        client.post(reverse("media:confirm"), {"chosen": [f"{kingdom.pk}:4711", f"{dark.pk}:2"]})
        assert entry_named("Kingdom").lookup_status == "uncertain"
        assert entry_named("Dark").media.tmdb_id == 4

    def test_a_tmdb_that_is_down_is_asked_only_once(self, client, shelf, tmdb, monkeypatch):
        monkeypatch.setattr("tmdb.throttle.sleep", lambda seconds: None)
        empty_cache()
        entries = [entry_named("Kingdom"), entry_named("Jumanji")]
        LibraryEntry.objects.filter(pk__in=[e.pk for e in entries]).update(
            lookup_status="uncertain"
        )
        tmdb.status = 503
        tmdb.asked.clear()
        deciding.confirm(shelf.pk, {entries[0].pk: 77, entries[1].pk: 78})
        assert {asked.split()[0] for asked in tmdb.asked} == {"/tv/77"}
        assert {entry_named(n).media.tmdb_id for n in ("Kingdom", "Jumanji")} == {77, 78}


class TestSearching:
    def search(self, client, words, entry=None, **how):
        return client.get(to("fix", entry or entry_named("Jumanji")), {"q": words}, **how)

    def test_other_words_bring_other_candidates(self, client, shelf, tmdb):
        tmdb.add(9, "Jumanji the Animated Series", {1: ["Welcome to the Jungle"]})
        html = self.search(client, "Jumanji Animated").text
        assert "Jumanji the Animated Series" in html
        assert "1 season, 1 episode" in html
        assert 'name="tmdb_id" value="9"' in html

    def test_htmx_gets_the_candidates_alone(self, client, shelf, tmdb):
        tmdb.add(9, "Jumanji the Animated Series", {1: ["Welcome to the Jungle"]})
        html = self.search(client, "Jumanji Animated", headers=HTMX).text
        assert "<html" not in html
        assert "Jumanji the Animated Series" in html

    @pytest.mark.parametrize(
        "words",
        ["1396", "https://www.themoviedb.org/tv/1396-breaking-bad", "themoviedb.org/tv/1396"],
    )
    def test_an_id_or_address_brings_that_series(self, client, shelf, words):
        html = self.search(client, words).text
        assert 'name="tmdb_id" value="1396"' in html

    def test_a_number_may_be_a_name_as_well(self, client, shelf, tmdb):
        tmdb.add(90669, "1899", {1: ["The Ship"]})
        html = self.search(client, "1899").text
        assert 'name="tmdb_id" value="90669"' in html

    def test_the_address_of_a_movie_is_no_series(self, client, shelf):
        html = self.search(client, "https://www.themoviedb.org/movie/603").text
        assert "This is the address of a movie" in html

    def test_an_address_without_a_series_is_said_to_have_none(self, client, shelf):
        html = self.search(client, "https://www.themoviedb.org/tv/4711").text
        assert "TMDB has no series with this ID" in html

    def test_words_that_find_nothing_say_so(self, client, shelf):
        assert "TMDB finds nothing by these words" in self.search(client, "xyzzy").text

    def test_without_an_answer_it_says_so(self, client, shelf, tmdb, monkeypatch):
        monkeypatch.setattr("tmdb.throttle.sleep", lambda seconds: None)
        tmdb.status = 503
        assert "TMDB does not answer now" in self.search(client, "something else").text

    @override_settings(TMDB_API_KEY="")
    def test_without_a_key_it_says_so(self, client, ana):
        entry = add_series(ana, "Kingdom", watched=1)
        assert "there is no TMDB key" in self.search(client, "Kingdom", entry).text

    def test_nothing_is_asked_without_words(self, client, shelf, tmdb):
        tmdb.asked.clear()
        assert client.get(to("fix", entry_named("Jumanji")), {"q": "  "}).status_code == 200
        assert tmdb.asked == []

    def test_a_search_changes_nothing(self, client, shelf):
        before = state(shelf)
        self.search(client, "Breaking Bad")
        assert state(shelf) == before


class TestSayingWhatItIs:
    def test_this_is_a_movie(self, client, shelf):
        response = act(client, entry_named("Jumanji"), "movie")
        assert response.url == reverse("media:library")
        assert Viewing.objects.filter(raw_title__startswith="Jumanji", kind="movie").count() == 2

    def test_a_single_movie_is_led_to(self, client, ana):
        entry = add_series(ana, "Jumanji", watched=1)
        response = act(client, entry, "movie")
        assert response.url == LibraryEntry.objects.movies().get().get_absolute_url()

    def test_not_on_tmdb(self, client, shelf):
        response = act(client, entry_named("Jumanji"), "ignore", next=LIST)
        assert response.url == LIST
        assert entry_named("Jumanji").lookup_status == "ignored"
        assert "Jumanji: Season" not in client.get(LIST).text

    def test_hide_and_show_again(self, client, shelf):
        act(client, entry_named("Dark"), "hide")
        assert entry_named("Dark") not in LibraryEntry.objects.of(shelf).visible()
        assert "Show again" in client.get(to("fix", entry_named("Dark"))).text
        act(client, entry_named("Dark"), "show")
        assert entry_named("Dark") in LibraryEntry.objects.of(shelf).visible()

    def test_look_it_up_again_takes_back_what_was_decided(self, client, shelf):
        deciding.match_to(entry_named("Breaking Bad"), 2, DecidedBy.USER)
        assert "Look it up again" in client.get(to("fix", entry_named("Breaking Bad"))).text
        act(client, entry_named("Breaking Bad"), "reopen")
        entry = entry_named("Breaking Bad")
        assert (entry.media.tmdb_id, entry.decided_by) == (1396, "automatic")

    @pytest.mark.parametrize("what", ["movie", "ignore", "reopen", "nonsense", ""])
    def test_what_cannot_be_said_of_a_movie_changes_nothing(self, client, shelf, what):
        before = state(shelf)
        response = act(client, entry_named("Dark: Alpha"), what)
        assert response.url == to("fix", entry_named("Dark: Alpha"))
        assert state(shelf) == before

    def test_a_movie_becomes_an_episode_of_a_series_of_the_library(self, client, shelf):
        movie = entry_named("Dark: Alpha")
        assert 'value="Dark"' in client.get(to("fix", movie)).text
        response = client.post(to("make-series", movie), {"series": " dark "})
        assert response.url == entry_named("Dark").get_absolute_url()
        assert entry_named("Dark").watched_episodes_count == 3

    def test_a_movie_becomes_a_series_that_is_then_looked_up(self, client, shelf, tmdb):
        tmdb.add(7, "Alpha Centauri", {1: ["Alpha"]}, first_air_date="2019-12-01")
        client.post(to("make-series", entry_named("Dark: Alpha")), {"series": "Alpha Centauri"})
        assert entry_named("Alpha Centauri").media.tmdb_id == 7

    def test_a_series_without_a_name_is_refused(self, client, shelf):
        before = state(shelf)
        client.post(to("make-series", entry_named("Dark: Alpha")), {"series": " "})
        client.post(to("make-series", entry_named("Dark")), {"series": "Dark"})
        assert state(shelf) == before

    def test_a_movie_is_not_matched_to_a_series(self, client, shelf):
        before = state(shelf)
        client.post(to("match", entry_named("Dark: Alpha")), {"tmdb_id": 4})
        assert state(shelf) == before


class TestTitles:
    def test_one_title_of_a_series_becomes_a_movie_and_an_episode_again(self, client, shelf):
        watch(shelf, "Dark", "The Movie")
        before = state(shelf)
        series = entry_named("Dark")
        movie = Viewing.objects.get(episode_title="The Movie")
        page = client.get(to("fix", series)).text
        assert f'value="{movie.title_hash}"' in page and "Movies among its titles" in page
        response = client.post(to("make-movies", series), {"title": [movie.title_hash]})
        movie.refresh_from_db()
        assert response.url == movie.entry.get_absolute_url()
        assert (movie.kind, movie.entry.media.title) == ("movie", movie.raw_title)
        assert entry_named("Dark") == series
        log = DecisionLog.objects.latest("pk")
        assert attention.in_words(log) == f"“{movie.raw_title}” is a movie"
        client.post(reverse("media:undo", args=[log.pk]))
        assert state(shelf) == before

    @pytest.mark.parametrize("titles", [[], ["x"], ["0" * 32]])
    def test_titles_that_the_series_does_not_have_change_nothing(self, client, shelf, titles):
        before = state(shelf)
        response = client.post(to("make-movies", entry_named("Dark")), {"title": titles})
        assert response.url == to("fix", entry_named("Dark"))
        assert state(shelf) == before


class TestNames:
    def test_names_are_split_off(self, client, shelf):
        name = EntryName.objects.get(name="Dunkel")
        assert "Split them off" in client.get(to("fix", entry_named("Dark"))).text
        response = client.post(to("split", entry_named("Dark")), {"name": [name.pk]})
        apart = entry_named("Dunkel")
        assert response.url == to("fix", apart)
        assert apart != entry_named("Dark")
        assert (apart.watched_episodes_count, entry_named("Dark").watched_episodes_count) == (1, 1)
        assert apart.media.owner == shelf

    @pytest.mark.parametrize("names", [[], ["x"], ["Dark", "Dunkel"], ["Kingdom"]])
    def test_one_name_goes_and_one_stays(self, client, shelf, names):
        before = state(shelf)
        ids = [EntryName.objects.get(name=n).pk if n != "x" else n for n in names]
        response = client.post(to("split", entry_named("Dark")), {"name": ids})
        assert response.url == to("fix", entry_named("Dark"))
        assert state(shelf) == before

    def test_two_series_are_merged(self, client, shelf):
        jumanji, dark = entry_named("Jumanji"), entry_named("Dark")
        assert f'<option value="{dark.pk}">' in client.get(to("fix", jumanji)).text
        response = client.post(to("merge", jumanji), {"into": dark.pk})
        assert response.url == dark.get_absolute_url()
        assert entry_named("Jumanji") == dark
        assert EntryName.objects.get(name="Jumanji").decided_tmdb_id == 4

    def test_what_is_matched_stays_so_whichever_way_it_is_merged(self, client, shelf):
        client.post(to("merge", entry_named("Dark")), {"into": entry_named("Jumanji").pk})
        assert entry_named("Jumanji").media.tmdb_id == 4
        assert entry_named("Dark") == entry_named("Jumanji")

    def test_nothing_is_merged_with_itself_a_movie_or_nothing(self, client, shelf):
        before = state(shelf)
        dark, movie = entry_named("Dark"), entry_named("Dark: Alpha")
        for into in (dark.pk, movie.pk, "", "x"):
            client.post(to("merge", dark), {"into": into})
        client.post(to("merge", movie), {"into": dark.pk})
        assert state(shelf) == before


class TestReadings:
    def read(self, client, how="", **data):
        return client.post(reverse("media:read-titles"), {"next": LIST, **data}, headers=how or {})

    def title(self, title):
        return Viewing.objects.get(raw_title=title).title_hash

    def test_one_title_is_an_episode(self, client, shelf):
        self.read(client, one=f"episode:{self.title('Dark: Alpha')}")
        viewing = Viewing.objects.get(raw_title="Dark: Alpha")
        assert (viewing.kind, viewing.reading_uncertain) == ("episode", False)
        assert viewing.entry == entry_named("Dark")

    def test_one_title_is_a_movie(self, client, shelf):
        self.read(client, one=f"movie:{self.title('Lupin: Chapter 1')}")
        assert Viewing.objects.get(raw_title="Lupin: Chapter 1").kind == "movie"
        assert Viewing.objects.get(raw_title="Lupin: Chapter 2").reading_uncertain

    def test_all_that_are_shown_are_settled_at_once(self, client, shelf):
        hashes = [self.title(f"Lupin: Chapter {number}") for number in (1, 2)]
        self.read(client, all="movie", title=hashes)
        assert Viewing.objects.filter(kind="movie", reading_uncertain=False).count() == 2
        assert DecisionLog.objects.get().count == 2

    def test_htmx_gets_what_is_left_of_the_group(self, client, shelf):
        first = self.title("Lupin: Chapter 1")
        html = self.read(client, HTMX, one=f"episode:{first}", series="lupin").text
        assert "<html" not in html
        assert "Lupin: Chapter 2" in html
        assert html.count("Lupin: Chapter 1") == html.count(
            "“Lupin: Chapter 1” is an episode of Lupin"
        )
        second = self.title("Lupin: Chapter 2")
        html = self.read(client, HTMX, one=f"episode:{second}", series="lupin").text
        assert "is an episode of Lupin" in html

    def test_a_new_series_is_looked_up(self, client, ana, tmdb):
        tmdb.add(4, "Dark", {1: ["Secrets", "Alpha"]}, first_air_date="2019-12-01")
        doubt(ana, "Dark", "Alpha")
        self.read(client, one=f"episode:{self.title('Dark: Alpha')}")
        assert entry_named("Dark").media.tmdb_id == 4

    @pytest.mark.parametrize(
        "data",
        [
            {},
            {"one": "episode:"},
            {"one": "series:" + "0" * 32},
            {"one": "movie:" + "0" * 32},
            {"all": "movie"},
            {"all": "x", "title": "0" * 32},
        ],
    )
    def test_what_makes_no_sense_changes_nothing(self, client, shelf, data):
        before = state(shelf)
        assert self.read(client, **data).url == LIST
        assert state(shelf) == before

    def test_a_title_of_somebody_else_is_not_touched(self, client, shelf, make_user):
        ben = make_user("ben")
        theirs = doubt(ben, "Ozark", "Alpha")
        self.read(client, one=f"episode:{theirs.title_hash}")
        theirs.refresh_from_db()
        assert theirs.reading_uncertain


class TestGone:
    def test_tmdb_is_asked_again(self, client, shelf, tmdb):
        series = tmdb.series.pop(1396)
        refreshing.refresh(Media.objects.get(tmdb_id=1396))
        assert "Gone from TMDB" in client.get(LIST).text
        entry = entry_named("Breaking Bad")
        client.post(to("ask-again", entry))
        assert Media.objects.get(tmdb_id=1396).tmdb_gone_at
        tmdb.series[1396] = series
        client.post(to("ask-again", entry))
        assert "Gone from TMDB" not in client.get(LIST).text

    def test_it_can_be_matched_to_its_new_record(self, client, shelf, tmdb):
        series = tmdb.series.pop(1396)
        refreshing.refresh(Media.objects.get(tmdb_id=1396))
        tmdb.series[1400] = {**series, "id": 1400}
        client.post(to("match", entry_named("Breaking Bad")), {"tmdb_id": 1400})
        entry = entry_named("Breaking Bad")
        assert (entry.media.tmdb_id, entry.watched_episodes_count) == (1400, 2)
        assert "Gone from TMDB" not in client.get(LIST).text

    def test_without_an_answer_nothing_is_claimed(self, client, shelf, tmdb, monkeypatch):
        monkeypatch.setattr("tmdb.throttle.sleep", lambda seconds: None)
        tmdb.status = 503
        long_ago()
        response = client.post(to("ask-again", entry_named("Breaking Bad")), follow=True)
        assert "TMDB does not answer now" in response.text


def long_ago():
    Media.objects.filter(tmdb_id=1396).update(last_tmdb_update=timezone.now() - timedelta(days=3))


class TestCheckNow:
    def check(self, client, entry):
        there = entry.get_absolute_url()
        response = client.post(to("ask-again", entry), {"next": there}, follow=True)
        assert response.redirect_chain == [(there, 302)]
        return response.text

    def test_the_page_of_a_series_says_when_its_totals_were_checked(self, client, shelf):
        long_ago()
        page = client.get(entry_named("Breaking Bad").get_absolute_url()).text
        assert "totals from TMDB, checked 3\N{NO-BREAK SPACE}days ago" in page

    def test_new_totals_come_at_once(self, client, shelf, tmdb):
        long_ago()
        entry = entry_named("Breaking Bad")
        assert "nothing new: the total is the same" in self.check(client, entry)
        long_ago()
        tmdb.series[1396]["number_of_episodes"] = 5
        assert "The total is 5 episodes now." in self.check(client, entry)
        assert "checked just now" in self.check(client, entry)

    def test_what_was_asked_just_now_is_not_asked_again(self, client, shelf, tmdb):
        entry = entry_named("Breaking Bad")
        asked = len(tmdb.asked)
        assert "was asked about this series just now" in self.check(client, entry)
        assert len(tmdb.asked) == asked

    def test_without_a_key_there_is_nothing_to_press(self, client, shelf, settings):
        settings.TMDB_API_KEY = ""
        page = client.get(entry_named("Breaking Bad").get_absolute_url()).text
        assert "checked" in page and "Check now" not in page


class TestUndo:
    def test_each_decision_of_the_list_can_be_undone(self, client, shelf):
        before = state(shelf)
        act(client, entry_named("Jumanji"), "ignore")
        log = DecisionLog.objects.get()
        page = client.get(reverse("media:decided")).text
        assert "“Jumanji” is not on TMDB" in page
        response = client.post(reverse("media:undo", args=[log.pk]), follow=True)
        assert "Undone: “Jumanji” is not on TMDB." in response.text
        assert state(shelf) == before
        assert "You have decided nothing yet" in client.get(reverse("media:decided")).text

    def test_a_later_decision_about_the_same_name_must_go_first(self, client, shelf):
        act(client, entry_named("Jumanji"), "ignore")
        first = DecisionLog.objects.get()
        act(client, entry_named("Jumanji"), "hide")
        response = client.post(reverse("media:undo", args=[first.pk]), follow=True)
        assert "Undo that first" in response.text
        assert entry_named("Jumanji").lookup_status == "ignored"
        assert "decided anew since" in client.get(reverse("media:decided")).text

    def test_nobody_undoes_what_others_decided(self, client, shelf, make_user):
        act(client, entry_named("Jumanji"), "ignore")
        log = DecisionLog.objects.get()
        client.force_login(make_user("ben"))
        assert client.post(reverse("media:undo", args=[log.pk])).status_code == 404
        assert DecisionLog.objects.filter(pk=log.pk).exists()
        assert "Jumanji" not in client.get(reverse("media:decided")).text


OF_ENTRIES = ["match", "act", "make-series", "split", "merge", "ask-again"]


class TestWhoseItIs:
    @pytest.mark.parametrize("name", ["fix", *OF_ENTRIES])
    def test_entries_of_others_are_not_found(self, client, shelf, make_user, name):
        before = state(shelf)
        client.force_login(make_user("ben"))
        data = {"tmdb_id": 3, "act": "hide", "series": "x", "name": [1], "into": 1}
        address = to(name, entry_named("Kingdom"))
        response = client.get(address) if name == "fix" else client.post(address, data)
        assert response.status_code == 404
        assert "Kingdom" not in response.text
        assert state(shelf) == before

    def test_nothing_is_merged_into_what_is_others(self, client, shelf, make_user):
        theirs = add_series(make_user("ben"), "Ozark", [3], 1)
        before = state(shelf)
        response = client.post(to("merge", entry_named("Kingdom")), {"into": theirs.pk})
        assert response.status_code == 404
        assert state(shelf) == before

    def test_nothing_of_others_is_confirmed(self, client, shelf, make_user):
        before = state(shelf)
        kingdom = entry_named("Kingdom")
        client.force_login(make_user("ben"))
        client.post(reverse("media:confirm"), {"chosen": [f"{kingdom.pk}:2"]})
        assert state(shelf) == before

    def test_names_of_others_are_not_split_off(self, client, shelf, make_user):
        theirs = add_series(make_user("ben"), "Ozark", watched=1).names.get()
        before = state(shelf)
        client.post(to("split", entry_named("Dark")), {"name": [theirs.pk]})
        assert state(shelf) == before

    @pytest.mark.parametrize("name", OF_ENTRIES)
    def test_changes_are_made_by_post_only(self, client, shelf, name):
        assert client.get(to(name, entry_named("Kingdom"))).status_code == 405

    @pytest.mark.parametrize("name", ["confirm", "read-titles"])
    def test_so_are_those_of_several(self, client, shelf, name):
        assert client.get(reverse(f"media:{name}")).status_code == 405

    def test_a_form_without_its_token_is_refused(self, shelf, user):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(user)
        before = state(shelf)
        response = strict.post(to("match", entry_named("Kingdom")), {"tmdb_id": 3})
        assert response.status_code == 403
        assert state(shelf) == before

    def test_titles_cannot_bring_markup_into_the_pages(self, client, ana):
        entry = add_series(ana, "<script>alert(1)</script>", watched=1)
        deciding.hide(add_movie(ana, "<b>Roma</b>"), hidden=True)
        for address in (LIST, to("fix", entry), reverse("media:decided")):
            html = client.get(address).text
            assert "<script>alert" not in html
            assert "<b>Roma" not in html
        act(client, entry, "ignore")
        assert (
            "<script>alert"
            not in client.get(entry_named(entry.names.get().name).get_absolute_url()).text
        )
