"""Films in one small film, one above the other, of which only what is shown later is kept."""

from array import array
from bisect import bisect_right
from collections.abc import Collection, Sequence
from fractions import Fraction

import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream
from torch import Tensor

from vedit.pages.small import picture_of, small_size
from vedit.pages.small_film import TICKS, Encoder, Passage, Preview
from vedit.video.source import Source

SIDE = 640
"""Pixels of a preview's longer side."""
WHOLE = 20
"""Seconds up to which films are shown whole."""
HEAD = 5
"""Seconds that are always shown of longer ones; around the worst moments it is the second, the one before and after."""


class PreviewWriter:
    """Encodes the pictures of films as they go by, and lets go of the seconds that nobody wants.

    One film of all stays in step by itself, whatever a browser does; several would have to be kept so.

    Args:
        film: the reference: the shape and the length of what is shown.
        films: how many are shown, the reference among them.
        side: pixels of the longer side of each.
    """

    def __init__(self, film: Source, films: int = 2, side: int = SIDE) -> None:
        self.width, self.height = small_size(film, side)
        self._wanted: Collection[int] = ()
        self._whole = film.duration <= WHOLE
        self._encoder = Encoder(self.width, films * self.height, crf=20)
        self._times: array[int] = array("q")
        self._seconds: dict[int, list[Packet[VideoStream]]] = {}

    @property
    def held(self) -> Collection[int]:
        """The seconds of which encoded pictures are held."""
        return self._seconds.keys()

    def keep(self, seconds: Collection[int]) -> None:
        """What longer films are shown of: these seconds, as known so far, and those beside them."""
        self._wanted = seconds

    def add(self, pictures: Sequence[Tensor], seconds: Fraction) -> None:
        """The pictures ``(3, H, W)`` in [0, 1] shown from a time on, one of each film; times rise."""
        pts = int(seconds * TICKS)
        if self._times and pts <= self._times[-1]:
            return
        above = np.concatenate([picture_of(picture, self.width, self.height) for picture in pictures])
        starts = not self._times or pts // TICKS != self._times[-1] // TICKS
        self._times.append(pts)
        self._take(self._encoder.encode(above, pts, key=starts))

    def _take(self, packets: "list[Packet[VideoStream]]") -> None:
        for packet in packets:
            self._seconds.setdefault((packet.pts or 0) // TICKS, []).append(packet)
        if not self._whole:
            # The second before this one is still needed should a worst moment come now.
            self._prune(self._times[-1] // TICKS - 1)

    def _prune(self, before: int) -> None:
        around = {second + i for second in self._wanted for i in (-1, 0, 1)} | set(range(HEAD))
        for second in [second for second in self._seconds if second < before and second not in around]:
            del self._seconds[second]

    def finish(self, end: Fraction) -> Preview:
        """The preview of what is wanted; ``end`` is when the last picture goes."""
        self._take(self._encoder.rest())
        if not self._whole:
            self._prune(self._times[-1] // TICKS + 1)
        stop = max(int(end * TICKS), self._times[-1] + 1)
        frames: list[int] = []
        passages: list[list[int]] = []
        clock = 0
        packets = (packet for second in sorted(self._seconds) for packet in self._seconds[second])
        for packet in packets:
            shown = packet.pts or 0
            after = bisect_right(self._times, shown)
            lasts = (self._times[after] if after < len(self._times) else stop) - shown
            if not passages or shown != passages[-1][1] + passages[-1][2]:
                passages.append([clock, shown, 0])
            passages[-1][2] += lasts
            frames.append(clock)
            self._encoder.write(packet, clock, lasts)
            clock += lasts
        return Preview(
            self._encoder.close(),
            self.width,
            self.height,
            tuple(pts / TICKS for pts in frames),
            tuple(Passage(*(ticks / TICKS for ticks in passage)) for passage in passages),
        )
