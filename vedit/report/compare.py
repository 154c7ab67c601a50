"""Two films, one pass: measured, their worst moments found, and put on a page."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from torch import Tensor

from vedit.frame import Notes
from vedit.heap import give_back
from vedit.metrics.fidelity import MOST_DB
from vedit.pages.page import write_page
from vedit.pages.small import jpeg, picture_of, small_size
from vedit.pages.whole import check_page
from vedit.proof import peak_memory
from vedit.report.comparison import ALIKE, Comparison
from vedit.report.kept import kept, time_error
from vedit.report.measures import LARGEST, Gauge, seen
from vedit.report.page import comparison_page
from vedit.report.pairing import length, moments, tolerance
from vedit.report.previews import SIDE, PreviewWriter
from vedit.report.vmaf import vmaf as vmaf_of
from vedit.report.worst import Worst
from vedit.video.probe import probe
from vedit.video.source import Source

SHAPE = 0.01
"""By how much two shapes may differ and still be one: sizes are whole and even numbers."""


def compare(
    reference: str | Path,
    result: str | Path,
    *,
    html: str | Path | None = None,
    overwrite: bool = False,
    vmaf: bool = True,
    progress: Callable[[int, int], None] | None = None,
    warn: Callable[[str], None] | None = None,
) -> Comparison:
    """Measure how a film differs from the one it was made from, or any two films from each other.

    Both are read once, side by side, in constant memory. Every picture of the reference is compared with the one that
    the result shows at that time, counted from each film's first picture; films of different sizes at the smaller one.

    Args:
        reference: the film it was made from, or the one to hold it against.
        result: the other film.
        html: write a page here that shows all of it: one file that needs nothing else.
        overwrite: replace ``html`` if it exists.
        vmaf: also VMAF, where it means something: films alike, of one size and with as many pictures.
        progress: called with (pictures compared, pictures of the reference) after every one.
        warn: called with every remark as soon as it is known; all are in the comparison as well.

    Raises:
        UsageError: ``html`` exists or is a folder, or a film is not one that can be read as pictures.
        InputError: a film cannot be read.
        OutputError: the page cannot be written.
    """
    began = time.monotonic()
    films = [probe(path).as_edited("tonemap") for path in (reference, result)]
    ours, theirs = films
    if html is not None:
        check_page(Path(html), [film.path for film in films], example="report.html", overwrite=overwrite)
    notes = Notes(tell=warn)
    for remark in differences(ours, theirs):
        notes.warn(remark)

    gauge = Gauge(*min(((film.height, film.width) for film in films), key=lambda size: size[0] * size[1]))
    apart, unsteady = Worst(), Worst()
    previews = PreviewWriter(ours) if html is not None else None
    look_through(films, gauge, apart, unsteady, previews, notes, progress)
    series = gauge.series
    alike = (series.mean("psnr") or 0.0) >= ALIKE
    worst = tuple((apart if alike else unsteady).chosen())
    score, words = None, "not asked for"
    if vmaf:
        score, words = vmaf_of(ours, theirs) if alike else (None, "the films are not meant to look alike")
    comparison = Comparison(
        reference=ours.path,
        result=theirs.path,
        frames=len(series.seconds),
        frames_reference=ours.frames,
        frames_result=theirs.frames,
        width=gauge.size[1],
        height=gauge.size[0],
        time_error=time_error(ours, theirs),
        shots=len(series.cuts),
        alike=alike,
        identical=series.identical,
        series=series,
        worst=worst,
        kept=kept(ours, theirs),
        vmaf=score,
        vmaf_words=words,
        recipe=theirs.recipe,
        remarks=tuple(notes.warnings),
        html=Path(html).absolute() if html is not None else None,
        seconds=time.monotonic() - began,
        peak_memory=peak_memory(),
    )
    if html is not None and previews is not None:
        previews.keep({int(moment.seconds) for moment in worst})
        preview = previews.finish(min(map(length, films)))
        write_page(comparison_page(comparison, films, preview), Path(html), overwrite=overwrite)
    return comparison


def look_through(
    films: Sequence[Source],
    gauge: Gauge,
    apart: Worst,
    unsteady: Worst,
    previews: PreviewWriter | None,
    notes: Notes,
    progress: Callable[[int, int], None] | None,
) -> None:
    """The one pass over both films: every picture is measured, may be among the worst, and goes into the preview."""
    ours, theirs = films
    width, height = small_size(ours, SIDE)
    faults: Counter[tuple[str, str]] = Counter()
    number = -1
    with closing(moments(ours, theirs, notes)) as passing:
        for moment in passing:
            if moment.begins and moment.reference.fault:
                faults["reference", moment.reference.fault] += 1
            if moment.result.index != number and moment.result.fault:
                faults["result", moment.result.fault] += 1
            number = moment.result.index
            pictures = seen(moment.reference.pixels), seen(moment.result.pixels)
            if moment.begins:
                place, seconds = len(gauge.series.seconds), float(moment.seconds)
                found = gauge.measure(*pictures, seconds, cut=moment.reference.cut)
                thumbnails = partial(thumbnails_of, *pictures, width, height)
                apart.take(MOST_DB - found["psnr"], place, seconds, thumbnails)
                unsteady.take(found["warp_result"] - found["warp_reference"], place, seconds, thumbnails)
                if previews is not None:
                    previews.keep(apart.seconds | unsteady.seconds)
                if progress:
                    progress(moment.reference.index + 1, ours.frames)
            if previews is not None:
                previews.add(pictures, moment.seconds)
            give_back(ours.height * ours.width)
    for (whose, fault), count in faults.items():
        notes.warn(f"{count} pictures of the {whose} are not whole in the file: {fault}")


def thumbnails_of(reference: Tensor, result: Tensor, width: int, height: int) -> tuple[bytes, bytes]:
    """Two pictures ``(3, H, W)`` as JPEGs."""
    return jpeg(picture_of(reference, width, height)), jpeg(picture_of(result, width, height))


def differences(reference: Source, result: Source) -> Iterator[str]:
    """What about two films keeps them from being compared as they are, and what is done about it."""
    sizes = [f"{film.width}x{film.height}" for film in (reference, result)]
    if sizes[0] != sizes[1]:
        smaller = min((reference, result), key=lambda film: film.width * film.height)
        yield (
            f"the films are {sizes[0]} and {sizes[1]}; they are compared at {smaller.width}x{smaller.height}"
        )
    compared = min(film.width * film.height for film in (reference, result))
    if compared > LARGEST:
        yield f"pictures of {compared} pixels are compared at {LARGEST}"
    shapes = [film.width * film.video.sar / film.height for film in (reference, result)]
    if abs(shapes[1] / shapes[0] - 1) > SHAPE:
        yield "the films are not of one shape: one is stretched to the other's"
    lengths = length(reference), length(result)
    slack = tolerance(reference, result)
    if abs(lengths[0] - lengths[1]) > reference.time_base + result.time_base:
        yield (
            f"the films last {float(lengths[0]):.3f} and {float(lengths[1]):.3f} s; "
            f"they are compared for {float(min(lengths)):.3f} s, as long as both last"
        )
    if slack:
        yield f"times are matched to within {float(1000 * slack):.3g} ms, since not both films keep one rate"
