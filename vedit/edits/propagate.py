"""Real pixels for a hole: every hidden pixel is followed through the neighbouring frames until one shows it.

The flow-guided completion of FGVC (Gao et al., "Flow-edge Guided Video Completion", ECCV 2020) without its networks
and in a moving window: motion is completed inside the hole, sub-pixel coordinates are chained along it forward and
backward to the first known pixel, the picture is sampled there once, and a membrane takes away what differs in light.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.complete import complete_pair, grow, harmonic
from vedit.flow.estimate import Quality
from vedit.flow.pairs import PairFlow, pair_flow
from vedit.flow.warp import warp
from vedit.frame import Frame

REACH = 5
"""Pixels around a hole whose flow is not believed: patches of 8 pixels there have matched the hole's filling."""
RING = 2
"""Known pixels around the hole that are fetched from the other frames as well, to see how well that works."""
UNLIKE = 0.2
"""Two colours further apart than this in any channel show different things, not the same in another light."""
DOUBT = 0.05
"""Pixels are believed where those of the ring nearby were fetched with an error below this."""
DRIFT = 0.15
"""A chain's error per step, in parts of the way it went per step, above which it may have gone anywhere: in a still
scene what looks like motion is noise, and following it only smears the hole's rim inward."""
CARRY = 0.9
"""How much of a smooth filling is taken from the frame before, where it can be followed."""
FLOW_PIXELS = 640_000
"""Flow of larger pictures is worked out and kept at half their size, or a quarter…"""
LOST = 100.0
"""A chain's error in pixels that means it ended at an occlusion."""


@dataclass(frozen=True, eq=False)
class Recovered:
    """A frame with its hole filled as well as is known so far.

    ``mask`` ``(1, H, W)``: the hole. ``pixels`` ``(3, H, W)``: RGB with the hole filled; None without a hole.
    ``unseen`` ``(1, H, W)``: the part of the hole that holds no real pixels yet, only something smooth. ``pair``:
    motion between the frame before and this one, completed inside the holes, on the picture's grid or a coarser one;
    None at the first frame.
    """

    frame: Frame
    mask: Tensor
    pixels: Tensor | None
    unseen: Tensor
    pair: PairFlow | None = None


def smooth(frame: Frame, mask: Tensor) -> Recovered:
    """Nothing recovered yet: the hole filled with a membrane, so that nothing ever sees what was in it."""
    if not bool(mask.any()):
        return Recovered(frame, mask, None, mask)
    rgb = frame.pixels[:3].to(mask.device)
    return Recovered(frame, mask, harmonic(rgb[None], mask[None])[0], mask)


def recover(films: Iterator[Recovered], quality: Quality, radius: int) -> Iterator[Recovered]:
    """Fill each frame's hole with pixels that up to ``radius`` frames before or after it show, in order.

    Holds ``2 radius + 1`` frames. Flow is worked out on the fillings that come in and completed where they are
    smooth, so a second pass over the first one's results has better motion to follow. Frames without a hole pass
    through, and no flow is worked out far from any.
    """
    window: deque[_Moment] = deque()
    here = 0  # place of the frame to be filled next
    last: _Moment | None = None
    before: Recovered | None = None
    for given in films:
        last = _Moment(given, last, quality)
        window.append(last)
        if len(window) - here > radius:
            before = _fill(window, here, before)
            yield before
            here += 1
        if here > radius:
            window.popleft()
            window[0].before = None
            here -= 1
    while here < len(window):
        before = _fill(window, here, before)
        yield before
        here += 1


class _Moment:
    """A frame in the window, with what is worked out once for it and only when a hole needs it."""

    def __init__(self, given: Recovered, before: "_Moment | None", quality: Quality) -> None:
        self.given, self.before, self.quality = given, before, quality
        self._pixels = given.pixels
        self._motion: tuple[PairFlow, Tensor, Tensor] | None = None

    @property
    def pixels(self) -> Tensor:
        if self._pixels is None:
            self._pixels = self.given.frame.pixels[:3].to(self.given.mask.device)
        return self._pixels

    @property
    def motion(self) -> tuple[PairFlow, Tensor, Tensor]:
        """The pair of the frame before and this one, and what a chain samples on its way here, and back.

        Those are ``(1, 3, h, w)``: dx, dy and round-trip error, in pixels of the full picture.
        """
        if self._motion is None:
            before = self.before
            assert before is not None  # noqa: S101 - chains end at the window's first frame
            first, second = _for_flow(before.pixels), _for_flow(self.pixels)
            pair = pair_flow(first, second, self.quality)
            hidden = torch.maximum(before.given.unseen, self.given.unseen)
            if bool(hidden.any()):
                coarse = F.adaptive_max_pool2d(hidden[None], (first.shape[-2], first.shape[-1]))
                pair = complete_pair(pair, coarse, REACH)
            scale = self.pixels.shape[-1] / first.shape[-1]
            forth = _step(pair.flow_fw, pair.flow_bw, pair.occlusion_fw, scale)
            back = _step(pair.flow_bw, pair.flow_fw, pair.occlusion_bw, scale)
            self._motion = pair, forth, back
        return self._motion


def _for_flow(picture: Tensor) -> Tensor:
    while picture.shape[-2] * picture.shape[-1] > FLOW_PIXELS:
        picture = F.avg_pool2d(picture, 2)
    return picture


def _step(flow: Tensor, back: Tensor, hidden: Tensor, scale: float) -> Tensor:
    error = (flow + warp(back, flow)).norm(dim=1, keepdim=True)
    return torch.cat([flow * scale, error * scale + LOST * hidden], 1)


def _fill(window: deque[_Moment], here: int, before: Recovered | None) -> Recovered:
    moment = window[here]
    given, mask = moment.given, moment.given.mask
    if given.pixels is None:
        return given
    height, width = mask.shape[-2:]
    y, x = (grow(mask[None], RING)[0, 0] > 0).nonzero().unbind(1)
    points = torch.stack([x, y], 1).float()
    (ahead, trust_ahead), (behind, trust_behind) = (_chain(window, here, points, d) for d in (1, -1))
    # Two answers that contradict each other: at least one chain has slipped onto another thing.
    unlike = (trust_ahead * trust_behind > 0) & ((ahead - behind).abs().amax(0) > UNLIKE)
    trust = (trust_ahead + trust_behind).masked_fill(unlike, 0)
    canvas = mask.new_zeros(4, height, width)
    canvas[:3, y, x] = (ahead * trust_ahead + behind * trust_behind) / trust.clamp_min(1e-9)
    canvas[3, y, x] = (trust > 0).float()
    fetched, found = canvas[:3], canvas[3:]
    light, doubt = _judged(given.pixels, fetched, found * (1 - mask))
    filled = mask * found * (doubt < DOUBT)
    unseen = mask - filled
    pixels = torch.where(filled > 0, (fetched + light).clamp(0, 1), given.pixels)
    pixels = harmonic(pixels[None], unseen[None])[0]
    pair = None
    if here:
        pair, _, back = moment.motion
        if before is not None and before.pixels is not None:
            pixels = _steadied(pixels, unseen, before.pixels, before.mask, back)
    return Recovered(given.frame, mask, pixels, unseen, pair)


def _chain(window: deque[_Moment], here: int, points: Tensor, direction: int) -> tuple[Tensor, Tensor]:
    """Colours ``(3, N)`` of the first known pixels on the way, and how far to trust them ``(N,)``, 0 = none found."""
    height, width = window[here].given.mask.shape[-2:]
    limit = points.new_tensor([width - 1, height - 1])
    colours, trust = points.new_zeros(3, len(points)), points.new_zeros(len(points))
    on_way = torch.arange(len(points), device=points.device)
    at, worst = points, points.new_zeros(len(points))
    place = here
    while 0 <= place + direction < len(window) and len(on_way):
        step = window[place + 1].motion[1] if direction > 0 else window[place].motion[2]
        place += direction
        dx, dy, error = _sample(step, at, limit)
        at, worst = at + torch.stack([dx, dy], 1), torch.maximum(worst, error)
        keep = (worst < LOST / 4) & (at >= 0).all(1) & (at <= limit).all(1)
        on_way, at, worst = on_way[keep], at[keep], worst[keep]
        other = window[place]
        known = _sample(other.given.mask[None], at, limit)[0] == 0
        there = on_way[known]
        colours[:, there] = _sample(other.pixels[None], at[known], limit, "bicubic")
        steps = abs(place - here)
        walked = (at[known] - points[there]).norm(dim=1)
        drift = worst[known] * steps / walked.clamp_min(1e-3)
        trust[there] = torch.exp(-drift / 0.1) / (1 + 0.1 * steps) * (drift < DRIFT)
        on_way, at, worst = on_way[~known], at[~known], worst[~known]
    return colours, trust


def _sample(image: Tensor, points: Tensor, limit: Tensor, mode: str = "bilinear") -> Tensor:
    """``image`` ``(1, C, h, w)`` at ``points`` ``(N, 2)`` x, y of a picture whose last pixel is ``limit``."""
    grid = ((2 * points + 1) / (limit + 1) - 1)[None, None]
    return F.grid_sample(image, grid, mode=mode, padding_mode="border", align_corners=False)[0, :, 0]


def _judged(picture: Tensor, fetched: Tensor, ring: Tensor) -> tuple[Tensor, Tensor]:
    """What the ring ``(1, H, W)`` of known pixels around the hole says about the pixels fetched inside it.

    Carried inward from the ring by membranes: the difference in light ``(3, H, W)`` that makes the fetched pixels meet
    the picture, and the error ``(1, H, W)`` to be expected of them.
    """
    difference = (picture - fetched) * ring
    error = difference.abs().amax(0, keepdim=True)
    alike = ring * (error < UNLIKE)
    light = harmonic(difference[None], (1 - alike)[None])[0]
    doubt = harmonic(error[None], (1 - ring)[None])[0]
    return light, doubt


def _steadied(fresh: Tensor, unseen: Tensor, before: Tensor, mask_before: Tensor, back: Tensor) -> Tensor:
    """Smooth fillings of one frame carried on to the next where they can be followed, so that they do not boil."""
    back = F.interpolate(back, size=fresh.shape[-2:], mode="bilinear", align_corners=False)
    carried = warp(torch.cat([before, mask_before])[None], back[:, :2])[0]
    share = CARRY * unseen * (back[0, 2:] < LOST / 4) * (carried[3:] > 0.99)
    return fresh + share * (carried[:3] - fresh)
