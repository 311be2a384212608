"""What a search compares: it is filled on every way, and of rows from before it was there."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from media import bulk, folding
from media.folding import fold_missing
from media.models import EntryName, Media, Viewing
from media.tests.shelf import add_movie

pytestmark = pytest.mark.django_db

TITLES = ["Ёлка", "Éclair", "進撃の巨人", "It's Größe!", "100 %"]
FOLDED = ["елка", "eclair", "進撃の巨人", "its grosse", "100 percent"]


def folded():
    return list(Viewing.objects.order_by("pk").values_list("folded", flat=True))


@pytest.fixture
def unfolded(user):
    """Viewings as an older version stores them, which does not know the column."""
    for title in TITLES:
        add_movie(user, title)
    Viewing.objects.update(folded=None)
    return user


class TestManyAtOnce:
    COLUMNS = ("user_id", "entry_id", "name_id", "kind", "raw_title", "fingerprint", "source")

    def rows(self, user):
        name = add_movie(user, "Roma").names.get()
        Viewing.objects.all().delete()
        for title in TITLES:
            yield user.pk, name.entry_id, name.pk, "movie", title, title, "manual"

    def columns(self):
        return [*self.COLUMNS, "title_hash", "profile", "season_inferred", "season_name",
                "episode_title", "reading_uncertain"]  # fmt: skip

    def test_new_rows_are_folded(self, user):
        rows = [(*row, "", "", False, "", "", False) for row in self.rows(user)]
        bulk.insert(Viewing, self.columns(), rows)
        assert folded() == FOLDED

    def test_changed_rows_are_folded(self, user):
        for at in range(len(TITLES)):
            add_movie(user, f"Film {at}")
        ids = Viewing.objects.order_by("pk").values_list("pk", flat=True)
        bulk.update(Viewing, ["profile", "raw_title"], zip(["Ana"] * 5, TITLES, ids, strict=True))
        assert folded() == FOLDED
        assert set(Viewing.objects.values_list("profile", flat=True)) == {"Ana"}

    def test_other_columns_leave_it_as_it_is(self, unfolded):
        ids = Viewing.objects.values_list("pk", flat=True)
        bulk.update(Viewing, ["profile"], [("Ana", pk) for pk in ids])
        assert folded() == [None] * len(TITLES)

    def test_some_of_the_columns_that_it_is_made_of_are_refused(self, user):
        add_movie(user, "Roma")
        pk = Media.objects.get().pk
        with pytest.raises(ValueError):
            bulk.update(Media, ["title"], [("Okja", pk)])
        bulk.update(EntryName, ["name"], [("Ökja", EntryName.objects.get().pk)])
        assert EntryName.objects.get().folded == "okja"


class TestWhatAnOlderVersionStored:
    @pytest.mark.parametrize("at_a_time", [1, 2, 5, 2000])
    def test_it_is_folded_some_at_a_time(self, unfolded, monkeypatch, at_a_time):
        monkeypatch.setattr(folding, "AT_A_TIME", at_a_time)
        assert fold_missing(Viewing) == len(TITLES)
        assert folded() == FOLDED
        assert fold_missing(Viewing) == 0

    def test_it_goes_on_where_it_was_stopped(self, unfolded, monkeypatch):
        monkeypatch.setattr(folding, "AT_A_TIME", 2)
        update, turns = folding._update, []

        def stopped(model, rows):
            turns.append(rows)
            if len(turns) == 2:
                raise KeyboardInterrupt
            update(model, rows)

        monkeypatch.setattr(folding, "_update", stopped)
        with pytest.raises(KeyboardInterrupt):
            fold_missing(Viewing)
        assert folded() == [*FOLDED[:2], None, None, None]
        assert fold_missing(Viewing) == 3
        assert folded() == FOLDED

    def test_where_nothing_is_to_do_one_look_tells(self, user, django_assert_num_queries):
        add_movie(user, "Roma")
        with django_assert_num_queries(1):
            assert fold_missing(Viewing) == 0

    @pytest.mark.postgres
    @pytest.mark.django_db(transaction=True)
    def test_rows_that_somebody_else_works_on_are_left_for_the_next_time(self, unfolded):
        locked, done = threading.Event(), threading.Event()
        keys = list(Viewing.objects.order_by("pk").values_list("pk", flat=True))

        def work():
            with transaction.atomic():
                list(Viewing.objects.select_for_update().filter(pk=keys[1]))
                locked.set()
                done.wait(30)
            connection.close()

        other = threading.Thread(target=work)
        other.start()
        try:
            assert locked.wait(30)
            assert fold_missing(Viewing) == len(TITLES) - 1
            assert folded() == [FOLDED[0], None, *FOLDED[2:]]
        finally:
            done.set()
            other.join()
        assert fold_missing(Viewing) == 1
        assert folded() == FOLDED
