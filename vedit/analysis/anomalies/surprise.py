"""Where a step brings what neither the motion nor what went on there before explains."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vedit.flow.estimate import dis_flow
from vedit.steps.evidence import Numbers, Step, as_tensor, residual
from vedit.steps.picture import Picture

Mask = NDArray[np.bool_]

FAR = 2.2
"""How many times what is usual at its place a block's residual must be."""
LEAST = 7.0
"""Levels by which it must exceed that as well."""
SMALLEST = 0.005
"""Part of the picture that must surprise: less is not looked at."""
QUIET = 0.85
"""Quantile, over time, of a block's residual that is taken for usual there."""
LEAVING_OUT = 7
"""Steps after the one in question that say nothing of what is usual: they may be part of it."""


@dataclass(frozen=True, eq=False)
class Surprise:
    """The blocks that a step surprises at; ``usual`` is what is usual at each, ``now`` what the step has there."""

    where: Mask
    usual: Numbers
    now: Numbers

    @property
    def area(self) -> float:
        """The part of the picture that surprises."""
        return float(self.where.mean())


def surprise(window: Sequence[Step], at: int) -> Surprise | None:
    """The blocks that surprise at the step to a picture of a window; None where nothing is known."""
    now = window[at].unexplained
    if now is None or not _stands_out(window, at, now):
        return None
    usual = usual_around(window, at)
    if usual is None:
        return None
    return Surprise((now > FAR * usual) & (now > usual + LEAST), usual, now)


def _stands_out(window: Sequence[Step], at: int, now: Numbers) -> bool:
    """Whether anything may surprise at all, by the few steps before: most steps do not, and are quickly done with."""
    held = [step.residual for step in window[max(0, at - 5) : at] if step.residual is not None]
    if not held:
        return True
    lowest = np.min(held, axis=0)
    return float(((now > FAR * lowest) & (now > lowest + LEAST)).mean()) >= SMALLEST


def usual_around(window: Sequence[Step], at: int) -> Numbers | None:
    """What is left unexplained, at each block or beside it, at most of the steps around a place."""
    held = [
        step.residual
        for k, step in enumerate(window)
        if step.residual is not None and not step.cut and not at - 1 <= k <= at + LEAVING_OUT
    ]
    if len(held) < 6:
        return None
    stack = np.stack(held)
    place = min(len(held) - 1, int(QUIET * len(held)))
    usual = np.partition(stack, place, axis=0)[place]
    return np.asarray(cv2.dilate(usual, np.ones((3, 3), np.uint8)), np.float32)


def between(first: Picture, second: Picture) -> Numbers:
    """What motion does not explain of one picture by another one, however far apart; blocks on the first's grid."""
    return residual(first, second, dis_flow(as_tensor(first), as_tensor(second), quality="draft"))
