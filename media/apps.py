from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class MediaConfig(AppConfig):
    name = "media"

    def ready(self) -> None:
        from media import triggers

        post_migrate.connect(triggers.put_back, sender=self)
