"""A painted picture made a frame of the film again: its size, its colours, its mask."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.edits.sketch import Sketch
from vedit.frame import Frame


def finished(sketch: Sketch, picture: Tensor, *, keep_colour: bool) -> Frame:
    """The frame that was sketched with a picture ``(3,h,w)`` in its mask; outside, every pixel as it was.

    ``keep_colour`` takes the film's colours and only the light and dark of the picture.
    """
    original = sketch.frame.pixels
    if picture.shape[-2:] != original.shape[-2:]:
        picture = F.interpolate(picture[None], size=original.shape[-2:], mode="bicubic", align_corners=False)[
            0
        ].clamp(0, 1)
    if keep_colour:
        picture = (original[:3] + _luma(picture) - _luma(original[:3])).clamp(0, 1)
    mask = sketch.mask
    if mask is not None:
        picture = torch.where(mask > 0, torch.lerp(original[:3], picture, mask), original[:3])
    return sketch.frame.edited(torch.cat([picture, original[3:]]), changed=mask)


def _luma(picture: Tensor) -> Tensor:
    """BT.601 luma ``(1,H,W)``."""
    luma: Tensor = 0.299 * picture[:1] + 0.587 * picture[1:2] + 0.114 * picture[2:3]
    return luma
