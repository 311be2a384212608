"""The way back to a page, for whoever sent a form and got no answer to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import resolve_url
from django.urls import Resolver404, resolve
from django.utils.encoding import escape_uri_path
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators import http

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def require_POST(view: View) -> View:
    """As Django's; besides, nobody is ever led to the view's address."""
    wrapped: Any = http.require_POST(view)
    wrapped.shows_nothing = True
    return wrapped  # type: ignore[no-any-return]


def page_of(request: HttpRequest) -> str:
    """The address of the page from which a form or a script sent this request.

    As the browser tells it, or else as the request's own address lets one suppose.
    """
    told = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(told, {request.get_host()}, request.is_secure()):
        there = urlsplit(told)
        if _is_page(unquote(there.path)):
            return there._replace(scheme="", netloc="", fragment="").geturl()
    return request.get_full_path() if _is_page(request.path) else page_above(request.path)


def page_above(path: str) -> str:
    """The nearest page above: /entry/7/ for /entry/7/mark/."""
    above = path
    while above := above.rstrip("/").rpartition("/")[0]:
        if _is_page(f"{above}/"):
            return escape_uri_path(f"{above}/")
    return resolve_url(settings.LOGIN_REDIRECT_URL)


def _is_page(path: str) -> bool:
    try:
        return not getattr(resolve(path).func, "shows_nothing", False)
    except Resolver404:
        return False
