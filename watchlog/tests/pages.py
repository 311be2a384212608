"""Every page in each state that looks different, for tests that look at all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts import invitations
from accounts.models import User
from imports import importing
from imports.models import Import, State
from imports.tests.making import activity, history
from media import deciding, marking
from media.models import DecidedBy, LibraryEntry
from media.pages import library_page
from media.tests.shelf import DAY, add_movie, add_seasons, add_series, watch
from media.tests.test_attention import candidate, gone, near, unsure
from media.tests.test_doubts import doubt


@dataclass(frozen=True)
class Shown:
    """A page: what the site shows at `path`, or the `html` it gave as the answer to a form."""

    path: str
    status: int = 200
    html: str = ""

    @property
    def route(self) -> str:
        return resolve(urlsplit(self.path).path).view_name


@dataclass(frozen=True)
class Visit:
    """Whoever comes, and what the site is like then."""

    client: Client
    make_user: Callable[..., User]
    settings: Any
    monkeypatch: pytest.MonkeyPatch

    def sent(self, path: str, data: dict[str, object], status: int = 200) -> Shown:
        """The page that answers a form."""
        return Shown(path, status, self.client.post(path, data).text)


def of_nobody_yet(visit: Visit) -> Iterator[Shown]:
    """Before there is any account."""
    setup = reverse("accounts:setup")
    yield Shown(setup)
    yield visit.sent(setup, {"username": "", "password1": "1", "password2": "2"})


def of_the_door(visit: Visit) -> Iterator[Shown]:
    """For whoever is not signed in."""
    visit.settings.SENDS_EMAIL = True
    owner = visit.make_user("ben", is_staff=True)
    sign_in = reverse("accounts:login")
    yield Shown(sign_in)
    yield Shown(reverse("accounts:invitation", args=[invitations.invite(owner)]))
    yield Shown(reverse("accounts:invitation", args=["nobody-has-it"]), 404)
    yield Shown(reverse("accounts:forgotten"))
    user_id = urlsafe_base64_encode(force_bytes(owner.pk))
    token = default_token_generator.make_token(owner)
    yield Shown(reverse("accounts:reset", args=[user_id, token]))
    yield Shown(reverse("accounts:reset", args=[user_id, "abc-def"]))
    yield Shown(reverse("about"))
    yield Shown("/nothing-here/", 404)
    yield Shown(reverse("accounts:logout"), 405)
    yield Shown(sign_in, 403, Client(enforce_csrf_checks=True).post(sign_in).text)
    wrong: dict[str, object] = {"username": "ben", "password": "wrong"}
    yield visit.sent(sign_in, wrong)
    for _ in range(visit.settings.AXES_FAILURE_LIMIT - 2):
        visit.client.post(sign_in, wrong)
    yield visit.sent(sign_in, wrong, 429)


def of_the_open_door(visit: Visit) -> Iterator[Shown]:
    """For whoever is not signed in where everybody may have an account."""
    visit.settings.SIGN_UP = "open"
    visit.make_user("ben")
    sign_up = reverse("accounts:sign-up")
    yield Shown(reverse("accounts:login"))
    yield Shown(sign_up)
    yield visit.sent(sign_up, {"username": "ben", "password1": "1", "password2": "2"})


def of_a_newcomer(visit: Visit) -> Iterator[Shown]:
    """For somebody who has nothing yet."""
    visit.client.force_login(visit.make_user("anna"))
    for name in ("media:library", "history", "media:statistics", "imports:list", "imports:new"):
        yield Shown(reverse(name))
    yield Shown(reverse("media:year", args=[2024]))
    yield Shown(reverse("media:attention"))
    yield Shown(reverse("media:decided"))
    yield visit.sent(reverse("imports:new"), {"min_minutes": "-1"})


def of_faults(visit: Visit) -> Iterator[Shown]:
    """When something goes wrong."""
    visit.client.force_login(visit.make_user("anna"))
    visit.client.raise_request_exception = False
    faults: dict[str, tuple[Exception, int]] = {
        "boom": (RuntimeError("boom"), 500),
        "gone": (OperationalError("database is locked"), 503),
        "full": (OperationalError("database or disk is full"), 503),
        "forbidden": (PermissionDenied(), 403),
        "strange": (SuspiciousOperation(), 400),
    }

    def fail(user: User, query: Any) -> object:
        if query.search in faults:
            raise faults[query.search][0]
        return library_page(user, query)

    visit.monkeypatch.setattr("media.views.library_page", fail)
    for name, (_fault, status) in faults.items():
        yield Shown(f"/?q={name}", status)


def of_somebody(visit: Visit) -> Iterator[Shown]:
    """For an administrator who has one of everything, without a key for TMDB."""
    visit.settings.SENDS_EMAIL = True
    user = visit.make_user("anna", is_staff=True)
    visit.client.force_login(user)
    yield from _of_the_library(visit, user)
    yield from _of_imports(visit, user)
    yield from _of_the_account(visit)
    yield Shown(reverse("about"))
    yield Shown("/nothing-here/", 404)
    yield Shown(reverse("media:look-up"), 405)


def of_somebody_with_a_key(visit: Visit) -> Iterator[Shown]:
    """What looks otherwise where TMDB can be asked."""
    visit.settings.TMDB_API_KEY = "key"
    user = visit.make_user("anna")
    visit.client.force_login(user)
    pending = unsure(user, "Soon", "pending")
    matched = add_series(user, "Dark", [10, 8, 8], 14)
    yield Shown(reverse("media:library"))
    yield Shown(pending.get_absolute_url())
    yield Shown(matched.get_absolute_url())
    yield Shown(reverse("media:fix", args=[pending.pk]))


def _of_the_library(visit: Visit, user: User) -> Iterator[Shown]:
    dark = add_series(user, "Dark", [10, 8, 8], 14, tmdb_status="Ended")
    episode = dark.media.seasons.get(number=1).episodes.get(number=1)
    watch(dark, "Dark: Bonus", DAY, season_number=0, episode_title="Making of")
    late = datetime(2024, 5, 9, 21, 30, tzinfo=UTC)
    watch(dark, "Dark: Late", late.date(), watched_at=late, duration_seconds=3000, profile="Anna")
    marking.watch_episodes(dark, [episode.tmdb_id], DAY)
    komi = candidate(name="Komi Can't Communicate", original_name="Komi-san", poster_path="")
    heist = add_series(user, "Money Heist", [6], 3)
    add_seasons(heist.media, [3], first_number=0)
    watch(heist, "Money Heist: Extra", DAY, season_number=1, episode_title="Extra")
    entries = [
        dark,
        add_series(user, "Our Holidays", watched=3),
        unsure(user, "Komi", candidates=[komi]),
        unsure(user, "Kingdom", candidates=near()),
        unsure(user, "Unreached", "error"),
        unsure(user, "Waiting", "pending"),
        gone(user, "Gone"),
        add_movie(user, "Roma"),
        add_movie(user, "Okja"),
        unsure(user, "Home Videos", "not_found"),
    ]
    deciding.hide(entries[-2], hidden=True)
    deciding.ignore(entries[-1], DecidedBy.USER)
    doubt(user, "Dark", "Alpha")
    doubt(user, "Chef", "Pasta", read_as="episode")
    yield from (Shown(path) for path in ("/", "/?view=table", "/?q=zzz&view=grid", "/?hidden=1"))
    for entry in LibraryEntry.objects.filter(pk__in=[entry.pk for entry in entries]):
        yield Shown(entry.get_absolute_url())
        yield Shown(reverse("media:fix", args=[entry.pk]))
    yield Shown(f"{heist.get_absolute_url()}?open=other-specials")
    yield Shown(reverse("media:episode", args=[dark.pk, f"t{episode.tmdb_id}"]))
    for path in (reverse("media:attention"), reverse("media:decided"), reverse("history")):
        yield Shown(path)
    yield from (Shown(f"/history/?{query}") for query in ("q=zzz", "day=2024-05-01"))
    yield Shown(reverse("media:statistics"))
    for query in ("year=2024&of=hours&profile=Anna", f"series={dark.pk}", "year=1999"):
        yield Shown(f"/statistics/?{query}")
    yield from (Shown(reverse("media:year", args=[year])) for year in (2024, 2019))


def _of_imports(visit: Visit, user: User) -> Iterator[Shown]:
    rows = history(("Dark: Season 1: X", "6/18/21"), ("Chef: Pasta", "6/18/21"), ("", "x"))
    of_two = activity(
        ("Ana", "2024-03-02 20:00:00", "00:40:00", "Dark: Season 1: Secrets (Episode 1)"),
        ("Ben", "2024-03-01 20:00:00", "01:50:00", "Inception"),
    )
    done, look, asks, failed = (
        importing.run(importing.submit(user, name, data, preview_first=name == "look.csv").pk)
        for name, data in (
            ("NetflixViewingHistory.csv", rows),
            ("look.csv", rows),
            ("ViewingActivity.csv", of_two),
            ("holiday.png", b"\x89PNG\r\n"),
        )
    )
    assert [look.state, asks.state] == [State.NEEDS_ANSWER] * 2

    def make(state: State, **fields: object) -> Import:
        return Import.objects.create(
            user=user, filename="more.csv", digest=state, state=state, **fields
        )

    cancelled = make(State.CANCELLED, rows=9, rows_new=4)
    queued = make(State.QUEUED)
    undoing = make(State.DONE, rows=9, undo_asked_at=timezone.now())
    running = make(State.LOOKING_UP, rows=9, series_total=4, series_matched=1)
    yield from (Shown(reverse(f"imports:{name}")) for name in ("new", "list"))
    for one in (done, look, asks, failed, cancelled, queued, undoing, running):
        yield Shown(one.get_absolute_url())
    for query in ("", "?q=zzz"):
        yield Shown(reverse("imports:rows", args=[done.pk]) + query)
    yield Shown(reverse("imports:rows", args=[cancelled.pk]))
    yield Shown(reverse("imports:undo", args=[done.pk]))
    yield Shown(reverse("imports:answer", args=[asks.pk]), 405)
    yield visit.sent(reverse("imports:answer", args=[asks.pk]), {}, 422)


def _of_the_account(visit: Visit) -> Iterator[Shown]:
    for name in ("account", "settings", "password", "email"):
        yield Shown(reverse(f"accounts:{name}"))
    yield Shown(reverse("delete-account"))
    yield visit.sent(reverse("accounts:password"), {"old_password": "wrong"})
    yield visit.sent(reverse("accounts:make-token"), {"name": "my script"})
    yield visit.sent(reverse("accounts:invite"), {})


ALL: dict[str, Callable[[Visit], Iterator[Shown]]] = {
    "somebody": of_somebody,
    "somebody with a key": of_somebody_with_a_key,
    "a newcomer": of_a_newcomer,
    "the door": of_the_door,
    "the open door": of_the_open_door,
    "nobody yet": of_nobody_yet,
    "faults": of_faults,
}
