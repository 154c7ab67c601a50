import torch
from torch import Tensor

from vedit.flow.pairs import pair_flow


def square(left: int) -> Tensor:
    """A bright textured square on a textured ground, at a column."""
    generator = torch.Generator().manual_seed(5)
    ground, thing = (
        torch.rand(3, 64, 96, generator=generator) * 0.3,
        torch.rand(3, 24, 24, generator=generator),
    )
    ground[:, 20:44, left : left + 24] = 0.4 + 0.6 * thing
    return ground


def test_motion_and_occlusion_go_both_ways() -> None:
    pair = pair_flow(square(30), square(36))
    assert pair.flow_fw.shape == pair.flow_bw.shape == (1, 2, 64, 96)
    assert pair.flow_fw[0, 0, 26:38, 36:48].median().sub(6).abs() < 1
    assert pair.flow_bw[0, 0, 26:38, 42:54].median().add(6).abs() < 1
    # The ground in front of the square is covered next, the ground behind it has just come out.
    covered, uncovered = pair.occlusion_fw[0, 0, 22:42, 54:60], pair.occlusion_bw[0, 0, 22:42, 30:36]
    assert covered.mean() > 0.5
    assert uncovered.mean() > 0.5
    assert pair.occlusion_fw[0, 0, :, :20].mean() < 0.1


def test_equal_frames_have_no_motion() -> None:
    pair = pair_flow(square(30), square(30))
    assert not any(x.any() for x in (pair.flow_fw, pair.flow_bw, pair.occlusion_fw, pair.occlusion_bw))
