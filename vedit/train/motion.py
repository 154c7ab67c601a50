"""Motion rendered over pictures: short runs of frames whose flow is known exactly."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vedit.flow.occlusion import occlusion
from vedit.flow.pairs import PairFlow


@dataclass(frozen=True)
class Path:
    """Where a moving camera looks: an affine map ``(2,3)`` from each frame's pixels to the picture's."""

    maps: tuple[Tensor, ...]

    def grids(self, size: int) -> Tensor:
        """The picture coordinates ``(F,size,size,2)``, x first, that each frame's pixels show."""
        y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
        here = torch.stack([x, y, torch.ones_like(x)], dim=-1).float()
        return torch.stack([here @ m.T for m in self.maps])

    def pairs(self, size: int) -> list[PairFlow]:
        """The flow between consecutive frames, both ways: what the other map's inverse makes of this one's places."""
        grids = self.grids(size)
        here = torch.stack(torch.meshgrid(torch.arange(size), torch.arange(size), indexing="xy")).float()
        out = []
        for i in range(len(self.maps) - 1):
            flows = []
            for a, b in ((i, i + 1), (i + 1, i)):
                linear, offset = self.maps[b][:, :2], self.maps[b][:, 2]
                there = (grids[a] - offset) @ torch.linalg.inv(linear).T
                flows.append((there.permute(2, 0, 1) - here)[None])
            fw, bw = flows
            out.append(PairFlow(fw, bw, occlusion(fw, bw), occlusion(bw, fw)))
        return out


def random_path(height: int, width: int, size: int, length: int, rng: np.random.Generator) -> Path:
    """A smooth pan, zoom and turn that stays inside a picture: up to about 12 pixels a frame."""
    centre = np.array([rng.uniform(0.3, 0.7) * width, rng.uniform(0.3, 0.7) * height])
    velocity = rng.normal(0, 1, 2) * rng.choice([0.3, 2.0, 6.0])
    zoom, turn = rng.normal(0, 0.01), rng.normal(0, 0.01)
    maps = []
    for i in range(length):
        scale, angle = np.exp(zoom * i), turn * i
        linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        middle = centre + velocity * (i - length / 2)
        margin = 0.5 * size * scale
        middle = np.clip(middle, margin, np.maximum(margin, np.array([width, height]) - 1 - margin))
        offset = middle - linear @ np.array([size / 2, size / 2])
        maps.append(torch.from_numpy(np.concatenate([linear, offset[:, None]], axis=1)).float())
    return Path(tuple(maps))


def render(picture: Tensor, path: Path, size: int) -> Tensor:
    """A picture ``(3,H,W)`` in [0, 1] seen along a path: ``(F,3,size,size)``."""
    height, width = picture.shape[-2:]
    grids = path.grids(size) * torch.tensor([2 / (width - 1), 2 / (height - 1)]) - 1
    frames = picture[None].expand(len(grids), -1, -1, -1)
    return torch.nn.functional.grid_sample(
        frames, grids, mode="bicubic", padding_mode="reflection", align_corners=True
    ).clamp(0, 1)
