"""Films rendered in pieces and joined: the same film as in one go, whatever happened to the pieces on the way."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import av
import pytest

from vedit.clip import Clip
from vedit.edits import Inpaint, Interpolate, Repair
from vedit.edits.edit import Edit
from vedit.errors import OutputError
from vedit.frame import Frame, Shot, Timing
from vedit.pieces import find_pieces, join_pieces, piece_folder, render_piece
from vedit.render import render
from vedit.video.journal import folder_for

SHOTS = (14, 10, 6, 22)


def pictures(path: Path) -> list[tuple[int | None, bytes]]:
    with av.open(path) as film:
        return [(p.pts, p.to_ndarray().tobytes()) for p in film.decode(video=0)]


def test_pieces_are_whole_shots_and_all_of_the_film(film: Callable[..., Path]) -> None:
    src = film(shots=SHOTS)
    pieces = find_pieces(src, least=12)
    assert [(p.start, p.stop, p.shot) for p in pieces] == [(0, 14, 0), (14, 30, 1), (30, 52, 3)]
    assert len(find_pieces(src, least=27)) == 1  # shorter than two


def test_the_last_piece_is_not_a_scrap(film: Callable[..., Path]) -> None:
    pieces = find_pieces(film(shots=(14, 12, 6)), least=12)
    assert [(p.start, p.stop) for p in pieces] == [(0, 14), (14, 32)]


@pytest.mark.parametrize(
    "edits",
    [
        [Interpolate(fps=30, quality="draft")],
        [Interpolate(slowmo=2, quality="draft")],
        [Inpaint("box:20,20,16,16", quality="draft")],
        [Repair(), Interpolate(factor=2, quality="draft")],
    ],
    ids=["fps", "slowmo", "inpaint", "chain"],
)
def test_the_joined_film_is_the_film_rendered_in_one_go(
    edits: list[Edit], film: Callable[..., Path], tmp_path: Path
) -> None:
    src, whole, joined = film(shots=SHOTS, tracks=2), tmp_path / "whole.mkv", tmp_path / "joined.mkv"
    expected = render(src, whole, edits, codec="ffv1")
    pieces = find_pieces(src, least=12)
    for piece in reversed(pieces):  # in any order
        render_piece(src, joined, edits, piece, codec="ffv1")
    assert not joined.exists()
    report = join_pieces(src, joined, edits, pieces, codec="ffv1")
    assert pictures(joined) == pictures(whole)
    assert not folder_for(joined).exists()
    for fact in (
        "frames_out",
        "shots",
        "streams",
        "pts_identical",
        "hole_pixels",
        "found",
        "warnings",
        "rate",
    ):
        assert getattr(report, fact) == getattr(expected, fact), fact


def test_a_missing_piece_is_named_and_the_others_are_kept(film: Callable[..., Path], tmp_path: Path) -> None:
    src, out = film(shots=SHOTS), tmp_path / "out.mkv"
    edits: list[Edit] = [Interpolate(fps=30, quality="draft")]
    pieces = find_pieces(src, least=12)
    for piece in (pieces[0], pieces[2]):
        render_piece(src, out, edits, piece)
    with pytest.raises(OutputError, match=r"frames 14 to 30 of out\.mkv are not whole"):
        join_pieces(src, out, edits, pieces)
    assert not out.exists()
    assert piece_folder(out, pieces[0]).exists()
    render_piece(src, out, edits, pieces[1])
    assert join_pieces(src, out, edits, pieces).frames_out == len(pictures(out))


def test_pieces_of_other_settings_are_not_joined(film: Callable[..., Path], tmp_path: Path) -> None:
    src, out = film(shots=SHOTS), tmp_path / "out.mkv"
    pieces = find_pieces(src, least=12)
    for piece, rate in zip(pieces, (30, 30, 60), strict=True):
        render_piece(src, out, [Interpolate(fps=rate, quality="draft")], piece)
    with pytest.raises(OutputError, match="frames 30 to 52"):
        join_pieces(src, out, [Interpolate(fps=30, quality="draft")], pieces)
    assert not out.exists()


@dataclass(frozen=True)
class Stops:
    """Passes frames on, and fails at one of them."""

    memoryless: ClassVar[bool] = True
    at: ClassVar[int] = -1
    seen: ClassVar[list[int]] = []

    def timing(self, timing: Timing) -> Timing:
        return timing

    def stream(self, frames: Iterator[Frame], shot: Shot) -> Iterator[Frame]:
        for frame in frames:
            if frame.index == self.at:
                raise OutputError("out of paper", "Buy some.")
            self.seen.append(frame.index)
            yield frame

    def apply(self, clip: Clip) -> Clip:
        return clip


def test_an_interrupted_piece_goes_on_where_it_was(
    film: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    src, out = film(shots=(300, 270)), tmp_path / "out.mkv"
    edits: list[Edit] = [Stops()]
    first, second = find_pieces(src, least=250)
    render_piece(src, out, edits, first)
    monkeypatch.setattr(Stops, "at", 560)
    with pytest.raises(OutputError, match="out of paper"):
        render_piece(src, out, edits, second)
    monkeypatch.setattr(Stops, "at", -1)
    Stops.seen.clear()
    render_piece(src, out, edits, second)
    assert Stops.seen[0] == 540  # one segment of 240 frames was whole
    report = join_pieces(src, out, edits, (first, second))
    assert report.frames_out == 570
    assert report.pts_identical
    assert all(a < b for (a, _), (b, _) in pairwise(pictures(out)) if a is not None and b is not None)


def test_a_piece_that_is_whole_is_not_rendered_again(film: Callable[..., Path], tmp_path: Path) -> None:
    src, out = film(shots=SHOTS), tmp_path / "out.mkv"
    edits: list[Edit] = [Stops()]
    piece = find_pieces(src, least=12)[1]
    render_piece(src, out, edits, piece)
    Stops.seen.clear()
    render_piece(src, out, edits, piece)
    assert Stops.seen == []
