"""One log line per request with its duration and number of queries, and slow queries."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse

logger = logging.getLogger("watchlog.request")


class QueryTimer:
    """Counts a request's queries and logs the slow ones, without their parameters."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        self.count += 1
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            milliseconds = (time.perf_counter() - started) * 1000
            if milliseconds >= settings.SLOW_QUERY_MS:
                logger.warning(
                    "slow query ms=%.0f sql=%s", milliseconds, " ".join(sql.split())[:500]
                )


class RequestLogMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        timer = QueryTimer()
        started = time.perf_counter()
        with connection.execute_wrapper(timer):
            response = self.get_response(request)
        match = request.resolver_match
        # Static files, which come before any route, would drown the pages.
        is_static = match is None and response.status_code in (200, 304)
        # The route and not the path or query string, which may hold titles.
        logger.log(
            logging.DEBUG if is_static else logging.INFO,
            "method=%s route=%s status=%s ms=%.0f queries=%s",
            request.method,
            match.view_name if match else "-",
            response.status_code,
            (time.perf_counter() - started) * 1000,
            timer.count,
        )
        return response
