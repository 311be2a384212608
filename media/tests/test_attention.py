"""What needs attention, and how it is put."""

from __future__ import annotations

import pytest
from django.utils import timezone, translation

from media import attention, deciding
from media.attention import AttentionKind, attention_page, count_open, make_candidates
from media.matching import MARGIN, THRESHOLD
from media.models import DecidedBy, DecisionKind, DecisionLog, LibraryEntry, Media, Viewing
from media.tests.making import look_up, watch
from media.tests.shelf import add_movie, add_series
from media.tests.states import entry_named
from media.tests.test_doubts import doubt

USER = DecidedBy.USER


def part(name, points, sentence="told", /, **values):
    return {"name": name, "points": points, "sentence": sentence, "values": values}


def candidate(tmdb_id=1, *parts, score=50.0, **facts):
    return {
        "tmdb_id": tmdb_id,
        "name": "Kingdom",
        "original_name": "Kingdom",
        "year": 2019,
        "countries": ["KR"],
        "poster_path": "/kingdom.jpg",
        "seasons": 2,
        "episodes": 12,
        "score": score,
        "parts": list(parts),
        **facts,
    }


SAME = part("name", 60.0, "the same name: %(name)s", name="Kingdom")
PART = part("name", 10.0, "one name is part of the other: %(name)s", name="Young Kingdom")
SMALL = part("name", 45.0, "the same name but for small words: %(name)s", name="The Kingdom")
DATE = part("date", 15.0)
TITLES = part("titles", 20.0)


def near(*parts, by=THRESHOLD, rival=THRESHOLD - MARGIN + 1):
    """Candidates of which the first, of those parts, leads the second by little."""
    return [candidate(1, *(parts or (SAME,)), score=by), candidate(2, SAME, score=rival)]


def unsure(user, title, status="uncertain", **fields):
    entry = add_series(user, title, watched=1)
    LibraryEntry.objects.filter(pk=entry.pk).update(lookup_status=status, **fields)
    return LibraryEntry.objects.get(pk=entry.pk)


def gone(user, title):
    return add_series(user, title, [3], 1, tmdb_gone_at=timezone.now())


def titles(page):
    return {
        section.kind.value: [item.title for item in section.items]
        + [doubt.series for doubt in section.doubts]
        for section in page.sections
    }


@pytest.fixture
def everything(user):
    """One thing of each kind, and some that need nothing."""
    unsure(user, "Failed", "error")
    unsure(user, "Not found", "not_found")
    unsure(user, "Unsure", candidates=[candidate(score=THRESHOLD - 1)])
    unsure(user, "Likely", candidates=near())
    gone(user, "Gone")
    doubt(user, "Dark", "Alpha")
    add_series(user, "Matched", [3], 1)
    unsure(user, "Waiting", "pending")
    unsure(user, "Ignored", "ignored")
    add_movie(user, "Roma")
    return user


class TestTheList:
    def test_each_thing_stands_under_its_reason(self, everything):
        page = attention_page(everything, None, 1)
        assert titles(page) == {
            "nearly-sure": ["Likely"],
            "uncertain": ["Unsure"],
            "gone": ["Gone"],
            "not-found": ["Not found"],
            "failed": ["Failed"],
            "episode-or-movie": ["Dark"],
        }
        assert [section.kind for section in page.sections] == list(AttentionKind)
        assert page.open == 6

    @pytest.mark.parametrize("kind", AttentionKind)
    def test_each_filter_counts_what_it_shows(self, everything, kind):
        page = attention_page(everything, kind, 1)
        assert list(titles(page)) == [kind.value]
        assert next(f.count for f in page.filters if f.is_current) == 1
        assert page.open == 6

    def test_what_is_near_but_was_split_off_by_hand_is_not_nearly_sure(self, user):
        unsure(user, "Split", candidates=near(), decided_by=USER)
        assert list(titles(attention_page(user, None, 1))) == ["uncertain"]

    @pytest.mark.parametrize(
        ("candidates", "kind"),
        [
            (near(SAME), "nearly-sure"),
            (near(PART, DATE, TITLES), "nearly-sure"),
            (near(SAME, by=100, rival=90.1), "nearly-sure"),
            (near(SAME, by=9, rival=8), "uncertain"),
            (near(SAME, by=100, rival=90), "uncertain"),
            (near(PART, DATE), "uncertain"),
            (near(SMALL, DATE), "uncertain"),
            (near(PART, part("titles", 19.9)), "uncertain"),
            (near(SAME)[:1], "uncertain"),
            ([], "uncertain"),
        ],
    )
    def test_nearly_sure_is_one_of_that_name_or_with_the_episodes_and_a_close_rival(
        self, user, candidates, kind
    ):
        unsure(user, "Kingdom", candidates=candidates)
        assert list(titles(attention_page(user, None, 1))) == [kind]

    def test_a_series_of_which_the_name_is_only_a_part_is_not_nearly_sure(self, user, tmdb):
        episodes = ["Episode 1", "Episode 2", "Episode 3"]
        tmdb.add(2, "Young Sheldon", {1: episodes}, first_air_date="2020-01-01", popularity=90)
        watch(user, "Sheldon", *episodes)
        look_up()
        entry = entry_named("Sheldon")
        assert (entry.lookup_status, len(entry.candidates)) == ("uncertain", 1)
        assert entry.candidates[0]["score"] >= THRESHOLD
        assert list(titles(attention_page(user, None, 1))) == ["uncertain"]

    def test_the_last_watched_come_first(self, user):
        for day, title in ((3, "Third"), (1, "First"), (2, "Second")):
            entry = unsure(user, title, "not_found")
            LibraryEntry.objects.filter(pk=entry.pk).update(
                first_watched=None, last_watched=timezone.localdate().replace(day=10 - day)
            )
        page = attention_page(user, None, 1)
        assert titles(page) == {"not-found": ["First", "Second", "Third"]}

    def test_hidden_entries_and_titles_need_nothing(self, everything):
        for entry in LibraryEntry.objects.all():
            entry.names.update(is_hidden=True)
        assert attention_page(everything, None, 1).open == 0
        assert count_open(everything) == 0

    def test_dismissed_titles_need_nothing(self, everything):
        Viewing.objects.filter(reading_uncertain=True).update(dismissed_at=timezone.now())
        assert attention_page(everything, None, 1).open == 5
        assert count_open(everything) == 5

    def test_nobody_sees_what_others_are_asked(self, everything, make_user):
        ben = make_user("ben")
        assert attention_page(ben, None, 1).sections == ()
        assert count_open(ben) == 0

    def test_every_item_stands_on_exactly_one_page(self, user):
        for number in range(15):
            unsure(user, f"Missing {number:02}", "not_found")
            doubt(user, f"Doubtful {number:02}", "Alpha")
        pages = [attention_page(user, None, number) for number in (1, 2)]
        assert [page.page.number for page in pages] == [1, 2]
        found = [title for page in pages for of_kind in titles(page).values() for title in of_kind]
        assert sorted(found) == sorted(
            [f"Missing {n:02}" for n in range(15)] + [f"Doubtful {n:02}" for n in range(15)]
        )
        assert len(titles(pages[0])["episode-or-movie"]) == 5

    def test_a_page_beyond_the_last_is_the_last(self, everything):
        assert attention_page(everything, None, 99).page.number == 1

    def test_an_entry_shows_some_rows_and_says_how_many(self, user):
        entry = add_series(user, "Kingdom", watched=5)
        (item,) = attention.make_items([entry])
        assert item.rows == 5
        assert item.samples == tuple(f"Kingdom: Season 1: Title {n}" for n in (5, 4, 3))

    def test_the_count_of_the_navigation_is_one_query(self, everything, django_assert_num_queries):
        with django_assert_num_queries(1):
            assert count_open(everything) == 6

    @pytest.mark.parametrize("size", [1, 45])
    def test_a_page_takes_the_same_queries_at_any_size(
        self, user, size, django_assert_max_num_queries
    ):
        for number in range(size):
            unsure(user, f"Likely {number}", candidates=near())
            unsure(user, f"Unsure {number}", candidates=[candidate(score=40)] * 8)
            gone(user, f"Gone {number}")
            doubt(user, f"Doubtful {number}", "Alpha")
            doubt(user, f"Doubtful {number}", "Beta")
            deciding.hide(add_movie(user, f"Movie {number}"), hidden=True)
        for kind in (None, AttentionKind.READING):
            # Signing in takes two more.
            with django_assert_max_num_queries(8):
                page = attention_page(user, kind, 1)
                assert page.sections


class TestCandidates:
    def test_they_come_with_year_country_and_size(self):
        (found,) = make_candidates([candidate()])
        assert found.facts == "2019 · South Korea · 2 seasons, 12 episodes"
        assert (found.name, found.original_name, found.is_current) == ("Kingdom", "", False)

    def test_what_is_not_known_is_left_out(self):
        stored = candidate(year=None, countries=[], seasons=None, episodes=None)
        assert make_candidates([stored])[0].facts == "year unknown"

    def test_one_season_is_not_plural(self):
        stored = candidate(seasons=1, episodes=1, countries=["XX", "US"])
        assert (
            make_candidates([stored])[0].facts == "2019 · XX, United States · 1 season, 1 episode"
        )

    def test_another_name_in_the_original_is_shown(self):
        assert make_candidates([candidate(original_name="킹덤")])[0].original_name == "킹덤"

    def test_the_one_that_it_is_now_is_marked(self):
        found = make_candidates([candidate(1), candidate(2)], current=2)
        assert [one.is_current for one in found] == [False, True]

    @pytest.mark.parametrize(
        ("one", "sign"),
        [
            (part("name", 60.0), "plus"),
            (part("name", 27.0), "minus"),
            (part("name", 35.0), None),
            (part("seasons", 15.0), "plus"),
            (part("seasons", -8.0), "minus"),
            (part("date", 0.0), None),
            (part("popularity", 16.0), None),
        ],
    )
    def test_what_speaks_for_and_against_it_is_told_apart(self, one, sign):
        signs = [reason.sign for reason in make_candidates([candidate(1, one)])[0].reasons]
        assert signs == ([sign] if sign else [])

    def test_the_strongest_reasons_are_told_those_for_it_first(self):
        parts = [
            part("date", -30.0, "weak date"),
            part("name", 60.0, "same name"),
            part("episodes", 4.0, "least"),
            part("seasons", 15.0, "fits"),
            part("titles", 20.0, "titles occur"),
        ]
        reasons = make_candidates([candidate(1, *parts)])[0].reasons
        assert [r.text for r in reasons] == ["Same name", "Titles occur", "Fits", "Weak date"]

    def test_values_are_put_into_sentences_and_countries_named(self):
        one = part("country", 15.0, "made in %(countries)s, as the name says", countries="GB, US")
        assert make_candidates([candidate(1, one)])[0].reasons[0].text == (
            "Made in United Kingdom, United States, as the name says"
        )

    def test_a_date_says_why_it_speaks_for_or_against(self):
        def told(points):
            sentence = "first aired %(aired)s, first watched %(watched)s"
            one = part("date", points, sentence, aired=2006, watched=2025)
            return make_candidates([candidate(1, one)])[0].reasons[0].text

        assert told(15.0) == "First aired 2006, shortly before you watched it"
        assert told(-29.0) == "First aired 2006, long before you watched it (2025)"

    def test_what_look_ups_store_can_be_shown(self, user, tmdb):
        tmdb.add(2, "Kingdom", {1: ["One", "Two"]}, first_air_date="2019-01-25")
        tmdb.add(3, "Kingdom", {1: ["One", "Two"]}, first_air_date="2018-02-25")
        watch(user, "Kingdom", "One", "Two")
        look_up()
        (section,) = attention_page(user, None, 1).sections
        (item,) = section.items
        assert {one.tmdb_id for one in item.candidates} == {2, 3}
        assert item.best.reasons
        assert item.best.facts == "2019 · United States · 1 season, 2 episodes"

    def test_nearly_sure_tells_what_tells_the_first_from_the_second(self, user):
        shared = part("name", 60.0, "same name")
        entry = unsure(
            user,
            "Kingdom",
            candidates=[
                candidate(1, shared, part("titles", 20.0, "titles occur")),
                candidate(2, shared),
            ],
        )
        (item,) = attention.make_items([entry])
        assert [reason.text for reason in item.telling] == ["Titles occur"]


class TestDoubts:
    def test_titles_that_begin_alike_stand_together(self, user):
        for title in ("Alpha", "Beta"):
            doubt(user, "Dark", title)
        doubt(user, "Dark", "Gamma", read_as="episode")
        doubt(user, "Lupin", "Chapter 1")
        (section,) = attention_page(user, AttentionKind.READING, 1).sections
        of_dark = next(one for one in section.doubts if one.series == "Dark")
        assert {title.title for title in of_dark.titles} == {
            "Dark: Alpha",
            "Dark: Beta",
            "Dark: Gamma",
        }
        assert {t.title: t.is_read_as_episode for t in of_dark.titles}["Dark: Gamma"]
        assert of_dark.only is None
        assert [one.only.episode for one in section.doubts if one.only] == ["Chapter 1"]
        assert count_open(user) == 2

    def test_a_title_watched_twice_is_one(self, user):
        first = doubt(user, "Dark", "Alpha")
        Viewing.objects.create(
            user=user,
            entry=first.entry,
            name=first.name,
            kind=first.kind,
            raw_title=first.raw_title,
            title_hash=first.title_hash,
            fingerprint="another day",
            day=first.day,
            reading_uncertain=True,
            alternative=first.alternative,
        )
        (section,) = attention_page(user, None, 1).sections
        assert len(section.doubts[0].titles) == 1

    def test_the_series_has_its_poster_where_the_library_has_it(self, user):
        entry = add_series(user, "Dark", [3], 1, poster_path="/dark.jpg")
        doubt(user, "Dark", "Alpha")
        (section,) = attention_page(user, None, 1).sections
        assert section.doubts[0].media == entry.media

    def test_old_rows_that_do_not_say_the_series_are_left_out(self, user):
        doubt(user, "Dark", "Alpha")
        Viewing.objects.update(alternative={"kind": "episode", "series": "Dark"})
        assert attention_page(user, None, 1).open == 0
        assert count_open(user) == 0


class TestDecisions:
    def test_each_kind_has_words(self, user):
        for kind in DecisionKind:
            for count in (1, 3):
                log = DecisionLog(
                    user=user, kind=kind, subject="Dark", outcome="Lupin", count=count, before={}
                )
                text = attention.in_words(log)
                assert "Dark" in text or "Lupin" in text
                assert "%" not in text

    def test_they_are_there_in_another_language_too(self, open_shelf):
        deciding.hide(entry_named("Dark"), hidden=True)
        with translation.override("de"):
            assert attention.latest_decisions(open_shelf)

    def test_the_last_one_is_just_decided_for_ten_minutes(self, open_shelf):
        deciding.ignore(entry_named("Jumanji"), USER)
        page = attention_page(open_shelf, None, 1)
        assert page.just_decided == page.decided[0]
        assert page.decided[0].text == "“Jumanji” is not on TMDB"
        DecisionLog.objects.update(made_at=timezone.now() - attention.JUST_NOW)
        assert attention_page(open_shelf, None, 1).just_decided is None

    def test_only_what_no_later_decision_touched_can_be_undone(self, open_shelf):
        deciding.ignore(entry_named("Jumanji"), USER)
        deciding.hide(entry_named("Jumanji"), hidden=True)
        deciding.match_to(entry_named("Kingdom"), 3, USER)
        _page, decisions = attention.decided_page(open_shelf, 1)
        assert [one.can_be_undone for one in decisions] == [True, True, False]


def test_the_library_counts_what_is_gone_among_what_needs_attention(user):
    gone(user, "Gone")
    add_series(user, "Matched", [3], 1)
    assert [e.media.title for e in LibraryEntry.objects.of(user).needing_attention()] == ["Gone"]
    Media.objects.update(tmdb_gone_at=None)
    assert not LibraryEntry.objects.of(user).needing_attention().exists()


def test_why_a_title_is_doubtful_is_said_in_the_readers_language(user):
    one = doubt(user, "Dark", "Alpha")
    message = {"template": "another name: %(name)s", "values": {"name": "Dunkel"}}
    one.alternative = {**(one.alternative or {}), "message": message}
    one.save()
    with translation.override("de"):
        (group,) = attention._groups(user)
    assert group[2][0].reason == "anderer Name: Dunkel"
    one.alternative = {"reason": "the file does not tell", **one.alternative, "message": None}
    one.save()
    (group,) = attention._groups(user)
    assert group[2][0].reason == "the file does not tell"
