"""What one name may cost, whatever TMDB answers."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.cache import cache
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.asking import MOST_REQUESTS, Question, ask
from media.matching import Doubt, Evidence, Status, WatchedEpisode
from media.tests.fake_tmdb import FakeTmdb, fake_tmdb

WATCHED = date(2020, 5, 1)
# The first request brings all names and so many seasons, each further one twenty more.
FIRST_SEASONS = 18


def question(name, *titles, language="en", doubtful=(), pinned=None, seasons=(1,)):
    episodes = [WatchedEpisode(season, None, None, title) for season in seasons for title in titles]
    return Question(
        Evidence(name, language=language, episodes=tuple(episodes), first_watched=WATCHED),
        [Doubt(at, title, False) for at, title in enumerate(doubtful)],
        [WatchedEpisode(title=title) for title in doubtful],
        pinned,
    )


def further_requests(tmdb, tmdb_id):
    """How many more requests the episodes of a series take than one."""
    listed = set(tmdb.series[tmdb_id]["titles"]) if tmdb_id in tmdb.series else set()
    return -(-len(listed - set(range(FIRST_SEASONS))) // 20)


def long_series(count, title="Episode"):
    return {number: [f"{title} {number}"] for number in range(1, count + 1)}


def test_what_a_cleaned_name_finds_can_still_be_looked_into(db, tmdb):
    name = "Grizzy and the Lemmings"
    tmdb.add(1, "Bears of the North", {1: ["One"]}, popularity=3)
    tmdb.add(2, "More Bears of the North", {1: ["One"]}, popularity=2)
    tmdb.add(3, "Grizzy & the Lemmings", {1: ["Bear Beach"]}, first_air_date="2019-10-01")
    tmdb.finds = {name: [1, 2], "Grizzy the Lemmings": [3]}
    answer = ask(question(name, "Bear Beach"))
    assert (answer.decision.status, answer.decision.tmdb_id) == (Status.MATCHED, 3)
    assert 3 in answer.details
    assert len(tmdb.asked) <= MOST_REQUESTS


def test_a_third_result_that_bears_the_name_in_english_alone_is_found(db, tmdb):
    """TMDB shows names in the language asked for, and the file has the English one."""
    for tmdb_id, name in ((1, "Papirhuset"), (2, "Papirfuglen"), (3, "Papirskipet")):
        tmdb.add(tmdb_id, name, {1: ["Jakso 1"]}, first_air_date="2019-10-01")
    tmdb.series[3]["names_in"] = {"": "Paper Ship Ahoy"}
    tmdb.finds = {"Paper Ship Ahoy": [1, 2, 3]}
    answer = ask(question("Paper Ship Ahoy", "Jakso 1", language="fi"))
    assert answer.decision.tmdb_id == 3
    assert "" in tmdb.languages
    assert len(tmdb.asked) <= MOST_REQUESTS


def test_english_rows_are_not_searched_for_without_a_language(db, tmdb):
    ask(question("Nobody Has This", "One"))
    assert set(tmdb.languages) == {"en"}


def test_all_seasons_of_a_clear_series_come_with_as_few_requests_as_they_take(db, tmdb):
    tmdb.add(1, "The Long Way", long_series(60, "Mile"), first_air_date="2019-10-01")
    answer = ask(question("The Long Way", "Mile 59", seasons=[59]))
    assert answer.decision.tmdb_id == 1
    assert all(season.episodes for season in answer.details[1].seasons)
    assert len(tmdb.asked) == 2 + further_requests(tmdb, 1) == 5


def test_a_long_series_that_is_not_matched_costs_no_more_than_others(db, tmdb):
    for tmdb_id in range(1, 5):
        tmdb.add(tmdb_id, "The Long Way", long_series(45), first_air_date="2019-10-01")
    answer = ask(question("The Long Way", "Hours"))
    assert answer.decision.status is Status.UNCERTAIN
    assert len(tmdb.asked) == MOST_REQUESTS


NAMES = [
    "Dark",
    "Dark: Past and Present",
    "The Dark",
    "Darkness (2017)",
    "Marvel's Dark & Light",
    "Dunkel",
    "A Long Dark Winter Night",
]
TITLES = ["Secrets", "Lies and Secrets", "Past and Present", "Episode 1", "The Long Way Home"]
some_titles = st.lists(st.sampled_from(TITLES), max_size=3, unique=True)


@st.composite
def catalogues(draw):
    """Series of like names, some of which a search finds by a name that it does not show."""
    fake = FakeTmdb()
    ids = range(1, draw(st.integers(1, 7)) + 1)
    for tmdb_id in ids:
        seasons = long_series(draw(st.sampled_from([0, 1, 2, 19, 25, 45, 60])))
        if seasons:
            seasons[max(seasons)] = draw(some_titles) or ["Nothing"]
        fake.add(
            tmdb_id,
            draw(st.sampled_from(NAMES)),
            seasons,
            other_names=tuple(draw(st.lists(st.sampled_from(NAMES), max_size=2))),
            first_air_date=f"{draw(st.sampled_from([1999, 2019, 2024]))}-01-01",
            popularity=draw(st.sampled_from([0.5, 10.0, 80.0])),
        )
    found = st.lists(st.sampled_from(ids), unique=True)
    fake.finds = draw(st.dictionaries(st.sampled_from([*NAMES, "Dark Light", ""]), found))
    for tmdb_id in draw(st.lists(st.sampled_from(ids), max_size=1)):
        fake.gone.add(tmdb_id)
    return fake


questions = st.builds(
    lambda name, titles, doubtful, language, pinned, seasons: question(
        name, *titles, doubtful=doubtful, language=language, pinned=pinned, seasons=seasons
    ),
    st.sampled_from(NAMES),
    some_titles,
    some_titles,
    st.sampled_from(["en", "fi"]),
    st.none() | st.integers(1, 7),
    st.sampled_from([(1,), (1, 2, 3), (44,)]),
)


@pytest.mark.django_db
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(catalogues(), questions)
def test_no_answers_make_a_name_cost_more(catalogue, asked):
    cache.clear()
    with fake_tmdb(catalogue) as tmdb:
        answer = ask(asked)
    matched = answer.decision.tmdb_id
    assert len(tmdb.asked) <= MOST_REQUESTS + further_requests(tmdb, matched)
    assert len(set(tmdb.urls)) == len(tmdb.urls), "nothing is asked twice"
    if matched is not None:
        seasons = answer.details[matched].seasons
        assert all(season.episodes is not None for season in seasons)
