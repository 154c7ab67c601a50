"""What the user names of a pretrained model: the model itself and all that is laid over it."""

import math
import re
from dataclasses import dataclass

from vedit.errors import UsageError
from vedit.pretrained.known import CONTROLS
from vedit.pretrained.schedulers import SCHEDULERS

SPEEDS = ("compile", "cache")
PRECISIONS = ("fp32", "bf16", "fp16", "int8")


@dataclass(frozen=True)
class Checkpoint:
    """A model and its adapters, by name.

    A name is one of `vedit engines`, a folder, a ``.safetensors`` file, a hub id (``owner/name``, ``@revision`` for
    another than the newest), or one file of a hub repository (``owner/name/file.safetensors``).

    Raises:
        UsageError: a weight, a kind of control, a scheduler or a precision that does not exist, or a control given
            twice.
    """

    model: str
    motion: str | None = "auto"
    """A motion adapter; "auto" takes the known one of the family where it is present; None goes without."""
    lora: tuple[str, ...] = ()
    """LoRAs, each "name" or "name=0.8" with its weight."""
    controlnet: tuple[str, ...] = ()
    """ControlNets, each "canny" (the known one of the family) or "canny=name"."""
    ip_adapter: str | None = None
    """An IP-Adapter: a folder or repository laid out as h94/IP-Adapter, or one weights file of it."""
    codec: str | None = None
    """An AutoencoderTiny or AutoencoderKL in place of the checkpoint's own."""
    scheduler: str | None = None
    """One of `SCHEDULERS`; None keeps the checkpoint's, or takes what its few-step adapter was trained for."""
    weights: str | None = None
    """One of `PRECISIONS`: what the weights are kept in; None is the device's own type."""
    speed: tuple[str, ...] = ()
    """Of `SPEEDS`: "compile" the transformer blocks, "cache" the U-Net's deep features for every other step."""

    def __post_init__(self) -> None:
        for way in self.speed:
            if way not in SPEEDS:
                raise UsageError(f"there is no speed {way!r}", f"Take some of {', '.join(SPEEDS)}.")
        if self.weights is not None and self.weights not in PRECISIONS:
            raise UsageError(
                f"there are no weights {self.weights!r}", f"Take one of {', '.join(PRECISIONS)}."
            )
        if self.scheduler is not None and self.scheduler not in SCHEDULERS:
            raise UsageError(
                f"there is no scheduler called {self.scheduler!r}", f"Take one of {', '.join(SCHEDULERS)}."
            )
        kinds = [kind for kind, _ in self.controls]
        for kind in kinds:
            if kind not in CONTROLS:
                raise UsageError(
                    f"there is no control called {kind!r}",
                    f"Write kind or kind=model; the kinds are {', '.join(CONTROLS)}.",
                )
            if kinds.count(kind) > 1:
                raise UsageError(f"the control {kind!r} is given twice", "Give each kind one ControlNet.")
        self.loras  # noqa: B018 - complains about a weight that is no number

    @property
    def loras(self) -> tuple[tuple[str, float], ...]:
        """Each LoRA's name and weight."""
        found = []
        for text in self.lora:
            name, equals, weight = text.rpartition("=")
            if not equals or re.search(r"[/\\]|\.safetensors$", weight):
                found.append((text, 1.0))
                continue
            try:
                value = float(weight)
            except ValueError:
                value = math.nan
            if not name or not math.isfinite(value):
                raise UsageError(
                    f"the LoRA {text!r} has no name, or a weight that is no number",
                    "Write name=0.8, or the name alone for 1.",
                )
            found.append((name, value))
        return tuple(found)

    @property
    def controls(self) -> tuple[tuple[str, str | None], ...]:
        """Each ControlNet's kind and name, None for the known one of the family."""
        return tuple(
            (kind, name or None) for kind, _, name in (text.partition("=") for text in self.controlnet)
        )
