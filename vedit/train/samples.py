"""What training has come to, as a sheet of pictures beside the weights."""

from pathlib import Path

import torch
from torch import Tensor

from vedit.bench.sheet import contact_sheet
from vedit.diffusion.bundled import BundledDenoiser
from vedit.diffusion.denoise import denoise
from vedit.diffusion.engine import Engine
from vedit.diffusion.looks import LOOKS, look_row
from vedit.diffusion.prior import Prior
from vedit.diffusion.schedule import bundled_scheduler
from vedit.latents.bundled import BundledCodec

SHOWN = 3
"""Pictures on a sheet, spread over the footage."""


def shown(pictures: list[Tensor]) -> list[Tensor]:
    """Some pictures ``(3,H,W)`` in [0, 1] out of uint8 ones, the same each time."""
    return [p.float() / 255 for p in pictures[:: max(1, len(pictures) // SHOWN)][:SHOWN]]


@torch.no_grad()
def codec_sheet(codec: BundledCodec, pictures: list[Tensor], path: Path) -> None:
    """Write pictures as they are, and as the codec gives them back."""
    some, device = shown(pictures), codec.mean.device
    back = [codec.decode(codec.encode(p[None].to(device)), *p.shape[-2:])[0].cpu() for p in some]
    contact_sheet([("picture", some), ("codec", back)], path)


def look_sheet(
    net: BundledDenoiser,
    codec: BundledCodec,
    pictures: list[Tensor],
    path: Path,
    rows: dict[str, int] | None = None,
    *,
    steps: int = 4,
) -> None:
    """Write pictures in every look, or in those of ``rows`` (a name and its row of the look table)."""
    some, device = shown(pictures), codec.mean.device
    engine = Engine(codec, net, bundled_scheduler(), device, torch.float32)
    sheet = [("picture", some)]
    for name, row in (rows or {look: look_row(look) for look in LOOKS}).items():
        # Each picture is a run of its own.
        painted = [
            next(denoise(iter([Prior(0, p, None, None)]), engine, strength=1, seed=i, look=row, steps=steps))
            for i, p in enumerate(some)
        ]
        sheet.append((name, [p.cpu() for p in painted]))
    contact_sheet(sheet, path)
