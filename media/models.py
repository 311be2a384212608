"""The library: what exists (shared catalogue), and what each user watched."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import connection, models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.db.models.lookups import IsNull
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from media.days import shown_day
from media.folding import FoldedField
from tmdb.names import search_key


class MediaType(models.TextChoices):
    TV_SERIES = "tv_series", _("series")
    MOVIE = "movie", _("movie")


class LookupStatus(models.TextChoices):
    """How far the question "which TMDB series is this?" has come (rule 20)."""

    NOT_NEEDED = "not_needed", _("not needed")
    PENDING = "pending", _("waiting to be looked up")
    MATCHED = "matched", _("matched")
    UNCERTAIN = "uncertain", _("uncertain")
    NOT_FOUND = "not_found", _("not found")
    ERROR = "error", _("look-up failed")
    IGNORED = "ignored", _("not on TMDB")


class DecidedBy(models.TextChoices):
    AUTOMATIC = "automatic", _("watchlog")
    USER = "user", _("you")
    ADMIN = "admin", _("an administrator")


if TYPE_CHECKING:
    from accounts.models import User

REFRESH_RETURNING = timedelta(days=7)
REFRESH_ENDED = timedelta(days=90)


class MediaQuerySet(models.QuerySet["Media"]):
    def shared(self) -> Self:
        """What TMDB knows, and so what all users may see."""
        return self.filter(tmdb_id__isnull=False)

    def series(self) -> Self:
        return self.filter(media_type="tv_series")

    def without_totals(self) -> Self:
        return self.series().filter(total_episodes__isnull=True)

    def due_for_refresh(self, now: datetime) -> Self:
        """Shared series whose totals may be out of date, the oldest first.

        Series that go on after a week, others after 90 days; rows without any totals at once.
        Those that TMDB doesn't have any more wait for a person.
        """
        over = ["Ended", "Canceled"]
        return (
            self.shared()
            .series()
            .filter(tmdb_gone_at__isnull=True)
            .filter(
                Q(last_tmdb_update__isnull=True)
                | Q(last_tmdb_update__lte=now - REFRESH_ENDED)
                | (Q(last_tmdb_update__lte=now - REFRESH_RETURNING) & ~Q(tmdb_status__in=over))
            )
            .order_by(F("last_tmdb_update").asc(nulls_first=True), "pk")
        )

    def wanting_english(self) -> Self:
        """Series whose episodes have no titles but perhaps in English."""
        return self.filter(wants_english=True, tmdb_gone_at__isnull=True).order_by("pk")


COMPLETE = Q(media__media_type="tv_series") & (
    Q(media__aired_episodes__gt=0, watched_episodes_count__gte=F("media__aired_episodes"))
    | Q(
        media__aired_episodes__isnull=True,
        media__total_episodes__gt=0,
        watched_episodes_count__gte=F("media__total_episodes"),
    )
)
OPEN = Q(lookup_status__in=["uncertain", "not_found", "error"])
WAITING = Q(lookup_status__in=["pending", "error"])


class LibraryEntryQuerySet(models.QuerySet["LibraryEntry"]):
    def of(self, user: User) -> Self:
        return self.filter(user=user)

    def series(self) -> Self:
        return self.filter(media__media_type="tv_series")

    def movies(self) -> Self:
        return self.filter(media__media_type="movie")

    def visible(self) -> Self:
        """Without entries all of whose names are hidden, and those that only keep a decision.

        A series that was said to be movies, and a title that was said to be an episode, leave
        an empty entry behind.
        """
        return self.filter(models.Exists(self._shown_names())).exclude(
            media__media_type="tv_series", lookup_status="not_needed"
        )

    def not_visible(self, user: User) -> Self:
        """The others of a user's entries that have names; quick where few are hidden."""
        names = EntryName.objects.filter(user=user)
        perhaps = names.filter(Q(is_hidden=True) | Q(media_type="movie", decision="series"))
        return self.filter(
            Q(media__media_type="tv_series", lookup_status="not_needed")
            | Q(~models.Exists(self._shown_names()), pk__in=perhaps.values("entry"))
        )

    def hidden(self) -> Self:
        return self.exclude(models.Exists(self._names().filter(is_hidden=False)))

    def complete(self) -> Self:
        """Every episode aired so far is watched (rule 11)."""
        return self.filter(COMPLETE)

    def in_progress(self) -> Self:
        return (
            self.series()
            .filter(watched_episodes_count__gt=0)
            .exclude(pk__in=LibraryEntryQuerySet(self.model).complete().values("pk"))
        )

    def with_new_episodes(self) -> Self:
        """Finished once, and more has aired since that was not watched."""
        return self.series().filter(
            Q(media__aired_episodes__gt=F("episodes_when_finished"))
            | Q(
                media__aired_episodes__isnull=True,
                media__total_episodes__gt=F("episodes_when_finished"),
            ),
            watched_episodes_count__lt=Coalesce("media__aired_episodes", "media__total_episodes"),
        )

    def needing_attention(self) -> Self:
        """Without a match that holds: open, failed, or TMDB has no such series any more."""
        # A union, because no index serves an OR over two tables.
        return self.filter(pk__in=self.open().values("pk").union(self.gone().values("pk")))

    def open(self) -> Self:
        """Which series they are is not known, and somebody should look at it."""
        return self.filter(OPEN)

    def unmatched(self) -> Self:
        """Looked up, and TMDB has several that they could be, or none."""
        return self.filter(lookup_status__in=["uncertain", "not_found"])

    def gone(self) -> Self:
        """Matched with a series that TMDB doesn't have any more."""
        gone = Media.objects.filter(tmdb_gone_at__isnull=False)
        return self.filter(lookup_status="matched", media__in=gone.values("pk"))

    def waiting(self) -> Self:
        """To be looked up, in the order in which the first screen fills (rule 24)."""
        return self.filter(WAITING).order_by(F("last_watched").desc(nulls_last=True), "pk")

    def due(self, now: datetime) -> Self:
        """Without those whose last look-up failed so recently that it's not yet time again."""
        return self.filter(Q(next_lookup_at__isnull=True) | Q(next_lookup_at__lte=now))

    def watched_in(self, year: int) -> Self:
        days = (date(year, 1, 1), date(year, 12, 31))
        # First by what the entry says itself, which spares most of the look at viewings.
        near = self.filter(first_watched__lte=days[1], last_watched__gte=days[0])
        return near.filter(models.Exists(self._viewings().filter(day__range=days)))

    def watched_by(self, profile: str) -> Self:
        viewings = self._viewings().exclude(profile="").filter(profile=profile)
        return self.filter(models.Exists(viewings))

    def named(self, text: str) -> Self:
        """Of which a name or a title contains `text`.

        Case, accents and punctuation make no difference, in any script.
        """
        wanted = search_key(text)
        names = EntryName.objects.filter(entry=models.OuterRef("pk"), folded__contains=wanted)
        return self.filter(Q(media__folded__contains=wanted) | models.Exists(names))

    def for_display(self) -> Self:
        """With what a card shows, in a fixed number of queries."""
        shown = self.with_own_name().with_own_language().with_last_time()
        return shown.select_related("media").prefetch_related("media__seasons")

    def with_last_time(self) -> Self:
        """With `last_time`, when it was last watched, where a file told the time of that day."""
        last = self._viewings().filter(day=models.OuterRef("last_watched"))
        times = last.filter(watched_at__isnull=False).order_by("-watched_at")
        return self.annotate(last_time=models.Subquery(times.values("watched_at")[:1]))

    def with_own_name(self) -> Self:
        """With `own_name`, what the user's own files call it: the first name by letters."""
        return self.annotate(own_name=self.first_name())

    def with_own_language(self) -> Self:
        """With `own_language`, that of the user's own files, as far as it is known."""
        languages = self._names().exclude(language="").values("language")
        return self.annotate(own_language=models.Subquery(languages[:1]))

    @classmethod
    def first_name(cls, entry: str = "pk") -> models.Subquery:
        """The first name by letters of the entry to which the field `entry` points."""
        names = EntryName.objects.filter(entry=models.OuterRef(entry))
        return models.Subquery(names.values("name")[:1])

    @staticmethod
    def _viewings() -> models.QuerySet[Viewing]:
        return Viewing.objects.shown().filter(entry=models.OuterRef("pk"))

    @classmethod
    def _shown_names(cls) -> models.QuerySet[EntryName]:
        return cls._names().filter(is_hidden=False).exclude(media_type="movie", decision="series")

    @staticmethod
    def _names() -> models.QuerySet[EntryName]:
        return EntryName.objects.filter(entry=models.OuterRef("pk"))


PROFILES = """
    WITH RECURSIVE found(profile) AS (
        SELECT min(profile) FROM media_viewing
        WHERE user_id = %s AND dismissed_at IS NULL AND NOT (profile = '')
        UNION ALL
        SELECT (
            SELECT min(later.profile) FROM media_viewing later
            WHERE later.user_id = %s AND later.dismissed_at IS NULL
            AND NOT (later.profile = '') AND later.profile > found.profile
        )
        FROM found WHERE found.profile IS NOT NULL
    )
    SELECT profile FROM found WHERE profile IS NOT NULL
"""


class ViewingQuerySet(models.QuerySet["Viewing"]):
    def of(self, user: User) -> Self:
        return self.filter(user=user)

    def counted(self) -> Self:
        """What counts towards progress: episodes that nobody dismissed (rule 10)."""
        return self.filter(kind="episode", dismissed_at__isnull=True)

    def shown(self) -> Self:
        return self.filter(dismissed_at__isnull=True)

    def named(self, text: str, user: User) -> Self:
        """Of a user's: whose title contains `text`, or a name or a title of whose entry does.

        Case, accents and punctuation make no difference, in any script.
        """
        entries = LibraryEntry.objects.of(user).named(text)
        wanted = search_key(text)
        return self.filter(Q(folded__contains=wanted) | Q(entry__in=entries.values("pk")))

    def doubtful(self) -> Self:
        """Whose title the file alone could not decide, and nobody since."""
        return self.filter(reading_uncertain=True, source="file")

    def never_asked_about(self) -> Self:
        """Doubtful ones about which TMDB has not answered yet."""
        return self.doubtful().filter(doubt_asked_at__isnull=True)

    def profiles_of(self, user: User) -> tuple[str, ...]:
        """The profiles that a user's files name, by name.

        One query that jumps from profile to profile in an index; DISTINCT would read all of it.
        """
        with connection.cursor() as cursor:
            cursor.execute(PROFILES, [user.pk, user.pk])
            return tuple(profile for (profile,) in cursor.fetchall())

    def newest_first(self) -> Self:
        # Not NULLS LAST: on PostgreSQL it wants indexes that SQLite cannot have.
        return self.order_by(IsNull(F("day"), True), "-day", "-pk")

    def in_fixed_order(self) -> Self:
        """One user's, newest first, in an order that does not depend on when they were stored."""
        return self.order_by(F("day").desc(nulls_last=True), "fingerprint")


class Media(models.Model):
    """A series or movie.

    With a TMDB id it is shared by all users; without one it is one user's own, so that
    nobody's raw titles reach others (rule 14).
    """

    media_type = models.CharField(max_length=10, choices=MediaType)
    title = models.CharField(max_length=500)
    base_title = models.CharField(
        max_length=500, help_text=_("The name as a file gave it, before TMDB's.")
    )
    original_title = models.CharField(max_length=500, blank=True)
    titles = models.JSONField(
        default=dict, blank=True, help_text=_("TMDB's titles by language, such as de-DE.")
    )
    folded = FoldedField(of=["title", "original_title", "titles"])
    tmdb_id = models.PositiveIntegerField(_("TMDB ID"), null=True, blank=True)
    total_seasons = models.PositiveIntegerField(null=True, blank=True)
    total_episodes = models.PositiveIntegerField(null=True, blank=True)
    aired_episodes = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("Episodes aired so far, where TMDB tells.")
    )
    last_tmdb_update = models.DateTimeField(null=True, blank=True)
    first_air_date = models.DateField(null=True, blank=True)
    last_air_date = models.DateField(null=True, blank=True)
    poster_path = models.CharField(max_length=200, blank=True)
    tmdb_status = models.CharField(_("TMDB status"), max_length=40, blank=True)
    tmdb_gone_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When TMDB first said that this ID does not exist.")
    )
    wants_english = models.BooleanField(
        default=False,
        db_default=False,
        help_text=_("Whether episodes have no titles, and English ones were not asked for."),
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="own_media",
    )

    objects = MediaQuerySet.as_manager()

    class Meta:
        verbose_name = _("series or movie")
        verbose_name_plural = _("series and movies")
        constraints = [
            # TMDB numbers series and movies separately.
            models.UniqueConstraint(
                fields=["media_type", "tmdb_id"], name="media_media_one_per_tmdb_id"
            ),
            models.CheckConstraint(
                name="media_media_shared_or_owned",
                condition=Q(tmdb_id__isnull=False, owner__isnull=True)
                | Q(tmdb_id__isnull=True, owner__isnull=False),
            ),
            models.CheckConstraint(
                name="media_media_type_known", condition=Q(media_type__in=MediaType.values)
            ),
            models.CheckConstraint(
                name="media_media_movie_has_no_totals",
                condition=~Q(media_type="movie")
                | Q(total_seasons__isnull=True, total_episodes__isnull=True),
            ),
            models.CheckConstraint(
                name="media_media_tmdb_id_positive",
                condition=Q(tmdb_id__isnull=True) | Q(tmdb_id__gt=0),
            ),
            models.CheckConstraint(name="media_media_title_given", condition=~Q(title="")),
        ]
        indexes = [
            # worker: series whose totals are due for a refresh, oldest first.
            models.Index(
                fields=["last_tmdb_update"],
                name="media_media_due_for_refresh",
                condition=Q(tmdb_id__isnull=False, media_type="tv_series"),
            ),
            # worker: series of which English titles are to be fetched.
            models.Index(
                fields=["wants_english"],
                name="media_media_wants_english",
                condition=Q(wants_english=True),
            ),
            # Needs attention: the few that TMDB doesn't have any more.
            models.Index(
                fields=["tmdb_gone_at"],
                name="media_media_gone",
                condition=Q(tmdb_gone_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_series(self) -> bool:
        return self.media_type == MediaType.TV_SERIES

    @property
    def shown_title(self) -> str:
        """The title for a page: in the user's language once `put_into_language` gave it."""
        return getattr(self, "_shown_title", self.title)

    @shown_title.setter
    def shown_title(self, title: str) -> None:
        self._shown_title = title


class Season(models.Model):
    """A season as TMDB counts; number 0 holds the specials."""

    media = models.ForeignKey(Media, on_delete=models.CASCADE, related_name="seasons")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=300, blank=True)
    names = models.JSONField(
        default=dict, blank=True, help_text=_("TMDB's names by language, such as de.")
    )
    episode_count = models.PositiveIntegerField(default=0)
    air_date = models.DateField(null=True, blank=True)

    # What a page calls it, once `show_titles_in` said it; nothing where it is only numbered.
    shown_name = ""

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["media", "number"], name="media_season_one_per_number")
        ]

    def __str__(self) -> str:
        return self.name or f"Season {self.number}"


class Episode(models.Model):
    """An episode, kept by TMDB's episode id because numbers change there (rule 9).

    One that TMDB lists no more has no season. It stays until the viewings of it have gone on,
    each user's on its own, to its `successor`, which TMDB lists in its place.
    """

    season = models.ForeignKey(
        Season, on_delete=models.CASCADE, null=True, blank=True, related_name="episodes"
    )
    tmdb_id = models.PositiveBigIntegerField()
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=500, blank=True)
    titles = models.JSONField(
        default=dict, blank=True, help_text=_("TMDB's titles by language, such as de.")
    )
    air_date = models.DateField(null=True, blank=True)
    successor = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("What TMDB lists in its place."),
    )

    # What a page calls it, once `show_titles_in` said it; nothing where it is only numbered.
    shown_title = ""

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["tmdb_id"], name="media_episode_one_per_tmdb_id"),
            models.CheckConstraint(
                name="media_episode_listed_has_no_successor",
                condition=Q(season__isnull=True) | Q(successor__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.title or f"Episode {self.number}"


class LibraryEntry(models.Model):
    """One series or movie in one user's library."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="library"
    )
    # Not PROTECT: whoever goes takes along their own rows of the catalogue, and these with them.
    media = models.ForeignKey(Media, on_delete=models.RESTRICT, related_name="entries")
    lookup_status = models.CharField(max_length=10, choices=LookupStatus)
    decided_by = models.CharField(max_length=10, choices=DecidedBy, default=DecidedBy.AUTOMATIC)
    watched_episodes_count = models.PositiveIntegerField(default=0)
    first_watched = models.DateField(null=True, blank=True)
    last_watched = models.DateField(null=True, blank=True)
    candidates = models.JSONField(
        default=list, blank=True, help_text=_("What TMDB offered, scored, best first.")
    )
    lookup_attempts = models.PositiveIntegerField(default=0)
    next_lookup_at = models.DateTimeField(null=True, blank=True)
    episodes_when_finished = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text=_("How many episodes had aired when all of them were last watched."),
    )

    objects = LibraryEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("library entries")
        constraints = [
            models.UniqueConstraint(fields=["user", "media"], name="media_entry_one_per_media"),
            models.CheckConstraint(
                name="media_entry_status_known",
                condition=Q(lookup_status__in=LookupStatus.values),
            ),
            models.CheckConstraint(
                name="media_entry_decider_known", condition=Q(decided_by__in=DecidedBy.values)
            ),
            models.CheckConstraint(
                name="media_entry_first_before_last",
                condition=Q(first_watched__isnull=True)
                | Q(last_watched__isnull=True)
                | Q(first_watched__lte=F("last_watched")),
            ),
        ]
        indexes = [
            # Library page: one user's entries, last watched first.
            models.Index(fields=["user", "-last_watched"], name="media_entry_by_last_watched"),
            # Look-up: what waits, last watched first.
            models.Index(
                fields=["user", "lookup_status", "-last_watched"], name="media_entry_to_look_up"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.media} ({self.user})"

    def get_absolute_url(self) -> str:
        return reverse("media:entry", args=[self.pk])

    # Which one the user chose for titles, once `put_into_language` told it.
    title_language = ""

    @property
    def shown_in(self) -> tuple[str, ...]:
        """The languages in which titles of its episodes are shown, the best first.

        Asks the database unless the names or `own_language` came with the entry.
        """
        if hasattr(self, "own_language"):
            own = self.own_language
        else:
            own = next((name.language for name in self.names.all() if name.language), None)
        wanted = (self.title_language, own or settings.TMDB_LANGUAGE, "en")
        return tuple(language for language in wanted if language)

    @property
    def last_day(self) -> date | None:
        """When it was last watched: of entries `with_last_time()`, in the user's time zone."""
        return shown_day(self.last_watched, getattr(self, "last_time", None))

    @property
    def is_hidden(self) -> bool:
        """Whether it was hidden, as `hidden()` asks; asks the database unless names came along."""
        return all(name.is_hidden for name in self.names.all())

    @property
    def has_new_episodes(self) -> bool:
        """Whether more has aired since all was watched, as `with_new_episodes` asks."""
        media = self.media
        aired = media.total_episodes if media.aired_episodes is None else media.aired_episodes
        finished = self.episodes_when_finished
        return (
            media.is_series
            and finished is not None
            and aired is not None
            and max(finished, self.watched_episodes_count) < aired
        )


class Decision(models.TextChoices):
    """What a person decided about a name; outlives every re-import (rule 13)."""

    NONE = "none", _("nothing decided")
    MATCHED = "matched", _("is this TMDB series")
    IGNORED = "ignored", _("not on TMDB")
    MOVIE = "movie", _("is a movie")
    SERIES = "series", _("is a series")


class EntryName(models.Model):
    """A name under which files speak of an entry; decisions by hand belong to it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="entry_names"
    )
    entry = models.ForeignKey(LibraryEntry, on_delete=models.CASCADE, related_name="names")
    media_type = models.CharField(max_length=10, choices=MediaType)
    name = models.CharField(max_length=500)
    key = models.CharField(max_length=500)
    folded = FoldedField(of=["name"])
    language = models.CharField(max_length=10, blank=True)
    decision = models.CharField(max_length=10, choices=Decision, default=Decision.NONE)
    decided_by = models.CharField(max_length=10, choices=DecidedBy, default=DecidedBy.AUTOMATIC)
    decided_tmdb_id = models.PositiveIntegerField(null=True, blank=True)
    decided_series = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("The series that a title is an episode of, as decided."),
    )
    is_hidden = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            # Import: the names of a chunk, by user, type and key.
            models.UniqueConstraint(
                fields=["user", "media_type", "key"], name="media_name_one_per_key"
            ),
            models.CheckConstraint(
                name="media_name_decision_known", condition=Q(decision__in=Decision.values)
            ),
            models.CheckConstraint(
                name="media_name_id_when_matched",
                condition=Q(decision="matched", decided_tmdb_id__isnull=False)
                | (~Q(decision="matched") & Q(decided_tmdb_id__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ViewingKind(models.TextChoices):
    EPISODE = "episode", _("episode")
    MOVIE = "movie", _("movie")


class Source(models.TextChoices):
    FILE = "file", _("file")
    MANUAL = "manual", _("marked by hand")


class Viewing(models.Model):
    """One title watched on one day by one user (rule 6).

    `day` is the date as the file writes it; `listed_on` is set when a file with dates only
    says so, `watched_at` when a file with times does; the two days may differ by one.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="viewings"
    )
    entry = models.ForeignKey(LibraryEntry, on_delete=models.CASCADE, related_name="viewings")
    name = models.ForeignKey(EntryName, on_delete=models.CASCADE, related_name="viewings")
    kind = models.CharField(max_length=10, choices=ViewingKind)
    raw_title = models.TextField()
    folded = FoldedField(of=["raw_title"], null=True)
    title_hash = models.CharField(
        max_length=32,
        help_text=_("Hash of the title key: titles can be longer than an index takes."),
    )
    fingerprint = models.CharField(max_length=32)
    day = models.DateField(null=True, blank=True)
    listed_on = models.DateField(null=True, blank=True)
    watched_at = models.DateTimeField(null=True, blank=True)
    duration_seconds = models.PositiveIntegerField(null=True, blank=True)
    profile = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=10, choices=Source, default=Source.FILE)
    dismissed_at = models.DateTimeField(null=True, blank=True)

    season_number = models.PositiveIntegerField(null=True, blank=True)
    season_inferred = models.BooleanField(default=False)
    season_name = models.CharField(max_length=300, blank=True)
    episode_number = models.PositiveIntegerField(null=True, blank=True)
    episode_title = models.TextField(blank=True)
    reading_uncertain = models.BooleanField(default=False)
    alternative = models.JSONField(null=True, blank=True)
    doubt_asked_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When TMDB was last asked about a doubtful reading.")
    )

    seen_first = models.PositiveSmallIntegerField(
        default=1,
        db_default=1,
        help_text=_("How many episodes, or whether the film, were seen here for the first time."),
    )
    seen_again = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text=_("How many were seen before. Both are 0 where a watch is told twice."),
    )

    tmdb_season = models.PositiveIntegerField(null=True, blank=True)
    tmdb_episodes = models.ManyToManyField(Episode, related_name="viewings", blank=True)

    objects = ViewingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "fingerprint"], name="media_viewing_one_per_fingerprint"
            ),
            models.CheckConstraint(
                name="media_viewing_kind_known", condition=Q(kind__in=ViewingKind.values)
            ),
            models.CheckConstraint(
                name="media_viewing_day_unless_manual",
                condition=Q(day__isnull=False) | Q(source="manual"),
            ),
            models.CheckConstraint(
                name="media_viewing_movie_has_no_episode",
                condition=~Q(kind="movie")
                | Q(season_number__isnull=True, episode_number__isnull=True),
            ),
        ]
        indexes = [
            # Import: what is already there of the titles of a chunk.
            models.Index(fields=["user", "title_hash"], name="media_viewing_by_title"),
            # worker: what an older version stored.
            models.Index(
                fields=["id"], name="media_viewing_to_fold", condition=Q(folded__isnull=True)
            ),
            # Series page and counting: one entry's viewings, newest first.
            models.Index(fields=["entry", "-day"], name="media_viewing_of_entry"),
            # Look-up and needs attention: one user's doubtful titles.
            models.Index(
                fields=["user", "source", "doubt_asked_at"],
                name="media_viewing_doubtful",
                condition=Q(reading_uncertain=True),
            ),
            # History: one user's viewings by day, newest first.
            models.Index(
                "user",
                IsNull(F("day"), True),
                F("day").desc(),
                F("id").desc(),
                name="media_viewing_by_day",
                condition=Q(dismissed_at__isnull=True),
            ),
            # Library: the entries that one profile watched.
            models.Index(
                fields=["entry", "profile"],
                name="media_viewing_entry_profile",
                condition=~Q(profile="") & Q(dismissed_at__isnull=True),
            ),
            # History: one user's profiles, and the viewings of one of them.
            models.Index(
                "user",
                "profile",
                IsNull(F("day"), True),
                F("day").desc(),
                F("id").desc(),
                name="media_viewing_by_profile",
                condition=~Q(profile="") & Q(dismissed_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.raw_title


# The month of what was watched on a day that nobody noted.
UNDATED = date(1, 1, 1)


class MonthFigures(models.Model):
    """What a user watched in a month, summed up; `media/statistics.py` reads what it holds.

    Rows come into being, and become stale, by triggers on the viewings (`media/triggers.py`).
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="month_figures"
    )
    month = models.DateField(help_text=_("Its first day, in the time zone."))
    is_stale = models.BooleanField(
        default=True, db_default=True, help_text=_("Whether something has changed since.")
    )
    zone = models.CharField(
        max_length=64,
        blank=True,
        db_default="",
        help_text=_("The time zone of its days and hours."),
    )
    figures = models.JSONField(null=True, blank=True)
    by_profile = models.JSONField(null=True, blank=True)

    class Meta:
        verbose_name_plural = _("figures of months")
        constraints = [
            # Statistics: a user's months.
            models.UniqueConstraint(fields=["user", "month"], name="media_figures_one_per_month"),
        ]
        indexes = [
            # worker: whose figures are to be brought up to date.
            models.Index(fields=["user"], name="media_figures_stale", condition=Q(is_stale=True)),
        ]

    def __str__(self) -> str:
        return f"{self.month} of {self.user}"


class DecisionKind(models.TextChoices):
    """What a person did; the pages put it into words."""

    MATCHED = "matched", _("matched")
    CONFIRMED = "confirmed", _("confirmed together")
    IGNORED = "ignored", _("not on TMDB")
    MOVIE = "movie", _("said to be a movie")
    SERIES = "series", _("said to be a series")
    READ_AS_EPISODE = "as_episode", _("read as episodes")
    READ_AS_MOVIE = "as_movie", _("read as movies")
    HIDDEN = "hidden", _("hidden")
    SHOWN = "shown", _("shown again")
    SPLIT = "split", _("split")
    MERGED = "merged", _("merged")
    REOPENED = "reopened", _("left to watchlog again")
    WATCHED = "watched", _("marked as watched")
    NOT_WATCHED = "not_watched", _("marked as not watched")
    REMOVED = "removed", _("viewing removed")
    DAY_CHANGED = "day_changed", _("day changed")


class DecisionLogQuerySet(models.QuerySet["DecisionLog"]):
    def of(self, user: User) -> Self:
        return self.filter(user=user)

    def newest_first(self) -> Self:
        return self.order_by("-made_at", "-pk")


class DecisionLog(models.Model):
    """A decision that somebody made, with what was there before, so that it can be undone."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="decisions"
    )
    made_at = models.DateTimeField(auto_now_add=True)
    kind = models.CharField(max_length=12, choices=DecisionKind)
    subject = models.CharField(max_length=500, help_text=_("What it was about, by name."))
    outcome = models.CharField(max_length=500, blank=True, help_text=_("What it became, by name."))
    count = models.PositiveIntegerField(default=1, help_text=_("How many series or titles."))
    before = models.JSONField(help_text=_("Names, entries and readings as they were."))

    objects = DecisionLogQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="media_decision_kind_known", condition=Q(kind__in=DecisionKind.values)
            )
        ]
        indexes = [
            # Needs attention: one user's decisions, newest first.
            models.Index(fields=["user", "-made_at"], name="media_decision_by_date"),
            # Tidying up: those that were kept long enough.
            models.Index(fields=["made_at"], name="media_decision_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.subject}: {self.kind}"
