"""vedit's edits as MoviePy effects: settings only, and a chain that is read as frames are asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from moviepy import Effect, VideoClip  # type: ignore[import-untyped] # it ships no types

from vedit import edits
from vedit.edits.edit import Edit
from vedit.edits.ramp import Key
from vedit.flow.quality import Quality
from vedit.fx.view import edited
from vedit.temporal.kinds import Temporal

if TYPE_CHECKING:
    from torch import Tensor

    from vedit.diffusion.prompting import Prompt
    from vedit.diffusion.ramps import Number


class _Edited(Effect):  # type: ignore[misc] # MoviePy is not typed
    """An effect with the name and settings of one of `vedit.edits`, which are checked when it is made."""

    def __post_init__(self) -> None:
        self.edit()

    def edit(self) -> Edit:
        """The edit with these settings.

        Raises:
            VeditError: a setting cannot work.
        """
        settings = {field.name: getattr(self, field.name) for field in fields(self)}
        made: Edit = getattr(edits, type(self).__name__)(**settings)
        return made

    def apply(self, clip: VideoClip) -> VideoClip:
        """A copy of the clip with the edit; see `vedit.fx`.

        Raises:
            UsageError: the clip is a mask, has no duration or rate, or the edit cannot work with it.
        """
        return edited(clip, self.edit())


@dataclass
class Restyle(_Edited):
    """Paint every frame; settings as of `vedit.edits.Restyle`. Key frames are counted in the clip it is applied to."""

    look: str | None = None
    style: "str | Path | Tensor | None" = None
    prompt: "Prompt | None" = None
    keyframes: "Mapping[int, str | Path | Tensor] | None" = None
    strength: "Number | None" = None
    structure: float = 1.0
    keep_colour: bool = False
    mask: "str | Path | Tensor | None" = None
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


@dataclass
class Interpolate(_Edited):
    """Make frames between frames; settings as of `vedit.edits.Interpolate`.

    The clip's ``fps`` becomes the new rate. With ``slowmo`` or ``ramp`` its duration changes, and its sound is
    stretched to go along, at its own pitch. Its mask moves with the picture.
    """

    fps: Fraction | float | str | None = None
    factor: int | None = None
    slowmo: Fraction | float | str | None = None
    ramp: str | Mapping[Key, Key] | None = None
    dedupe: bool = False
    quality: Quality = "normal"
    engine: str = "bundled"
    prompt: str | None = None
    steps: int | None = None
    seed: int = 0


@dataclass
class Inpaint(_Edited):
    """Take something out; settings as of `vedit.edits.Inpaint`. ``mask`` says where, and is not the clip's mask."""

    mask: "str | Path | Tensor"
    quality: Quality = "normal"
    engine: str = "bundled"
    seed: int = 0
    dilate: int = 0
    feather: int = 0
    prompt: str | None = None
    steps: int | None = None


@dataclass
class Repair(_Edited):
    """Mend dust, scratches, dropped and repeated frames; settings as of `vedit.edits.Repair`."""

    dust: bool = True
    scratches: bool = True
    dropped: bool = True
    duplicates: bool = True
    flicker: bool = False
    preview: bool = False


@dataclass
class Extend(_Edited):
    """Go on after the last frame; settings as of `vedit.edits.Extend`. The sound ends where it ended."""

    seconds: Fraction | float | str
    kind: str | Path = "transformer"
    engine: str = "bundled"
    seed: int = 0
    prompt: str | None = None
    negative_prompt: str | None = None
    steps: int | None = None
    guidance_scale: float | None = None
    size: int = 768
    window: int | None = None
