"""The admin's view of the catalogue: names, statuses and counts, never who watched what when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import audit
from accounts.admin import FiltersOfferedOnly
from accounts.models import EventKind
from media import deciding, library, refreshing
from media.models import DecidedBy, LibraryEntry, LookupStatus, Media, MediaQuerySet
from media.tasks import refresh_chosen
from tmdb.errors import TmdbNotFound
from tmdb.names import parse_tmdb_reference
from tmdb.types import SeriesDetails


class MissingTotals(admin.SimpleListFilter):
    title = _("totals")
    parameter_name = "totals"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("missing", _("missing")), ("known", _("known"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Media]) -> QuerySet[Media]:
        missing = Media.objects.without_totals()
        if self.value() == "missing":
            return queryset & missing
        if self.value() == "known":
            return queryset.filter(total_episodes__isnull=False)
        return queryset


@dataclass(frozen=True, slots=True)
class Reply:
    """What TMDB said about the ID that somebody typed; `details` None: it could not be asked."""

    tmdb_id: int
    exists: bool
    details: SeriesDetails | None


def ask_about(text: str) -> Reply | None:
    """TMDB's reply about a typed ID or pasted address; None when it is no series' ID."""
    reference = parse_tmdb_reference(text)
    if reference is None or reference[0] != "tv":
        return None
    try:
        return Reply(reference[1], True, refreshing.ask_for(reference[1]))
    except TmdbNotFound:
        return Reply(reference[1], False, None)


class MediaForm(forms.ModelForm[Media]):
    tmdb_reference = forms.CharField(
        label=_("TMDB ID"),
        required=False,
        max_length=300,
        help_text=_("A number, or the address of the series' page at themoviedb.org."),
    )
    reply: ClassVar[Reply | None] = None

    class Meta:
        model = Media
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tmdb_reference"].initial = self.instance.tmdb_id

    def clean_tmdb_reference(self) -> int | None:
        text = self.cleaned_data["tmdb_reference"].strip()
        if not text or text == str(self.instance.tmdb_id):
            return self.instance.tmdb_id
        if not self.instance.is_series:
            raise ValidationError(_("Movies have no totals, so watchlog keeps no ID for them."))
        if self.reply is None:
            raise ValidationError(
                _("This is neither a number nor the address of a series at themoviedb.org.")
            )
        if not self.reply.exists:
            raise ValidationError(
                _("TMDB has no series with the ID %(id)s. Nothing was changed."),
                params={"id": self.reply.tmdb_id},
            )
        return self.reply.tmdb_id


@admin.register(Media)
class MediaAdmin(FiltersOfferedOnly[Media]):
    form = MediaForm
    list_display = [
        "title",
        "media_type",
        "tmdb_id",
        "total_seasons",
        "total_episodes",
        "libraries",
        "last_tmdb_update",
    ]
    list_filter = ["media_type", MissingTotals, "tmdb_status"]
    search_fields = ["title", "base_title", "original_title", "=tmdb_id"]
    readonly_fields = [
        "title",
        "base_title",
        "original_title",
        "media_type",
        "total_seasons",
        "total_episodes",
        "aired_episodes",
        "first_air_date",
        "tmdb_status",
        "last_tmdb_update",
        "tmdb_gone_at",
    ]
    fields = ["tmdb_reference", *readonly_fields]
    actions = ["look_up_again", "refresh_totals", "clear_match", "ignore"]
    show_full_result_count = False
    # Requests under way, and what TMDB replied to them.
    replies: ClassVar[WeakKeyDictionary[HttpRequest, Reply | None]] = WeakKeyDictionary()
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Media]:
        return super().get_queryset(request).annotate(libraries=Count("entries"))

    @admin.display(description=_("in libraries"), ordering="libraries")
    def libraries(self, media: Media) -> int:
        return int(getattr(media, "libraries"))  # noqa: B009 - annotated, unknown to the types

    # The catalogue is for staff: the box "staff status" of an account is all that it takes.
    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._is_for(request)

    def has_view_permission(self, request: HttpRequest, obj: Media | None = None) -> bool:
        return self._is_for(request)

    def has_change_permission(self, request: HttpRequest, obj: Media | None = None) -> bool:
        return self._is_for(request)

    @staticmethod
    def _is_for(request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Media | None = None) -> bool:
        return False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Asks TMDB before the transaction that Django wraps around a change."""
        typed = request.POST.get("tmdb_reference", "").strip()
        media = self.get_object(request, object_id) if object_id and typed else None
        if media is not None and media.is_series and typed != str(media.tmdb_id):
            self.replies[request] = ask_about(typed)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(
        self, request: HttpRequest, obj: Media | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[Media]]:
        form = super().get_form(request, obj, change=change, **kwargs)
        return type("MediaForm", (form,), {"reply": self.replies.get(request)})

    def save_model(self, request: HttpRequest, obj: Media, form: Any, change: bool) -> None:
        if form.reply is None or form.cleaned_data["tmdb_reference"] == obj.tmdb_id:
            return
        concerned = _titles_by_user(_undecided(Media.objects.filter(pk=obj.pk)))
        obj.pk = deciding.change_tmdb_id(obj, form.reply.tmdb_id, form.reply.details).pk
        _tell(concerned)
        if form.reply.details is None:
            self.message_user(
                request,
                _("Saved. TMDB cannot be reached now; the totals follow when it can."),
                messages.WARNING,
            )

    @admin.action(description=_("Look up again"))
    def look_up_again(self, request: HttpRequest, queryset: QuerySet[Media]) -> None:
        entries = _undecided(queryset)
        concerned = _titles_by_user(entries)
        for entry in entries:
            deciding.clear_match(entry)
        _tell(concerned)
        self._say(request, len(entries), _("waiting to be looked up"))

    @admin.action(description=_("Refresh totals"))
    def refresh_totals(self, request: HttpRequest, queryset: MediaQuerySet) -> None:
        chosen = list(queryset.shared().values_list("pk", flat=True))
        if chosen:
            refresh_chosen.enqueue(chosen)
        self._say(request, len(chosen), _("waiting to be refreshed"))

    @admin.action(description=_("Clear match"))
    def clear_match(self, request: HttpRequest, queryset: QuerySet[Media]) -> None:
        entries = _undecided(queryset)
        concerned = _titles_by_user(entries)
        for entry in entries:
            for cleared in deciding.clear_match(entry):
                with library.library_lock(cleared.user_id):
                    library.set_status(cleared, LookupStatus.NOT_FOUND, DecidedBy.ADMIN)
        _tell(concerned)
        self._say(request, len(entries), _("cleared"))

    @admin.action(description=_("Not on TMDB (never look up)"))
    def ignore(self, request: HttpRequest, queryset: QuerySet[Media]) -> None:
        entries = _undecided(queryset)
        concerned = _titles_by_user(entries)
        for entry in entries:
            deciding.ignore(entry, DecidedBy.ADMIN)
        _tell(concerned)
        self._say(request, len(entries), _("ignored"))

    def _say(self, request: HttpRequest, number: int, what: Any) -> None:
        text = ngettext("%(number)s series %(what)s.", "%(number)s series %(what)s.", number)
        self.message_user(request, text % {"number": number, "what": what})


def _undecided(media: QuerySet[Media]) -> list[LibraryEntry]:
    """The entries of series among `media` that their own users did not decide."""
    return list(
        LibraryEntry.objects.series()
        .filter(media__in=media.values("pk"))
        .exclude(decided_by=DecidedBy.USER)
        .select_related("media")
    )


def _titles_by_user(entries: Iterable[LibraryEntry]) -> list[tuple[int, str]]:
    return [(entry.user_id, entry.media.title) for entry in entries]


def _tell(concerned: Iterable[tuple[int, str]]) -> None:
    """Show on their account pages to whom it happened that an administrator changed a match."""
    for user_id, title in concerned:
        audit.record(user_id, EventKind.MATCH_BY_ADMIN, subject=title)
