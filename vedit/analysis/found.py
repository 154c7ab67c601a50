"""What was found out about a film: every time in it is exact."""

import json
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import isnan
from pathlib import Path

from vedit.analysis.anomalies.moment import Anomaly
from vedit.analysis.key_frames import Signature
from vedit.analysis.sound import SILENT, Levels
from vedit.frame import Timing

MEASURES = ("brightness", "contrast", "sharpness", "colourfulness", "motion", "camera", "objects")
"""What is measured of every picture; the last three of it and the one before, NaN at a cut and in
plain pictures.

See `vedit.analysis.picture.Look` for the first four. Motion is in widths of the picture a second: all of it, the
camera's, and that of what moves before the camera."""


@dataclass(frozen=True)
class FilmShot:
    """The pictures ``start`` to ``stop - 1`` of a film, between two cuts, and means over them.

    ``begins``, ``ends`` and ``key_seconds`` are seconds from the film's first picture.
    """

    start: int
    stop: int
    begins: Fraction
    ends: Fraction
    key_frame: int
    """The picture that stands for the shot: sharp, near its middle, like most of its others."""
    key_seconds: Fraction
    means: Mapping[str, float | None]
    """By the names in ``MEASURES``; None where a measure has no value."""
    level: float | None
    """Of the sound, in dB of full scale; None without sound."""
    colour: str
    """The mean colour, ``#rrggbb``."""
    signature: Signature = field(compare=False, repr=False)
    """The shot's mean coarse colours."""
    thumbnail: bytes | None = field(compare=False, repr=False)
    """The key frame as a JPEG; None but for the 120 longest shots."""

    @property
    def duration(self) -> Fraction:
        """Seconds."""
        return self.ends - self.begins

    def facts(self) -> dict[str, object]:
        """Plain values for JSON; exact times as strings such as ``1001/24000``."""
        return {
            "start": self.start,
            "stop": self.stop,
            "begins": str(self.begins),
            "ends": str(self.ends),
            "key_frame": self.key_frame,
            "key_seconds": str(self.key_seconds),
            "level": None if self.level is None else round(self.level, 2),
            "colour": self.colour,
            **{name: None if value is None else round(value, 5) for name, value in self.means.items()},
        }


@dataclass(frozen=True, eq=False)
class Analysis:
    """What is in a film, picture by picture and shot by shot."""

    source: Path
    pts: tuple[int, ...]
    """When each picture is shown, in ticks of ``timing``."""
    timing: Timing
    """The film's clock."""
    width: int
    height: int
    shots: tuple[FilmShot, ...]
    series: "Mapping[str, array[float]]"
    """By the names in ``MEASURES``: a value for each picture."""
    anomalies: tuple[Anomaly, ...] | None
    """What is wrong or strange, the surest first; None where it was not looked for."""
    sound: Levels | None
    """The level of the main sound track; None without sound."""
    sheet: Path | None
    html: Path | None
    remarks: tuple[str, ...]
    seconds: float
    """Wall time of the analysis."""
    peak_memory: int | None
    """Bytes this process has held at most since it started; None where the system does not say."""

    @property
    def frames(self) -> int:
        return len(self.pts)

    @property
    def duration(self) -> Fraction:
        """Seconds from the first picture to the end of the last."""
        return self.timing.seconds

    def time(self, picture: int) -> Fraction:
        """When a picture is shown, in seconds from the first; that of the one after the last is the duration."""
        tick = self.pts[picture] if picture < len(self.pts) else self.timing.end
        return self.timing.time(tick)

    def mean(self, name: str) -> float | None:
        """The mean of a measure over all pictures that have it, or None."""
        return mean_of(self.series[name])

    @property
    def summary(self) -> str:
        """One line: ``12 shots · 345 pictures in 14.39 s · …``."""
        count = len(self.shots)
        longest = max(self.shots, key=lambda shot: shot.duration)
        parts = [
            f"{count} shot{'s' * (count != 1)}",
            f"{self.frames} pictures in {float(self.duration):.2f} s",
            f"longest shot {float(longest.duration):.2f} s",
        ]
        if (motion := self.mean("motion")) is not None:
            parts.append(f"motion {motion:.1%} of the width a second")
        if self.anomalies is not None:
            found = len(self.anomalies)
            parts.append(f"{found or 'no'} anomal{'y' if found == 1 else 'ies'}")
        if self.sound is None:
            parts.append("no sound")
        else:
            level = self.sound.between(Fraction(0), self.duration)
            parts.append(f"sound {level:.1f} dB" if level > SILENT else "a silent sound track")
        return " · ".join(parts)

    def facts(self) -> dict[str, object]:
        """Everything as plain values for JSON; exact numbers as strings, None where there is no value."""
        return {
            "source": str(self.source),
            "frames": self.frames,
            "rate": str(self.timing.rate) if self.timing.rate else None,
            "time_base": str(self.timing.time_base),
            "duration": str(self.duration),
            "width": self.width,
            "height": self.height,
            "shots": [shot.facts() for shot in self.shots],
            "pts": list(self.pts),
            "series": {
                name: [None if isnan(value) else round(value, 5) for value in values]
                for name, values in self.series.items()
            },
            "anomalies": None if self.anomalies is None else [one.facts() for one in self.anomalies],
            "sound": None
            if self.sound is None
            else {
                "window": str(self.sound.window),
                "rate": self.sound.rate,
                "level": [round(value, 2) for value in self.sound.values],
            },
            "sheet": str(self.sheet) if self.sheet else None,
            "html": str(self.html) if self.html else None,
            "remarks": list(self.remarks),
            "seconds": self.seconds,
            "peak_memory": self.peak_memory,
            "summary": self.summary,
        }

    def to_json(self) -> str:
        """The facts as one line of JSON."""
        return json.dumps(self.facts())


def mean_of(values: "array[float]") -> float | None:
    """The mean of what is not NaN, or None."""
    known = [value for value in values if not isnan(value)]
    return sum(known) / len(known) if known else None
