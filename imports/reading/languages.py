"""Which language the titles of a file are in, as their markers tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice

from imports.reading.markers import table

# Titles that are searched together: a text of all would take as much memory as they do.
_AT_ONCE = 5000


class Languages:
    """The languages of a file: of its series, by their markers, and of most of its titles.

    `votes` counts titles by the languages that their marker may belong to ("Temporada" is Spanish
    and Portuguese); `titles` are all raw titles, asked for their spelling where votes are even.
    """

    def __init__(
        self, votes: Mapping[tuple[str, ...], int], titles: Iterable[str], fallback: str
    ) -> None:
        self._titles = titles
        self._weights: Counter[str] = Counter()
        self._chosen: dict[tuple[str, ...], str] = {}
        for languages, count in votes.items():
            for language in languages:
                # A word of one language alone says more than one of several.
                self._weights[language] += count * (2 if len(languages) == 1 else 1)
        self.majority = self.of_most(votes) if votes else fallback

    def of_most(self, votes: Mapping[tuple[str, ...], int]) -> str:
        """The language of most of these titles, which are counted as the file's are."""
        totals: Counter[str] = Counter()
        for languages, count in votes.items():
            totals[self.of(languages)] += count
        return min(totals, key=lambda name: (-totals[name], name))

    def of(self, languages: tuple[str, ...]) -> str:
        """The likeliest of the languages that a marker may belong to."""
        chosen = self._chosen.get(languages)
        if chosen is None:
            best = max(self._weights[language] for language in languages)
            leading = [name for name in languages if self._weights[name] == best]
            chosen = leading[0] if len(leading) == 1 else self._by_spelling(leading)
            self._chosen[languages] = chosen
        return chosen

    def _by_spelling(self, leading: list[str]) -> str:
        """The language whose letters and words for an episode the titles have most of."""
        words = table()
        counts = dict.fromkeys(leading, 0)
        titles = iter(self._titles)
        while text := "".join(islice(titles, _AT_ONCE)).casefold():
            for name in leading:
                counts[name] += sum(
                    map(text.count, (*words.letters[name], *words.episode_words[name]))
                )
        return max(leading, key=counts.__getitem__)
