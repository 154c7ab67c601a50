"""Two seconds of a film, before and after, as small films that any browser plays."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile

from vedit.edits.edit import Edit
from vedit.frame import Frame, Notes, Shot
from vedit.heap import give_back
from vedit.streaming import clocks, edited_shot, split_at_cuts
from vedit.ui.watchable import Shown
from vedit.video.read import Place, read
from vedit.video.source import Source

SECONDS = 2


@dataclass(frozen=True)
class Preview:
    """An excerpt as it was and as it becomes: MP4 films; ``frames`` are those of the film that it shows."""

    original: bytes
    edited: bytes
    frames: range
    warnings: tuple[str, ...]


def excerpt(source: Source, index: int) -> range:
    """The frames of some two seconds around one, whole pictures, as much as the film has."""
    length = SECONDS / source.time_base
    begin = Fraction(source.pts[0])
    latest = max(begin, source.end - length)
    first = min(max(source.pts[index] - length / 2, begin), latest)
    start = min(bisect_left(source.pts, first), index)
    return range(start, max(bisect_left(source.pts, first + length), index + 1))


def preview(
    source: Source,
    edits: Sequence[Edit],
    index: int,
    *,
    device: str = "auto",
    progress: Callable[[int, int], None] | None = None,
    phase: Callable[[str, float], None] | None = None,
) -> Preview:
    """Run the seconds around a frame through a chain of edits, as if they were the whole film.

    Frames keep their numbers, so masks and key frames fit. Nothing is written to disk; the pictures are small.

    Args:
        source: the film, ``as_edited``.
        edits: in the order they run.
        index: a frame that is to be among those shown.
        device: see :func:`vedit.device.pick_device`.
        progress: called with (frames edited, frames), as many as the excerpt has.
        phase: called with the name of what takes long before the first frame, and the part of it that is done.

    Raises:
        VeditError: as :func:`vedit.render.render`.
    """
    notes = Notes(report=phase)
    timings, _, _ = clocks(source, edits, "none", notes)
    shown = excerpt(source, index)
    start = source.pts[shown.start] * source.time_base
    stop = source.pts[shown.stop] if shown.stop < source.frames else source.end
    lasts = (stop - source.pts[shown.start]) * source.time_base * timings[-1].seconds / source.duration
    original, edited = Shown(source), Shown(source)

    def passing(frames: Iterator[Frame]) -> Iterator[Frame]:
        for frame in takewhile(lambda each: each.index < shown.stop, frames):
            original.show(frame, frame.pts * source.time_base - start)
            frame.forget()
            yield frame

    begun: Fraction | None = None
    ended = Fraction(0)
    tick = timings[-1].time_base
    with closing(read(source, notes, place=Place(shown.start, shown.start, None))) as frames:
        for number, pictures in enumerate(split_at_cuts(passing(frames))):
            shot = Shot(number, source.timing, source.height, source.width, device, notes)
            for frame in edited_shot(pictures, edits, timings, shot):
                begun = frame.pts * tick if begun is None else begun
                edited.show(frame, frame.pts * tick - begun)
                ended = frame.end * tick - begun
                give_back(source.height * source.width)
                if progress:
                    done = min(Fraction(1), ended / lasts)
                    progress(int(done * len(shown)), len(shown))
    before = original.finish((stop - source.pts[shown.start]) * source.time_base)
    return Preview(before, edited.finish(ended), shown, tuple(notes.warnings))
