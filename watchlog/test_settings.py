"""The settings the tests run with: nothing from the developer's own environment but services."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

os.environ["WATCHLOG_ENV_FILE"] = ""
os.environ["SECRET_KEY"] = "only-for-tests"  # noqa: S105
os.environ["TMDB_API_KEY"] = ""
os.environ.setdefault("PLAIN_HTTP", "true")

from watchlog.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
CACHES["posters"] = {  # noqa: F405
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    "LOCATION": "posters",
}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":  # noqa: F405
    # A file and not memory: threads and processes of a test then lock it as they do in real life.
    DATABASES["default"]["TEST"] = {  # noqa: F405
        "NAME": str(Path(tempfile.gettempdir()) / f"watchlog-test-{os.getpid()}.sqlite3")
    }
if REDIS_URL:  # noqa: F405
    # A process that a test starts is told the test's.
    CACHES["default"]["KEY_PREFIX"] = os.environ.get("CACHE_KEY_PREFIX") or f"test-{os.getpid()}"  # noqa: F405
