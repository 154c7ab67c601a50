"""How well a picture is foreseen, from the pictures before it and from those after it.

The temporal module predicts the next picture; what it did not expect is anomalous: Liu, Luo, Lian and Gao, "Future
Frame Prediction for Anomaly Detection", CVPR 2018. They compare a picture's PSNR with those of its whole film; here it
is compared with those of pictures near it, and time runs both ways, because one way alone a cut looks like a foreign
frame.
"""

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
import torch
from torch import Tensor

from vedit.diffusion.engine import load_engine
from vedit.latents.bundled import BundledCodec
from vedit.metrics.fidelity import psnr
from vedit.steps.evidence import Step
from vedit.steps.picture import Picture
from vedit.temporal.foresee import foresee
from vedit.temporal.predict import PAST, Predictor, load_predictor

WIDTH = 160
"""Pixels that pictures are predicted at."""
KIND = "rnn"
"""The quickest of the predictors."""
KEPT = 32
"""Predictions that are remembered."""
BEST = 45.0
"""dB that a prediction counts as at most: beyond that nothing is told apart."""


class Foresight:
    """Predicts pictures of a window, each once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], float] = {}

    def shortfall(self, window: Sequence[Step], start: int, stop: int) -> float | None:
        """By how many dB the pictures ``start`` to ``stop - 1`` are foreseen worse than those around them.

        The first is predicted from those before it and the last from those after it, each beside a picture a little
        further away in the same direction; the mean of both. None where too few pictures are around.
        """
        ways = [self._foreseen(window, start, -1), self._foreseen(window, stop - 1, 1)]
        beside = [self._foreseen(window, start - 2, -1), self._foreseen(window, stop + 1, 1)]
        apart = [b - w for w, b in zip(ways, beside, strict=True) if w is not None and b is not None]
        return sum(apart) / len(apart) if apart else None

    def _foreseen(self, window: Sequence[Step], at: int, way: int) -> float | None:
        """PSNR of a picture as it is predicted from the ones before it (``way`` -1) or after it (1), in dB."""
        places = [at + way * k for k in range(PAST, 0, -1)]
        if not all(0 <= k < len(window) for k in (*places, at)):
            return None
        key = window[at].index, way
        if key not in self._known:
            while len(self._known) >= KEPT:
                self._known.pop(next(iter(self._known)))
            net, codec = _models()
            seen = next(foresee([_tensor(window[k].picture) for k in places], net, codec))
            true = _tensor(window[at].picture)
            self._known[key] = min(BEST, float(psnr(seen.mean[None], true[None])))
        return self._known[key]


@cache
def _models() -> tuple[Predictor, BundledCodec]:
    on = torch.device("cpu")
    codec = load_engine("bundled", on).codec
    assert isinstance(codec, BundledCodec)  # noqa: S101 - the bundled engine's
    return load_predictor(KIND, on), codec


def _tensor(picture: Picture) -> Tensor:
    scale = WIDTH / max(picture.shape[:2])
    size = [max(16, round(side * scale)) for side in picture.shape[1::-1]]
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return torch.from_numpy(np.ascontiguousarray(small)).permute(2, 0, 1).float().div_(255)
