"""Reading from the middle of a film gives what reading from its start gives from there on."""

from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from vedit.errors import InputError
from vedit.frame import Fault, Frame, Notes
from vedit.video.probe import probe
from vedit.video.read import Place, fingerprint, read
from vedit.video.source import Source

LENGTH, CUTS = 70, (17, 40, 46)
OPEN_GOPS = "open-gop=1:keyint=12:bframes=4:b-adapt=0:scenecut=0"


def write(
    path: Path,
    codec: str,
    options: dict[str, str],
    *,
    container: str | None = None,
    pts: list[int] | None = None,
) -> Path:
    """A texture that moves a pixel a picture, another one after each cut."""
    with av.open(path, "w", format=container) as out:
        stream = out.add_stream(codec, rate=25, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "rgb8" if codec == "gif" else "yuv420p"
        stream.codec_context.time_base = Fraction(1, 100)
        for index in range(LENGTH):
            dice = np.random.default_rng(sum(index >= cut for cut in CUTS))
            texture = dice.integers(0, 256, (8, 30, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
            rgb = np.ascontiguousarray(texture[:, index : index + 96])
            picture = av.VideoFrame.from_ndarray(rgb).reformat(format=stream.pix_fmt)
            picture.pts, picture.time_base = pts[index] if pts else 4 * index, Fraction(1, 100)
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    return path


def hurt(path: Path, *numbers: int) -> Path:
    """The film with some packets damaged beyond their headers."""
    data = bytearray(path.read_bytes())
    with av.open(path) as film:
        packets = [(p.pos or 0, p.size) for p in film.demux(video=0) if p.size]
    for number in numbers:
        position, size = packets[number]
        for at in range(position + size // 3, position + size, 7):
            data[at] ^= 0xA5
    path.write_bytes(data)
    return path


Facts = tuple[int, int, int, bool, Fault | None, str]


def facts(frame: Frame) -> Facts:
    return frame.pts, frame.duration, frame.index, frame.cut, frame.fault, fingerprint(frame.native)


def from_place(source: Source, full: list[Facts], index: int, last_cut: int) -> list[Facts]:
    frames = read(source, Notes(), place=Place(index, last_cut, full[index - 1][-1]))
    try:
        return [facts(frame) for frame in islice(frames, 30)]
    finally:
        frames.close()


FILMS = {
    "closed.mp4": lambda p: write(p, "libx264", {"g": "12"}),
    "open.mp4": lambda p: write(p, "libx264", {"x264-params": OPEN_GOPS}),
    "open.ts": lambda p: write(p, "libx264", {"x264-params": OPEN_GOPS}),
    "refresh.mkv": lambda p: write(p, "libx264", {"x264-params": "intra-refresh=1:keyint=12:bframes=0"}),
    "cra.mkv": lambda p: write(
        p, "libx265", {"preset": "ultrafast", "x265-params": OPEN_GOPS + ":log-level=none"}
    ),
    "open.mpg": lambda p: write(p, "mpeg2video", {"g": "12", "bf": "2"}),
    "fields.mpg": lambda p: write(p, "mpeg2video", {"g": "12", "bf": "2", "flags": "+ildct+ilme"}),
    "varying.mkv": lambda p: write(
        p, "libx264", {"g": "12"}, pts=[i * i // 9 + 3 * i for i in range(LENGTH)]
    ),
    "hidden.webm": lambda p: write(p, "libvpx", {"g": "30", "auto-alt-ref": "1", "lag-in-frames": "12"}),
    "unstamped.h264": lambda p: write(p, "libx264", {"g": "12"}, container="h264"),
    "no_seeking.gif": lambda p: write(p, "gif", {}),
    "hurt.mp4": lambda p: hurt(write(p, "libx264", {"g": "12", "bf": "3"}), 14, 33, 34, 67),
    "hurt.mkv": lambda p: hurt(write(p, "libx264", {"x264-params": OPEN_GOPS}), 14, 33, 34, 67),
}


@pytest.mark.parametrize("name", FILMS)
def test_same_frames_from_every_place(tmp_path: Path, name: str) -> None:
    source = probe(FILMS[name](tmp_path / name)).as_edited()
    full = [facts(frame) for frame in read(source, Notes())]
    cuts = [index for _, _, index, cut, *_ in full if cut]
    if not name.startswith(("hurt", "fields", "no_seeking")):
        assert cuts[:2] == [0, CUTS[0]]
    if name.startswith("hurt"):
        assert 0 < sum(fault is not None for *_, fault, _ in full) < 12
    for index in (1, 2, 16, 17, 18, 31, 44, 46, 68, 69):
        for last_cut in {max(c for c in cuts if c < index), max(c for c in cuts if c <= index)}:
            assert from_place(source, full, index, last_cut) == full[index : index + 30], (index, last_cut)


def test_places_after_skipped_pictures(tmp_path: Path) -> None:
    source = probe(hurt(write(tmp_path / "hurt.mp4", "libx264", {"g": "12", "bf": "0"}), *range(26, 30)))
    full = list(read(source, Notes(), on_corrupt="skip"))
    for before, frame in pairwise(full[20:40]):
        place = Place(
            frame.index,
            max(f.index for f in full if f.cut and f.index <= frame.index),
            fingerprint(before.native),
        )
        stream = read(source, Notes(), place=place, on_corrupt="skip")
        assert facts(next(stream)) == facts(frame)
        stream.close()


def test_another_film_is_noticed(tmp_path: Path) -> None:
    source = probe(write(tmp_path / "film.mp4", "libx264", {"g": "12"}))
    with pytest.raises(InputError, match="not the film it was: its picture 20 differs"):
        list(read(source, Notes(), place=Place(20, 17, "0" * 32)))


def test_fingerprints_tell_one_sample_apart_and_see_no_padding() -> None:
    one, same, other = (av.VideoFrame.from_ndarray(np.full((9, 13, 3), 70, np.uint8)) for _ in range(3))
    memoryview(same.planes[0])[13 * 3] = 1  # between the rows
    memoryview(other.planes[0])[13 * 3 - 1] = 1
    assert same.planes[0].line_size > 13 * 3
    assert fingerprint(one) == fingerprint(same) != fingerprint(other)
