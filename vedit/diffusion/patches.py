"""Fill a hole with diffusion over the picture's own patches: no weights, and texture instead of blur.

The sampler is DDIM in variance-exploding form, its denoiser the posterior mean over known patches (see
`vedit.diffusion.patch_bank`), from coarse to fine scales. Three things make it an inpainter. Known pixels are clamped
and noise-free, so that they say more than the noisy ones. Patches vote for a pixel by their certainty, so that the
filling grows inwards. And every scale sees the one before it as a coarse picture that the exemplars' own coarse picture
must resemble: a blurred filling then asks for patches of that shade, not for blurred patches.
"""

import math
from collections.abc import Iterator

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.diffusion.patch_scale import Scale, sample
from vedit.errors import UsageError
from vedit.flow.complete import grow, harmonic

MARGIN = 120
"""Pixels around a hole that are searched for exemplars."""
BUDGET = 40_000
"""Pixels made at full size; if a picture has more of them its holes are filled at a smaller scale."""
LARGEST = 160_000
"""Pixels of a hole's bounding box at full size: memory goes with it (a long diagonal scratch has a large one)."""
GRAIN = 64
"""Sides are brought to multiples of this before they are convolved: for every new shape oneDNN makes a program, and up
to 1024 of them are kept, all over the heap."""
SCALES = (
    Scale(size=7, start=0.4, end=0.03, steps=2, stride=2, every=2, reach=44, anchor=5),
    Scale(size=9, start=0.6, end=0.04, steps=3, stride=2, every=2, reach=28, anchor=1),
    Scale(size=9, start=0.8, end=0.06, steps=4, stride=1, every=1, reach=30, anchor=1),
    Scale(size=7, start=1.0, end=0.10, steps=5, stride=1, every=1, reach=30, anchor=1),
)
"""At full size, a half, a quarter, an eighth; beyond it the last again.

As many as it takes until every patch in the hole sees past the hole: without that the middle becomes a blob.
"""


def fill_from_patches(picture: Tensor, hole: Tensor, *, prior: Tensor, seed: int) -> Tensor:
    """A picture with its hole filled from patches of the picture itself.

    The prior's colours are kept, and only detail of a few pixels is added: it continues textures and edges, and knows
    no objects. Every hole is filled on a crop, so a small one costs the same in a picture of any size; a large one
    (more than `BUDGET` pixels in all) is made at a smaller scale.

    Args:
        picture: ``(3, H, W)`` RGB in [0, 1]; its values under the hole are ignored.
        hole: ``(1, H, W)``, 1 = to be made.
        prior: ``(3, H, W)``, a first filling.
        seed: of the noise.

    Returns:
        ``(3, H, W)`` in [0, 1] under the hole, equal to ``picture`` outside.

    Raises:
        UsageError: the shapes do not belong together.
    """
    for name, tensor, channels in (("hole", hole, 1), ("prior", prior, 3)):
        if tensor.shape != (channels, *picture.shape[1:]):
            raise UsageError(
                f"{name} is {tuple(tensor.shape)} and the picture {tuple(picture.shape)}",
                f"Give {name} as ({channels}, H, W) of the picture's height and width.",
            )
    holes = hole > 0
    crowding = int(holes.sum()) / BUDGET
    out = picture.clone()
    for number, (rows, columns, shrink, part) in enumerate(_parts(holes, crowding)):
        box = (slice(None), rows, columns)
        base = torch.where(holes[box], prior[box], picture[box])[None]
        noise = torch.Generator().manual_seed((seed * 1_000_003 + number) % 2**63)
        filled = _fill_crop(base, part[None].to(base), (~holes[box])[None].to(base), shrink, noise)
        out[box] = torch.where(part, filled[0].clamp(0, 1), out[box])
    return out


def _parts(holes: Tensor, crowding: float) -> Iterator[tuple[slice, slice, int, Tensor]]:
    """Holes further than a patch apart: box with margin, how much to shrink it, and the mask ``(1, h, w)`` there."""
    near = grow(holes[None].float(), 4)[0, 0].cpu().numpy().astype(np.uint8)
    count, labels, facts, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    for label in range(1, count):
        left, top, width, height = (int(fact) for fact in facts[label, :4])
        shrink = math.ceil(math.sqrt(max(1, crowding, width * height / LARGEST)))
        margin = MARGIN * shrink
        rows = slice(max(0, top - margin), top + height + margin)
        columns = slice(max(0, left - margin), left + width + margin)
        own = torch.from_numpy(labels[rows, columns] == label).to(holes.device)
        yield rows, columns, shrink, own & holes[:, rows, columns]


def _fill_crop(base: Tensor, made: Tensor, known: Tensor, shrink: int, noise: torch.Generator) -> Tensor:
    """One hole filled: ``base`` is the picture with the prior in everything unknown."""
    picture, filling, small_made, small_known = base, base, made, known
    if shrink > 1:
        picture, filling, small_made, small_known = _smaller(base, base, made, known, shrink)
    scales = [(picture, filling, small_made, small_known)]
    while _deep(scales[-1][2]):
        coarser = _smaller(*scales[-1], 2)
        if not bool(coarser[2].any()) or min(coarser[2].shape[-2:]) < SCALES[-1].size:
            break
        scales.append(coarser)
    result = None
    for level in reversed(range(len(scales))):
        picture, filling, small_made, small_known = scales[level]
        scale = SCALES[min(level, len(SCALES) - 1)]
        if result is None:
            coarse = _larger(_mean(filling, 2), filling, 2)
            start = filling
        else:
            coarse = start = _larger(result, picture, 2)
        result = torch.where(small_known > 0, picture, torch.where(small_made > 0, start, filling))
        if bool(small_made.any()):
            result = sample(result, coarse, small_made, small_known, scale, noise, finish=level == 0)
            gap = _blur((filling - result) * small_made, scale.anchor)
            result = result + gap * small_made
    assert result is not None  # noqa: S101 - there is at least one scale
    if shrink > 1:
        result = _larger(result, base, shrink)
        # Meet the picture again: the error at the rim, faded out inwards.
        result = result + harmonic(base - result, (1 - known) * grow(made, 1))
    return result


def _deep(made: Tensor) -> bool:
    """Whether some patch of the coarsest scale lies wholly in the hole."""
    return bool((-F.max_pool2d(-F.pad(made, (SCALES[-1].size // 2,) * 4, value=1), SCALES[-1].size, 1)).any())


def _smaller(
    picture: Tensor, filling: Tensor, made: Tensor, known: Tensor, factor: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A scale down: known pixels are averaged over what is known of them, if that is at least half."""
    share = _mean(known, factor)
    seen = (share >= 0.5).to(known)
    average = _mean(picture * known, factor) / share.clamp_min(1e-6)
    touched = F.max_pool2d(made, factor, ceil_mode=True)
    return average, _mean(filling, factor), touched * (1 - seen), seen


def _mean(image: Tensor, factor: int) -> Tensor:
    return F.avg_pool2d(image, factor, ceil_mode=True)


def _larger(small: Tensor, like: Tensor, factor: int) -> Tensor:
    """A scale up, to the size of ``like``."""
    size = [length * factor for length in small.shape[-2:]]
    large = F.interpolate(small, size=size, mode="bicubic", align_corners=False)
    return large[..., : like.shape[-2], : like.shape[-1]]


def _blur(image: Tensor, radius: float) -> Tensor:
    """A Gaussian of this standard deviation; the border repeats."""
    reach = math.ceil(3 * radius)
    bell = torch.exp(-torch.arange(-reach, reach + 1, device=image.device).square() / (2 * radius**2))
    bell = (bell / bell.sum()).expand(3, 1, 1, -1)
    height, width = image.shape[-2:]
    padded = F.pad(image, (reach,) * 4, mode="replicate")
    padded = F.pad(padded, (0, -width % GRAIN, 0, -height % GRAIN))
    return F.conv2d(F.conv2d(padded, bell, groups=3), bell.mT, groups=3)[..., :height, :width]
