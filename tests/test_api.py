from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch

import vedit

MakeFilm = Callable[..., Path]


def pictures(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """(F, H, W, 3) in 0..255."""
    with av.open(path) as container:
        return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)]).astype(np.float32)


def test_interpolate_to_another_rate(film: MakeFilm, tmp_path: Path) -> None:
    src, dst = film(shots=(20, 24)), tmp_path / "out.mp4"
    report = vedit.interpolate(src, dst, fps="48000/1001")
    assert (report.frames_in, report.frames_out, report.shots) == (44, 88, 2)
    assert report.rate == Fraction(48000, 1001)
    assert report.duration_in == report.duration_out
    assert report.streams
    np.testing.assert_allclose(pictures(dst)[::2], pictures(src), atol=24)


def test_inpaint_changes_only_what_the_mask_covers(film: MakeFilm, tmp_path: Path) -> None:
    src, dst = film(), tmp_path / "out.mp4"
    mask = torch.zeros(1, 1, 64, 96)
    mask[..., 16:32, 16:48] = 1
    report = vedit.inpaint(src, dst, mask=mask, quality="draft", crf=1)
    assert report.proof.startswith("10/10 frames · pts identical · audio 1/1 bit-exact · ")
    assert report.hole_pixels == 10 * 16 * 32
    assert report.coverage is not None
    assert 0 <= report.coverage <= 1
    change = np.abs(pictures(dst) - pictures(src)).mean((0, 3))
    assert change[20:28, 20:44].mean() > 4 * change[40:].mean()


def test_a_mask_that_is_black_all_along_is_told_once(film: MakeFilm, tmp_path: Path) -> None:
    """A mask that goes along may be black for a shot; when it is for the whole film, that was hardly meant."""
    src = film(shots=(6, 6))
    for name, marked in (("black", False), ("late", True)):
        folder = tmp_path / name
        folder.mkdir()
        for i in range(12):
            picture = np.zeros((64, 96), np.uint8)
            picture[8:24, 8:24] = 255 * (marked and i >= 8)
            cv2.imwrite(str(folder / f"{i:03}.png"), picture)
        report = vedit.inpaint(src, tmp_path / f"{name}.mp4", mask=folder, quality="draft")
        told = [warning for warning in report.warnings if "marks nothing in the whole film" in warning]
        assert len(told) == (0 if marked else 1), report.warnings
        assert (report.hole_pixels > 0) == marked
        assert report.shots == 2


def test_restyle_keeps_the_shape_of_the_film(film: MakeFilm, tmp_path: Path) -> None:
    src, dst = film(), tmp_path / "out.mp4"
    report = vedit.restyle(src, dst, look="ink", strength=0.5, steps=1)
    assert report.proof.startswith("10/10 frames · pts identical · audio 1/1 bit-exact · ")
    assert pictures(dst).shape == pictures(src).shape


def test_an_unknown_keyword_is_a_type_error(film: MakeFilm, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="'speed'"):
        vedit.interpolate(film(), tmp_path / "out.mp4", fps=60, speed=2)  # type: ignore[call-arg]


def test_resume_needs_something_to_go_on_with(tmp_path: Path) -> None:
    with pytest.raises(vedit.UsageError, match=r"out\.mp4"):
        vedit.resume(tmp_path / "out.mp4")
