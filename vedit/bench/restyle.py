"""Restyling measured: every look and style of the product, and what a user would do without it, on the same clips."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

import cv2
import torch
from torch import Tensor

from vedit.bench.clips import read_clip, through
from vedit.bench.rows import Row
from vedit.bench.sheet import contact_sheet
from vedit.clip import Clip
from vedit.edits import Restyle
from vedit.edits.palette import colour_map, palette_of, recolour
from vedit.edits.style import read_style
from vedit.metrics.style import structure, style_distance
from vedit.metrics.temporal import flicker, pairs_of, warp_error
from vedit.temporal.kinds import Temporal

Painter = Callable[[Tensor, int], Tensor]
"""Paints the ``(3, H, W)`` frame of an index, with chance of its own."""

FLOOR = 0.2
"""Added to the source's warp error before it divides: that of a still film is next to nothing."""


@dataclass(frozen=True)
class RestyleRow(Row):
    """What one method made of one clip.

    ``style_ratio`` is the distance to the style over the source's own, the mean of the first, middle and last frame:
    1 = as far as the film was. The source and OpenCV's stylization, which take no style, have the mean over all
    styles given; looks and painters None. ``structure`` is the mean of the same frames, 1 = the film's own.
    ``warp_error`` is in 1/1000, ``warp_ratio`` over that of the source plus 0.2, ``flicker`` in levels of 255.

    ``first_seconds`` pass until the first frame is there, with all that is learned of a style on the way (the models
    are loaded before, and nothing is taken from the cache); then come ``fps`` frames a second. Methods that work in
    windows give them in bursts: ``seconds`` is what all frames took.
    """

    style_ratio: float | None
    structure: float
    warp_error: float
    warp_ratio: float
    flicker: float
    first_seconds: float
    fps: float
    seconds: float


@dataclass(frozen=True, eq=False)
class Method:
    """A way to restyle a clip, frame by frame as they are asked for, and the styles that it is to come near."""

    name: str
    run: Callable[[Clip], Iterator[Tensor]]
    styles: Sequence[Tensor] = ()


def bench_restyle(
    clips: Sequence[Path],
    *,
    looks: Sequence[str] = (),
    styles: Sequence[Path] = (),
    temporal: Sequence[Temporal] = ("attention",),
    painters: Mapping[str, Painter] | None = None,
    frames: int = 24,
    width: int = 512,
    device: str = "auto",
    output: Path | None = None,
) -> Iterator[RestyleRow]:
    """Measure every method on every clip, one row after another.

    Args:
        clips: films; the first frames of each are used, up to its first cut.
        looks: looks of the bundled engine, by name.
        styles: style pictures.
        temporal: what keeps the looks and styles steady; each is measured, and with none the baselines only.
        painters: baselines that paint frame by frame, by name.
        frames: of each clip, at most.
        width: that wider clips are brought to.
        device: see :func:`vedit.device.pick_device`.
        output: a folder for a contact sheet of each clip.

    Raises:
        VeditError: a film or picture cannot be read, a setting cannot work, or a sheet cannot be written.
    """
    methods = _methods(looks, styles, temporal, painters or {}, device)
    if temporal and (looks or styles):
        # Loaded now, so that the first row does not pay for it.
        from vedit.device import pick_device
        from vedit.diffusion import load_engine

        load_engine("bundled", pick_device(device))
    for number, path in enumerate(clips, 1):
        clip = read_clip(path, frames, width)
        made = {}
        for row, pictures in _measured(path.name, clip, methods):
            made[row.method] = [pictures[i] for i in _looked_at(clip)]
            yield row
        if output is not None:
            contact_sheet(list(made.items()), output / f"{number:02d}_{path.stem}.png")


def _methods(
    looks: Sequence[str],
    styles: Sequence[Path],
    temporal: Sequence[Temporal],
    painters: Mapping[str, Painter],
    device: str,
) -> list[Method]:
    """All that is measured; settings that cannot work are refused here, before the first row."""
    pictures = {path: read_style(path) for path in styles}
    every = list(pictures.values())
    methods = [Method("source", lambda clip: iter(clip.frames), every)]
    methods.append(Method("stylization", lambda clip: map(_stylised, clip.frames), every))
    for name, painter in painters.items():
        methods.append(Method(f"painter {name}", _painted_by(painter)))
    for path, style in pictures.items():
        methods.append(Method(f"palette {path.stem}", _recoloured_to(style), [style]))
    for how in temporal:
        for look in looks:
            methods.append(Method(f"look {look}, {how}", through(Restyle(look=look, temporal=how), device)))
        for path, style in pictures.items():
            edit = Restyle(style=path, temporal=how)
            methods.append(Method(f"style {path.stem}, {how}", through(edit, device), [style]))
    return methods


def _measured(name: str, clip: Clip, methods: Sequence[Method]) -> Iterator[tuple[RestyleRow, Tensor]]:
    """Each method's row and the frames ``(F, 3, H, W)`` it made of the clip."""
    source = clip.frames
    pairs = pairs_of(source)
    steady = warp_error(source, source, pairs=pairs) + FLOOR
    looked_at = _looked_at(clip)
    for method in methods:
        with _nothing_remembered():
            began = time.perf_counter()
            stream = method.run(clip)
            made = [next(stream)]
            first = time.perf_counter() - began
            made += stream
            seconds = time.perf_counter() - began
        frames = torch.stack(made)
        ratios = [
            style_distance(frames[i], style) / style_distance(source[i], style)
            for style in method.styles
            for i in looked_at
        ]
        error = warp_error(frames, source, pairs=pairs)
        yield (
            RestyleRow(
                clip=name,
                method=method.name,
                frames=len(frames),
                style_ratio=fmean(ratios) if ratios else None,
                structure=fmean(structure(source[i], frames[i]) for i in looked_at),
                warp_error=error,
                warp_ratio=error / steady,
                flicker=flicker(frames, source, pairs=pairs),
                first_seconds=first,
                fps=(len(frames) - 1) / max(seconds - first, 1e-9),
                seconds=seconds,
            ),
            frames,
        )


@contextmanager
def _nothing_remembered() -> Iterator[None]:
    """An empty cache: whatever a method learns before its first frame, it learns within the time it is given."""
    before = os.environ.get("VEDIT_CACHE")
    with TemporaryDirectory() as empty:
        os.environ["VEDIT_CACHE"] = empty
        try:
            yield
        finally:
            del os.environ["VEDIT_CACHE"]
            if before is not None:
                os.environ["VEDIT_CACHE"] = before


def _looked_at(clip: Clip) -> list[int]:
    """First, middle and last frame: what is looked at one by one."""
    return [0, len(clip) // 2, len(clip) - 1]


def _recoloured_to(style: Tensor) -> Callable[[Clip], Iterator[Tensor]]:
    """The style's palette and nothing else of it: one colour map for the clip."""

    def run(clip: Clip) -> Iterator[Tensor]:
        matrix, offset = colour_map(palette_of(clip.frames), palette_of(style))
        return (recolour(frame[None], matrix, offset)[0] for frame in clip.frames)

    return run


def _painted_by(painter: Painter) -> Callable[[Clip], Iterator[Tensor]]:
    return lambda clip: (painter(frame, i) for i, frame in enumerate(clip.frames))


def _stylised(frame: Tensor) -> Tensor:
    """OpenCV's edge-aware abstraction of a frame (Gastal & Oliveira, "Domain Transform", SIGGRAPH 2011)."""
    picture = (frame * 255).round().byte().permute(1, 2, 0).flip(-1).contiguous().numpy()  # BGR
    made = torch.from_numpy(cv2.stylization(picture, sigma_s=60, sigma_r=0.45))
    return made.flip(-1).permute(2, 0, 1).float() / 255
