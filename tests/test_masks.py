"""Mask settings: each kind gives the mask it describes, in step with the film, or says what is wrong."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from vedit.errors import InputError, UsageError
from vedit.frame import Frame, Notes, Shot, Timing
from vedit.masks import MaskSetting, with_masks

HEIGHT, WIDTH = 48, 64


def a_shot(frames: int = 100, rate: int = 25) -> Shot:
    return Shot(0, Timing(Fraction(1, rate), Fraction(rate), 0, frames), HEIGHT, WIDTH, "cpu", Notes())


def masks(setting: MaskSetting, indices: range, shot: Shot | None = None) -> Tensor:
    frames = (Frame(i, 1, torch.zeros(3, HEIGHT, WIDTH), index=i) for i in indices)
    return torch.stack([mask for _, mask in with_masks(frames, setting, shot or a_shot())])


def bar(index: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A mask whose place says which frame it belongs to: 4 columns from 2 x index on."""
    picture = np.zeros((HEIGHT, WIDTH), np.uint8)
    picture[:, 2 * index : 2 * index + 4] = 255
    return picture


@pytest.fixture
def mask_film(tmp_path: Path) -> Callable[..., Path]:
    """A film of bars with B-frames and a key frame every 5, so that reading from its middle needs a real seek."""

    def make(count: int, turned: int = 0) -> Path:
        path = tmp_path / f"bars{count}.mp4"
        with av.open(path, "w") as container:
            options = {"crf": "5", "g": "5", "bf": "2"}
            stream = container.add_stream("libx264", rate=25, options=options)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            if turned:
                stream.set_display_rotation(turned)
            for i in range(count):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(bar(i), format="gray")))
            container.mux(stream.encode())
        return path

    return make


def test_a_box_covers_exactly_its_pixels() -> None:
    (mask,) = masks("box:10,5,20,8", range(1))
    assert mask.shape == (1, HEIGHT, WIDTH)
    assert mask[0, 5:13, 10:30].all()
    assert mask.sum() == 20 * 8


def test_a_polygon_covers_its_inside() -> None:
    (mask,) = masks("poly:10,10 50,10 10,40", range(1))
    assert mask[0, 15, 15] == 1
    assert mask[0, 39, 49] == 0
    assert 0.9 < mask.sum() / 600 < 1.15


def test_white_in_a_picture_means_change(tmp_path: Path) -> None:
    grey = np.full((HEIGHT, WIDTH), 120, np.uint8)
    grey[:10] = 140
    cv2.imwrite(str(tmp_path / "m.png"), grey)
    first, last = masks(tmp_path / "m.png", range(2))
    assert first[0, :10].all()
    assert not first[0, 10:].any()
    assert torch.equal(first, last)


@pytest.mark.parametrize(("start", "turned"), [(0, 0), (3, 0), (11, 0), (3, 180)])
def test_a_mask_film_follows_the_frames_absolute_index(
    mask_film: Callable[..., Path], start: int, turned: int
) -> None:
    found = masks(mask_film(16, turned), range(start, start + 4))
    wanted = torch.from_numpy(np.stack([bar(i) for i in range(start, start + 4)]) > 0).float()[:, None]
    assert torch.equal(found, wanted.flip(-1, -2) if turned else wanted)


def test_a_folder_is_read_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    for i in range(12):
        cv2.imwrite(str(tmp_path / f"m²{i}²{i}.png"), bar(i))
    found = masks(tmp_path, range(9, 12))
    assert torch.equal(found[:, 0], torch.from_numpy(np.stack([bar(i) for i in range(9, 12)])) / 255)


def test_a_tensor_gives_each_frame_its_own() -> None:
    given = torch.from_numpy(np.stack([bar(i) for i in range(3)]) > 0).float()[:, None]
    assert torch.equal(masks(given, range(1, 3)), given[1:])
    assert torch.equal(masks(given[:1], range(7, 9)), given[:1].expand(2, -1, -1, -1))


def test_masks_that_end_before_the_film_are_an_error(mask_film: Callable[..., Path], tmp_path: Path) -> None:
    film = mask_film(4)
    folder = tmp_path / "masks"
    folder.mkdir()
    for i in range(4):
        cv2.imwrite(str(folder / f"{i}.png"), bar(i))
    for setting in (film, folder, torch.ones(4, 1, HEIGHT, WIDTH)):
        with pytest.raises(UsageError, match="ends after 4 frames"):
            masks(setting, range(5))
        assert len(masks(setting, range(3))) == 3  # there may be a shot after this one
        assert len(masks(setting, range(4))) == 4  # the last frame may be held for as long as the film says


def test_masks_that_are_more_than_the_film_are_told_or_refused(
    mask_film: Callable[..., Path], tmp_path: Path
) -> None:
    film = mask_film(16)
    folder = tmp_path / "masks"
    folder.mkdir()
    for i in range(16):
        cv2.imwrite(str(folder / f"{i}.png"), bar(i))
    for setting in (film, folder):
        shot = a_shot(12)
        masks(setting, range(12), shot)
        (said,) = shot.notes.warnings
        assert f"mask {setting} has 16 pictures and the film 12 frames" in said
        for enough in (15, 16, 17):  # one more or less is what a film's end is good for
            masks(setting, range(12), quiet := a_shot(enough))
            assert not quiet.notes.warnings
    with pytest.raises(UsageError, match="16 pictures in the time of the film's 8 frames"):
        masks(film, range(8), a_shot(8, rate=12))
    with pytest.raises(UsageError, match="tensor has 16 frames and the film 12"):
        masks(torch.ones(16, 1, HEIGHT, WIDTH), range(12), a_shot(12))
    masks(torch.ones(1, 1, HEIGHT, WIDTH), range(1), a_shot(1))


def test_a_number_that_stands_twice_is_told(tmp_path: Path) -> None:
    for name in ("m_0000", "m_0001", "m_0002", "m_2"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), bar(0))
    masks(tmp_path, range(4), shot := a_shot(4))
    (said,) = shot.notes.warnings
    assert "m_0002.png and m_2.png" in said or "m_2.png and m_0002.png" in said


def test_a_mask_of_another_size_names_both_sizes() -> None:
    with pytest.raises(UsageError, match=r"32x24 but the picture is 64x48\. Scale the mask to 64x48"):
        masks(torch.ones(1, 1, 24, 32), range(1))


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("box:1,2,3", "not a box"),
        ("box:1,2,0,4", "no area"),
        ("box:a,b,c,d", "not a box"),
        ("box:100,0,5,5", "outside the picture"),
        ("poly:1,1 2,2", "not a polygon"),
    ],
)
def test_a_spec_that_cannot_work_is_a_usage_error(setting: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        masks(setting, range(1))


def test_files_that_are_no_masks_are_input_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        masks(tmp_path / "none.png", range(1))
    for name in ("text.png", "text.mp4"):
        (tmp_path / name).write_text("not a picture")
        with pytest.raises(InputError, match=name):
            masks(tmp_path / name, range(1))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no pictures"):
        masks(tmp_path / "empty", range(1))


def test_odd_masks_are_noted() -> None:
    for setting, note in (
        ("box:-5,0,10,10", "cut off"),
        (torch.zeros(1, 1, HEIGHT, WIDTH), "marks nothing"),
        (torch.ones(1, 1, HEIGHT, WIDTH), "inverted"),
        (torch.ones(2, 1, HEIGHT, WIDTH), "inverted"),
    ):
        shot = a_shot()
        masks(setting, range(2), shot)
        (warning,) = shot.notes.warnings
        assert note in warning
    shot = a_shot()
    assert masks("box:-5,0,10,10", range(1), shot).sum() == 5 * 10


def test_what_is_transparent_in_a_mask_film_is_black(tmp_path: Path) -> None:
    path = tmp_path / "mask.mkv"
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "bgra"
        for i in range(3):
            white = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
            white[..., 3] = bar(i)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(white, format="rgba")))
        container.mux(stream.encode())
    found = masks(path, range(3), a_shot(3))
    assert [bool((f[0].numpy() == bar(i) / 255).all()) for i, f in enumerate(found)] == [True] * 3
