"""Render the README's pictures: before_after.png (before | restyled | mask | repaired) and looks.png (all looks).

    pip install -e ".[test]" && python samples/make_picture.py [FOLDER]

Restyles and inpaints the sample clip, and shows one of its frames from each result.
"""

import sys
import tempfile
from pathlib import Path

import av
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

import vedit
from vedit.diffusion.looks import LOOKS

SAMPLES = Path(__file__).parent
FRAME, LOOK = 34, "watercolour"
RUN = range(100, 110)
"""Frames that every look paints; the one in the middle is shown."""
WIDTH, HEIGHT, GAP, LABEL = 352, 198, 8, 26


def picture(film: Path, wanted: int = FRAME) -> Image.Image:
    """One frame of a film."""
    with av.open(str(film)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number == wanted:
                return Image.fromarray(frame.to_ndarray(format="rgb24"))
    raise ValueError(f"{film} has no frame {wanted}")


def masked(before: Image.Image, mask: Path) -> Image.Image:
    """The picture, dimmed, with what is to be taken out in white."""
    dim = before.point(lambda value: value * 0.35)
    dim.paste((255, 255, 255), mask=Image.open(mask).convert("L"))
    return dim


def main(folder: Path) -> None:
    film, mask = SAMPLES / "sample.mp4", SAMPLES / "caption_mask.png"
    with tempfile.TemporaryDirectory() as scratch:
        restyled, repaired = Path(scratch) / "restyled.mp4", Path(scratch) / "repaired.mp4"
        print(vedit.restyle(film, restyled, look=LOOK).proof)
        print(vedit.inpaint(film, repaired, mask=SAMPLES / "caption_mask.mp4", quality="best").proof)
        before = picture(film)
        panels = {
            "before": before,
            "restyled": picture(restyled),
            "mask": masked(before, mask),
            "repaired": picture(repaired),
        }
    save(panels, 4, folder / "before_after.png")
    run = [picture(film, number) for number in RUN]
    clip = vedit.Clip.at_rate(torch.stack([to_tensor(image) for image in run]), 24)
    looks = {}
    for look in LOOKS:
        painted = vedit.edits.Restyle(look=look).apply(clip).frames[len(RUN) // 2]
        looks[look] = Image.fromarray((painted.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8))
    save(looks, 4, folder / "looks.png")


def to_tensor(image: Image.Image) -> torch.Tensor:
    """A picture as ``(3, H, W)`` in [0, 1]."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255


def save(panels: dict[str, Image.Image], columns: int, path: Path) -> None:
    """Write labelled pictures as a grid of 256 colours."""
    rows = -(-len(panels) // columns)
    sheet = Image.new("RGB", (columns * (WIDTH + GAP) - GAP, rows * (HEIGHT + LABEL)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for number, (label, panel) in enumerate(panels.items()):
        left, top = number % columns * (WIDTH + GAP), number // columns * (HEIGHT + LABEL)
        sheet.paste(panel.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS), (left, top))
        draw.text((left + WIDTH / 2, top + HEIGHT + LABEL / 2), label, (60, 60, 60), font, anchor="mm")
    sheet.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG).save(
        path, optimize=True
    )
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES)
