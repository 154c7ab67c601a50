"""Masks that drop out, numbers that are left out, and masks of four levels."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

Masks = Callable[..., tuple[npt.NDArray[np.bool_], list[str]]]

BLACK = [np.zeros((48, 64, 3), np.uint8)] * 8


def a_ball(index: int) -> npt.NDArray[np.uint8]:
    picture = np.zeros((48, 64), np.uint8)
    cv2.circle(picture, (10 + 5 * index, 24), 8, (255,), -1)
    return picture


def write(folder: Path, pictures: dict[int, npt.NDArray[np.uint8]]) -> None:
    folder.mkdir()
    for number, picture in pictures.items():
        cv2.imwrite(str(folder / f"m_{number:04}.png"), picture)


def overlap(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_a_blink_is_bridged_along_the_motion_and_said(masks: Masks, tmp_path: Path) -> None:
    empty = np.zeros((48, 64), np.uint8)
    write(tmp_path / "m", {i: empty if i in (3, 4) else a_ball(i) for i in range(8)})
    found, notes = masks(BLACK, tmp_path / "m")
    for i in range(8):
        assert overlap(found[i], a_ball(i) > 0) > 0.9
    assert len(notes) == 1
    assert "bridged in frames 3-4" in notes[0]


def test_an_object_that_goes_or_turns_into_another_is_not_bridged(masks: Masks, tmp_path: Path) -> None:
    empty = np.zeros((48, 64), np.uint8)
    write(tmp_path / "long", {i: a_ball(i) if i in (0, 5, 6, 7) else empty for i in range(8)})
    assert not masks(BLACK, tmp_path / "long")[0][1:5].any()
    bar = np.zeros((48, 64), np.uint8)
    bar[20:23] = 255
    write(tmp_path / "other", {i: a_ball(0) if i < 3 else empty if i == 3 else bar for i in range(8)})
    found, notes = masks(BLACK, tmp_path / "other")
    assert not found[3].any()
    assert not notes


def test_a_number_left_out_does_not_move_the_masks_after_it(masks: Masks, tmp_path: Path) -> None:
    write(tmp_path / "m", {i + 1: a_ball(i) for i in range(8) if i != 2})
    found, notes = masks(BLACK, tmp_path / "m")
    for i in range(8):
        assert overlap(found[i], a_ball(i) > 0) > 0.9
    assert any("no picture for frames 2" in note for note in notes)
    assert any("bridged in frames 2" in note for note in notes)


def test_numbers_that_count_no_frames_give_only_the_order(masks: Masks, tmp_path: Path) -> None:
    write(tmp_path / "m", {10 * i: a_ball(i) for i in range(8)})
    found, notes = masks(BLACK, tmp_path / "m")
    assert all(np.array_equal(found[i], a_ball(i) > 0) for i in range(8))
    assert not notes


def test_a_mask_of_four_levels_has_black_for_change_and_that_is_said(masks: Masks, tmp_path: Path) -> None:
    quad = np.full((48, 64), 255, np.uint8)
    quad[10:20, 10:20], quad[20:24, 10:20], quad[24:40, 10:30] = 0, 63, 127
    write(tmp_path / "m", {0: np.full_like(quad, 255), **dict.fromkeys(range(1, 8), quad)})
    found, notes = masks(BLACK, tmp_path / "m")
    assert not found[0].any()
    assert np.array_equal(found[1], quad < 200)
    assert len(notes) == 1
    assert "255 is taken as kept" in notes[0]
