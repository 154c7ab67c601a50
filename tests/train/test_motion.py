import numpy as np
import torch
from skimage.data import astronaut

from vedit.flow.warp import warp
from vedit.train.holes import random_holes, smooth_fill
from vedit.train.motion import random_path, render


def test_rendered_motion_has_the_flow_it_says() -> None:
    photo = torch.from_numpy(astronaut()).permute(2, 0, 1).float() / 255  # type: ignore[no-untyped-call]
    soft = torch.nn.functional.avg_pool2d(photo[None], 5, 1, 2)[0]
    for seed in range(4):
        path = random_path(512, 512, 96, 3, np.random.default_rng(seed))
        frames = render(soft, path, 96)
        for i, pair in enumerate(path.pairs(96)):
            seen = 1 - pair.occlusion_fw
            error = ((warp(frames[i + 1 : i + 2], pair.flow_fw) - frames[i : i + 1]).abs() * seen).sum() / (
                3 * seen.sum()
            )
            still = (frames[i + 1] - frames[i]).abs().mean()
            assert float(error) < 0.01
            assert float(error) < 0.5 * float(still) + 1e-3


def test_holes_are_filled_from_around_them_and_nothing_else_changes() -> None:
    rng = np.random.default_rng(0)
    frames = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 0.2 + 0.5
    holes = random_holes(4, 64, rng)
    assert 0.01 < float(holes.mean()) < 0.7
    spoilt = torch.where(holes > 0, torch.zeros(()), frames)
    filled = smooth_fill(spoilt, holes)
    assert torch.allclose(filled * (1 - holes), frames * (1 - holes), atol=1e-6)
    inside = filled[holes.expand_as(filled) > 0]
    assert 0.45 < float(inside.min()) <= float(inside.max()) < 0.75
