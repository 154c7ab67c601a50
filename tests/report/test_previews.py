"""What a page shows of two films: one above the other, and of long ones only what matters."""

from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from corpus import drawing, number_of, write

from vedit.pages.small_film import Preview
from vedit.report.previews import PreviewWriter
from vedit.video.probe import probe


def filled(path: Path, seconds: int, rate: int, wanted: set[int]) -> Preview:
    """The preview of a film of numbered pictures beside their negatives; ``wanted`` grows as time goes by."""
    film = probe(write(path, range(seconds * rate), tick=Fraction(1, rate)))
    writer, draw = PreviewWriter(film), drawing()
    for number in range(seconds * rate):
        picture = torch.from_numpy(draw(number)).permute(2, 0, 1) / 255
        writer.keep({second for second in wanted if second <= number // rate})
        writer.add((picture, 1 - picture), Fraction(number, rate))
    writer.keep(wanted)
    return writer.finish(Fraction(seconds))


def decoded(preview: Preview) -> list[tuple[float, int, int]]:
    """When every picture is shown, the number that the reference carries, and that of the result's negative."""
    shown = []
    with av.open(BytesIO(preview.data), "r") as film:
        stream = film.streams.video[0]
        assert (stream.codec_context.pix_fmt, stream.width) == ("yuv420p", preview.width)
        for frame in film.decode(stream):
            rgb = frame.to_ndarray(format="rgb24").astype(np.float32) / np.float32(255)
            above, below = rgb[: preview.height], np.float32(1) - rgb[preview.height :]
            assert frame.time is not None
            shown.append((frame.time, number_of(above), number_of(below)))
    return shown


def test_a_short_film_is_shown_whole(tmp_path: Path) -> None:
    preview = filled(tmp_path / "a.mp4", 4, 10, {2})
    shown = decoded(preview)
    assert [number for _, number, _ in shown] == [number for _, _, number in shown] == list(range(40))
    assert [time for time, _, _ in shown] == pytest.approx(preview.frames)
    assert [(one.preview, one.film, one.length) for one in preview.passages] == [(0, 0, 4)]


def test_of_a_long_film_the_beginning_and_what_is_wanted_is_shown(tmp_path: Path) -> None:
    preview = filled(tmp_path / "a.mp4", 24, 4, {12, 19, 20})
    assert [(one.preview, one.film, one.length) for one in preview.passages] == [
        (0, 0, 5),
        (5, 11, 3),
        (8, 18, 4),
    ]
    seconds = [*range(5), 11, 12, 13, 18, 19, 20, 21]
    shown = decoded(preview)
    assert [number for _, number, _ in shown] == [4 * second + i for second in seconds for i in range(4)]
    assert [time for time, _, _ in shown] == pytest.approx([i / 4 for i in range(48)])


def test_what_is_no_longer_wanted_is_let_go(tmp_path: Path) -> None:
    """While a long film goes by no more is held than the beginning, what is wanted, and the last seconds."""
    film = probe(write(tmp_path / "a.mp4", range(120), tick=Fraction(1, 4)))
    writer, draw = PreviewWriter(film), drawing()
    held = []
    for number in range(120):
        picture = torch.from_numpy(draw(number)).permute(2, 0, 1) / 255
        writer.add((picture, picture), Fraction(number, 4))
        held.append(len(writer.held))
    assert max(held) <= 5 + 5
    assert writer.finish(Fraction(30)).passages[-1].film == 0


def test_pixels_that_are_not_square_are_shown_in_shape(tmp_path: Path) -> None:
    film = probe(write(tmp_path / "a.mp4", range(4), sar=Fraction(4, 3)))
    assert (PreviewWriter(film).width, PreviewWriter(film).height) == (128, 64)
