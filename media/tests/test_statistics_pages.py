"""The pages of statistics and of a year: what stands on them, and in how many queries."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from media import library
from media.models import LibraryEntry
from media.statistics import Selection, Tally, bring_up_to_date, figures_of
from media.statistics_pages import Measure, StatisticsForm, statistics_page
from media.tests.shelf import DAY, add_movie, add_series, watch
from media.your_year import clipped, oddest, width, wrapped, year_page

pytestmark = pytest.mark.django_db

ADDRESS = "/statistics/"
SVG = "{http://www.w3.org/2000/svg}"
# Those of every page among them: session, user, and what needs attention.
MOST_QUERIES = 10


@pytest.fixture
def ana(client, make_user):
    user = make_user("ana")
    client.force_login(user)
    return user


@pytest.fixture(autouse=True)
def _language_of_the_tests():
    """What a user's page was shown in does not stay for the next test."""
    with translation.override("en"):
        yield


def page_of(user, **query):
    return statistics_page(user, StatisticsForm(query).query())


def on(entry, *days, **fields):
    """Viewings of further episodes of an entry."""
    with library.library_lock(entry.user_id):
        for day in days:
            number = entry.viewings.count() + 1
            watch(
                entry,
                f"{entry.media.title}: Season 1: More {number}",
                day,
                season_number=1,
                episode_title=f"More {number}",
                **fields,
            )
        library.recount([entry.pk])


class TestYears:
    @pytest.mark.parametrize("year", [1900, 1989, 2199])
    def test_any_year_that_a_file_can_tell_of_has_its_page(self, client, ana, year):
        add_movie(ana, "Roma", date(year, 5, 1))
        assert f"/statistics/{year}/" in client.get(ADDRESS).text
        assert "Roma" in client.get(f"/statistics/{year}/").text


class TestStates:
    def test_every_filter_is_in_the_address(self, ana):
        dark = add_series(ana, "Dark", [10], 3)
        query = StatisticsForm({"year": "2024", "series": str(dark.pk), "of": "movies"}).query()
        assert query.address() == f"/statistics/?year=2024&series={dark.pk}&of=movies"
        assert query.address(year="", of="") == f"/statistics/?series={dark.pk}"
        assert StatisticsForm({}).query().address() == ADDRESS

    @pytest.mark.parametrize(
        "nonsense",
        [{"year": "12"}, {"year": "x"}, {"of": "x"}, {"series": "-1"}, {"series": "9" * 30}],
    )
    def test_what_makes_no_sense_is_as_if_it_were_not_there(self, client, ana, nonsense):
        add_series(ana, "Dark", [10], 3)
        assert "Dark" in client.get(ADDRESS, nonsense).text

    def test_a_year_a_profile_and_a_series_narrow_the_figures(self, client, ana):
        dark = add_series(ana, "Dark", [10], 3)
        on(dark, date(2023, 5, 1), profile="Ben")
        add_series(ana, "Komi", [10], 2)
        assert page_of(ana).total.episodes == 6
        assert page_of(ana, year="2023").total.episodes == 1
        assert page_of(ana, profile="Ben").total.episodes == 1
        assert page_of(ana, profile="Ben", year="2024").total.episodes == 0
        assert page_of(ana, series=str(dark.pk)).total.episodes == 4
        assert (
            "Nothing was watched here" in client.get(ADDRESS, {"profile": "Ben", "year": 2024}).text
        )

    def test_days_lead_to_their_history(self, client, ana):
        add_series(ana, "Dark", [10], 1)
        page = client.get(ADDRESS).text
        assert f'href="/history/?day={DAY}"' in page
        assert "1 May 2024: 1 episode" in page
        assert client.get(f"/history/?day={DAY}").status_code == 200

    def test_a_calendar_is_one_stop_of_the_tab_key(self, client, ana):
        add_series(ana, "Dark", [10], 9)
        calendar = re.search(r"<svg class=\"calendar\".*?</svg>", client.get(ADDRESS).text, re.S)
        assert calendar
        links = re.findall(r"<a [^>]*>", calendar[0])
        assert len(links) == 9
        assert sum("tabindex" not in link for link in links) == 1

    def test_hours_say_of_how_many_viewings_they_are(self, client, ana):
        dark = add_series(ana, "Dark", [10], 1)
        assert "No file tells the time of day yet" in client.get(ADDRESS).text
        at = datetime(2024, 5, 3, 21, tzinfo=UTC)
        on(dark, date(2024, 5, 3), watched_at=at, duration_seconds=5400)
        page = client.get(ADDRESS).text
        assert "The hours are those of 1 of 2 viewings" in page
        assert "Of 1 viewings whose time a file tells; 1 have a day only." in page


class TestEmpty:
    def test_without_viewings_it_says_what_to_do_next(self, client, ana):
        page = client.get(ADDRESS).text
        assert "Nothing to count yet" in page
        assert "/imports/new/" in page
        year = client.get("/statistics/2020/")
        assert year.status_code == 200
        assert "Nothing is known of 2020" in year.text
        assert client.get("/statistics/2020.svg").status_code == 404

    def test_one_viewing_is_enough(self, client, ana):
        add_movie(ana, "Roma")
        assert "1 movie" in client.get(ADDRESS).text
        assert "Roma" in client.get("/statistics/2024/").text
        assert client.get("/statistics/2024.svg").status_code == 200

    def test_a_viewing_without_a_day_counts(self, client, ana):
        dark = add_series(ana, "Dark", [10], 0)
        on(dark, None)
        page = client.get(ADDRESS)
        assert page.status_code == 200
        assert page_of(ana).total.episodes == 1


@pytest.mark.parametrize(
    "query", ["", "?year=2024", "?profile=Ana&year=2024", "?series={series}", "2024/", "2024.svg"]
)
@pytest.mark.parametrize("is_kept", [False, True])
def test_the_queries_do_not_grow_with_the_library(client, ana, query, is_kept):
    ana.title_language = "de"
    ana.save()
    counts = []
    for start, end in ((0, 2), (2, 30)):
        for n in range(start, end):
            series = add_series(ana, f"Series {n}", [3], 3)
            add_movie(ana, f"Film {n}", DAY, DAY - timedelta(days=50 * n + 50))
            on(series, DAY - timedelta(days=9 * n), profile="Ana")
            address = ADDRESS + query.format(series=series.pk)
        if is_kept:
            assert bring_up_to_date(ana, 60)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1]
    assert counts[0] <= MOST_QUERIES


def test_numbers_and_days_are_written_as_the_language_does(client, ana):
    add_series(ana, "Dark", [2000], 1200)
    ana.language = "de"
    ana.save()
    page = client.get(ADDRESS, headers={"accept-language": "de"}).text
    assert "1.200" in page
    # Lengths of drawings are not.
    drawings = "".join(re.findall(r"<svg.*?</svg>", page, re.S))
    assert not re.search(r'(?:x|y|width|height|d)="[^"]*\d,\d', drawings)


class TestMeasures:
    def test_words_say_what_is_counted(self):
        tally = Tally(3, 1, 2, 0, 1, 5400, 2, 7)
        assert Measure.ALL.words(tally) == "4 episodes, 1 special, 2 movies"
        assert Measure.EPISODES.words(tally) == "4 episodes"
        assert Measure.MOVIES.words(tally) == "2 movies"
        assert Measure.HOURS.words(tally) == "2 h"
        assert Measure.MOVIES.words(Tally(1)) == "nothing"

    def test_the_stack_adds_up(self):
        tally = Tally(3, 1, 2, 4, 1, 5400, 2, 7)
        assert Measure.ALL.amount(tally) == tally.titles
        assert Measure.EPISODES.amount(tally) == tally.episodes
        assert Measure.MOVIES.amount(tally) == tally.movies
        assert Measure.HOURS.amount(tally) == tally.hours


class TestOddestFact:
    def fact(self, user, **selection):
        entries = LibraryEntry.objects.of(user).select_related("media").in_bulk()
        return oddest(figures_of(user, Selection(**selection)).figures, entries)

    def test_little_has_nothing_odd(self, ana):
        add_movie(ana, "Roma")
        assert self.fact(ana) == ""

    def test_a_binge_is_odd_where_days_are_quiet(self, ana):
        dark = add_series(ana, "Dark", [30], 0)
        on(dark, *[date(2024, 3, 2)] * 12, *(date(2024, 4, n) for n in range(1, 9)))
        assert self.fact(ana) == "On 2 Mar 2024 you watched 12 episodes of Dark."

    def test_a_film_watched_again_and_again_is_odd(self, ana):
        add_movie(ana, "Frozen", *(date(2024, month, 3) for month in range(1, 10)))
        assert self.fact(ana) == "You watched Frozen 9 times."

    def test_the_leap_day_is(self, ana):
        add_movie(ana, "Roma", date(2024, 2, 29))
        assert self.fact(ana, year=2024) == "Even on February 29: 1 movie."

    def test_a_series_finished_fast_is(self, ana):
        add_series(ana, "Dark", [8], 8, last=date(2024, 3, 8))
        short = add_series(ana, "Maid", [10], 0)
        for episode in short.media.seasons.get().episodes.all():
            viewing = watch(
                short,
                f"Maid {episode.number}",
                date(2024, 5, 6 + episode.number % 2),
                tmdb_season=1,
            )
            viewing.tmdb_episodes.add(episode)
        library.recount([short.pk])
        fact = self.fact(ana)
        assert fact in (
            "Maid, all 10 episodes, took you 2 days.",
            "On 7 May 2024 you watched 5 episodes of Maid.",
        )

    def test_what_is_hidden_is_not_told(self, ana):
        add_movie(ana, "Frozen", *(date(2024, month, 3) for month in range(1, 10)))
        ana.entry_names.update(is_hidden=True)
        assert "Frozen" not in self.fact(ana)


class TestPicture:
    def picture(self, client, year=2024):
        response = client.get(f"/statistics/{year}.svg")
        assert response["Content-Type"] == "image/svg+xml"
        assert "attachment" in response["Content-Disposition"]
        return response.text

    def test_it_stands_alone(self, client, ana):
        add_series(ana, "Dark", [10, 8], 14)
        add_series(ana, 'Tom & "Jerry" <script>', [10], 3)
        text = self.picture(client)
        root = ElementTree.fromstring(text)  # noqa: S314
        words = [element.text for element in root.iter(f"{SVG}text")]
        assert 'Tom & "Jerry" <script>' in words
        assert "2024" in words
        for element in root.iter():
            assert element.tag.startswith(SVG)
            assert element.tag not in (f"{SVG}script", f"{SVG}image", f"{SVG}style", f"{SVG}a")
            assert not [name for name in element.attrib if "href" in name or name.startswith("on")]
        assert text.count("http") == 1

    def test_its_bars_are_cut_where_the_seasons_are(self, client, ana):
        add_series(ana, "Dark", [10, 10, 20], 15)
        assert 'x1="25%"' in self.picture(client)

    def test_nothing_sticks_out(self, client, ana):
        for n in range(8):
            add_series(ana, f"{n} {'A very long title of a series ' * 4}", [10], 3)
        root = ElementTree.fromstring(self.picture(client))  # noqa: S314
        lines = [
            e for e in root.iter(f"{SVG}text") if e.get("x") == "80" and "very" in (e.text or "")
        ]
        titles = [line for line in lines if line.get("font-style") != "italic"]
        assert len(titles) == 5
        assert all(width(title.text or "") <= 34 for title in titles)
        assert all(width(line.text or "") <= 50 for line in lines)

    @pytest.mark.parametrize("language", ["en", "de"])
    def test_lengths_are_as_svg_wants_them(self, client, ana, language):
        add_series(ana, "Dark", [7, 13], 14)
        ana.language = language
        ana.save()
        text = self.picture(client)
        assert not re.search(r'\s(?:x|y|x1|x2|width|height)="[^"]*,', text)


def test_titles_are_clipped_by_how_wide_they_are():
    assert clipped("Dark", 10) == "Dark"
    assert clipped("How I Met Your Mother", 10) == "How I Met…"
    assert clipped("進撃の巨人", 10) == "進撃の巨人"
    assert clipped("進撃の巨人 最終章", 10) == "進撃の巨…"


def test_lines_are_of_about_the_same_width():
    assert wrapped("", 50, 2) == []
    assert wrapped("On 1 Sep 2020 you watched 18 episodes of Community.", 46, 2) == [
        "On 1 Sep 2020 you watched",
        "18 episodes of Community.",
    ]
    long = wrapped("word " * 60, 50, 2)
    assert len(long) == 2
    assert long[1].endswith("…")
    assert all(width(line) <= 50 for line in long)


def test_a_year_knows_its_neighbours(ana):
    for year in (2019, 2020, 2021):
        add_movie(ana, f"Film {year}", date(year, 6, 1))
    page = year_page(ana, 2020)
    assert (page.before, page.after) == (2019, 2021)
    assert year_page(ana, 2019).before is None
    with translation.override("de"):
        assert year_page(ana, 2020).year == 2020


class TestWholeTruth:
    """Nothing is counted above and missing below, and no figure says more than is known."""

    def timed(self, entry, number, seconds):
        at = datetime(2024, 5, number, 20, tzinfo=UTC)
        on(entry, at.date(), watched_at=at, duration_seconds=seconds)

    def test_two_spellings_of_a_play_take_its_time_once(self, ana):
        dark = add_series(ana, "Dark", [1])
        at = datetime(2024, 5, 9, 20, tzinfo=UTC)
        for title in ("Dark: Season 1: Secrets (Episode 1)", "Dark: Secrets (Episode 1)"):
            watch(
                dark,
                title,
                at.date(),
                season_number=1,
                episode_title="Secrets",
                watched_at=at,
                duration_seconds=3000,
            )
        library.recount([dark.pk])
        tally = figures_of(ana, Selection()).figures.total
        assert (tally.episodes, tally.seconds, tally.timed) == (1, 3000, 1)

    def test_a_play_that_goes_on_the_next_day_takes_its_time_both_days(self, ana):
        dark = add_series(ana, "Dark", [1])
        for day, seconds in ((9, 2000), (10, 1000)):
            at = datetime(2024, 5, day, 20, tzinfo=UTC)
            watch(
                dark,
                "Dark: Season 1: Secrets",
                at.date(),
                season_number=1,
                episode_title="Secrets",
                watched_at=at,
                duration_seconds=seconds,
            )
        library.recount([dark.pk])
        tally = figures_of(ana, Selection()).figures.total
        assert (tally.episodes, tally.seconds) == (1, 3000)

    def test_hours_of_a_few_viewings_are_no_large_figure(self, ana, client):
        dark = add_series(ana, "Dark", [9])
        on(dark, *(DAY - timedelta(days=n) for n in range(5)))
        self.timed(dark, 1, 7200)
        names = [record.name for record in page_of(ana).headline]
        assert not any("hour" in name for name in names)
        picture = client.get("/statistics/2024.svg")
        assert picture.status_code == 200
        assert "hour" not in picture.text
        [top] = page_of(ana).series
        assert top.facts == ""

    def test_hours_that_are_mostly_known_say_so_on_every_page(self, ana, client):
        dark = add_series(ana, "Dark", [9])
        self.timed(dark, 1, 3600)
        self.timed(dark, 2, 0)
        on(dark, date(2024, 5, 20))
        records = {record.name: record.figure for record in page_of(ana).headline}
        assert records["known hour"] == "1"
        sentence = "The hours are those of 2 of 3 viewings"
        for address in (ADDRESS, "/statistics/2024/"):
            assert sentence in client.get(address).text

    @pytest.mark.parametrize("measure", Measure)
    def test_each_row_of_a_table_adds_up_to_what_the_chart_draws(self, ana, measure):
        dark = add_series(ana, "Dark", [9])
        on(dark, date(2024, 5, 2), date(2024, 6, 3))
        watch(dark, "Dark: Specials: One", date(2024, 5, 9), season_number=0)
        roma = add_movie(ana, "Roma", date(2024, 5, 9))
        watch(roma, "Roma", date(2024, 6, 20), kind="movie")
        library.recount([dark.pk, roma.pk])
        chart = page_of(ana, of=measure.value, year=2024).months
        if measure == Measure.HOURS:
            assert chart is None
            return
        parts = {
            Measure.ALL: ("Episodes", "Specials", "Movies"),
            Measure.EPISODES: ("Episodes",),
            Measure.MOVIES: ("Movies",),
        }[measure]
        counted = [chart.table.columns.index(part) for part in parts]
        by_month = page_of(ana, year=2024).figures.by_month()
        drawn = [measure.amount(by_month.get(date(2024, n, 1), Tally())) for n in range(1, 13)]
        assert [sum(int(row.cells[at]) for at in counted) for row in chart.table.rows] == drawn
        assert list(chart.table.columns).count("of these again") == 1

    def test_the_days_are_a_table_too(self, ana, client):
        add_movie(ana, "Roma", date(2024, 5, 9))
        for address in ("/statistics/2024/", f"{ADDRESS}?year=2024"):
            text = client.get(address).text
            assert "Days as a table" in text
            assert "/history/?day=2024-05-09" in text
        assert "?year=2024#days" in client.get(ADDRESS).text

    def test_what_has_no_day_is_said_to_be_in_no_chart(self, ana, client):
        add_movie(ana, "Roma", date(2024, 5, 9))
        okja = add_movie(ana, "Okja", DAY)
        okja.viewings.update(day=None, source="manual")
        page = page_of(ana)
        assert page.undated.startswith("1 viewing has no day")
        assert page.undated in client.get(ADDRESS).text
        assert page_of(ana, year=2024).undated == ""

    def test_specials_alone_are_worth_a_figure(self, ana):
        dark = add_series(ana, "Dark", [9])
        watch(dark, "Dark: Specials: One", date(2024, 5, 9), season_number=0)
        library.recount([dark.pk])
        records = {record.name: record.figure for record in page_of(ana).headline}
        assert records["special"] == "1"

    def test_days_far_apart_make_no_long_page(self, ana, client):
        for name, day in (("Roma", date(1900, 1, 1)), ("Okja", date(2199, 1, 1))):
            add_movie(ana, name, day)
        add_movie(ana, "Elf", date(2024, 5, 9))
        page = page_of(ana)
        assert [view.calendar.year for view in page.calendars] == [2199, 2024, 1900]
        assert page.calendars[1].gap == "Nothing from 2025 to 2198."
        assert page.months.title == "By year"
        assert len(page.years) == 4
        assert len(client.get(ADDRESS).content) < 400_000
