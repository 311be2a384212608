"""Set-up, sign-in, sign-up and the account page."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login as auth_login
from django.contrib.auth import logout as auth_logout
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import SetPasswordForm
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from accounts import audit, invitations, sessions, tokens
from accounts import setup as installation
from accounts.access import public
from accounts.addresses import client_network
from accounts.forms import (
    EmailForm,
    ForgottenForm,
    OldPasswordForm,
    SetupForm,
    SignUpForm,
    TokenForm,
)
from accounts.http import SignedInRequest
from accounts.limits import allow
from accounts.lockout import forget_failures, slowed
from accounts.models import ApiToken, EventKind, Invitation, User
from accounts.preferences import SAVED, PreferencesForm
from accounts.tasks import send_reset_links
from accounts.way_back import require_POST

EVENTS_SHOWN = 30
NEW_ACCOUNTS_PER_HOUR = 10
SETUP_TRIES_PER_HOUR = 60
RESETS_PER_HOUR = 10

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
    data = request.POST if request.method == "POST" else None
    if data is not None and not allow(
        f"setup:{client_network(request)}", SETUP_TRIES_PER_HOUR, 3600
    ):
        # Without a look at the code, or its error would still tell whether it is the right one.
        data = None
        messages.error(request, _("Too many tries. Come back in an hour."))
    form = SetupForm(data)
    if form.is_valid():
        try:
            owner = installation.create_owner(form.save(commit=False))
        except installation.AlreadySetUp:
            messages.error(request, TOO_LATE)
            return redirect("accounts:login")
        _enter(request, owner)
        messages.success(request, _("Your account is ready. Now for your viewing history."))
        return redirect("imports:new")
    installation.announce_code()
    return render(request, "accounts/setup.html", {"form": form})


class _SignIn(auth_views.LoginView):
    template_name = "accounts/login.html"
    redirect_authenticated_user = True

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        """Where to go then; the sign-in itself would lead in a circle."""
        wanted = super().get_redirect_url()
        return "" if wanted == self.request.path else wanted


@public
@slowed
def login(request: HttpRequest) -> HttpResponseBase:
    view = _SignIn.as_view(
        extra_context={
            "sends_email": settings.SENDS_EMAIL,
            "everybody_may_sign_up": invitations.everybody_may_sign_up(),
        },
    )
    return view(request)


@login_not_required
@require_POST
def logout(request: HttpRequest) -> HttpResponseBase:
    response = auth_views.LogoutView.as_view()(request)
    # Nobody shall come back to these pages by the browser's "Back".
    response["Clear-Site-Data"] = '"cache"'
    return response


def _enter(request: HttpRequest, user: User) -> None:
    """Sign in somebody who just created their account."""
    auth_login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    audit.record(user.pk, EventKind.SIGNED_UP, request=request)


# --- signing up --------------------------------------------------------------------------------


@public
@never_cache
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    if not invitations.everybody_may_sign_up():
        raise Http404
    return _sign_up(request, None)


@public
@never_cache
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    if not invitations.is_valid(secret):
        return render(request, "accounts/not_invited.html", status=404)
    return _sign_up(request, secret)


def _sign_up(request: HttpRequest, secret: str | None) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect("media:library")
    form = SignUpForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and not allow(
        f"sign-up:{client_network(request)}", NEW_ACCOUNTS_PER_HOUR, 3600
    ):
        form.add_error(None, _("Too many tries from your network. Come back in an hour."))
    if form.is_valid():
        user = form.save(commit=False)
        try:
            with transaction.atomic():
                invitations.accept(secret, user) if secret is not None else user.save()
        except invitations.NotInvited:
            return render(request, "accounts/not_invited.html", status=404)
        except IntegrityError:
            form.add_error("username", _("Somebody was quicker to take this name."))
        else:
            _enter(request, user)
            messages.success(request, _("Your account is ready. Now for your viewing history."))
            return redirect("imports:new")
    return render(request, "accounts/sign_up.html", {"form": form})


# --- forgotten passwords -----------------------------------------------------------------------


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """The answer is the same, and takes as long, whether or not anybody has the address."""
    if not settings.SENDS_EMAIL:
        raise Http404
    form = ForgottenForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        by_visitor = f"reset:{client_network(request)}"
        by_address = f"reset:{form.cleaned_data['email'].casefold()}"
        within = [allow(what, RESETS_PER_HOUR, 3600) for what in (by_visitor, by_address)]
        user_ids = form.user_ids()
        send_reset_links.enqueue(
            user_ids if all(within) else [],
            request.build_absolute_uri("/").rstrip("/"),
            get_language() or settings.LANGUAGE_CODE,
        )
        messages.success(
            request,
            _("If an account has this address, a link to set a new password is on its way."),
        )
        return redirect("accounts:login")
    return render(request, "accounts/forgotten.html", {"form": form})


class _Reset(auth_views.PasswordResetConfirmView):
    template_name = "accounts/reset.html"

    def form_valid(self, form: SetPasswordForm[User]) -> HttpResponse:
        response = super().form_valid(form)
        user = cast("User", self.user)
        sessions.end_all(user)
        audit.record(user.pk, EventKind.PASSWORD_RESET, request=self.request)
        _revoke_tokens(self.request, user)
        forget_failures(self.request, user)
        messages.success(
            self.request,
            _("Your password is changed, and API tokens are revoked. Sign in with the new one."),
        )
        return response

    def get_success_url(self) -> str:
        return reverse("accounts:login")


@public
def reset(request: HttpRequest, uidb64: str, token: str) -> HttpResponseBase:
    return _Reset.as_view()(request, uidb64=uidb64, token=token)


# --- the account page --------------------------------------------------------------------------


@require_GET
@never_cache
def account(request: SignedInRequest) -> HttpResponse:
    return _account_page(request)


def _account_page(request: SignedInRequest, **shown_once: str) -> HttpResponse:
    """The page, with what was just made and is never shown again: `token` or `invitation`."""
    user = request.user
    may_invite = user.is_staff and invitations.are_offered()
    events = Paginator(user.events.newest_first(), EVENTS_SHOWN).get_page(request.GET.get("page"))
    context = {
        "tokens": user.api_tokens.all(),
        "token_form": TokenForm(),
        "may_invite": may_invite,
        "invitations": user.invitations.open().order_by("expires_at") if may_invite else (),
        "events": events,
        "sends_email": settings.SENDS_EMAIL,
        "sessions": user.sessions.filter(expire_date__gt=timezone.now()).count(),
        **shown_once,
    }
    return render(request, "accounts/account.html", context)


def password(request: SignedInRequest) -> HttpResponseBase:
    view = auth_views.PasswordChangeView.as_view(
        template_name="accounts/password.html",
        form_class=OldPasswordForm,
        success_url=reverse("accounts:account"),
    )
    response = view(request)
    if request.method == "POST" and response.status_code == 302:
        audit.record(request.user.pk, EventKind.PASSWORD_CHANGED, request=request)
        changed = _("Your password is changed. Other browsers are signed out.")
        if request.user.api_tokens.exists():
            changed += " " + _("Your API tokens still work: revoke those that you do not know.")
        messages.success(request, changed)
    return response


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def email(request: SignedInRequest) -> HttpResponse:
    form = EmailForm(
        request.user,
        request.POST if request.method == "POST" else None,
        initial={"email": request.user.email},
    )
    if form.is_valid():
        request.user.email = form.cleaned_data["email"]
        request.user.save(update_fields=["email"])
        audit.record(request.user.pk, EventKind.EMAIL_CHANGED, request=request)
        messages.success(request, _("Your e-mail address is saved."))
        return redirect("accounts:account")
    return render(request, "accounts/email.html", {"form": form})


@require_POST
def sign_out_everywhere(request: SignedInRequest) -> HttpResponse:
    user = request.user
    auth_logout(request)
    sessions.end_all(user)
    audit.record(user.pk, EventKind.SIGNED_OUT_EVERYWHERE, request=request)
    _revoke_tokens(request, user)
    messages.success(request, _("You are signed out everywhere, and no API token opens anything."))
    return redirect("accounts:login")


def _revoke_tokens(request: HttpRequest, user: User) -> None:
    """Revoke them all: whoever was signed in may have made one."""
    for token in user.api_tokens.all():
        token.delete()
        audit.record(user.pk, EventKind.TOKEN_REVOKED, request=request, subject=token.name)


@require_POST
@never_cache
def make_token(request: SignedInRequest) -> HttpResponse:
    form = TokenForm(request.POST)
    if request.user.api_tokens.count() >= tokens.MOST_PER_USER:
        messages.error(request, _("You have enough tokens. Revoke one that you no longer use."))
    elif form.is_valid():
        name = form.cleaned_data["name"]
        token = tokens.make(request.user, name)
        audit.record(request.user.pk, EventKind.TOKEN_MADE, request=request, subject=name)
        return _account_page(request, token=token)
    else:
        messages.error(request, _("Say in a few words what the token is for."))
    return redirect("accounts:account")


@require_POST
def revoke_token(request: SignedInRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(ApiToken, user=request.user, pk=pk)
    token.delete()
    audit.record(request.user.pk, EventKind.TOKEN_REVOKED, request=request, subject=token.name)
    messages.success(request, _("The token no longer opens anything."))
    return redirect("accounts:account")


@require_POST
@never_cache
def invite(request: SignedInRequest) -> HttpResponse:
    if not (request.user.is_staff and invitations.are_offered()):
        raise Http404
    link = reverse("accounts:invitation", args=[invitations.invite(request.user)])
    audit.record(request.user.pk, EventKind.INVITED, request=request)
    return _account_page(request, invitation=request.build_absolute_uri(link))


@require_POST
def withdraw(request: SignedInRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Invitation.objects.open(), created_by=request.user, pk=pk)
    found.delete()
    audit.record(request.user.pk, EventKind.INVITATION_WITHDRAWN, request=request)
    messages.success(request, _("The invitation no longer lets anybody in."))
    return redirect("accounts:account")


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: SignedInRequest) -> HttpResponse:
    form = PreferencesForm(
        request.POST if request.method == "POST" else None, instance=request.user
    )
    if form.is_valid():
        form.save()
        messages.success(request, SAVED)
        return redirect("accounts:settings")
    if form.is_bound:
        # What was refused stands in the form and nowhere else on the page.
        request.user.refresh_from_db()
    return render(request, "accounts/settings.html", {"form": form})
