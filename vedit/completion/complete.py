"""Frame by frame: evidence in, completed windows out, each one seeing how the one before was completed."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.completion.carry import carry
from vedit.completion.evidence import Evidence
from vedit.completion.motion import Motion
from vedit.completion.net import CELL, GRAIN, CompletionNet, assembled, mixed
from vedit.completion.thought import Thought, carried_on, thought
from vedit.flow.complete import grow
from vedit.frame import Frame
from vedit.window import Window, window_of

CALM, HASTE = 0.85, 0.6
"""How much of what is made up is taken from the frame before, where it stands still; and the speed in pixels a frame at
which it is a third of that: faster things are not carried exactly."""
PIXELS = 700_000
"""Larger windows are thought about at half their size, or a quarter…; the colours that are mixed stay at full size."""

APART, WORTH = 4, 0.9
"""Cells of the net's answer between two holes that are answered for apart; and the share of the picture that all boxes
may take with as much around them, before it is less work to answer for everything."""


@dataclass(frozen=True)
class View:
    """How a picture is shown to the net: mirrored along some axes, at one in so many of its pixels each way.

    The mean of what it says of several views is nearer to the truth than any one answer. Half as large it knows a
    hole's surroundings from further away, in a third of the time.
    """

    mirrored: tuple[int, ...] = ()
    scale: int = 1


@dataclass(frozen=True, eq=False)
class Completed:
    """A frame with its hole filled.

    ``mask`` ``(1, H, W)``: the hole. ``pixels`` ``(3, h, w)``: RGB of ``window``, completed. ``real`` ``(1, h, w)``:
    the share of each pixel in the hole that other frames show; the rest is made up. ``motion``: from the frame before.
    None where there is no hole.
    """

    frame: Frame
    mask: Tensor
    window: Window | None = None
    pixels: Tensor | None = None
    real: Tensor | None = None
    motion: Motion | None = None


@torch.no_grad()
def complete(
    films: Iterator[Evidence], net: CompletionNet, views: Sequence[View] = (View(),), *, lasts: int = 1
) -> Generator[Completed]:
    """Complete the holes of one shot, in order.

    Args:
        films: the frames with what is known of their holes.
        net: says what they show.
        views: what it is asked about; the mean of its answers is taken.
        lasts: the frames that an answer may be used for while little changes (see `vedit.completion.thought`).
    """
    before: tuple[Window, Tensor] | None = None  # RGB and share of real pixels
    last: Thought | None = None
    for seen in films:
        if seen.window is None or seen.picture is None:
            before = last = None
            yield Completed(seen.frame, seen.mask)
            continue
        if seen.ahead is None or seen.behind is None:
            before = seen.window, torch.cat([seen.picture, torch.ones_like(seen.picture[:1])])
            last = None
            yield Completed(seen.frame, seen.mask)
            continue
        hole = seen.window.of(seen.mask)
        carried, real_before, calm = _carried(seen, before)
        batch = assembled(*(t[None] for t in (seen.picture, hole, seen.ahead, seen.behind, carried)))
        if last is not None:
            last = carried_on(last, seen, batch, _scale(batch)) if last.age + 1 < lasts else None
        if last is None:
            last = thought(seen, batch, _answer(batch, net, views))
        drawn, shares = mixed(batch, last.answer)
        real = (shares[0, 1:2] + shares[0, 2:3] + shares[0, 3:] * real_before) * hole
        fresh = drawn[0] + calm * (1 - real) * (carried[:3] - drawn[0])
        pixels = torch.where(hole > 0, fresh.clamp(0, 1), seen.picture)
        before = seen.window, torch.cat([pixels, real + 1 - hole])
        yield Completed(seen.frame, seen.mask, seen.window, pixels, real, seen.motion)


def _answer(batch: Tensor, net: CompletionNet, views: Sequence[View]) -> Tensor:
    """The mean of the net's answers to some views of its input, on the grid of that."""
    scale = _scale(batch)
    mirrored: dict[int, list[tuple[int, ...]]] = {}
    for view in views:
        mirrored.setdefault(scale * view.scale, []).append(view.mirrored)
    return reduce(torch.add, (_sum(batch, net, axes, at) for at, axes in mirrored.items())) / len(views)


def _scale(batch: Tensor) -> int:
    """Pixels, each way, in one that the net sees."""
    scale = 1
    while batch.shape[-2] * batch.shape[-1] > PIXELS * scale * scale:
        scale *= 2
    return scale


def _sum(batch: Tensor, net: CompletionNet, mirrored: Sequence[tuple[int, ...]], scale: int) -> Tensor:
    """The sum of what the net says of mirror images of its input at one in ``scale`` of its pixels each way.

    The input is brought to sides that suit the net.
    """
    height, width = batch.shape[-2:]
    small = F.avg_pool2d(batch, scale, ceil_mode=True) if scale > 1 else batch
    rows, columns = small.shape[-2:]
    small = F.pad(small, (0, -columns % GRAIN, 0, -rows % GRAIN), mode="replicate").to(net.close.weight.dtype)
    answer = torch.zeros_like(small[:, :7], dtype=torch.float32)
    for axes in mirrored:
        view = small.flip(axes).contiguous(memory_format=torch.channels_last)
        near = view[:1, 3:4] if scale == 1 else grow(view[:1, 3:4], 1)  # the answer is made larger again
        answer += net(view, _boxes(near[0])).flip(axes)
    answer = answer[..., :rows, :columns]
    if scale > 1:
        answer = F.interpolate(answer, scale_factor=scale, mode="bilinear")[..., :height, :width]
    return answer


def _boxes(hole: Tensor) -> list[Window] | None:
    """Where the net's answer for a hole ``(1, h, w)`` is needed; None when that is hardly less than everywhere.

    One box around all that is near each other, on the grid that the net asks for.
    """
    height, width = hole.shape[-2:]
    cells = F.max_pool2d((hole > 0).float(), CELL).cpu()
    near = cv2.dilate(cells[0].byte().numpy(), np.ones((2 * APART + 1, 2 * APART + 1), np.uint8))
    count, labels = cv2.connectedComponents(near)
    boxes = []
    for label in range(1, count):
        own = window_of(cells * torch.from_numpy(labels == label))
        if own is not None:
            boxes.append(Window(*(CELL * side for side in (own.top, own.bottom, own.left, own.right))))
    work = sum((box.height + CELL * APART) * (box.width + CELL * APART) for box in boxes)
    return boxes if work < WORTH * height * width else None


def _carried(seen: Evidence, before: tuple[Window, Tensor] | None) -> tuple[Tensor, Tensor, Tensor]:
    """The frame before as it was completed, on this frame's window.

    Its colours and where they are known ``(4, h, w)``, its share of real pixels ``(1, h, w)``, and how much of what is
    made up is to be kept ``(1, h, w)``.
    """
    window, motion = seen.window, seen.motion
    assert window is not None  # noqa: S101 - it has a hole
    assert seen.picture is not None  # noqa: S101 - as above
    out = seen.picture.new_zeros(6, window.height, window.width)
    if before is not None and motion is not None:
        old, pixels = before
        part = motion.window
        shift = (part.left - old.left, part.top - old.top)
        there, known = carry(pixels[None], motion.back, motion.cell, shift)
        speed = torch.hypot(*motion.back[:, :2].unbind(1))[:, None]
        calm = known * F.interpolate(CALM * torch.exp(-speed / HASTE), size=known.shape[-2:], mode="bilinear")
        both = torch.cat([there[:, :3], known, there[:, 3:], calm], 1)
        part.within(window).of(out)[:] = both[0, :, : part.height, : part.width]
    return out[:4], out[4:5], out[5:]
