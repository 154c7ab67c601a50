"""Take things out of a film: real pixels of other frames first, made-up ones only where no frame shows any."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import cv2
import torch
from torch import Tensor

from vedit.clip import Clip
from vedit.completion.complete import Completed, View, complete
from vedit.completion.evidence import gather
from vedit.completion.weights import load_completion
from vedit.edits.detail import detailed
from vedit.edits.edit import apply_to_clip
from vedit.edits.unveil import unveiled
from vedit.errors import UsageError
from vedit.flow.estimate import Quality
from vedit.frame import Frame, Shot, Timing
from vedit.masks import MaskSetting, check_mask, with_masks
from vedit.masks.setting import is_still, terms
from vedit.pretrained.spec import read_engine
from vedit.video.read import ahead

RADIUS: dict[Quality, int] = {"draft": 6, "normal": 16, "best": 24}
"""How many frames before and after are searched for what a hole hides."""
VIEWS: dict[Quality, tuple[View, ...]] = {
    "draft": (View(),),
    "normal": (View(), View((-1,), 2)),
    "best": (View(), View((-1,)), View((-2,)), View((-1, -2))),
}
"""What the completion net is asked about."""
LASTS: dict[Quality, int] = {"draft": 4, "normal": 4, "best": 1}
"""The frames that its answer is used for while little changes."""
WAITING = 3
"""Frames that wait to be completed, and then to be given texture: each of these steps has a thread of its own."""
REAL = 0.5
"""The share of a pixel that other frames show, from which a pretrained engine leaves it."""
DETAIL: dict[Quality, float] = {"draft": 0, "normal": 0.6, "best": 0.8}
"""How much texture is added to what was made up: the whole of it looks best and is further from the truth."""


@dataclass(frozen=True, eq=False)
class Inpaint:
    """Replace what a mask covers; every pixel outside it stays as it is, bit for bit.

    A half-transparent mark is taken off first. Then every hidden pixel is followed through the neighbouring frames to
    one that shows it; where the scene stands still, what shows seconds before or after is taken too. The completion net
    weighs what was found and makes up the rest, and texture is drawn onto that from the picture's own patches and
    carried along with the motion.

    Args:
        mask: which pixels to replace (see `vedit.masks`): a tensor ``(F, 1, H, W)`` or ``(1, 1, H, W)``, a
            picture, a film or a folder of pictures (white = replace), ``box:x,y,w,h``, ``poly:x,y x,y …``,
            ``track:N=box:…``, ``sam2:N=point:x,y``, ``auto:caption``, ``auto:logo``, or several joined by `` + `` and
            `` - ``.
        quality: ``draft``, ``normal`` or ``best``: how far the film is searched for hidden pixels, and how much care
            is taken with the rest. ``draft`` adds no texture and looks for no transparent marks.
        engine: what synthesises pixels that no frame shows. "bundled", or a pretrained one as for `Restyle`: one that
            was trained to fill holes, "Stable Diffusion inpainting" or Wan VACE, is best.
        seed: of all noise.
        dilate: pixels by which the mask grows.
        feather: pixels around that over which new colours fade into the old ones.
        prompt: what is to be seen where nothing is known, in words (pretrained).
        steps: denoising steps (pretrained); None is 25, or what the engine was distilled for.

    Raises:
        UsageError, InputError, EngineError: the mask cannot work, or a setting is unknown.
    """

    memoryless: ClassVar[bool] = False

    mask: MaskSetting
    quality: Quality = "normal"
    engine: str = "bundled"
    seed: int = 0
    dilate: int = 0
    feather: int = 0
    prompt: str | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        if self.quality not in RADIUS:
            raise UsageError(f"quality {self.quality!r} is unknown", f"Choose one of {', '.join(RADIUS)}.")
        for name in ("dilate", "feather"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} is {getattr(self, name)}", "Give pixels, 0 or more.")
        if read_engine(self.engine) is None and (self.prompt is not None or self.steps is not None):
            raise UsageError(
                "prompt and steps are for pretrained engines", "Give engine= (see `vedit engines`)."
            )
        if self.steps is not None and self.steps < 1:
            raise UsageError(f"steps is {self.steps}", "Give at least 1.")
        check_mask(self.mask)

    def timing(self, timing: Timing) -> Timing:
        return timing

    def stream(self, frames: Iterator[Frame], shot: Shot) -> Iterator[Frame]:
        masked = with_masks(frames, self.mask, shot, dilate=self.dilate + self.feather)
        if self.quality != "draft":
            masked = unveiled(masked, shot)
        moves = not all(is_still(term) for _, term in terms(self.mask))
        evidence = gather(masked, self.quality, RADIUS[self.quality], afar=moves)
        # Motion is found while the net thinks, and that while texture is drawn.
        net, views = load_completion(shot.device), VIEWS[self.quality]
        completed = complete(ahead(evidence, WAITING), net, views, lasts=LASTS[self.quality])
        checkpoint = read_engine(self.engine)
        share = DETAIL[self.quality]
        if share and checkpoint is None:
            completed = detailed(ahead(completed, WAITING), share=share, seed=self.seed)
        films = self._filled(completed, shot)
        if checkpoint is None:
            yield from (frame for frame, _ in films)
        else:
            from vedit.edits.invent import Invention, invented

            yield from invented(films, Invention(checkpoint, self.prompt, self.steps, self.seed), shot)

    def _filled(self, films: Iterator[Completed], shot: Shot) -> Iterator[tuple[Frame, Tensor | None]]:
        """The completed frames, and where they were made up ``(1, H, W)``."""
        for done in films:
            shot.notes.hole_pixels += int(done.mask.sum())
            if done.real is not None:
                shot.notes.recovered_pixels += int(done.real.round().sum())
            yield _composited(done, self.feather), _made_up(done, self.feather)

    def apply(self, clip: Clip) -> Clip:
        """The clip with its hole filled, as one shot."""
        return apply_to_clip(self, clip)


def _made_up(done: Completed, feather: int) -> Tensor | None:
    """Where a pixel is made up rather than seen in other frames ``(1, H, W)`` in [0, 1]; it fades with the mask."""
    if done.real is None or done.window is None:
        return None
    out = torch.zeros(1, *done.frame.pixels.shape[-2:])
    hole = done.window.of(done.mask).to(out)
    hole = _faded(hole, feather) if feather else hole
    done.window.of(out)[:] = hole * (done.real.to(out) < REAL)
    return out


def _composited(done: Completed, feather: int) -> Frame:
    """The frame with new colours under its mask and everything else, alpha included, as it was."""
    if done.pixels is None or done.window is None:
        return done.frame
    colours = done.frame.part(done.window)[:3]
    mask, new = done.mask.to(colours), done.pixels.to(colours)
    hole = done.window.of(mask)
    share = _faded(hole, feather) if feather else hole
    mixed = colours + share * (new - colours)
    new = torch.where(share < 1, torch.where(share > 0, mixed, colours), new)
    return done.frame.patched(done.window, new, changed=mask)


def _faded(hole: Tensor, feather: int) -> Tensor:
    """A mask ``(1, h, w)`` that rises from its edge to 1 over so many pixels; the picture's border is no edge.

    Counted in steps to a neighbour, as masks grow: it is 1 wherever the mask was before it grew by ``feather``.
    """
    inside = cv2.copyMakeBorder(hole[0].byte().cpu().numpy(), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    depth = cv2.distanceTransform(inside, cv2.DIST_L1, 3)[1:-1, 1:-1]
    return (torch.from_numpy(depth)[None] / (feather + 1)).clamp(max=1).to(hole)
