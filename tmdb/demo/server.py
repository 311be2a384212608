"""A tiny TMDB on this machine: some 30 series, for the demonstration and for tests.

It answers TMDB's own addresses over HTTP, with facts only (`series.json`) and drawn posters:

    /3/configuration, /3/search/tv, /3/tv/{id} (with append_to_response), /3/tv/{id}/season/{n},
    /3/tv/{id}/alternative_titles, /3/tv/{id}/translations, /t/p/{size}/{id}.png

and can misbehave on demand: `python -m tmdb.demo.server --help`. `GET /__stats?window=1` tells
what was asked and the most requests within any window of so many seconds, `POST /__faults`
changes the faults, `POST /__reset` forgets what was asked. Standard library only.
"""

from __future__ import annotations

import argparse
import functools
import json
import random
import re
import sys
import threading
import time
import unicodedata
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tmdb.demo.posters import poster

SERIES = Path(__file__).with_name("series.json")
PAGE_SIZE = 20
MAX_APPENDED = 20
GARBAGE = (
    b"<html><body>Bad gateway</body></html>",
    b'{"results": [{"id": 1, "na',
    b"[]",
    b'{"results": null}',
    b"null",
    b"",
)
Json = dict[str, Any]


class Catalogue:
    """The series by id, and searching them."""

    def __init__(self) -> None:
        records = json.loads(SERIES.read_text(encoding="utf-8"))
        self.by_id: dict[int, Json] = {record["id"]: record for record in records}

    def search(self, query: str, year: str) -> list[Json]:
        """The series of which one title holds every word; the last may be the start of one."""
        *whole, last = words(query) or [""]

        def fits(title: str) -> bool:
            has = words(title)
            return all(word in has for word in whole) and any(w.startswith(last) for w in has)

        found = [
            record
            for record in self.by_id.values()
            if last
            and record["first_air_date"].startswith(year)
            and any(fits(title) for title in titles(record))
        ]
        return sorted(found, key=lambda record: -float(record["popularity"]))


def words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(c for c in plain if not unicodedata.combining(c) and c not in "'’")
    return re.findall(r"\w+", plain)


def titles(record: Json) -> list[str]:
    names = [record["name"], record["original_name"]]
    return [*names, *record["alternative_titles"], *record["translations"].values()]


def name_in(record: Json, language: str) -> str:
    names: dict[str, str] = record["translations"]
    return names.get(language) or names.get(language.partition("-")[0]) or str(record["name"])


def summary(record: Json, language: str) -> Json:
    kept = "id original_name original_language origin_country first_air_date popularity vote_count"
    return {
        **{key: record[key] for key in kept.split()},
        "name": name_in(record, language),
        "poster_path": f"/{record['id']}.png",
        "backdrop_path": None,
        "overview": "",
        "genre_ids": [],
        "adult": False,
        "vote_average": 0.0,
    }


def season(record: Json, number: int, language: str) -> Json | None:
    """A season with its episodes; titles are known in English alone."""
    for n, count, name, aired in record["seasons"]:
        if n != number:
            continue
        known = record.get("episode_titles", {}).get(str(number), [])
        if language.partition("-")[0] != "en":
            known = []
        return {
            "id": record["id"] * 1000 + number,
            "season_number": number,
            "name": name,
            "overview": "",
            "air_date": aired,
            "poster_path": None,
            "episodes": [
                {
                    "id": record["id"] * 1000000 + number * 1000 + episode,
                    "season_number": number,
                    "episode_number": episode,
                    "name": known[episode - 1] if episode <= len(known) else f"Episode {episode}",
                    "air_date": aired,
                    "runtime": None,
                    "overview": "",
                }
                for episode in range(1, count + 1)
            ],
        }
    return None


def part(record: Json, name: str, language: str) -> Json | None:
    """What can be appended to a series' details, or asked for by itself."""
    if name == "alternative_titles":
        return {
            "results": [
                {"iso_3166_1": "US", "title": title, "type": ""}
                for title in record["alternative_titles"]
            ]
        }
    if name == "translations":
        return {
            "translations": [
                {
                    "iso_639_1": code.partition("-")[0],
                    "iso_3166_1": (code.partition("-")[2] or code).upper(),
                    "data": {"name": translated},
                }
                for code, translated in {"en": record["name"], **record["translations"]}.items()
            ]
        }
    number = re.fullmatch(r"season/(\d{1,4})", name)
    return season(record, int(number[1]), language) if number else None


def details(record: Json, language: str, parts: list[str]) -> Json:
    regular = [s for s in record["seasons"] if s[0] > 0]
    # A season that is only announced has no episodes yet.
    last_season = season(record, [s for s in regular if s[1]][-1][0], language)
    appended = {name: part(record, name, language) for name in parts}
    return {
        **summary(record, language),
        "last_air_date": record["last_air_date"],
        "status": record["status"],
        "in_production": record["status"] == "Returning Series",
        "number_of_seasons": len(regular),
        "number_of_episodes": sum(count for _, count, _, _ in regular),
        "seasons": [
            {
                "id": record["id"] * 1000 + number,
                "season_number": number,
                "episode_count": count,
                "name": name,
                "air_date": aired,
                "overview": "",
                "poster_path": None,
            }
            for number, count, name, aired in record["seasons"]
        ],
        "last_episode_to_air": last_season and last_season["episodes"][-1],
        "next_episode_to_air": None,
        **{name: body for name, body in appended.items() if body is not None},
    }


class State:
    """The faults that are on, and what was asked."""

    def __init__(self, **faults: Any) -> None:
        self.lock = threading.Lock()
        self.faults: Json = {
            "limit": None,
            "latency_ms": 0.0,
            "error_rate": 0.0,
            "hang_rate": 0.0,
            "hang_s": 30.0,
            "garbage_rate": 0.0,
            "down": False,
        }
        self.change(faults)
        self.random = random.Random(1)  # noqa: S311
        self.reset()

    def change(self, faults: Json) -> None:
        unknown = faults.keys() - self.faults.keys()
        if unknown:
            raise ValueError(f"There is no fault called {', '.join(sorted(unknown))}.")
        self.faults.update(faults)
        self.limit = parse_limit(self.faults["limit"])

    def reset(self) -> None:
        with self.lock:
            self.times: list[float] = []
            self.admitted: deque[float] = deque()
            self.kinds: Counter[str] = Counter()
            self.statuses: Counter[int] = Counter()
            self.addresses: Counter[str] = Counter()
            self.queries: list[str] = []

    def seconds_to_wait(self) -> float:
        """Counts the request; over the limit, when to come again, else 0."""
        now = time.monotonic()
        with self.lock:
            self.times.append(now)
            if not self.limit:
                return 0.0
            count, window = self.limit
            while self.admitted and self.admitted[0] <= now - window:
                self.admitted.popleft()
            if len(self.admitted) >= count:
                return self.admitted[0] + window - now
            self.admitted.append(now)
            return 0.0

    def stats(self, window: float) -> Json:
        with self.lock:
            times = sorted(self.times)
            return {
                "requests": len(times),
                "by_kind": dict(self.kinds),
                "by_status": {str(status): n for status, n in self.statuses.items()},
                "repeated_urls": {a: n for a, n in self.addresses.items() if n > 1},
                "busiest": busiest(times, window),
                "busiest_10s": busiest(times, 10.0),
                "seconds": times[-1] - times[0] if times else 0.0,
                "search_queries": list(self.queries),
            }


def busiest(times: list[float], window: float) -> int:
    """The most requests within any so many seconds; the times in order."""
    most = start = 0
    for end, moment in enumerate(times):
        while times[start] <= moment - window:
            start += 1
        most = max(most, end - start + 1)
    return most


def parse_limit(text: str | None) -> tuple[int, float] | None:
    """ "40/10" is 40 requests in any 10 seconds."""
    if not text or text == "none":
        return None
    count, _, window = text.partition("/")
    return int(count), float(window)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body in one packet: two would wait for each other on a kept connection.
    wbufsize = -1
    server: DemoServer

    def log_message(self, format: str, *args: object) -> None:
        """A server within a test or a demonstration writes nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/__reset":
            self.server.state.reset()
        elif self.path == "/__faults":
            self.server.state.change(json.loads(body or b"{}"))
        else:
            self.answer_error(404, 34, "The resource you requested could not be found.")
            return
        self.answer(200, {"ok": True})

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(address.query).items()}
        if address.path == "/__stats":
            self.answer(200, self.server.state.stats(float(query.get("window", 10))))
        elif address.path.startswith("/t/p/"):
            self.answer_poster(address.path)
        elif not self.misbehave(address.path, query):
            self.route(address.path.removeprefix("/3"), query)

    def misbehave(self, path: str, query: dict[str, str]) -> bool:
        """Count the request, and answer it wrongly if it is to be."""
        state = self.server.state
        faults = state.faults
        asked = json.dumps({k: v for k, v in query.items() if k != "api_key"}, sort_keys=True)
        with state.lock:
            state.kinds[re.sub(r"/\d+", "/N", path.removeprefix("/3"))] += 1
            state.addresses[f"{path}?{asked}"] += 1
            if "query" in query:
                state.queries.append(query["query"])
            dice = state.random.random()
        time.sleep(faults["latency_ms"] / 1000)
        wait = state.seconds_to_wait()
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        key = key or query.get("api_key", "")
        if faults["down"]:
            self.answer_error(503, 9, "Service offline: try again later.")
        elif wait:
            headers = {"Retry-After": str(int(wait) + 1)}
            self.answer_error(429, 25, "Your request count is over the allowed limit.", headers)
        elif dice < (bound := faults["error_rate"]):
            self.answer_error(500 if dice < bound / 2 else 503, 11, "Internal error.")
        elif dice < (bound := bound + faults["hang_rate"]):
            self.server.stopping.wait(faults["hang_s"])
            self.answer_error(504, 24, "Your request to the backend server timed out.")
        elif dice < bound + faults["garbage_rate"]:
            self.answer(200, state.random.choice(GARBAGE))
        elif not key or key == "invalid":
            self.answer_error(401, 7, "Invalid API key: You must be granted a valid key.")
        else:
            return False
        return True

    def route(self, path: str, query: dict[str, str]) -> None:
        language = query.get("language", "en-US")
        if path == "/configuration":
            base = f"http://{self.headers['Host']}/t/p/"
            self.answer(200, {"images": {"base_url": base, "secure_base_url": base}})
        elif path == "/search/tv":
            self.answer_search(query, language)
        elif match := re.fullmatch(r"/tv/(\d{1,10})(?:/(.+))?", path):
            record = self.server.catalogue.by_id.get(int(match[1]))
            self.answer_series(record, match[2], query.get("append_to_response", ""), language)
        else:
            self.answer_series(None, None, "", language)

    def answer_search(self, query: dict[str, str], language: str) -> None:
        page = query.get("page", "1")
        if not query.get("query", "").strip():
            self.answer_error(422, 5, "Invalid parameters.")
        elif not re.fullmatch(r"\d{1,3}", page) or not 1 <= int(page) <= 500:
            self.answer_error(400, 22, "Invalid page: Pages start at 1 and max at 500.")
        else:
            year = query.get("first_air_date_year", query.get("year", ""))
            found = self.server.catalogue.search(query["query"], year)
            first = (int(page) - 1) * PAGE_SIZE
            results = [summary(record, language) for record in found[first : first + PAGE_SIZE]]
            pages = max(1, -(-len(found) // PAGE_SIZE))
            self.answer(
                200,
                {
                    "page": int(page),
                    "results": results,
                    "total_pages": pages,
                    "total_results": len(found),
                },
            )

    def answer_series(
        self, record: Json | None, name: str | None, append: str, language: str
    ) -> None:
        parts = [text for text in append.split(",") if text]
        body: Json | None = None
        if len(parts) > MAX_APPENDED:
            self.answer_error(400, 27, "Too many append to response objects.")
            return
        if record:
            body = part(record, name, language) if name else details(record, language, parts)
        if body is None:
            self.answer_error(404, 34, "The resource you requested could not be found.")
        else:
            self.answer(200, body)

    def answer_poster(self, path: str) -> None:
        match = re.fullmatch(r"/t/p/(?:w(\d{2,4})|original)/(\d{1,10})\.png", path)
        record = match and self.server.catalogue.by_id.get(int(match[2]))
        if not match or not record:
            self.answer(404, b"", {"Content-Type": "text/plain"})
            return
        width = min(int(match[1] or 780), 780)
        picture = draw(record["id"], record["name"], width)
        headers = {"Content-Type": "image/png", "Cache-Control": "public, max-age=86400"}
        self.answer(200, picture, headers)

    def answer_error(
        self, status: int, code: int, message: str, headers: dict[str, str] | None = None
    ) -> None:
        body = {"success": False, "status_code": code, "status_message": message}
        self.answer(status, body, headers)

    def answer(
        self, status: int, body: Json | bytes, headers: dict[str, str] | None = None
    ) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        with self.server.state.lock:
            self.server.state.statuses[status] += 1
        try:
            self.send_response(status)
            kind = {"Content-Type": "application/json;charset=utf-8"}
            for key, value in (kind | (headers or {})).items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)
            self.wfile.flush()
        except OSError:
            # Whoever asked has not waited.
            self.close_connection = True


draw = functools.lru_cache(maxsize=256)(poster)


class DemoServer(ThreadingHTTPServer):
    """Listens on this machine alone; port 0 takes a free one (`server_port`)."""

    daemon_threads = True
    # server_close() does not wait for connections that are kept open.
    block_on_close = False
    request_queue_size = 256

    def __init__(self, port: int = 0, **faults: Any) -> None:
        self.catalogue = Catalogue()
        self.state = State(**faults)
        self.stopping = threading.Event()
        super().__init__(("127.0.0.1", port), Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is nobody's business here."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


@contextmanager
def serve_in_thread(port: int = 0, **faults: Any) -> Iterator[DemoServer]:
    """A running server: its API under `address` + "/3", its posters under "/t/p"."""
    server = DemoServer(port, **faults)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tmdb.demo.server",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--limit", default=None, help="40/10: answer 429 over 40 in any 10 s")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="delay each answer")
    parser.add_argument("--error-rate", type=float, default=0.0, help="share of 500 and 503")
    parser.add_argument("--hang-rate", type=float, default=0.0, help="share that hangs")
    parser.add_argument("--hang-s", type=float, default=30.0, help="for so many seconds")
    parser.add_argument("--garbage-rate", type=float, default=0.0, help="share that is no answer")
    parser.add_argument("--down", action="store_true", help="refuse everything with 503")
    options = vars(parser.parse_args())
    with DemoServer(options.pop("port"), **options) as server:
        series = len(server.catalogue.by_id)
        sys.stdout.write(f"TMDB demo on {server.address}/3 ({series} series)\n")
        sys.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
