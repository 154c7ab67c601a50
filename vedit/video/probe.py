"""The facts of a film, from one pass over its packets and one decoded picture."""

from collections import Counter, deque
from fractions import Fraction
from pathlib import Path

from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vedit.errors import InputError
from vedit.video.decode import (
    STRAIGHT,
    TURNS,
    Decoder,
    codec_name,
    colour_of,
    open_film,
    picture_packets,
    picture_stream,
)
from vedit.video.source import Colour, Source, StreamFacts, VideoFacts
from vedit.video.timing import exact_rate, presentation_times

FIELD_ORDERS = {2: "tff", 3: "bff", 4: "tff", 5: "bff"}


def probe(path: str | Path) -> Source:
    """Find the facts of a film: streams, exact times, size, colour, rotation.

    Reads every packet of the picture stream and decodes the first pictures; frame counts and average rates that the
    file states are not believed.

    Raises:
        InputError: the file is missing, empty, not a film, or none of its pictures can be decoded.
    """
    path = Path(path).absolute()
    with open_film(path) as film:
        stream = picture_stream(film, path)
        decoder = Decoder(stream, path)
        first: VideoFrame | None = None
        stamps: list[tuple[int | None, int | None]] = []
        lengths: Counter[int] = Counter()
        recent: deque[tuple[int | None, int]] = deque(maxlen=64)
        for packet in picture_packets(film, stream):
            if first is None:
                first = next(iter(decoder.decode(packet)), None)
            if packet.is_discard:  # an edit list hides it
                continue
            stamps.append((packet.pts, packet.dts))
            lengths[packet.duration or 0] += 1
            recent.append((packet.pts, packet.duration or 0))
        if first is None:
            first = next(iter(decoder.decode(None)), None)
        if first is None or not stamps:
            raise InputError(
                f"{path.name}: none of its pictures can be decoded", "Copy or download it again."
            )

        hint = Fraction(stream.guessed_rate) if stream.guessed_rate else Fraction(25)
        time_base = Fraction(stream.time_base or 1 / hint)
        usual = max((n for n in lengths if n > 0), key=lambda n: lengths[n], default=0)
        step = usual or max(1, round(1 / (hint * time_base)))
        pts, repair = presentation_times(stamps, step)
        rate = exact_rate(pts, time_base, hint)
        end = film_end(stream, pts, dict(recent).get(pts[-1], 0), step)
        if len(pts) == 1:
            rate = 1 / ((end - pts[0]) * time_base)
        remarks = (
            [f"{repair}: set from {float(1 / (step * time_base)):.6g} frames per second"] if repair else []
        )
        if decoder.matrix not in TURNS:
            remarks.append("the display matrix is not a turn by right angles and is ignored")
        return Source(
            path=path,
            format=film.format.name,
            video=video_facts(stream, decoder, first),
            streams=tuple(
                stream_facts(s, film.chapters() != []) for s in film.streams if s.index != stream.index
            ),
            pts=pts,
            end=end,
            time_base=time_base,
            rate=rate,
            chapters=len(film.chapters()),
            stamped=repair is None,
            remarks=tuple(remarks),
        )


def film_end(stream: VideoStream, pts: tuple[int, ...], last: int, step: int) -> int:
    """The tick at which the last picture goes.

    The container's own length of the stream is exact where it has one (MP4); elsewhere the last packet says how long
    it lasts, or else it lasts as long as the others.
    """
    stated = pts[0] + (stream.duration or 0)
    if stream.start_time == pts[0] and 0 < stated - pts[-1] <= max(100 * step, pts[-1] - pts[0]):
        return stated
    return pts[-1] + (last or step)


def video_facts(stream: VideoStream, decoder: Decoder, picture: VideoFrame) -> VideoFacts:
    """Facts of the picture stream from its header and its first upright picture."""
    rotation, mirrored, _ = TURNS.get(decoder.matrix or STRAIGHT, TURNS[STRAIGHT])
    sar = Fraction(stream.sample_aspect_ratio or 1)
    parts = picture.format.components
    field_order = FIELD_ORDERS.get(decoder.context.field_order, "progressive")
    if picture.interlaced_frame and field_order == "progressive":
        field_order = "tff"
    return VideoFacts(
        index=stream.index,
        codec=codec_name(stream),
        pix_fmt=picture.format.name,
        width=picture.width,
        height=picture.height,
        sar=1 / sar if rotation in (90, 270) else sar,
        bit_depth=max(c.bits for c in parts),
        alpha=any(c.is_alpha for c in parts) and has_transparency(picture, codec_name(stream)),
        colour=Colour(*colour_of(picture)),
        field_order=field_order,
        rotation=rotation,
        mirrored=mirrored,
    )


def has_transparency(picture: VideoFrame, codec: str) -> bool:
    """Whether the alpha channel is used: a GIF always has one, mostly opaque."""
    return codec != "gif" or bool((picture.to_ndarray(format="rgba")[..., 3] < 255).any())


def stream_facts(stream: Stream, has_chapters: bool) -> StreamFacts:
    """Facts of a stream that is not the edited one."""
    tags = stream.metadata
    return StreamFacts(
        index=stream.index,
        kind=stream.type,
        codec=codec_name(stream),
        language=stream.language or tags.get("language"),
        title=tags.get("title"),
        # An MP4 with chapters shows them as a text track too; copying that track breaks the output.
        is_chapter_track=has_chapters
        and stream.type == "data"
        and codec_name(stream) in ("bin_data", "unknown"),
        is_picture=bool(stream.disposition & Disposition.attached_pic),
    )
