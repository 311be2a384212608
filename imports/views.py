"""Handing in files, watching them being imported, and what came of it."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.http import SignedInRequest
from accounts.way_back import require_POST
from imports import importing
from imports.forms import Act, ActForm, AnswerForm, UploadForm
from imports.importing import Refused, answer
from imports.list_page import lines_of, list_page
from imports.models import Import, State
from imports.pages import can_be_undone, import_page, problems_as_csv
from imports.rows import RowsForm, rows_page
from imports.uploads import brings_too_much, hand_in, take_files

RECENT = 3


@csrf_exempt  # Only until the upload's bounds are set: `_new` checks the token.
def new(request: SignedInRequest) -> HttpResponseBase:
    if brings_too_much(request):
        text = _("This is more than watchlog takes at once. No file may be larger than %(limit)s.")
        limit = filesizeformat(settings.IMPORT_MAX_BYTES)
        messages.error(request, text % {"limit": limit})
        return redirect("imports:new")
    take_files(request)
    return _new(request)


@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def _new(request: SignedInRequest) -> HttpResponse:
    sent = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = UploadForm(*sent, initial={"min_minutes": request.user.min_minutes})
    if form.is_valid():
        given = form.cleaned_data
        preview_first = bool(given["preview"])
        taken = hand_in(request.user, given["file"], form.options(), preview_first=preview_first)
        if len(taken.imports) == 1 and not taken.refusals:
            return redirect(taken.imports[0])
        for refusal in taken.refusals:
            messages.error(request, refusal)
        if taken.imports:
            return redirect("imports:list")
    recent = Import.objects.of(request.user).newest_first()[:RECENT]
    return render(request, "imports/new.html", {"form": form, "recent": lines_of(recent)})


@require_safe
@never_cache
@vary_on_headers("HX-Request")
def history(request: SignedInRequest) -> HttpResponse:
    page = list_page(request.user, request.GET.get("page"))
    is_partial = request.headers.get("HX-Request") == "true"
    if is_partial and request.GET.get("have") == page.version:
        return HttpResponse(status=204)
    template = "imports/_list.html" if is_partial else "imports/list.html"
    return render(request, template, {"page": page, "keeps_room": page.polls or is_partial})


@require_safe
@never_cache
def detail(request: SignedInRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Import.objects.of(request.user), pk=pk)
    page = import_page(found, request.GET.get("rows"), request.GET.get("page"))
    return render(request, "imports/detail.html", {"page": page})


@require_safe
@never_cache
@vary_on_headers("HX-Request")
def rows(request: SignedInRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Import.objects.of(request.user).select_related("user"), pk=pk)
    page = rows_page(found, RowsForm(request.GET).query())
    is_partial = request.headers.get("HX-Request") == "true"
    template = "imports/_rows.html" if is_partial else "imports/rows.html"
    return render(request, template, {"page": page})


@require_safe
@never_cache
def progress(request: SignedInRequest, pk: int) -> HttpResponse:
    page = import_page(get_object_or_404(Import.objects.of(request.user), pk=pk))
    if request.GET.get("have") == page.version:
        return HttpResponse(status=204)
    return render(request, "imports/_import.html", {"page": page})


@require_POST
def answers(request: SignedInRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Import.objects.of(request.user), pk=pk)
    if found.state != State.NEEDS_ANSWER or not found.question:
        return redirect(found)
    form = AnswerForm(found.question["questions"], request.POST)
    if not form.is_valid():
        page = import_page(found, form=form)
        return render(request, "imports/detail.html", {"page": page}, status=422)
    try:
        answer(found, **form.cleaned_data)
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(found)


@require_POST
def act(request: SignedInRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Import.objects.of(request.user), pk=pk)
    form = ActForm(request.POST)
    if form.is_valid():
        try:
            messages.success(request, _perform(Act(form.cleaned_data["act"]), found, request))
        except Refused as refusal:
            messages.error(request, str(refusal))
    return redirect(found)


def _perform(wanted: Act, found: Import, request: SignedInRequest) -> str:
    """Do it; returns what to tell. Raises Refused."""
    match wanted:
        case Act.CONFIRM:
            if not importing.confirm(found):
                raise Refused(_("This import does not wait for you any more."))
            return _("The file is being imported.")
        case Act.CANCEL:
            if not importing.cancel(found):
                raise Refused(_("There is nothing left to cancel: this import is over."))
            return _("The import is cancelled.")
        case Act.TRY_AGAIN:
            importing.try_again(found)
            return _("The file is being imported once more.")
        case Act.FORGET_FILE:
            if not importing.forget_file(found, request=request):
                raise Refused(_("Nothing was deleted: the file is in use, or gone already."))
            return _("The stored file is deleted. What it brought stays.")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def undo(request: SignedInRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Import.objects.of(request.user), pk=pk)
    if found.undo_asked_at is not None and not found.is_active:
        # Asked twice, as by a double click: the page says how far it is.
        return redirect(found)
    if not can_be_undone(found):
        messages.error(request, _("There is nothing of this import to undo."))
        return redirect(found)
    if request.method == "POST":
        importing.undo(found, request=request)
        return redirect(found)
    loss = importing.what_undo_takes(found)
    return render(request, "imports/undo.html", {"import": found, "loss": loss})


@require_safe
def problems(request: SignedInRequest, pk: int) -> StreamingHttpResponse:
    found = get_object_or_404(Import.objects.of(request.user), pk=pk)
    response = StreamingHttpResponse(
        problems_as_csv(found.problems.iterator(chunk_size=2000)),
        content_type="text/csv; charset=utf-8",
    )
    response["Content-Disposition"] = f'attachment; filename="watchlog-problems-{found.pk}.csv"'
    return response
