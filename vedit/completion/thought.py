"""What the net said of a frame holds for the next ones, as long as little changes: its answer moves with the scene.

The answer says how much to take of each source, not what they show, so it goes with new evidence. To carry it along the
motion takes far less time than to ask again (the same is done with deep features of other video networks: Zhu et al.,
"Deep Feature Flow for Video Recognition", CVPR 2017).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.completion.carry import carry
from vedit.completion.evidence import Evidence
from vedit.completion.net import sources_known
from vedit.window import Window

STRAYED, STILL = 2.0, 0.3
"""Pixels, of those the net sees, that the hole's content may have moved in the mean since the net was asked: for one
frame more, and for others after that. Where a little moves, most of what is seen changes in other ways too."""
NEWS = 0.1
"""The share of the hole that the net may not have been asked about, or to which a source has come since."""
HARDLY = -30.0
"""The answer for a source that the net has not seen there: none of it is taken."""


@dataclass(frozen=True, eq=False)
class Thought:
    """An answer of the net ``(1, 7, h, w)`` for ``window``.

    ``known`` ``(1, 4, h, w)``: of which sources it knew, 0 where there was no hole. ``age``: frames since it was asked.
    ``strayed``: pixels that the hole's content moved meanwhile.
    """

    window: Window
    answer: Tensor
    known: Tensor
    age: int = 0
    strayed: float = 0.0


def thought(seen: Evidence, batch: Tensor, answer: Tensor) -> Thought:
    """What the net has just said of its input."""
    assert seen.window is not None  # noqa: S101 - it was asked about a hole
    return Thought(seen.window, answer, sources_known(batch) * batch[:, 3:4])


def carried_on(last: Thought, seen: Evidence, batch: Tensor, scale: int) -> Thought | None:
    """The answer on the next frame; None where too much has changed for it to hold.

    Args:
        last: the answer for the frame before.
        seen: the next frame.
        batch: what the net would be asked, as `assembled`.
        scale: pixels of the picture in one that the net sees.
    """
    window, motion = seen.window, seen.motion
    if window is None or motion is None:
        return None
    hole, part = batch[:, 3:4], motion.window
    speed = torch.hypot(*motion.back[:, :2].unbind(1))[:, None]
    covered = F.avg_pool2d(part.of(seen.mask)[None], motion.cell, ceil_mode=True)
    strayed = last.strayed + float((speed * covered).sum() / covered.sum().clamp_min(1e-6)) / scale
    if strayed > (STILL if last.age else STRAYED):
        return None
    shift = (part.left - last.window.left, part.top - last.window.top)
    before = torch.cat([last.answer, last.known], 1)
    there, _ = carry(before, motion.back, motion.cell, shift, where=part.of(seen.mask)[0] > 0)
    moved = hole.new_zeros(1, there.shape[1], window.height, window.width)
    part.within(window).of(moved)[:] = there[..., : part.height, : part.width]
    answer, known = moved[:, :7], (moved[:, 7:] > 0.5).to(hole)
    unseen = (sources_known(batch) > known).any(1, keepdim=True) * hole
    if float(unseen.sum()) > NEWS * float(hole.sum()):
        return None
    # What has just been covered is known from the frame before, and nothing else is known of it.
    new = (known[:, :1] == 0) & (hole > 0)
    shares = torch.where(known > 0, answer[:, :4], HARDLY)
    shares = torch.where(new, hole.new_tensor([HARDLY, HARDLY, HARDLY, 0]).view(1, 4, 1, 1), shares)
    answer = torch.cat([shares, answer[:, 4:] * ~new], 1)
    return Thought(window, answer, known * hole, last.age + 1, strayed)
