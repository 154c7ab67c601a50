"""The bench of what holds a pretrained engine's frames together, on a film so small that it takes no time."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from vedit.cli.main import main


def test_every_part_is_measured_and_noise_along_the_flow_steadies(
    film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--parts", "none, noise, flow + noise", "--window", "4", "--frames", "8", "--json"]
    assert main(["bench", "consistency", str(film(shots=(8,))), *words]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["method"] for row in rows] == ["none", "noise", "flow,noise"]
    assert all(row["frames"] == 8 for row in rows)
    assert rows[1]["warp"] < 0.75 * rows[0]["warp"]
    assert rows[1]["seam"] == 1  # frames that see no others have no windows
    assert rows[2]["warp"] != rows[1]["warp"]


@pytest.mark.parametrize("part", ["glue", "colour", "auto"])
def test_an_unknown_part_is_refused(
    part: str, film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "consistency", str(film(shots=(3,))), "--parts", f"noise,{part}"]) == 2
    assert part in capsys.readouterr().err
