"""Reading a viewing-history file: from its bytes to one `Row` for each data row."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from imports.reading.collecting import paused_collection
from imports.reading.columns import likeness
from imports.reading.container import open_table, unreadable
from imports.reading.dates import ORDER_NAMES, Dates, decide
from imports.reading.keys import title_key
from imports.reading.plays import LONGEST_TITLE, Plays, Verdict, read_plays
from imports.reading.rows import Rows
from imports.reading.titles import Interpretation, interpret
from imports.reading.types import (
    NOTHING_KNOWN,
    Choice,
    Kind,
    Known,
    Message,
    Options,
    Question,
    QuestionKind,
    Reading,
    TitleReading,
    UnreadableFile,
)

ALL_PROFILES = "all"
"""The value of `Options.profile` that takes every profile."""

# An account has five, and each is a choice on a page.
MOST_PROFILES = 100
_SHOWN = 60
_MANY_UNDATED = 1000

_RUN_TOGETHER = Message(
    "This title is longer than any of Netflix's: several rows have probably run together."
)
_NO_DATE = Message("This row has no date.")
_NO_KNOWN_DATE = Message("This row has no date that watchlog can read.")
_VIEWINGS = (Kind.EPISODE, Kind.MOVIE)


def read(data: bytes, options: Options, known: Known = NOTHING_KNOWN) -> Reading:
    """Read a viewing-history file as a whole: Netflix's history or activity file.

    `data` are the bytes as uploaded: CSV, XLSX, or the ZIP of Netflix's whole download. Every
    data row (a record after the header with any cell that is not blank) becomes one `Row`, in
    file order. What neither the file nor `options` decides is asked in `questions`.
    Raises UnreadableFile, and nothing else, when the file as a whole cannot be taken.
    """
    return understand(take(data, options), options, known)


def take(data: bytes, options: Options) -> Plays:
    """The first half of `read`, after which the bytes are no longer needed."""
    table = open_table(data, options, likeness)
    with paused_collection():
        return read_plays(table, max_rows=options.max_rows)


def understand(plays: Plays, options: Options, known: Known = NOTHING_KNOWN) -> Reading:
    """The second half of `read`. Some of what the plays hold is taken out of them."""
    with paused_collection():
        return _understand(plays, options, known)


def _understand(plays: Plays, options: Options, known: Known) -> Reading:
    dates = decide(plays.when, plays.parsed, options.date_order, spreadsheet=plays.from_spreadsheet)
    profiles = dict(Counter(filter(None, plays.profiles)).most_common())
    chosen, question = _choose_profile(profiles, options.profile)
    days, moments = _days(plays, dates)
    _refuse_undated(plays, days)
    # What is still to be built takes most memory: a long file has a different date in each row.
    dates = replace(dates, values={})
    plays.parsed.clear()
    plays.when = ["" if day else text for text, day in zip(plays.when, days, strict=True)]
    unread = _no_viewings(plays)
    interpretation = _interpret(plays, days, unread, options, known)
    verdicts = unread if chosen is None else _of_other_profiles(plays, chosen) | unread
    return Reading(
        format=plays.columns.layout.format,
        rows=_rows(plays, dates, days, moments, verdicts, interpretation.titles, options),
        date_order=dates.order,
        date_reason=dates.reason,
        language=interpretation.language,
        profiles=profiles,
        questions=tuple(asked for asked in (question, dates.question) if asked is not None),
    )


def _choose_profile(
    profiles: Mapping[str, int], wanted: str | None
) -> tuple[str | None, Question | None]:
    """The profile whose rows are viewings, None for all of them, and what to ask first.

    Raises UnreadableFile when the file does not have the profile that is wanted, or more
    profiles than any account.
    """
    if len(profiles) > MOST_PROFILES:
        raise UnreadableFile(
            Message(
                "This file names %(count)d profiles: it is not from Netflix.",
                {"count": len(profiles)},
            )
        )
    if not profiles or wanted == ALL_PROFILES:
        return None, None
    if wanted is not None:
        return _find_profile(profiles, wanted), None
    likeliest = next(iter(profiles))
    if len(profiles) == 1:
        return None, None
    choices = [
        Choice(name, Message("%(name)s (rows: %(rows)d)", {"name": name, "rows": rows}))
        for name, rows in profiles.items()
        if name != ALL_PROFILES
    ]
    every = Message("All profiles (rows: %(rows)d)", {"rows": sum(profiles.values())})
    text = Message(
        "This file has the viewings of %(count)d profiles. Whose do you want?",
        {"count": len(profiles)},
    )
    question = Question(QuestionKind.PROFILE, text, (*choices, Choice(ALL_PROFILES, every)))
    return likeliest, question


def _find_profile(profiles: Mapping[str, int], wanted: str) -> str:
    if wanted in profiles:
        return wanted
    alike = [name for name in profiles if title_key(name) == title_key(wanted)]
    if len(alike) == 1:
        return alike[0]
    raise UnreadableFile(
        Message(
            "This file has no profile called %(wanted)s. It has: %(names)s. Choose one of them, or "
            "all.",
            {"wanted": wanted, "names": ", ".join(profiles)},
        )
    )


def _days(plays: Plays, dates: Dates) -> tuple[list[date | None], list[datetime | None]]:
    """The day of each row, and the time in UTC where the file has one."""
    values = [dates.values.get(text) for text in plays.when]
    same: dict[date, date] = {}
    days = [
        same.setdefault(day := value.date(), day) if isinstance(value, datetime) else value
        for value in values
    ]
    if not plays.columns.layout.timed:
        return days, []
    return days, [value if isinstance(value, datetime) else None for value in values]


def _refuse_undated(plays: Plays, days: Sequence[date | None]) -> None:
    """Raises UnreadableFile where so many rows have no date that they are not worth listing."""
    undated = days.count(None)
    if undated > _MANY_UNDATED and 2 * undated > len(days):
        dates = (text.strip() for text, day in zip(plays.when, days, strict=True) if day is None)
        example = next(filter(None, dates), "")
        if not example:
            raise unreadable("%(undated)d rows of this file have no date.", undated=undated)
        raise unreadable(
            "%(undated)d rows of this file have no date that watchlog can read. The first is "
            "'%(example)s'.",
            undated=undated,
            example=example[:_SHOWN],
        )


def _no_viewings(plays: Plays) -> dict[int, Verdict]:
    """The rows that say nothing about the titles of the file, by index."""
    verdicts: dict[int, Verdict] = {}
    kinds: dict[str, Verdict] = {}
    for index, supplement in plays.supplements.items():
        if supplement not in kinds:
            kind = supplement.replace("_", " ").lower()
            kinds[supplement] = (
                Kind.SKIPPED,
                Message("Skipped: Netflix calls this a '%(kind)s', not a viewing.", {"kind": kind}),
            )
        verdicts[index] = kinds[supplement]
    for index, title in enumerate(plays.titles):
        if len(title) > LONGEST_TITLE:
            verdicts[index] = (Kind.ERROR, _RUN_TOGETHER)
    return verdicts | plays.verdicts


def _of_other_profiles(plays: Plays, chosen: str) -> dict[int, Verdict]:
    verdicts: dict[str, Verdict] = {}
    for name in set(plays.profiles):
        reason = Message("Skipped: watched by the profile %(name)s.", {"name": name})
        if not name:
            reason = Message("Skipped: the row does not say which profile watched this.")
        verdicts[name] = (Kind.SKIPPED, reason)
    return {index: verdicts[name] for index, name in enumerate(plays.profiles) if name != chosen}


def _interpret(
    plays: Plays,
    days: Sequence[date | None],
    unread: Mapping[int, Verdict],
    options: Options,
    known: Known,
) -> Interpretation:
    """Read the titles of the file together.

    Rows too short to count, without a date or of another profile explain the others as well.
    """
    titles = dict.fromkeys(plays.titles)
    if unread:
        titles = dict.fromkeys(
            title for index, title in enumerate(plays.titles) if index not in unread
        )
    return interpret(
        titles,
        format=plays.columns.layout.format,
        newest_day=max(filter(None, days), default=None),
        known=known,
        fallback_language=options.fallback_language,
    )


def _title_keys(plays: Plays) -> list[str]:
    """The title key of each row."""
    if not plays.columns.layout.timed:
        return list(map(title_key, plays.titles))
    keys = {title: title_key(title) for title in dict.fromkeys(plays.titles)}
    return [keys[title] for title in plays.titles]


def _rows(
    plays: Plays,
    dates: Dates,
    days: Sequence[date | None],
    moments: Sequence[datetime | None],
    verdicts: dict[int, Verdict],
    readings: Mapping[str, TitleReading],
    options: Options,
) -> Rows:
    def is_viewing(index: int) -> bool:
        return index not in verdicts and readings[plays.titles[index]].kind in _VIEWINGS

    keys = _title_keys(plays)
    too_short = _too_short(plays, days, keys, verdicts, options.min_seconds)
    _add_undated(verdicts, plays, dates, days)
    if too_short:
        for index, (key, day) in enumerate(zip(keys, days, strict=True)):
            if day is not None and key in too_short.get(day, ()) and is_viewing(index):
                verdicts[index] = (Kind.SKIPPED, too_short[day][key])
    repeats = _repeats(plays, days, keys, is_viewing)
    return Rows(plays, keys, days, moments, verdicts, repeats, readings)


def _add_undated(
    verdicts: dict[int, Verdict], plays: Plays, dates: Dates, days: Sequence[date | None]
) -> None:
    undated = (index for index, day in enumerate(days) if day is None and index not in verdicts)
    for count, index in enumerate(undated):
        # A sentence of its own for each of many would take as much memory as the row.
        own = count < _MANY_UNDATED
        reason = _undated(plays.when[index], dates) if own else _NO_KNOWN_DATE
        verdicts[index] = (Kind.ERROR, reason)


def _repeats(
    plays: Plays,
    days: Sequence[date | None],
    keys: Sequence[str],
    is_viewing: Callable[[int], bool],
) -> dict[int, int]:
    """The line of the first row of the same viewing, by index of the rows that repeat it."""
    repeats: dict[int, int] = {}
    twice = _more_than_once(keys)
    # In most files no title comes twice.
    if not twice:
        return repeats
    first_lines: defaultdict[date, dict[str, int]] = defaultdict(dict)
    for index, (line, key, day) in enumerate(zip(plays.lines, keys, days, strict=True)):
        if day is not None and key in twice and is_viewing(index):
            first = first_lines[day].setdefault(key, line)
            if first != line:
                repeats[index] = first
    return repeats


def _more_than_once(keys: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    again: set[str] = set()
    for key in keys:
        (again if key in seen else seen).add(key)
    return again


def _too_short(
    plays: Plays,
    days: Sequence[date | None],
    keys: Sequence[str],
    verdicts: Mapping[int, Verdict],
    min_seconds: int,
) -> dict[date, dict[str, Message]]:
    """The days and title keys whose plays together are under the minimum (rule 6).

    A play of unknown length counts as long enough.
    """
    if not min_seconds:
        return {}
    played: defaultdict[date, dict[str, int]] = defaultdict(dict)
    for index, (day, key, seconds) in enumerate(zip(days, keys, plays.seconds, strict=False)):
        if day is not None and index not in verdicts:
            plays_of_day = played[day]
            length = min_seconds if seconds is None else seconds
            plays_of_day[key] = plays_of_day.get(key, 0) + length
    reasons = {
        seconds: Message(
            "Skipped as too short: played for %(seconds)d seconds that day, the minimum is "
            "%(minimum)d.",
            {"seconds": seconds, "minimum": min_seconds},
        )
        for seconds in {length for lengths in played.values() for length in lengths.values()}
        if seconds < min_seconds
    }
    return {
        day: short
        for day, lengths in played.items()
        if (short := {key: reasons[length] for key, length in lengths.items() if length in reasons})
    }


def _undated(text: str, dates: Dates) -> Message:
    shown = text.strip()[:_SHOWN]
    if not shown:
        return _NO_DATE
    if dates.order in ORDER_NAMES:
        return Message(
            "'%(date)s' is no date when read as %(order)s.",
            {"date": shown, "order": ORDER_NAMES[dates.order]},
        )
    return Message("'%(date)s' is no date.", {"date": shown})
