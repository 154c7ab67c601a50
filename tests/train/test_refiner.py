"""The refiner trained for a few seconds, and what it learns from."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from skimage.data import astronaut

from vedit.cli.main import main
from vedit.flow.resize import resize_flow
from vedit.flow.warp import warp
from vedit.inbetween.refiner import Refiner
from vedit.train.layers import moving_layers
from vedit.train.refiner import refiner_loss
from vedit.train.triplets import SIZE, rendered_triplets


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    folder = tmp_path / "footage"
    folder.mkdir()
    photo = astronaut()[:, :, ::-1]  # type: ignore[no-untyped-call]
    for i in range(2):
        cv2.imwrite(str(folder / f"{i}.png"), photo[i * 100 : i * 100 + 300, 60:460])
    return folder


def test_it_is_trained_and_gone_on_with(footage: Path, tmp_path: Path) -> None:
    out = tmp_path / "refiner.safetensors"
    words = ["train", "refiner", str(footage), "-o", str(out), "--scenes", "4", "--device", "cpu"]
    assert main([*words, "--minutes", "0.05"]) == 0
    first = load_file(out)
    Refiner().load_state_dict(first)
    assert all(torch.isfinite(w).all() for w in first.values())
    assert float(first["at_full.leave.weight"].abs().max()) > 0, "it has left the classical result"
    assert main([*words, "--minutes", "0.1"]) == 0
    assert not torch.equal(load_file(out)["at_full.leave.weight"], first["at_full.leave.weight"])


def test_a_folder_where_nothing_moves_is_refused(tmp_path: Path) -> None:
    assert main(["train", "refiner", str(tmp_path), "-o", str(tmp_path / "r.safetensors")]) == 3


def test_it_has_less_than_a_million_parameters() -> None:
    assert sum(p.numel() for p in Refiner().parameters()) < 1e6


def test_the_middle_of_a_scene_lies_between_its_ends(footage: Path) -> None:
    """A flow that leads from the one end to the other leads half way to the true middle."""
    better = []
    for triplet in rendered_triplets(footage, 6):
        frames = triplet.frames.float() / 255
        assert frames.shape == (3, 3, SIZE, SIZE)
        flow = resize_flow(triplet.flow_fw[None].float(), SIZE, SIZE)
        along = (warp(frames[1:2], triplet.t * flow) - frames[:1]).abs().median()
        without = (frames[1:2] - frames[:1]).abs().median()
        better.append(float(along) <= float(without) + 1 / 255)
    assert sum(better) >= len(better) - 1


def test_scenes_come_again_from_the_same_seed() -> None:
    pictures = [torch.from_numpy(astronaut()).permute(2, 0, 1)]  # type: ignore[no-untyped-call]
    first, second, other = (
        moving_layers(pictures, 0.5, 128, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_the_loss_falls_when_the_middle_is_what_the_net_makes() -> None:
    """An untrained net gives the classical result: right for a pan, wrong for another picture."""
    coarse = torch.rand(1, 3, 8, 12, generator=torch.Generator().manual_seed(0))
    wide = F.interpolate(coarse, (64, 96), mode="bicubic")[0].clamp(0, 1)
    frames = torch.stack([wide[..., 8 - s : 72 - s] for s in (0, 2, 4)])[None]
    flow = torch.zeros(1, 2, 32, 32)
    flow[:, 0] = 2.0  # 4 pixels, 2 on the grid of half the size
    at = torch.full((1, 1, 1, 1), 0.5)
    wrong = frames.clone()
    wrong[:, 1] = 1 - wrong[:, 1]
    net = Refiner()
    assert refiner_loss(net, frames, flow, -flow, at) < refiner_loss(net, wrong, flow, -flow, at) - 0.1
