"""An object marked once is followed both ways, given up where it is gone, and looked for in its own shot alone."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch

from vedit.frame import Frame, Notes, Shot, Timing
from vedit.masks import with_masks

Picture = npt.NDArray[np.uint8]
Masks = Callable[..., tuple[npt.NDArray[np.bool_], list[str]]]
Texture = Callable[..., list[Picture]]


def with_ball(
    pictures: list[Picture], places: list[tuple[float, float]]
) -> tuple[list[Picture], npt.NDArray[np.bool_]]:
    """A spotted ball over the pictures, and its masks."""
    spots = np.full((41, 41, 3), (200, 60, 40), np.uint8)
    for column, row in ((10, 12), (28, 9), (20, 24), (9, 30), (30, 32)):
        cv2.circle(spots, (column, row), 4, (250, 230, 120), -1)
    made, truth = [], []
    for picture, (x, y) in zip(pictures, places, strict=True):
        move = np.array([[1, 0, x - 20], [0, 1, y - 20]], np.float64)
        size = (picture.shape[1], picture.shape[0])
        disc = np.zeros((41, 41), np.uint8)
        cv2.circle(disc, (20, 20), 19, (1,), -1)
        mask = cv2.warpAffine(disc, move, size) > 0
        made.append(np.where(mask[..., None], cv2.warpAffine(spots, move, size), picture).astype(np.uint8))
        truth.append(mask)
    return made, np.stack(truth)


def overlap(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))


def test_an_outline_is_followed_forward_and_backward(masks: Masks, texture: Texture, tmp_path: Path) -> None:
    pictures, truth = with_ball(
        texture(24, -1.0, 0.5), [(60 + 6 * t, 90 + 15 * np.sin(t / 4)) for t in range(24)]
    )
    cv2.imwrite(str(tmp_path / "ball.png"), truth[10].astype(np.uint8) * 255)
    found, notes = masks(pictures, f"track:110={tmp_path / 'ball.png'}", first=100)
    assert np.array_equal(found[10], truth[10])
    assert min(overlap(f, t) for f, t in zip(found, truth, strict=True)) > 0.85
    assert not notes


def test_a_box_goes_with_the_object_in_it_and_not_with_what_is_behind(masks: Masks, texture: Texture) -> None:
    pictures, truth = with_ball(texture(20, -2.0, 0.0), [(60 + 6 * t, 90) for t in range(20)])
    found, _ = masks(pictures, "track:0=box:36,66,48,48")
    assert all((f & t).sum() > 0.97 * t.sum() for f, t in zip(found, truth, strict=True))
    assert all(f.sum() < 1.3 * 48 * 48 for f in found)


def test_an_object_that_leaves_is_given_up_and_that_is_said(masks: Masks, texture: Texture) -> None:
    pictures, truth = with_ball(texture(24, -1.0, 0.5), [(200 + 8 * t, 90) for t in range(24)])
    found, notes = masks(pictures, "track:0=box:180,70,41,41")
    gone = int(np.flatnonzero(~truth.any((1, 2)))[0])
    assert not found[gone:].any()
    assert found[: gone - 4].any((1, 2)).all()
    assert len(notes) == 1
    assert "lost in frame" in notes[0]
    assert "no mask from there on" in notes[0]
    last = len(pictures) - 1
    found, notes = masks(pictures[::-1], f"track:{last}=box:180,70,41,41")
    assert not found[: last + 1 - gone].any()
    assert "no mask there and before" in notes[0]


def test_a_mark_that_marks_nothing_is_said(masks: Masks, texture: Texture, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros((192, 320), np.uint8))
    found, notes = masks(texture(3, 1.0, 0.0), f"track:0={tmp_path / 'black.png'}")
    assert not found.any()
    assert any("marks nothing in frame 0" in note for note in notes)


def test_other_shots_have_no_mask(masks: Masks, texture: Texture) -> None:
    for first in (0, 40):
        found, notes = masks(texture(10), "track:20=box:10,10,30,30", first=first)
        assert not found.any()
        assert not notes


def test_it_joins_with_other_masks(masks: Masks, texture: Texture) -> None:
    pictures, truth = with_ball(texture(8, -1.0, 0.0), [(60 + 4 * t, 90) for t in range(8)])
    found, _ = masks(pictures, "box:0,0,5,5 + track:6=box:64,70,41,41 - box:0,0,320,85")
    assert not found[:, :85].any()
    assert all((f & t)[85:].sum() > 0.9 * t[85:].sum() for f, t in zip(found, truth, strict=True))


def test_frames_before_the_marked_one_wait_in_bounded_number(masks: Masks) -> None:
    still = np.random.default_rng(0).integers(0, 255, (24, 32, 3)).astype(np.uint8)
    found, notes = masks([still] * 250, "track:245=box:8,6,12,12")
    assert not found[:5].any()
    assert found[5:].any((1, 2)).all()
    assert len(notes) == 1
    assert "frame 245 is 245 frames into its shot and only 240 can wait" in notes[0]
    assert "frames 0-4 have no mask" in notes[0]


@pytest.mark.parametrize(
    ("index", "said"), [(3, "there is no frame 3"), (9, "the film ends with frame 5"), (0, "")]
)
def test_a_marked_frame_that_the_film_does_not_hold_drops_no_frames(index: int, said: str) -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (5, 24, 32, 3)).astype(np.float32) / 255
    frames = (
        Frame(i, 1, torch.from_numpy(p).permute(2, 0, 1), index=i)
        for i, p in zip((0, 1, 2, 4, 5), pictures, strict=True)
    )
    shot = Shot(0, Timing(Fraction(1, 25), Fraction(25), 0, 6), 24, 32, "cpu", Notes())
    found = list(with_masks(frames, f"track:{index}=box:8,6,12,12", shot))
    assert [frame.index for frame, _ in found] == [0, 1, 2, 4, 5]
    assert any(mask.any() for _, mask in found) == (not said)
    assert said in "".join(shot.notes.warnings)
