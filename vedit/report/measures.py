"""Numbers for every picture of the reference, as both films go by."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isnan, nan

import torch
from torch import Tensor

from vedit.flow.pairs import pair_flow
from vedit.flow.resize import resize
from vedit.metrics.edges import ghosts, sharpness
from vedit.metrics.fidelity import MOST_DB, WINDOW, psnr, ssim
from vedit.metrics.style import structure, style_distance
from vedit.metrics.temporal import flicker, warp_error

MEASURES = (
    *("psnr", "ssim", "structure", "style", "sharpness", "ghosts"),
    *("warp_reference", "warp_result", "flicker_reference", "flicker_result"),
)
"""What is measured: of each picture, and (warp error and flicker) of each picture and the one before it."""
LARGEST = 1920 * 1080
"""Pixels that PSNR and SSIM are measured on at most."""
MOTION = 480 * 270
"""Pixels that everything else is measured on at most: motion, drawing, edges."""
STYLE_EVERY = 0.5
"""Seconds from one picture that style distance is measured of to the next: it takes long and changes slowly."""

Pair = tuple[Tensor, Tensor]
"""The reference's picture and the result's, ``(1, 3, H, W)``."""


@dataclass
class Series:
    """Every measure of every picture, in order; NaN where there is none. ``cuts`` are indices of pictures."""

    seconds: "array[float]" = field(default_factory=lambda: array("d"))
    cuts: list[int] = field(default_factory=list)
    values: "Mapping[str, array[float]]" = field(
        default_factory=lambda: {name: array("f") for name in MEASURES}
    )
    identical: int = 0
    """Pictures that are the same in both films, sample for sample."""

    def mean(self, name: str) -> float | None:
        """The mean of a measure over all pictures that have it, or None."""
        known = [value for value in self.values[name] if not isnan(value)]
        return sum(known) / len(known) if known else None


class Gauge:
    """Measures pairs of pictures in the order they are shown; holds the pair before.

    Args:
        height: that pictures are compared at.
        width: likewise.
    """

    def __init__(self, height: int, width: int) -> None:
        self.size = limited(height, width, LARGEST)
        self.small = limited(height, width, MOTION)
        self.series = Series()
        self._before: Pair | None = None
        self._styled = -STYLE_EVERY

    def measure(self, reference: Tensor, result: Tensor, seconds: float, *, cut: bool) -> Mapping[str, float]:
        """The measures of a pair of pictures, which are also added to the series.

        Args:
            reference: ``(3, H, W)`` RGB in [0, 1], of any size.
            result: the picture shown at the same time, likewise.
            seconds: when.
            cut: whether the reference starts a shot; what compares with the picture before starts anew.
        """
        self.series.identical += reference.shape == result.shape and torch.equal(reference, result)
        pair = resize(reference[None], *self.size), resize(result[None], *self.size)
        small = resize(pair[0], *self.small), resize(pair[1], *self.small)
        found = dict.fromkeys(MEASURES, nan) | self._alike(pair, small)
        if seconds - self._styled >= STYLE_EVERY:
            self._styled = seconds
            found["style"] = 0.0 if found["psnr"] == MOST_DB else style_distance(small[1][0], small[0][0])
        if self._before is not None and not cut:
            found |= self._over_time(small)
        if cut:
            self.series.cuts.append(len(self.series.seconds))
        self._before = small
        self.series.seconds.append(seconds)
        for name, value in found.items():
            self.series.values[name].append(value)
        return found

    def _alike(self, pair: Pair, small: Pair) -> dict[str, float]:
        """How near the result's picture is to the reference's."""
        ours, theirs = pair
        if torch.equal(ours, theirs):
            return {"psnr": MOST_DB, "ssim": 1.0, "structure": 1.0, "sharpness": 1.0, "ghosts": 0.0}
        found = {"psnr": float(psnr(theirs, ours)), "structure": structure(small[0][0], small[1][0])}
        if min(self.size) >= WINDOW:
            found["ssim"] = float(ssim(theirs, ours))
        if min(self.small) >= 3:
            found |= {
                "sharpness": float(sharpness(small[1], small[0])),
                "ghosts": float(ghosts(small[1], small[0])),
            }
        return found

    def _over_time(self, small: Pair) -> dict[str, float]:
        """How steady both films are along the reference's motion."""
        assert self._before is not None  # noqa: S101 - the caller looked
        ours, theirs = (torch.cat([before, now]) for before, now in zip(self._before, small, strict=True))
        motion = [pair_flow(ours[0], ours[1])]
        return {
            "warp_reference": warp_error(ours, ours, pairs=motion),
            "warp_result": warp_error(theirs, ours, pairs=motion),
            "flicker_reference": flicker(ours, ours, pairs=motion),
            "flicker_result": flicker(theirs, ours, pairs=motion),
        }


def seen(picture: Tensor) -> Tensor:
    """A picture ``(3 or 4, H, W)`` as ``(3, H, W)``; what is transparent is seen over black."""
    return picture[:3] * picture[3:] if len(picture) == 4 else picture


def limited(height: int, width: int, pixels: int) -> tuple[int, int]:
    """The largest size of the same shape with no more than so many pixels."""
    scale = min(1.0, (pixels / (height * width)) ** 0.5)
    return max(1, round(height * scale)), max(1, round(width * scale))
