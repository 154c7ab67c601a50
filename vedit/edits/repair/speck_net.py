"""Dirt told from what else one picture shows and its neighbours do not: a small net looks at every candidate.

It sees a square around the candidate, in this picture and in both neighbours as they were brought onto it, and thirteen
measures of it and of its surroundings. Sparkle, edges that moved further than was found, and what something hides in
both neighbours are lighter or darker than these as well, but do not look like it. `vedit train specks` made it.
"""

from functools import cache
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vedit.edits.repair.candidates import Candidate, Seen, grown, scale_of, wider
from vedit.edits.repair.views import Plane
from vedit.weight_files import read_weights, unreadable

Levels = npt.NDArray[np.uint8]

WEIGHTS = Path(__file__).parents[2] / "weights" / "specks.safetensors"
SIDE = 40
"""Pixels of the square, at the size where specks were measured."""
MEASURES = 13
WIDTHS = (16, 32, 48)
"""Features at half, a quarter and an eighth of the square's size."""
HIDDEN = 32
GRAY = 32.0
"""Levels that count as 1."""
NEAR = 14
"""Pixels, at the size where specks were measured, within which a place is the same."""


class SpeckNet(nn.Module):
    """Squares ``(N, 4, SIDE, SIDE)`` and measures ``(N, 13)`` to the logarithm of the odds of dirt ``(N,)``.

    A square is this picture's luma, the one before and the one after along the motion, in levels of 255, and 255 where
    the candidate is. ``mean`` and ``deviation`` bring the measures to one scale.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        widths = (6 * 2**2, *WIDTHS)
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(widths))
        self.hidden = nn.Linear(2 * WIDTHS[-1] + MEASURES, HIDDEN)
        self.out = nn.Linear(HIDDEN, 1)
        self.register_buffer("mean", torch.zeros(MEASURES))
        self.register_buffer("deviation", torch.ones(MEASURES))

    def forward(self, squares: Tensor, measures: Tensor) -> Tensor:
        x = F.pixel_unshuffle(_differences(squares.float()), 2)
        for number, convolution in enumerate(self.convolutions):
            x = F.silu(convolution(F.avg_pool2d(x, 2) if number else x))
        middle = x[:, :, 1:-1, 1:-1].amax((2, 3))
        scaled = ((measures - self.mean) / self.deviation).clamp(-4, 4)
        seen = torch.cat([x.mean((2, 3)), middle, scaled], 1)
        odds: Tensor = self.out(F.silu(self.hidden(seen)))[:, 0]
        return odds


def _differences(squares: Tensor) -> Tensor:
    """How the three pictures differ, ``(N, 6, SIDE, SIDE)``; a dark candidate looks like a light one."""
    here, before, after, inside = squares.unbind(1)
    inside = inside / 255
    low, high = torch.minimum(before, after), torch.maximum(before, after)
    nearer = here - torch.minimum(torch.maximum(here, low), high)
    sign = torch.where((nearer * inside).sum((1, 2)) < 0, -1.0, 1.0)[:, None, None]
    level = (before + after).mean((1, 2), keepdim=True) / 2
    apart = [_logarithm(sign * d) for d in (here - before, here - after, nearer, after - before)]
    return torch.stack([*apart, sign * (here - level) / GRAY, inside], 1)


def _logarithm(difference: Tensor) -> Tensor:
    return difference.sign() * torch.log1p(difference.abs())


def likely(seen: Seen, earlier: list[npt.NDArray[np.float64]], *, at_end: bool) -> Plane:
    """The logarithm of the odds that candidates are dirt, ``(N,)``; the arguments are those of `measured`."""
    if not seen.places:
        return np.zeros(0, np.float32)
    with torch.inference_mode():
        measures = torch.from_numpy(measured(seen, earlier, at_end=at_end))
        return np.asarray(_net()(torch.from_numpy(squares(seen)), measures).numpy())


def squares(seen: Seen) -> Levels:
    """What a `SpeckNet` sees of candidates, ``(N, 4, SIDE, SIDE)``; beyond the border the last pixels go on."""
    views, places = seen.views, seen.places
    side = int(SIDE * scale_of(views.plate.luma))
    margin = side // 2 + 1

    def bordered(plane: Plane) -> Levels:
        levels = plane.round().clip(0, 255).astype(np.uint8)
        return np.asarray(
            cv2.copyMakeBorder(levels, margin, margin, margin, margin, cv2.BORDER_REPLICATE), np.uint8
        )

    planes = [bordered(plane) for plane in (views.plate.luma, views.before, views.after)]
    whole = np.zeros_like(planes[0])
    out = np.empty((len(places), 4, SIDE, SIDE), np.uint8)
    for place, square in zip(places, out, strict=True):
        at = tuple(slice(part.start + margin, part.stop + margin) for part in place.box)
        whole[at] = place.inside * np.uint8(255)
        x, y = (round(n) + margin - side // 2 for n in place.centre)
        for plane, layer in zip((*planes, whole), square, strict=True):
            part = plane[y : y + side, x : x + side]
            layer[:] = part if side == SIDE else cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        whole[at] = 0
    return out


def measured(seen: Seen, earlier: list[npt.NDArray[np.float64]], *, at_end: bool) -> Plane:
    """Contrast, and the unrest around, of candidates: ``(N, 13)``, most of them logarithms.

    Args:
        seen: the frame and its candidates.
        earlier: the `centres` of the candidates of up to five frames before: dirt never comes back to a place, water,
            leaves and the digits of a clock do.
        at_end: both neighbours lie on one side.
    """
    views, found, frame = seen.views, seen.found, seen.views.plate.luma
    scale = scale_of(frame)
    off = np.maximum(np.abs(frame - views.before), np.abs(frame - views.after))
    near, far = (int(size * scale) | 1 for size in (31, 61))
    unrest = cv2.blur(views.apart, (near, near))
    far_unrest = cv2.blur(np.minimum(off, 40), (far, far))
    texture = cv2.morphologyEx(
        np.asarray((views.before + views.after) / 2, np.float32),
        cv2.MORPH_GRADIENT,
        np.ones((3, 3), np.uint8),
    )
    rows = []
    for place in seen.places:
        box, inside = wider(place, int(10 * scale), frame.shape)
        around = grown(inside, int(8 * scale)) & ~grown(inside, int(3 * scale))
        if not around.any():
            around = ~inside
        contrast = float(np.abs(found.nearer[box][inside]).mean())
        x, y = (int(n) for n in place.centre)
        ring = off[box][around] if around.any() else off[box].ravel()
        log = np.log1p(contrast)
        rows.append(
            [
                log,
                np.log1p(place.peak),
                log - np.log1p(views.apart[box][inside].mean()),
                log - np.log1p(ring.mean()),
                log - np.log1p(np.percentile(ring, 90)),
                np.log1p(texture[box][around].mean() if around.any() else 0.0),
                min(_returned(place, earlier, scale), 4),
                np.log1p(place.area / scale**2),
                np.log1p(unrest[y, x]),
                np.log1p(far_unrest[y, x]),
                np.log1p(seen.many),
                views.outside(place.box, place.inside).mean(),
                at_end,
            ]
        )
    return np.array(rows, np.float32)


def _returned(place: Candidate, earlier: list[npt.NDArray[np.float64]], scale: float) -> int:
    """In how many frames before there was a candidate at the same place."""
    near = (NEAR * scale) ** 2
    return sum(bool((((those - np.array(place.centre)) ** 2).sum(1) < near).any()) for those in earlier)


@cache
def _net() -> SpeckNet:
    net = SpeckNet()
    try:
        net.load_state_dict(read_weights(WEIGHTS))
    except Exception as error:
        raise unreadable(WEIGHTS, error) from error
    return net.float().eval().requires_grad_(False)
