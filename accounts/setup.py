"""The first visit of a fresh installation: somebody becomes its owner, once."""

from __future__ import annotations

import base64
import logging

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import Installation, User

logger = logging.getLogger(__name__)


class AlreadySetUp(Exception):
    """Somebody else created the first account."""


def is_open() -> bool:
    """Whether this installation still waits for its owner.

    An account made by `createsuperuser` closes it as well.
    """
    return not User.objects.exists() and not Installation.objects.exists()


def demands_code() -> bool:
    """In production a stranger may be first at the door, at home nobody else can reach it."""
    return not settings.PLAIN_HTTP


def code() -> str:
    """What the owner must type: the configured code, else one derived from the secret key.

    The derived one is the same in every process, so whichever answers prints the right one.
    """
    if settings.SETUP_CODE:
        return settings.SETUP_CODE
    digest = salted_hmac("watchlog.accounts.setup", "code", algorithm="sha256").digest()
    letters = base64.b32encode(digest[:10]).decode().lower()
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def announce_code() -> None:
    """Print the derived code in the log, which only the operator reads.

    A configured one is the operator's own and stays out of it.
    """
    if demands_code() and not settings.SETUP_CODE:
        logger.warning("watchlog waits for its first account. The set-up code is %s", code())


def is_right_code(given: str) -> bool:
    return constant_time_compare(given.strip(), code())


def create_owner(owner: User) -> User:
    """Store `owner`, unsaved and with its password set, as this installation's superuser.

    Raises AlreadySetUp when another request or command was quicker: the row of Installation
    goes in first, and its fixed key lets one transaction win.
    """
    owner.is_staff = owner.is_superuser = True
    try:
        with transaction.atomic():
            installation = Installation.objects.create(id=Installation.THE_ONE)
            if User.objects.exists():
                raise AlreadySetUp
            owner.save()
            installation.owner = owner
            installation.save(update_fields=["owner"])
    except IntegrityError as error:
        raise AlreadySetUp from error
    return owner
