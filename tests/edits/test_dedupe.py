"""Frames that repeat the one before: found, told, and replaced by frames at even times."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from math import ceil
from pathlib import Path

import av
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

import vedit
from vedit.edits.cadence import cadence, evened
from vedit.edits.drawings import Drawing, distinct
from vedit.edits.interpolate import Interpolate
from vedit.frame import Frame, Notes, Shot, Timing

HEIGHT, WIDTH = 96, 128


def pan(places: Sequence[float], seed: int = 0) -> Tensor:
    """Pictures of a smooth texture, seen at these places along it (pixels, any fraction), ``(F,3,H,W)``."""
    generator = torch.Generator().manual_seed(seed)
    length = WIDTH + 264
    assert max(places) < 256
    coarse = torch.rand(1, 3, HEIGHT // 12, length // 12, generator=generator)
    wide = F.interpolate(coarse, (HEIGHT, length), mode="bicubic").clamp(0, 1)
    rows = torch.linspace(-1, 1, HEIGHT)[:, None].expand(HEIGHT, WIDTH)
    out = []
    for place in places:
        columns = ((torch.arange(WIDTH) + place) * 2 / (length - 1) - 1).expand(HEIGHT, WIDTH)
        grid = torch.stack([columns, rows], -1)[None]
        out.append(F.grid_sample(wide, grid, mode="bicubic", align_corners=True).clamp(0, 1)[0])
    return torch.stack(out)


def shown(lengths: Iterable[int]) -> list[int]:
    """Which drawing each frame shows."""
    return [number for number, length in enumerate(lengths) for _ in range(length)]


def film(path: Path, pictures: Tensor, rate: Fraction, crf: int = 20) -> Path:
    """The pictures as H.264, which makes every repeat a little different."""
    with av.open(path, "w") as out:
        stream = out.add_stream("libx264", rate=rate, options={"crf": str(crf), "g": "13", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in pictures:
            rgb = (picture.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")))
        out.mux(stream.encode(None))
    return path


def pictures(path: Path) -> NDArray[np.float64]:
    with av.open(path) as container:
        return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)]).astype(float)


def psnr(a: NDArray[np.float64], b: Tensor) -> float:
    other = b.permute(1, 2, 0).numpy() * 255
    inner = slice(16, -16)
    return float(10 * np.log10(255**2 / (np.square(a - other)[inner, inner].mean() + 1e-3)))


def test_drawings_on_twos_become_a_film_on_ones(tmp_path: Path) -> None:
    truth = pan([2.0 * i for i in range(24)])
    src = film(tmp_path / "in.mp4", truth[::2].repeat_interleave(2, 0), Fraction(24))
    dst = tmp_path / "out.mkv"
    report = vedit.interpolate(src, dst, factor=1, dedupe=True, codec="ffv1")
    assert report.frames_out == 24
    assert report.duration_out == 1
    assert report.pts_identical
    (told,) = [warning for warning in report.warnings if "repeat" in warning]
    assert "12 of 24 frames" in told
    assert "frames per drawing: 12 in 2, 2, 2…" in told
    before, after = pictures(src), pictures(dst)
    np.testing.assert_array_equal(after[::2], before[::2])
    gains = [psnr(after[i], truth[i]) - psnr(before[i], truth[i]) for i in range(1, 24, 2)]
    assert min(gains) > 3


def test_a_film_without_repeats_is_left_alone(tmp_path: Path) -> None:
    src = film(tmp_path / "in.mp4", pan([2.0 * i for i in range(16)]), Fraction(24))
    report = vedit.interpolate(src, tmp_path / "out.mkv", factor=1, dedupe=True, codec="ffv1")
    np.testing.assert_array_equal(pictures(tmp_path / "out.mkv"), pictures(src))
    assert "no frame was found that only repeats the one before" in report.warnings


@pytest.mark.parametrize("speed", [0.4, 0.7, 1.0])
def test_slow_motion_of_strong_contrasts_is_no_repeat(speed: float, tmp_path: Path) -> None:
    """Each step is little beside the contrast, but no less than the steps beside it."""
    edges = (pan([60.0] + [speed * i for i in range(24)]) - 0.5).mul(4).add(0.5).clamp(0, 1)
    src = film(tmp_path / "in.mp4", edges, Fraction(24))
    report = vedit.interpolate(
        src, tmp_path / "out.mkv", factor=1, dedupe=True, quality="draft", codec="ffv1"
    )
    assert "no frame was found that only repeats the one before" in report.warnings
    assert np.array_equal(pictures(src), pictures(tmp_path / "out.mkv"))


def test_a_mouth_that_moves_in_a_still_picture_is_no_repeat(tmp_path: Path) -> None:
    still = pan([0.0] * 6)
    for i in range(6):
        still[i, :, 60:66, 50:62] = 0.9 if i % 2 else 0.2
    src = film(tmp_path / "in.mp4", still, Fraction(24), crf=28)
    vedit.interpolate(src, tmp_path / "out.mkv", factor=1, dedupe=True, codec="ffv1")
    np.testing.assert_array_equal(pictures(tmp_path / "out.mkv"), pictures(src))


def stream(edit: Interpolate, frames: Tensor, lengths: Iterable[int], rate: int) -> tuple[list[Frame], Notes]:
    """What the edit makes of drawings that are each shown for so many frames."""
    numbers = shown(lengths)
    notes = Notes()
    timing = Timing(Fraction(1, rate), Fraction(rate), 0, len(numbers))
    shot = Shot(0, timing, HEIGHT, WIDTH, "cpu", notes)
    source = [Frame(i, 1, frames[n], index=i, cut=i == 0, native=f"{n}") for i, n in enumerate(numbers)]
    return list(edit.stream(iter(source), shot)), notes


def test_a_picture_that_stays_is_meant_to_stay() -> None:
    frames = pan([0, 6, 12, 18])
    out, notes = stream(Interpolate(factor=1, dedupe=True), frames, [2, 12, 2, 2], 24)
    assert [f.native for f in out] == ["0", None, *["1"] * 12, "2", None, "3", None]
    assert notes.repeats == {"mixed": 3}


def test_repeats_are_replaced_on_another_grid_too() -> None:
    frames = pan([4.0 * i for i in range(8)])
    edit = Interpolate(fps=60, dedupe=True)
    out, _ = stream(edit, frames, [3] * 8, 24)
    assert [f.pts for f in out] == [f.index * out[1].pts for f in out]
    assert len(out) == 60
    assert [f.native for f in out if f.native is not None] == [
        "0",
        "2",
        "4",
        "6",
    ]  # every 1/4 s both clocks meet


@pytest.mark.parametrize(
    ("rate", "step", "name"),
    [
        (25, Fraction(3, 2), "1, 2, 1, 2…"),
        (30, Fraction(5, 4), "1, 1, 1, 2, 1, 1, 1, 2…"),
        (30, Fraction(6, 5), "1, 1, 1, 1, 2, 1, 1, 1, 1, 2…"),
        (60, Fraction(5, 2), "2, 3, 2, 3…"),
        (60, Fraction(12, 5), "2, 2, 3, 2, 3, 2, 2, 3, 2, 3…"),
    ],
)
def test_a_pulldown_is_undone(rate: int, step: Fraction, name: str) -> None:
    count = 20
    firsts = [ceil(n * step) for n in range(count + 1)]
    lengths = [b - a for a, b in pairwise(firsts)]
    speed = 3.0  # pixels per drawing
    out, notes = stream(
        Interpolate(factor=1, dedupe=True), pan([speed * n for n in range(count)]), lengths, rate
    )
    assert list(notes.repeats) == [name]
    truth = pan([speed * float(i / step) for i in range(len(out))])
    for i, frame in enumerate(out[:-4]):
        new = (frame.pixels * 255).permute(1, 2, 0).numpy().astype(float)
        assert psnr(new, truth[i]) > 35, f"frame {i}"
    # Only where a drawing's own time falls on a frame is that frame kept.
    assert [i for i, f in enumerate(out[:-4]) if f.native is not None] == [
        i for i in range(len(out) - 4) if (i / step).denominator == 1
    ]


def times(lengths: Sequence[int]) -> list[Fraction]:
    """When drawings shown for so many frames are true, in frames."""
    places = np.cumsum([0, *lengths])
    drawings = []
    for a, b in pairwise(places):
        run = tuple((int(i), int(i)) for i in range(a, b))
        drawings.append(Drawing(Frame(int(a), 1), run, int(b), Fraction(int(a))))
    return [d.time for d in evened(drawings)]


def test_other_rhythms_keep_the_time_of_their_first_frame() -> None:
    for lengths in ([2] * 12, [1] * 8 + [2] + [1] * 8, [3, 2, 4, 1, 2, 2, 5, 1, 3, 2], [1, 1, 1, 2]):
        assert times(lengths) == [sum(lengths[:i]) for i in range(len(lengths))]


def test_a_pulldown_that_begins_within_a_shot() -> None:
    lengths = [2] * 6 + [3, 2] * 6 + [1] * 4
    found = times(lengths)
    firsts = [sum(lengths[:i]) for i in range(len(lengths))]
    assert all(0 <= first - time < 1 for first, time in zip(firsts, found, strict=True))
    assert all(b > a for a, b in pairwise(found))
    steps = {b - a for a, b in pairwise(found[7:17])}
    assert steps == {Fraction(5, 2)}


@pytest.mark.parametrize(
    ("lengths", "name"),
    [
        ([2] * 9, "2, 2, 2…"),
        ([3, 2, 3, 2, 3, 2], "2, 3, 2, 3…"),
        ([2, 2, 2, 2, 3, 2, 2, 2, 2, 1], "2, 2, 2…"),
        ([1, 5, 2, 3, 1, 1, 4, 2, 1], "mixed"),
        ([4], "mixed"),
        ([1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1], "now and then"),
    ],
)
def test_the_name_of_a_cadence(lengths: list[int], name: str) -> None:
    assert cadence(lengths) == name


def test_few_frames_are_held() -> None:
    alive = 0
    base = pan([0.0, 5.0])

    def frames() -> Iterable[Frame]:
        nonlocal alive
        for i in range(200):
            alive += 1
            yield Frame(i, 1, base[(i // 100) % 2], index=i)

    for number, drawing in enumerate(distinct(frames(), Fraction(1, 24))):
        assert alive <= number + 9
        assert len(drawing.shown) == 1


class Stopped(Exception):
    pass


def test_a_render_without_repeats_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    first, second = pan([4.0 * i for i in range(30)]), 1 - pan([3.0 * i for i in range(60)], seed=1)
    numbers = [2] * 30
    all_pictures = torch.cat([first[shown(numbers)], second[shown([3, 2] * 30)]])
    src = film(tmp_path / "in.mp4", all_pictures, Fraction(24))
    settings = {"fps": 30, "dedupe": True, "quality": "draft", "codec": "ffv1"}
    expected = vedit.interpolate(src, tmp_path / "whole.mkv", **settings)  # type: ignore[arg-type]

    def stop(done: int, total: int) -> None:
        if done >= 170:
            raise Stopped

    dst = tmp_path / "out.mkv"
    with pytest.raises(Stopped):
        vedit.interpolate(src, dst, progress=stop, **settings)  # type: ignore[arg-type]
    report = vedit.interpolate(src, dst, **settings)  # type: ignore[arg-type]
    assert 0 < report.frames_kept < report.frames_out
    assert report.warnings == expected.warnings
    np.testing.assert_array_equal(pictures(dst), pictures(tmp_path / "whole.mkv"))
