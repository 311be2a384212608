"""What the page shows on which a person says what an entry is, made ready for its template."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Max, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from accounts.models import User
from media.attention import Candidate, Item, make_candidates, make_items
from media.entry_pages import MOST_LINES
from media.models import DecidedBy, EntryName, LibraryEntry, LookupStatus, Viewing
from media.searching import Found, Problem
from media.titles import put_into_language
from media.wording import fold


@dataclass(frozen=True, slots=True)
class Name:
    """One of an entry's names, with the number of its rows."""

    pk: int
    name: str
    rows: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Another series of the user, to merge with."""

    pk: int
    title: str


@dataclass(frozen=True, slots=True)
class Title:
    """A title of a file that is read as an episode; `key` is its hash."""

    key: str
    title: str


@dataclass(frozen=True, slots=True)
class FixPage:
    """`current` is what the entry is now at TMDB, `others` what else it could be.

    With `words` these were searched for, and `problem` says why nothing was found.
    """

    entry: LibraryEntry
    item: Item
    current: Candidate | None
    others: tuple[Candidate, ...]
    names: tuple[Name, ...]
    titles: tuple[Title, ...]
    choices: tuple[Choice, ...]
    words: str
    problem: str
    series: str
    series_names: tuple[str, ...]

    @property
    def is_decided_by_hand(self) -> bool:
        return self.entry.decided_by == DecidedBy.USER

    @property
    def is_ignored(self) -> bool:
        return self.entry.lookup_status == LookupStatus.IGNORED


def fix_page(
    user: User, entry: LibraryEntry, words: str = "", found: Found | None = None
) -> FixPage:
    """The page for a user's entry that came with media and names; a fixed number of queries."""
    put_into_language([entry], user)
    (item,) = make_items([entry])
    stored = entry.candidates if found is None else list(found.candidates)
    offered = make_candidates(stored, entry.media.tmdb_id)
    is_series = entry.media.is_series
    series_names = () if is_series else _series_names(entry)
    return FixPage(
        entry=entry,
        item=item,
        current=_current(entry),
        others=tuple(one for one in offered if not one.is_current),
        names=_names(entry),
        titles=_titles(entry) if is_series else (),
        choices=_choices(entry, user) if is_series else (),
        words=words,
        problem=_in_words(found.problem) if found and found.problem else "",
        series="" if is_series else _likely_series(entry),
        series_names=series_names,
    )


def _current(entry: LibraryEntry) -> Candidate | None:
    media = entry.media
    if media.tmdb_id is None:
        return None
    weighed = [one for one in entry.candidates if one["tmdb_id"] == media.tmdb_id]
    plain = {
        "tmdb_id": media.tmdb_id,
        "name": media.shown_title,
        "original_name": media.original_title or media.title,
        "year": media.first_air_date.year if media.first_air_date else None,
        "countries": weighed[0]["countries"] if weighed else [],
        "poster_path": media.poster_path,
        "seasons": media.total_seasons,
        "episodes": media.total_episodes,
        "parts": weighed[0]["parts"] if weighed else [],
    }
    (current,) = make_candidates([plain], media.tmdb_id)
    return current


def _names(entry: LibraryEntry) -> tuple[Name, ...]:
    shown = Q(viewings__dismissed_at__isnull=True)
    rows = EntryName.objects.filter(entry=entry).annotate(rows=Count("viewings", filter=shown))
    return tuple(Name(*row) for row in rows.order_by("name").values_list("pk", "name", "rows"))


def _titles(entry: LibraryEntry) -> tuple[Title, ...]:
    """The titles of an entry's episodes, the last watched first."""
    rows = Viewing.objects.shown().filter(entry=entry, kind="episode", source="file").order_by()
    found = rows.values_list("title_hash").annotate(title=Max("raw_title"), last=Max("day"))
    in_order = found.order_by("-last", "title")[:MOST_LINES]
    return tuple(Title(key, " ".join(title.split())) for key, title, _last in in_order)


def _choices(entry: LibraryEntry, user: User) -> tuple[Choice, ...]:
    others = LibraryEntry.objects.filter(user_id=entry.user_id).visible().series()
    others = others.exclude(pk=entry.pk).select_related("media").with_own_name()
    shown = list(others.order_by(Lower("media__title"), "pk"))
    put_into_language(shown, user)
    choices = (Choice(other.pk, other.media.shown_title) for other in shown)
    return tuple(sorted(choices, key=lambda choice: fold(choice.title)))


def _series_names(entry: LibraryEntry) -> tuple[str, ...]:
    names = EntryName.objects.filter(user_id=entry.user_id, media_type="tv_series")
    return tuple(names.order_by(Lower("name")).values_list("name", flat=True))


def _likely_series(entry: LibraryEntry) -> str:
    """The series that the file may have meant, or what stands before the first colon."""
    viewing = Viewing.objects.filter(entry=entry).order_by("pk").first()
    other = (viewing.alternative or {}) if viewing else {}
    if other.get("series"):
        return str(other["series"])
    head, colon, _rest = entry.media.title.partition(": ")
    return head if colon else entry.media.title


def _in_words(problem: Problem) -> str:
    return {
        Problem.NO_KEY: _("TMDB was not asked: there is no TMDB key, or TMDB refuses it."),
        Problem.NO_ANSWER: _("TMDB does not answer now. Try again in a minute."),
        Problem.IS_MOVIE: _(
            "This is the address of a movie. If that is what you watched, choose “This is a "
            "movie” below."
        ),
        Problem.NO_SUCH_ID: _("TMDB has no series with this ID. Copy the address once more."),
        Problem.NOTHING: _(
            "TMDB finds nothing by these words. Fewer words, or the original name, may help."
        ),
    }[problem]
