"""Real, anonymised exports; they lie in a shared folder that not every machine has."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from imports.reading import Format, Kind, Options, read

SHARED = Path(os.environ.get("WATCHLOG_SHARED", Path(__file__).parents[3] / "shared"))
EXPORTS = SHARED / "exports"
EXPECTED = {"history": Format.NETFLIX_HISTORY, "activity": Format.NETFLIX_ACTIVITY}


def described() -> list[dict[str, object]]:
    try:
        files: list[dict[str, object]] = json.loads((EXPORTS / "files.json").read_text())
    except FileNotFoundError:
        return []
    return files


FILES = described()


def test_the_shared_exports_are_there():
    if not FILES and os.environ.get("CI") != "true":
        pytest.skip(f"no exports in {EXPORTS}: set WATCHLOG_SHARED to the shared folder")
    assert FILES


@pytest.mark.parametrize("about", FILES, ids=lambda about: about["file"])
def test_every_row_of_an_export_is_accounted_for_and_its_dates_are_right(about):
    data = (EXPORTS / about["file"]).read_bytes()
    reading = read(data, Options(filename=about["file"], profile="all", min_seconds=0))
    days = [row.watched_on for row in reading.rows if row.watched_on]
    trailers = [row for row in reading.rows if "Netflix calls this" in str(row.reason)]
    assert reading.format is EXPECTED[about["kind"]]
    assert len(reading.rows) == about["rows"]
    assert len(days) == about["rows"] - about["undated_rows"]
    assert (str(min(days)), str(max(days))) == (about["first_date"], about["last_date"])
    assert len(trailers) == about["supplemental_rows"]
    assert all(row.kind is Kind.SKIPPED for row in trailers)
    assert len(reading.profiles) == (about["profiles"] or 0)
    assert reading.questions == ()
