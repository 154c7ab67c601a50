"""Smaller and faster engines measured: what a precision, the steps or compiling save, and what they cost."""

import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

from vedit.bench.clips import read_clip
from vedit.bench.rows import Row
from vedit.bench.variants import CPU, Variant, type_name, variants
from vedit.clip import Clip
from vedit.device import model_dtype, torch_threads
from vedit.diffusion import Prior, denoise
from vedit.diffusion.looks import look_row
from vedit.edits.paint import STEPS
from vedit.edits.sketch import Sketch, sketches
from vedit.edits.steady import Painted, steady
from vedit.flow.pairs import PairFlow
from vedit.metrics.edges import sharpness
from vedit.metrics.fidelity import psnr, ssim
from vedit.metrics.style import style_distance
from vedit.metrics.temporal import pairs_of, warp_error

Painter = Callable[[Tensor, int], Tensor]
"""Paints the ``(3, H, W)`` frame of an index as a look's own painter does."""


@dataclass(frozen=True)
class CompressRow(Row):
    """One form of an engine on one clip.

    ``size``: MB of its weights as they are stored. ``seconds`` of one thread for a frame, all that a film pays, of
    which ``net_seconds`` are the models'. ``ready_seconds``: what compiling takes before the first frame. ``psnr``,
    ``ssim`` and ``sharp``: of its frames against those of the reference, which is the whole precision at the usual
    steps. ``style``: distance to what the look's own painter makes of the same frames, the mean of the first, middle
    and last. ``warp``: error along the film's motion, 1/1000. None where there is none to tell.
    """

    size: float
    seconds: float
    net_seconds: float | None = None
    ready_seconds: float | None = None
    psnr: float | None = None
    ssim: float | None = None
    sharp: float | None = None
    style: float | None = None
    warp: float | None = None


def protocol(frames: int, width: int) -> dict[str, str]:
    """How the rows of the bundled engine are found."""
    return {
        "film": f"{frames} frames at most, up to the first cut, at most {width} wide, in a look at full strength",
        "reference": f"float32, {STEPS} steps; PSNR (at most 50 dB a frame), SSIM and sharpness are against its frames",
        "style": "distance to the look's painter on the same frame: first, middle and last; 0 is the same hand",
        "warp": "squared error along the film's own motion, times 1000",
        "int8": "weights of large layers in 8 bits, a scale for each output channel; computed in the type named",
        "size": "MB of codec and denoiser as they are stored",
        "time": "CPU seconds a frame of one thread, one run; models: codec and denoiser; the rest: motion, averages",
        "machine": f"{platform.machine()}, torch {version('torch')}; models run in {type_name(model_dtype(CPU))}",
    }


def bench_compress(
    clips: Sequence[Path],
    *,
    looks: Sequence[str] = ("ink", "oil"),
    painters: Mapping[str, Painter] | None = None,
    denoisers: Sequence[Path] = (),
    frames: int = 24,
    width: int = 512,
    compiled: bool = True,
    remark: Callable[[str], None] = print,
) -> Iterator[CompressRow]:
    """Measure the bundled engine in every precision and number of steps, on every clip in every look.

    Args:
        clips: films; the first frames of each are used, up to its first cut.
        looks: by name.
        painters: by look, what the style is measured against.
        denoisers: files of other weights for the bundled denoiser, measured at every number of steps.
        frames: of each clip, at most.
        width: that wider clips are brought to.
        compiled: whether it is compiled as well, which takes minutes.
        remark: told why a row is left out.

    Raises:
        UsageError: there is no such look.
        InputError: a film or a denoiser cannot be read.
    """
    rows = {look: look_row(look) for look in looks}
    forms = list(variants(denoisers, remark, compiled=compiled))
    with torch_threads(1), torch.inference_mode():
        for path in clips:
            film = _film(path.name, read_clip(path, frames, width))
            for look, row in rows.items():
                yield from _measured(film, look, row, (painters or {}).get(look), forms, remark)


@dataclass(frozen=True, eq=False)
class _Film:
    """A clip with what every form needs of it: its motion, its sketches, and the seconds a frame that those take."""

    name: str
    frames: Tensor
    pairs: Sequence[PairFlow]
    drawn: Sequence[Sketch]
    drawing: float


def _film(name: str, clip: Clip) -> _Film:
    pairs = pairs_of(clip.frames)
    _sketched(clip)  # what is set up once is nobody's time
    began = time.process_time()
    drawn = _sketched(clip)
    return _Film(name, clip.frames, pairs, drawn, (time.process_time() - began) / len(drawn))


def _measured(
    film: _Film,
    look: str,
    row: int,
    paint: Painter | None,
    forms: list[Variant],
    remark: Callable[[str], None],
) -> Iterator[CompressRow]:
    """Each form's row; one that cannot be compiled is taken out of the forms."""
    seen = sorted({0, len(film.drawn) // 2, len(film.drawn) - 1})
    paintings = {} if paint is None else {i: paint(film.frames[i], i) for i in seen}
    reference: Tensor | None = None
    for form in list(forms):
        try:
            ready = _made_ready(form, film.drawn, row)
        except RuntimeError as error:
            if not form.compiled:
                raise
            remark(f"{form.name} is left out: {str(error).splitlines()[0]}")
            forms.remove(form)
            continue
        made, models, averages = _restyled(form, film.drawn, row)
        found = CompressRow(
            clip=f"{film.name}, {look}",
            method=form.name,
            frames=len(made),
            size=form.size,
            seconds=film.drawing + (models + averages) / len(made),
            net_seconds=models / len(made),
            ready_seconds=ready,
            style=_distance(made, paintings),
            warp=warp_error(made, film.frames, pairs=film.pairs),
        )
        yield found if reference is None else _against(found, made, reference)
        reference = made if reference is None else reference


def _against(row: CompressRow, made: Tensor, reference: Tensor) -> CompressRow:
    """The row with how alike its frames ``(F, 3, H, W)`` are to the reference's."""
    psnrs, ssims, sharps = (measure(made, reference) for measure in (psnr, ssim, sharpness))
    return replace(row, psnr=float(psnrs.mean()), ssim=float(ssims.mean()), sharp=float(sharps.mean()))


def _made_ready(form: Variant, drawn: Sequence[Sketch], row: int) -> float | None:
    """Run a form once; the seconds it takes to compile, None where nothing is compiled."""
    if not form.compiled:
        _restyled(form, drawn[:2], row)
        return None
    began = time.perf_counter()
    _restyled(form, drawn, row)  # each length of window is compiled by itself
    return time.perf_counter() - began


def _sketched(clip: Clip) -> list[Sketch]:
    height, width = clip.frames.shape[-2:]
    return list(sketches(((frame, None) for frame in clip.stream()), (height, width), {}, 0, []))


def _restyled(form: Variant, drawn: Sequence[Sketch], row: int) -> tuple[Tensor, float, float]:
    """The frames ``(F, 3, H, W)``, as `vedit.edits.paint` makes them; the seconds of the models, and of averaging."""
    began = time.process_time()
    priors = (Prior(sketch.frame.index, sketch.pixels, None, sketch.link) for sketch in drawn)
    pictures = list(denoise(priors, form.engine, strength=1.0, seed=0, look=row, steps=form.steps))
    between = time.process_time()
    painted = (Painted(picture, sketch.link) for picture, sketch in zip(pictures, drawn, strict=True))
    made = torch.stack(list(steady(painted)))
    return made, between - began, time.process_time() - between


def _distance(made: Tensor, paintings: Mapping[int, Tensor]) -> float | None:
    """How far the frames are from their paintings, in the mean."""
    found = [style_distance(made[i], painting) for i, painting in paintings.items()]
    return fmean(found) if found else None
