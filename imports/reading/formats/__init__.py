"""The kinds of file that watchlog reads, one module each, and those it only knows by name."""

from __future__ import annotations

from imports.reading.formats import netflix_activity, netflix_history
from imports.reading.formats.layout import Layout

LAYOUTS: tuple[Layout, ...] = (netflix_activity.LAYOUT, netflix_history.LAYOUT)
