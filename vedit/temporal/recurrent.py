"""Recurrent temporal layers: a memory that travels along the flow from frame to frame, in both directions.

Before a frame reads the memory, the memory is moved to where that frame's points are and emptied where they were
hidden, so that what is remembered about a surface stays with it (as in Chan et al., "BasicVSR", CVPR 2021, for
super-resolution). A window starts with an empty memory: frames are not tied to what came before their window.
"""

from typing import cast

import torch
from torch import Tensor, nn

from vedit.flow.paths import Paths
from vedit.flow.warp import warp


class _Recurrent(nn.Module):
    """What both kinds share (see `TemporalLayer`); the projection out starts at zero: a new layer changes nothing."""

    parts: int
    """Numbers that the cell's convolution gives per channel of memory."""

    def __init__(self, width: int, memory: int = 32) -> None:
        super().__init__()
        self.memory = memory
        self.norm = nn.GroupNorm(8, width)
        self.enter = nn.Conv2d(width, memory, 1)
        self.cells = nn.ModuleList(
            nn.Conv2d(2 * memory, self.parts * memory, 3, padding=1) for _ in ("forward", "backward")
        )
        self.out = nn.Conv2d(2 * memory, width, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(cast(Tensor, self.out.bias))

    def update(self, mixed: Tensor, state: Tensor) -> Tensor:
        """The next state ``(1, states, h, w)`` from the cell's convolution and the state before."""
        raise NotImplementedError

    @property
    def states(self) -> int:
        """Channels that are carried from frame to frame; the first ``memory`` of them are what is read."""
        return self.memory

    def forward(self, features: Tensor, paths: Paths) -> Tensor:
        if not paths.flows:
            return features
        entered = self.enter(self.norm(features))
        count = len(features)
        both = []
        for cell, order, offset in zip(
            self.cells, (range(count), reversed(range(count))), (-1, 1), strict=True
        ):
            state = features.new_zeros(1, self.states, *features.shape[-2:])
            seen: dict[int, Tensor] = {}
            for i in order:
                state = warp(state, paths.flows[offset][i : i + 1]) * paths.valid[offset][i : i + 1].to(
                    state.dtype
                )
                mixed = cell(torch.cat([entered[i : i + 1], state[:, : self.memory]], dim=1))
                state = self.update(mixed, state)
                seen[i] = state[:, : self.memory]
            both.append(torch.cat([seen[i] for i in range(count)]))
        return cast(Tensor, features + self.out(torch.cat(both, dim=1)))


class ConvRNN(_Recurrent):
    """h = tanh(W [x, h']) with convolutions for the products (Elman, "Finding Structure in Time", 1990)."""

    parts = 1

    def update(self, mixed: Tensor, state: Tensor) -> Tensor:
        return torch.tanh(mixed)


class ConvLSTM(_Recurrent):
    """Gated memory (Shi et al., "Convolutional LSTM Network", NeurIPS 2015)."""

    parts = 4

    @property
    def states(self) -> int:
        return 2 * self.memory

    def update(self, mixed: Tensor, state: Tensor) -> Tensor:
        gate_in, forget, gate_out, new = mixed.chunk(4, dim=1)
        cell = torch.sigmoid(forget + 1) * state[:, self.memory :] + torch.sigmoid(gate_in) * torch.tanh(new)
        return torch.cat([torch.sigmoid(gate_out) * torch.tanh(cell), cell], dim=1)
