"""NetflixViewingHistory.csv: what netflix.com gives under "Viewing activity", "Download all".

Title and date of the last viewing of each title, newest first. The header is English whatever
the language of the titles; other names come from re-saves.
"""

from __future__ import annotations

from imports.reading.formats.layout import Layout, Role
from imports.reading.types import Format

LAYOUT = Layout(
    format=Format.NETFLIX_HISTORY,
    timed=False,
    names={"title": Role.TITLE, "name": Role.TITLE, "date": Role.WHEN},
)
