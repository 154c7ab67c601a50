"""What a mask setting says, and whether it can work, before there is a picture."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from vedit.errors import InputError, UsageError
from vedit.masks.drawn import corners, is_drawn
from vedit.masks.folder import pictures
from vedit.masks.points import is_points, points

MaskSetting = str | Path | Tensor

PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".pbm"}
FOUND = {"auto:caption", "auto:logo"}
SPECS = (
    "Give a picture, a film, a folder of pictures, box:x,y,w,h, poly:x1,y1 x2,y2 x3,y3, "
    "track:N=box:x,y,w,h, sam2:N=point:x,y, auto:caption or auto:logo."
)


def terms(setting: MaskSetting) -> list[tuple[str, MaskSetting]]:
    """A joined setting as ``(sign, term)``, left to right; the first sign is ``+``.

    The signs stand between spaces, so that names with dashes stay whole; a string that is the name of something
    that exists is that, whatever it holds.
    """
    if not isinstance(setting, str) or os.path.exists(setting):  # Path.exists raises on long specs
        return [("+", setting)]
    first, *rest = re.split(r" ([+-]) ", setting)
    return [("+", first.strip()), *zip(rest[::2], (term.strip() for term in rest[1::2]), strict=True)]


def check_mask(setting: MaskSetting) -> None:
    """Complain about what can be known before there is a picture: the words of a spec, missing files.

    Raises:
        InputError, UsageError: as `with_masks`.
    """
    for _, term in terms(setting):
        _check_term(term)


def _check_term(term: MaskSetting) -> None:
    if isinstance(term, Tensor):
        if term.dim() != 4 or term.shape[1] != 1 or 0 in term.shape:
            raise UsageError(f"a mask tensor has shape {tuple(term.shape)}", "Give (F,1,H,W), or F = 1.")
    elif term == "":
        raise UsageError("a mask is an empty string, or a + or - joins nothing", SPECS)
    elif is_drawn(term):
        corners(str(term))
    elif is_tracked(term):
        _check_marked(term, tracked_from(str(term)).marked, "track")
    elif is_segmented(term):
        marked = segmented_from(str(term)).marked
        if is_points(marked):
            points(marked)
        else:
            _check_marked(term, marked, "sam2")
    elif isinstance(term, str) and term.startswith("auto:"):
        if term not in FOUND:
            raise UsageError(f"mask {term!r} is unknown", "What can be found is auto:caption and auto:logo.")
    else:
        path = Path(term)
        if not os.path.exists(path):
            raise InputError(f"mask {path} does not exist", SPECS)
        if path.is_dir() and not pictures(path, PICTURES):
            raise InputError(f"mask folder {path} holds no pictures", "Put PNG pictures in it.")


def _check_marked(term: MaskSetting, marked: str, kind: str) -> None:
    check_mask(marked)
    if not is_drawn(marked) and Path(marked).suffix.lower() not in PICTURES:
        raise UsageError(
            f"mask {term!r} marks its object with {marked!r}",
            f"Mark it with {'point:x,y, ' if kind == 'sam2' else ''}box:x,y,w,h, poly:… or a picture, "
            f"such as {kind}:0=box:20,30,200,60.",
        )


@dataclass(frozen=True)
class Outward:
    """A thing followed from one frame: the frame's index, what marks it, and for SAM 2 the checkpoint."""

    index: int
    marked: str
    checkpoint: str = "sam2"


def is_tracked(term: MaskSetting) -> bool:
    return isinstance(term, str) and term.startswith("track:")


def tracked_from(term: str) -> Outward:
    """What ``track:N=SETTING`` says.

    Raises:
        UsageError: it says nothing.
    """
    words = re.fullmatch(r"track:(\d+)=(.+)", term)
    if words is None:
        raise UsageError(
            f"mask {term!r} does not say what to follow",
            "Write track:N=box:x,y,w,h with the number of a frame (from 0), such as track:0=box:20,30,200,60.",
        )
    return Outward(int(words[1]), words[2])


def is_segmented(term: MaskSetting) -> bool:
    return isinstance(term, str) and term.startswith(("sam2:", "sam2@"))


def segmented_from(term: str) -> Outward:
    """What ``sam2:N=SETTING`` or ``sam2@CHECKPOINT:N=SETTING`` says.

    Raises:
        UsageError: it says nothing.
    """
    words = re.fullmatch(r"sam2(?:@(.+?))?:(\d+)=(.+)", term)
    if words is None:
        raise UsageError(
            f"mask {term!r} does not say what to follow",
            "Write sam2:N=point:x,y with the number of a frame (from 0), such as sam2:0=point:320,180, or "
            "sam2@FOLDER:0=… for another checkpoint.",
        )
    return Outward(int(words[2]), words[3], words[1] or "sam2")


def is_still(term: MaskSetting) -> bool:
    """Whether one mask serves all frames."""
    if isinstance(term, Tensor):
        return len(term) == 1
    return is_drawn(term) or (
        not is_tracked(term) and not is_segmented(term) and Path(term).suffix.lower() in PICTURES
    )


def name(setting: MaskSetting) -> str:
    return "tensor" if isinstance(setting, Tensor) else str(setting)
