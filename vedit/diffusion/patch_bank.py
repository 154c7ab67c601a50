"""All patches of a picture as a denoiser in closed form: attention from noisy patches to clean ones.

The best possible denoiser of small patches needs no training: it is the mean of the known patches, each weighted by
how likely the noisy one came from it (Kamb & Ganguli, "An analytic theory of creativity in convolutional diffusion
models", ICML 2025: the equivariant local score). The log-likelihoods are one matrix product, the mean a second one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.device import model_dtype

CERTAINTY = 0.03
"""Standard deviation that known pixels are matched with. They carry no noise; this is how much patches may differ."""
OUTLINE = 0.1
"""Standard deviation that the coarse picture is matched with, per sample on every second pixel."""
MOST_KEYS = 16_000
AT_ONCE = 2_000_000
"""Log-likelihoods held at a time."""


@dataclass(frozen=True)
class Patches:
    """Patches to be explained, one a row: colours ``(N, 3 k²)``, precision ``(N, k²)``, coarse ``(N, 3 l²)``.

    The precision is 1/variance of every pixel; 0 where nothing is known of it.
    """

    colours: Tensor
    precision: Tensor
    coarse: Tensor


class PatchBank:
    """Every patch of a picture that is known to its last pixel.

    Args:
        picture: ``(1, 3, H, W)``, about zero mean.
        known: ``(1, 1, H, W)``, 1 = may be copied.
        coarse: ``(1, 3, H, W)``, the picture as the next coarser scale shows it.
        size: the patches' side, odd.
        every: take patches at every so many pixels; more sparsely where there would be too many of them.
    """

    def __init__(self, picture: Tensor, known: Tensor, coarse: Tensor, size: int, every: int) -> None:
        self.size = size
        whole = -F.max_pool2d(-known, size, stride=1)[0, 0]
        while int((whole[::every, ::every] > 0).sum()) > MOST_KEYS:
            every += 1
        thinned = torch.zeros_like(whole)
        thinned[::every, ::every] = whole[::every, ::every]
        where = thinned.flatten().nonzero().flatten()
        self._picture, self._coarse = picture, coarse
        self._whole, self._where, self._every = whole, where, every
        # bfloat16 is twice as fast where there is hardware for it; float16 would overflow.
        self._type = torch.float32 if model_dtype(picture.device) is torch.float32 else torch.bfloat16
        rows = self._rows(where)
        self._keys = rows.T.contiguous().to(self._type)
        self._values = torch.cat([rows[:, : 3 * size**2], -rows[:, 3 * size**2 : 4 * size**2]], 1).to(
            self._type
        )

    def __len__(self) -> int:
        return len(self._where)

    def explain(self, patches: Patches) -> tuple[Tensor, Tensor]:
        """The posterior mean of noisy patches, and its variance, summed over the channels.

        Returns:
            ``(N, 3, k²)`` and ``(N, k²)``.
        """
        queries = self._queries(patches)
        found = torch.cat(
            [torch.softmax(logits, 1).to(self._type) @ self._values for logits in self._logits(queries)]
        ).float()
        mean = self._channels(found[:, : 3 * self.size**2])
        return mean, (found[:, 3 * self.size**2 :] - mean.square().sum(1)).clamp_min(0)

    def copy_centres(self, patches: Patches) -> Tensor:
        """The colour ``(N, 3)`` at the centre of the likeliest patch of each."""
        queries = self._queries(patches)
        best = self._where[torch.cat([logits.argmax(1) for logits in self._logits(queries)])]
        # Where only some positions are keys, an edge may be found a pixel beside its place: look around each.
        height, width = self._whole.shape
        row, column = best // width, best % width
        around = range(1 - self._every, self._every)
        tried, scores = [], []
        for dy, dx in product(around, around):
            place = (row + dy).clamp(0, height - 1) * width + (column + dx).clamp(0, width - 1)
            score = (queries * self._rows(place)).sum(1)
            tried.append(place)
            scores.append(score.masked_fill(self._whole.flatten()[place] == 0, -torch.inf))
        winner = torch.stack(scores).argmax(0, keepdim=True)
        place = torch.stack(tried).gather(0, winner)[0]
        return unfold(self._picture, self.size, place)[:, self.size**2 // 2 :: self.size**2]

    def _rows(self, places: Tensor) -> Tensor:
        """What queries are multiplied with: ``(N, 4 k² + 3 l² + 1)``, made for some places, as all would be large."""
        colours, outline = (
            unfold(self._picture, self.size, places),
            unfold_coarse(self._coarse, self.size, places),
        )
        squares = self._channels(colours).square().sum(1)
        return torch.cat([colours, -squares, outline, -outline.square().sum(1, keepdim=True)], 1)

    def _queries(self, patches: Patches) -> Tensor:
        # -(y - p)² w / 2 without its part in y alone, which every key shares.
        half = patches.precision / 2
        colours = (2 * half[:, None] * self._channels(patches.colours)).flatten(1)
        trust = 1 / (2 * OUTLINE**2)
        ones = torch.full_like(half[:, :1], trust)
        return torch.cat([colours, half, 2 * trust * patches.coarse, ones], 1)

    def _logits(self, queries: Tensor) -> Iterator[Tensor]:
        for part in torch.split(queries.to(self._type), max(1, AT_ONCE // len(self))):
            yield (part @ self._keys).float()

    def _channels(self, rows: Tensor) -> Tensor:
        return rows.view(len(rows), 3, self.size**2)


def unfold(picture: Tensor, size: int, places: Tensor, *, dilation: int = 1) -> Tensor:
    """Patches of ``(1, C, H, W)``: ``(N, C k²)`` of the places ``(N,)`` among those that ``F.unfold`` would make."""
    width = picture.shape[-1]
    across = width - dilation * (size - 1)
    corner = places // across * width + places % across
    steps = dilation * torch.arange(size, device=places.device)
    pixels = (steps[:, None] * width + steps).flatten()[:, None] + corner
    return picture[0].flatten(1)[:, pixels].flatten(0, 1).T


def unfold_coarse(coarse: Tensor, size: int, places: Tensor) -> Tensor:
    """The same patches of the coarse picture, on every second pixel: it holds no more than that."""
    return unfold(coarse, (size + 1) // 2, places, dilation=2)
