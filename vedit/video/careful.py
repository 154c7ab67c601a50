"""A film's pictures as its decoder gives them; damage is decoded with care, so that it looks the same every time."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vedit.errors import InputError
from vedit.frame import Fault
from vedit.video.decode import Decoder, open_film, packets_from, picture_packets, picture_stream
from vedit.video.source import Source

Shown = tuple[VideoFrame, Fault | None]


class NoSeeking(Exception):
    """The film's format cannot go to a key frame."""


def decoded(source: Source, index: int | None, threads: int = 0) -> Iterator[Shown]:
    """What the decoder gives, upright, in the order of presentation, from ``index`` or a little before it."""
    given = 0
    last: int | None = None
    with open_film(source.path) as film:
        stream = picture_stream(film, source.path)
        decoder = Decoder(stream, source.path, source.original or source.video, threads=threads)
        count, furthest = 0, source.pts[0]
        for packet in chain(packets_at(film, stream, source, index), [None]):
            if packet is not None and not packet.is_discard:
                count += 1
                furthest = max(furthest, packet.pts if packet.pts is not None else furthest)
            ready = decoder.decode(packet)
            if threads == 0 and (decoder.damaged or (source.stamped and lacking(source.pts, last, ready))):
                break
            for picture, fault in ready:
                given += 1
                last = picture.pts if picture.pts is not None else last
                yield picture, fault
        else:
            if furthest < source.pts[-1] if source.stamped else count < source.frames:
                check_length(source)
            return
    # Threads that each decode a picture make of damage what their timing makes of it, and at the end of a film intact
    # pictures are lost with it. So from here on it is done with care.
    if not source.stamped:
        yield from islice(decoded(source, None, threads=1), given, None)
        return
    again = index if last is None else max(0, bisect_right(source.pts, last) - 1)
    yield from (s for s in carefully_decoded(source, again) if last is None or at(s) > last)


def lacking(pts: Sequence[int], last: int | None, ready: list[Shown]) -> bool:
    """Whether pictures are missing between ``last`` and those that are ready: not every decoder tells of damage."""
    for shown in ready:
        if last is not None:
            due = bisect_right(pts, last)
            if due < len(pts) and pts[due] < at(shown):
                return True
        last = max(at(shown), pts[0] - 1)
    return False


def carefully_decoded(source: Source, index: int | None) -> Iterator[Shown]:
    """The same of a damaged film: what is made of damage depends on nothing before the last key frame.

    One thread decodes, and starts anew at every key frame, where another decoder goes on with the pictures that are
    shown before that key frame but come after it in the file.
    """
    with open_film(source.path) as film, open_film(source.path) as film_again:
        stream = picture_stream(film, source.path)
        try:
            packets = packets_at(film, stream, source, index)
        except NoSeeking:  # there is no seeking in it
            yield from carefully_decoded(source, None)
            return
        facts = source.original or source.video
        now, before = (
            Decoder(s, source.path, facts, threads=1)
            for s in (stream, picture_stream(film_again, source.path))
        )
        key = furthest = source.pts[0] - 1
        overlap = False
        ready: list[Shown] = []
        for packet in chain(packets, [None]):
            pts = packet.pts if packet is not None else None
            starts = packet is not None and packet.is_keyframe and pts is not None and pts > key
            if overlap and (starts or packet is None or (pts is not None and pts > key)):
                yield from (shown for shown in before.decode(None) if at(shown) < key)
                yield from ready
                overlap, ready = False, []
            if starts and pts is not None:
                now, before = before, now
                now.context.flush_buffers()
                key, overlap = pts, True
            if overlap:
                yield from (shown for shown in before.decode(packet) if at(shown) < key)
            fresh = [shown for shown in now.decode(packet) if at(shown) >= key]
            if overlap:
                ready += fresh
            else:
                yield from fresh
            if packet is not None and not packet.is_discard and pts is not None:
                furthest = max(furthest, pts)
        if furthest < source.pts[-1]:
            check_length(source)


def at(shown: Shown) -> int:
    """When a decoded picture is shown; never, if the decoder does not say."""
    pts = shown[0].pts
    return pts if pts is not None else -(2**63)


def packets_at(
    film: InputContainer, stream: VideoStream, source: Source, index: int | None
) -> "Iterator[Packet[VideoStream]]":
    """The packets from a key frame at or before picture ``index`` on; None is the start of the file.

    Raises:
        NoSeeking: the film's format cannot seek so.
    """
    if index is None:
        return picture_packets(film, stream)
    packets = packets_from(film, stream, source.pts, index)
    if packets is None:
        raise NoSeeking
    return packets


def check_length(source: Source) -> None:
    """Complain if the film's packets no longer reach its end; after seeking in a damaged file some may be missing.

    Raises:
        InputError: they do not.
    """
    with open_film(source.path) as film:
        packets = picture_packets(film, picture_stream(film, source.path))
        shown = [p.pts for p in packets if not p.is_discard]
    stamps = [pts for pts in shown if pts is not None]
    if len(shown) < source.frames or (source.stamped and max(stamps) < source.pts[-1]):
        raise InputError(
            f"{source.path.name} can no longer be read to its end; it was longer when it was opened first",
            "Check that its disk or network share is there and that nothing else writes to it.",
        )
