"""A frame and its two neighbours brought onto it along the motion: what it would show if it were clean."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt
import torch

from vedit.flow.complete import harmonic
from vedit.flow.pairs import PairFlow, pair_flow
from vedit.frame import Frame

Plane = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

BRIGHTNESS_GRID = 8
"""Pixels along which a change of brightness is taken for even."""


class Plate:
    """A frame's pixels as numpy wants them: colours ``(H,W,3)`` in [0, 1], luma ``(H,W)`` in levels of 255."""

    def __init__(self, frame: Frame) -> None:
        self.colours: Plane = np.ascontiguousarray(frame.pixels[:3].permute(1, 2, 0).cpu().numpy())
        frame.forget()
        self.luma: Plane = np.asarray(cv2.cvtColor(self.colours, cv2.COLOR_RGB2GRAY) * 255, np.float32)

    @cached_property
    def half(self) -> torch.Tensor:
        """``(3,h,w)``, half the size: motion is smooth enough to be found there."""
        height, width = self.luma.shape
        size = (max(1, width // 2), max(1, height // 2))
        small = np.asarray(cv2.resize(self.colours, size, interpolation=cv2.INTER_AREA))
        return torch.from_numpy(small).permute(2, 0, 1)


def motion(first: Plate, second: Plate) -> PairFlow:
    """Flow both ways on the grid of half the size, in its pixels."""
    return pair_flow(first.half, second.half)


@dataclass(frozen=True, eq=False)
class Views:
    """A plate and what its neighbours say of it.

    ``before`` and ``after`` are their luma ``(H,W)`` along ``flow_before`` and ``flow_after`` ``(H,W,2)``, as bright as
    the plate's own; ``lift_before`` and ``lift_after`` are the levels that made them so.
    """

    plate: Plate
    neighbours: tuple[Plate, Plate]
    flow_before: Plane
    flow_after: Plane
    before: Plane
    after: Plane
    lift_before: Plane
    lift_after: Plane

    @cached_property
    def apart(self) -> Plane:
        """How far the neighbours are from each other."""
        return np.asarray(np.abs(self.before - self.after), np.float32)

    def outside(self, place: Mask) -> Mask:
        """Where one of the neighbours is fetched from beyond its border, among the pixels of a place (N,)."""
        height, width = self.plate.luma.shape
        y, x = np.nonzero(place)
        out = np.zeros(len(x), bool)
        for flow in (self.flow_before, self.flow_after):
            at_x, at_y = x + flow[y, x, 0], y + flow[y, x, 1]
            out |= (at_x < 1) | (at_x > width - 2) | (at_y < 1) | (at_y > height - 2)
        return out

    def colours(self, box: tuple[slice, slice]) -> tuple[Plane, Plane]:
        """Both neighbours' colours ``(h,w,3)`` in a box."""
        sides = (
            (self.neighbours[0], self.flow_before, self.lift_before),
            (self.neighbours[1], self.flow_after, self.lift_after),
        )
        first, second = (
            np.asarray(_fetched(plate.colours, flow, box) + lift[box][..., None] / 255, np.float32)
            for plate, flow, lift in sides
        )
        return first, second


def views_of(before: Plate, plate: Plate, after: Plate, flows: tuple[PairFlow, PairFlow]) -> Views:
    """Look at a plate from both neighbours, along the motion as it was found."""
    return _views(before, plate, after, flows[0].flow_bw, flows[1].flow_fw)


def looked_through(views: Views, hole: Mask, flows: tuple[PairFlow, PairFlow]) -> Views:
    """The same views with the motion under a hole taken from around it, wherever the neighbours then agree better.

    What lies on a picture misleads the search for its motion: a membrane does not see it (FGVC's completion).
    """
    small = torch.cat([flows[0].flow_bw, flows[1].flow_fw], 1)
    height, width = small.shape[-2:]
    covered = cv2.resize(hole.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) > 0
    filled = harmonic(small, torch.from_numpy(covered.astype(np.float32))[None, None])
    other = _views(views.neighbours[0], views.plate, views.neighbours[1], filled[:, :2], filled[:, 2:])
    better = cv2.blur(other.apart, (9, 9)) < cv2.blur(views.apart, (9, 9))

    def chosen(first: Plane, second: Plane) -> Plane:
        return np.where(better if first.ndim == 2 else better[..., None], second, first)

    return Views(
        views.plate,
        views.neighbours,
        chosen(views.flow_before, other.flow_before),
        chosen(views.flow_after, other.flow_after),
        chosen(views.before, other.before),
        chosen(views.after, other.after),
        chosen(views.lift_before, other.lift_before),
        chosen(views.lift_after, other.lift_after),
    )


def _views(
    before: Plate, plate: Plate, after: Plate, small_before: torch.Tensor, small_after: torch.Tensor
) -> Views:
    everywhere = (slice(None), slice(None))
    flows = [_enlarged(flow, plate.luma.shape) for flow in (small_before, small_after)]
    lumas = [_fetched(p.luma, f, everywhere) for p, f in zip((before, after), flows, strict=True)]
    lifts = [_lift(plate.luma - luma) for luma in lumas]
    seen = [luma + lift for luma, lift in zip(lumas, lifts, strict=True)]
    return Views(plate, (before, after), *flows, *seen, *lifts)


def _enlarged(flow: torch.Tensor, shape: tuple[int, ...]) -> Plane:
    height, width = shape
    field = np.ascontiguousarray(flow[0].permute(1, 2, 0).cpu().numpy())
    scale = np.array([width / field.shape[1], height / field.shape[0]], np.float32)
    return np.asarray(cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR) * scale, np.float32)


def _fetched(picture: Plane, flow: Plane, box: tuple[slice, slice]) -> Plane:
    """A picture at grid + flow, in a box of the grid."""
    height, width = picture.shape[:2]
    x = np.arange(width, dtype=np.float32)[box[1]] + flow[box][..., 0]
    y = np.arange(height, dtype=np.float32)[box[0], None] + flow[box][..., 1]
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _lift(difference: Plane) -> Plane:
    """The part of a difference that is even over many pixels: a change of exposure, and nothing that is small."""
    height, width = difference.shape
    size = (max(1, width // BRIGHTNESS_GRID), max(1, height // BRIGHTNESS_GRID))
    coarse = np.asarray(cv2.resize(difference, size, interpolation=cv2.INTER_AREA), np.float32)
    for _ in range(2):
        coarse = np.asarray(cv2.medianBlur(coarse, 5), np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
