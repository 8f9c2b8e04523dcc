"""kill -9 of server, workers or both: nothing acknowledged is lost, done twice, charged twice, or seen half done."""

from __future__ import annotations

from pathlib import Path

import pytest

from soak.kills import soak


@pytest.mark.server
@pytest.mark.timeout(300)  # starting processes is slow where tests run side by side
def test_ten_rounds_of_kills_break_no_promise(tmp_path: Path) -> None:
    seen = soak(tmp_path, 10, seed=4, restarts=2, is_whole=False, pause=(0.05, 0.6))
    assert seen.wrong == []
    assert len(seen.acknowledged) >= 5
    assert sum(seen.killed.values()) == 10
    assert seen.takeover < 30
