from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.urls import path

from watchlog import settings as settings_file
from watchlog.logs import LineFormatter, RouteFilter

pytestmark = pytest.mark.urls(__name__)


def ask_twice(request, title):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.execute(
            """SELECT
               %s""",
            ["Private Title"],
        )
    return HttpResponse()


def fail(request):
    raise RuntimeError


def short_error(request, exception=None):
    return HttpResponse(status=404 if exception else 500)


handler404 = handler500 = short_error
urlpatterns = [path("ask/<title>/", ask_twice, name="ask"), path("fail/", fail, name="fail")]


@pytest.fixture
def lines(caplog, settings):
    settings.MIDDLEWARE = ["watchlog.request_log.RequestLogMiddleware"]
    caplog.set_level(logging.INFO, logger="watchlog.request")
    return lambda: [
        record.getMessage() for record in caplog.records if record.name == "watchlog.request"
    ]


@pytest.mark.django_db
def test_a_request_is_one_line_with_duration_and_number_of_queries(client, lines):
    client.get("/ask/Dark/?q=Narcos")
    (line,) = lines()
    assert re.fullmatch(r"method=GET route=ask status=200 ms=\d+ queries=2", line)


def test_a_page_that_does_not_exist_is_logged_without_its_address(client, lines):
    client.get("/Dark/?q=Narcos")
    (line,) = lines()
    assert re.fullmatch(r"method=GET route=- status=404 ms=\d+ queries=0", line)


@pytest.mark.django_db
def test_static_files_do_not_drown_the_pages(client, lines, settings):
    settings.WHITENOISE_USE_FINDERS = True
    settings.MIDDLEWARE += ["whitenoise.middleware.WhiteNoiseMiddleware"]
    response = client.get("/static/admin/css/base.css")
    response.close()
    assert response.status_code == 200
    assert lines() == []


def test_an_error_is_logged_as_status_500(client, lines):
    client.raise_request_exception = False
    client.get("/fail/")
    (line,) = lines()
    assert "route=fail status=500" in line


@pytest.mark.django_db
def test_slow_queries_are_logged_without_their_parameters(client, lines, settings):
    settings.SLOW_QUERY_MS = 0
    client.get("/ask/Dark/")
    first, second, _ = lines()
    assert re.fullmatch(r"slow query ms=\d+ sql=SELECT 1", first)
    assert re.fullmatch(r"slow query ms=\d+ sql=SELECT (%s|\?)", second)


@pytest.mark.django_db
def test_quick_queries_are_not_logged(client, lines, settings):
    settings.SLOW_QUERY_MS = 60_000
    client.get("/ask/Dark/")
    assert len(lines()) == 1


def written(secrets, message, *args, exc_info=None):
    record = logging.LogRecord("urllib3", logging.WARNING, "", 0, message, args, exc_info)
    return LineFormatter(secrets).format(record)


def test_secrets_are_not_written_whoever_logs_them():
    line = written(["0123456789abcdef"], "retrying %s", "/3/search/tv?api_key=0123456789abcdef")
    assert line.endswith("WARNING urllib3 retrying /3/search/tv?api_key=[secret]")


def failing():
    try:
        try:
            int("Title of a film")
        except ValueError as error:
            raise ConnectionError("no answer from /3/tv/1?api_key=0123456789abcdef") from error
    except ConnectionError as error:
        return (type(error), error, error.__traceback__)


def test_errors_are_written_with_their_kinds_and_places_alone():
    line = written(["0123456789abcdef"], "failed", exc_info=failing())
    assert line.index("ValueError") < line.index("led to") < line.index("ConnectionError")
    assert "in failing" in line
    assert "Title of a film" not in line.replace('int("Title of a film")', "")
    assert "0123456789abcdef" not in line.replace("raise ConnectionError", "").split("led to")[0]


def test_at_debug_their_texts_are_written_without_secrets():
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.DEBUG)
    try:
        line = written(["0123456789abcdef"], "failed", exc_info=failing())
    finally:
        root.setLevel(before)
    assert "'Title of a film'" in line
    assert "0123456789abcdef" not in line
    assert "api_key=[secret]" in line


def test_djangos_own_lines_name_the_route_and_not_the_address(client, lines, caplog):
    client.raise_request_exception = False
    client.get("/fail/")
    client.get("/Secret-Address/")
    handlers: Any = settings_file.LOGGING["handlers"]
    assert handlers["stderr"]["filters"] == ["route"]
    records = [record for record in caplog.records if record.name == "django.request"]
    assert all(RouteFilter().filter(record) for record in records)
    assert [record.getMessage() for record in records] == [
        "Internal Server Error: fail",
        "Not Found: -",
    ]


def test_an_empty_secret_changes_nothing():
    assert written([""], "all is well").endswith("all is well")


def test_the_settings_name_the_keys_that_no_log_line_may_hold():
    formatters: Any = settings_file.LOGGING["formatters"]
    (formatter,) = formatters.values()
    assert formatter["()"] == "watchlog.logs.LineFormatter"
    assert formatter["secrets"][:2] == [settings_file.TMDB_API_KEY, settings_file.SECRET_KEY]
