"""Each figure against the same one counted by hand, over made-up histories."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.test import TransactionTestCase
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import User
from conftest import empty_cache
from media import library, statistics, triggers
from media.days import ShownHour, offsets, offsets_in, shown_day
from media.models import LibraryEntry, LookupStatus, MediaType, MonthFigures, Viewing
from media.statistics import Binge, Finished, Selection, Streak, Tally
from media.tasks import work_out_statistics
from media.tests.shelf import DAY, add_entry, add_movie, add_series, watch

ZONES = ["UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kathmandu", "Pacific/Apia"]
# Around a leap day, a year's end, and the hours that Berlin skips and has twice.
STARTS = [date(2024, 2, 27), date(2023, 12, 29), date(2024, 3, 29), date(2024, 10, 25)]
PROFILES = ["", "Ana", "Ben"]


class TestTimeZones(TestCase):
    @settings(max_examples=300, deadline=None)
    @given(
        st.datetimes(datetime(1990, 1, 1), datetime(2099, 12, 31)),
        st.sampled_from([*ZONES, "Africa/Casablanca", "America/Sao_Paulo", "Asia/Tehran"]),
    )
    def test_an_offset_is_pythons(self, moment, name):
        zone = ZoneInfo(name)
        moment = moment.replace(tzinfo=UTC)
        ahead = [seconds for start, seconds in offsets(zone) if start <= moment][-1]
        assert timedelta(seconds=ahead) == moment.astimezone(zone).utcoffset()

    @settings(max_examples=200, deadline=None)
    @given(
        st.dates(date(1985, 1, 1), date(2105, 1, 1)),
        st.integers(0, 900),
        st.floats(-1, 1),
        st.sampled_from(ZONES),
    )
    def test_few_days_need_few_offsets(self, first, number, at, name):
        last = first + timedelta(days=number)
        known = offsets(ZoneInfo(name))
        some = offsets_in((first, last), known)
        middle = datetime.combine(first, time(12), UTC) + timedelta(days=number) / 2
        moment = middle + at * (timedelta(days=number) / 2 + timedelta(hours=26))

        def ahead(of):
            return [seconds for start, seconds in of if start <= moment or start == of[0][0]][-1]

        assert ahead(some) == ahead(known)
        assert len(some) <= number // 30 + 3

    @settings(max_examples=25, deadline=None)
    @given(
        st.lists(st.datetimes(datetime(2005, 1, 1), datetime(2030, 1, 1)), max_size=20),
        st.sampled_from(ZONES),
    )
    @example([datetime(2011, 12, 30, 9, 59, 59), datetime(2011, 12, 30, 10)], "Pacific/Apia")
    @example([datetime(2005, 1, 1, 0, 59, 59, 999500)], "UTC")
    @example([datetime(2024, 3, 31, 0, 59, 59), datetime(2024, 3, 31, 1)], "Europe/Berlin")
    def test_the_database_has_the_same_days_and_hours(self, moments, name):
        entry = add_entry(
            User.objects.create_user("ana"), "Roma", MediaType.MOVIE, LookupStatus.NOT_NEEDED
        )
        for n, moment in enumerate(moments):
            watch(entry, f"Roma {n}", DAY, kind="movie", watched_at=moment.replace(tzinfo=UTC))
        with timezone.override(name):
            found = Viewing.objects.annotate(hour=ShownHour()).values_list("watched_at", "hour")
            for moment, hour in found:
                assert hour == timezone.localtime(moment).strftime("%Y-%m-%d %H")


viewings = st.lists(
    st.fixed_dictionaries(
        {
            "what": st.sampled_from(["Dark", "Komi", "Roma", "Okja"]),
            "number": st.integers(1, 3),
            "season": st.sampled_from([0, 1, 2]),
            "day": st.one_of(
                st.none(),
                st.tuples(st.sampled_from(STARTS), st.integers(0, 6)).map(
                    lambda pair: pair[0] + timedelta(days=pair[1])
                ),
            ),
            # Often the same, as where two files tell of one play.
            "minute": st.one_of(st.none(), st.just(1230), st.integers(0, 24 * 60 - 1)),
            "seconds": st.one_of(st.none(), st.just(3000), st.integers(0, 9000)),
            "profile": st.sampled_from(PROFILES),
            "dismissed": st.sampled_from([False, False, False, True]),
            "title": st.integers(0, 5),
        }
    ),
    max_size=30,
)


def store(user, made):
    """The made-up viewings, as an import would have them; series with four episodes of seasons."""
    entries = {name: add_series(user, name, [1, 1]) for name in ("Dark", "Komi")}
    entries |= {
        name: add_entry(user, name, MediaType.MOVIE, LookupStatus.NOT_NEEDED)
        for name in ("Roma", "Okja")
    }
    stored = []
    taken = set()
    for one in made:
        entry, day = entries[one["what"]], one["day"]
        is_film = one["what"] in ("Roma", "Okja")
        # Another title of the same episode, as a file in another language has it.
        title = f"{one['what']}: {one['season']}: {one['number']}: {one['title']}"
        if (title, day) in taken:
            continue
        taken.add((title, day))
        at = None
        if day and one["minute"] is not None:
            at = datetime.combine(day, time(*divmod(one["minute"], 60)), UTC)
        fields = {} if is_film else {"season_number": one["season"]}
        if not is_film:
            fields["episode_title"] = f"Title {'abc'[one['number'] - 1]}"
        viewing = watch(
            entry,
            title,
            day,
            kind="movie" if is_film else "episode",
            watched_at=at,
            duration_seconds=one["seconds"] if at else None,
            profile=one["profile"],
            dismissed_at=timezone.now() if one["dismissed"] else None,
            **fields,
        )
        stored.append(viewing)
    library.recount([entry.pk for entry in entries.values()])
    return stored


def key_of(viewing):
    return (viewing.entry_id, viewing.season_number, viewing.episode_title)


def shown(viewing):
    return shown_day(viewing.day, viewing.watched_at)


def counted_by_hand(stored):
    """Each viewing that nobody dismissed with what it is: "new", "again" or "told"."""
    of_key = defaultdict(list)
    for viewing in stored:
        if viewing.dismissed_at is None:
            of_key[key_of(viewing)].append(viewing)
    found = []
    for same in of_key.values():
        dated = sorted((v for v in same if v.day), key=lambda v: (v.day, v.pk))
        anchor = None
        for viewing in dated:
            if anchor is None:
                anchor, what = viewing.day, "new"
            elif (viewing.day - anchor).days <= 1:
                what = "told"
            else:
                anchor, what = viewing.day, "again"
            found.append((viewing, what))
        for n, viewing in enumerate(sorted((v for v in same if not v.day), key=lambda v: v.pk)):
            found.append((viewing, "told" if dated or n else "new"))
    return found


def plays_by_hand(counted):
    """Without viewings that repeat a play of another one: a title in two spellings of two files."""
    kept, plays = [], set()
    for viewing, what in sorted(counted, key=lambda one: one[1] == "told"):
        if viewing.duration_seconds is not None:
            began = timezone.localtime(viewing.watched_at) if viewing.watched_at else None
            when = (began.date(), began.hour) if began else (viewing.day, None)
            what_it_is = (viewing.entry_id, viewing.kind, viewing.season_number == 0)
            play = (what_it_is, viewing.profile, when, viewing.duration_seconds)
            if what == "told" and play in plays:
                continue
            plays.add(play)
        kept.append((viewing, what))
    return kept


def tally_by_hand(counted):
    counts: Counter[str] = Counter()
    for viewing, what in counted:
        seen = what != "told"
        if viewing.kind == "movie":
            counts["new_movies" if what == "new" else "movies_again"] += seen
        elif viewing.season_number == 0:
            counts["specials"] += seen
        else:
            counts["new_episodes" if what == "new" else "episodes_again"] += seen
        counts["seconds"] += viewing.duration_seconds or 0
        counts["timed"] += viewing.duration_seconds is not None
        counts["viewings"] += 1
    return Tally(**counts)


def episodes_by_hand(counted):
    return [
        (viewing, what)
        for viewing, what in counted
        if viewing.kind == "episode" and viewing.season_number != 0
    ]


def selections(user):
    entries = LibraryEntry.objects.of(user).filter(viewings__isnull=False)
    first = entries.order_by("pk").values_list("pk", flat=True).first()
    yield from (Selection(), Selection(2024), Selection(2023, "Ana"), Selection(profile="Ben"))
    yield Selection(entry=first)
    yield Selection(2024, entry=first)


class TestFigures(TestCase):
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(viewings, st.sampled_from(ZONES))
    def test_every_figure_is_what_counting_by_hand_gives(self, made, name):
        user = User.objects.create_user("ana")
        stored = store(user, made)
        counted = counted_by_hand(stored)
        with timezone.override(name):
            for selection in selections(user):
                self.compare(user, selection, counted)
            # The same from what is kept.
            assert statistics.bring_up_to_date(user, 60)
            assert not MonthFigures.objects.filter(is_stale=True).exists()
            for selection in selections(user):
                self.compare(user, selection, counted)

    def compare(self, user, selection, counted):
        of_any_year = [
            (viewing, what)
            for viewing, what in counted
            if selection.profile in ("", viewing.profile)
            and selection.entry in (None, viewing.entry_id)
        ]
        chosen = [
            (viewing, what)
            for viewing, what in of_any_year
            if not selection.year or (viewing.day and shown(viewing).year == selection.year)
        ]
        figures = figures_of(user, selection)
        self.compare_time(figures, plays_by_hand(chosen))
        self.compare_names(figures, chosen)
        assert list(figures.finished) == finished_by_hand(user, of_any_year, selection.year)
        assert figures.finished_count == len(figures.finished)

    def compare_time(self, figures, chosen):
        by_day, by_hour, by_month = defaultdict(list), defaultdict(list), defaultdict(list)
        for one in chosen:
            viewing = one[0]
            by_day[shown(viewing)].append(one)
            if viewing.day:
                by_month[shown(viewing).replace(day=1)].append(one)
            if viewing.watched_at:
                by_hour[timezone.localtime(viewing.watched_at).hour].append(one)
        undated = by_day.pop(None, [])
        assert figures.total == tally_by_hand(chosen)
        assert figures.undated == tally_by_hand(undated)
        assert figures.days == {day: tally_by_hand(ones) for day, ones in by_day.items()}
        assert list(figures.hours) == [tally_by_hand(by_hour[hour]) for hour in range(24)]
        months = figures.by_month()
        assert {m: t for m, t in months.items() if t.viewings} == {
            month: tally_by_hand(ones) for month, ones in by_month.items()
        }
        assert list(months) == sorted(months)
        for weekday, tally in enumerate(figures.by_weekday()):
            of_it = [
                one for day, ones in by_day.items() if day.weekday() == weekday for one in ones
            ]
            assert tally == tally_by_hand(of_it)
        for year, tally in figures.by_year().items():
            of_it = [one for day, ones in by_day.items() if day.year == year for one in ones]
            assert tally == tally_by_hand(of_it)
        watched = {day for day, ones in by_day.items() if tally_by_hand(ones).titles}
        assert figures.streak() == streak_by_hand(watched)
        assert figures.gap() == gap_by_hand(watched)
        most = max((tally_by_hand(by_day[day]).titles for day in watched), default=None)
        busiest = [day for day in watched if tally_by_hand(by_day[day]).titles == most]
        assert figures.busiest() == max(busiest, default=None)

    def compare_names(self, figures, chosen):
        times: Counter[tuple[str, int]] = Counter()
        seconds: Counter[tuple[str, int]] = Counter()
        of_day: Counter[tuple[int, date]] = Counter()
        timed: Counter[tuple[str, int]] = Counter()
        for viewing, what in plays_by_hand(chosen):
            if viewing.kind == "movie" or viewing.season_number != 0:
                of = viewing.kind, viewing.entry_id
                times[of] += what != "told"
                seconds[of] += viewing.duration_seconds or 0
                timed[of] += what != "told" and viewing.duration_seconds is not None
            day = shown(viewing)
            if day and viewing.kind == "episode" and viewing.season_number != 0:
                of_day[viewing.entry_id, day] += what != "told"
        tops = [
            (entry, kind, number, seconds[kind, entry], timed[kind, entry])
            for (kind, entry), number in times.items()
            if number
        ]
        tops.sort(key=lambda top: (top[1], -top[2], -top[3], top[0]))
        assert list(figures.tops) == tops
        assert figures.series == sum(kind == "episode" for _, kind, *_ in tops)
        assert figures.movies == sum(kind == "movie" for _, kind, *_ in tops)
        binges = [Binge(entry, day, n) for (entry, day), n in of_day.items() if n]
        best = min(binges, key=lambda b: (-b.episodes, -b.day.toordinal(), b.entry), default=None)
        assert figures.binge == best
        assert (figures.first, figures.last) == ends_by_hand([viewing for viewing, _ in chosen])


def figures_of(user, selection):
    found = statistics.figures_of(user, selection)
    assert found.is_current
    return found.figures


def streak_by_hand(days):
    runs = [
        Streak(first, first + timedelta(days=length - 1))
        for first in days
        for length in range(1, len(days) + 1)
        if all(first + timedelta(days=n) in days for n in range(length))
    ]
    return max(runs, key=lambda run: (run.days, run.last), default=None)


def gap_by_hand(days):
    if not days:
        return None
    all_days = [min(days) + timedelta(days=n) for n in range((max(days) - min(days)).days)]
    empty = {day for day in all_days if day not in days}
    return streak_by_hand_of(empty)


def streak_by_hand_of(days):
    best = None
    for first in sorted(days):
        if first - timedelta(days=1) in days:
            continue
        last = first
        while last + timedelta(days=1) in days:
            last += timedelta(days=1)
        run = Streak(first, last)
        if best is None or (run.days, run.last) > (best.days, best.last):
            best = run
    return best


def ends_by_hand(chosen):
    dated = [viewing for viewing in chosen if viewing.day]
    if not dated:
        return None, None
    first = [v for v in dated if shown(v) == min(map(shown, dated))]
    last = [v for v in dated if shown(v) == max(map(shown, dated))]
    return end_by_hand(first, min), end_by_hand(last, max)


def end_by_hand(of_day, which):
    timed = [v for v in of_day if v.watched_at]
    if timed:
        return which(timed, key=lambda v: (v.watched_at, v.pk)).entry_id
    return min(of_day, key=lambda v: v.pk).entry_id


def finished_by_hand(user, counted, year):
    found = []
    for entry in LibraryEntry.objects.of(user).filter(media__media_type="tv_series"):
        ones = [one for one in episodes_by_hand(counted) if one[0].entry_id == entry.pk]
        new = [viewing for viewing, what in ones if what == "new"]
        # Two seasons of one episode each; what the profile did not see itself is not finished.
        if entry.watched_episodes_count < 2 or len(new) < entry.watched_episodes_count:
            continue
        if any(viewing.day is None for viewing in new):
            continue
        first = min(shown(viewing) for viewing, _ in ones if viewing.day)
        last = max(map(shown, new))
        if year in (None, last.year):
            found.append(Finished(entry.pk, first, last, len(new)))
    return sorted(found, key=lambda one: (-one.last.toordinal(), one.entry))


class TestSeen(TestCase):
    @settings(max_examples=40, deadline=None)
    @given(viewings)
    def test_what_is_seen_for_the_first_time_adds_up_to_the_progress(self, made):
        user = User.objects.create_user("ana")
        store(user, made)
        for entry in LibraryEntry.objects.of(user).filter(media__media_type="tv_series"):
            assert (
                sum(
                    Viewing.objects.counted()
                    .filter(statistics.EPISODE, entry=entry)
                    .values_list("seen_first", flat=True)
                )
                == entry.watched_episodes_count
            )


@pytest.fixture
def ana(make_user):
    return make_user("ana")


@pytest.mark.django_db
class TestKeeping:
    def stale(self):
        return set(MonthFigures.objects.filter(is_stale=True).values_list("month", flat=True))

    def test_what_was_summed_up_is_not_summed_up_again(self, ana, django_assert_num_queries):
        add_series(ana, "Dark", [10], 5)
        first = figures_of(ana, Selection())
        assert statistics.bring_up_to_date(ana, 60)
        # The months, what is hidden or complete, and what was first and last.
        with django_assert_num_queries(3):
            assert figures_of(ana, Selection()) == first
        with django_assert_num_queries(1):
            assert statistics.bring_up_to_date(ana, 60)

    def test_only_the_month_of_a_change_is_summed_up_again(self, ana):
        dark = add_series(ana, "Dark", [10], 5)
        statistics.bring_up_to_date(ana, 60)
        watch(dark, "Dark: Season 1: Title 6", date(2024, 7, 9), season_number=1)
        assert self.stale() == {date(2024, 7, 1)}
        assert figures_of(ana, Selection()).total.episodes == 6

    @pytest.mark.parametrize(
        ("day", "months"),
        [
            (date(2024, 2, 29), {date(2024, 2, 1), date(2024, 3, 1)}),
            (date(2024, 1, 1), {date(2023, 12, 1), date(2024, 1, 1)}),
            (date(2024, 1, 15), {date(2024, 1, 1)}),
            (date.min, {date.min}),
            (date.max, {date(9999, 12, 1)}),
            (None, {date.min}),
        ],
    )
    def test_a_time_zone_may_move_a_day_to_the_next_month(self, ana, day, months):
        watch(add_series(ana, "Dark", [10], 0), "Dark: Season 1: Title 6", day)
        assert self.stale() == months

    @pytest.mark.parametrize(
        "changes",
        [
            {"kind": "movie", "season_number": None},
            {"day": date(2024, 7, 9)},
            {"watched_at": datetime(2024, 5, 1, 3, tzinfo=UTC)},
            {"duration_seconds": 4},
            {"profile": "Ben"},
            {"dismissed_at": datetime(2024, 5, 1, tzinfo=UTC)},
            {"season_number": 0},
            {"tmdb_season": 0},
            {"seen_first": 0},
            {"seen_again": 1},
        ],
        ids=lambda changes: next(iter(changes)),
    )
    def test_every_change_of_what_is_counted_is_noted(self, ana, changes):
        dark = add_series(ana, "Dark", [10], 0)
        viewing = watch(dark, "Dark: Season 1: One", DAY, season_number=1, episode_title="One")
        statistics.bring_up_to_date(ana, 60)
        Viewing.objects.filter(pk=viewing.pk).update(**changes)
        day = changes.get("day", DAY)
        assert self.stale() >= {DAY.replace(day=1), day.replace(day=1)}

    def test_what_goes_is_noted(self, ana):
        dark = add_series(ana, "Dark", [10], 5)
        add_movie(ana, "Roma")
        statistics.bring_up_to_date(ana, 60)
        dark.delete()
        assert DAY.replace(day=1) in self.stale()
        assert figures_of(ana, Selection()).total.episodes == 0
        assert figures_of(ana, Selection()).total.movies == 1

    def test_what_moves_to_another_entry_is_noted(self, ana):
        dark, komi = add_series(ana, "Dark", [10], 5), add_series(ana, "Komi", [10], 0)
        statistics.bring_up_to_date(ana, 60)
        Viewing.objects.filter(entry=dark).update(entry=komi)
        assert {top.entry for top in figures_of(ana, Selection()).tops} == {komi.pk}

    def test_what_does_not_count_is_no_change(self, ana):
        add_series(ana, "Dark", [10], 5)
        statistics.bring_up_to_date(ana, 60)
        Viewing.objects.update(alternative={}, season_name="Season 1")
        assert self.stale() == set()

    def test_a_user_may_go(self, ana):
        add_series(ana, "Dark", [10], 5)
        ana.delete()
        assert not MonthFigures.objects.exists()

    def test_nobody_waits_for_what_takes_long(self, ana, client, monkeypatch):
        monkeypatch.setattr(statistics, "MOST_AT_ONCE", 3)
        dark = add_series(ana, "Dark", [10], 5)
        client.force_login(ana)
        # The queue of the tests works at once, so that only the first look finds nothing.
        assert "Your figures are being worked out" in client.get("/statistics/").text
        assert "Your figures are being worked out" not in client.get("/statistics/").text
        watch(dark, "Dark: Season 1: Title 6", DAY, season_number=1, episode_title="Title 6")
        library.recount([dark.pk])
        kept = statistics.figures_of(ana, Selection())
        assert (kept.is_current, kept.figures.total.episodes) == (False, 5)
        empty_cache()
        page = client.get("/statistics/").text
        assert "these figures are being brought up to date" in page
        assert figures_of(ana, Selection()).total.episodes == 6

    def test_a_task_that_takes_long_leaves_the_rest_to_the_next(self, ana):
        for month in range(1, 5):
            add_movie(ana, f"Film {month}", date(2024, month, 9))
        assert not statistics.bring_up_to_date(ana, 0)
        assert len(self.stale()) == 4
        work_out_statistics.call(ana.pk)
        assert self.stale() == set()

    def test_another_time_zone_has_figures_of_its_own(self, ana):
        late = datetime(2024, 5, 1, 23, 30, tzinfo=UTC)
        watch(add_movie(ana, "Roma"), "Roma again", DAY, kind="movie", watched_at=late)
        for zone, last in (("UTC", DAY), ("Europe/Berlin", DAY + timedelta(days=1)), ("UTC", DAY)):
            with timezone.override(zone):
                assert figures_of(ana, Selection()).last_day == last
                assert statistics.bring_up_to_date(ana, 60)
                assert figures_of(ana, Selection()).last_day == last

    def test_nobody_is_shown_what_somebody_else_watched(self, ana, make_user):
        add_series(make_user("ben"), "Dark", [10], 5)
        assert figures_of(ana, Selection()).is_empty

    def test_what_is_hidden_counts_but_is_not_named(self, ana):
        dark = add_series(ana, "Dark", [2], 2)
        statistics.bring_up_to_date(ana, 60)
        dark.names.update(is_hidden=True)
        figures = figures_of(ana, Selection())
        assert figures.total.episodes == 2
        assert figures.named == set()

    @pytest.mark.parametrize("number", [1, 30])
    def test_the_queries_do_not_grow_with_the_library(self, ana, number, django_assert_num_queries):
        for n in range(number):
            add_series(ana, f"Series {n}", [3], 3)
            add_movie(ana, f"Film {n}", DAY - n * timedelta(days=40))
        with django_assert_num_queries(4):
            figures_of(ana, Selection())


class TestTriggers(TransactionTestCase):
    def test_migrate_puts_back_what_a_table_made_anew_has_lost(self):
        ana = User.objects.create_user("ana")
        dark = add_series(ana, "Dark", [10], 5)
        statistics.bring_up_to_date(ana, 60)
        triggers.drop(connection)
        watch(dark, "Dark: Season 1: Title 6", DAY)
        assert not MonthFigures.objects.filter(is_stale=True).exists()
        call_command("migrate", verbosity=0)
        assert DAY.replace(day=1) in MonthFigures.objects.values_list("month", flat=True)
        assert not MonthFigures.objects.filter(is_stale=False).exists()
        statistics.bring_up_to_date(ana, 60)
        watch(dark, "Dark: Season 1: Title 7", DAY)
        assert MonthFigures.objects.filter(is_stale=True).exists()

    def test_migrate_replaces_those_of_an_older_version(self):
        older = "CREATE TRIGGER media_viewing_noted_older AFTER INSERT ON media_viewing"
        act = "BEGIN SELECT 1; END"
        if connection.vendor == "postgresql":
            act = "FOR EACH STATEMENT EXECUTE FUNCTION media_viewing_noted_older()"
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(
                    "CREATE FUNCTION media_viewing_noted_older() RETURNS trigger"
                    " LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"
                )
            cursor.execute(f"{older} {act}")
        call_command("migrate", verbosity=0)
        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            on = " ON media_viewing" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER media_viewing_noted_older{on}")
