"""What happened to an account, kept for the person whose it is."""

from __future__ import annotations

from axes.models import AccessAttempt
from django.contrib.admin.models import LogEntry
from django.contrib.auth.signals import user_logged_in
from django.contrib.contenttypes.models import ContentType
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from accounts.addresses import client_address
from accounts.forms import forget_tries
from accounts.models import AccountEvent, EventKind, User, UserSession


def record(
    user_id: int, kind: EventKind, *, request: HttpRequest | None = None, subject: str = ""
) -> None:
    """Keep an event for a user; those older than 180 days go.

    `request` tells the address it came from. Leave it out where somebody else acted.
    """
    AccountEvent.objects.filter(user_id=user_id, at__lt=timezone.now() - AccountEvent.KEPT).delete()
    AccountEvent.objects.create(
        user_id=user_id,
        kind=kind,
        address=client_address(request) if request is not None else None,
        subject=subject.replace("\0", "")[:200],
    )


@receiver(user_logged_in)
def _record_sign_in(sender: object, request: HttpRequest, user: User, **kwargs: object) -> None:
    forget_tries(user)
    UserSession.objects.filter(expire_date__lt=timezone.now()).delete()
    record(user.pk, EventKind.SIGNED_IN, request=request)


@receiver(pre_delete, sender=User)
def _forget(sender: object, instance: User, **kwargs: object) -> None:
    """Failed sign-ins and the administration's history know users by name, without a key."""
    AccessAttempt.objects.filter(username=instance.username).delete()
    users = ContentType.objects.get_for_model(User)
    LogEntry.objects.filter(content_type=users, object_id=str(instance.pk)).delete()
