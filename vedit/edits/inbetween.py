"""The picture between two pictures: prepared once per pair, then asked for at any time between them."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vedit.flow.estimate import Quality, dis_flow
from vedit.flow.pairs import pair_flow

_Array = npt.NDArray[np.float32]  # (H, W) or (H, W, C), as cv2 wants them
_Hypothesis = tuple[_Array, _Array]  # flows from the new picture to frame0 and to frame1, (H, W, 2) each


@dataclass(frozen=True, eq=False)
class Between:
    """A new picture and how far it can be trusted.

    ``pixels`` ``(C,H,W)`` in [0, 1]; ``confidence`` ``(1,H,W)`` in [0, 1], 0 where the two frames tell
    different stories; ``flow0`` and ``flow1`` ``(1,2,H,W)`` lead from its pixels to frame0's and frame1's.
    """

    pixels: Tensor
    confidence: Tensor
    flow0: Tensor
    flow1: Tensor


class Pair:
    """Two neighbouring frames and the motion between them.

    The flow at t follows Jiang et al., "Super SloMo", CVPR 2018: three hypotheses are taken from the two
    flows,

        both:  F_t0 = -(1-t)t F01 + t² F10    F_t1 = (1-t)² F01 - t(1-t) F10
        first: F_t0 = -t F01                  F_t1 = (1-t) F01
        second: F_t0 = t F10                  F_t1 = -(1-t) F10

    and their pictures are mixed with weights exp(-d / 0.05), d being how much the two frames differ when
    fetched along them: a mean over what may be true, as overlapped block compensation does, instead of one
    guess. Where they differ a lot, a pixel that one frame has and the other hides comes from the frame that
    shows it. Pixels that stand still in both frames (captions, logos) are kept where they are.

    Args:
        frame0: ``(C, H, W)`` RGB or RGB and alpha in [0, 1].
        frame1: the same shape.
        quality: ``draft`` and ``normal`` differ in the flow; ``best`` also matches again at t and samples
        with
            Lanczos' kernel instead of the cubic one.
    """

    def __init__(self, frame0: Tensor, frame1: Tensor, quality: Quality = "normal") -> None:
        self.quality = quality
        self.flow = flow = pair_flow(frame0, frame1, quality)
        self._first, self._second = _hwc(frame0), _hwc(frame1)
        self._fw, self._bw = _hwc(flow.flow_fw[0]), _hwc(flow.flow_bw[0])
        self._hidden = [_blurred(_hwc(o[0])[..., 0], 1.5) for o in (flow.occlusion_fw, flow.occlusion_bw)]
        self._small = _half(self._first[..., :3]), _half(self._second[..., :3])
        self._still = _still(self._first, self._second)

    def at(self, t: float) -> Between:
        """The picture at time t in (0, 1) from frame0 to frame1."""
        hypotheses = self._hypotheses(t)
        doubts = [self._doubt(h) for h in hypotheses]
        if self.quality == "best":
            refined = self._refined(hypotheses, doubts, t)
            hypotheses, doubts = [refined, *hypotheses], [self._doubt(refined), *doubts]
        doubt = self._full(np.minimum.reduce(doubts))
        picture = np.zeros_like(self._first)
        for weight, hypothesis in zip(_shares(doubts), hypotheses, strict=True):
            picture += self._full(weight)[..., None] * self._mixed(hypothesis, t, doubt)
        picture += self._still[..., None] * ((1 - t) * self._first + t * self._second - picture)
        confidence = 1 - _ramp(doubt, 0.04, 0.12) * (1 - self._still)
        flow0, flow1 = (_chw(f)[None] for f in hypotheses[0])
        return Between(_chw(picture).clamp_(0, 1), torch.from_numpy(confidence)[None], flow0, flow1)

    def _hypotheses(self, t: float) -> list[_Hypothesis]:
        fw, bw = self._fw, self._bw
        both = (-(1 - t) * t * fw + t * t * bw, (1 - t) ** 2 * fw - t * (1 - t) * bw)
        if self.quality == "draft":
            return [both]
        return [both, (-t * fw, (1 - t) * fw), (t * bw, -(1 - t) * bw)]

    def _doubt(self, hypothesis: _Hypothesis) -> _Array:
        """How much the frames differ along a hypothesis, locally averaged, at half size."""
        first, second = (
            _fetch(frame, _half(flow * np.float32(0.5)), cv2.INTER_LINEAR)
            for frame, flow in zip(self._small, hypothesis, strict=True)
        )
        return _blurred(np.abs(first - second).mean(-1), 1.0)

    def _mixed(self, hypothesis: _Hypothesis, t: float, doubt: _Array) -> _Array:
        """The picture a hypothesis gives: of both frames, or of the one that shows what the other hides."""
        kernel = cv2.INTER_LANCZOS4 if self.quality == "best" else cv2.INTER_CUBIC
        flow0, flow1 = hypothesis
        first, second = _fetch(self._first, flow0, kernel), _fetch(self._second, flow1, kernel)
        if self.quality == "draft":
            return (1 - t) * first + t * second
        leaves = _fetch(self._hidden[0], flow0, cv2.INTER_LINEAR)  # frame0 shows it, frame1 does not
        comes = _fetch(self._hidden[1], flow1, cv2.INTER_LINEAR)
        gate = _ramp(doubt, 0.02, 0.08)
        share0 = (1 - t) * (1 - gate * comes * (1 - leaves))
        share1 = t * (1 - gate * leaves * (1 - comes))
        return second + (share0 / (share0 + share1 + 1e-6))[..., None] * (first - second)

    def _refined(self, hypotheses: list[_Hypothesis], doubts: list[_Array], t: float) -> _Hypothesis:
        """The mean hypothesis, corrected by matching the two frames again where the new picture is.

        With r the flow from frame0 fetched at t to frame1 fetched at t, a point of the new picture was at
        -t r in the one and is at (1-t) r in the other.
        """
        shares = [self._full(w)[..., None] for w in _shares(doubts)]
        flow0, flow1 = (
            np.add.reduce([w * h[side] for w, h in zip(shares, hypotheses, strict=True)]) for side in (0, 1)
        )
        first, second = (
            _chw(_fetch(frame[..., :3], flow, cv2.INTER_CUBIC))
            for frame, flow in ((self._first, flow0), (self._second, flow1))
        )
        rest = _hwc(dis_flow(first, second))
        return (
            _fetch(flow0, -t * rest, cv2.INTER_LINEAR) - t * rest,
            _fetch(flow1, (1 - t) * rest, cv2.INTER_LINEAR) + (1 - t) * rest,
        )

    def _full(self, picture: _Array) -> _Array:
        height, width = self._fw.shape[:2]
        return _array(cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR))


def _shares(doubts: list[_Array]) -> list[_Array]:
    """Each hypothesis' share of the picture: exp(-doubt / 0.05), scaled to sum to 1."""
    least = np.minimum.reduce(doubts)
    weights = [np.exp((least - doubt) / 0.05) for doubt in doubts]
    total = np.add.reduce(weights)
    return [w / total for w in weights]


def _still(first: _Array, second: _Array) -> _Array:
    """1 where nothing moves: in blocks of 3x3 pixels of which no channel differs by 2 of 255 levels; else 0."""
    same = (np.abs(first - second).max(-1) < 2 / 255).astype(np.float32)
    return _array(cv2.morphologyEx(same, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)))


def _fetch(picture: _Array, flow: _Array, kernel: int) -> _Array:
    """``vedit.flow.warp`` in cv2, three times as fast on a CPU and with Lanczos' kernel."""
    height, width = flow.shape[:2]
    x = np.arange(width, dtype=np.float32) + flow[..., 0]
    y = np.arange(height, dtype=np.float32)[:, None] + flow[..., 1]
    return _array(cv2.remap(picture, x, y, kernel, borderMode=cv2.BORDER_REPLICATE))


def _half(picture: _Array) -> _Array:
    height, width = picture.shape[:2]
    size = (max(1, width // 2), max(1, height // 2))
    return _array(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def _blurred(picture: _Array, sigma: float) -> _Array:
    return _array(cv2.GaussianBlur(picture, (0, 0), sigma))


def _ramp(value: _Array, low: float, high: float) -> _Array:
    return _array(np.clip((value - low) / (high - low), 0, 1))


def _hwc(picture: Tensor) -> _Array:
    return np.ascontiguousarray(picture.permute(1, 2, 0).cpu().numpy())


def _chw(picture: _Array) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))


def _array(picture: object) -> _Array:
    """What cv2 returns, which its stubs only half know."""
    return np.asarray(picture, np.float32)
