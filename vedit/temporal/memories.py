"""What is remembered of a shot while its next frames are predicted: three memories with one interface.

A memory travels along the flow: before a frame reads it, it is moved to where that frame's points are and emptied
where they were hidden. In the equations, w(x) is x moved so; * is a 3x3 convolution, o a product element by element.
"""

from typing import Protocol, cast

import torch
from torch import Tensor, nn

from vedit.flow.warp import warp
from vedit.temporal.kinds import Foresight


class Memory(Protocol):
    """Reads a frame's features ``(N, c, h, w)``, gives what it makes of them ``(N, c, h, w)``, and remembers."""

    def __call__(
        self, features: Tensor, state: Tensor | None, flow: Tensor, seen: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What is read, and the next state.

        ``state`` is what the last call gave (None: nothing yet), on the grid of the frame before; ``flow``
        ``(N, 2, h, w)`` leads there from this one's, ``seen`` ``(N, 1, h, w)`` is 0 where it leads to nothing.
        """
        ...


class Elman(nn.Module):
    """A simple recurrent network, with convolutions for the products.

        h_t = tanh(W * x_t + U * w(h_{t-1}) + b)

    Elman, "Finding Structure in Time", Cognitive Science 14, 1990.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cell = nn.Conv2d(2 * width, width, 3, padding=1)

    def forward(
        self, features: Tensor, state: Tensor | None, flow: Tensor, seen: Tensor
    ) -> tuple[Tensor, Tensor]:
        before = torch.zeros_like(features) if state is None else warp(state, flow) * seen
        now = torch.tanh(self.cell(torch.cat([features, before], dim=1)))
        return now, now


class LSTM(nn.Module):
    """Long short-term memory, with convolutions for the products.

        i_t = s(W_i * [x_t, w(h_{t-1})] + b_i)       f_t = s(W_f * [x_t, w(h_{t-1})] + b_f + 1)
        o_t = s(W_o * [x_t, w(h_{t-1})] + b_o)       g_t = tanh(W_g * [x_t, w(h_{t-1})] + b_g)
        c_t = f_t o w(c_{t-1}) + i_t o g_t           h_t = o_t o tanh(c_t)

    s is the logistic function. Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 9, 1997, with
    the forget gate of Gers et al., 2000, open at first; convolutions as in Shi et al., "Convolutional LSTM Network",
    NeurIPS 2015.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cell = nn.Conv2d(2 * width, 4 * width, 3, padding=1)

    def forward(
        self, features: Tensor, state: Tensor | None, flow: Tensor, seen: Tensor
    ) -> tuple[Tensor, Tensor]:
        nothing = features.new_zeros(len(features), 2 * features.shape[1], *features.shape[-2:])
        read, kept = (nothing if state is None else warp(state, flow) * seen).chunk(2, dim=1)
        enter, forget, leave, new = self.cell(torch.cat([features, read], dim=1)).chunk(4, dim=1)
        kept = torch.sigmoid(forget + 1) * kept + torch.sigmoid(enter) * torch.tanh(new)
        read = torch.sigmoid(leave) * torch.tanh(kept)
        return read, torch.cat([read, kept], dim=1)


class _TokenNorm(nn.LayerNorm):
    """Layer normalisation of every token ``(N, c, h, w)`` by itself."""

    def forward(self, tokens: Tensor) -> Tensor:
        return super().forward(tokens.movedim(1, -1)).movedim(-1, 1)


class PathTransformer(nn.Module):
    """A Transformer block over each token's own flow path.

    A token is a cell of the latents, and attends to itself and to what its path met in the frames before.

        a_t = sum_j softmax_j(q_t . k_j / sqrt(d) + b_{t-j}) v_j,     j = t, t-1, ... t-7
        q = W_q n(x), k = W_k n(x), v = W_v n(x)
        y_t = x_t + W_a a_t,     z_t = y_t + W_2 gelu(W_1 n(y_t))

    n normalises every token; b is learned for every age and head, and minus infinity where the path is hidden.
    Vaswani et al., "Attention Is All You Need", NeurIPS 2017, normalised first as in Xiong et al., ICML 2020; along
    paths as in Cong et al., "FLATTEN", ICLR 2024.
    """

    reach = 8
    """Frames that are remembered, with the one at hand."""

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm, self.norm_after = _TokenNorm(width), _TokenNorm(width)
        self.query = nn.Conv2d(width, width, 1)
        self.key_value = nn.Conv2d(width, 2 * width, 1)
        self.out = nn.Conv2d(width, width, 1)
        self.feed = nn.Sequential(nn.Conv2d(width, 2 * width, 1), nn.GELU(), nn.Conv2d(2 * width, width, 1))
        self.bias = nn.Parameter(torch.zeros(self.reach, heads))

    def forward(
        self, features: Tensor, state: Tensor | None, flow: Tensor, seen: Tensor
    ) -> tuple[Tensor, Tensor]:
        count, width, height, breadth = features.shape
        normed = self.norm(features)
        own = torch.cat([self.key_value(normed), torch.ones_like(seen)], dim=1)
        bank = own if state is None else torch.cat([own, warp(state, flow) * seen], dim=1)
        bank = bank[:, : self.reach * own.shape[1]]
        ages = bank.view(count, -1, own.shape[1], height, breadth)

        def split(x: Tensor) -> Tensor:  # (N, ages, heads, d, h, w)
            return x.reshape(count, -1, self.heads, width // self.heads, height, breadth)

        query = split(self.query(normed)) * (width // self.heads) ** -0.5
        scores = (query * split(ages[:, :, :width])).sum(3)
        scores = scores + self.bias[: scores.shape[1]].view(1, -1, self.heads, 1, 1)
        scores = scores.masked_fill(ages[:, :, -1:] < 0.5, float("-inf"))  # its own is always there
        mixed = (scores.softmax(1).unsqueeze(3) * split(ages[:, :, width : 2 * width])).sum(1)
        after = features + self.out(mixed.reshape(count, width, height, breadth))
        return cast(Tensor, after + self.feed(self.norm_after(after))), bank


def memory(kind: Foresight, width: int) -> nn.Module:
    """A new memory (see `Memory`) of a kind, for features of a width that 4 divides."""
    return {"rnn": Elman, "lstm": LSTM, "transformer": PathTransformer}[kind](width)
