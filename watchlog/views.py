"""Pages about watchlog itself, and what browsers ask of every site."""

from __future__ import annotations

import sys

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template import loader
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from accounts.access import public
from imports.outages import DATABASE_GONE, is_full
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


def server_error(request: HttpRequest) -> HttpResponse:
    """What is shown after an error that nothing foresaw: 503 when the database is the reason.

    Asks the database nothing, and so knows neither user nor session.
    """
    error = sys.exc_info()[1]
    if isinstance(error, DATABASE_GONE):
        page = loader.get_template("503.html").render({"is_full": is_full(error)})
        return HttpResponse(page, status=503, headers={"Retry-After": "10"})
    return HttpResponse(loader.get_template("500.html").render(), status=500)
