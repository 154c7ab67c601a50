"""Two films compared: which pictures belong together, what the numbers say, what was kept."""

import json
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from math import isnan
from pathlib import Path

import numpy as np
import pytest
from corpus import FILM_RATE, FILMS, Picture, Sound, drawing, picture, with_everything, write

import vedit
from vedit.errors import InputError, OutputError, UsageError

MILLISECOND = Fraction(1, 1000)


def with_marks(*numbers: int) -> Callable[[int], Picture]:
    """The usual pictures; those of these numbers have a white patch."""

    def draw(number: int) -> Picture:
        rgb = picture(number)
        if number in numbers:
            rgb[30:50, 40:80] = 255
        return rgb

    return draw


def inverted(number: int) -> Picture:
    """Another drawing altogether, which jumps about in pictures 30 to 33."""
    rgb = 255 - picture(number)
    return np.roll(rgb, 9 * (number % 2) * (30 <= number < 34), axis=1)


def test_the_same_film_is_the_same(film: Callable[..., Path]) -> None:
    path = film(shots=(12, 12))
    found = vedit.compare(path, path, vmaf=False)
    assert (found.frames, found.identical, found.shots) == (24, 24, 2)
    assert found.means["psnr"] == 50
    assert found.means["ssim"] == found.means["structure"] == 1
    assert found.means["warp_result"] == found.means["warp_reference"]
    assert found.worst == ()
    assert found.proof == "24/24 pictures · times identical · audio 1/1 bit-exact"
    assert all(one.exact for one in found.kept)
    assert found.remarks == ()


def test_nothing_is_measured_across_a_cut(film: Callable[..., Path]) -> None:
    path = film(shots=(12, 12))
    series = vedit.compare(path, path, vmaf=False).series
    assert series.cuts == [0, 12]
    assert [i for i, error in enumerate(series.values["warp_reference"]) if isnan(error)] == [0, 12]


def test_the_moments_that_differ_most_are_found(tmp_path: Path) -> None:
    ours = write(tmp_path / "a.mp4", range(60))
    theirs = write(tmp_path / "b.mp4", range(60), draw=with_marks(7, 40, 41))
    found = vedit.compare(ours, theirs, vmaf=False)
    assert found.identical == 57
    assert found.alike
    # 40 and 41 are of one second; they differ alike, so the first counts.
    assert [moment.index for moment in found.worst] == [7, 40]
    assert [moment.seconds for moment in found.worst] == [7 / 25, 40 / 25]
    psnr = found.series.values["psnr"]
    assert [i for i in range(60) if psnr[i] < 50] == [7, 40, 41]
    patch = picture(7)[30:50, 40:80].astype(float) / 255 - 1
    wanted = -10 * np.log10((patch**2).sum() / (3 * 64 * 96))
    assert psnr[7] == pytest.approx(wanted, abs=0.2)  # the rim of the patch is softer in 4:2:0


def test_worst_moments_are_a_second_apart(tmp_path: Path) -> None:
    ours = write(tmp_path / "a.mp4", range(200))
    theirs = write(tmp_path / "b.mp4", range(200), draw=with_marks(*range(20, 200, 12)))
    seconds = sorted(moment.seconds for moment in vedit.compare(ours, theirs, vmaf=False).worst)
    assert 3 <= len(seconds) <= 5
    assert min(b - a for a, b in pairwise(seconds)) >= 1


def test_pictures_between_those_of_the_reference_are_passed_over(tmp_path: Path) -> None:
    """Twice as many pictures; those of the reference lie at their own times, rounded to Matroska's milliseconds."""
    ours = write(tmp_path / "a.mp4", range(0, 40 * 1001, 1001), tick=Fraction(1, 24000), rate=FILM_RATE)
    between = drawing()
    theirs = write(
        tmp_path / "b.mkv",
        (round(i * 1001 / 48000 * 1000) for i in range(80)),
        tick=MILLISECOND,
        rate=2 * FILM_RATE,
        draw=lambda n: between(n // 2) if n % 2 == 0 else 255 - between(n),
    )
    found = vedit.compare(ours, theirs, vmaf=False)
    assert found.frames == found.identical == 40
    times = next(one for one in found.kept if one.what == "times")
    assert (times.exact, times.words) == (False, "80 pictures for 40; as long")


def test_films_of_no_constant_rate_are_matched_within_a_tick(tmp_path: Path) -> None:
    at = [0, 3600, 9001, 12000, 21010, 24000, 32003, 36000, 45000, 48001]
    ours = write(tmp_path / "a.mp4", at, tick=Fraction(1, 90000), rate=Fraction(25))
    theirs = write(tmp_path / "b.mkv", [pts // 90 for pts in at], tick=MILLISECOND, rate=Fraction(25))
    found = vedit.compare(ours, theirs, vmaf=False)
    assert found.identical == found.frames == len(at)
    assert found.time_error is not None
    assert 0 < found.time_error < MILLISECOND
    assert "times within" in found.proof
    assert any("matched to within 1 ms" in remark for remark in found.remarks)


def test_films_of_other_sizes_are_compared_at_the_smaller(tmp_path: Path) -> None:
    ours = write(tmp_path / "a.mp4", range(10), draw=drawing((192, 128)))
    theirs = write(tmp_path / "b.mp4", range(10), draw=drawing((96, 64)))
    found = vedit.compare(ours, theirs)
    assert (found.width, found.height) == (96, 64)
    assert "the films are 192x128 and 96x64; they are compared at 96x64" in found.remarks
    assert found.vmaf is None


def test_a_shorter_film_is_compared_as_long_as_it_lasts(tmp_path: Path) -> None:
    ours = write(tmp_path / "a.mp4", range(30))
    theirs = write(tmp_path / "b.mp4", range(20))
    found = vedit.compare(ours, theirs)
    assert found.frames == found.identical == 20
    assert any("1.200 and 0.800 s" in remark for remark in found.remarks)
    assert found.vmaf_words == "the films have not as many pictures"


def test_another_look_is_judged_by_its_steadiness(tmp_path: Path) -> None:
    ours = write(tmp_path / "a.mp4", range(60))
    theirs = write(tmp_path / "b.mp4", range(60), draw=inverted)
    found = vedit.compare(ours, theirs)
    assert not found.alike
    assert (found.vmaf, found.vmaf_words) == (None, "the films are not meant to look alike")
    assert found.means["structure"] is not None
    assert found.means["structure"] > 0.5  # turned to its negative, a drawing is the same drawing
    assert 30 <= found.worst[0].index <= 34
    assert found.of(found.worst[0]) == found.series.values["warp_result"][found.worst[0].index]


def test_vmaf_tells_good_from_bad(tmp_path: Path) -> None:
    def textured(number: int) -> Picture:
        dice = np.random.default_rng(0).integers(0, 256, (36, 64, 3), dtype=np.uint8)
        return np.roll(dice.repeat(4, axis=0).repeat(4, axis=1), number, axis=1)

    ours = write(tmp_path / "a.mp4", range(10), draw=textured)
    good, bad = (
        write(tmp_path / f"{qp}.mp4", range(10), draw=textured, options={"qp": qp}) for qp in ("8", "40")
    )
    scores = [vedit.compare(ours, theirs).vmaf for theirs in (good, bad)]
    assert scores[0] is not None
    assert scores[1] is not None
    assert 100 >= scores[0] > scores[1] + 5 > 5


def test_what_was_kept_is_told(tmp_path: Path, film: Callable[..., Path]) -> None:
    ours = with_everything(tmp_path / "a.mkv")
    same = {one.what: one for one in vedit.compare(ours, ours, vmaf=False).kept}
    assert all(one.exact for one in same.values())
    assert {"times", "size", "colour tags", "chapters", "tags"} < set(same)
    assert sum(one.kind == "audio" for one in same.values()) == 2
    assert sum(one.kind == "subtitle" for one in same.values()) == 1

    bare = write(tmp_path / "b.mkv", range(24))
    found = vedit.compare(ours, bare, vmaf=False)
    gone = {one.what: one.words for one in found.kept if not one.exact}
    assert gone["chapters"] == "0; were 2"
    assert gone["tags"].startswith("lost or changed: ")
    assert [words for what, words in gone.items() if what.startswith("audio")] == ["not in the result"] * 2
    assert found.proof.endswith("audio 0/2 bit-exact")


def test_sound_encoded_anew_is_not_exact(tmp_path: Path) -> None:
    ours = write(tmp_path / "a.mkv", range(10), sounds=[Sound(), Sound("flac")])
    theirs = write(tmp_path / "b.mkv", range(10), sounds=[Sound("flac"), Sound("libopus")])
    sounds = [one for one in vedit.compare(ours, theirs, vmaf=False).kept if one.kind == "audio"]
    # What is the same is found wherever it lies.
    assert [one.exact for one in sounds] == [False, True]
    assert sounds[0].words == "opus; was aac"


def test_the_recipe_of_an_edit_is_found(tmp_path: Path) -> None:
    ours = write(tmp_path / "a.mp4", range(10))
    vedit.interpolate(ours, tmp_path / "b.mp4", factor=2, quality="draft")
    found = vedit.compare(ours, tmp_path / "b.mp4", vmaf=False)
    assert found.recipe is not None
    assert "factor = 2" in found.recipe
    assert vedit.compare(ours, ours, vmaf=False).recipe is None


def test_facts_are_plain(film: Callable[..., Path]) -> None:
    path = film()
    facts = json.loads(vedit.compare(path, path, vmaf=False).to_json())
    assert facts["means"]["psnr"] == 50
    assert facts["time_error"] == "0"
    assert facts["html"] is None


def test_progress_counts_the_reference(film: Callable[..., Path]) -> None:
    path = film()
    seen: list[tuple[int, int]] = []
    vedit.compare(path, path, vmaf=False, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(n, 10) for n in range(1, 11)]


ODD = (
    "interlaced.mpg",
    "hdr_pq.mp4",
    "alpha.webm",
    "turned_90.mp4",
    "odd_size.mkv",
    "raw.h264",
    "animated.gif",
)


@pytest.mark.parametrize("name", ODD)
def test_odd_films_are_compared_as_they_are_edited(tmp_path: Path, name: str) -> None:
    path = FILMS[name](tmp_path / name)
    found = vedit.compare(path, path, html=tmp_path / "page.html", vmaf=False)
    assert found.identical == found.frames > 0
    assert all(one.exact for one in found.kept)


def test_pictures_that_are_not_whole_are_counted(tmp_path: Path) -> None:
    path = FILMS["broken_packets.mp4"](tmp_path / "a.mp4")
    found = vedit.compare(path, write(tmp_path / "b.mp4", options={"g": "1"}), vmaf=False)
    assert "3 pictures of the reference are not whole in the file: repeated" in found.remarks
    assert found.identical == 21


def test_what_cannot_be_compared_is_refused(film: Callable[..., Path], tmp_path: Path) -> None:
    path = film()
    text = tmp_path / "notes.txt"
    text.write_text("no film")
    with pytest.raises(InputError, match="does not exist"):
        vedit.compare(path, tmp_path / "missing.mp4")
    with pytest.raises(InputError, match="not a media file"):
        vedit.compare(text, path)
    with pytest.raises(UsageError, match="is a folder"):
        vedit.compare(path, path, html=tmp_path)
    with pytest.raises(OutputError, match="does not exist"):
        vedit.compare(path, path, html=tmp_path / "missing" / "page.html")
    with pytest.raises(UsageError, match="one of the films"):
        vedit.compare(path, path, html=path, overwrite=True)
    with pytest.raises(UsageError, match="exists"):
        vedit.compare(path, path, html=text)
    assert text.read_text() == "no film"
