"""A film made small for its page: all of it, with fewer pictures the longer it is."""

from array import array
from fractions import Fraction
from io import BytesIO

import av
import cv2
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream

from vedit.analysis.picture import Picture
from vedit.frame import Frame
from vedit.report.previews import TICKS, Preview, preview_size
from vedit.video.source import BT709, LIMITED, Source

PICTURES = 1000
"""Of a film at most, but for one more at every cut."""
SIDE = 400
"""Pixels of the longer side."""


class FilmPreview:
    """Encodes the pictures of a film as they go by; its times are the film's own, from the first picture on."""

    def __init__(self, source: Source) -> None:
        self.width, self.height = preview_size(source, SIDE)
        self._start, self._base = source.pts[0], source.time_base
        self._lasts = int(source.duration * TICKS)
        self._every = 0 if source.frames <= PICTURES else self._lasts // PICTURES
        self._file = BytesIO()
        self._out = av.open(self._file, "w", format="mp4")
        options = {"crf": "27", "preset": "veryfast", "bf": "0", "g": "25", "rc-lookahead": "10"}
        self._stream: VideoStream = self._out.add_stream("libx264", rate=25, options=options)
        self._stream.width, self._stream.height, self._stream.pix_fmt = self.width, self.height, "yuv420p"
        context = self._stream.codec_context
        context.time_base = Fraction(1, TICKS)
        context.colorspace, context.color_range = BT709, LIMITED
        context.color_primaries = context.color_trc = 1
        context.thread_count = 1
        self._scaler = VideoReformatter()
        self._times: array[int] = array("q")
        self._waiting: Packet[VideoStream] | None = None

    def add(self, picture: Picture, frame: Frame) -> None:
        """The picture of a frame, if it is one that is shown; times rise."""
        pts = int((frame.pts - self._start) * self._base * TICKS)
        if self._times and not frame.cut and pts < self._times[-1] + self._every:
            return
        if self._times and pts <= self._times[-1]:
            return
        small = cv2.resize(picture, (self.width, self.height), interpolation=cv2.INTER_AREA)
        native = self._scaler.reformat(
            VideoFrame.from_ndarray(np.ascontiguousarray(small, np.uint8), "rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )
        native.pts, native.time_base = pts, Fraction(1, TICKS)
        self._times.append(pts)
        self._take(self._stream.encode(native))

    def _take(self, packets: "list[Packet[VideoStream]]") -> None:
        """Write packets, each as soon as the one after it says how long it lasts."""
        for packet in packets:
            self._write(packet.pts or 0)
            self._waiting = packet

    def _write(self, until: int) -> None:
        if self._waiting is not None:
            self._waiting.duration = max(1, until - (self._waiting.pts or 0))
            self._waiting.stream = self._stream
            self._out.mux_one(self._waiting)
        self._waiting = None

    def finish(self) -> Preview:
        """The preview, whole."""
        self._take(self._stream.encode())
        self._write(self._lasts)
        self._out.close()
        times = tuple(pts / TICKS for pts in self._times)
        return Preview(self._file.getvalue(), self.width, self.height, times, ())
