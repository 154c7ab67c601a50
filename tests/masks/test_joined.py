"""Several masks in one setting, grown and softened ones, and what cannot work."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch

from vedit.errors import InputError, UsageError
from vedit.masks import check_mask, feathered

Masks = Callable[..., tuple[npt.NDArray[np.bool_], list[str]]]

BLACK = [np.zeros((48, 64, 3), np.uint8)] * 2


def test_terms_are_added_and_taken_away_from_left_to_right(masks: Masks, tmp_path: Path) -> None:
    picture = np.zeros((48, 64), np.uint8)
    picture[:, 30:34] = 255
    path = tmp_path / "a - name + more.png"
    cv2.imwrite(str(path), picture)
    wanted = np.zeros((48, 64), bool)
    wanted[0:10, 0:20] = wanted[:, 30:34] = True
    wanted[0:5, 0:40] = False
    wanted[2:4, 1:3] = True
    plain = tmp_path / "logo-1.png"
    cv2.imwrite(str(plain), picture)
    found, _ = masks(BLACK, f"box:0,0,20,10 + {plain} - box:0,0,40,5 + box:1,2,2,2")
    assert np.array_equal(found, [wanted, wanted])
    whole, _ = masks(BLACK, str(path))  # a file of that name is a file
    assert np.array_equal(whole[0], picture > 0)


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("box:1,1,5,5 + box:1,2", "not a box"),
        ("box:1,1,5,5 + ", "joins nothing"),
        ("auto:face", "auto:caption and auto:logo"),
        ("track:x=box:1,1,5,5", "does not say what to follow"),
        ("track:0=auto:logo", "marks its object"),
    ],
)
def test_what_cannot_work_is_said_before_there_is_a_picture(setting: str, problem: str) -> None:
    with pytest.raises((UsageError, InputError), match=problem):
        check_mask(setting)


def test_dilation_is_the_cross_once_per_pixel(masks: Masks) -> None:
    found, _ = masks(BLACK, "box:20,20,1,1", dilate=4)
    y, x = np.indices((48, 64))
    assert np.array_equal(found[0], abs(x - 20) + abs(y - 20) <= 4)
    everything, _ = masks(BLACK, "box:20,20,1,1", dilate=3_000_000_000)
    assert everything[0].all()


def test_a_feathered_mask_is_whole_inside_falls_outside_and_ends_at_its_radius() -> None:
    mask = torch.zeros(1, 48, 64)
    mask[:, 20:28, 20:40] = 1
    soft = feathered(mask, 5.0)
    assert soft[mask > 0].eq(1).all()
    row = soft[0, 24, 40:50]
    assert (row[:5] > 0).all()
    assert (row[:5] < 1).all()
    assert (row.diff() <= 0).all()
    assert row[5:].eq(0).all()
    assert torch.equal(feathered(mask, 0), mask)
