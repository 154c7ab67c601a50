"""What answers say, and how surely: shares, strengths and means with intervals that hold 19 times out of 20."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import mean, stdev

import numpy as np
from numpy.typing import NDArray

Z = 1.959964
"""Of the normal distribution: 95 % lie within so many standard deviations."""
T = (
    *(12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281),
    *(2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860),
    *(2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423),
)
"""The same of Student's t distribution with 1, 2, ... 30 degrees of freedom."""


@dataclass(frozen=True)
class Estimate:
    """A value and its 95 % interval; ``low`` and ``high`` are None where there is too little for one."""

    value: float
    low: float | None
    high: float | None


def wilson(wins: float, answers: int) -> Estimate:
    """The share of answers that are wins, with Wilson's score interval (1927).

    Args:
        wins: 0 to ``answers``; a tie counts as half a win.
        answers: 1 or more.
    """
    share = wins / answers
    scale = 1 + Z**2 / answers
    middle = (share + Z**2 / (2 * answers)) / scale
    half = Z * sqrt(share * (1 - share) / answers + Z**2 / (4 * answers**2)) / scale
    return Estimate(share, max(0.0, middle - half), min(1.0, middle + half))


def mean_estimate(values: Sequence[float], least: float, most: float) -> Estimate:
    """The mean of one value per judge, with Student's t interval, cut to what values can be; none for a single one."""
    centre, freedom = mean(values), len(values) - 1
    if not freedom:
        return Estimate(centre, None, None)
    # Beyond the table two terms of its expansion (Abramowitz and Stegun 26.7.5) are good to four digits.
    far = Z + 2.3723 / freedom + 2.8226 / freedom**2
    quantile = T[freedom - 1] if freedom <= len(T) else far
    half = quantile * stdev(values) / sqrt(len(values))
    return Estimate(centre, max(least, centre - half), min(most, centre + half))


def bradley_terry(wins: NDArray[np.float64]) -> list[Estimate]:
    """How strong each candidate is (Bradley and Terry 1952): i beats j with probability 1 / (1 + exp(s_j - s_i)).

    The scores of greatest likelihood, found by Newton's method, and intervals from the inverse of the information
    matrix. One tie is added to every pair, so that a candidate that never loses has a score that is finite. Scores add
    up to 0.

    Args:
        wins: ``(N, N)``, how often i was preferred to j; a tie counts half for each.
    """
    count = len(wins)
    won = wins + 0.5 * (1 - np.eye(count))
    played = won + won.T
    scores = np.zeros(count)
    inverse = np.zeros((count, count))
    for _ in range(100):
        chance = 1 / (1 + np.exp(scores[None, :] - scores[:, None]))
        slope = (won - played * chance).sum(1)
        weight = played * chance * (1 - chance)
        # Only differences of scores matter: the information matrix has no inverse along (1, ..., 1), only beside it.
        inverse[:] = np.linalg.pinv(np.diag(weight.sum(1)) - weight)
        move = inverse @ slope
        scores += np.clip(move, -1, 1)
        if np.abs(move).max() < 1e-10:
            break
    scores -= scores.mean()
    halves = Z * np.sqrt(np.clip(np.diag(inverse), 0, None))
    return [
        Estimate(float(score), float(score - half), float(score + half))
        for score, half in zip(scores, halves, strict=True)
    ]
