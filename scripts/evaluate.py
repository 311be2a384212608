"""How right titles are read and series matched, measured on real exports: `make evaluate`.

Needs the folder that WATCHLOG_SHARED names (by default `../shared`): exports with the truth about
their titles, true TMDB ids, and a local stand-in for TMDB, which is started on a free port. Each
file is imported as somebody's first one, into an empty library, look-ups included; what the
library says afterwards is compared with the truth. Each name is asked about cold: nothing that
was answered before is kept. Prints one line per goal and ends with 1 when one is missed; takes
some minutes.
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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

if TYPE_CHECKING:
    from media.asking import Answer, Question
    from media.models import LibraryEntry
    from tmdb.types import SearchPage

ROOT = Path(__file__).resolve().parent.parent
MOST_REQUESTS_CLEAR = 2
MOST_REQUESTS_DOUBTFUL = 4
# A series with more seasons needs further requests for its episodes.
SEASONS_OF_ONE_REQUEST = 20
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
        table = evaluate(shared)
    return 1 if table.missed else 0


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
        # One after the other, so that each request belongs to a name.
        "TMDB_PARALLEL": "1",
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
    """The sample files, and the truth about them."""

    folder: Path
    languages: Mapping[str, str]
    labels: Mapping[TitleOf, Label]
    ids: Mapping[tuple[str, str], Label]
    """True TMDB ids by folded series name and language."""
    traps: tuple[str, ...]


def load(folder: Path) -> Exports:
    return Exports(
        folder=folder,
        languages={
            meta["file"]: meta["language"]
            for meta in json.loads((folder / "files.json").read_text())
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


def title_of(file: str, raw_title: str) -> TitleOf:
    title = plain(raw_title)
    return file, _SUFFIX.sub("", title) if "_activity_" in file else title


# --- importing -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """What was asked about a name during an import, what came of it, and in how many requests."""

    question: Question
    answer: Answer
    requests: int


class Requests:
    """Requests to the stand-in, counted; what it answered once it is not bothered with again."""

    def __init__(self) -> None:
        from tmdb import client

        self.count = 0
        self._fetch = client.fetch
        self._answers: dict[tuple[str, tuple[tuple[str, str], ...]], Any] = {}

    def fetch(
        self,
        path: str,
        parameters: Mapping[str, str],
        parse: Callable[[object], Any],
        *,
        subject: str,
    ) -> Any:
        self.count += 1
        key = path, tuple(sorted(parameters.items()))
        if key not in self._answers:
            self._answers[key] = self._fetch(path, parameters, parse, subject=subject)
        return self._answers[key]


@contextmanager
def counting() -> Iterator[list[Asked]]:
    """A list of what look-ups ask meanwhile, each time with an empty cache."""
    from django.core.cache import cache

    from media import asking, lookup
    from tmdb import client

    requests = Requests()
    asked: list[Asked] = []

    def ask(question: Question) -> Answer:
        cache.clear()
        before = requests.count
        answer = asking.ask(question)
        asked.append(Asked(question, answer, requests.count - before))
        return answer

    with (
        mock.patch.object(client, "fetch", requests.fetch),
        mock.patch.object(lookup, "ask", ask),
    ):
        yield asked


def import_alone(filename: str, content: bytes) -> None:
    """Import a file into a library that is empty otherwise, and have its series looked up."""
    from django.core.management import call_command

    from accounts.models import User
    from imports import importing
    from imports.models import Import, State

    call_command("flush", interactive=False, verbosity=0)
    user = User.objects.create_user("evaluate")
    options = importing.ImportOptions(profile="all")
    of_import = importing.submit(user, filename, content, options)
    importing.run(of_import.pk)
    state = Import.objects.get(pk=of_import.pk).state
    if state != State.DONE:
        raise SystemExit(f"The import of {filename} did not end well: {state}.")


# --- what a library says afterwards --------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One name in one file with its truth, what was decided, and what it cost."""

    truth: Label
    decided: int | None
    requests: int
    allowed: int
    """How many requests a doubtful name may cost."""
    first_hit: int | None
    without_truth: int | None
    """What the name is matched to when TMDB does not have the true series."""

    @property
    def is_right(self) -> bool:
        return self.decided is not None and self.decided == self.truth["tmdb_id"]

    @property
    def is_wrong(self) -> bool:
        return self.decided is not None and self.decided != self.truth["tmdb_id"]


@dataclass(frozen=True)
class Read:
    """What a title is taken for in the end."""

    kind: str
    series: str | None
    season_number: int | None


@dataclass
class Findings:
    """What all imports together came to."""

    cases: list[Case] = field(default_factory=list)
    readings: dict[TitleOf, Read] = field(default_factory=dict)
    episodes: Counter[str] = field(default_factory=Counter)
    """Viewings whose episode number is known: right, wrong and not identified."""


def find_out(exports: Exports) -> Findings:
    findings = Findings()
    seen: set[Question] = set()
    with counting() as asked:
        for file, language in exports.languages.items():
            asked.clear()
            import_alone(file, (exports.folder / file).read_bytes())
            findings.readings |= readings_of(file)
            findings.cases += cases_of(exports, language, list(asked), seen)
            if language == "en":
                findings.episodes += score_episodes(exports, file)
            print(f"{file}: {len(asked)} names asked about", file=sys.stderr)
    return findings


def readings_of(file: str) -> dict[TitleOf, Read]:
    from media.models import Viewing

    viewings = Viewing.objects.values_list("raw_title", "kind", "name__name", "season_number")
    return {
        title_of(file, title): Read(kind, series if kind == "episode" else None, season)
        for title, kind, series, season in viewings
    }


def cases_of(
    exports: Exports, language: str, asked: list[Asked], seen: set[Question]
) -> Iterator[Case]:
    """The names in the library whose truth is known, but for questions asked before."""
    from tmdb import service

    entries = entries_by_name()
    for one in asked:
        evidence = one.question.evidence
        name = plain(evidence.name).casefold()
        truth = exports.ids.get((name, evidence.language)) or exports.ids.get((name, language))
        entry = entries.get(name)
        question = replace(one.question, doubts=(), doubtful=())
        if truth is None or entry is None or question in seen:
            continue
        seen.add(question)
        decided = entry.media.tmdb_id
        details = one.answer.details.get(decided or 0)
        is_long = details is not None and len(details.seasons) > SEASONS_OF_ONE_REQUEST
        hits = service.search_series(evidence.name, evidence.language).results
        yield Case(
            truth,
            decided,
            one.requests,
            MOST_REQUESTS_DOUBTFUL + is_long,
            hits[0].id if hits else None,
            decided_without(truth, question),
        )


def entries_by_name() -> dict[str, LibraryEntry]:
    from media.models import EntryName

    names = EntryName.objects.filter(media_type="tv_series", viewings__isnull=False)
    return {
        plain(name.name).casefold(): name.entry for name in names.select_related("entry__media")
    }


def decided_without(truth: Label, question: Question) -> int | None:
    """What would be decided if TMDB did not have the true series."""
    from media.asking import ask

    if not truth["tmdb_id"] or not truth["tmdb_knows_name"]:
        return None
    with hidden(truth["tmdb_id"]):
        return ask(question).decision.tmdb_id


@contextmanager
def hidden(tmdb_id: int) -> Iterator[None]:
    """TMDB without one of its series."""
    from media import asking
    from tmdb.service import search_series

    def without(*args: Any, **kwargs: Any) -> SearchPage:
        page = search_series(*args, **kwargs)
        return replace(page, results=tuple(r for r in page.results if r.id != tmdb_id))

    with mock.patch.object(asking, "search_series", without):
        yield


def score_episodes(exports: Exports, file: str) -> Counter[str]:
    """Of viewings whose episode number is known: right, wrong and not identified.

    Of series that were matched rightly; left out where TMDB has that title at another place, which
    is where its order is not Netflix's, or has no such place.
    """
    from media.models import Episode, Viewing

    places: dict[int, set[tuple[int, int]]] = defaultdict(set)
    titles: dict[tuple[int, str], set[tuple[int, int]]] = defaultdict(set)
    episodes = Episode.objects.filter(season__isnull=False)
    for media, season, number, name in episodes.values_list(
        "season__media", "season__number", "number", "title"
    ):
        places[media].add((season, number))
        titles[media, plain(name).casefold()].add((season, number))
    score: Counter[str] = Counter()
    scored: set[TitleOf] = set()
    viewings = Viewing.objects.filter(kind="episode", entry__lookup_status="matched")
    for viewing in viewings.select_related("entry__media", "name").prefetch_related(
        "tmdb_episodes__season"
    ):
        title = title_of(file, viewing.raw_title)
        label = exports.labels.get(title)
        if label is None or not label.get("episode_number") or title in scored:
            continue
        scored.add(title)
        series = exports.ids.get((plain(viewing.name.name).casefold(), "en"))
        if series is None or series["tmdb_id"] != viewing.entry.media.tmdb_id:
            continue
        media = viewing.entry.media_id
        truth = label["season_number"], label["episode_number"]
        elsewhere = titles.get((media, plain(label["episode_title"]).casefold()), {truth})
        if truth not in places[media] or truth not in elsewhere:
            continue
        got = [(e.season.number, e.number) for e in viewing.tmdb_episodes.all() if e.season]
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


def evaluate(shared: Path) -> Table:
    exports = load(shared / "exports")
    table = Table()
    findings = find_out(exports)
    print(f"\n{'Matching':<66} {'goal':>10} {'measured':>9}")
    print_matching(table, findings.cases)
    print(f"\n{'Doubtful titles, after TMDB':<66} {'goal':>10} {'measured':>9}")
    print_readings(table, exports, findings.readings)
    print(f"\n{'Episodes':<66} {'goal':>10} {'measured':>9}")
    score = findings.episodes
    total = score.total()
    table.row(
        "English files, number known: TMDB's season and episode right", score["right"], total, 95
    )
    table.row("the same: another episode", score["wrong"], total, 1, at_most=True)
    print(f"\n{'Movies':<66} {'goal':>10} {'measured':>9}")
    turned = sum(made_series(exports.traps))
    table.row(
        "movies that bear a series' name: made a series",
        turned,
        len(exports.traps),
        0,
        at_most=True,
    )
    print(f"\n{table.missed} goals missed." if table.missed else "\nEvery goal is reached.")
    return table


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
    dear = sum(c.requests > c.allowed for c in cases)
    table.row(f"more than {MOST_REQUESTS_DOUBTFUL} requests", dear, len(cases), 0, at_most=True)
    first = sum(c.first_hit == c.truth["tmdb_id"] for c in known)
    mean = sum(c.requests for c in cases) / max(len(cases), 1)
    print(
        f"{len(cases)} names in files; {mean:.2f} requests each, {100 * len(clear) / len(cases):.1f} % with "
        f"at most {MOST_REQUESTS_CLEAR}; the first hit is right for {100 * first / len(known):.1f} %."
    )


def print_readings(table: Table, exports: Exports, final: Mapping[TitleOf, Read]) -> None:
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


def made_series(titles: tuple[str, ...]) -> Iterator[bool]:
    """Whether each movie title, alone in an old or a new file, ends as an episode."""
    from media.models import Viewing

    with counting():
        for title in titles:
            ends: list[str] = []
            for day in ("3/25/19", "3/25/24"):
                text = io.StringIO()
                csv.writer(text).writerows([("Title", "Date"), (title, day)])
                import_alone("NetflixViewingHistory.csv", text.getvalue().encode())
                ends += Viewing.objects.values_list("kind", flat=True)
            yield ends != ["movie", "movie"]


if __name__ == "__main__":
    raise SystemExit(main())
