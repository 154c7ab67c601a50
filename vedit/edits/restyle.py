"""Restyle: give a film the look and the palette of a style picture."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.clip import Clip
from vedit.edits.edit import apply_to_clip
from vedit.edits.palette import colour_map, palette_of, recolour
from vedit.errors import UsageError
from vedit.flow.pairs import pair_flow
from vedit.frame import Frame, Shot, Timing
from vedit.masks import MaskSetting, check_mask, with_masks
from vedit.pictures import read_picture

STYLE_SIDE = 576
"""The longer side a style picture is brought to: the size of the paintings the looks were learned from."""
PALETTE_FRAMES = 8
"""A shot's palette is measured on its first frames and held, so that its colours do not wander."""


@dataclass(frozen=True)
class Restyle:
    """Paint every frame in the hand of a style picture, steady along the motion.

    Args:
        style: a picture's path, or ``(3, H, W)`` in [0, 1].
        prompt: the look in words; the bundled engine does not read words.
        strength: 0 keeps the film as it is, 1 ignores all but its structure.
        mask: where to restyle (see `vedit.masks`); None means everywhere. Outside it every pixel stays as it is.
        engine: the models; "bundled" needs no download.
        seed: the source of all noise, together with each frame's index.
        steps: denoising steps.

    Raises:
        UsageError, InputError: a setting cannot work, or the style picture cannot be read.
    """

    memoryless: ClassVar[bool] = False

    style: str | Path | Tensor | None = None
    prompt: str | None = None
    strength: float = 0.6
    mask: MaskSetting | None = None
    engine: str = "bundled"
    seed: int = 0
    steps: int = 4

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise UsageError(f"strength is {self.strength}", "Give a number from 0 (keep the film) to 1.")
        if self.steps < 1:
            raise UsageError(f"steps is {self.steps}", "Give at least 1; 4 is a good start.")
        if self.prompt is not None:
            raise UsageError(
                "the bundled engine does not read prompts", "Give style= a picture that has the look."
            )
        if self.style is None:
            raise UsageError(
                "restyle needs a style", "Give style= a picture: samples/styles has some to start with."
            )
        if self.mask is not None:
            check_mask(self.mask)
        read_style(self.style)

    def timing(self, timing: Timing) -> Timing:
        return timing

    def apply(self, clip: Clip) -> Clip:
        return apply_to_clip(self, clip)

    def stream(self, frames: Iterator[Frame], shot: Shot) -> Iterator[Frame]:
        """Restyle one shot; about four windows of frames are held."""
        if self.strength == 0:
            yield from frames
            return
        from vedit.diffusion import Prior, denoise, load_engine

        engine = load_engine(self.engine, shot.device)
        assert self.style is not None  # noqa: S101 - __post_init__ saw to it
        style = read_style(self.style)
        first = list(islice(frames, PALETTE_FRAMES))
        matrix, offset = colour_map(palette_of(torch.stack([f.pixels[:3] for f in first])), palette_of(style))
        amount = min(1.0, 1.5 * self.strength)
        waiting: deque[tuple[Frame, Tensor | None]] = deque()

        def priors() -> Iterator[Prior]:
            before: Tensor | None = None
            for frame, mask in self._masked(_chain(first, frames), shot):
                waiting.append((frame, mask))
                pixels = frame.pixels[:3]
                pair = None if before is None else pair_flow(before, pixels, quality="draft")
                before = pixels
                painted = torch.lerp(pixels, recolour(pixels[None], matrix, offset)[0], amount)
                yield Prior(frame.index, painted, mask, pair)

        look = engine.look_of(style)
        for picture in denoise(
            priors(),
            engine,
            strength=self.strength,
            seed=self.seed,
            look=look,
            steps=self.steps,
            wanted=shot.wanted,
        ):
            frame, mask = waiting.popleft()
            original = frame.pixels
            if mask is not None:
                picture = torch.where(mask > 0, torch.lerp(original[:3], picture, mask), original[:3])
            yield frame.edited(torch.cat([picture, original[3:]]), changed=mask)

    def _masked(self, frames: Iterator[Frame], shot: Shot) -> Iterator[tuple[Frame, Tensor | None]]:
        if self.mask is None:
            return ((frame, None) for frame in frames)
        return with_masks(frames, self.mask, shot)


def _chain(first: list[Frame], rest: Iterator[Frame]) -> Iterator[Frame]:
    """The frames looked at ahead, then the others; each is let go as soon as it has been handed on."""
    while first:
        yield first.pop(0)
    yield from rest


def read_style(style: str | Path | Tensor) -> Tensor:
    """A style picture as ``(3, H, W)`` in [0, 1], its longer side at most `STYLE_SIDE`.

    Raises:
        InputError: the file is missing or no picture.
        UsageError: the tensor's shape is wrong.
    """
    if isinstance(style, Tensor):
        if style.ndim != 3 or style.shape[0] != 3:
            raise UsageError(f"the style has shape {tuple(style.shape)}", "Give (3, H, W) RGB in [0, 1].")
        picture = style.float()
    else:
        picture = read_picture(style).float() / 255
    scale = STYLE_SIDE / max(picture.shape[-2:])
    if scale < 1:
        size = [max(1, round(n * scale)) for n in picture.shape[-2:]]
        picture = F.interpolate(picture[None], size=size, mode="area")[0]
    return picture
