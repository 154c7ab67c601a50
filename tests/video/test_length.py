"""Films that break off, and films of which only the beginning is looked at."""

import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vedit.errors import InputError
from vedit.frame import Notes
from vedit.video.probe import probe
from vedit.video.read import read


def write(path: Path, frames: int = 50, sound: int = 0, **options: str) -> Path:
    """Noise at 25 frames a second, with so many seconds of sound."""
    dice = np.random.default_rng(1)
    with av.open(path, "w", container_options=options) as out:
        stream = out.add_stream("mpeg4" if path.suffix == ".avi" else "libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        voice = out.add_stream("aac", rate=8000, layout="mono") if sound else None
        for index in range(max(frames, 25 * sound)):
            if index < frames:
                picture = av.VideoFrame.from_ndarray(dice.integers(0, 256, (48, 64, 3), dtype=np.uint8))
                picture.pts, picture.time_base = index, Fraction(1, 25)
                out.mux(stream.encode(picture))
            if voice is not None:
                samples = av.AudioFrame.from_ndarray(np.zeros((1, 320), np.float32), "fltp", "mono")
                samples.sample_rate, samples.pts, samples.time_base = 8000, 320 * index, Fraction(1, 8000)
                out.mux(voice.encode(samples))
        out.mux(stream.encode(None))
        if voice is not None:
            out.mux(voice.encode(None))
    return path


@pytest.mark.parametrize("sound", [0, 2, 5])
@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.avi", "film.mov"])
def test_a_film_that_breaks_off_says_how_much_is_there(tmp_path: Path, name: str, sound: int) -> None:
    path = write(tmp_path / name, sound=sound, movflags="faststart")
    assert probe(path).remarks == ()
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    source = probe(path)
    (remark,) = source.remarks
    match = re.fullmatch(r"the file breaks off: (\d\.\d) of (\d\.\d) s are there", remark)
    assert match
    assert float(match[1]) == pytest.approx(float(source.duration), abs=0.3)
    assert float(match[2]) == pytest.approx(
        2.0, abs=0.3
    )  # AVI starts late to make room for the sound's delay
    assert 20 < source.frames < 40
    notes = Notes()
    assert [f.pts for f in read(source, notes)] == list(source.pts)
    assert notes.warnings == [remark]
    with pytest.raises(InputError, match=rf"{name} is not whole: .* after {float(source.duration):.1f} s"):
        read(source, Notes(), on_corrupt="fail")


def test_sound_that_goes_on_is_no_break(tmp_path: Path) -> None:
    path = write(tmp_path / "film.flv", sound=6)  # it states one length for all
    assert probe(path).remarks == ()
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 9 // 10])
    assert "breaks off" in probe(path).remarks[0]


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv"])
def test_within_a_time_the_rest_is_estimated(tmp_path: Path, name: str) -> None:
    whole = probe(write(tmp_path / name, frames=400))
    quick = probe(tmp_path / name, within=0)
    assert quick.remarks == ("the number of pictures is estimated; 256 were looked at",)
    assert abs(quick.frames - whole.frames) <= 1
    assert (quick.rate, quick.video, quick.pts[:200]) == (whole.rate, whole.video, whole.pts[:200])
    assert abs(quick.duration - whole.duration) < Fraction(1, 20)
    assert probe(tmp_path / name, within=60) == whole
