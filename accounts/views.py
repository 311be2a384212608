"""Set-up, sign-in and the account page."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login as auth_login
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import setup as installation
from accounts.access import public
from accounts.forms import SetupForm
from accounts.http import SignedInRequest

TOO_LATE = gettext_lazy("This watchlog has its owner already. If that is you, sign in.")


@login_not_required
@never_cache
@sensitive_post_parameters("code", "password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    if not installation.is_open():
        if request.method == "POST":
            messages.error(request, TOO_LATE)
        return redirect("accounts:login")
    form = SetupForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            owner = installation.create_owner(form.save(commit=False))
        except installation.AlreadySetUp:
            messages.error(request, TOO_LATE)
            return redirect("accounts:login")
        auth_login(request, owner)
        messages.success(request, _("Your account is ready. Now for your viewing history."))
        return redirect("imports:new")
    installation.announce_code()
    return render(request, "accounts/setup.html", {"form": form})


@public
def login(request: HttpRequest) -> HttpResponseBase:
    view = auth_views.LoginView.as_view(
        template_name="accounts/login.html", redirect_authenticated_user=True
    )
    return view(request)


@login_not_required
@require_POST
def logout(request: HttpRequest) -> HttpResponseBase:
    return auth_views.LogoutView.as_view()(request)


@require_GET
def account(request: SignedInRequest) -> HttpResponse:
    return render(request, "accounts/account.html")


def password(request: SignedInRequest) -> HttpResponseBase:
    view = auth_views.PasswordChangeView.as_view(
        template_name="accounts/password.html", success_url=reverse("accounts:account")
    )
    response = view(request)
    if request.method == "POST" and response.status_code == 302:
        messages.success(request, _("Your password is changed."))
    return response
