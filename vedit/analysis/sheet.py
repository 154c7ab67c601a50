"""The storyboard: one picture with the key frame of every shot, when it begins and how long it lasts."""

from io import BytesIO
from math import ceil, sqrt
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from vedit.analysis.found import Analysis, FilmShot
from vedit.errors import UsageError
from vedit.pages.whole import check_page, write_whole
from vedit.pages.words import clock

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
COLUMNS = 6
"""At most: what a screen shows at once."""
WIDTH, UPRIGHT = 320, 220
"""Pixels that a key frame's cell is wide; of an upright film."""
TALLEST = 1.8
"""Of its width that a key frame is high at most; those of still taller films are narrower than their cells."""
NARROWEST = 820
"""Pixels that a storyboard is wide at least: its head has to fit."""
GAP, MARGIN, CAPTION, HEAD = 14, 24, 44, 64
PAPER, INK, SOFT, MARK = "#faf9f6", "#1d1c1a", "#68645d", "#b8482a"


def check_sheet(path: Path, film: Path, *, overwrite: bool) -> None:
    """Complain about a storyboard that cannot be written before any work is done.

    Raises:
        UsageError: it is no PNG or JPEG, a folder, the film, or exists and is not to be replaced.
        OutputError: its folder does not exist or cannot be written to.
    """
    if path.suffix.lower() not in FORMATS and not path.is_dir():
        raise UsageError(
            f"{path.name}: {path.suffix or 'no ending'!r} is not a picture ending that can be written",
            f"Use one of {', '.join(FORMATS)}.",
        )
    check_page(path, [film], example="sheet.png", overwrite=overwrite)


def write_sheet(found: Analysis, path: Path, *, overwrite: bool) -> None:
    """Write the storyboard; its name appears only when it is whole.

    Raises:
        OutputError: it cannot be written, or something of that name appeared meanwhile.
    """
    data = BytesIO()
    storyboard(found).save(data, FORMATS[path.suffix.lower()], quality=90)
    write_whole(path, data.getvalue(), overwrite=overwrite)


def storyboard(found: Analysis) -> Image.Image:
    """The storyboard of the shots that have a thumbnail."""
    shots = [(number, shot) for number, shot in enumerate(found.shots, 1) if shot.thumbnail]
    columns = min(COLUMNS, max(2, ceil(sqrt(1.3 * len(shots)))))
    first = Image.open(BytesIO(shots[0][1].thumbnail or b""))
    wide = WIDTH if first.width >= first.height else UPRIGHT
    high = max(1, round(min(TALLEST, first.height / first.width) * wide))
    rows = ceil(len(shots) / columns)
    size = (
        max(NARROWEST, 2 * MARGIN + columns * (wide + GAP) - GAP),
        2 * MARGIN + HEAD + rows * (high + CAPTION + GAP) - GAP,
    )
    sheet = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(sheet)
    _header(pen, found, len(shots), size[0])
    for place, (number, shot) in enumerate(shots):
        left = MARGIN + place % columns * (wide + GAP)
        top = MARGIN + HEAD + place // columns * (high + CAPTION + GAP)
        picture: Image.Image = Image.open(BytesIO(shot.thumbnail or b""))
        scale = min(wide / picture.width, high / picture.height)
        picture = picture.resize(
            (max(1, round(picture.width * scale)), max(1, round(picture.height * scale))),
            Image.Resampling.LANCZOS,
        )
        pen.rectangle((left, top, left + wide - 1, top + high - 1), fill="#e3dfd7")
        sheet.paste(picture, (left + (wide - picture.width) // 2, top + (high - picture.height) // 2))
        _caption(pen, number, shot, left, top + high, wide)
    return sheet


def _header(pen: ImageDraw.ImageDraw, found: Analysis, shown: int, width: int) -> None:
    room = width - 2 * MARGIN
    pen.text((MARGIN, MARGIN - 6), _fitted(pen, found.source.name, 24, room), INK, _font(24))
    words = found.summary
    if shown < len(found.shots):
        words = f"{words} · shown are the {shown} longest shots"
    pen.text((MARGIN, MARGIN + 28), _fitted(pen, words, 14, room), SOFT, _font(14))


def _caption(pen: ImageDraw.ImageDraw, number: int, shot: FilmShot, left: int, top: int, wide: int) -> None:
    """When the shot begins and how long it lasts, under its key frame."""
    font = _font(15)
    pen.text((left, top + 6), str(number), MARK, font)
    after = left + pen.textlength(str(number), font) + 8
    pen.text((after, top + 6), clock(float(shot.begins), 2), INK, font)
    lasts = f"{float(shot.duration):.2f} s"
    pen.text((left + wide - pen.textlength(lasts, font), top + 6), lasts, SOFT, font)
    motion, level = shot.means["motion"], shot.level
    words = [] if motion is None else [f"motion {motion:.0%}"]
    words += [] if level is None else [f"{level:.0f} dB"]
    pen.text((left, top + 25), " · ".join(words), SOFT, _font(12))
    pen.rectangle((left + wide - 14, top + 27, left + wide - 1, top + 38), fill=shot.colour)


def _fitted(pen: ImageDraw.ImageDraw, text: str, size: int, room: float) -> str:
    """The text, or as much of it as there is room for."""
    font = _font(size)
    if pen.textlength(text, font) <= room:
        return text
    while text and pen.textlength(text + "…", font) > room:
        text = text[:-1]
    return text + "…"


def _font(size: int) -> ImageFont.FreeTypeFont:
    """The font that comes with matplotlib: it has more alphabets than Pillow's own."""
    from matplotlib import get_data_path

    return ImageFont.truetype(Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), size)
