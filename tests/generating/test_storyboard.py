"""What a storyboard says, and what is wrong with it, by file and line."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vedit.errors import InputError, UsageError
from vedit.generating.board_file import read_storyboard
from vedit.generating.storyboard import Panel, read_rate, read_size, spans


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.png", "b.png"):
        Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(tmp_path / name)
    return tmp_path


def written(folder: Path, text: str, name: str = "board.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_toml_says_all_of_a_film(folder: Path) -> None:
    board = read_storyboard(
        written(
            folder,
            """
size = "64x48"
rate = "24000/1001"
sound = "song.wav"
seconds = 2.5
[[shots]]
picture = "a.png"
camera = "in"
look = "ink"
strength = 0.8
[[shots]]
prompt = "a # forest"
seconds = 0.1
negative_prompt = "people"
transition = "dissolve"
transition_seconds = 0.05
seed = 7
[[shots]]
prompt = "ashes"
continues = true
""",
        )
    )
    assert (board.size, board.rate, board.sound) == ((64, 48), Fraction(24000, 1001), folder / "song.wav")
    first, second, third = board.panels
    assert (first.picture, first.camera, first.look, first.strength) == (folder / "a.png", "in", "ink", 0.8)
    assert (first.seconds, second.seconds, third.seconds) == (Fraction(5, 2), Fraction(1, 10), Fraction(5, 2))
    assert (second.prompt, second.negative_prompt, second.seed) == ("a # forest", "people", 7)
    assert (second.transition, second.transition_seconds) == ("dissolve", Fraction(1, 20))
    assert (third.transition, third.continues) == ("cut", True)


def test_lines_are_pictures_or_prompts(folder: Path) -> None:
    text = "# my film\n\na.png\na forest in the morning\nb.png\n"
    board = read_storyboard(written(folder, text, "board.txt"), Fraction(3))
    assert [panel.picture for panel in board.panels] == [folder / "a.png", None, folder / "b.png"]
    assert [panel.prompt for panel in board.panels] == [None, "a forest in the morning", None]
    assert {panel.seconds for panel in board.panels} == {3}
    assert read_storyboard([folder / "a.png", "a forest"]).panels[1].prompt == "a forest"


@pytest.mark.parametrize(
    ("text", "place", "remedy"),
    [
        ("[[shots]\n", "line 1", "TOML"),
        ("[[shots]]\npicture = 'a.png'\nsecs = 2\n", "line 3 (shot 1)", "seconds"),
        ("[[shots]]\npicture = 'a.png'\n[[shots]]\nseed = 1\n", "line 3 (shot 2)", "picture"),
        ("[[shots]]\npicture = 'a.png'\nseconds = -1\n", "line 3 (shot 1)", "above 0"),
        ("[[shots]]\npicture = 'a.png'\ncamera = 'inn'\n", "line 3 (shot 1)", "Did you mean in?"),
        ("[[shots]]\npicture = 'a.png'\nstrength = 2\n", "line 3 (shot 1)", "0 to 1"),
        ("rate = 'fast'\n[[shots]]\npicture = 'a.png'\n", "line 1", "24000/1001"),
        ("size = '63x48'\n[[shots]]\npicture = 'a.png'\n", "line 1", "even"),
        ("fps = 3\n[[shots]]\npicture = 'a.png'\n", "line 1", "rate"),
        ("size = '64x48'\n", "line 1", "[[shots]]"),
        (
            "[[shots]]\nprompt = 'a'\n[[shots]]\nprompt = 'b'\ncontinues = true\ntransition = 'morph'\n",
            "line 6 (shot 2)",
            "Leave it out",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_line(folder: Path, text: str, place: str, remedy: str) -> None:
    path = written(folder, text)
    with pytest.raises(UsageError) as caught:
        read_storyboard(path)
    assert f"{path}, {place}" in caught.value.problem
    assert remedy in str(caught.value)


def test_a_missing_picture_is_named_with_its_line(folder: Path) -> None:
    with pytest.raises(InputError, match=r"line 2 \(shot 1\): picture .*c\.png does not exist"):
        read_storyboard(written(folder, "[[shots]]\npicture = 'c.png'\n"))
    with pytest.raises(InputError, match=r"board.txt, line 1: picture .*c\.png does not exist"):
        read_storyboard(written(folder, "c.png", "board.txt"))
    with pytest.raises(InputError, match="does not exist"):
        read_storyboard(folder / "nothing.toml")
    with pytest.raises(UsageError, match="is empty"):
        read_storyboard(written(folder, "# nothing\n", "board.txt"))


def panel(seconds: float | str, transition: str = "cut", long: float | None = None) -> Panel:
    return Panel(
        "here",
        prompt="a",
        seconds=Fraction(str(seconds)),
        transition=transition,  # type: ignore[arg-type]
        transition_seconds=None if long is None else Fraction(str(long)),
    )


def test_frames_are_those_of_the_sum_of_seconds() -> None:
    rate = Fraction(24000, 1001)
    found = spans([panel("0.7")] * 10, rate)
    assert found[-1].stop == int(7 * rate + Fraction(1, 2)) == 168
    assert [b.start for b in found[1:]] == [a.stop for a in found[:-1]]


def test_a_transition_is_taken_from_both_shots() -> None:
    first, second, third = spans([panel(1), panel(1, "morph", 0.5), panel(1, "dissolve")], Fraction(10))
    assert (first.start, first.end, second.first, second.start) == (0, 13, 8, 10)
    assert (third.first, second.end) == (19, 22)  # a third of a second, where nothing is said


def test_what_has_no_room_is_refused() -> None:
    with pytest.raises(UsageError, match="hold no frame"):
        spans([panel("0.01"), panel(1)], Fraction(24))
    with pytest.raises(UsageError, match="longer than the shot"):
        spans([panel(1), panel(1, "morph", 1.5), panel(1, "morph", 1.5)], Fraction(24))


def test_a_typing_error_does_not_fill_the_disk() -> None:
    with pytest.raises(UsageError, match="would have 24000000 frames"):
        spans([panel(1_000_000)], Fraction(24))
    for wrong in (0, -24, "fast", True, 5000, "24000000001/1001000001", float("nan")):
        with pytest.raises(UsageError, match="rate is"):
            read_rate(wrong)
    assert read_rate(29.97) == Fraction(2997, 100)


def test_sizes() -> None:
    assert read_size("640x360") == read_size((640, 360)) == (640, 360)
    for wrong in ("640", "0x0", "99999x2", (1, 2, 4), "641x360"):
        with pytest.raises(UsageError):
            read_size(wrong)
