import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.edits.beyond import Beyond
from vedit.flow.pairs import pair_flow


def texture(height: int = 96, width: int = 160, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, height // 6, width // 6, generator=generator)
    return F.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)[0]


def pan(step: int, count: int = 3, height: int = 96, width: int = 128) -> Tensor:
    """A picture that moves to the left by ``step`` pixels a frame."""
    wide = texture(height, width + 2 + step * count)
    return torch.stack([wide[:, :, i * step : i * step + width] for i in range(count)])


def beyond(frame0: Tensor, frame1: Tensor) -> Beyond:
    return Beyond(frame0, frame1, pair_flow(frame0, frame1))


def apart(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().mean())


@pytest.mark.parametrize("step", [2, 6])
def test_a_pan_goes_on(step: int) -> None:
    first, last, meant = pan(step)
    after = beyond(first, last)
    assert not after.held
    assert apart(after.at(1), meant) < apart(last, meant) / 3
    assert torch.equal(after.at(0), last)
    half = texture(96, 130 + 3 * step)[:, :, step * 3 // 2 :][:, :, :128]
    assert apart(after.at(0.5), half) < apart(last, half) / 3


def test_a_caption_on_a_pan_stays_to_the_bit() -> None:
    frames = pan(4)
    strokes = torch.zeros(96, 128, dtype=torch.bool)
    for column in range(16, 112, 12):
        strokes[40:60, column : column + 4] = True
    frames[:, :, strokes] = 1
    first, last, meant = frames
    new = beyond(first, last).at(0.5)
    assert torch.equal(new[:, strokes], last[:, strokes])
    assert apart(beyond(first, last).at(1), meant) < apart(last, meant) / 2


def test_what_moves_over_standing_ground_goes_on_over_it() -> None:
    ground, thing = texture(), texture(24, 36, seed=1) * 0.5 + 0.5
    frames = []
    for i in range(3):
        picture = ground.clone()
        picture[:, 36:60, 40 + 4 * i : 76 + 4 * i] = thing
        frames.append(picture)
    first, last, meant = frames
    new = beyond(first, last).at(1)
    assert apart(new, meant) < apart(last, meant) / 2
    ahead = (..., slice(40, 56), slice(80, 84))  # where the thing was not yet
    assert apart(new[ahead], meant[ahead]) < apart(last[ahead], meant[ahead]) / 2
    far = torch.ones(96, 160, dtype=torch.bool)
    far[24:72, 28:100] = False
    assert (new - last)[:, far].abs().max() < 1e-5


def test_what_cannot_be_followed_is_held() -> None:
    first, last, _ = pan(4)
    for before in (texture(96, 128, seed=5), (first * 0.5), torch.roll(last, 60, 2)):
        after = beyond(before, last)
        assert after.held
        assert torch.equal(after.at(0.5), last)
    assert beyond(last, last.clone()).held


def test_alpha_goes_along_and_sizes_do_not_matter() -> None:
    first, last, meant = (torch.cat([p, p.mean(0, keepdim=True)]) for p in pan(4))
    new = beyond(first, last).at(1)
    assert apart(new[3], meant[3]) < apart(last[3], meant[3]) / 3
    for height, width in ((1, 1), (4, 5), (13, 40), (2, 300)):
        one, two = torch.rand(2, 3, height, width)
        assert beyond(one, two).at(0.5).shape == (3, height, width)
