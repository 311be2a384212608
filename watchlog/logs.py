"""How log lines are written."""

from __future__ import annotations

import logging
import traceback
from types import TracebackType

# Anything shorter is no key, and replacing it would garble the lines.
SHORTEST_SECRET = 8


ErrorInfo = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


class RouteFilter(logging.Filter):
    """Names the route instead of the address where Django logs a request.

    An address can be an invitation or a link that sets a password anew.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        path = getattr(request, "path", None)
        if path is not None and isinstance(record.args, tuple):
            match = getattr(request, "resolver_match", None)
            route = match.view_name if match else "-"
            record.args = tuple(route if arg == path else arg for arg in record.args)
        return True


class LineFormatter(logging.Formatter):
    """Time, level, logger, message; never a secret, whoever logged it.

    Libraries put addresses into messages and exceptions, and TMDB's old kind of key is part of
    an address. Of errors their kinds and places are written; their texts, which may quote what
    somebody watched, only at DEBUG.
    """

    def __init__(self, secrets: list[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self.secrets = [secret for secret in secrets if len(secret) >= SHORTEST_SECRET]

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        for secret in self.secrets:
            line = line.replace(secret, "[secret]")
        return line

    def formatException(self, ei: ErrorInfo) -> str:
        if logging.getLogger().isEnabledFor(logging.DEBUG):
            return super().formatException(ei)
        parts: list[str] = []
        error = ei[1]
        seen: set[int] = set()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            frames = traceback.format_list(traceback.extract_tb(error.__traceback__))
            parts.insert(0, "".join([*frames, type(error).__qualname__]))
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\nled to\n".join(parts)
