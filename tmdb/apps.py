"""The app's registration with Django."""

from __future__ import annotations

from django.apps import AppConfig


class TmdbConfig(AppConfig):
    name = "tmdb"
    verbose_name = "TMDB"

    def ready(self) -> None:
        from . import checks  # noqa: F401
