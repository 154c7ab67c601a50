"""What is left of the suspicions when those that one thing explains are taken together, the surest first."""

from collections.abc import Sequence

from vedit.analysis.anomalies.moment import Kind, Suspicion

EXPLAINS: tuple[Kind, ...] = (
    "reversal",
    "freeze",
    "flash",
    "foreign frame",
    "glitch",
    "drop",
    "appearing object",
)
"""The first of two at the same place explains the other: turning round jumps, and so does the end of a freeze; a small
thing that jumps is new where it comes to."""
NEAR = 2
"""Pictures from either end of one within which another is explained by it."""


def ranked(suspicions: Sequence[Suspicion]) -> list[Suspicion]:
    """The suspicions that stand, by falling odds."""
    kept: list[Suspicion] = []
    for one in sorted(suspicions, key=lambda s: (EXPLAINS.index(s.kind), -s.odds)):
        if not explained(one, kept):
            kept.append(one)
    return sorted(kept, key=lambda s: (-s.odds, s.start))


def explained(one: Suspicion, others: Sequence[Suspicion]) -> bool:
    """Whether one of the others is at its place, or it begins or ends there, and explains it."""
    rank = EXPLAINS.index(one.kind)
    return any(
        EXPLAINS.index(other.kind) <= rank
        and one.start <= other.stop + NEAR
        and other.start - NEAR <= one.stop
        for other in others
    )


def score(odds: float) -> float:
    """Odds as a confidence: 0.5 where they just suffice, and ever nearer to 1."""
    return odds / (1 + odds)
