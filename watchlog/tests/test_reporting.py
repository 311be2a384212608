from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import io, json, sys
import django
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from sentry_sdk.transport import Transport
from watchlog.reporting import report_errors_to

class Printer(Transport):
    def capture_envelope(self, envelope):
        print(json.dumps(envelope.get_event()))

report_errors_to("http://key@127.0.0.1/1", transport=Printer)
django.setup()

@login_not_required
@csrf_exempt
def fail(request):
    secret_local = "Local Title"
    import logging
    logging.getLogger("watchlog").error("could not store %s", "Logged Title")
    raise ValueError("Raised Title")

urlpatterns = [path("fail/", fail)]
handler500 = lambda request: HttpResponse(status=500)
settings.ROOT_URLCONF = "__main__"
settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"

from watchlog.wsgi import application
body = b"title=Posted+Title"
application(
    {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/fail/", "QUERY_STRING": "q=Queried+Title",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "HTTP_HOST": "localhost",
        "HTTP_COOKIE": "sessionid=Cookie-Value", "HTTP_REFERER": "http://localhost/?q=Referring",
        "CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": "127.0.0.9", "wsgi.input": io.BytesIO(body), "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
    },
    lambda status, headers: None,
)
"""


@pytest.fixture(scope="module")
def events():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "--user", "Argument-Name"],
        env={
            "DJANGO_SETTINGS_MODULE": "watchlog.settings",
            "WATCHLOG_ENV_FILE": "",
            "SECRET_KEY": "only-for-tests",
            "PLAIN_HTTP": "true",
            "DATABASE_URL": "sqlite://:memory:",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_errors_are_reported_with_their_kind_and_place(events):
    logged, raised = events
    assert logged["logentry"] == {"message": "could not store %s"}
    (exception,) = raised["exception"]["values"]
    assert exception["type"] == "ValueError"
    assert exception["stacktrace"]["frames"][-1]["function"] == "fail"
    assert raised["request"] == {"method": "POST"}


@pytest.mark.parametrize(
    "private",
    [
        "Local Title",
        "Logged Title",
        "Raised Title",
        "Posted",
        "Queried",
        "Cookie-Value",
        "Referring",
        "Argument-Name",
        "127.0.0.9",
    ],
)
def test_nothing_that_was_watched_or_typed_is_reported(events, private):
    lines_of_code = {"context_line", "pre_context", "post_context"}

    def texts(value, key=""):
        if isinstance(value, dict):
            for name, inner in value.items():
                yield from texts(inner, name)
        elif key not in lines_of_code:
            yield str(value)

    assert not [text for event in events for text in texts(event) if private in text]
