"""A user's own data: to take along, and to delete."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import chain

from django.contrib import messages
from django.contrib.auth import logout
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts import audit
from accounts.forms import PasswordForm
from accounts.http import SignedInRequest
from accounts.models import EventKind, User
from media.exporting import export_lines
from media.spreadsheets import csv_lines
from watchlog.leaving import delete_account, is_last_administrator


@require_safe
@never_cache
def download(request: SignedInRequest) -> StreamingHttpResponse:
    lines = chain(export_lines(request.user), _account_lines(request.user))
    return _file(request, (f"{line}\n" for line in lines), "application/x-ndjson", "jsonl")


# What is no data about anybody, or a hash that would open doors.
LEFT_OUT = {"password", "is_superuser", "is_staff", "is_active", "groups", "user_permissions"}


def _account_lines(user: User) -> Iterator[str]:
    """What is kept beside the library; of these lines imports take the preferences alone."""
    account = {
        column.attname: getattr(user, column.attname)
        for column in user._meta.concrete_fields
        if column.name not in LEFT_OUT
    }
    yield _line("account", account)
    for event in user.events.order_by("pk").values("kind", "at", "address", "subject"):
        yield _line("event", event)
    for decision in user.decisions.order_by("pk").values(
        "kind", "made_at", "subject", "outcome", "count"
    ):
        yield _line("decision", decision)
    for token in user.api_tokens.values("name", "created_at", "last_used_at"):
        yield _line("token", token)
    for of_import in user.imports.order_by("pk").values(
        "filename", "state", "created_at", "file_format", "rows", "rows_new"
    ):
        yield _line("import", of_import)


def _line(kind: str, content: Mapping[str, object]) -> str:
    return json.dumps({"type": kind, **content}, ensure_ascii=False, cls=DjangoJSONEncoder)


@require_safe
@never_cache
def download_csv(request: SignedInRequest) -> StreamingHttpResponse:
    return _file(request, csv_lines(request.user), "text/csv", "csv")


def _file(
    request: SignedInRequest, lines: Iterator[str], content_type: str, ending: str
) -> StreamingHttpResponse:
    if request.method == "GET":
        audit.record(request.user.pk, EventKind.EXPORTED, request=request, subject=ending)
    response = StreamingHttpResponse(lines, content_type=f"{content_type}; charset=utf-8")
    name = f"watchlog-{timezone.localdate().isoformat()}.{ending}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: SignedInRequest) -> HttpResponse:
    form = PasswordForm(request.user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        user = request.user
        logout(request)
        delete_account(user)
        messages.success(request, _("Your account is deleted, and everything that was in it."))
        return redirect("accounts:login")
    context = {"form": form, "is_last_administrator": is_last_administrator(request.user)}
    return render(request, "accounts/delete.html", context)
