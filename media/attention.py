"""What needs a person's attention, made ready so that the pages need no logic."""

from __future__ import annotations

import functools
import operator
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.db import models
from django.db.models import (
    Case,
    CharField,
    Count,
    F,
    FloatField,
    IntegerField,
    Q,
    Subquery,
    Value,
    When,
    Window,
)
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, NullIf, RowNumber
from django.db.models.lookups import GreaterThan
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_stubs_ext import StrOrPromise

from accounts.models import User
from media import marking, sentences, undoing
from media.countries import country
from media.matching import MARGIN, PROOF, SAME_NAME, THRESHOLD
from media.models import (
    DecidedBy,
    DecisionKind,
    DecisionLog,
    EntryName,
    LibraryEntry,
    LibraryEntryQuerySet,
    LookupStatus,
    Media,
    MediaType,
    Viewing,
    ViewingKind,
    ViewingQuerySet,
)
from media.titles import put_into_language

PER_PAGE = 20
SAMPLES = 3
# Candidates shown at once; the others unfold.
FIRST = 3
REASONS = 4
DECIDED_SHOWN = 5
DECIDED_PER_PAGE = 20
# For how long the last decision stands at the top of the page.
JUST_NOW = timedelta(minutes=10)


# --- what there is -----------------------------------------------------------------------------


class AttentionKind(models.TextChoices):
    """Why something needs attention; the value stands in the address, the order is the page's."""

    LIKELY = "nearly-sure", gettext_lazy("Nearly sure")
    UNCERTAIN = "uncertain", gettext_lazy("Which one is it?")
    GONE = "gone", gettext_lazy("Gone from TMDB")
    NOT_FOUND = "not-found", gettext_lazy("Not found")
    FAILED = "failed", gettext_lazy("Failed")
    READING = "episode-or-movie", gettext_lazy("Episode or movie?")


def _score_of(place: int) -> Cast:
    return Cast(KT(f"candidates__{place}__score"), FloatField())


# Name and other parts that may stand before the titles in a score.
_PARTS_BEFORE_TITLES = 7
_PROVEN_BY_TITLES = functools.reduce(
    operator.or_,
    (
        Q(
            **{
                f"candidates__0__parts__{at}__name": "titles",
                f"candidates__0__parts__{at}__points__gte": PROOF,
            }
        )
        for at in range(1, _PARTS_BEFORE_TITLES)
    ),
)
# The first is called so or has the episodes, and only another that comes close kept it from being
# matched. What was refused because it bears another name needs a closer look.
_IS_NEARLY_SURE = (
    Q(
        lookup_status=LookupStatus.UNCERTAIN,
        decided_by=DecidedBy.AUTOMATIC,
        candidates__0__score__gte=THRESHOLD,
        candidates__1__score__isnull=False,
    )
    & Q(GreaterThan(_score_of(1), _score_of(0) - MARGIN))
    & (Q(candidates__0__parts__0__sentence=SAME_NAME) | _PROVEN_BY_TITLES)
)
_CASES = Case(
    When(_IS_NEARLY_SURE, then=Value(AttentionKind.LIKELY.value)),
    When(lookup_status=LookupStatus.UNCERTAIN, then=Value(AttentionKind.UNCERTAIN.value)),
    When(lookup_status=LookupStatus.NOT_FOUND, then=Value(AttentionKind.NOT_FOUND.value)),
    When(lookup_status=LookupStatus.ERROR, then=Value(AttentionKind.FAILED.value)),
    default=Value(AttentionKind.GONE.value),
    output_field=CharField(),
)
_KINDS_OF_ENTRIES = tuple(kind for kind in AttentionKind if kind != AttentionKind.READING)
_RANK = Case(
    *(When(kind=kind.value, then=Value(at)) for at, kind in enumerate(_KINDS_OF_ENTRIES)),
    output_field=IntegerField(),
)


def open_entries(user: User) -> LibraryEntryQuerySet:
    return LibraryEntry.objects.of(user).visible().needing_attention()


def doubtful_viewings(user: User) -> ViewingQuerySet:
    """Viewings that are shown, and of which the file does not tell what they are."""
    return Viewing.objects.of(user).doubtful().shown().filter(name__is_hidden=False)


# The series that a doubtful viewing may belong to; null where an old import did not say it.
_SERIES_KEY = NullIf(
    Case(
        When(kind=ViewingKind.EPISODE, then=F("name__key")),
        default=KT("alternative__series_key"),
        output_field=CharField(),
    ),
    Value(""),
)


def count_open(user: User) -> int:
    """How many items the page has. One query."""
    entries = LibraryEntry.objects.of(user).visible().order_by()
    unsettled = entries.open().values("user").annotate(n=Count("pk")).values("n")
    gone = entries.gone().values("user").annotate(n=Count("pk")).values("n")
    groups = (
        doubtful_viewings(user)
        .order_by()
        .values("user")
        .annotate(n=Count(_SERIES_KEY, distinct=True))
        .values("n")
    )
    found = User.objects.filter(pk=user.pk).values_list(
        Coalesce(Subquery(unsettled), 0)
        + Coalesce(Subquery(gone), 0)
        + Coalesce(Subquery(groups), 0),
        flat=True,
    )
    return int(found.get())


# --- candidates --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence that speaks for a candidate (`sign` "plus") or against it ("minus")."""

    text: str
    sign: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A series that an entry could be. `media` is for its poster only, and not stored."""

    tmdb_id: int
    name: str
    original_name: str
    facts: str
    media: Media
    reasons: tuple[Reason, ...]
    is_current: bool = False


def make_candidates(
    stored: Iterable[Mapping[str, Any]], current: int | None = None
) -> tuple[Candidate, ...]:
    """The candidates of an entry from what a look-up stored, in its order."""
    return tuple(
        Candidate(
            tmdb_id=one["tmdb_id"],
            name=one["name"],
            original_name=one["original_name"] if one["original_name"] != one["name"] else "",
            facts=_facts(one),
            media=Media(title=one["name"], poster_path=one["poster_path"]),
            reasons=_reasons(one["parts"]),
            is_current=one["tmdb_id"] == current,
        )
        for one in stored
    )


def _facts(one: Mapping[str, Any]) -> str:
    """ "2019 · South Korea · 2 seasons, 12 episodes"."""
    size = []
    if one["seasons"]:
        size.append(
            ngettext("%(count)s season", "%(count)s seasons", one["seasons"])
            % {"count": one["seasons"]}
        )
    if one["episodes"]:
        size.append(
            ngettext("%(count)s episode", "%(count)s episodes", one["episodes"])
            % {"count": one["episodes"]}
        )
    facts = [
        str(one["year"]) if one["year"] else _("year unknown"),
        ", ".join(country(code) for code in one["countries"]),
        ", ".join(size),
    ]
    return " · ".join(filter(None, facts))


# From how many points on a part speaks for a candidate, and below how many against it.
_FOR, _AGAINST = 3.0, -3.0
_NAME_FOR, _NAME_AGAINST = 40.0, 28.0


def _reasons(parts: Iterable[Mapping[str, Any]]) -> tuple[Reason, ...]:
    """The parts of a score that say something to a person, the strongest first."""
    told = []
    for part in sorted(parts, key=lambda part: -abs(part["points"])):
        points = part["points"]
        # The name is worth something even when it's another one.
        is_name = part["name"] == "name"
        if points >= (_NAME_FOR if is_name else _FOR):
            sign = "plus"
        elif points < (_NAME_AGAINST if is_name else _AGAINST):
            sign = "minus"
        else:
            continue
        if part["name"] != "popularity":
            told.append(Reason(_in_words(part, sign), sign))
    return tuple(sorted(told[:REASONS], key=lambda reason: reason.sign == "minus"))


# Sentences of the score table that leave it to the reader what follows from them.
_PLAINER: dict[tuple[str, str], StrOrPromise] = {
    ("first aired %(aired)s, first watched %(watched)s", "plus"): gettext_lazy(
        "first aired %(aired)s, shortly before you watched it"
    ),
    ("first aired %(aired)s, first watched %(watched)s", "minus"): gettext_lazy(
        "first aired %(aired)s, long before you watched it (%(watched)s)"
    ),
    ("season %(seen)s of your file is among its %(known)s", "plus"): gettext_lazy(
        "has a season %(seen)s, the last one of your file"
    ),
}


def _in_words(part: Mapping[str, Any], sign: str) -> str:
    values = dict(part["values"])
    if isinstance(values.get("countries"), str):
        values["countries"] = ", ".join(country(c) for c in values["countries"].split(", "))
    template = str(_PLAINER.get((part["sentence"], sign)) or _(part["sentence"]))
    text = template % values if values else template
    return text[:1].upper() + text[1:]


# --- items -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Item:
    """An entry that needs attention, with what a person needs to settle it."""

    entry: LibraryEntry
    title: str
    names: tuple[str, ...]
    rows: int
    samples: tuple[str, ...]
    candidates: tuple[Candidate, ...]

    @property
    def first(self) -> tuple[Candidate, ...]:
        return self.candidates[:FIRST]

    @property
    def further(self) -> tuple[Candidate, ...]:
        return self.candidates[FIRST:]

    @property
    def best(self) -> Candidate:
        return self.candidates[0]

    @property
    def rival(self) -> Candidate | None:
        return self.candidates[1] if len(self.candidates) > 1 else None

    @property
    def telling(self) -> tuple[Reason, ...]:
        """What tells the best candidate from the one that comes close."""
        shared = {reason.text for reason in self.rival.reasons} if self.rival else set()
        return tuple(r for r in self.best.reasons if r.text not in shared and r.sign == "plus")[:2]

    @property
    def is_tried_later(self) -> bool:
        return self.entry.next_lookup_at is not None and self.entry.next_lookup_at > timezone.now()


@dataclass(frozen=True, slots=True)
class DoubtfulTitle:
    """A title of which the file does not tell what it is; `key` is its hash."""

    key: str
    title: str
    episode: str
    day: date | None
    is_read_as_episode: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """Doubtful titles that begin alike: episodes of the series so named, or movies."""

    key: str
    series: str
    media: Media
    titles: tuple[DoubtfulTitle, ...]

    @property
    def only(self) -> DoubtfulTitle | None:
        """The title, where it is a single one."""
        return self.titles[0] if len(self.titles) == 1 else None


@dataclass(frozen=True, slots=True)
class Section:
    """The items of one kind on a page."""

    kind: AttentionKind
    items: tuple[Item, ...] = ()
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    label: StrOrPromise
    address: str
    is_current: bool
    count: int


@dataclass(frozen=True, slots=True)
class AttentionPage:
    """`open` is how many items there are of all kinds; `page` counts those chosen."""

    kind: AttentionKind | None
    open: int
    sections: tuple[Section, ...]
    filters: tuple[Filter, ...]
    page: Page[int]
    decided: tuple[Decided, ...]

    @property
    def just_decided(self) -> Decided | None:
        latest = self.decided[0] if self.decided else None
        is_fresh = latest is not None and timezone.now() - latest.log.made_at < JUST_NOW
        return latest if is_fresh else None


def attention_page(user: User, kind: AttentionKind | None, number: int) -> AttentionPage:
    """One page of what needs attention, of one kind or of all; a fixed number of queries."""
    entries = open_entries(user).annotate(kind=_CASES)
    counts = {
        AttentionKind(found): count
        for found, count in entries.order_by().values_list("kind").annotate(Count("pk"))
    }
    groups = _groups(user)
    if groups:
        counts[AttentionKind.READING] = len(groups)
    total = sum(counts.values())
    if kind is not None:
        counts_shown = {kind: counts.get(kind, 0)}
        entries = entries.filter(kind=kind.value)
    else:
        counts_shown = counts
    in_doubt = groups if kind in (None, AttentionKind.READING) else []
    paginator = Paginator(range(sum(counts_shown.values())), PER_PAGE)
    page = paginator.get_page(number)
    start, stop = max(page.start_index() - 1, 0), page.end_index()
    of_entries = sum(counts_shown.values()) - len(in_doubt)
    in_order = (
        entries.order_by(_RANK, F("last_watched").desc(nulls_last=True), "pk")
        .with_last_time()
        .select_related("media")
        .prefetch_related("names")
    )
    shown = list(in_order[start : min(stop, of_entries)])
    put_into_language(shown, user)
    items = tuple(zip((vars(entry)["kind"] for entry in shown), make_items(shown), strict=True))
    doubts = _make_doubts(user, in_doubt[max(start - of_entries, 0) : max(stop - of_entries, 0)])
    sections = [
        Section(one, items=of_kind)
        for one in _KINDS_OF_ENTRIES
        if (of_kind := tuple(item for kind_of_item, item in items if kind_of_item == one))
    ]
    if doubts:
        sections.append(Section(AttentionKind.READING, doubts=doubts))
    return AttentionPage(
        kind=kind,
        open=total,
        sections=tuple(sections),
        filters=_filters(kind, counts),
        page=page,
        decided=latest_decisions(user),
    )


def _filters(
    current: AttentionKind | None, counts: Mapping[AttentionKind, int]
) -> tuple[Filter, ...]:
    shown = [kind for kind in AttentionKind if counts.get(kind) or kind == current]
    everything = Filter(_("All"), ".", current is None, sum(counts.values()))
    return (
        everything,
        *(
            Filter(kind.label, f"?show={kind.value}", kind == current, counts.get(kind, 0))
            for kind in shown
        ),
    )


def make_items(entries: Sequence[LibraryEntry]) -> tuple[Item, ...]:
    """Items of entries that came with media and names; one more query for all."""
    samples = _samples([entry.pk for entry in entries])
    items = []
    for entry in entries:
        rows = samples.get(entry.pk, [])
        names = tuple(name.name for name in entry.names.all())
        items.append(
            Item(
                entry=entry,
                title=entry.media.shown_title,
                names=tuple(name for name in names if name != entry.media.shown_title),
                rows=rows[0][1] if rows else 0,
                samples=tuple(title for title, _count in rows),
                candidates=make_candidates(entry.candidates, entry.media.tmdb_id),
            )
        )
    return tuple(items)


def _samples(entry_ids: Collection[int]) -> dict[int, list[tuple[str, int]]]:
    """A few raw titles of each entry, the last watched first, and the number of its rows."""
    found: dict[int, list[tuple[str, int]]] = {}
    if entry_ids:
        rows = (
            Viewing.objects.filter(entry_id__in=entry_ids)
            .shown()
            .annotate(
                place=Window(
                    RowNumber(),
                    partition_by="entry_id",
                    order_by=[F("day").desc(nulls_last=True), F("pk").desc()],
                ),
                rows=Window(Count("pk"), partition_by="entry_id"),
            )
            .filter(place__lte=SAMPLES)
            .order_by("entry_id", "place")
        )
        for entry_id, title, count in rows.values_list("entry_id", "raw_title", "rows"):
            found.setdefault(entry_id, []).append((title, count))
    return found


# --- doubtful titles ---------------------------------------------------------------------------


_Group = tuple[str, str, list[DoubtfulTitle]]


def _groups(user: User) -> list[_Group]:
    """The doubtful titles by series: key, name and titles; the last watched first. One query."""
    rows = (
        doubtful_viewings(user)
        .annotate(series_key=_SERIES_KEY)
        .filter(series_key__isnull=False)
        .order_by()
        .values_list(
            "pk",
            "series_key",
            "title_hash",
            "raw_title",
            "episode_title",
            "day",
            "kind",
            "alternative",
            "name__name",
        )
    )
    groups: dict[str, _Group] = {}
    seen = set()
    # Sorted here: to have them in order, SQLite would read all viewings by day.
    newest = sorted(rows, key=lambda row: (row[5] or date.min, row[0]), reverse=True)
    for _pk, key, title_hash, raw_title, episode, day, kind, alternative, name in newest:
        if title_hash in seen:
            continue
        seen.add(title_hash)
        other = alternative or {}
        is_episode = kind == ViewingKind.EPISODE
        series = name if is_episode else other.get("series") or ""
        groups.setdefault(key, (key, series, []))[2].append(
            DoubtfulTitle(
                key=title_hash,
                title=" ".join(raw_title.split()),
                episode=(episode if is_episode else other.get("episode_title")) or raw_title,
                day=day,
                is_read_as_episode=is_episode,
                reason=sentences.in_words(other.get("message"), str(other.get("reason") or "")),
            )
        )
    return list(groups.values())


def doubt_about(user: User, series_key: str) -> Doubt | None:
    """What is left in doubt about one series, if anything."""
    groups = [group for group in _groups(user) if group[0] == series_key]
    return next(iter(_make_doubts(user, groups)), None)


def _make_doubts(user: User, groups: Sequence[_Group]) -> tuple[Doubt, ...]:
    if not groups:
        return ()
    names = EntryName.objects.filter(
        user=user, media_type=MediaType.TV_SERIES, key__in=[key for key, _name, _titles in groups]
    ).select_related("entry__media")
    known = {name.key: name.entry.media for name in names}
    return tuple(
        Doubt(key, series, known.get(key) or Media(title=series), tuple(titles))
        for key, series, titles in groups
    )


# --- decisions ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision in words, and whether it can be undone now."""

    log: DecisionLog
    text: str
    can_be_undone: bool


def in_words(log: DecisionLog) -> str:
    """What was decided, as a sentence."""
    if log.kind in marking.KINDS:
        return marking.in_words(log)
    values = {"subject": log.subject, "outcome": log.outcome, "count": log.count}
    one_title = {
        DecisionKind.READ_AS_EPISODE: _("“%(subject)s” is an episode of %(outcome)s"),
        DecisionKind.READ_AS_MOVIE: _("“%(subject)s” is a movie"),
    }
    several_titles = {
        DecisionKind.READ_AS_EPISODE: _("%(count)s titles are episodes of %(outcome)s"),
        DecisionKind.READ_AS_MOVIE: _("%(count)s titles that begin with “%(outcome)s” are movies"),
    }
    texts = {
        DecisionKind.MATCHED: _("“%(subject)s” is %(outcome)s at TMDB")
        if log.subject.casefold() != log.outcome.casefold()
        else _("“%(subject)s” is settled"),
        DecisionKind.CONFIRMED: ngettext(
            "%(count)s series confirmed: %(subject)s",
            "%(count)s series confirmed: %(subject)s",
            log.count,
        ),
        DecisionKind.IGNORED: _("“%(subject)s” is not on TMDB"),
        DecisionKind.MOVIE: ngettext(
            "“%(subject)s” is a movie",
            "The %(count)s titles of “%(subject)s” are movies",
            log.count,
        ),
        DecisionKind.SERIES: _("“%(subject)s” belongs to the series %(outcome)s"),
        DecisionKind.HIDDEN: _("“%(subject)s” is hidden"),
        DecisionKind.SHOWN: _("“%(subject)s” is shown again"),
        DecisionKind.SPLIT: _("“%(outcome)s” is apart from %(subject)s"),
        DecisionKind.MERGED: _("“%(subject)s” is the same as %(outcome)s"),
        DecisionKind.REOPENED: _("“%(subject)s” is left to watchlog again"),
        **(one_title if log.count == 1 else several_titles),
    }
    return texts[DecisionKind(log.kind)] % values


def make_decided(logs: Sequence[DecisionLog]) -> tuple[Decided, ...]:
    """Decisions of one user, newest first, in words; one query for all."""
    current = undoing.current(logs)
    return tuple(Decided(log, in_words(log), log.pk in current) for log in logs)


def latest_decisions(user: User) -> tuple[Decided, ...]:
    logs = DecisionLog.objects.of(user).newest_first().defer("before")
    return make_decided(list(logs[:DECIDED_SHOWN]))


def decided_page(user: User, number: int) -> tuple[Page[DecisionLog], tuple[Decided, ...]]:
    """One page of a user's decisions that are still kept."""
    logs = DecisionLog.objects.of(user).newest_first().defer("before")
    page = Paginator(logs, DECIDED_PER_PAGE).get_page(number)
    return page, make_decided(list(page))
