"""How dates, years and posters are shown."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone, translation

from media.bars import Length, draw
from media.models import Media
from media.templatetags.library import (
    MOTIFS,
    TONES,
    about_day,
    ago,
    bar_label,
    day,
    minutes,
    poster_of,
    short_day,
    status,
    years,
)

TODAY = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (TODAY, "today"),
        (date(2026, 3, 9), "yesterday"),
        (date(2026, 3, 8), "8 Mar"),
        (date(2025, 12, 31), "31 Dec 2025"),
        (date(2026, 3, 11), "11 Mar"),
    ],
)
def test_a_day_is_as_short_as_it_can_be(value, shown):
    assert short_day(value, TODAY) == shown


def test_a_day_is_readable_for_machines_and_whole_on_hovering():
    assert day(date(2020, 1, 2)) == (
        '<time datetime="2020-01-02" title="Jan. 2, 2020">2 Jan 2020</time>'
    )
    assert day(None) == ""


def test_where_there_is_little_room_another_year_shows_its_month_alone():
    assert ">Jan 2020<" in about_day(date(2020, 1, 2))
    today = timezone.localdate()
    assert about_day(today) == day(today)
    assert about_day(None) == ""


def test_months_are_named_in_the_language_of_the_page():
    with translation.override("de"):
        assert short_day(date(2025, 12, 31), TODAY) == "31. Dez 2025"


@pytest.mark.parametrize(
    ("passed", "shown"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=5), "5\xa0minutes ago"),
        (timedelta(days=3, hours=7), "3\xa0days ago"),
    ],
)
def test_ago_names_the_largest_unit_only(passed, shown):
    assert ago(timezone.now() - passed) == shown


@pytest.mark.parametrize(
    ("first", "last", "tmdb_status", "shown"),
    [
        (date(2007, 9, 24), date(2019, 5, 16), "Ended", "2007–2019"),
        (date(2019, 3, 1), date(2019, 3, 1), "Canceled", "2019"),
        (date(2019, 3, 1), None, "Ended", "2019"),
        (date(2016, 7, 15), date(2022, 7, 1), "Returning Series", "since 2016"),
        (None, None, "Planned", ""),
    ],
)
def test_years_say_whether_a_series_is_over(first, last, tmdb_status, shown):
    media = Media(first_air_date=first, last_air_date=last, tmdb_status=tmdb_status)
    assert years(media) == shown


def test_a_status_that_tmdb_may_add_is_left_out():
    assert status(Media(tmdb_status="Ended")) == "ended"
    assert status(Media(tmdb_status="Paused by a strike")) == ""


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(20, "1 min"), (3540, "59 min"), (3600, "1 h 0 min"), (6780, "1 h 53 min")],
)
def test_a_duration_is_in_hours_and_minutes(seconds, shown):
    assert minutes(seconds) == shown


def test_the_bar_can_be_heard():
    assert bar_label(draw(45, 276, [Length(n, 23) for n in range(1, 13)])) == (
        "45 of 276 episodes watched, 12 seasons"
    )
    assert bar_label(draw(1, 1)) == "1 of 1 episode watched"


def test_a_poster_comes_in_sizes_to_choose_from():
    poster = poster_of(Media(title="Dark", poster_path="/abc-1_X.jpg"))
    assert poster.source == "/posters/w342/abc-1_X.jpg"
    assert "/posters/w185/abc-1_X.jpg 185w" in poster.sources


def test_a_poster_comes_from_where_the_user_chose(settings):
    settings.TMDB_IMAGE_URL = "https://image.example/t/p"
    media = Media(title="Dark", poster_path="/abc-1_X.jpg")
    assert poster_of(media, "tmdb").source == "https://image.example/t/p/w342/abc-1_X.jpg"
    assert poster_of(media, "none").source == ""


@pytest.mark.parametrize(
    "path",
    [
        "",
        "abc.jpg",
        "//evil.example/a.jpg",
        "/../a.jpg",
        "/a.svg",
        "/a.jpg?x",
        '/a".jpg',
        "/a/b.jpg",
    ],
)
def test_a_path_that_is_no_poster_is_never_put_into_a_page(path):
    assert poster_of(Media(title="Dark", poster_path=path)).source == ""


def test_a_drawing_depends_on_the_title_alone():
    one, two = poster_of(Media(pk=1, title="Dark")), poster_of(Media(pk=2, title="DARK"))
    assert (one.tone, one.motif) == (two.tone, two.motif)


def test_drawings_are_spread_over_all_tones_and_motifs():
    posters = [poster_of(Media(title=f"Title {number}")) for number in range(2000)]
    for drawn, kinds in (([p.tone for p in posters], TONES), ([p.motif for p in posters], MOTIFS)):
        shares = [drawn.count(kind) * kinds / len(posters) for kind in range(kinds)]
        assert 0.6 < min(shares) < max(shares) < 1.5


def test_every_tone_and_motif_is_there_to_be_drawn():
    css = (Path(settings.BASE_DIR) / "static/css/poster.css").read_text()
    motifs = (Path(settings.BASE_DIR) / "templates/components/_motifs.html").read_text()
    assert {int(n) for n in re.findall(r"\.tone-(\d+) ", css)} == set(range(TONES))
    assert {int(n) for n in re.findall(r'id="motif-(\d+)"', motifs)} == set(range(MOTIFS))


def test_a_moment_of_the_future_is_just_now():
    assert ago(datetime.now(tz=timezone.get_current_timezone()) + timedelta(days=1)) == "just now"
