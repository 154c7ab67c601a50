"""Fill what is under a mask: real pixels of other frames first, diffusion in latents for what no frame shows."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import ClassVar

import torch
from torch import Tensor

from vedit.clip import Clip
from vedit.diffusion.denoise import denoise
from vedit.diffusion.engine import load_engine
from vedit.diffusion.prior import Prior
from vedit.edits.edit import apply_to_clip
from vedit.edits.propagate import Recovered, recover, smooth
from vedit.edits.texture import in_keeping
from vedit.errors import UsageError
from vedit.flow.complete import harmonic
from vedit.flow.estimate import Quality
from vedit.frame import Frame, Shot, Timing
from vedit.masks import MaskSetting, check_mask, with_masks

RADIUS: dict[Quality, int] = {"draft": 6, "normal": 12, "best": 24}
"""How many frames before and after are searched for what a hole hides."""
PASSES: dict[Quality, int] = {"draft": 1, "normal": 1, "best": 2}
"""How often; from the second time on motion inside the hole is estimated from what was found there before."""
STRENGTH = 0.5
"""How much of the smooth filling is noised away before it is denoised."""


@dataclass(frozen=True, eq=False)
class Inpaint:
    """Replace what a mask covers; every pixel outside it stays as it is, bit for bit.

    Args:
        mask: which pixels to replace (see `vedit.masks`): a tensor ``(F, 1, H, W)`` or ``(1, 1, H, W)``, a
            picture, a film or a folder of pictures (white = replace), ``box:x,y,w,h`` or ``poly:x,y x,y …``.
        quality: ``draft``, ``normal`` or ``best``: how far the film is searched for hidden pixels, and how well
            motion is estimated. ``draft`` leaves what is not found smooth and loads no engine.
        engine: what synthesises pixels that no frame shows.
        seed: of its noise.

    Raises:
        UsageError, InputError: the mask cannot work, or the quality is unknown.
    """

    memoryless: ClassVar[bool] = False

    mask: MaskSetting
    quality: Quality = "normal"
    engine: str = "bundled"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.quality not in RADIUS:
            raise UsageError(f"quality {self.quality!r} is unknown", f"Choose one of {', '.join(RADIUS)}.")
        check_mask(self.mask)

    def timing(self, timing: Timing) -> Timing:
        return timing

    def stream(self, frames: Iterator[Frame], shot: Shot) -> Iterator[Frame]:
        recovered: Iterator[Recovered] = (
            smooth(frame, mask) for frame, mask in with_masks(frames, self.mask, shot)
        )
        for _ in range(PASSES[self.quality]):
            recovered = recover(recovered, self.quality, RADIUS[self.quality])
        for unseen, run in groupby(_counted(recovered, shot), lambda r: bool(r.unseen.any())):
            if unseen and self.quality != "draft":
                yield from self._synthesised(run, shot)
            else:
                yield from (_composited(r) for r in run)

    def apply(self, clip: Clip) -> Clip:
        """The clip with its hole filled, as one shot."""
        return apply_to_clip(self, clip)

    def _synthesised(self, run: Iterator[Recovered], shot: Shot) -> Iterator[Frame]:
        """A run of frames that all have pixels to invent: the smooth filling is the prior of the latent path."""
        waiting: deque[tuple[Recovered, Tensor]] = deque()

        def priors() -> Iterator[Prior]:
            for place, r in enumerate(run):
                assert r.pixels is not None  # noqa: S101 - it has a hole
                waiting.append((replace(r, pair=None), r.pixels))
                yield Prior(r.frame.index, r.pixels, r.unseen, r.pair if place else None)

        engine = load_engine(self.engine, shot.device)
        for picture in denoise(priors(), engine, strength=STRENGTH, seed=self.seed, wanted=shot.wanted):
            r, prior = waiting.popleft()
            # A membrane takes the codec's own error away where the synthesised part meets the picture.
            drawn = picture + harmonic((prior - picture)[None], r.unseen[None])[0]
            original = r.frame.pixels[:3].to(prior)
            yield _composited(replace(r, pixels=in_keeping(drawn, prior, r.unseen, original, r.mask)))


def _counted(recovered: Iterator[Recovered], shot: Shot) -> Iterator[Recovered]:
    for r in recovered:
        shot.notes.hole_pixels += int(r.mask.sum())
        shot.notes.recovered_pixels += int((r.mask - r.unseen).sum())
        yield r


def _composited(r: Recovered) -> Frame:
    """The frame with new colours under its mask and everything else, alpha included, as it was."""
    if r.pixels is None:
        return r.frame
    original = r.frame.pixels
    mask = r.mask.to(original)
    colours = torch.where(mask > 0, r.pixels.clamp(0, 1).to(original), original[:3])
    return r.frame.edited(torch.cat([colours, original[3:]]), changed=mask)
