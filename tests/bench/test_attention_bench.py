"""The bench of flow-guided attention, on a window so small that it takes no time."""

import json
import sys

import pytest

from vedit.bench.attention import METHODS, Trial, bench_attention, protocol
from vedit.cli.main import main
from vedit.errors import UsageError


def test_every_level_and_their_sum_by_each_method() -> None:
    rows = list(bench_attention(Trial(frames=3, height=12, width=8, repeats=1)))
    assert [row.method for row in rows] == list(METHODS) * 5
    assert [row.clip for row in rows[::3]] == [
        "12x8, 320 channels",
        "6x4, 640 channels",
        "3x2, 1280 channels",
        "2x1, 1280 channels",
        "all 16 layers",
    ]
    for row in rows[:3]:
        same = [other.seconds for other in rows if other.method == row.method]
        assert same[4] == pytest.approx(5 * sum(same[:3]) + same[3])
    assert all(row.time_ratio == 1 for row in rows if row.method == "plain")
    assert all((row.memory is None) == (sys.platform != "linux") for row in rows)


def test_the_command_says_how_it_measured(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(
        ["bench", "attention", "--frames", "2", "--height", "8", "--width", "8", "--repeats", "1", "--json"]
    )
    assert code == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["event"] == "protocol"
    assert lines[0]["flow"] == protocol(Trial(2, 8, 8, 1))["flow"]
    assert len(lines) == 1 + 15


def test_a_trial_needs_something_to_attend_to() -> None:
    for wrong in ({"frames": 1}, {"height": 4}, {"repeats": 0}):
        with pytest.raises(UsageError):
            Trial(**wrong)
