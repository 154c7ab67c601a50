"""One shot becoming the next: along what their pictures have in common where there is that, else by a dissolve.

It works on pixels, because the bundled denoiser paints looks and fills holes, and does not make two mixed photographs
into one. Tried on three pairs at 640x360: the same mixture of flow-warped latents has 0.57 to 0.67 of the ends'
sharpness in the middle of the way, denoised a little (0.2 to 0.5) 0.46 to 0.65 at 1.1 to 2.2 times the warp error, with
the same double pictures and grain besides; pixels have 0.94 to 1.13, in 0.02 s a frame in place of 0.15 and 0.85.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

LONG_SIDE = 192
"""Pixels of the grid on which two pictures are matched: what they have in common is coarse."""
HOME = 4.0
"""Pixels of that grid by which a match may miss its start on the way back and still count for half."""
SMOOTH = 0.06
"""Sigma of the field's smoothing, of the longer side: it bends the picture and does not tear it."""
FARTHEST = 0.12
"""Of the longer side: the most by which anything is moved."""
EDGE = 0.12
"""The part of each side over which the bend grows from nothing: nothing comes in from outside the picture."""
LEAST_MATCHED = 0.15
"""The part of the pictures that has to be matched; below it a bend is only a wobble."""
BLUR = 0.012
"""Sigma between coarse and fine, of the longer side."""
LAG = 0.6
"""How much later the farthest parts change than the nearest, in lengths of the change at one place."""


@dataclass(frozen=True, eq=False)
class Bend:
    """How two pictures are bent towards each other: ``(2,h,w)``, dx first, in parts of the sides.

    ``ahead`` says where each point of the first is in the second, ``back`` the other way round.
    """

    ahead: Tensor
    back: Tensor

    def of_first(self, way: float) -> Tensor:
        """What the first shows from, a part of the way on."""
        return -eased(way) * self.ahead

    def of_second(self, way: float) -> Tensor:
        """What the second shows from, while it is that part of the way to what it is."""
        return -(1 - eased(way)) * self.back


def eased(way: float) -> float:
    """A part of the way at a pace that begins and ends at rest."""
    return way * way * (3 - 2 * way)


def bend_between(first: Tensor, second: Tensor) -> Bend | None:
    """The bend between two pictures ``(3,h,w)`` in [0, 1]; None where they have too little in common.

    Optical flow on a small grid, of pictures brought to the same contrast; what does not lead back to where it came
    from counts little, and the rest is spread smoothly.
    """
    small = [_small(picture) for picture in (first, second)]
    flows = [_flow(*small), _flow(*reversed(small))]
    trust = [_trust(flows[0], flows[1]), _trust(flows[1], flows[0])]
    if min(float(one.mean()) for one in trust) < LEAST_MATCHED:
        return None
    ahead, back = (_spread(flow, one) for flow, one in zip(flows, trust, strict=True))
    return Bend(ahead, back)


def dissolved(first: Tensor, second: Tensor, way: float) -> Tensor:
    """A picture fading into another, ``(3,h,w)``."""
    return torch.lerp(first, second, eased(way))


def morphed(first: Tensor, second: Tensor, way: float, near: Tensor | None = None) -> Tensor:
    """A picture becoming another, ``(3,h,w)`` in [0, 1].

    Light and colour change all along, detail in the middle of the way, and the mean of two unlike details is brought
    back to the contrast that each has: no double picture that is greyer than both.

    Args:
        first: bent towards the second.
        second: bent towards the first.
        way: part of the way, in [0, 1].
        near: ``(h',w')`` in [-1, 1]: what is near changes first. None: all at once.
    """
    height, width = first.shape[-2:]
    if near is None:
        place = torch.full((1, height, width), way)
    else:
        late = (1 - F.interpolate(near[None, None], size=(height, width), mode="bilinear")[0]) / 2
        place = ((1 + LAG) * way - LAG * late).clamp(0, 1)
    share = place * place * (3 - 2 * place)
    fine = ((place - 0.5) * 1.6 + 0.5).clamp(0, 1)
    fine = fine * fine * (3 - 2 * fine)
    coarse = [_blurred(picture) for picture in (first, second)]
    detail = torch.lerp(first - coarse[0], second - coarse[1], fine)
    detail = detail / (fine.square() + (1 - fine).square()).sqrt()
    return (torch.lerp(coarse[0], coarse[1], share) + detail).clamp(0, 1)


def _blurred(picture: Tensor) -> Tensor:
    """The picture without its detail; worked out on a quarter of its sides, where there is none left."""
    rows = picture.permute(1, 2, 0).numpy()
    height, width = rows.shape[:2]
    small = max(1, width // 4), max(1, height // 4)
    coarse = cv2.GaussianBlur(
        cv2.resize(rows, small, interpolation=cv2.INTER_AREA),
        (0, 0),
        BLUR * max(height, width) / 4,
        borderType=cv2.BORDER_REPLICATE,
    )
    whole = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return torch.from_numpy(whole).permute(2, 0, 1)


def _small(picture: Tensor) -> NDArray[np.uint8]:
    rows = np.ascontiguousarray(picture.permute(1, 2, 0).numpy())
    scale = LONG_SIDE / max(rows.shape[:2])
    size = max(32, round(rows.shape[1] * scale)), max(32, round(rows.shape[0] * scale))
    grey = cv2.cvtColor(cv2.resize(rows, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    even = cv2.createCLAHE(2.0, (4, 4)).apply((cv2.GaussianBlur(grey, (0, 0), 2.0) * 255).astype(np.uint8))
    return np.asarray(even, np.uint8)


def _flow(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    guess = np.zeros((*first.shape, 2), np.float32)
    return np.asarray(dis.calc(first, second, guess), np.float32)


def _trust(flow: NDArray[np.float32], back: NDArray[np.float32]) -> NDArray[np.float32]:
    """``(h,w)`` in [0, 1]: how well each match leads back to where it came from."""
    height, width = flow.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    home = flow + cv2.remap(back, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR)
    return np.asarray(np.exp2(-np.square(home).sum(-1) / HOME**2), np.float32)


def _spread(flow: NDArray[np.float32], trust: NDArray[np.float32]) -> Tensor:
    """The flow as a smooth field in parts of the sides, the trusted matches counting most."""
    height, width = trust.shape
    sigma = SMOOTH * max(height, width)
    far = FARTHEST * max(height, width)
    length = np.linalg.norm(flow, axis=-1, keepdims=True)
    held = flow * np.minimum(1, far / np.maximum(length, 1e-6))
    weight = cv2.GaussianBlur(trust, (0, 0), sigma)[..., None]
    # The 0.05 draws a place that nothing nearby is matched at to where it is.
    smooth = cv2.GaussianBlur(held * trust[..., None], (0, 0), sigma) / (weight + 0.05)
    parts = smooth / np.array([width, height], np.float32) * _inside(height, width)[..., None]
    return torch.from_numpy(np.ascontiguousarray(parts.transpose(2, 0, 1))).float()


def _inside(height: int, width: int) -> NDArray[np.float32]:
    """``(h,w)``: 0 at the picture's edges, 1 from `EDGE` on."""
    sides = []
    for side in (height, width):
        place = (np.arange(side, dtype=np.float32) + 0.5) / side
        way = np.clip(np.minimum(place, 1 - place) / EDGE, 0, 1)
        sides.append(way * way * (3 - 2 * way))
    return np.asarray(np.outer(*sides), np.float32)
