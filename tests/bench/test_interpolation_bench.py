"""The bench of interpolation on tiny films: what the rows say must be true of films whose truth is known."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from vedit.bench.clips import read_clip
from vedit.bench.interpolate import Trial, bench_interpolate, protocol
from vedit.bench.minterpolate import DEFAULTS, STRONGER, minterpolate
from vedit.bench.rife import Rife
from vedit.cli.main import main
from vedit.errors import EngineError, InputError, UsageError
from vedit.metrics import mean_error, psnr, ssim

METHODS = ["blend", "minterpolate", "minterpolate+", "draft", "normal", "best"]


def panning(frames: int, step: int = 2) -> Tensor:
    """A texture that moves to the left by ``step`` pixels a frame, ``(F, 3, 64, 96)`` in levels of 8 bits."""
    dice = torch.Generator().manual_seed(0)
    wide = F.interpolate(torch.rand(1, 3, 11, 24, generator=dice), size=(64, 144), mode="bicubic")
    film = torch.stack([wide[0, :, :, i * step : i * step + 96] for i in range(frames)])
    return (film.clamp(0, 1) * 255).round() / 255


def drawn(sheet: np.ndarray[Any, Any], row: int, column: int) -> Tensor:
    """A picture of a contact sheet, 480 wide there, at its own size of 96x64."""
    top, left = 22 + row * (22 + 320 + 4), column * (480 + 4)
    picture = cv2.resize(
        sheet[top : top + 320, left : left + 480, ::-1], (96, 64), interpolation=cv2.INTER_AREA
    )
    return torch.from_numpy(picture).permute(2, 0, 1) / 255


def test_the_rows_are_of_the_dropped_frames(film: Callable[..., Path]) -> None:
    path = film("nine.mp4", shots=(10,))
    rows = {row.method: row for row in bench_interpolate([path], Trial(), device="cpu")}
    assert list(rows) == METHODS
    assert {row.frames for row in rows.values()} == {4}, (
        "of ten frames the last has no neighbour that is kept"
    )
    assert all(row.clip == "nine.mp4" for row in rows.values())

    frames = (read_clip(path, 9, 640).frames * 255).round() / 255
    truth, blend = frames[1::2], ((frames[:-2:2] + frames[2::2]) / 2 * 255).round() / 255
    # Half a level may be rounded either way.
    assert rows["blend"].psnr == pytest.approx(float(psnr(blend, truth).mean()), abs=0.02)
    assert rows["blend"].ssim == pytest.approx(float(ssim(blend, truth).mean()), abs=1e-3)
    assert rows["blend"].error == pytest.approx(float(mean_error(blend, truth).mean()), abs=0.1)

    for name in ("minterpolate", "normal", "best"):
        assert rows[name].psnr > rows["blend"].psnr + 2, "the film moves by one pixel a frame"
        assert rows[name].ssim > rows["blend"].ssim
        assert rows[name].error < rows["blend"].error
        assert abs(rows[name].sharpness - 1) < abs(rows["blend"].sharpness - 1)
    assert rows["blend"].sharpness < 0.9
    assert abs(rows["blend"].bias) < 0.05, "rounded, not cut off"
    assert all(abs(row.bias) < 1 and 0 <= row.ghosts < 0.1 and row.ms > 0 for row in rows.values())


def test_what_moves_far_leaves_ghosts_in_a_blend_only(film: Callable[..., Path]) -> None:
    rows = {row.method: row for row in bench_interpolate([film("far.mp4", shots=(17,))], Trial(gap=8))}
    assert rows["blend"].frames == 14
    assert rows["blend"].ghosts > 3 * rows["normal"].ghosts
    assert rows["normal"].psnr > rows["blend"].psnr + 3, "each at its own time between the two"


def test_nothing_is_made_across_a_cut_and_short_clips_are_refused_first(film: Callable[..., Path]) -> None:
    cut = film("cut.mp4", shots=(7, 8))
    rows = list(bench_interpolate([cut], Trial()))
    assert {row.frames for row in rows} == {3}
    short = film("short.mp4", shots=(4,))
    with pytest.raises(InputError, match=r"short\.mp4 has 4 frames .* keep 1 in 5"):
        next(bench_interpolate([cut, short], Trial(gap=5)))


@pytest.mark.parametrize("settings", [DEFAULTS, STRONGER])
@pytest.mark.parametrize("gap", [2, 3])
def test_minterpolate_gives_the_new_frames_in_their_order(settings: str, gap: int) -> None:
    truth = panning(4 * gap + 1)
    made = minterpolate(truth[::gap], gap, settings)
    wanted = truth[[i for i in range(len(truth) - 1) if i % gap]]
    assert made.shape == wanted.shape
    inner = (..., slice(16, -16), slice(24, -24))
    errors = torch.stack([(one[inner] - wanted[inner]).abs().mean((1, 2, 3)) for one in made])
    assert errors.argmin(1).tolist() == list(range(len(wanted)))
    assert float(errors.diagonal().max()) < 0.04, "its motion is of whole pixels"


def test_minterpolate_works_on_two_frames_and_says_when_it_cannot() -> None:
    assert len(minterpolate(panning(2), 4)) == 3
    with pytest.raises(EngineError, match="minterpolate failed on frames of 96x64"):
        minterpolate(panning(3), 2, "mi_mode=magic")


def test_a_trial_drops_frames_and_keeps_two(
    film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="drops no frames"):
        Trial(gap=1)
    line = ["bench", "interpolate", str(film("one.mp4", shots=(5,))), "--gap", "8", "--frames", "8"]
    assert main(line) == 2
    assert "at least 9 frames" in capsys.readouterr().err


def test_the_protocol_says_what_was_done() -> None:
    words = protocol(Trial(gap=3, frames=25, width=320), device="cpu")
    assert "first 25 frames" in words["clips"]
    assert "320" in words["clips"]
    assert "1 frame in 3 is kept" in words["task"]
    assert "2 frames between" in words["task"]
    assert STRONGER in words["minterpolate+"]
    assert torch.__version__ in words["machine"]
    assert "rife" not in words
    assert "mine.safetensors" in protocol(Trial(), rife=Path("mine.safetensors"), device="cpu")["rife"]


def test_the_command_prints_the_protocol_and_then_a_table(
    film: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = [str(film("one.mp4", shots=(5,))), str(film("two.mp4", shots=(5,)))]
    assert main(["bench", "interpolate", *clips, "--device", "cpu", "-o", str(tmp_path / "sheets")]) == 0
    shown = capsys.readouterr()
    assert shown.out.index("1 frame in 2 is kept") < shown.out.index("PSNR   SSIM")
    table = shown.out[shown.out.index("PSNR   SSIM") :]
    assert [table.count(name) for name in ("one.mp4", "two.mp4", "mean")] == [1, 1, 1]
    assert table.count("blend") == 3
    assert shown.err.count("one.mp4: ") == len(METHODS)
    sheet = cv2.imread(str(tmp_path / "sheets" / "01_one.png"))
    assert sheet is not None
    assert (tmp_path / "sheets" / "02_two.png").exists()
    assert sheet.shape == ((1 + len(METHODS)) * (22 + 320 + 4), 3 * 480 + 2 * 4, 3)
    frames = read_clip(Path(clips[0]), 5, 640).frames
    before, here, after = (drawn(sheet, 0, column) for column in range(3))
    places = [int((frames - picture).abs().mean((1, 2, 3)).argmin()) for picture in (before, here, after)]
    assert places in ([0, 1, 2], [2, 3, 4]), "a dropped frame between its neighbours"
    blend, error = drawn(sheet, 1, 0), drawn(sheet, 1, 1)
    assert float((blend - (before + after) / 2).abs().mean()) < 0.01
    assert float((error - (5 * (blend - here).abs()).clamp(0, 1)).abs().mean()) < 0.02


def test_the_command_prints_json_and_takes_weights_of_rife(
    film: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip, weights = str(film("one.mp4", shots=(7,))), tmp_path / "rife.safetensors"
    net = {name: torch.zeros_like(value) for name, value in Rife().state_dict().items()}
    net["block4.lastconv.0.bias"][16:20] = 20  # at any time, the frame before
    save_file({f"module.{name}": value for name, value in net.items()}, weights)
    line = ["bench", "interpolate", clip, "--json", "--device", "cpu", "--gap", "3"]
    assert main([*line, "--rife", str(weights)]) == 0
    said = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert said[0]["event"] == "protocol"
    assert said[0]["gap"] == 3
    rows = {row["method"]: row for row in said[1:]}
    assert list(rows) == [*METHODS[:3], "rife", *METHODS[3:]]
    assert rows["rife"]["frames"] == 4
    frames = (read_clip(Path(clip), 7, 640).frames * 255).round() / 255
    repeated = float(psnr(frames[[0, 0, 3, 3]], frames[[1, 2, 4, 5]]).mean())
    assert rows["rife"]["psnr"] == pytest.approx(repeated, abs=0.01)

    (tmp_path / "flownet.pkl").write_bytes(b"a pickle")
    assert main([*line, "--rife", str(tmp_path / "flownet.pkl")]) == 3
    assert "Convert weights" in capsys.readouterr().err
