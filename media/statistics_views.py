"""Statistics, and somebody's year."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.http import SignedInRequest
from media.statistics_pages import StatisticsForm, statistics_page
from media.your_year import year_page, year_picture


class YearConverter:
    """A year of which a file may tell."""

    regex = r"19[0-9]{2}|2[0-9]{3}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


@require_safe
def statistics(request: SignedInRequest) -> HttpResponse:
    page = statistics_page(request.user, StatisticsForm(request.GET).query())
    return render(request, "media/statistics.html", {"statistics": page})


@require_safe
def year(request: SignedInRequest, year: int) -> HttpResponse:
    return render(request, "media/year.html", {"year": year_page(request.user, year)})


@require_safe
def picture(request: SignedInRequest, year: int) -> HttpResponse:
    drawn = year_picture(year_page(request.user, year))
    if drawn is None:
        raise Http404
    response = render(request, "media/year.svg", {"picture": drawn}, content_type="image/svg+xml")
    response["Content-Disposition"] = f'attachment; filename="watchlog-{year}.svg"'
    return response
