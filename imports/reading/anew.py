"""Iterating over many things again and again without keeping them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

# More titles than any series of Netflix's has episodes.
_MANY = 20_000


class _Anew(Iterable[T]):
    """What a function makes, made anew for each iteration."""

    def __init__(self, make: Callable[[], Iterator[T]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[T]:
        return self._make()


def held(make: Callable[[], Iterator[T]], count: int) -> Iterable[T]:
    """What a function makes out of so many things, to be iterated over several times.

    A list where there are few; many would take too much memory, and are made again each time.
    """
    return list(make()) if count <= _MANY else _Anew(make)
