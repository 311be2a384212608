"""Letting others in: by invitation, or whoever comes."""

from __future__ import annotations

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from accounts.models import Invitation, User
from accounts.secrets import hashed, new_secret

OPEN, BY_INVITATION = "open", "invitation"


class NotInvited(Exception):
    """The invitation was used, withdrawn or is too old."""


def are_offered() -> bool:
    return bool(settings.SIGN_UP == BY_INVITATION)


def everybody_may_sign_up() -> bool:
    return bool(settings.SIGN_UP == OPEN)


def invite(by: User) -> str:
    """A new invitation's secret, which is part of its link; it is told this once."""
    secret = new_secret()
    Invitation.objects.create(
        token_hash=hashed(secret), created_by=by, expires_at=timezone.now() + Invitation.LASTS
    )
    return secret


def is_valid(secret: str) -> bool:
    return are_offered() and _found(secret).exists()


def _found(secret: str) -> models.QuerySet[Invitation]:
    return Invitation.objects.open().filter(
        token_hash=hashed(secret), created_by__is_active=True, created_by__is_staff=True
    )


def accept(secret: str, user: User) -> User:
    """Store `user`, unsaved and with its password set, for an invitation; one wins.

    Raises NotInvited.
    """
    if not are_offered():
        raise NotInvited
    with transaction.atomic():
        invitation = _found(secret).first()
        if invitation is None:
            raise NotInvited
        taken = Invitation.objects.filter(pk=invitation.pk, used_at__isnull=True)
        if not taken.update(used_at=timezone.now()):
            raise NotInvited
        user.save()
        Invitation.objects.filter(pk=invitation.pk).update(used_by=user)
    return user
