"""`manage.py import`: the import page's work, in the foreground."""

from __future__ import annotations

import json
import os
import shutil
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from imports import importing
from imports.importing import Refused
from imports.knowing import known_to
from imports.models import Import, State
from imports.options import ImportOptions, options_for_reader
from imports.pages import headline, progress_facts, time_left
from imports.reading import (
    DateOrder,
    Format,
    Kind,
    Options,
    QuestionKind,
    Reading,
    Row,
    UnreadableFile,
    read,
)
from media.sentences import in_words

TAKEN, FAILED, MUST_ANSWER = 0, 1, 2
HINTS: dict[str, str] = {
    QuestionKind.PROFILE: 'Choose with --profile "NAME" or --profile all:',
    QuestionKind.DATE_ORDER: "Choose with --date-order:",
}

Question = tuple[str, str, Sequence[tuple[str, str]]]
"""A question's kind and text, and its choices: what to give, and what that means."""


class Command(BaseCommand):
    help = (
        "Imports viewing-history files into a user's library. Exit code 0: all taken; "
        "1: a file failed, the others are done; 2: something must be answered first."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--user", metavar="NAME", help="whose library; not for a dry run")
        parser.add_argument(
            "--dry-run", action="store_true", help="show how each row reads; write nothing"
        )
        parser.add_argument("--format", choices=["text", "jsonl"], default="text")
        parser.add_argument("--no-lookup", action="store_true", help="do not ask TMDB")
        parser.add_argument("--profile", metavar="NAME|all")
        parser.add_argument(
            "--date-order",
            choices=[order.value for order in DateOrder],
            default=DateOrder.AUTO.value,
        )
        parser.add_argument(
            "--min-minutes", type=float, metavar="N", help="the shortest play that counts"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = self._user(options["user"], needed=not options["dry_run"])
        chosen = ImportOptions(
            profile=options["profile"],
            date_order=options["date_order"],
            min_minutes=options["min_minutes"],
        )
        codes = []
        for path in options["files"]:
            try:
                if options["dry_run"]:
                    codes.append(self._dry_run(path, chosen, user, options["format"]))
                else:
                    codes.append(self._import(path, chosen, user, look_up=not options["no_lookup"]))
            except BrokenPipeError:
                # Whoever read the rows has enough of them, such as `head`.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                sys.exit(TAKEN)
            except (UnreadableFile, Refused, OSError) as problem:
                reason = problem.strerror if isinstance(problem, OSError) else problem
                self.stderr.write(f"{path.name}: {reason}")
                codes.append(FAILED)
        for code in (MUST_ANSWER, FAILED):
            if code in codes:
                sys.exit(code)

    def _user(self, name: str | None, *, needed: bool) -> Any:
        if name is None:
            if needed:
                raise CommandError("Say whose library with --user NAME.")
            return None
        users = get_user_model().objects
        user = users.filter(username=name).first()
        if user is None:
            names = ", ".join(sorted(users.values_list("username", flat=True)[:20]))
            raise CommandError(
                f"There is no user {name}. There are: {names}."
                if names
                else "There is no user yet. Make one on the first visit, or with createsuperuser."
            )
        return user

    def _dry_run(self, path: Path, chosen: ImportOptions, user: Any, style: str) -> int:
        options = options_for_reader(path.name, chosen, user)
        reading = read(path.read_bytes(), options, known_to(user.pk if user else None))
        for row in reading.rows:
            if style == "jsonl":
                self.stdout.write(json.dumps(row_as_json(path.name, row), ensure_ascii=False))
            else:
                self.stdout.write(row_as_text(row))
        if style != "jsonl":
            self._summarise(path, reading, options)
        return self._ask(
            path,
            [
                (q.kind, str(q.text), [(choice.value, str(choice.label)) for choice in q.choices])
                for q in reading.questions
            ],
        )

    def _summarise(self, path: Path, reading: Reading, options: Options) -> None:
        kinds = [row.kind for row in reading.rows]
        series = {row.series for row in reading.rows if row.kind == Kind.EPISODE}
        self.stdout.write(
            f"{path.name}: {len(kinds)} rows: {kinds.count(Kind.EPISODE)} of episodes of "
            f"{len(series)} series, {kinds.count(Kind.MOVIE)} of movies, "
            f"{kinds.count(Kind.SKIPPED)} skipped, {kinds.count(Kind.ERROR)} not readable, "
            f"{sum(row.reading_uncertain for row in reading.rows)} uncertain."
        )
        self.stdout.write(f"{path.name}: {reading.date_reason}")
        if reading.profiles:
            rows = (f"{plain(name)} {count}" for name, count in reading.profiles.items())
            self.stdout.write(f"{path.name}: Rows by profile: {', '.join(rows)}.")
        if reading.format == Format.NETFLIX_ACTIVITY:
            minutes = f"{options.min_seconds / 60:g}"
            self.stdout.write(f"{path.name}: The shortest play that counts: {minutes} minutes.")

    def _ask(self, path: Path, questions: Sequence[Question]) -> int:
        for kind, text, choices in questions:
            self.stderr.write(f"{path.name}: {text} {HINTS[kind]}")
            for value, label in choices:
                self.stderr.write(f"  {plain(value)}: {plain(label)}")
        return MUST_ANSWER if questions else TAKEN

    def _import(self, path: Path, chosen: ImportOptions, user: Any, *, look_up: bool) -> int:
        # Never a second reading of a file that is too large to be taken.
        if path.stat().st_size > settings.IMPORT_MAX_BYTES:
            raise Refused(f"larger than the {settings.IMPORT_MAX_BYTES // 2**20} MB that are taken")
        progress = Progress(self, path.name)
        asked_at = timezone.now()
        of_import = importing.submit(user, path.name, path.read_bytes(), chosen, look_up=look_up)
        is_ours = of_import.created_at >= asked_at
        of_import = importing.run(of_import.pk, on_progress=progress)
        if of_import.state == State.NEEDS_ANSWER and not of_import.question:
            # Somebody looks at its preview in the browser; here they said to import it.
            importing.confirm(of_import)
            of_import = importing.run(of_import.pk, on_progress=progress)
        progress.end()
        if of_import.state == State.NEEDS_ANSWER:
            questions = (of_import.question or {}).get("questions", [])
            if is_ours:
                of_import.delete()
            return self._ask(
                path,
                [
                    (
                        q["kind"],
                        in_words(q["text"]),
                        [(choice["value"], in_words(choice["label"])) for choice in q["choices"]],
                    )
                    for q in questions
                ],
            )
        if of_import.state != State.DONE:
            raise Refused(of_import.error or of_import.get_state_display())
        self.stdout.write(f"{path.name}: {describe(of_import)}")
        return TAKEN


def describe(of_import: Import) -> str:
    """One line on what an import brought."""
    seconds = 0.0
    if of_import.started_at and of_import.finished_at:
        seconds = (of_import.finished_at - of_import.started_at).total_seconds()
    return (
        f"{of_import.rows} rows: {of_import.rows_new} new, {of_import.rows_known} already there, "
        f"{of_import.rows_repeated} repeated, {of_import.rows_skipped} skipped, "
        f"{of_import.rows_failed} failed. {of_import.series_total} series to look up: "
        f"{of_import.series_matched} matched, {of_import.series_uncertain} uncertain, "
        f"{of_import.series_not_found} not found, {of_import.series_failed} failed. "
        f"{seconds:.1f} seconds."
    )


class Progress:
    """What the page shows of a running import, in a line that rewrites itself on a terminal.

    One line per step when piped.
    """

    def __init__(self, command: BaseCommand, name: str) -> None:
        self.out = command.stdout
        self.name = plain(name)
        self.on_terminal = self.out.isatty()
        self.state = ""

    def __call__(self, of_import: Import) -> None:
        text = f"{self.name}: {headline(of_import)}"
        if left := time_left(of_import):
            text += f", {left}"
        counts = [
            f"{fact.value:,} {fact.label}" for fact in progress_facts(of_import) if fact.value
        ]
        if counts:
            text += f": {', '.join(counts)}"
        if self.on_terminal:
            # A line that wraps would not be rewritten as a whole.
            fits = text[: shutil.get_terminal_size().columns - 1]
            self.out.write(f"\r\x1b[K{fits}", ending="")
            self.out.flush()
        elif of_import.state != self.state:
            self.out.write(text)
        self.state = of_import.state

    def end(self) -> None:
        if self.on_terminal:
            self.out.write("\r\x1b[K", ending="")


def plain(text: str) -> str:
    """Text of a file in one line, without what a terminal would take for a command."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def row_as_text(row: Row) -> str:
    """A row in one line: where it stands, its title, how it reads, and why."""
    if row.kind == Kind.SKIPPED:
        return plain(f"{row.line}: {row.title} → {row.reason}")
    if row.kind == Kind.EPISODE:
        inferred = row.season_inferred
        reading = _episode(row.series, row.season_number, row.episode_title, inferred=inferred)
    else:
        reading = "movie" if row.kind == Kind.MOVIE else "not readable"
    other = row.alternative
    if row.reading_uncertain and other is not None:
        otherwise = "movie"
        if other.kind == Kind.EPISODE:
            otherwise = _episode(other.series, other.season_number, other.episode_title)
        reading += f" (uncertain, perhaps {otherwise})"
    return plain(f"{row.line}: {row.title} → {reading}. {row.reason}")


def _episode(
    series: str | None, season: int | None, title: str | None, *, inferred: bool = False
) -> str:
    told = f"episode of {series}"
    if season is not None:
        told += f", season {season}" + "?" * inferred
    return f"{told}: {title}" if title else told


def row_as_json(file: str, row: Row) -> dict[str, object]:
    """A row in the stable form of the dry run; tools depend on it."""
    alternative = row.alternative
    return {
        "file": file,
        "line": row.line,
        "title": row.title,
        "kind": row.kind.value,
        "series": row.series,
        "language": row.language,
        "season_number": row.season_number,
        "season_inferred": row.season_inferred,
        "season_name": row.season_name,
        "episode_number": row.episode_number,
        "episode_title": row.episode_title,
        "watched_on": row.watched_on.isoformat() if row.watched_on else None,
        "reading_uncertain": row.reading_uncertain,
        "alternative": {
            "kind": alternative.kind.value,
            "series": alternative.series,
            "season_number": alternative.season_number,
            "episode_title": alternative.episode_title,
        }
        if alternative
        else None,
        "same_viewing_as": row.same_viewing_as,
        "reason": str(row.reason),
    }
