"""A moment at which something is wrong with a film, or strange."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

Kind = Literal[
    "freeze",
    "drop",
    "foreign frame",
    "flash",
    "glitch",
    "reversal",
    "appearing object",
    "drop-out",
    "click",
]
"""What is looked for; the last two in the sound."""

PICTURED = 60
"""Anomalies that are shown with a picture: the ones that rank highest."""


@dataclass(frozen=True)
class Suspicion:
    """The pictures ``start`` to ``stop - 1`` of which a detector thinks so.

    ``odds`` says by how many times the evidence exceeds what the detector asks for at least; 1 is just enough.
    ``unforeseen``: only if the pictures are foreseen worse than those beside them by so many dB.
    """

    kind: Kind
    start: int
    stop: int
    odds: float
    unforeseen: float = 0.0
    thumbnail: bytes | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Anomaly:
    """The pictures ``start`` to ``stop - 1`` of a film, and what is strange about them.

    ``begins`` and ``ends`` are seconds from the film's first picture. Of a drop ``start`` is the first picture after
    the loss; what is strange about sound has the pictures that are shown meanwhile.
    """

    kind: Kind
    start: int
    stop: int
    begins: Fraction
    ends: Fraction
    score: float
    """Confidence in [0, 1): 0.5 is where the evidence just suffices."""
    thumbnail: bytes | None = field(compare=False, repr=False)
    """The first of the pictures as a JPEG; None but for the 60 that rank highest."""

    def facts(self) -> dict[str, object]:
        """Plain values for JSON; exact times as strings."""
        return {
            "kind": self.kind,
            "start": self.start,
            "stop": self.stop,
            "begins": str(self.begins),
            "ends": str(self.ends),
            "score": round(self.score, 3),
        }
