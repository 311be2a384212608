"""What people decide about the library, by pages, admin or command.

Decisions belong to names and outlive every re-import and refresh (rule 13). These functions ask
TMDB first, where they must, and then take the lock of each user concerned. What a user decides
is kept with what was there before, and can be undone.

Functions that take an entry raise LibraryEntry.DoesNotExist when it has gone meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from media import library, lookup, marking, refreshing, undoing
from media.catalogue import nameless, store_series
from media.doubts import series_meant
from media.keys import typed_key
from media.library import library_lock
from media.models import (
    DecidedBy,
    Decision,
    DecisionKind,
    DecisionLog,
    EntryName,
    LibraryEntry,
    LookupStatus,
    Media,
    MediaType,
    Source,
    Viewing,
    ViewingKind,
)
from media.titles import ENGLISH, title_code
from media.wording import fold
from tmdb.errors import TmdbNotFound
from tmdb.types import SeriesDetails


class CannotUndo(Exception):
    """A later decision was about the same names, and must be undone first."""


# --- which series an entry is ------------------------------------------------------------------


def match_to(entry: LibraryEntry, tmdb_id: int, decided_by: DecidedBy) -> LibraryEntry:
    """Say that an entry is a TMDB series; returns the entry that now stands for it.

    Raises TmdbNotFound when TMDB has no such series; nothing is changed then. When TMDB cannot
    be asked the decision is kept and totals are pending (rule 16).
    """
    media = _find(tmdb_id, lookup.language_of(entry))
    with library_lock(entry.user_id):
        entry = _again(entry)
        before = _state_of(_with_those_of([entry], [media]))
        subject = entry.media.title
        entry = _pin(entry, media, decided_by)
        if decided_by == DecidedBy.USER:
            undoing.keep(
                entry.user_id,
                DecisionKind.MATCHED,
                before,
                subject=subject,
                outcome=media.title,
            )
        return entry


def confirm(user_id: int, choices: Mapping[int, int]) -> int:
    """Match several uncertain entries of a user, by entry and TMDB id; how many were.

    Those that were settled meanwhile, or that TMDB does not have any more, are left alone.
    """
    uncertain = (
        LibraryEntry.objects.filter(user_id=user_id, lookup_status=LookupStatus.UNCERTAIN)
        .select_related("media")
        .order_by("pk")
    )
    found: dict[int, Media] = {}
    is_answering = True
    for entry in uncertain.filter(pk__in=choices).prefetch_related("names"):
        try:
            found[entry.pk] = _find(choices[entry.pk], lookup.language_of(entry), ask=is_answering)
        except TmdbNotFound:
            continue
        is_answering = found[entry.pk].last_tmdb_update is not None
    with library_lock(user_id):
        entries = list(uncertain.filter(pk__in=found))
        if not entries:
            return 0
        matched = [found[entry.pk] for entry in entries]
        before = _state_of(_with_those_of(entries, matched))
        for entry in entries:
            _pin(entry, found[entry.pk], DecidedBy.USER)
        undoing.keep(
            user_id,
            DecisionKind.CONFIRMED,
            before,
            subject=", ".join(media.title for media in matched),
            count=len(entries),
        )
        return len(entries)


def _find(tmdb_id: int, language: str, *, ask: bool = True) -> Media:
    """The shared row of a series, from TMDB unless it does not answer or is not to be asked.

    English titles of its episodes come along, which tell more than those of most languages.
    """
    details = refreshing.ask_for(tmdb_id, language=language) if ask else None
    media = _shared_row(tmdb_id, details)
    if details is not None and title_code(language) != ENGLISH:
        refreshing.fetch_titles(tmdb_id, "en-US")
    return media


def _shared_row(tmdb_id: int, details: SeriesDetails | None) -> Media:
    if details is not None:
        media = store_series(details)
        lookup.identify_gone()
        return media
    # The title is TMDB's to tell: a user's own name for it must not reach others (rule 14).
    return Media.objects.get_or_create(
        media_type=MediaType.TV_SERIES,
        tmdb_id=tmdb_id,
        defaults={"title": nameless(tmdb_id), "base_title": nameless(tmdb_id)},
    )[0]


def _pin(entry: LibraryEntry, media: Media, decided_by: DecidedBy) -> LibraryEntry:
    _decide(entry.names.all(), Decision.MATCHED, decided_by, media.tmdb_id)
    candidates = entry.candidates
    entry = library.attach(entry, media)
    lookup.identify_episodes(entry)
    library.set_status(entry, LookupStatus.MATCHED, decided_by, candidates)
    return entry


def change_tmdb_id(media: Media, tmdb_id: int, details: SeriesDetails | None) -> Media:
    """An administrator says that a row is another TMDB series (rule 16); returns its row.

    All entries go there but those that their own user decided; the old row stays while used.
    `details` come from `ask_for`, which the caller asks before any transaction; None when TMDB
    could not be asked: totals are then pending.
    """
    target = _shared_row(tmdb_id, details)
    moving = media.entries.exclude(decided_by=DecidedBy.USER).order_by("user_id")
    for entry_id, user_id in moving.values_list("pk", "user_id"):
        with library_lock(user_id):
            # Its user may have decided, or merged it, in between.
            entry = media.entries.exclude(decided_by=DecidedBy.USER).filter(pk=entry_id).first()
            if entry is not None:
                _pin(entry, target, DecidedBy.ADMIN)
    if media.pk != target.pk:
        Media.objects.filter(pk=media.pk, entries__isnull=True).delete()
    return target


def clear_match(entry: LibraryEntry, decided_by: DecidedBy = DecidedBy.ADMIN) -> list[LibraryEntry]:
    """Take back what an entry was matched to; each of its names waits to be looked up again."""
    with library_lock(entry.user_id):
        entry = _again(entry)
        before = undoing.state_of([entry])
        names = list(entry.names.all())
        _decide(names, Decision.NONE, DecidedBy.AUTOMATIC)
        if decided_by == DecidedBy.USER:
            undoing.keep(entry.user_id, DecisionKind.REOPENED, before, subject=entry.media.title)
        if entry.media.owner_id is not None:
            library.set_status(entry, LookupStatus.PENDING)
            return [entry]
        entries = [library.detach([name]) for name in names]
        for entry in entries:
            lookup.identify_episodes(entry)
        return entries


def ignore(entry: LibraryEntry, decided_by: DecidedBy) -> LibraryEntry:
    """Say that TMDB doesn't have this series: it is shown, and never looked up again."""
    with library_lock(entry.user_id):
        entry = _again(entry)
        before, subject = _state_of([entry]), entry.media.title
        names = list(entry.names.all())
        _decide(names, Decision.IGNORED, decided_by)
        if entry.media.owner_id is None:
            entry = library.detach(names)
            lookup.identify_episodes(entry)
        library.set_status(entry, LookupStatus.IGNORED, decided_by)
        if decided_by == DecidedBy.USER:
            undoing.keep(entry.user_id, DecisionKind.IGNORED, before, subject=subject)
        return entry


def hide(entry: LibraryEntry, *, hidden: bool) -> None:
    """Hide an entry from the library, or show it again. Nothing else changes."""
    with library_lock(entry.user_id):
        entry = _again(entry)
        before = undoing.state_of([entry])
        if entry.names.exclude(is_hidden=hidden).update(is_hidden=hidden):
            kind = DecisionKind.HIDDEN if hidden else DecisionKind.SHOWN
            undoing.keep(entry.user_id, kind, before, subject=entry.media.title)


# --- movie or series (rule 17) -----------------------------------------------------------------


def make_movies(entry: LibraryEntry, decided_by: DecidedBy) -> list[LibraryEntry]:
    """Say that a series is none: each raw title of its names is a film of its own."""
    with library_lock(entry.user_id):
        entry = _again(entry)
        subject = entry.media.title
        viewings = list(entry.viewings.select_related("name").order_by("pk"))
        titles = {viewing.title_hash for viewing in viewings}
        before = undoing.state_of([entry], titles)
        names = list(entry.names.all())
        _decide(names, Decision.MOVIE, decided_by)
        made = library.read_as_movies(viewings)
        if entry.media.owner_id is None:
            entry = library.detach(names)
        library.set_status(entry, LookupStatus.NOT_NEEDED, decided_by)
        library.recount(made)
        if decided_by == DecidedBy.USER:
            undoing.keep(
                entry.user_id, DecisionKind.MOVIE, before, subject=subject, count=len(titles)
            )
        return list(LibraryEntry.objects.filter(pk__in=made - {entry.pk}))


def make_series(entry: LibraryEntry, series: str) -> LibraryEntry:
    """Say that a movie is an episode of the series so named; returns the series' entry.

    A series of the library is recognised whatever its case, accents and punctuation; else a
    new one is made, which waits to be looked up.
    """
    with library_lock(entry.user_id):
        entry = _again(entry)
        name = _series_called(entry, series)
        viewings = list(entry.viewings.select_related("name").order_by("pk"))
        titles = {viewing.title_hash for viewing in viewings}
        before = undoing.state_of([entry, name.entry], titles)
        if name.decision == Decision.MOVIE:
            _decide([name], Decision.NONE, DecidedBy.AUTOMATIC)
            library.set_status(name.entry, LookupStatus.PENDING)
        touched = library.read_as_episodes(viewings, _as_new(name))
        _decide(entry.names.all(), Decision.SERIES, DecidedBy.USER, series=name)
        _settle(touched)
        undoing.keep(
            entry.user_id,
            DecisionKind.SERIES,
            before,
            subject=entry.media.title,
            outcome=name.name,
        )
        return LibraryEntry.objects.select_related("media").get(pk=name.entry_id)


def _series_called(entry: LibraryEntry, series: str) -> EntryName:
    wanted = fold(series)
    names = EntryName.objects.filter(user_id=entry.user_id, media_type=MediaType.TV_SERIES)
    for pk, name in names.order_by("pk").values_list("pk", "name"):
        if fold(name) == wanted:
            return names.select_related("entry__media").get(pk=pk)
    languages = [name.language for name in entry.names.all() if name.language]
    new = library.NewName(MediaType.TV_SERIES, series, typed_key(series), next(iter(languages), ""))
    return library.find_or_create_names(entry.user_id, [new])[new.media_type.value, new.key]


def read_titles(user_id: int, titles: Collection[str], kind: ViewingKind) -> int:
    """Settle how doubtful titles of a user, by hash, are to be read; how many there were.

    The choice belongs to each title itself, and outlives re-imports.
    """
    with library_lock(user_id):
        viewings = list(
            Viewing.objects.doubtful()
            .filter(user_id=user_id, title_hash__in=titles)
            .select_related("name")
            .order_by("pk")
        )
        hashes = {viewing.title_hash for viewing in viewings}
        by_series: dict[str, list[Viewing]] = {}
        series: dict[str, library.NewName] = {}
        for viewing in viewings:
            other = series_meant(viewing)
            if other is not None:
                series.setdefault(other.key, other)
                by_series.setdefault(other.key, []).append(viewing)
        if not by_series:
            return 0
        entries = LibraryEntry.objects.filter(pk__in={v.entry_id for v in viewings})
        before = undoing.state_of(entries, hashes)
        first = viewings[0]
        touched: set[int] = set()
        if kind == ViewingKind.MOVIE:
            touched |= library.read_as_movies(viewings)
            _decide_titles(viewings, Decision.MOVIE)
        else:
            for key, of_series in by_series.items():
                touched |= library.read_as_episodes(of_series, series[key])
                _decide_titles(of_series, Decision.SERIES, of_series[0].name)
        _settle(touched)
        undoing.keep(
            user_id,
            DecisionKind.READ_AS_MOVIE
            if kind == ViewingKind.MOVIE
            else DecisionKind.READ_AS_EPISODE,
            before,
            subject=" ".join(first.raw_title.split()),
            outcome=next(iter(series.values())).name,
            count=len(hashes),
        )
        return len(hashes)


def read_as_movies(entry: LibraryEntry, titles: Collection[str]) -> list[LibraryEntry]:
    """Say that some titles of a series, by hash, are movies; returns the movies.

    As with doubtful titles the choice belongs to each title itself. Nothing is returned, and
    nothing changes, when the series has none of the titles.
    """
    with library_lock(entry.user_id):
        entry = _again(entry)
        of_files = entry.viewings.filter(kind=ViewingKind.EPISODE, source=Source.FILE)
        viewings = list(
            of_files.filter(title_hash__in=titles).select_related("name").order_by("pk")
        )
        if not viewings:
            return []
        hashes = {viewing.title_hash for viewing in viewings}
        # Such a title may have been put into this series by hand.
        own = LibraryEntry.objects.filter(names__media_type=MediaType.MOVIE, names__key__in=hashes)
        before = undoing.state_of([entry, *own.filter(user_id=entry.user_id)], hashes)
        first, series = viewings[0], entry.media.title
        touched = library.read_as_movies(viewings)
        _decide_titles(viewings, Decision.MOVIE)
        _settle(touched)
        undoing.keep(
            entry.user_id,
            DecisionKind.READ_AS_MOVIE,
            before,
            subject=" ".join(first.raw_title.split()),
            outcome=series,
            count=len(hashes),
        )
        return list(LibraryEntry.objects.filter(pk__in={viewing.entry_id for viewing in viewings}))


def _decide_titles(
    viewings: Sequence[Viewing], decision: Decision, series: EntryName | None = None
) -> None:
    """Keep a decision with the names of single titles, which need no viewings for that."""
    titles = {viewing.title_hash: library.movie_name(viewing) for viewing in viewings}
    names = library.find_or_create_names(viewings[0].user_id, titles.values())
    _decide(names.values(), decision, DecidedBy.USER, series=series)


def _settle(entry_ids: Iterable[int]) -> None:
    """What follows when viewings moved between entries: identify, remove the empty, count."""
    left = set(entry_ids)
    left -= library.remove_empty_entries(left)
    matched = LibraryEntry.objects.filter(pk__in=left, lookup_status=LookupStatus.MATCHED)
    for entry in matched.select_related("media"):
        lookup.identify_episodes(entry)
    library.recount(left)


# --- names -------------------------------------------------------------------------------------


def split(entry: LibraryEntry, name_ids: Collection[int]) -> LibraryEntry:
    """Give some of an entry's names an entry of their own; returns that.

    Which series it is remains to be said by a person: watchlog would only join them again.
    Raises ValueError unless at least one name goes and one stays.
    """
    with library_lock(entry.user_id):
        entry = _again(entry)
        names = list(entry.names.order_by("pk"))
        going = [name for name in names if name.pk in name_ids]
        if not 0 < len(going) < len(names):
            raise ValueError("at least one name goes and one stays")
        before = undoing.state_of([entry])
        candidates = [c for c in entry.candidates if c["tmdb_id"] != entry.media.tmdb_id]
        _decide(going, Decision.NONE, DecidedBy.AUTOMATIC)
        apart = library.detach(going)
        lookup.identify_episodes(apart)
        status = LookupStatus.UNCERTAIN if candidates else LookupStatus.NOT_FOUND
        library.set_status(apart, status, DecidedBy.USER, candidates)
        undoing.keep(
            entry.user_id,
            DecisionKind.SPLIT,
            before,
            subject=entry.media.title,
            outcome=", ".join(name.name for name in going),
        )
        return apart


def merge(entry: LibraryEntry, into: LibraryEntry) -> LibraryEntry:
    """Say that two series of a user are one; returns the entry that stays.

    It is what `into` is at TMDB, or else what `entry` is.
    """
    with library_lock(entry.user_id):
        entry, into = _again(entry), _again(into)
        before = _state_of([entry, into])
        subject, outcome = entry.media.title, into.media.title
        if into.media.tmdb_id is None and entry.media.tmdb_id is not None:
            entry, into = into, entry
        names = list(entry.names.all())
        if into.media.tmdb_id is not None:
            _decide(names, Decision.MATCHED, DecidedBy.USER, into.media.tmdb_id)
        elif into.lookup_status == LookupStatus.IGNORED:
            _decide(names, Decision.IGNORED, DecidedBy.USER)
        else:
            _decide(names, Decision.NONE, DecidedBy.AUTOMATIC)
        library.move_names(names, into)
        if into.media.tmdb_id is not None:
            lookup.identify_episodes(into)
        undoing.keep(into.user_id, DecisionKind.MERGED, before, subject=subject, outcome=outcome)
        return into


# --- undo --------------------------------------------------------------------------------------


def undo(log: DecisionLog) -> list[LibraryEntry]:
    """Put back what was there before a decision; returns the entries as they are then.

    Raises CannotUndo when a later decision was about the same names. Nothing is left to do,
    and nothing is returned, when it was undone already.
    """
    with library_lock(log.user_id):
        there = DecisionLog.objects.filter(pk=log.pk).first()
        if there is None:
            return []
        if not undoing.is_current(there):
            raise CannotUndo
        if "marks" in there.before:
            return marking.restore(there)
        return undoing.restore(there)


# --- shared by the above -----------------------------------------------------------------------


def _again(entry: LibraryEntry) -> LibraryEntry:
    """The entry as it is now that the lock is taken."""
    return LibraryEntry.objects.select_related("media").get(pk=entry.pk, user_id=entry.user_id)


def _state_of(entries: Sequence[LibraryEntry]) -> undoing.State:
    """What to keep before a decision about which series entries are, which ends their doubts."""
    doubtful = Viewing.objects.doubtful().filter(entry__in=entries)
    return undoing.state_of(entries, set(doubtful.values_list("title_hash", flat=True)))


def _with_those_of(entries: Sequence[LibraryEntry], media: Iterable[Media]) -> list[LibraryEntry]:
    """The entries, and those that their user has of catalogue rows already."""
    there = LibraryEntry.objects.filter(user_id=entries[0].user_id, media__in=list(media))
    return [*entries, *there]


def _as_new(name: EntryName) -> library.NewName:
    return library.NewName(MediaType(name.media_type), name.name, name.key, name.language)


def _decide(
    names: Iterable[EntryName],
    decision: Decision,
    decided_by: DecidedBy,
    tmdb_id: int | None = None,
    series: EntryName | None = None,
) -> None:
    ids = [name.pk for name in names]
    EntryName.objects.filter(pk__in=ids).update(
        decision=decision,
        decided_by=decided_by,
        decided_tmdb_id=tmdb_id,
        decided_series=series,
    )
    if decision != Decision.NONE:
        # What a person decided leaves no doubt, and imports store such titles without one.
        Viewing.objects.doubtful().filter(name__in=ids).update(reading_uncertain=False)
