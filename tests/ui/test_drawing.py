"""A box or brush strokes on a frame become a mask of exactly those pixels."""

from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import vedit
from vedit.frame import Frame, Notes, Shot
from vedit.masks import with_masks
from vedit.ui.mask import drawn_mask, mask_file

Png = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


def url(picture: Png) -> str:
    file = BytesIO()
    Image.fromarray(picture).save(file, "png")
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"


@pytest.fixture
def source(film: Callable[..., Path]) -> vedit.Source:
    return vedit.probe(film(shots=(3,)))


def masked(setting: str, source: vedit.Source) -> torch.Tensor:
    shot = Shot(0, source.timing, source.height, source.width, "cpu", Notes())
    pixels = torch.zeros(3, source.height, source.width)
    [(_, mask)] = with_masks(iter([Frame(0, 1, pixels)]), setting, shot)
    return mask[0]


def test_a_box(source: vedit.Source, tmp_path: Path) -> None:
    setting = drawn_mask({"box": [10, 20, 30, 15]}, source, None, tmp_path)
    assert setting == "box:10,20,30,15"
    assert drawn_mask({"box": [10, 20, 30, 15]}, source, 2, tmp_path) == "track:2=box:10,20,30,15"
    assert mask_file(setting) is None


def test_brush_strokes(source: vedit.Source, tmp_path: Path) -> None:
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[5:9, 7:30] = 255
    picture[9, 7:30] = 100  # a smoothed edge
    setting = drawn_mask({"png": url(picture)}, source, None, tmp_path)
    want = torch.zeros(64, 96)
    want[5:9, 7:30] = 1
    assert torch.equal(masked(setting, source), want)
    followed = drawn_mask({"png": url(picture)}, source, 1, tmp_path)
    assert followed == f"track:1={setting}"
    assert mask_file(followed) == Path(setting)
    picture[40:50] = 255
    assert drawn_mask({"png": url(picture)}, source, None, tmp_path) != setting  # and the first one is kept
    assert torch.equal(masked(setting, source), want)


@pytest.mark.parametrize(
    ("drawing", "problem"),
    [
        (None, "nothing is marked"),
        ({"png": url(np.zeros((64, 96), np.uint8))}, "nothing is marked"),
        ({"png": url(np.full((64, 97), 255, np.uint8))}, "of another film"),
        ({"png": "data:image/png;base64,%%%"}, "did not arrive whole"),
        ({"png": "data:image/png;base64,aGVsbG8="}, "is not a picture"),
        ({"png": "/etc/passwd"}, "nothing is marked"),
    ],
)
def test_what_is_no_drawing(
    drawing: dict[str, object] | None, problem: str, source: vedit.Source, tmp_path: Path
) -> None:
    with pytest.raises(vedit.VeditError, match=problem):
        drawn_mask(drawing, source, None, tmp_path)
