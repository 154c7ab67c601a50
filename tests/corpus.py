"""Small films of every kind that people have, made in code; every picture carries its own number.

``FILMS`` maps a file name to what writes it. Lossless pictures, one encoder thread and bit-exact muxing make the
films the same from run to run, so what is read from them can be kept in golden lists.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from itertools import accumulate
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.filter import Graph
from av.video.format import VideoFormat
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Draw = Callable[[int], Picture]

BLOCK = 8
"""Side of a block of a picture's number, pixels."""
SIZE = (96, 64)
SOUND_RATE = 48000
FILM_RATE, NTSC_RATE = Fraction(24000, 1001), Fraction(30000, 1001)
BT709 = (1, 1, 1, 1)
"""Matrix, range, primaries and transfer of an ordinary film."""
SCALED = (1, 4, 5, 6, 7, 9)
"""The matrices that FFmpeg can convert to; pictures of others are converted to BT.601 and only tagged."""
LOSSLESS = {
    "libx264": {"qp": "0", "preset": "veryfast", "x264-params": "weightp=0:mbtree=0"},
    "libx265": {"preset": "ultrafast", "x265-params": "lossless=1:log-level=none:pools=none:frame-threads=1"},
    "libvpx-vp9": {"lossless": "1", "deadline": "realtime", "cpu-used": "8"},
    "mpeg2video": {"flags": "+bitexact+ildct+ilme+qscale", "global_quality": "236"},
    "mjpeg": {"flags": "+bitexact+qscale", "global_quality": "236"},
}


@dataclass(frozen=True)
class Sound:
    """A tone of ``seconds`` that starts at ``start``."""

    codec: str = "aac"
    seconds: float = 1.0
    start: float = 0.0
    language: str | None = None


def picture(number: int, size: tuple[int, int] = SIZE, shot: int = 0, move: int = 0) -> Picture:
    """RGB picture of a shot: two ramps, a square that moves 2 pixels a picture, and the number along the top edge.

    The number is written in Gray code, eight black or white blocks, so that every step changes just one block and no
    step looks like a cut. ``move`` moves the square on without changing the number.
    """
    width, height = size
    rgb = np.empty((height, width, 3), np.uint8)
    rgb[..., 0] = np.arange(width) * 90 // width + 40
    rgb[..., 1] = np.arange(height)[:, None] * 90 // height + 40
    rgb[..., 2] = 90
    side = height // 4
    left = (2 * number + move) % (width - side)
    rgb[height // 2 : height // 2 + side, left : left + side] = (230, 200, 40)
    if shot % 2:
        rgb = 255 - rgb
    gray = number % 256 ^ number % 256 >> 1
    for bit in range(8):
        rgb[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 235 if gray >> bit & 1 else 20
    return rgb


def number_of(rgb: NDArray[np.float32]) -> int:
    """The number (modulo 256) that a picture ``(H, W, C)`` in [0, 1] carries."""
    quarter = BLOCK // 4
    gray = sum(
        int(rgb[quarter:-quarter, quarter:-quarter, :3].mean() > 0.5) << bit
        for bit, rgb in enumerate(np.split(rgb[:BLOCK, : 8 * BLOCK], 8, axis=1))
    )
    number = gray
    while gray := gray >> 1:
        number ^= gray
    return number


def drawing(size: tuple[int, int] = SIZE, shots: Sequence[int] = (10**9,)) -> Draw:
    """Draws picture ``n`` of a film whose shots have these lengths."""
    ends = list(accumulate(shots))
    return lambda number: picture(number, size, sum(number >= end for end in ends))


def write(
    path: Path,
    pts: Iterable[int] = range(24),
    *,
    tick: Fraction = Fraction(1, 25),
    rate: Fraction | None = None,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    options: Mapping[str, str] | None = None,
    draw: Draw | None = None,
    turn: tuple[int, bool] = (0, False),
    sar: Fraction | None = None,
    colour: tuple[int, int, int, int] = BT709,
    sounds: Sequence[Sound] = (),
    container: str | None = None,
    more: Callable[[OutputContainer], Callable[[], None]] | None = None,
) -> Path:
    """Write a film of the pictures that ``draw`` gives for 0, 1, ... at the times ``pts`` (in ``tick`` seconds).

    ``turn`` stores them turned and says so in the display matrix: (counterclockwise degrees, mirrored after it).
    ``more`` adds other streams before any packet and returns what then fills them.
    """
    draw = draw or drawing()
    degrees, mirrored = turn
    first = draw(0)
    height, width = first.shape[:2] if degrees % 180 == 0 else first.shape[1::-1]
    with av.open(
        path,
        "w",
        format=container,
        options={"fflags": "+bitexact", "avoid_negative_ts": "disabled"},
    ) as out:
        stream = out.add_stream(
            codec,
            rate=rate or 1 / tick,
            options={"threads": "1", "flags": "+bitexact", **LOSSLESS.get(codec, {}), **(options or {})},
        )
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        context = stream.codec_context
        context.time_base = tick
        context.colorspace, context.color_range, context.color_primaries, context.color_trc = colour
        if sar:
            context.sample_aspect_ratio = sar
        if degrees or mirrored:
            stream.set_display_rotation(degrees, mirrored)
        if pix_fmt.startswith("yuva") and codec == "libvpx-vp9":
            stream.metadata["alpha_mode"] = "1"
            stream.options["auto-alt-ref"] = "0"
        tracks = [(add_sound(out, sound), sound) for sound in sounds]
        fill = more(out) if more else None
        for number, at in enumerate(pts):
            upright = draw(number)
            rgb = np.rot90(np.fliplr(upright) if mirrored else upright, -degrees // 90)
            out.mux(stream.encode(native(rgb, pix_fmt, colour, at, tick)))
        out.mux(stream.encode(None))
        for track, sound in tracks:
            for samples in tone(sound):
                out.mux(track.encode(samples))
            out.mux(track.encode(None))
        if fill:
            fill()
    return path


def native(
    rgb: Picture, pix_fmt: str, colour: tuple[int, int, int, int], pts: int, tick: Fraction
) -> av.VideoFrame:
    """A picture as an encoder takes it."""
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), "rgba" if rgb.shape[2] == 4 else "rgb24")
    if not pix_fmt.startswith(("rgb", "gbr", "bgr")):
        frame = frame.reformat(
            format=pix_fmt, dst_colorspace=colour[0] if colour[0] in SCALED else 5, dst_color_range=colour[1]
        )
    else:
        frame = frame.reformat(format=pix_fmt)
    frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc = colour
    frame.pts, frame.time_base = pts, tick
    return frame


def add_sound(out: OutputContainer, sound: Sound) -> AudioStream:
    track = out.add_stream(sound.codec, rate=SOUND_RATE, layout="mono")
    assert isinstance(track, AudioStream)
    if sound.language:
        track.metadata["language"] = sound.language
    return track


def tone(sound: Sound) -> Iterable[av.AudioFrame]:
    """A quiet 440 Hz tone in blocks of 1024 samples."""
    count, first = round(sound.seconds * SOUND_RATE), round(sound.start * SOUND_RATE)
    wave = (np.sin(np.arange(count) * (2 * np.pi * 440 / SOUND_RATE)) * 6000).astype(np.int16)
    for start in range(0, count, 1024):
        frame = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="s16", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = SOUND_RATE, Fraction(1, SOUND_RATE), first + start
        yield frame


# ---- films that need more than `write` ----


def with_everything(path: Path) -> Path:
    """Two sound tracks of two languages, subtitles, an attachment, two chapters and tags."""
    cues = "1\n00:00:00,200 --> 00:00:00,900\nHello\n\n2\n00:00:01,000 --> 00:00:01,500\nna\u00efve\n"

    def more(out: OutputContainer) -> Callable[[], None]:
        text = av.open(BytesIO(cues.encode()), format="srt")
        assert isinstance(text, InputContainer)
        stream = out.add_stream_from_template(text.streams[0])
        stream.metadata["language"] = "eng"
        out.add_attachment("note.txt", "text/plain", b"kept word for word")
        out.metadata.update(title="Everything", comment="a note")
        names, tick = ("One", "Two"), Fraction(1, 1000)
        out.set_chapters(
            [
                {
                    "id": i,
                    "start": 800 * i,
                    "end": 800 * (i + 1),
                    "time_base": tick,
                    "metadata": {"title": name},
                }
                for i, name in enumerate(names)
            ]
        )

        def fill() -> None:
            with text:
                for packet in text.demux():
                    if packet.size:
                        packet.stream = stream
                        out.mux(packet)

        return fill

    sounds = [Sound("aac", 1.6, language="eng"), Sound("flac", 1.6, language="fra")]
    return write(path, range(38), tick=1 / FILM_RATE, sounds=sounds, draw=drawing(shots=(20, 18)), more=more)


def interlaced(path: Path) -> Path:
    """Real interlacing, top field first: the odd lines show the square half a picture later."""
    tick = Fraction(1, 25)
    graph: Graph | None = None
    with av.open(path, "w", format="mpeg", options={"fflags": "+bitexact"}) as out:
        stream = out.add_stream("mpeg2video", rate=25, options={"threads": "1", **LOSSLESS["mpeg2video"]})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for number in range(16):
            woven = picture(number)
            woven[1::2] = picture(number, move=1)[1::2]
            frame = native(woven, "yuv420p", (6, 1, 6, 6), number, tick)
            if graph is None:
                graph = Graph()  # only a filter can mark a picture as interlaced
                source = graph.add_buffer(
                    width=SIZE[0], height=SIZE[1], format=VideoFormat("yuv420p"), time_base=tick
                )
                graph.link_nodes(source, graph.add("setfield", "tff"), graph.add("buffersink"))
                graph.configure()
            graph.vpush(frame)
            frame = graph.vpull()
            frame.pts, frame.time_base = number, tick
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def resized(path: Path) -> Path:
    """The size changes from 96x64 to 64x48 after 8 of 16 pictures."""
    tick = Fraction(1, 25)
    with av.open(path, "w", format="mpegts", options={"fflags": "+bitexact"}) as out:
        options = {"threads": "1", "flags": "+bitexact", "bf": "0", **LOSSLESS["libx264"]}
        stream = out.add_stream("libx264", rate=25, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = SIZE
        second = av.CodecContext.create("libx264", "w")
        second.width, second.height, second.pix_fmt = 64, 48, "yuv420p"
        second.time_base, second.framerate, second.options = tick, Fraction(25), options
        for number in range(8):
            out.mux(stream.encode(native(picture(number), "yuv420p", BT709, number, tick)))
        out.mux(stream.encode(None))
        for number in [*range(8, 16), None]:
            small = (
                number
                if number is None
                else native(picture(number, (64, 48)), "yuv420p", BT709, number, tick)
            )
            for packet in second.encode(small):
                packet.stream = stream
                out.mux(packet)
    return path


def hurt(path: Path, packets: Sequence[int], *, late: bool) -> Path:
    """Overwrite picture packets with noise: whole, so that decoding fails, or ``late`` in them, to be concealed."""
    with av.open(path) as film:
        places = [(p.pos, p.size) for p in film.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    for number in packets:
        position, size = places[number]
        assert position is not None
        skip = size * 2 // 3 if late else 0
        data[position + skip : position + size] = np.random.default_rng(number).bytes(size - skip)
        if not late:
            data[position] = 0xFF
    path.write_bytes(data)
    return path


def cut_off(path: Path, share: float) -> Path:
    """Keep only the first part of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def clear_to_opaque(number: int) -> Picture:
    """The picture with an alpha ramp: clear at the left, opaque at the right."""
    rgb = picture(number)
    alpha = np.broadcast_to((np.arange(SIZE[0]) * 255 // (SIZE[0] - 1)).astype(np.uint8), rgb.shape[:2])
    return np.dstack([rgb, alpha])


TALL = (SIZE[1], SIZE[0])
VARYING = list(accumulate(([2] * 8 + [3] * 5) * 2, initial=0))
"""Times in 1/60 s: 30 frames a second, then 20, twice."""
HDR10 = (
    LOSSLESS["libx265"]["x265-params"]
    + ":hdr10=1:repeat-headers=1:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:range=limited"
    ":max-cll=1000,400:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
)

FILMS: Mapping[str, Callable[[Path], Path]] = {
    "vfr.mp4": lambda p: write(p, VARYING, tick=Fraction(1, 60), sounds=[Sound()]),
    "vfr.mkv": lambda p: write(p, VARYING, tick=Fraction(1, 60), sounds=[Sound()]),
    "film_rate.mkv": lambda p: write(p, tick=1 / FILM_RATE, codec="ffv1", sounds=[Sound("flac")]),
    "ntsc_rate.mp4": lambda p: write(p, range(40), tick=1 / NTSC_RATE, draw=drawing(shots=(17, 23))),
    "turned_90.mp4": lambda p: write(p, range(8), draw=drawing(TALL), turn=(-90, False)),
    "turned_180.mp4": lambda p: write(p, range(8), turn=(180, False)),
    "turned_270.mp4": lambda p: write(p, range(8), draw=drawing(TALL), turn=(90, False)),
    "mirrored.mp4": lambda p: write(p, range(8), turn=(0, True)),
    "mirrored_90.mp4": lambda p: write(p, range(8), draw=drawing(TALL), turn=(-90, True)),
    "anamorphic.mp4": lambda p: write(p, range(8), sar=Fraction(4, 3)),
    "interlaced.mpg": interlaced,
    "ten_bit.mkv": lambda p: write(p, range(8), codec="ffv1", pix_fmt="yuv422p10le"),
    "hdr_pq.mp4": lambda p: write(
        p,
        range(8),
        codec="libx265",
        pix_fmt="yuv420p10le",
        colour=(9, 1, 9, 16),
        options={"x265-params": HDR10},
    ),
    "alpha.mov": lambda p: write(
        p,
        range(6),
        codec="prores_ks",
        pix_fmt="yuva444p10le",
        draw=clear_to_opaque,
        options={"profile": "4444"},
    ),
    "alpha.webm": lambda p: write(p, range(6), codec="libvpx-vp9", pix_fmt="yuva420p", draw=clear_to_opaque),
    "everything.mkv": with_everything,
    "late_sound.mp4": lambda p: write(p, sounds=[Sound(seconds=0.5, start=0.48)]),
    "before_zero.mkv": lambda p: write(p, range(-5, 11), options={"bf": "0"}),
    "edit_list.mp4": lambda p: write(p, range(-5, 11), options={"bf": "0"}),
    "from_5_s.mkv": lambda p: write(p, range(125, 141), sounds=[Sound(start=5.0)]),
    "transport.ts": lambda p: write(p, range(35, 59), sounds=[Sound(start=1.4)], container="mpegts"),
    "one_picture.mp4": lambda p: write(p, [0]),
    "odd_size.mkv": lambda p: write(p, range(6), codec="ffv1", draw=drawing((71, 43))),
    "full_range.avi": lambda p: write(
        p, range(8), codec="mjpeg", pix_fmt="yuvj420p", colour=(2, 2, 2, 2), sounds=[Sound("pcm_s16le", 0.32)]
    ),
    "broken_packets.mp4": lambda p: hurt(write(p, options={"g": "1"}), [8, 9, 15], late=False),
    "damaged_packets.mp4": lambda p: hurt(write(p, options={"g": "1"}), [8, 15], late=True),
    "cut_off.mkv": lambda p: cut_off(write(p, options={"g": "6"}, sounds=[Sound()]), 0.6),
    "raw.h264": lambda p: write(p, container="h264"),
    "animated.gif": lambda p: write(
        p,
        accumulate([8, 12] * 5, initial=0),
        tick=Fraction(1, 100),
        codec="gif",
        pix_fmt="rgb8",
        colour=(0, 2, 2, 2),
    ),
    "resized.ts": resized,
}
"""How to write each film of the corpus."""
