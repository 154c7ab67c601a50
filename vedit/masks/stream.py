"""Each frame of a shot with its mask, whatever the setting is."""

from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vedit.frame import Frame, Shot
from vedit.masks.bridge import bridged
from vedit.masks.captions import captions
from vedit.masks.drawn import drawn, is_drawn
from vedit.masks.files import checked, from_film, from_folder, from_picture, from_tensor
from vedit.masks.logos import logos
from vedit.masks.setting import (
    FOUND,
    MaskSetting,
    check_mask,
    is_segmented,
    is_still,
    is_tracked,
    name,
    segmented_from,
    terms,
    tracked_from,
)
from vedit.masks.shape import dilated
from vedit.masks.tracked import tracked

Masked = Iterator[tuple[Frame, Tensor]]

NEARLY = 0.9
"""The share of the picture from which on a mask is taken for an inverted one, and the user asked."""


def with_masks(frames: Iterator[Frame], setting: MaskSetting, shot: Shot, *, dilate: int = 0) -> Masked:
    """Each frame with its mask, ``(1, H, W)`` float32 of 0 and 1 on the shot's device, lazily and in order.

    Frames that have to wait (``auto:``, ``track:``, ``sam2:``, a mask that is empty for a moment) let go of their
    converted pixels; see `vedit.masks.captions`, `logos` and `outward` for how many may. A mask that marks nothing, or
    nearly everything, what was found and what was bridged is said in ``shot.notes``.

    Args:
        frames: of one shot, in order.
        setting: see `vedit.masks`.
        shot: the shot they belong to.
        dilate: pixels by which the mask grows (`vedit.masks.dilated`).

    Raises:
        InputError: a mask file is missing or cannot be decoded.
        UsageError: a mask has another size than the picture, ends before the film, or is not a mask at all.
        EngineError: SAM 2 is asked for and not there.
    """
    check_mask(setting)
    joined = terms(setting)
    still = all(is_still(term) for _, term in joined)
    searched = any(
        (isinstance(term, str) and term in FOUND) or is_tracked(term) or is_segmented(term)
        for _, term in joined
    )
    marked = warned = False
    if not still and not searched:  # those tell what they found
        shot.notes.masks.setdefault(name(setting), False)
    with ExitStack() as opened:
        masked: Masked | None = None
        for sign, term in joined:
            masked = (
                _term(frames, term, shot, opened)
                if masked is None
                else _joined(masked, sign, term, shot, opened)
            )
        assert masked is not None  # noqa: S101 - there is a first term
        for frame, mask in masked:
            if not marked and (marked := bool(mask.any())) and name(setting) in shot.notes.masks:
                shot.notes.masks[name(setting)] = True
            if not still and not searched and not warned and (warned := bool(mask.mean() > NEARLY)):
                shot.notes.warn(
                    f"the mask ({name(setting)}) marks nearly the whole picture in some frames; white means change, "
                    "is it inverted?"
                )
            yield frame, dilated(mask, dilate).to(shot.device)
    if not marked and still and not shot.trial:  # one that runs along may well be black for a shot
        shot.notes.warn(f"the mask ({name(setting)}) marks nothing; white means change")


def _joined(masked: Masked, sign: str, term: MaskSetting, shot: Shot, opened: ExitStack) -> Masked:
    """Masks with another term's added or taken away; it may hold frames, so theirs wait in bits."""
    waiting: deque[np.ndarray[tuple[int], np.dtype[np.uint8]]] = deque()

    def frames() -> Iterator[Frame]:
        for frame, mask in masked:
            waiting.append(np.packbits(mask.bool().cpu().numpy()))
            yield frame

    for frame, other in _term(frames(), term, shot, opened):
        bits = np.unpackbits(waiting.popleft(), count=other.numel()).reshape(other.shape)
        mask = torch.from_numpy(bits).to(other)
        yield frame, mask.maximum(other) if sign == "+" else mask * (1 - other)


def _term(frames: Iterator[Frame], term: MaskSetting, shot: Shot, opened: ExitStack) -> Masked:
    if term == "auto:caption":
        return captions(frames, shot)
    if term == "auto:logo":
        return logos(frames, shot)
    if is_tracked(term):
        said = tracked_from(str(term))
        roughly = said.marked.startswith("box:")
        return tracked(frames, said.index, _still(said.marked, shot), str(term), shot, roughly=roughly)
    if is_segmented(term):
        from vedit.masks.segmented import segmented

        return segmented(frames, segmented_from(str(term)), lambda marked: _still(marked, shot), shot)
    if is_still(term):
        mask = _still(term, shot)
        return ((frame, mask) for frame in frames)
    if isinstance(term, Tensor):
        find = from_tensor(term, shot)
        return ((frame, find(frame.index)) for frame in frames)
    path = Path(term)
    find = from_folder(path, shot) if path.is_dir() else from_film(path, shot, opened)
    return bridged(((frame, find(frame.index)) for frame in frames), str(term), shot)


def _still(term: MaskSetting, shot: Shot) -> Tensor:
    if isinstance(term, Tensor):
        mask = checked(term[0], "tensor", shot)
    else:
        mask = drawn(str(term), shot) if is_drawn(term) else from_picture(Path(term), shot)
    if mask.mean() > NEARLY:
        percent = f"{100 * mask.mean():.0f}%"
        shot.notes.warn(
            f"the mask ({name(term)}) marks {percent} of the picture; white means change, is it inverted?"
        )
    return mask
