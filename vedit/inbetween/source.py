"""What is done to whole pictures again and again: fetch one along flows, compare two, mix many.

On a CPU by OpenCV, several times as fast as torch. Pictures lie there pixel by pixel: `Source` gives `(1,C,H,W)` whose
channels lie side by side, which `apart` and `mixed` take as they are.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.resize import resize, resize_flow
from vedit.flow.warp import warp

_AROUND = 9
"""Pixels a side of the square over which two pictures are compared."""
_KERNELS = {"bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}
_Plane = npt.NDArray[np.float32]


class Source:
    """A picture ``(1,C,H,W)`` that is fetched along flows, by a bilinear or Keys' cubic kernel (a = -0.75)."""

    def __init__(self, picture: Tensor, kernel: Literal["bilinear", "bicubic"]) -> None:
        self._given, self._kernel = picture, kernel

    @cached_property
    def picture(self) -> Tensor:
        """The picture itself."""
        if self._given.device.type != "cpu":
            return self._given
        return _tensor(cv2.merge(list(self._given[0].numpy())))

    def along(self, flow: Tensor) -> Tensor:
        """The picture at grid + flow, on its own grid; the flow ``(1,2,h,w)`` may be of a coarser one.

        Places outside the picture take its nearest border pixel.
        """
        height, width = self._given.shape[-2:]
        if self._given.device.type != "cpu":
            return warp(self._given, resize_flow(flow, height, width), self._kernel)
        x, y = resize_flow(flow, height, width)[0].numpy()
        x = x + np.arange(width, dtype=np.float32)
        y = y + np.arange(height, dtype=np.float32)[:, None]
        kernel = _KERNELS[self._kernel]
        fetched = cv2.remap(_rows(self.picture), x, y, kernel, borderMode=cv2.BORDER_REPLICATE)
        return _tensor(fetched)


def apart(first: Tensor, second: Tensor) -> Tensor:
    """How much two pictures ``(1,3,H,W)`` differ, a mean over their channels and 9x9 pixels: ``(1,1,H,W)``."""
    if first.device.type != "cpu":
        difference = (first - second).abs().mean(1, keepdim=True)
        rows = F.avg_pool2d(difference, (_AROUND, 1), 1, (_AROUND // 2, 0), count_include_pad=False)
        return F.avg_pool2d(rows, (1, _AROUND), 1, (0, _AROUND // 2), count_include_pad=False)
    mean = cv2.transform(cv2.absdiff(_rows(first), _rows(second)), np.full((1, 3), 1 / 3, np.float32))
    return _tensor(cv2.blur(mean, (_AROUND, _AROUND), borderType=cv2.BORDER_REFLECT_101))


def mixed(views: Sequence[Tensor], shares: Tensor) -> Tensor:
    """The sum of pictures ``(1,C,H,W)``, each times its share, a channel of ``(1,K,h,w)``, which may be coarser."""
    shares = resize(shares, *views[0].shape[-2:])
    if shares.device.type != "cpu":
        picture = views[0] * shares[:, :1]
        for k, view in enumerate(views[1:], 1):
            picture.addcmul_(view, shares[:, k : k + 1])
        return picture
    weights: list[_Plane] = list(shares[0].numpy())
    rows, weight = _rows(views[0]), weights[0]
    for view, share in zip(views[1:], weights[1:], strict=True):
        rows = np.asarray(cv2.blendLinear(rows, _rows(view), weight, share), np.float32)
        weight = weight + share
    picture = torch.empty_like(views[0], memory_format=torch.contiguous_format)
    cv2.split(rows, list(picture[0].numpy()))
    return picture


def _rows(picture: Tensor) -> _Plane:
    """``(H,W,C)``; no copy where channels lie side by side."""
    return np.ascontiguousarray(picture[0].permute(1, 2, 0).numpy())


def _tensor(rows: npt.NDArray[np.generic] | cv2.typing.MatLike) -> Tensor:
    tensor = torch.from_numpy(np.asarray(rows, np.float32))
    return (tensor[..., None] if tensor.ndim == 2 else tensor).permute(2, 0, 1)[None]
