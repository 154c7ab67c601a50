"""`vedit bench predict` on a small film whose motion is known."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from vedit.cli.main import main


def test_motion_beats_a_still(
    film: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip, sheets = str(film(shots=(14,))), tmp_path / "sheets"
    command = [
        "bench",
        "predict",
        clip,
        "--starts",
        "1",
        "--kinds",
        "rnn,transformer",
        "-o",
        str(sheets),
        "--json",
    ]
    assert main(command) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    of = {(row["method"], row["horizon"]): row for row in rows}
    made = {f"{kind}{how}" for kind in ("rnn", "transformer") for how in ("", " sharp", " decoded")}
    methods = {"repeat", "flow", "codec", *made}
    assert set(of) == {(method, k) for method in methods for k in range(1, 9)}
    for k in range(1, 5):
        for method in ("flow", "rnn", "transformer"):
            assert of[method, k]["psnr"] > of["repeat", k]["psnr"]
            assert of[method, k]["ssim"] > of["repeat", k]["ssim"]
    assert of["repeat", 8]["psnr"] < of["repeat", 1]["psnr"]
    assert [path.name for path in sheets.iterdir()] == ["01_film.png"]


def test_what_cannot_be_measured(film: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "predict", str(film(shots=(9,)))]) != 0
    assert "too few for a run of 12" in capsys.readouterr().err
    assert main(["bench", "predict", str(film()), "--frames", "4"]) != 0
    assert "no run of 12" in capsys.readouterr().err
