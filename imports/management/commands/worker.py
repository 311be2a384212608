"""manage.py worker"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from imports.sweeping import sweeping
from imports.worker import Worker, heartbeat, new_worker_id


class Command(BaseCommand):
    help = "Work on imports and look-ups in the background, until stopped (SIGTERM or Ctrl-C)."

    def handle(self, *args: Any, **options: Any) -> None:
        worker = Worker(new_worker_id())
        worker.configure_signals()
        with heartbeat(worker.worker_id), sweeping():
            worker.run()
