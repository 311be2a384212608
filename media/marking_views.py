"""Marking by hand what was watched; each mark is one POST, answered by going to its page."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.http import SignedInRequest
from accounts.way_back import require_POST
from media import marking
from media.entry_pages import episode_page, series_page
from media.forms import DayForm, MarkForm
from media.models import LibraryEntry, Viewing
from media.titles import put_into_language


@require_safe
def episode(request: SignedInRequest, pk: int, key: str) -> HttpResponse:
    page = episode_page(_entry(request, pk), key)
    if page is None:
        raise Http404
    return render(request, "media/episode.html", {"page": page})


@require_POST
@vary_on_headers("HX-Request")
def mark(request: SignedInRequest, pk: int) -> HttpResponse:
    entry = _entry(request, pk)
    form = MarkForm(request.POST)
    if not form.is_valid():
        _say_what_is_wrong(request, form)
        return _back(entry, form)
    try:
        changed = _mark(entry, form)
    except (LibraryEntry.DoesNotExist, Viewing.DoesNotExist) as gone:
        raise Http404 from gone
    if request.headers.get("HX-Request") == "true":
        page = series_page(_entry(request, pk, "names"))
        return render(request, "media/_series.html", {"series": page})
    if not changed:
        messages.info(request, _("That is how it is already."))
    return _back(entry, form)


def _mark(entry: LibraryEntry, form: MarkForm) -> int:
    day = form.cleaned_data["day"]
    changed = 0
    if episodes := form.ids("watched", "t"):
        changed += marking.watch_episodes(entry, episodes, day)
    for viewing in form.ids("watched", "v")[:1]:
        changed += marking.watch_again(entry, viewing, day)
    episodes, viewings = form.ids("unwatched", "t"), form.ids("unwatched", "v")
    if episodes or viewings:
        changed += marking.unwatch(entry, episodes, viewings)
    return changed


@require_POST
def viewing(request: SignedInRequest, pk: int, viewing_pk: int) -> HttpResponse:
    """Give one viewing another day, or take it away."""
    entry = _entry(request, pk)
    form = DayForm(request.POST)
    try:
        if "remove" in request.POST:
            marking.remove(entry, viewing_pk)
        elif form.is_valid():
            marking.change_day(entry, viewing_pk, form.cleaned_data["day"])
        else:
            _say_what_is_wrong(request, form)
    except (LibraryEntry.DoesNotExist, Viewing.DoesNotExist) as gone:
        raise Http404 from gone
    return _back(entry, form)


def _entry(request: SignedInRequest, pk: int, *along: str) -> LibraryEntry:
    entries = LibraryEntry.objects.of(request.user).with_own_name().with_own_language()
    entries = entries.with_last_time().select_related("media").prefetch_related(*along)
    entry = get_object_or_404(entries, pk=pk)
    put_into_language([entry], request.user)
    return entry


def _say_what_is_wrong(request: SignedInRequest, form: DayForm) -> None:
    for errors in form.errors.values():
        messages.error(request, str(errors[0]))


def _back(entry: LibraryEntry, form: DayForm) -> HttpResponseRedirect:
    """To the episode's page where the mark was made there and it still is there, else to the
    entry's, with the season open."""
    form.is_valid()
    at, here = form.cleaned_data.get("at"), form.cleaned_data.get("episode")
    if here and episode_page(entry, here):
        return redirect("media:episode", entry.pk, here)
    return redirect(f"{entry.get_absolute_url()}?open={at}#{at}" if at else entry)
