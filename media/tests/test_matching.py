from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.matching import (
    Candidate,
    Doubt,
    EpisodeFacts,
    Evidence,
    Search,
    SeasonFacts,
    Status,
    Verdict,
    Want,
    WantKind,
    WatchedEpisode,
    explain,
    match,
    settle,
    wants_to_settle,
)

WATCHED = date(2020, 3, 14)


def season(number, *titles, count=None, aired=None):
    episodes = tuple(
        EpisodeFacts(number * 1000 + n, n, title) for n, title in enumerate(titles, start=1)
    )
    return SeasonFacts(number, f"Season {number}", count or len(titles), episodes, aired)


def candidate(tmdb_id, name, year=2019, *, seasons=(), **facts):
    """A candidate whose details are known; `seasons=None` for one of the search alone."""
    facts.setdefault("popularity", 4.0)
    facts.setdefault("other_names", None if seasons is None else ())
    aired = date(year, 3, 1) if year else None
    return Candidate(tmdb_id, name, first_air_date=aired, seasons=seasons, **facts)


def evidence(name, *candidates, titles=(), seasons=(1,), **facts):
    episodes = [WatchedEpisode(1, None, None, title) for title in titles]
    episodes += [WatchedEpisode(number, None, None, None) for number in seasons]
    facts.setdefault("first_watched", WATCHED)
    return Evidence(name, episodes=tuple(episodes), candidates=candidates, **facts)


def points(decision, tmdb_id, part):
    scored = next(s for s in decision.candidates if s.tmdb_id == tmdb_id)
    return sum(p.points for p in scored.parts if p.name == part)


SEASON = season(1, "The Letter on the Table", "A Night in Porto", "What the River Took")
TITLES = ["The Letter on the Table", "A Night in Porto"]


# What is matched, and what is not


def test_one_series_of_that_name_which_fits_is_matched():
    decision = match(evidence("Harbour Lights", candidate(1, "Harbour Lights", seasons=(SEASON,))))
    assert (decision.status, decision.tmdb_id, decision.wants) == (Status.MATCHED, 1, ())


def test_a_remake_that_aired_after_the_watching_does_not_win_by_popularity():
    decision = match(
        evidence(
            "Kingdom",
            candidate(1, "Kingdom", 2019, seasons=(season(1), season(2)), popularity=2),
            candidate(2, "Kingdom", 2022, seasons=(season(1), season(2)), popularity=900),
            seasons=(2,),
        )
    )
    assert decision.tmdb_id == 1


def test_episode_titles_tell_two_series_of_one_name_apart():
    other = season(1, "Monday", "Tuesday", "Wednesday")
    decision = match(
        evidence(
            "Shameless",
            candidate(1, "Shameless", 2019, seasons=(other,), popularity=60),
            candidate(2, "Shameless", 2011, seasons=(SEASON,), popularity=3),
            titles=TITLES,
        )
    )
    assert decision.tmdb_id == 2


def test_two_series_that_fit_alike_stay_uncertain_with_both_kept():
    decision = match(
        evidence(
            "Suits",
            candidate(1, "Suits", 2018, seasons=(SEASON,)),
            candidate(2, "Suits", 2018, seasons=(SEASON,)),
        )
    )
    assert decision.status is Status.UNCERTAIN
    assert [c.tmdb_id for c in decision.candidates] == [1, 2]
    assert decision.margin == 0


def test_popularity_breaks_a_tie():
    decision = match(
        evidence(
            "Suits",
            candidate(1, "Suits", 2018, seasons=(SEASON,), popularity=0.5),
            candidate(2, "Suits", 2018, seasons=(SEASON,), popularity=60),
        )
    )
    assert decision.tmdb_id == 2


def test_popularity_does_not_outweigh_seasons_that_do_not_fit():
    decision = match(
        evidence(
            "Titans",
            candidate(1, "Titans", seasons=(season(1, count=6),), popularity=500),
            candidate(2, "Titans", seasons=tuple(season(n) for n in range(1, 5)), popularity=1),
            seasons=(1, 2, 3, 4),
        )
    )
    assert decision.tmdb_id == 2


@pytest.mark.parametrize("name", ["You", "Dark", "Vikings", "Merlí"])
@pytest.mark.parametrize("longer", ["{} and Me", "Young {}", "{}: Valhalla", "{}n"])
def test_a_name_that_is_only_part_of_another_never_wins_alone(name, longer):
    fitting = candidate(1, longer.format(name), seasons=(season(1), season(2)), popularity=900)
    assert match(evidence(name, fitting, seasons=(1, 2))).status is not Status.MATCHED


def test_the_episodes_can_prove_a_series_of_another_name():
    decision = match(
        evidence("Selena", candidate(1, "Selena: The Series", seasons=(SEASON,)), titles=TITLES)
    )
    assert decision.tmdb_id == 1


def test_nothing_found_is_said_so():
    decision = match(evidence("Grenseland"))
    assert (decision.status, decision.candidates) == (Status.NOT_FOUND, ())


def test_a_name_on_another_record_from_long_ago_is_left_open():
    old = candidate(1, "Wiedźmin", 2002, seasons=(season(1, count=13),), popularity=2)
    decision = match(evidence("Wiedźmin", old, language="pl", seasons=(1, 2)))
    assert decision.status is not Status.MATCHED


# The parts


@pytest.mark.parametrize(
    "name",
    [
        "The Office (U.S.)",
        "the office",
        "Office",
    ],
)
def test_small_words_and_case_hardly_matter(name):
    office = candidate(1, "The Office", 2005, origin_country=("US",), seasons=(SEASON,))
    assert points(match(evidence(name, office)), 1, "name") >= 40


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Marvel's Iron Fist", "Iron Fist"),
        ("Grizzy & the Lemmings", "Grizzy and the Lemmings"),
        ("Rocky II", "Rocky 2"),
        ("Élite", "elite"),
        ("The Office (EE. UU.)", "The Office"),
        ("Haikyū!!", "Haikyu"),
        ("Shameless (2011)", "Shameless"),
    ],
)
def test_spellings_of_one_name_are_recognised(ours, theirs):
    assert points(match(evidence(ours, candidate(1, theirs))), 1, "name") >= 40


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("3%", "3"), ("Babylon 5", "Babylon 4"), ("Narcos", "Narcos: Mexico"), ("###", "???")],
)
def test_different_names_are_not_taken_for_one(ours, theirs):
    assert points(match(evidence(ours, candidate(1, theirs))), 1, "name") < 28


def test_original_and_alternative_names_count():
    by_original = candidate(1, "Money Heist", original_name="La casa de papel")
    by_other = candidate(2, "Money Heist", other_names=("Haus des Geldes",))
    assert points(match(evidence("La casa de papel", by_original)), 1, "name") >= 55
    assert points(match(evidence("Haus des Geldes", by_other)), 2, "name") >= 55


def test_a_long_name_counts_more_than_a_short_one():
    short = points(match(evidence("H", candidate(1, "H"))), 1, "name")
    long = points(
        match(evidence("Merkelige dødsfall", candidate(1, "Merkelige dødsfall"))), 1, "name"
    )
    assert short < long


def test_the_country_in_the_name_decides():
    american = candidate(1, "Shameless", origin_country=("US",), popularity=90)
    british = candidate(2, "Shameless", origin_country=("GB",), popularity=4)
    decision = match(evidence("Shameless (U.K.)", american, british))
    assert decision.candidates[0].tmdb_id == 2
    assert points(decision, 2, "country") > 0 > points(decision, 1, "country")


def test_the_year_in_the_name_decides():
    first = candidate(1, "Kingdom", 2014)
    second = candidate(2, "Kingdom", 2019)
    decision = match(evidence("Kingdom (2014)", first, second))
    assert decision.candidates[0].tmdb_id == 1
    assert points(decision, 1, "year") > 0 > points(decision, 2, "year")


def test_an_air_date_a_few_days_after_the_watching_is_no_contradiction():
    early = candidate(1, "Hellbound", seasons=(SEASON,))
    early = replace(early, first_air_date=WATCHED + timedelta(days=3))
    late = replace(early, tmdb_id=2, first_air_date=WATCHED + timedelta(days=300))
    decision = match(evidence("Hellbound", early, late))
    assert points(decision, 1, "date") > 0 > points(decision, 2, "date")


def test_unknown_seasons_speak_neither_for_nor_against():
    decision = match(evidence("Oats", candidate(1, "Oats", seasons=())))
    assert points(decision, 1, "seasons") == points(decision, 1, "episodes") == 0
    zero = candidate(1, "Oats", seasons=(SeasonFacts(1, "Season 1", 0),))
    assert points(match(evidence("Oats", zero, titles=["Rakka"])), 1, "episodes") == 0


def test_a_season_watched_whole_speaks_for_a_series_and_too_many_episodes_against():
    watched = [f"Letter {n} from home" for n in "abcdef"]
    whole = candidate(1, "Letters", seasons=(season(1, count=6),))
    short = candidate(2, "Letters", seasons=(season(1, count=3),))
    decision = match(evidence("Letters", whole, short, titles=watched, seasons=()))
    assert points(decision, 1, "episodes") > 0 > points(decision, 2, "episodes")


def test_parts_of_netflix_are_no_contradiction_where_there_are_episodes_enough():
    heist = candidate(1, "Money Heist", 2017, seasons=(season(1, count=22), season(2, count=19)))
    short = candidate(2, "Money Heist", 2017, seasons=(season(1, count=6), season(2, count=6)))
    decision = match(evidence("Money Heist", heist, short, seasons=(1, 2, 3, 4, 5)))
    assert points(decision, 2, "seasons") < points(decision, 1, "seasons")
    assert decision.tmdb_id == 1


def test_missing_english_titles_count_for_english_rows_only():
    series = candidate(1, "Harbour", seasons=(SEASON,), original_language="en")
    rows = ["Der Brief auf dem Tisch", "Eine Nacht in Porto"]
    assert points(match(evidence("Harbour", series, titles=rows)), 1, "titles") < 0
    german = evidence("Harbour", series, titles=rows, language="de")
    assert points(match(german), 1, "titles") == 0


def test_titles_that_only_count_are_no_evidence():
    counted = season(1, "Episode 1", "Episode 2")
    decision = match(
        evidence("Luther", candidate(1, "Luther", seasons=(counted,)), titles=["Episode 1"])
    )
    assert points(decision, 1, "titles") == 0


# What is asked for next


def test_the_details_of_the_leading_candidate_are_wanted_first():
    decision = match(evidence("Ozark", candidate(7, "Ozark", seasons=None)))
    assert decision.wants == (Want(WantKind.DETAILS, 7),)


def test_the_details_of_others_of_that_name_are_wanted_until_titles_prove_one():
    proven = candidate(1, "Ozark", seasons=(SEASON,))
    other = candidate(2, "Ozark", 2014, seasons=None, popularity=1)
    assert match(evidence("Ozark", proven, other, titles=TITLES)).wants == ()
    assert Want(WantKind.DETAILS, 2) in match(evidence("Ozark", proven, other)).wants


def test_the_most_popular_of_that_name_is_looked_into_however_old_it_is():
    remake = candidate(1, "Suits", 2019, seasons=(season(1, count=16),))
    others = [candidate(n, "Suits", 2018, seasons=None, popularity=2) for n in (2, 3, 4)]
    original = candidate(5, "Suits", 2011, seasons=None, popularity=85)
    decision = match(evidence("Suits", remake, *others, original))
    assert set(decision.wants) == {Want(WantKind.DETAILS, n) for n in (2, 5)}
    told = replace(original, seasons=(SEASON,))
    assert match(evidence("Suits", remake, *others, told, titles=TITLES)).tmdb_id == 5


def test_a_result_under_another_name_is_looked_into():
    hidden = candidate(5, "PAW Patrol", 2013, seasons=None)
    decision = match(evidence("Patrulla de cachorros", hidden, language="es"))
    assert Want(WantKind.DETAILS, 5) in decision.wants
    known = replace(hidden, other_names=("Patrulla de cachorros",), seasons=(SEASON,))
    assert match(evidence("Patrulla de cachorros", known, language="es")).tmdb_id == 5


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("Marvel's Daredevil", "Daredevil"),
        ("The Office (U.S.)", "The Office"),
        ("The Office (EE. UU.)", "The Office"),
        ("Grizzy and the Lemmings", "Grizzy the Lemmings"),
        ("Evil Genius: the True Story", "Evil Genius"),
    ],
)
def test_a_name_that_is_not_found_is_searched_for_otherwise(name, query):
    first = Search(name, "en")
    wants = match(evidence(name, searched=(first,))).wants
    assert Want(WantKind.SEARCH, search=Search(query, "en")) in wants
    every = tuple(want.search for want in wants)
    assert match(evidence(name, searched=(first, *every))).wants == ()


def test_a_single_common_word_is_searched_for_on_the_second_page():
    page = [candidate(n, f"Love Story {n}", position=n) for n in range(1, 21)]
    wants = match(evidence("Love", *page, searched=(Search("Love", "en"),))).wants
    assert wants == (Want(WantKind.SEARCH, search=Search("Love", "en", page=2)),)


def test_english_titles_are_wanted_where_they_could_decide():
    alike = [candidate(n, "Suits", seasons=(season(1, "Jakso 1"),)) for n in (1, 2)]
    rows = evidence("Suits", *alike, titles=["Play the Man"], language="fi")
    assert Want(WantKind.ENGLISH, 1) in match(rows).wants
    english = tuple(
        replace(c, english_seasons=(season(1, title),))
        for c, title in zip(alike, ["Play the Man", "Errors and Omissions"], strict=True)
    )
    assert match(replace(rows, candidates=english)).wants == ()
    assert points(match(replace(rows, candidates=english)), 1, "titles") > 0


# Doubtful titles


def doubts(*titles, is_episode=False):
    return [Doubt(title, title, is_episode) for title in titles]


def settled(name, titles, *candidates, is_episode=False, **facts):
    facts.setdefault("seasons", ())
    rows = evidence(name, *candidates, titles=titles, **facts)
    found = settle(doubts(*titles, is_episode=is_episode), rows, match(rows))
    return {title: result.verdict for title, result in found.items()}


MIRROR = (
    season(0, "Bandersnatch"),
    season(1, "The National Anthem", "Fifteen Million Merits"),
    season(2, "Be Right Back", "White Bear"),
)


def test_a_title_among_the_regular_episodes_is_an_episode():
    series = candidate(1, "Black Mirror", 2011, seasons=MIRROR, popularity=50)
    rows = evidence("Black Mirror", series, titles=["White Bear"])
    result = settle(doubts("White Bear"), rows, match(rows))["White Bear"]
    assert (result.verdict, result.tmdb_id) == (Verdict.EPISODE, 1)
    assert (result.season_number, result.episode_ids) == (2, (2002,))


def test_a_title_only_among_the_specials_is_a_special():
    series = candidate(1, "Black Mirror", 2011, seasons=MIRROR, popularity=50)
    assert settled("Black Mirror", ["Bandersnatch"], series) == {"Bandersnatch": Verdict.SPECIAL}


def test_a_title_behind_the_name_of_a_season_is_found():
    series = candidate(1, "Dirty John", seasons=(season(1, "No Fault", "Approachable Dreams"),))
    title = "Betty Broderick: No Fault"
    assert settled("Dirty John", [title], series) == {title: Verdict.EPISODE}


def test_a_film_beside_an_old_series_of_its_name_stays_a_movie():
    old = candidate(1, "Jumanji", 1996, seasons=(season(1, "The Price", "Bargaining Time"),))
    assert settled("Jumanji", ["The Next Level"], old) == {"The Next Level": Verdict.AS_READ}


def test_a_film_named_like_a_series_with_other_episodes_stays_a_movie():
    series = candidate(1, "The Purge", 2018, seasons=(season(1, "Take What's Yours", "Release"),))
    assert settled("The Purge", ["Anarchy"], series) == {"Anarchy": Verdict.AS_READ}


def test_most_other_titles_carry_the_one_that_is_missing():
    series = candidate(1, "Dexter", 2018, seasons=(season(1, "Crocodile", "Born Free"),))
    titles = ["Crocodile", "Born Free", "Dexter Unbound"]
    assert set(settled("Dexter", titles, series).values()) == {Verdict.EPISODE}


def test_a_recent_series_of_one_season_takes_a_title_in_another_language():
    recent = candidate(1, "Sex/Life", seasons=(season(1, "Odcinek 1"),), popularity=20)
    assert settled("Sex/Life", ["Imperium"], recent, language="pl") == {"Imperium": Verdict.EPISODE}
    older = replace(recent, seasons=(season(1), season(2)))
    assert settled("Sex/Life", ["Imperium"], older, language="pl") == {"Imperium": Verdict.AS_READ}
    film = settled("Sex/Life", ["La película"], recent, language="es")
    assert film == {"La película": Verdict.AS_READ}


def test_a_lone_title_read_as_episode_is_a_movie_when_no_series_has_the_name():
    title = "The Wild World of a Stranger"
    assert settled("Running", [title], is_episode=True) == {title: Verdict.MOVIE}
    assert settled("Running", [title, "Away"], is_episode=True)[title] is Verdict.AS_READ
    assert settled("Running: Wild", [title], is_episode=True)[title] is Verdict.AS_READ
    assert settled("Running", ["The Pilot"], is_episode=True)["The Pilot"] is Verdict.AS_READ


def test_english_titles_are_wanted_before_a_doubt_is_settled_by_name():
    series = candidate(1, "Jupiter's Legacy", seasons=(season(1, "Jakso 1"),), popularity=40)
    rows = evidence(
        "Jupiter's Legacy", series, titles=["By Dawn's Early Light"], seasons=(), language="fi"
    )
    doubt = doubts("By Dawn's Early Light")
    assert wants_to_settle(doubt, rows, match(rows)) == (Want(WantKind.ENGLISH, 1),)
    rows = replace(
        rows, candidates=(replace(series, english_seasons=(season(1, "By Dawn's Early Light"),)),)
    )
    assert wants_to_settle(doubt, rows, match(rows)) == ()
    assert settle(doubt, rows, match(rows))["By Dawn's Early Light"].season_number == 1


def test_nothing_is_made_a_movie_of_a_series_that_a_person_chose():
    other = candidate(7, "Totally Else", seasons=(season(1, "Somewhere"),))
    for candidates in ([other], []):
        rows = evidence("Thor", *candidates, titles=["Ragnarok"], seasons=())
        decision = match(rows)
        found = settle(doubts("Ragnarok", is_episode=True), rows, decision)
        assert found["Ragnarok"].verdict is Verdict.MOVIE
        found = settle(doubts("Ragnarok", is_episode=True), rows, decision, pinned=7)
        assert (found["Ragnarok"].verdict, found["Ragnarok"].tmdb_id) == (Verdict.EPISODE, 7)
        found = settle(doubts("Ragnarok"), rows, decision, pinned=7)
        assert found["Ragnarok"].verdict is Verdict.AS_READ


def test_english_titles_of_the_series_that_a_person_chose_are_wanted():
    other = candidate(7, "Totally Else", seasons=(season(1, "Jakso 1"),))
    rows = evidence("Thor", other, titles=["Ragnarok"], seasons=(), language="fi")
    wanted = wants_to_settle(doubts("Ragnarok"), rows, match(rows), pinned=7)
    assert wanted == (Want(WantKind.ENGLISH, 7),)
    read_as_episode = doubts("Ragnarok", is_episode=True)
    assert wants_to_settle(read_as_episode, rows, match(rows), pinned=7) == ()


# For people


def test_the_explanation_has_every_part_in_plain_words():
    series = candidate(1, "Harbour Lights", 2021, seasons=(SEASON,))
    rows = evidence("Harbour Lights", series, titles=TITLES)
    text = explain(rows, match(rows))
    assert text.startswith("Harbour Lights: ")
    assert "Harbour Lights (2021), TMDB 1" in text
    assert "first aired 2021, after you watched it (2020)" in text
    assert "2 of 2 episode titles occur, such as “The Letter on the Table”" in text


# For all evidence

names = st.sampled_from(
    [
        "Dark",
        "The Dark",
        "Dark (2017)",
        "Dark (U.S.)",
        "Darker: A Tale",
        "###",
        "",
        "闇",
        "3%",
        "IV",
    ]
) | st.text(max_size=12)
days = st.none() | st.dates(date(1950, 1, 1), date(2030, 1, 1))
titles = st.sampled_from(["Pilot", "Secrets", "Episode 3", "Secrets and Lies / Truth", ""]) | (
    st.text(max_size=10)
)
seasons = st.none() | st.lists(
    st.builds(
        SeasonFacts,
        number=st.integers(0, 5),
        name=titles,
        episode_count=st.none() | st.integers(0, 30),
        episodes=st.none()
        | st.lists(
            st.builds(EpisodeFacts, st.integers(1, 99), st.integers(0, 30), titles), max_size=4
        ).map(tuple),
        air_date=days,
    ),
    max_size=3,
    unique_by=lambda s: s.number,
).map(tuple)
candidates = st.lists(
    st.builds(
        Candidate,
        tmdb_id=st.integers(1, 20),
        name=names,
        original_name=names,
        other_names=st.none() | st.lists(names, max_size=3).map(tuple),
        first_air_date=days,
        origin_country=st.lists(st.sampled_from(["US", "GB", "DE"]), max_size=2).map(tuple),
        original_language=st.sampled_from(["en", "de", ""]),
        popularity=st.floats(0, 5000),
        position=st.integers(0, 19),
        seasons=seasons,
        english_seasons=seasons,
    ),
    max_size=5,
    unique_by=lambda c: c.tmdb_id,
)
watched = st.lists(
    st.builds(
        WatchedEpisode,
        st.none() | st.integers(0, 9),
        st.none() | titles,
        st.none() | st.integers(0, 40),
        st.none() | titles,
    ),
    max_size=6,
)
all_evidence = st.builds(
    Evidence,
    name=names,
    other_names=st.lists(names, max_size=2).map(tuple),
    language=st.sampled_from(["en", "en-US", "de", "ja", ""]),
    episodes=watched.map(tuple),
    first_watched=days,
    candidates=candidates.map(tuple),
)


@given(all_evidence)
def test_match_never_raises_and_says_what_it_decided(given_evidence):
    decision = match(given_evidence)
    assert (decision.tmdb_id is not None) == (decision.status is Status.MATCHED)
    assert len(decision.candidates) == len(given_evidence.candidates)
    scores = [c.score for c in decision.candidates]
    assert scores == sorted(scores, reverse=True)
    for scored in decision.candidates:
        assert scored.score == pytest.approx(sum(p.points for p in scored.parts))
        assert all(str(part.sentence) for part in scored.parts)
    assert explain(given_evidence, decision)


@given(all_evidence, st.lists(titles, max_size=3), st.booleans())
def test_settle_never_raises_and_answers_every_doubt(given_evidence, doubtful, is_episode):
    decision = match(given_evidence)
    asked = [Doubt(n, title, is_episode) for n, title in enumerate(doubtful)]
    wants_to_settle(asked, given_evidence, decision)
    assert set(settle(asked, given_evidence, decision)) == set(range(len(asked)))


@given(all_evidence, st.randoms())
def test_the_order_of_the_candidates_does_not_change_the_decision(given_evidence, random):
    shuffled = list(given_evidence.candidates)
    random.shuffle(shuffled)
    assert match(replace(given_evidence, candidates=tuple(shuffled))) == match(given_evidence)


@given(all_evidence)
def test_a_candidate_worse_in_every_part_never_wins(given_evidence):
    decision = match(given_evidence)
    if decision.tmdb_id is None:
        return
    winner = {part.name: part.points for part in decision.candidates[0].parts}
    for scored in decision.candidates[1:]:
        other = {part.name: part.points for part in scored.parts}
        assert any(
            winner.get(name, 0.0) > other.get(name, 0.0) for name in winner.keys() | other.keys()
        )


@given(all_evidence, st.integers(1, 60))
def test_a_twin_that_aired_after_the_watching_never_takes_the_match(given_evidence, years):
    decision = match(given_evidence)
    if decision.tmdb_id is None or given_evidence.first_watched is None:
        return
    twin = next(c for c in given_evidence.candidates if c.tmdb_id == decision.tmdb_id)
    late = given_evidence.first_watched + timedelta(days=365 * years)
    twin = replace(twin, tmdb_id=999, first_air_date=late)
    both = replace(given_evidence, candidates=(*given_evidence.candidates, twin))
    assert match(both).tmdb_id != 999
