"""Inpainting measured: what a mask covers is taken away and filled, by vedit and by what a user would take instead."""

import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

import cv2
import imageio_ffmpeg  # type: ignore[import-untyped]
import torch
from torch import Tensor

from vedit.bench.clips import through
from vedit.bench.delogo import delogo, removelogo, suits_removelogo
from vedit.bench.ffmpeg import RATE
from vedit.bench.holes import GROWN, HEIGHT, KINDS, WIDTH
from vedit.bench.plate import QUALITIES, Plate, Trial, read_plate, rounded
from vedit.bench.rows import Row
from vedit.bench.sheet import contact_sheet
from vedit.bench.telea import RADIUS, navier_stokes, telea
from vedit.clip import Clip
from vedit.device import pick_device
from vedit.edits import Inpaint
from vedit.flow.quality import Quality
from vedit.frame import Notes
from vedit.metrics.fidelity import MOST_DB, psnr
from vedit.metrics.holes import flat_ssim, hole_flicker, hole_psnr, outside_difference, seam_error

AMPLIFIED = 5
"""How many times its size an error is drawn on a contact sheet."""


@dataclass(frozen=True)
class InpaintRow(Row):
    """What one method made of the ``frames`` of one clip and their holes.

    ``area`` is the holes' share of the picture. ``psnr`` in dB and ``ssim`` are of whole frames, as papers have them;
    ``hole`` (PSNR in dB), ``seam``, ``flicker`` and ``outside`` (levels of 255) as `vedit.metrics.holes` has them;
    ``coverage`` is the share of the holes filled with real pixels of other frames, None where a method does not say;
    ``seconds`` for each frame.
    """

    area: float
    psnr: float
    ssim: float
    hole: float
    seam: float
    flicker: float
    coverage: float | None
    outside: float
    seconds: float


@dataclass(frozen=True, eq=False)
class Method:
    """A way to fill holes: ``run`` takes frames and masks and gives the frames and what it notes on the way."""

    name: str
    run: Callable[[Tensor, Tensor], tuple[Tensor, Notes]]
    suits: Callable[[Tensor], bool] = lambda masks: True
    """Whether it can do anything with such masks."""


@dataclass(frozen=True, eq=False)
class _Made:
    """What a method made of a clip: its row, and the frames with the truth outside the holes."""

    row: InpaintRow
    frames: Tensor


def bench_inpaint(
    clips: Sequence[Path], trial: Trial, *, device: str = "auto", output: Path | None = None
) -> Iterator[InpaintRow]:
    """Measure every method on every clip, one row after another, as :func:`protocol` says.

    Args:
        clips: films.
        trial: what is done to them.
        device: for vedit; see :func:`vedit.device.pick_device`.
        output: a folder for a contact sheet of each clip.

    Raises:
        VeditError: a film or the mask cannot be read, or a sheet cannot be written.
    """
    for place, path in enumerate(
        clips
    ):  # what cannot be measured is refused now, not after the others have been
        read_plate(path, trial, place)
    for place, path in enumerate(clips):
        plate = read_plate(path, trial, place)
        first = int(plate.masks.flatten(1).any(1).nonzero()[0])
        some = slice(min(first, len(plate.masks) - 2), first + 2)
        made = []
        for method in _methods(trial, device):
            if not method.suits(plate.masks):
                continue
            if not place:  # so that whatever a method may need gets loaded
                method.run(plate.damaged[some], plate.masks[some])
            made.append(_measured(path.name, plate, method))
            yield made[-1].row
        if output is not None:
            _sheet(made, plate, output / f"{place + 1:02d}_{path.stem}.png")


def protocol(trial: Trial, *, device: str = "auto") -> dict[str, str]:
    """What is measured and how, in words, by topic: all that has to be the same for two runs to be compared."""
    seeded = f", another in each clip (seed {trial.seed})" if trial.mask in ("random", "object") else ""
    kind = f"{trial.mask}: {KINDS.get(trial.mask, 'of yours')}{seeded}"
    return {
        "clips": f"the first {trial.frames} frames of each, up to its first cut, brought to {WIDTH}x{HEIGHT} "
        "(bilinear, whatever their shape); RGB of 8 bits",
        "masks": f"{kind}; brought to that size by nearest pixels, then dilated by a 3x3 cross {GROWN} times",
        "task": "what is under the mask is made black before any method sees it; papers let the motion be estimated "
        "from the true film, which is worth up to 3 dB",
        "telea, navier-stokes": f"OpenCV's, radius {RADIUS}, frame by frame",
        "delogo": "ffmpeg's filter on the bounding boxes of the mask's parts; what is hidden of the picture's edge, "
        "where it does not work, is telea's; YUV 4:4:4 of 8 bits",
        "removelogo": "ffmpeg's filter, for still masks off the picture's edge only; YUV 4:2:0 of 8 bits",
        ", ".join(trial.qualities): "vedit's",
        "judged": "rounded to 8 bits, true pixels outside the mask; mean over a clip's frames, then over clips",
        "PSNR": "dB, of whole frames as in papers, so it rises as masks get smaller; a frame counts at most "
        f"{MOST_DB:g}",
        "SSIM": "of whole frames as in papers: flat window of 65x65 pixels, far kinder than the usual 11x11; mean of "
        "R, G and B",
        "hole": "PSNR of all pixels under a clip's masks, dB",
        "seam": "|gradient - true gradient| on a ring of 3 pixels on the mask's rim, levels of 255 a pixel; best 0",
        "flicker": "mean |change from frame to frame - true change| under the mask, levels of 255; best 0",
        "seen": "percent of the mask that was filled with real pixels of other frames; the rest is made up",
        "out": "largest change of a pixel outside the mask as the method gave it, levels of 255; has to be 0",
        "s": "seconds a frame, pictures in memory to pictures in memory; ffmpeg's start and pipes count, loading "
        "models does not",
        "machine": f"{pick_device(device).type}, {platform.machine()}; vedit {version('vedit-diffusion')}, "
        f"Python {platform.python_version()}, torch {torch.__version__} ({torch.get_num_threads()} threads), "
        f"OpenCV {cv2.__version__} ({cv2.getNumThreads()} threads), ffmpeg {imageio_ffmpeg.get_ffmpeg_version()}",
    }


def _methods(trial: Trial, device: str) -> list[Method]:
    def plain(fill: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], tuple[Tensor, Notes]]:
        return lambda film, masks: (fill(film, masks), Notes())

    return [
        Method("telea", plain(telea)),
        Method("navier-stokes", plain(navier_stokes)),
        Method("delogo", plain(delogo)),
        Method("removelogo", plain(removelogo), suits_removelogo),
        *(Method(quality, partial(_vedit, quality, device)) for quality in trial.qualities),
    ]


def _vedit(quality: Quality, device: str, film: Tensor, masks: Tensor) -> tuple[Tensor, Notes]:
    notes = Notes()
    edit = Inpaint(mask=masks, quality=quality)
    return torch.stack(list(through(edit, device, notes)(Clip.at_rate(film, RATE)))), notes


def _measured(name: str, plate: Plate, method: Method) -> _Made:
    """Let a method fill a clip's holes, and judge it."""
    given, truth, masks = plate.damaged, plate.truth, plate.masks
    began = time.perf_counter()
    made, notes = method.run(given, masks)
    seconds = time.perf_counter() - began
    frames = torch.where(masks > 0, rounded(made), truth)
    ssims = [flat_ssim(frame[None], true[None]) for frame, true in zip(frames, truth, strict=True)]
    row = InpaintRow(
        name,
        method.name,
        len(truth),
        area=float(masks.mean()),
        psnr=float(psnr(frames, truth).double().mean()),
        ssim=float(torch.cat(ssims).double().mean()),
        hole=float(hole_psnr(frames, truth, masks)),
        seam=float(seam_error(frames, truth, masks)),
        flicker=float(hole_flicker(frames, truth, masks)),
        coverage=notes.recovered_pixels / notes.hole_pixels if notes.hole_pixels else None,
        outside=float(outside_difference(made, given, masks)),
        seconds=seconds / len(truth),
    )
    return _Made(row, frames)


def _sheet(made: Sequence[_Made], plate: Plate, path: Path) -> None:
    """Draw the frame that vedit's own qualities miss most: the truth, what is left of it, each method and its error."""
    holes = [one for one in range(len(plate.truth)) if bool(plate.masks[one].any())]
    ours = [one for one in made if one.row.method in QUALITIES]
    worst = min(holes, key=lambda place: sum(_hole(one.frames, plate, place) for one in ours))
    truth = plate.truth[worst]
    rows = [(f"true frame {worst}, and what is left of it", [truth, plate.damaged[worst]])]
    for one in made:
        picture = one.frames[worst]
        error = (AMPLIFIED * (picture - truth).abs()).clamp(0, 1)
        label = (
            f"{one.row.method}: hole {_hole(one.frames, plate, worst):.2f} dB; its error times {AMPLIFIED}"
        )
        rows.append((label, [picture, error]))
    contact_sheet(rows, path, width=480)


def _hole(frames: Tensor, plate: Plate, place: int) -> float:
    at = slice(place, place + 1)
    return float(hole_psnr(frames[at], plate.truth[at], plate.masks[at]))
