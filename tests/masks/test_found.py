"""Captions and logos that are burned into a moving picture are found where and when they are."""

from collections.abc import Callable
from fractions import Fraction

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

SIZE = (192, 320)


def lettered(text: str, x: int, y: int, scale: float = 0.5) -> Picture:
    """Coverage of a text, 0 to 255."""
    canvas = np.zeros(SIZE, np.uint8)
    cv2.putText(canvas, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, (255,), 1, cv2.LINE_AA)
    return canvas


def burned(picture: Picture, letters: Picture, *, opacity: float = 1.0, outline: bool = True) -> Picture:
    dark = cv2.dilate(letters, np.ones((3, 3), np.uint8))[..., None] / 255 if outline else 0
    alpha = letters[..., None] / 255 * opacity
    return np.clip(picture * (1 - dark * opacity) * (1 - alpha) + 255 * alpha, 0, 255).astype(np.uint8)


def test_captions_are_found_in_their_frames_and_nowhere_else(masks: Masks, texture: Texture) -> None:
    pictures = texture(110)
    first, second = lettered("Where were you?", 90, 170), lettered("I was at home,", 95, 172)
    for i in range(10, 50):
        pictures[i] = burned(pictures[i], first)
    for i in range(56, 100):
        pictures[i] = burned(pictures[i], second)
    found, notes = masks(pictures, "auto:caption", first=7)
    for span, text in ((range(10, 50), first), (range(56, 100), second)):
        true = cv2.dilate(text, np.ones((3, 3), np.uint8)) > 60
        for i in span:
            assert (found[i] & true).sum() > 0.95 * true.sum(), i
            assert (found[i] & true).sum() > 0.5 * found[i].sum(), i
    for i in [*range(8), 53, *range(102, 110)]:
        assert not found[i].any(), i
    assert len(notes) == 1
    assert notes[0].startswith("auto:caption: text found in frames 16-57")


@pytest.mark.parametrize(("count", "share"), [(1, 0), (2, 0.95), (3, 0.95)])
def test_a_shot_of_a_few_frames_has_captions_too(
    count: int, share: float, masks: Masks, texture: Texture
) -> None:
    text = lettered("Where were you?", 90, 170)
    found, notes = masks([burned(picture, text) for picture in texture(count, dx=6)], "auto:caption")
    assert all((mask & (text > 60)).sum() >= share * (text > 60).sum() for mask in found)
    assert ("no text was found" in notes[0]) == (not found.any())


def test_a_caption_that_fades_in_leaves_no_ghost(masks: Masks, texture: Texture) -> None:
    pictures = texture(60)
    text = lettered("Where were you?", 90, 170)
    for i in range(20, 60):
        pictures[i] = burned(pictures[i], text, opacity=min(1, (i - 19) / 6))
    found, _ = masks(pictures, "auto:caption")
    true = text > 60
    assert all((found[i] & true).sum() > 0.9 * true.sum() for i in range(20, 60))
    assert not found[:17].any()


def test_a_caption_that_goes_on_for_a_moment_after_a_cut_is_found(masks: Masks, texture: Texture) -> None:
    pictures = texture(40)
    text = lettered("Where were you?", 90, 170)
    for i in (*range(6), *range(35, 40)):
        pictures[i] = burned(pictures[i], text)
    found, _ = masks(pictures, "auto:caption")
    true = text > 60
    assert all((found[i] & true).sum() > 0.95 * true.sum() for i in (*range(6), *range(35, 40)))
    assert not found[8:33].any()


def test_digits_that_change_in_every_frame_are_found_with_their_time_stamp(
    masks: Masks, texture: Texture
) -> None:
    pictures = texture(50)
    stamps = [lettered(f"2024-03-17 14:05:{i % 60:02}", 20, 24) for i in range(50)]
    found, _ = masks([burned(p, s) for p, s in zip(pictures, stamps, strict=True)], "auto:caption")
    for i, stamp in enumerate(stamps):
        true = stamp > 100
        assert (found[i] & true).sum() > 0.93 * true.sum(), i


def test_a_clean_picture_has_neither_and_that_is_said(masks: Masks, texture: Texture) -> None:
    for setting in ("auto:caption", "auto:logo"):
        found, notes = masks(texture(50), setting, first=5)
        assert not found.any()
        assert notes[0].startswith(f"{setting}: no ")
        assert "5-54" in notes[0]


def test_a_half_transparent_logo_is_found_where_the_picture_moves(masks: Masks, texture: Texture) -> None:
    logo = np.zeros(SIZE, np.uint8)
    cv2.circle(logo, (285, 30), 16, (255,), 4, cv2.LINE_AA)
    cv2.line(logo, (275, 30), (295, 30), (255,), 4, cv2.LINE_AA)
    pictures = [burned(p, logo, opacity=0.5, outline=False) for p in texture(60, 3.0, 2.0)]
    found, notes = masks(pictures, "auto:logo")
    true = logo > 60
    assert all((found[i] & true).sum() > 0.97 * true.sum() for i in range(60))
    assert found[0].sum() < 4 * true.sum()
    assert notes[0].startswith("auto:logo: marks found in frames 0-59, at 26")


def test_where_nothing_moves_no_scenery_is_taken_for_a_logo(masks: Masks, texture: Texture) -> None:
    logo = np.zeros(SIZE, np.uint8)
    cv2.circle(logo, (285, 30), 16, (255,), 4, cv2.LINE_AA)
    pictures = [burned(p, logo, outline=False) for p in texture(1) * 30]
    found, notes = masks(pictures, "auto:logo")
    assert not found.any()
    assert "hardly moves" in notes[0]
    assert "give box:x,y,w,h" in notes[0]


@pytest.mark.parametrize("setting", ["auto:caption", "auto:logo", "track:30=box:9,9,50,50"])
def test_frames_that_wait_hold_no_converted_pixels(texture: Texture, setting: str) -> None:
    frames = [
        Frame(i, 1, native=p, index=i, decode=lambda p, _: torch.from_numpy(p).permute(2, 0, 1) / 255)
        for i, p in enumerate(texture(40))
    ]
    shot = Shot(0, Timing(Fraction(1, 25), Fraction(25), 0, 40), *SIZE, "cpu", Notes())
    next(with_masks(iter(frames), setting, shot))
    assert all("not converted" in repr(frame) for frame in frames)
