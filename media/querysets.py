"""Reads of the library, named by what they mean."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Q

if TYPE_CHECKING:
    from accounts.models import User
    from media.models import LibraryEntry, Media, Viewing

    MediaBase = models.QuerySet[Media]
    LibraryEntryBase = models.QuerySet[LibraryEntry]
    ViewingBase = models.QuerySet[Viewing]
else:
    MediaBase = LibraryEntryBase = ViewingBase = models.QuerySet


class MediaQuerySet(MediaBase):
    def shared(self) -> Self:
        """What TMDB knows, and so what all users may see."""
        return self.filter(tmdb_id__isnull=False)

    def series(self) -> Self:
        return self.filter(media_type="tv_series")

    def without_totals(self) -> Self:
        return self.series().filter(total_episodes__isnull=True)


class LibraryEntryQuerySet(LibraryEntryBase):
    def of(self, user: User) -> Self:
        return self.filter(user=user)

    def series(self) -> Self:
        return self.filter(media__media_type="tv_series")

    def movies(self) -> Self:
        return self.filter(media__media_type="movie")

    def visible(self) -> Self:
        """Without the entries all of whose names are hidden."""
        return self.filter(models.Exists(self._names().filter(is_hidden=False)))

    def hidden(self) -> Self:
        return self.exclude(models.Exists(self._names().filter(is_hidden=False)))

    def complete(self) -> Self:
        """Every episode aired so far is watched (rule 11)."""
        return self.series().filter(
            Q(media__aired_episodes__gt=0, watched_episodes_count__gte=F("media__aired_episodes"))
            | Q(
                media__aired_episodes__isnull=True,
                media__total_episodes__gt=0,
                watched_episodes_count__gte=F("media__total_episodes"),
            )
        )

    def in_progress(self) -> Self:
        return (
            self.series()
            .filter(watched_episodes_count__gt=0)
            .exclude(pk__in=self.model._default_manager.all().complete().values("pk"))
        )

    def needing_attention(self) -> Self:
        return self.filter(lookup_status__in=["uncertain", "not_found", "error"])

    def waiting(self) -> Self:
        """To be looked up, in the order in which the first screen fills (rule 24)."""
        return self.filter(lookup_status__in=["pending", "error"]).order_by(
            F("last_watched").desc(nulls_last=True), "pk"
        )

    def due(self, now: datetime) -> Self:
        """Without those whose last look-up failed so recently that it's not yet time again."""
        return self.filter(Q(next_lookup_at__isnull=True) | Q(next_lookup_at__lte=now))

    def named_like(self, text: str) -> Self:
        """Whose own names or catalogue titles contain `text`."""
        return self.filter(
            models.Exists(self._names().filter(name__icontains=text))
            | Q(media__title__icontains=text)
            | Q(media__original_title__icontains=text)
        )

    def for_display(self) -> Self:
        """With what a card shows, in a fixed number of queries."""
        return self.select_related("media").prefetch_related("media__seasons")

    @staticmethod
    def _names() -> models.QuerySet[models.Model]:
        from media.models import EntryName

        return EntryName.objects.filter(entry=models.OuterRef("pk"))  # type: ignore[return-value]


class ViewingQuerySet(ViewingBase):
    def of(self, user: User) -> Self:
        return self.filter(user=user)

    def counted(self) -> Self:
        """What counts towards progress: episodes that nobody dismissed (rule 10)."""
        return self.filter(kind="episode", dismissed_at__isnull=True)

    def shown(self) -> Self:
        return self.filter(dismissed_at__isnull=True)

    def newest_first(self) -> Self:
        return self.order_by(F("day").desc(nulls_last=True), "-pk")
