from __future__ import annotations

from media.episodes import EpisodeFacts, SeasonFacts, Watched, identify


def season(number, *titles, name=""):
    episodes = tuple(
        EpisodeFacts(number * 1000 + n, n, title) for n, title in enumerate(titles, start=1)
    )
    return SeasonFacts(number, name or f"Season {number}", len(titles), episodes)


def test_a_heading_before_the_title_does_not_matter():
    seasons = [season(4, "The Hellfire Club", "Vecna's Curse", "The Piggyback")]
    watched = [Watched("a", 4, None, None, "Chapter Nine: The Piggyback")]
    assert identify(watched, seasons) == {"a": (4003,)}
