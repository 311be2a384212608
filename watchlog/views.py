"""Pages about watchlog itself, and what browsers ask of every site."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from accounts.access import public
from watchlog.context import version


@public
@require_safe
def about(request: HttpRequest) -> HttpResponse:
    return render(request, "about.html", {"version": version()})


@login_not_required
@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    # Rendered because the names of static files carry the hash of their content.
    return render(request, "site.webmanifest", content_type="application/manifest+json")


@login_not_required
@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    return redirect(static("img/icon.svg"))
