"""What people do with imports: hand in a file, answer, confirm, cancel, try again, undo.

The pages, the command and the background tasks all call these functions. They only say what
shall happen; `running.py` does it.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Length
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import EventKind
from imports.lease import fence_off
from imports.models import (
    ACTIVE,
    ENDED,
    RUNNING,
    Claim,
    Import,
    ImportFile,
    ImportPart,
    ReadRows,
    State,
)
from imports.options import ImportOptions
from imports.outages import is_full
from imports.reading import DateOrder
from imports.running import Turn, advance, series_to_look_up
from media.library import library_lock
from media.models import Decision, EntryName, LibraryEntry, Source, Viewing

__all__ = [
    "ImportOptions",
    "Refused",
    "answer",
    "cancel",
    "confirm",
    "forget_file",
    "run",
    "start",
    "submit",
    "try_again",
    "undo",
    "what_undo_takes",
]

# As large as so many of the largest files may be what is kept of one user; else an account would
# be enough to fill the disk.
KEPT_FILES = 10
# Between two looks at an import that another process works on.
POLL_SECONDS = 0.2


class Refused(Exception):
    """What was asked is not done; the text says why and what to do."""


def submit(
    user: AbstractBaseUser,
    filename: str,
    data: bytes,
    options: ImportOptions | None = None,
    *,
    preview_first: bool = False,
    look_up: bool = True,
) -> Import:
    """Keep a file for import; returns the active import of the same bytes and options, if any.

    With `preview_first` nothing of it is stored until `confirm`. Raises Refused when the file is
    empty or larger than IMPORT_MAX_BYTES, or the database is full; nothing is kept then.
    """
    if not data:
        raise Refused(_("This file is empty. Download it again and hand in the new one."))
    if len(data) > settings.IMPORT_MAX_BYTES:
        raise Refused(
            _("This file is larger than the %(limit)s MB that this watchlog takes.")
            % {"limit": settings.IMPORT_MAX_BYTES // 2**20}
        )
    chosen = asdict(options or ImportOptions())
    digest = _digest(data, chosen)
    for _attempt in range(2):
        try:
            with transaction.atomic():
                new = Import.objects.create(
                    user_id=user.pk,
                    filename=filename.replace("\0", "")[-255:] or "upload",
                    digest=digest,
                    options=chosen,
                    preview_first=preview_first,
                    look_up=look_up,
                )
                ImportFile.objects.create(of_import=new, content=data)
                _make_room(user.pk)
                return new
        except IntegrityError:
            active = Import.objects.active().filter(user_id=user.pk, digest=digest).first()
            if active is not None:
                return active
            # It has ended in between.
        except OperationalError as error:
            if not is_full(error):
                raise
            raise Refused(
                _(
                    "There is no room left for this file. Whoever runs this watchlog has to make "
                    "room for its database; then hand the file in again."
                )
            ) from error
    raise Refused(_("This file could not be kept just now. Hand it in once more."))


def _make_room(user_id: int) -> None:
    """Forget the oldest files of a user's imports that have ended, where there are too many."""
    files = ImportFile.objects.filter(of_import__user_id=user_id).order_by("-of_import_id")
    sizes = files.annotate(size=Length("content")).values_list("pk", "size")
    kept, beyond = 0, []
    for pk, size in sizes:
        kept += size
        if kept > KEPT_FILES * settings.IMPORT_MAX_BYTES:
            beyond.append(pk)
    if beyond:
        ended = Import.objects.filter(pk__in=beyond, state__in=ENDED)
        ReadRows.objects.filter(of_import__in=ended).delete()
        ImportFile.objects.filter(of_import__in=ended).delete()


def _digest(data: bytes, options: dict[str, object]) -> str:
    hashed = hashlib.sha256(data)
    hashed.update(json.dumps(options, sort_keys=True).encode())
    return hashed.hexdigest()


def start(of_import: Import) -> bool:
    """Have the import worked on in the background; False when a task for it waits already."""
    from imports.tasks import run_import, waits

    if waits(run_import, of_import.pk):
        return False
    run_import.enqueue(of_import.pk)
    return True


def start_next(user_id: int) -> None:
    """Have the user's next import in the queue worked on, after one has ended."""
    waiting = Import.objects.unattended().filter(user_id=user_id).order_by("created_at", "pk")
    following = waiting.first()
    if following is not None:
        start(following)


def answer(of_import: Import, *, profile: str | None = None, date_order: str | None = None) -> None:
    """Answer what an import asked, and have it go on.

    Raises Refused when an import of the same file with these answers is active already.
    """
    chosen = dict(of_import.options)
    if profile is not None:
        chosen["profile"] = profile
    if date_order is not None:
        chosen["date_order"] = DateOrder(date_order).value
    content = ImportFile.objects.filter(of_import=of_import).values_list("content", flat=True)
    _go_on(of_import, options=chosen, digest=_digest(bytes(content.first() or b""), chosen))


def confirm(of_import: Import) -> bool:
    """Have an import stored whose preview was shown; whether it still waited for that.

    Raises Refused while it has questions.
    """
    if of_import.question:
        raise Refused(_("Answer the questions about this file first."))
    return _go_on(of_import, preview_first=False)


def _go_on(of_import: Import, **changes: object) -> bool:
    waiting = Import.objects.filter(pk=of_import.pk, state=State.NEEDS_ANSWER)
    try:
        with transaction.atomic():
            changed = waiting.update(
                **changes, question=None, preview=None, asked_at=None, state=State.QUEUED
            )
    except IntegrityError as error:
        raise Refused(_("This file is being imported already.")) from error
    if changed:
        start(of_import)
    return bool(changed)


def cancel(of_import: Import) -> bool:
    """Stop an active import within a moment; whether it was active.

    What is stored stays. Series of it are not looked up any more unless somebody asks.
    """
    with transaction.atomic():
        changed = Import.objects.filter(pk=of_import.pk, state__in=ACTIVE).update(
            state=State.CANCELLED, finished_at=timezone.now(), look_up=False, **fence_off()
        )
        if changed:
            ImportPart.objects.filter(of_import=of_import).delete()
    if changed:
        start_next(of_import.user_id)
    return bool(changed)


def try_again(of_import: Import) -> None:
    """Read and store an import that has ended once more, and look up what is still open.

    What it stored before stays, and what failed gets another chance. Raises Refused when its
    file is no longer kept, or is being imported already.
    """
    if not ImportFile.objects.filter(of_import=of_import).exists():
        raise Refused(_("The file of this import is no longer kept. Hand it in again."))
    ended = Import.objects.filter(pk=of_import.pk, state__in=ENDED)
    try:
        with transaction.atomic():
            changed = ended.exclude(undo_asked_at__isnull=False, state__in=UNDOABLE).update(
                state=State.QUEUED,
                error="",
                error_message=None,
                finished_at=None,
                look_up=True,
                undo_asked_at=None,
                **fence_off(),
            )
    except IntegrityError as error:
        raise Refused(_("This file is being imported already.")) from error
    if not changed:
        raise Refused(_("This import is not over yet."))
    with library_lock(of_import.user_id):
        series_to_look_up(of_import).order_by().update(next_lookup_at=None)
    start(of_import)


UNDOABLE = [State.DONE, State.FAILED, State.CANCELLED]


@dataclass(frozen=True, slots=True)
class Loss:
    """What undoing an import takes away."""

    viewings: int
    series: int
    movies: int
    kept: int
    """Viewings of it that stay: other imports have them too, or somebody marked them."""


def what_undo_takes(of_import: Import) -> Loss:
    """What would go if the import were undone now."""
    claimed = Viewing.objects.filter(claims__of_import=of_import).distinct()
    others = Claim.objects.exclude(of_import=of_import)
    stays = Q(pk__in=others.values("viewing")) | Q(dismissed_at__isnull=False)
    going = claimed.filter(source=Source.FILE).exclude(stays)
    by_kind = dict(
        _emptied(of_import, going).values_list("media__media_type").annotate(Count("pk"))
    )
    viewings = going.count()
    return Loss(
        viewings,
        by_kind.get("tv_series", 0),
        by_kind.get("movie", 0),
        claimed.count() - viewings,
    )


def _emptied(of_import: Import, going: QuerySet[Viewing]) -> QuerySet[LibraryEntry]:
    """The entries that are left without viewings when these go, and that nobody decided about."""
    staying = Viewing.objects.filter(entry=OuterRef("pk")).exclude(pk__in=going.values("pk"))
    decided = EntryName.objects.filter(entry=OuterRef("pk")).exclude(
        decision=Decision.NONE, is_hidden=False
    )
    entries = LibraryEntry.objects.filter(
        user_id=of_import.user_id, pk__in=going.values("entry")
    ).order_by()
    return entries.exclude(Exists(staying)).exclude(Exists(decided))


def undo(of_import: Import, *, request: HttpRequest | None = None) -> bool:
    """Take back what an import brought (rule 18), in the background; whether there was anything.

    What other imports have too stays, and so does what somebody decided or marked by hand. An
    import that is still active is cancelled first. Its user sees in their account that it was
    undone, and from where when there is a `request`.
    """
    cancel(of_import)
    with transaction.atomic():
        changed = Import.objects.filter(
            pk=of_import.pk, state__in=UNDOABLE, undo_asked_at__isnull=True
        ).update(
            undo_asked_at=timezone.now(),
            look_up=False,
            error="",
            error_message=None,
            **fence_off(),
        )
        if changed:
            _record(of_import, EventKind.IMPORT_UNDONE, request)
    if changed:
        start(of_import)
    return bool(changed)


def forget_file(of_import: Import, *, request: HttpRequest | None = None) -> bool:
    """Delete the stored file of an import that has ended; whether there was one.

    Its user sees that in their account, and from where when there is a `request`.
    """
    with transaction.atomic():
        files = ImportFile.objects.filter(of_import=of_import, of_import__state__in=ENDED)
        deleted = bool(files.delete()[0])
        if deleted:
            ReadRows.objects.filter(of_import=of_import).delete()
            _record(of_import, EventKind.FILE_DELETED, request)
    return deleted


def _record(of_import: Import, kind: EventKind, request: HttpRequest | None) -> None:
    audit.record(of_import.user_id, kind, request=request, subject=of_import.filename)


def run(
    import_id: int, *, on_progress: Callable[[Import], None] = lambda of_import: None
) -> Import:
    """Work on an import to its end, or to the question that it must ask first; returns it.

    `on_progress` is called after every step. When a worker has it already, or another import of
    the user comes first, that is waited for. Raises Import.DoesNotExist when it is deleted.
    """
    while True:
        turn = advance(import_id, on_progress=on_progress)
        of_import = Import.objects.get(pk=import_id)
        if turn is not Turn.NOT_MINE or of_import.state not in (State.QUEUED, *RUNNING):
            start_next(of_import.user_id)
            return of_import
        on_progress(of_import)
        before = Import.objects.unattended().running().filter(user_id=of_import.user_id).first()
        if before is not None:
            advance(before.pk)
        else:
            time.sleep(POLL_SECONDS)
