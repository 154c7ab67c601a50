"""A preview: what was found, drawn over the film as it is."""

import torch
from torch import Tensor

from vedit.frame import Flaw, Frame

COLOURS: dict[Flaw, tuple[float, float, float]] = {
    "dust": (1.0, 0.1, 0.1),
    "scratch": (1.0, 0.9, 0.1),
    "duplicate": (0.2, 0.5, 1.0),
    "dropped": (1.0, 0.2, 1.0),
    "flicker": (0.2, 1.0, 0.4),
}
"""Red, yellow, blue, magenta, green."""
BORDER = 60
"""The border's part of the shorter side is one over this."""


def painted(pixels: Tensor, places: Tensor, flaw: Flaw) -> Tensor:
    """Pixels ``(C,H,W)`` with a flaw's colour where ``places`` ``(1,H,W)`` is 1."""
    colour = torch.tensor(COLOURS[flaw]).view(3, 1, 1)
    return torch.cat([torch.where(places > 0, colour, pixels[:3]), pixels[3:]])


def bordered(frame: Frame, flaw: Flaw) -> Frame:
    """A frame in a border of a flaw's colour."""
    _, height, width = frame.pixels.shape
    thick = max(1, min(height, width) // BORDER)
    places = torch.ones(1, height, width)
    places[:, thick : height - thick, thick : width - thick] = 0
    return frame.edited(painted(frame.pixels, places, flaw), changed=places)
