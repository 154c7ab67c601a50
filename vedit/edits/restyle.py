"""Restyle: paint a film in a named look, in the hand of a picture, or as its painted key frames are."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.clip import Clip
from vedit.diffusion.looks import look_in_words, look_row
from vedit.edits.carry import Key, fetch, merged
from vedit.edits.edit import apply_to_clip
from vedit.edits.sketch import Sketch, painting_size, shrunk, sketches
from vedit.edits.steady import Painted, steady
from vedit.errors import UsageError
from vedit.flow.resize import resize
from vedit.frame import Frame, Shot, Timing
from vedit.masks import MaskSetting, check_mask, with_masks
from vedit.pictures import read_picture
from vedit.temporal.kinds import KINDS, Temporal

if TYPE_CHECKING:
    from vedit.edits.hand import Hand

Picture = str | Path | Tensor
"""A picture's path, or ``(3, H, W)`` RGB in [0, 1]."""

STYLE_SIDE = 1024
"""The longer side a style picture is brought to before anything is made of it."""
LOOK_AHEAD = 64
"""Frames read ahead for the next painted key frame: keys up to so far apart are carried both ways."""


@dataclass(frozen=True)
class Restyle:
    """Paint every frame, steady along the motion. Takes exactly one of look, style, prompt and keyframes.

    Args:
        look: a look the engine knows by name (see `vedit.diffusion.looks`), such as "ink", or the path of one that
            `vedit train look` wrote.
        style: any picture that has the look; a key frame of every shot is painted after it, and the engine is taught
            that hand, which takes about a minute per shot the first time.
        prompt: the look in words; the bundled engine takes the one of its looks that they name.
        keyframes: frames of the film that you have painted, by their index in the film, counted from 0: each at the
            film's size or aspect. The engine is taught from them, and where the motion is clear their own paint is
            carried along it.
        strength: 1 is the whole look, which ignores all but the film's structure; at 0.6 to 0.8 its own colours and
            detail show through; 0 keeps the film as it is.
        structure: how firmly the drawing is held: 0 frees it, 1 is as the film has it, 2 stresses it.
        keep_colour: take the film's own colours and only the light and dark of the painting.
        mask: where to restyle (see `vedit.masks`); None means everywhere. Outside it every pixel stays as it is.
        temporal: how the frames of a window see each other: "attention", "rnn", "lstm" or "none".
        engine: the models; "bundled" needs no download.
        seed: the source of all noise, together with each frame's index.
        steps: denoising steps; None takes 4 for a look and 2 for what was taught.
        size: the longer side that larger films are painted at, in pixels; marks are sized to the picture.

    Raises:
        UsageError, InputError: a setting cannot work, or a picture cannot be read.
    """

    memoryless: ClassVar[bool] = False

    look: str | None = None
    style: Picture | None = None
    prompt: str | None = None
    keyframes: Mapping[int, Picture] | None = None
    strength: float = 1.0
    structure: float = 1.0
    keep_colour: bool = False
    mask: MaskSetting | None = None
    temporal: Temporal = "attention"
    engine: str = "bundled"
    seed: int = 0
    steps: int | None = None
    size: int = 768

    def __post_init__(self) -> None:
        given = [n for n in ("look", "style", "prompt", "keyframes") if getattr(self, n) is not None]
        if len(given) != 1:
            raise UsageError(
                f"restyle was given {' and '.join(given) or 'no look'}",
                "Give exactly one of look= (ink, oil, …), style= a picture, prompt= words, keyframes= painted frames.",
            )
        for name, low, high in (("strength", 0, 1), ("structure", 0, 2)):
            if not low <= getattr(self, name) <= high:
                raise UsageError(f"{name} is {getattr(self, name)}", f"Give a number from {low} to {high}.")
        if self.steps is not None and self.steps < 1:
            raise UsageError(f"steps is {self.steps}", "Give at least 1; 4 is a good start.")
        if self.size < 64:
            raise UsageError(f"size is {self.size}", "Give at least 64 pixels; 768 is a good start.")
        if self.temporal not in KINDS:
            raise UsageError(f"temporal is {self.temporal!r}", f"Choose one of {', '.join(KINDS)}.")
        if self.mask is not None:
            check_mask(self.mask)
        if self.look is not None and not _is_file(self.look):
            look_row(self.look)
        if self.prompt is not None:
            look_in_words(self.prompt)
        if self.style is not None:
            read_style(self.style)
        if self.keyframes is not None:
            if not self.keyframes:
                raise UsageError("there is no key frame", "Give keyframes={0: 'painted.png'}, say.")
            if self.structure != 1:
                raise UsageError("structure does not go with key frames", "They say how things are drawn.")
            # A journal's keys are strings.
            object.__setattr__(self, "keyframes", {_index(i): p for i, p in self.keyframes.items()})
            for picture in self.keyframes.values():
                read_style(picture)

    def timing(self, timing: Timing) -> Timing:
        return timing

    def apply(self, clip: Clip) -> Clip:
        """The clip restyled, as one shot; key frames are counted from its first frame."""
        return apply_to_clip(self, clip)

    def stream(self, frames: Iterator[Frame], shot: Shot) -> Iterator[Frame]:
        """Restyle one shot; some four windows of frames are held, and `LOOK_AHEAD` more for key frames."""
        if self.strength == 0:
            yield from frames
            return
        size = painting_size(shot.height, shot.width, self.size)
        ready, hand = self._ready(frames, shot, size)
        if hand is None:
            yield from (sketch.frame for sketch in ready)
            return
        waiting: deque[Sketch] = deque()
        pictures = steady(self._denoised(ready, hand, waiting, shot))
        for picture in pictures:
            yield self._finished(waiting.popleft(), picture)

    def _ready(
        self, frames: Iterator[Frame], shot: Shot, size: tuple[int, int]
    ) -> tuple[Iterator[Sketch], "Hand | None"]:
        """The shot's sketches, and the hand that paints it; None when no key frame says how."""
        from vedit.diffusion.engine import load_engine, load_look
        from vedit.diffusion.fit import Example
        from vedit.diffusion.looks import FITTED
        from vedit.edits.hand import Hand, key_in_style, taught

        engine = load_engine(self.engine, shot.device)
        if self.style is None and self.keyframes is None:
            look = self.look or look_in_words(self.prompt or "")
            if _is_file(look):
                hand = Hand(load_look(engine, Path(look)), FITTED, self.steps or 4)
            else:
                hand = Hand(engine, look_row(look), self.steps or 4)
            return sketches(self._masked(frames, shot), size, {}, 0, []), hand
        if shot.trial:
            shot.notes.warn("learning the hand takes about a minute more for each shot, the first time")
            return sketches(self._masked(frames, shot), size, {}, 0, []), Hand(
                engine, FITTED, self.steps or 2
            )
        paintings: dict[int, Tensor] = {}
        ahead = 0
        if self.style is not None:
            first = next(frames)
            frames = chain([first], frames)
            paintings[first.index] = key_in_style(
                shrunk(first.pixels[:3], size),
                read_style(self.style),
                structure=self.structure,
                seed=self.seed,
                phase=shot.notes.phase,
            )
        else:
            assert self.keyframes is not None  # noqa: S101 - one of the four is given
            paintings = {i: _fitted_to(read_style(p), size) for i, p in self.keyframes.items()}
            ahead = LOOK_AHEAD
        keys: list[Key] = []
        ready = sketches(self._masked(frames, shot), size, paintings, ahead, keys)
        one = next(ready)  # by now the sketches have looked ahead
        ready = chain([one], ready)
        examples = [Example(key.frame, key.painting) for key in keys]
        if not examples:
            shot.notes.warn(
                f"the shot that begins at frame {one.frame.index} has no key frame among its first {LOOK_AHEAD}: "
                "it stays as it is; give it one with keyframes="
            )
            return ready, None
        fitted = taught(engine, examples, seed=self.seed, phase=shot.notes.phase)
        return ready, Hand(fitted, FITTED, self.steps or 2)

    def _denoised(
        self, ready: Iterator[Sketch], hand: "Hand", waiting: deque[Sketch], shot: Shot
    ) -> Iterator[Painted]:
        """Send the sketches through the latent path; each is put into ``waiting`` on its way."""
        from vedit.diffusion import Prior, denoise

        links: deque[Sketch] = deque()

        def priors() -> Iterator[Prior]:
            for sketch in ready:
                waiting.append(sketch)
                links.append(sketch)
                yield Prior(
                    sketch.frame.index,
                    _drawing(sketch.pixels, self.structure),
                    sketch.small_mask,
                    sketch.link,
                )

        for picture in denoise(
            priors(),
            hand.engine,
            strength=self.strength,
            seed=self.seed,
            look=hand.look,
            temporal=self.temporal,
            steps=hand.steps,
            wanted=max(0, shot.wanted - 2),  # the frames before it are averaged into it
        ):
            yield Painted(picture, links.popleft().link)

    def _finished(self, sketch: Sketch, picture: Tensor) -> Frame:
        """The painted frame at the film's size: the keys' paint over the engine's, colours, mask."""
        if sketch.trails:
            reach = LOOK_AHEAD + 1
            paint, belief = merged(
                [
                    (
                        *fetch(key, trail, sketch.pixels),
                        max(0.0, 1 - abs(key.index - sketch.frame.index) / reach),
                    )
                    for key, trail in sketch.trails
                ]
            )
            # The engine's picture is at this strength already.
            picture = torch.lerp(picture, torch.lerp(sketch.pixels, paint, self.strength), belief)
        original = sketch.frame.pixels
        if picture.shape[-2:] != original.shape[-2:]:
            picture = F.interpolate(
                picture[None], size=original.shape[-2:], mode="bicubic", align_corners=False
            )[0].clamp(0, 1)
        if self.keep_colour:
            picture = (original[:3] + _luma(picture) - _luma(original[:3])).clamp(0, 1)
        mask = sketch.mask
        if mask is not None:
            picture = torch.where(mask > 0, torch.lerp(original[:3], picture, mask), original[:3])
        return sketch.frame.edited(torch.cat([picture, original[3:]]), changed=mask)

    def _masked(self, frames: Iterator[Frame], shot: Shot) -> Iterator[tuple[Frame, Tensor | None]]:
        if self.mask is None:
            return ((frame, None) for frame in frames)
        return with_masks(frames, self.mask, shot)


def _is_file(look: str) -> bool:
    """Whether a look is a trained one's file and no name."""
    return look.endswith(".safetensors")


def _index(text: int | str) -> int:
    try:
        index = int(text)
    except ValueError:
        index = -1
    if index < 0:
        raise UsageError(f"key frame {text!r} is no frame's index", "Count the film's frames from 0.")
    return index


def _luma(picture: Tensor) -> Tensor:
    """BT.601 luma ``(1,H,W)``."""
    luma: Tensor = 0.299 * picture[:1] + 0.587 * picture[1:2] + 0.114 * picture[2:3]
    return luma


def _drawing(pixels: Tensor, structure: float) -> Tensor:
    """A frame ``(3,h,w)`` with its fine drawing taken back (structure under 1) or stressed (over 1)."""
    if structure == 1:
        return pixels
    radius = max(1, pixels.shape[-2] // 60)
    calm = F.avg_pool2d(pixels[None], 2 * radius + 1, 1, radius, count_include_pad=False)[0]
    return (calm + structure * (pixels - calm)).clamp(0, 1)


def _fitted_to(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """A painted key ``(3,H,W)`` at the size that its film is painted at.

    Raises:
        UsageError: its aspect is another one.
    """
    height, width = picture.shape[-2:]
    if abs(width / height / (size[1] / size[0]) - 1) > 0.03:
        raise UsageError(
            f"a key frame is {width}x{height}, which is not the film's shape",
            f"Give the whole frame, painted: {size[1]}x{size[0]} or the same shape larger or smaller.",
        )
    return resize(picture[None], *size)[0]


def read_style(style: Picture) -> Tensor:
    """A style picture or painted frame as ``(3, H, W)`` in [0, 1], its longer side at most `STYLE_SIDE`.

    Raises:
        InputError: the file is missing or no picture.
        UsageError: the tensor's shape is wrong.
    """
    if isinstance(style, Tensor):
        if style.ndim != 3 or style.shape[0] != 3:
            raise UsageError(f"the picture has shape {tuple(style.shape)}", "Give (3, H, W) RGB in [0, 1].")
        picture = style.float()
    else:
        picture = read_picture(style).float() / 255
    height, width = picture.shape[-2:]
    return shrunk(picture, painting_size(height, width, STYLE_SIDE))
