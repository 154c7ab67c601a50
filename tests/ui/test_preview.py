"""The preview shows what the run will make, and both run until they are told to stop."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import vedit
from vedit.frame import Notes
from vedit.recipes import Recipe
from vedit.ui.desk import Desk, Stopped, Teller
from vedit.ui.preview import excerpt, preview
from vedit.ui.watchable import still, watchable
from vedit.ui.wish import Wish, edits_of
from vedit.ui.work import edited_file
from vedit.video.journal import folder_for
from vedit.video.read import read

Pictures = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


def shown(film: bytes | Path, tmp_path: Path) -> tuple[Pictures, list[float]]:
    """A film's pictures, and when each is shown."""
    if isinstance(film, bytes):
        (tmp_path / "shown.mp4").write_bytes(film)
        film = tmp_path / "shown.mp4"
    source = vedit.probe(film)
    pictures = [(frame.pixels * 255).permute(1, 2, 0).numpy() for frame in read(source, Notes())]
    return np.stack(pictures), [float(pts * source.time_base) for pts in source.pts]


@pytest.mark.parametrize(("index", "frames"), [(0, (0, 48)), (60, (36, 84)), (99, (52, 100))])
def test_the_excerpt_is_two_seconds_around_a_frame(
    index: int, frames: tuple[int, int], film: Callable[..., Path]
) -> None:
    found = excerpt(vedit.probe(film(shots=(100,))), index)
    assert index in found
    assert abs(found.start - frames[0]) <= 1
    assert abs(found.stop - frames[1]) <= 1


def test_a_short_film_is_shown_whole(film: Callable[..., Path]) -> None:
    assert excerpt(vedit.probe(film(shots=(1,))), 0) == range(1)
    assert excerpt(vedit.probe(film(shots=(7,))), 6) == range(7)


def test_the_preview_is_what_the_run_makes(film: Callable[..., Path], tmp_path: Path) -> None:
    path = film(shots=(40, 44))  # a cut within the excerpt
    source = vedit.probe(path)
    edits = [vedit.edits.Inpaint("track:50=box:30,20,12,12", quality="draft")]
    vedit.run(edits, path, tmp_path / "run.mp4", crf=4)
    ticks: list[tuple[int, int]] = []
    made = preview(source, edits, 50, progress=lambda *tick: ticks.append(tick))
    whole, _ = shown(tmp_path / "run.mp4", tmp_path)
    after, times = shown(made.edited, tmp_path)
    before, same_times = shown(made.original, tmp_path)
    part = slice(made.frames.start, made.frames.stop)
    assert len(after) == len(before) == len(made.frames)
    assert np.abs(after - whole[part]).mean() < 4
    assert np.abs(before - shown(path, tmp_path)[0][part]).mean() < 4
    hole = (slice(25, 35), slice(20, 32), slice(30, 42))
    assert np.abs(after[hole] - before[hole]).mean() > 5 * np.abs(after[:2] - before[:2]).mean()
    assert times == same_times
    assert ticks[-1] == (len(made.frames), len(made.frames))


def test_slow_motion_is_slow_in_the_preview(film: Callable[..., Path], tmp_path: Path) -> None:
    source = vedit.probe(film(shots=(24,)))
    made = preview(source, [vedit.edits.Interpolate(slowmo=2, quality="draft")], 0)
    assert [len(shown(part, tmp_path)[0]) for part in (made.original, made.edited)] == [24, 48]
    assert shown(made.edited, tmp_path)[1][-1] == pytest.approx(47 * 1001 / 24000, abs=0.001)


def test_previews_play_in_any_browser(film: Callable[..., Path]) -> None:
    made = preview(vedit.probe(film(shots=(3,))), [], 0)
    with av.open(BytesIO(made.edited)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")


def test_a_film_that_browsers_do_not_play_is_shown_as_a_copy(
    film: Callable[..., Path], tmp_path: Path
) -> None:
    plain = film(shots=(6,))
    copy = tmp_path / "small.mp4"
    assert watchable(plain, copy) == plain
    assert not copy.exists()
    vedit.run([], plain, tmp_path / "master.mov", codec="prores_ks")
    assert watchable(tmp_path / "master.mov", copy) == copy
    with av.open(copy) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
    pictures, times = shown(copy, tmp_path)
    assert np.abs(pictures - shown(plain, tmp_path)[0]).mean() < 4
    assert times == pytest.approx(shown(plain, tmp_path)[1], abs=0.001)


def test_a_still_is_the_frame_that_was_asked_for(film: Callable[..., Path], tmp_path: Path) -> None:
    path = film(shots=(9, 9))
    source, (pictures, _) = vedit.probe(path), shown(path, tmp_path)
    for index in (0, 8, 9, 17):
        picture = np.asarray(Image.open(BytesIO(still(source, index))), np.float32)
        apart = [np.abs(picture - one).mean() for one in pictures]
        assert int(np.argmin(apart)) == index


def test_a_cancelled_run_goes_on_where_it_stopped(film: Callable[..., Path], tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk")
    desk.open(film(shots=(200,)))
    recipe = Wish("Interpolate", quality="draft").made(None)
    output = edited_file(desk, recipe)
    desk.begin()
    teller = Teller(desk.stop)

    def show(done: float, words: str) -> None:
        if done > 0.6:
            desk.stop.set()

    teller.show = show
    with pytest.raises(Stopped):
        _run(desk, recipe, teller.progress)
    assert not output.exists()
    assert (folder_for(output) / "journal.jsonl").exists()
    desk.begin()
    report = _run(desk, recipe, Teller(desk.stop).progress)
    assert report.frames_kept > 0
    assert len(shown(output, tmp_path)[0]) == report.frames_out

    desk.close()
    assert not desk.folder.exists()
    with pytest.raises(vedit.UsageError, match="no longer here"):
        _ = desk.film


def _run(desk: Desk, recipe: Recipe, progress: Callable[[int, int], None]) -> vedit.Report:
    return vedit.run(
        edits_of(recipe), desk.film.path, edited_file(desk, recipe), audio="auto", progress=progress
    )
