"""How each user likes to see the pages: the form, and what applies it to every request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from accounts.models import LibraryView, Posters, User

# Languages in which TMDB has names of many series.
TITLE_LANGUAGES = [
    "ar",
    "bg",
    "cs",
    "da",
    "de",
    "el",
    "en",
    "es",
    "et",
    "fi",
    "fr",
    "he",
    "hr",
    "hu",
    "id",
    "it",
    "ja",
    "ko",
    "lt",
    "lv",
    "nb",
    "nl",
    "pl",
    "pt",
    "pt-br",
    "ro",
    "ru",
    "sk",
    "sl",
    "sr",
    "sv",
    "th",
    "tr",
    "uk",
    "vi",
    "zh-hans",
    "zh-hant",
]


# The longest that a preference can be; a zone's name.
LONGEST_CHOICE = 64


class PreferencesMiddleware:
    """Shows a signed-in user the pages in their language and time zone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not isinstance(user, User):
            return self.get_response(request)
        zone = zone_of(user)
        if user.language in dict(settings.LANGUAGES):
            translation.activate(user.language)
        with timezone.override(zone):
            response = self.get_response(request)
        if user.posters == Posters.TMDB:
            # django-csp adds it to the policy of this one answer.
            response._csp_update = {"img-src": _origin(settings.TMDB_IMAGE_URL)}  # type: ignore[attr-defined]
        return response


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def zone_of(user: User) -> ZoneInfo | None:
    """The user's time zone; None, the installation's, where none is chosen or it is not known."""
    return ZoneInfo(user.time_zone) if user.time_zone in time_zones() else None


@cache
def time_zones() -> tuple[str, ...]:
    """Zones by place, as people know them."""
    return tuple(sorted(zone for zone in available_timezones() if zone == "UTC" or _is_place(zone)))


def _is_place(zone: str) -> bool:
    area, slash, _rest = zone.partition("/")
    return bool(slash) and area not in ("Etc", "SystemV", "US", "posix", "right")


class PreferencesForm(forms.ModelForm[User]):
    class Meta:
        model = User
        fields = (
            "language",
            "title_language",
            "time_zone",
            "min_minutes",
            "library_view",
            "posters",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._choose("language", _("as the browser asks"), _languages())
        self._choose("title_language", _("as this watchlog has them"), _title_languages())
        self._choose(
            "time_zone",
            _("as this watchlog has it (%(zone)s)") % {"zone": settings.TIME_ZONE},
            [(zone, zone.replace("_", " ")) for zone in time_zones()],
        )
        for name, choices in (("library_view", LibraryView), ("posters", Posters)):
            self.fields[name] = forms.ChoiceField(
                label=self.fields[name].label, choices=choices.choices, widget=forms.RadioSelect
            )
        self.fields["title_language"].help_text = _(
            "Where TMDB has a series in it; otherwise the title stays as in your file."
        )
        self.fields["time_zone"].help_text = _("For viewings whose time a file tells.")
        self.fields["min_minutes"].help_text = _(
            "What ran shorter is left out of imports of files that tell the time. Empty: %(usual)g."
        ) % {"usual": settings.IMPORT_MIN_MINUTES}

    def _choose(self, name: str, empty: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name] = forms.ChoiceField(
            label=self.fields[name].label, choices=[("", empty), *choices], required=False
        )


def _languages() -> list[tuple[str, str]]:
    return [(code, _in_itself(code)) for code, _name in settings.LANGUAGES]


def _title_languages() -> list[tuple[str, str]]:
    return sorted(((code, _in_itself(code)) for code in TITLE_LANGUAGES), key=lambda pair: pair[1])


def _in_itself(code: str) -> str:
    """A language's name as its speakers write it."""
    name: str = get_language_info(code)["name_local"]
    return name[:1].upper() + name[1:]


def chosen_in(line: Mapping[str, object]) -> dict[str, str | float]:
    """What of a line of an export could be preferences, as far as its kinds of values tell."""
    return {
        name: value
        for name in PreferencesForm.Meta.fields
        if isinstance(value := line.get(name), str | float | int)
        and not isinstance(value, bool)
        and len(str(value)) <= LONGEST_CHOICE
    }


def restore_preferences(user_id: int, chosen: Mapping[str, str | float]) -> None:
    """Take over the preferences of an export, where they are valid and this account set none.

    What an account has as new ones have it counts as not set.
    """
    user = User.objects.get(pk=user_id)
    new = User()
    unset = [
        name
        for name in chosen
        if name in PreferencesForm.Meta.fields and getattr(user, name) == getattr(new, name)
    ]
    form = PreferencesForm(dict(chosen), instance=user)
    form.is_valid()
    valid = {name: form.cleaned_data[name] for name in unset if name in form.cleaned_data}
    if valid:
        User.objects.filter(pk=user_id).update(**valid)


def remember_view(user: User, view: str) -> bool:
    """Keep how a user chose to see the library; whether that is new. Nothing chosen is not."""
    if not view or view == user.library_view:
        return False
    user.library_view = view
    user.save(update_fields=["library_view"])
    return True


SAVED = gettext_lazy("Saved.")
