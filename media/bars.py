"""The progress bar cut where the seasons are, as lengths to draw. Pure: no Django, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Length:
    """How many episodes a season has."""

    season: int
    episodes: int


@dataclass(frozen=True, slots=True)
class Piece:
    """From where to how far, in percent of the bar, written as SVG wants it in any language."""

    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Label:
    """A season's number and the middle of its piece."""

    season: int
    x: str


@dataclass(frozen=True, slots=True)
class Bar:
    """What to draw: the watched pieces, what has not aired, the cuts between the seasons."""

    watched: int
    total: int
    seasons: int
    filled: tuple[Piece, ...]
    unaired: Piece | None
    cuts: tuple[str, ...]
    labels: tuple[Label, ...]


def draw(
    watched: int,
    total: int,
    lengths: Sequence[Length] = (),
    by_season: Mapping[int, int] | None = None,
    aired: int | None = None,
) -> Bar:
    """The bar of a series of `total` (at least 1) episodes of which `watched` were watched.

    `by_season` says where they were watched; episodes that it doesn't place fill the earliest
    free room, so that the filled length always says `watched` of `total`. A count above the
    total fills the bar and no more.
    """
    rooms = [length for length in lengths if length.season > 0 and length.episodes > 0]
    known = sum(room.episodes for room in rooms)
    sizes = [room.episodes for room in rooms]
    if known < total:
        sizes.append(total - known)
    whole = sum(sizes)
    fills = _fills(watched, total, rooms, sizes, by_season or {})
    starts = [sum(sizes[:at]) for at in range(len(sizes))]
    unaired = None
    if aired is not None and aired < total:
        unaired = _piece(max(aired, 0), whole, whole)
    return Bar(
        watched=watched,
        total=total,
        seasons=len(rooms),
        filled=_joined(starts, fills, whole),
        unaired=unaired,
        cuts=tuple(_percent(start, whole) for start in starts[1:]),
        labels=tuple(
            Label(room.season, _percent(start + room.episodes / 2, whole))
            for room, start in zip(rooms, starts, strict=False)
        ),
    )


def _fills(
    watched: int,
    total: int,
    rooms: Sequence[Length],
    sizes: Sequence[int],
    by_season: Mapping[int, int],
) -> list[int]:
    if watched >= total:
        return list(sizes)
    left = watched
    fills = [0] * len(sizes)
    for at, room in enumerate(rooms):
        fills[at] = min(room.episodes, by_season.get(room.season, 0), left)
        left -= fills[at]
    for at, size in enumerate(sizes):
        more = min(size - fills[at], left)
        fills[at] += more
        left -= more
    return fills


def _joined(starts: Sequence[int], fills: Sequence[int], whole: int) -> tuple[Piece, ...]:
    """The filled pieces; those that touch are one, since the cuts are drawn over them."""
    runs: list[tuple[int, int]] = []
    for start, fill in zip(starts, fills, strict=True):
        if not fill:
            continue
        if runs and runs[-1][1] == start:
            runs[-1] = (runs[-1][0], start + fill)
        else:
            runs.append((start, start + fill))
    return tuple(_piece(start, end, whole) for start, end in runs)


def _piece(start: float, end: float, whole: int) -> Piece:
    return Piece(_percent(start, whole), _percent(end - start, whole))


def _percent(part: float, whole: int) -> str:
    return f"{part / whole * 100:.3f}".rstrip("0").rstrip(".") + "%"
