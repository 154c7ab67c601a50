"""Between the decoder's samples and float RGB, with matrix and range always said out loud."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from av.codec.codec import find_best_pix_fmt_of_list
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from numpy.typing import NDArray

from vedit.video.source import BT601, BT709, FULL, LIMITED, RGB, UNKNOWN, Colour
from vedit.window import Window, window_of

if TYPE_CHECKING:  # a film that only passes through needs no torch, which takes long to load
    from torch import Tensor

Floats = NDArray[np.float32]

LUMA = {
    BT709: (0.2126, 0.0722),
    4: (0.30, 0.11),  # FCC
    5: (0.299, 0.114),  # BT.601, 625 lines
    BT601: (0.299, 0.114),
    7: (0.212, 0.087),  # SMPTE 240M
    9: (0.2627, 0.0593),  # BT.2020
    10: (0.2627, 0.0593),
}
"""Weights of red and blue in luma, by matrix code (ITU-T H.273, table 4)."""
YCGCO = 8
SCALED = (RGB, BT709, UNKNOWN, 4, 5, BT601, 7, 9)

DEPTHS = ("", "9le", "10le", "12le", "14le", "16le")
PLANAR = (
    *(f"{kind}{depth}" for kind in ("gray", "yuv420p", "yuv422p", "yuv444p", "gbrp") for depth in DEPTHS),
    *(f"yuv440p{depth}" for depth in ("", "10le", "12le")),
    *(f"yuva{kind}p{depth}" for kind in ("420", "422", "444") for depth in ("", "9le", "10le", "16le")),
    *(f"gbrap{depth}" for depth in ("", "10le", "12le", "14le", "16le")),
    *("yuv410p", "yuv411p", "yuva422p12le", "yuva444p12le"),
    *("yuvj411p", "yuvj420p", "yuvj422p", "yuvj440p", "yuvj444p"),
)
"""Formats whose samples are computed here; all others are repacked into the nearest of them."""
BLOCK = 8
"""Squares of so many pixels share no chroma samples; to spread or gather them, only the next squares are needed."""


def effective(colour: Colour, pix_fmt: str, height: int) -> Colour:
    """The tags to convert by: unknown matrix is BT.709 from 720 lines up and BT.601 below, unknown range limited.

    This is what players do with untagged files (and FFmpeg, which takes untagged grey for full range); the tags written
    to the output stay as they were.
    """
    if VideoFormat(pix_fmt).is_rgb or pix_fmt == "pal8":
        return Colour(RGB, FULL, colour.primaries, colour.transfer)
    known = colour.matrix in LUMA or colour.matrix == YCGCO
    matrix = colour.matrix if known else (BT709 if height >= 720 else BT601)
    grey = pix_fmt.startswith(("gray", "ya")) and colour.range != LIMITED
    full = colour.range == FULL or pix_fmt.startswith("yuvj") or grey
    return Colour(matrix, FULL if full else LIMITED, colour.primaries, colour.transfer)


def encoded_colour(colour: Colour, source_format: str, encoder_format: str, height: int) -> Colour:
    """The tags of the output: the source's, unless RGB had to become YUV (then by the policy of ``effective``)."""
    was_rgb = effective(colour, source_format, height).matrix == RGB
    if was_rgb and not VideoFormat(encoder_format).is_rgb:
        return effective(Colour(UNKNOWN, LIMITED, colour.primaries, colour.transfer), encoder_format, height)
    return colour


@lru_cache
def encoding_matrix(colour: Colour, pix_fmt: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """``(matrix (3, 3), offset (3, 1))`` with ``codes = matrix @ rgb + offset``, in the order of the planes.

    After ITU-T H.273, 8.3, for ``colour`` as ``effective`` gives it and the depth of a planar ``pix_fmt``.
    """
    bits = VideoFormat(pix_fmt).components[0].bits
    peak, unit = 2**bits - 1, 2 ** (bits - 8)
    red, green, blue = np.eye(3)
    if colour.matrix == RGB:
        return np.stack([green, blue, red]) * peak, np.zeros((3, 1))
    if colour.matrix == YCGCO:
        luma = (red + 2 * green + blue) / 4
        signals = [luma, green - luma, (red - blue) / 2]
    else:
        kr, kb = LUMA[colour.matrix]
        luma = kr * red + (1 - kr - kb) * green + kb * blue
        signals = [luma, (blue - luma) / (2 * (1 - kb)), (red - luma) / (2 * (1 - kr))]
    full = colour.range == FULL
    scale = np.array([peak, peak, peak] if full else [219 * unit, 224 * unit, 224 * unit])
    offset = np.array([0 if full else 16 * unit, 128 * unit, 128 * unit], float)
    return scale[:, None] * np.stack(signals), offset[:, None]


class Converter:
    """Native pictures to pixels and back, for one film. Safe to call from several threads.

    Exact to the rounding of the codes, for any matrix, range, depth and chroma layout: FFmpeg's own scaler is off by up
    to 3/255 here. Pixels that no edit changed come back as the very codes they were made of, shared chroma
    included, except where these lay outside [0, 1].

    Args:
        colour: tags of the native pictures.
        height: of the pictures, for the policy on unknown tags.
        alpha: whether their alpha channel is used.
    """

    def __init__(self, colour: Colour, height: int, alpha: bool) -> None:
        self.colour = colour
        self.height = height
        self.alpha = alpha
        # Each keeps megabytes: one per kind, not per frame.
        self._packers: dict[tuple[str, str], VideoReformatter] = {}
        self._lock = Lock()

    def pixels(self, picture: object, window: Window | None = None) -> "Tensor":
        """``(C, H, W)`` float32 RGB in [0, 1] of a native picture, or of a window; C is 4 when it has alpha."""
        import torch

        assert isinstance(picture, VideoFrame)  # noqa: S101 - only read() makes native pictures
        return torch.from_numpy(self.rgb(picture, window)).clamp_(0, 1)

    def rgb(self, picture: VideoFrame, window: Window | None = None) -> Floats:
        """``(C, H, W)`` of a native picture as it is: samples beyond black and white stay beyond 0 and 1."""
        picture = self.repacked(picture, planar_format(picture.format.name, self.alpha))
        pix_fmt = picture.format.name
        window = window or Window(0, picture.height, 0, picture.width)
        around = window.blocks(BLOCK, picture.height, picture.width)
        matrix, offset = encoding_matrix(effective(self.colour, pix_fmt, self.height), pix_fmt)
        samples = [samples_in(around, plane, picture)[..., 0] for plane in planes(picture)]
        codes = np.empty((3, around.height, around.width), np.float32)
        codes[:] = offset[..., None]  # grey has no colour
        for code, plane in zip(codes, samples[:3], strict=False):
            spread(plane, code, pix_fmt.startswith("yuvj"))
        back = np.linalg.inv(matrix)
        image = np.empty((4 if self.alpha else 3, around.height, around.width), np.float32)
        np.matmul(back.astype(np.float32), codes.reshape(3, -1), out=image[:3].reshape(3, -1))
        image[:3] -= (back @ offset).astype(np.float32)[..., None]
        if self.alpha:
            image[3] = (
                samples[3] / np.float32(2 ** picture.format.components[3].bits - 1) if samples[3:] else 1
            )
        return window.within(around).of(image)

    def native(self, pixels: "Tensor", pix_fmt: str, colour: Colour) -> VideoFrame:
        """A picture in ``pix_fmt``, tagged ``colour``, of ``(C, H, W)`` pixels."""
        return self.picture(pixels.detach().float().cpu().numpy(), pix_fmt, colour)

    def picture(self, image: Floats, pix_fmt: str, colour: Colour) -> VideoFrame:
        """A picture of ``(C, H, W)`` RGB, as ``rgb`` gives it."""
        planar = planar_format(pix_fmt, len(image) == 4)
        matrix, offset = encoding_matrix(effective(colour, planar, self.height), planar)
        picture = VideoFrame(image.shape[2], image.shape[1], planar)
        codes = matrix.astype(np.float32) @ image[:3].reshape(3, -1)
        codes += offset.astype(np.float32)
        samples = [plane[..., 0] for plane in planes(picture)]
        peaks = [2**component.bits - 1 for component in picture.format.components]
        for plane, code, peak in zip(samples[:3], codes.reshape(3, *image.shape[1:]), peaks, strict=False):
            shared = gathered(code, plane.shape, planar.startswith("yuvj"))
            plane[:] = np.rint(shared, out=shared).clip(0, peak, out=shared)
        if len(samples) == 4:
            samples[3][:] = np.rint(image[3] * peaks[3]) if len(image) == 4 else peaks[3]
        return tagged(self.repacked(picture, pix_fmt), colour)

    def retouched(
        self, picture: VideoFrame, part: "Callable[[Window], Tensor]", changed: "Tensor", colour: Colour
    ) -> VideoFrame:
        """The picture, tagged ``colour``, with new samples wherever ``changed`` (1, H, W) is not 0; see ``lay``.

        ``part`` gives the pixels ``(C, h, w)`` of a window. No more is converted than what is changed and around it.
        """
        hole = window_of(changed)
        if hole is None:
            return picture
        window = hole.blocks(BLOCK, picture.height, picture.width)
        patch = self.native(part(window), picture.format.name, colour)
        out = VideoFrame(picture.width, picture.height, picture.format.name)
        for new, old in zip(planes(out), planes(picture), strict=True):
            new[:] = old
        lay(patch, out, window, window.of(changed).cpu())
        return tagged(out, colour)

    def convert(self, picture: VideoFrame, pix_fmt: str, colour: Colour) -> VideoFrame:
        """The picture in another pixel format, or with other tags; itself if neither makes its samples others."""
        own, wanted = (effective(tags, picture.format.name, self.height) for tags in (self.colour, colour))
        if picture.format.name == pix_fmt and (own.matrix, own.range) == (wanted.matrix, wanted.range):
            return picture
        return self.picture(self.rgb(picture), pix_fmt, colour)

    def repacked(self, picture: VideoFrame, pix_fmt: str) -> VideoFrame:
        """The same samples in another layout: both formats are RGB, or both YUV or grey."""
        if picture.format.name == pix_fmt:
            return picture
        with self._lock, scalable(picture):
            packer = self._packers.setdefault((picture.format.name, pix_fmt), VideoReformatter())
            return packer.reformat(
                picture,
                format=pix_fmt,
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.JPEG,
                interpolation=Interpolation.BICUBIC
                | Interpolation.ACCURATE_RND
                | Interpolation.FULL_CHR_H_INT,
                threads=1,
            )


def tagged(picture: VideoFrame, colour: Colour) -> VideoFrame:
    """The picture with these tags: some encoders (ProRes) write down its own, not those of the stream."""
    picture.colorspace, picture.color_range = colour.matrix, colour.range
    picture.color_primaries, picture.color_trc = colour.primaries, colour.transfer
    return picture


@contextmanager
def scalable(picture: VideoFrame) -> Iterator[None]:
    """A picture that FFmpeg's scaler takes: one with a matrix it does not know counts as untagged meanwhile."""
    matrix = picture.colorspace
    if matrix not in SCALED:
        picture.colorspace = UNKNOWN
    try:
        yield
    finally:
        picture.colorspace = matrix


@lru_cache
def planar_format(pix_fmt: str, alpha: bool) -> str:
    """The format in ``PLANAR`` that holds the samples of ``pix_fmt``: the format itself, or the nearest."""
    if pix_fmt in PLANAR:
        return pix_fmt
    best, _ = find_best_pix_fmt_of_list(PLANAR, pix_fmt, alpha)
    assert best is not None  # noqa: S101 - the list is not empty
    return best.name


# Shared chroma. The second of these functions undoes the first: samples spread and gathered again are the same samples.
# Between lines a shared sample sits in the middle and is the mean of its pixels; between columns it sits on the left
# one (MPEG-2, H.264, H.265, VP9, AV1), or in the middle in JPEG.


def spread(samples: NDArray[Any], plane: Floats, centred: bool) -> None:
    """Fill a full plane from shared samples."""
    if samples.shape[1] == plane.shape[1]:
        _double(samples.T, plane.T, centred=True)
    else:
        lines = np.empty((plane.shape[0], samples.shape[1]), np.float32)
        _double(samples.T, lines.T, centred=True)
        _double(lines, plane, centred)


def gathered(plane: Floats, shape: tuple[int, ...], centred: bool) -> Floats:
    """A full plane's shared samples; may be the plane itself."""
    return _half(_half(plane, shape[1], centred).T, shape[0], centred=True).T


def _double(few: NDArray[Any], many: Floats, centred: bool) -> None:
    """Columns to twice, or four times, as many."""
    size = many.shape[1]
    if few.shape[1] == size:
        many[:] = few
        return
    if 2 * few.shape[1] < size:
        between = np.empty_like(many[:, : -(-size // 2)])
        _double(few, between, centred)
        few = between
    many[:, ::2] = few
    many[:, 1::2] = few[:, : size // 2]
    if centred:  # on the straight line between both neighbours, a quarter before and after
        slope = np.subtract(few[:, 2:], few[:, :-2], dtype=np.float32)
        slope *= 0.125
        inner = many[:, 2 : 2 * few.shape[1] - 2]
        inner[:, ::2] -= slope
        inner[:, 1::2] += slope
    else:
        middle = many[:, 1:-1:2]
        middle += few[:, 1 : middle.shape[1] + 1]
        middle *= 0.5


def _half(many: Floats, size: int, centred: bool) -> Floats:
    """Columns to half, or a quarter, as many; the inverse of ``_double``."""
    if many.shape[1] == size:
        return many
    if many.shape[1] % 2:
        many = np.concatenate([many, many[:, -1:]], 1)
    even, odd = many[:, ::2], many[:, 1::2]
    if centred:
        half = even + odd
        half *= 0.5
    else:  # the low band of the 5/3 wavelet (Le Gall and Tabatabai, 1988), by lifting
        detail = odd - 0.5 * even
        detail[:, :-1] -= 0.5 * even[:, 1:]
        detail[:, -1] -= 0.5 * even[:, -1]
        detail *= 0.25
        half = even + detail
        half[:, 1:] += detail[:, :-1]
        half[:, 0] += detail[:, 0]
    return _half(half, size, centred)


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


def lay(patch: VideoFrame, picture: VideoFrame, window: Window, changed: "Tensor") -> None:
    """Put the samples of a window's new picture into the whole one, in place, wherever ``changed`` (1, h, w) is not 0.

    The window consists of whole blocks. A chroma sample that several pixels share counts as changed when any of them
    is, so luma outside the mask and chroma outside the mask's blocks stay exact.
    """
    import torch

    mask = (changed > 0).float()[None]
    for new, whole in zip(planes(patch), planes(picture), strict=True):
        sides = pixels_per_sample(whole, picture)
        pooled = mask if sides == (1, 1) else torch.nn.functional.max_pool2d(mask, sides, ceil_mode=True)
        where = pooled[0, 0].numpy() > 0
        samples_in(window, whole, picture)[where] = new[where]


def samples_in(window: Window, plane: NDArray[Any], picture: VideoFrame) -> NDArray[Any]:
    """What a window of whole blocks has of a picture's plane ``(rows, columns, …)``; a view."""
    down, across = pixels_per_sample(plane, picture)
    return plane[
        window.top // down : -(-window.bottom // down), window.left // across : -(-window.right // across)
    ]


def pixels_per_sample(plane: NDArray[Any], picture: VideoFrame) -> tuple[int, int]:
    """Rows and columns of pixels that share a sample of a plane."""
    return -(-picture.height // plane.shape[0]), -(-picture.width // plane.shape[1])
