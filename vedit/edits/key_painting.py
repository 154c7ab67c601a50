"""Paint one frame of a film in the style of any picture, by optimisation: the key that a shot is then painted after.

Two things take turns. Descent pulls the statistics of the key's patches to those of the style's while the frame's
drawing and its colours, mapped to the style's, are held (sliced Wasserstein distance: Rabin et al., SSVM 2011; on
patches: Elnekave & Weiss, ECCV 2022). Votes put real patches of the style in place of what descent only
approximates: each patch of the key moves to the nearest of the style's, and overlapping ones are averaged (Kwatra et
al., "Texture Optimization for Example-based Synthesis", SIGGRAPH 2005; with the even use of the style's patches of
Granot et al., "Drop the GAN", CVPR 2022). Without votes there is woven noise; without descent no drawing.

Pictures are ``(1, 3, H, W)`` here unless said otherwise, RGB in [0, 1].
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.edits.held_drawing import Drawing, calm, edges_of
from vedit.edits.octaves import OCTAVES, blurred, doubled, luma_of, octaves_of, resized
from vedit.edits.palette import colour_map, palette_of, recolour
from vedit.edits.patch_statistics import Statistics, distance, flat, quantiles
from vedit.edits.patch_votes import voted
from vedit.errors import UsageError

LONGEST, SHORTEST = 640, 64
"""The longer side is worked on at no more pixels than this, the shorter at no fewer."""
LEAST = 32
"""Passes over fewer pixels than this a side are left out: patches would be most of the picture."""


@dataclass(frozen=True)
class Pass:
    """One size of the picture: its share of the side, its steps, when votes fall (share of the steps), their grid."""

    scale: float
    steps: int
    votes: tuple[float, ...]
    grid: int


PASSES = (
    Pass(0.25, 30, (0.4,), 2),
    Pass(0.5, 40, (0.2, 0.45, 0.7), 3),
    Pass(1.0, 12, (0.0, 0.5, 1.0), 4),
)
AGAIN = (Pass(0.5, 16, (0.4,), 3), Pass(1.0, 7, (0.3, 1.0), 4))
"""…for a picture that starts from a finished one."""
RATE = 0.02
DETAIL_RATE = (0.25, 0.5)
"""Share of the step size of the two finest levels: they take the noise of the draws, the coarse ones the shapes."""
COLOUR, PALETTE = 1.0, 2.0
"""Weights of single colours, as the style has them, and of the broad hue of every place, as the frame has it."""
VOTE, SPARED, LAST = 0.7, 0.85, 0.65
"""How far a vote moves the picture, how much less so at the frame's strong edges, and in the end."""


def paint_key(
    frame: Tensor,
    style: Tensor,
    *,
    structure: float = 1.0,
    seed: int = 0,
    start: Tensor | None = None,
    progress: Callable[[float], None] | None = None,
) -> Tensor:
    """The frame painted in the hand and the palette of a style picture; the same for the same seed and threads.

    Args:
        frame: ``(3, H, W)`` in [0, 1].
        style: ``(3, h, w)`` in [0, 1]; any size: it is looked at as large as the frame, by area.
        structure: how firmly the frame's drawing is held, 0 (the style takes over) to 2; 1 keeps a subject legible.
        seed: the source of all chance.
        start: ``(3, H, W)``, a picture to start from, as the last key carried along the motion; takes fewer steps.
        progress: told the share that is done, up to 1.

    Returns:
        ``(3, H, W)`` in [0, 1], on the frame's device.

    Raises:
        UsageError: a shape or a setting cannot work.
    """
    _check(frame, style, structure, start)
    generator = torch.Generator().manual_seed(seed)
    whole = frame.detach().float().cpu()[None].clamp(0, 1)
    example = style.detach().float().cpu()[None].clamp(0, 1)
    size = _working_size(*whole.shape[-2:])
    drawing = calm(resized(whole, size))
    matrix, offset = colour_map(palette_of(drawing[0]), palette_of(example[0]))
    toned = recolour(drawing, matrix, offset)
    begin = toned if start is None else resized(start.detach().float().cpu()[None], size)
    passes = [p for p in (PASSES if start is None else AGAIN) if p.scale * min(size) >= LEAST]
    work = [p.steps * p.scale**2 for p in passes]
    key = begin
    for number, stage in enumerate(passes):

        def report(share: float, number: int = number) -> None:
            if progress is not None:
                progress((sum(work[:number]) + share * work[number]) / sum(work))

        key = _paint(stage, key, drawing, toned, example, structure, generator, report)
    return _enlarged(key, drawing, whole)[0].to(frame.device)


def _check(frame: Tensor, style: Tensor, structure: float, start: Tensor | None) -> None:
    for name, picture in (("frame", frame), ("style", style)):
        if picture.ndim != 3 or picture.shape[0] != 3 or 0 in picture.shape:
            raise UsageError(f"the {name} has shape {tuple(picture.shape)}", "Give (3, H, W) RGB in [0, 1].")
    if start is not None and start.shape != frame.shape:
        raise UsageError(f"the start has shape {tuple(start.shape)}", "Give one of the frame's shape.")
    if not 0 <= structure <= 2:
        raise UsageError(f"structure is {structure}", "Give a number from 0 to 2; 1 is a good start.")


def _working_size(height: int, width: int) -> tuple[int, int]:
    scale = min(1.0, LONGEST / max(height, width))
    scale = max(scale, SHORTEST / min(height, width))
    return max(SHORTEST, round(height * scale)), max(SHORTEST, round(width * scale))


def _style_size(style: Tensor, size: tuple[int, int]) -> tuple[int, int]:
    """The size at which the style covers the picture's area in its own shape, so that strokes weigh the same."""
    scale = math.sqrt(size[0] * size[1] / (style.shape[-2] * style.shape[-1]))
    return max(32, round(style.shape[-2] * scale)), max(32, round(style.shape[-1] * scale))


def _paint(
    stage: Pass,
    key: Tensor,
    drawing: Tensor,
    toned: Tensor,
    example: Tensor,
    structure: float,
    generator: torch.Generator,
    report: Callable[[float], None],
) -> Tensor:
    """One size's descent and votes; the result has that size."""
    size = (round(drawing.shape[-2] * stage.scale), round(drawing.shape[-1] * stage.scale))
    style = resized(example, _style_size(example, size))
    banks = [Statistics(s, generator) for s in octaves_of(style) if min(s.shape[-2:]) >= 16]
    held = Drawing(resized(drawing, size), stage.scale, structure)
    palette = octaves_of(resized(toned, size))[-1]
    palette = palette - luma_of(palette)
    axes = F.normalize(torch.randn(64, 3, generator=generator))
    hues = quantiles(axes @ flat(style))
    spread = float(hues.var(1).mean().clamp_min(1e-4))
    strong = (
        edges_of(luma_of(resized(drawing, size)), 12 * stage.scale).norm(dim=1, keepdim=True) / 2 - 0.5
    ).clamp(0, 1)
    amount = VOTE * (4 / (3 + structure)) * (1 - SPARED * min(1.0, structure) * blurred(strong, 1.5))
    base = resized(key, size)
    # The change is a pyramid: coarse shapes move as one, which descent on bare pixels never finds.
    levels = [torch.zeros_like(octave, requires_grad=True) for octave in octaves_of(base, OCTAVES + 1)]
    rates = [*DETAIL_RATE, *[1.0] * (len(levels) - 2)]
    groups = [{"params": [level]} for level in levels]
    descent = torch.optim.Adam(groups, lr=RATE, betas=(0.9, 0.99))

    def picture() -> Tensor:
        change = levels[-1]
        for level in levels[-2::-1]:
            change = level + doubled(change, (level.shape[-2], level.shape[-1]))
        return base + change

    def vote(share: float = 1.0) -> None:
        nonlocal base
        with torch.no_grad():
            base = voted(picture().clamp(0, 1), style, stage.grid, share * amount, generator)
            for level in levels:
                level.zero_()

    for step in range(stage.steps):
        if step in [round(v * stage.steps) for v in stage.votes]:
            vote()
        for group, rate in zip(descent.param_groups, rates, strict=True):
            group["lr"] = RATE * stage.scale**-1 / 2 * rate * (1 - 0.9 * (step / stage.steps) ** 2)
        free = picture()
        now = free.clamp(0, 1)
        # Cut off anew each time: a grid that stays where it is would be written into the picture.
        down, right = (int(torch.randint(0, 8, (1,), generator=generator)) for _ in range(2))
        seen = octaves_of(now[..., down:, right:])
        fits = [
            (bank, octave) for bank, octave in zip(banks, seen, strict=False) if min(octave.shape[-2:]) >= 12
        ]
        loss = torch.stack([bank.loss(octave, generator) for bank, octave in fits]).sum() / len(fits)
        drawn = torch.randperm(64, generator=generator)[:16]
        colours = axes[drawn] @ now[0, :, down % 2 :: 2, right % 2 :: 2].flatten(1)
        octaves = octaves_of(now)
        broad = octaves[-1] - luma_of(octaves[-1])
        loss = loss + COLOUR * distance(colours, hues[drawn], 1 / spread)
        loss = loss + PALETTE * (broad - palette).square().mean() / spread
        loss = loss + structure * held.loss(octaves) + 10 * (free - now).square().mean()
        descent.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        descent.step()
        report((step + 1) / stage.steps)
    if 1.0 in stage.votes:
        vote(LAST)
    return picture().detach().clamp(0, 1)


def _enlarged(key: Tensor, drawing: Tensor, whole: Tensor) -> Tensor:
    """The key at the whole frame's size: what it did to the frame there, done to the frame here.

    A local affine map from the frame's luma to each channel (guided filter, He et al., ECCV 2010; fitted small and
    applied large) brings its edges over sharp; what the map leaves out, the strokes, is enlarged as it is.
    """
    size = (whole.shape[-2], whole.shape[-1])
    if tuple(key.shape[-2:]) == size:
        return key
    if whole.shape[-1] * whole.shape[-2] < key.shape[-1] * key.shape[-2]:
        return resized(key, size)

    def mean(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 5, 1, 2, count_include_pad=False)

    guide = luma_of(drawing)
    slope = (mean(guide * key) - mean(guide) * mean(key)) / (mean(guide * guide) - mean(guide) ** 2 + 1e-3)
    slope = mean(slope.clamp(-2, 2))
    change = key - slope * guide
    slope, change = (F.interpolate(x, size=size, mode="bicubic") for x in (slope, change))
    return (slope * luma_of(calm(whole)) + change).clamp(0, 1)
