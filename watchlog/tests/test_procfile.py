"""The Procfile's lines as a platform runs them: production settings, PostgreSQL and Redis."""

from __future__ import annotations

import http.client
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings

pytestmark = pytest.mark.postgres

PROJECT = Path(__file__).resolve().parents[2]
HOST = "watchlog.example"
HTTPS = {"X-Forwarded-Proto": "https"}


@dataclass(frozen=True)
class Page:
    status: int
    headers: Message
    text: str


def line_of(process):
    (line,) = re.findall(rf"^{process}: (.+)$", (PROJECT / "Procfile").read_text(), re.MULTILINE)
    return line


@pytest.fixture(scope="module")
def production():
    """The environment of a fresh deploy, on a database of its own."""
    server = urlsplit(os.environ["DATABASE_URL"])
    name = f"watchlog_procfile_{os.getpid()}"
    with psycopg.connect(server._replace(path="/postgres").geturl(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            yield {
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "WATCHLOG_ENV_FILE": "",
                "SECRET_KEY": secrets.token_urlsafe(50),
                "DATABASE_URL": server._replace(path=f"/{name}").geturl(),
                "REDIS_URL": settings.REDIS_URL,
                "ALLOWED_HOSTS": f"{HOST},healthcheck.railway.app",
                "TRUST_PROXY_PROTO": "true",
                "WEB_CONCURRENCY": "2",
            }
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def running(production, port):
    """The web and worker processes, after the release."""
    environment = production | {"PORT": str(port)}

    def start(process):
        return subprocess.Popen(["bash", "-c", line_of(process)], cwd=PROJECT, env=environment)

    subprocess.run(
        ["bash", "-c", line_of("release")], cwd=PROJECT, env=environment, check=True, timeout=120
    )
    processes = {"web": start("web"), "worker": start("worker")}
    yield processes
    for process in processes.values():
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def get(port):
    def get(path, host=HOST, **headers):
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as client:
            client.request("GET", path, headers={"Host": host} | headers)
            response = client.getresponse()
            text = response.read().decode(errors="replace")
            return Page(response.status, response.headers, text)

    return get


@pytest.fixture(scope="module")
def visit(get):
    """get() as a browser behind the proxy: by https and along redirects."""

    def visit(path, **headers):
        page = get(path, **HTTPS, **headers)
        while page.status == 302:
            page = get(page.headers["Location"], **HTTPS, **headers)
        return page

    return visit


@pytest.fixture
def healthy(running, get, wait_until):
    def well():
        assert running["web"].poll() is None
        assert running["worker"].poll() is None
        try:
            return json.loads(get("/healthz").text)["status"] == "ok"
        except OSError:
            return False

    wait_until(well, 60)


def test_health_is_answered_to_the_platform_from_inside(healthy, get):
    response = get("/healthz", host="healthcheck.railway.app")
    assert response.status == 200
    assert json.loads(response.text)["worker"] == "ok"


def test_the_first_page_is_served_over_the_proxys_https(healthy, visit):
    page = visit("/")
    assert page.status == 200
    assert "max-age=31536000" in page.headers["Strict-Transport-Security"]
    assert "Secure" in page.headers["Set-Cookie"]


def test_plain_http_is_sent_to_https(healthy, get):
    response = get("/")
    assert response.status == 301
    assert response.headers["Location"] == f"https://{HOST}/"


def test_other_host_names_are_refused(healthy, get):
    assert get("/healthz", host="elsewhere.example").status == 400


def test_static_files_are_compressed_and_kept_for_ever(healthy, visit):
    stylesheets = re.findall(r'href="(/static/[^"]+\.css)"', visit("/").text)
    response = visit(stylesheets[0], **{"Accept-Encoding": "br"})
    assert response.status == 200
    assert response.headers["Content-Encoding"] == "br"
    assert "immutable" in response.headers["Cache-Control"]


def test_both_end_cleanly_when_the_platform_stops_them(healthy, running):
    for process in running.values():
        process.send_signal(signal.SIGTERM)
    assert {name: process.wait(timeout=15) for name, process in running.items()} == {
        "web": 0,
        "worker": 0,
    }
