"""What happened to an account, kept for the person whose it is."""

from __future__ import annotations

from datetime import datetime

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.signals import user_logged_in
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.addresses import client_address
from accounts.forms import forget_tries
from accounts.limits import OF_USERS, forget
from accounts.models import AccountEvent, EventKind, Invitation, UseCount, User, UserSession


def record(
    user_id: int, kind: EventKind, *, request: HttpRequest | None = None, subject: str = ""
) -> None:
    """Keep an event for a user, for 180 days.

    `request` tells the address it came from. Leave it out where somebody else acted.
    """
    AccountEvent.objects.create(
        user_id=user_id,
        kind=kind,
        address=client_address(request) if request is not None else None,
        subject=subject.replace("\0", "")[:200],
    )


@receiver(user_logged_in)
def _record_sign_in(sender: object, request: HttpRequest, user: User, **kwargs: object) -> None:
    forget_tries(user)
    record(user.pk, EventKind.SIGNED_IN, request=request)


@receiver(pre_delete, sender=User)
def _forget(sender: object, instance: User, **kwargs: object) -> None:
    """Delete what knows users without a key: failed sign-ins, limits, the admin's history."""
    AccessAttempt.objects.filter(username=instance.username).delete()
    for what in OF_USERS:
        forget(f"{what}:{instance.pk}")
    for token in instance.api_tokens.values_list("pk", flat=True):
        forget(f"token:{token}")
    users = ContentType.objects.get_for_model(User)
    LogEntry.objects.filter(content_type=users, object_id=str(instance.pk)).delete()


def forget_what_is_over(now: datetime) -> None:
    """Delete what is kept for a while and no longer, as docs/privacy.md promises."""
    AccountEvent.objects.filter(at__lt=now - AccountEvent.KEPT).delete()
    AccessAttempt.objects.filter(attempt_time__lt=now - settings.AXES_COOLOFF_TIME).delete()
    UserSession.objects.filter(expire_date__lt=now).delete()
    Invitation.objects.filter(Q(expires_at__lt=now) | Q(used_at__isnull=False)).delete()
    UseCount.objects.filter(ends_at__lt=now).delete()
