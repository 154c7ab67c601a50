"""Small real films, made with PyAV."""

import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:  # before torch is loaded: with -n, tests share the processors
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import av
import numpy as np
import pytest

WIDTH, HEIGHT, RATE, SOUND_RATE = 96, 64, Fraction(24000, 1001), 48000


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write tests/golden anew")


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keeps what takes long to make out of the user's own cache, here and in the programs that tests start."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VEDIT_CACHE", str(folder))
        yield folder


@pytest.fixture
def film(tmp_path: Path) -> Callable[..., Path]:
    """A maker of films: a texture moving 1 pixel a frame, another texture after each cut, tones for sound.

    ``film("a.mp4", shots=(20, 24), tracks=2)``: 20 frames, a cut, 24 frames at 24000/1001 fps; two AAC tracks.
    """

    def make(name: str = "film.mp4", shots: tuple[int, ...] = (10,), tracks: int = 1) -> Path:
        path = tmp_path / name
        with av.open(path, "w") as container:
            picture = container.add_stream("libx264", rate=RATE, options={"crf": "12", "preset": "veryfast"})
            picture.width, picture.height, picture.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            sounds = [container.add_stream("aac", rate=SOUND_RATE, layout="stereo") for _ in range(tracks)]
            for frame in _pictures(shots):
                container.mux(picture.encode(frame))
            container.mux(picture.encode())
            for number, sound in enumerate(sounds):
                for samples in _tone(220 * (number + 1), sum(shots) / RATE):
                    container.mux(sound.encode(samples))
                container.mux(sound.encode())
        return path

    return make


def _pictures(shots: tuple[int, ...]) -> list[av.VideoFrame]:
    frames = []
    for shot, length in enumerate(shots):
        dice = np.random.default_rng(shot)
        coarse = dice.integers(0, 256, (HEIGHT // 8, (WIDTH + length) // 8 + 1, 3), dtype=np.uint8)
        texture = (coarse // 2 + 100 * (shot % 2)).repeat(8, axis=0).repeat(8, axis=1)
        for i in range(length):
            frames.append(av.VideoFrame.from_ndarray(np.ascontiguousarray(texture[:, i : i + WIDTH])))
    return frames


def _tone(hertz: int, seconds: Fraction) -> list[av.AudioFrame]:
    samples = int(seconds * SOUND_RATE)
    wave = np.sin(np.arange(samples) * (2 * np.pi * hertz / SOUND_RATE)).astype(np.float32) * 0.2
    frames = []
    for start in range(0, samples, 1024):
        block = np.stack([wave[start : start + 1024]] * 2)
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
        frames.append(frame)
    return frames
