"""Refusals of Django's own, as pages that lead on."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render

from accounts.way_back import page_above, page_of


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Ask to send a form once more, from the page it stands on."""
    return render(request, "403_csrf.html", {"page": page_of(request)}, status=403)


class NotAllowedMiddleware:
    """Gives the empty answer to a method that a page does not take something to read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            is_visit = request.method in ("GET", "HEAD")
            page = page_above(request.path) if is_visit else page_of(request)
            response.content = render(request, "405.html", {"page": page}).content
        return response
