"""Prediction measured: the next frames of clips, beside the last one repeated and its motion carried forward."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

from vedit.bench.clips import read_clip
from vedit.bench.rows import Row
from vedit.bench.sheet import contact_sheet
from vedit.device import pick_device
from vedit.diffusion.engine import load_engine
from vedit.errors import InputError, UsageError
from vedit.latents.bundled import BundledCodec
from vedit.metrics.fidelity import psnr, ssim
from vedit.temporal.foresee import foresee
from vedit.temporal.predict import HORIZON, PAST, load_predictor
from vedit.temporal.rhythm import SEEN

LENGTH = PAST + HORIZON
"""Of the shortest run."""
SHOWN = (1, 2, 4, 8)
"""Horizons on a contact sheet."""


@dataclass(frozen=True)
class PredictionRow(Row):
    """How near the frames that a method predicts are to those that came, ``horizon`` frames ahead.

    The mean over ``frames`` starting points; ``psnr`` in dB and ``ssim`` as :mod:`vedit.metrics.fidelity` has them.
    """

    horizon: int
    psnr: float
    ssim: float


@dataclass(frozen=True)
class Trial:
    """What is done to a clip: 13 frames of a run of 21 are shown, in short clips as few as 4, and eight predicted.

    Of the first ``frames``, at most ``width`` wide, ``starts`` runs are taken, evenly spread.

    Raises:
        UsageError: there is no run.
    """

    frames: int = 96
    width: int = 480
    starts: int = 4

    def __post_init__(self) -> None:
        if self.frames < LENGTH:
            raise UsageError(f"{self.frames} frames hold no run of {LENGTH}", f"Take {LENGTH} or more.")
        if self.starts < 1:
            raise UsageError(f"{self.starts} starts predict nothing", "Give 1 or more.")


def bench_predict(
    clips: Sequence[Path],
    trial: Trial,
    kinds: Sequence[str],
    *,
    device: str = "auto",
    output: Path | None = None,
) -> Iterator[PredictionRow]:
    """Measure every method on every clip: a row for each horizon.

    Methods: ``repeat``, the last frame again; ``flow``, its pixels along the motion carried forward; then the
    predictors: each as the mean of what may come, as `vedit.edits.Extend` shows it (``… sharp``), both of real pixels,
    and as its latents are decoded (``… decoded``). ``codec`` is the true frame encoded and decoded: what the latter
    could reach at most.

    Args:
        clips: films.
        trial: what is done to them.
        kinds: predictors, see :func:`vedit.temporal.predict.load_predictor`.
        device: see :func:`vedit.device.pick_device`.
        output: a folder for a contact sheet of each clip's first run.

    Raises:
        VeditError: a film or a predictor cannot be read, or a sheet cannot be written.
    """
    on = pick_device(device)
    codec = load_engine("bundled", on).codec
    assert isinstance(codec, BundledCodec)  # noqa: S101 - the bundled engine's
    nets = {kind: load_predictor(kind, on) for kind in kinds}
    for path in clips:  # what cannot be measured is refused now, and not after the others have been
        _runs(path, trial)
    for number, path in enumerate(clips, 1):
        scores: dict[tuple[str, int], list[tuple[float, float]]] = {}
        runs = _runs(path, trial)
        for place, run in enumerate(runs):
            past, future = run[:-HORIZON], run[-HORIZON:]
            made: dict[str, list[Tensor]] = {"truth": list(future), "repeat": [past[-1]] * HORIZON}
            for kind, net in nets.items():
                made["flow"], made[kind], made[f"{kind} sharp"], made[f"{kind} decoded"] = [], [], [], []
                for seen in islice(foresee(list(past.to(on)), net, codec), HORIZON):
                    made["flow"].append(seen.carried.cpu())
                    made[kind].append(seen.mean.cpu())
                    made[f"{kind} sharp"].append(seen.sharp.cpu())
                    made[f"{kind} decoded"].append(seen.decoded.cpu())
            with torch.no_grad():
                made["codec"] = [
                    codec.decode(codec.encode(f[None].to(on)), *f.shape[-2:])[0].cpu() for f in future
                ]
            for method, pictures in made.items():
                for k, (picture, true) in enumerate(zip(pictures, future, strict=True), start=1):
                    if method != "truth":
                        scores.setdefault((method, k), []).append(_score(picture, true))
            if output is not None and place == 0:
                shown = [
                    (name, made[name])
                    for name in ("truth", "repeat", "flow", *kinds, *(f"{k} sharp" for k in kinds[-1:]))
                ]
                rows = [
                    (f"{name}, {', '.join(map(str, SHOWN))} ahead", [p[k - 1] for k in SHOWN])
                    for name, p in shown
                ]
                contact_sheet(rows, output / f"{number:02d}_{path.stem}.png")
        for (method, k), values in scores.items():
            dbs, alike = zip(*values, strict=True)
            yield PredictionRow(path.name, method, len(runs), k, fmean(dbs), fmean(alike))


def over_clips(rows: Sequence[PredictionRow]) -> list[PredictionRow]:
    """The mean of every method at every horizon over the clips."""
    groups: dict[tuple[str, int], list[PredictionRow]] = {}
    for row in rows:
        groups.setdefault((row.method, row.horizon), []).append(row)
    return [
        replace(
            group[0],
            clip="mean",
            frames=sum(row.frames for row in group),
            psnr=fmean(row.psnr for row in group),
            ssim=fmean(row.ssim for row in group),
        )
        for group in groups.values()
    ]


def _runs(path: Path, trial: Trial) -> list[Tensor]:
    """Runs ``(21, 3, H, W)`` of a clip, of a short one shorter ones.

    Raises:
        InputError: it cannot be read, or is too short.
    """
    frames = read_clip(path, trial.frames, trial.width).frames
    if len(frames) < LENGTH:
        raise InputError(
            f"{path.name} has {len(frames)} frames before its first cut, too few for a run of {LENGTH}",
            "Give a longer clip.",
        )
    length = min(SEEN + HORIZON, len(frames))
    room = len(frames) - length
    starts = sorted({round(i * room / max(1, trial.starts - 1)) for i in range(trial.starts)})
    return [frames[start : start + length] for start in starts]


def _score(picture: Tensor, true: Tensor) -> tuple[float, float]:
    levels = (picture.clamp(0, 1) * 255).round() / 255
    return float(psnr(levels[None], true[None])), float(ssim(levels[None], true[None]))
