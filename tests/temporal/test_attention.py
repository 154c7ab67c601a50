import torch
from torch import nn

from vedit.flow.pairs import PairFlow
from vedit.flow.paths import Paths, window_paths
from vedit.temporal.attention import FlowAttention


def awake(width: int = 16) -> FlowAttention:
    """A layer whose output projection is not zero any more."""
    torch.manual_seed(0)
    layer = FlowAttention(width, heads=2)
    nn.init.normal_(layer.out.weight)
    return layer.eval().requires_grad_(False)


def paths_moving(dx: float, frames: int, hidden: float = 0.0) -> Paths:
    fw = torch.zeros(1, 2, 6, 10)
    fw[:, 0] = dx
    shade = torch.full((1, 1, 6, 10), hidden)
    return window_paths([PairFlow(fw, -fw, shade, shade)] * (frames - 1), 6, 10)


def test_a_new_layer_changes_nothing() -> None:
    x = torch.rand(3, 16, 6, 10)
    assert torch.equal(FlowAttention(16)(x, paths_moving(1, 3)), x)


def test_frames_see_each_other_along_the_flow() -> None:
    layer, x = awake(), torch.rand(3, 16, 6, 10)
    before = layer(x, paths_moving(2, 3))
    x2 = x.clone()
    x2[1, :, 3, 6] += 1  # what frame 0 shows at column 4 moves to column 6 in frame 1
    changed = (layer(x2, paths_moving(2, 3)) - before)[0].abs().sum(0) > 1e-3
    # GroupNorm lets a changed token touch its whole frame a little; frame 0's own norm is untouched.
    assert bool(changed[3, 4])
    other = (layer(x2, paths_moving(2, 3)) - before)[0].abs().sum(0)
    assert float(other[3, 4]) > 5 * float(other[3, 8])


def test_a_hidden_neighbour_is_not_looked_at() -> None:
    layer, x = awake(), torch.rand(3, 16, 6, 10)
    hidden = paths_moving(0, 3, hidden=1.0)
    x2 = x.clone()
    x2[1] = torch.rand(16, 6, 10)
    assert torch.equal(layer(x2, hidden)[0], layer(x, hidden)[0])


def test_without_paths_every_frame_stands_alone() -> None:
    layer, x = awake(), torch.rand(3, 16, 6, 10)
    together = layer(x, Paths({}, {}))
    alone = torch.cat([layer(frame[None], Paths({}, {})) for frame in x])
    assert torch.allclose(together, alone, atol=1e-5)
