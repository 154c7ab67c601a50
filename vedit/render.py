"""A film in, a chain of edits, a film out: begun and reported."""

import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, TypedDict

from vedit.edits.edit import Edit
from vedit.frame import Notes
from vedit.proof import Report
from vedit.streaming import prepare
from vedit.trail import skipped, tell
from vedit.video.journal import folder_for, read_journal
from vedit.video.source import Audio, Source


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
    src: str | Path | Source,
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
        src: the film, or its facts from :func:`vedit.probe`, which saves reading its times again.
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
    film = prepare(
        src,
        dst,
        edits,
        Notes(tell=warn, report=phase),
        device=device,
        overwrite=overwrite,
        audio=audio,
        codec=codec,
        crf=crf,
        on_corrupt=on_corrupt,
        hdr=hdr,
    )
    with film.writing(resume=resume) as writer:
        kept = writer.frames_kept
        trail = film.stream_into(writer, progress)
        tell(film.notes, film.source.frames)
        result = writer.finish(trail.end, skipped=skipped(film.notes))
    return film.report(result, kept=kept, shots=trail.shots, began=began)


def resume_hint(dst: Path) -> str | None:
    """What to tell a user whose render was interrupted; None when nothing is kept of it."""
    kept = read_journal(folder_for(dst))
    if kept is None:
        return None
    done = sum(len(segment.packets) for segment in kept.segments)
    how = "the same call" if kept.call is None else f"vedit resume {shlex.quote(str(dst))}"
    return f"{done} frames are kept; go on with: {how}"
