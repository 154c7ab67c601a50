"""Optical flow between two pictures: where every pixel of the first one is in the second."""

from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vedit.flow.quality import Quality as Quality

_Picture = npt.NDArray[Any]

_SMALLEST = 12
"""Smaller pictures hold no motion that could be told from noise; DIS raises on them."""
_PATCHES = 32
"""DIS reads outside the picture (and crashes) when its coarsest level is less than a patch of 8 pixels high
or wide. It picks that level by the width alone, so a picture is padded to at least 32 pixels and 2/5 of its
width high."""
_SMALL_PIXELS = 320 * 240
"""Smaller pictures have too few pixels at half size to find their motion there."""
_FULL_RESOLUTION_PIXELS = 1920 * 1088
"""Larger pictures are matched at half their size: the flow stays smooth there and costs a quarter."""


class FlowEstimator(Protocol):
    """``(frame0 (3,H,W), frame1 (3,H,W)) -> (2,H,W)``: pixels, dx first, frame0 -> frame1."""

    def __call__(self, frame0: Tensor, frame1: Tensor) -> Tensor: ...


def dis_flow(frame0: Tensor, frame1: Tensor, *, quality: Quality = "normal") -> Tensor:
    """Dense inverse search flow from frame0 to frame1, on the CPU.

    Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016, in OpenCV's version with
    variational refinement. ``draft`` solves at a quarter of the size, ``normal`` at half and refines at full
    size, ``best`` solves at full size; small pictures are always solved at full size, those over 1080p never.
    In a fade or flash frame1's brightness is first brought to frame0's, so it moves nothing. The same
    pictures give the same flow whatever the number of threads.

    Args:
        frame0: ``(3, H, W)`` or ``(4, H, W)`` float RGB in [0, 1]; alpha is not looked at.
        frame1: the same shape.
        quality: ``draft``, ``normal`` or ``best``.

    Returns:
        ``(2, H, W)`` float32 in pixels, dx first, on frame0's device: frame0's pixel at x is at x + flow in
        frame1. Zero for pictures with a side under 12 pixels, which DIS cannot match.
    """
    height, width = frame0.shape[-2:]
    if min(height, width) < _SMALLEST:
        return torch.zeros(2, height, width, device=frame0.device)
    gray0 = _gray(frame0)
    gray1 = _equalised(_gray(frame1), gray0)
    below = max(_PATCHES, -(-2 * width // 5)) - height
    right = _PATCHES - width
    first, second = _padded(gray0, below, right), _padded(gray1, below, right)
    flow = _match(first, second, quality)
    return torch.from_numpy(np.ascontiguousarray(flow[:height, :width].transpose(2, 0, 1))).to(frame0.device)


def _match(first: _Picture, second: _Picture, quality: Quality) -> _Picture:
    """DIS's flow ``(H, W, 2)`` between two uint8 pictures."""
    guess = np.zeros((*first.shape, 2), np.float32)
    if quality == "draft":
        dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        return np.asarray(dis.calc(first, second, guess))
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    whole = quality == "best" or first.size < _SMALL_PIXELS
    large = first.size > _FULL_RESOLUTION_PIXELS
    dis.setFinestScale(0 if whole and not large else 1)
    dis.setPatchStride(4)  # as good as the preset's 3 on our clips, at 3/4 of its time
    dis.setGradientDescentIterations(16)
    if whole or large:
        return np.asarray(dis.calc(first, second, guess))
    # Patches at half size and only the variational refinement at full size: in-between frames as good as with
    # patches at full size, in 2/5 of the time.
    dis.setVariationalRefinementIterations(2)
    flow = dis.calc(first, second, guess)
    dx, dy = np.ascontiguousarray(flow[..., 0]), np.ascontiguousarray(flow[..., 1])
    refine = cv2.VariationalRefinement.create()
    refine.setAlpha(20)  # DIS's own weights
    refine.setDelta(5)
    refine.setGamma(10)
    refine.setFixedPointIterations(3)
    dx, dy = refine.calcUV(first, second, dx, dy)
    return np.stack([dx, dy], axis=-1)


def _gray(frame: Tensor) -> Tensor:
    """BT.601 luma ``(H, W)``, on the CPU."""
    red, green, blue = frame[0], frame[1], frame[2]
    return (red * 0.299 + green * 0.587 + blue * 0.114).cpu()


def _equalised(gray: Tensor, reference: Tensor) -> Tensor:
    """The picture with the reference's mean and spread, if that brings the two a quarter closer.

    It does in a fade or a flash. Where a thing enters a steady scene it would only shift the scene's
    brightness.
    """
    spread, wanted = float(gray.std()), float(reference.std())
    gain = wanted / spread if spread > 0 and 0.25 < wanted / spread < 4 else 1.0
    level = (gray - gray.mean()) * gain + reference.mean()
    closer = (level - reference).abs().mean() < 0.75 * (gray - reference).abs().mean()
    return level if closer else gray


def _padded(gray: Tensor, below: int, right: int) -> _Picture:
    picture = (gray * 255).round_().clamp_(0, 255).to(torch.uint8).numpy()
    padded = cv2.copyMakeBorder(picture, 0, max(below, 0), 0, max(right, 0), cv2.BORDER_REPLICATE)
    return np.asarray(padded, np.uint8)
