"""What migrations write into rows that were there before."""

from __future__ import annotations

from datetime import date
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from media import library, marking
from media.models import EntryName, Episode, LibraryEntry, Media, Season, Viewing
from media.tests.shelf import DAY, add_movie, add_series, watch

fill = import_module("media.migrations.0010_seen_first_and_again").fill
titles_by_language = import_module("media.migrations.0016_titles_of_episodes_by_language")

fold_viewings = import_module("media.migrations.0018_fold_titles_of_viewings").fold_viewings

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(make_user):
    return make_user("ana")


def seen():
    """How often each viewing shows something new and again, by title and day."""
    rows = Viewing.objects.order_by("raw_title", "day").values_list(
        "raw_title", "day", "seen_first", "seen_again"
    )
    return {(title, day): counts for title, day, *counts in rows}


def fill_as_new():
    """As the migration finds rows: each with what the new columns hold by default."""
    Viewing.objects.update(seen_first=1, seen_again=0)
    fill(apps, connection.schema_editor)


def test_what_was_seen_before_is_told_from_what_was_new(ana):
    dark = add_series(ana, "Dark", [10, 8], 3)
    for day in (date(2024, 5, 20), date(2024, 5, 21), date(2024, 7, 1)):
        watch(dark, f"Dark: One {day}", day, season_number=1, episode_title="One")
    watch(dark, "Dark: Bonus", DAY, season_number=0, episode_title="Bonus")
    watch(
        dark,
        "Dark: Gone",
        DAY,
        season_number=1,
        episode_title="Gone",
        dismissed_at=timezone.now(),
    )
    add_movie(ana, "Roma", date(2024, 3, 1), date(2024, 3, 2), date(2024, 8, 1))
    marking.watch_episodes(
        dark, [dark.media.seasons.get(number=2).episodes.get(number=8).tmdb_id], None
    )
    library.recount(ana.library.values_list("pk", flat=True))
    wanted = seen()
    fill_as_new()
    assert seen() == wanted
    # What the columns' defaults would not have got right.
    roma = [counts for (title, _day), counts in sorted(wanted.items(), key=str) if "Roma" in title]
    assert roma == [[1, 0], [0, 0], [0, 1]]
    one = [counts for (title, _day), counts in sorted(wanted.items(), key=str) if "One" in title]
    assert one == [[1, 0], [0, 0], [0, 1]]


def test_more_entries_than_it_takes_at_a_time_are_filled(ana, monkeypatch):
    migration = import_module("media.migrations.0010_seen_first_and_again")
    monkeypatch.setattr(migration, "ENTRIES_AT_A_TIME", 2)
    for n in range(5):
        add_movie(ana, f"Film {n}", date(2024, 3, 1), date(2024, 8, 1))
    fill_as_new()
    assert sorted(seen().values()) == [[0, 1]] * 5 + [[1, 0]] * 5


def series_of(make_user, *languages, tmdb_id, title="Folge 1"):
    """A shared series whose episode has one title, in the library of one user a language."""
    media = Media.objects.create(
        media_type="tv_series", title="Dark", base_title="Dark", tmdb_id=tmdb_id
    )
    season = Season.objects.create(media=media, number=1, name="Staffel 1")
    episode = Episode.objects.create(season=season, tmdb_id=tmdb_id, number=1, title=title)
    for language in languages:
        user = make_user(f"ana{tmdb_id}{language}")
        entry = LibraryEntry.objects.create(user=user, media=media, lookup_status="matched")
        EntryName.objects.create(
            user=user, entry=entry, media_type="tv_series", name="Dark", key="d", language=language
        )
    return media, season, episode


def test_titles_are_kept_in_the_language_of_the_names_where_that_is_clear(make_user):
    german = series_of(make_user, "de", tmdb_id=1)
    mixed = series_of(make_user, "en", "de", title="Secrets", tmdb_id=2)
    unknown = series_of(make_user, "", tmdb_id=3)
    titles_by_language.fill(apps, connection.schema_editor)
    found = []
    for media, season, episode in (german, mixed, unknown):
        for row in (media, season, episode):
            row.refresh_from_db()
        found.append((season.names, episode.titles, media.wants_english))
    assert found == [
        ({"de": "Staffel 1"}, {"de": "Folge 1"}, True),
        ({"": "Staffel 1"}, {"": "Secrets"}, False),
        ({"en": "Staffel 1"}, {"en": "Folge 1"}, False),
    ]


def test_titles_that_were_there_before_are_folded(ana):
    for title in ("Ёлка", "Éclair"):
        add_movie(ana, title)
    Viewing.objects.update(folded=None)
    fold_viewings(apps, connection.schema_editor)
    assert list(Viewing.objects.order_by("pk").values_list("folded", flat=True)) == [
        "елка",
        "eclair",
    ]
