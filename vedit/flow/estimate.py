"""Optical flow between two pictures: where every pixel of the first one is in the second."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vedit.flow.matching import with_far_matches
from vedit.flow.quality import Quality as Quality
from vedit.flow.resize import resize_flow

_Picture = npt.NDArray[Any]
_Luma = npt.NDArray[np.float32]

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
    gray0, gray1 = gray(frame0), gray(frame1)
    gain, offset = _brightness(gray1, gray0)
    flow = _match(*_pictures(gray0, gray1 * gain + offset), quality)
    return torch.from_numpy(np.ascontiguousarray(flow[:height, :width].transpose(2, 0, 1))).to(frame0.device)


def coarse_flows(frame0: Tensor, frame1: Tensor, *, quality: Quality = "normal") -> tuple[Tensor, Tensor]:
    """Dense inverse search flow both ways on the grid of half the size, as interpolation begins with.

    A fast search and far matches (`with_far_matches`) give a first guess; from that, patches are matched at half the
    size with variational refinement there (DIS's own level for it), small pictures at full size. See `dis_flow` for the
    rest.

    Args:
        frame0: ``(3, H, W)`` float RGB in [0, 1]; sides even.
        frame1: the same shape.
        quality: ``draft`` stops at the fast search; ``best`` matches at full size, more densely.

    Returns:
        Two ``(2, H/2, W/2)`` float32 in pixels of that grid, from frame0 to frame1 and back, on frame0's device.
    """
    height, width = frame0.shape[-2:]
    if min(height, width) < _SMALLEST:
        nothing = torch.zeros(2, height // 2, width // 2, device=frame0.device)
        return nothing, nothing
    frames = frame0.cpu(), frame1.cpu()
    gray0, gray1 = (gray(frame) for frame in frames)
    gain, offset = _brightness(gray1, gray0)
    if (gain, offset) != (1, 0):
        frames, gray1 = (frames[0], frames[1] * gain + offset), gray1 * gain + offset
    grays = _pictures(gray0, gray1)

    def search(way: int) -> Tensor:
        first, second = grays[way], grays[1 - way]
        flow = _fast(first, second)[: height // 2, : width // 2]
        if quality != "draft":
            guess = np.zeros((*first.shape, 2), np.float32)
            rough = torch.from_numpy(flow).permute(2, 0, 1)[None]
            start = with_far_matches(rough, frames[way][None], frames[1 - way][None])
            guess[:height, :width] = resize_flow(start, height, width)[0].permute(1, 2, 0).numpy()
            dense = quality == "best"
            dis = _search(finest=0 if dense or first.size < _SMALL_PIXELS else 1, dense=dense)
            flow = _halved(np.asarray(dis.calc(first, second, guess))[:height, :width])
        return torch.from_numpy(np.ascontiguousarray(flow.transpose(2, 0, 1))).to(frame0.device)

    return search(0), search(1)


def _fast(first: _Picture, second: _Picture) -> _Picture:
    """A fast search's flow on the grid of half the size; at a quarter it would stop anyway."""
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    halved = first.size >= _SMALL_PIXELS and min(first.shape) >= 2 * _PATCHES
    if halved:
        size = (first.shape[1] // 2, first.shape[0] // 2)
        first, second = (cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (first, second))
        dis.setFinestScale(1)  # of the preset's 2
    flow = np.asarray(dis.calc(first, second, np.zeros((*first.shape, 2), np.float32)))
    return flow if halved else _halved(flow)


def _halved(flow: _Picture) -> _Picture:
    """Flow ``(H, W, 2)`` on the grid of half the size."""
    size = (flow.shape[1] // 2, flow.shape[0] // 2)
    return np.asarray(cv2.resize(flow, size, interpolation=cv2.INTER_AREA) * 0.5, np.float32)


def _pictures(gray0: _Luma, gray1: _Luma) -> tuple[_Picture, _Picture]:
    """What DIS matches: uint8 luma, padded to what DIS can bear."""
    height, width = gray0.shape
    below = max(_PATCHES, 2 * -(-width // 5)) - height  # even, so that it can be halved
    right = _PATCHES - width
    return _padded(gray0, below, right), _padded(gray1, below, right)


def _search(finest: int, *, dense: bool = False) -> cv2.DISOpticalFlow:
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setFinestScale(finest)
    if not dense:  # than the preset's 3 and 25: in 3/4 of its time
        dis.setPatchStride(4)
        dis.setGradientDescentIterations(16)
    return dis


def _match(first: _Picture, second: _Picture, quality: Quality) -> _Picture:
    """DIS's flow ``(H, W, 2)`` between two uint8 pictures."""
    guess = np.zeros((*first.shape, 2), np.float32)
    if quality == "draft":
        dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        return np.asarray(dis.calc(first, second, guess))
    whole = quality == "best" or first.size < _SMALL_PIXELS
    large = first.size > _FULL_RESOLUTION_PIXELS
    dis = _search(finest=0 if whole and not large else 1)
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


def gray(frame: Tensor) -> _Luma:
    """BT.601 luma ``(H, W)`` in [0, 1] of a frame ``(3 or 4, H, W)``, on the CPU."""
    red, green, blue = (np.ascontiguousarray(plane) for plane in frame[:3].cpu().float().numpy())
    return np.asarray(cv2.scaleAdd(blue, 0.114, cv2.addWeighted(red, 0.299, green, 0.587, 0)), np.float32)


def _brightness(gray: _Luma, reference: _Luma) -> tuple[float, float]:
    """Gain and offset that give a picture the reference's mean and spread, if that brings the two a quarter closer.

    It does in a fade or a flash. Where a thing enters a steady scene it would only shift the scene's
    brightness.
    """
    gray, reference = (np.ascontiguousarray(luma[::2, ::2]) for luma in (gray, reference))
    mean, spread = _mean_and_spread(gray)
    level, wanted = _mean_and_spread(reference)
    gain = wanted / spread if spread > 0 and 0.25 < wanted / spread < 4 else 1.0
    offset = level - gain * mean
    apart, brought = (cv2.norm(luma, reference, cv2.NORM_L1) for luma in (gray, gray * gain + offset))
    return (gain, offset) if brought < 0.75 * apart else (1.0, 0.0)


def _mean_and_spread(luma: _Luma) -> tuple[float, float]:
    mean, spread = cv2.meanStdDev(luma)
    return float(mean.item()), float(spread.item())


def _padded(gray: _Luma, below: int, right: int) -> _Picture:
    picture = cv2.convertScaleAbs(np.maximum(gray, 0), alpha=255)
    if max(below, right) > 0:
        picture = cv2.copyMakeBorder(picture, 0, max(below, 0), 0, max(right, 0), cv2.BORDER_REPLICATE)
    return np.asarray(picture, np.uint8)
