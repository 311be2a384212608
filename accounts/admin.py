"""Who may come in: for the owner, who can shut somebody out or share the administration."""

from __future__ import annotations

from typing import TypeVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from accounts.models import User

M = TypeVar("M", bound=models.Model)


class FiltersOfferedOnly(admin.ModelAdmin[M]):
    """A list that is narrowed by what it offers and by nothing else that an address may say.

    Django lets an address name any column, with a pattern to compare it to. By those one could
    ask whose something is, or for a password's hash letter by letter (rule 16).
    """

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        name, _, how = lookup.partition("__")
        offered = {getattr(each, "parameter_name", each) for each in self.get_list_filter(request)}
        return name in offered and how in ("", "exact", "isnull") and "\0" not in str(value)


@admin.register(User)
class UserAdmin(FiltersOfferedOnly[User]):
    """Accounts, and nothing of what is in them. Passwords are set by their owners alone."""

    list_display = ["username", "is_active", "is_staff", "is_superuser", "date_joined"]
    list_filter = ["is_active", "is_staff"]
    search_fields = ["username"]
    fields = ["username", "is_active", "is_staff", "is_superuser", "date_joined"]
    readonly_fields = ["username", "date_joined"]

    def has_view_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return self._is_for(request)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return self._is_for(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._is_for(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        # `manage.py` and the account page delete what hangs on it, too.
        return False

    @staticmethod
    def _is_for(request: HttpRequest) -> bool:
        """Who may make others administrators can do everything; so that takes a superuser."""
        user = request.user
        return isinstance(user, User) and user.is_active and user.is_superuser
