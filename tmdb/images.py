"""Fetching posters from TMDB's picture server, so that users' browsers need not.

Pictures are kept for at most 180 days, as long as TMDB's terms allow, in a cache of their own.
https://developer.themoviedb.org/docs/image-basics describes the addresses.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache as once

import requests
import urllib3
from django.conf import settings
from django.core.cache import caches

from tmdb.service import poster_url

logger = logging.getLogger(__name__)

KEPT = timedelta(days=180)
ABSENT_KEPT = timedelta(days=1)
# For so long nobody waits again for a picture server that did not answer.
OUT_OF_REACH_KEPT = timedelta(seconds=30)
MAX_BYTES = 3 * 1024 * 1024
OUT_OF_REACH = "out-of-reach"


@dataclass(frozen=True, slots=True)
class Picture:
    """A raster picture; `content_type` follows from its first bytes and from nothing else."""

    content: bytes
    content_type: str


def poster(path: str, size: str, *, may_ask: Callable[[], bool] = lambda: True) -> Picture | None:
    """A poster by its path at TMDB, such as "/abc.jpg", and size, such as "w342".

    None where TMDB has none, where what it sends is no JPEG, PNG or WebP of at most 3 MB, and
    while it is out of reach. `may_ask` says, when a picture is not kept, whether its server may
    be asked. Raises ValueError for a size that TMDB does not have.
    """
    address = poster_url(path, size)
    if address is None:
        return None
    kept = caches["posters"]
    key = f"{size}{path}"
    found = kept.get(key)
    if found is None and not kept.get(OUT_OF_REACH) and may_ask():
        found = _fetch(address)
        if found is None:
            _keep(OUT_OF_REACH, b"yes", OUT_OF_REACH_KEPT)
            return None
        _keep(key, found, KEPT if found else ABSENT_KEPT)
    if not found:
        return None
    content_type = _raster_type(found)
    return Picture(found, content_type) if content_type else None


def _keep(key: str, content: bytes, kept_for: timedelta) -> None:
    try:
        caches["posters"].set(key, content, kept_for.total_seconds())
    except OSError as error:
        # A full or read-only disk makes posters slower, not absent.
        logger.warning("poster not kept error=%s", type(error).__name__)


def _fetch(address: str) -> bytes | None:
    """The picture's bytes, empty where there is no usable one; None when nobody answered."""
    times = (settings.TMDB_CONNECT_TIMEOUT, settings.TMDB_READ_TIMEOUT)
    ends = time.monotonic() + settings.TMDB_READ_TIMEOUT
    try:
        with _session().get(address, timeout=times, stream=True, allow_redirects=False) as answer:
            if answer.status_code == 429 or answer.status_code >= 500:
                return None
            if answer.status_code != 200:
                return b""
            content = bytearray()
            # As sent: what unpacks to a thousand times its size is no picture.
            while piece := answer.raw.read1(64 * 1024):
                content += piece
                if len(content) > MAX_BYTES:
                    return b""
                if time.monotonic() > ends:
                    return None
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        logger.warning("poster not fetched error=%s", type(error).__name__)
        return None
    return bytes(content) if _raster_type(bytes(content[:16])) else b""


@once
def _session() -> requests.Session:
    session = requests.Session()
    session.headers["Accept"] = "image/webp,image/png,image/jpeg"
    session.headers["Accept-Encoding"] = "identity"
    return session


def _raster_type(content: bytes) -> str:
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return ""
