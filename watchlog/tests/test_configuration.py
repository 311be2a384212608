"""What .env.example and the README say about the settings is true."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
# Set by `make run`, gunicorn and platforms; no setting of Django's.
FOR_THE_PROCESS = {"PORT", "WEB_CONCURRENCY"}

DUMP = """
import json, watchlog.settings as settings
print(json.dumps({n: repr(getattr(settings, n)) for n in dir(settings) if n.isupper()}))
"""


def variables_read_by_the_settings():
    tree = ast.parse((PROJECT / "watchlog" / "settings.py").read_text())
    return {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and isinstance(node.args[0], ast.Constant)
    }


def example():
    text = (PROJECT / ".env.example").read_text()
    return dict(re.findall(r"^# ([A-Z_]+)=(.*)$", text, re.MULTILINE))


def readme_table():
    text = (PROJECT / "README.md").read_text()
    return dict(re.findall(r"^\| `([A-Z_]+)` \| (?:`(.*?)`)?[^|]*\|", text, re.MULTILINE))


def settings_with(**variables):
    done = subprocess.run(
        [sys.executable, "-c", DUMP],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "WATCHLOG_ENV_FILE": ""} | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_example_names_every_variable_that_the_settings_read():
    assert set(example()) == variables_read_by_the_settings()


def test_the_example_shows_the_defaults():
    shown = example() | {"SECRET_KEY": "only-for-tests"}
    shown["DATABASE_URL"] = f"sqlite:///{PROJECT}/db.sqlite3"
    assert settings_with(**shown) == settings_with(SECRET_KEY="only-for-tests")


def test_the_example_sets_nothing():
    lines = (PROJECT / ".env.example").read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []


def test_the_readme_names_every_variable_with_its_default():
    table = readme_table()
    assert {name: table[name] for name in set(table) - FOR_THE_PROCESS} == example()
    assert set(table) >= FOR_THE_PROCESS


def test_an_installation_without_a_secret_does_not_start(tmp_path):
    # A copy, because the project's own folder may hold the secret that `make run` made.
    shutil.copytree(PROJECT / "watchlog", tmp_path / "watchlog")
    done = subprocess.run(
        [sys.executable, "-c", "import watchlog.settings"],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "Set SECRET_KEY to a long random text" in done.stderr


def test_a_site_on_the_internet_does_not_answer_to_every_name():
    """Links in e-mails carry the name that was asked for."""
    done = subprocess.run(
        [sys.executable, "-c", "import watchlog.settings"],
        cwd=PROJECT,
        env={"WATCHLOG_ENV_FILE": "", "SECRET_KEY": "x", "ALLOWED_HOSTS": "a.example,*"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "must name the site's own names" in done.stderr


@pytest.mark.parametrize(
    ("name", "home", "production"),
    [
        ("SESSION_COOKIE_SECURE", "False", "True"),
        ("CSRF_COOKIE_SECURE", "False", "True"),
        ("SECURE_SSL_REDIRECT", "False", "True"),
        ("SECURE_HSTS_SECONDS", "0", "31536000"),
        ("DEBUG", "False", "False"),
    ],
)
def test_only_home_does_without_https(name, home, production):
    assert settings_with(SECRET_KEY="x", PLAIN_HTTP="true")[name] == home
    assert settings_with(SECRET_KEY="x")[name] == production
