"""Marks by hand: what they count, what a re-import makes of them, and their undo."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from django.utils import timezone

from imports import importing
from media import library, lookup, marking
from media.deciding import CannotUndo, undo
from media.exporting import export_lines
from media.keys import digest
from media.models import DecisionLog, LibraryEntry, Season, Source, Viewing
from media.tests.shelf import DAY, add_movie, add_series, watch

pytestmark = pytest.mark.django_db

HISTORY = b"Title,Date\n" + b"".join(
    f'"Dark: Season 1: {title}","{day}/06/2024"\n'.encode()
    for title, day in (("Secrets", 28), ("Lies", 29), ("Past and Present", 30))
)


def again(entry):
    return LibraryEntry.objects.select_related("media").get(pk=entry.pk)


def ids(entry, season=1):
    episodes = Season.objects.get(media=entry.media, number=season).episodes
    return list(episodes.order_by("number").values_list("tmdb_id", flat=True))


def keys(*tmdb_ids):
    return [("tmdb", tmdb_id) for tmdb_id in tmdb_ids]


def state(entry):
    return (
        again(entry).watched_episodes_count,
        again(entry).last_watched,
        sorted(
            Viewing.objects.shown().filter(entry=entry).values_list("raw_title", "day", "source")
        ),
    )


def latest():
    return DecisionLog.objects.order_by("-pk")[0]


def handed_in(user):
    of_import = importing.submit(user, "NetflixViewingHistory.csv", HISTORY)
    importing.run(of_import.pk)
    return LibraryEntry.objects.get(user=user)


def test_marked_episodes_count_and_watched_ones_are_left_alone(user):
    entry = add_series(user, "Dark", [10], 2)
    assert marking.watch_episodes(entry, ids(entry)[:5]) == 3
    assert again(entry).watched_episodes_count == 5
    assert Viewing.objects.filter(source=Source.MANUAL, day=None).count() == 3


def test_a_mark_with_a_day_is_a_further_viewing_of_a_watched_episode(user):
    entry = add_series(user, "Dark", [10], 2)
    later = DAY + timedelta(days=90)
    assert marking.watch_episodes(entry, ids(entry)[:1], later) == 1
    assert marking.watch_episodes(entry, ids(entry)[:1], later) == 0
    assert again(entry).watched_episodes_count == 2
    assert again(entry).last_watched == later


def test_an_episode_marked_as_not_watched_does_not_count_but_is_kept(user):
    entry = add_series(user, "Dark", [10], 2)
    assert marking.unwatch(entry, ids(entry)[:1]) == 1
    assert again(entry).watched_episodes_count == 1
    assert Viewing.objects.filter(entry=entry).count() == 2


def test_all_viewings_of_an_episode_that_only_the_file_knows_go(user):
    entry = add_series(user, "Komi", watched=3)
    first = entry.viewings.earliest("day")
    marking.watch_again(entry, first.pk, date(2024, 9, 1))
    assert marking.unwatch(entry, viewing_ids=[first.pk]) == 2
    assert again(entry).watched_episodes_count == 2


def test_half_of_a_double_episode_stays_watched(user):
    entry = add_series(user, "Dark", [10])
    double = watch(entry, "Dark: Both", DAY, season_number=1, tmdb_season=1)
    double.tmdb_episodes.set(Season.objects.get(media=entry.media).episodes.filter(number__lte=2))
    before = state(entry)
    marking.unwatch(entry, ids(entry)[:1])
    assert again(entry).watched_episodes_count == 1
    assert marking.keys_seen(entry).keys() == set(keys(ids(entry)[1]))
    undo(latest())
    assert state(entry)[2] == before[2]


@pytest.mark.parametrize(
    "mark",
    [
        lambda entry: marking.watch_episodes(entry, ids(entry)),
        lambda entry: marking.watch_episodes(entry, ids(entry)[:2], date(2024, 9, 1)),
        lambda entry: marking.unwatch(entry, ids(entry)),
        lambda entry: marking.remove(entry, entry.viewings.earliest("day").pk),
        lambda entry: marking.change_day(entry, entry.viewings.earliest("day").pk, None),
        lambda entry: marking.watch_again(entry, entry.viewings.earliest("day").pk, DAY),
    ],
    ids=["season", "on a day", "not watched", "removed", "other day", "again"],
)
def test_every_mark_can_be_undone(user, mark):
    entry = add_series(user, "Dark", [10], 3)
    before = state(entry)
    mark(entry)
    assert state(entry) != before
    undo(latest())
    assert state(entry) == before
    assert not DecisionLog.objects.exists()


def test_marks_on_the_same_viewing_are_undone_in_turn(user):
    entry = add_series(user, "Dark", [10], 1)
    marking.watch_episodes(entry, ids(entry)[1:2])
    first = latest()
    marking.unwatch(entry, ids(entry)[1:2])
    with pytest.raises(CannotUndo):
        undo(first)
    undo(latest())
    undo(first)
    assert again(entry).watched_episodes_count == 1


def test_a_mark_made_again_brings_the_dismissed_one_back(user):
    entry = add_series(user, "Dark", [10], 1)
    for _ in range(2):
        marking.watch_episodes(entry, ids(entry)[1:2])
        assert again(entry).watched_episodes_count == 2
        marking.unwatch(entry, ids(entry)[1:2])
        assert again(entry).watched_episodes_count == 1
    assert Viewing.objects.filter(source=Source.MANUAL).count() == 1


def test_what_is_not_watched_does_not_come_back_with_a_re_import(user):
    entry = handed_in(user)
    viewing = entry.viewings.earliest("day")
    marking.remove(entry, viewing.pk)
    marking.change_day(entry, entry.viewings.latest("day").pk, date(2023, 1, 1))
    before = state(entry)
    handed_in(user)
    assert state(entry) == before
    assert before[0] == 2


def test_marks_by_hand_survive_the_undo_of_their_import(user):
    entry = handed_in(user)
    marking.watch_again(entry, entry.viewings.earliest("day").pk, date(2024, 8, 1))
    importing.undo(user.imports.get())
    assert again(entry).watched_episodes_count == 1
    assert [day for _, day, _ in state(entry)[2]] == [date(2024, 8, 1)]


def test_a_mark_keeps_its_episode_when_episodes_are_identified_anew(user):
    entry = add_series(user, "Dark", [10, 8])
    Season.objects.get(media=entry.media, number=1).episodes.update(title="Episode")
    marking.watch_episodes(entry, ids(entry)[3:5])
    lookup.identify_episodes(again(entry))
    assert marking.keys_seen(entry).keys() == set(keys(*ids(entry)[3:5]))


def test_a_movie_can_be_watched_again_and_on_another_day(user):
    movie = add_movie(user, "Roma")
    viewing = movie.viewings.get()
    marking.watch_again(movie, viewing.pk, date(2024, 12, 24))
    marking.change_day(movie, viewing.pk, date(2024, 6, 1))
    assert [day for _, day, _ in state(movie)[2]] == [date(2024, 6, 1), date(2024, 12, 24)]
    assert again(movie).last_watched == date(2024, 12, 24)


def test_the_export_tells_marks_from_files(user):
    entry = add_series(user, "Dark", [10], 1)
    marking.watch_episodes(entry, ids(entry)[1:2])
    marking.unwatch(entry, ids(entry)[:1])
    viewings = [line for line in map(json.loads, export_lines(user)) if line["type"] == "viewing"]
    assert {(v["source"], v["dismissed"], v["episode_number"]) for v in viewings} == {
        ("file", True, None),
        ("manual", False, 2),
    }


def test_no_title_of_a_file_is_taken_for_a_mark(user):
    entry = add_series(user, "Dark", [10], 1)
    marking.watch_episodes(entry, ids(entry)[1:2])
    mark = Viewing.objects.get(source=Source.MANUAL)
    name = entry.names.get()
    stripped = f"\n{name.key}\n{ids(entry)[1]}".strip()
    assert mark.title_hash != digest(stripped)


def test_the_counts_after_marks_are_those_that_would_be_counted(user):
    entry = add_series(user, "Dark", [10, 8], 4)
    marking.watch_episodes(entry, ids(entry, 2))
    marking.unwatch(entry, ids(entry)[:2])
    stored = again(entry)
    counted = library.count([entry.pk])[entry.pk]
    assert stored.watched_episodes_count == counted.episodes == 10


def test_only_a_recent_mark_is_offered_for_undo(user):
    entry = add_series(user, "Dark", [10], 1)
    assert marking.latest_of(entry) is None
    marking.watch_episodes(entry, ids(entry))
    assert marking.latest_of(entry) == latest()
    assert marking.in_words(latest()) == "9 episodes of “Dark” are marked as watched"
    DecisionLog.objects.update(made_at=timezone.now() - timedelta(hours=2))
    assert marking.latest_of(entry) is None
