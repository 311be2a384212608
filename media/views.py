"""The library and its entries."""

from __future__ import annotations

from urllib.parse import urljoin

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.http import SignedInRequest
from accounts.limits import allow
from accounts.preferences import remember_view
from accounts.way_back import require_POST
from media.entry_pages import movie_page, series_page
from media.forms import LibraryForm
from media.models import LibraryEntry
from media.pages import library_page
from media.tasks import look_up_now
from media.titles import put_into_language

# Each is a task for the one worker of all.
LOOK_UPS_PER_MINUTE = 5


@require_safe
@vary_on_headers("HX-Request")
def library(request: SignedInRequest) -> HttpResponse:
    form = LibraryForm(request.GET)
    query = form.query()
    if remember_view(request.user, form.cleaned_data.get("view", "")):
        # Without the choice in the address, which would be made again when one comes back to it.
        return redirect(urljoin(request.path, query.address(page=query.page)))
    page = library_page(request.user, query)
    is_partial = request.headers.get("HX-Request") == "true"
    template = "media/_library.html" if is_partial else "media/library.html"
    return render(request, template, {"library": page})


@require_POST
def look_up(request: SignedInRequest) -> HttpResponse:
    if allow(f"look-up:{request.user.pk}", LOOK_UPS_PER_MINUTE, 60):
        look_up_now(request.user)
    messages.success(request, _("TMDB is being asked. The totals appear as they come."))
    return redirect("media:library")


@require_safe
def entry(request: SignedInRequest, pk: int) -> HttpResponse:
    entries = LibraryEntry.objects.of(request.user).with_last_time().select_related("media")
    found = get_object_or_404(entries.prefetch_related("names"), pk=pk)
    put_into_language([found], request.user)
    if found.media.is_series:
        page = series_page(found, request.GET.get("open", ""))
        return render(request, "media/series.html", {"series": page})
    return render(request, "media/movie.html", {"movie": movie_page(found)})
