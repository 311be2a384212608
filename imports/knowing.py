"""What a user's library teaches the reader about the next file."""

from __future__ import annotations

from imports.reading import NOTHING_KNOWN, Known, KnownSeries
from media.models import Decision, EntryName, LookupStatus, MediaType, Viewing


def known_to(user_id: int | None) -> Known:
    """The series of a library, but those that were said to be movies."""
    if user_id is None:
        return NOTHING_KNOWN
    seasons: dict[int, set[int]] = {}
    for name_id, season in (
        Viewing.objects.filter(user_id=user_id, season_number__isnull=False)
        .order_by()
        .values_list("name_id", "season_number")
        .distinct()
    ):
        seasons.setdefault(name_id, set()).add(season or 0)
    names = EntryName.objects.filter(user_id=user_id, media_type=MediaType.TV_SERIES)
    return Known(
        series={
            key: KnownSeries(
                name=name,
                language=language or None,
                seasons=frozenset(seasons.get(pk, ())),
                confirmed=status == LookupStatus.MATCHED or decision == Decision.MATCHED,
            )
            for pk, key, name, language, status, decision in names.exclude(
                decision=Decision.MOVIE
            ).values_list("pk", "key", "name", "language", "entry__lookup_status", "decision")
        },
    )
