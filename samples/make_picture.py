"""Render samples/before_after.png, the README's picture: before | restyled | mask | repaired.

    pip install -e ".[test]" && python samples/make_picture.py [FOLDER]

Restyles and inpaints the sample clip, and shows one of its frames from each result.
"""

import sys
import tempfile
from pathlib import Path

import av
from PIL import Image, ImageDraw, ImageFont

import vedit

SAMPLES = Path(__file__).parent
FRAME, LOOK = 34, "watercolour"
WIDTH, HEIGHT, GAP, LABEL = 352, 198, 8, 26


def picture(film: Path) -> Image.Image:
    """Frame number FRAME of a film."""
    with av.open(str(film)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number == FRAME:
                return Image.fromarray(frame.to_ndarray(format="rgb24"))
    raise ValueError(f"{film} has no frame {FRAME}")


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
    sheet = Image.new("RGB", (4 * (WIDTH + GAP) - GAP, HEIGHT + LABEL), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for number, (label, panel) in enumerate(panels.items()):
        left = number * (WIDTH + GAP)
        sheet.paste(panel.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS), (left, 0))
        draw.text((left + WIDTH / 2, HEIGHT + LABEL / 2), label, (60, 60, 60), font, anchor="mm")
    sheet.save(folder / "before_after.png", optimize=True)
    print(f"{folder / 'before_after.png'}: {(folder / 'before_after.png').stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES)
