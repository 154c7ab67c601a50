"""ffmpeg's filters against logos, what people without a GPU take: neither looks at another frame."""

from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.bench.ffmpeg import filtered
from vedit.bench.telea import telea


def delogo(film: Tensor, masks: Tensor) -> Tensor:
    """The bounding boxes of a mask's parts, each filled by interpolating between its four sides.

    The filter fails unless there is a pixel beyond each side of a box, so of the picture's edge what is hidden is taken
    from `telea`.

    Args:
        film: ``(F, 3, H, W)`` RGB in [0, 1].
        masks: ``(F, 1, H, W)``, 1 = hole.

    Returns:
        ``(F, 3, H, W)`` in levels of 8 bits; ffmpeg worked in YUV 4:4:4.

    Raises:
        EngineError: ffmpeg failed.
    """
    inner = _inner(masks)
    if bool((masks > inner).any()):
        film = torch.where(masks > inner, telea(film, masks), film)
    chain = ["format=yuv444p"]
    if bool((inner == inner[:1]).all()):
        chain += [f"delogo={box}" for box in _boxes(inner[0])]
    else:
        for place, mask in enumerate(inner):
            chain += [f"delogo={box}:enable='eq(n,{place})'" for box in _boxes(mask)]
    return filtered(film, ",".join(chain), name="delogo", least=len(film))


def removelogo(film: Tensor, masks: Tensor) -> Tensor:
    """One mask for the whole film, its pixels blurred from those around it; see `suits_removelogo`.

    Args:
        film: ``(F, 3, H, W)`` RGB in [0, 1].
        masks: ``(F, 1, H, W)``, 1 = hole; the first one serves all frames.

    Returns:
        ``(F, 3, H, W)`` in levels of 8 bits; the filter works in YUV 4:2:0 only, which changes every pixel a little.

    Raises:
        EngineError: ffmpeg failed.
    """
    with TemporaryDirectory() as folder:
        _, data = cv2.imencode(".png", masks[0, 0].numpy().astype(np.uint8) * 255)
        (Path(folder) / "mask.png").write_bytes(data.tobytes())
        chain = "removelogo=mask.png"
        return filtered(film, chain, name="removelogo", least=len(film), folder=Path(folder))


def suits_removelogo(masks: Tensor) -> bool:
    """Whether the mask is still, and off the picture's edge: a hole there the filter fills with white."""
    return bool((masks == masks[:1]).all()) and bool((masks == _inner(masks)).all())


def _inner(masks: Tensor) -> Tensor:
    """The masks without the picture's outermost pixels."""
    return F.pad(masks[..., 1:-1, 1:-1], (1, 1, 1, 1))


def _boxes(mask: Tensor) -> list[str]:
    """The parts' bounding boxes as the filter takes them."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask[0].numpy().astype(np.uint8))
    return [
        f"x={x}:y={y}:w={w}:h={h}" for x, y, w, h, _ in stats[1:].tolist()
    ]  # the first is everything else
