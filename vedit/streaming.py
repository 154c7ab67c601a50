"""A film, its edits and its output, found to fit: and the one streaming loop that everything is rendered by."""

import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import groupby, takewhile
from pathlib import Path
from typing import Any, Literal

from vedit.edits.edit import Edit
from vedit.errors import EngineError, OutputError, UsageError
from vedit.frame import Frame, Notes, Pace, Shot, Timing
from vedit.heap import give_back
from vedit.job import describe_call, describe_job, files_of
from vedit.pace import pace_of
from vedit.proof import Report, noted, peak_memory
from vedit.recipes import lengthened
from vedit.trail import Piece, Trail
from vedit.video.limits import max_frames
from vedit.video.output import Output
from vedit.video.probe import probe
from vedit.video.read import OnCorrupt, read
from vedit.video.source import Audio, Source
from vedit.video.write import Writer, Written

FINEST = 2**31
"""Numerator and denominator of a tick are below this in FFmpeg."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A render whose settings are found to fit: the film, its edits, its clocks, and where it goes."""

    source: Source
    output: Output
    edits: Sequence[Edit]
    timings: Sequence[Timing]
    """The clock before the first edit and after each."""
    pace: Pace | None
    device: str
    on_corrupt: OnCorrupt
    job: Mapping[str, Any]
    call: Mapping[str, Any] | None
    notes: Notes

    @property
    def clock(self) -> Timing:
        """The clock of the result."""
        return self.timings[-1]

    @contextmanager
    def writing(self, *, resume: bool, folder: Path | None = None) -> Iterator[Writer]:
        """What the frames are written with; see ``Writer``, also for ``folder``."""
        with (
            _device_memory(self.device),
            Writer(
                self.source,
                self.output,
                self.clock,
                self.notes,
                pace=self.pace,
                job=self.job,
                call=self.call,
                resume=resume,
                folder=folder,
            ) as writer,
        ):
            yield writer

    def stream_into(
        self, writer: Writer, progress: Callable[[int, int], None] | None, piece: Piece | None = None
    ) -> Trail:
        """Read the film, or a piece of it, run it through the edits and write it, from where an earlier run stopped.

        ``progress`` is told of the source frames of the film, or of the piece.
        """
        source, notes, edits, clock = self.source, self.notes, self.edits, self.clock
        give_back(source.height * source.width)  # from the start: what the heap takes first it keeps
        piece = piece or Piece(0, source.frames, 0)
        written, begun = 0, writer.mark
        trail = Trail(source, notes, begun, piece, memoryless=all(edit.memoryless for edit in edits))
        added = notes.added
        keep = begun.keep if begun else None
        done = piece.start if keep is None else _source_index(keep, clock, source, self.pace)
        # What is made of earlier frames is thrown away. Only the first edit counts frames as the source does.
        told = self.on_corrupt != "skip" and all(edit.memoryless for edit in edits[1:])
        wanted = max(0, done - 1) if told and begun else 0
        length = piece.stop - piece.start
        if progress and begun:
            progress(done - piece.start, length)
        if trail.place.index < piece.stop:
            with closing(read(source, notes, place=trail.place, on_corrupt=self.on_corrupt)) as frames:
                part = takewhile(lambda frame: frame.index < piece.stop, frames)
                for pictures in split_at_cuts(trail.follow(part)):
                    size = source.height, source.width
                    shot = Shot(trail.enter_shot(), source.timing, *size, self.device, notes, wanted)
                    for frame in edited_shot(pictures, edits, self.timings, shot):
                        written += 1
                        if keep is not None and frame.pts < keep:
                            continue
                        if mark := trail.mark(frame):
                            writer.end_segment(mark)
                        writer.add(frame)
                        give_back(source.height * source.width)
                        if progress:
                            done = min(_source_index(frame.end, clock, source, self.pace), piece.stop)
                            progress(done - piece.start, length)
        if clock == source.timing and written != trail.frames + notes.added - added:
            raise OutputError(
                f"the edits gave back {written} frames for {trail.frames}",
                "This is a fault in an edit: report it with the command and the film's `vedit probe`.",
            )
        return trail

    def report(self, result: Written, *, kept: int, shots: int, began: float) -> Report:
        """What was done, for a film that is whole; ``began`` is a reading of the monotonic clock."""
        source, notes = self.source, self.notes
        return Report(
            source=source.path,
            output=result.path,
            frames_in=source.frames,
            frames_out=result.frames,
            frames_kept=kept,
            shots=shots,
            rate=self.clock.rate,
            duration_in=source.duration,
            duration_out=self.clock.seconds,
            pts_identical=result.pts_identical,
            worst_time_error=result.worst_time_error,
            audio_in=sum(stream.kind == "audio" for stream in source.streams),
            streams=result.streams,
            seconds=time.monotonic() - began,
            peak_memory=peak_memory(),
            **noted(notes),
        )


def prepare(
    src: str | Path | Source,
    dst: str | Path,
    edits: Sequence[Edit],
    notes: Notes,
    *,
    device: str,
    overwrite: bool,
    audio: Audio,
    codec: str,
    crf: float | None,
    on_corrupt: OnCorrupt,
    hdr: Literal["refuse", "tonemap"],
) -> Prepared:
    """Look at the film and see that the settings of :func:`render` fit it, before anything is written.

    Raises:
        UsageError, InputError, EngineError: as :func:`render`.
    """
    source = (src if isinstance(src, Source) else probe(src)).as_edited(hdr)
    if device not in ("auto", "cpu"):  # those cannot fail, and torch takes long to load
        from vedit.device import pick_device

        pick_device(device)
    timings, sound, pace = clocks(source, edits, audio, notes)
    recipe, lost = lengthened(source.recipe, edits)
    if lost:
        notes.warn(lost)
    output = Output(
        Path(dst),
        codec=codec,
        crf=crf,
        audio=sound,
        overwrite=overwrite,
        recipe=recipe,
        needed=files_of(edits),
    )
    job = describe_job(source, edits, device=device, on_corrupt=on_corrupt, hdr=hdr)
    options: dict[str, object] = {
        "device": device,
        "overwrite": overwrite,
        "audio": audio,
        "codec": codec,
        "crf": crf,
    }
    options |= {"on_corrupt": on_corrupt, "hdr": hdr}
    call = describe_call(source, edits, options)
    return Prepared(source, output, edits, timings, pace, device, on_corrupt, job, call, notes)


def clocks(
    source: Source, edits: Sequence[Edit], audio: str, notes: Notes
) -> tuple[list[Timing], str, Pace | None]:
    """The film's clock and the clock after each edit; what becomes of the sound; how the film's time changes, if so.

    Raises:
        UsageError: the last clock is too fine for a film or has too many pictures, or an edit cannot give one.
    """
    timings = [source.timing]
    for edit in edits:
        timings.append(edit.timing(timings[-1]))
    if max((tick := timings[-1].time_base).as_integer_ratio()) >= FINEST:
        raise UsageError(
            f"the new film's times need ticks of {tick} s, which no film can have",
            "Give rounder numbers, or fractions, such as fps=30000/1001 or slowmo=5/2.",
        )
    if (clock := timings[-1]).rate and clock.rate * clock.seconds > (most := max_frames()):
        raise UsageError(
            f"the new film would have {float(clock.rate * clock.seconds):.3g} pictures; the limit is {most}",
            "Give a lower rate or a shorter film, or set VEDIT_MAX_FRAMES to a larger number.",
        )
    pace = pace_of(timings)
    if pace is None and audio in ("stretch", "keep"):
        audio = "copy"
    elif pace is not None and audio in ("copy", "auto", "aac"):
        audio = "stretch"
    elif audio == "keep" and any(stream.kind == "audio" for stream in source.streams):
        notes.warn("the sound keeps its own speed, as asked for, and no longer fits the picture")
    return timings, audio, pace


def edited_shot(
    pictures: Iterator[Frame], edits: Sequence[Edit], timings: Sequence[Timing], shot: Shot
) -> Iterator[Frame]:
    """The frames of one shot after a chain of edits, lazily.

    Args:
        pictures: the shot's frames.
        edits: in the order they run.
        timings: the clock before the first edit and after each, as from :func:`clocks`.
        shot: what the first edit is told of the shot; ``wanted`` counts its frames.
    """
    for i, edit in enumerate(edits):
        told = replace(shot, timing=timings[i], wanted=0 if i else shot.wanted)
        pictures = edit.stream(pictures, told)
    return pictures


def split_at_cuts(frames: Iterator[Frame]) -> Iterator[Iterator[Frame]]:
    """The frames of each shot in turn, lazily: a shot's frames are read as they are asked for."""
    shot = 0

    def number(frame: Frame) -> int:
        nonlocal shot
        shot += frame.cut
        return shot

    return (pictures for _, pictures in groupby(frames, key=number))


@contextmanager
def _device_memory(device: str) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        from torch import OutOfMemoryError

        if not isinstance(error, OutOfMemoryError):
            raise
        raise EngineError(f"{device} ran out of memory", "Use a smaller film or --device cpu.") from error


def _source_index(tick: int, clock: Timing, source: Source, pace: Pace | None) -> int:
    """How many source frames are over at a tick of the result."""
    if tick >= clock.end:
        return source.frames
    seconds = (tick - clock.start) * clock.time_base
    at = source.pts[0] + (pace.source(seconds) if pace else seconds) / source.time_base
    return source.frames if at >= source.end else max(0, bisect_right(source.pts, at) - 1)
