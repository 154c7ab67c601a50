"""Between the decoder's samples and float RGB, with matrix and range always said out loud."""

from threading import Lock
from typing import Any

import numpy as np
import torch
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray
from torch import Tensor

from vedit.video.source import BT601, BT709, FULL, LIMITED, RGB, UNKNOWN, Colour

MATRICES = {
    BT709: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    BT601: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}
EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


def effective(colour: Colour, pix_fmt: str, height: int) -> Colour:
    """The tags to convert by: unknown matrix is BT.709 from 720 lines up and BT.601 below, unknown range limited.

    This is what players do with untagged files; the tags written to the output stay as they were.
    """
    if VideoFormat(pix_fmt).is_rgb or pix_fmt == "pal8":
        return Colour(RGB, FULL, colour.primaries, colour.transfer)
    matrix = colour.matrix if colour.matrix in MATRICES else (BT709 if height >= 720 else BT601)
    full = colour.range == FULL or pix_fmt.startswith("yuvj")
    return Colour(matrix, FULL if full else LIMITED, colour.primaries, colour.transfer)


def encoded_colour(colour: Colour, source_format: str, encoder_format: str, height: int) -> Colour:
    """The tags of the output: the source's, unless RGB had to become YUV (then by the policy of ``effective``)."""
    was_rgb = effective(colour, source_format, height).matrix == RGB
    if was_rgb and not VideoFormat(encoder_format).is_rgb:
        return effective(Colour(UNKNOWN, LIMITED, colour.primaries, colour.transfer), encoder_format, height)
    return colour


class Converter:
    """Native pictures to pixels and back, for one film. Safe to call from several threads.

    Args:
        colour: tags of the native pictures.
        height: of the pictures, for the policy on unknown tags.
        alpha: whether their alpha channel is used.
    """

    def __init__(self, colour: Colour, height: int, alpha: bool) -> None:
        self.colour = colour
        self.height = height
        self.alpha = alpha
        self._scalers: dict[
            tuple[str, str], VideoReformatter
        ] = {}  # each keeps megabytes: one per kind, not per frame
        self._lock = Lock()

    def pixels(self, picture: object) -> Tensor:
        """``(C, H, W)`` float32 RGB in [0, 1] of a native picture; C is 4 when it has alpha.

        Up to 8 bits go through 8-bit RGB, more through float RGB.
        """
        assert isinstance(picture, VideoFrame)  # noqa: S101 - only read() makes native pictures
        deep = max(c.bits for c in picture.format.components) > 8
        name = ("gbrapf32le" if self.alpha else "gbrpf32le") if deep else ("rgba" if self.alpha else "rgb24")
        array = self.convert(picture, name, self.colour).to_ndarray()
        planes = torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))
        return planes.clamp_(0, 1) if deep else planes.float().div_(255)

    def native(self, pixels: Tensor, pix_fmt: str, colour: Colour) -> VideoFrame:
        """A picture in ``pix_fmt``, tagged ``colour``, of ``(C, H, W)`` pixels."""
        target = VideoFormat(pix_fmt)
        deep = max(c.bits for c in target.components) > 8
        image = pixels.detach().to("cpu", torch.float32).clamp(0, 1).permute(1, 2, 0)
        if deep:
            name, array = "gbrpf32le" if len(pixels) == 3 else "gbrapf32le", image.contiguous().numpy()
        else:
            name, array = (
                "rgb24" if len(pixels) == 3 else "rgba",
                image.mul(255).round_().to(torch.uint8).numpy(),
            )
        picture = VideoFrame.from_ndarray(np.ascontiguousarray(array), format=name)
        return self.convert(picture, pix_fmt, colour)

    def convert(self, picture: VideoFrame, pix_fmt: str, colour: Colour) -> VideoFrame:
        """The picture in another pixel format; YUV sides are read and written by ``effective(colour)``."""
        if picture.format.name == pix_fmt:
            return picture
        source, target = (effective(colour, f, self.height) for f in (picture.format.name, pix_fmt))
        with self._lock:
            scaler = self._scalers.setdefault((picture.format.name, pix_fmt), VideoReformatter())
            return scaler.reformat(
                picture,
                format=pix_fmt,
                src_colorspace=MATRICES.get(source.matrix, MATRICES.get(target.matrix)),
                dst_colorspace=MATRICES.get(target.matrix, MATRICES.get(source.matrix)),
                src_color_range=ColorRange.JPEG if source.range == FULL else ColorRange.MPEG,
                dst_color_range=ColorRange.JPEG if target.range == FULL else ColorRange.MPEG,
                interpolation=EXACT,
                threads=1,
            )


def planes(picture: VideoFrame) -> list[NDArray[Any]]:
    """Views on the samples of each plane, ``(rows, columns, samples per column)``; writing changes the picture."""
    parts = picture.format.components
    out = []
    for i, plane in enumerate(picture.planes):
        mine = [c for c in parts if c.plane == i]
        dtype: np.dtype[Any] = np.dtype(np.uint8 if mine[0].bits <= 8 else np.uint16)
        # A packed format may pad (bgr0: three parts in four bytes).
        count = (
            picture.format.padded_bits_per_pixel // 8 // dtype.itemsize
            if len(picture.planes) == 1
            else len(mine)
        )
        rows = np.frombuffer(memoryview(plane), dtype).reshape(
            plane.height, plane.line_size // dtype.itemsize
        )
        out.append(rows[:, : plane.width * count].reshape(plane.height, plane.width, count, copy=False))
    return out


def keep_unchanged(edited: VideoFrame, native: VideoFrame, changed: Tensor) -> None:
    """Put ``native``'s samples back into ``edited``, in place, wherever ``changed`` (1, H, W) is 0.

    A chroma sample that several pixels share counts as changed when any of them is, so luma outside the mask and
    chroma outside the mask's blocks are exact.
    """
    mask = (changed > 0).float()[None]
    for new, old in zip(planes(edited), planes(native), strict=True):
        rows, columns = new.shape[:2]
        down, across = -(-mask.shape[-2] // rows), -(-mask.shape[-1] // columns)
        pooled = (
            mask
            if down == across == 1
            else torch.nn.functional.max_pool2d(mask, (down, across), ceil_mode=True)
        )
        keep = pooled[0, 0].numpy() == 0
        new[keep] = old[keep]
