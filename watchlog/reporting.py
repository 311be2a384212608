"""What an error tells Sentry: its kind and where in the code, and nothing of what was watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sentry_sdk
from sentry_sdk.integrations.argv import ArgvIntegration
from sentry_sdk.transport import Transport

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint


def report_errors_to(dsn: str, transport: type[Transport] | None = None) -> None:
    """Send unhandled errors to Sentry. `transport` replaces the network in tests."""
    sentry_sdk.init(
        dsn=dsn,
        transport=transport,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        # The command line of `manage.py import` names a file and a user.
        disabled_integrations=[ArgvIntegration()],
        before_send=without_personal_data,
    )


def without_personal_data(event: Event, hint: Hint) -> Event:
    """Drops what may hold titles, names or keys: queries, headers, cookies, texts of exceptions.

    A database's error, for one, quotes the row that broke a constraint.
    """
    request = event.get("request", {})
    # Not the address: it can be an invitation, or a link that sets a password anew.
    event["request"] = {key: request[key] for key in ("method",) if key in request}
    for part in ("user", "extra", "breadcrumbs"):
        event.pop(part, None)  # type: ignore[misc]
    for exception in event.get("exception", {}).get("values", []):
        exception.pop("value", None)
    if "logentry" in event:
        event["logentry"] = {"message": event["logentry"].get("message", "")}
    return event
