"""`manage.py changepassword`: Django's, of which the account page tells."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.management.commands import changepassword

from accounts import audit
from accounts.models import EventKind, User


class Command(changepassword.Command):
    def handle(self, *args: Any, **options: Any) -> str | None:
        said = super().handle(*args, **options)
        for user in User.objects.filter(username=options["username"]):
            audit.record(user.pk, EventKind.PASSWORD_CHANGED, subject="manage.py changepassword")
        return said
