"""Interlaced pictures to progressive ones, frame for frame, with FFmpeg's bwdif."""

from collections import deque
from collections.abc import Iterator

from av.error import BlockingIOError as NotYetError
from av.error import EOFError as EndError
from av.filter import Graph
from av.video.frame import VideoFrame

from vedit.video.decode import colour_of, filter_graph
from vedit.video.source import Source

UNMARKED = ("huffyuv", "ffvhuff", "utvideo")
"""Decoders that do not mark interlaced pictures; with them only the container says so, of all pictures."""


def deinterlaced(pictures: Iterator[VideoFrame], source: Source) -> Iterator[VideoFrame]:
    """The pictures of a film without fields: as many, in the same order, with the same pts.

    Pictures of a progressive film, and progressive pictures of a mixed one, pass as they are. Each picture is made of
    itself, the one before and the one after: one decoded without the one before differs.
    """
    film = source.original
    if film is None or film.field_order == "progressive":
        yield from pictures
        return
    parity, which = "auto", "interlaced"
    if film.codec in UNMARKED:
        parity, which = film.field_order, "all"
    if film.rotation == 180 and film.height % 2 == 0:  # upside down, the top field has become the bottom one
        parity = "bff" if film.field_order == "tff" else "tff"
    graph: Graph | None = None
    waiting: deque[tuple[int | None, tuple[int, int, int, int]]] = deque()

    def ready() -> Iterator[VideoFrame]:
        while graph is not None and waiting:
            try:
                picture = graph.vpull()
            except (NotYetError, EndError):
                return
            picture.pts, tags = waiting.popleft()
            picture.colorspace, picture.color_range, picture.color_primaries, picture.color_trc = tags
            yield picture

    for picture in pictures:
        if graph is None:
            graph = filter_graph(picture, (("bwdif", f"send_frame:{parity}:{which}"),))
        waiting.append((picture.pts, colour_of(picture)))
        graph.vpush(picture)
        yield from ready()
    if graph is not None:
        graph.vpush(None)
        yield from ready()
