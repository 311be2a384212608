"""Keys to the read-only API."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from accounts.limits import allow
from accounts.models import ApiToken, User
from accounts.secrets import hashed, new_secret

PREFIX = "watchlog_"
MOST_PER_USER = 20
REQUESTS_PER_MINUTE = 60
# Writing down every use would make each read a write.
NOTED_EVERY = timedelta(minutes=1)


class TooManyRequests(Exception):
    """A token was used more than REQUESTS_PER_MINUTE times within a minute."""


def make(user: User, name: str) -> str:
    """A new token for a user. It is shown this once: only its hash is stored."""
    token = new_secret(PREFIX)
    ApiToken.objects.create(user=user, name=name, token_hash=hashed(token))
    return token


def user_of(request: HttpRequest) -> User | None:
    """Whose library a request may read: by its bearer token, else by the session.

    Raises TooManyRequests. A token that is not (or no longer) valid is nobody's, whatever the
    session says.
    """
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return request.user if isinstance(request.user, User) else None
    token = (
        ApiToken.objects.select_related("user")
        .filter(token_hash=hashed(given.strip()), user__is_active=True)
        .first()
    )
    if token is None:
        return None
    if not allow(f"token:{token.pk}", REQUESTS_PER_MINUTE, 60):
        raise TooManyRequests
    now = timezone.now()
    ApiToken.objects.filter(
        Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - NOTED_EVERY), pk=token.pk
    ).update(last_used_at=now)
    return token.user
