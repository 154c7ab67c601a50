"""Clips with holes cut into them, whose truth is known: what inpainting is measured on."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import torch
from torch import Tensor

from vedit.bench.clips import first_shot
from vedit.bench.holes import HEIGHT, KINDS, WIDTH, drawn, grown
from vedit.errors import InputError, UsageError
from vedit.flow.quality import Quality
from vedit.frame import Notes, Shot
from vedit.masks import check_mask, with_masks
from vedit.masks.setting import PICTURES
from vedit.pictures import read_picture
from vedit.video.probe import probe
from vedit.video.source import Source

QUALITIES: tuple[Quality, ...] = get_args(Quality)


@dataclass(frozen=True)
class Trial:
    """What is done to a clip.

    Args:
        mask: what is cut out of it: a kind that is drawn (`vedit.bench.holes.KINDS`) or any setting of `vedit.masks`.
            A file's masks may have another size than the clip: an object of one film may be pasted on another.
        frames: how many of its first, up to its first cut, are filled.
        seed: of the random masks.
        qualities: of vedit's edit.

    Raises:
        UsageError, InputError: the mask cannot work, a quality is unknown, or there is but one frame.
    """

    mask: str = "square"
    frames: int = 48
    seed: int = 0
    qualities: tuple[Quality, ...] = QUALITIES

    def __post_init__(self) -> None:
        if self.frames < 2:
            raise UsageError("one frame has nothing to be filled from", "Take at least 2 frames.")
        if unknown := [quality for quality in self.qualities if quality not in QUALITIES]:
            raise UsageError(f"quality {unknown[0]!r} is unknown", f"Choose among {', '.join(QUALITIES)}.")
        if self.mask not in KINDS:
            check_mask(self.mask)


@dataclass(frozen=True, eq=False)
class Plate:
    """A clip cut up: ``truth`` ``(F, 3, 240, 432)`` in levels of 8 bits, ``masks`` ``(F, 1, 240, 432)``, 1 = hole."""

    truth: Tensor
    masks: Tensor

    @property
    def damaged(self) -> Tensor:
        """All that a method gets to see: black where the holes are."""
        return self.truth * (1 - self.masks)


def read_plate(path: Path, trial: Trial, place: int = 0) -> Plate:
    """A clip as the protocol has it; its place among the clips is added to the seed, so that each has its own shape.

    Raises:
        InputError: film or mask cannot be read, or there is but one frame.
        UsageError: the mask marks nothing after the first frame or all of one, or ends before the clip.
    """
    source = probe(path).as_edited()
    truth: list[Tensor] = []
    given: list[Tensor] = []
    with closing(first_shot(source, trial.frames)) as frames:
        if trial.mask in KINDS:
            truth = [_small(frame.pixels[:3]) for frame in frames]
            given = list(drawn(trial.mask, len(truth), trial.seed + place))
        else:
            for frame, mask in with_masks(frames, trial.mask, _mask_shot(trial.mask, source)):
                truth.append(_small(frame.pixels[:3]))
                given.append(mask)
    if len(truth) < 2:
        raise InputError(f"{path.name} has one frame before its first cut", "Give a longer clip.")
    masks = torch.stack([grown(mask) for mask in given])
    if not bool(masks[1:].any()) or bool(masks.flatten(1).all(1).any()):
        raise UsageError(
            f"mask {trial.mask} marks nothing of {path.name}, or all of a frame",
            "White means change this pixel.",
        )
    return Plate(torch.stack(truth), masks)


def _mask_shot(mask: str, source: Source) -> Shot:
    """A shot of the size that a mask's own files have; of the film's where its numbers are the film's pixels."""
    path, video = Path(mask), source.video
    height, width = video.height, video.width
    if path.is_dir():
        path = min(p for p in path.iterdir() if p.suffix.lower() in PICTURES)
    if path.suffix.lower() in PICTURES:
        height, width = read_picture(path).shape[-2:]
    elif path.is_file():
        film = probe(path).video
        height, width = film.height, film.width
    return Shot(0, source.timing, height, width, "cpu", Notes())


def _small(picture: Tensor) -> Tensor:
    """A picture at 432x240, in levels of 8 bits."""
    rgb = picture.permute(1, 2, 0).contiguous().numpy()
    small = np.asarray(cv2.resize(rgb, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR))
    return rounded(torch.from_numpy(small).permute(2, 0, 1))


def rounded(frames: Tensor) -> Tensor:
    """Frames in levels of 8 bits, still in [0, 1]."""
    return (frames.clamp(0, 1) * 255).round() / 255
