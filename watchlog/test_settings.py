"""The settings the tests run with: nothing from the developer's own environment but services."""

from __future__ import annotations

import os

os.environ["WATCHLOG_ENV_FILE"] = ""
os.environ["SECRET_KEY"] = "only-for-tests"  # noqa: S105
os.environ["TMDB_API_KEY"] = ""
os.environ.setdefault("PLAIN_HTTP", "true")

from watchlog.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True
