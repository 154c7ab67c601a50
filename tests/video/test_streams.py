from fractions import Fraction
from pathlib import Path

import av
import numpy as np

import vedit


def two_pictures(path: Path) -> Path:
    """A film with two picture streams, at 25 and at 30000/1001 frames per second."""
    with av.open(str(path), "w") as out:
        streams = []
        for rate in (Fraction(25), Fraction(30000, 1001)):
            stream = out.add_stream("libx264", rate=rate, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            stream.codec_context.time_base = 1 / rate
            streams.append(stream)
        for stream in streams:
            for i in range(20):
                picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 5 * i, np.uint8), format="rgb24")
                picture.pts, picture.time_base = i, stream.codec_context.time_base
                out.mux(stream.encode(picture))
            out.mux(stream.encode(None))
    return path


def times(path: Path, stream: int) -> tuple[list[Fraction], Fraction]:
    """When a stream's packets are shown, and how long the stream lasts, in seconds."""
    with av.open(str(path)) as film:
        of = film.streams[stream]
        assert of.time_base is not None
        assert of.duration is not None
        packets = [p.pts * of.time_base for p in film.demux(of) if p.size and p.pts is not None]
        return sorted(packets), of.duration * of.time_base


def test_a_copied_picture_stream_keeps_its_times_whatever_the_edited_one_counts_in(tmp_path: Path) -> None:
    source, out = two_pictures(tmp_path / "two.mp4"), tmp_path / "out.mp4"
    vedit.interpolate(source, out, fps=60, quality="draft")
    assert times(out, 1) == times(source, 1)
    assert times(out, 0)[1] == times(source, 0)[1] == Fraction(20, 25)
