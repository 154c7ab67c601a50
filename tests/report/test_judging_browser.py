"""Whole sessions of judging in a browser, by keyboard, from the practice to the file that is saved and counted."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import Tab, browsing
from corpus import drawing, number_of, write

import vedit

NAMES = ("velvet.mp4", "hammer.mp4", "tulip.mp4")
STEADIER, NICER = "Which is steadier?", "Which is nicer?"
FRAMES = 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures that carry their number, in grey, and versions of them that are reddish, greenish and bluish."""
    folder = tmp_path_factory.mktemp("judged")
    draw = drawing()

    def tinted(channel: int | None) -> Callable[[int], np.ndarray[Any, np.dtype[np.uint8]]]:
        def picture(number: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
            rgb = draw(number)
            if channel is not None:
                rgb = rgb.copy()
                rgb[-16:] = [230 if each == channel else 20 for each in range(3)]
            return rgb

        return picture

    for name, channel in (("source.mp4", None), *zip(NAMES, range(3), strict=True)):
        write(folder / name, range(FRAMES), tick=Fraction(1, 10), draw=tinted(channel))
    films = [folder / name for name in NAMES]
    vedit.judge(folder / "source.mp4", films, html=folder / "pairs.html", questions=[STEADIER, NICER])
    vedit.judge(folder / "source.mp4", films[:1], html=folder / "rating.html", mode="rating", rounds=2)
    return folder


def canvas(whose: str) -> str:
    return f"[data-shown='{whose}']"


class Session(Tab):
    """A judge at a page."""

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def shown(self, whose: str) -> str:
        """Which of the films a canvas shows, told by its colour."""
        self.until("film.readyState >= 2")
        self.drawn()
        mean = self.pixels(canvas(whose))[-12:-4].mean((0, 1))
        assert mean.max() - mean.min() > 0.2
        return NAMES[int(mean.argmax())]

    def visible(self) -> str:
        return str(self.page.inner_text("body"))

    def save(self, to: Path) -> Path:
        with self.page.expect_download() as download:
            self.page.focus("#save")
            self.press("Enter")
        download.value.save_as(to)
        return to


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsing() as opened:
        yield opened


@pytest.fixture
def sit(folder: Path, browser: Any) -> Iterator[Callable[[str], Session]]:
    """A new judge, with a browser that remembers nothing; no session makes the page complain or ask for anything."""
    sessions: list[Session] = []

    def new(name: str) -> Session:
        context = browser.new_context(viewport={"width": 1200, "height": 800}, accept_downloads=True)
        sessions.append(Session(context.new_page(), folder / name))
        return sessions[-1]

    yield new
    for session in sessions:
        session.page.context.close()
        assert session.complaints == []
        assert {url.split(":")[0] for url in session.asked} <= {"file", "blob"}


def test_a_whole_session_by_keyboard(sit: Callable[[str], Session], folder: Path, tmp_path: Path) -> None:
    """A judge finds red steadier than green, and green than blue, and all equally nice."""
    one = sit("pairs.html")
    seen = one.visible()
    one.press("Tab", *"Ann", "Enter")
    assert one.page.text_content("#count") == "For practice"
    one.press("ArrowLeft", "ArrowLeft")
    wanted = []
    for number in range(6):
        assert one.page.text_content("#question") == STEADIER
        assert one.page.text_content("#count") == f"{2 * number + 1} of 12"
        left, right = one.shown("0"), one.shown("1")
        seen += one.visible()
        better = min((left, right), key=NAMES.index)
        wanted.append((left, right, "left" if better == left else "right"))
        one.press("ArrowLeft" if better == left else "ArrowRight")
        if number == 2:
            one.page.reload()
        assert one.page.text_content("#question") == NICER
        assert (one.shown("0"), one.shown("1")) == (left, right)
        one.press("ArrowDown")
    assert one.page.is_visible("text=Thank you.")
    assert not one.page.is_visible("#another")
    file = one.save(tmp_path / "ann.json")
    seen += one.visible()
    assert not [name for name in ("velvet", "hammer", "tulip", "source.mp4") if name in seen]

    counts = Counter(frozenset((left, right)) for left, right, _ in wanted)
    assert set(counts.values()) == {2}
    assert len({(left, right) for left, right, _ in wanted}) == 6
    made = json.loads(file.read_text())
    assert made["name"] == "Ann"
    assert [trial["answer"] for trial in made["trials"]] == [
        word for _, _, word in wanted for word in (word, "same")
    ]
    assert all(0 <= trial["seconds"] < 60 for trial in made["trials"])

    red, green, blue = NAMES
    found = vedit.tally([file])
    assert (found.judges, found.answers, found.questions[0].question) == (1, 12, STEADIER)
    won = {(pair.a, pair.b): (pair.wins, pair.ties, pair.losses) for pair in found.questions[0].pairs}
    assert won == {(green, blue): (2, 0, 0), (green, red): (0, 0, 2), (blue, red): (0, 0, 2)}
    assert [score.name for score in found.questions[0].scores] == [red, green, blue]
    assert all((pair.wins, pair.ties, pair.losses) == (0, 2, 0) for pair in found.questions[1].pairs)


def test_an_answer_is_taken_back_and_somebody_else_comes(
    sit: Callable[[str], Session], tmp_path: Path
) -> None:
    one = sit("rating.html")
    one.press("Tab", "Enter", "3", "ArrowLeft", "7", "2")
    assert one.page.text_content("#count") == "2 of 2"
    one.press("Backspace", "4")
    assert one.page.text_content("#count") == "2 of 2"
    one.page.click("[data-answer='5']")
    one.page.click("#change")
    # The button pressed last does not take the space bar.
    playing = one.page.evaluate("!film.paused")
    one.press(" ")
    one.until(f"film.paused === {json.dumps(playing)}")
    one.press("1")
    first = json.loads(one.save(tmp_path / "a.json").read_text())
    assert [trial["answer"] for trial in first["trials"]] == [4, 1]
    assert first["name"] is None
    one.press("Backspace")
    assert one.page.is_visible("#another")
    one.page.reload()
    one.page.click("#another")
    one.press("Enter")
    assert one.page.is_visible("#start")
    one.page.click("#enter button")
    one.press("1", "5", "5")
    second = json.loads(one.save(tmp_path / "b.json").read_text())
    assert second["judge"] != first["judge"]
    found = vedit.tally([tmp_path / "a.json", tmp_path / "b.json"])
    assert (found.judges, found.questions[0].scores[0].score.value) == (2, (2.5 + 5) / 2)


def test_films_are_in_step_and_played_by_keyboard(sit: Callable[[str], Session]) -> None:
    one = sit("pairs.html")
    one.page.click("#enter button")
    one.until("film.currentTime > 0.3")
    one.press(" ")
    one.until("film.paused && !film.seeking")
    one.press("Home", *"....")
    one.until("film.paused && !film.seeking && Math.abs(film.currentTime - 0.45) < 0.01")
    one.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert [number_of(one.pixels(canvas(whose))) for whose in ("source", "0", "1")] == [4, 4, 4]
    one.press(",")
    one.until("document.getElementById('seek').value === '3' && !film.seeking")
    # A slider keeps the arrow keys while it has the focus: they seek, and answer nothing.
    one.page.focus("#seek")
    one.press("ArrowRight", "ArrowRight")
    assert one.page.evaluate("document.getElementById('seek').value") == "5"
    assert one.page.text_content("#question") == STEADIER
    assert one.page.is_disabled("#undo")
    one.page.focus("#play")
    one.press("l")
    assert not one.page.is_checked("#loop")
    assert not one.page.evaluate("film.loop")


def test_sides_and_order_are_even_for_every_judge(sit: Callable[[str], Session]) -> None:
    one = sit("pairs.html")
    orders = set()
    for _ in range(12):
        one.page.click("#enter button")
        trials = json.loads(one.page.evaluate("Object.values(localStorage)[0]"))["trials"]
        practice, *rest = [
            (trial["shown"][0], trial["shown"][1], trial.get("training", False)) for trial in trials
        ]
        assert practice[2]
        assert not any(training for *_, training in rest)
        # Three pairs, each once each way round, once in either half.
        assert len({(left, right) for left, right, _ in rest}) == len(rest) == 6
        assert len({frozenset(pair[:2]) for pair in rest[:3]}) == 3
        assert frozenset(rest[2][:2]) != frozenset(rest[3][:2])
        orders.add(tuple(rest))
        one.page.evaluate("localStorage.clear()")
        one.page.reload()
    assert len(orders) > 6


@pytest.mark.parametrize("width", [1200, 360])
@pytest.mark.parametrize("name", ["pairs.html", "rating.html"])
def test_it_fits_the_window_and_has_labels(sit: Callable[[str], Session], name: str, width: int) -> None:
    one = sit(name)
    one.page.set_viewport_size({"width": width, "height": 700})
    assert one.page.evaluate("document.documentElement.scrollWidth") == width
    assert one.page.get_by_label("Your name").is_visible()
    one.page.click("#enter button")
    one.until("film.readyState >= 2")
    assert one.page.evaluate("document.documentElement.scrollWidth") == width
    assert one.page.evaluate("document.activeElement.id") == "question"
    for button in one.page.locator("#trial button").all():
        assert (button.get_attribute("aria-label") or button.inner_text()).strip()
