"""Imports: what was handed in, how far it is, and which viewings it claims."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, TypedDict, cast

from django.conf import settings
from django.db import models
from django.db.models import Count, Min, Q
from django.db.models.functions import Now, Substr
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from media.models import Viewing
from media.sentences import in_words

if TYPE_CHECKING:
    from accounts.models import User


class State(models.TextChoices):
    """Where an import stands (rule 20)."""

    NEEDS_ANSWER = "needs_answer", _("needs an answer")
    QUEUED = "queued", _("waiting")
    READING = "reading", _("reading the file")
    STORING = "storing", _("storing")
    LOOKING_UP = "looking_up", _("looking up series")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")
    UNDONE = "undone", _("undone")


RUNNING = [State.READING, State.STORING, State.LOOKING_UP]
ACTIVE = [State.QUEUED, *RUNNING, State.NEEDS_ANSWER]
ENDED = [State.DONE, State.FAILED, State.CANCELLED, State.UNDONE]
# Going on without anybody: waiting for its turn, running, or being undone.
UNDER_WAY = Q(state__in=[State.QUEUED, *RUNNING]) | (
    Q(undo_asked_at__isnull=False) & Q(state__in=ENDED) & ~Q(state=State.UNDONE)
)


class Standing(TypedDict):
    """How a user's imports stand, all together."""

    under_way: int
    waiting: int
    """For an answer, or to be confirmed."""
    done: int
    with_series: int
    queued_since: datetime | None


class ImportQuerySet(models.QuerySet["Import"]):
    def of(self, user: User) -> ImportQuerySet:
        return self.filter(user=user)

    def active(self) -> ImportQuerySet:
        return self.filter(state__in=ACTIVE)

    def running(self) -> ImportQuerySet:
        """Begun and not ended; at most one for each user."""
        return self.filter(state__in=RUNNING)

    def being_undone(self) -> ImportQuerySet:
        return self.filter(undo_asked_at__isnull=False).exclude(state=State.UNDONE)

    def unattended(self) -> ImportQuerySet:
        """To be worked on, while no lease says that somebody does.

        Those queue up that wait for another import of their user.
        """
        blocked = ImportQuerySet(self.model).running().filter(user=models.OuterRef("user"))
        return self.filter(
            Q(state__in=RUNNING)
            | (Q(state=State.QUEUED) & ~models.Exists(blocked))
            | (Q(undo_asked_at__isnull=False) & Q(state__in=ENDED) & ~Q(state=State.UNDONE)),
            Q(leased_until__isnull=True) | Q(leased_until__lt=Now()),
        )

    def newest_first(self) -> ImportQuerySet:
        return self.order_by("-created_at", "-pk")

    def standing(self) -> Standing:
        """How they stand, in one query."""
        found = self.order_by().aggregate(
            under_way=Count("pk", filter=UNDER_WAY),
            waiting=Count("pk", filter=Q(state=State.NEEDS_ANSWER)),
            done=Count("pk", filter=Q(state=State.DONE)),
            with_series=Count("pk", filter=Q(series_total__gt=0)),
            queued_since=Min("created_at", filter=Q(state=State.QUEUED)),
        )
        return cast("Standing", found)


class Import(models.Model):
    """One file handed in by one user with one set of options."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="imports"
    )
    filename = models.CharField(max_length=255)
    digest = models.CharField(max_length=64, help_text=_("Of the bytes and the options."))
    options = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=State, default=State.QUEUED)
    error = models.TextField(blank=True, help_text=_("In English."))
    error_message = models.JSONField(null=True, blank=True)
    question = models.JSONField(null=True, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)
    preview_first = models.BooleanField(
        default=False, help_text=_("Nothing is stored until the preview is confirmed.")
    )
    preview = models.JSONField(null=True, blank=True)
    look_up = models.BooleanField(
        default=True, help_text=_("TMDB is asked about its series without being told to.")
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    looking_up_since = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    undo_asked_at = models.DateTimeField(null=True, blank=True)

    # Who works on it: see lease.py.
    fence = models.PositiveBigIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    workers_lost = models.PositiveSmallIntegerField(default=0, db_default=0)

    file_format = models.CharField(max_length=30, blank=True)
    date_order = models.CharField(max_length=10, blank=True)
    date_reason = models.TextField(blank=True, help_text=_("In English."))
    date_message = models.JSONField(null=True, blank=True)
    profiles = models.JSONField(default=dict)

    # Every data row is one of these: rows = new + known + repeated + skipped + failed.
    rows = models.PositiveIntegerField(default=0)
    rows_new = models.PositiveIntegerField(default=0)
    rows_known = models.PositiveIntegerField(default=0)
    rows_repeated = models.PositiveIntegerField(default=0)
    rows_skipped = models.PositiveIntegerField(default=0)
    rows_failed = models.PositiveIntegerField(default=0)

    series_total = models.PositiveIntegerField(default=0)
    series_matched = models.PositiveIntegerField(default=0)
    series_uncertain = models.PositiveIntegerField(default=0)
    series_not_found = models.PositiveIntegerField(default=0)
    series_failed = models.PositiveIntegerField(default=0)

    objects = ImportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="imports_import_state_known", condition=Q(state__in=State.values)
            ),
            # The same bytes with the same options open the import that is active already.
            models.UniqueConstraint(
                fields=["user", "digest"],
                name="imports_import_one_active_per_file",
                condition=Q(
                    state__in=["needs_answer", "queued", "reading", "storing", "looking_up"]
                ),
            ),
            # One import of a user runs, the others queue.
            models.UniqueConstraint(
                fields=["user"],
                name="imports_import_one_running_per_user",
                condition=Q(state__in=["reading", "storing", "looking_up"]),
            ),
        ]
        indexes = [
            # Import history: one user's imports, newest first.
            models.Index(fields=["user", "-created_at"], name="imports_import_by_date"),
        ]

    def __str__(self) -> str:
        return self.filename

    def get_absolute_url(self) -> str:
        return reverse("imports:detail", args=[self.pk])

    @property
    def why_it_failed(self) -> str:
        """The error in the current language."""
        return in_words(self.error_message, self.error)

    @property
    def why_this_date_order(self) -> str:
        """The reason of the order of dates in the current language."""
        return in_words(self.date_message, self.date_reason)

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE

    @property
    def is_being_undone(self) -> bool:
        return self.undo_asked_at is not None and self.state in ENDED and self.state != State.UNDONE

    @property
    def is_under_way(self) -> bool:
        return (self.is_active and self.state != State.NEEDS_ANSWER) or self.is_being_undone

    @property
    def series_done(self) -> int:
        return (
            self.series_matched + self.series_uncertain + self.series_not_found + self.series_failed
        )


class ImportFileQuerySet(models.QuerySet["ImportFile"]):
    # PostgreSQL's driver holds what it fetches several times over.
    SLICE = 4 * 2**20

    def content_of(self, of_import: Import) -> bytes | None:
        """The bytes of an import's file, fetched bit by bit; None when it is no longer kept."""
        # It gives what was written to it without making a copy.
        content = BytesIO()
        while True:
            piece = Substr(
                "content", content.tell() + 1, self.SLICE, output_field=models.BinaryField()
            )
            found = self.filter(of_import=of_import).values_list(piece, flat=True).first()
            if found is None:
                return None
            if content.write(found) < self.SLICE:
                return content.getvalue()


class ImportFile(models.Model):
    """The bytes, apart from the import so that lists of imports don't load them."""

    of_import = models.OneToOneField(
        Import, on_delete=models.CASCADE, primary_key=True, related_name="file"
    )
    content = models.BinaryField()

    objects = ImportFileQuerySet.as_manager()

    def __str__(self) -> str:
        return f"bytes of {self.of_import}"


class ImportPart(models.Model):
    """A part of a file as read, until it is stored: see parts.py."""

    of_import = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [
            # Storing: the part that comes next.
            models.UniqueConstraint(
                fields=["of_import", "number"], name="imports_part_one_per_number"
            )
        ]

    def __str__(self) -> str:
        return f"part {self.number} of {self.of_import}"


class ReadRows(models.Model):
    """How a thousand rows of a file were read, as long as the file is kept: see rows.py."""

    of_import = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="read_rows")
    number = models.PositiveIntegerField()
    counts = models.JSONField(help_text=_("How many of them each filter shows."))
    content = models.BinaryField()

    class Meta:
        constraints = [
            # The page of rows: those of an import in file order.
            models.UniqueConstraint(
                fields=["of_import", "number"], name="imports_readrows_one_per_number"
            )
        ]

    def __str__(self) -> str:
        return f"rows {self.number} of {self.of_import}"


class Claim(models.Model):
    """That an import contains a viewing, with the facts its rows gave (rule 18).

    A viewing's day, time, duration and profile follow from its claims, so that undoing an
    import leaves what the other imports alone would have made.
    """

    of_import = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="claims")
    viewing = models.ForeignKey(Viewing, on_delete=models.CASCADE, related_name="claims")
    line = models.PositiveIntegerField()
    day = models.DateField()
    watched_at = models.DateTimeField(null=True, blank=True)
    duration_seconds = models.PositiveIntegerField(null=True, blank=True)
    profile = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            # Undo: an import's claims. A viewing can be two days of one file (rule 6).
            models.UniqueConstraint(
                fields=["of_import", "viewing", "day"], name="imports_claim_one_per_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.of_import}: line {self.line}"


class Outcome(models.TextChoices):
    SKIPPED = "skipped", _("skipped")
    FAILED = "failed", _("failed")


class ImportProblem(models.Model):
    """A row that was not taken, and why."""

    of_import = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="problems")
    line = models.PositiveIntegerField()
    title = models.TextField()
    outcome = models.CharField(max_length=10, choices=Outcome)
    reason = models.TextField(help_text=_("In English."))
    message = models.JSONField(null=True, help_text=_("The same as template and values."))

    class Meta:
        ordering = ["line"]
        constraints = [
            models.CheckConstraint(
                name="imports_problem_outcome_known",
                condition=Q(outcome__in=Outcome.values),
            )
        ]
        indexes = [
            # Import page: problem rows in file order.
            models.Index(fields=["of_import", "line"], name="imports_problem_by_line"),
        ]

    def __str__(self) -> str:
        return f"{self.line}: {self.reason}"

    @property
    def why(self) -> str:
        """The reason in the current language."""
        return in_words(self.message, self.reason)


class WorkerHeartbeat(models.Model):
    """One running worker, and when it was last alive. /healthz shows the newest."""

    worker_id = models.CharField(max_length=64, primary_key=True)
    started_at = models.DateTimeField(auto_now_add=True)
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.worker_id
