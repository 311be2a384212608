"""The library as JSON, read-only; docs/api.md describes it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import InvalidPage, Paginator
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.tokens import TooManyRequests, user_of
from media.models import LibraryEntry

PER_PAGE = 100


@login_not_required
@require_safe
@never_cache
def media_list(request: HttpRequest) -> JsonResponse:
    try:
        user = user_of(request)
    except TooManyRequests:
        return JsonResponse(
            {"detail": "Too many requests. Wait a minute."}, status=429, headers={"Retry-After": 60}
        )
    if user is None:
        return JsonResponse(
            {"detail": "Sign in first, or send a token that your account page makes."},
            status=401,
            headers={"WWW-Authenticate": "Bearer"},
        )
    entries = LibraryEntry.objects.of(user).visible().select_related("media")
    paginator = Paginator(entries.order_by("pk"), PER_PAGE)
    try:
        page = paginator.page(request.GET.get("page", 1))
    except InvalidPage:
        return JsonResponse({"detail": "There is no such page."}, status=404)
    return JsonResponse(
        {
            "count": paginator.count,
            "next": _address(request, page.next_page_number()) if page.has_next() else None,
            "previous": _address(request, page.previous_page_number())
            if page.has_previous()
            else None,
            "results": [as_json(entry) for entry in page],
        }
    )


def _address(request: HttpRequest, page: int) -> str:
    return request.build_absolute_uri(f"{request.path}?page={page}")


def as_json(entry: LibraryEntry) -> dict[str, object]:
    """One entry; days are ISO dates, totals are null while unknown and for movies.

    `id` is the catalogue's, as in the export.
    """
    media = entry.media
    return {
        "id": media.pk,
        "title": media.title,
        "media_type": media.media_type,
        "total_seasons": media.total_seasons,
        "total_episodes": media.total_episodes,
        "watched_episodes_count": entry.watched_episodes_count,
        "lookup_status": entry.lookup_status,
        "tmdb_id": media.tmdb_id,
        "first_watched": entry.first_watched,
        "last_watched": entry.last_watched,
    }
