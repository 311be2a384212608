"""Needs attention, and saying what an entry is.

Each decision is one POST. From the list it is answered with what was decided, to stand in the
item's place (htmx), or by going back to the list; from an entry's own page by going to what the
entry has become.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import wraps
from threading import BoundedSemaphore

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.http import SignedInRequest
from accounts.limits import allow
from accounts.way_back import require_POST
from media import attention, deciding, refreshing, searching
from media.attention_forms import (
    Act,
    ActForm,
    MatchForm,
    MergeForm,
    PageForm,
    SearchForm,
    SeriesForm,
    confirmed,
    name_ids,
    readings,
    titles,
)
from media.fixing import fix_page
from media.models import DecidedBy, DecisionLog, LibraryEntry, LookupStatus, Media
from media.tasks import look_up_waiting
from tmdb.errors import TmdbNotFound

# Answers that are not kept take seconds, in which a thread serves nobody else. There are eight,
# of which uploads may hold half: one at least is left for pages.
QUESTIONS_PER_MINUTE = 60
MOST_ASKING = 3
_asking = BoundedSemaphore(MOST_ASKING)
# An answer so new is not asked for again.
FRESH = timedelta(minutes=10)
TOO_OFTEN = gettext_lazy("TMDB was asked very often just now. Wait a minute, then try again.")


def _entry_or_404(
    view: Callable[[SignedInRequest, LibraryEntry], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Give the view the user's own entry; others', and what has gone meanwhile, are not found."""

    @wraps(view)
    def inner(request: SignedInRequest, pk: int) -> HttpResponse:
        entries = LibraryEntry.objects.of(request.user).with_last_time().select_related("media")
        entry = get_object_or_404(entries.prefetch_related("names"), pk=pk)
        try:
            return view(request, entry)
        except LibraryEntry.DoesNotExist as gone:
            raise Http404 from gone

    return inner


@require_safe
def attention_list(request: SignedInRequest) -> HttpResponse:
    form = PageForm(request.GET)
    page = attention.attention_page(request.user, form.kind(), form.number())
    return render(request, "media/attention.html", {"attention": page, "open_items": page.open})


@require_safe
def decided(request: SignedInRequest) -> HttpResponse:
    number = PageForm(request.GET).number()
    page, decisions = attention.decided_page(request.user, number)
    return render(request, "media/decided.html", {"page": page, "decisions": decisions})


@require_safe
@vary_on_headers("HX-Request")
@_entry_or_404
def fix(request: SignedInRequest, entry: LibraryEntry) -> HttpResponse:
    words = SearchForm(request.GET).words()
    found = None
    if words and entry.media.is_series:
        with _turn_to_ask(request) as may_ask:
            if may_ask:
                found = searching.search(entry, words)
            else:
                messages.error(request, TOO_OFTEN)
    page = fix_page(request.user, entry, words, found)
    if _is_partial(request):
        found_now = {
            "item": page.item,
            "words": words,
            "problem": page.problem,
            "candidates": page.others[: attention.FIRST],
            "further": page.others[attention.FIRST :],
        }
        return render(request, "media/_attention_found.html", found_now)
    return render(request, "media/fix.html", {"fix": page})


@require_POST
@_entry_or_404
def match(request: SignedInRequest, entry: LibraryEntry) -> HttpResponse:
    form = MatchForm(request.POST)
    if not entry.media.is_series or not form.is_valid():
        return _refused(request, entry, _("Choose one of the series, or search for another."))
    with _turn_to_ask(request) as may_ask:
        if not may_ask:
            return _refused(request, entry, str(TOO_OFTEN))
        try:
            found = deciding.match_to(entry, form.cleaned_data["tmdb_id"], DecidedBy.USER)
        except TmdbNotFound:
            text = _("TMDB has no such series any more. Nothing was changed.")
            return _refused(request, entry, text)
    return _done(request, found)


@require_POST
@_entry_or_404
def act(request: SignedInRequest, entry: LibraryEntry) -> HttpResponse:
    form = ActForm(request.POST)
    wanted = Act(form.cleaned_data["act"]) if form.is_valid() else None
    is_series = entry.media.is_series
    if wanted == Act.MOVIE and is_series:
        films = deciding.make_movies(entry, DecidedBy.USER)
        return _done(request, films[0] if len(films) == 1 else None)
    if wanted == Act.IGNORE and is_series:
        return _done(request, deciding.ignore(entry, DecidedBy.USER))
    if wanted in (Act.HIDE, Act.SHOW):
        deciding.hide(entry, hidden=wanted == Act.HIDE)
        return _done(request, None if wanted == Act.HIDE else entry)
    if wanted == Act.REOPEN and is_series:
        entries = deciding.clear_match(entry, DecidedBy.USER)
        look_up_waiting.enqueue(request.user.pk)
        return _done(request, entries[0])
    return _refused(request, entry, _("This can’t be said of this title."))


@require_POST
@_entry_or_404
def make_series(request: SignedInRequest, entry: LibraryEntry) -> HttpResponse:
    form = SeriesForm(request.POST)
    if entry.media.is_series or not form.is_valid():
        return _refused(request, entry, _("Say of which series this is an episode."))
    series = deciding.make_series(entry, form.cleaned_data["series"])
    if series.lookup_status == LookupStatus.PENDING:
        look_up_waiting.enqueue(request.user.pk)
    return _done(request, series)


@require_POST
@_entry_or_404
def make_movies(request: SignedInRequest, entry: LibraryEntry) -> HttpResponse:
    films = deciding.read_as_movies(entry, titles(request.POST))
    if not films:
        return _refused(request, entry, _("Tick the titles that are movies."))
    return _done(request, films[0] if len(films) == 1 else None)


@require_POST
@_entry_or_404
def split(request: SignedInRequest, entry: LibraryEntry) -> HttpResponse:
    try:
        apart = deciding.split(entry, name_ids(request.POST))
    except ValueError:
        return _refused(request, entry, _("Tick the names that are something else, but not all."))
    _say_done(request)
    return redirect("media:fix", apart.pk)


@require_POST
@_entry_or_404
def merge(request: SignedInRequest, entry: LibraryEntry) -> HttpResponse:
    others = LibraryEntry.objects.of(request.user).series().exclude(pk=entry.pk)
    form = MergeForm(request.POST)
    if not entry.media.is_series or not form.is_valid():
        return _refused(request, entry, _("Choose the series that this one is the same as."))
    other = get_object_or_404(others, pk=form.cleaned_data["into"])
    return _done(request, deciding.merge(entry, other))


@require_POST
@_entry_or_404
def ask_again(request: SignedInRequest, entry: LibraryEntry) -> HttpResponse:
    """Ask TMDB anew about a series: for its totals, or whether it has the series again."""
    before = entry.media.tmdb_gone_at, entry.media.total_episodes
    asked = entry.media.last_tmdb_update
    if before[0] is None and asked and timezone.now() - asked < FRESH:
        messages.info(request, _("TMDB was asked about this series just now."))
        return redirect(_back(request))
    with _turn_to_ask(request) as may_ask:
        if not may_ask:
            messages.error(request, TOO_OFTEN)
        elif not refreshing.refresh(entry.media):
            messages.warning(request, _("TMDB does not answer now. Try again in a minute."))
        else:
            entry.media.refresh_from_db()
            messages.success(request, _what_is_new(entry.media, *before))
    return redirect(_back(request))


def _what_is_new(media: Media, gone_before: datetime | None, total_before: int | None) -> str:
    if media.tmdb_gone_at is not None:
        return _("TMDB has no series with this ID any more.")
    if gone_before is not None:
        return _("TMDB has it again.")
    if media.total_episodes == total_before:
        return _("TMDB has nothing new: the total is the same.")
    return _("The total is %(total)s episodes now.") % {"total": media.total_episodes}


@require_POST
def confirm(request: SignedInRequest) -> HttpResponse:
    with _turn_to_ask(request) as may_ask:
        if not may_ask:
            messages.error(request, TOO_OFTEN)
        elif not deciding.confirm(request.user.pk, confirmed(request.POST)):
            messages.warning(request, _("Tick the series that are right first."))
    return redirect(_back(request))


@require_POST
def read_titles(request: SignedInRequest) -> HttpResponse:
    wanted = readings(request.POST)
    if wanted is None or not deciding.read_titles(request.user.pk, *wanted):
        messages.info(request, _("This was settled already."))
        return redirect(_back(request))
    look_up_waiting.enqueue(request.user.pk)
    left = attention.doubt_about(request.user, request.POST.get("series", ""))
    return _done(request, None, left)


@require_POST
def undo(request: SignedInRequest, pk: int) -> HttpResponse:
    log = get_object_or_404(DecisionLog.objects.of(request.user), pk=pk)
    text = attention.in_words(log)
    try:
        deciding.undo(log)
    except deciding.CannotUndo:
        messages.error(
            request, _("Something was decided about the same names since. Undo that first.")
        )
    else:
        messages.success(request, _("Undone: %(decision)s.") % {"decision": text})
    return redirect(_back(request))


@contextmanager
def _turn_to_ask(request: SignedInRequest) -> Iterator[bool]:
    """Whether TMDB may be asked now, without this user, or all together, keeping others waiting."""
    if not allow(f"tmdb:{request.user.pk}", QUESTIONS_PER_MINUTE, 60) or not _asking.acquire(
        blocking=False
    ):
        yield False
    else:
        try:
            yield True
        finally:
            _asking.release()


# --- answers -----------------------------------------------------------------------------------


def _is_partial(request: SignedInRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def _back(request: SignedInRequest) -> str:
    """Where on the list the decision was made."""
    there = request.POST.get("next", "")
    # What is no path would be taken for the name of a page.
    if there.startswith("/") and url_has_allowed_host_and_scheme(
        there, {request.get_host()}, request.is_secure()
    ):
        return there
    return reverse("media:attention")


def _done(
    request: SignedInRequest, entry: LibraryEntry | None, left: attention.Doubt | None = None
) -> HttpResponse:
    """Answer a decision after which `entry` is what it was about, and `left` still to be asked."""
    if _is_partial(request):
        answer = {
            "decided": attention.latest_decisions(request.user)[0],
            "doubt": left,
            "back": _back(request),
            "open_items": attention.count_open(request.user),
        }
        return render(request, "media/_attention_done.html", answer)
    if "next" in request.POST:
        return redirect(_back(request))
    _say_done(request)
    return redirect(entry or "media:library")


def _say_done(request: SignedInRequest) -> None:
    latest = attention.latest_decisions(request.user)[0]
    link = reverse("media:decided")
    messages.success(request, format_html('{}. <a href="{}">{}</a>', latest.text, link, _("Undo")))


def _refused(request: SignedInRequest, entry: LibraryEntry, text: str) -> HttpResponse:
    messages.error(request, text)
    return redirect("media:fix", entry.pk)
