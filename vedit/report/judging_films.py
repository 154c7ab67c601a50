"""The films that people judge: found, probed, and shown one above the other in one small film."""

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from vedit.errors import InputError, UsageError
from vedit.frame import Frame, Notes
from vedit.heap import give_back
from vedit.pages.small_film import Preview
from vedit.report.measures import seen
from vedit.report.pairing import end_of, length, tolerance
from vedit.report.previews import SIDE, WHOLE, PreviewWriter
from vedit.video.probe import probe
from vedit.video.read import read
from vedit.video.source import Source

TALLEST = 4096
"""Pixels that the films may be high together: more, and some machines no longer decode them as they play."""
PLACES = 5
"""Of a film too long to be shown whole, the places, evenly spread, of which three seconds are shown."""


@dataclass(frozen=True)
class Clip:
    """A film and what became of it, one film per candidate; ``name`` tells it from other clips."""

    name: str
    source: Source
    candidates: tuple[Source, ...]

    @property
    def films(self) -> tuple[Source, ...]:
        return self.source, *self.candidates

    @property
    def end(self) -> Fraction:
        """Seconds for which all of the films last."""
        return min(map(length, self.films))


def find_clips(source: Path, candidates: Sequence[Path], warn: Callable[[str], None]) -> tuple[Clip, ...]:
    """The clips: one of films, or as many of folders as the source's has files.

    Raises:
        UsageError: some are folders and some are not, or the folders' files have other names.
        InputError: a film cannot be read, or a folder has no files.
    """
    if not any(path.is_dir() for path in (source, *candidates)):
        return (_clip(source.name, source, candidates, warn),)
    for path in (source, *candidates):
        if not path.is_dir():
            raise UsageError(f"{path} is no folder, and others are", "Give films only, or folders only.")
    names = _names(source)
    if not names:
        raise InputError(f"{source} has no films in it", "Give a folder of films.")
    for folder in candidates:
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            raise UsageError(
                f"{folder} has no {missing[0]}, and {source} has",
                "Give folders whose films have the same names.",
            )
        for name in sorted(set(_names(folder)) - set(names)):
            warn(f"{folder / name} is not shown: {source} has no film of that name")
    return tuple(_clip(name, source / name, [folder / name for folder in candidates], warn) for name in names)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def _clip(name: str, source: Path, candidates: Sequence[Path], warn: Callable[[str], None]) -> Clip:
    films = [probe(path).as_edited("tonemap") for path in (source, *candidates)]
    clip = Clip(name, films[0], tuple(films[1:]))
    lengths = [length(film) for film in films]
    slack = max(film.time_base for film in films)
    if max(lengths) - min(lengths) > slack:
        seconds = ", ".join(f"{float(one):.3f}" for one in lengths)
        warn(
            f"{name}: the films last {seconds} s; they are shown for {float(clip.end):.3f} s, as long as all last"
        )
    shapes = [film.width * film.video.sar / film.height for film in films]
    if max(shapes) / min(shapes) > 1.01:
        warn(f"{name}: the films are not of one shape: they are stretched to the source's")
    return clip


def preview_of(clip: Clip, order: Sequence[int], progress: Callable[[int], None]) -> Preview:
    """The clip to look at: the source on top, below it the candidates in the order given.

    Films of up to 20 s are shown whole; of longer ones the first 5 s and five passages of 3 s.

    Args:
        clip: the films.
        order: the candidates' indices.
        progress: called with the pictures of the source that are done.

    Raises:
        InputError: a film can no longer be read.
    """
    films = [clip.source, *(clip.candidates[index] for index in order)]
    writer = PreviewWriter(clip.source, len(films), min(SIDE, TALLEST // len(films)))
    if clip.source.duration > WHOLE:
        writer.keep({int(clip.end * place / (PLACES + 1)) for place in range(1, PLACES + 1)})
    for seconds, frames in together(films):
        writer.add([seen(frame.pixels) for frame in frames], seconds)
        progress(frames[0].index + 1)
        give_back(clip.source.height * clip.source.width)
    return writer.finish(clip.end)


def together(films: Sequence[Source]) -> Generator[tuple[Fraction, tuple[Frame, ...]]]:
    """What all films show, whenever one of them shows another picture, as long as all last.

    Yields:
        Seconds from each film's first picture, and a frame of each film.

    Raises:
        InputError: while iterating, when a film can no longer be read.
    """
    ends = [end_of(film) for film in films]
    slack = max(tolerance(films[0], film) for film in films[1:])
    with ExitStack() as stack:
        readers = [stack.enter_context(closing(read(film, Notes()))) for film in films]
        frames = [next(reader, None) for reader in readers]
        at = Fraction(0)
        while True:
            shown = tuple(frame for frame in frames if frame is not None)
            if len(shown) < len(films):
                return
            yield at, shown
            over = [end(frame) for end, frame in zip(ends, shown, strict=True)]
            at = min(over)
            for number, end in enumerate(over):
                if end <= at + slack:
                    frames[number] = next(readers[number], None)
