import torch

from vedit.flow.pairs import PairFlow
from vedit.flow.paths import window_paths
from vedit.flow.resize import resize_flow


def sliding(dx: float, height: int = 8, width: int = 12) -> PairFlow:
    fw = torch.zeros(1, 2, height, width)
    fw[:, 0] = dx
    shade = torch.zeros(1, 1, height, width)
    return PairFlow(fw, -fw, shade, shade)


def test_steady_motion_goes_twice_as_far_in_two_frames() -> None:
    paths = window_paths([sliding(1.5)] * 3, 8, 12)
    assert torch.allclose(paths.flows[2][0, 0], torch.full((8, 12), 3.0))
    assert torch.allclose(paths.flows[-2][3, 0], torch.full((8, 12), -3.0))


def test_there_is_no_path_out_of_the_window_or_out_of_the_picture() -> None:
    paths = window_paths([sliding(1.0)] * 3, 8, 12)
    assert not paths.valid[1][3].any()
    assert not paths.valid[2][2:].any()
    assert not paths.valid[-1][0].any()
    assert paths.valid[1][0, 0, :, :-1].all()
    assert not paths.valid[1][0, 0, :, -1].any()


def test_a_hidden_point_ends_its_path() -> None:
    shade = torch.zeros(1, 1, 8, 12)
    shade[..., 4:8] = 1
    still = torch.zeros(1, 2, 8, 12)
    paths = window_paths([PairFlow(still, still, shade, shade), sliding(0.0)], 8, 12)
    assert not paths.valid[1][0, 0, :, 4:8].any()
    assert not paths.valid[2][0, 0, :, 4:8].any()
    assert paths.valid[2][0, 0, :, :4].all()


def test_a_single_frame_has_no_paths() -> None:
    assert window_paths([], 4, 4).flows == {}


def test_flow_shrinks_with_its_grid() -> None:
    flow = torch.ones(1, 2, 8, 12)
    small = resize_flow(flow, 4, 3)
    assert small.shape == (1, 2, 4, 3)
    assert torch.allclose(small[:, 0], torch.tensor(0.25))
    assert torch.allclose(small[:, 1], torch.tensor(0.5))
