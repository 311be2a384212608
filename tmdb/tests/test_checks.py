from __future__ import annotations

from typing import Any

import pytest

from tmdb.checks import check_settings


def test_the_settings_as_they_come_are_in_order(settings: Any) -> None:
    settings.TMDB_API_URL = "https://api.themoviedb.org/3"
    assert check_settings(None) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TMDB_API_URL", "api.themoviedb.org/3"),
        ("TMDB_API_URL", "file:///etc/passwd"),
        ("TMDB_IMAGE_URL", ""),
        ("TMDB_RATE_LIMIT", 0),
        ("TMDB_RATE_PERIOD", -1.0),
        ("TMDB_READ_TIMEOUT", 0.0),
        ("TMDB_LANGUAGE", "German"),
    ],
)
def test_a_setting_that_cannot_work_is_named(settings: Any, name: str, value: object) -> None:
    setattr(settings, name, value)
    (problem,) = check_settings(None)
    assert name in str(problem.msg)
