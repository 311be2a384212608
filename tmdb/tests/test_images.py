"""Posters are fetched once, bounded, and only when they are raster pictures."""

from __future__ import annotations

import gzip
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.core.cache import caches

from tmdb import images

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100
JPEG = b"\xff\xd8\xff\xe0" + b"x" * 100
MAX = 2**20
WEBP = b"RIFF1234WEBPVP8 " + b"x" * 100


class PictureServer(ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.pictures: dict[str, tuple[int, bytes, dict[str, str]]] = {}
        self.asked: Counter[str] = Counter()
        self.closing = threading.Event()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}/t/p"


class Handler(BaseHTTPRequestHandler):
    server: PictureServer

    def do_GET(self):
        self.server.asked[self.path] += 1
        status, content, headers = self.server.pictures.get(self.path, (404, b"", {}))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        pause = float(headers.get("X-Pause", 0))
        for at in range(0, len(content), 1 if pause else MAX):
            try:
                self.wfile.write(content[at : at + (1 if pause else MAX)])
            except OSError:
                return
            self.server.closing.wait(pause)

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def server(settings):
    caches["posters"].clear()
    with PictureServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        settings.TMDB_IMAGE_URL = server.address
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()
    images._session().close()
    caches["posters"].clear()


def has(server, content, status=200, **headers):
    server.pictures["/t/p/w342/a.jpg"] = (status, content, headers)


@pytest.mark.parametrize(
    ("content", "kind"), [(PNG, "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp")]
)
def test_a_raster_picture_is_fetched_once(server, content, kind):
    has(server, content, **{"Content-Type": "text/html"})
    for _ in range(3):
        assert images.poster("/a.jpg", "w342") == images.Picture(content, kind)
    assert server.asked == {"/t/p/w342/a.jpg": 1}


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html>",
        b"",
        JPEG + b"x" * images.MAX_BYTES,
    ],
    ids=["svg", "html", "empty", "too large"],
)
def test_anything_else_is_refused_and_not_asked_for_again(server, content):
    has(server, content, **{"Content-Type": "image/jpeg"})
    for _ in range(2):
        assert images.poster("/a.jpg", "w342") is None
    assert server.asked == {"/t/p/w342/a.jpg": 1}


def test_redirects_are_not_followed(server):
    has(server, b"", 302, Location=f"{server.address}/w342/b.jpg")
    server.pictures["/t/p/w342/b.jpg"] = (200, PNG, {})
    assert images.poster("/a.jpg", "w342") is None
    assert "/t/p/w342/b.jpg" not in server.asked


def test_a_server_in_trouble_is_left_alone_for_a_while(server):
    has(server, b"", 503)
    for name in ("a", "b", "c"):
        assert images.poster(f"/{name}.jpg", "w342") is None
    assert server.asked.total() == 1


def test_a_server_out_of_reach_is_no_error(settings):
    caches["posters"].clear()
    settings.TMDB_IMAGE_URL = "http://127.0.0.1:9/t/p"
    assert images.poster("/a.jpg", "w342") is None
    caches["posters"].clear()


def test_a_disk_that_takes_nothing_makes_no_poster_absent(server, monkeypatch):
    def refuse(*_arguments):
        raise OSError("read-only")

    has(server, PNG)
    monkeypatch.setattr(caches["posters"], "set", refuse)
    assert images.poster("/a.jpg", "w342") == images.Picture(PNG, "image/png")


@pytest.mark.parametrize("path", ["", "a.jpg", "/../a.jpg", "//evil.example/a.jpg", "/a.svg"])
def test_a_path_that_is_no_poster_is_never_asked_for(server, path):
    assert images.poster(path, "w342") is None
    assert not server.asked


def test_a_picture_that_comes_byte_by_byte_is_given_up(server, settings):
    settings.TMDB_READ_TIMEOUT = 0.5
    server.pictures["/t/p/w342/slow.png"] = (200, PNG * 100, {"X-Pause": "0.05"})
    started = time.monotonic()
    assert images.poster("/slow.png", "w342") is None
    assert time.monotonic() - started < 5


def test_a_packed_picture_is_not_unpacked(server):
    packed = gzip.compress(PNG + b"\0" * 50_000_000)
    server.pictures["/t/p/w342/bomb.png"] = (200, packed, {"Content-Encoding": "gzip"})
    assert images.poster("/bomb.png", "w342") is None
