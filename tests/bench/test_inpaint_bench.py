"""The bench of inpainting on tiny films: what the rows say must be true of films whose truth is known."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.bench.delogo import delogo, removelogo, suits_removelogo
from vedit.bench.holes import drawn, grown
from vedit.bench.inpaint import bench_inpaint, protocol
from vedit.bench.plate import Trial, read_plate
from vedit.cli.main import main
from vedit.errors import InputError, UsageError
from vedit.metrics import psnr

STILL = ["telea", "navier-stokes", "delogo", "removelogo"]


def ramp(frames: int = 2) -> Tensor:
    """A picture that gets lighter to the right, ``(F, 3, 240, 432)`` in levels of 8 bits."""
    return (torch.linspace(0.2, 0.8, 432) * 255).round().div(255).expand(frames, 3, 240, 432).contiguous()


def box(top: int, left: int, height: int, width: int, frames: int = 2) -> Tensor:
    masks = torch.zeros(frames, 1, 240, 432)
    masks[..., top : top + height, left : left + width] = 1
    return masks


def test_the_rows_are_of_the_holes_of_the_clip(film: Callable[..., Path]) -> None:
    path = film("six.mp4", shots=(6,))
    trial = Trial(mask="logo", qualities=("draft",))
    rows = {row.method: row for row in bench_inpaint([path], trial, device="cpu")}
    assert list(rows) == [*STILL, "draft"]

    plate = read_plate(path, trial)
    assert plate.truth.shape == (6, 3, 240, 432)
    assert not (plate.damaged * plate.masks).any(), "no method sees what is under the mask"
    truth = (plate.truth.permute(0, 2, 3, 1) * 255).round().byte().numpy()
    hole = plate.masks[:, 0].bool().numpy()
    made = np.stack(
        [
            cv2.inpaint(f * ~h[..., None], h.astype(np.uint8), 5, cv2.INPAINT_TELEA)
            for f, h in zip(truth, hole, strict=True)
        ]
    )
    off = made.astype(np.float64) - truth
    row = rows["telea"]
    assert row.clip == "six.mp4"
    assert row.frames == 6
    assert row.area == pytest.approx(hole.mean(), abs=1e-6)
    assert row.hole == pytest.approx(10 * np.log10(255**2 / (off[hole] ** 2).mean()), abs=1e-3)
    frames_db = 10 * np.log10(255**2 / (off**2).mean((1, 2, 3)))
    assert row.psnr == pytest.approx(frames_db.mean(), abs=1e-3)
    assert row.flicker == pytest.approx(np.abs(np.diff(off, axis=0))[hole[1:]].mean(), abs=1e-3)
    assert row.ssim < 1
    assert row.seam > 0
    assert row.coverage is None
    assert row.outside == 0
    assert rows["removelogo"].outside > 0, "YUV 4:2:0 changes the rest of the picture"
    blurred = removelogo(plate.damaged, plate.masks)
    pasted = torch.where(plate.masks > 0, blurred, plate.truth)
    assert rows["removelogo"].psnr == pytest.approx(float(psnr(pasted, plate.truth).mean()), abs=1e-3)


def test_vedit_says_what_it_recovered_and_leaves_the_rest_alone(film: Callable[..., Path]) -> None:
    path = film("moving.mp4", shots=(9,))
    trial = Trial(mask="box:44,10,8,30", qualities=("draft",))
    rows = {row.method: row for row in bench_inpaint([path], trial, device="cpu")}
    assert rows["draft"].outside == 0
    assert rows["draft"].coverage is not None
    assert 0 < rows["draft"].coverage <= 1
    assert rows["draft"].hole > rows["telea"].hole + 1, "other frames show what is under the box"
    assert rows["draft"].seconds > 0


def test_the_published_masks_are_grown_by_a_cross_four_times() -> None:
    point = torch.zeros(1, 240, 432)
    point[0, 100, 200] = 1
    wide = grown(point)[0]
    assert int(wide.sum()) == 41
    assert wide[100, 196:205].all()
    assert wide[96:105, 200].all()
    half = torch.zeros(1, 480, 864)
    half[..., :432] = 0.2
    assert grown(half)[0, :, :220].all(), "whatever is above nothing"
    assert not grown(half)[0, :, 220:].any()
    assert drawn("square", 1)[0, 0, 20:56, 30:66].all()
    assert float(drawn("square", 1).mean()) == pytest.approx(9 * 36 * 36 / (240 * 432))
    assert 0.05 < float(drawn("logo", 1)[0, 0, 150:].mean()) < 0.4
    assert not drawn("logo", 1)[0, 0, :140].any()


def test_random_shapes_follow_their_seed_and_objects_move() -> None:
    still, other = drawn("random", 12, 1), drawn("random", 12, 2)
    assert torch.equal(still, drawn("random", 12, 1))
    assert not torch.equal(still, other)
    assert (still == still[:1]).all()
    for seed in range(8):
        moving = drawn("object", 40, seed)
        areas = moving.sum((1, 2, 3))
        assert (areas == areas[0]).all(), "it stays whole and inside"
        assert 0.02 < float(areas[0]) / (240 * 432) < 0.5
        middle = torch.stack([mask[0].nonzero().float().mean(0) for mask in moving])
        steps = middle.diff(dim=0).norm(dim=1)
        assert 1 < float(steps.max()) < 40
        assert float((middle[0] - middle).norm(dim=1).max()) > 3


def test_each_clip_has_its_own_random_shape(film: Callable[..., Path]) -> None:
    path, trial = film("two.mp4", shots=(3,)), Trial(mask="object", seed=4)
    assert torch.equal(read_plate(path, trial, 1).masks, read_plate(path, Trial(mask="object", seed=5)).masks)
    assert not torch.equal(read_plate(path, trial, 1).masks, read_plate(path, trial, 0).masks)


def test_masks_of_another_film_are_pasted(film: Callable[..., Path], tmp_path: Path) -> None:
    path = film("clip.mp4", shots=(7, 8))
    folder = tmp_path / "object"
    folder.mkdir()
    for place in range(7):
        picture = np.zeros((24, 48), np.uint8)
        picture[:, 4 * place : 4 * place + 4] = 255
        cv2.imwrite(str(folder / f"{place}.png"), picture)
    masks = read_plate(path, Trial(mask=str(folder))).masks
    assert len(masks) == 7, "up to the cut"
    for place in range(7):
        columns = masks[place, 0].all(0).nonzero()[:, 0]
        assert (int(columns.min()), int(columns.max())) == (max(0, 36 * place - 4), 36 * place + 39)
    rows = list(bench_inpaint([path], Trial(mask=str(folder), qualities=())))
    assert [row.method for row in rows] == ["telea", "navier-stokes", "delogo"], (
        "removelogo wants a still mask"
    )


def test_ffmpegs_filters_fill_what_they_are_given() -> None:
    film = ramp()
    masks = box(100, 150, 20, 30).maximum(box(0, 300, 40, 60))
    made = delogo(film * (1 - masks), masks)
    off = (made - film).abs()
    assert float((off * box(100, 150, 20, 30)).max()) < 0.03, "a ramp goes on between the sides of a box"
    assert float((off * masks).max()) < 0.1, "and more or less so at the picture's edge"
    assert float((off * (1 - masks)).max()) < 0.01
    moving = torch.cat([box(100, 150, 20, 30, 1), box(30, 60, 20, 30, 1)])
    assert float(((delogo(film * (1 - moving), moving) - film).abs()).max()) < 0.03, (
        "each frame has its own boxes"
    )

    flat = torch.full_like(film, 0.6)
    one = box(100, 150, 20, 30)
    assert float(((removelogo(flat * (1 - one), one) - flat).abs() * one).max()) < 0.02
    assert suits_removelogo(one)
    assert not suits_removelogo(masks), "it works wrongly at the picture's edge"
    assert not suits_removelogo(moving)


def test_what_cannot_be_measured_is_refused_first(film: Callable[..., Path], tmp_path: Path) -> None:
    path = film("one.mp4", shots=(4,))
    with pytest.raises(UsageError, match="one frame"):
        Trial(frames=1)
    with pytest.raises(InputError, match="does not exist"):
        Trial(mask=str(tmp_path / "none.png"))
    with pytest.raises(UsageError, match="quality"):
        Trial(qualities=("better",))  # type: ignore[arg-type]
    for level, name in ((0, "black.png"), (255, "white.png")):
        cv2.imwrite(str(tmp_path / name), np.full((10, 10), level, np.uint8))
        with pytest.raises(UsageError, match=rf"{name} marks nothing of one\.mp4, or all"):
            next(bench_inpaint([path], Trial(mask=str(tmp_path / name))))
    with pytest.raises(InputError, match="one frame before its first cut"):
        next(bench_inpaint([film("still.mp4", shots=(1,))], Trial()))


def test_the_protocol_says_what_was_done() -> None:
    words = protocol(Trial(mask="object", frames=20, seed=7, qualities=("best",)), device="cpu")
    assert "first 20 frames" in words["clips"]
    assert "432x240" in words["clips"]
    assert "seed 7" in words["masks"]
    assert "4 times" in words["masks"]
    assert "black before any method sees it" in words["task"]
    assert "65x65" in words["SSIM"]
    assert words["best"] == "vedit's"
    assert torch.__version__ in words["machine"]


def test_the_command_prints_the_protocol_and_then_a_table(
    film: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = [str(film("one.mp4", shots=(3,))), str(film("two.mp4", shots=(3,)))]
    line = ["bench", "inpaint", *clips, "--mask", "square", "--quality", "draft", "--device", "cpu"]
    assert main([*line, "-o", str(tmp_path / "sheets")]) == 0
    shown = capsys.readouterr()
    assert shown.out.index("3x3 grid") < shown.out.index("area  PSNR")
    table = shown.out[shown.out.index("area  PSNR") :]
    assert [table.count(name) for name in ("one.mp4", "two.mp4", "mean")] == [1, 1, 1]
    assert [table.count(name) for name in [*STILL, "draft"]] == [3] * 5
    assert shown.err.count("one.mp4: ") == 5
    assert (tmp_path / "sheets" / "02_two.png").exists()
    sheet = cv2.imread(str(tmp_path / "sheets" / "01_one.png"))
    assert sheet is not None
    high = round(240 * 480 / 432)
    assert sheet.shape == (6 * (22 + high + 4), 2 * 480 + 4, 3)
    plate = read_plate(Path(clips[0]), Trial())
    pictures = F.interpolate(torch.cat([plate.truth, plate.damaged]), size=(high, 480), mode="bilinear")
    for column in (0, 1):
        left = column * 484
        there = torch.from_numpy(sheet[22 : 22 + high, left : left + 480, ::-1] / 255.0).permute(2, 0, 1)
        errors = (pictures - there).abs().mean((1, 2, 3))
        assert int(errors.argmin()) // 3 == column, "the truth, and beside it what is left of it"
        assert float(errors.min()) < 0.02


def test_the_command_prints_json_and_refuses_other_qualities(
    film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    line = [
        "bench",
        "inpaint",
        str(film("one.mp4", shots=(3,))),
        "--json",
        "--device",
        "cpu",
        "--mask",
        "object",
    ]
    assert main([*line, "--quality", "draft", "--seed", "3"]) == 0
    said = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert said[0]["event"] == "protocol"
    assert said[0]["seed"] == 3
    assert [row["method"] for row in said[1:]] == ["telea", "navier-stokes", "delogo", "draft"]
    assert said[-1]["outside"] == 0
    assert said[1]["coverage"] is None
    assert main([*line, "--quality", "better"]) == 2
    assert "draft, normal, best" in capsys.readouterr().err
