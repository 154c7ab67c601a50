from fractions import Fraction

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.clip import Clip
from vedit.edits.interpolate import Interpolate
from vedit.edits.redraw import redraw
from vedit.edits.retime import Moment
from vedit.inbetween.pair import Pair
from vedit.inbetween.picture import Picture

CPU = torch.device("cpu")


def scene(seed: int = 0) -> Tensor:
    coarse = torch.rand(1, 3, 10, 16, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(coarse, (60, 96), mode="bicubic").clamp(0, 1)[0]


def a_thing_appears() -> tuple[Tensor, Tensor]:
    """A steady scene in whose middle a thing that was not there is seen in the second frame."""
    before, after = scene(), scene()
    after[:, 15:45, 30:66] = 1 - scene(1)[:, 15:45, 30:66]
    return before, after


def test_only_the_doubtful_place_is_redrawn() -> None:
    before, after = a_thing_appears()
    pair = Pair(Picture(before, CPU), Picture(after, CPU), "best")
    own = pair.at(0.5)
    assert own.confidence[0, 22:38, 40:56].mean() < 0.3
    assert own.confidence[0, :4].min() > 0.9
    moments = [Moment(1, 1, 1, Fraction(1, 2))]
    (out,) = redraw(pair, moments)
    moved = (out - own.pixels).abs().amax(0)
    assert moved[18:42, 34:62].max() > 0.01, "the place was redrawn"
    assert moved[:4].max() == 0
    assert moved[:, :16].max() == 0


def test_frames_that_agree_are_left_to_the_flow() -> None:
    before = scene()
    after = torch.roll(before, 1, dims=2)
    after[:, :, 0] = before[:, :, 0]
    pair = Pair(Picture(before, CPU), Picture(after, CPU), "best")
    (out,) = redraw(pair, [Moment(1, 1, 1, Fraction(1, 2))])
    assert torch.equal(out, pair.at(0.5).pixels)


def test_the_same_twice_with_alpha_and_source_frames_untouched() -> None:
    clip = torch.stack([torch.cat([frame, torch.ones(1, 60, 96)]) for frame in a_thing_appears()])
    edit = Interpolate(factor=3, quality="best")
    first, second = (edit.apply(Clip.at_rate(clip, 25)).frames for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(first[::3], clip)
    torch.testing.assert_close(first[:, 3], torch.ones(6, 60, 96))
