"""Structure maps for ControlNets: what of a frame's drawing, depth or poses a restyle has to keep."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.diffusion.annotators import Annotator, load_annotator
from vedit.errors import UsageError
from vedit.flow.resize import resize

Kind = Literal["canny", "lineart", "softedge", "depth", "normal", "pose"]
KINDS = get_args(Kind)
MOST = 2.0
"""The greatest weight; at 1 a map is followed as in training."""
SIDE = 512
"""Larger frames are brought to this shorter side for the networks, which were trained at about that size."""
GRID = 64
"""Sides that every network takes are multiples of this."""
FOLLOW = 0.1
"""How much of the way the range of depth goes towards each frame's own: half of it in 7 frames."""


@dataclass(frozen=True)
class Control:
    """A kind of map, and how much it weighs (diffusers' ``controlnet_conditioning_scale``)."""

    kind: Kind
    scale: float = 1.0


def check_control(spec: str) -> tuple[Control, ...]:
    """The controls of a setting such as ``"canny"``, ``"canny,depth"`` or ``"canny:0.7,depth:0.4"``.

    Raises:
        UsageError: a kind is unknown or named twice, or a weight is no number over 0 and up to 2.
    """
    remedy = f'Choose of {", ".join(KINDS)}, each with a weight if you like: "canny:0.7,depth:0.4".'
    controls: list[Control] = []
    for part in spec.split(","):
        kind, colon, weight = (piece.strip() for piece in part.partition(":"))
        if kind not in KINDS:
            raise UsageError(f"control has {kind!r}" if kind else "control names no map", remedy)
        if kind in [control.kind for control in controls]:
            raise UsageError(f"control has {kind} twice", remedy)
        try:
            scale = float(weight) if colon else 1.0
        except ValueError:
            scale = 0.0
        if not 0 < scale <= MOST:
            raise UsageError(
                f"control has {kind} with the weight {weight!r}", f"Give more than 0, up to {MOST:g}."
            )
        controls.append(Control(cast(Kind, kind), scale))
    return tuple(controls)


class ControlMaps:
    """Makes the maps of one shot; call it with its frames in order, each once.

    All kinds look at one frame alone, but for depth. MiDaS gives depth on no fixed scale, and its usual remedy, to
    stretch every frame from 0 to 1 by itself, makes the whole picture flicker when something near comes or goes. Here
    the first frame of a shot is stretched so, and the range then follows the later ones slowly; what is beyond it is
    clipped. Normals are absolute and need none of that.
    """

    def __init__(self, annotators: dict[Kind, Annotator], device: torch.device) -> None:
        self._annotators = annotators
        self._device = device
        self._range: Tensor | None = None

    def __call__(self, frame: Tensor) -> dict[Kind, Tensor]:
        """The maps of a frame.

        Args:
            frame: ``(3, H, W)`` RGB in [0, 1], of any size.

        Returns:
            per kind ``(3, H, W)`` float32 RGB in [0, 1], on the frame's device.
        """
        with torch.no_grad():
            picture = frame.to(self._device, torch.float32)
            return {
                kind: self._map(kind, annotate, picture).to(frame.device)
                for kind, annotate in self._annotators.items()
            }

    def _map(self, kind: Kind, annotate: Annotator, picture: Tensor) -> Tensor:
        height, width = picture.shape[-2:]
        scale = 1.0 if kind == "canny" else min(1.0, SIDE / min(height, width))
        h, w = max(1, round(height * scale)), max(1, round(width * scale))
        # Padded at the edges to what the networks take, rather than stretched: shapes keep their proportions.
        small = F.pad(resize(picture[None], h, w), (0, -w % GRID, 0, -h % GRID), mode="replicate")[0]
        drawn = annotate(small)[:, :h, :w]
        if kind == "depth":
            drawn = self._levelled(drawn)
        drawn = resize(drawn[None], height, width)[0].clamp(0, 1)
        return drawn.expand(3, -1, -1).contiguous()

    def _levelled(self, depth: Tensor) -> Tensor:
        """Depth in the shot's range, which this frame moves."""
        own = torch.stack([depth.min(), depth.max()])
        self._range = own if self._range is None else torch.lerp(self._range, own, FOLLOW)
        low, high = self._range
        levelled: Tensor = (depth - low) / (high - low).clamp(min=1e-6)
        return levelled


def control_maps(kinds: Sequence[Kind], device: torch.device) -> ControlMaps:
    """What makes the maps of these kinds; the networks are loaded here and stay on the device.

    Raises:
        EngineError: weights are missing (see `vedit.diffusion.annotators`) or damaged.
    """
    return ControlMaps({kind: load_annotator(kind, device) for kind in kinds}, device)
