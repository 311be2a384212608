"""Users of this installation."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.sessions import SessionStore


class LibraryView(models.TextChoices):
    """How the library is laid out."""

    GRID = "grid", _("posters")
    TABLE = "table", _("a table")


class Posters(models.TextChoices):
    """Where posters come from."""

    SITE = "site", _("through this site: only its server asks TMDB")
    TMDB = "tmdb", _("directly from TMDB: it sees which posters you look at")
    NONE = "none", _("not at all: drawings instead")


class User(AbstractUser):
    """A person with a library of their own, and how they like to see it.

    Empty settings mean the installation's own, or those of the browser.
    """

    language = models.CharField(_("language of the pages"), max_length=10, blank=True)
    title_language = models.CharField(_("language of the titles"), max_length=10, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    min_minutes = models.FloatField(
        _("minimum play time in minutes"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(600)],
    )
    library_view = models.CharField(
        _("library as"), max_length=5, choices=LibraryView, default=LibraryView.GRID
    )
    posters = models.CharField(_("posters"), max_length=4, choices=Posters, default=Posters.SITE)

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(
                name="accounts_user_view_known",
                condition=models.Q(library_view__in=LibraryView.values),
            ),
            models.CheckConstraint(
                name="accounts_user_posters_known", condition=models.Q(posters__in=Posters.values)
            ),
        ]


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


class UserSession(AbstractBaseSession):
    """A session that knows whose it is, so that it can be ended from elsewhere.

    Without a constraint in the database: Django's session store would try for ever to store
    the session of somebody who deleted their account at the same moment.
    """

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, related_name="sessions", db_constraint=False
    )

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        from accounts.sessions import SessionStore

        return SessionStore


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> Self:
        """Those that still let somebody in."""
        return self.filter(used_at__isnull=True, expires_at__gt=timezone.now())


class Invitation(models.Model):
    """A link that lets one person create an account; only its hash is kept."""

    LASTS = timedelta(days=7)

    token_hash = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = InvitationQuerySet.as_manager()

    def __str__(self) -> str:
        return f"invitation by {self.created_by}"


class ApiToken(models.Model):
    """A key to one user's library through the read-only API; only its hash is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("What it is for"), max_length=60)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.name


class UseCount(models.Model):
    """How often something was done since its time began; see `limits`."""

    key = models.CharField(max_length=64, primary_key=True)
    used = models.PositiveIntegerField()
    ends_at = models.DateTimeField()

    class Meta:
        indexes = [
            # Tidying up: those whose time is over.
            models.Index(fields=["ends_at"], name="accounts_use_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.used} until {self.ends_at}"


class EventKind(models.TextChoices):
    """What happened to an account, or was done in its name."""

    SIGNED_UP = "signed_up", _("account created")
    SIGNED_IN = "signed_in", _("signed in")
    SIGNED_OUT_EVERYWHERE = "signed_out", _("signed out everywhere")
    PASSWORD_CHANGED = "password", _("password changed")
    PASSWORD_RESET = "reset", _("password set anew by e-mail")
    EMAIL_CHANGED = "email", _("e-mail address changed")
    TOKEN_MADE = "token_made", _("API token made")
    TOKEN_REVOKED = "token_gone", _("API token revoked")
    INVITED = "invited", _("invitation made")
    INVITATION_WITHDRAWN = "uninvited", _("invitation withdrawn")
    EXPORTED = "exported", _("everything downloaded")
    IMPORT_UNDONE = "undone", _("import undone")
    FILE_DELETED = "file_gone", _("imported file deleted")
    MATCH_EXPLAINED = "explained", _("evidence for a match shown to an administrator")
    MATCH_BY_ADMIN = "admin_match", _("match changed by an administrator")


class AccountEventQuerySet(models.QuerySet["AccountEvent"]):
    def newest_first(self) -> Self:
        return self.order_by("-at", "-pk")


class AccountEvent(models.Model):
    """Something that a user should be able to see afterwards: who came in, what left."""

    KEPT = timedelta(days=180)

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=12, choices=EventKind)
    at = models.DateTimeField(auto_now_add=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    subject = models.CharField(max_length=200, blank=True, help_text=_("What it was about."))

    objects = AccountEventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="accounts_event_kind_known", condition=models.Q(kind__in=EventKind.values)
            )
        ]
        indexes = [
            # Account page: one user's events, newest first.
            models.Index(fields=["user", "-at"], name="accounts_event_by_date"),
            # Tidying up: those that were kept long enough.
            models.Index(fields=["at"], name="accounts_event_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.kind}"
