from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import User
from imports import parts
from imports.doctor import fix_counts, wrong_counts
from imports.models import Import, State
from imports.reading import Kind, Message, Row, title_key
from imports.storing import Stored, count_titles, store_titles
from media.library import library_lock, recount
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


def new_import(user: User) -> Import:
    number = Import.objects.count()
    return Import.objects.create(user=user, filename="x.csv", digest=str(number), state=State.DONE)


def store_rows(made: Import, *rows: Row) -> Stored:
    new = known = 0
    for part in map(parts.unpack, map(parts.pack, parts.cut(rows))):
        with library_lock(made.user_id):
            stored = store_titles(made.user_id, made.pk, part.titles)
        new, known = new + stored.new, known + stored.known
    return Stored(new, known)


def import_rows(user: User, *rows: Row) -> Import:
    made = new_import(user)
    store_rows(made, *rows)
    return made


def undo(made: Import) -> None:
    hashes = set(made.claims.values_list("viewing__title_hash", flat=True))
    for part in parts.withdrawing(hashes):
        with library_lock(made.user_id):
            store_titles(made.user_id, made.pk, part.titles)


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
    stored = store_rows(new_import(user), row("Dark: Secrets"), row("Dark: Lies"), row("Inception"))
    entry = LibraryEntry.objects.get(media__media_type="tv_series")
    assert (entry.media.title, entry.watched_episodes_count) == ("Dark", 2)
    assert (entry.first_watched, entry.lookup_status) == (DAY, "pending")
    film = LibraryEntry.objects.get(media__media_type="movie")
    assert (film.watched_episodes_count, film.lookup_status) == (0, "not_needed")
    assert stored == Stored(3, 0)


def test_the_same_rows_twice_change_nothing(user):
    rows = [row("Dark: Secrets"), timed("Dark: Lies"), row("Inception")]
    import_rows(user, *rows)
    before = library_of(user)
    assert store_rows(new_import(user), *rows) == Stored(0, 3)
    assert library_of(user) == before


def test_an_import_stored_again_claims_what_the_newer_reading_says(user):
    made = import_rows(user, row("Dark: Secrets"), row("Dark: Lies", line=3))
    moved = [row("Dark: Secrets"), row("Dark: Lies", DAY + timedelta(days=5), line=3)]
    assert store_rows(made, *moved) == Stored(2, 0)
    assert set(Viewing.objects.values_list("day", flat=True)) == {DAY, DAY + timedelta(days=5)}
    assert made.claims.count() == 2


def test_an_import_stored_again_brought_only_what_it_claimed_first(user):
    import_rows(user, row("Dark: Secrets"))
    made = import_rows(user, row("Dark: Secrets"), row("Dark: Lies"))
    import_rows(user, row("Dark: Lies"))
    assert store_rows(made, row("Dark: Secrets"), row("Dark: Lies")) == Stored(1, 1)


def test_counting_says_what_storing_would_and_writes_nothing(user):
    import_rows(user, row("Dark: Secrets"), timed("Dark: Lies"))
    rows = [
        row("Dark: Secrets"),
        row("Dark: Lies", DAY + timedelta(days=1)),
        row("Dark: Alpha"),
        row("Dark: Secrets", DAY + timedelta(days=9)),
    ]
    before = library_of(user)
    (part,) = parts.cut(rows)
    assert count_titles(user.pk, part.titles) == Stored(2, 2)
    assert library_of(user) == before
    assert store_rows(new_import(user), *rows) == Stored(2, 2)


def test_days_of_one_file_with_and_without_time_make_one_viewing(user):
    rows = [timed("Dark: Secrets"), row("Dark: Secrets", DAY + timedelta(days=1))]
    made = import_rows(user, *rows)
    assert Viewing.objects.get().listed_on == DAY + timedelta(days=1)
    assert made.claims.count() == 2
    undo(made)
    assert not Viewing.objects.exists()


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


def test_hostile_text_is_stored_without_what_a_database_refuses(user):
    import_rows(user, row("Dark\0: \ud800Secrets", season_number=10**12))
    viewing = Viewing.objects.get()
    assert (viewing.raw_title, viewing.season_number) == ("Dark: Secrets", None)


def test_queries_do_not_grow_with_rows(user, django_assert_max_num_queries):
    with django_assert_max_num_queries(40):
        import_rows(user, *[row(f"Series {n % 40}: Episode {n}") for n in range(400)])


days = st.sets(st.integers(0, 6).map(lambda n: DAY + timedelta(days=n)), max_size=5)


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
        assert wrong_counts() == []


@pytest.mark.django_db
def test_the_doctor_finds_what_was_not_seen_first_where_it_says(make_user):
    ana = make_user("ana")
    import_rows(ana, row("Dark: Secrets", DAY), row("Dark: Secrets", DAY + timedelta(days=9)))
    assert wrong_counts() == []
    Viewing.objects.update(seen_first=1, seen_again=0)
    assert wrong_counts() == [LibraryEntry.objects.get().pk]
    assert fix_counts() == 1
    assert list(Viewing.objects.order_by("day").values_list("seen_first", "seen_again")) == [
        (1, 0),
        (0, 1),
    ]
