"""The history page: everything by day, one watch once, each with its imports."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from imports import importing
from imports.history import VIEWINGS_PER_PAGE, HistoryQuery, history_page
from imports.tests.making import history
from media import marking
from media.models import Season, Viewing
from media.tests.shelf import DAY, add_movie, add_series, watch

pytestmark = pytest.mark.django_db

MOST_QUERIES = 10
ADDRESS = "/history/"


@pytest.fixture
def ana(client, make_user):
    user = make_user("ana")
    client.force_login(user)
    return user


def shown(user, **query):
    return [
        (day.day, [watch.viewing.raw_title for watch in day.watches])
        for day in history_page(user, HistoryQuery(**query)).days
    ]


def twice(entry, day):
    """A second title of the first episode, as a file in another language has it."""
    other = watch(entry, "Dark: Staffel 1: Anders", day, season_number=1, tmdb_season=1)
    other.tmdb_episodes.set(Season.objects.get(media=entry.media).episodes.filter(number=1))
    return other


def test_days_come_newest_first(ana):
    add_movie(ana, "Roma", date(2024, 1, 1), date(2024, 3, 1))
    add_movie(ana, "Okja", date(2024, 3, 1))
    assert shown(ana) == [(date(2024, 3, 1), ["Okja", "Roma"]), (date(2024, 1, 1), ["Roma"])]


def test_two_titles_of_one_episode_on_neighbouring_days_are_shown_once(ana):
    entry = add_series(ana, "Dark", [10], 1, last=DAY)
    twice(entry, DAY + timedelta(days=1))
    assert shown(ana) == [(DAY, ["Dark: Season 1: Title 1"])]
    twice_later = twice(add_series(ana, "Komi", [10], 1, last=DAY), DAY + timedelta(days=9))
    assert (twice_later.day, [twice_later.raw_title]) in shown(ana)


def test_one_day_is_shown_as_the_time_zone_has_it(client, ana):
    late = datetime(2024, 3, 1, 23, 30, tzinfo=UTC)
    roma = add_movie(ana, "Roma", date(2024, 1, 1))
    watch(roma, "Roma, late", date(2024, 3, 1), kind="movie", watched_at=late)
    add_movie(ana, "Okja", date(2024, 3, 1))
    ana.time_zone = "Europe/Berlin"
    ana.save()
    page = client.get(ADDRESS, {"day": "2024-03-02"}).text
    assert "Roma" in page
    assert "Okja" not in page
    assert "Okja" in client.get(ADDRESS, {"day": "2024-03-01"}).text
    assert "Nothing is noted for this day" in client.get(ADDRESS, {"day": "2024-03-03"}).text


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "yesterday"])
def test_a_day_that_makes_no_sense_is_as_if_it_were_not_there(client, ana, day):
    add_movie(ana, "Okja", date(2024, 3, 1))
    assert "Okja" in client.get(ADDRESS, {"day": day}).text


def test_a_watch_told_twice_is_on_one_page_only(ana):
    entry = add_series(ana, "Dark", [10], 1, last=DAY)
    twice(entry, DAY + timedelta(days=1))
    movie = add_movie(ana, "Roma", DAY + timedelta(days=1))
    for at in range(VIEWINGS_PER_PAGE - 2):
        watch(movie, f"Roma {at}", DAY + timedelta(days=2), kind="movie")
    titles = [title for page in (1, 2) for _, day in shown(ana, page=page) for title in day]
    assert titles.count("Dark: Season 1: Title 1") == 1
    assert "Dark: Staffel 1: Anders" not in titles
    assert len(titles) == VIEWINGS_PER_PAGE


def test_each_watch_names_the_imports_that_told_of_it(client, ana):
    file = b'Title,Date\n"Roma","28/06/2024"\n"Okja","29/06/2024"\n'
    for name in ("old.csv", "new.csv"):
        importing.run(importing.submit(ana, name, file + name[:3].encode() + b",30/06/2024\n").pk)
    page = history_page(ana, HistoryQuery(search="Roma"))
    (day,) = page.days
    assert [one.filename for one in day.watches[0].imports] == ["old.csv", "new.csv"]
    html = client.get(ADDRESS).text
    assert f'<a href="{ana.imports.get(filename="old.csv").get_absolute_url()}">old.csv</a>' in html


def test_a_file_that_told_of_a_whole_day_is_named_once(client, ana):
    content = history(("Roma", "3/13/24"), ("Okja", "3/13/24"), ("Dune", "2/1/24"))
    importing.run(importing.submit(ana, "mine.csv", content).pk)
    page = client.get(ADDRESS).text
    assert page.count(">mine.csv</a>") == 2
    add_movie(ana, "Heat", date(2024, 3, 13))
    page = client.get(ADDRESS).text
    assert page.count(">mine.csv</a>") == 3


def test_marks_stand_among_the_rest_and_removed_viewings_do_not(client, ana):
    movie = add_movie(ana, "Roma", DAY)
    marking.watch_again(movie, movie.viewings.get().pk)
    marking.remove(movie, movie.viewings.get(day=DAY).pk)
    assert shown(ana) == [(None, ["Roma"])]
    html = client.get(ADDRESS).text
    assert "On a day nobody noted" in html and "marked by hand" in html


def test_a_profile_and_a_search_narrow_it(client, ana):
    watch(add_movie(ana, "Roma"), "Roma again", DAY, kind="movie", profile="Ana")
    watch(add_movie(ana, "Okja"), "Okja again", DAY, kind="movie", profile="Kids & Co")
    assert shown(ana, profile="Kids & Co") == [(DAY, ["Okja again"])]
    assert shown(ana, search="roma") == [(DAY, ["Roma again", "Roma"])]
    html = client.get(ADDRESS, {"q": "Roma"}).text
    assert 'href="?q=Roma&amp;profile=Kids+%26+Co"' in html


@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        ("Léto, kdy umřel Hikaru", "LETO KDY UMR"),
        ("Größe", "GROSSE"),
        ("КУХНЯ", "кухня"),
        ("進撃の巨人", "巨人"),
        ("Ωmega", "ωm"),
        ("Ёлка Éclair", "Ёлка"),
        ("Ёлка Éclair", "ёлка"),
        ("Ёлка Éclair", "елка é"),
        ("Ёлка Éclair", "eclair"),
        ("Don’t – Look: Up!", "don't look up"),
    ],
)
def test_searching_minds_neither_case_nor_accents_in_any_script(ana, title, wanted):
    add_movie(ana, "Other")
    content = history((f"Сваты: Сезон 1: {title}", "3/13/24"), ("Сваты: Сезон 1: Вкус", "3/12/24"))
    importing.run(importing.submit(ana, "mine.csv", content).pk)
    found = [(date(2024, 3, 13), [f"Сваты: Сезон 1: {title}"])]
    assert shown(ana, search=wanted) == found
    assert shown(ana, search=f"сезон 1: {title.swapcase()}") == found
    # By the name of the series both are found.
    assert len(shown(ana, search="СВАТЫ")) == 2


def test_what_is_marked_by_hand_is_found_alike(ana):
    entry = add_series(ana, "Dark", [3], 0)
    Season.objects.get().episodes.update(title="Éclair")
    marking.watch_episodes(entry, [Season.objects.get().episodes.get(number=2).tmdb_id], DAY)
    assert [day for day, _titles in shown(ana, search="eclair")] == [DAY]
    (viewing,) = entry.viewings.all()
    marking.change_day(entry, viewing.pk, DAY + timedelta(days=2))
    assert [day for day, _titles in shown(ana, search="éCLAIR")] == [DAY + timedelta(days=2)]
    marking.watch_again(entry, viewing.pk)
    assert [day for day, _titles in shown(ana, search="eclair")] == [DAY + timedelta(days=2), None]


def test_a_series_is_found_by_the_name_that_tmdb_gives_it(ana):
    entry = add_series(ana, "La casa de papel", [10], 1)
    entry.media.title = "Money Heist"
    entry.media.save()
    assert len(shown(ana, search="heist")) == 1


def test_what_is_anothers_is_not_shown(client, ana, make_user):
    add_movie(make_user("ben"), "Secret")
    assert "Secret" not in client.get(ADDRESS).text
    assert "Your history is still empty" in client.get(ADDRESS).text


@pytest.mark.parametrize("language", ["", "de"])
def test_it_asks_the_database_no_more_often_when_it_grows(client, ana, language):
    ana.title_language = language
    ana.save()

    def queries(**query):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(ADDRESS, query).status_code == 200
        return len(captured)

    add_series(ana, "Small", [10], 1)
    few = queries()
    for at in range(20):
        add_series(ana, f"Series {at}", [10], 8)
    assert queries() == few <= MOST_QUERIES
    assert queries(q="series") <= MOST_QUERIES


@pytest.mark.parametrize("narrowed", [{}, {"profile": "Ana"}])
def test_days_are_read_by_an_index(ana, narrowed):
    viewings = Viewing.objects.of(ana).shown().newest_first()
    if narrowed:
        viewings = viewings.exclude(profile="").filter(**narrowed)
    plan = viewings[:100].explain()
    assert "media_viewing_by" in plan


def test_the_navigation_leads_there(client, ana):
    assert f'href="{reverse("history")}"' in client.get("/about/").text


def test_a_search_looks_for_a_few_pages_more_and_says_so(ana, monkeypatch):
    monkeypatch.setattr("imports.history.VIEWINGS_PER_PAGE", 2)
    monkeypatch.setattr("imports.history.PAGES_AHEAD", 1)
    add_movie(ana, "Roma", *(DAY + timedelta(days=at) for at in range(5)))
    first = history_page(ana, HistoryQuery(search="roma"))
    assert (first.page.paginator.num_pages, first.news) == (2, "4 viewings and more")
    last = history_page(ana, HistoryQuery(search="roma", page=3))
    assert (last.page.number, last.news) == (3, "5 viewings")
    assert history_page(ana, HistoryQuery()).news == "5 viewings"
