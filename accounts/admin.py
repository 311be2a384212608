"""Who may come in: for the owner, who can shut somebody out or share the administration."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from accounts.models import User


@admin.register(User)
class UserAdmin(admin.ModelAdmin[User]):
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
