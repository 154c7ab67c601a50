"""Segments and the source's other streams, packet by packet, into one film."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream

from vedit.errors import OutputError
from vedit.frame import Pace, Timing
from vedit.video.copier import Copied, Copier, writing_order
from vedit.video.decode import open_film
from vedit.video.encode import Encoding, add_video, muxer_options
from vedit.video.journal import Segment
from vedit.video.moved import Moved
from vedit.video.priority import same_priority
from vedit.video.sound import choose_sound
from vedit.video.source import Source, StreamFacts
from vedit.video.streams import StreamPlan
from vedit.video.tags import kept_chapters, kept_tags, recipe_tags, tag_options


@dataclass(frozen=True)
class Assembled:
    """A film that was put together: index of its picture stream, when its pictures are shown, what was copied.

    ``copied`` pairs the index of a stream in the film with what went into it; ``missing`` are streams that the
    container leaves out because nothing went into them; ``repaired`` counts packets whose times did not rise,
    ``skipped`` those too damaged to be carried over; ``unheard`` are the seconds that a sound lacks at its beginning.
    """

    picture: int
    pts: tuple[int, ...]
    copied: tuple[tuple[int, Copied], ...]
    missing: tuple[StreamFacts, ...]
    repaired: int
    skipped: int
    unheard: Fraction


def assemble(
    path: Path,
    folder: Path,
    segments: Sequence[Segment],
    source: Source,
    encoding: Encoding,
    plans: Sequence[StreamPlan],
    timing: Timing,
    pace: Pace | None = None,
    recipe: str | None = None,
) -> Assembled:
    """Write a film of all ``segments`` in ``folder``, with the streams that ``plans`` keeps.

    ``pace`` is how the source's time became that of ``timing``; None: it is the same. ``recipe`` goes into its tags.

    Raises:
        OutputError: a segment was written by an encoder set up differently, or cannot be read.
        FFmpegError, OSError: the film cannot be written, or the source no longer read.
    """
    kept = [plan for plan in plans if plan.how != "drop"]
    order = writing_order(kept, source.video.index)
    cover = any(plan.facts.is_picture for plan in kept)
    shift = first_tick(timing)
    start, begins = source.pts[0] * source.time_base, timing.start * timing.time_base
    moved = Moved(shift * timing.time_base, start, begins, pace)
    with open_film(source.path) as film:
        options = muxer_options(encoding.container, *_clocks(film, kept, timing, encoding.container))
        options |= tag_options(film.metadata, encoding.container, cover)
        with same_priority(), _written(path, encoding.container, options) as out:
            copier = Copier(film, kept, out, moved)
            for index in order:
                if index == source.video.index:
                    old = film.streams[index]
                    picture = add_video(out, encoding, source, timing)
                    picture.metadata.update(kept_tags(old.metadata, encoding.container))
                    picture.disposition = old.disposition
                else:
                    copier.add(index)
            out.metadata.update(kept_tags(film.metadata, encoding.container))
            out.metadata.update(recipe_tags(recipe, encoding.container, options))
            out.set_chapters(kept_chapters(film, moved))
            _take_header(picture, folder, segments)
            table = [packet for segment in segments for packet in segment.packets]
            pts, stamps = decoding_times(table)
            if encoding.container in ("mp4", "mov"):
                # It stores how long packets last in decoding order; this makes the sum exact.
                last, dts, _ = stamps[-1]
                stamps[-1] = (last, dts, max(1, timing.end - pts[0] - (dts - stamps[0][1])))
            for packet, (shown, dts, duration) in zip(packets(folder, segments), stamps, strict=True):
                packet.stream, packet.time_base = picture, timing.time_base
                packet.pts, packet.dts, packet.duration = shown + shift, dts + shift, duration
                copier.until(packet.dts * timing.time_base)
                out.mux_one(packet)
            copier.until(None)
    missing = set[int]()
    if encoding.container in ("mp4", "mov"):
        # Their writer leaves out what holds nothing, but for subtitles, which it ends with a packet of its own.
        missing = {index for index in copier.empty if copier.copied[index].facts.kind != "subtitle"}
        order = [index for index in order if index not in missing]
    copied = tuple((order.index(i), c) for i, c in copier.copied.items() if i not in missing)
    lost = tuple(copier.copied[index].facts for index in sorted(missing))
    picture_at = order.index(source.video.index)
    return Assembled(picture_at, pts, copied, lost, copier.repaired, copier.skipped, copier.unheard)


def first_tick(timing: Timing) -> int:
    """Ticks added to every time: no container holds pictures before 0, so such a film starts there, sound and all."""
    return max(0, -timing.start)


@contextlib.contextmanager
def _written(path: Path, container: str, options: dict[str, str]) -> Iterator[OutputContainer]:
    """An output that is closed in any case; what closing complains about counts only when nothing else went wrong."""
    out = av.open(str(path), "w", format=container, container_options=options)
    try:
        yield out
    except BaseException:
        with contextlib.suppress(FFmpegError, OSError, ValueError):
            out.close()
        raise
    out.close()


def _clocks(
    film: InputContainer, kept: Sequence[StreamPlan], timing: Timing, container: str
) -> tuple[list[Fraction], list[Fraction]]:
    """The time bases of all picture streams to be written, and the length of a sample of each sound track."""
    pictures, others = [timing.time_base], []
    for plan in kept:
        stream = film.streams[plan.facts.index]
        if isinstance(stream, AudioStream):
            settings = choose_sound(stream, plan.codec, container) if plan.how == "convert" else None
            told = settings.rate if settings else stream.codec_context and stream.codec_context.sample_rate
            others += [Fraction(1, told)] if told else []
        elif stream.time_base and plan.facts.kind == "video" and not plan.facts.is_picture:
            pictures.append(Fraction(stream.time_base))
    return pictures, others


def _take_header(picture: VideoStream, folder: Path, segments: Sequence[Segment]) -> None:
    """Describe the packets as the segments do; an encoder set up alike describes its pictures alike."""
    headers = set()
    for segment in segments:
        with _opened(folder / segment.file) as film:
            headers.add(film.streams.video[0].codec_context.extradata)
    if len(headers) != 1:
        raise OutputError(
            f"the segments in {folder} do not fit together", "Run the command again with --no-resume."
        )
    picture.codec_context.open(strict=False)
    picture.codec_context.extradata = headers.pop()


def packets(folder: Path, segments: Sequence[Segment]) -> "Iterator[Packet[VideoStream]]":
    """The packets of all segments, in decoding order.

    Raises:
        OutputError: a segment holds other packets than it should.
    """
    for segment in segments:
        with _opened(folder / segment.file) as film:
            count = 0
            for packet in film.demux(film.streams.video[0]):
                if packet.size:
                    count += 1
                    yield packet
        if count != len(segment.packets):
            raise OutputError(
                f"{folder / segment.file} holds {count} pictures instead of {len(segment.packets)}",
                "Run the command again with --no-resume.",
            )


def _opened(path: Path) -> InputContainer:
    try:
        return av.open(str(path), "r")
    except FFmpegError as error:
        raise OutputError(
            f"{path} cannot be read back: {error}", "Run the command again with --no-resume."
        ) from error


def decoding_times(
    table: Sequence[tuple[int, int]],
) -> tuple[tuple[int, ...], list[tuple[int, int, int]]]:
    """When packets are decoded: as encoders do it, each at the time of the picture ``delay`` places before it.

    Args:
        table: (pts, duration) of every packet, in decoding order.

    Returns:
        all pts sorted, and (pts, dts, duration) of every packet. dts rise strictly and are never above pts.
    """
    shown = sorted(pts for pts, _ in table)
    place = {pts: i for i, pts in enumerate(shown)}
    delay = max((i - place[pts] for i, (pts, _) in enumerate(table)), default=0)
    before = shown[min(delay, len(shown) - 1)] - shown[0]
    decoded = [shown[i] - before for i in range(min(delay, len(shown)))]
    decoded += shown[: len(shown) - len(decoded)]
    stamps = [(pts, dts, duration) for (pts, duration), dts in zip(table, decoded, strict=True)]
    return tuple(shown), stamps
