"""`manage.py match`: look series up at TMDB again, or explain a decision."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q
from django.utils import timezone

from accounts import audit
from accounts.models import EventKind
from media import library, lookup, refreshing
from media.asking import Question, ask
from media.keys import typed_key
from media.matching import Evidence, explain
from media.models import DecidedBy, LibraryEntry, LookupStatus, Media, Viewing
from tmdb.errors import TmdbError

STATUSES = {
    "pending": [LookupStatus.PENDING, LookupStatus.ERROR],
    "uncertain": [LookupStatus.UNCERTAIN, LookupStatus.NOT_FOUND],
    "all": [
        LookupStatus.PENDING,
        LookupStatus.ERROR,
        LookupStatus.UNCERTAIN,
        LookupStatus.NOT_FOUND,
        LookupStatus.MATCHED,
    ],
}


class Command(BaseCommand):
    help = "Looks series up at TMDB. What people decided by hand is never changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--pending", action="store_true", help="series not looked up yet")
        which.add_argument("--uncertain", action="store_true", help="uncertain and not found")
        which.add_argument("--all", action="store_true", help="all but those decided by hand")
        which.add_argument("--refresh", action="store_true", help="totals that are due")
        which.add_argument("--explain", metavar="NAME", help="print the score table of a name")
        parser.add_argument("--user", metavar="NAME", help="one user's library only")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.TMDB_API_KEY:
            raise CommandError(
                "There is no TMDB key. Get a free one at https://www.themoviedb.org/settings/api "
                "and put it into .env as TMDB_API_KEY."
            )
        entries = LibraryEntry.objects.series()
        doubtful = Viewing.objects.doubtful()
        if options["user"]:
            user = get_user_model().objects.filter(username=options["user"]).first()
            if user is None:
                raise CommandError(f"There is no user {options['user']}.")
            entries, doubtful = entries.of(user), doubtful.of(user)
        if options["explain"]:
            self._explain(entries, options["explain"])
        elif options["refresh"]:
            self._refresh(entries)
        else:
            which = next(name for name in STATUSES if options[name])
            self._look_up(
                entries.filter(lookup_status__in=STATUSES[which]),
                doubtful.never_asked_about() if which == "pending" else doubtful,
            )

    def _look_up(self, entries: lookup.Entries, doubtful: lookup.Viewings) -> None:
        results: Counter[str] = Counter()

        def count(result: lookup.Result) -> None:
            results[result.status] += 1

        waiting = entries.filter(decided_by=DecidedBy.AUTOMATIC).order_by("-last_watched", "pk")
        asked, doubts = waiting.count(), list(doubtful.values_list("pk", flat=True))
        lookup.look_up(waiting, doubtful=doubtful, even_if_not_due=True, on_result=count)
        left = asked - sum(results.values())
        self.stdout.write(
            f"{asked} series: {results['matched']} matched, {results['uncertain']} uncertain, "
            f"{results['not_found']} not found, {results['error']} failed, {left} not asked."
        )
        if doubts:
            settled = len(doubts) - Viewing.objects.doubtful().filter(pk__in=doubts).count()
            self.stdout.write(f"{settled} of {len(doubts)} doubtful titles settled.")

    def _refresh(self, entries: lookup.Entries) -> None:
        due = Media.objects.filter(entries__in=entries).due_for_refresh(timezone.now()).distinct()
        fetched = refreshing.fetch_each(due, refreshing.refresh)
        self.stdout.write(f"{fetched.answered} of {len(due)} series refreshed.")
        if left := len(due) - fetched.asked:
            self.stdout.write(f"TMDB does not answer now: {left} not asked. They stay due.")

    def _explain(self, entries: lookup.Entries, name: str) -> None:
        called = Q(names__key=library.bounded_key(typed_key(name))) | Q(media__title__iexact=name)
        entry = entries.filter(called).select_related("media").prefetch_related("names").first()
        try:
            answer = ask(
                Question(
                    lookup.evidence_for(entry)
                    if entry
                    else Evidence(name, language=lookup.language_or_usual(""))
                )
            )
        except TmdbError as error:
            raise CommandError(f"TMDB cannot be asked now: {error}") from error
        if entry is None:
            self.stdout.write("No series in the library is called so: the name is all there is.")
        else:
            # The evidence tells what its user watched, and when first.
            subject = f"manage.py match --explain {entry.media.title}"
            audit.record(entry.user_id, EventKind.MATCH_EXPLAINED, subject=subject)
        self.stdout.write(explain(answer.evidence, answer.decision))
