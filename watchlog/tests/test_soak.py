"""What `make soak` counts; the soak itself takes too long for CI."""

from __future__ import annotations

import random
import re

import pytest

from scripts import soak


@pytest.fixture
def killer(tmp_path):
    return soak.Killer(random.Random(1), tmp_path / "log", kills=80, minutes=60)


def test_kills_are_counted_for_each_step_and_others_make_up_for_none(killer):
    assert killer.wanting() == dict.fromkeys(soak.STEPS, 20)
    killer.hits.update({"storing": 500, "looking_up": 20, "reading": 19, "done": 7})
    assert killer.wanting() == {"reading": 1, soak.UNDOING: 20}
    assert not killer.has_ended()
    killer.hits.update({"reading": 1, soak.UNDOING: 20})
    assert killer.has_ended()
    assert killer.wanting() == {}


def test_fewer_kills_than_wanted_are_not_all_right(monkeypatch, capsys, settings):
    """As when the time was up before."""
    # Restored afterwards, with what the soak sets.
    settings.IMPORT_LEASE_SECONDS = 60
    monkeypatch.setattr(soak, "round_of_imports", lambda killer, files: [])
    monkeypatch.setattr(soak, "imported_alone", lambda files, undo_first: None)
    monkeypatch.setattr(soak, "are_alike", lambda users, alone: True)
    monkeypatch.setattr(soak, "export", lambda first, rows: b"")
    chosen = soak.options().parse_args(["--kills", "8", "--minutes", "0"])
    assert not soak.kill(chosen)
    told = re.findall(r"^2 kills too few while (\w+)", capsys.readouterr().out, re.M)
    assert told == list(soak.STEPS)
