"""What the pages of imports show, made ready so that templates need no logic."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.paginator import Page, Paginator
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from imports.forms import Act, AnswerForm
from imports.importing import UNDOABLE
from imports.models import (
    Import,
    ImportFile,
    ImportProblem,
    Outcome,
    State,
    WorkerHeartbeat,
)
from imports.reading import Format
from imports.worker import STALE_AFTER
from media.models import LibraryEntry, Viewing
from media.sentences import in_words
from media.spreadsheets import defused

PROBLEMS_PER_PAGE = 50
# After this long in the queue it is worth asking whether a worker runs at all.
USUAL_WAIT = timedelta(seconds=10)
# So many answers make an estimate worth showing.
ENOUGH_FOR_ESTIMATE = 5

ORDER = [State.QUEUED, State.READING, State.STORING, State.LOOKING_UP, State.DONE]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of an import; `place` is done, current or ahead."""

    label: str
    place: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A number and what it counts."""

    label: str
    value: int


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind of problem rows to look at: a link."""

    label: str
    address: str
    is_current: bool
    count: int


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do with an import: a button."""

    label: str
    act: Act


@dataclass(frozen=True, slots=True)
class Doubt:
    """A title that the file alone cannot decide."""

    line: int
    title: str
    reads_as: str
    or_as: str
    why: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file would bring; of long lists the first, and how many more there are."""

    viewings: tuple[Fact, ...]
    first_day: date | None
    last_day: date | None
    profiles: tuple[Fact, ...]
    new_series: int
    names: tuple[str, ...]
    more_names: int
    doubtful: int
    doubts: tuple[Doubt, ...]
    more_doubts: int


@dataclass(frozen=True, slots=True)
class ImportPage:
    """The page of one import, while it runs and afterwards."""

    of_import: Import
    steps: tuple[Step, ...]
    headline: str
    detail: str
    done: int
    todo: int
    """0 while nobody knows how much there is to do."""
    polls: bool
    rows: tuple[Fact, ...]
    series: tuple[Fact, ...]
    to_look_at: int
    form: AnswerForm | None
    preview: Preview | None
    actions: tuple[Action, ...]
    can_be_undone: bool
    kinds: tuple[Choice, ...]
    problems: Page[ImportProblem]

    @property
    def explains_rows(self) -> bool:
        """Whether the file was read, and by a reader that says why."""
        return bool(self.rows) and self.of_import.file_format in list(Format)

    @property
    def news(self) -> str:
        """What a screen reader is told when it changes: the step, not every number."""
        current = next((step.label for step in self.steps if step.place == "current"), "")
        return current if self.polls and current else self.headline

    @property
    def version(self) -> str:
        """Changes when the page does, so that polling leaves alone what is as it was."""
        shown = (self.of_import.state, self.headline, self.detail, self.rows, self.series)
        return f"{zlib.crc32(repr(shown).encode()):08x}"


def import_page(
    of_import: Import,
    outcome: str | None = None,
    page: str | None = None,
    form: AnswerForm | None = None,
) -> ImportPage:
    """All that the page shows, with one page of the problem rows of one outcome."""
    done, todo = progress(of_import)
    waiting = _still_waiting(of_import)
    if outcome not in Outcome.values:
        outcome = Outcome.FAILED if of_import.rows_failed else Outcome.SKIPPED
    problems = of_import.problems.filter(outcome=outcome)
    if form is None and of_import.state == State.NEEDS_ANSWER and of_import.question:
        form = AnswerForm(of_import.question["questions"])
    return ImportPage(
        of_import=of_import,
        steps=_steps(of_import),
        headline=headline(of_import),
        detail=_detail(of_import),
        done=done,
        todo=todo,
        polls=of_import.is_under_way,
        rows=_rows(of_import),
        series=_series(of_import, waiting),
        to_look_at=of_import.series_uncertain + of_import.series_not_found,
        form=form,
        preview=_preview(of_import) if of_import.state == State.NEEDS_ANSWER else None,
        actions=tuple(_actions(of_import, waiting)),
        can_be_undone=can_be_undone(of_import),
        kinds=_kinds(of_import, outcome),
        problems=Paginator(problems, PROBLEMS_PER_PAGE).get_page(page),
    )


def can_be_undone(of_import: Import) -> bool:
    """Whether an import has ended, and something in the library is there by it."""
    return (
        of_import.state in UNDOABLE
        and of_import.undo_asked_at is None
        and of_import.claims.exists()
    )


def _actions(of_import: Import, waiting: int) -> Iterator[Action]:
    """What else can be done with an import now."""
    if of_import.state == State.NEEDS_ANSWER:
        yield Action(_("Don’t import it"), Act.CANCEL)
    elif of_import.is_active:
        yield Action(_("Cancel the import"), Act.CANCEL)
    elif not of_import.is_being_undone and ImportFile.objects.filter(of_import=of_import).exists():
        failed = of_import.rows_failed or (of_import.series_failed and waiting)
        if of_import.state == State.DONE and failed:
            yield Action(_("Try the failed ones again"), Act.TRY_AGAIN)
        else:
            yield Action(_("Import this file again"), Act.TRY_AGAIN)
        yield Action(_("Delete the stored file"), Act.FORGET_FILE)


def _preview(of_import: Import) -> Preview | None:
    found: dict[str, Any] | None = of_import.preview
    if not found:
        return None
    names, doubts = found["new_series_names"], found["doubtful_titles"]
    return Preview(
        viewings=(
            Fact(_("new"), found["new"]),
            Fact(_("already there"), found["known"]),
            Fact(_("of episodes"), found["episodes"]),
            Fact(_("of movies"), found["movies"]),
            Fact(_("skipped"), found["skipped"]),
            Fact(_("failed"), found["failed"]),
        ),
        first_day=date.fromisoformat(found["first_day"]) if found["first_day"] else None,
        last_day=date.fromisoformat(found["last_day"]) if found["last_day"] else None,
        profiles=tuple(Fact(name or _("no name"), n) for name, n in of_import.profiles.items()),
        new_series=found["new_series"],
        names=tuple(names),
        more_names=found["new_series"] - len(names),
        doubtful=found["doubtful"],
        doubts=tuple(
            Doubt(
                one["line"],
                one["title"],
                one["reads_as"],
                one["or_as"] or "",
                in_words(one.get("message"), one["reason"]),
            )
            for one in doubts
        ),
        more_doubts=found["doubtful"] - len(doubts),
    )


def _kinds(of_import: Import, chosen: str) -> tuple[Choice, ...]:
    counts = {Outcome.FAILED: of_import.rows_failed, Outcome.SKIPPED: of_import.rows_skipped}
    return tuple(
        Choice(str(outcome.label), f"?rows={outcome.value}#problems", outcome == chosen, count)
        for outcome, count in counts.items()
        if count
    )


def _steps(of_import: Import) -> tuple[Step, ...]:
    labels = {
        State.READING: pgettext("step of an import", "Read"),
        State.STORING: pgettext("step of an import", "Store"),
        State.LOOKING_UP: pgettext("step of an import", "Look up series"),
        State.DONE: pgettext("step of an import", "Done"),
    }
    reached = ORDER.index(_reached(of_import))
    steps = []
    for state, label in labels.items():
        at = ORDER.index(state)
        is_done = at < reached or of_import.state == State.DONE
        steps.append(Step(label, "done" if is_done else "current" if at == reached else "ahead"))
    return tuple(steps)


def _reached(of_import: Import) -> State:
    """The step at which an import is, or at which it stopped."""
    state = State(of_import.state)
    if state in ORDER:
        return state
    if state == State.NEEDS_ANSWER or not of_import.rows:
        return State.READING
    return State.LOOKING_UP if of_import.series_total else State.STORING


def progress(of_import: Import) -> tuple[int, int]:
    """How many rows or series are done in the current step, of how many; 0 where unknown."""
    if of_import.state == State.STORING:
        handled = (
            of_import.rows_new
            + of_import.rows_known
            + of_import.rows_repeated
            + of_import.rows_skipped
            + of_import.rows_failed
        )
        return min(handled, of_import.rows), of_import.rows
    if of_import.state == State.LOOKING_UP:
        return min(of_import.series_done, of_import.series_total), of_import.series_total
    return 0, 0


def headline(of_import: Import) -> str:
    done, todo = progress(of_import)
    if of_import.is_being_undone:
        return _("Being undone")
    match of_import.state:
        case State.QUEUED:
            return _("Waiting to begin")
        case State.READING:
            return _("Reading the file")
        case State.STORING:
            return _("%(done)s of %(todo)s rows stored") % {
                "done": intcomma(done),
                "todo": intcomma(todo),
            }
        case State.LOOKING_UP if todo:
            return _("%(done)s of %(todo)s series looked up") % {
                "done": intcomma(done),
                "todo": intcomma(todo),
            }
        case State.LOOKING_UP:
            return _("Looking up series")
        case State.NEEDS_ANSWER:
            if of_import.question:
                return _("watchlog needs your answer")
            return _("What this file would bring")
        case State.DONE:
            return ngettext(
                "%(count)s new viewing in your library",
                "%(count)s new viewings in your library",
                of_import.rows_new,
            ) % {"count": intcomma(of_import.rows_new)}
        case State.FAILED:
            return _("This import stopped")
        case _:
            return str(State(of_import.state).label).capitalize()


def _detail(of_import: Import) -> str:
    if of_import.state == State.QUEUED:
        return why_nothing_happens(of_import.created_at) or _(
            "You may close this page: the import goes on without it."
        )
    if of_import.state in (State.READING, State.STORING):
        return joined(
            time_left(of_import), _("You may close this page: the import goes on without it.")
        )
    if of_import.state == State.LOOKING_UP:
        return joined(
            time_left(of_import), _("your library shows the episodes already; totals follow")
        )
    if of_import.state == State.CANCELLED and not of_import.is_being_undone:
        return _("What was stored before stays. You may undo it, or import the file again.")
    if of_import.state == State.UNDONE:
        return _("What only this import brought is gone. What you decided stays.")
    return ""


def joined(*parts: str) -> str:
    return " · ".join(filter(None, parts))


def why_nothing_happens(queued_since: datetime) -> str:
    """What keeps waiting what has been waiting since then, if it is more than its turn."""
    now = timezone.now()
    if now - queued_since <= USUAL_WAIT:
        return ""
    if WorkerHeartbeat.objects.filter(beat_at__gt=now - STALE_AFTER).exists():
        return ""
    return _(
        "No worker is running, so nothing will happen until one is: “make run” starts "
        "it together with this site, “manage.py worker” alone."
    )


def time_left(of_import: Import) -> str:
    """How long the current step will go on, in words; nothing while nobody knows."""
    done, todo = progress(of_import)
    looks_up = of_import.state == State.LOOKING_UP
    since = of_import.looking_up_since if looks_up else of_import.started_at
    if done < ENOUGH_FOR_ESTIMATE or done >= todo or since is None:
        return ""
    seconds = (timezone.now() - since).total_seconds() * (todo - done) / done
    if seconds < 90:
        tens = max(10, round(seconds / 10) * 10)
        return _("about %(seconds)s seconds left") % {"seconds": tens}
    minutes = round(seconds / 60)
    return ngettext("about %(minutes)s minute left", "about %(minutes)s minutes left", minutes) % {
        "minutes": minutes
    }


def progress_facts(of_import: Import) -> tuple[Fact, ...]:
    """What the current step has come to so far."""
    if of_import.state == State.LOOKING_UP:
        return _series(of_import, _still_waiting(of_import))
    return _rows(of_import) if of_import.state == State.STORING else ()


def _rows(of_import: Import) -> tuple[Fact, ...]:
    if not of_import.rows:
        return ()
    return (
        Fact(_("new"), of_import.rows_new),
        Fact(_("already there"), of_import.rows_known),
        Fact(_("repeated"), of_import.rows_repeated),
        Fact(_("skipped"), of_import.rows_skipped),
        Fact(_("failed"), of_import.rows_failed),
    )


def _still_waiting(of_import: Import) -> int:
    """How many series of an import TMDB has not answered about; retries go on after its end."""
    if of_import.is_active:
        return of_import.series_total - of_import.series_done
    answered = of_import.series_done - of_import.series_failed
    if answered >= of_import.series_total:
        return 0
    entries = LibraryEntry.objects.filter(user_id=of_import.user_id)
    # Not EXISTS: on SQLite that goes through all claims for each of the entries.
    viewings = Viewing.objects.filter(claims__of_import=of_import)
    return entries.waiting().filter(pk__in=viewings.values("entry")).order_by().count()


def _series(of_import: Import, waiting: int) -> tuple[Fact, ...]:
    if not of_import.series_total:
        return ()
    asked = (
        Fact(_("matched"), of_import.series_matched),
        Fact(_("uncertain"), of_import.series_uncertain),
        Fact(_("not found"), of_import.series_not_found),
    )
    if of_import.is_active:
        failed = Fact(_("look-up failed"), of_import.series_failed)
        return (*asked, failed, Fact(_("waiting"), waiting))
    settled = of_import.series_total - sum(fact.value for fact in asked) - waiting
    return (
        *asked,
        *([Fact(_("settled since then"), settled)] if settled > 0 else []),
        Fact(_("waiting"), waiting),
    )


class _Echo:
    """A file to which csv writes and which hands back what was written."""

    def write(self, text: str) -> str:
        return text


def problems_as_csv(problems: Iterable[ImportProblem]) -> Iterator[str]:
    """The problem rows as CSV, header first, one piece per line.

    Cells that a spreadsheet would run as a formula are defused by an apostrophe, since titles
    come from files that anybody may have made.
    """
    writer = csv.writer(_Echo())
    yield "\ufeff"
    yield writer.writerow(["line", "title", "outcome", "reason"])
    for problem in problems:
        yield writer.writerow(
            [problem.line, defused(problem.title), problem.outcome, defused(problem.reason)]
        )
