"""New frames go the way of real ones: same format, same depth, rounded; and real ones stay the samples they were."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from corpus import BT709, Picture, write
from numpy.typing import NDArray

import vedit

WIDTH, HEIGHT, COUNT = 96, 64, 6
FORMATS = ("yuv420p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuva420p", "gbrp10le", "gray")


def waves(number: int, *, alpha: bool) -> Picture:
    """A pattern of soft waves that moves by 3 pixels a picture and is as bright at any time."""
    x = np.arange(WIDTH) + 3 * number
    y = np.arange(HEIGHT)[:, None]
    periods = 2 * np.pi / 48
    channels = [
        np.sin(x * periods) * np.cos(y * periods),
        np.cos(x * periods) + 0 * y,
        np.sin(x * 2 * periods + y * periods),
        np.cos(x * periods) * np.sin(y * periods),
    ]
    picture = 128 + 90 * np.stack(channels[: 3 + alpha], -1)
    return np.asarray(picture.round(), np.uint8)


def film(path: Path, pix_fmt: str, *, moving: bool) -> Path:
    alpha = pix_fmt.startswith("yuva")
    return write(
        path,
        range(COUNT),
        codec="ffv1",
        pix_fmt=pix_fmt,
        colour=(0, 2, 1, 1) if pix_fmt == "gbrp10le" else BT709,
        draw=lambda number: waves(number * moving, alpha=alpha),
    )


def samples(path: Path) -> tuple[str, list[NDArray[np.float64]]]:
    """The format, and all planes of every picture, (planes) of (H, W) each in one row."""
    with av.open(path) as container:
        frames = list(container.decode(video=0))
        planes = []
        for frame in frames:
            wide = frame.format.components[0].bits > 8
            rows = [
                np.frombuffer(bytes(plane), np.uint16 if wide else np.uint8)
                .reshape(plane.height, -1)[:, : plane.width]
                .ravel()
                for plane in frame.planes
            ]
            planes.append(np.concatenate(rows).astype(float))
    return frames[0].format.name, planes


@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_real_frames_stay_their_samples_and_new_ones_are_as_bright(pix_fmt: str, tmp_path: Path) -> None:
    src, dst = film(tmp_path / "in.mkv", pix_fmt, moving=True), tmp_path / "out.mkv"
    vedit.interpolate(src, dst, factor=2, codec="ffv1")
    (before, old), (after, new) = samples(src), samples(dst)
    assert before == after
    assert len(new) == 2 * COUNT
    for real, kept in zip(old, new[::2], strict=True):
        np.testing.assert_array_equal(real, kept)
    level = 4 if "10" in pix_fmt else 1  # a level of 8 bits
    for left, middle, right in zip(new[:-2:2], new[1:-2:2], new[2::2], strict=False):
        assert np.abs(middle - left).max() > 4 * level, "it is a new picture"
        assert abs(middle.mean() - (left.mean() + right.mean()) / 2) < 0.1 * level
    if level == 4:
        assert all((made % 4 != 0).mean() > 0.5 for made in new[1:-1:2]), "no 8 bits in a format of 10"


@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_new_frames_of_a_still_film_are_its_samples(pix_fmt: str, tmp_path: Path) -> None:
    src, dst = film(tmp_path / "in.mkv", pix_fmt, moving=False), tmp_path / "out.mkv"
    vedit.interpolate(src, dst, fps=Fraction(60), codec="ffv1")
    (_, old), (_, new) = samples(src), samples(dst)
    assert len(new) == 15  # 6 / 25 s
    for made in new:
        np.testing.assert_array_equal(made, old[0])
