"""The history page."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.http import SignedInRequest
from imports.history import HistoryForm, history_page


@require_safe
@vary_on_headers("HX-Request")
def history(request: SignedInRequest) -> HttpResponse:
    page = history_page(request.user, HistoryForm(request.GET).query())
    is_partial = request.headers.get("HX-Request") == "true"
    template = "imports/_history.html" if is_partial else "imports/history.html"
    return render(request, template, {"history": page})
