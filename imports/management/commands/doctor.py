"""`manage.py doctor`: what may be wrong, and what to do about it."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from imports import doctor


class Command(BaseCommand):
    help = "Checks this installation and says what to do. Exit code 1 when something is wrong."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fix", action="store_true", help="count wrong progress anew")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["fix"]:
            self.stdout.write(f"{doctor.fix_counts()} counts mended.")
        well = True
        for finding in doctor.examine():
            mark = "ok " if finding.is_well else "-> "
            self.stdout.write(f"{mark} {finding.check}: {finding.result}")
            if finding.advice:
                self.stdout.write(f"    {finding.advice}")
            well = well and finding.is_well
        if not well:
            sys.exit(1)
