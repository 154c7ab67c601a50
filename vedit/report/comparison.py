"""What was found out about two films."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

from vedit.report.kept import Kept
from vedit.report.measures import MEASURES, Series
from vedit.report.worst import WorstMoment

ALIKE = 20.0
"""dB of mean PSNR from which two films are taken to show the same; below, one of them is painted, or another film."""

SLIGHT = Fraction(1, 200)
"""Seconds by which times may be off because a container rounds them to its ticks."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two films side by side.

    ``frames`` of the reference's ``frames_reference`` were compared, at ``width`` x ``height``. The films are ``alike``
    when their mean PSNR is 20 dB or more; ``worst`` then are the moments that differ most, and else those where the
    result is less steady than the reference by most.
    """

    reference: Path
    result: Path
    frames: int
    frames_reference: int
    frames_result: int
    width: int
    height: int
    time_error: Fraction | None
    """Seconds between the times of two pictures that belong together, counted from the first ones, at most; None where
    one film has more pictures."""
    shots: int
    alike: bool
    identical: int
    """Pictures that are the same in both, sample for sample."""
    series: Series
    """Every measure of every picture; see `vedit.report.measures`."""
    worst: tuple[WorstMoment, ...]
    kept: tuple[Kept, ...]
    vmaf: float | None
    """0 to 100; None where it would mean nothing, or cannot be had."""
    vmaf_words: str
    """What the VMAF is of, or why there is none."""
    recipe: str | None
    """The recipe that the result carries, as TOML."""
    remarks: tuple[str, ...]
    """What had to be assumed to compare the two."""
    html: Path | None
    seconds: float
    """Wall time of the comparison."""
    peak_memory: int | None
    """Bytes this process has held at most since it started; None where the system does not say."""

    @property
    def means(self) -> Mapping[str, float | None]:
        """The mean of every measure."""
        return {name: self.series.mean(name) for name in MEASURES}

    @property
    def proof(self) -> str:
        """One line: ``138/138 pictures · times identical · audio 1/1 bit-exact``."""
        if self.time_error is None:
            parts = [f"{self.frames_result} pictures for {self.frames_reference}"]
        else:
            times = "identical" if self.time_error == 0 else "differ"
            if 0 < self.time_error < SLIGHT:
                times = f"within {float(1000 * self.time_error):.2g} ms"
            parts = [f"{self.frames_result}/{self.frames_reference} pictures", f"times {times}"]
        sounds = [one for one in self.kept if one.kind == "audio"]
        exact = sum(one.exact for one in sounds)
        parts.append(f"audio {exact}/{len(sounds)} bit-exact" if sounds else "no audio in the reference")
        return " · ".join(parts)

    @property
    def ranked_by(self) -> str:
        """What the worst moments are the worst of, in words."""
        return "lowest PSNR" if self.alike else "warp error above the reference’s own"

    def facts(self) -> dict[str, object]:
        """Everything but the numbers of single pictures, as plain values for JSON."""
        return {
            "reference": str(self.reference),
            "result": str(self.result),
            "frames": self.frames,
            "frames_reference": self.frames_reference,
            "frames_result": self.frames_result,
            "width": self.width,
            "height": self.height,
            "time_error": None if self.time_error is None else str(self.time_error),
            "shots": self.shots,
            "alike": self.alike,
            "identical": self.identical,
            "means": dict(self.means),
            "vmaf": self.vmaf,
            "vmaf_words": self.vmaf_words,
            "worst": [
                {"frame": moment.index, "seconds": moment.seconds, self.measure: self.of(moment)}
                for moment in self.worst
            ],
            "kept": [asdict(one) for one in self.kept],
            "recipe": self.recipe,
            "remarks": list(self.remarks),
            "html": str(self.html) if self.html else None,
            "seconds": self.seconds,
            "peak_memory": self.peak_memory,
            "proof": self.proof,
        }

    def to_json(self) -> str:
        """The facts as one line of JSON."""
        return json.dumps(self.facts())

    @property
    def measure(self) -> str:
        """The measure that the worst moments are shown with."""
        return "psnr" if self.alike else "warp_result"

    def of(self, moment: WorstMoment) -> float:
        """That measure of a moment."""
        return self.series.values[self.measure][moment.index]
