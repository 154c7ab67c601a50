"""A film that a pretrained engine goes on with: it is shown the last frames, and told in words what comes next."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.edits.filming import Filming, Words, film_frames, film_whole
from vedit.edits.sketch import painting_size, shrunk
from vedit.errors import EngineError
from vedit.frame import Shot
from vedit.pretrained.models import load_checkpoint
from vedit.pretrained.spec import read_engine

if TYPE_CHECKING:
    from vedit.edits.extend import Extend


def film_on(edit: "Extend", shot: Shot) -> Callable[[list[Tensor], range], Iterator[Tensor]]:
    """What makes the pictures ``(C,H,W)`` of indices from the shot's last ones; the models are loaded at once.

    Raises:
        EngineError: they are not here, or film nothing.
    """
    checkpoint = read_engine(edit.engine)
    assert checkpoint is not None and edit.prompt is not None  # noqa: S101, PT018 - checked when it was made
    words = Words(edit.prompt, edit.negative_prompt)
    loaded = load_checkpoint(checkpoint, shot.device)
    for note in loaded.notes:
        shot.notes.warn(note)
    size = painting_size(shot.height, shot.width, edit.size)
    asked = Filming(loaded, shot, size, edit.steps, edit.guidance_scale, edit.window)
    if not (asked.whole or asked.moves):
        raise EngineError(
            f"{edit.engine} paints pictures and films nothing",
            "Lay a motion adapter over it (' + motion=animatediff-v3'), or take a video model (see `vedit engines`).",
        )

    def pictures(past: list[Tensor], indices: range) -> Iterator[Tensor]:
        before = [shrunk(frame[:3], size).cpu() for frame in past]
        film = film_whole if asked.whole else film_frames
        for made in film(asked, indices, words, edit.seed, before):
            yield torch.cat([_as_large(made, shot), past[-1][3:].cpu()])  # an alpha plane stays as it is

    return pictures


def _as_large(picture: Tensor, shot: Shot) -> Tensor:
    size = (shot.height, shot.width)
    if picture.shape[-2:] == size:
        return picture
    return F.interpolate(picture[None], size, mode="bicubic", align_corners=False)[0].clamp(0, 1)
