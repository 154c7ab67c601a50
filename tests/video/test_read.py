from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from vedit.errors import InputError, UsageError, VeditError
from vedit.frame import Frame, Notes
from vedit.video.probe import probe
from vedit.video.read import fingerprint, read


def picture(index: int, width: int, height: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """A dark picture with a bright square in its top left corner, and a bar that moves."""
    rgb = np.full((height, width, 3), 40, np.uint8)
    rgb[: height // 4, : width // 4] = 230
    rgb[height // 2 :, (index + width // 2) % width] = 120
    return rgb


def write(
    path: Path,
    pts: Sequence[int] = range(10),
    *,
    time_base: Fraction = Fraction(1, 25),
    size: tuple[int, int] = (64, 48),
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    rotation: float | None = None,
    trc: int = 2,
    container: str | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    with av.open(path, "w", format=container, container_options={"avoid_negative_ts": "disabled"}) as out:
        stream = out.add_stream(codec, rate=round(1 / time_base), options=options or {})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        stream.codec_context.time_base = time_base
        stream.codec_context.color_trc = trc
        if rotation is not None:
            stream.set_display_rotation(rotation)
        for index, at in enumerate(pts):
            frame = av.VideoFrame.from_ndarray(picture(index, *size)).reformat(format=pix_fmt)
            frame.pts, frame.time_base = at, time_base
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def frames(path: Path, notes: Notes | None = None) -> list[Frame]:
    return list(read(probe(path), notes or Notes()))


def test_every_frame_comes_with_its_time(film: Callable[..., Path]) -> None:
    source = probe(film(shots=(9, 8)))
    got = list(read(source, Notes()))
    assert source.rate == Fraction(24000, 1001)
    assert source.frames == 17
    assert [f.pts for f in got] == list(source.pts)
    assert [f.end for f in got] == [*source.pts[1:], source.end]
    assert source.duration == 17 / source.rate
    assert [f.index for f in got if f.cut] == [0, 9]
    assert got[3].pixels.shape == (3, source.height, source.width)


def test_varying_times_stay_as_they_are(tmp_path: Path) -> None:
    steps = [0, 2, 4, 7, 10, 12, 13]
    source = probe(write(tmp_path / "vfr.mkv", steps, time_base=Fraction(1, 50)))
    assert [p * source.time_base for p in source.pts] == [Fraction(s, 50) for s in steps]
    assert source.rate is None


def test_film_without_stamps_gets_them(tmp_path: Path) -> None:
    notes = Notes()
    got = frames(write(tmp_path / "raw.h264", container="h264"), notes)
    assert len(got) == 10
    assert "time stamps" in notes.warnings[0]


@pytest.mark.parametrize(("size", "codec"), [((1, 1), "ffv1"), ((63, 47), "ffv1")])
def test_odd_sizes_and_single_frames(tmp_path: Path, size: tuple[int, int], codec: str) -> None:
    source = probe(write(tmp_path / "odd.mkv", [0], size=size, codec=codec, pix_fmt="yuv444p"))
    (frame,) = read(source, Notes())
    assert frame.pixels.shape == (3, size[1], size[0])
    assert frame.duration * source.time_base == Fraction(1, 25)


@pytest.mark.parametrize(
    ("degrees", "corner"), [(-90, (0, -1)), (90, (-1, 0)), (180, (-1, -1))], ids=["right", "left", "over"]
)
def test_pictures_are_upright(tmp_path: Path, degrees: int, corner: tuple[int, int]) -> None:
    source = probe(write(tmp_path / "turned.mp4", rotation=degrees))
    pixels = next(read(source, Notes())).pixels
    assert pixels.shape[1:] == ((64, 48) if degrees != 180 else (48, 64))
    assert (source.height, source.width) == pixels.shape[1:]
    assert pixels[:, corner[0], corner[1]].min() > 0.8
    assert pixels[:, 0, 0].max() < 0.3


def hurt(path: Path, number: int) -> Path:
    """The film with the packet of a number overwritten so that it cannot be decoded."""
    with av.open(path) as film:
        packet = [p for p in film.demux(video=0) if p.size][number]
        position, size = packet.pos, packet.size
    assert position is not None
    data = bytearray(path.read_bytes())
    data[position : position + size] = b"\xff" * size
    path.write_bytes(bytes(data))
    return path


@pytest.mark.parametrize("number", [12, 28])
def test_a_picture_that_cannot_be_decoded_repeats_the_one_before(tmp_path: Path, number: int) -> None:
    path = hurt(write(tmp_path / "hurt.mp4", range(30), options={"g": "10", "bf": "0"}), number)
    got = frames(path)
    assert [f.fault for f in got].count("repeated") == 1
    assert got[number].fault == "repeated"
    assert fingerprint(got[number].native) == fingerprint(got[number - 1].native)
    assert fingerprint(got[-1].native) != fingerprint(got[number - 1].native)


def test_skipping_leaves_it_out_and_keeps_all_other_times(tmp_path: Path) -> None:
    source = probe(hurt(write(tmp_path / "hurt.mp4", range(30), options={"g": "10", "bf": "0"}), 12))
    got = list(read(source, Notes(), on_corrupt="skip"))
    assert [f.index for f in got] == [i for i in range(30) if i != 12]
    assert [f.pts for f in got] == [p for i, p in enumerate(source.pts) if i != 12]
    assert all(f.end == later.pts for f, later in pairwise(got))
    assert {f.fault for f in got if f.index < 12} == {None}


def test_a_first_picture_that_cannot_be_decoded_is_not_skipped(tmp_path: Path) -> None:
    source = probe(hurt(write(tmp_path / "hurt.mp4", range(6), options={"g": "1"}), 0))
    first = next(read(source, Notes(), on_corrupt="skip"))
    assert (first.index, first.pts, first.fault) == (0, source.pts[0], "repeated")


def test_failing_names_the_picture_and_the_remedy(tmp_path: Path) -> None:
    source = probe(hurt(write(tmp_path / "hurt.mp4", range(30), options={"g": "10", "bf": "0"}), 12))
    stream = read(source, Notes(), on_corrupt="fail")
    assert [next(stream).index for _ in range(11)] == list(range(11))
    with pytest.raises(InputError, match=r"hurt\.mp4: picture 13, at 0\.480 s, .*--on-corrupt repeat"):
        list(stream)


def test_pictures_of_another_size_are_fitted(tmp_path: Path) -> None:
    small, large = (
        write(tmp_path / f"{n}.ts", range(n, n + 5), size=size, options={"bf": "0"})
        for n, size in ((0, (64, 48)), (5, (96, 80)))
    )
    both = tmp_path / "both.ts"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    got = frames(both)
    assert [f.fault for f in got] == [None] * 5 + ["fitted"] * 5
    assert {tuple(f.pixels.shape) for f in got} == {(3, 48, 64)}


def test_a_film_that_got_shorter_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "film.mkv", range(60), codec="ffv1")
    source = probe(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match="can no longer be read to its end"):
        list(read(source, Notes()))


def test_leaving_early_ends_the_thread(tmp_path: Path) -> None:
    import threading

    stream = read(probe(write(tmp_path / "film.mp4", range(40))), Notes())
    next(stream)
    stream.close()
    assert not any(t.name == "vedit-read" for t in threading.enumerate())


def test_hdr_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "hdr.mkv", codec="ffv1", pix_fmt="yuv420p10le", trc=16)
    with pytest.raises(UsageError, match="HDR"):
        read(probe(path), Notes())


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("empty.mp4", b"", "empty"),
        ("text.mp4", b"no film here\n" * 40, "not a media file"),
        (
            "cut.mp4",
            b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2mp41\0\0\0\x08free\0\0\x10\0mdat" + b"\1" * 900,
            "moov",
        ),
    ],
)
def test_what_is_no_film_says_so(tmp_path: Path, name: str, content: bytes, match: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=match):
        probe(path)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        probe(tmp_path / "none.mp4")
    with pytest.raises(InputError, match="folder"):
        probe(tmp_path)


def test_sound_alone_is_no_film(tmp_path: Path) -> None:
    path = tmp_path / "sound.m4a"
    with av.open(path, "w") as out:
        stream = out.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), "fltp", "stereo")
        frame.sample_rate = 48000
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    with pytest.raises(InputError, match="no video stream; found audio"):
        probe(path)


def test_broken_bytes_never_escape_as_another_error(film: Callable[..., Path]) -> None:
    path = film(shots=(8,))
    whole = path.read_bytes()
    dice = np.random.default_rng(5)
    for length in dice.integers(1, len(whole), 12):
        data = bytearray(whole[: int(length)] if length % 2 else whole)
        for place in dice.integers(0, len(data), 20):
            data[place] ^= int(dice.integers(1, 255))
        path.write_bytes(bytes(data))
        try:
            got = frames(path)
        except VeditError:
            continue
        assert len(got) > 0
