import pytest
import torch
from torch import Tensor, nn

from vedit.flow.pairs import PairFlow
from vedit.flow.paths import Paths, window_paths
from vedit.temporal.kinds import KINDS
from vedit.temporal.layer import temporal_layers
from vedit.temporal.recurrent import ConvLSTM, ConvRNN

KIND = pytest.mark.parametrize("kind", [ConvRNN, ConvLSTM])
Kind = type[ConvRNN] | type[ConvLSTM]


def awake(kind: Kind) -> ConvRNN | ConvLSTM:
    """A layer whose output projection is not zero any more."""
    torch.manual_seed(0)
    layer = kind(16, memory=8)
    nn.init.normal_(layer.out.weight)
    return layer.eval().requires_grad_(False)


def paths_moving(dx: float, frames: int = 3, hidden: Tensor | float = 0.0) -> Paths:
    fw = torch.zeros(1, 2, 6, 14)
    fw[:, 0] = dx
    shade = torch.zeros(1, 1, 6, 14) + hidden
    return window_paths([PairFlow(fw, -fw, shade, shade)] * (frames - 1), 6, 14)


def features(frames: int = 3) -> Tensor:
    return torch.rand(frames, 16, 6, 14, generator=torch.Generator().manual_seed(1))


def effect(layer: ConvRNN | ConvLSTM, paths: Paths, frame: int, column: int) -> Tensor:
    """How much every point ``(F,6,14)`` changes when one point of one frame does."""
    x = features()
    x2 = x.clone()
    x2[frame, ::2, 3, column] += 4
    change: Tensor = (layer(x2, paths) - layer(x, paths)).abs().sum(1)
    return change


def test_every_kind_but_none_has_a_layer() -> None:
    assert {*temporal_layers(16), "none"} == set(KINDS)


@KIND
def test_a_new_layer_changes_nothing(kind: Kind) -> None:
    assert torch.equal(kind(16)(features(), paths_moving(1)), features())


@KIND
def test_memory_reaches_the_next_frames_along_the_flow(kind: Kind) -> None:
    change = effect(awake(kind), paths_moving(3), frame=0, column=4)
    assert float(change[1, 3, 7]) > 4 * float(change[1, 3, 4])
    assert float(change[2, 3, 10]) > 2 * float(change[2, 3, 4])


@KIND
def test_memory_reaches_the_frames_before_as_well(kind: Kind) -> None:
    change = effect(awake(kind), paths_moving(3), frame=2, column=10)
    assert float(change[1, 3, 7]) > 4 * float(change[1, 3, 10])
    assert float(change[0, 3, 4]) > 0


@KIND
def test_nothing_is_remembered_across_an_occlusion(kind: Kind) -> None:
    hidden = torch.zeros(1, 1, 6, 14)
    hidden[..., 5:] = 1
    layer = awake(kind)
    assert not effect(layer, paths_moving(0, hidden=1.0), frame=1, column=4)[[0, 2]].any()
    open_, closed = (effect(layer, paths_moving(0, hidden=hidden), frame=0, column=c) for c in (1, 10))
    # GroupNorm lets one point touch its whole frame a little, and the open side hands that on.
    assert float(open_[1, 3, 1]) > 4 * float(closed[1, 3, 1])
    assert not closed[1, :, 7:].any()


@KIND
def test_a_frame_without_paths_stays_as_it_is(kind: Kind) -> None:
    assert torch.equal(awake(kind)(features(1), Paths({}, {})), features(1))


@KIND
def test_the_memory_of_a_still_point_is_not_unbounded(kind: Kind) -> None:
    x = features(1).expand(40, -1, -1, -1)
    out = awake(kind)(x, paths_moving(0, 40))
    steps = out.diff(dim=0).abs().amax((1, 2, 3))
    assert torch.isfinite(out).all()
    assert float(steps[20]) < 0.2 * float(steps[0])
