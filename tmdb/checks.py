"""System checks of the settings that this app reads."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from .names import is_language


@register
def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """One error per setting whose value cannot work, with what to write instead."""
    problems: list[CheckMessage] = []
    for name in ("TMDB_API_URL", "TMDB_IMAGE_URL"):
        address = urlsplit(getattr(settings, name))
        if address.scheme not in ("http", "https") or not address.hostname:
            problems.append(
                Error(f"{name} must be a web address that begins with https://.", id="tmdb.E001")
            )
    for name in (
        "TMDB_RATE_LIMIT",
        "TMDB_RATE_PERIOD",
        "TMDB_CONNECT_TIMEOUT",
        "TMDB_READ_TIMEOUT",
    ):
        if getattr(settings, name) <= 0:
            problems.append(Error(f"{name} must be greater than 0.", id="tmdb.E002"))
    if not is_language(settings.TMDB_LANGUAGE):
        problems.append(
            Error(
                "TMDB_LANGUAGE must be a language such as 'de' or a language and a country"
                " such as 'en-US'.",
                id="tmdb.E003",
            )
        )
    return problems
