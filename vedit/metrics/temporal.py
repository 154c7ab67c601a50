"""How steady a film is over time, judged by the motion of another that it was made from."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from vedit.errors import UsageError
from vedit.flow.pairs import PairFlow, pair_flow
from vedit.flow.warp import warp

STILL = 0.25
"""Pixels a frame: what moves less does not move; the flow of a still picture with grain is about this large."""
SAME = 3 / 255
"""What changes less in every channel does not change: grain and the rounding of a codec."""
SLIGHT = 0.01
"""A warp error under which nobody sees a difference; keeps the ratio of two such errors near 1."""


def pairs_of(reference: Tensor) -> list[PairFlow]:
    """The F-1 motions between neighbours of ``(F, 3, H, W)`` frames, for several measures at once."""
    return [pair_flow(a, b, quality="best") for a, b in pairwise(reference)]


def warp_error(frames: Tensor, reference: Tensor, *, pairs: Sequence[PairFlow] | None = None) -> float:
    """Mean squared change of ``frames`` along the motion of ``reference``, times 1000; 0 = perfectly steady.

    As in Lai et al., "Learning Blind Video Temporal Consistency", ECCV 2018, each frame is compared with the next
    one fetched along the flow, at the pixels that both show; the mean of each pair, and then of the pairs. A film has
    an error against its own motion too (grain, light, flaws of the flow), so compare with that.

    Args:
        frames: ``(F, 3, H, W)`` RGB in [0, 1], F >= 2.
        reference: the film they were made from, the same shape.
        pairs: ``pairs_of(reference)`` where it is known already.
    """
    return float(_warp_errors(frames, reference, pairs).mean())


def join_ratio(
    frames: Tensor, reference: Tensor, joins: Sequence[int], *, pairs: Sequence[PairFlow] | None = None
) -> float:
    """Warp error across the joins of windows over that of all other pairs of frames: 1 = no seam to be seen.

    Args:
        frames: ``(F, 3, H, W)`` RGB in [0, 1], F >= 2.
        reference: the film they were made from, the same shape.
        joins: the first frame of every window but the first, 1 to F-1; the pair (i-1, i) is across join i.
        pairs: ``pairs_of(reference)`` where it is known already.

    Returns:
        The ratio; 1 where there is no join, or nothing but joins.

    Raises:
        UsageError: a join lies outside the film.
    """
    errors = _warp_errors(frames, reference, pairs)
    if not all(0 < join < len(frames) for join in joins):
        raise UsageError(
            f"the joins {list(joins)} do not all lie in a film of {len(frames)} frames", "Give 1 to F-1."
        )
    across = torch.zeros(len(errors), dtype=torch.bool)
    across[[join - 1 for join in joins]] = True
    if not 0 < across.sum() < len(errors):
        return 1.0
    return float((errors[across].mean() + SLIGHT) / (errors[~across].mean() + SLIGHT))


def flicker(frames: Tensor, reference: Tensor, *, pairs: Sequence[PairFlow] | None = None) -> float:
    """Mean absolute change of ``frames`` from one to the next where ``reference`` stands still, in levels of 255.

    The reference stands still where it moves less than a quarter of a pixel, is seen in both frames, and changes by
    less than three levels in every channel. Under a static camera that is the background, where an edit that gives
    each frame new marks boils; under a moving one there may be no such place.

    Args:
        frames: ``(F, 3, H, W)`` RGB in [0, 1], F >= 2.
        reference: the film they were made from, the same shape.
        pairs: ``pairs_of(reference)`` where it is known already.

    Returns:
        0 to 255; 0 where the reference stands still nowhere.
    """
    total = places = 0.0
    for i, pair in enumerate(_checked(frames, reference, pairs)):
        still = torch.hypot(*pair.flow_fw[0]) < STILL
        same = (reference[i + 1] - reference[i]).abs().amax(0) < SAME
        place = still & same & (pair.occlusion_fw[0, 0] == 0)
        change = (frames[i + 1] - frames[i]).abs().mean(0)
        total += float(change[place].sum())
        places += float(place.sum())
    return 255 * total / places if places else 0.0


def _warp_errors(frames: Tensor, reference: Tensor, pairs: Sequence[PairFlow] | None) -> Tensor:
    """The warp error of each pair of neighbours, ``(F-1,)``; 0 where the two share no pixel."""
    errors = []
    for i, pair in enumerate(_checked(frames, reference, pairs)):
        seen = 1 - pair.occlusion_fw[0]
        change = warp(frames[i + 1 : i + 2], pair.flow_fw)[0] - frames[i]
        errors.append((seen * change.square()).sum() / (3 * seen.sum()).clamp_min(1))
    return 1000 * torch.stack(errors)


def _checked(frames: Tensor, reference: Tensor, pairs: Sequence[PairFlow] | None) -> Sequence[PairFlow]:
    """The pairs of the reference, if the two films can be compared."""
    if frames.shape != reference.shape or frames.ndim != 4 or len(frames) < 2:
        raise UsageError(
            f"films of shapes {tuple(frames.shape)} and {tuple(reference.shape)} cannot be compared over time",
            "Give two of the same (F, 3, H, W), of at least two frames.",
        )
    return pairs_of(reference) if pairs is None else pairs
