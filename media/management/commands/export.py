"""`manage.py export`: a user's library as JSON Lines."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from accounts import audit
from accounts.models import EventKind
from media.exporting import export_lines


class Command(BaseCommand):
    help = "Writes a user's whole library to the standard output, one JSON object a line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True, metavar="NAME")
        parser.add_argument("--format", choices=["jsonl"], default="jsonl")

    def handle(self, *args: Any, **options: Any) -> None:
        user = get_user_model().objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']}.")
        # Before the first line: whoever reads may have enough after the second.
        audit.record(user.pk, EventKind.EXPORTED, subject="manage.py export")
        for line in export_lines(user):
            self.stdout.write(line)
