"""Making what imports and look-ups would make, for tests."""

from __future__ import annotations

from datetime import date

from accounts.models import User
from media import library, lookup
from media.keys import digest, fingerprint
from media.models import LibraryEntry, MediaType, Viewing

DAY = date(2020, 5, 1)


def watch(
    user: User,
    series: str,
    *titles: str,
    season: int = 1,
    day: date = DAY,
    language: str = "en",
) -> LibraryEntry:
    """Viewings of a series' episodes, as an import would store them."""
    name = library.NewName(MediaType.TV_SERIES, series, series.casefold(), language)
    found = library.find_or_create_names(user.pk, [name])[MediaType.TV_SERIES, name.key]
    for title in titles:
        raw = f"{series}: Season {season}: {title}"
        Viewing.objects.create(
            user=user,
            entry_id=found.entry_id,
            name=found,
            kind="episode",
            raw_title=raw,
            title_hash=digest(raw),
            fingerprint=fingerprint(digest(raw), day),
            day=day,
            season_number=season,
            episode_title=title,
        )
    library.recount([found.entry_id])
    return LibraryEntry.objects.get(pk=found.entry_id)


def look_up(**options) -> list[lookup.Result]:
    results: list[lookup.Result] = []
    lookup.look_up(LibraryEntry.objects.all().waiting(), on_result=results.append, **options)
    return results
