"""Reading a finished film back before anybody gets to see it."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import AttachmentStream, Disposition

from vedit.errors import OutputError
from vedit.video.copier import Copied
from vedit.video.streams import payload


def check_written(
    path: Path, picture: int, pts: Sequence[int], time_base: Fraction, copied: Sequence[tuple[int, Copied]]
) -> tuple[Fraction, int]:
    """Check a written film.

    Says how far, in seconds, any picture is from its time, counted from the first, and how many pictures have the time
    of the one before because the container's clock is too coarse.

    Args:
        path: the film.
        picture: index of its picture stream.
        pts: when the pictures should be shown, in ``time_base``.
        time_base: seconds per tick.
        copied: place among the film's streams of every one that was copied or converted, and what went into it.

    Raises:
        OutputError: it cannot be read, a picture is missing or off by more than the container's clock allows, or a
            copied stream is not the same.
    """
    found: list[int] = []
    again: dict[int, Copied] = {}
    try:
        with av.open(str(path), "r", metadata_errors="replace") as film:
            tick = Fraction(film.streams[picture].time_base or 1)
            copied = located(film, copied)
            again = {index: Copied(want.facts) for index, want in copied}
            for index in again:
                stream = film.streams[index]
                if isinstance(stream, AttachmentStream):
                    again[index].take(stream.data)
            for packet in film.demux([film.streams[i] for i in (picture, *again)]):
                if not packet.size:
                    continue
                if packet.stream.index != picture:
                    copy = again[packet.stream.index]
                    copy.take(payload(packet, copy.facts.codec))
                elif packet.pts is not None:
                    found.append(packet.pts)
    except (FFmpegError, OSError, IndexError) as error:
        raise OutputError(
            f"the film written cannot be read back: {error}", "Write another container."
        ) from error
    if len(found) != len(pts):
        raise OutputError(
            f"{len(found)} pictures were written instead of {len(pts)}", "Try another codec or container."
        )
    found.sort()
    worst = max(
        abs((f - found[0]) * tick - (p - pts[0]) * time_base) for f, p in zip(found, pts, strict=True)
    )
    if worst > tick:
        raise OutputError(f"a picture is {float(worst):.4f} s from its time", "Write .mkv or .mp4.")
    for index, want in copied:
        if (want.packets and not again[index].packets) or want.md5 != again[index].md5:
            raise OutputError(
                f"{want.facts.kind} stream {want.facts.index} ({want.facts.codec}) changed on its way",
                "Write .mkv.",
            )
    return worst, len(found) - len(set(found))


def located(film: InputContainer, copied: Sequence[tuple[int, Copied]]) -> list[tuple[int, Copied]]:
    """The index in the film of every copied stream: covers and attachments come after tracks that muxers add.

    Raises:
        IndexError: one of them is missing.
    """
    last = [
        s.index for s in film.streams if s.disposition & Disposition.attached_pic or s.type == "attachment"
    ]
    places = []
    for index, want in copied:
        is_last = want.facts.is_picture or want.facts.kind == "attachment"
        places.append((last.pop(0) if is_last else index, want))
    return places
