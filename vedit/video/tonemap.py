"""High dynamic range to BT.709, frame for frame, with zscale in imageio-ffmpeg's binary."""

import queue
import subprocess
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

import imageio_ffmpeg  # type: ignore[import-untyped]
import numpy as np
from av.video.frame import VideoFrame

from vedit.errors import EngineError
from vedit.video.colour import Converter, planar_format, planes
from vedit.video.source import BT2020, FULL, LIMITED, RGB, SDR, UNKNOWN, Source, VideoFacts

WHITE = 203
"""Nits that become SDR's white before highlights are rolled off: the reference white of ITU-R BT.2408."""
PEAK = 1000
"""Nits of the brightest highlight kept apart: HLG's nominal display, and what most PQ films are mastered on."""
IN_FLIGHT = 6
"""Pictures that may be with the process at a time; it has handed back the first before it asks for the third."""


def tonemapped(pictures: Iterator[VideoFrame], source: Source) -> Iterator[VideoFrame]:
    """The pictures of a film in standard dynamic range: as many, in the same order, with the same pts.

    Light is mapped after ITU-R BT.2408: up to half of reference white it stays as it is, from there on it rolls off
    (Möbius) towards ``PEAK``, by the brightest of red, green and blue, so that hues stay. Pictures of a film that is
    not HDR pass as they are. Close the generator if you stop early: it owns a process.

    Raises:
        EngineError: the process failed.
    """
    film = source.original
    if film is None or not film.colour.is_hdr:
        yield from pictures
        return
    given, made = planar_format(film.pix_fmt, False), source.video.pix_fmt
    repack = Converter(film.colour, film.height, False).repacked
    waiting: deque[int | None] = deque()
    work: queue.SimpleQueue[VideoFrame | None] = queue.SimpleQueue()

    def feed(pipe: IO[bytes]) -> None:
        # A process that died closes the pipe; the reader then finds its last words.
        with suppress(OSError, ValueError), pipe:
            while (picture := work.get()) is not None:
                for plane in planes(repack(picture, given)):
                    pipe.write(np.ascontiguousarray(plane).data)

    complaints: list[str] = []

    def listen(pipe: IO[bytes]) -> None:
        # Where a filter fails it says so, and then waits for ever for the end of what it is given.
        for line in pipe:
            complaints.append(line.decode(errors="replace").strip())
            process.kill()

    try:
        process = subprocess.Popen(  # noqa: S603 - no shell, and nothing in it but numbers and names of formats
            command(film, given, made), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except (OSError, RuntimeError) as error:  # as imageio_ffmpeg looks for it, and as the system starts it
        raise EngineError(
            f"tone mapping needs ffmpeg, which cannot be started ({error})",
            "Install imageio-ffmpeg with its binary, or set IMAGEIO_FFMPEG_EXE.",
        ) from error
    into, out_of, words = process.stdin, process.stdout, process.stderr
    assert into and out_of and words  # noqa: S101, PT018 - all are pipes
    feeder = threading.Thread(target=feed, args=(into,), name="vedit-tonemap", daemon=True)
    listener = threading.Thread(target=listen, args=(words,), name="vedit-tonemap-words", daemon=True)
    feeder.start()
    listener.start()

    def result() -> VideoFrame:
        picture = VideoFrame(film.width, film.height, made)
        for plane in planes(picture):
            data = out_of.read(plane.nbytes)
            if len(data) < plane.nbytes:
                process.wait()
                listener.join()
                why = (complaints or ["no reason given"])[0]
                raise EngineError(f"tone mapping failed: {why}", "Report it with the film's `vedit probe`.")
            plane[:] = np.frombuffer(data, plane.dtype).reshape(plane.shape)
        picture.pts = waiting.popleft()
        picture.colorspace, picture.color_range = SDR.matrix, SDR.range
        picture.color_primaries, picture.color_trc = SDR.primaries, SDR.transfer
        return picture

    try:
        for picture in pictures:
            waiting.append(picture.pts)
            work.put(picture)
            if len(waiting) == IN_FLIGHT:
                yield result()
        work.put(None)
        while waiting:
            yield result()
    finally:
        work.put(None)
        process.kill()
        out_of.close()
        process.wait()
        feeder.join()
        listener.join()
        words.close()


def command(film: VideoFacts, given: str, made: str) -> list[str]:
    """The process: raw pictures in format ``given`` in, in format ``made`` out."""
    colour = film.colour
    primaries = BT2020 if colour.primaries == UNKNOWN else colour.primaries
    matrix, span = BT2020 if colour.matrix in (RGB, UNKNOWN) else colour.matrix, max(LIMITED, colour.range)
    if given.startswith("gbr"):
        matrix, span = RGB, FULL
    # The filters refuse odd sizes of subsampled pictures.
    whole = "format=yuv444p10le" if film.width % 2 or film.height % 2 else "null"
    chain = (
        f"setparams=colorspace={matrix}:range={span}:color_primaries={primaries}:color_trc={colour.transfer}",
        "null" if given.startswith("gbr") else whole,
        f"zscale=t=linear:npl={WHITE}",
        "format=gbrpf32le",
        "zscale=p=bt709",
        f"tonemap=mobius:param=0.5:peak={PEAK / WHITE}:desat=0",  # desat brightens greys, too
        "zscale=t=bt709:m=bt709:r=limited",
        whole,
        f"format={made}",
    )
    given_as = f"-f rawvideo -pixel_format {given} -video_size {film.width}x{film.height} -i pipe:0"
    made_as = "-fps_mode passthrough -flush_packets 1 -f rawvideo pipe:1"
    quiet = "-hide_banner -loglevel error"
    exe: str = imageio_ffmpeg.get_ffmpeg_exe()
    return [exe, *quiet.split(), *given_as.split(), "-vf", ",".join(chain), *made_as.split()]
