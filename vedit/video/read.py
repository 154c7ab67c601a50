"""A film as a stream of frames with exact times, decoded a little ahead."""

import queue
import threading
from collections.abc import Generator, Iterator
from itertools import chain
from typing import TypeVar

from av.video.frame import VideoFrame

from vedit.errors import InputError
from vedit.frame import Frame, Notes
from vedit.video.colour import Converter
from vedit.video.decode import Decoder, open_film, picture_packets
from vedit.video.shots import mark_cuts
from vedit.video.source import Source

T = TypeVar("T")

AHEAD = 6
"""Pictures decoded before they are asked for."""


def read(source: Source, notes: Notes) -> Generator[Frame]:
    """The frames of a film in order, upright, one per ``source.pts``, with ``cut`` set where a shot starts.

    Pixels are converted only when asked for; the decoder's picture stays with the frame. A picture that cannot be
    decoded is replaced by the one before it and counted in ``notes``. Another thread decodes a few pictures ahead:
    close the generator if you stop early.

    Raises:
        UsageError: HDR or interlaced film.
        InputError: while iterating, when the film can no longer be read.
    """
    source.check_editable()
    for remark in source.remarks:
        notes.warn(remark)
    return ahead(frames(source, notes))


def frames(source: Source, notes: Notes) -> Iterator[Frame]:
    """The frames of a film, decoded when asked for."""
    convert = Converter(source.video.colour, source.height, source.video.alpha).pixels
    ends = [*source.pts[1:], source.end]
    for index, (picture, cut) in enumerate(mark_cuts(timed_pictures(source, notes))):
        pts = source.pts[index]
        yield Frame(pts, ends[index] - pts, index=index, cut=cut, native=picture, decode=convert)


def timed_pictures(source: Source, notes: Notes) -> Iterator[VideoFrame]:
    """Exactly one picture for every time of the film: missing ones repeat, surplus ones go."""
    last: VideoFrame | None = None
    done = repeated = surplus = 0
    for picture in pictures(source, notes):
        if source.stamped and picture.pts is not None:
            if done == len(source.pts) or picture.pts < source.pts[done]:
                surplus += 1
                continue
            while done < len(source.pts) and source.pts[done] < picture.pts:
                yield last or picture
                done += 1
                repeated += 1
        if done == len(source.pts):
            surplus += 1
            continue
        yield picture
        done += 1
        last = picture
    if last is None:
        raise InputError(
            f"{source.path.name}: none of its pictures can be decoded", "Copy or download it again."
        )
    for _ in range(done, len(source.pts)):
        yield last
        repeated += 1
    if repeated:
        notes.warn(f"{repeated} damaged or missing pictures were replaced by the picture before them")
    if surplus:
        notes.warn(f"{surplus} pictures with repeated or unknown times were left out")


def pictures(source: Source, notes: Notes) -> Iterator[VideoFrame]:
    """What the decoder gives, in the order of presentation."""
    damaged = interlaced = 0
    with open_film(source.path) as film:
        stream = film.streams[source.video.index]
        decoder = Decoder(stream, source.path)  # type: ignore[arg-type]
        for packet in chain(picture_packets(film, stream), [None]):  # type: ignore[arg-type]
            for picture in decoder.decode(packet):
                damaged += picture.is_corrupt
                interlaced += picture.interlaced_frame
                yield picture
        if decoder.resized:
            notes.warn(
                "the picture's size or format changes mid-film; later pictures were fitted to the first"
            )
        if damaged:
            notes.warn(f"{damaged} pictures are damaged; the decoder concealed it")
        if interlaced:
            notes.warn(f"{interlaced} pictures are marked interlaced; they were treated as progressive")


class _End:
    """Ends a queue, with the error that ended the work, if one did."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def ahead(items: Iterator[T]) -> Generator[T]:
    """The same items, made by another thread up to ``AHEAD`` before they are asked for; its errors are raised here."""
    made: queue.Queue[T | _End] = queue.Queue(AHEAD)
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
