"""How right titles are read and series matched, measured on real exports: `make evaluate`.

Needs the folder that WATCHLOG_SHARED names (by default `../shared`): exports with the truth about
their titles, true TMDB ids, and a local stand-in for TMDB, which is started on a free port. Files
go through the real reader, names through the real look-up (cold: nothing is cached between two
series). Prints one line per goal; takes some minutes.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

if TYPE_CHECKING:
    from imports.reading import Reading, Row
    from media.asking import Answer
    from media.matching import Evidence, WatchedEpisode
    from tmdb.types import SearchPage

ROOT = Path(__file__).resolve().parent.parent
MOST_REQUESTS_CLEAR = 2
MOST_REQUESTS_DOUBTFUL = 4
# A play shorter than this counts as not watched, here as in an import.
MIN_SECONDS = 120
_SUFFIX = re.compile(
    r" \((?:Episode|Folge|Episódio|Épisode|Aflevering|Odcinek|Capítulo|Bölüm|Episodul) ?\d+\)$"
)
_ZERO_WIDTH = re.compile("[\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad]")

Label = Mapping[str, Any]
TitleOf = tuple[str, str]
"""A file and a title in it, as labels name them."""


def main() -> int:
    shared = Path(os.environ.get("WATCHLOG_SHARED", ROOT.parent / "shared"))
    if not (shared / "exports" / "labels.jsonl.gz").is_file():
        print(
            f"There are no exports with their truth in {shared}: nothing to evaluate. Set "
            "WATCHLOG_SHARED to the folder that has them."
        )
        return 0
    with stand_in(shared) as url, tempfile.TemporaryDirectory() as folder:
        prepare(url, folder)
        evaluate(shared)
    return 0


@contextmanager
def stand_in(shared: Path) -> Iterator[str]:
    """The address of a TMDB stand-in that runs meanwhile."""
    script = shared / "tmdb_standin" / "serve.py"
    with subprocess.Popen(
        [sys.executable, str(script), "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            said = server.stdout.readline() if server.stdout else ""
            found = re.search(r"http://\S+", said)
            if found is None:
                raise SystemExit(f"The TMDB stand-in did not start; it said: {said!r}")
            yield found[0]
        finally:
            server.terminate()


def prepare(url: str, folder: str) -> None:
    """Set Django up with an empty database, the stand-in as TMDB, and no limit of its own."""
    os.environ |= {
        "DATABASE_URL": f"sqlite:///{folder}/evaluate.sqlite3",
        "SECRET_KEY": "evaluate",
        "WATCHLOG_ENV_FILE": "",
        "PLAIN_HTTP": "true",
        "REDIS_URL": "",
        "TMDB_API_URL": url,
        "TMDB_API_KEY": "standin",
        "TMDB_RATE_PERIOD": "0.001",
        "DJANGO_SETTINGS_MODULE": "watchlog.settings",
        "LOG_LEVEL": "ERROR",
    }
    sys.path.insert(0, str(ROOT))
    import django
    from django.conf import settings

    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


# --- what the exports say ----------------------------------------------------------------------


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def plain(text: str | None) -> str:
    """A title as the labels write it: composed, without invisible characters, single blanks."""
    return " ".join(_ZERO_WIDTH.sub("", unicodedata.normalize("NFC", text or "")).split())


def same(ours: str | None, theirs: str | None) -> bool:
    return plain(ours).casefold() == plain(theirs).casefold()


@dataclass(frozen=True)
class Exports:
    """The sample files as the reader reads them, and the truth about them."""

    languages: Mapping[str, str]
    readings: Mapping[str, Reading]
    labels: Mapping[TitleOf, Label]
    ids: Mapping[tuple[str, str], Label]
    """True TMDB ids by folded series name and language."""
    traps: tuple[str, ...]


def load(folder: Path) -> Exports:
    from imports.reading import Options, read

    files = {
        meta["file"]: meta["language"] for meta in json.loads((folder / "files.json").read_text())
    }
    return Exports(
        languages=files,
        readings={
            name: read((folder / name).read_bytes(), Options(filename=name, profile="all"))
            for name in files
        },
        labels={
            (label["file"], label["title"]): label
            for label in json_lines(folder / "labels.jsonl.gz")
            if label.get("main") is not False
            and (label.get("max_seconds") or MIN_SECONDS) >= MIN_SECONDS
        },
        ids={
            (plain(line["series"]).casefold(), line["language"]): line
            for line in json_lines(folder / "series_ids.jsonl")
        },
        traps=tuple(line["title"] for line in json_lines(folder / "movie_traps.jsonl")),
    )


def title_of(file: str, row: Row) -> TitleOf:
    title = plain(row.title)
    return file, _SUFFIX.sub("", title) if "_activity_" in file else title


@dataclass
class Name:
    """What files say about one name of a series."""

    name: str
    language: str
    episodes: dict[WatchedEpisode, None] = field(default_factory=dict)
    first_watched: date | None = None

    def add(self, episode: WatchedEpisode, day: date | None) -> None:
        self.episodes.setdefault(episode)
        if day is not None:
            self.first_watched = min(self.first_watched or day, day)

    def evidence(self) -> Evidence:
        from media.matching import Evidence

        return Evidence(
            self.name,
            language=self.language,
            episodes=tuple(self.episodes),
            first_watched=self.first_watched,
        )


def names_in(readings: Iterable[Reading]) -> dict[tuple[str, str], Name]:
    """The series of files, by folded name and language."""
    from imports.reading import Kind
    from media.matching import WatchedEpisode

    names: dict[tuple[str, str], Name] = {}
    for reading in readings:
        for row in reading.rows:
            if row.kind is not Kind.EPISODE or row.series is None:
                continue
            language = row.language or reading.language
            key = plain(row.series).casefold(), language
            names.setdefault(key, Name(row.series, language)).add(
                WatchedEpisode(
                    row.season_number, row.season_name, row.episode_number, row.episode_title
                ),
                row.watched_on,
            )
    return names


# --- matching ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One name with its truth, what was decided, and what it cost."""

    truth: Label
    answer: Answer
    requests: int
    first_hit: int | None
    without_truth: int | None
    """What the name is matched to when TMDB does not have the true series."""

    @property
    def decided(self) -> int | None:
        return self.answer.decision.tmdb_id

    @property
    def is_right(self) -> bool:
        return self.decided is not None and self.decided == self.truth["tmdb_id"]

    @property
    def is_wrong(self) -> bool:
        return self.decided is not None and self.decided != self.truth["tmdb_id"]


def look_up_names(exports: Exports) -> dict[tuple[str, str], Case]:
    from django.core.cache import cache

    from media.asking import Question, ask
    from tmdb import client, service

    names = names_in(exports.readings.values())
    cases: dict[tuple[str, str], Case] = {}
    for key, truth in exports.ids.items():
        if key not in names:
            continue
        evidence = names[key].evidence()
        cache.clear()
        with mock.patch.object(client, "fetch", wraps=client.fetch) as asked:
            answer = ask(Question(evidence))
            requests = asked.call_count
        hits = service.search_series(evidence.name, evidence.language).results
        without = None
        if truth["tmdb_id"] and truth["tmdb_knows_name"]:
            with hidden(truth["tmdb_id"]):
                without = ask(Question(evidence)).decision.tmdb_id
        cases[key] = Case(truth, answer, requests, hits[0].id if hits else None, without)
    return cases


@contextmanager
def hidden(tmdb_id: int) -> Iterator[None]:
    """TMDB without one of its series."""
    from dataclasses import replace

    from media import asking
    from tmdb.service import search_series

    def without(*args: Any, **kwargs: Any) -> SearchPage:
        page = search_series(*args, **kwargs)
        return replace(page, results=tuple(r for r in page.results if r.id != tmdb_id))

    with mock.patch.object(asking, "search_series", without):
        yield


# --- doubtful titles -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Read:
    """What a title is taken for in the end."""

    kind: str
    series: str | None
    season_number: int | None


def settle_file(reading: Reading) -> dict[str, Read]:
    """The readings of one file's titles after TMDB was asked about the doubtful ones."""
    from imports.reading import Kind
    from media.asking import Question, ask
    from media.matching import Doubt, Verdict, WatchedEpisode

    final: dict[str, Read] = {}
    doubtful: dict[tuple[str, str], dict[str, Row]] = defaultdict(dict)
    names = names_in([reading])
    for row in reading.rows:
        before = final.get(row.title)
        if before is None or before.kind not in ("episode", "movie"):
            final[row.title] = Read(row.kind.value, row.series, row.season_number)
        series = row.series or (row.alternative.series if row.alternative else None)
        if row.reading_uncertain and series is not None:
            name = Name(series, row.language or reading.language)
            key = plain(series).casefold(), name.language
            if row.kind is Kind.MOVIE and row.watched_on:
                name.first_watched = row.watched_on
            names.setdefault(key, name)
            doubtful[key][row.title] = row
    for key, rows in doubtful.items():
        doubts, episodes = [], []
        for number, row in enumerate(rows.values()):
            is_episode = row.kind is Kind.EPISODE
            title = row.episode_title if is_episode or not row.alternative else None
            if row.alternative and not is_episode:
                title = row.alternative.episode_title
                episodes.append(WatchedEpisode(title=title))
            doubts.append(Doubt(number, title or "", is_episode))
        settled = ask(Question(names[key].evidence(), doubts, episodes)).settled
        for number, title in enumerate(rows):
            verdict = settled[number].verdict
            if verdict is Verdict.EPISODE and final[title].kind == "movie":
                final[title] = Read("episode", names[key].name, 1)
            elif verdict in (Verdict.MOVIE, Verdict.SPECIAL):
                final[title] = Read("movie", None, None)
    return final


# --- episodes ------------------------------------------------------------------------------------


def score_episodes(exports: Exports, cases: Mapping[tuple[str, str], Case]) -> Counter[str]:
    """Of viewings whose episode number is known: right, wrong and not identified.

    English files, series matched; left out where TMDB has that title at another place, which is
    where its order is not Netflix's, or has no such place.
    """
    from imports.reading import Kind
    from media.asking import season_facts
    from media.episodes import Watched, identify

    score: Counter[str] = Counter()
    for file, reading in exports.readings.items():
        if exports.languages[file] != "en":
            continue
        rows_of: dict[tuple[str, str], dict[TitleOf, Row]] = defaultdict(dict)
        for row in reading.rows:
            if row.kind is Kind.EPISODE and row.series:
                key = plain(row.series).casefold(), row.language or reading.language
                rows_of[key].setdefault(title_of(file, row), row)
        for key, rows in rows_of.items():
            case = cases.get(key)
            if case is None or not case.is_right or case.decided is None:
                continue
            facts = season_facts(case.answer.details[case.decided].seasons)
            found = identify(
                [
                    Watched(t, r.season_number, r.season_name, r.episode_number, r.episode_title)
                    for t, r in rows.items()
                ],
                facts,
            )
            places = {e.id: (s.number, e.number) for s in facts for e in s.episodes or ()}
            titles: dict[str, set[tuple[int, int]]] = defaultdict(set)
            for season in facts:
                for episode in season.episodes or ():
                    titles[plain(episode.title).casefold()].add((season.number, episode.number))
            for title in rows:
                label = exports.labels.get(title)
                if label is None or not label.get("episode_number"):
                    continue
                truth = (label["season_number"], label["episode_number"])
                elsewhere = titles.get(plain(label["episode_title"]).casefold(), {truth})
                if truth not in places.values() or truth not in elsewhere:
                    continue
                got = [places[id] for id in found.get(title, ())]
                score["right" if truth in got else "wrong" if got else "none"] += 1
    return score


# --- the table -----------------------------------------------------------------------------------


@dataclass
class Table:
    """The goals with what was measured, printed as they come."""

    missed: int = 0

    def row(self, what: str, part: int, whole: int, goal: float, *, at_most: bool = False) -> None:
        """One line; `goal` is in percent, to be reached or (`at_most`) not to be passed."""
        measured = 100 * part / whole if whole else 100.0 * (not at_most)
        reached = measured <= goal if at_most else measured >= goal
        self.missed += not reached
        sign = "<=" if at_most else ">="
        verdict = "" if reached else "   MISSED"
        print(f"{what:<66} {sign} {goal:5.1f} % {measured:7.2f} %  {part:>6}/{whole}{verdict}")


def evaluate(shared: Path) -> None:
    exports = load(shared / "exports")
    table = Table()
    cases = look_up_names(exports)
    print(f"\n{'Matching':<66} {'goal':>10} {'measured':>9}")
    print_matching(table, list(cases.values()))
    print(f"\n{'Doubtful titles, after TMDB':<66} {'goal':>10} {'measured':>9}")
    print_readings(table, exports)
    print(f"\n{'Episodes':<66} {'goal':>10} {'measured':>9}")
    score = score_episodes(exports, cases)
    total = score.total()
    table.row(
        "English files, number known: TMDB's season and episode right", score["right"], total, 95
    )
    table.row("the same: another episode", score["wrong"], total, 1, at_most=True)
    print(f"\n{'Movies':<66} {'goal':>10} {'measured':>9}")
    turned = sum(is_made_a_series(title) for title in exports.traps)
    table.row(
        "movies that bear a series' name: made a series",
        turned,
        len(exports.traps),
        0,
        at_most=True,
    )
    print(f"\n{table.missed} goals missed." if table.missed else "\nEvery goal is reached.")


def print_matching(table: Table, cases: list[Case]) -> None:
    known = [c for c in cases if c.truth["tmdb_id"] and c.truth["tmdb_knows_name"]]
    english = [c for c in known if c.truth["language"] == "en"]
    localised = [c for c in known if c.truth["language"] != "en"]
    shared = [c for c in known if c.truth.get("trap")]
    misled = [c for c in shared if c.truth["naive_id"] != c.truth["tmdb_id"]]
    for what, group, right, wrong in (
        ("series whose name TMDB knows, English", english, 96.5, 0.5),
        ("series whose name TMDB knows, localised", localised, 96.0, 0.5),
        ("name shared by several records", shared, 93.0, 3.0),
        ("the first hit is wrong", misled, 85.0, 3.0),
    ):
        table.row(f"{what}: right", sum(c.is_right for c in group), len(group), right)
        table.row(
            f"{what}: matched, but wrong",
            sum(c.is_wrong for c in group),
            len(group),
            wrong,
            at_most=True,
        )
    unknown = [c for c in cases if not c.truth["tmdb_knows_name"]]
    left_open = sum(not c.is_wrong for c in unknown)
    table.row("names that TMDB does not know: not matched wrongly", left_open, len(unknown), 97)
    absent = sum(c.without_truth is not None for c in known)
    table.row(
        "the true series taken away: matched all the same", absent, len(known), 5, at_most=True
    )
    clear = [c for c in cases if c.requests <= MOST_REQUESTS_CLEAR]
    dear = sum(c.requests > MOST_REQUESTS_DOUBTFUL for c in cases)
    table.row(f"more than {MOST_REQUESTS_DOUBTFUL} requests", dear, len(cases), 0, at_most=True)
    first = sum(c.first_hit == c.truth["tmdb_id"] for c in known)
    mean = sum(c.requests for c in cases) / max(len(cases), 1)
    print(
        f"{len(cases)} names; {mean:.2f} requests each, {100 * len(clear) / len(cases):.1f} % with "
        f"at most {MOST_REQUESTS_CLEAR}; the first hit is right for {100 * first / len(known):.1f} %."
    )


def print_readings(table: Table, exports: Exports) -> None:
    final: dict[TitleOf, Read] = {}
    for file, reading in exports.readings.items():
        for title, read in settle_file(reading).items():
            key = file, plain(title)
            if "_activity_" in file:
                key = file, _SUFFIX.sub("", key[1])
            if key not in final or final[key].kind not in ("episode", "movie"):
                final[key] = read
    everything = list(exports.labels)
    hard = [k for k in everything if exports.labels[k]["how"] != "marked" and ": " in k[1]]
    for what, keys, goals in (
        ("ALL", everything, (99.9, 99.9, 99.8, 99.8)),
        ("HARD-COLON", hard, (99.2, 98.0, 98.0, 97.0)),
    ):
        labels = [(exports.labels[key], final.get(key)) for key in keys]
        episodes = [(true, r) for true, r in labels if true["kind"] == "episode"]
        movies = [(true, r) for true, r in labels if true["kind"] == "movie"]
        seasons = [(true, r) for true, r in episodes if true["season_number"] is not None]
        as_episode = sum(r is not None and r.kind == "episode" for _, r in episodes)
        table.row(f"{what}: episodes read as episodes", as_episode, len(episodes), goals[0])
        as_movie = sum(r is not None and r.kind == "movie" for _, r in movies)
        table.row(f"{what}: movies read as movies", as_movie, len(movies), goals[1])
        named = sum(
            r is not None and r.kind == "episode" and same(r.series, true["series"])
            for true, r in episodes
        )
        table.row(f"{what}: series", named, len(episodes), goals[2])
        placed = sum(
            r is not None and r.kind == "episode" and r.season_number == true["season_number"]
            for true, r in seasons
        )
        table.row(f"{what}: season", placed, len(seasons), goals[3])


def is_made_a_series(title: str) -> bool:
    """Whether a movie title, alone in an old or a new file, ends as an episode."""
    from imports.reading import Options, read

    for day in ("3/5/19", "3/5/24"):
        text = io.StringIO()
        csv.writer(text).writerows([("Title", "Date"), (title, day)])
        file = read(text.getvalue().encode(), Options(filename="NetflixViewingHistory.csv"))
        if any(result.kind != "movie" for result in settle_file(file).values()):
            return True
    return False


if __name__ == "__main__":
    raise SystemExit(main())
