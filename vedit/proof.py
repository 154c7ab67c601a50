"""What a render did: facts, and one line that proves it."""

import json
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypedDict

from vedit.frame import Fault, Finding, Notes
from vedit.video.write import WrittenStream

try:
    import resource
except ModuleNotFoundError:  # Windows has no such module: the report says None there
    resource = None  # type: ignore[assignment]


NAMED = 5
"""Flaws of a kind whose times are printed."""


@dataclass(frozen=True)
class Found:
    """How many frames have a kind of flaw, how many flaws there are, and how many of them could not be mended."""

    frames: int
    count: int
    left: int


@dataclass(frozen=True)
class Report:
    """A finished, verified render."""

    source: Path
    output: Path
    frames_in: int
    frames_out: int
    frames_kept: int
    """Those of them that an earlier, interrupted run had finished."""
    shots: int
    rate: Fraction | None
    """Frames per second of the result; None when it varies."""
    duration_in: Fraction
    """Seconds from the first picture to the end of the last."""
    duration_out: Fraction
    pts_identical: bool
    """Every picture was given exactly the time it had in the source."""
    worst_time_error: Fraction
    """Seconds between the time a picture was given and the one the file can hold, at most."""
    audio_in: int
    """Sound tracks of the source."""
    streams: tuple[WrittenStream, ...]
    """The streams carried over, copied packet for packet unless marked converted, each with the md5 of its packets."""
    faults: Mapping[Fault, int]
    """How many source pictures were not whole, by what was done about them."""
    seconds: float
    """Wall time of this run."""
    peak_memory: int | None
    """Bytes this process has held at most since it started; None where the system does not say."""
    hole_pixels: int
    """Pixels that were to be taken out."""
    recovered_pixels: int
    """Those that real pixels of other frames filled; the rest was made up."""
    findings: tuple[Finding, ...]
    """The flaws that a repair found, the first thousand of each kind, in the order they were."""
    found: Mapping[str, Found]
    """All of them by kind: "dust", "scratch", "duplicate", "dropped", "flicker"."""
    warnings: tuple[str, ...]

    @property
    def fps(self) -> float:
        """Frames made per second of wall time."""
        return (self.frames_out - self.frames_kept) / self.seconds

    @property
    def coverage(self) -> float | None:
        """The share of the hole that real pixels filled; None when there was no hole."""
        return self.recovered_pixels / self.hole_pixels if self.hole_pixels else None

    @property
    def proof(self) -> str:
        """One line: ``240/240 frames · pts identical · audio 2/2 bit-exact · 12.3 s (19.5 fps)``."""
        parts = [*self._time_parts(), self._audio_part()]
        parts += [f"{count} pictures {fault}" for fault, count in self.faults.items()]
        parts += [f"{found.count} {kind}" for kind, found in self.found.items()]
        if self.frames_kept:
            parts.append(f"{self.frames_kept} frames kept from before")
        if self.coverage is not None:
            parts.append(f"{self.coverage:.0%} of the hole from other frames")
        speed = f" ({self.fps:.1f} fps)" if self.fps else ""
        return " · ".join([*parts, f"{self.seconds:.1f} s{speed}"])

    @property
    def repairs(self) -> list[str]:
        """A line for each kind of flaw: ``dust: 37 in 20 frames, at 0.04, 0.52, 1.2 s and 17 more``."""
        lines = []
        for kind, found in self.found.items():
            times = [f"{finding.seconds:.2f}" for finding in self.findings if finding.kind == kind][:NAMED]
            more = f" and {found.frames - NAMED} more" if found.frames > NAMED else ""
            left = f", {found.left} of them not mended" if found.left else ""
            frames = f"{found.frames} frame{'s' * (found.frames != 1)}"
            lines.append(f"{kind}: {found.count} in {frames}, at {', '.join(times)} s{more}{left}")
        return lines

    def _time_parts(self) -> list[str]:
        same = self.frames_in == self.frames_out and self.duration_in == self.duration_out
        if same or self.pts_identical:
            pts = "pts identical" if self.pts_identical else "pts changed"
            if self.worst_time_error:
                pts = f"pts within {float(1000 * self.worst_time_error):.2g} ms"
            return [f"{self.frames_out}/{self.frames_in} frames", pts]
        rate = f"{float(self.rate):.5g} fps" if self.rate else "variable rate"
        length = self.duration_out / self.duration_in
        span = "duration equal" if length == 1 else f"{float(length):.4g}x as long"
        return [f"{self.frames_out} frames from {self.frames_in}", rate, span]

    def _audio_part(self) -> str:
        tracks = [stream for stream in self.streams if stream.kind == "audio"]
        if not self.audio_in:
            return "no audio in the source"
        if not tracks:
            return f"audio left out (0/{self.audio_in})"
        converted = sum(stream.converted for stream in tracks)
        exact = f"audio {len(tracks) - converted}/{self.audio_in} bit-exact"
        return f"{exact}, {converted} converted" if converted else exact

    def facts(self) -> dict[str, object]:
        """Everything as plain values for JSON; exact numbers as strings such as ``24000/1001``."""
        return {
            "source": str(self.source),
            "output": str(self.output),
            "frames_in": self.frames_in,
            "frames_out": self.frames_out,
            "frames_kept": self.frames_kept,
            "shots": self.shots,
            "rate": str(self.rate) if self.rate else None,
            "duration_in": str(self.duration_in),
            "duration_out": str(self.duration_out),
            "pts_identical": self.pts_identical,
            "worst_time_error": str(self.worst_time_error),
            "audio_in": self.audio_in,
            "streams": [asdict(stream) for stream in self.streams],
            "faults": dict(self.faults),
            "seconds": self.seconds,
            "fps": self.fps,
            "peak_memory": self.peak_memory,
            "coverage": self.coverage,
            "hole_pixels": self.hole_pixels,
            "recovered_pixels": self.recovered_pixels,
            "findings": [asdict(finding) for finding in self.findings],
            "found": {kind: asdict(found) for kind, found in self.found.items()},
            "warnings": list(self.warnings),
            "proof": self.proof,
        }

    def to_json(self) -> str:
        """The facts as one line of JSON."""
        return json.dumps(self.facts())


class Noted(TypedDict):
    """What a report takes from the edits' notes."""

    faults: Mapping[Fault, int]
    hole_pixels: int
    recovered_pixels: int
    findings: tuple[Finding, ...]
    found: Mapping[str, Found]
    warnings: tuple[str, ...]


def noted(notes: Notes) -> Noted:
    """The edits' notes as a report has them."""
    return {
        "faults": dict(Counter(notes.faults.values())),
        "hole_pixels": notes.hole_pixels,
        "recovered_pixels": notes.recovered_pixels,
        "findings": tuple(notes.findings),
        "found": {kind: Found(*counts) for kind, counts in sorted(notes.found.items())},
        "warnings": tuple(notes.warnings),
    }


def peak_memory() -> int | None:
    """The most bytes this process has held since it started, or None where the system does not say."""
    try:  # what Linux says of resources used counts the process that started this one
        status = Path("/proc/self/status").read_text()
        return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        pass
    if resource is None:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
