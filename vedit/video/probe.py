"""The facts of a film, from one pass over its packets and its first pictures."""

from collections import Counter
from fractions import Fraction
from pathlib import Path
from time import monotonic

from av.stream import Discard, Disposition, Stream
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
from vedit.video.length import breaks_off, film_end, stated_end
from vedit.video.limits import check_count, max_frames, max_pixels
from vedit.video.source import Colour, Source, StreamFacts, VideoFacts
from vedit.video.tags import film_recipe
from vedit.video.timing import continued, exact_rate, presentation_times

LOOKS = 12
"""Pictures decoded to see what they are: the first of an interlaced film may be progressive."""
DYNAMIC = {"DOVI_METADATA": "Dolby Vision", "DOVI_RPU_BUFFER": "Dolby Vision", "DYNAMIC_HDR_PLUS": "HDR10+"}
FIELD_ORDERS = {2: "tff", 3: "bff", 4: "tff", 5: "bff"}


def probe(path: str | Path, *, within: float | None = None) -> Source:
    """Find the facts of a film: streams, exact times, size, colour, rotation.

    Reads every packet of the picture stream and decodes the first pictures; frame counts and average rates that the
    file states are not believed.

    Args:
        path: the film.
        within: after so many seconds of reading, the times found so far are continued at their usual step for as long
            as the file says it is, and a remark says so. Such a source is good for planning, not for ``read``.

    Raises:
        InputError: the file is missing, empty, not a film, encrypted, beyond ``vedit.video.limits``, or none of its
            pictures can be decoded.
        UsageError: it is a still picture, or a list of other files.
    """
    path = Path(path).absolute()
    with open_film(path) as film:
        stream = picture_stream(film, path)
        decoder = Decoder(stream, path)
        first: VideoFrame | None = None
        looks = 0
        interlaced = False
        stamps: list[tuple[int | None, int | None]] = []
        lengths: list[int] = []
        most, deadline = max_frames(), None if within is None else monotonic() + within
        estimated, broken = False, None
        for packet in picture_packets(film, stream):
            if not stamps and packet.has_sidedata("encryption_info"):
                raise InputError(f"{path.name} is encrypted (DRM)", "Give a copy without copy protection.")
            if looks < LOOKS:
                for picture, _ in decoder.decode(packet):
                    first = first or picture
                    interlaced = interlaced or picture.interlaced_frame
                    looks += 1
            if packet.is_discard:  # an edit list hides it
                continue
            stamps.append((packet.pts, packet.dts))
            lengths.append(packet.duration or 0)
            if len(stamps) > most:
                check_count(path.name, len(stamps))
            if (
                deadline is not None
                and first is not None
                and len(stamps) % 256 == 0
                and monotonic() > deadline
            ):
                estimated = True
                break
        if looks < LOOKS:
            for picture, _ in decoder.decode(None):
                first = first or picture
                interlaced = interlaced or picture.interlaced_frame
        if first is None or not stamps:
            raise InputError(
                f"{path.name}: none of its pictures can be decoded",
                f"Copy or download it again; if they are larger than {max_pixels()} pixels, set VEDIT_MAX_PIXELS.",
            )

        hint = Fraction(stream.guessed_rate) if stream.guessed_rate else Fraction(25)
        time_base = Fraction(stream.time_base or 1 / hint)
        usual = Counter(n for n in lengths if n > 0).most_common(1)
        step = usual[0][0] if usual else max(1, round(1 / (hint * time_base)))
        pts, repair = presentation_times(stamps, step)
        rate = exact_rate(pts, time_base, hint)
        last = next(
            (n for (p, _), n in zip(stamps[:-64:-1], lengths[:-64:-1], strict=True) if p == pts[-1]), 0
        )
        end = film_end(stream, pts, last, step, max(lengths))
        if len(pts) == 1:
            rate = 1 / ((end - pts[0]) * time_base)
        remarks = (
            [f"{repair}: set from {float(1 / (step * time_base)):.6g} frames per second"] if repair else []
        )
        if decoder.matrix not in TURNS:
            remarks.append("the display matrix is not a turn by right angles and is ignored")
        video = video_facts(stream, decoder, first, interlaced)
        if estimated:
            looked_at, (pts, end) = len(pts), continued(pts, step, stated_end(film, stream, pts[0]))
            check_count(path.name, len(pts))
            remarks.append(f"the number of pictures is estimated; {looked_at} were looked at")
        elif broken := breaks_off(film, stream, pts[0] * time_base, end * time_base):
            remarks.append(broken)
        return Source(
            path=path,
            format=film.format.name,
            video=video,
            streams=tuple(stream_facts(s) for s in film.streams if s.index != stream.index),
            pts=pts,
            end=end,
            time_base=time_base,
            rate=rate,
            chapters=len(film.chapters()),
            stamped=repair is None,
            remarks=tuple(remarks),
            recipe=film_recipe(film, path),
            broken_off=broken is not None,
        )


def video_facts(stream: VideoStream, decoder: Decoder, picture: VideoFrame, interlaced: bool) -> VideoFacts:
    """Facts of the picture stream from its header and its first upright picture; whether any of them has fields."""
    rotation, mirrored, _ = TURNS.get(decoder.matrix or STRAIGHT, TURNS[STRAIGHT])
    sar = Fraction(stream.sample_aspect_ratio or 1)
    parts = picture.format.components
    field_order = FIELD_ORDERS.get(decoder.context.field_order, "progressive")
    if interlaced and field_order == "progressive":
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
        dynamic=next((name for kind, name in DYNAMIC.items() if picture.side_data.get(kind)), None),
    )


def has_transparency(picture: VideoFrame, codec: str) -> bool:
    """Whether the alpha channel is used: a GIF always has one, mostly opaque."""
    return codec != "gif" or bool((picture.to_ndarray(format="rgba")[..., 3] < 255).any())


def stream_facts(stream: Stream) -> StreamFacts:
    """Facts of a stream that is not the edited one."""
    tags = stream.metadata
    return StreamFacts(
        index=stream.index,
        kind=stream.type,
        codec=codec_name(stream),
        language=stream.language or tags.get("language"),
        title=tags.get("title") or tags.get("name"),  # MP4 readers say "name"
        # An MP4 with chapters shows them as a text track too; copying that track breaks the output.
        # FFmpeg marks it as not to be read.
        is_chapter_track=stream.type == "data" and stream.discard == Discard.all,
        is_picture=bool(stream.disposition & Disposition.attached_pic),
    )
