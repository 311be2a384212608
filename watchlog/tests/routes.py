"""Every page there is, and whose it is. A new one must be entered here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import EventKind, Invitation, User
from accounts.tokens import make
from imports.importing import run, submit
from imports.models import Import
from imports.tests.making import history
from media import deciding
from media.models import DecidedBy, DecisionLog, LibraryEntry, LookupStatus, Media, Viewing
from media.tests.shelf import add_movie, add_series

# In everything that belongs to the person whom nobody else may see.
SECRET = "zzsecret"


@dataclass(frozen=True)
class Person:
    """Somebody with one of everything, and a browser in which they are signed in."""

    user: User
    mark: str
    browser: Client = field(default_factory=Client)

    @property
    def entry(self) -> LibraryEntry:
        return self.user.library.get(names__name=f"{self.mark} series")

    @property
    def viewing(self) -> Viewing:
        return self.entry.viewings.order_by("pk")[0]

    @property
    def of_import(self) -> Import:
        return self.user.imports.order_by("pk")[0]

    @property
    def decision(self) -> DecisionLog:
        return self.user.decisions.order_by("pk")[0]


def make_person(user: User, mark: str) -> Person:
    person = Person(user, mark)
    person.browser.force_login(user)
    content = history(
        (f"{mark} file series: Season 1: {mark} episode", "6/18/21"),
        (f"{mark} file film", "6/17/21"),
        ("", "6/17/21"),
        (f"{mark} problem", "never"),
    )
    run(submit(user, f"{mark}.csv", content).pk)
    add_series(user, f"{mark} series", watched=3)
    matched = add_series(user, f"{mark} matched", [4], 2)
    Media.objects.filter(pk=matched.media_id).update(title="Dark", base_title="Dark")
    unsure = add_series(user, f"{mark} unsure", watched=2)
    LibraryEntry.objects.filter(pk=unsure.pk).update(lookup_status=LookupStatus.UNCERTAIN)
    add_movie(user, f"{mark} film")
    ignored = add_series(user, f"{mark} ignored", watched=1)
    deciding.ignore(ignored, DecidedBy.USER)
    make(user, f"{mark} token")
    user.events.create(kind=EventKind.TOKEN_MADE, subject=f"{mark} token")
    Invitation.objects.create(
        token_hash=f"hash of {user}",
        created_by=user,
        expires_at=user.date_joined.replace(year=9999),
    )
    return person


OfPerson = Callable[[Person], dict[str, object]]


def of_entry(person: Person) -> dict[str, object]:
    return {"pk": person.entry.pk}


def of_import(person: Person) -> dict[str, object]:
    return {"pk": person.of_import.pk}


# For everybody, signed in or not. Values for those with parts in their address.
PUBLIC: dict[str, dict[str, object]] = {
    "about": {},
    "healthz": {},
    "manifest": {},
    "favicon": {},
    "accounts:setup": {},
    "accounts:login": {},
    "accounts:logout": {},
    "accounts:sign-up": {},
    "accounts:invitation": {"secret": "nobody-has-it"},
    "accounts:forgotten": {},
    "accounts:reset": {"uidb64": "MQ", "token": "abc-def"},
}

# Answers 401 instead of leading to the sign-in.
API = {"media:api"}

# One's own, whatever the address says.
OWN = {
    "download",
    "download-csv",
    "delete-account",
    "accounts:account",
    "accounts:password",
    "accounts:settings",
    "accounts:email",
    "accounts:sign-out-everywhere",
    "accounts:make-token",
    "accounts:invite",
    "history",
    "imports:list",
    "imports:new",
    "media:library",
    "media:look-up",
    "media:attention",
    "media:confirm",
    "media:read-titles",
    "media:decided",
    "media:statistics",
}

# One's own, too, whatever the values in the address.
OWN_BY_VALUE: dict[str, dict[str, object]] = {
    "media:year": {"year": 2024},
    "media:year-picture": {"year": 2024},
}

# The same for everybody who is signed in, and nobody's.
SHARED = {"media:poster": {"size": "w342", "name": "no-such-poster.jpg"}}

# Something of one person's; 404 for everybody else.
OBJECTS: dict[str, OfPerson] = {
    "accounts:revoke-token": lambda person: {"pk": person.user.api_tokens.order_by("pk")[0].pk},
    "accounts:withdraw": lambda person: {"pk": person.user.invitations.order_by("pk")[0].pk},
    "imports:detail": of_import,
    "imports:rows": of_import,
    "imports:progress": of_import,
    "imports:answer": of_import,
    "imports:act": of_import,
    "imports:undo": of_import,
    "imports:problems": of_import,
    "media:entry": of_entry,
    "media:mark": of_entry,
    "media:episode": lambda person: {"pk": person.entry.pk, "key": f"v{person.viewing.pk}"},
    "media:viewing": lambda person: {"pk": person.entry.pk, "viewing_pk": person.viewing.pk},
    "media:fix": of_entry,
    "media:match": of_entry,
    "media:act": of_entry,
    "media:make-movies": of_entry,
    "media:make-series": of_entry,
    "media:split": of_entry,
    "media:merge": of_entry,
    "media:ask-again": of_entry,
    "media:undo": lambda person: {"pk": person.decision.pk},
}

# Only administrators: all that django.contrib.admin has.
STAFF_NAMESPACE = "admin"


# Shown to nobody as a page, and why.
NO_PAGE = {
    "healthz": "for programs",
    "manifest": "for browsers",
    "favicon": "leads to a picture",
    "download": "a file",
    "download-csv": "a file",
    "imports:progress": "the part of an import's page that is drawn anew",
    "imports:problems": "a file",
    "media:api": "for programs",
    "media:poster": "a picture",
    "media:year-picture": "a picture",
}


def all_routes() -> Iterator[tuple[str, str]]:
    """Name (with its namespace) and address of every page; the address where it has no name."""
    for name, address, _pattern in _below(get_resolver(), "", ""):
        yield name, address


def routes_that_show() -> set[str]:
    """The names of those that answer to a visit, the administration's apart."""
    return {
        name
        for name, address, pattern in _below(get_resolver(), "", "")
        if not getattr(pattern.callback, "shows_nothing", False) and not is_admin(name, address)
    }


def is_admin(name: str, address: str) -> bool:
    return name.startswith(f"{STAFF_NAMESPACE}:") or address.startswith(settings.ADMIN_PATH)


def _below(
    resolver: URLResolver, namespace: str, prefix: str
) -> Iterator[tuple[str, str, URLPattern]]:
    for pattern in resolver.url_patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            name = f"{namespace}{pattern.name}" if pattern.name else address
            yield name, address, pattern
        else:
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _below(pattern, inner, address)


def filled(address: str) -> str:
    """An address of the administration with something in place of its parameters."""
    address = re.sub(r"<[^>]+>", "1", address)
    return "/" + re.sub(r"\(\?P.*", "x/", address).lstrip("^").rstrip("$")
