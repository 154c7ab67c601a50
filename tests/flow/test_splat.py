import torch

from vedit.flow.splat import splat


def test_moves_pixels_along_the_flow_and_leaves_holes() -> None:
    values = torch.rand(2, 3, 10, 12, generator=torch.Generator().manual_seed(0))
    flow = torch.zeros(2, 2, 10, 12)
    flow[:, 0], flow[:, 1] = 2, 1
    out, weight = splat(values, flow)
    torch.testing.assert_close(out[:, :, 1:, 2:], values[:, :, :-1, :-2])
    assert weight[:, :, 1:, 2:].eq(1).all()
    assert weight[:, :, 0].eq(0).all()
    assert out[:, :, :, :2].eq(0).all()


def test_a_pixel_between_pixels_is_shared_by_the_four_around_it() -> None:
    flow = torch.full((1, 2, 3, 3), 50.0)  # all others leave the picture
    flow[0, :, 0, 0] = torch.tensor([1.25, 0.75])
    out, weight = splat(torch.full((1, 1, 3, 3), 0.4), flow)
    wanted = torch.zeros(3, 3)
    wanted[:2, 1:] = torch.tensor([[0.1875, 0.0625], [0.5625, 0.1875]])
    torch.testing.assert_close(weight[0, 0], wanted)
    torch.testing.assert_close(out[0, 0], torch.where(wanted > 0, 0.4, 0.0))


def test_the_more_important_pixel_wins_a_shared_place() -> None:
    values = torch.tensor([0.2, 0.9, 0.5]).view(1, 1, 1, 3)
    flow = torch.zeros(1, 2, 1, 3)
    flow[0, 0, 0, 0] = 1  # the first pixel lands on the second
    importance = torch.tensor([0.0, -20.0, 0.0]).exp().view(1, 1, 1, 3)
    shared, _ = splat(values, flow)
    won, _ = splat(values, flow, importance)
    torch.testing.assert_close(shared[0, 0, 0, 1], torch.tensor(0.55))
    torch.testing.assert_close(won[0, 0, 0, 1], torch.tensor(0.2), atol=1e-6, rtol=0)


def test_same_input_same_bits() -> None:
    generator = torch.Generator().manual_seed(2)
    values = torch.rand(1, 3, 64, 64, generator=generator)
    flow = torch.empty(1, 2, 64, 64).uniform_(-8, 8, generator=generator)
    assert torch.equal(splat(values, flow)[0], splat(values, flow)[0])
