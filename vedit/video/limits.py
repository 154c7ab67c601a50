"""What a file may be before it is refused: its format, how large its pictures are, how many there are.

A film named in a command may come from anywhere. A playlist would make FFmpeg open whatever it names; a file of a few
kilobytes may state pictures that fill the memory.
"""

import os

from vedit.errors import InputError, UsageError

FORMATS = (
    # files that hold a film themselves; playlists, patterns, devices and streams are left out on purpose
    "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,asf,flv,ogg,mxf,nut,gif,apng,ivf,obu,av1,h264,hevc,vvc,m4v,mjpeg,"
    "yuv4mpegpipe,dv,rm,wtv,gxf,swf,vc1,dirac,h263,h261,nsv,nuv,pva,flic,"
    # sound, so that what has no picture can be told from what is no media file
    "mp3,wav,w64,flac,aac,aiff,ac3,eac3,caf"
)
"""FFmpeg's names of the formats that are opened."""

LARGEST = 2**30
"""The highest limit: beyond it FFmpeg counts no further."""


def max_pixels() -> int:
    """The most pixels a picture may have; ``VEDIT_MAX_PIXELS`` sets it."""
    return _limit("VEDIT_MAX_PIXELS", 2**26)


def max_frames() -> int:
    """The most pictures a film may have; ``VEDIT_MAX_FRAMES`` sets it."""
    return _limit("VEDIT_MAX_FRAMES", 10_000_000)


def decoder_options() -> dict[str, str]:
    """What FFmpeg's decoders are told so that they take no memory for larger pictures.

    They count what they align and pad too, so they get some more; ``check_size`` is exact.
    """
    return {"max_pixels": str(max_pixels() + 2**23)}


def check_size(name: str, width: int, height: int) -> None:
    """Refuse pictures that are too large.

    Raises:
        InputError: more than ``max_pixels``.
    """
    most = max_pixels()
    if width * height > most:
        raise InputError(
            f"{name} is {width}x{height}, {width * height} pixels a picture; the limit is {most}",
            f"If you trust the file and have the memory, set VEDIT_MAX_PIXELS={width * height}.",
        )


def check_count(name: str, frames: int) -> None:
    """Refuse films that are too long.

    Raises:
        InputError: more than ``max_frames``.
    """
    most = max_frames()
    if frames > most:
        raise InputError(
            f"{name} has more than {most} pictures, which is the limit",
            "If you trust the file, set VEDIT_MAX_FRAMES to a larger number.",
        )


def _limit(name: str, default: int) -> int:
    value = os.environ.get(name, "")
    if not value:
        return default
    if not value.isascii() or not value.isdigit() or not 0 < int(value) <= LARGEST:
        raise UsageError(f"{name}={value!r} is no limit", f"Give a whole number from 1 to {LARGEST}.")
    return int(value)
