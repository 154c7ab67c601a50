"""What a temporal layer is."""

from typing import Protocol

from torch import Tensor, nn

from vedit.flow.paths import Paths
from vedit.temporal.attention import FlowAttention
from vedit.temporal.recurrent import ConvLSTM, ConvRNN


class TemporalLayer(Protocol):
    """Lets the frames of one window see each other: features ``(F,c,h,w)`` and their paths to the same shape."""

    def __call__(self, features: Tensor, paths: Paths) -> Tensor: ...


def temporal_layers(width: int) -> nn.ModuleDict:
    """One layer of each kind for features of this width, by name."""
    return nn.ModuleDict({"attention": FlowAttention(width), "rnn": ConvRNN(width), "lstm": ConvLSTM(width)})
