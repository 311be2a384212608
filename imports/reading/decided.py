"""What a person decided about titles and names, before anything that a file suggests."""

from __future__ import annotations

from collections.abc import Mapping

from imports.reading.keys import name_key, title_key
from imports.reading.types import Alternative, Kind, Known, Message, TitleReading

_MOVIE = Message("Movie, because you said so.")
_SERIES = Message("Series, because you said so.")


def as_decided(
    readings: Mapping[str, TitleReading], known: Known, language: str
) -> dict[str, TitleReading]:
    """Those readings, by raw title, that are otherwise because a person decided so.

    The other reading of a title that was in doubt stays with it. `language` is the file's.
    """
    decided: dict[str, TitleReading] = {}
    if not (known.movies or known.episodes or known.no_series):
        return decided
    for raw, reading in readings.items():
        if reading.kind is not Kind.EPISODE and reading.kind is not Kind.MOVIE:
            continue
        key = title_key(raw)
        if key in known.movies:
            decided[raw] = _movie(reading)
        elif key in known.episodes:
            decided[raw] = _episode(raw, reading, known.episodes[key], language)
        elif known.no_series and name_key(_series(reading)) in known.no_series:
            decided[raw] = _movie(reading)
    return decided


def _series(reading: TitleReading) -> str:
    """The series that a title is, or might be, an episode of."""
    other = reading.alternative
    return reading.series or (other.series if other else None) or ""


def _movie(reading: TitleReading) -> TitleReading:
    return TitleReading(Kind.MOVIE, _MOVIE, alternative=reading.alternative)


def _episode(raw: str, reading: TitleReading, series: str, language: str) -> TitleReading:
    series = series or _series(reading) or " ".join(raw.split())
    if reading.kind is Kind.EPISODE:
        return reading._replace(reason=_SERIES, series=series, reading_uncertain=False)
    other = reading.alternative or Alternative(Kind.EPISODE)
    return TitleReading(
        Kind.EPISODE,
        _SERIES,
        series,
        language,
        other.season_number,
        other.season_number is not None,
        episode_title=other.episode_title or raw.removeprefix(series).lstrip(": ") or raw,
        alternative=reading.alternative,
    )
