"""A film as a stream of frames with exact times, decoded a little ahead, from the start or from the middle."""

import hashlib
import queue
import threading
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar

from av.video.frame import VideoFrame

from vedit.errors import InputError
from vedit.frame import Fault, Frame, Notes
from vedit.video.careful import NoSeeking, Shown, decoded
from vedit.video.colour import Converter, planes
from vedit.video.deinterlace import deinterlaced
from vedit.video.shots import mark_cuts, settled
from vedit.video.source import Source
from vedit.video.tonemap import tonemapped

T = TypeVar("T")
OnCorrupt = Literal["repeat", "skip", "fail"]

AHEAD = 6
"""Pictures decoded before they are asked for."""
NEIGHBOURS = 2
"""Pictures before one that may have a say in how it is deinterlaced."""


@dataclass(frozen=True)
class Place:
    """Where in a film to read on.

    Args:
        index: number of the first frame to give.
        last_cut: number of the frame that starts the latest shot at or before it, as an earlier run marked it.
        witness: ``fingerprint`` of the native picture shown before ``index`` in that run; None is not looked at.
    """

    index: int
    last_cut: int
    witness: str | None


START = Place(0, 0, None)


class WrongPicture(Exception):
    """The picture before the place is not the witness."""


def fingerprint(picture: object) -> str:
    """The MD5 of a native picture: its format, size and visible samples."""
    assert isinstance(picture, VideoFrame)  # noqa: S101 - only read() makes native pictures
    shape = f"{picture.format.name} {picture.width}x{picture.height}"
    digest = hashlib.md5(shape.encode(), usedforsecurity=False)
    for plane in planes(picture):
        for row in plane:  # a row is contiguous, a plane with padding is not
            digest.update(row)
    return digest.hexdigest()


def read(
    source: Source, notes: Notes, *, place: Place | None = None, on_corrupt: OnCorrupt = "repeat"
) -> Generator[Frame]:
    """The frames of a film in order, upright, one per ``source.pts``, with ``cut`` set where a shot starts.

    Pixels are converted only when asked for; the decoder's picture stays with the frame. Another thread decodes a few
    pictures ahead: close the generator if you stop early. A film changes neither in size nor in format: pictures that
    do are fitted to the first (fault ``fitted``).

    Args:
        source: the film, or the film ``as_edited``.
        notes: remarks on the film go here.
        place: where to start; the frames are those that a read from the start gives from there on.
        on_corrupt: what becomes of a picture that cannot be decoded. ``repeat`` shows the one before it again (fault
            ``repeated``); ``skip`` leaves it out and shows the one before it longer, so numbers have gaps but times
            stay; ``fail`` raises, at once where the file breaks off. A picture of which the decoder made up parts stays
            (``concealed``), unless ``fail``.

    Raises:
        UsageError: HDR film.
        InputError: while iterating, when the film can no longer be read, is not what it was, or on ``fail``.
    """
    source = source.as_edited()
    if source.broken_off and on_corrupt == "fail":
        raise InputError(
            f"{source.path.name} is not whole: the file breaks off after {float(source.duration):.1f} s",
            "Copy or download it again, or add --on-corrupt repeat (on_corrupt='repeat') to take what is there.",
        )
    for remark in source.remarks:
        notes.warn(remark)
    return ahead(frames(source, notes, place or START, on_corrupt))


def frames(source: Source, notes: Notes, place: Place, on_corrupt: OnCorrupt) -> Generator[Frame]:
    """The frames of a film from a place on, decoded when asked for."""
    if place.index and source.stamped:
        try:
            yield from frames_from(source, notes, place, on_corrupt, seek=True)
            return
        except (WrongPicture, NoSeeking):  # they come before the first frame
            pass
    try:
        yield from frames_from(source, notes, place, on_corrupt, seek=False)
    except WrongPicture:
        raise InputError(
            f"{source.path.name} is not the film it was: its picture {place.index} differs",
            "Start the render afresh, or put the old film back.",
        ) from None


def frames_from(
    source: Source, notes: Notes, place: Place, on_corrupt: OnCorrupt, *, seek: bool
) -> Iterator[Frame]:
    """The frames of a film from a place on, found by seeking or by decoding everything before it."""
    first = settled(place.index, place.last_cut)
    start = max(first - 1, 0) if seek else 0  # at most place.index - 1, whose picture is the witness
    shown = witnessed(timed_pictures(source, notes, start, seek=seek), start, first, place)
    convert = Converter(source.video.colour, source.height, source.video.alpha).pixels
    waiting: Frame | None = None
    for index, (picture, fault, cut) in enumerate(mark_cuts(shown, first), first):
        if index < place.index:
            continue
        pts = source.pts[index]
        if on_corrupt == "fail" and fault in ("repeated", "concealed"):
            raise InputError(
                f"{source.path.name}: picture {index + 1}, at {float(pts * source.time_base):.3f} s, "
                + ("cannot be decoded" if fault == "repeated" else "is damaged"),
                "Add --on-corrupt repeat (on_corrupt='repeat') to go on with the nearest picture there is.",
            )
        if on_corrupt == "skip" and fault == "repeated" and index > 0:
            continue
        if waiting is not None:
            waiting.duration = pts - waiting.pts
            yield waiting
        waiting = Frame(pts, 0, index=index, cut=cut, native=picture, decode=convert, fault=fault)
    if waiting is not None:
        waiting.duration = source.end - waiting.pts
        yield waiting


def witnessed(shown: Iterator[Shown], start: int, first: int, place: Place) -> Iterator[Shown]:
    """The pictures from ``first`` on of those from ``start`` on, if the one before the place is the witness.

    In a damaged film decoded from its start it need not be: what decoders make of damage may differ from run to run.
    """
    damaged = False
    for index, (picture, fault) in enumerate(shown, start):
        damaged = damaged or fault is not None
        is_witness = index == place.index - 1 and place.witness is not None
        if is_witness and fingerprint(picture) != place.witness and (start > 0 or not damaged):
            raise WrongPicture
        if index >= first:
            yield picture, fault


def timed_pictures(source: Source, notes: Notes, start: int, *, seek: bool) -> Iterator[Shown]:
    """Exactly one picture for every time of the film from ``start`` on: missing ones repeat, surplus ones go."""
    last: VideoFrame | None = None
    done = start
    surplus = False
    for picture, fault in pictures(source, max(0, start - NEIGHBOURS) if seek else None):
        if source.stamped and picture.pts is not None:
            if done == start > 0 and picture.pts < source.pts[start]:
                last = picture
                continue
            if done == len(source.pts) or picture.pts < source.pts[done]:
                surplus = True
                continue
            while source.pts[done] < picture.pts:
                if last is None and start > 0:
                    raise WrongPicture
                yield last or picture, "repeated"
                done += 1
                if done == len(source.pts):
                    break
        if done == len(source.pts):
            surplus = True
            continue
        yield picture, fault
        done += 1
        last = picture
    if last is None:
        raise InputError(
            f"{source.path.name}: none of its pictures can be decoded", "Copy or download it again."
        )
    for _ in range(done, len(source.pts)):
        yield last, "repeated"
    if surplus:
        notes.warn("pictures with repeated or unknown times were left out")


def pictures(source: Source, index: int | None) -> Generator[Shown]:
    """What the decoder gives, as it is edited, in the order of presentation; from ``index`` or a little before it."""
    faults: deque[Fault | None] = deque()

    def plain() -> Iterator[VideoFrame]:
        for picture, fault in decoded(source, index):
            faults.append(fault)
            yield picture

    for picture in tonemapped(deinterlaced(plain(), source), source):
        yield picture, faults.popleft()


class _End:
    """Ends a queue, with the error that ended the work, if one did."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def ahead(items: Generator[T], most: int = AHEAD) -> Generator[T]:
    """The same items, made by another thread up to ``most`` before they are asked for; its errors are raised here."""
    made: queue.Queue[T | _End] = queue.Queue(most)
    stop = threading.Event()

    def put(item: T | _End) -> None:
        while not stop.is_set():
            try:
                return made.put(item, timeout=0.1)
            except queue.Full:
                continue

    def work() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                put(item)
                if stop.is_set():
                    break
        except BaseException as caught:  # handed to the reader, whatever it is
            error = caught
        items.close()  # here and now: decoders and processes end with it
        put(_End(error))

    thread = threading.Thread(target=work, name="vedit-read", daemon=True)
    thread.start()
    try:
        while True:
            item = made.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        stop.set()
        thread.join()
