"""The one streaming loop: read, split at cuts, run each shot through the edits, write, verify, report."""

import shlex
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Literal, TypedDict

from vedit.edits.edit import Edit
from vedit.errors import EngineError, OutputError, UsageError
from vedit.frame import Frame, Notes, Pace, Shot, Timing
from vedit.heap import give_back
from vedit.job import describe_call, describe_job, edits_of
from vedit.pace import pace_of
from vedit.proof import Found, Report, peak_memory
from vedit.trail import Trail
from vedit.video.journal import folder_for, read_journal
from vedit.video.output import Output
from vedit.video.probe import probe
from vedit.video.read import read
from vedit.video.source import Audio, Source
from vedit.video.write import Writer


class Options(TypedDict, total=False):
    """The keywords of :func:`render` that every function with a film in and a film out takes."""

    device: str
    overwrite: bool
    progress: Callable[[int, int], None] | None
    warn: Callable[[str], None] | None
    phase: Callable[[str, float], None] | None
    audio: Audio
    codec: str
    crf: float | None
    on_corrupt: Literal["repeat", "skip", "fail"]
    hdr: Literal["refuse", "tonemap"]
    resume: bool


def render(
    src: str | Path,
    dst: str | Path,
    edits: Sequence[Edit],
    *,
    device: str = "auto",
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
    warn: Callable[[str], None] | None = None,
    phase: Callable[[str, float], None] | None = None,
    audio: Audio = "copy",
    codec: str = "auto",
    crf: float | None = None,
    on_corrupt: Literal["repeat", "skip", "fail"] = "repeat",
    hdr: Literal["refuse", "tonemap"] = "refuse",
    resume: bool = True,
) -> Report:
    """Run a film through a chain of edits into a new film, holding no more than the edits' windows in memory.

    Every edit starts anew at a cut. Sound, subtitles, chapters and tags are copied. The name ``dst`` appears
    only when the film is whole and verified. What is finished is kept beside ``dst`` in segments of a few seconds, so
    that the same call goes on where it was interrupted, whatever interrupted it; the result is the same.

    Args:
        src: the film.
        dst: the edited film; its extension picks the container.
        edits: in the order they run; none re-encodes the film as it is.
        device: see :func:`vedit.device.pick_device`.
        overwrite: replace ``dst`` if it exists.
        progress: called with (source frames finished, source frames) after every frame written.
        warn: called with every warning as soon as it is known; all are in the report as well.
        phase: called with the name of what takes long before a shot's first frame, and the part of it that is done.
        audio: ``copy`` every track bit for bit or refuse, ``auto`` copies those that ``dst`` can hold and re-encodes
            the others, ``aac`` re-encodes all, ``none`` leaves them out. Where the film's speed changes these three
            ``stretch`` them: re-encoded to go with the picture, at their own pitch, silent where it stands still;
            ``keep`` copies them as they are.
        codec: of the picture; ``auto`` takes the one that suits ``dst``.
        crf: quality of the encoding, in the codec's own scale; None takes a visually lossless one.
        on_corrupt: what stands in for a picture that cannot be decoded: ``repeat`` the one before, ``skip`` it (the one
            before stays on), or ``fail``. All are counted in the report.
        hdr: ``refuse`` films of high dynamic range, or ``tonemap`` them to BT.709.
        resume: go on with what an interrupted run of the same call has finished; False starts afresh.

    Raises:
        UsageError: a setting that cannot work with this film.
        InputError: the film, or a file that a setting names, cannot be read.
        OutputError: the result cannot be written.
        EngineError: a model or device cannot do the job.
    """
    began = time.monotonic()
    source = probe(src).as_edited(hdr)
    if device not in ("auto", "cpu"):  # those cannot fail, and torch takes long to load
        from vedit.device import pick_device

        pick_device(device)
    notes = Notes(tell=warn, report=phase)
    timings, sound, pace = clocks(source, edits, audio, notes)
    clock = timings[-1]
    output = Output(Path(dst), codec=codec, crf=crf, audio=sound, overwrite=overwrite)
    job = describe_job(source, edits, device=device, on_corrupt=on_corrupt, hdr=hdr)
    options: Options = {"device": device, "overwrite": overwrite, "audio": audio, "codec": codec, "crf": crf}
    options |= {"on_corrupt": on_corrupt, "hdr": hdr}
    call = describe_call(source, edits, options)

    with (
        _device_memory(device),
        Writer(source, output, clock, notes, pace=pace, job=job, call=call, resume=resume) as writer,
    ):
        kept, written, begun = writer.frames_kept, 0, writer.mark
        trail = Trail(source, notes, begun, memoryless=all(edit.memoryless for edit in edits))
        added = notes.added
        keep = begun.keep if begun else clock.start
        done = _source_index(keep, clock, source, pace) if begun else 0
        # What is made of earlier frames is thrown away. Only the first edit counts frames as the source does.
        told = on_corrupt != "skip" and all(edit.memoryless for edit in edits[1:])
        wanted = max(0, done - 1) if told else 0
        if progress and begun:
            progress(done, source.frames)
        if trail.place.index < source.frames:
            with closing(read(source, notes, place=trail.place, on_corrupt=on_corrupt)) as frames:
                for pictures in split_at_cuts(trail.follow(frames)):
                    shot = Shot(
                        trail.enter_shot(), source.timing, source.height, source.width, device, notes, wanted
                    )
                    for frame in edited_shot(pictures, edits, timings, shot):
                        written += 1
                        if frame.pts < keep:
                            continue
                        if mark := trail.mark(frame):
                            writer.end_segment(mark)
                        writer.add(frame)
                        give_back()
                        if progress:
                            progress(_source_index(frame.end, clock, source, pace), source.frames)
        if clock == source.timing and written != trail.frames + notes.added - added:
            raise OutputError(
                f"the edits gave back {written} frames for {trail.frames}",
                "This is a fault in an edit: report it with the command and the film's `vedit probe`.",
            )
        trail.tell()
        result = writer.finish(trail.end, skipped=trail.skipped)
    return Report(
        source=source.path,
        output=result.path,
        frames_in=source.frames,
        frames_out=result.frames,
        frames_kept=kept,
        shots=trail.shots,
        rate=clock.rate,
        duration_in=source.duration,
        duration_out=clock.seconds,
        pts_identical=result.pts_identical,
        worst_time_error=result.worst_time_error,
        audio_in=sum(stream.kind == "audio" for stream in source.streams),
        streams=result.streams,
        faults=dict(Counter(notes.faults.values())),
        seconds=time.monotonic() - began,
        peak_memory=peak_memory(),
        hole_pixels=notes.hole_pixels,
        recovered_pixels=notes.recovered_pixels,
        findings=tuple(notes.findings),
        found={kind: Found(*counts) for kind, counts in sorted(notes.found.items())},
        warnings=tuple(notes.warnings),
    )


def resume(
    dst: str | Path,
    *,
    progress: Callable[[int, int], None] | None = None,
    warn: Callable[[str], None] | None = None,
    phase: Callable[[str, float], None] | None = None,
) -> Report:
    """Go on with an interrupted render, with the settings it was begun with.

    Args:
        dst: the film it was to write.
        progress: as in :func:`render`.
        warn: as in :func:`render`.
        phase: as in :func:`render`.

    Raises:
        UsageError: nothing is kept of a render to ``dst``, or it was begun with settings that only Python holds.
        VeditError: as :func:`render`.
    """
    path = Path(dst)
    kept = read_journal(folder_for(path))
    if kept is None:
        raise UsageError(f"nothing is kept of a render to {path}", "Run its command.")
    if kept.call is None:
        raise UsageError(
            f"the render to {path} was begun with settings that only Python holds",
            "Make the same call again.",
        )
    call = kept.call
    return render(
        call["source"], path, edits_of(call), progress=progress, warn=warn, phase=phase, **call["options"]
    )


def resume_hint(dst: Path) -> str | None:
    """What to tell a user whose render was interrupted; None when nothing is kept of it."""
    kept = read_journal(folder_for(dst))
    if kept is None:
        return None
    done = sum(len(segment.packets) for segment in kept.segments)
    how = "the same call" if kept.call is None else f"vedit resume {shlex.quote(str(dst))}"
    return f"{done} frames are kept; go on with: {how}"


def clocks(
    source: Source, edits: Sequence[Edit], audio: str, notes: Notes
) -> tuple[list[Timing], str, Pace | None]:
    """The film's clock and the clock after each edit; what becomes of the sound; how the film's time changes, if so."""
    timings = [source.timing]
    for edit in edits:
        timings.append(edit.timing(timings[-1]))
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
