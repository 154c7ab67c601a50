"""Half-transparent logos: what is seen through them is real, so it is brought back rather than invented."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.edits.overlay_fit import AXES, NOISE, Fit, Statistics, best_fit, step
from vedit.flow.complete import grow, harmonic
from vedit.window import Window, window_of

MARGIN = 24
"""Pixels around the mask that tell what the background is like."""
FEWEST = 8
"""Frames without which there is no telling a mark from the picture."""
LARGEST = 300_000
"""Pixels, margin included; more of them would take more than half a gigabyte."""
OPAQUE = 0.9
"""From this opacity on what is left of the background is mostly noise."""
FROZEN = 0.03
"""A pixel whose variance is below this share of the surroundings' shows no background (0.01 is an opacity of 0.9)."""
LIVELY = 15 * NOISE
"""Variance of the surroundings from which on that can be told."""
MOSTLY_OPAQUE, TESTED = 0.25, 0.3
"""More frozen pixels than this share of the mark, or fewer that were tested, and it may be opaque."""
COLOURS = 2
"""A mark of more colours is fitted one colour after the other."""
REMAINING, NEAR = 0.5, 4
"""An outline that keeps more than this share of its height, seen over this many pixels, was not taken off."""
LASTING, CONTRAST, EVIDENCE = 0.35, 0.15, 0.1
"""What an overlay has to explain: lasting edges, steps of contrast, and how many of the latter per pixel."""


@dataclass(frozen=True)
class Overlay:
    """A mark that lies on every frame of a shot: I = (1 - alpha) B + colour.

    Attributes:
        alpha: ``(1, h, w)`` in [0, 1), its opacity in the mask's bounding box.
        colour: ``(3, h, w)``, its colour times its opacity.
        window: where in the frame the box is.
        where: ``(1, H, W)``, 1 = mask pixels for which this is believed; 0 where the mark is too opaque.
    """

    alpha: Tensor
    colour: Tensor
    window: Window
    where: Tensor


def estimate_overlay(frames: Iterable[Tensor], mask: Tensor) -> Overlay | None:
    """What half-transparent mark lies under a mask that doesn't move, if there is one and the frames show it.

    Only a background that moves or changes tells a mark from the picture, so spread the frames over the shot; 48 are
    plenty. For the method see `vedit.edits.overlay_fit`.

    Args:
        frames: of one shot, each ``(3, H, W)`` or with more channels that are ignored, in [0, 1].
        mask: ``(1, H, W)``, 1 = may be part of the mark. It may be much larger than the mark.

    Returns:
        ``None`` for an opaque mark, for a mask that hides no mark, and where the background changes too little.
    """
    inside = mask > 0
    box = window_of(mask)
    if box is None:
        return None
    around = box.grown(MARGIN, *mask.shape[-2:])
    hole = around.of(inside)
    if hole.numel() > LARGEST:
        return None
    seen = [around.of(frame[:3]).to(torch.float32, copy=True) for frame in frames]
    if len(seen) < FEWEST or not _has_ring(hole):
        return None
    background = torch.stack(seen)
    gain, taken, opaque = background.new_ones(hole.shape), torch.zeros_like(seen[0]), torch.zeros_like(hole)
    statistics, found = Statistics(background, hole), False
    outline, before = statistics.edge, statistics.median_steps(background)
    for _ in range(COLOURS):
        layer = _layer(statistics)
        if layer is None:
            break
        fit, hidden = layer
        more = fit.log_gain.exp()
        gain, taken, opaque = gain * more, more * taken + (more - 1) * fit.colour, opaque | hidden
        statistics, found = Statistics(gain * background - taken, hole), True
    if not found:
        return None
    # What lasting edges these colours leave (the compression's, a third colour's) are taken off as they are.
    taken = taken + statistics.offset(statistics.frames, statistics.unit)
    after = Statistics.median_steps(gain * background - taken)
    opaque = grow((opaque | (gain > 1 / (1 - OPAQUE)))[None].to(background), 1)[0]
    where = inside.to(background)
    around.of(where).mul_((1 - opaque) * (1 - _remaining(hole, outline, before, after)))
    inner = box.within(around)
    return Overlay(inner.of(1 - 1 / gain), inner.of(taken / gain), box, where)


def lifted(pixels: Tensor, overlay: Overlay) -> Tensor:
    """The overlay's window of a frame ``(3, h, w)`` without the mark, changed only where the overlay is believed."""
    background = ((pixels - overlay.colour) / (1 - overlay.alpha)).clamp(0, 1)
    return torch.where(overlay.window.of(overlay.where) > 0, background, pixels)


def _layer(statistics: Statistics) -> tuple[Fit, Tensor] | None:
    """A mark of one colour, and the pixels ``(1, h, w)`` that nothing is seen through; ``None`` if it is opaque."""
    fit = best_fit(statistics)
    if not _convincing(statistics, fit):
        return None
    tested, frozen = _frozen(statistics)
    opaque = frozen | (fit.log_gain > -math.log(1 - OPAQUE))
    marked = opaque | ((fit.log_gain > 0.05) & (statistics.inside > 0))
    if (tested & marked).sum() < TESTED * marked.sum():
        return None
    return None if opaque.sum() > MOSTLY_OPAQUE * (marked & tested).sum() else (fit, opaque)


def _remaining(hole: Tensor, outline: list[Tensor], before: list[Tensor], after: list[Tensor]) -> Tensor:
    """Pixels ``(1, h, w)``, 1 = near an outline that is mostly still there: of a colour that was not found."""
    height, width = outline[1].shape[-2] + 1, outline[0].shape[-1] + 1
    seen, kept = before[0].new_zeros(2, 1, 1, height, width)
    for edge, old, new in zip(outline, before, after, strict=True):
        fit = (0, width - edge.shape[-1], 0, height - edge.shape[-2])
        seen, kept = (
            total + F.pad(edge * steps.square().sum(0, keepdim=True), fit)
            for total, steps in ((seen, old), (kept, new))
        )
    seen, kept = (F.avg_pool2d(t, 2 * NEAR + 1, 1, NEAR) for t in (seen, kept))
    # Not where there was little to see in the first place, or is no more than in the surroundings.
    around = seen[grow(hole[None].to(seen), NEAR + 1) == 0]
    usual = torch.quantile(around, 0.98) if len(around) else 0 * seen.max()
    clear = (seen > 0.05 * seen.max()) & (kept > usual)
    return grow(((kept > REMAINING**2 * seen) & clear).to(seen), NEAR)[0]


def _has_ring(hole: Tensor) -> bool:
    return bool((~hole).sum() > 0.1 * hole.sum()) and min(hole.shape[-2:]) > 2


def _convincing(statistics: Statistics, fit: Fit) -> bool:
    """Whether a mark explains both what lasts and where contrast is lost, much better than no mark."""
    none = statistics.judged(torch.zeros_like(fit.log_gain), fit.colour)
    near = [grow(statistics.inside[None], 1)[0].narrow(i, 0, statistics.inside.shape[i] - 1) for i in AXES]

    def total(steps: list[Tensor]) -> float:
        return float(sum((n * s).sum() for n, s in zip(near, steps, strict=True)))

    lasting = 1 - total(fit.lasting) / max(total(none.lasting), 1e-6)
    hoped = [s.sqrt() * step(fit.log_gain, i).abs() for s, i in zip(statistics.sure, AXES, strict=True)]
    contrast = (total(none.contrast) - total(fit.contrast)) / max(total(hoped), 1e-6)
    evidence = total(hoped) / float(statistics.inside.sum())
    return lasting > LASTING and contrast > CONTRAST and evidence > EVIDENCE


def _frozen(statistics: Statistics) -> tuple[Tensor, Tensor]:
    """Pixels ``(1, h, w)`` of the mask around which the picture changes, and those of them that don't themselves."""
    around = harmonic(statistics.variance.log()[None], statistics.inside[None])[0].exp()
    tested = (around > LIVELY) & (statistics.inside > 0)
    return tested, tested & (statistics.variance < 2 * NOISE + FROZEN * around)
