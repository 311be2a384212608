"""What the library page can be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from django import forms
from django.core.validators import RegexValidator
from django.db import models
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import LibraryView

FIRST_DAY = date(1990, 1, 1)


class Show(models.TextChoices):
    """Which entries; the value stands in the address."""

    ALL = "all", pgettext_lazy("titles", "All")
    SERIES = "series", _("Series")
    MOVIES = "movies", _("Movies")
    IN_PROGRESS = "in-progress", _("In progress")
    COMPLETE = "complete", _("Complete")
    ATTENTION = "attention", _("Needs attention")


class Sort(models.TextChoices):
    """In which order; the value stands in the address."""

    LAST_WATCHED = "last-watched", _("Last watched")
    NEARLY_FINISHED = "nearly-finished", _("Nearly finished")
    MOST_EPISODES = "most-episodes", _("Most episodes")
    TITLE = "title", _("Title")
    PROGRESS = "progress", _("Progress")


class Field(StrEnum):
    """The names of the parameters in the address."""

    SHOW = "show"
    SORT = "sort"
    SEARCH = "q"
    YEAR = "year"
    PROFILE = "profile"
    HIDDEN = "hidden"
    PAGE = "page"


@dataclass(frozen=True, slots=True)
class LibraryQuery:
    """One state of the library page; every state has an address of its own."""

    show: Show = Show.ALL
    sort: Sort = Sort.LAST_WATCHED
    search: str = ""
    year: int | None = None
    profile: str = ""
    hidden: bool = False
    page: int = 1

    @property
    def filters(self) -> int:
        """How many of the filters in the menu are in use."""
        return sum(map(bool, (self.year, self.profile, self.hidden)))

    @property
    def is_narrowed(self) -> bool:
        return bool(self.search) or self.show != Show.ALL or bool(self.filters)

    def address(self, **changes: object) -> str:
        """The query string of this state with `changes`; what is usual is left out."""
        wanted = {
            Field.SHOW: self.show,
            Field.SORT: self.sort,
            Field.SEARCH: self.search,
            Field.YEAR: str(self.year or ""),
            Field.PROFILE: self.profile,
            Field.HIDDEN: "1" if self.hidden else "",
        }
        wanted |= {Field(name): str(value) for name, value in changes.items()}
        usual = {Field.SHOW: Show.ALL, Field.SORT: Sort.LAST_WATCHED, Field.PAGE: "1"}
        query = QueryDict(mutable=True)
        for name, value in wanted.items():
            if value and value != usual.get(name):
                query[name] = value
        return f"?{query.urlencode()}" if query else "."


class LibraryForm(forms.Form):
    """Reads a state from an address; what makes no sense there is as if it were not there."""

    show = forms.ChoiceField(choices=Show.choices, required=False)
    sort = forms.ChoiceField(choices=Sort.choices, required=False)
    q = forms.CharField(max_length=200, required=False)
    year = forms.IntegerField(min_value=1990, max_value=9998, required=False)
    profile = forms.CharField(max_length=200, required=False)
    hidden = forms.BooleanField(required=False)
    view = forms.ChoiceField(choices=LibraryView.choices, required=False)
    page = forms.IntegerField(min_value=1, required=False)

    def query(self) -> LibraryQuery:
        self.is_valid()
        given = self.cleaned_data
        return LibraryQuery(
            show=Show(given.get(Field.SHOW) or Show.ALL),
            sort=Sort(given.get(Field.SORT) or Sort.LAST_WATCHED),
            search=given.get(Field.SEARCH) or "",
            year=given.get(Field.YEAR),
            profile=given.get(Field.PROFILE) or "",
            hidden=bool(given.get(Field.HIDDEN)),
            page=given.get(Field.PAGE) or 1,
        )


KEYS = RegexValidator(r"^[tv]\d{1,15}(,[tv]\d{1,15})*$")


class DayForm(forms.Form):
    """A day on which something was watched; none when nobody knows.

    `at` and `episode` say to which season or episode of the page to go back.
    """

    day = forms.DateField(required=False)
    at = forms.RegexField(r"^(season-\d{1,4}|(other-)?specials)$", required=False)
    episode = forms.RegexField(r"^[tv]\d{1,15}$", required=False)

    def clean_day(self) -> date | None:
        day: date | None = self.cleaned_data["day"]
        # Somewhere it is tomorrow already.
        if day and not FIRST_DAY <= day <= timezone.localdate() + timedelta(days=1):
            raise forms.ValidationError(_("A day between 1990 and today, please."))
        return day


class MarkForm(DayForm):
    """Which episodes are watched or not; see `media.entry_pages.Line` for their keys."""

    watched = forms.CharField(required=False, validators=[KEYS])
    unwatched = forms.CharField(required=False, validators=[KEYS])

    def ids(self, field: str, kind: str) -> list[int]:
        """The ids of one kind, `t` or `v`, among a field's keys."""
        keys = self.cleaned_data[field].split(",")
        return [int(key[1:]) for key in keys if key.startswith(kind)]
