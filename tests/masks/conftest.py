"""Small moving films, and their masks."""

from collections.abc import Callable
from fractions import Fraction

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from vedit.frame import Frame, Notes, Shot, Timing
from vedit.masks import MaskSetting, with_masks
from vedit.window import Window

Picture = npt.NDArray[np.uint8]
Masks = Callable[..., tuple[npt.NDArray[np.bool_], list[str]]]
Texture = Callable[..., list[Picture]]


@pytest.fixture
def texture() -> Texture:
    """Soft blobs of colour that pass by: ``(count, dx, dy)`` pixels per frame."""

    def make(
        count: int, dx: float = 2.0, dy: float = 1.0, *, seed: int = 0, size: tuple[int, int] = (192, 320)
    ) -> list[Picture]:
        height, width = size
        noise = np.random.default_rng(seed).normal(0, 1, (height + 300, width + 500, 3)).astype(np.float32)
        wide = cv2.GaussianBlur(noise, (0, 0), 5) * 300 + cv2.GaussianBlur(noise, (0, 0), 1.5) * 40
        large = np.clip(110 + wide, 0, 255).astype(np.uint8)
        moves = [np.array([[1, 0, -150 + dx * t], [0, 1, -100 + dy * t]], np.float64) for t in range(count)]
        return [np.asarray(cv2.warpAffine(large, move, (width, height)), np.uint8) for move in moves]

    return make


@pytest.fixture
def masks() -> Masks:
    """The masks ``(F, H, W)`` of a shot of pictures, and what was said."""

    def run(
        pictures: list[Picture], setting: MaskSetting, first: int = 0, *, dilate: int = 0
    ) -> tuple[npt.NDArray[np.bool_], list[str]]:
        height, width = pictures[0].shape[:2]
        shot = Shot(0, Timing(Fraction(1, 25), Fraction(25), 0, 1000), height, width, "cpu", Notes())
        frames = (
            Frame(i, 1, native=picture, index=i, decode=_pixels) for i, picture in enumerate(pictures, first)
        )
        found = list(with_masks(frames, setting, shot, dilate=dilate))
        assert [frame.index for frame, _ in found] == list(range(first, first + len(pictures)))
        return torch.stack([mask[0] for _, mask in found]).numpy() > 0, shot.notes.warnings

    return run


def _pixels(native: object, window: Window | None) -> Tensor:
    assert isinstance(native, np.ndarray)
    pixels = torch.from_numpy(native).permute(2, 0, 1).float() / 255
    return window.of(pixels) if window else pixels
