"""The page of all imports, made ready so that templates need no logic."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from imports.models import Import, Standing, State
from imports.pages import headline, joined, progress, time_left, why_nothing_happens
from media.models import LibraryEntry

PER_PAGE = 30


@dataclass(frozen=True, slots=True)
class Line:
    """An import among others."""

    of_import: Import
    says: str
    done: int
    todo: int
    """0 while nobody knows how much there is to do."""
    runs: bool
    asks: str
    """What its user is to do before it goes on: a link."""

    @property
    def dated(self) -> bool:
        """Whether it is over, and its day of interest."""
        return not (self.of_import.is_under_way or self.asks)


@dataclass(frozen=True, slots=True)
class ListPage:
    """The page of all imports, while some run and afterwards."""

    page: Page[Import]
    lines: tuple[Line, ...]
    standing: Standing
    headline: str
    detail: str
    trouble: str
    """Why nothing goes on although something should."""
    to_look_at: int

    @property
    def polls(self) -> bool:
        return self.standing["under_way"] > 0

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to wait for, and something came of it."""
        standing = self.standing
        return not (standing["under_way"] or standing["waiting"]) and standing["done"] > 0

    @property
    def version(self) -> str:
        """Changes when the page does, so that polling leaves alone what is as it was."""
        lines = [(line.of_import.pk, line.of_import.state, line.says) for line in self.lines]
        shown = (lines, self.headline, self.detail, self.trouble)
        return f"{zlib.crc32(repr(shown).encode()):08x}"


def list_page(user: User, number: str | None) -> ListPage:
    """All that the page shows, with one page of the imports."""
    imports = Import.objects.of(user)
    standing = imports.standing()
    page = Paginator(imports.newest_first(), PER_PAGE).get_page(number)
    since = standing["queued_since"]
    unmatched = LibraryEntry.objects.of(user).visible().unmatched()
    to_look_at = 0 if standing["under_way"] else unmatched.count()
    return ListPage(
        page=page,
        lines=lines_of(page),
        standing=standing,
        headline=_headline(standing),
        detail=_detail(standing, to_look_at),
        trouble=why_nothing_happens(since) if since else "",
        to_look_at=to_look_at,
    )


def lines_of(imports: Iterable[Import]) -> tuple[Line, ...]:
    return tuple(_line(of_import) for of_import in imports)


def _line(of_import: Import) -> Line:
    done, todo = progress(of_import)
    says, asks = joined(headline(of_import), time_left(of_import)), ""
    if not of_import.is_being_undone:
        match of_import.state:
            case State.NEEDS_ANSWER if of_import.question:
                asks = _("Answer")
            case State.NEEDS_ANSWER:
                says, asks = _("Nothing of it is stored yet"), _("Look and confirm")
            case State.FAILED:
                says = of_import.why_it_failed
            case State.CANCELLED | State.UNDONE:
                says = ""
    runs = of_import.is_under_way and of_import.state != State.QUEUED
    return Line(of_import, says, done, todo, runs, asks)


def _headline(standing: Standing) -> str:
    if count := standing["under_way"]:
        return ngettext(
            "%(count)s import is under way", "%(count)s imports are under way", count
        ) % {"count": count}
    if count := standing["waiting"]:
        return ngettext(
            "%(count)s import waits for you", "%(count)s imports wait for you", count
        ) % {"count": count}
    return _("All imports have ended")


def _detail(standing: Standing, to_look_at: int) -> str:
    count = standing["waiting"]
    if standing["under_way"] and not count:
        return _("You may close this page: the imports go on without it.")
    if standing["under_way"]:
        return ngettext("%(count)s more waits for you.", "%(count)s more wait for you.", count) % {
            "count": count
        }
    if count:
        return ngettext(
            "Nothing of it is stored before that.", "Nothing of them is stored before that.", count
        )
    if not standing["done"]:
        return _("Open one to see what became of it, or import another file.")
    if to_look_at:
        return _("Some series have no total yet: say which ones they are.")
    return _("When you have a newer file, hand it in: it adds only what is new.")
