"""make run: watchlog at home, web server and worker together, until Ctrl-C."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

import environ

from scripts.supervise import CannotStart, Process, free_port, run_together, say

ROOT = Path(__file__).resolve().parent.parent
GREETING = """
  watchlog is running on  http://127.0.0.1:{port}

  Ctrl-C stops it.
"""


def main() -> int:
    env_file = Path(os.environ.get("WATCHLOG_ENV_FILE", ROOT / ".env"))
    if env_file.is_file():
        environ.Env.read_env(str(env_file))
    try:
        port = free_port(os.environ.get("PORT") or "8000", rerun="make run")
        set_home_defaults()
        prepare()
    except CannotStart as reason:
        say(f"\n{reason}\n")
        return 1
    return serve(port, GREETING.format(port=port))


def set_home_defaults() -> None:
    """What differs from production: plain http, this machine as the host, a secret of its own."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchlog.settings")
    os.environ.setdefault("PLAIN_HTTP", "true")
    if hosts := os.environ.get("ALLOWED_HOSTS"):
        os.environ["ALLOWED_HOSTS"] = f"{hosts},127.0.0.1"
    if not os.environ.get("SECRET_KEY"):
        keep_secret(ROOT / "var" / "secret-key")


def keep_secret(file: Path) -> None:
    """Make the key that signs sessions, once, readable by this user only."""
    if file.is_file() and file.read_text().strip():
        return
    file.parent.mkdir(exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(secrets.token_urlsafe(50))


def prepare() -> None:
    """Bring database, cache table and static files up to date with the code."""
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import call_command
    from django.db import OperationalError, connections

    try:
        django.setup()
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
    except ImproperlyConfigured as error:
        raise CannotStart(f"A setting is wrong: {error}") from error
    except OperationalError as error:
        raise CannotStart(f"The database cannot be used: {error}") from error
    finally:
        connections.close_all()


def serve(port: int, greeting: str, others: tuple[Process, ...] = ()) -> int:
    """Run the web server, the worker and `others` until a signal comes."""
    address = f"127.0.0.1:{port}"
    web = [sys.executable, "-m", "gunicorn", "watchlog.wsgi", "--bind", address]
    processes = [
        *others,
        Process("web server", [*web, "--log-level", "warning"]),
        Process("worker", [sys.executable, "manage.py", "worker"]),
    ]
    os.chdir(ROOT)
    return run_together(processes, f"http://{address}/healthz", greeting)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
