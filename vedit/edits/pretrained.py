"""What a restyle's settings mean for a pretrained engine."""

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from vedit.diffusion.control import Control, check_control
from vedit.diffusion.prompting import Schedule, parse
from vedit.diffusion.ramps import Ramp, parse_ramp
from vedit.edits.aids import check_consistency
from vedit.errors import UsageError
from vedit.pretrained.checkpoint import Checkpoint
from vedit.pretrained.spec import read_engine

if TYPE_CHECKING:
    from vedit.edits.restyle import Restyle

STRENGTH = 0.6
"""Of a pretrained engine where none is given: the film is still to be known again."""


@dataclass(frozen=True)
class Wish:
    """The settings, read: which models, what to paint when and how strongly, and what holds it (no aids: the usual)."""

    checkpoint: Checkpoint
    prompts: Schedule
    strength: Ramp
    controls: tuple[Control, ...]
    aids: frozenset[str] | None


def check_guidance(scale: float | None) -> None:
    """Complain about a ``guidance_scale`` that no engine can follow.

    Raises:
        UsageError: it is negative, endless or no number.
    """
    try:
        fits = scale is None or 0 <= scale < inf
    except TypeError:
        fits = False
    if not fits:
        raise UsageError(
            f"guidance_scale is {scale}", "Give a number from 0, such as 7.5; up to 1 there is no guidance."
        )


def read_wish(edit: "Restyle") -> Wish | None:
    """What a restyle asks of a pretrained engine; None where it names the bundled one.

    Raises:
        UsageError: a setting cannot be read, or goes with the other kind of engine only.
    """
    check_guidance(edit.guidance_scale)
    checkpoint = read_engine(edit.engine)
    if checkpoint is None:
        for name in ("negative_prompt", "guidance_scale", "control", "window"):
            if getattr(edit, name) is not None:
                raise UsageError(
                    f"{name} is for pretrained engines",
                    f"Leave {name} out, or give engine= (see `vedit engines`).",
                )
        if edit.consistency != "auto":
            raise UsageError("consistency is for pretrained engines", "The bundled engine has temporal=.")
        return None
    if edit.look is not None:
        raise UsageError(
            "looks belong to the bundled engine", f'Say it in words: prompt="{edit.look} painting".'
        )
    for name, usual in (("structure", 1.0), ("temporal", "attention")):
        if getattr(edit, name) != usual:
            raise UsageError(
                f"{name} is for the bundled engine", 'A pretrained one has control="canny" and consistency=.'
            )
    if edit.prompt is None and edit.style is None and edit.keyframes is None:
        raise UsageError(
            "restyle was given nothing to paint after", "Give prompt=, style= a picture, or keyframes=."
        )
    return Wish(
        checkpoint,
        parse("a picture" if edit.prompt is None else edit.prompt),
        parse_ramp("strength", STRENGTH if edit.strength is None else edit.strength),
        () if edit.control is None else check_control(edit.control),
        check_consistency(edit.consistency),
    )
