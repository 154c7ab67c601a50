"""The one streaming loop: read, split at cuts, run each shot through the edits, write, verify, report."""

import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import torch

from vedit.device import pick_device
from vedit.edits.edit import Edit
from vedit.errors import EngineError, OutputError
from vedit.frame import Frame, Notes, Shot, Timing
from vedit.proof import Report, peak_memory
from vedit.video.probe import probe
from vedit.video.read import read
from vedit.video.source import Source
from vedit.video.write import Output, Writer


def render(
    src: str | Path,
    dst: str | Path,
    edits: Sequence[Edit],
    *,
    device: str = "auto",
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
    audio: str = "copy",
    codec: str = "auto",
    crf: float | None = None,
) -> Report:
    """Run a film through a chain of edits into a new film, holding no more than the edits' windows in memory.

    Every edit starts anew at a cut. Sound, subtitles, chapters and tags are copied. The name ``dst`` appears
    only when the film is whole and verified.

    Args:
        src: the film.
        dst: the edited film; its extension picks the container.
        edits: in the order they run; none re-encodes the film as it is.
        device: see :func:`vedit.device.pick_device`.
        overwrite: replace ``dst`` if it exists.
        progress: called with (source frames finished, source frames) after every frame written.
        audio: ``copy`` or ``none``. A film whose length changes loses its sound, with a warning.
        codec: of the picture; ``auto`` takes the one that suits ``dst``.
        crf: quality of the encoding, in the codec's own scale; None takes a visually lossless one.

    Raises:
        UsageError: a setting that cannot work with this film.
        InputError: the film, or a file that a setting names, cannot be read.
        OutputError: the result cannot be written.
        EngineError: a model or device cannot do the job.
    """
    began = time.monotonic()
    source = probe(src)
    notes = Notes()
    timings = [source.timing]
    for edit in edits:
        timings.append(edit.timing(timings[-1]))
    clock = timings[-1]
    kinds = {stream.kind for stream in source.streams}
    if _length(clock) != source.duration:
        if audio == "copy" and "audio" in kinds:
            notes.warn("the film's length changes, so its sound is left out")
            audio = "none"
        if source.chapters or "subtitle" in kinds:
            notes.warn("the film's length changes, but its subtitles and chapters keep their old times")
    output = Output(Path(dst), codec=codec, crf=crf, audio=audio, overwrite=overwrite)
    where = pick_device(device)

    frames_read = frames_written = shots = 0

    def counted(frames: Iterator[Frame]) -> Iterator[Frame]:
        nonlocal frames_read
        for frame in frames:
            frames_read += 1
            yield frame

    with (
        _device_memory(where),
        Writer(source, output, clock, notes) as writer,
        closing(read(source, notes)) as frames,
        torch.no_grad(),
    ):
        for pictures in split_at_cuts(counted(frames)):
            for edit, timing in zip(edits, timings, strict=False):
                shot = Shot(shots, timing, source.height, source.width, where, notes)
                pictures = edit.stream(pictures, shot)
            shots += 1
            for frame in pictures:
                writer.add(frame)
                frames_written += 1
                if progress:
                    progress(_finished(frame, clock, source), source.frames)
        if clock == source.timing and frames_written != frames_read:
            raise OutputError(
                f"the edits gave back {frames_written} frames for {frames_read}",
                "This is a fault in an edit: report it with the command and the film's `vedit probe`.",
            )
        written = writer.finish()
    return Report(
        source=source.path,
        output=written.path,
        frames_in=source.frames,
        frames_out=written.frames,
        shots=shots,
        rate=clock.rate,
        duration_in=source.duration,
        duration_out=_length(clock),
        pts_identical=written.pts_identical,
        worst_time_error=written.worst_time_error,
        audio_in=sum(stream.kind == "audio" for stream in source.streams),
        streams=written.streams,
        seconds=time.monotonic() - began,
        peak_memory=peak_memory(),
        hole_pixels=notes.hole_pixels,
        recovered_pixels=notes.recovered_pixels,
        warnings=tuple(notes.warnings),
    )


def split_at_cuts(frames: Iterator[Frame]) -> Iterator[Iterator[Frame]]:
    """The frames of each shot in turn, lazily: a shot's frames are read as they are asked for."""
    shot = 0

    def number(frame: Frame) -> int:
        nonlocal shot
        shot += frame.cut
        return shot

    return (pictures for _, pictures in groupby(frames, key=number))


@contextmanager
def _device_memory(device: torch.device) -> Iterator[None]:
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise EngineError(f"{device} ran out of memory", "Use a smaller film or --device cpu.") from error


def _length(clock: Timing) -> Fraction:
    return (clock.end - clock.start) * clock.time_base


def _finished(frame: Frame, clock: Timing, source: Source) -> int:
    """How many source frames are over when the written frame is."""
    share = Fraction(frame.end - clock.start, clock.end - clock.start)
    tick = source.pts[0] + share * (source.end - source.pts[0])
    return source.frames if tick >= source.end else bisect_right(source.pts, tick) - 1
