"""Marks by hand: what was watched or was not, and when (rule 8).

A viewing that is taken away is dismissed: it is kept, but neither shown nor counted, and no
re-import brings it back. One that is added has the source `manual`. Every mark is logged and
can be undone (`media.deciding.undo`). All functions take the lock of the entry's user, and raise
LibraryEntry.DoesNotExist when the entry has gone meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from media import library, undoing
from media.days import shown_day
from media.keys import digest, fingerprint
from media.library import library_lock
from media.models import (
    DecisionKind,
    DecisionLog,
    EntryName,
    Episode,
    LibraryEntry,
    Source,
    Viewing,
    ViewingKind,
)
from media.progress import EpisodeKey, episode_keys

KINDS = (
    DecisionKind.WATCHED,
    DecisionKind.NOT_WATCHED,
    DecisionKind.REMOVED,
    DecisionKind.DAY_CHANGED,
)
RECENT = timedelta(hours=1)
AS_WATCHED = [
    "kind",
    "name_id",
    "entry_id",
    "user_id",
    "raw_title",
    "season_number",
    "season_inferred",
    "season_name",
    "episode_number",
    "episode_title",
    "tmdb_season",
]

EpisodeIds = frozenset[int]


def watch_episodes(entry: LibraryEntry, tmdb_ids: Collection[int], day: date | None = None) -> int:
    """Mark TMDB episodes of an entry as watched; how many viewings came to be.

    Without a day only those that are not watched yet are marked; with one, a further viewing
    comes to be.
    """
    with library_lock(entry.user_id):
        entry = _again(entry)
        episodes = list(
            Episode.objects.filter(season__media=entry.media_id, tmdb_id__in=tmdb_ids)
            .select_related("season")
            .order_by("season__number", "number")
        )
        if day is None:
            seen = keys_seen(entry)
            episodes = [e for e in episodes if ("tmdb", e.tmdb_id) not in seen]
        marks = _Marks(entry)
        marks.add([(_viewing_of(entry, e, day), frozenset([e.tmdb_id])) for e in episodes])
        subject = entry.media.title if len(episodes) != 1 else _title_of(entry, episodes[0])
        marks.finish(DecisionKind.WATCHED, subject, count=len(episodes))
        return len(marks.made) + len(marks.revived)


def watch_again(entry: LibraryEntry, viewing_id: int, day: date | None = None) -> bool:
    """Add a viewing of what another viewing of the entry showed; whether it is a new one.

    Raises Viewing.DoesNotExist when the entry has no such viewing.
    """
    with library_lock(entry.user_id):
        entry = _again(entry)
        viewing = entry.viewings.select_related("name").get(pk=viewing_id)
        marks = _Marks(entry)
        marks.add([_copy(viewing, day)])
        marks.finish(DecisionKind.WATCHED, viewing.raw_title)
        return bool(marks.made or marks.revived)


def unwatch(
    entry: LibraryEntry, tmdb_ids: Collection[int] = (), viewing_ids: Collection[int] = ()
) -> int:
    """Mark episodes of an entry as not watched; how many viewings went.

    They are given by TMDB's ids, or by one viewing each: all viewings of the same episode go. Of
    a double episode the other half stays watched on the same day.
    """
    with library_lock(entry.user_id):
        entry = _again(entry)
        seen = keys_seen(entry)
        wanted: set[EpisodeKey] = {("tmdb", tmdb_id) for tmdb_id in tmdb_ids}
        wanted |= {key for key, pks in seen.items() if not pks.isdisjoint(viewing_ids)}
        going = {pk for key in wanted for pk in seen.get(key, ())}
        staying = {key: pks - going for key, pks in seen.items() if key not in wanted}
        left_over = {
            int(str(key[1])) for key, pks in staying.items() if key[0] == "tmdb" and not pks
        }
        halves = list(
            Episode.objects.filter(tmdb_id__in=left_over).select_related("season").order_by("pk")
        )
        days = dict(Viewing.objects.filter(pk__in=going).values_list("pk", "day"))
        marks = _Marks(entry)
        marks.dismiss(going)
        marks.add(
            [
                (_viewing_of(entry, half, days[pk]), frozenset([half.tmdb_id]))
                for half in halves
                for pk in seen[("tmdb", half.tmdb_id)]
            ]
        )
        gone = {key for key in wanted if key in seen}
        subject = entry.media.title
        if len(gone) == 1 and going:
            subject = entry.viewings.filter(pk__in=going).order_by("pk")[0].raw_title
        marks.finish(DecisionKind.NOT_WATCHED, subject, count=len(gone))
        return len(going)


def remove(entry: LibraryEntry, viewing_id: int) -> None:
    """Take away one viewing. Raises Viewing.DoesNotExist when it is not there (any more)."""
    with library_lock(entry.user_id):
        entry = _again(entry)
        viewing = entry.viewings.shown().get(pk=viewing_id)
        marks = _Marks(entry)
        marks.dismiss([viewing.pk])
        marks.finish(DecisionKind.REMOVED, viewing.raw_title, outcome=_day(viewing.day))


def change_day(entry: LibraryEntry, viewing_id: int, day: date | None) -> None:
    """Say that something was watched on another day; None when nobody knows on which.

    What a file says stays: the viewing is dismissed, and one by hand takes its place. Raises
    Viewing.DoesNotExist when it is not there (any more).
    """
    with library_lock(entry.user_id):
        entry = _again(entry)
        viewing = entry.viewings.shown().select_related("name").get(pk=viewing_id)
        if day == shown_day(viewing.day, viewing.watched_at):
            return
        marks = _Marks(entry)
        marks.dismiss([viewing.pk])
        marks.add([_copy(viewing, day)])
        marks.finish(DecisionKind.DAY_CHANGED, viewing.raw_title, outcome=_day(day))


def keys_seen(entry: LibraryEntry) -> dict[EpisodeKey, set[int]]:
    """The episode keys of what is watched of an entry, specials included, with the viewings."""
    seen: dict[EpisodeKey, set[int]] = defaultdict(set)
    found = library.seen(entry.viewings.shown())
    for is_special in (False, True):
        group = [one.watched for one in found if one.is_special == is_special]
        for pk, keys in episode_keys(group).items():
            for key in keys:
                seen[key].add(pk)
    return seen


def restore(log: DecisionLog) -> list[LibraryEntry]:
    """Take a mark back, and forget it; the entries concerned. Needs the lock of the user.

    Viewings that have gone meanwhile, such as those of an import that was undone, stay gone.
    """
    marks = log.before["marks"]
    viewings = Viewing.objects.filter(user_id=log.user_id)
    ids = [*marks["made"], *marks["dismissed"], *(pk for pk, _ in marks["revived"])]
    touched = set(viewings.filter(pk__in=ids).values_list("entry_id", flat=True))
    viewings.filter(pk__in=marks["made"], source=Source.MANUAL).delete()
    viewings.filter(pk__in=marks["dismissed"]).update(dismissed_at=None)
    for pk, moment in marks["revived"]:
        viewings.filter(pk=pk).update(dismissed_at=datetime.fromisoformat(moment))
    library.recount(touched)
    log.delete()
    return list(LibraryEntry.objects.filter(pk__in=touched).select_related("media").order_by("pk"))


def latest_of(entry: LibraryEntry) -> DecisionLog | None:
    """The last mark on an entry within the last hour, when it can still be undone. One query."""
    recent = DecisionLog.objects.filter(
        user_id=entry.user_id, made_at__gt=timezone.now() - RECENT
    ).order_by("-pk")
    later: set[str] = set()
    for log in recent:
        touches = log.before["touches"]
        if log.before.get("marks", {}).get("entry") == entry.pk:
            return log if later.isdisjoint(touches) else None
        later.update(touches)
    return None


def in_words(log: DecisionLog) -> str:
    """What was marked, as a sentence."""
    values = {"subject": log.subject, "outcome": log.outcome, "count": log.count}
    texts = {
        DecisionKind.WATCHED: ngettext(
            "“%(subject)s” is marked as watched",
            "%(count)s episodes of “%(subject)s” are marked as watched",
            log.count,
        ),
        DecisionKind.NOT_WATCHED: ngettext(
            "“%(subject)s” is marked as not watched",
            "%(count)s episodes of “%(subject)s” are marked as not watched",
            log.count,
        ),
        DecisionKind.REMOVED: _("A viewing of “%(subject)s” is removed (%(outcome)s)"),
        DecisionKind.DAY_CHANGED: _("“%(subject)s” was watched on another day (%(outcome)s)"),
    }
    return texts[DecisionKind(log.kind)] % values


@dataclass(slots=True)
class _Marks:
    """What one mark changes, so that it can be undone."""

    entry: LibraryEntry
    made: list[int] = field(default_factory=list)
    revived: list[tuple[int, str]] = field(default_factory=list)
    dismissed: list[int] = field(default_factory=list)

    def add(self, wanted: Iterable[tuple[Viewing, EpisodeIds]]) -> None:
        """Store viewings made by hand; one that is there but dismissed comes back."""
        new = {viewing.fingerprint: (viewing, ids) for viewing, ids in wanted}
        there = Viewing.objects.filter(user_id=self.entry.user_id, fingerprint__in=new)
        for viewing in there:
            new.pop(viewing.fingerprint)
            if viewing.dismissed_at is not None:
                self.revived.append((viewing.pk, viewing.dismissed_at.isoformat()))
        Viewing.objects.filter(pk__in=[pk for pk, _ in self.revived]).update(dismissed_at=None)
        stored = Viewing.objects.bulk_create([viewing for viewing, _ in new.values()])
        self.made += [viewing.pk for viewing in stored]
        self._link({viewing.pk: new[viewing.fingerprint][1] for viewing in stored})

    def _link(self, ids: Mapping[int, EpisodeIds]) -> None:
        wanted = frozenset().union(*ids.values()) if ids else frozenset()
        episodes = dict(Episode.objects.filter(tmdb_id__in=wanted).values_list("tmdb_id", "pk"))
        through = Viewing.tmdb_episodes.through
        through.objects.bulk_create(
            through(viewing_id=pk, episode_id=episodes[tmdb_id])
            for pk, tmdb_ids in ids.items()
            for tmdb_id in sorted(tmdb_ids)
        )

    def dismiss(self, viewing_ids: Iterable[int]) -> None:
        self.dismissed = sorted(viewing_ids)
        Viewing.objects.filter(pk__in=self.dismissed).update(dismissed_at=timezone.now())

    def finish(
        self, kind: DecisionKind, subject: str, *, outcome: str = "", count: int = 1
    ) -> None:
        """Count anew, and log what changed, if anything did."""
        changed = {*self.made, *self.dismissed, *(pk for pk, _ in self.revived)}
        if not changed:
            return
        library.recount([self.entry.pk])
        before = {
            "entries": [],
            "readings": [],
            "touches": [f"viewing:{pk}" for pk in sorted(changed)],
            "marks": {
                "entry": self.entry.pk,
                "made": self.made,
                "revived": self.revived,
                "dismissed": self.dismissed,
            },
        }
        undoing.keep(
            self.entry.user_id, kind, before, subject=subject, outcome=outcome, count=count
        )


def _viewing_of(entry: LibraryEntry, episode: Episode, day: date | None) -> Viewing:
    """A viewing of a TMDB episode, by hand and unsaved."""
    name = entry.names.order_by("pk")[0]
    title_hash = _hash(name, [episode.tmdb_id])
    season = episode.season.number if episode.season else None
    return Viewing(
        user_id=entry.user_id,
        entry=entry,
        name=name,
        kind=ViewingKind.EPISODE,
        raw_title=_title_of(entry, episode),
        title_hash=title_hash,
        fingerprint=fingerprint(title_hash, day),
        day=day,
        source=Source.MANUAL,
        season_number=season,
        episode_number=episode.number,
        episode_title=episode.title,
        tmdb_season=season,
    )


def _copy(viewing: Viewing, day: date | None) -> tuple[Viewing, EpisodeIds]:
    """A viewing of the same on another day, by hand and unsaved, with its TMDB episodes."""
    ids = frozenset(viewing.tmdb_episodes.values_list("tmdb_id", flat=True))
    if viewing.source == Source.MANUAL:
        title_hash = viewing.title_hash
    else:
        title_hash = _hash(viewing.name, ids) if ids else digest(f"\n{viewing.title_hash}")
    copy = Viewing(
        title_hash=title_hash,
        fingerprint=fingerprint(title_hash, day),
        day=day,
        source=Source.MANUAL,
        **{name: getattr(viewing, name) for name in AS_WATCHED},
    )
    return copy, ids


def _hash(name: EntryName, tmdb_ids: Collection[int]) -> str:
    """The title hash of marks on TMDB episodes under a name.

    It begins with a line break, which no title key of a file does: those are stripped (rule 4).
    """
    return digest(f"\n{name.key}\n{','.join(map(str, sorted(tmdb_ids)))}")


def _title_of(entry: LibraryEntry, episode: Episode) -> str:
    return ": ".join(map(str, filter(None, [entry.media.title, episode.season, episode])))


def _again(entry: LibraryEntry) -> LibraryEntry:
    return LibraryEntry.objects.select_related("media").get(pk=entry.pk, user_id=entry.user_id)


def _day(day: date | None) -> str:
    return formats.date_format(day, "DATE_FORMAT") if day else _("no day")
