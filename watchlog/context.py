"""What every page needs to know about this installation."""

from __future__ import annotations

import tomllib
from functools import cache

from django.conf import settings
from django.http import HttpRequest


@cache
def version() -> str:
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def site(request: HttpRequest) -> dict[str, object]:
    return {"tmdb_key_missing": not settings.TMDB_API_KEY}
