"""Fit a half-transparent mark to the statistics of the frames under it.

A frame is I_t = (1 - a) B_t + a L. With the gain h = 1/(1 - a) the background is B_t = L + h (I_t - L), so if L is one
colour the logarithm of h is all that is unknown per pixel, and three things are known about it, each about the step
from a pixel to its neighbour:

- contrast over time: log std_t I + log h has no step at the mark's outline, as sure as the two pixels are correlated,
  which a blend doesn't change;
- the lasting picture: h (median_t I - L) has no step there either, as sure as the surroundings are free of lasting
  edges (Dekel et al., "On the Effectiveness of Visible Watermarks", CVPR 2017);
- where nothing lasting is seen, h has no step.

All three are linear in log h, so it is the solution of a weighted Laplace equation. Several colours are tried, and
the one that explains both kinds of evidence best is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

NOISE = (1 / 255) ** 2
"""Variance of a still pixel, from rounding and coding."""
SAMPLES = 6.0
"""Frames that count as independent: neighbours in time are alike."""
LUCK = 0.02
"""Share of a step's variance over time that is left in the step of its median."""
RING_EDGES, CLEAR = 0.9, 4.0
"""A step is the mark's when its square is this often that of this quantile of the surroundings'."""
SMOOTH = 8.0
"""How much surer it is than one frame that the mark has no step where none is seen."""
MOST_GAIN = 3.0
"""Largest log gain: an opacity of 95 %."""
SWEEPS = 150
"""Most steps of conjugate gradients; the picture is a few hundred pixels wide and starts from its surroundings."""
AXES = (-1, -2)


def step(t: Tensor, axis: int) -> Tensor:
    """Difference to the next pixel; one pixel less along the axis."""
    return t.diff(dim=axis)


def joined(t: Tensor, axis: int) -> Tensor:
    """Product with the next pixel."""
    n = t.shape[axis] - 1
    return t.narrow(axis, 1, n) * t.narrow(axis, 0, n)


def _back(t: Tensor, axis: int) -> Tensor:
    """The transpose of `step`."""
    before, after = ((1, 0), (0, 1)) if axis == -1 else ((0, 0, 1, 0), (0, 0, 0, 1))
    return F.pad(t, before) - F.pad(t, after)


def _blur(t: Tensor) -> Tensor:
    return F.avg_pool2d(t[None], 5, 1, 2, count_include_pad=False)[0]


def membrane(weights: Sequence[Tensor], steps: Sequence[Tensor], inside: Tensor, start: Tensor) -> Tensor:
    """The picture whose steps are nearest to given ones: min sum w (D u - s)^2, by conjugate gradients.

    Args:
        weights: of the steps along each of `AXES`, ``(C, h, w - 1)`` and ``(C, h - 1, w)``.
        steps: likewise.
        inside: ``(1, h, w)``, 1 = to be solved; elsewhere ``u`` stays 0.
        start: ``(C, h, w)``, 0 outside.
    """

    def operator(u: Tensor) -> Tensor:
        return (
            sum((_back(w * step(u, i), i) for w, i in zip(weights, AXES, strict=True)), inside * 0) * inside
        )

    diagonal = torch.zeros_like(start)
    for w, axis in zip(weights, AXES, strict=True):
        n = start.shape[axis] - 1
        diagonal.narrow(axis, 0, n).add_(w)
        diagonal.narrow(axis, 1, n).add_(w)
    scale = inside / diagonal.clamp_min(1e-12)
    wanted = sum((_back(w * s, i) for w, s, i in zip(weights, steps, AXES, strict=True)), inside * 0) * inside
    u, residual = start, wanted - operator(start)
    z = scale * residual
    direction, power = z, (residual * z).sum((-1, -2), keepdim=True)
    for _ in range(SWEEPS):
        applied = operator(direction)
        size = power / (direction * applied).sum((-1, -2), keepdim=True).clamp_min(1e-20)
        u, residual = u + size * direction, residual - size * applied
        z = scale * residual
        if float(z.abs().amax()) < 1e-4:
            break
        last, power = power, (residual * z).sum((-1, -2), keepdim=True)
        direction = z + power / last.clamp_min(1e-20) * direction
    return u


@dataclass(frozen=True)
class Fit:
    """A mark of one colour.

    ``log_gain`` is ``(1, h, w)``, ``colour`` ``(3, 1, 1)``; ``contrast`` and ``lasting`` are the two kinds of steps
    that are left, each divided by how large one is expected to be, along both `AXES`.
    """

    log_gain: Tensor
    colour: Tensor
    contrast: list[Tensor]
    lasting: list[Tensor]

    @property
    def cost(self) -> float:
        """What is left of both."""
        return float(sum(t.sum() for t in self.contrast)) + 0.25 * float(sum(t.sum() for t in self.lasting))


class Statistics:
    """What is known about the frames ``(F, 3, h, w)`` around a mask ``(1, h, w)``, some of it outside the mask."""

    def __init__(self, frames: Tensor, mask: Tensor) -> None:
        self.frames, self.inside = frames, mask.to(frames)
        self.median = frames.median(0).values
        moved = [c - c.mean(0) for c in frames.unbind(1)]
        self.variance = torch.stack([(c**2).mean(0) for c in moved]).mean(0, keepdim=True).clamp_min(1e-7)
        self.covariance = [
            torch.stack([joined(c, axis).mean(0) for c in moved]).mean(0, keepdim=True) for axis in AXES
        ]
        del moved
        self.ring = [joined(1 - self.inside, axis) > 0 for axis in AXES]
        self.unit = torch.zeros_like(self.variance)
        self.change = self.changes(self.unit)
        self.edge, self.stillness = self._edges(self.median_steps(frames), self.change)
        self.log_std = (self.variance - NOISE).clamp_min(NOISE / 4).log() / 2
        moves = (self.variance / (self.variance + 8 * NOISE)) ** 2
        self.sure = []
        for axis, covariance in zip(AXES, self.covariance, strict=True):
            alike = (covariance / joined(self.variance, axis).sqrt()).clamp(0, 1)
            n = moves.shape[axis] - 1
            both = torch.minimum(moves.narrow(axis, 0, n), moves.narrow(axis, 1, n))
            self.sure.append(SAMPLES * (both / (1.02 - alike**2) + 1e-3))
        self.smooth = [SAMPLES * SMOOTH * (1 - e) ** 2 / (e + 1e-3) for e in self.edge]

    def changes(self, log_gain: Tensor) -> list[Tensor]:
        """Variance over time of each step of the background."""
        gain = log_gain.exp()
        power = gain**2 * self.variance
        out = []
        for axis, covariance in zip(AXES, self.covariance, strict=True):
            n = power.shape[axis] - 1
            total = power.narrow(axis, 0, n) + power.narrow(axis, 1, n)
            out.append((total - 2 * joined(gain, axis) * covariance).clamp_min(NOISE))
        return out

    @staticmethod
    def median_steps(frames: Tensor) -> list[Tensor]:
        """Medians over time of each step, ``(3, …)``."""
        return [torch.stack([step(c, axis).median(0).values for c in frames.unbind(1)]) for axis in AXES]

    def _edges(self, steps: list[Tensor], changes: list[Tensor]) -> tuple[list[Tensor], Tensor]:
        """How surely each step is the mark's, in [0, 1], seen pixel by pixel or, for soft outlines, blurred.

        Also the square of the lasting steps that the surroundings have.
        """
        found: list[Tensor] = []
        usual = []
        for soft in (False, True):
            squares = [(_blur(s) if soft else s).square().mean(0, keepdim=True) for s in steps]
            luck = [LUCK * (_blur(c) / 5 if soft else c) for c in changes]
            outside = [(s - n)[r] for s, n, r in zip(squares, luck, self.ring, strict=True)]
            usual.append(torch.quantile(torch.cat(outside)[:1_000_000], RING_EDGES).clamp_min(0))
            ratios = [s / (CLEAR * (n + usual[-1] + 1e-6)) for s, n in zip(squares, luck, strict=True)]
            found = [torch.maximum(a, b) for a, b in zip(found, ratios, strict=True)] if found else ratios
        return [r**2 / (1 + r**2) for r in found], usual[0]

    def by_contrast(self) -> Tensor:
        """Log gain from the contrast over time alone."""
        weights = [a + b for a, b in zip(self.sure, self.smooth, strict=True)]
        steps = [-a * step(self.log_std, i) / w for a, w, i in zip(self.sure, weights, AXES, strict=True)]
        return membrane(weights, steps, self.inside, self.unit).clamp(0, MOST_GAIN)

    def offset(self, background: Tensor, log_gain: Tensor) -> Tensor:
        """What lasting edges are left in a background ``(F, 3, h, w)``: the picture ``(3, h, w)`` to take off it."""
        seen, changes = self.median_steps(background), self.changes(log_gain)
        edges, _ = self._edges(seen, changes)
        kept = [e / (e + (1 - e) ** 2) for e in edges]
        weights = [1 / (c * k.clamp_min(1e-3)) for c, k in zip(changes, kept, strict=True)]
        steps = [s * k for s, k in zip(seen, kept, strict=True)]
        return membrane(weights, steps, self.inside, torch.zeros_like(self.median))

    def _expected(self, log_gain: Tensor) -> list[Tensor]:
        """Square of the steps that the background's lasting picture has, by luck or truly."""
        gain = log_gain.exp()
        return [
            LUCK * c * joined(gain, i) + self.stillness + 1e-6 for c, i in zip(self.change, AXES, strict=True)
        ]

    def of_colour(self, colour: Tensor, start: Tensor) -> Fit:
        """The mark of a colour ``(3, 1, 1)``; ``start`` is a first log gain."""
        log_gain = start
        away = self.median - colour
        log_away = away.abs().clamp_min(1e-3).log()
        for _ in range(2):  # the weights depend on the gain
            weights, steps = [], []
            for j, axis in enumerate(AXES):
                # The mean of two neighbours' distance to the colour; where they lie on either side of it: nothing.
                n = away.shape[axis] - 1
                between = (away.narrow(axis, 0, n) + away.narrow(axis, 1, n)) / 2
                between = torch.where(joined(away, axis) > 0, between, 0)
                known = between**2 * joined(log_gain.exp(), axis) / self._expected(log_gain)[j]
                weights.append(self.sure[j] + self.smooth[j] + known.sum(0, keepdim=True))
                pull = self.sure[j] * step(self.log_std, axis)
                pull = pull + (known * step(log_away, axis)).sum(0, keepdim=True)
                steps.append(-pull / weights[-1])
            log_gain = membrane(weights, steps, self.inside, log_gain).clamp(0, MOST_GAIN)
        return self.judged(log_gain, colour)

    def judged(self, log_gain: Tensor, colour: Tensor) -> Fit:
        """A log gain and colour, with what they leave unexplained."""
        picture = log_gain.exp() * (self.median - colour)
        contrast = [
            s.sqrt() * step(self.log_std + log_gain, i).abs() for s, i in zip(self.sure, AXES, strict=True)
        ]
        expected = self._expected(log_gain)
        lasting = [
            (e * step(picture, i).square().sum(0, keepdim=True) / x / joined(log_gain.exp(), i).sqrt()).sqrt()
            for e, x, i in zip(self.edge, expected, AXES, strict=True)
        ]
        return Fit(log_gain, colour, contrast, lasting)

    def colour_of(self, log_gain: Tensor) -> Tensor:
        """The colour ``(3, 1, 1)`` that leaves the fewest lasting edges for a log gain."""
        gain = log_gain.exp()
        above, below = self.median.new_zeros(3), self.median.new_tensor(1e-9)
        for e, x, i in zip(self.edge, self._expected(log_gain), AXES, strict=True):
            above = above + (e / x * step(gain * self.median, i) * step(gain, i)).sum((-1, -2))
            below = below + (e / x * step(gain, i) ** 2).sum()
        return (above / below).clamp(0, 1).view(3, 1, 1)

    def colours(self, log_gain: Tensor) -> list[Tensor]:
        """Colours ``(3, 1, 1)`` worth trying: what contrast and lasting edges say together, and nearby extremes."""
        gain = log_gain.exp()
        taken = self.offset(gain * self.frames, log_gain)
        background = gain * self.median - taken
        shift = self.median - background
        weight = shift.square().sum(0, keepdim=True) * self.inside
        total = weight.sum().clamp_min(1e-12)
        usual, moved = ((t * weight).sum((-1, -2), keepdim=True) / total for t in (background, shift))
        alpha = ((1 - 1 / gain) * weight).sum() / total
        # As far as the mark's colour can lie in the direction in which it moves the picture.
        room = torch.where(moved > 0, 1 - usual, usual) / moved.abs().clamp_min(1e-6)
        reaches = [1 / (alpha * c).clamp_min(0.02) for c in (0.5, 1.0, 1.4)] + [
            c * room.min() for c in (0.8, 1)
        ]
        found = [(usual + moved * reach).clamp(0, 1) for reach in reaches]
        return [*found, self.colour_of(log_gain), torch.ones_like(usual), torch.zeros_like(usual)]


def best_fit(statistics: Statistics) -> Fit:
    """The mark that explains the frames best, of all colours tried."""
    start = statistics.by_contrast()
    fits = [statistics.of_colour(c, start) for c in statistics.colours(start)]
    for _ in range(2):
        best = min(fits, key=lambda f: f.cost)
        fits.append(statistics.of_colour(statistics.colour_of(best.log_gain), start))
    return min(fits, key=lambda f: f.cost)
