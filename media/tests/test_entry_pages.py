"""What the pages of a series and of a movie show."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone, translation

from media import library, marking
from media.entry_pages import Marks, days_watched, movie_page, series_page
from media.models import LibraryEntry, Media, Season
from media.pages import Next
from media.tests.shelf import DAY, add_movie, add_seasons, add_series, watch

pytestmark = pytest.mark.django_db


def reload(entry):
    library.recount([entry.pk])
    return LibraryEntry.objects.select_related("media").get(pk=entry.pk)


def season(page, number):
    return next(view for view in page.seasons if view.number == number)


def test_each_season_says_how_far_one_is(user):
    page = series_page(add_series(user, "Dark", [10, 8, 8], 14))
    assert [view.progress for view in page.seasons] == ["10/10", "4/8", "0/8"]
    assert [view.is_complete for view in page.seasons] == [True, False, False]
    assert page.progress == "14/26 episodes"
    assert page.left == 12


def test_the_episodes_of_the_seasons_add_up_to_the_count(user):
    entry = add_series(user, "Dark", [10, 8], 12)
    watch(entry, "Dark: Season 2: Bonus", DAY, season_number=2, episode_title="Bonus")
    watch(entry, "Dark: Season 9: Elsewhere", DAY, season_number=9, episode_title="Elsewhere")
    entry = reload(entry)
    page = series_page(entry)
    assert sum(view.watched for view in page.seasons) == entry.watched_episodes_count == 14


def test_an_episode_lists_all_days_on_which_it_was_watched(user):
    entry = add_series(user, "Dark", [10], 1, last=DAY)
    again = watch(entry, "Dark: again", DAY + timedelta(days=40), season_number=1, tmdb_season=1)
    again.tmdb_episodes.set(Season.objects.get(media=entry.media).episodes.filter(number=1))
    first = series_page(reload(entry)).seasons[0].lines[0]
    assert first.days == (DAY + timedelta(days=40), DAY)


def test_two_titles_of_one_episode_on_neighbouring_days_are_one_watch():
    days = [date(2024, 5, 2), date(2024, 5, 1), date(2024, 8, 1), date(2024, 5, 1)]
    assert days_watched(days) == (date(2024, 8, 1), date(2024, 5, 1))


def test_the_next_episode_comes_after_the_furthest_watched_one(user):
    entry = add_series(user, "Dark", [3, 3], 1)
    later = watch(entry, "Dark: later", DAY, season_number=1, tmdb_season=1)
    later.tmdb_episodes.set(
        Season.objects.get(media=entry.media, number=1).episodes.filter(number=3)
    )
    page = series_page(reload(entry))
    first = Season.objects.get(media=entry.media, number=2).episodes.get(number=1)
    assert page.next == Next(f"t{first.tmdb_id}", 2, 1, "S2E1")
    assert [view.is_open for view in page.seasons] == [False, True]


def test_nothing_is_next_when_all_that_aired_is_watched(user):
    entry = add_series(user, "Airing", [10], 6, aired=6)
    entry.media.seasons.get().episodes.filter(number__gt=6).update(
        air_date=timezone.localdate() + timedelta(days=7)
    )
    page = series_page(entry)
    assert page.next is None
    assert page.is_complete
    assert page.unaired == 4
    assert [line.is_aired for line in page.seasons[0].lines] == [True] * 6 + [False] * 4


def test_without_air_dates_the_number_of_aired_episodes_decides(user):
    page = series_page(add_series(user, "Airing", [10], 2, aired=6))
    assert [line.is_aired for line in page.seasons[0].lines] == [True] * 6 + [False] * 4


def test_what_counts_beyond_the_total_is_listed_in_its_season(user):
    entry = add_series(user, "Recut", [3], 3)
    watch(entry, "Recut: Season 1: Half", DAY, season_number=1, episode_title="Half")
    page = series_page(reload(entry))
    assert (page.progress, page.excess, page.unlisted) == ("4/3 episodes", 1, 1)
    assert season(page, 1).progress == "4/3"
    last = season(page, 1).lines[-1]
    assert (last.title, last.is_listed, last.is_watched) == ("Half", False, True)


def test_a_series_that_tmdb_does_not_know_shows_the_seasons_of_the_file(user):
    entry = add_series(user, "Komi", watched=2)
    watch(entry, "Komi: Special Edition: One", DAY, season_name="Special Edition", episode_number=1)
    page = series_page(reload(entry))
    assert page.bar is None
    assert [(view.name, view.text) for view in page.seasons] == [
        ("Season 1", "2 episodes"),
        ("Special Edition", "1 episode"),
    ]
    assert page.seasons[1].lines[0].title == "Episode 1"
    assert page.unlisted == 0


def test_seasons_that_only_count_are_named_in_the_language_of_the_page(user):
    entry = add_series(user, "Dark", [3, 3], 1)
    entry.media.seasons.filter(number=1).update(name="Season 1")
    entry.media.seasons.filter(number=2).update(name="Season 5: Cycles")
    with translation.override("de"):
        page = series_page(reload(entry))
        assert [view.name for view in page.seasons] == ["Staffel 1", "Season 5: Cycles"]


def test_specials_stand_apart_and_count_nowhere(user):
    entry = add_series(user, "Dark", [10], 1)
    special = add_seasons(entry.media, [3], first_number=0)[0]
    seen = watch(entry, "Dark: Making of", DAY, season_number=0, tmdb_season=0)
    seen.tmdb_episodes.add(special)
    film = watch(entry, "Dark: The Film", DAY, kind="movie")
    page = series_page(reload(entry))
    assert page.progress == "1/10 episodes"
    assert page.specials is not None
    assert [line.title for line in page.specials.lines] == ["S0E1", film.raw_title]
    assert page.other_specials is not None
    assert [line.title for line in page.other_specials.lines] == ["S0E2", "S0E3"]
    assert [view.number for view in page.seasons] == [1]


def test_dismissed_viewings_are_not_shown(user):
    entry = add_series(user, "Dark", [10], 2)
    entry.viewings.filter(episode_title="Title 2").update(dismissed_at=timezone.now())
    page = series_page(reload(entry))
    assert [line.number for line in page.seasons[0].lines if line.is_watched] == [1]


def test_a_viewing_marked_by_hand_needs_no_day(user):
    entry = add_series(user, "Dark", [10])
    marked = watch(entry, "Dark: S1E1", None, season_number=1, tmdb_season=1)
    marked.tmdb_episodes.set(entry.media.seasons.get().episodes.filter(number=1))
    line = series_page(reload(entry)).seasons[0].lines[0]
    assert (line.is_watched, line.days) == (True, ())


def test_other_names_are_those_that_are_not_the_title(user):
    entry = add_series(user, "Haus des Geldes", [10], 1)
    Media.objects.update(title="Money Heist", original_title="La casa de papel")
    assert series_page(reload(entry)).names == ("Haus des Geldes", "La casa de papel")


def test_a_movie_lists_when_it_was_watched_newest_first(user):
    page = movie_page(add_movie(user, "Roma", DAY, DAY + timedelta(days=300)))
    assert [viewing.day for viewing in page.viewings] == [DAY + timedelta(days=300), DAY]


def unmatched(user, seasons, watched):
    """A series whose titles are in a language that TMDB's are not in."""
    entry = add_series(user, "Haus des Geldes", seasons)
    for at in range(watched):
        watch(entry, f"Haus: {at}", DAY, season_number=1, episode_title=f"Folge mit Titel {at}")
    return series_page(reload(entry))


def test_a_season_watched_under_other_titles_lists_only_those(user):
    page = unmatched(user, [4, 4], 4)
    assert [line.is_watched for line in season(page, 1).lines] == [True] * 4
    assert not season(page, 1).has_both
    assert page.next is not None and page.next.season == 2


def test_where_titles_are_not_matched_no_season_is_marked_twice(user):
    page = unmatched(user, [4, 4], 2)
    assert season(page, 1).has_both
    everything = season(page, 1).to_watch
    assert (len(everything.keys), everything.spared) == (2, 2)
    up_to = page.up_to(season(page, 2).lines[-1].key)
    assert (len(up_to.keys), up_to.spared) == (6, 2)
    marking.watch_episodes(page.entry, [int(key[1:]) for key in up_to.keys])
    page = series_page(reload(page.entry))
    assert page.progress == "8/8 episodes"
    assert [view.progress for view in page.seasons] == ["4/4", "4/4"]
    assert page.is_complete and page.next is None


def numbers(page, marks):
    """The numbers of the episodes of season 1 that a mark concerns."""
    return [line.number for line in season(page, 1).lines if line.key in marks.keys]


@pytest.mark.parametrize(
    ("seen_on", "marked"),
    [
        ([0], [3, 6, 7]),  # Before all that is known: the first one that is open.
        ([3], [3, 6, 7]),  # After episode 1, which was watched on day 1.
        ([6], [2, 3, 7]),  # After episode 5, which was watched on day 5.
        ([3, 6], [3, 7]),
        ([6, 7, 8, 9], []),
        ([None], [2, 3, 7]),  # Nobody knows when: as if it were the last one.
    ],
)
def test_a_title_that_may_be_an_episode_spares_the_one_that_its_day_suggests(user, seen_on, marked):
    entry = add_series(user, "Dark", [8], aired=7)
    episodes = {e.number: e for e in entry.media.seasons.get().episodes.all()}
    for number in (1, 4, 5):
        day = DAY + timedelta(days=number)
        watch(entry, f"Dark: {number}", day, season_number=1, tmdb_season=1).tmdb_episodes.add(
            episodes[number]
        )
    for at, day in enumerate(seen_on):
        watched_on = None if day is None else DAY + timedelta(days=day)
        watch(entry, f"Dark: X{at}", watched_on, season_number=1, episode_title=f"X{at}")
    page = series_page(reload(entry))
    assert numbers(page, season(page, 1).to_watch) == marked
    assert season(page, 1).to_watch.spared == len(seen_on)


def test_of_all_up_to_an_episode_that_one_is_spared_last(user):
    entry = add_series(user, "Dark", [8], 2)
    watch(entry, "Dark: Bonus", DAY, season_number=1, episode_title="Bonus")
    page = series_page(reload(entry))
    lines = season(page, 1).lines
    assert numbers(page, page.up_to(lines[5].key)) == [4, 5, 6]
    assert numbers(page, page.up_to(lines[3].key)) == [4]
    assert page.up_to(lines[2].key) == Marks((), 1)
    assert page.up_to(lines[1].key) == Marks()
    assert page.up_to(lines[-1].key) == Marks()
    assert lines[-1].title == "Bonus"


def test_a_series_of_any_length_makes_no_endless_page(client, user, monkeypatch):
    monkeypatch.setattr("media.entry_pages.MOST_LINES", 5)
    monkeypatch.setattr("media.fixing.MOST_LINES", 5)
    entry = add_series(user, "Dark", [3, 3], 6)
    for number in range(4):
        watch(entry, f"Dark: Season 9: X{number}", DAY, season_number=9, episode_title=f"X{number}")
    page = series_page(reload(entry))
    assert [len(view.lines) for view in page.seasons] == [3, 2, 0]
    assert [view.unshown for view in page.seasons] == [0, 1, 4]
    assert sum(view.watched for view in page.seasons) == 10
    client.force_login(user)
    assert "… + 4" in client.get(entry.get_absolute_url()).text
    assert client.get(f"/entry/{entry.pk}/fix/").text.count('name="title"') == 5


def test_a_film_seen_without_end_makes_no_endless_page(user, monkeypatch):
    monkeypatch.setattr("media.entry_pages.MOST_LINES", 2)
    film = add_movie(user, "Roma", *(DAY + timedelta(days=n) for n in range(4)))
    assert [v.day for v in movie_page(film).viewings] == [
        DAY + timedelta(days=3),
        DAY + timedelta(days=2),
    ]
