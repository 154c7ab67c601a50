"""What SAM 2 follows is what transformers' own session follows, both ways, and what it cannot read is said."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
import torch.nn.functional as F
from tiny_sam2 import save_tiny_sam2

from vedit.edits import Inpaint
from vedit.edits.named_files import with_files
from vedit.errors import EngineError, InputError, UsageError

Picture = npt.NDArray[np.uint8]
Masks = Callable[..., tuple[npt.NDArray[np.bool_], list[str]]]
Texture = Callable[..., list[Picture]]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_sam2(tmp_path_factory.mktemp("sam2"))


def of_transformers(pictures: list[Picture], checkpoint: Path, **given: Any) -> npt.NDArray[np.bool_]:
    """The masks that the model's authors' way gives: the whole film in one session, marked in its first frame."""
    from transformers import Sam2VideoModel, Sam2VideoProcessor

    size = pictures[0].shape[:2]
    make: Any = Sam2VideoModel
    model = make.from_pretrained(checkpoint).eval()
    processor: Any = Sam2VideoProcessor.from_pretrained(checkpoint)
    session = processor.init_video_session()
    for index, picture in enumerate(pictures):
        session.add_new_frame(processor(images=[picture], return_tensors="pt").pixel_values[0], index)
    processor.add_inputs_to_inference_session(session, frame_idx=0, obj_ids=1, original_size=size, **given)
    found = []
    for out in model.propagate_in_video_iterator(session, start_frame_idx=0):
        whole = F.interpolate(out.pred_masks.float(), size, mode="bilinear", align_corners=False)
        found.append(whole[0, 0].numpy() > 0)
    return np.stack(found)


def alike(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> bool:
    return bool((a != b).mean() < 1e-3)  # what is kept of a frame is rounded


def test_forward_and_backward_as_transformers_itself(
    masks: Masks, texture: Texture, checkpoint: Path
) -> None:
    pictures = texture(22, -4.0, 2.0)
    given = {"input_points": [[[[100, 80], [10, 20]]]], "input_labels": [[[1, 0]]]}
    truth = of_transformers(pictures, checkpoint, **given)
    assert 0.02 < truth.mean() < 0.98
    assert not alike(truth[:-1], truth[1:])
    forward, notes = masks(pictures, f"sam2@{checkpoint}:50=point:100,80 !10,20", first=50)
    assert alike(forward, truth)
    assert not notes
    backward, _ = masks(pictures[::-1], f"sam2@{checkpoint}:21=point:100,80 !10,20")
    assert alike(backward[::-1], truth)


def test_from_the_middle_each_side_is_followed_by_itself(
    masks: Masks, texture: Texture, checkpoint: Path
) -> None:
    pictures = texture(18, 3.0, 0.0)
    later = of_transformers(pictures[7:], checkpoint, input_boxes=[[[40, 30, 120, 110]]])
    earlier = of_transformers(pictures[7::-1], checkpoint, input_boxes=[[[40, 30, 120, 110]]])
    found, _ = masks(pictures, f"sam2@{checkpoint}:7=box:40,30,80,80")
    assert alike(found[7:], later)
    assert alike(found[7::-1], earlier)


def test_a_picture_and_a_polygon_mark_as_well(masks: Masks, texture: Texture, checkpoint: Path) -> None:
    pictures = texture(3, 3.0, 0.0)
    where = torch.zeros(192, 320, dtype=torch.bool)
    where[40:101, 50:121] = True
    truth = of_transformers(pictures, checkpoint, input_masks=where.numpy())
    found, _ = masks(pictures, f"sam2@{checkpoint}:0=poly:50,40 120,40 120,100 50,100")
    assert alike(found, truth)


def test_other_shots_have_no_mask(masks: Masks, texture: Texture, checkpoint: Path) -> None:
    found, _ = masks(texture(3), f"sam2@{checkpoint}:40=point:100,80", first=5)
    assert not found.any()


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("sam2:point:3,4", "Write sam2:N=point:x,y"),
        ("sam2:0=point:", "Write point:x,y"),
        ("sam2:0=point:!3,4", "Write point:x,y"),
        ("sam2:0=point:3", "Write point:x,y"),
        ("sam2:0=auto:logo", "Mark it with point:x,y"),
        ("sam2:0=box:1,2,0,4", "width and a height above 0"),
    ],
)
def test_what_cannot_be_meant_is_said_before_there_is_a_picture(setting: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Inpaint(mask=setting)


def test_a_missing_picture_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.png does not exist"):
        Inpaint(mask=f"sam2:0={tmp_path / 'gone.png'}")


def test_a_point_outside_the_picture_is_said(masks: Masks, texture: Texture, checkpoint: Path) -> None:
    with pytest.raises(UsageError, match="the picture is 320x192"):
        masks(texture(2), f"sam2@{checkpoint}:0=point:400,20")


def test_a_folder_of_something_else_is_said(masks: Masks, texture: Texture, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(EngineError, match="not complete"):
        masks(texture(2), f"sam2@{tmp_path}:0=point:100,20")


def test_the_files_in_a_setting_are_found() -> None:
    def rename(name: str) -> str:
        return f"/films/{name}"

    there = ("ckpt", "logo.png")
    setting = "box:0,0,3,3 + sam2@ckpt:3=logo.png - sam2@owner/name:0=point:3,4"
    found = with_files({"mask": setting}, rename, there.__contains__)
    assert found["mask"] == "box:0,0,3,3 + sam2@/films/ckpt:3=/films/logo.png - sam2@owner/name:0=point:3,4"
