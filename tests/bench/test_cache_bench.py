"""The bench of features kept between steps, on a net so small that it takes no time."""

import json

import pytest

from vedit.bench.cache import WAYS, Trial, bench_cache, protocol
from vedit.cli.main import main
from vedit.errors import UsageError

SMALL = Trial(frames=1, height=8, width=8, steps=3, channels=32)


def test_what_is_left_out_is_measured_against_all_of_it() -> None:
    rows = list(bench_cache(SMALL))
    assert len(rows) == len(WAYS)
    assert [row.psnr is None for row in rows] == [True, *[False] * 5]
    assert all(row.psnr is None or 5 < row.psnr < 60 for row in rows)
    assert rows[0].memory == 0
    assert (
        rows[1].memory > rows[3].memory == pytest.approx(64 * 8 * 8 * 4 / 1e6)
    )  # the second level's channels on the whole grid
    assert "random weights" in protocol(SMALL)["model"]


def test_the_command_prints_rows(capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--frames", "1", "--height", "8", "--width", "8", "--steps", "2", "--channels", "32"]
    assert main(["bench", "cache", *small, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["event"] == "protocol"
    assert [line["method"] for line in lines[1:3]] == ["all at all steps", "attention at 1 of 2 steps"]


@pytest.mark.parametrize("wrong", [{"steps": 1}, {"height": 4}, {"channels": 48}])
def test_a_trial_that_shows_nothing_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        Trial(**wrong)
