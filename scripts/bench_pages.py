"""What pages cost with a big library, beside a small one: part of `make bench`.

Two users with made-up libraries of the same kind, one of 50 titles and 1,000 viewings, one of
3,000 titles and 100,000 viewings, open the same pages in turn. Of each page the least of several
times counts, from request to response within one process, and the ratio of the two. Where the
small library cannot fill a page, as with a filter, the large one shows more on it: the last column
is the ratio of what the two pages hold, in bytes.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accounts.models import User

SMALL = (50, 1_000)
LARGE = (3_000, 100_000)
GOAL = 2.0

# Of twenty titles.
MATCHED, UNCERTAIN, NOT_FOUND = 13, 1, 1
SERIES = MATCHED + UNCERTAIN + NOT_FOUND
EPISODES_PER_SEASON = 12
PROFILES = ("Ada", "Grace")
LAST_DAY = date(2025, 6, 30)
DAYS = 3_000
WORDS = (
    ("Silent", "Golden", "Hidden", "Paper", "Crimson", "Distant", "Hollow", "Lonely", "Open"),
    ("Harbour", "Station", "Garden", "Kingdom", "Letters", "Mountain", "Orchestra", "Bridge"),
    ("Detectives", "Family", "Secrets", "Stories", "Lighthouse", "Winter", "Academy"),
)


@dataclass(frozen=True, slots=True)
class Made:
    """A title of a made-up library."""

    at: int
    name: str
    is_series: bool
    status: str
    watched: int
    """Viewings, all of different episodes."""
    total: int
    """Episodes that TMDB knows."""


def bench_pages(turns: int) -> None:
    from django.core.management import call_command
    from django.db import connection

    from accounts.models import User

    users = []
    for titles, viewings in (SMALL, LARGE):
        user = User.objects.create_user(f"pages-{titles}-{time.time_ns()}")
        fill_library(user, titles, viewings)
        users.append(user)
    if connection.vendor == "postgresql":
        # As autovacuum does a minute after so many rows came.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    call_command("collectstatic", interactive=False, verbosity=0)
    print(f"{'page':34}{'small':>10}{'large':>10}{'ratio':>8}{'bytes':>8}")
    pages = [addresses(user) for user in users]
    slow = []
    for name in pages[0]:
        found = least_times(users, [of_user[name] for of_user in pages], turns)
        (small, small_size), (large, large_size) = found
        ratio = large / small
        if ratio > GOAL:
            slow.append(name)
        mark = " *" if ratio > GOAL else ""
        print(
            f"{name:34}{small * 1000:7.1f} ms{large * 1000:7.1f} ms{ratio:8.1f}"
            f"{large_size / small_size:8.1f}{mark}"
        )
    print(f"* beyond {GOAL:.0f} times: {len(slow)} of {len(pages[0])} pages")


def addresses(user: User) -> dict[str, str]:
    """The pages to open, by name."""
    from django.urls import reverse

    from imports.models import Import
    from media.forms import Show, Sort
    from media.models import LibraryEntry, MediaType

    library, history = reverse("media:library"), reverse("history")
    entries = LibraryEntry.objects.of(user).order_by("-watched_episodes_count", "pk")
    series = entries.filter(lookup_status="matched")[0]
    movie = entries.filter(media__media_type=MediaType.MOVIE)[0]
    found = {"library": library}
    found |= {f"library, by {sort.value}": f"{library}?sort={sort.value}" for sort in Sort}
    found |= {f"library, only {show.value}": f"{library}?show={show.value}" for show in Show}
    return found | {
        "library, year": f"{library}?year=2021",
        "library, profile": f"{library}?profile={PROFILES[0]}",
        "library, hidden": f"{library}?hidden=1",
        "library, search: a word": f"{library}?q=lighthouse",
        "library, search: a letter": f"{library}?q=e",
        "library, search: nothing": f"{library}?q=zzzz",
        "library, last page": f"{library}?page=9999",
        "history": history,
        "history, profile": f"{history}?profile={PROFILES[0]}",
        "history, last page": f"{history}?page=9999",
        "history, search: a word": f"{history}?q=lighthouse",
        "history, search: nothing": f"{history}?q=zzzz",
        "series": series.get_absolute_url(),
        "movie": movie.get_absolute_url(),
        "attention": reverse("media:attention"),
        "decided": reverse("media:decided"),
        "imports": reverse("imports:list"),
        "import": Import.objects.of(user)[0].get_absolute_url(),
    }


def least_times(users: Sequence[User], paths: Sequence[str], turns: int) -> list[tuple[float, int]]:
    """The least seconds that each user's page took, and its bytes.

    In turn, so that both share what disturbs.
    """
    from django.test import Client

    browsers = [Client() for _ in users]
    least = [float("inf")] * len(users)
    sizes = [0] * len(users)
    for browser, user in zip(browsers, users, strict=True):
        browser.force_login(user)
    for _turn in range(turns):
        for at, (browser, path) in enumerate(zip(browsers, paths, strict=True)):
            started = time.perf_counter()
            response = browser.get(path)
            least[at] = min(least[at], time.perf_counter() - started)
            sizes[at] = len(response.content)
            if response.status_code != 200:
                raise RuntimeError(f"{path}: {response.status_code}")
    return list(zip(least, sizes, strict=True))


def fill_library(user: User, titles: int, viewings: int) -> None:
    """A library as imports and look-ups would have made it."""
    from django.db import transaction

    from imports.models import Claim, Import, State
    from media.library import recount
    from media.models import EntryName, Episode, LibraryEntry, Media, Season, Viewing

    made = list(made_up_titles(titles, viewings))
    with transaction.atomic():
        media = Media.objects.bulk_create(_media(user, one) for one in made)
        entries = LibraryEntry.objects.bulk_create(
            LibraryEntry(
                user=user,
                media=row,
                lookup_status=one.status,
                candidates=_candidates(one) if one.status == "uncertain" else [],
            )
            for one, row in zip(made, media, strict=True)
        )
        names = EntryName.objects.bulk_create(
            EntryName(
                user=user,
                entry=entry,
                media_type=entry.media.media_type,
                name=one.name,
                key=one.name.casefold(),
                language="en",
            )
            for one, entry in zip(made, entries, strict=True)
        )
        seasons = Season.objects.bulk_create(
            Season(media=row, number=number, episode_count=EPISODES_PER_SEASON)
            for one, row in zip(made, media, strict=True)
            for number in range(1, one.total // EPISODES_PER_SEASON + 1)
        )
        first_id = seasons[0].pk * EPISODES_PER_SEASON
        episodes = Episode.objects.bulk_create(
            (
                Episode(
                    season=season,
                    tmdb_id=first_id + at * EPISODES_PER_SEASON + number,
                    number=number,
                    title=f"Episode title {number}",
                    air_date=date(2015, 1, 1),
                )
                for at, season in enumerate(seasons)
                for number in range(1, EPISODES_PER_SEASON + 1)
            ),
            batch_size=5_000,
        )
        watched = Viewing.objects.bulk_create(
            (
                viewing
                for one, name in zip(made, names, strict=True)
                for viewing in _viewings(one, name)
            ),
            batch_size=5_000,
        )
        media_of_season = {season.pk: season.media_id for season in seasons}
        by_media = {
            key: [episode.pk for episode in of_media]
            for key, of_media in itertools.groupby(
                episodes, lambda one: media_of_season[one.season_id or 0]
            )
        }
        media_of = {entry.pk: entry.media_id for entry in entries}
        counts: dict[int, Iterator[int]] = {key: iter(ids) for key, ids in by_media.items()}
        through: Any = Viewing.tmdb_episodes.through
        through.objects.bulk_create(
            (
                through(viewing_id=viewing.pk, episode_id=next(counts[media_of[viewing.entry_id]]))
                for viewing in watched
                if media_of[viewing.entry_id] in counts
            ),
            batch_size=5_000,
        )
        of_import = Import.objects.create(
            user=user, filename="bench.csv", digest="bench", state=State.DONE, rows=viewings
        )
        Claim.objects.bulk_create(
            (
                Claim(of_import=of_import, viewing=viewing, line=line, day=viewing.day or LAST_DAY)
                for line, viewing in enumerate(watched, start=2)
            ),
            batch_size=5_000,
        )
        recount([entry.pk for entry in entries])


def made_up_titles(titles: int, viewings: int) -> Iterator[Made]:
    """Titles with so many viewings in all; three of twenty series are watched to the end."""
    movies = sum(at % 20 >= SERIES for at in range(titles))
    series = titles - movies
    left = viewings - movies
    dice = random.Random(titles)  # noqa: S311
    for at in range(titles):
        name = f"{' '.join(map(dice.choice, WORDS))} {at}"
        if at % 20 >= SERIES:
            yield Made(at, name, False, "not_needed", 1, 0)
            continue
        watched = left // series
        left, series = left - watched, series - 1
        status = ("matched", "uncertain", "not_found")[max(at % 20 - MATCHED + 1, 0)]
        seasons = -(-watched // EPISODES_PER_SEASON) + (at % 7 != 0)
        total = seasons * EPISODES_PER_SEASON if status == "matched" else 0
        yield Made(at, name, True, status, watched, total)


def _media(user: User, made: Made) -> Any:
    from media.models import Media, MediaType

    row = Media(
        media_type=MediaType.TV_SERIES if made.is_series else MediaType.MOVIE,
        title=made.name,
        base_title=made.name,
        owner=user,
    )
    if made.total:
        row.owner = None
        # Of this user alone, as if nobody else watched the same.
        row.tmdb_id = user.pk * 10_000 + made.at + 1
        row.total_seasons = made.total // EPISODES_PER_SEASON
        # Watched to the end are those of which all that aired was watched.
        row.total_episodes = made.total
        row.aired_episodes = made.watched if made.at % 7 == 0 else made.total
        row.titles = {"de-DE": made.name, "en-US": made.name}
        row.tmdb_status = "Returning Series"
    return row


def _candidates(made: Made) -> list[dict[str, object]]:
    return [
        {
            "tmdb_id": made.at * 10 + number,
            "name": made.name,
            "original_name": made.name,
            "year": 2015 + number,
            "countries": ["GB"],
            "poster_path": "",
            "seasons": 2,
            "episodes": 24,
            "score": 60.0 - number,
            "parts": [],
        }
        for number in range(1, 4)
    ]


def _viewings(made: Made, name: Any) -> Iterator[Any]:
    from media.keys import digest, fingerprint
    from media.models import Viewing, ViewingKind

    for number in range(made.watched):
        season = number // EPISODES_PER_SEASON + 1
        episode = f"Episode title {number % EPISODES_PER_SEASON + 1}"
        title = f"{made.name}: Season {season}: {episode}" if made.is_series else made.name
        day = LAST_DAY - timedelta(days=(made.at * 37 + (made.watched - number)) % DAYS)
        viewing = Viewing(
            user_id=name.user_id,
            entry_id=name.entry_id,
            name=name,
            kind=ViewingKind.EPISODE if made.is_series else ViewingKind.MOVIE,
            raw_title=title,
            title_hash=digest(title),
            fingerprint=fingerprint(digest(title), day),
            day=day,
            watched_at=datetime(day.year, day.month, day.day, 20, tzinfo=UTC),
            profile=PROFILES[made.at % 2],
        )
        if made.is_series:
            viewing.season_number, viewing.episode_title = season, episode
            viewing.tmdb_season = season if made.total else None
        yield viewing
