"""In-betweens by a pretrained engine, where the two frames do not tell; where they do, their own pixels stay."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from math import lcm

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.diffusion.whole import WholeSettings, between
from vedit.edits.gaps import Gap, Making
from vedit.edits.invent import Invention
from vedit.edits.retime import Moment
from vedit.edits.sketch import painting_size, shrunk
from vedit.errors import EngineError
from vedit.frame import Shot
from vedit.pretrained.family import family_of
from vedit.pretrained.fetch import local
from vedit.pretrained.find import place
from vedit.pretrained.load import Loaded
from vedit.pretrained.models import STEPS, WHOLE, load_checkpoint

SIZE = 768
"""The longer side that larger films are generated at; the pictures are enlarged to the film's size."""
WORDS = "one continuous shot, smooth motion"
MOST = 40
"""Steps from one frame to the next that a model is asked for at most."""
NEAR = Fraction(1, 80)
"""How early or late its picture may be, in parts of a gap, where the times divide it by no such number of steps."""
SURE = 0.03
"""Doubt (see `vedit.inbetween.pair.Pair`) up to which the frames' own pixels stay, bit for bit. On six real clips, of
which every second or sixth frame was kept, what lies above was 3 to 39 % of the pixels and held 58 to 92 % of the
squared error."""
LOST = 0.06
"""Doubt from which the generated picture is taken whole."""


@dataclass(frozen=True)
class InBetweens:
    """Makes the pictures of one shot's gaps.

    Raises:
        EngineError: the checkpoint makes no in-betweens, or its files are not here.
    """

    invention: Invention
    shot: Shot

    def __post_init__(self) -> None:
        model = self.invention.checkpoint.model
        family = family_of(local(place(model, "model"))).name
        if family not in WHOLE:
            raise EngineError(
                f"{model} paints pictures, and makes none between two",
                "Take LTX, LTX-2 or Wan VACE (see `vedit engines`), or engine=bundled.",
            )

    def between(self, gap: Gap, moments: Sequence[Moment]) -> Iterator[Making]:
        """The pictures ``(C,H,W)`` at the given moments of a gap; the model is run only if one of them needs it."""
        made: list[Tensor] = []

        def picture(moment: Moment, mixing: Making) -> Tensor | None:
            pixels, doubt = mixing(), gap.doubt(moment)
            if pixels is None or not bool((doubt > SURE).any()):
                return pixels
            if not made:
                made.extend(self._made(gap, [m.between for m in moments]))
            return mixed(pixels, made[round(moment.between * (len(made) - 1))], doubt)

        for moment, mixing in zip(moments, gap.between(moments), strict=True):
            yield partial(picture, moment, mixing)

    def _made(self, gap: Gap, times: Sequence[Fraction]) -> list[Tensor]:
        """The gap in even steps, both its frames included: ``(3,h,w)`` each."""
        invention, loaded, shot = self.invention, self._loaded, self.shot
        steps = even_steps(times)
        if any((time * steps).denominator > 1 for time in times):
            shot.notes.warn(
                f"the new times do not divide the time between two frames evenly: what {invention.checkpoint.model} "
                f"makes may be early or late by a part of it, 1/{NEAR.denominator} at most"
            )
        drawing, following = gap.drawing, gap.following
        assert following is not None  # noqa: S101 - the last gap has nothing between
        size = painting_size(shot.height, shot.width, SIZE)
        first, last = (shrunk(d.frame.pixels[:3], size) for d in (drawing, following))
        settings = WholeSettings(
            prompt=invention.prompt or WORDS,
            steps=invention.steps or loaded.steps or STEPS,
            guidance_scale=loaded.guidance_scale,
            seed=invention.seed,
            first=drawing.frame.index * steps,
            rate=steps / ((following.time - drawing.time) * shot.timing.time_base),
        )
        return [first, *between(loaded.pipe, {0: first, steps: last}, settings), last]

    @cached_property
    def _loaded(self) -> Loaded:
        loaded = load_checkpoint(self.invention.checkpoint, self.shot.device)
        for note in loaded.notes:
            self.shot.notes.warn(note)
        return loaded


def even_steps(times: Sequence[Fraction]) -> int:
    """Into how many even steps a gap is cut so that every time in (0, 1) is one, or nearly so if that were too many."""
    exact = lcm(*(time.denominator for time in times))
    if exact <= MOST:
        return exact
    return next(
        n
        for n in range(1, MOST + 1)
        if all(abs(time - Fraction(round(time * n), n)) <= NEAR for time in times)
    )


def mixed(pixels: Tensor, made: Tensor, doubt: Tensor) -> Tensor:
    """The picture ``(C,H,W)`` with a generated one ``(3,h,w)`` where it is in doubt ``(1,H,W)``; alpha stays."""
    size = pixels.shape[-2:]
    if made.shape[-2:] != size:
        made = F.interpolate(made[None], size=size, mode="bicubic", align_corners=False)[0].clamp(0, 1)
    share = ((doubt - SURE) / (LOST - SURE)).clamp(0, 1)
    colours = torch.where(share > 0, torch.lerp(pixels[:3], made.to(pixels), share), pixels[:3])
    return torch.cat([colours, pixels[3:]])
