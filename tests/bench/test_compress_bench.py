"""The bench of smaller and faster engines, on a tiny film and a U-Net that takes no time."""

import importlib.util
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from vedit.bench.cache import Trial
from vedit.bench.compress import CompressRow, bench_compress
from vedit.bench.compress_unet import bench_unet
from vedit.cli.main import main
from vedit.device import model_dtype
from vedit.diffusion.engine import WEIGHTS
from vedit.edits.paint import STEPS
from vedit.errors import InputError, UsageError

USUAL = str(model_dtype(torch.device("cpu"))).removeprefix("torch.")
SMALL = Trial(frames=1, height=8, width=8, steps=3, channels=32)


@pytest.fixture
def five(film: Callable[..., Path]) -> Path:
    return film("five.mp4", shots=(5,))


def test_every_form_of_the_bundled_engine_beside_the_whole_one(five: Path, tmp_path: Path) -> None:
    other = Path(shutil.copy(WEIGHTS / "denoiser.safetensors", tmp_path / "mine.safetensors"))
    remarks: list[str] = []
    rows = list(
        bench_compress(
            [five],
            looks=["ink"],
            painters={"ink": lambda frame, index: frame},
            denoisers=[other],
            compiled=False,
            remark=remarks.append,
        )
    )
    by: dict[str, CompressRow] = {row.method: row for row in rows}
    assert rows[0].method == f"float32, {STEPS} steps"
    assert rows[0].psnr is None
    assert {row.clip for row in rows} == {"five.mp4, ink"}
    assert {row.frames for row in rows} == {5}
    assert all(row.psnr is not None and 10 < row.psnr <= 50 for row in rows[1:])
    assert all(row.ssim is not None and row.sharp is not None for row in rows[1:])
    assert all(row.style is not None and row.warp is not None for row in rows)
    assert all(0 < (row.net_seconds or math.inf) < row.seconds for row in rows)

    small = by[f"int8 float32, {STEPS} steps"]
    assert (small.psnr or 0) > 30
    assert small.size < 0.3 * rows[0].size
    assert f"int8 {USUAL}, {STEPS} steps" in by
    for steps in ("4 steps", "1 step"):  # the same weights from another file
        ours, theirs = by[f"{USUAL}, {steps}"], by[f"mine {USUAL}, {steps}"]
        assert (ours.psnr, ours.style, ours.warp) == (theirs.psnr, theirs.style, theirs.warp)
        assert (ours.psnr or 0) < (small.psnr or 0)
    assert f"mine {USUAL}, {STEPS} steps" in by
    for name in ("bfloat16", "float16"):
        assert (f"{name}, {STEPS} steps" in by) != any(f"{name} is left out" in remark for remark in remarks)


def test_the_unet_beside_itself() -> None:
    remarks: list[str] = []
    rows = {row.method: row for row in bench_unet(SMALL, remarks.append, compiled=False)}
    whole = rows["float32"]
    assert whole.psnr is None
    assert whole.warp is None
    cached = rows[f"cached {USUAL}"]
    assert cached.psnr is not None
    assert cached.size == rows[USUAL].size <= whole.size
    if importlib.util.find_spec("torchao") is None:
        assert any("vedit-diffusion[int8]" in remark for remark in remarks)
        assert not any("int8" in name for name in rows)
    else:
        assert rows["int8 float32"].size < whole.size
        assert (rows["int8 float32"].psnr or 0) > cached.psnr


def test_without_a_compiler_nothing_is_compiled() -> None:
    import torch._inductor.config as inductor

    settings: Any = inductor
    remarks: list[str] = []
    with settings.patch({"cpp.cxx": (None, "no-such-compiler")}):
        rows = list(bench_unet(SMALL, remarks.append))
    assert not any("compiled" in row.method for row in rows)
    assert any("C++ compiler" in remark for remark in remarks)


def test_the_command(five: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = [
        "bench",
        "compress",
        str(five),
        "--looks",
        "cel",
        "--bundled-only",
        "--no-compile",
        "--frames",
        "3",
    ]
    assert main([*line, "--json"]) == 0
    lines = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert lines[0]["event"] == "protocol"
    rows = [fact for fact in lines if "method" in fact]
    assert rows[0]["clip"] == "five.mp4, cel"
    assert rows[0]["style"] > 0
    assert rows[0]["frames"] == 3


def test_what_cannot_be_measured(five: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neon"):
        next(bench_compress([five], looks=["neon"]))
    with pytest.raises(InputError, match="does not exist"):
        next(bench_compress([five], denoisers=[tmp_path / "none.safetensors"]))
    codec = WEIGHTS / "codec.safetensors"
    with pytest.raises(InputError, match="not the bundled denoiser"):
        next(bench_compress([five], denoisers=[codec]))
