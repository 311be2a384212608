"""make demo: a library with totals, without a key, a database server or the internet."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

PROJECT = Path(__file__).resolve().parents[2]
# The demo starts its database anew: here not the one that somebody may be looking at.
PROGRAM = """
import sys
from pathlib import Path
from scripts import demo
demo.DATABASE = Path(sys.argv[1])
sys.exit(demo.main())
"""


@pytest.fixture
def demo(tmp_path, free_port, wait_until):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "demo.sqlite3")],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "PORT": str(free_port), "SECRET_KEY": "only-for-tests"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    address = f"http://127.0.0.1:{free_port}"

    def serves():
        assert process.poll() is None, process.communicate()[0]
        try:
            with requests.get(f"{address}/healthz", timeout=5):
                return True
        except requests.ConnectionError:
            return False

    try:
        wait_until(serves, 60)
        yield process, address
    finally:
        process.kill()
        process.communicate()


def test_the_demo_shows_totals_to_who_signs_in_as_it_says(demo):
    process, address = demo
    with requests.Session() as browser:
        form = browser.get(f"{address}/sign-in/", timeout=10).text
        (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
        answer = browser.post(
            f"{address}/sign-in/",
            {"csrfmiddlewaretoken": token, "username": "demo", "password": "demo"},
            timeout=10,
        )
        assert answer.status_code == 200
        assert re.search(r"\b\d+/\d+ episodes\b", answer.text)
        found = browser.get(f"{address}/api/media/?q=breaking", timeout=10).json()
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Sign in as  demo  with the password  demo" in said
    assert "Traceback" not in said
    breaking_bad = next(media for media in found["results"] if media["title"] == "Breaking Bad")
    assert breaking_bad["watched_episodes_count"] == 28
    assert breaking_bad["total_episodes"] == 62
