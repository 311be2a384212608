"""Against guessing passwords: django-axes locks, and an account under attack answers slowly.

An address together with an account is locked after a few failures, an address alone after
more, since a household shares one. An account alone is never locked, or any stranger could
lock its owner out: it is slowed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.forms import UsernameField
from django.core.exceptions import ValidationError
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from accounts.addresses import client_network
from accounts.models import User

SECONDS_SLOWED = 1.0
# Threads that may wait at a time: the others go on serving pages.
MOST_WAITING = 2
LONGEST_NAME = 150
_waiting = threading.BoundedSemaphore(MOST_WAITING)


class LockoutHandler(AxesDatabaseHandler):  # type: ignore[misc]
    """Two limits in one number: failures by account and address, and those of an address."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """The larger of both, the address's scaled to the limit for the pair."""
        by_pair, by_address = (
            attempts.aggregate(sum=Sum("failures_since_start"))["sum"] or 0
            for attempts in self.get_user_attempts(request, credentials)
        )
        scaled = by_address * settings.AXES_FAILURE_LIMIT // settings.LOCKOUT_BY_ADDRESS
        return int(max(by_pair, scaled))

    def reset_user_attempts(
        self, request: HttpRequest, credentials: dict[str, Any] | None = None
    ) -> int:
        """Forget the failures of account and address together only.

        Else whoever has an account could clear their address between guesses at others'.
        """
        of_pair = self.filter_user_attempts(request, credentials)[0]
        return int(of_pair.delete()[0])


def locked(
    request: HttpRequest,
    response: HttpResponse | None = None,
    credentials: dict[str, Any] | None = None,
) -> HttpResponse:
    """What a locked visitor sees: the same whether or not the account exists."""
    return _busy(request, round(settings.AXES_COOLOFF_TIME.total_seconds()))


def forget_failures(request: HttpRequest, user: User) -> None:
    """Let somebody in again from where they proved that the account is theirs."""
    AccessAttempt.objects.filter(
        username=user.username, ip_address=client_network(request)
    ).delete()


def _busy(request: HttpRequest, seconds: int) -> HttpResponse:
    context = {"minutes": seconds // 60}
    response = render(request, "accounts/locked.html", context, status=429)
    response["Retry-After"] = str(seconds)
    return response


def slowed(
    view: Callable[..., HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """A sign-in that waits a moment for accounts that somebody guesses at."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        username = username_of(request) if request.method == "POST" else ""
        if not username or not _is_guessed_at(username):
            return view(request, *args, **kwargs)
        if not AxesProxyHandler.is_allowed(request, {"username": username}):
            # Who is locked out already must not keep the owner from waiting for their turn.
            return locked(request)
        if not _waiting.acquire(blocking=False):
            return _busy(request, 2)
        try:
            time.sleep(SECONDS_SLOWED)
        finally:
            _waiting.release()
        return view(request, *args, **kwargs)

    return wrapped


def username_of(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """The name somebody tried to sign in with, as long as names get, for django-axes to count by.

    As the form understands it, so that no other spelling escapes; empty when it is no name.
    """
    given = (credentials or request.POST).get("username") or ""
    try:
        return str(UsernameField().clean(given))[:LONGEST_NAME]
    except ValidationError:
        return ""


def _is_guessed_at(username: str) -> bool:
    since = timezone.now() - settings.AXES_COOLOFF_TIME
    attempts = AccessAttempt.objects.filter(username=username, attempt_time__gte=since)
    failures = attempts.aggregate(sum=Sum("failures_since_start"))["sum"] or 0
    return bool(failures >= settings.SLOWED_BY_ACCOUNT)
