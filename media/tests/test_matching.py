from __future__ import annotations

from datetime import date

from media.matching import Candidate, Evidence, SeasonFacts, Status, WatchedEpisode, match


def test_the_record_with_the_watched_seasons_wins_over_one_that_aired_later():
    evidence = Evidence(
        name="Kingdom",
        episodes=(WatchedEpisode(2, None, None, "Episode 1"),),
        first_watched=date(2020, 3, 14),
        candidates=(
            Candidate(
                1,
                "Kingdom",
                first_air_date=date(2019, 1, 25),
                popularity=9,
                seasons=(SeasonFacts(1, "", 6), SeasonFacts(2, "", 6)),
                other_names=(),
            ),
            Candidate(2, "Kingdom", first_air_date=date(2022, 4, 10), popularity=90, seasons=()),
        ),
    )
    decision = match(evidence)
    assert (decision.status, decision.tmdb_id) == (Status.MATCHED, 1)
