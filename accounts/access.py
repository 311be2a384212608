"""Who may see a page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts import setup
from accounts.way_back import page_of

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def public(view: View[P]) -> View[P]:
    """A page for everybody, which leads to the set-up while there is no account yet."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated and setup.is_open():
            return redirect("accounts:setup")
        return view(request, *args, **kwargs)

    return cast("View[P]", login_not_required(wrapped))


class SignInMiddleware(LoginRequiredMiddleware):
    """Leads whoever is not signed in to the sign-in, and from there to the page they were on."""

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponse:
        is_part = request.headers.get("HX-Request") == "true"
        if request.method in ("GET", "HEAD"):
            page = page_of(request) if is_part else request.get_full_path()
        else:
            page = page_of(request)
            messages.warning(
                request,
                _("You are not signed in, so nothing was changed. Sign in, then do it once more."),
            )
        sign_in = redirect_to_login(
            page, self.get_login_url(view_func), self.get_redirect_field_name(view_func)
        )
        if is_part:
            # Followed by the script, a redirect would put the sign-in in the part's place.
            return HttpResponse(status=401, headers={"HX-Redirect": sign_in.url})
        return sign_in
