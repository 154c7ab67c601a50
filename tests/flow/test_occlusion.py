import torch

from vedit.flow.occlusion import occlusion


def test_flows_that_agree_hide_nothing_inside() -> None:
    flow = torch.zeros(1, 2, 20, 20)
    flow[:, 0] = 4
    hidden = occlusion(flow, -flow)
    assert hidden[..., :16].eq(0).all()
    assert hidden[..., 16:].eq(1).all(), "what leaves the picture has no match"


def test_flows_that_disagree_are_no_match() -> None:
    flow = torch.zeros(1, 2, 20, 20)
    back = flow.clone()
    back[:, 1, 5:10, 5:10] = 1.5
    hidden = occlusion(flow, back)
    assert hidden[..., 5:10, 5:10].eq(1).all()
    assert hidden.sum() == 25


def test_tolerance_grows_with_the_motion() -> None:
    still = torch.zeros(1, 2, 8, 400)
    fast = still.clone()
    fast[:, 0] = 100
    off = 1.2
    assert occlusion(still, still + off)[..., 200].eq(1).all()
    assert occlusion(fast, -fast + off)[..., 200].eq(0).all()
