"""A MoviePy clip into a film by our own writer: exact times, the original sound where it is untouched."""

import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Unpack

from moviepy import VideoClip  # type: ignore[import-untyped] # it ships no types
from proglog import (  # type: ignore[import-untyped] # it ships no types
    ProgressBarLogger,
    default_bar_logger,
)

from vedit.errors import UsageError, VeditError
from vedit.frame import Notes, Timing
from vedit.fx.carrier import file_of_sound, write_carrier
from vedit.fx.chain import Chain
from vedit.fx.source import ClipPictures, FilmPictures, Pictures
from vedit.fx.view import check, view_of
from vedit.heap import give_back
from vedit.job import files_of
from vedit.proof import Report, noted, peak_memory
from vedit.render import Options, render
from vedit.video.output import Output
from vedit.video.probe import probe
from vedit.video.source import SDR, Source, VideoFacts
from vedit.video.timing import common_time_base
from vedit.video.write import Writer

OF_FILMS = ("device", "on_corrupt", "hdr", "resume")
"""Options that mean something only for vedit's edits on a film."""


def write(
    clip: VideoClip,
    out: str | Path,
    *,
    logger: "str | ProgressBarLogger | None" = "bar",
    **options: Unpack[Options],
) -> Report:
    """Write a clip with vedit's writer: exact times, the final name only when the film is whole and verified.

    A film from `vedit.load`, or a VideoFileClip, with nothing but vedit's effects on it is rendered as the functions on
    files do: all tracks, subtitles and chapters copied, resumed after an interruption. If its sound was changed,
    MoviePy renders that and it is encoded anew. Any other clip is written at its ``fps``, and the sound of its file is
    copied, with the file's other streams, if nothing was done to it.

    Args:
        clip: a clip with a duration and a rate.
        out: the film; its extension picks the container.
        logger: MoviePy's: "bar", None or a proglog logger.
        options: as for `vedit.restyle`; ``device``, ``on_corrupt``, ``hdr`` and ``resume`` only where vedit's edits on
            a film are all there is. ``progress`` takes the place of the logger.

    Raises:
        VeditError: as :func:`vedit.render.render`; UsageError for a clip without duration or rate, or a mask.
    """
    check(clip, "write")
    bars = default_bar_logger(logger)
    progress = options.get("progress") or _progress(bars)
    view = view_of(clip)
    chain = view.chain if view else Chain(ClipPictures(clip))
    pictures = chain.pictures
    if view and isinstance(pictures, FilmPictures) and (clip.audio is None or view.sound_untouched(clip)):
        options.setdefault("hdr", pictures.hdr)
        if clip.audio is None:
            options.setdefault("audio", "none")
        options["progress"] = progress
        return render(pictures.source.path, out, chain.edits, **options)
    if given := [name for name in OF_FILMS if name in options]:
        raise UsageError(
            f"write was given {' and '.join(given)}, but the clip is more than vedit's edits on a film",
            "Leave it out.",
        )
    if _is_file(clip, Path(out)):
        raise UsageError(f"{out} is the source itself", "Write to another file.")
    notes = Notes(tell=options.get("warn"), report=options.get("phase"))
    with tempfile.TemporaryDirectory(prefix="vedit-sound-") as folder:
        film = None if isinstance(pictures, FilmPictures) else _film_of_sound(clip)
        own_sound = film is not None
        if film is None:
            _warn_of_loss(pictures, notes)
            carrier = Path(folder, "sound.mkv")
            write_carrier(carrier, clip.audio, bars)
            film = probe(carrier)
        # The clip's sound, rendered, begins with its first picture.
        starts = film.pts[0] * film.time_base if own_sound else Fraction(0)
        output = Output(
            Path(out),
            codec=options.get("codec", "auto"),
            crf=options.get("crf"),
            audio=options.get("audio", "copy" if own_sound else "aac"),
            overwrite=options.get("overwrite", False),
            needed=files_of(chain.edits),
        )
        video = _facts(pictures, film if own_sound else None, film.video.index)
        source = replace(film, video=video, original=None)
        report = _written(chain, source, starts, output, progress, notes)
    if own_sound:
        return report
    shown = (
        pictures.source.path
        if isinstance(pictures, FilmPictures)
        else getattr(clip, "filename", report.output)
    )
    return replace(report, source=Path(shown))


def _progress(bars: ProgressBarLogger) -> Callable[[int, int], None]:
    """Tell a logger of MoviePy's as it tells of its own writing: a bar named ``frame_index``."""
    begun = False

    def tell(done: int, total: int) -> None:
        nonlocal begun
        if not begun:
            bars(frame_index__total=total)
            begun = True
        bars(frame_index__index=done)

    return tell


def _film_of_sound(clip: VideoClip) -> Source | None:
    """The clip's film if it has its sound, untouched; None where it has another or none."""
    path = file_of_sound(clip.audio)
    if path is None or not _is_file(clip, path):
        return None
    try:
        return probe(path)
    except VeditError:  # MoviePy reads more than we do
        return None


def _warn_of_loss(pictures: Pictures, notes: Notes) -> None:
    """Say what of a film does not go along when its sound was changed."""
    if not isinstance(pictures, FilmPictures):
        return
    source = pictures.source
    others = Counter(stream.kind for stream in source.streams if stream.kind not in ("video", "audio"))
    lost = [f"{count} {kind} streams" if count > 1 else f"a {kind} stream" for kind, count in others.items()]
    if source.chapters:
        lost.append(f"{source.chapters} chapters")
    if lost:
        notes.warn(f"{' and '.join(lost)} of {source.path.name} are left out, because its sound was changed")


def _is_file(clip: VideoClip, path: Path) -> bool:
    """Whether a clip was opened from a file."""
    name = getattr(clip, "filename", None)
    return name is not None and path.exists() and Path(name).exists() and path.samefile(name)


def _facts(pictures: Pictures, film: Source | None, index: int) -> VideoFacts:
    """How the pictures are to be encoded: as their film is, or the film of their sound if it is of their kind."""
    if isinstance(pictures, FilmPictures):
        return replace(pictures.source.video, index=index)
    width, height = pictures.size
    alike = film is not None and (film.width, film.height) == (width, height) and not film.video.colour.is_hdr
    return VideoFacts(
        index=index,
        codec="rawvideo",
        pix_fmt="yuva420p" if pictures.alpha else "yuv420p",
        width=width,
        height=height,
        sar=film.video.sar if film and alike else Fraction(1),
        bit_depth=8,
        alpha=pictures.alpha,
        colour=film.video.colour if film and alike else SDR,
        field_order="progressive",
        rotation=0,
        mirrored=False,
    )


def _written(
    chain: Chain,
    source: Source,
    starts: Fraction,
    output: Output,
    progress: Callable[[int, int], None],
    notes: Notes,
) -> Report:
    """Encode a chain's frames, the first shown at ``starts`` seconds, with the other streams of ``source``."""
    began = time.monotonic()
    own, total = chain.timing, len(chain.pictures.pts)
    clock = _from(own, starts)
    scale = int(own.time_base / clock.time_base)
    source = replace(
        source, pts=tuple(range(total)), end=total, time_base=clock.seconds / total, rate=clock.rate
    )
    with closing(chain.frames(notes)) as frames, Writer(source, output, clock, notes) as writer:
        for frame in frames:
            done = chain.source_frames(frame.end)
            frame.pts = clock.start + (frame.pts - own.start) * scale
            frame.duration *= scale
            writer.add(frame)
            give_back(source.height * source.width)
            progress(done, total)
        result = writer.finish()
    return Report(
        source=source.path,
        output=result.path,
        frames_in=total,
        frames_out=result.frames,
        frames_kept=0,
        shots=chain.shots,
        rate=clock.rate,
        duration_in=chain.timings[0].seconds,
        duration_out=clock.seconds,
        pts_identical=own is chain.timings[0] and result.frames == total,
        worst_time_error=result.worst_time_error,
        audio_in=sum(stream.kind == "audio" for stream in source.streams),
        streams=result.streams,
        seconds=time.monotonic() - began,
        peak_memory=peak_memory(),
        **noted(notes),
    )


def _from(timing: Timing, starts: Fraction) -> Timing:
    """The same clock, begun at another time."""
    base = common_time_base(timing.time_base, starts) if starts else timing.time_base
    start = int(starts / base)
    return Timing(base, timing.rate, start, start + int(timing.seconds / base))
