"""How well the titles of real exports are read, against what is known to be true of them.

The figures are floors: what the reader reached when they were written, less a little.
"""

from __future__ import annotations

import gzip
import json
import re
import unicodedata
from collections import Counter, defaultdict

import pytest

from imports.reading import Kind, Options, Row, read

INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
CLOSING = re.compile(r" \([^()\d]+ ?\d+\)$")


def shown(text):
    """A title or name as it looks, by which labels and rows are compared."""
    return " ".join(INVISIBLE.sub("", unicodedata.normalize("NFC", text or "")).split())


@pytest.fixture(scope="module")
def judged(shared_folder):
    """(label, row) of each labelled title; its first row that is a viewing speaks for it."""
    exports = shared_folder / "exports"
    labels = defaultdict(list)
    with gzip.open(exports / "labels.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            label = json.loads(line)
            if label.get("main", True):
                labels[label["file"]].append(label)
    pairs = []
    for name, of_file in labels.items():
        options = Options(filename=name, profile="all", min_seconds=0)
        rows: dict[str, Row] = {}
        for row in read((exports / name).read_bytes(), options).rows:
            title = shown(row.title)
            key = CLOSING.sub("", title) if "_activity_" in name and is_suffixed(row) else title
            if row.kind in (Kind.EPISODE, Kind.MOVIE):
                rows.setdefault(key, row)
        pairs += [(label, rows[label["title"]]) for label in of_file if label["title"] in rows]
    assert len(pairs) > 32_000
    return pairs


def is_suffixed(row):
    return row.episode_number is not None and shown(row.title).endswith(")")


def is_hard(label):
    """Titles where a rule of thumb fails: a colon, and no season marker."""
    return label["how"] != "marked" and ": " in label["title"]


def share(pairs, right):
    return 100 * sum(right(label, row) for label, row in pairs) / len(pairs)


def right_kind(label, row):
    return row.kind.value == label["kind"]


def right_series(label, row):
    return shown(row.series).casefold() == shown(label["series"]).casefold()


def right_season(label, row):
    return row.season_number == label["season_number"]


def episodes(pairs):
    return [pair for pair in pairs if pair[0]["kind"] == "episode"]


def movies(pairs):
    return [pair for pair in pairs if pair[0]["kind"] == "movie"]


def test_episodes_and_movies_are_told_apart(judged):
    assert share(judged, right_kind) >= 99.9


def test_episodes_and_movies_are_told_apart_where_nothing_marks_them(judged):
    hard = [pair for pair in judged if is_hard(pair[0])]
    history = [pair for pair in hard if "_history_" in pair[0]["file"]]
    assert share(episodes(hard), right_kind) >= 99
    assert share(movies(hard), right_kind) >= 99.5
    assert share(episodes(history), right_kind) >= 99
    assert share(movies(history), right_kind) >= 99


def test_names_of_series_are_right(judged):
    assert share(episodes(judged), right_series) >= 99.8
    assert share([pair for pair in episodes(judged) if is_hard(pair[0])], right_series) >= 99


def test_seasons_are_right_in_every_language(judged):
    known = [pair for pair in episodes(judged) if pair[0]["season_number"] is not None]
    assert share(known, right_season) >= 99.9
    assert share([pair for pair in known if is_hard(pair[0])], right_season) >= 96.5
    languages = defaultdict(list)
    for label, row in known:
        languages[label["file"].rpartition("_")[2]].append((label, row))
    assert min(share(pairs, right_season) for pairs in languages.values()) >= 99


def test_numbers_of_episodes_are_right_where_an_activity_file_gives_them(judged):
    numbered = [
        (label, row)
        for label, row in episodes(judged)
        if "_activity_" in label["file"] and label["episode_number"] is not None
    ]
    assert share(numbered, lambda label, row: row.episode_number == label["episode_number"]) >= 99.9


def test_a_wrong_guess_is_never_silent(judged):
    wrong = [(label, row) for label, row in judged if not right_kind(label, row)]
    assert all(row.reading_uncertain for label, row in wrong)


def test_one_history_in_two_languages_has_the_same_series(shared_folder):
    """The second file was exported a day later; both have their newest rows on top."""
    sides = []
    for name in ("015_history_en.csv", "062_history_hu.csv"):
        data = (shared_folder / "exports" / name).read_bytes()
        sides.append(read(data, Options(filename=name)).rows)
    english, hungarian = sides
    later = len(english) - len(hungarian)
    pairs = list(zip(english[later:], hungarian, strict=True))
    assert [row.kind for row, _ in pairs] == [row.kind for _, row in pairs]
    assert [row.season_number for row, _ in pairs] == [row.season_number for _, row in pairs]
    assert [row.episode_number for row, _ in pairs] == [row.episode_number for _, row in pairs]
    counts = [Counter(row.series for row in side) for side in zip(*pairs, strict=True)]
    assert sorted(counts[0].values()) == sorted(counts[1].values())
    assert {row.language for row in hungarian if row.kind is Kind.EPISODE} == {"hu"}


@pytest.mark.parametrize("name", ["024_history_en.csv", "063_history_ja.csv"])
def test_a_history_reads_the_same_however_little_memory_it_may_take(
    shared_folder, name, monkeypatch
):
    """As very long ones are read: packed, and gone through anew instead of kept."""
    data = (shared_folder / "exports" / name).read_bytes()
    options = Options(filename=name, profile="all", min_seconds=0)
    kept = tuple(read(data, options).rows)
    for limit in ("titles._MANY", "anew._MANY"):
        monkeypatch.setattr(f"imports.reading.{limit}", 0)
    assert tuple(read(data, options).rows) == kept
