"""A TMDB for unit tests: answers requests' calls from what a test put into it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import responses
from django.test import override_settings
from requests import PreparedRequest

from tmdb import client, throttle
from tmdb.names import comparison_key

URL = "http://tmdb.test/3"
EVERYTHING = re.compile(re.escape(URL) + "/.*")


class FakeTmdb:
    """Series by id; `status` other than 200 answers every request with it; `body` likewise.

    A series' `episode_ids` replace the ids that its episodes have by their place, `titles_in` the
    titles in other languages; both are by season, as its `titles` are. `finds` has the results of
    queries that find something else than the series with their words; of those in `gone` there
    are no details. A series' `names_in` has what searches call it by language, "" for none.
    """

    def __init__(self) -> None:
        self.series: dict[int, dict[str, Any]] = {}
        self.finds: dict[str, list[int]] = {}
        self.gone: set[int] = set()
        self.asked: list[str] = []
        self.urls: list[str] = []
        self.languages: list[str] = []
        self.status = 200
        self.body: str | None = None

    def add(
        self,
        tmdb_id: int,
        name: str,
        seasons: dict[int, list[str]],
        *,
        other_names: tuple[str, ...] = (),
        first_air_date: str = "2015-01-01",
        popularity: float = 10.0,
        **facts: Any,
    ) -> None:
        """A series with the titles of its episodes by season number."""
        regular = {number: titles for number, titles in seasons.items() if number}
        self.series[tmdb_id] = {
            "id": tmdb_id,
            "name": name,
            "original_name": name,
            "original_language": "en",
            "origin_country": ["US"],
            "first_air_date": first_air_date,
            "popularity": popularity,
            "vote_count": 100,
            "poster_path": f"/{tmdb_id}.jpg",
            "status": "Ended",
            "in_production": False,
            "number_of_seasons": len(regular),
            "number_of_episodes": sum(map(len, regular.values())),
            "seasons": [
                {
                    "season_number": number,
                    "name": f"Season {number}",
                    "episode_count": len(titles),
                    "air_date": first_air_date,
                }
                for number, titles in seasons.items()
            ],
            "titles": seasons,
            "other_names": other_names,
            **facts,
        }

    def answer(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        url = urlsplit(request.url or "")
        path = url.path.removeprefix("/3")
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        self.asked.append(f"{path} {query.get('query', '')}".strip())
        self.urls.append(request.url or "")
        self.languages.append(query.get("language", ""))
        if self.status != 200:
            return self.status, {}, json.dumps({"status_code": 1, "success": False})
        if self.body is not None:
            return 200, {}, self.body
        if path == "/search/tv":
            language = query.get("language", "")
            found = [_summary(series, language) for series in self._named(query["query"])]
            page = {"page": 1, "total_pages": 1, "total_results": len(found), "results": found}
            return 200, {}, json.dumps(page)
        series = self.series.get(int(path.split("/")[2]))
        if series is None or series["id"] in self.gone:
            return 404, {}, json.dumps({"status_code": 34, "success": False})
        parts = query.get("append_to_response", "")
        return 200, {}, json.dumps(_details(series, parts, query.get("language", "")))

    def _named(self, query: str) -> list[dict[str, Any]]:
        if query in self.finds:
            return [self.series[tmdb_id] for tmdb_id in self.finds[query]]
        wanted = set(comparison_key(query).split())
        hits = [
            series
            for series in self.series.values()
            for name in (series["name"], *series["other_names"])
            if wanted <= set(comparison_key(name).split())
        ]
        unique = {series["id"]: series for series in hits}
        return sorted(unique.values(), key=lambda series: -float(series["popularity"]))

    @property
    def searches(self) -> list[str]:
        return [asked.removeprefix("/search/tv ") for asked in self.asked if "search" in asked]


def _summary(series: dict[str, Any], language: str) -> dict[str, Any]:
    shown = {
        key: value
        for key, value in series.items()
        if key not in ("titles", "other_names", "seasons", "status", "names_in")
    }
    return shown | {"name": series.get("names_in", {}).get(language, series["name"])}


def _details(series: dict[str, Any], appended: str, language: str) -> dict[str, Any]:
    own = ("titles", "other_names", "episode_ids", "titles_in")
    body = {key: value for key, value in series.items() if key not in own}
    titles = series["titles"] | series.get("titles_in", {}).get(language, {})
    for part in filter(None, appended.split(",")):
        kind, _, number = part.partition("/")
        if kind == "alternative_titles":
            body[part] = {"results": [{"title": name} for name in series["other_names"]]}
        elif kind == "translations":
            body[part] = {"translations": []}
        elif int(number) in titles:
            ids = series.get("episode_ids", {}).get(int(number))
            body[part] = {
                "season_number": int(number),
                "name": f"Season {number}",
                "air_date": series["first_air_date"],
                "episodes": [
                    {
                        "id": ids[place - 1]
                        if ids
                        else series["id"] * 10_000 + int(number) * 100 + place,
                        "season_number": int(number),
                        "episode_number": place,
                        "name": title,
                        "air_date": series["first_air_date"],
                        "runtime": 45,
                    }
                    for place, title in enumerate(titles[int(number)], 1)
                ],
            }
    return body


@contextmanager
def fake_tmdb(
    fake: FakeTmdb | None = None, key: str = "key", **settings: Any
) -> Iterator[FakeTmdb]:
    """A FakeTmdb that answers while the block runs, with a key set and no waiting."""
    fake = fake or FakeTmdb()
    with (
        override_settings(
            TMDB_API_KEY=key, TMDB_API_URL=URL, TMDB_RATE_LIMIT=10_000, TMDB_PARALLEL=1, **settings
        ),
        responses.RequestsMock(assert_all_requests_are_fired=False) as mock,
    ):
        client.reset()
        throttle.reset()
        mock.add_callback(responses.GET, EVERYTHING, callback=fake.answer)
        yield fake
    client.reset()
    throttle.reset()
