"""Which pipelines are called whole, and what each can do."""

from typing import Any, Protocol

from torch import Tensor

from vedit.diffusion.whole.ltx import Ltx
from vedit.diffusion.whole.ltx2 import Ltx2
from vedit.diffusion.whole.settings import WholeSettings
from vedit.diffusion.whole.vace import Vace
from vedit.diffusion.whole.windows import Window
from vedit.errors import EngineError, UsageError


class WholeModel(Protocol):
    """A pipeline that makes windows of frames.

    Attributes:
        window: frames it was trained to make at once.
        overlap: frames that a window best hands on to the next.
        every: it makes ``every * k + 1`` frames.
        multiple: of which its sides are multiples, in pixels.
        guided: whether it follows control maps.
        masked: whether it can keep a part of a frame and paint the rest.
        referred: whether it takes reference pictures.
    """

    window: int
    overlap: int
    every: int
    multiple: int
    guided: bool
    masked: bool
    referred: bool

    def __call__(self, window: Window) -> Tensor:
        """The window's frames ``(F,3,H,W)`` in [0, 1], on the CPU, as many and as large as they were."""


KINDS: dict[str, type[Vace] | type[Ltx] | type[Ltx2]] = {
    "WanVACEPipeline": Vace,
    "LTXConditionPipeline": Ltx,
    "LTX2ConditionPipeline": Ltx2,
}
"""What makes windows with a diffusers pipeline of this class."""


def whole_model(pipe: Any, settings: WholeSettings) -> WholeModel:
    """The pipeline as a maker of windows, its prompt read.

    Args:
        pipe: diffusers' ``WanVACEPipeline``, ``LTXConditionPipeline`` or ``LTX2ConditionPipeline``, on its device.
        settings: what is asked of it.

    Raises:
        EngineError: the pipeline is of another kind, or lacks a part.
        UsageError: it cannot do what ``settings`` ask.
    """
    name = type(pipe).__name__
    # By name, because older versions of diffusers lack some of these classes.
    kind = next((KINDS[theirs.__name__] for theirs in type(pipe).__mro__ if theirs.__name__ in KINDS), None)
    if kind is None:
        raise EngineError(
            f"{name} cannot make windows of a film",
            "Use a checkpoint of Wan VACE, or of LTX or LTX-2 in its condition pipeline.",
        )
    parts: dict[str, Any] = pipe.components
    missing = [
        part for part, there in parts.items() if there is None and part not in pipe._optional_components
    ]
    # Of Wan's two transformers, for the first steps and the last, either may be left out.
    if parts["transformer"] is None and parts.get("transformer_2") is None:
        missing.append("transformer")
    if missing:
        raise EngineError(
            f"the {name} has no {' and no '.join(missing)}", "Load a whole checkpoint, with all its folders."
        )
    if settings.reference and not kind.referred:
        raise UsageError(f"{name} takes no reference pictures", "Use a Wan VACE checkpoint, or words only.")
    return kind(pipe, settings)


def window_grid(model: WholeModel, settings: WholeSettings) -> tuple[int, int]:
    """How many frames a window has and shares with the next.

    Raises:
        UsageError: the model cannot make so many frames at once, or join windows on so many.
    """
    window = model.window if settings.window is None else settings.window
    overlap = model.overlap if settings.overlap is None else settings.overlap
    if settings.window is not None and settings.overlap is None:
        # At most a third of a small window, so that each one makes more new frames than it is handed.
        overlap = min(overlap, max(1, (window // 3 - 1) // model.every * model.every + 1))
    for name, frames in (("window", window), ("overlap", overlap)):
        if frames < 1 or (frames - 1) % model.every:
            low = max(0, (frames - 1) // model.every) * model.every + 1
            raise UsageError(
                f"{name} is {frames} frames, and this model works on {model.every}k + 1",
                f"Give {low} or {low + model.every}.",
            )
    if overlap >= window:
        raise UsageError(f"overlap is {overlap} of a window's {window} frames", "Give fewer.")
    return window, overlap
