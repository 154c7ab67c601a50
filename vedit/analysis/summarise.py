"""A highlight reel of a film, with its sound: looked through, chosen, cut on pictures, written and verified."""

import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

from vedit.analysis import timeline
from vedit.analysis.analyse import analyse
from vedit.analysis.choose import Choice, choose
from vedit.analysis.found import Analysis
from vedit.analysis.reel import Reel
from vedit.analysis.reel_sound import write_carrier
from vedit.analysis.timeline import Event
from vedit.errors import OutputError, UsageError
from vedit.frame import Frame, Notes, Timing
from vedit.fx.sound import FilmSound
from vedit.heap import give_back
from vedit.pages.whole import check_apart, check_page, write_whole
from vedit.proof import peak_memory
from vedit.video.output import Output, plan_output
from vedit.video.probe import probe
from vedit.video.read import Place, read
from vedit.video.source import Source
from vedit.video.write import Writer, Written


def summarise(
    src: str | Path | Source,
    dst: str | Path,
    *,
    seconds: Fraction | float | str,
    otio: str | Path | None = None,
    edl: str | Path | None = None,
    overwrite: bool = False,
    codec: str = "auto",
    crf: float | None = None,
    hdr: Literal["refuse", "tonemap"] = "refuse",
    progress: Callable[[int, int], None] | None = None,
    warn: Callable[[str], None] | None = None,
    phase: Callable[[str, float], None] | None = None,
) -> Reel:
    """Make a highlight reel of a film: its most interesting pieces, in its order, with their sound.

    Pieces are chosen by motion, sharpness, sound level and colour, and so that many shots are seen; black, plain and
    blurred pictures are left out where there are others. They begin and end on pictures, so the reel is as long as was
    asked for to within half a picture; of a film shorter than that it is the whole. The sound of the main track is cut
    to the sample, faded over a hundredth of a second at both ends of a piece, and encoded anew. Other tracks,
    subtitles and chapters are left out.

    Args:
        src: the film, or its facts from `vedit.probe`.
        dst: the reel; its extension picks the container.
        seconds: how long it is to last, exact: 20, 7.5, ``"1001/50"``.
        otio: write the cut list here, as an OpenTimelineIO timeline (extra ``timeline``).
        edl: write it here, as an EDL (CMX 3600); only of films that keep one rate.
        overwrite: replace what exists of these files.
        codec: of the picture; ``auto`` takes the one that suits ``dst``.
        crf: quality of the encoding, in the codec's own scale; None takes a visually lossless one.
        hdr: ``refuse`` films of high dynamic range, or ``tonemap`` them to BT.709.
        progress: called with (pictures written, pictures of the reel) after every one.
        warn: called with every warning as soon as it is known; all are in the reel's facts as well.
        phase: called with "looking through" and the part of the film that is looked through.

    Raises:
        UsageError: a setting that cannot work, or OpenTimelineIO is asked for and not installed.
        InputError: the film cannot be read.
        OutputError: a file cannot be written.
    """
    began = time.monotonic()
    asked = exact_seconds(seconds)
    notes = Notes(tell=warn, report=phase)
    source = (src if isinstance(src, Source) else probe(src)).as_edited(hdr)
    output = Output(Path(dst), codec=codec, crf=crf, audio="none", overwrite=overwrite)
    plan_output(source, output)  # complains before any work is done
    check_apart(dst, otio, edl)
    for path, example in ((otio, "reel.otio"), (edl, "reel.edl")):
        if path is not None:
            check_page(Path(path), [source.path, Path(dst)], example=example, overwrite=overwrite)
    if otio is not None:
        timeline.opentimelineio()
    if edl is not None:
        timeline.check_edl(source)
    found = analyse(
        source, progress=lambda done, total: notes.phase("looking through", done / total), warn=notes.warn
    )
    if source.duration < asked:
        notes.warn(
            f"{source.path.name} lasts {float(source.duration):.3f} s, less than was asked for: the reel is all of it"
        )
    events = events_of(found, choose(found, asked))
    _warn_of_loss(source, notes)
    clock = clock_of(found, events)
    with tempfile.TemporaryDirectory(prefix="vedit-reel-") as folder:
        result = _written(source, found, events, clock, output, Path(folder), notes, progress)
    name, sound = Path(dst).stem, found.sound is not None
    if otio is not None:
        text = timeline.timeline(events, source, name=name, sound=sound)
        write_whole(Path(otio), text.encode("utf-8", "backslashreplace"), overwrite=overwrite)
    if edl is not None:
        text = timeline.edl(events, source, name=name, sound=sound)
        write_whole(Path(edl), text.encode("utf-8", "backslashreplace"), overwrite=overwrite)
    shown = sum(
        any(event.start < shot.stop and shot.start < event.stop for event in events) for shot in found.shots
    )
    return Reel(
        source=source.path,
        output=result.path,
        asked=asked,
        duration=clock.seconds,
        frames_in=source.frames,
        frames=result.frames,
        rate=clock.rate,
        pieces=tuple(events),
        shots=shown,
        shots_in=len(found.shots),
        streams=result.streams,
        worst_time_error=result.worst_time_error,
        otio=Path(otio).absolute() if otio is not None else None,
        edl=Path(edl).absolute() if edl is not None else None,
        warnings=tuple(notes.warnings),
        seconds=time.monotonic() - began,
        peak_memory=peak_memory(),
    )


def exact_seconds(given: Fraction | float | str) -> Fraction:
    """A length in seconds as it was meant: 7.1 is 71/10.

    Raises:
        UsageError: it is no number above zero.
    """
    try:
        seconds = Fraction(str(given))
    except (ValueError, ZeroDivisionError):
        seconds = Fraction(0)
    if seconds <= 0:
        raise UsageError(f"seconds is {given!r}", "Give how long the reel is to last, such as 20 or 7.5.")
    return seconds


def clock_of(found: Analysis, events: Sequence[Event]) -> Timing:
    """The reel's clock: its film's rate from time 0; where that varies, the film's ticks."""
    rate = found.timing.rate
    base = 1 / rate if rate is not None else found.timing.time_base
    return Timing(base, rate, 0, int(events[-1].ends / base))


def events_of(found: Analysis, pieces: Sequence[Choice]) -> list[Event]:
    """The pieces with their times; a film of one rate counts pictures, whatever its container rounds times to."""
    events = []
    at = Fraction(0)
    rate = found.timing.rate
    for piece in pieces:
        begins, ends = found.time(piece.start), found.time(piece.stop)
        lasts = ends - begins if rate is None else (piece.stop - piece.start) / rate
        events.append(Event(piece.start, piece.stop, begins, ends, at, at + lasts, piece.interest))
        at += lasts
    return events


def reel_frames(
    source: Source, found: Analysis, events: Sequence[Event], clock: Timing, notes: Notes
) -> Generator[Frame]:
    """The frames of all pieces, at their times in the reel; a film is sought in, not read between them."""
    for event in events:
        last_cut = max(shot.start for shot in found.shots if shot.start <= event.start)
        begins = int(event.begins / clock.time_base)
        first = source.pts[event.start]
        with closing(read(source, notes, place=Place(event.start, last_cut, None))) as frames:
            for n, frame in enumerate(frames):
                if frame.index >= event.stop:
                    break
                if clock.rate is not None:
                    frame.pts, frame.duration = begins + n, 1
                else:
                    frame.pts = begins + frame.pts - first
                yield frame


def _written(
    source: Source,
    found: Analysis,
    events: Sequence[Event],
    clock: Timing,
    output: Output,
    folder: Path,
    notes: Notes,
    progress: Callable[[int, int], None] | None,
) -> Written:
    """The reel: its sound goes into a film of its own first, from which the writer takes it like any film's."""
    total = sum(event.stop - event.start for event in events)
    carrier = folder / "sound.mkv"
    sound = FilmSound(source) if found.sound is not None else None
    stretches = [(event.film_begins, event.begins, event.ends) for event in events]
    write_carrier(carrier, sound, stretches)
    film = replace(
        probe(carrier),
        video=replace(source.video, index=0),
        pts=tuple(range(total)),
        end=total,
        time_base=clock.seconds / total,
        rate=clock.rate,
    )
    told = Notes()
    with Writer(film, replace(output, audio="aac"), clock, told) as writer:
        for warning in told.warnings:
            if not warning.startswith(
                "audio stream"
            ):  # that it is encoded anew is said of the film's own sound
                notes.warn(warning)
        written = 0
        with closing(reel_frames(source, found, events, clock, notes)) as frames:
            for frame in frames:
                writer.add(frame)
                written += 1
                give_back(source.height * source.width)
                if progress:
                    progress(written, total)
        if written != total:
            raise OutputError(
                f"{written} of {total} pictures could be read again",
                "Copy the film again, or repair it first.",
            )
        return writer.finish()


def _warn_of_loss(source: Source, notes: Notes) -> None:
    """Say what of the film does not go along."""
    kinds = [stream.kind for stream in source.streams]
    lost = [f"{kinds.count('audio') - 1} more sound tracks"] if kinds.count("audio") > 1 else []
    others = [kind for kind in dict.fromkeys(kinds) if kind != "audio"]
    lost += [f"{kinds.count(kind)} {kind} stream{'s' * (kinds.count(kind) > 1)}" for kind in others]
    if source.chapters:
        lost.append(f"{source.chapters} chapters")
    if lost:
        notes.warn(f"{', '.join(lost)} of {source.path.name} are not in the reel")
