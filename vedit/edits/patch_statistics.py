"""The statistics of a style's patches, and how far a picture is from them.

Distributions are compared along directions, by the sliced Wasserstein distance (Rabin et al., "Wasserstein Barycenter
and Its Application to Texture Mixing", SSVM 2011; on patches: Elnekave & Weiss, "Generating Natural Images with Direct
Patch Distributions Matching", ECCV 2022). Pictures are ``(1, 3, H, W)``, RGB in [0, 1].
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

PATCH = 7
"""Side of a patch, in every octave."""
BANK, DRAWN = 128, 12
"""Directions kept per octave and kind, and how many of them each step draws anew."""
QUANTILES, SAMPLES = 2048, 16384
"""Numbers that stand for a distribution, and how many values it is read from."""
TEMPLATES = 32
"""Patches of the style that the second layer answers to."""
RAW, WHITENED, LAYERED = 1.0, 0.2, 1.0
"""Weights of the statistics: patches, patches whitened, the second layer."""


def flat(response: Tensor) -> Tensor:
    """``(C, N)`` of ``(1, C, h, w)``."""
    return response[0].flatten(1)


def _stretched(values: Tensor, count: int) -> Tensor:
    """Rows of sorted values ``(C, M)`` as ``(C, count)``."""
    return F.interpolate(values[None], size=count, mode="linear", align_corners=False)[0]


def quantiles(values: Tensor) -> Tensor:
    """``(C, QUANTILES)`` that stand for the rows of ``(C, N)``."""
    few = values[:, :: max(1, values.shape[1] // SAMPLES)]
    return _stretched(torch.from_numpy(np.sort(few.numpy(), axis=1)), QUANTILES)


def distance(values: Tensor, wanted: Tensor, gain: Tensor | float) -> Tensor:
    """Mean squared distance of rows ``(C, N)`` to where optimal transport takes each of their values.

    ``wanted``: the `quantiles` of what they are to be like; ``gain``: a factor, or one per row ``(C, 1)``.
    """
    order = torch.from_numpy(np.argsort(values.detach().numpy(), axis=1))  # several times torch's speed
    goal = torch.empty_like(values).scatter_(1, order, _stretched(wanted, values.shape[1]))
    return ((values - goal).square() * gain).mean()


class Statistics:
    """Distributions of one octave of the style along fixed directions of three kinds."""

    def __init__(self, style: Tensor, generator: torch.Generator) -> None:
        step = max(1, math.isqrt(style.shape[-2] * style.shape[-1] // 6000))
        patches = F.unfold(style, PATCH, stride=step)[0].T
        mean = patches.mean(0)
        covariance = (patches - mean).T @ (patches - mean) / len(patches)
        values, vectors = torch.linalg.eigh(covariance + 1e-4 * torch.eye(len(mean)))
        # A tenth of the mean is added: what the style hardly contains is looked at, not amplified without bound.
        white = vectors @ torch.diag((values.clamp_min(0) + 0.1 * values.mean()).rsqrt()) @ vectors.T
        raw = F.normalize(torch.randn(BANK, len(mean), generator=generator))
        whitened = torch.randn(BANK, len(mean), generator=generator) @ white
        self.raw, self.whitened = (w.view(-1, 3, PATCH, PATCH) for w in (raw, whitened))
        seen = [flat(F.conv2d(style, w)) for w in (self.raw, self.whitened)]
        self.raw_goal, self.whitened_goal = (quantiles(s) for s in seen)
        self.raw_gain = float(1 / seen[0].var(1).mean().clamp_min(1e-3))
        self.whitened_gain = 1 / seen[1].var(1, keepdim=True).clamp_min(1e-3)
        chosen = patches[torch.randint(len(patches), (TEMPLATES,), generator=generator)] - mean
        templates = F.normalize(chosen @ white @ white, eps=0.1)
        self.templates = templates.view(-1, 3, PATCH, PATCH)
        self.rest = -templates @ mean
        answers = F.conv2d(style, self.templates, self.rest)
        spread = answers.std((0, 2, 3)).clamp_min(1e-3)
        self.templates, self.rest = self.templates / spread.view(-1, 1, 1, 1), self.rest / spread
        mixed = F.normalize(torch.randn(BANK, TEMPLATES * 9, generator=generator))
        self.mixed = mixed.view(-1, TEMPLATES, 3, 3)
        layered = flat(F.conv2d(self._second(style), self.mixed))
        self.layered_goal = quantiles(layered)
        self.layered_gain = 1 / layered.var(1, keepdim=True).clamp_min(1e-3)

    def _second(self, picture: Tensor) -> Tensor:
        """Where which template is, at half the size."""
        return F.avg_pool2d(F.relu(F.conv2d(picture, self.templates, self.rest) - 0.5), 2)

    def loss(self, picture: Tensor, generator: torch.Generator) -> Tensor:
        """How far a picture is from the style, along directions that are drawn anew each time."""
        pixels = picture.shape[-2] * picture.shape[-1]
        stride = 1 if pixels < 5000 else 2 if pixels < 45000 else 3
        drawn = [torch.randperm(BANK, generator=generator)[:DRAWN] for _ in range(3)]
        raw = flat(F.conv2d(picture, self.raw[drawn[0]], stride=stride))
        whitened = flat(F.conv2d(picture, self.whitened[drawn[1]], stride=stride))
        layered = flat(F.conv2d(self._second(picture), self.mixed[drawn[2]]))
        return (
            RAW * distance(raw, self.raw_goal[drawn[0]], self.raw_gain)
            + WHITENED * distance(whitened, self.whitened_goal[drawn[1]], self.whitened_gain[drawn[1]])
            + LAYERED * distance(layered, self.layered_goal[drawn[2]], self.layered_gain[drawn[2]])
        )
