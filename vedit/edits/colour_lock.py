"""A shot's colours held to the look that its first window set.

A film is restyled window by window, and each window may come out a little brighter or redder than the one before.
What the look does to colours is learned from the first window: an affine map from the source's colours to the
result's, in low frequency. Every later frame's broad colours are held to what that map makes of its own source, so
drift goes away while the look stays, and so do fades and flashes of the source. Little differences are the picture's
own business and are left alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

CELLS = 32
"""Cells along a picture's longer side, in which colours are compared."""
FARTHEST = 0.15
"""Most that a channel's mean is moved."""
STEEPEST = 1.3
"""Most that a channel's contrast is changed by."""
CLIPPED = 0.04
"""How near to black or white a channel may have been cut off there."""
_SURE = 1e-3
"""How strongly the map is drawn to adding a constant, as a variance: a plain first window says nothing of contrast."""


@dataclass(frozen=True, eq=False)
class ColourRelation:
    """What a look does to broad colours, and how closely.

    ``matrix`` ``(3,4)`` maps source colours ``(r, g, b, 1)`` to the result's; ``mean`` ``(3,)`` and ``spread``
    ``(3,3)`` (inverse covariance) say which source colours it was learned from. ``shift`` ``(3,)`` and ``contrast``
    ``(3,)`` are the deviations from it, of a frame's mean and of the logarithm of its contrast, that mean nothing.
    """

    matrix: Tensor
    mean: Tensor
    spread: Tensor
    shift: Tensor
    contrast: Tensor


def colour_lock(pairs: Iterator[tuple[Tensor, Tensor]], window: int) -> Iterator[Tensor]:
    """The results of one shot with their drift taken out.

    Args:
        pairs: source and result of each frame from the shot's first on, both ``(3,H,W)`` in [0, 1].
        window: frames from which the look's colours are learned; they are held back until then and pass unchanged.

    Yields one picture ``(3,H,W)`` per pair, in order. What becomes of a frame depends on the first window and on that
    frame alone, so a render that goes on needs the first window's results and those it wants.
    """
    first = [pair for _, pair in zip(range(window), pairs, strict=False)]
    if not first:
        return
    relation = learned([(broad(source), broad(result)) for source, result in first])
    for _, result in first:
        yield result
    del first
    for source, result in pairs:
        yield held(source, result, relation)


def broad(picture: Tensor) -> Tensor:
    """A picture's broad colours ``(n,3)``, float64 on the CPU: the means of some cells."""
    height, width = picture.shape[-2:]
    longer = max(height, width)
    rows, columns = (min(side, max(1, round(CELLS * side / longer))) for side in (height, width))
    return F.adaptive_avg_pool2d(picture[None].float(), (rows, columns))[0].flatten(1).T.double().cpu()


def learned(first: list[tuple[Tensor, Tensor]]) -> ColourRelation:
    """The relation between broad colours ``(n,3)`` of sources and results.

    Least squares that count far outliers less (Huber), drawn to source plus a constant where colours are too few.
    """
    source, result = (torch.cat(part) for part in zip(*first, strict=True))
    mean = source.mean(0)
    centred = source - mean
    weights = torch.ones(len(source), 1, dtype=source.dtype)
    slope, offset = torch.eye(3, dtype=source.dtype), result.mean(0)
    prior = _SURE * torch.eye(3, dtype=source.dtype)
    for _ in range(4):
        total = weights.sum()
        middle, offset = (weights * centred).sum(0) / total, (weights * result).sum(0) / total
        x, y = centred - middle, result - offset
        slope = torch.linalg.solve((weights * x).T @ x / total + prior, (weights * x).T @ y / total + prior).T
        offset = offset - slope @ middle
        error = (result - centred @ slope.T - offset).norm(dim=1, keepdim=True)
        weights = 1 / (error / (1.5 * error.median() + 1e-4)).clamp(min=1)
    matrix = torch.cat([slope, (offset - slope @ mean)[:, None]], dim=1)
    spread = torch.linalg.inv(centred.T @ centred / len(source) + 0.05**2 * torch.eye(3, dtype=source.dtype))
    blank = torch.zeros(3, dtype=source.dtype)
    relation = ColourRelation(matrix, mean, spread, blank, blank)
    drifts = [_drift(*pair, relation) for pair in first]
    shifts, contrasts = (
        torch.stack(part).abs().amax(0) for part in zip(*(d[:2] for d in drifts), strict=True)
    )
    return ColourRelation(matrix, mean, spread, 0.004 + 1.5 * shifts, 0.01 + 1.5 * contrasts)


def held(source: Tensor, result: Tensor, relation: ColourRelation) -> Tensor:
    """A result ``(3,H,W)`` with the broad colours that its source says; itself where they are about that."""
    before, colours = broad(source), broad(result)
    shift, contrast, trust = _drift(before, colours, relation)
    # What the look adds to black may stay or go as the source gets darker: a mean between the two has not drifted.
    fades = shift + relation.matrix[:, 3] * (1 - before.mean() / (relation.mean.mean() + 1e-4))
    shift = torch.where(shift * fades > 0, torch.where(shift.abs() < fades.abs(), shift, fades), 0)
    shift = trust * _beyond(shift, relation.shift).clamp(-FARTHEST, FARTHEST)
    limit = float(torch.tensor(STEEPEST).log())
    contrast = trust * _beyond(contrast, relation.contrast).clamp(-limit, limit)
    if not shift.any() and not contrast.any():
        return result
    middle = colours.mean(0)
    gain = (-contrast).exp()
    add = middle - shift - gain * middle
    gain, add = (t.to(result).view(3, 1, 1) for t in (gain, add))
    moved = (result * gain + add).clamp(0, 1)
    return _unclipped(result, moved, source.to(result), relation)


def _unclipped(result: Tensor, moved: Tensor, source: Tensor, relation: ColourRelation) -> Tensor:
    """Pixels that are white or black in a channel: drift may have stopped there, so the source says how far they go.

    Otherwise a white that could become no redder would be made cyan.
    """
    matrix = relation.matrix.to(result)
    expected = (matrix[:, :3] @ source.flatten(1)).view_as(result) + matrix[:, 3].view(3, 1, 1)
    between = expected.clamp(torch.minimum(result, moved), torch.maximum(result, moved))
    from_end = torch.where(moved < result, 1 - result, result)
    return moved.lerp(between, (1 - from_end / CLIPPED).clamp(0, 1))


def _drift(source: Tensor, result: Tensor, relation: ColourRelation) -> tuple[Tensor, Tensor, float]:
    """How far a frame's broad colours ``(n,3)`` are from what their source says.

    The shift of their mean ``(3,)``, the logarithm of their contrast against the expected one ``(3,)``, and from 0 to
    1 how far that can be relied on: not where the source's colours are far from all that were learned from.
    """
    expected = (source @ relation.matrix[:, :3].T + relation.matrix[:, 3]).clamp(0, 1)
    away = source - relation.mean
    known = (((36 - ((away @ relation.spread) * away).sum(1)) / 27).clamp(0, 1))[:, None]
    total = float(known.sum())
    if total == 0:
        return torch.zeros_like(relation.mean), torch.zeros_like(relation.mean), 0.0
    before, after = ((known * t).sum(0) / total for t in (expected, result))
    x, y = expected - before, result - after
    steadied = _SURE + (known * x * x).sum(0) / total
    slope = ((_SURE + (known * x * y).sum(0) / total) / steadied).clamp(min=0.1)
    return after - before, slope.log(), min(1.0, 2 * total / len(source))


def _beyond(value: Tensor, least: Tensor) -> Tensor:
    """0 up to ``least``, the value itself from three times that on, without a step between."""
    return value * ((value.abs() / least - 1) / 2).clamp(0, 1)
