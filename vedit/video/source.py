"""What a file is, found once and never guessed at again."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from vedit.errors import UsageError
from vedit.frame import Timing

UNKNOWN = 2
"""The code for "not said" in the colour tags (ITU-T H.273)."""
RGB, BT709, BT601 = 0, 1, 6
LIMITED, FULL = 1, 2
PQ, HLG = 16, 18


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


@dataclass(frozen=True)
class VideoFacts:
    """The edited picture stream; size, shape of pixels and format are those of the upright picture.

    ``rotation`` (clockwise degrees) and ``mirrored`` (left and right swapped before it) say how the stored picture
    was turned; ``field_order`` is ``progressive``, ``tff`` or ``bff``.
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

    def check_editable(self) -> None:
        """Refuse what would be ruined.

        Raises:
            UsageError: the film is HDR or interlaced.
        """
        if self.video.colour.is_hdr:
            kind = "PQ" if self.video.colour.transfer == PQ else "HLG"
            raise UsageError(
                f"{self.path.name} is HDR ({kind}); only standard dynamic range is supported",
                "Tone-map it to BT.709 first.",
            )
        if self.video.field_order != "progressive":
            raise UsageError(
                f"{self.path.name} is interlaced ({self.video.field_order}); only progressive pictures are supported",
                "Deinterlace it first, for example: ffmpeg -i IN -vf bwdif -c:a copy OUT.",
            )
