"""An import on its way: read the file, store its parts, look up its series; or undo it.

The state lives on the import, so that whoever takes it next goes on where the last one stopped,
however that one ended. Each step reads the state anew, does its work, and writes result and
state in one transaction, which holds only while the lease does.
"""

from __future__ import annotations

import enum
import logging
import math
import time
from collections.abc import Callable, Iterator
from itertools import chain

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from imports import lease as leases
from imports import outages, own, parts, preview, rows, stopping
from imports.knowing import known_to
from imports.lease import MOST_WORKERS_LOST, Lease, Lost
from imports.models import (
    Import,
    ImportFile,
    ImportPart,
    ImportProblem,
    Outcome,
    ReadRows,
    State,
)
from imports.options import ImportOptions, options_for_reader
from imports.parts import Part
from imports.reading import Message, Reading, UnreadableFile, take, understand
from imports.storing import store_titles
from media import library, lookup
from media.models import LibraryEntry, LookupStatus, Viewing

logger = logging.getLogger(__name__)

OnProgress = Callable[[Import], None]

# Parts of a file that one transaction writes, well under a second.
PARTS_AT_A_TIME = 10
ROWS_AT_A_TIME = 10

IMPORT_ENDS_WORKERS = gettext_noop(
    "This import stopped its worker %(times)s times in a row, perhaps for want of memory. Nothing "
    "more is tried by itself. What is stored stays: import the file again, or in smaller parts."
)
UNDO_ENDS_WORKERS = gettext_noop(
    "Undoing this import stopped its worker %(times)s times in a row. Nothing more is tried by "
    "itself. What was not undone yet stays: undo it once more."
)


class Turn(enum.Enum):
    """How the work on an import ended for now."""

    ENDED = enum.auto()
    """There is nothing more to do, or a question to be answered first."""
    PAUSED = enum.auto()
    """The time was up; there is more to do."""
    NOT_MINE = enum.auto()
    """Somebody else works on it, its turn has not come, or it was stopped."""


def advance(
    import_id: int,
    *,
    seconds: float = math.inf,
    on_progress: OnProgress = lambda of_import: None,
) -> Turn:
    """Work on an import for about so many seconds, if it is its turn and nobody does already.

    `on_progress` is called after every step with the import as it then is. Raises nothing for
    what is wrong with the file: the import fails and says why.
    """
    lease = outages.outlast(lambda: leases.take(import_id))
    if lease is None:
        return Turn.NOT_MINE
    ends = time.monotonic() + seconds
    try:
        with leases.held(lease):
            turn = _turn(lease, ends, on_progress)
    except KeyboardInterrupt:
        leases.give_back(lease)
        raise
    # Only now that nothing renews it any more.
    outages.outlast(lambda: leases.give_back(lease))
    logger.info("import id=%s fence=%s %s", import_id, lease.fence, turn.name.lower())
    return turn


def _turn(lease: Lease, ends: float, on_progress: OnProgress) -> Turn:
    """How the work ended. Raises when the database has been away for too long."""
    try:
        return outages.outlast(lambda: _work(lease, ends, on_progress))
    except stopping.Parked:
        return Turn.PAUSED
    except (Lost, Import.DoesNotExist, get_user_model().DoesNotExist):
        return Turn.NOT_MINE
    except outages.DATABASE_GONE as error:
        if not outages.is_full(error):
            raise
        return _fail(lease, error)
    except Exception as error:
        return _fail(lease, error)


def _work(lease: Lease, ends: float, on_progress: OnProgress) -> Turn:
    """Step by step until there is no more to do, or the time is up; one step at least."""
    while True:
        of_import = Import.objects.filter(pk=lease.import_id, fence=lease.fence).first()
        if of_import is None:
            raise Lost
        if stopping.is_asked():
            return Turn.PAUSED
        if of_import.workers_lost >= MOST_WORKERS_LOST:
            _give_up(lease, of_import)
            return Turn.ENDED
        match of_import.state:
            case State.READING:
                on_progress(of_import)
                _read(lease, of_import)
            case State.STORING:
                store_next_part(lease, of_import)
            case State.LOOKING_UP:
                _look_up(lease, of_import, ends - time.monotonic(), on_progress)
            case State.DONE | State.FAILED | State.CANCELLED if of_import.undo_asked_at:
                _withdraw_some(lease, of_import)
            case _:
                return Turn.ENDED
        of_import.refresh_from_db()
        on_progress(of_import)
        if time.monotonic() >= ends and of_import.is_under_way:
            return Turn.PAUSED


def _read(lease: Lease, of_import: Import) -> None:
    content = ImportFile.objects.content_of(of_import)
    if content is None:
        _end(lease, State.FAILED, error=_("The file is no longer kept. Hand it in again."))
        return
    if own.is_own(content):
        _read_own(lease, of_import, content)
        return
    chosen = ImportOptions(**of_import.options)
    options = options_for_reader(of_import.filename, chosen, of_import.user)
    known = known_to(of_import.user_id)
    try:
        with stopping.may_break_off():
            plays = take(content, options)
            # Understanding them takes all the memory that there is.
            del content
            reading = understand(plays, options, known)
            del plays
    except UnreadableFile as problem:
        _end(
            lease,
            State.FAILED,
            error=str(problem.message),
            error_message=parts.kept(problem.message),
        )
        return
    if reading.questions or of_import.preview_first:
        lease.write(
            **_findings(reading),
            state=State.NEEDS_ANSWER,
            asked_at=timezone.now(),
            preview=preview.of(reading, of_import.user_id) if of_import.preview_first else None,
        )
        return
    keep_reading(lease, of_import, reading)


def _read_own(lease: Lease, of_import: Import, content: bytes) -> None:
    """Take a file that watchlog itself wrote as what it says."""
    try:
        with stopping.may_break_off():
            found = own.findings(content)
    except own.TooLong as problem:
        _end(lease, State.FAILED, error=str(problem))
        return
    if of_import.preview_first:
        shown = own.preview(content, of_import.user_id)
        lease.write(**found, state=State.NEEDS_ANSWER, asked_at=timezone.now(), preview=shown)
        return
    packed = map(own.pack, own.cut(content))
    with transaction.atomic():
        lease.keep()
        of_import.parts.all().delete()
        of_import.problems.all().delete()
    _keep_parts(lease, of_import, packed)
    lease.write(**found, **NOTHING_COUNTED, state=State.STORING)


NOTHING_COUNTED = {
    "rows_new": 0,
    "rows_known": 0,
    "rows_repeated": 0,
    "rows_skipped": 0,
    "rows_failed": 0,
    "series_total": 0,
    "series_matched": 0,
    "series_uncertain": 0,
    "series_not_found": 0,
    "series_failed": 0,
}


def _findings(reading: Reading) -> dict[str, object]:
    questions = [
        {
            "kind": question.kind.value,
            "text": parts.kept(question.text),
            "choices": [
                {"value": choice.value, "label": parts.kept(choice.label)}
                for choice in question.choices
            ],
        }
        for question in reading.questions
    ]
    return {
        "file_format": reading.format.value,
        "date_order": reading.date_order.value,
        "date_reason": str(reading.date_reason),
        "date_message": parts.kept(reading.date_reason),
        "profiles": dict(reading.profiles),
        "rows": len(reading.rows),
        "question": {"questions": questions} if questions else None,
    }


def keep_reading(lease: Lease, of_import: Import, reading: Reading) -> None:
    """Write the parts of a file, instead of what an earlier reading left; then it is `storing`."""
    with transaction.atomic():
        lease.keep()
        of_import.parts.all().delete()
        of_import.problems.all().delete()
        of_import.read_rows.all().delete()
    _keep_rows(lease, of_import, reading)
    # What an earlier run of this import stored and this reading no longer has.
    stale = set(of_import.claims.values_list("viewing__title_hash", flat=True))

    def without_stale(part: Part) -> Part:
        stale.difference_update(title.title_hash for title in part.titles)
        return part

    read_parts = map(without_stale, parts.cut(reading.rows))
    withdrawing = _later(lambda: parts.withdrawing(stale))
    _keep_parts(lease, of_import, map(parts.pack, chain(read_parts, withdrawing)))
    lease.write(**_findings(reading), **NOTHING_COUNTED, state=State.STORING)


def _keep_rows(lease: Lease, of_import: Import, reading: Reading) -> None:
    """Write how each row was read, for the page that tells."""
    numbered = enumerate(rows.pack(reading.rows))
    while some := stopping.take(numbered, ROWS_AT_A_TIME):
        with transaction.atomic():
            lease.keep()
            ReadRows.objects.bulk_create(
                ReadRows(of_import=of_import, number=number, counts=counts, content=content)
                for number, (counts, content) in some
            )


def _keep_parts(lease: Lease, of_import: Import, packed: Iterator[bytes]) -> None:
    numbered = enumerate(packed)
    while some := stopping.take(numbered, PARTS_AT_A_TIME):
        with transaction.atomic():
            lease.keep()
            ImportPart.objects.bulk_create(
                ImportPart(of_import=of_import, number=number, content=content)
                for number, content in some
            )


def _later(make: Callable[[], Iterator[Part]]) -> Iterator[Part]:
    """What `make` gives, once the time has come to ask for it."""
    yield from make()


def store_next_part(lease: Lease, of_import: Import) -> None:
    """Store a part of the file in one transaction; after the last one it is `looking_up`."""
    waiting = of_import.parts.order_by("number").first()
    if waiting is None:
        _begin_looking_up(lease, of_import)
        return
    if own.is_packed(bytes(waiting.content)):
        _store_own(lease, of_import, waiting)
        return
    part = parts.unpack(bytes(waiting.content))
    with library.library_lock(of_import.user_id):
        stored = store_titles(of_import.user_id, of_import.pk, part.titles)
        ImportProblem.objects.bulk_create(
            ImportProblem(of_import=of_import, **problem._asdict()) for problem in part.problems
        )
        waiting.delete()
        failed = sum(problem.outcome == Outcome.FAILED for problem in part.problems)
        lease.write(
            rows_new=F("rows_new") + stored.new,
            rows_known=F("rows_known") + stored.known,
            rows_repeated=F("rows_repeated") + part.repeated,
            rows_failed=F("rows_failed") + failed,
            rows_skipped=F("rows_skipped") + len(part.problems) - failed,
        )


def _store_own(lease: Lease, of_import: Import, waiting: ImportPart) -> None:
    part = own.unpack(bytes(waiting.content))
    with library.library_lock(of_import.user_id):
        stored = own.store(of_import, part)
        waiting.delete()
        lease.write(
            rows_new=F("rows_new") + stored.new,
            rows_known=F("rows_known") + stored.known,
            rows_failed=F("rows_failed") + stored.failed,
        )


def _begin_looking_up(lease: Lease, of_import: Import) -> None:
    def go_on(result: lookup.Result | None) -> None:
        if stopping.is_asked():
            raise stopping.Parked
        lease.write()

    entries = LibraryEntry.objects.filter(viewings__claims__of_import=of_import)
    lookup.identify_new_viewings(entries, on_recorded=go_on)
    now = timezone.now()
    lease.write(
        state=State.LOOKING_UP,
        looking_up_since=now,
        series_total=series_to_look_up(of_import).due(now).count(),
    )


def series_to_look_up(of_import: Import) -> lookup.Entries:
    """The series of this import that TMDB has not settled, last watched first (rule 24)."""
    return LibraryEntry.objects.filter(viewings__claims__of_import=of_import).waiting().distinct()


def doubtful_titles(of_import: Import) -> lookup.Viewings:
    """All titles of the user that are in doubt and were not asked about in this import.

    What this import brought may settle what an earlier one left open.
    """
    since = of_import.started_at or of_import.created_at
    return Viewing.objects.doubtful().filter(
        Q(doubt_asked_at__isnull=True) | Q(doubt_asked_at__lt=since), user_id=of_import.user_id
    )


COUNTERS = {
    LookupStatus.MATCHED: ("series_matched", 1),
    LookupStatus.UNCERTAIN: ("series_uncertain", 1),
    LookupStatus.NOT_FOUND: ("series_not_found", 1),
    LookupStatus.ERROR: ("series_failed", 1),
    # Its rows turned out to be movies.
    LookupStatus.NOT_NEEDED: ("series_total", -1),
}


def _look_up(lease: Lease, of_import: Import, seconds: float, on_progress: OnProgress) -> None:
    """Look up series until the time is up, or nothing more can be asked now.

    Without a TMDB key, or when TMDB refuses the key or cannot be reached, series stay pending
    and the import goes on without them.
    """

    def on_recorded(result: lookup.Result | None) -> None:
        if result is None:
            lease.write()
            return
        field, by = COUNTERS[result.status]
        lease.write(**{field: F(field) + by})

    def on_result(result: lookup.Result) -> None:
        of_import.refresh_from_db()
        on_progress(of_import)

    # What fails is tried again after the import, by itself: so each series counts once.
    began = of_import.looking_up_since or timezone.now()
    asked_all = not of_import.look_up or lookup.look_up(
        series_to_look_up(of_import).due(began),
        doubtful=doubtful_titles(of_import),
        seconds=seconds,
        on_recorded=on_recorded,
        on_result=on_result,
        should_stop=lambda: stopping.is_asked() or not lease.is_held(),
    )
    if asked_all:
        _end(lease, State.DONE)


def _withdraw_some(lease: Lease, of_import: Import) -> None:
    """Undo a part of an import (rule 18)."""
    with library.library_lock(of_import.user_id):
        hashes = of_import.claims.order_by().values_list("viewing__title_hash", flat=True)
        for part in parts.withdrawing(hashes.distinct()[: parts.TITLES]):
            store_titles(of_import.user_id, of_import.pk, part.titles)
            lease.write()
            return
        lease.write(state=State.UNDONE)


def _end(lease: Lease, state: State, **changes: object) -> None:
    with transaction.atomic():
        ImportPart.objects.filter(of_import_id=lease.import_id).delete()
        lease.write(state=state, finished_at=timezone.now(), **changes)


def _give_up(lease: Lease, of_import: Import) -> None:
    """Fail an import that ends every worker, or stop undoing it, until somebody asks for it anew."""
    logger.error("import given up id=%s workers_lost=%s", of_import.pk, of_import.workers_lost)
    template = UNDO_ENDS_WORKERS if of_import.is_being_undone else IMPORT_ENDS_WORKERS
    why = Message(template, {"times": of_import.workers_lost})
    with transaction.atomic():
        ImportPart.objects.filter(of_import=of_import).delete()
        lease.give_up(
            state=State.FAILED,
            undo_asked_at=None,
            finished_at=timezone.now(),
            error=str(why),
            error_message=parts.kept(why),
        )


def _fail(lease: Lease, error: Exception) -> Turn:
    """End an import that cannot be finished. Raises what hinders that; the lease then ends."""
    logger.error("import failed id=%s", lease.import_id, exc_info=error)
    if outages.is_full(error):
        why = _("The database is full. Make room for it, then try this import again.")
    else:
        why = _("watchlog could not finish this import. What is stored stays; try it again.")
    try:
        _end(lease, State.FAILED, error=why)
    except Lost:
        return Turn.NOT_MINE
    return Turn.ENDED
