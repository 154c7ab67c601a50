"""Motion that is not even: how it bends between two frames, told by the frames before and after them."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.warp import warp

_STRENGTH = 1.5
"""What the bend of a cubic through four frames is multiplied by: of one through six it is 1.56 times as much."""
_ALIKE = 0.06
"""Pixels that differ this much from the frame outside, along their motion, count little."""
_AROUND = 5
"""Pixels a side of the square over which accelerations are averaged, twice."""


@dataclass(frozen=True, eq=False)
class Bend:
    """Accelerations ``(N,2,h,w)`` at the time of frame0 and of frame1, in pixels per frame², on both frames' grids."""

    early0: Tensor
    late0: Tensor
    early1: Tensor
    late1: Tensor

    def at(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """How far from its straight way each pixel of frame0, and of frame1, is at t.

        A cubic through the positions in four frames, with accelerations a0 and a1 in the middle two, is

            x(t) = (1-t) x0 + t x1 - t (1-t) / 6 · ((2-t) a0 + (1+t) a1)

        (Lagrange; Xu et al., "Quadratic Video Interpolation", NeurIPS 2019, has it with a0 = a1.)
        """
        much = -_STRENGTH * t * (1 - t) / 6
        bend0, bend1 = (
            much * ((2 - t) * early + (1 + t) * late)
            for early, late in ((self.early0, self.late0), (self.early1, self.late1))
        )
        return bend0, bend1


def acceleration(
    picture: Tensor, outside: Tensor, flow: Tensor, flow_outside: Tensor, length: float
) -> Tensor:
    """How the motion of a frame's pixels changes there, averaged over a neighbourhood ``(N,2,h,w)``.

    With the one neighbour at distance 1 and the one outside at ``length``, it is 2 / (1 + length) times the sum of the
    flow to the one and, over length, to the other. What changes more than it moves was mismatched and does not count,
    and pixels that differ from those they come from count less.

    Args:
        picture: ``(N, 3, h, w)`` in [0, 1].
        outside: the frame on the other side of it.
        flow: ``(N, 2, h, w)`` from the picture to the frame at distance 1.
        flow_outside: the same to the frame outside.
        length: how far away that is, in time.
    """
    there = flow_outside / length
    change = 2 / (1 + length) * (flow + there)
    unlike = (picture - warp(outside, flow_outside)).abs().mean(1, keepdim=True)
    unlike = F.avg_pool2d(unlike, _AROUND, 1, _AROUND // 2, count_include_pad=False)
    plausible = (_length(change) < 0.5 * (_length(flow) + _length(there)) + 0.5).to(change.dtype)
    weight = plausible * (-(unlike / _ALIKE).square()).exp()
    total = torch.cat([change * weight, weight], 1)
    for _ in range(2):
        total = F.avg_pool2d(total, _AROUND, 1, _AROUND // 2)
    return total[:, :2] / (total[:, 2:] + 0.1)


def _length(flow: Tensor) -> Tensor:
    x, y = flow.split_with_sizes([1, 1], 1)
    return (x * x + y * y).sqrt()


def bend(flow_fw: Tensor, flow_bw: Tensor, early: Tensor | None, late: Tensor | None) -> Bend:
    """The bend between two frames, from the acceleration at frame0, on its grid, and at frame1, on its.

    One that is not known, at a cut, is taken to be none: half the bend is then believed.
    """
    nothing = flow_fw.new_zeros(flow_fw.shape)
    early0, early1 = (nothing, nothing) if early is None else (early, warp(early, flow_bw))
    late0, late1 = (nothing, nothing) if late is None else (warp(late, flow_fw), late)
    return Bend(early0, late0, early1, late1)
