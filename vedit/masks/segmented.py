"""An object pointed at in one frame, outlined and followed by SAM 2, in transformers' version.

Ravi et al., "SAM 2: Segment Anything in Images and Videos", 2024. Its memory is a few frames, so films may be of any
length.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.device import pick_device
from vedit.errors import EngineError
from vedit.frame import Frame, Shot
from vedit.masks.ahead import Colours, at_most
from vedit.masks.drawn import corners
from vedit.masks.outward import outward
from vedit.masks.points import Points, check_inside, is_points, points
from vedit.masks.setting import Outward
from vedit.pretrained.fetch import local
from vedit.pretrained.find import place
from vedit.pretrained.quiet import reading
from vedit.torchvision_ops import tolerate_torchvision

PIXELS = 854 * 480
"""Of the pictures that are segmented: the masks that come back have a quarter of the model's 1024 pixels a side."""

Prompt = Points | tuple[float, float, float, float] | Tensor
"""Points, a box (left, top, right, bottom), both in pixels of the picture, or a mask ``(1, H, W)``."""


def segmented(
    frames: Iterator[Frame], said: Outward, still: Callable[[str], Tensor], shot: Shot
) -> Iterator[tuple[Frame, Tensor]]:
    """Each frame with the mask of the object that is marked in one of them.

    Args:
        frames: of one shot, in order; see `vedit.masks.outward` for which of them are followed.
        said: the marked frame, what marks the object in it, and the checkpoint: a known name, a folder, or a hub id.
        still: makes the mask ``(1, H, W)`` of a polygon or a picture.
        shot: the shot.

    Raises:
        EngineError: the checkpoint is not here and cannot be fetched, or is none of SAM 2.
        UsageError: a point lies outside the picture.
    """
    prompt: Prompt
    if is_points(said.marked):
        prompt = points(said.marked)
        check_inside(said.marked, prompt, shot)
    elif said.marked.startswith("box:"):
        still(said.marked)  # complains about a box outside the picture
        (left, top), (right, bottom) = corners(said.marked)
        prompt = (left, top, right, bottom)
    else:
        prompt = still(said.marked)
    model, processor = load_sam2(local(place(said.checkpoint, "segmenter")), pick_device(str(shot.device)))

    def begin(picture: Colours) -> _Object:
        return _Object(model, processor, picture, prompt, (shot.height, shot.width))

    return outward(
        frames,
        said.index,
        f"sam2:{said.index}={said.marked}",
        shot,
        reduce=partial(at_most, PIXELS),
        begin=begin,
    )


@lru_cache(maxsize=1)
def load_sam2(folder: Path, device: torch.device) -> tuple[Any, Any]:
    """SAM 2's video model and its processor, read once for all shots.

    Raises:
        EngineError: transformers is missing or too old, or the folder holds no such model.
    """
    tolerate_torchvision()
    try:
        from transformers import Sam2VideoModel, Sam2VideoProcessor
    except ImportError as error:
        raise EngineError(
            "sam2 masks need transformers 4.56 or later",
            'Install it: pip install --upgrade "vedit-diffusion[pretrained]".',
        ) from error
    with reading(
        folder, "Give a folder or hub id in transformers' format, such as facebook/sam2.1-hiera-small."
    ):
        model: Any = Sam2VideoModel.from_pretrained(folder, local_files_only=True)
        processor: Any = Sam2VideoProcessor.from_pretrained(folder, local_files_only=True)
    return model.to(device).eval().requires_grad_(False), processor


class _Object:
    """One object, from the frame in which it is marked."""

    def __init__(
        self, model: Any, processor: Any, picture: Colours, prompt: Prompt, size: tuple[int, int]
    ) -> None:
        self._model, self._processor, self._picture, self._size = model, processor, picture, size
        height, width = size
        self._given: dict[str, Any] = {}
        # The model's frame of reference is the picture as it is; it is stretched to a square inside.
        if isinstance(prompt, Points):
            places = [*prompt.on, *prompt.beside]
            labels = [1] * len(prompt.on) + [0] * len(prompt.beside)
            self._given = {"input_points": [[[list(p) for p in places]]], "input_labels": [[labels]]}
        elif isinstance(prompt, Tensor):
            self._given = {"input_masks": prompt[0].cpu().numpy() > 0}
        else:
            left, top, right, bottom = prompt
            box = [max(0.0, left), max(0.0, top), min(float(width), right), min(float(height), bottom)]
            self._given = {"input_boxes": [[box]]}
        self._session: Any = None
        self._first = self.full(self._begin())
        self._fresh = True

    def first(self) -> Tensor:
        return self._first

    def follow(self, frames: Iterator[tuple[Frame, Colours]]) -> Iterator[tuple[Frame, Tensor]]:
        """From the marked frame on, one way; of each frame the model's own small mask, float16."""
        for number, (frame, picture) in enumerate(frames, 1):
            if number == 1 and not self._fresh:  # the way before this one has left its memory
                self._begin()
            self._fresh = False
            yield frame, self._segment(picture, number)

    def full(self, found: Tensor) -> Tensor:
        whole = F.interpolate(found[None, None].float(), self._size, mode="bilinear", align_corners=False)
        return (whole[0] > 0).float()

    def _begin(self) -> Tensor:
        """The marked frame, in a session whose memory is empty: what is kept of it is the same both ways."""
        device, dtype = self._model.device, self._model.dtype
        self._session = self._processor.init_video_session(inference_device=device, dtype=dtype)
        self._processor.add_inputs_to_inference_session(
            self._session, frame_idx=0, obj_ids=1, original_size=self._size, **self._given
        )
        return self._segment(self._picture, 0)

    def _segment(self, picture: Colours, number: int) -> Tensor:
        made = self._processor(images=[picture], return_tensors="pt")
        frame = made.pixel_values[0].to(self._model.device, self._model.dtype)
        out = self._model(inference_session=self._session, frame=frame, frame_idx=number)
        self._forget(number)
        found: Tensor = out.pred_masks[0, 0].half().cpu()
        return found

    def _forget(self, number: int) -> None:
        """Let go of what the model does not look back to: sessions keep every frame and its features."""
        self._session.processed_frames.clear()
        config = self._model.config
        oldest = number - max(config.num_maskmem, config.max_object_pointers_in_encoder)
        kept = self._session.output_dict_per_obj[0]["non_cond_frame_outputs"]
        for old in [n for n in kept if n <= oldest]:
            del kept[old]
