"""Settings: safe for production as they are, everything that varies comes from the environment.

`.env.example` lists the variables. At home `make run` sets what differs there (plain http).
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import django_stubs_ext
import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env_file = Path(os.environ.get("WATCHLOG_ENV_FILE", BASE_DIR / ".env"))
if env_file.is_file():
    env.read_env(str(env_file))

DEBUG: bool = env.bool("DEBUG", default=False)
# Only for watchlog at home, where no TLS ends in front of it: cookies then travel over http.
PLAIN_HTTP: bool = env.bool("PLAIN_HTTP", default=DEBUG)

secret_file = BASE_DIR / "var" / "secret-key"
SECRET_KEY: str = env.str("SECRET_KEY", default="")
if not SECRET_KEY and secret_file.is_file():
    SECRET_KEY = secret_file.read_text().strip()
if not SECRET_KEY:
    raise ImproperlyConfigured("Set SECRET_KEY to a long random text (make run does it for you).")

ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
if "*" in ALLOWED_HOSTS and not PLAIN_HTTP:
    # Links in e-mails and invitations carry the name that was asked for.
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the site's own names, not *.")
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# What must be typed to create the first account. Empty in production: one is made and logged.
SETUP_CODE: str = env.str("SETUP_CODE", default="")
ADMIN_PATH: str = env.str("ADMIN_PATH", default="admin/").strip("/") + "/"

INSTALLED_APPS = [
    "accounts",
    "imports",
    "media",
    "tmdb",
    "django_tasks",
    "django_tasks_db",
    "axes",
    "csp",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "watchlog.request_log.RequestLogMiddleware",
    # Around all the others: what those answer by themselves, static files and refusals, has its
    # headers, too.
    "watchlog.headers.HeadersMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # After WhiteNoise, whose files come compressed already. Random padding keeps the length of
    # a page from telling what is in it.
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.access.SignInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.preferences.PreferencesMiddleware",
    "watchlog.headers.PrivateMiddleware",
    "watchlog.refusals.NotAllowedMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "watchlog.urls"
WSGI_APPLICATION = "watchlog.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "watchlog.context.site",
            ],
        },
    },
]

# Database: SQLite at home, PostgreSQL by DATABASE_URL.
SQLITE_OPTIONS = {
    # Write locks are taken at BEGIN, so that a busy database means waiting and never a
    # "database is locked" halfway through a transaction.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;"
    ),
}
POSTGRES_OPTIONS = {
    "connect_timeout": 5,
    # Milliseconds. No request or chunk of an import may hold or wait for locks longer.
    "options": "-c statement_timeout=30000 -c lock_timeout=15000"
    " -c idle_in_transaction_session_timeout=60000",
}
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{BASE_DIR}/db.sqlite3")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
else:
    DATABASES["default"]["OPTIONS"] = {
        **POSTGRES_OPTIONS,
        **DATABASES["default"].get("OPTIONS", {}),
    }
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Cache: Redis where there is one, else a table that web and worker share.
REDIS_URL: str = env.str("REDIS_URL", default="")
CACHES: dict[str, dict[str, object]]
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": env.str("CACHE_KEY_PREFIX", default=""),
            "OPTIONS": {
                "CLIENT_CLASS": "django_redis.client.DefaultClient",
                "SOCKET_CONNECT_TIMEOUT": 1,
                "SOCKET_TIMEOUT": 2,
                # A Redis that goes away makes every read a miss and every write a no-op.
                "IGNORE_EXCEPTIONS": True,
            },
        }
    }
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": "watchlog_cache",
            # The default of 300 entries would throw out answers while they are still needed.
            "OPTIONS": {"MAX_ENTRIES": env.int("CACHE_MAX_ENTRIES", default=100_000)},
        }
    }
# Posters are files: too large for the table that everything else is cached in.
CACHES["posters"] = {
    "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
    "LOCATION": str(BASE_DIR / env.str("POSTER_DIR", default="var/posters")),
    "OPTIONS": {"MAX_ENTRIES": 20_000},
}
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True

TASKS = {"default": {"BACKEND": env.str("TASKS_BACKEND", "django_tasks_db.DatabaseBackend")}}

# Sign-in
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
SESSION_ENGINE = "accounts.sessions"
# Who may create an account after the first one: closed (nobody), invitation (whoever got a link
# from an administrator), open (everybody).
SIGN_UP: str = env.str("SIGN_UP", default="invitation")
if SIGN_UP not in ("closed", "invitation", "open"):
    raise ImproperlyConfigured("SIGN_UP must be closed, invitation or open.")
PASSWORD_RESET_TIMEOUT = 60 * 60 * 2
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "media:library"
LOGOUT_REDIRECT_URL = "accounts:login"

# Wrong passwords: see accounts/lockout.py.
# How many proxies of one's own stand in front, each of which adds to X-Forwarded-For.
TRUSTED_PROXY_COUNT: int = env.int("TRUSTED_PROXY_COUNT", default=0)
AXES_HANDLER = "accounts.lockout.LockoutHandler"
AXES_CLIENT_IP_CALLABLE = "accounts.addresses.client_network"
AXES_USERNAME_CALLABLE = "accounts.lockout.username_of"
AXES_LOCKOUT_CALLABLE = "accounts.lockout.locked"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "ip_address"]
AXES_FAILURE_LIMIT = 8
LOCKOUT_BY_ADDRESS = 40
SLOWED_BY_ACCOUNT = 20
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
# accounts/audit.py keeps sign-ins, for the user and not for the administrator.
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = AXES_VERBOSE = False

# E-mail: only for setting a forgotten password anew.
EMAIL_URL: str = env.str("EMAIL_URL", default="")
SENDS_EMAIL = bool(EMAIL_URL)
email_config = env.email_url_config(EMAIL_URL or "dummymail://")
vars().update(email_config)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL: str = env.str("DEFAULT_FROM_EMAIL", default="watchlog@localhost")

# Transport and headers
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not PLAIN_HTTP
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = not PLAIN_HTTP
# A platform's health check comes over plain http from inside.
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 0 if PLAIN_HTTP else env.int("HSTS_SECONDS", default=31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not PLAIN_HTTP
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "watchlog.refusals.csrf_failure"
if env.bool("TRUST_PROXY_PROTO", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# TMDB
TMDB_API_KEY: str = env.str("TMDB_API_KEY", default="").strip()
TMDB_API_URL: str = env.str("TMDB_API_URL", default="https://api.themoviedb.org/3").rstrip("/")
TMDB_IMAGE_URL: str = env.str("TMDB_IMAGE_URL", default="https://image.tmdb.org/t/p").rstrip("/")
TMDB_LANGUAGE: str = env.str("TMDB_LANGUAGE", default="en-US")
TMDB_RATE_LIMIT: int = env.int("TMDB_RATE_LIMIT", default=40)
TMDB_RATE_PERIOD: float = env.float("TMDB_RATE_PERIOD", default=10.0)
TMDB_CONNECT_TIMEOUT: float = env.float("TMDB_CONNECT_TIMEOUT", default=3.05)
TMDB_READ_TIMEOUT: float = env.float("TMDB_READ_TIMEOUT", default=8.0)
# Requests to TMDB that one import has under way at the same time. Answers take 100 ms or more,
# so that fewer could not use up a limit of 40 per second.
TMDB_PARALLEL: int = env.int("TMDB_PARALLEL", default=16)

# Imports
IMPORT_MAX_BYTES: int = env.int("IMPORT_MAX_BYTES", default=60 * 1024 * 1024)
IMPORT_MAX_UNPACKED_BYTES: int = env.int("IMPORT_MAX_UNPACKED_BYTES", default=200 * 1024 * 1024)
IMPORT_MAX_ROWS: int = env.int("IMPORT_MAX_ROWS", default=200_000)
# Days for which an uploaded file is kept, so that its import can be tried again.
IMPORT_FILE_DAYS: int = env.int("IMPORT_FILE_DAYS", default=30)
# A worker that died is replaced after so many seconds.
IMPORT_LEASE_SECONDS: float = env.float("IMPORT_LEASE_SECONDS", default=60.0)
IMPORT_MIN_MINUTES: float = env.float("IMPORT_MIN_MINUTES", default=2.0)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# The page that takes files has handlers of its own.
FILE_UPLOAD_HANDLERS = ["imports.uploads.NoFiles"]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # accounts/preferences.py adds TMDB's picture server for those who chose it.
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# Language and time
LANGUAGE_CODE = "en"
LANGUAGES = [("de", "Deutsch"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = USE_TZ = True

# Static files
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# Logging: one line per event on stderr; see watchlog/request_log.py for a request's line.
SLOW_QUERY_MS: int = env.int("SLOW_QUERY_MS", default=200)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "watchlog.logs.LineFormatter",
            "secrets": [
                TMDB_API_KEY,
                SECRET_KEY,
                SETUP_CODE,
                str(DATABASES["default"].get("PASSWORD") or ""),
                str(email_config["EMAIL_HOST_PASSWORD"] or ""),
            ],
        }
    },
    "filters": {"route": {"()": "watchlog.logs.RouteFilter"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["route"]}
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        # Bad host names and scans are not errors of ours.
        "django.security.DisallowedHost": {"handlers": ["stderr"], "level": "CRITICAL"},
        # It names accounts and addresses.
        "axes": {"handlers": ["stderr"], "level": "CRITICAL"},
    },
}

SENTRY_DSN: str = env.str("SENTRY_DSN", default="")
if SENTRY_DSN:
    from watchlog.reporting import report_errors_to

    report_errors_to(SENTRY_DSN)
