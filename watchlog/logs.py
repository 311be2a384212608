"""How log lines are written."""

from __future__ import annotations

import logging

# Anything shorter is no key, and replacing it would garble the lines.
SHORTEST_SECRET = 8


class LineFormatter(logging.Formatter):
    """Time, level, logger, message; never a secret, whoever logged it.

    Libraries put addresses into messages and exceptions, and TMDB's old kind of key is part of
    an address.
    """

    def __init__(self, secrets: list[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self.secrets = [secret for secret in secrets if len(secret) >= SHORTEST_SECRET]

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        for secret in self.secrets:
            line = line.replace(secret, "[secret]")
        return line
