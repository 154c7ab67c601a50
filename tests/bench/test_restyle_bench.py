"""The bench of restyling on a tiny film, baselines only: the rows must make sense, whatever the engine does."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
import torch

from vedit.bench.clips import read_clip
from vedit.bench.restyle import bench_restyle
from vedit.bench.rows import means
from vedit.bench.sheet import contact_sheet
from vedit.cli.main import main
from vedit.errors import OutputError

STYLES = Path(__file__).parents[2] / "samples" / "styles"


@pytest.fixture
def five(film: Callable[..., Path]) -> Path:
    return film("five.mp4", shots=(5,))


def test_the_baselines_give_sane_rows(five: Path) -> None:
    rows = list(bench_restyle([five, five], painters={"inverse": lambda frame, index: 1 - frame}))
    assert [row.method for row in rows] == 2 * ["source", "stylization", "painter inverse"]
    source, stylised, inverse = rows[:3]
    assert {row.frames for row in rows} == {5}
    assert source.structure == pytest.approx(1)
    assert source.warp_ratio == pytest.approx(source.warp_error / (source.warp_error + 0.2))
    assert stylised.structure < 1
    assert inverse.structure == pytest.approx(1, abs=0.1)
    assert inverse.warp_error == pytest.approx(source.warp_error, rel=1e-3)
    assert all(row.style_ratio is None for row in rows)
    assert all(math.isfinite(row.fps) and 0 <= row.first_seconds <= row.seconds for row in rows)
    mean = means(rows)
    assert [row.method for row in mean] == ["source", "stylization", "painter inverse"]
    assert mean[0].warp_error == pytest.approx(source.warp_error)
    assert mean[0].style_ratio is None
    assert (mean[0].clip, mean[0].frames) == ("mean", 10)


def test_a_clip_is_read_up_to_its_first_cut_in_the_size_asked_for(film: Callable[..., Path]) -> None:
    path = film("cut.mp4", shots=(7, 8))
    assert tuple(read_clip(path, 24, 512).frames.shape) == (7, 3, 64, 96)
    assert tuple(read_clip(path, 4, 50).frames.shape) == (4, 3, 32, 50)


def test_the_command_prints_a_table_or_json_and_draws_a_sheet(
    five: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["bench", "restyle", str(five), "--looks", "none"]
    assert main([*line, "--json", "-o", str(tmp_path / "sheets")]) == 0
    rows = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert [row["method"] for row in rows] == ["source", "stylization"]
    assert rows[0]["clip"] == "five.mp4"
    sheet = cv2.imread(str(tmp_path / "sheets" / "01_five.png"))
    assert sheet is not None
    assert sheet.shape[1] > 3 * 320

    assert main([*line, str(five), "--quiet"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("stylization") == 3  # two clips and the mean
    assert "mean" in printed


def test_colour_transfer_comes_nearer_to_a_style(five: Path) -> None:
    rows = list(bench_restyle([five], styles=[STYLES / "ink_hatching.png"], temporal=()))
    assert [row.method for row in rows] == ["source", "stylization", "palette ink_hatching"]
    source, _, palette = (row.style_ratio for row in rows)
    assert source == 1
    assert palette is not None
    assert palette < 1


def test_settings_that_cannot_work_are_refused(five: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "restyle", str(five), "--looks", "none", "--temporal", "magic"]) == 2
    assert "magic" in capsys.readouterr().err
    assert main(["bench", "restyle", str(five), "--looks", "none", "--styles", str(five)]) == 3


def test_a_sheet_takes_rows_of_any_length_and_size(tmp_path: Path) -> None:
    red = torch.tensor([1.0, 0, 0]).view(3, 1, 1)
    path = tmp_path / "new" / "sheet.png"
    contact_sheet([("tall", [red.expand(3, 30, 10)]), ("wide, é", [red.expand(3, 10, 40)] * 2)], path, 40)
    sheet = cv2.imread(str(path))
    assert sheet is not None
    assert sheet.shape[1] == 84
    assert tuple(sheet[60, 20]) == (0, 0, 255)
    assert tuple(sheet[60, 80]) == (255, 255, 255)
    with pytest.raises(OutputError):
        contact_sheet([("none", [red.expand(3, 8, 8)])], tmp_path / "sheet.nothing")
