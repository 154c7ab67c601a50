"""The completion net that ships with vedit: it says what a hole most likely shows, given all that is known of it.

A U-Net over one frame: the picture with its hole smoothly filled, what later and earlier frames show (and how surely),
and the frame before as it was completed, carried along the motion. It answers for every pixel how much to take of each
of these four, and what to add. Trained on squared error it gives the mean of all fitting pictures: the x0 that a
denoiser predicts from pure noise (Ho et al., "Denoising Diffusion Probabilistic Models", NeurIPS 2020), in one step.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vedit.completion.evidence import FACTS

CHANNELS = 4 + 2 * (3 + FACTS) + 4
"""Picture and hole, ahead and behind with their facts, the carried frame and where it is known."""
WIDTHS = (48, 112, 144, 224)
"""Features at 1/2, 1/4, 1/8 and 1/16 of the size."""
GRAIN = 16
"""The sides of a picture must be multiples of this."""
FULL = 24
"""Features at full size."""


class CompletionNet(nn.Module):
    """What is `assembled`, ``(N, 22, H, W)``, to an answer ``(N, 7, H, W)`` for `mixed`; H, W multiples of `GRAIN`."""

    def __init__(self) -> None:
        super().__init__()
        half, quarter, eighth, sixteenth = WIDTHS
        self.open = nn.Conv2d(CHANNELS * 4, half, 3, padding=1)
        self.down = nn.ModuleList(
            [
                Residual(half),
                nn.Conv2d(half, quarter, 2, 2),
                nn.Sequential(Residual(quarter), Residual(quarter)),
                nn.Conv2d(quarter, eighth, 2, 2),
                nn.Sequential(Residual(eighth), Residual(eighth)),
                nn.Conv2d(eighth, sixteenth, 2, 2),
            ]
        )
        self.middle = nn.Sequential(*(Attending(sixteenth) for _ in range(5)))
        self.up = nn.ModuleList(
            [
                nn.Conv2d(sixteenth, eighth * 4, 1),
                nn.Sequential(Residual(eighth), Residual(eighth)),
                nn.Conv2d(eighth, quarter * 4, 1),
                nn.Sequential(Residual(quarter), Residual(quarter)),
                nn.Conv2d(quarter, half * 4, 1),
                Residual(half),
                nn.Conv2d(half, FULL * 4, 1),
            ]
        )
        self.join = nn.Conv2d(FULL + CHANNELS, FULL, 3, padding=1)
        self.close = nn.Conv2d(FULL, 7, 3, padding=1)
        nn.init.zeros_(self.close.weight)
        assert self.close.bias is not None  # noqa: S101 - made with one
        nn.init.zeros_(self.close.bias)

    def forward(self, seen: Tensor) -> Tensor:
        x = self.open(F.pixel_unshuffle(seen, 2))
        kept = []
        for i in range(0, 6, 2):
            x = self.down[i](x)
            kept.append(x)
            x = self.down[i + 1](x)
        x = self.middle(x)
        for i in range(0, 6, 2):
            x = self.up[i + 1](F.pixel_shuffle(self.up[i](x), 2) + kept.pop())
        x = F.pixel_shuffle(self.up[6](x), 2)
        answer: Tensor = self.close(F.silu(self.join(torch.cat([F.silu(x), seen], 1)))).float()
        return answer


def assembled(picture: Tensor, hole: Tensor, ahead: Tensor, behind: Tensor, carried: Tensor) -> Tensor:
    """The net's input ``(N, 22, H, W)``: pictures as they are, ``carried`` ``(N, 4, H, W)`` with where it is known."""
    there = carried[:, :3] + picture * (1 - carried[:, 3:])
    return torch.cat([picture, hole, ahead, behind, there, carried[:, 3:]], 1)


def mixed(seen: Tensor, answer: Tensor) -> tuple[Tensor, Tensor]:
    """The picture ``(N, 3, H, W)`` that an answer makes of the net's input, and the shares ``(N, 4, H, W)`` it took.

    The shares of the smooth filling, what is ahead, what is behind, and what was carried add up to 1.
    """
    smooth, ahead, behind, carried = seen[:, :3], seen[:, 4:7], seen[:, 11:14], seen[:, 18:21]
    known = torch.stack([torch.ones_like(seen[:, 3]), seen[:, 7], seen[:, 14], seen[:, 21]], 1).float()
    shares = (answer[:, :4] + (known - 1) * 30).softmax(1)
    sources = torch.stack([smooth, ahead, behind, carried], 1).float()
    return (shares[:, :, None] * sources).sum(1) + answer[:, 4:], shares


class Residual(nn.Module):
    """Two 3x3 convolutions beside a straight line; the second starts at zero."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(F.silu(self.first(F.silu(x))))
        return x + y


class Attending(nn.Module):
    """Every cell looks at every other for something alike, then at its neighbours (Vaswani et al., NeurIPS 2017).

    The place enters through a depthwise convolution only, so that any size of picture will do.
    """

    HEADS = 4

    def __init__(self, width: int) -> None:
        super().__init__()
        self.near = nn.Conv2d(width, width, 5, padding=2, groups=width)
        self.before = nn.GroupNorm(1, width)
        self.ask = nn.Conv2d(width, width * 3, 1)
        self.say = nn.Conv2d(width, width, 1)
        self.then = nn.GroupNorm(1, width)
        self.wide = nn.Conv2d(width, width * 2, 1)
        self.back = nn.Conv2d(width * 2, width, 1)
        for last in (self.say, self.back, self.near):
            nn.init.zeros_(last.weight)

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        x = x + self.near(x)
        q, k, v = (
            t.reshape(n, self.HEADS, -1, h * w).transpose(2, 3) for t in self.ask(self.before(x)).chunk(3, 1)
        )
        found = F.scaled_dot_product_attention(q, k, v).transpose(2, 3).reshape(n, c, h, w)
        x = x + self.say(found)
        y: Tensor = self.back(F.silu(self.wide(self.then(x))))
        return x + y
