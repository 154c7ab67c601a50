"""Which encoder, with which settings, in which container; found out by trying before any work is done."""

import contextlib
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from io import BytesIO
from pathlib import Path

import av
from av.codec import Codec
from av.codec.codec import PixFmtLoss, UnknownCodecError, find_best_pix_fmt_of_list
from av.codec.context import ThreadType
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.format import VideoFormat
from av.video.stream import VideoStream

from vedit.errors import UsageError
from vedit.frame import Timing
from vedit.video.colour import encoded_colour
from vedit.video.priority import same_priority
from vedit.video.source import BT601, FULL, Colour, Source

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
AUTO = {
    "mp4": ("libx264", "libx265"),
    "mov": ("libx264", "prores_ks", "libx265"),
    "matroska": ("libx264", "libvpx-vp9", "libx265", "ffv1"),
    "webm": ("libvpx-vp9", "libsvtav1"),
}
"""What ``auto`` tries for a container, the usual encoder first; the others hold more bits, or transparency."""
SETTINGS: Mapping[str, Mapping[str, str]] = {
    "libx264": {"crf": "18", "preset": "medium"},
    "libx265": {"crf": "20", "preset": "medium", "x265-params": "log-level=none"},
    "libvpx-vp9": {"crf": "24", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"},
    "libsvtav1": {"crf": "26", "preset": "8"},
    "ffv1": {"level": "3", "slicecrc": "1"},
    "mpeg4": {"flags": "+qscale", "global_quality": "236"},  # quality 2 of 31, in FFmpeg's units of 1/118
    "mpeg2video": {"flags": "+qscale", "global_quality": "236"},
    "mjpeg": {"flags": "+qscale", "global_quality": "236"},
}
"""What each encoder is told unless the user says otherwise: visually lossless, at a usable speed."""

SAME_EVERY_TIME = {"x264-params": "asm=avx2"}
"""What makes x264 encode the same pictures to the same bytes. With AVX-512 its rate control (mbtree) reads memory that
nobody wrote, for pictures whose width is not a multiple of 128: of 30 runs over 50 pictures of 64x192, 25 differed."""

SHAPE_IN_STREAM = ("libx264", "libx265", "mpeg4")
"""Encoders that note the shape of pixels themselves; PyAV cannot set it in a Matroska header."""

FINEST_FILM = 10**6
"""Ticks a second of an MP4 file's own clock, at most."""

PICTURE_TICKS = ("mpeg1video", "mpeg2video", "mpeg4")
"""Encoders whose clock ticks once a picture, or not much faster."""


@dataclass(frozen=True)
class Encoding:
    """A choice that was tried and works: encoder, its options, container, pixel format, tags, and what it loses."""

    container: str
    codec: str
    options: Mapping[str, str]
    pix_fmt: str
    colour: Colour
    losses: tuple[str, ...]


def container_for(path: Path) -> str:
    """FFmpeg's container for a file name.

    Raises:
        UsageError: the ending is none of ``CONTAINERS``.
    """
    try:
        return CONTAINERS[path.suffix.lower()]
    except KeyError:
        raise UsageError(
            f"{path.name}: {path.suffix or 'no ending'!r} is not a film ending that can be written",
            f"Use one of {', '.join(CONTAINERS)}.",
        ) from None


def choose_encoding(source: Source, container: str, codec: str, crf: float | None) -> Encoding:
    """The encoding of ``source`` into a container: the source's pixel format, or the nearest that the encoder takes.

    ``auto`` takes the container's usual encoder, or the first other one that keeps transparency and bit depth better.

    Raises:
        UsageError: unknown codec or crf, or a codec that the container or picture size does not allow.
    """
    if codec != "auto":
        return encoding_with(find_encoder(codec), source, container, crf)
    choices, errors = [], []
    for name in AUTO[container]:
        try:
            choices.append(encoding_with(find_encoder(name), source, container, crf))
        except UsageError as error:
            errors.append(error)
        if choices and worst_losses(source, choices[-1].pix_fmt) == (False, False):
            break
    if not choices:
        raise errors[0]
    usual, best = choices[0], min(choices, key=lambda choice: worst_losses(source, choice.pix_fmt))
    if best is usual:
        return usual
    lost, lost_still = (worst_losses(source, choice.pix_fmt) for choice in (usual, best))
    kinds = ("transparency", "bit depth")
    what = " and ".join(k for k, a, b in zip(kinds, lost, lost_still, strict=True) if a and not b)
    reason = f"{best.codec} is used because {usual.codec} would lose {what}"
    return replace(best, losses=(reason, *best.losses))


def worst_losses(source: Source, pix_fmt: str) -> tuple[bool, bool]:
    """Whether a pixel format loses transparency, and bit depth."""
    _, loss = find_best_pix_fmt_of_list([pix_fmt], source.video.pix_fmt, source.video.alpha)
    return bool(loss & PixFmtLoss.ALPHA), bool(loss & PixFmtLoss.DEPTH)


def encoding_with(encoder: Codec, source: Source, container: str, crf: float | None) -> Encoding:
    """The first pixel format, nearest first, in which an encoder takes the film into a container.

    Raises:
        UsageError: there is none, or the encoder does not take this crf.
    """
    options = encoder_options(encoder, crf)
    tried = []
    for pix_fmt in pixel_formats(encoder, source):
        colour = encoded_colour(source.video.colour, source.video.pix_fmt, pix_fmt, source.height)
        if encoder.name == "mjpeg":  # JPEG knows no other colours, whatever the tags say
            colour = replace(colour, matrix=BT601, range=FULL)
        change = f"{encoder.name} gets {pix_fmt} for {source.video.pix_fmt}"
        losses = [f"{x}: {change}" for x in losses_between(source.video.pix_fmt, pix_fmt, source.video.alpha)]
        if losses and container == "mp4" and worst_losses(source, pix_fmt)[0]:
            losses[0] += "; .mov, .mkv and .webm keep it"
        if (
            source.video.sar != 1
            and container in ("matroska", "webm")
            and encoder.name not in SHAPE_IN_STREAM
        ):
            losses.append(
                f"pixels that are not square ({source.video.sar}) are not marked so: use libx264 or .mov"
            )
        choice = Encoding(container, encoder.name, options, pix_fmt, colour, tuple(losses))
        try:
            with same_priority(), av.open(BytesIO(), "w", format=container) as trial:
                add_video(trial, choice, source, source.timing)
                trial.start_encoding()
            return choice
        except (FFmpegError, ValueError, OSError) as error:
            tried.append(f"{pix_fmt}: {error}")
    raise UsageError(
        f"{encoder.name} cannot write this film ({source.width}x{source.height}, {source.video.pix_fmt}) "
        f"to {container}: {tried[0] if tried else 'no pixel format fits'}",
        f"Use another codec (here the default is {AUTO[container][0]}) or write .mkv.",
    )


def find_encoder(name: str) -> Codec:
    """The encoder of a name such as ``libx264``, ``h264`` or ``ffv1``.

    Raises:
        UsageError: this FFmpeg has no such video encoder.
    """
    try:
        encoder = Codec(name, "w")
    except UnknownCodecError:
        encoder = None
    if encoder is None or encoder.type != "video":
        raise UsageError(
            f"codec {name!r} is not a video encoder of this FFmpeg",
            f"Use one of {', '.join(sorted(SETTINGS))}.",
        )
    return encoder


def encoder_options(encoder: Codec, crf: float | None) -> dict[str, str]:
    """Settings for an encoder, the user's ``crf`` in place of ours.

    Raises:
        UsageError: the encoder has no crf, or not this one.
    """
    options = dict(SETTINGS.get(encoder.name, {}))
    if crf is None:
        return options
    # FFmpeg ignores options that an encoder does not know, so this one is looked up first.
    known = next((o for o in encoder.create().supported_options.private if o.name == "crf"), None)
    if known is None:
        raise UsageError(
            f"codec {encoder.name!r} has no crf", "Leave crf out, or use libx264, libx265 or libvpx-vp9."
        )
    top = {"libx264": 51.0, "libx265": 51.0}.get(encoder.name, min(known.max, 63.0))
    if not 0 <= crf <= top:
        raise UsageError(
            f"crf {crf:g} is out of range for {encoder.name}", f"Use 0 (best) to {top:g} (smallest)."
        )
    return {**options, "crf": f"{crf:g}"}


def pixel_formats(encoder: Codec, source: Source) -> Iterator[str]:
    """The encoder's pixel formats, the source's own first, then by how little they lose.

    Not the first alone: what an encoder offers it may still refuse (x264 odd sizes with shared chroma, libvpx alpha
    with full chroma).
    """
    own = source.video.pix_fmt
    offered = [f.name for f in encoder.video_formats or []] or [own]
    if own in offered:
        offered.remove(own)
        yield own
    red_green_blue = [name for name in offered if VideoFormat(name).is_rgb]
    others = [name for name in offered if name not in red_green_blue]
    # YUV and grey do not become RGB, which few players take, while there is another way.
    for left in [offered] if VideoFormat(own).is_rgb or own == "pal8" else [others, red_green_blue]:
        while left:
            best, _ = find_best_pix_fmt_of_list(left, own, source.video.alpha)
            if best is None:
                break
            left.remove(best.name)
            yield best.name


def losses_between(own: str, chosen: str, alpha: bool) -> tuple[str, ...]:
    """What a change of pixel format costs the picture, in words."""
    if own == chosen:
        return ()
    _, loss = find_best_pix_fmt_of_list([chosen], own, alpha)
    words = {
        PixFmtLoss.ALPHA: "transparency is lost",
        PixFmtLoss.DEPTH: "bit depth is reduced",
        PixFmtLoss.RESOLUTION: "colour is stored at lower resolution",
        PixFmtLoss.CHROMA: "colour is lost",
    }
    return tuple(text for flag, text in words.items() if loss & flag)


def add_video(out: OutputContainer, encoding: Encoding, source: Source, timing: Timing) -> VideoStream:
    """The stream that the edited pictures go into, set up but not opened."""
    average = timing.rate or source.frames / source.duration
    options = {
        **encoding.options,
        **(SAME_EVERY_TIME if encoding.codec == "libx264" and _has_avx512() else {}),
    }
    stream = out.add_stream(encoding.codec, rate=average.limit_denominator(100_000), options=options)
    assert isinstance(stream, VideoStream)  # noqa: S101 - find_encoder made sure
    context = stream.codec_context
    stream.width, stream.height, stream.pix_fmt = source.width, source.height, encoding.pix_fmt
    context.time_base = timing.time_base
    if timing.rate and encoding.codec in PICTURE_TICKS:
        context.time_base = 1 / timing.rate
    if source.video.sar != 1:
        context.sample_aspect_ratio = source.video.sar
    context.colorspace, context.color_range = encoding.colour.matrix, encoding.colour.range
    context.color_primaries, context.color_trc = encoding.colour.primaries, encoding.colour.transfer
    if encoding.codec == "libsvtav1":
        os.environ.setdefault("SVT_LOG", "1")  # errors only: it prints its settings to stderr by itself
    if encoding.codec == "libx265" and encoding.container in ("mp4", "mov"):
        context.codec_tag = "hvc1"  # the only one that Apple's players take
    # PyAV asks for slice threads, which cost x264 speed and size.
    context.thread_type = ThreadType.FRAME | ThreadType.SLICE
    if (
        source.video.alpha
        and VideoFormat(encoding.pix_fmt).components[-1].is_alpha
        and encoding.codec == "libvpx-vp9"
    ):
        stream.metadata["alpha_mode"] = "1"
        stream.options["auto-alt-ref"] = "0"
    return stream


def muxer_options(container: str, pictures: Sequence[Fraction], others: Sequence[Fraction]) -> dict[str, str]:
    """Options that keep times exact, and files the same from run to run.

    Unless told, MP4 counts tracks and edit lists in ticks of its choice, and Matroska numbers its films at random.

    ``pictures`` and ``others`` are the time bases of the picture streams and of the rest. One tick serves all picture
    tracks, so it has to divide each of theirs; edit lists, which say when a track begins and how long it lasts, use the
    film's own. Where that one is too coarse, players do not see a last packet of sound that is short.
    """
    if container in ("matroska", "webm"):
        return {"fflags": "+bitexact"}
    if container not in ("mp4", "mov"):
        return {}
    options = {}
    ticks = math.lcm(*(base.denominator for base in pictures))
    if ticks < 2**31:
        options["video_track_timescale"] = str(ticks)
    film_ticks = math.lcm(ticks, *(base.denominator for base in others))
    if film_ticks > FINEST_FILM:  # then exact for pictures, and as fine as can be for sound
        film_ticks = ticks * (FINEST_FILM // ticks) or FINEST_FILM
    options["movie_timescale"] = str(film_ticks)
    return options


@cache
def _has_avx512() -> bool:
    """Whether this is Linux on a CPU that has it; elsewhere x264 finds out by itself what it can use."""
    with contextlib.suppress(OSError):
        return "avx512bw" in Path("/proc/cpuinfo").read_text()
    return False
