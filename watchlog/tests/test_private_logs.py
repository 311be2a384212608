"""Rule 25: what somebody watches, their names and the keys stand nowhere in the logs.

Site and worker run as processes, TMDB fails in several ways, and everything they wrote is read.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django_tasks_db.models import DBTaskResult

from imports.models import Import, State
from imports.tests.making import activity

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "0123456789abcdef0123456789abcdef"
PRIVATE = {
    "user": "Quaxolt",
    "password": "Wrenbick-77",
    "profile": "Zimbelur",
    "file": "Flotzgrund",
    "series": "Brixenauf",
    "episode": "Murxolin",
    "movie": "Kwelbatz",
    "damaged": "Ploxhuber",
    "search": "Grumfitz",
    "address": "Vrelknau",
    "token": "Tschumpel",
    "email": "Hraxlberg",
}
FILE = activity(
    *(
        (
            PRIVATE["profile"],
            f"2021-06-{day} 20:00:00",
            "00:50:00",
            f"{PRIVATE['series']}: Season 1: {PRIVATE['episode']} {day}",
        )
        for day in range(10, 20)
    ),
    (PRIVATE["profile"], "2021-06-20 20:00:00", "01:50:00", PRIVATE["movie"]),
    (PRIVATE["profile"], "never", "01:50:00", PRIVATE["damaged"]),
)


class Failing(BaseHTTPRequestHandler):
    """A TMDB that answers with errors, with nonsense, or not at all."""

    ways = itertools.cycle([500, 200, 429, 0, 503])

    def do_GET(self):
        status = next(self.ways)
        if status:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(f'{{"echo": "{self.path}"'.encode())

    def log_message(self, *args):
        pass


@pytest.fixture
def failing_tmdb():
    with ThreadingHTTPServer(("127.0.0.1", 0), Failing) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@contextmanager
def running(command, environment, log):
    with log.open("wb") as written:
        process = subprocess.Popen(command, env=environment, stdout=written, stderr=written)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=30)


class Visitor:
    """A browser, which has a token for forms once it saw one."""

    def __init__(self, address):
        self.address = address
        self.session = requests.Session()

    def get(self, path, **parameters):
        return self.session.get(self.address + path, params=parameters, timeout=30)

    def post(self, path, data=None, files=None):
        given = {"csrfmiddlewaretoken": self.session.cookies["csrftoken"]}
        return self.session.post(
            self.address + path, {**given, **(data or {})}, files=files, timeout=30
        )


def test_nothing_private_is_logged(
    process_env, free_port, failing_tmdb, make_user, tmp_path, wait_until
):
    ana = make_user(PRIVATE["user"])
    # The processes know the hashers of production alone.
    ana.password = PBKDF2PasswordHasher().encode(PRIVATE["password"], "salt", iterations=1)
    ana.save()
    environment = process_env | {
        "LOG_LEVEL": "INFO",
        "TMDB_API_KEY": KEY,
        "TMDB_API_URL": f"{failing_tmdb}/3",
        "TMDB_IMAGE_URL": f"{failing_tmdb}/t/p",
    }
    # A page of the site itself names its static files by their hashes.
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity=0"],
        env=environment,
        check=True,
    )
    bind = f"127.0.0.1:{free_port}"
    site = [sys.executable, "-m", "gunicorn", "watchlog.wsgi", "--bind", bind]
    worker = [sys.executable, "manage.py", "worker"]
    logs = tmp_path / "site.log", tmp_path / "worker.log"
    visitor = Visitor(f"http://{bind}")

    def is_up():
        try:
            return visitor.get("/healthz").ok
        except requests.ConnectionError:
            return False

    with running(site, environment, logs[0]), running(worker, environment, logs[1]):
        wait_until(is_up, 90)
        name, password = PRIVATE["user"], PRIVATE["password"]
        visitor.get("/sign-in/")
        visitor.post("/sign-in/", {"username": name, "password": PRIVATE["token"]})
        assert visitor.post("/sign-in/", {"username": name, "password": password}).ok
        assert name in visitor.get("/").text
        file = {"file": (f"{PRIVATE['file']}.csv", FILE)}
        assert PRIVATE["file"] in visitor.post("/imports/new/", files=file).text
        wait_until(lambda: Import.objects.filter(state=State.DONE).exists(), 120)
        assert Import.objects.get().series_failed
        assert PRIVATE["series"] in visitor.get("/", q=PRIVATE["series"]).text
        for path in (f"/{PRIVATE['address']}/", f"/invitation/{PRIVATE['token']}/", "/history/"):
            visitor.get(path, q=PRIVATE["search"], profile=PRIVATE["profile"])
        visitor.post("/account/tokens/", {"name": PRIVATE["token"]})
        visitor.post("/account/email/", {"email": f"{PRIVATE['email']}@example.com"})
        visitor.get("/account/download.jsonl")
    written = "".join(log.read_text() for log in logs)
    assert "endpoint=/search/tv" in written
    assert "route=imports:new" in written
    found = {what for what, word in PRIVATE.items() if word.casefold() in written.casefold()}
    assert not found
    assert KEY not in written
    tasks = str(list(DBTaskResult.objects.values())).casefold()
    assert not {what for what, word in PRIVATE.items() if word.casefold() in tasks}
