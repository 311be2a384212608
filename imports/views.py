"""Handing in files, watching them being imported, and what came of it."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.http import SignedInRequest
from imports.forms import AnswerForm, UploadForm
from imports.importing import Refused, answer
from imports.models import Import, State
from imports.pages import IMPORTS_PER_PAGE, import_page, problems_as_csv
from imports.uploads import BoundedUpload, hand_in

RECENT = 3


@csrf_exempt  # Only until the upload's bounds are set: `_new` checks the token.
def new(request: SignedInRequest) -> HttpResponseBase:
    request.upload_handlers.insert(0, BoundedUpload(request))
    return _new(request)


@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def _new(request: SignedInRequest) -> HttpResponse:
    is_post = request.method == "POST"
    form = (
        UploadForm(request.POST, request.FILES)
        if is_post
        else UploadForm(initial={"min_minutes": request.user.min_minutes})
    )
    if form.is_valid():
        taken = hand_in(request.user, form.cleaned_data["file"], form.options())
        if len(taken.imports) == 1 and not taken.refusals:
            return redirect(taken.imports[0])
        for refusal in taken.refusals:
            messages.error(request, refusal)
        if taken.imports:
            return redirect("imports:list")
    recent = Import.objects.of(request.user).newest_first()[:RECENT]
    return render(request, "imports/new.html", {"form": form, "recent": recent})


@require_safe
def history(request: SignedInRequest) -> HttpResponse:
    imports = Import.objects.of(request.user).newest_first()
    page = Paginator(imports, IMPORTS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "imports/list.html", {"page": page})


@require_safe
@never_cache
def detail(request: SignedInRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Import.objects.of(request.user), pk=pk)
    page = import_page(found, request.GET.get("rows"), request.GET.get("page"))
    return render(request, "imports/detail.html", {"page": page})


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


@require_safe
def problems(request: SignedInRequest, pk: int) -> StreamingHttpResponse:
    found = get_object_or_404(Import.objects.of(request.user), pk=pk)
    response = StreamingHttpResponse(
        problems_as_csv(found.problems.iterator(chunk_size=2000)),
        content_type="text/csv; charset=utf-8",
    )
    response["Content-Disposition"] = f'attachment; filename="watchlog-problems-{found.pk}.csv"'
    return response
