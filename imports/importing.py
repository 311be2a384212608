"""One import from the bytes handed in to a library with totals.

The upload page, the command and the background task all call these functions. State lives on
the `Import`, so that whoever picks one up goes on where another stopped.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from imports.models import ACTIVE, Import, ImportFile, State
from imports.reading import (
    NOTHING_KNOWN,
    DateOrder,
    Known,
    KnownSeries,
    Options,
    Reading,
    UnreadableFile,
    read,
)
from imports.storing import Stopped, store
from media import lookup
from media.models import Decision, EntryName, LibraryEntry, LookupStatus, MediaType, Viewing

logger = logging.getLogger(__name__)


class Refused(Exception):
    """The file is not taken; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the person chose; `profile` None asks when there are several.

    `date_order` is auto, mdy, dmy or ymd. `min_minutes` None means the installation's default.
    """

    profile: str | None = None
    date_order: str = DateOrder.AUTO.value
    min_minutes: float | None = None


def submit(
    user: AbstractBaseUser, filename: str, data: bytes, options: ImportOptions | None = None
) -> Import:
    """Keep a file for import; returns the active import of the same bytes and options, if any.

    Raises Refused when the file is empty or larger than IMPORT_MAX_BYTES; nothing is stored.
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
    try:
        with transaction.atomic():
            new = Import.objects.create(
                user_id=user.pk,
                filename=filename.replace("\0", "")[-255:] or "upload",
                digest=digest,
                options=chosen,
            )
            ImportFile.objects.create(of_import=new, content=data)
            return new
    except IntegrityError:
        return Import.objects.active().get(user_id=user.pk, digest=digest)


def _digest(data: bytes, options: dict[str, object]) -> str:
    hashed = hashlib.sha256(data)
    hashed.update(json.dumps(options, sort_keys=True).encode())
    return hashed.hexdigest()


def start(of_import: Import) -> None:
    """Have the import run as a background task."""
    from imports.tasks import run_import

    run_import.enqueue(of_import.pk)


def answer(of_import: Import, *, profile: str | None = None, date_order: str | None = None) -> None:
    """Answer what an import asked, and have it go on.

    Raises Refused when an import of the same file with these answers is active already.
    """
    chosen = dict(of_import.options)
    if profile is not None:
        chosen["profile"] = profile
    if date_order is not None:
        chosen["date_order"] = DateOrder(date_order).value
    try:
        with transaction.atomic():
            answered = Import.objects.filter(pk=of_import.pk, state=State.NEEDS_ANSWER).update(
                options=chosen,
                digest=_digest(bytes(of_import.file.content), chosen),
                question=None,
                state=State.QUEUED,
            )
    except IntegrityError as error:
        raise Refused(_("This file is being imported already.")) from error
    if answered:
        start(of_import)


def reading_options(of_import: Import) -> Options:
    """What the reader needs to know, from an import's options and the settings."""
    chosen = ImportOptions(**of_import.options)
    return options_for_reader(of_import.filename, chosen)


def options_for_reader(filename: str, chosen: ImportOptions) -> Options:
    minutes = settings.IMPORT_MIN_MINUTES if chosen.min_minutes is None else chosen.min_minutes
    return Options(
        filename=filename,
        profile=chosen.profile,
        date_order=DateOrder(chosen.date_order),
        min_seconds=round(minutes * 60),
        fallback_language=settings.TMDB_LANGUAGE.split("-")[0].lower() or "en",
        max_rows=settings.IMPORT_MAX_ROWS,
        max_unpacked_bytes=settings.IMPORT_MAX_UNPACKED_BYTES,
    )


def known_to(user_id: int | None) -> Known:
    """What a user's library teaches the reader: its series, and what was said to be a movie."""
    if user_id is None:
        return NOTHING_KNOWN
    seasons: dict[int, set[int]] = {}
    for name_id, season in (
        Viewing.objects.filter(user_id=user_id, season_number__isnull=False)
        .order_by()
        .values_list("name_id", "season_number")
        .distinct()
    ):
        seasons.setdefault(name_id, set()).add(season or 0)
    names = EntryName.objects.filter(user_id=user_id, media_type=MediaType.TV_SERIES)
    return Known(
        series={
            key: KnownSeries(
                name=name,
                language=language or None,
                seasons=frozenset(seasons.get(pk, ())),
                confirmed=status == LookupStatus.MATCHED or decision == Decision.MATCHED,
            )
            for pk, key, name, language, status, decision in names.exclude(
                decision=Decision.MOVIE
            ).values_list("pk", "key", "name", "language", "entry__lookup_status", "decision")
        },
    )


def run(
    import_id: int,
    *,
    look_up: bool = True,
    on_progress: Callable[[Import], None] = lambda of_import: None,
) -> Import:
    """Run an import to its end, or to the question that it must ask first; returns it.

    `on_progress` is called after every step with the import as it then is. Never raises for
    what is wrong with the file: the import fails and says why.
    """
    of_import = read_and_store(import_id, on_progress=on_progress)
    if of_import.state == State.LOOKING_UP:
        if look_up:
            look_up_series(of_import, on_progress=on_progress)
        finish(of_import)
        on_progress(of_import)
    return of_import


def read_and_store(
    import_id: int, *, on_progress: Callable[[Import], None] = lambda of_import: None
) -> Import:
    """Take an import from `queued` to `looking_up`, `needs_answer` or `failed`."""
    of_import = Import.objects.get(pk=import_id)
    if of_import.state not in (State.QUEUED, State.READING, State.STORING):
        return of_import
    _enter(of_import, State.READING)
    on_progress(of_import)
    try:
        reading = read(
            bytes(of_import.file.content),
            reading_options(of_import),
            known_to(of_import.user_id),
        )
        _keep_findings(of_import, reading)
        if reading.questions:
            _enter(of_import, State.NEEDS_ANSWER)
        else:
            _enter(of_import, State.STORING)
            store(of_import, reading, on_chunk=on_progress)
            of_import.series_total = series_to_look_up(of_import).count()
            of_import.save(update_fields=["series_total"])
            _enter(of_import, State.LOOKING_UP)
    except UnreadableFile as problem:
        fail(of_import, str(problem.message))
    except Stopped:
        of_import.refresh_from_db()
    except Exception:
        logger.exception("import failed id=%s", of_import.pk)
        fail(
            of_import,
            _("watchlog could not finish this import. What is stored stays; try it again."),
        )
        raise
    on_progress(of_import)
    return of_import


def _keep_findings(of_import: Import, reading: Reading) -> None:
    of_import.file_format = reading.format.value
    of_import.date_order = reading.date_order.value
    of_import.date_reason = str(reading.date_reason)
    of_import.profiles = dict(reading.profiles)
    of_import.rows = len(reading.rows)
    of_import.question = None
    if reading.questions:
        of_import.question = {
            "questions": [
                {
                    "kind": question.kind.value,
                    "text": str(question.text),
                    "choices": [
                        {"value": choice.value, "label": str(choice.label)}
                        for choice in question.choices
                    ],
                }
                for question in reading.questions
            ]
        }
    of_import.save(
        update_fields=["file_format", "date_order", "date_reason", "profiles", "rows", "question"]
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


def look_up_series(
    of_import: Import,
    *,
    seconds: float | None = None,
    on_progress: Callable[[Import], None] = lambda of_import: None,
) -> bool:
    """Look up the import's series for at most `seconds`; whether none is left to ask now.

    Without a TMDB key, or when TMDB refuses the key or cannot be reached, series stay pending
    and the import goes on without them.
    """
    counters = {
        LookupStatus.MATCHED: "series_matched",
        LookupStatus.UNCERTAIN: "series_uncertain",
        LookupStatus.NOT_FOUND: "series_not_found",
        # Its rows turned out to be movies.
        LookupStatus.NOT_NEEDED: "series_total",
    }

    def on_result(result: lookup.Result) -> None:
        field = counters.get(result.status, "series_failed")
        by = -1 if result.status == LookupStatus.NOT_NEEDED else 1
        Import.objects.filter(pk=of_import.pk).update(**{field: F(field) + by})
        of_import.refresh_from_db()
        on_progress(of_import)

    def should_stop() -> bool:
        return not Import.objects.filter(pk=of_import.pk, state=State.LOOKING_UP).exists()

    lookup.identify_new_viewings(LibraryEntry.objects.filter(viewings__claims__of_import=of_import))
    return lookup.look_up(
        series_to_look_up(of_import),
        doubtful=doubtful_titles(of_import),
        seconds=seconds,
        on_result=on_result,
        should_stop=should_stop,
    )


def finish(of_import: Import) -> None:
    _enter(of_import, State.DONE)


def fail(of_import: Import, why: str) -> None:
    Import.objects.filter(pk=of_import.pk).update(error=why)
    _enter(of_import, State.FAILED)


def cancel(of_import: Import) -> bool:
    """Stop an active import within a chunk; what is stored stays. Whether it was active."""
    return bool(
        Import.objects.filter(pk=of_import.pk, state__in=ACTIVE).update(
            state=State.CANCELLED, finished_at=timezone.now()
        )
    )


MAY_FOLLOW: dict[State, Iterable[State]] = {
    State.READING: (State.QUEUED, State.READING, State.STORING),
    State.NEEDS_ANSWER: (State.READING,),
    State.STORING: (State.READING,),
    State.LOOKING_UP: (State.STORING,),
    State.DONE: (State.LOOKING_UP,),
    State.FAILED: (State.READING, State.STORING, State.LOOKING_UP),
}


def _enter(of_import: Import, state: State) -> None:
    """Go to the next state, unless somebody cancelled meanwhile: then raise Stopped."""
    changes: dict[str, object] = {"state": state}
    if state == State.READING:
        changes["started_at"] = timezone.now()
    if state in (State.DONE, State.FAILED):
        changes["finished_at"] = timezone.now()
    allowed = Import.objects.filter(pk=of_import.pk, state__in=MAY_FOLLOW[state])
    if not allowed.update(**changes):
        raise Stopped
    of_import.refresh_from_db()
