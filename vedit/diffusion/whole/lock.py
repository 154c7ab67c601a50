"""Hold a window's colours to those of the pixels that were known before it was made.

Sending frames through a codec and back nudges their colours a little, and where each window starts from the last
frames of the one before, the nudges add up along a film. What a window made of its known pixels tells by how much.
"""

import torch
from torch import Tensor

FEWEST = 256
"""Known pixels; fewer tell nothing."""
MOST = 1 << 20
"""Known pixels that are looked at."""
EVEN = 1e-3
"""Added to every variance: keeps the map near identity where the known pixels are all alike."""
STRETCH = 1.25
"""The most by which any mix of colours is stretched, and the least is one over it."""
SHIFT = 0.1
"""The most by which a channel's mean is moved."""


def lock_colours(made: Tensor, shown: Tensor, make: Tensor) -> Tensor:
    """``made`` with the colour map that takes what it shows of the known pixels to what they are.

    The map is affine and one for the whole window: the means are matched, and the covariances by the linear map
    between two normal distributions that moves colours least (Pitié and Kokaram, "The Linear Monge-Kantorovitch
    Linear Colour Mapping", CVMP 2007). Unlike least squares it does not lose contrast where the two differ in detail.

    Args:
        made: the window's new frames ``(F,3,H,W)`` in [0, 1].
        shown: the known pixels, ``(F,3,H,W)``.
        make: ``(F,1,H,W)``, 0 where ``shown`` is known.
    """
    known = (make[:, 0] == 0).flatten()
    count = int(known.sum())
    if count < FEWEST:
        return made.clone()
    seen, true = (
        p.permute(1, 0, 2, 3).flatten(1)[:, known][:, :: -(-count // MOST)].double() for p in (made, shown)
    )
    mean = seen.mean(1)
    shift = (true.mean(1) - mean).clamp(-SHIFT, SHIFT)
    root = _power(_covariance(seen), 0.5)
    back = _power(root, -1)
    stretch = back @ _power(root @ _covariance(true) @ root, 0.5) @ back
    values, vectors = torch.linalg.eigh((stretch + stretch.T) / 2)
    stretch = vectors @ values.clamp(1 / STRETCH, STRETCH).diag() @ vectors.T
    offset = mean + shift - stretch @ mean
    locked: Tensor = torch.einsum("dc,fchw->fdhw", stretch.float(), made) + offset.float().view(3, 1, 1)
    return locked.clamp_(0, 1)


def _covariance(colours: Tensor) -> Tensor:
    covariance: Tensor = torch.cov(colours) + EVEN * torch.eye(3, dtype=colours.dtype)
    return covariance


def _power(matrix: Tensor, power: float) -> Tensor:
    """A power of a symmetric positive matrix."""
    values, vectors = torch.linalg.eigh(matrix)
    result: Tensor = vectors @ values.clamp(min=1e-12).pow(power).diag() @ vectors.T
    return result
