"""Interpolation measured: frames are dropped and made again, by vedit and by what a user would do without it."""

import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import get_args

import cv2
import imageio_ffmpeg  # type: ignore[import-untyped]
import torch
from torch import Tensor

from vedit.bench.clips import read_clip, through
from vedit.bench.ffmpeg import RATE
from vedit.bench.minterpolate import DEFAULTS, STRONGER, minterpolate
from vedit.bench.rife import Rife, load_rife
from vedit.bench.rows import Row
from vedit.bench.sheet import contact_sheet
from vedit.clip import Clip
from vedit.device import pick_device
from vedit.edits import Interpolate
from vedit.errors import InputError, UsageError
from vedit.flow.quality import Quality
from vedit.metrics.edges import ghosts, sharpness
from vedit.metrics.fidelity import MOST_DB, brightness_bias, mean_error, psnr, ssim

QUALITIES: tuple[Quality, ...] = get_args(Quality)
AMPLIFIED = 5
"""How many times its size an error is drawn on a contact sheet."""


@dataclass(frozen=True)
class InterpolationRow(Row):
    """What one method made of the ``frames`` that one clip lost; each number is the mean over them.

    ``psnr`` in dB, ``ssim``, ``sharpness`` and ``ghosts`` as :mod:`vedit.metrics` has them, ``error`` (mean absolute)
    and ``bias`` (of brightness) in levels of 255, ``ms`` milliseconds for each new frame.
    """

    psnr: float
    ssim: float
    error: float
    bias: float
    sharpness: float
    ghosts: float
    ms: float


@dataclass(frozen=True)
class Trial:
    """What is done to a clip: of its first ``frames``, at most ``width`` wide, every ``gap``-th is kept.

    Raises:
        UsageError: that would drop nothing, or keep but one.
    """

    gap: int = 2
    frames: int = 33
    width: int = 640

    def __post_init__(self) -> None:
        if self.gap < 2:
            raise UsageError(f"a gap of {self.gap} drops no frames", "Give 2 or more.")
        if self.frames <= self.gap:
            raise UsageError(
                f"of {self.frames} frames only one is kept with a gap of {self.gap}",
                f"Take at least {self.gap + 1} frames, or a smaller gap.",
            )


@dataclass(frozen=True, eq=False)
class Method:
    """A way to make ``gap`` - 1 frames between each two of ``(K, 3, H, W)``; ``run`` gives the new ones only."""

    name: str
    run: Callable[[Tensor, int], Tensor]


@dataclass(frozen=True, eq=False)
class _Made:
    """What a method made of a clip: its row, the frames in levels of 8 bits, and what each of them scored."""

    row: InterpolationRow
    frames: Tensor
    psnr: Tensor
    ghosts: Tensor


def bench_interpolate(
    clips: Sequence[Path],
    trial: Trial,
    *,
    rife: Path | None = None,
    device: str = "auto",
    output: Path | None = None,
) -> Iterator[InterpolationRow]:
    """Measure every method on every clip, one row after another, as :func:`protocol` says.

    Args:
        clips: films.
        trial: what is done to them.
        rife: weights of RIFE 4.25 or 4.26, .safetensors, to compare with it too.
        device: for vedit and RIFE; see :func:`vedit.device.pick_device`.
        output: a folder for a contact sheet of each clip.

    Raises:
        VeditError: a film or the weights cannot be read, or a sheet cannot be written.
    """
    methods = _methods(rife, device)
    for path in clips:  # what cannot be measured is refused now, and not after the others have been
        _read(path, trial)
    for number, path in enumerate(clips, 1):
        film = _read(path, trial)
        made = []
        for method in methods:
            if number == 1:
                # A frame and its mirror image do not match, so that whatever a method may need gets loaded.
                method.run(torch.stack([film[0], film[0].flip(-1)]), trial.gap)
            made.append(_measured(path.name, film, method, trial.gap))
            yield made[-1].row
        if output is not None:
            _sheet(made, film, trial.gap, output / f"{number:02d}_{path.stem}.png")


def protocol(trial: Trial, *, rife: Path | None = None, device: str = "auto") -> dict[str, str]:
    """What is measured and how, in words, by topic: all that has to be the same for two runs to be compared."""
    one = "the one frame" if trial.gap == 2 else f"the {trial.gap - 1} frames"
    methods = {
        "blend": "mean of the two kept frames, weighted by time",
        "minterpolate": f"ffmpeg's filter, {DEFAULTS}; one thread, YUV 4:4:4 of 8 bits",
        "minterpolate+": f"the same, {STRONGER}",
        **({} if rife is None else {"rife": f"weights of {rife.name}, whole frames in float32"}),
        ", ".join(QUALITIES): "vedit's",
    }
    return {
        "clips": f"the first {trial.frames} frames of each, up to its first cut, so that nothing is made across one; "
        f"if wider than {trial.width} pixels brought to that by area; even sides; RGB of 8 bits",
        "task": f"1 frame in {trial.gap} is kept and {one} between two kept ones made again, at even steps "
        "whatever the film's own times",
        **methods,
        "judged": "new frames rounded to 8 bits, beside the dropped ones; mean over a clip's frames, then over clips",
        "PSNR": f"dB, from the mean squared error of RGB; a frame counts at most {MOST_DB:g}",
        "SSIM": "Gaussian window of 11x11 pixels, sigma 1.5, inside the picture only; mean of R, G and B",
        "error": "mean absolute difference of RGB, in levels of 255",
        "bias": "mean of a new frame less that of its kept neighbours (weighted by time), in levels of 255; best 0",
        "sharp": "gradient energy of luma over the true frame's; best 1",
        "ghosts": "percent of the edge energy that is in edges the true frame has not within 2 pixels; best 0",
        "ms": "for each new frame of a whole clip, pictures in memory to pictures in memory; ffmpeg's start and pipes "
        "count, loading models and a first pair do not",
        "machine": f"{pick_device(device).type}, {platform.machine()}; vedit {version('vedit-diffusion')}, "
        f"Python {platform.python_version()}, torch {torch.__version__} ({_threads(torch.get_num_threads())}), "
        f"OpenCV {cv2.__version__} ({_threads(cv2.getNumThreads())}), ffmpeg {imageio_ffmpeg.get_ffmpeg_version()}",
    }


def _methods(rife: Path | None, device: str) -> list[Method]:
    methods = [
        Method("blend", _blend),
        Method("minterpolate", minterpolate),
        Method("minterpolate+", partial(minterpolate, settings=STRONGER)),
    ]
    if rife is not None:
        where = pick_device(device)
        methods.append(Method("rife", partial(_rife, load_rife(rife, where), where)))
    return [*methods, *(Method(quality, partial(_vedit, quality, device)) for quality in QUALITIES)]


def _blend(kept: Tensor, gap: int) -> Tensor:
    return torch.stack([torch.lerp(a, b, k / gap) for a, b in pairwise(kept) for k in range(1, gap)])


def _vedit(quality: Quality, device: str, kept: Tensor, gap: int) -> Tensor:
    edit = Interpolate(factor=gap, quality=quality)
    film = list(through(edit, device)(Clip.at_rate(kept, RATE)))
    return torch.stack([film[i] for i in range((len(kept) - 1) * gap) if i % gap])


@torch.inference_mode()
def _rife(net: Rife, device: torch.device, kept: Tensor, gap: int) -> Tensor:
    there = [frame[None].to(device) for frame in kept]
    return torch.cat([net(a, b, k / gap).cpu() for a, b in pairwise(there) for k in range(1, gap)])


def _read(path: Path, trial: Trial) -> Tensor:
    """A clip's frames ``(F, 3, H, W)``, the first and the last of them kept ones, rounded to 8 bits.

    Raises:
        InputError: it cannot be read, or is too short to keep two.
    """
    frames = read_clip(path, trial.frames, trial.width).frames
    whole = (len(frames) - 1) // trial.gap * trial.gap + 1
    if whole < 2:
        raise InputError(
            f"{path.name} has {len(frames)} frames before its first cut, too few to keep 1 in {trial.gap}",
            f"Give a clip of at least {trial.gap + 1} frames, or a smaller --gap.",
        )
    return _levels(frames[:whole]) / 255


def _measured(name: str, film: Tensor, method: Method, gap: int) -> _Made:
    """Let a method make what is dropped of a film, and judge it."""
    kept = film[::gap].clone()
    began = time.perf_counter()
    made = method.run(kept, gap)
    seconds = time.perf_counter() - began
    levels = _levels(made)
    scores: dict[str, list[Tensor]] = {}
    for i, new in enumerate(levels):  # one by one: SSIM takes many times a frame's memory
        pair, k = i // (gap - 1), i % (gap - 1) + 1
        frame, true = new[None] / 255, film[None, pair * gap + k]
        before, after = kept[None, pair], kept[None, pair + 1]
        for measure, value in {
            "psnr": psnr(frame, true),
            "ssim": ssim(frame, true),
            "error": mean_error(frame, true),
            "bias": brightness_bias(frame, before, after, k / gap),
            "sharpness": sharpness(frame, true),
            "ghosts": ghosts(frame, true),
        }.items():
            scores.setdefault(measure, []).append(value)
    each = {measure: torch.cat(values) for measure, values in scores.items()}
    numbers = {measure: float(values.double().mean()) for measure, values in each.items()}
    row = InterpolationRow(name, method.name, len(levels), **numbers, ms=1000 * seconds / len(levels))
    return _Made(row, levels, each["psnr"], each["ghosts"])


def _sheet(made: Sequence[_Made], film: Tensor, gap: int, path: Path) -> None:
    """Draw the frame that vedit's own methods miss most: the truth between its neighbours, each method, its error."""
    ours = [one.psnr for one in made if one.row.method in QUALITIES]
    worst = int(torch.stack(ours).mean(0).argmin())
    before = worst // (gap - 1) * gap
    here = before + worst % (gap - 1) + 1
    truth = film[here]
    rows = [
        (
            f"kept frame {before}, true frame {here}, kept frame {before + gap}",
            film[[before, here, before + gap]],
        )
    ]
    for one in made:
        picture = one.frames[worst] / 255
        error = (AMPLIFIED * (picture - truth).abs()).clamp(0, 1)
        label = (
            f"{one.row.method}: {float(one.psnr[worst]):.2f} dB, ghosts {float(one.ghosts[worst]):.1%}; "
            f"its error times {AMPLIFIED}"
        )
        rows.append((label, torch.stack([picture, error])))
    contact_sheet([(label, list(pictures)) for label, pictures in rows], path, width=480)


def _levels(frames: Tensor) -> Tensor:
    """Levels of 8 bits, 0 to 255, rounded and not cut off."""
    return (frames.clamp(0, 1) * 255).round().byte()


def _threads(number: int) -> str:
    return f"{number} thread{'' if number == 1 else 's'}"
