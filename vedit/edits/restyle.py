"""Restyle: paint a film in a named look, in the hand of a picture, after words, or as its painted key frames are."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vedit.clip import Clip
from vedit.diffusion.looks import look_in_words, look_row
from vedit.diffusion.prompting import Prompt, parse
from vedit.diffusion.ramps import Number
from vedit.edits.edit import apply_to_clip
from vedit.edits.pretrained import STRENGTH, read_wish
from vedit.edits.style import Picture, read_style
from vedit.errors import UsageError
from vedit.frame import Frame, Shot, Timing
from vedit.masks import MaskSetting, check_mask, with_masks
from vedit.temporal.kinds import KINDS, Temporal


@dataclass(frozen=True)
class Restyle:
    """Paint every frame, steady along the motion.

    The bundled engine takes exactly one of look, style, prompt and keyframes. A pretrained one takes no look, and
    prompt, style and keyframes together.

    Args:
        look: a look the bundled engine knows by name (see `vedit.diffusion.looks`), such as "ink", or the path of one
            that `vedit train look` wrote.
        style: any picture that has the look. Bundled: a key frame of every shot is painted after it, and the engine is
            taught that hand, which takes about a minute per shot the first time. Pretrained: an IP-Adapter follows it.
        prompt: what is to be seen, in words; the bundled engine takes the one of its looks that they name. With a
            pretrained engine it may change: "0: a forest; 4.5s: ashes" (see `vedit.diffusion.prompting`).
        keyframes: frames of the film that you have painted, by their index in the film, counted from 0: each at the
            film's size or aspect. Where the motion is clear their own paint is carried along it; the bundled engine is
            taught from them too, a pretrained one starts from them.
        strength: 1 is the whole look, which ignores all but the film's structure; at 0.6 to 0.8 its own colours and
            detail show through; 0 keeps the film as it is. None: 1 for bundled, 0.6 for a pretrained engine, with
            which it may change: "0: 0.3; 48: 0.8".
        structure: how firmly the bundled engine holds the drawing: 0 frees it, 1 is as the film has it, 2 stresses it.
        keep_colour: take the film's own colours and only the light and dark of the painting.
        mask: where to restyle (see `vedit.masks`); None means everywhere. Outside it every pixel stays as it is.
        temporal: how the frames of the bundled engine's windows see each other: "attention", "rnn", "lstm" or "none".
        engine: the models; "bundled" needs no download. A pretrained one is a known name (see `vedit engines`), a
            folder, a .safetensors file or a hub id, with what is laid over it: "sd15 + lora=film.safetensors=0.8"
            (see `vedit.pretrained.spec`).
        seed: the source of all noise, together with each frame's index.
        steps: denoising steps; None takes 2 for the bundled engine (1 is faster and calmer, 4 are richer and livelier),
            4 for a look of `vedit train look`, and 25 for a pretrained engine or what it was distilled for.
        size: the longer side that larger films are painted at, in pixels; marks are sized to the picture.
        negative_prompt: what is not to be seen (pretrained).
        guidance_scale: how closely the prompt is followed (pretrained); None is 7.5, or what the engine was distilled
            for.
        control: maps of the film's structure that hold the drawing (pretrained): "canny", "depth:0.6,pose"; see
            `vedit.diffusion.control`.
        consistency: what holds a pretrained engine's frames together: "auto", "none", or some of flow, noise, anchors,
            fusion, colour (see `vedit.edits.aids`).
        window: frames a pretrained engine sees at once; None is 16.

    Raises:
        UsageError, InputError: a setting cannot work, or a picture cannot be read.
    """

    memoryless: ClassVar[bool] = False

    look: str | None = None
    style: Picture | None = None
    prompt: Prompt | None = None
    keyframes: Mapping[int, Picture] | None = None
    strength: Number | None = None
    structure: float = 1.0
    keep_colour: bool = False
    mask: MaskSetting | None = None
    temporal: Temporal = "attention"
    engine: str = "bundled"
    seed: int = 0
    steps: int | None = None
    size: int = 768
    negative_prompt: str | None = None
    guidance_scale: float | None = None
    control: str | None = None
    consistency: str = "auto"
    window: int | None = None

    def __post_init__(self) -> None:
        self._check_keyframes()
        with suppress(ValueError):  # a command line's number is text; one that changes over the film stays so
            if isinstance(self.strength, str):
                object.__setattr__(self, "strength", float(self.strength))
        if self.mask is not None:
            check_mask(self.mask)
        if self.style is not None:
            read_style(self.style)
        if self.steps is not None and self.steps < 1:
            raise UsageError(f"steps is {self.steps}", "Give at least 1.")
        if self.size < 64:
            raise UsageError(f"size is {self.size}", "Give at least 64 pixels; 768 is a good start.")
        if self.temporal not in KINDS:
            raise UsageError(f"temporal is {self.temporal!r}", f"Choose one of {', '.join(KINDS)}.")
        wish = read_wish(self)
        if self.strength is None:  # what it means is written down with the other settings
            object.__setattr__(self, "strength", 1.0 if wish is None else STRENGTH)
        if wish is None:
            object.__setattr__(self, "engine", "bundled")  # whatever spaces stood around it
            self._check_bundled()

    def _check_bundled(self) -> None:
        """Complain about what the bundled engine cannot do."""
        given = [n for n in ("look", "style", "prompt", "keyframes") if getattr(self, n) is not None]
        if len(given) != 1:
            raise UsageError(
                f"restyle was given {' and '.join(given) or 'no look'}",
                "Give exactly one of look= (ink, oil, …), style= a picture, prompt= words, keyframes= painted frames.",
            )
        if not 0 <= self.structure <= 2:
            raise UsageError(f"structure is {self.structure}", "Give a number from 0 to 2.")
        self.steady_strength()
        if self.look is not None and not self.trained:
            look_row(self.look)
        if self.prompt is not None:
            look_in_words(self.plain_prompt())
        if self.keyframes is not None and self.structure != 1:
            raise UsageError("structure does not go with key frames", "They say how things are drawn.")

    def _check_keyframes(self) -> None:
        if self.keyframes is None:
            return
        if not self.keyframes:
            raise UsageError("there is no key frame", "Give keyframes={0: 'painted.png'}, say.")
        # A journal's keys are strings.
        object.__setattr__(self, "keyframes", {_index(i): p for i, p in self.keyframes.items()})
        for picture in self.keyframes.values():
            read_style(picture)

    def steady_strength(self) -> float:
        """The bundled engine's strength, the same for all frames."""
        try:
            strength = float(self.strength)  # type: ignore[arg-type] # or complain
        except (TypeError, ValueError):
            strength = -1.0
        if not 0 <= strength <= 1:
            raise UsageError(
                f"strength is {self.strength}",
                "Give a number from 0 to 1; one that changes over the film needs a pretrained engine.",
            )
        return strength

    @property
    def trained(self) -> bool:
        """Whether the look is a trained one's file and no name."""
        return self.look is not None and self.look.endswith(".safetensors")

    def plain_prompt(self) -> str:
        """The bundled engine's prompt."""
        if not isinstance(self.prompt, str) or len(parse(self.prompt).values) > 1:
            raise UsageError("the prompt changes over the film", "Give one text, or a pretrained engine=.")
        return self.prompt

    def timing(self, timing: Timing) -> Timing:
        return timing

    def apply(self, clip: Clip) -> Clip:
        """The clip restyled, as one shot; key frames are counted from its first frame."""
        return apply_to_clip(self, clip)

    def stream(self, frames: Iterator[Frame], shot: Shot) -> Iterator[Frame]:
        """Restyle one shot, a few windows of frames at a time."""
        if self.keyframes is not None:
            frames = _with_all_keys(frames, self.keyframes, shot)
        masked = self._masked(frames, shot)
        if self.engine == "bundled":
            from vedit.edits.paint import paint

            yield from frames if self.steady_strength() == 0 else paint(self, masked, shot)
        else:
            from vedit.edits.repaint import repaint

            yield from repaint(self, masked, shot)

    def _masked(self, frames: Iterator[Frame], shot: Shot) -> Iterator[tuple[Frame, Tensor | None]]:
        if self.mask is None:
            return ((frame, None) for frame in frames)
        return with_masks(frames, self.mask, shot)


def _index(text: int | str) -> int:
    if not str(text).isdecimal():
        raise UsageError(f"key frame {text!r} is no frame's index", "Count the film's frames from 0.")
    return int(text)


def _with_all_keys(frames: Iterator[Frame], keyframes: Mapping[int, Picture], shot: Shot) -> Iterator[Frame]:
    """The frames of a shot; at the film's end key frames beyond it are told of."""
    for frame in frames:
        yield frame
    if frame.end >= shot.timing.end and (beyond := [i for i in keyframes if i > frame.index]):
        shot.notes.warn(
            f"the film ends with frame {frame.index}: there is no key frame {min(beyond)} to paint"
        )
