"""What every page needs to know about this installation."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    return {"tmdb_key_missing": not settings.TMDB_API_KEY}
