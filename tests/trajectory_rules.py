"""The paths of tokens by their written rule, token after token in plain Python, and random flows to follow."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.pairs import PairFlow


def random_pairs(count: int, height: int, width: int, seed: int, reach: float = 8.0) -> list[PairFlow]:
    """Pairs whose flows disagree, cross, collide and leave, with random blots of occlusion."""
    generator = torch.Generator().manual_seed(seed)

    def smooth(channels: int, size: float) -> Tensor:
        coarse = torch.randn(1, channels, 4, 5, generator=generator) * size
        return F.interpolate(coarse, size=(height, width), mode="bilinear")

    pairs = []
    for _ in range(count):
        forward = smooth(2, reach)
        backward = -forward + smooth(2, reach / 4)
        pairs.append(PairFlow(forward, backward, (smooth(1, 1) > 0.8).float(), (smooth(1, 1) > 0.8).float()))
    return pairs


@dataclass
class Followed:
    """Every path as a list of tokens, and how often each thing happened."""

    paths: list[list[int]]
    hidden: int = 0
    left: int = 0
    collisions: int = 0


def followed(pairs: Sequence[PairFlow | None], height: int, width: int) -> Followed:
    """All paths, those of one token too, in order of their first token."""
    cells = height * width
    result = Followed([[cell] for cell in range(cells)])
    live = {cell: (cell, float(cell % width), float(cell // width)) for cell in range(cells)}
    for frame, pair in enumerate(pairs, 1):
        claims: dict[int, list[tuple[float, float, int, int, float, float]]] = {}
        if pair is not None:
            forward, backward = _shrunk(pair.flow_fw, height, width), _shrunk(pair.flow_bw, height, width)
            occlusion = _averaged(pair.occlusion_fw[0, 0], height, width)
            for cell, (path, x, y) in sorted(live.items()):
                dx, dy = (_between(part, x, y) for part in forward)
                back_x, back_y = (_between(part, x + dx, y + dy) for part in backward)
                column, row = math.floor(x + dx + 0.5), math.floor(y + dy + 0.5)
                if occlusion[cell // width][cell % width] > 0.5:
                    result.hidden += 1
                elif not (0 <= column < width and 0 <= row < height):
                    result.left += 1
                else:
                    error = (dx + back_x) ** 2 + (dy + back_y) ** 2
                    off = (x + dx - column) ** 2 + (y + dy - row) ** 2
                    claim = (error, off, cell, path, x + dx, y + dy)
                    claims.setdefault(row * width + column, []).append(claim)
        live = {}
        for cell in range(cells):
            if cell in claims:
                result.collisions += len(claims[cell]) > 1
                *_, path, x, y = min(claims[cell])
                result.paths[path].append(frame * cells + cell)
                live[cell] = (path, x, y)
            else:
                live[cell] = (len(result.paths), float(cell % width), float(cell // width))
                result.paths.append([frame * cells + cell])
    return result


def _averaged(values: Tensor, height: int, width: int) -> list[list[float]]:
    """The mean of the pixels of each cell; the picture is a whole number of times as large as the grid."""
    tall, wide = values.shape[0] // height, values.shape[1] // width
    pixels = values.tolist()
    return [
        [
            sum(pixels[row * tall + i][column * wide + j] for i in range(tall) for j in range(wide))
            / (tall * wide)
            for column in range(width)
        ]
        for row in range(height)
    ]


def _shrunk(flow: Tensor, height: int, width: int) -> tuple[list[list[float]], list[list[float]]]:
    """dx and dy of a flow on the grid, in cells."""
    across, down = _averaged(flow[0, 0], height, width), _averaged(flow[0, 1], height, width)
    per_x, per_y = width / flow.shape[-1], height / flow.shape[-2]
    return [[v * per_x for v in line] for line in across], [[v * per_y for v in line] for line in down]


def _between(values: list[list[float]], x: float, y: float) -> float:
    """The value at a place between grid points."""
    x, y = min(max(x, 0.0), len(values[0]) - 1.0), min(max(y, 0.0), len(values) - 1.0)
    left, top = math.floor(x), math.floor(y)
    right, below = min(left + 1, len(values[0]) - 1), min(top + 1, len(values) - 1)
    upper = values[top][left] + (x - left) * (values[top][right] - values[top][left])
    lower = values[below][left] + (x - left) * (values[below][right] - values[below][left])
    return upper + (y - top) * (lower - upper)
