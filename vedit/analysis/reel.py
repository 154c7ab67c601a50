"""What a highlight reel is: where its pieces come from, to the picture and the sample."""

import json
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

from vedit.analysis.timeline import Event
from vedit.video.write import WrittenStream


@dataclass(frozen=True)
class Reel:
    """A finished, verified highlight reel."""

    source: Path
    output: Path
    asked: Fraction
    """Seconds that it was to last."""
    duration: Fraction
    """Seconds that it lasts."""
    frames_in: int
    frames: int
    rate: Fraction | None
    """Pictures per second; None when it varies."""
    pieces: tuple[Event, ...]
    """Where it comes from, in the order of the film and of the reel."""
    shots: int
    """Of the film that something is shown of."""
    shots_in: int
    streams: tuple[WrittenStream, ...]
    """The sound, encoded anew; empty without."""
    worst_time_error: Fraction
    """Seconds between the time a picture was given and the one the file can hold, at most."""
    otio: Path | None
    edl: Path | None
    warnings: tuple[str, ...]
    seconds: float
    """Wall time."""
    peak_memory: int | None
    """Bytes this process has held at most since it started; None where the system does not say."""

    @property
    def proof(self) -> str:
        """One line: ``480 of 2400 frames in 7 pieces · 20.02 s for 20 s · 7 of 31 shots in their order · …``."""
        count = len(self.pieces)
        sound = "no sound" if not self.streams else f"sound encoded anew as {self.streams[0].codec}"
        return " · ".join(
            [
                f"{self.frames} of {self.frames_in} frames in {count} piece{'s' * (count != 1)}",
                f"{float(self.duration):.6g} s for {float(self.asked):.6g} s",
                f"{self.shots} of {self.shots_in} shots in their order",
                sound,
                f"{self.seconds:.1f} s",
            ]
        )

    def facts(self) -> dict[str, object]:
        """Everything as plain values for JSON; exact numbers as strings such as ``24000/1001``."""
        return {
            "source": str(self.source),
            "output": str(self.output),
            "asked": str(self.asked),
            "duration": str(self.duration),
            "frames_in": self.frames_in,
            "frames": self.frames,
            "rate": str(self.rate) if self.rate else None,
            "pieces": [piece.facts() for piece in self.pieces],
            "shots": self.shots,
            "shots_in": self.shots_in,
            "streams": [asdict(stream) for stream in self.streams],
            "worst_time_error": str(self.worst_time_error),
            "otio": str(self.otio) if self.otio else None,
            "edl": str(self.edl) if self.edl else None,
            "warnings": list(self.warnings),
            "seconds": self.seconds,
            "peak_memory": self.peak_memory,
            "proof": self.proof,
        }

    def to_json(self) -> str:
        """The facts as one line of JSON."""
        return json.dumps(self.facts())
