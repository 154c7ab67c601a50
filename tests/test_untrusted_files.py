"""Files from anywhere: they open nothing but themselves and fill no memory before they are refused."""

import os
import struct
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from vedit.errors import InputError, UsageError, VeditError
from vedit.frame import Frame, Notes, Shot, Timing
from vedit.masks import with_masks
from vedit.pictures import read_picture
from vedit.video.probe import probe
from vedit.video.read import read

HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n{}\n#EXT-X-ENDLIST\n"
SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
DASH = '<?xml version="1.0"?><MPD><Period><AdaptationSet><BaseURL>{}</BaseURL></AdaptationSet></Period></MPD>'
PLAYLISTS = {"concat": "ffconcat version 1.0\nfile '{}'\n", "hls": HLS, "sdp": SDP, "dash": DASH}


def masked(path: Path) -> None:
    clock = Timing(Fraction(1, 25), Fraction(25), 0, 1)
    shot = Shot(0, clock, 64, 96, "cpu", Notes())
    next(with_masks(iter([Frame(0, 1, torch.zeros(3, 64, 96))]), path, shot))


@pytest.mark.parametrize("name", ["film.mp4", "film.m3u8", "film"])
@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("use", [probe, masked], ids=["film", "mask"])
def test_lists_of_other_files_are_refused(
    film: Callable[..., Path], use: Callable[[Path], object], kind: str, name: str
) -> None:
    other = film("other.ts")
    path = other.with_name(name)
    path.write_text(PLAYLISTS[kind].format(other.name))
    with pytest.raises(UsageError, match="is a list of other files"):
        use(path)


def test_a_number_pattern_is_a_plain_name(film: Callable[..., Path]) -> None:
    path = film("shot%03d.mp4")
    film("shot001.mp4", shots=(5,))
    assert probe(path).frames == 10


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in this file system")
@pytest.mark.parametrize("use", [probe, read_picture])
def test_pipes_and_devices_are_refused(tmp_path: Path, use: Callable[[Path], object]) -> None:
    pipe = tmp_path / "film.mp4"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(InputError, match="not a file"):
            use(path)


def png(path: Path, width: int, height: int) -> Path:
    """A black picture of any size in a few kilobytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)  # a bit a pixel
    pixels = zlib.compress(bytes((1 + (width + 7) // 8) * height), 1)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )
    return path


@pytest.mark.parametrize(
    ("size", "match"), [((9000, 8000), "limit is 67108864"), ((16384, 16384), "too large")]
)
def test_pictures_that_would_fill_the_memory_are_refused(
    tmp_path: Path, size: tuple[int, int], match: str
) -> None:
    with pytest.raises(InputError, match=match):
        read_picture(png(tmp_path / "bomb.png", *size))


def liar(folder: Path, width: int, height: int) -> Path:
    """A film that says it is 16x16, with a picture of another size in it."""
    picture = png(folder / "picture.png", width, height).read_bytes()
    small, path = folder / "small.mov", folder / "film.mov"
    with av.open(small, "w") as out:
        stream = out.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "rgb24"
        for index in range(3):
            frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8))
            frame.pts, frame.time_base = index, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    with av.open(small) as film, av.open(path, "w") as out:
        stream = out.add_stream_from_template(film.streams.video[0])
        for index, packet in enumerate(film.demux(video=0)):
            if packet.dts is not None:
                other = av.Packet(picture if index == 2 else bytes(packet))
                other.pts, other.dts, other.time_base = packet.pts, packet.dts, packet.time_base
                other.duration, other.stream = packet.duration, stream
                out.mux(other)
    return path


def test_a_huge_picture_in_a_small_film_takes_no_memory(tmp_path: Path) -> None:
    source = probe(liar(tmp_path, 16384, 8192))
    assert [frame.fault for frame in read(source, Notes())] == [None, None, "repeated"]


def test_sizes_are_looked_at_picture_by_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEDIT_MAX_PIXELS", "1199")
    with pytest.raises(InputError, match="40x30, 1200 pixels a picture; the limit is 1199"):
        probe(liar(tmp_path, 40, 30))


def test_limits_say_what_they_are_and_can_be_raised(
    film: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = film()
    monkeypatch.setenv("VEDIT_MAX_PIXELS", "6143")
    with pytest.raises(
        InputError, match=r"film\.mp4 is 96x64, 6144 pixels .* limit is 6143.*set VEDIT_MAX_PIXELS=6144"
    ):
        probe(path)
    monkeypatch.setenv("VEDIT_MAX_PIXELS", "6144")
    monkeypatch.setenv("VEDIT_MAX_FRAMES", "9")
    with pytest.raises(InputError, match=r"film\.mp4 has more than 9 pictures.*set VEDIT_MAX_FRAMES"):
        probe(path)
    monkeypatch.setenv("VEDIT_MAX_FRAMES", "10")
    assert len(list(read(probe(path), Notes()))) == 10


@pytest.mark.parametrize("value", ["many", "0", "-1", "1e9", "4294967296"])
def test_a_limit_that_is_none_is_refused(
    film: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    path = film()
    monkeypatch.setenv("VEDIT_MAX_FRAMES", value)
    with pytest.raises(UsageError, match=r"VEDIT_MAX_FRAMES='.*' is no limit"):
        probe(path)


def test_a_picture_is_no_film(tmp_path: Path) -> None:
    for name in ("still.png", "film.mp4"):
        with pytest.raises(UsageError, match="is a picture, not a film"):
            probe(png(tmp_path / name, 8, 8))


def test_an_encrypted_film_says_so(film: Callable[..., Path]) -> None:
    path = film()
    locked = path.with_name("locked.mp4")
    options = {
        "encryption_scheme": "cenc-aes-ctr",
        "encryption_key": "00" * 16,
        "encryption_kid": "11" * 16,
    }
    with av.open(path) as source, av.open(locked, "w", options=options) as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    with pytest.raises(InputError, match=r"locked\.mp4 is encrypted"):
        probe(locked)


def test_nothing_but_our_own_errors_escapes(film: Callable[..., Path]) -> None:
    dice = np.random.default_rng(11)
    for suffix in (".mp4", ".mkv", ".ts", ".flv", ".mov"):
        path = film(f"film{suffix}", shots=(6,))
        whole = path.read_bytes()
        for _ in range(6):
            data = bytearray(whole[: int(dice.integers(len(whole) // 4, len(whole)))])
            start = int(dice.integers(len(data)))
            del data[start : start + int(dice.integers(1, 900))]
            for place in dice.integers(0, len(data), 5):
                data[place] ^= 0x55
            path.write_bytes(data)
            try:
                source = probe(path)
                assert len(list(read(source, Notes()))) == source.frames > 0
            except VeditError:
                pass
