"""RIFE, what most people make in-between frames with, for comparison; its weights are the user's to bring.

The network of versions 4.25 and 4.26 of Practical-RIFE by Zhewei Huang (https://github.com/hzwer/Practical-RIFE, MIT
licence), written anew so that the published weights fit by name and shape. After Huang et al., "Real-Time Intermediate
Flow Estimation for Video Frame Interpolation", ECCV 2022.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from vedit.errors import InputError
from vedit.flow.warp import warp

SCALES = (16, 8, 4, 2, 1)
"""How many times smaller the pictures are that each block looks at, coarse to fine."""
WIDTHS = (192, 128, 96, 64, 32)
"""Channels inside each block."""
FEATURES = 4
"""Channels of the features of a picture."""
MEMORY = 8
"""Channels that a block hands to the next."""
MULTIPLE = 64
"""Sides are padded to a multiple of this: 16 times smaller, and halved twice inside a block."""
TEACHER = ("teacher.", "caltime.")
"""What the published files also hold, used in training only."""
CONVERT = (
    'python -c "import torch, safetensors.torch as s; s.save_file({k: v.contiguous() for k, v in'
    " torch.load('flownet.pkl', map_location='cpu', weights_only=True).items()}, 'rife.safetensors')\""
)


class Head(nn.Module):
    """Features of a picture, at its own size: ``(N, 3, H, W)`` to ``(N, 4, H, W)``."""

    def __init__(self) -> None:
        super().__init__()
        self.cnn0 = nn.Conv2d(3, 16, 3, stride=2, padding=1)
        self.cnn1 = nn.Conv2d(16, 16, 3, padding=1)
        self.cnn2 = nn.Conv2d(16, 16, 3, padding=1)
        self.cnn3 = nn.ConvTranspose2d(16, FEATURES, 4, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        for layer in (self.cnn0, self.cnn1, self.cnn2):
            x = F.leaky_relu(layer(x), 0.2)
        return self.cnn3(x)  # type: ignore[no-any-return]


class Residual(nn.Module):
    """A convolution added to what came in, with a learned weight for each channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)
        self.beta = nn.Parameter(torch.ones(1, width, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.conv(x) * self.beta + x, 0.2)


class Block(nn.Module):
    """One step from coarse to fine: corrections of the flow, a mask, and what the next block should know."""

    def __init__(self, channels: int, width: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.conv0 = nn.Sequential(_halving(channels, width // 2), _halving(width // 2, width))
        self.convblock = nn.Sequential(*(Residual(width) for _ in range(8)))
        made = 4 + 1 + MEMORY
        self.lastconv = nn.Sequential(
            nn.ConvTranspose2d(width, 4 * made, 4, stride=2, padding=1), nn.PixelShuffle(2)
        )

    def forward(self, known: Tensor, flow: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """``known`` ``(N, C, H, W)`` and ``flow`` ``(N, 4, H, W)`` to flow, mask ``(N, 1, H, W)`` and memory."""
        x = _resized(known, 1 / self.scale)
        if flow is not None:
            x = torch.cat([x, _resized(flow, 1 / self.scale) / self.scale], 1)
        made = _resized(self.lastconv(self.convblock(self.conv0(x))), self.scale)
        return made[:, :4] * self.scale, made[:, 4:5], made[:, 5:]


class Rife(nn.Module):
    """Two pictures and a time to the picture between them.

    Each block sees both pictures and their features as they look along the flow found so far, from the new picture to
    either of them, and corrects it. The result is the two pictures fetched along the flow, mixed by the last mask.
    """

    def __init__(self) -> None:
        super().__init__()
        first = 2 * (3 + FEATURES) + 1  # pictures, features, time
        later = first + 1 + MEMORY + 4  # also mask, memory and flow
        for i, (width, scale) in enumerate(zip(WIDTHS, SCALES, strict=True)):
            self.add_module(f"block{i}", Block(later if i else first, width, scale))
        self.encode = Head()

    def forward(self, first: Tensor, second: Tensor, t: float) -> Tensor:
        """The picture at t in [0, 1] between two, each ``(N, 3, H, W)`` RGB in [0, 1] of any size."""
        height, width = first.shape[-2:]
        border = (0, -width % MULTIPLE, 0, -height % MULTIPLE)
        pictures = F.pad(first, border), F.pad(second, border)
        seen = [torch.cat([picture, self.encode(picture)], 1) for picture in pictures]
        time = torch.full_like(seen[0][:, :1], t)
        near, flow, memory = seen, None, torch.Tensor()
        mask = time
        for i in range(len(SCALES)):
            shown = [near[0][:, :3], near[1][:, :3], near[0][:, 3:], near[1][:, 3:], time]
            block = getattr(self, f"block{i}")
            change, mask, memory = block(
                torch.cat(shown if flow is None else [*shown, mask, memory], 1), flow
            )
            flow = change if flow is None else flow + change
            near = [warp(one, part) for one, part in zip(seen, (flow[:, :2], flow[:, 2:]), strict=True)]
        share = mask.sigmoid()
        made = near[0][:, :3] * share + near[1][:, :3] * (1 - share)
        return made[..., :height, :width]


def load_rife(path: Path, device: torch.device) -> Rife:
    """RIFE with the weights of a file, .safetensors, of the names that the published ``flownet.pkl`` has.

    Raises:
        InputError: the file is missing, a pickle, or of another network.
    """
    if not path.is_file():
        raise InputError(f"the weights {path} do not exist", "Check the path.")
    try:
        weights = load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path} is no safetensors file, and pickles are not opened: they can run code",
            f"Convert weights that you trust: {CONVERT}",
        ) from error
    named = {name.removeprefix("module."): weight.float() for name, weight in weights.items()}
    net = Rife()
    try:
        net.load_state_dict({name: one for name, one in named.items() if not name.startswith(TEACHER)})
    except RuntimeError as error:
        raise InputError(
            f"{path} holds other weights than those of RIFE 4.25 or 4.26 ({str(error).splitlines()[1].strip()[:120]})",
            "Give the flownet of one of those versions, not a lite or heavy one.",
        ) from error
    return net.to(device).eval().requires_grad_(False)


def _halving(channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, width, 3, stride=2, padding=1), nn.LeakyReLU(0.2))


def _resized(x: Tensor, by: float) -> Tensor:
    return F.interpolate(x, scale_factor=by, mode="bilinear")
