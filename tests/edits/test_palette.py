import torch

from vedit.edits.palette import colour_map, palette_of, recolour


def test_a_recoloured_picture_has_the_other_palette() -> None:
    g = torch.Generator().manual_seed(0)
    warm = torch.rand(1, 3, 40, 60, generator=g) * torch.tensor([0.3, 0.2, 0.1]).view(1, 3, 1, 1) + 0.4
    cold = torch.rand(1, 3, 30, 30, generator=g) * torch.tensor([0.1, 0.2, 0.4]).view(1, 3, 1, 1) + 0.2
    target = palette_of(cold)
    got = palette_of(recolour(warm, *colour_map(palette_of(warm), target)))
    assert torch.allclose(got.mean, target.mean, atol=5e-3)
    assert torch.allclose(got.covariance, target.covariance, atol=2e-3)


def test_a_picture_given_its_own_palette_stays() -> None:
    frames = torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(1))
    own = palette_of(frames)
    assert torch.allclose(recolour(frames, *colour_map(own, own)), frames, atol=1e-4)


def test_a_flat_picture_does_not_explode() -> None:
    grey = torch.full((1, 3, 8, 8), 0.5)
    bright = palette_of(torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(2)))
    out = recolour(grey, *colour_map(palette_of(grey), bright))
    assert torch.allclose(out, bright.mean.float().view(1, 3, 1, 1).expand_as(out), atol=0.05)
