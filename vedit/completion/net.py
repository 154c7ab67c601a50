"""The completion net that ships with vedit: it says what a hole most likely shows, given all that is known of it.

A U-Net over one frame: the picture with its hole smoothly filled, what later and earlier frames show (and how surely),
and the frame before as it was completed, carried along the motion. It answers for every pixel how much to take of each
of these four, and what to add. Trained on squared error it gives the mean of all fitting pictures: the x0 that a
denoiser predicts from pure noise (Ho et al., "Denoising Diffusion Probabilistic Models", NeurIPS 2020), in one step.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vedit.completion.evidence import FACTS
from vedit.window import Window

CHANNELS = 4 + 2 * (3 + FACTS) + 4
"""Picture and hole, ahead and behind with their facts, the carried frame and where it is known."""
WIDTHS = (48, 112, 144, 224)
"""Features at 1/2, 1/4, 1/8 and 1/16 of the size."""
GRAIN = 16
"""The sides of a picture must be multiples of this."""
FULL = 24
"""Features at full size."""
CELL = 4
"""Boxes in which an answer is wanted have sides that are multiples of this."""


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

    def forward(self, seen: Tensor, boxes: Sequence[Window] | None = None) -> Tensor:
        """The answer; with ``boxes``, whose sides are multiples of `CELL`, it is worked out there and 0 elsewhere."""
        x = self.open(F.pixel_unshuffle(seen, 2))
        kept = []
        for i in range(0, 6, 2):
            x = self.down[i](x)
            kept.append(x)
            x = self.down[i + 1](x)
        x = self.middle(x)
        half, quarter, eighth = kept
        x = self.up[1](F.pixel_shuffle(self.up[0](x), 2).add_(eighth))
        x = F.pixel_shuffle(self.up[2](x), 2).add_(quarter)
        if boxes is None:
            return self._drawn(x, half, seen, Window(0, seen.shape[-2], 0, seen.shape[-1]))
        answer = seen.new_zeros(len(seen), 7, *seen.shape[-2:], dtype=torch.float32)
        for box in boxes:
            box.of(answer)[:] = self._drawn(x, half, seen, box)
        return answer

    def _drawn(self, quarter: Tensor, half: Tensor, seen: Tensor, box: Window) -> Tensor:
        """The last layers in a box: each level works on what the levels after it will look at, and its own reach."""
        height, width = quarter.shape[-2:]
        at = Window(*(side // 4 for side in (box.top, box.bottom, box.left, box.right)))
        after = at.grown(2, height, width)  # two pixels at half size, two at full size, and what is left over
        around = after.grown(4, height, width)
        x = after.within(around).of(self.up[3](around.of(quarter)))
        twice = Window(*(2 * side for side in (after.top, after.bottom, after.left, after.right)))
        x = self.up[5](F.pixel_shuffle(self.up[4](x), 2).add_(twice.of(half)))
        wider = box.grown(2, *seen.shape[-2:])
        last = Window(wider.top // 2, wider.bottom // 2, wider.left // 2, wider.right // 2)
        x = F.pixel_shuffle(self.up[6](last.within(twice).of(x)), 2)
        x = self.join(torch.cat([F.silu(x, inplace=True), wider.of(seen)], 1))
        answer: Tensor = box.within(wider).of(self.close(F.silu(x, inplace=True)))
        return answer.float()


def assembled(picture: Tensor, hole: Tensor, ahead: Tensor, behind: Tensor, carried: Tensor) -> Tensor:
    """The net's input ``(N, 22, H, W)``: pictures as they are, ``carried`` ``(N, 4, H, W)`` with where it is known."""
    there = carried[:, :3] + picture * (1 - carried[:, 3:])
    return torch.cat([picture, hole, ahead, behind, there, carried[:, 3:]], 1)


def mixed(seen: Tensor, answer: Tensor) -> tuple[Tensor, Tensor]:
    """The picture ``(N, 3, H, W)`` that an answer makes of the net's input, and the shares ``(N, 4, H, W)`` it took.

    The shares of the smooth filling, what is ahead, what is behind, and what was carried add up to 1.
    """
    smooth, ahead, behind, carried = seen[:, :3], seen[:, 4:7], seen[:, 11:14], seen[:, 18:21]
    shares = (answer[:, :4] + (sources_known(seen) - 1) * 30).softmax(1)
    sources = torch.stack([smooth, ahead, behind, carried], 1).float()
    return (shares[:, :, None] * sources).sum(1) + answer[:, 4:], shares


def sources_known(seen: Tensor) -> Tensor:
    """Where each of the four sources that are mixed shows something in the net's input: ``(N, 4, H, W)``, float32."""
    return torch.stack([torch.ones_like(seen[:, 3]), seen[:, 7], seen[:, 14], seen[:, 21]], 1).float()


class Residual(nn.Module):
    """Two 3x3 convolutions beside a straight line; the second starts at zero."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(F.silu(self.first(F.silu(x)), inplace=True))
        return y.add_(x)


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
