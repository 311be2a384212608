from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import User
from imports.models import Import, State
from imports.reading import DateOrder, Format, Kind, Message, Reading, Row, title_key
from imports.storing import Stopped, pair_days, plays_by_title, store, undo
from media.library import recount
from media.models import Decision, EntryName, LibraryEntry, Media, Viewing

DAY = date(2024, 3, 10)


def row(title: str, day: date = DAY, **facts) -> Row:
    kind = facts.pop("kind", Kind.EPISODE if ": " in title else Kind.MOVIE)
    series, _, episode = title.partition(": ")
    if kind == Kind.EPISODE:
        facts = {"series": series, "season_number": 1, "episode_title": episode, **facts}
    return Row(
        line=facts.pop("line", 2),
        title=title,
        title_key=title_key(title),
        kind=kind,
        reason=Message("because"),
        watched_on=day,
        **facts,
    )


def timed(title: str, day: date = DAY, hour: int = 20, **facts) -> Row:
    at = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    return row(title, day, watched_at=at, **{"duration_seconds": 1800, "profile": "Ana", **facts})


def reading_of(rows: Iterable[Row]) -> Reading:
    return Reading(
        format=Format.NETFLIX_HISTORY,
        rows=tuple(rows),
        date_order=DateOrder.YMD,
        date_reason=Message("because"),
        language="en",
    )


def import_rows(user: User, *rows: Row) -> Import:
    made = Import.objects.create(
        user=user,
        filename="x.csv",
        digest=f"{Import.objects.count()}",
        state=State.STORING,
    )
    store(made, reading_of(rows))
    Import.objects.filter(pk=made.pk).update(state=State.DONE)
    return made


def library_of(user: User) -> list[tuple[object, ...]]:
    return sorted(
        Viewing.objects.filter(user=user).values_list(
            "raw_title",
            "day",
            "listed_on",
            "watched_at",
            "duration_seconds",
            "profile",
            "fingerprint",
            "entry__media__title",
            "entry__watched_episodes_count",
            "entry__first_watched",
            "entry__last_watched",
        ),
        key=repr,
    )


@pytest.fixture
def user(db):
    return User.objects.create_user("ana")


def test_a_series_gets_one_entry_with_its_episodes_counted(user):
    made = import_rows(user, row("Dark: Secrets"), row("Dark: Lies"), row("Inception"))
    entry = LibraryEntry.objects.get(media__media_type="tv_series")
    assert (entry.media.title, entry.watched_episodes_count) == ("Dark", 2)
    assert (entry.first_watched, entry.lookup_status) == (DAY, "pending")
    film = LibraryEntry.objects.get(media__media_type="movie")
    assert (film.watched_episodes_count, film.lookup_status) == (0, "not_needed")
    assert (made.rows, made.rows_new, made.rows_known) == (3, 3, 0)


def test_the_same_rows_twice_change_nothing(user):
    rows = [row("Dark: Secrets"), timed("Dark: Lies"), row("Inception")]
    import_rows(user, *rows)
    before = library_of(user)
    again = import_rows(user, *rows)
    assert library_of(user) == before
    assert (again.rows_new, again.rows_known) == (0, 3)


def test_every_row_is_accounted_for(user):
    made = import_rows(
        user,
        row("Dark: Secrets", line=2),
        row("Dark: Secrets", line=3, same_viewing_as=2),
        row("Trailer", kind=Kind.SKIPPED, line=4),
        row("", kind=Kind.ERROR, line=5),
    )
    assert (made.rows, made.rows_new, made.rows_repeated) == (4, 1, 1)
    assert (made.rows_skipped, made.rows_failed) == (1, 1)
    assert list(made.problems.values_list("line", "outcome")) == [(4, "skipped"), (5, "failed")]


def test_partial_plays_of_one_day_are_one_viewing_with_their_sum(user):
    import_rows(user, timed("Dark: Secrets", hour=22), timed("Dark: Secrets", hour=7))
    viewing = Viewing.objects.get()
    assert viewing.watched_at is not None
    assert (viewing.duration_seconds, viewing.watched_at.hour) == (3600, 7)


@pytest.mark.parametrize("apart", [-1, 0, 1])
@pytest.mark.parametrize("timed_first", [True, False])
def test_a_timed_row_enriches_the_listed_one_of_a_neighbouring_day(user, apart, timed_first):
    rows = [timed("Dark: Secrets", DAY + timedelta(days=apart)), row("Dark: Secrets")]
    for one in rows if timed_first else reversed(rows):
        import_rows(user, one)
    viewing = Viewing.objects.get()
    assert (viewing.listed_on, viewing.profile) == (DAY, "Ana")
    assert viewing.day == DAY + timedelta(days=apart)


def test_days_further_apart_are_two_viewings(user):
    import_rows(user, row("Dark: Secrets"))
    import_rows(user, timed("Dark: Secrets", DAY + timedelta(days=2)))
    assert Viewing.objects.count() == 2
    assert LibraryEntry.objects.get().watched_episodes_count == 1


def test_undo_keeps_what_another_import_claims(user):
    first = import_rows(user, row("Dark: Secrets"), row("Dark: Lies"))
    import_rows(user, row("Dark: Lies"), row("Dark: Alpha"))
    undo(first)
    assert set(Viewing.objects.values_list("raw_title", flat=True)) == {
        "Dark: Lies",
        "Dark: Alpha",
    }
    assert LibraryEntry.objects.get().watched_episodes_count == 2
    assert first.state == State.UNDONE


def test_undo_of_the_only_import_leaves_an_empty_library(user):
    undo(import_rows(user, row("Dark: Secrets"), row("Inception")))
    assert not LibraryEntry.objects.exists()
    assert not Media.objects.exists()
    assert not EntryName.objects.exists()


def test_undo_keeps_dismissed_viewings_and_names_decided_by_hand(user):
    made = import_rows(user, row("Dark: Secrets"), row("Arcane: Oil"), row("Lupin: One"))
    Viewing.objects.filter(raw_title="Dark: Secrets").update(dismissed_at=datetime.now(UTC))
    recount(LibraryEntry.objects.values_list("pk", flat=True))
    EntryName.objects.filter(name="Arcane").update(decision=Decision.IGNORED)
    undo(made)
    assert set(EntryName.objects.values_list("name", flat=True)) == {"Dark", "Arcane"}
    import_rows(user, row("Dark: Secrets"))
    assert Viewing.objects.get().dismissed_at is not None
    assert LibraryEntry.objects.get(media__title="Dark").watched_episodes_count == 0


def test_a_name_said_to_be_a_movie_makes_each_title_a_film(user):
    import_rows(user, row("Jumanji: The Next Level"))
    EntryName.objects.update(decision=Decision.MOVIE)
    import_rows(user, row("Jumanji: Welcome to the Jungle"))
    film = LibraryEntry.objects.get(media__media_type="movie")
    assert film.media.title == "Jumanji: Welcome to the Jungle"


def test_a_better_reading_moves_a_viewing_to_another_entry(user):
    import_rows(user, row("Dark: Secrets", kind=Kind.MOVIE, reading_uncertain=True))
    import_rows(user, row("Dark: Secrets"))
    viewing = Viewing.objects.get()
    assert (viewing.kind, viewing.entry.media.title) == ("episode", "Dark")
    assert LibraryEntry.objects.count() == 1
    import_rows(user, row("Dark: Secrets", kind=Kind.MOVIE, reading_uncertain=True))
    assert Viewing.objects.get().kind == "episode"


def test_a_cancelled_import_writes_nothing_more(user):
    made = Import.objects.create(user=user, filename="x", digest="x", state=State.CANCELLED)
    with pytest.raises(Stopped):
        store(made, reading_of([row("Dark: Secrets")]))
    assert not Viewing.objects.exists()


def test_an_import_that_another_run_went_on_with_writes_nothing_more(user):
    made = Import.objects.create(user=user, filename="x", digest="x", state=State.STORING)
    Import.objects.filter(pk=made.pk).update(stored_titles=7)
    with pytest.raises(Stopped):
        store(made, reading_of([row("Dark: Secrets")]))
    assert not Viewing.objects.exists()


def test_an_interrupted_import_goes_on_where_it_stopped(user, monkeypatch):
    monkeypatch.setattr("imports.storing.CHUNK", 2)
    rows = [row(f"Dark: {n}") for n in range(5)]
    made = Import.objects.create(user=user, filename="x", digest="x", state=State.STORING)

    def interrupt(of_import: Import) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store(made, reading_of(rows), interrupt)
    assert Viewing.objects.count() == 2
    store(Import.objects.get(pk=made.pk), reading_of(rows))
    made.refresh_from_db()
    assert (Viewing.objects.count(), made.rows_new, made.rows_known) == (5, 5, 0)


def test_hostile_text_is_stored_without_what_a_database_refuses(user):
    import_rows(user, row("Dark\0: \ud800Secrets", season_number=10**12))
    viewing = Viewing.objects.get()
    assert (viewing.raw_title, viewing.season_number) == ("Dark: Secrets", None)


def test_queries_do_not_grow_with_rows(user, django_assert_max_num_queries):
    with django_assert_max_num_queries(40):
        import_rows(user, *[row(f"Series {n % 40}: Episode {n}") for n in range(400)])


def test_plays_keep_the_order_of_the_file():
    plays = plays_by_title([row("B: 1"), row("A: 1"), row("B: 1", DAY + timedelta(days=1))])
    assert [(title, len(of_title)) for title, of_title in plays.items()] == [
        ("b: 1", 2),
        ("a: 1", 1),
    ]


days = st.sets(st.integers(0, 6).map(lambda n: DAY + timedelta(days=n)), max_size=5)


@given(days, days)
def test_pairs_hold_every_day_once_and_only_neighbours(timed_days, listed_days):
    pairs = pair_days(timed_days, listed_days)
    assert sorted(t for t, _ in pairs if t) == sorted(timed_days)
    assert sorted(d for _, d in pairs if d) == sorted(listed_days)
    assert all(abs(t - d) <= timedelta(days=1) for t, d in pairs if t and d)
    assert all((d, d) in pairs for d in timed_days & listed_days)


class OrderOfImports(TestCase):
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(st.booleans(), days), min_size=1, max_size=4), st.randoms())
    def test_any_order_and_any_undo_give_the_same_library(self, files, random):
        """However imports come and go, the library is what the remaining files make alone."""

        def rows(file) -> list[Row]:
            make = timed if file[0] else row
            return [make("Dark: Secrets", day) for day in sorted(file[1])]

        there, alone = User.objects.create_user("there"), User.objects.create_user("alone")
        shuffled = list(files)
        random.shuffle(shuffled)
        imports = [import_rows(there, *rows(file)) for file in shuffled]
        withdrawn = random.randrange(len(imports))
        undo(imports[withdrawn])
        for number, file in enumerate(shuffled):
            if number != withdrawn:
                import_rows(alone, *rows(file))
        assert library_of(there) == library_of(alone)
