"""Which tokens of a window's frames show the same point: the paths that flow-guided attention attends along.

Unlike the paths of `vedit.flow.paths`, which are read between grid points, these share the tokens out: every token
lies on exactly one path. So each is attended from once, and what the attention writes never meets itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.pairs import PairFlow
from vedit.flow.resize import resize_flow

WIDEST, NARROWEST = 1 << 14, 1 << 11
"""Tokens of a block, at most: what attention copies out at once. A quarter of the window's between these bounds."""
MOST_SCORES = 1 << 18
"""Tokens times path length of a block, at most."""


@dataclass(frozen=True, eq=False)
class Block:
    """P paths that fit in L places, L a power of two or the window's length.

    ``tokens`` ``(P,L)`` are places in the window's ``F*h*w`` tokens (frame by frame, row by row), in order of time.
    Shorter paths are filled up with their first token; ``valid`` ``(P,L)`` says which are the path's own. ``slots``
    ``(V,)`` lists these in the flattened ``P*L``; None where all are.
    """

    tokens: Tensor
    valid: Tensor
    slots: Tensor | None

    def to(self, device: torch.device | str) -> "Block":
        """The same on another device."""
        slots = None if self.slots is None else self.slots.to(device)
        return Block(self.tokens.to(device), self.valid.to(device), slots)


@dataclass(frozen=True, eq=False)
class Trajectories:
    """The paths of a window of ``frames`` on a grid ``height x width``, packed; see :func:`follow`.

    Each token that is not in a block is a path of its own.
    """

    frames: int
    height: int
    width: int
    blocks: tuple[Block, ...]

    def to(self, device: torch.device | str) -> "Trajectories":
        """The same on another device."""
        blocks = tuple(block.to(device) for block in self.blocks)
        return Trajectories(self.frames, self.height, self.width, blocks)

    def paths(self) -> list[list[int]]:
        """Every path of two tokens or more as a list of tokens, in order of the first; slow, to look at."""
        found = [
            [token for token, own in zip(path, mask, strict=True) if own]
            for block in self.blocks
            for path, mask in zip(block.tokens.tolist(), block.valid.tolist(), strict=True)
        ]
        return sorted(found)


def follow(pairs: Sequence[PairFlow | None], height: int, width: int) -> Trajectories:
    """Follow the tokens of a grid through a window of frames.

    Every token of the first frame begins a path at its cell's centre. A path is carried to the next frame by the flow
    read between the cells at its true place, which is remembered, so that slow motion adds up; its token is the cell
    that the place lies in. It ends where its cell is occluded by more than half or the place lies outside the grid.
    Where several paths come to one cell, the one with the smallest forward-backward error goes on, then the one
    nearest to the cell's centre, then the first; the others end. Cells that no path comes to begin new ones.

    Worked out on the CPU in float64, whatever device the flow is on: the same paths everywhere.

    Args:
        pairs: the F-1 consecutive pairs of the window, of any resolution; None ends all paths there, as a cut does.
        height: of the grid, in tokens.
        width: of the grid, in tokens.
    """
    cells = height * width
    here = _centres(height, width)
    place = here
    path = torch.arange(cells)
    every = [path]
    begun = cells
    for pair in pairs:
        nowhere = torch.full((cells,), -1)
        path, place, before = nowhere, here, (path, place)
        if pair is not None:
            moved = _step(pair, before[1], height, width)
            path = nowhere.index_copy(0, moved.to, before[0][moved.cell])
            place = here.index_copy(0, moved.to, moved.place)
        new = path < 0
        count = int(new.sum())
        path[new] = torch.arange(begun, begun + count)
        begun += count
        every.append(path)
    return Trajectories(len(every), height, width, _packed(torch.cat(every), begun, len(every)))


@dataclass(frozen=True, eq=False)
class _Moved:
    """The paths that go on: their cells in the frame before and in the next, and their true places there."""

    cell: Tensor
    to: Tensor
    place: Tensor


def _step(pair: PairFlow, place: Tensor, height: int, width: int) -> _Moved:
    forward = resize_flow(pair.flow_fw, height, width)[0].cpu().double()
    backward = resize_flow(pair.flow_bw, height, width)[0].cpu().double()
    hidden = F.interpolate(pair.occlusion_fw.float(), size=(height, width), mode="area")[0, 0].cpu().flatten()
    step = _read(forward, place)
    there = place + step
    astray = (step + _read(backward, there)).square().sum(1)
    column, row = (there + 0.5).floor().long().unbind(1)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    cell = ((hidden <= 0.5) & inside).nonzero().flatten()
    there, astray, to = there[cell], astray[cell], (row * width + column)[cell]
    off = (there - _centres(height, width)[to]).square().sum(1)
    # Sorted by the last key first, each sort keeping the order before it: a total order, so one winner per cell.
    order = off.argsort(stable=True)
    order = order[astray[order].argsort(stable=True)]
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order))
    best = torch.full((height * width,), len(order)).scatter_reduce(0, to, rank, "amin")
    wins = best[to] == rank
    return _Moved(cell[wins], to[wins], there[wins])


def _centres(height: int, width: int) -> Tensor:
    """The place ``(h*w, 2)`` of every cell, x first."""
    y, x = torch.meshgrid(
        torch.arange(height, dtype=torch.float64), torch.arange(width, dtype=torch.float64), indexing="ij"
    )
    return torch.stack([x.flatten(), y.flatten()], dim=1)


def _read(field: Tensor, place: Tensor) -> Tensor:
    """A field ``(2,h,w)`` at places ``(N,2)``, between its points; outside, the nearest border's.

    grid_sample is not exact: an even field read between points comes out uneven by a rounding, and a pan by half a
    cell would send one token left and the next right.
    """
    height, width = field.shape[-2:]
    x, y = place[:, 0].clamp(0, width - 1), place[:, 1].clamp(0, height - 1)
    left, top = x.floor(), y.floor()
    column, row = left.long(), top.long()
    right, below = (column + 1).clamp(max=width - 1), (row + 1).clamp(max=height - 1)
    flat = field.flatten(1)

    def across(line: Tensor) -> Tensor:
        start, end = flat[:, line * width + column], flat[:, line * width + right]
        return start + (x - left) * (end - start)

    upper, lower = across(row), across(below)
    return (upper + (y - top) * (lower - upper)).t()


def _packed(path: Tensor, count: int, frames: int) -> tuple[Block, ...]:
    """Blocks from the path ``(F*h*w,)`` that each token lies on, numbered from 0 to ``count``."""
    length = torch.bincount(path, minlength=count)
    tokens = path.argsort(stable=True)  # path by path, each in order of time
    first = length.cumsum(0) - length
    widest = min(WIDEST, max(NARROWEST, len(path) // 4))
    blocks = []
    size = 2
    shorter = 1
    while shorter < frames:
        size = min(size, frames)
        chosen = ((length > shorter) & (length <= size)).nonzero().flatten()
        most = max(1, min(widest, MOST_SCORES // size) // size)
        for part in (chosen[i : i + most] for i in range(0, len(chosen), most)):
            valid = torch.arange(size) < length[part, None]
            place = torch.where(valid, first[part, None] + torch.arange(size), first[part, None])
            slots = None if bool(valid.all()) else valid.flatten().nonzero().flatten()
            blocks.append(Block(tokens[place], valid, slots))
        shorter, size = size, size * 2
    return tuple(blocks)


class WindowFlows:
    """The motion of one window, from which the paths on any grid are made once and shared by layers and steps."""

    def __init__(self, pairs: Sequence[PairFlow | None]) -> None:
        """``pairs``: the F-1 consecutive pairs of the window's F frames; None where no path leads on."""
        self._pairs = tuple(pairs)
        self._found: dict[tuple[int, int, torch.device], Trajectories] = {}

    @property
    def frames(self) -> int:
        """How many frames the window has."""
        return len(self._pairs) + 1

    def at(self, height: int, width: int, device: torch.device | str = "cpu") -> Trajectories:
        """The paths of the tokens on a grid ``height x width``."""
        cpu, device = torch.device("cpu"), torch.device(device)
        if (height, width, cpu) not in self._found:
            self._found[height, width, cpu] = follow(self._pairs, height, width)
        if (height, width, device) not in self._found:
            self._found[height, width, device] = self._found[height, width, cpu].to(device)
        return self._found[height, width, device]
