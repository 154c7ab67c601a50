"""A film looked through once: what is in it, when."""

import heapq
import time
from array import array
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from math import nan
from pathlib import Path

from vedit.analysis.anomalies.telling import anomalies_of
from vedit.analysis.anomalies.watching import Anomalies
from vedit.analysis.found import MEASURES, Analysis, FilmShot, mean_of
from vedit.analysis.key_frames import KeyFrame, KeyFrames
from vedit.analysis.motion import MotionMeter
from vedit.analysis.page import analysis_page
from vedit.analysis.picture import Reducer, look, thumbnail
from vedit.analysis.preview import FilmPreview
from vedit.analysis.sheet import check_sheet, write_sheet
from vedit.analysis.sound import levels
from vedit.frame import Notes
from vedit.heap import give_back
from vedit.pages.page import write_page
from vedit.pages.whole import check_apart, check_page
from vedit.proof import peak_memory
from vedit.video.probe import probe
from vedit.video.read import read
from vedit.video.source import Source

SHOWN = 120
"""Shots whose key frames are held and shown: the longest ones of a film that has more."""


def analyse(
    src: str | Path | Source,
    *,
    anomalies: bool = False,
    html: str | Path | None = None,
    sheet: str | Path | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
    warn: Callable[[str], None] | None = None,
) -> Analysis:
    """Find the shots of a film, a key frame of each, and motion, light, sharpness, colour and sound level over time.

    The film is decoded once, in constant memory but for the numbers of each picture; its sound by itself.

    Args:
        src: the film, or its facts from `vedit.probe`.
        anomalies: also look for what is wrong with the film or strange in it, see `Analysis.anomalies`.
        html: write a page here that shows all of it: one file that needs nothing else.
        sheet: write a storyboard here, a PNG or JPEG picture: the key frame of each shot, when it begins and how long
            it lasts; of a film with more than 120 shots, the longest ones.
        overwrite: replace ``html`` and ``sheet`` if they exist.
        progress: called with (pictures looked at, pictures of the film) after every one.
        warn: called with every remark as soon as it is known; all are in the analysis as well.

    Raises:
        UsageError: ``html`` or ``sheet`` exists, is a folder or no picture that can be written, or the film is not one
            that can be read as pictures.
        InputError: the film cannot be read.
        OutputError: the page or the storyboard cannot be written.
    """
    began = time.monotonic()
    source = (src if isinstance(src, Source) else probe(src)).as_edited("tonemap")
    check_apart(html, sheet)
    if html is not None:
        check_page(Path(html), [source.path], example="report.html", overwrite=overwrite)
    if sheet is not None:
        check_sheet(Path(sheet), source.path, overwrite=overwrite)
    notes = Notes(tell=warn)
    preview = FilmPreview(source) if html is not None else None
    watch = Anomalies() if anomalies else None
    series, shots = look_through(source, notes, preview, progress, watch)
    sound = levels(source, notes, watch.hear if watch else None)
    if sound is not None:
        shots = [replace(shot, level=sound.between(shot.begins, shot.ends)) for shot in shots]
    found = Analysis(
        source=source.path,
        pts=source.pts,
        timing=source.timing,
        width=source.width,
        height=source.height,
        shots=tuple(shots),
        series=series,
        anomalies=None if watch is None else anomalies_of(source, watch.suspicions(), watch.heard()),
        sound=sound,
        sheet=Path(sheet).absolute() if sheet is not None else None,
        html=Path(html).absolute() if html is not None else None,
        remarks=tuple(notes.warnings),
        seconds=time.monotonic() - began,
        peak_memory=peak_memory(),
    )
    if found.sheet is not None:
        write_sheet(found, found.sheet, overwrite=overwrite)
    if found.html is not None and preview is not None:
        write_page(analysis_page(found, preview.finish()), found.html, overwrite=overwrite)
    return found


def look_through(
    source: Source,
    notes: Notes,
    preview: FilmPreview | None,
    progress: Callable[[int, int], None] | None,
    watch: Anomalies | None = None,
) -> "tuple[dict[str, array[float]], list[FilmShot]]":
    """The one pass over a film's pictures: the measures of each, and its shots, whose sound is not known yet."""
    series = {name: array("f", [nan]) * source.frames for name in MEASURES}
    reducer, meter, keys = Reducer(source), MotionMeter(), KeyFrames()
    shots: list[FilmShot] = []
    longest: list[tuple[Fraction, int]] = []
    faults: Counter[str] = Counter()
    start = 0

    def end_shot(stop: int) -> None:
        shots.append(shot_of(source, start, stop, keys.chosen(), series))
        heapq.heappush(longest, (shots[-1].duration, -len(shots)))
        if len(longest) > SHOWN:
            number = -heapq.heappop(longest)[1] - 1
            shots[number] = replace(shots[number], thumbnail=None)

    with closing(read(source, notes)) as frames:
        for frame in frames:
            if frame.cut and frame.index:
                end_shot(frame.index)
                start = frame.index
            if frame.fault:
                faults[frame.fault] += 1
            picture = reducer(frame)
            seen = look(picture)
            keys.take(frame.index, picture, seen)
            for name in ("brightness", "contrast", "sharpness", "colourfulness"):
                series[name][frame.index] = getattr(seen, name)
            if moved := meter.measure(picture, seen.contrast, cut=frame.cut):
                seconds = float((frame.pts - source.pts[frame.index - 1]) * source.time_base)
                for name, value in zip(
                    ("motion", "camera", "objects"), (moved.total, moved.camera, moved.objects), strict=True
                ):
                    series[name][frame.index] = value / seconds
            if watch is not None:
                watch.take(frame.index, meter.picture, meter.flow, cut=frame.cut)
            if preview is not None:
                preview.add(picture, frame)
            give_back(source.height * source.width)
            if progress:
                progress(frame.index + 1, source.frames)
    end_shot(source.frames)
    for fault, count in faults.items():
        notes.warn(f"{count} of the pictures are not whole in the file: {fault}")
    return series, shots


def shot_of(
    source: Source, start: int, stop: int, key: KeyFrame, series: "Mapping[str, array[float]]"
) -> FilmShot:
    """A shot that is over."""

    def seconds(index: int) -> Fraction:
        tick = source.pts[index] if index < source.frames else source.end
        return (tick - source.pts[0]) * source.time_base

    colour = (key.signature.mean(axis=(0, 1)) * 255).round().astype(int)
    return FilmShot(
        start=start,
        stop=stop,
        begins=seconds(start),
        ends=seconds(stop),
        key_frame=key.index,
        key_seconds=seconds(key.index),
        means={name: mean_of(values[start:stop]) for name, values in series.items()},
        level=None,
        colour="#{:02x}{:02x}{:02x}".format(*colour),
        signature=key.signature,
        thumbnail=thumbnail(key.picture),
    )
