"""How far a render has read, and the places from which it could go on after an interruption."""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from typing import Any

from vedit.frame import Fault, Finding, Frame, Notes
from vedit.video.journal import Mark
from vedit.video.read import Place, fingerprint
from vedit.video.source import Source

SEGMENT = 240
"""Frames in a segment, about as many as encoders put between key frames."""
SLOW_SEGMENT = 96
"""The same for edits that are not memoryless, which take longer: fewer to lose."""
SLOW_SEGMENT_AT_CUT = 48
"""And when the next frame starts a shot, which is a key frame anyway."""
BEHIND = 8
"""Source pictures held on to, for their fingerprints: memoryless edits read no further ahead."""

TOLD: dict[Fault, str] = {
    "repeated": "damaged or missing pictures were replaced by the picture before them",
    "skipped": "damaged or missing pictures were left out; the picture before them stays on",
    "concealed": "pictures are damaged; the decoder concealed it",
    "fitted": "pictures came in another size or format and were fitted to the first",
}
NAMED = 5
"""Faulty pictures a warning names; it counts the others."""


@dataclass(frozen=True)
class Piece:
    """A run of whole shots: source frames ``start`` to ``stop``, the first of them the start of shot ``shot``."""

    start: int
    stop: int
    shot: int


class Trail:
    """Follows the source frames into the edits and the edited ones out of them.

    A segment may end before any frame. To go on from there, a memoryless chain of edits needs the source from that
    frame on; any other is replayed from the start of the shot, and what was written is thrown away.

    Args:
        source: the film.
        notes: gets the faults of its pictures; what an earlier run noted comes first.
        begun: where an earlier run stopped; None at the piece's start.
        piece: what is read of the film.
        memoryless: whether all edits are.
    """

    def __init__(
        self, source: Source, notes: Notes, begun: Mark | None, piece: Piece, *, memoryless: bool
    ) -> None:
        self.source = source
        self.notes = notes
        self.memoryless = memoryless
        self._stop = piece.stop
        start = Place(piece.start, piece.start, None)
        self.place = Place(begun.index, begun.last_cut, begun.witness or None) if begun else start
        """Where to read from."""
        self.frames = 0
        """Frames read so far."""
        self._shots = begun.shots if begun else piece.shot
        self._cuts: list[int] = []
        self._next = self.place.index
        self._behind: deque[tuple[int, object]] = deque(maxlen=BEHIND)
        self._entry: Mark | None = None
        self._written = 0
        if begun:
            restore(notes, begun.notes)

    def follow(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """The source's frames, each noted and anchored to itself."""
        for frame in frames:
            self._missing(frame.index)
            self.frames += 1
            frame.anchor = frame.index
            if frame.fault:
                self.notes.faults[frame.index] = frame.fault
            if frame.cut:
                self._cuts.append(frame.index)
            self._behind.append((frame.index, frame.native))
            yield frame
        self._missing(self._stop)

    def _missing(self, index: int) -> None:
        """Note the frames that should have come before this one."""
        self.notes.faults.update(dict.fromkeys(range(self._next, index), "skipped"))
        self._next = index + 1

    def enter_shot(self) -> int:
        """A shot begins, whose first frame is the last one read; returns its number."""
        first, _ = self._behind[-1]
        self._entry = self._mark(first, 0)
        return self._shots + bisect_right(self._cuts, first) - 1

    @property
    def shots(self) -> int:
        """How many shots have begun."""
        return self._shots + len(self._cuts)

    def mark(self, frame: Frame) -> Mark | None:
        """The mark with which the segment ends before an edited frame, if it is long enough to."""
        least = SEGMENT if self.memoryless else SLOW_SEGMENT_AT_CUT if frame.cut else SLOW_SEGMENT
        mark = None
        if self._written >= least:
            if not self.memoryless and self._entry is not None:
                mark = replace(self._entry, keep=frame.pts)
            elif self.memoryless and frame.anchor is not None:
                mark = self._mark(frame.anchor, frame.pts)
        self._written = 1 if mark else self._written + 1
        return mark

    def _mark(self, index: int, keep: int) -> Mark | None:
        """The mark before a source frame; None when the one before that is no longer at hand."""
        if index == self.place.index:
            witness = self.place.witness or ""
        else:
            before = next((native for i, native in self._behind if i == index - 1), None)
            if before is None:
                return None
            witness = fingerprint(before)
        last = bisect_right(self._cuts, index)
        cut = self._cuts[last - 1] if last else self.place.last_cut
        return Mark(
            index,
            keep,
            cut,
            witness,
            self._shots + bisect_left(self._cuts, index),
            noted_until(self.notes, index),
        )

    @property
    def end(self) -> Mark:
        """The mark after the last frame."""
        return Mark(self._stop, 0, 0, "", self.shots, noted_until(self.notes, self._stop))


def skipped(notes: Notes) -> frozenset[int]:
    """The source frames that were left out."""
    return frozenset(i for i, fault in notes.faults.items() if fault == "skipped")


def tell(notes: Notes, frames: int) -> None:
    """Warn about the pictures of a film of so many that were not whole and masks that were black all along.

    And tell of the pictures that were repeats.
    """
    for fault, words in TOLD.items():
        which = [str(index + 1) for index, f in notes.faults.items() if f == fault]
        if which:
            more = f" and {len(which) - NAMED} more" if len(which) > NAMED else ""
            notes.warn(f"{len(which)} {words} (number {', '.join(which[:NAMED])}{more})")
    for name, marked in notes.masks.items():
        if not marked:
            notes.warn(f"the mask ({name}) marks nothing in the whole film; white means change")
    repeats = {name: count for name, count in notes.repeats.items() if count}
    if notes.repeats and not repeats:
        notes.warn("no frame was found that only repeats the one before")
    elif repeats:
        found = sorted(repeats.items(), key=lambda item: -item[1])
        rhythms = "; ".join(
            f"{count} in {name}" if "…" in name else f"{count} {name}" for name, count in found
        )
        notes.warn(
            f"{sum(repeats.values())} of {frames} frames repeat the one before and were replaced by "
            f"in-betweens (frames per drawing: {rhythms})"
        )


def noted_until(notes: Notes, index: int) -> dict[str, Any]:
    """What was noted up to a source frame, as plain JSON values."""
    return {
        "warnings": list(notes.warnings),
        "hole_pixels": notes.hole_pixels,
        "recovered_pixels": notes.recovered_pixels,
        "masks": dict(notes.masks),
        "repeats": dict(notes.repeats),
        "findings": [list(astuple(finding)) for finding in notes.findings],
        "found": {kind: list(counts) for kind, counts in notes.found.items()},
        "added": notes.added,
        "faults": [[i, fault] for i, fault in notes.faults.items() if i < index],
    }


def restore(notes: Notes, noted: Any) -> None:
    """Note what an earlier run, or the run of an earlier piece, noted at a mark."""
    for warning in noted["warnings"]:
        notes.warn(warning)
    notes.hole_pixels += noted["hole_pixels"]
    notes.recovered_pixels += noted["recovered_pixels"]
    for name, marked in noted["masks"].items():
        notes.masks[name] = notes.masks.get(name, False) or marked
    for cadence, count in noted["repeats"].items():
        notes.repeats[cadence] = notes.repeats.get(cadence, 0) + count
    notes.findings += [Finding(*facts) for facts in noted["findings"]]
    for kind, counts in noted["found"].items():
        before = notes.found.get(kind, [0, 0, 0])
        notes.found[kind] = [old + new for old, new in zip(before, counts, strict=True)]
    notes.added += noted["added"]
    notes.faults.update(dict(noted["faults"]))
