"""The kinds of temporal layers, by name (apart from the layers, because they need torch)."""

from typing import Literal, get_args

Temporal = Literal["attention", "rnn", "lstm", "none"]
"""How the frames of a window see each other; "none" means not at all."""
KINDS: tuple[Temporal, ...] = get_args(Temporal)

Foresight = Literal["rnn", "lstm", "transformer"]
"""What predicts the frames that come next."""
FORESIGHTS: tuple[Foresight, ...] = get_args(Foresight)
