"""Posters through this site, so that TMDB does not see who looks at what."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.urls.converters import StringConverter
from django.views.decorators.http import require_safe

from accounts.http import SignedInRequest
from accounts.limits import allow
from tmdb import images

WIDTHS = (185, 342, 500)
# Names can be made up, and each is a request and a file here.
NEW_PER_HOUR = 3000
A_MONTH = 30 * 24 * 60 * 60


class SizeConverter(StringConverter):
    regex = "|".join(f"w{width}" for width in WIDTHS)


class NameConverter(StringConverter):
    """A poster's file, as TMDB names it."""

    regex = r"[A-Za-z0-9_-]{1,100}\.(?:jpg|jpeg|png|webp)"


@require_safe
def poster(request: SignedInRequest, size: str, name: str) -> HttpResponse:
    picture = images.poster(
        f"/{name}",
        size,
        may_ask=lambda: allow(f"poster:{request.user.pk}", NEW_PER_HOUR, 3600),
    )
    if picture is None:
        raise Http404
    response = HttpResponse(picture.content, content_type=picture.content_type)
    response["Cache-Control"] = f"private, max-age={A_MONTH}, immutable"
    # Were it ever anything but a picture, it could do nothing.
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    return response
