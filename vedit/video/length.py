"""How long a film is, and how long its file says it is."""

import re
from fractions import Fraction

from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

STATING = {"mov", "matroska", "avi", "flv", "asf", "mxf"}
"""Formats that state a length of their own; of others FFmpeg estimates it from what is there."""
SLACK = Fraction(1, 4)
"""Seconds by which a stated length may be off: the last picture's length is often rounded or left out."""


def film_end(stream: VideoStream, pts: tuple[int, ...], last: int, step: int, longest: int) -> int:
    """The tick at which the last picture goes.

    The container's own length of the stream is exact where it has one (MP4), unless the last picture would have to
    stay longer than any packet says, because the file breaks off; elsewhere the last packet says how long it lasts, or
    else it lasts as long as the others.
    """
    stated = pts[0] + (stream.duration or 0)
    if stream.start_time == pts[0] and 0 < stated - pts[-1] <= max(longest, 2 * step):
        return stated
    return pts[-1] + (last or step)


def stated_seconds(film: InputContainer, stream: VideoStream) -> tuple[Fraction, bool] | None:
    """How long the file says it is, and whether it says so of the picture alone; None when it does not say."""
    if not STATING & set(film.format.name.split(",")):
        return None
    if (
        film.format.name == "avi" and stream.frames and stream.time_base
    ):  # its duration is cut to the file's size
        return stream.frames * Fraction(stream.time_base), True
    if stream.duration and stream.time_base:
        return stream.duration * Fraction(stream.time_base), True
    tags = {k.split("-")[0].upper(): v for k, v in stream.metadata.items()}
    if found := re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", tags.get("DURATION", "")):
        hours, minutes, seconds = found.groups()
        return 3600 * int(hours) + 60 * int(minutes) + Fraction(seconds), True
    return (Fraction(film.duration, 1_000_000), False) if film.duration else None


def stated_end(film: InputContainer, stream: VideoStream, first: int) -> int | None:
    """The tick at which a film that starts at ``first`` ends, as near as the file tells."""
    if stream.duration:
        return first + stream.duration
    if film.duration and stream.time_base:
        return first + round(Fraction(film.duration, 1_000_000) / Fraction(stream.time_base))
    return None


def breaks_off(film: InputContainer, stream: VideoStream, first: Fraction, end: Fraction) -> str | None:
    """A remark when the file states more than there is; ``first`` and ``end`` of the picture in seconds.

    Reads on in the film where only the furthest packet of all its streams can tell.
    """
    stated = stated_seconds(film, stream)
    if stated is None:
        return None
    seconds, of_picture = stated
    there = max(end, end - first)  # some count from zero, some from the first picture
    if there >= seconds - SLACK:
        return None
    if not of_picture and furthest(film) >= seconds - SLACK:
        return None
    return f"the file breaks off: {float(there):.1f} of {float(seconds):.1f} s are there"


def furthest(film: InputContainer) -> Fraction:
    """When the last packet of all streams ends, in seconds."""
    last = Fraction(0)
    try:
        film.seek(0)
        ends: dict[int, int] = {}
        for packet in film.demux():
            if packet.pts is not None:
                end = packet.pts + (packet.duration or 0)
                ends[packet.stream_index] = max(end, ends.get(packet.stream_index, end))
    except (FFmpegError, IndexError):  # as in picture_packets
        pass
    for index, end in ends.items():
        last = max(last, end * Fraction(film.streams[index].time_base or 0))
    return last
