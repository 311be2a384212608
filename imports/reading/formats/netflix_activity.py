"""ViewingActivity.csv: a file of the personal data that Netflix sends on request.

Every play of every profile, trailers included, with its start in UTC and its length.
"""

from __future__ import annotations

from imports.reading.formats.layout import Layout, Role
from imports.reading.types import Format

LAYOUT = Layout(
    format=Format.NETFLIX_ACTIVITY,
    timed=True,
    names={
        "profilename": Role.PROFILE,
        "starttime": Role.WHEN,
        "duration": Role.DURATION,
        "title": Role.TITLE,
        "supplementalvideotype": Role.SUPPLEMENT,
    },
)
