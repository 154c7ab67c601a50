"""A frame and its two neighbours brought onto it along the motion: what it would show if it were clean."""

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt
import torch

from vedit.flow.complete import harmonic
from vedit.flow.estimate import gray
from vedit.flow.pairs import both_ways
from vedit.frame import Frame

Plane = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Box = tuple[slice, slice]

MOTION_SIDE = 640
"""Pixels of the longer side at which motion is searched, at most: of 128 specks in films of 1280, 90 were found with
motion from half their size, 88 with motion from a quarter."""

BRIGHTNESS_GRID = 8
"""Pixels along which a change of brightness is taken for even."""


class Plate:
    """A frame's pixels as numpy wants them: planes ``(3,H,W)`` in [0, 1], luma ``(H,W)`` in levels of 255."""

    def __init__(self, frame: Frame) -> None:
        self.planes: Plane = frame.pixels[:3].cpu().numpy()
        self.luma: Plane = gray(frame.pixels) * 255
        frame.forget()

    @cached_property
    def small(self) -> torch.Tensor:
        """``(3,h,w)``, half the size or less: motion is smooth enough to be found there."""
        height, width = self.luma.shape
        scale = min(0.5, MOTION_SIDE / max(height, width))
        size = (max(1, int(width * scale)), max(1, int(height * scale)))
        planes = [cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in self.planes]
        return torch.from_numpy(np.stack(planes))

    def colours(self, box: Box) -> Plane:
        """``(h,w,3)`` in a box."""
        return np.ascontiguousarray(self.planes[:, *box].transpose(1, 2, 0))


@dataclass(frozen=True, eq=False)
class Motion:
    """Flow between two plates both ways ``(1,2,h,w)``, on the grid of their small pictures, in its pixels."""

    there: torch.Tensor
    back: torch.Tensor


def motion(first: Plate, second: Plate) -> Motion:
    """From the first plate to the second and back."""
    return Motion(*both_ways(first.small, second.small))


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
        return np.asarray(cv2.absdiff(self.before, self.after), np.float32)

    def outside(self, box: Box, place: Mask) -> Mask:
        """Where one of the neighbours is fetched from beyond its border, among the pixels of a place (N,) in a box."""
        height, width = self.plate.luma.shape
        y, x = np.nonzero(place)
        y, x = y + box[0].start, x + box[1].start
        out = np.zeros(len(x), bool)
        for flow in (self.flow_before, self.flow_after):
            at_x, at_y = x + flow[y, x, 0], y + flow[y, x, 1]
            out |= (at_x < 1) | (at_x > width - 2) | (at_y < 1) | (at_y > height - 2)
        return out

    def colours(self, box: Box) -> tuple[Plane, Plane]:
        """Both neighbours' colours ``(h,w,3)`` in a box."""
        sides = (
            (self.neighbours[0], self.flow_before, self.lift_before),
            (self.neighbours[1], self.flow_after, self.lift_after),
        )
        first, second = (
            np.stack([_fetched(plane, flow, box) + lift[box] / np.float32(255) for plane in plate.planes], -1)
            for plate, flow, lift in sides
        )
        return first, second


def views_of(before: Plate, plate: Plate, after: Plate, motions: tuple[Motion, Motion]) -> Views:
    """Look at a plate from both neighbours, along the motion as it was found."""
    everywhere = (slice(None), slice(None))
    flows = [_enlarged(flow, plate.luma.shape) for flow in (motions[0].back, motions[1].there)]
    lumas = [_fetched(p.luma, f, everywhere) for p, f in zip((before, after), flows, strict=True)]
    lifts = [_lift(plate.luma - luma) for luma in lumas]
    seen = [luma + lift for luma, lift in zip(lumas, lifts, strict=True)]
    return Views(plate, (before, after), *flows, *seen, *lifts)


def looked_through(views: Views, hole: Mask, motions: tuple[Motion, Motion]) -> Views:
    """The same views with the motion under a hole taken from around it, wherever the neighbours then agree better.

    What lies on a picture misleads the search for its motion: a membrane does not see it (FGVC's completion). Nothing
    is worked out anew where the motion stays as it was.
    """
    small = torch.cat([motions[0].back, motions[1].there], 1)
    height, width = small.shape[-2:]
    covered = cv2.resize(hole.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) > 0
    filled = harmonic(small, torch.from_numpy(covered.astype(np.float32))[None, None])
    rows, columns = hole.shape
    reached = cv2.dilate(covered.astype(np.uint8), np.ones((3, 3), np.uint8))
    y, x = np.nonzero(cv2.resize(reached, (columns, rows), interpolation=cv2.INTER_NEAREST))
    flows = [_enlarged(flow, hole.shape)[y, x] for flow in (filled[:, :2], filled[:, 2:])]
    seen = [
        _at(neighbour.luma, x + flow[:, 0], y + flow[:, 1]) + lift[y, x]
        for neighbour, flow, lift in zip(
            views.neighbours, flows, (views.lift_before, views.lift_after), strict=True
        )
    ]
    closer = np.zeros(hole.shape, np.float32)
    closer[y, x] = views.apart[y, x] - np.abs(seen[0] - seen[1])
    better = cv2.blur(closer, (9, 9))[y, x] > 0
    y, x = y[better], x[better]

    def with_better(plane: Plane, new: Plane) -> Plane:
        out = plane.copy()
        out[y, x] = new[better]
        return out

    return replace(
        views,
        flow_before=with_better(views.flow_before, flows[0]),
        flow_after=with_better(views.flow_after, flows[1]),
        before=with_better(views.before, seen[0]),
        after=with_better(views.after, seen[1]),
    )


def _enlarged(flow: torch.Tensor, shape: tuple[int, ...]) -> Plane:
    height, width = shape
    scale = torch.tensor([width / flow.shape[-1], height / flow.shape[-2]])
    field = np.ascontiguousarray((flow[0].cpu() * scale[:, None, None]).permute(1, 2, 0).numpy())
    return np.asarray(cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _fetched(picture: Plane, flow: Plane, box: Box) -> Plane:
    """A picture at grid + flow, in a box of the grid."""
    height, width = picture.shape[:2]
    x = np.arange(width, dtype=np.float32)[box[1]] + flow[box][..., 0]
    y = np.arange(height, dtype=np.float32)[box[0], None] + flow[box][..., 1]
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _at(picture: Plane, x: Plane, y: Plane) -> Plane:
    """A picture at places (N,)."""
    wide = 4096  # OpenCV takes no side of more than 32767
    grid = np.zeros((2, -(-len(x) // wide) * wide), np.float32)
    grid[:, : len(x)] = x, y
    maps = grid.reshape(2, -1, wide)
    out = cv2.remap(picture, maps[0], maps[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.float32).ravel()[: len(x)]


def _lift(difference: Plane) -> Plane:
    """The part of a difference that is even over many pixels: a change of exposure, and nothing that is small."""
    height, width = difference.shape
    size = (max(1, width // BRIGHTNESS_GRID), max(1, height // BRIGHTNESS_GRID))
    coarse = np.asarray(cv2.resize(difference, size, interpolation=cv2.INTER_AREA), np.float32)
    for _ in range(2):
        coarse = np.asarray(cv2.medianBlur(coarse, 5), np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
