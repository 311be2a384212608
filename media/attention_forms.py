"""What the pages on which a person decides can be asked for."""

from __future__ import annotations

import re

from django import forms
from django.db import models
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from media.attention import AttentionKind
from media.library import MAX_NAME
from media.models import ViewingKind
from tmdb.types import MAX_NUMBER

_PAIR = re.compile(r"([0-9]{1,18}):([0-9]{1,10})", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{32}")


class Act(models.TextChoices):
    """What can be said of an entry with one click."""

    MOVIE = "movie", _("This is a movie")
    IGNORE = "ignore", _("Not on TMDB")
    HIDE = "hide", _("Hide")
    SHOW = "show", _("Show again")
    REOPEN = "reopen", _("Look it up again")


class PageForm(forms.Form):
    """Reads the state of the page from an address; what makes no sense there is ignored."""

    show = forms.ChoiceField(choices=AttentionKind.choices, required=False)
    page = forms.IntegerField(min_value=1, required=False)

    def kind(self) -> AttentionKind | None:
        self.is_valid()
        show = self.cleaned_data.get("show")
        return AttentionKind(show) if show else None

    def number(self) -> int:
        self.is_valid()
        return int(self.cleaned_data.get("page") or 1)


class SearchForm(forms.Form):
    q = forms.CharField(max_length=300, required=False)

    def words(self) -> str:
        self.is_valid()
        return str(self.cleaned_data.get("q", ""))


class MatchForm(forms.Form):
    tmdb_id = forms.IntegerField(min_value=1, max_value=MAX_NUMBER)


class MergeForm(forms.Form):
    into = forms.IntegerField(min_value=1)


class ActForm(forms.Form):
    act = forms.ChoiceField(choices=Act.choices)


class SeriesForm(forms.Form):
    series = forms.CharField(max_length=MAX_NAME)


def confirmed(data: QueryDict) -> dict[int, int]:
    """The ticked entries, each with the TMDB id that stood beside it: "12:1396"."""
    pairs = [_PAIR.fullmatch(text) for text in data.getlist("chosen")]
    return {int(pair[1]): int(pair[2]) for pair in pairs if pair and int(pair[2]) <= MAX_NUMBER}


def titles(data: QueryDict) -> list[str]:
    """The ticked titles, by hash."""
    return [title for title in data.getlist("title") if _HASH.fullmatch(title)]


def readings(data: QueryDict) -> tuple[list[str], ViewingKind] | None:
    """Which titles, by hash, are to be read as what: one ("movie:<hash>"), or all that are shown.

    None when it says neither.
    """
    kind, _colon, title = data.get("one", "").partition(":")
    chosen = [title] if kind and _HASH.fullmatch(title) else [] if kind else titles(data)
    kind = kind or data.get("all", "")
    if kind not in ViewingKind.values or not chosen:
        return None
    return chosen, ViewingKind(kind)


def name_ids(data: QueryDict) -> set[int]:
    """The ticked names."""
    return {int(text) for text in data.getlist("name") if re.fullmatch("[0-9]{1,18}", text)}
