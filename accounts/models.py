"""Users of this installation."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person with a library of their own."""


class Installation(models.Model):
    """The one row that says who owns this installation.

    Its fixed primary key settles the race of two first visits: one insert wins.
    """

    THE_ONE = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=THE_ONE)
    owner = models.OneToOneField(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="accounts_installation_only_one", condition=models.Q(id=1)),
        ]

    def __str__(self) -> str:
        return f"installation of {self.owner}"
