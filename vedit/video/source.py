"""What a file is, found once and never guessed at again."""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

from av.video.format import VideoFormat

from vedit.errors import UsageError
from vedit.frame import Timing

UNKNOWN = 2
"""The code for "not said" in the colour tags (ITU-T H.273)."""
RGB, BT709, BT601 = 0, 1, 6
LIMITED, FULL = 1, 2
BT2020 = 9
PQ, HLG = 16, 18

Hdr = Literal["refuse", "tonemap"]
"""What to do with a film of high dynamic range."""
Audio = Literal["copy", "auto", "aac", "none", "stretch", "keep"]
"""What becomes of the sound: copied, converted where the container cannot hold it, all of it converted, left out. Of a
film whose speed changes the first three stretch it with the picture, as ``stretch`` says; ``keep`` copies it."""


@dataclass(frozen=True)
class Colour:
    """Colour tags as the file has them, in the codes of ITU-T H.273 (2 = unknown); ``range`` 0, 1 limited, 2 full."""

    matrix: int
    range: int
    primaries: int
    transfer: int

    @property
    def is_hdr(self) -> bool:
        return self.transfer in (PQ, HLG)


SDR = Colour(matrix=BT709, range=LIMITED, primaries=1, transfer=1)
"""BT.709 as televisions show it, which HDR is tone-mapped to."""


@dataclass(frozen=True)
class VideoFacts:
    """The edited picture stream; size, shape of pixels and format are those of the upright picture.

    ``rotation`` (clockwise degrees) and ``mirrored`` (left and right swapped before it) say how the stored picture
    was turned; ``field_order`` is ``progressive``, ``tff`` or ``bff``; ``dynamic`` names metadata that tells a
    display how to map each scene (Dolby Vision, HDR10+).
    """

    index: int
    codec: str
    pix_fmt: str
    width: int
    height: int
    sar: Fraction
    bit_depth: int
    alpha: bool
    colour: Colour
    field_order: str
    rotation: int
    mirrored: bool
    dynamic: str | None = None


@dataclass(frozen=True)
class StreamFacts:
    """One of the other streams. ``kind`` is video, audio, subtitle, data or attachment."""

    index: int
    kind: str
    codec: str
    language: str | None
    title: str | None
    is_chapter_track: bool = False
    is_picture: bool = False


@dataclass(frozen=True)
class Source:
    """Immutable facts of a film file; ``probe`` makes it.

    Args:
        path: absolute path.
        format: FFmpeg's name of the container.
        video: the picture stream that is edited.
        streams: all other streams, in file order.
        pts: when each picture is shown: strictly rising ticks of ``time_base``.
        end: the tick at which the last picture goes.
        time_base: seconds per tick.
        rate: frames per second when the film keeps one rate (to the rounding of its ticks), else None.
        stamped: False when the file's own time stamps were missing or repeated, so pictures take ``pts`` in order.
        remarks: what had to be assumed or repaired to say all this.
        original: the picture stream as the file has it, when ``video`` says how it is edited (``as_edited``).
        recipe: the edits that made the film, as TOML, when vedit wrote it.
        broken_off: whether the file says that it goes on longer than it does.
    """

    path: Path
    format: str
    video: VideoFacts
    streams: tuple[StreamFacts, ...]
    pts: tuple[int, ...]
    end: int
    time_base: Fraction
    rate: Fraction | None
    chapters: int
    stamped: bool
    remarks: tuple[str, ...]
    original: VideoFacts | None = None
    recipe: str | None = None
    broken_off: bool = False

    @property
    def frames(self) -> int:
        return len(self.pts)

    @property
    def height(self) -> int:
        return self.video.height

    @property
    def width(self) -> int:
        return self.video.width

    @property
    def duration(self) -> Fraction:
        """Seconds from the first picture to the end of the last."""
        return (self.end - self.pts[0]) * self.time_base

    @property
    def timing(self) -> Timing:
        return Timing(self.time_base, self.rate, self.pts[0], self.end)

    def as_edited(self, hdr: Hdr = "refuse") -> "Source":
        """The facts as the edits and the encoder see them: progressive pictures of standard dynamic range.

        What the file says stays in ``original``, which tells ``read`` to deinterlace or tone-map; ``remarks`` say so.
        A source that needs neither, or has been through here, is returned as it is.

        Args:
            hdr: ``refuse``, or ``tonemap`` to BT.709 in 10 bits.

        Raises:
            UsageError: the film is HDR and ``hdr`` is ``refuse``, or it has no picture but Dolby Vision's own, or it is
                interlaced and stored sideways.
        """
        video, remarks = self.video, list(self.remarks)
        if video.field_order != "progressive":
            if video.rotation in (90, 270):
                raise UsageError(
                    f"{self.path.name} is interlaced and stored sideways; its fields cannot be told apart",
                    "Deinterlace it first, for example: ffmpeg -noautorotate -i IN -vf bwdif -c:a copy OUT.",
                )
            remarks.append(
                f"the film is interlaced ({video.field_order}); it is deinterlaced, frame for frame"
            )
            video = replace(video, field_order="progressive")
        if video.dynamic:
            if not video.colour.is_hdr and video.colour.transfer == UNKNOWN:
                raise UsageError(
                    f"{self.path.name} is {video.dynamic} with no picture that other displays can show",
                    "Convert it to HDR10 or HLG first, with a tool that knows Dolby Vision.",
                )
            remarks.append(f"{video.dynamic} metadata is lost: it describes the pictures as they were")
            video = replace(video, dynamic=None)
        if video.colour.is_hdr:
            kind = "PQ" if video.colour.transfer == PQ else "HLG"
            if hdr == "refuse":
                raise UsageError(
                    f"{self.path.name} is HDR ({kind}), which the edits cannot keep",
                    "Add --hdr tonemap (hdr='tonemap') to make it standard dynamic range, BT.709 in 10 bits.",
                )
            remarks.append(f"the film is HDR ({kind}); it is tone-mapped to BT.709 in 10 bits")
            if video.alpha:
                remarks.append("transparency is lost: tone mapping keeps colour only")
            video = replace(video, colour=SDR, pix_fmt=ten_bits(video.pix_fmt), bit_depth=10, alpha=False)
        if video == self.video:
            return self
        return replace(self, video=video, original=self.video, remarks=tuple(remarks))


def ten_bits(pix_fmt: str) -> str:
    """The 10-bit YUV format with the chroma resolution of ``pix_fmt``."""
    chroma = VideoFormat(pix_fmt)
    across, down = chroma.chroma_width(2), chroma.chroma_height(2)
    return {(1, 1): "yuv420p10le", (1, 2): "yuv422p10le"}.get((across, down), "yuv444p10le")
