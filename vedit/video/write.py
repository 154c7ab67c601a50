"""Edited frames into a film: encoded by a thread of its own in segments, assembled, verified, and only then named."""

import contextlib
import os
import queue
import threading
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

from vedit.errors import OutputError, UsageError
from vedit.frame import Frame, Notes, Pace, Timing
from vedit.video.assemble import assemble, first_tick
from vedit.video.colour import Converter
from vedit.video.journal import Journal, Mark, Segment, clear_finished
from vedit.video.output import Output, check_clock, plan_output, writing
from vedit.video.segments import SegmentWriter
from vedit.video.sound import GAP
from vedit.video.source import Source
from vedit.video.verify import check_written

AHEAD = 6
"""Frames that may wait for the encoder."""


@dataclass(frozen=True)
class WrittenStream:
    """A stream carried over: ``md5`` of its packets, equal to the source's unless it was ``converted``."""

    kind: str
    codec: str
    language: str | None
    packets: int
    md5: str
    converted: bool = False


@dataclass(frozen=True)
class Written:
    """A finished film. ``pts_identical``: all pictures of the source but those left out, each given its own time."""

    path: Path
    container: str
    codec: str
    pix_fmt: str
    frames: int
    streams: tuple[WrittenStream, ...]
    pts_identical: bool
    worst_time_error: Fraction


class Writer:
    """Encodes frames segment by segment; ``finish`` makes them a film, with the source's other streams.

    Use as a context manager. Leaving without ``finish`` keeps the segments that are whole for a later run of the same
    job, and nothing when there are none.

    Args:
        source: the film whose other streams, tags, chapters and colour are carried over.
        output: where to and how.
        timing: the clock of the frames that will be added.
        notes: gets a warning for whatever the output cannot hold.
        pace: how the source's time became that of ``timing``; None: it is the same.
        job, call, resume, folder: as in ``Journal``.

    Raises:
        UsageError, OutputError: as ``plan_output`` and ``Journal``.
    """

    def __init__(
        self,
        source: Source,
        output: Output,
        timing: Timing,
        notes: Notes,
        *,
        pace: Pace | None = None,
        job: Mapping[str, Any] | None = None,
        call: Mapping[str, Any] | None = None,
        resume: bool = False,
        folder: Path | None = None,
    ) -> None:
        self.source = source.as_edited()
        self.output = output
        self.timing = timing
        self.notes = notes
        self.pace = pace
        self.path = Path(output.path).absolute()
        clear_finished(self.path)
        self.encoding, self.plans, warnings = plan_output(self.source, output)
        check_clock(self.path, timing)
        for warning in warnings:
            notes.warn(warning)
        encoding = {
            "codec": self.encoding.codec,
            "options": dict(self.encoding.options),
            "container": self.encoding.container,
            "pix_fmt": self.encoding.pix_fmt,
        }
        job = {**(job or {}), "encoding": encoding}
        self.journal = Journal(self.path, job, call=call, resume=resume, folder=folder)
        if self.journal.afresh is not None:
            notes.warn(f"an unfinished render of {self.path.name} was begun afresh: {self.journal.afresh}")
        self._convert = Converter(self.source.video.colour, self.source.height, self.source.video.alpha)
        self._last: int | None = max(
            (pts for segment in self.journal.segments[-1:] for pts, _ in segment.packets), default=None
        )
        self._segment: SegmentWriter | None = None
        self._error: BaseException | None = None
        self._done = False
        self._queue: queue.Queue[Frame | Mark | None] = queue.Queue(AHEAD)
        self._thread = threading.Thread(target=self._work, name="vedit-write", daemon=True)
        self._thread.start()

    @property
    def mark(self) -> Mark | None:
        """Where to go on: what an earlier run has finished ends here."""
        return self.journal.segments[-1].mark if self.journal.segments else None

    @property
    def frames_kept(self) -> int:
        """Frames in segments that are whole."""
        return sum(len(segment.packets) for segment in self.journal.segments)

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        if self._segment is not None:
            self._segment.abandon()
        if self._done:
            self.journal.remove()
        else:
            self.journal.close()

    def _stop(self) -> None:
        """Let the encoder do what is waiting for it, and end its thread."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def add(self, frame: Frame) -> None:
        """Hand a frame to the encoder, which works in another thread; what went wrong there is raised here.

        Raises:
            UsageError: its time does not come after the last one's, or its size is another.
            OutputError: the file cannot be written.
        """
        if self._last is not None and frame.pts <= self._last:
            raise UsageError(
                f"frame {frame.index} has pts {frame.pts} after {self._last}", "Times must rise."
            )
        self._last = frame.pts
        self._put(frame)

    def end_segment(self, mark: Mark) -> None:
        """Close the segment: once it is on disk, a later run can go on from ``mark``."""
        self._put(mark)

    def _put(self, item: Frame | Mark | None) -> None:
        self._queue.put(item)
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        """The encoder's thread; after an error it only empties the queue, so that nobody waits for it."""
        while (item := self._queue.get()) is not None:
            if self._error is None:
                try:
                    self._encode(item)
                except BaseException as error:  # handed to the thread that adds, whatever it is
                    self._error = error

    def _encode(self, item: Frame | Mark) -> None:
        if isinstance(item, Mark) and self._segment is None:
            return  # nothing since the last one
        with writing(self.path):
            if self._segment is None:
                name = f"{len(self.journal.segments):04}{self.path.suffix}"
                self._segment = SegmentWriter(
                    self.journal.folder / name,
                    self.source,
                    self.encoding,
                    self.timing,
                    self._convert,
                    first_tick(self.timing),
                )
            if isinstance(item, Frame):
                self._segment.add(item)
                return
            segment, self._segment = self._segment, None
            size = segment.finish()
            self.journal.append(Segment(segment.path.name, size, tuple(segment.packets), item))

    def leave(self, mark: Mark) -> None:
        """Finish the segment at hand and make no film: another writer of the same job will ``adopt`` it.

        Raises:
            OutputError: it cannot be written.
        """
        self._put(mark)
        self._stop()
        if self._error is not None:
            raise self._error

    def adopt(self, segments: Sequence[Segment]) -> None:
        """Take over whole segments that other writers of the same job have made, in the order they are shown."""
        for segment in segments:
            self.journal.append(segment)
            self._last = max(pts for pts, _ in segment.packets)

    def finish(self, mark: Mark | None = None, skipped: Container[int] = ()) -> Written:
        """Put the film together, read it back, and give it its name.

        Args:
            mark: where the source ends.
            skipped: the source frames that were left out.

        Raises:
            OutputError: it cannot be written, or what was written is not what was meant.
        """
        if self._last is None:
            raise OutputError("no frames to write", "Give at least one frame.")
        self._put(mark or Mark(self.source.frames, self.timing.end, 0, "", 0, {}))
        self._stop()
        if self._error is not None:
            raise self._error
        part = self.journal.folder / f"film{self.path.suffix}"
        with writing(self.path):
            film = assemble(
                part,
                self.journal.folder,
                self.journal.segments,
                self.source,
                self.encoding,
                self.plans,
                self.timing,
                self.pace,
                self.output.recipe,
            )
        if film.repaired:
            self.notes.warn(f"{film.repaired} copied packets had times that did not rise; moved by a tick")
        for facts in film.missing:
            self.notes.warn(
                f"{facts.kind} stream {facts.index} ({facts.codec}) is left out: it holds nothing"
            )
        if film.skipped:
            self.notes.warn(f"{film.skipped} damaged packets of sound or subtitles were left out")
        if film.unheard > GAP:
            self.notes.warn(
                f"the first {float(film.unheard):.2f} s of sound are left out: they come long before the first "
                "picture, and played at its speed they would begin before the film does"
            )
        error, together = check_written(part, film.picture, film.pts, self.timing.time_base, film.copied)
        if together:
            self.notes.warn(
                f"{together} pictures have the time of the one before: the clock of {self.path.suffix} is too coarse "
                "for them; .mp4 and .mov keep them apart"
            )
        with writing(self.path):
            self._name(part)
        self._done = True
        tick_scale = self.source.time_base / self.timing.time_base
        every = [pts * tick_scale for pts in self.source.pts]
        left = [pts for i, pts in enumerate(every) if i not in skipped]  # or all, where they were made anew
        return Written(
            path=self.path,
            container=self.encoding.container,
            codec=self.encoding.codec,
            pix_fmt=self.encoding.pix_fmt,
            frames=len(film.pts),
            streams=tuple(
                WrittenStream(c.facts.kind, c.facts.codec, c.facts.language, c.packets, c.md5, c.converted)
                for _, c in film.copied
            ),
            pts_identical=list(film.pts) in (left, every),
            worst_time_error=error,
        )

    def _name(self, part: Path) -> None:
        """Give the whole film its name, for good."""
        with part.open("rb") as file:
            os.fsync(file.fileno())
        if os.path.lexists(self.path) and not self.output.overwrite:
            raise OutputError(f"{self.path} appeared meanwhile", "Choose another name.")
        self.journal.finish()
        os.replace(part, self.path)
        if hasattr(os, "O_DIRECTORY"):  # a folder can be put on disk only where it can be opened
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
            with contextlib.suppress(OSError):
                os.fsync(folder)
            os.close(folder)
