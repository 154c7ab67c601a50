"""The page in a browser: it plays in step, is worked by mouse and keyboard, and complains of nothing."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from browsing import Tab, browsing
from corpus import number_of, picture, write

import vedit

RATE = 10
FRAMES = 60


class Opened(Tab):
    """A comparison in a browser."""

    def numbers(self) -> tuple[int, int]:
        """The numbers that both films' pictures on the screen carry: the reference's left half, the result's right."""
        self.at_rest()
        rgb = self.pixels("#screen")
        middle = rgb.shape[1] // 2
        return number_of(rgb[:, :middle]), number_of(rgb[:, middle:])


def twice(number: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A picture's number on the left and on the right half."""
    half = picture(number, (96, 64))
    return np.concatenate([half, half], axis=1)


def patched(number: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    rgb = twice(number)
    if number in (25, 45):
        rgb[40:60, 20:60] = 255
    return rgb


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    folder = tmp_path_factory.mktemp("page")
    ours = write(folder / "a.mp4", range(FRAMES), tick=Fraction(1, RATE), draw=twice)
    theirs = write(folder / "b.mp4", range(FRAMES), tick=Fraction(1, RATE), draw=patched)
    vedit.compare(ours, theirs, html=folder / "page.html", vmaf=False)
    with browsing() as browser:
        found = Opened(browser.new_page(viewport={"width": 1200, "height": 900}), folder / "page.html")
        found.page.wait_for_selector("html[data-ready]")
        yield found


@pytest.fixture(autouse=True)
def nothing_goes_wrong(opened: Opened) -> Iterator[None]:
    """No test makes the page complain, or ask for anything but itself and the film in it."""
    yield
    assert opened.complaints == []
    assert [url.split(":")[0] for url in opened.asked] == ["file", "blob"]


def wiped(opened: Opened) -> int:
    return int(opened.page.get_attribute("#wipe", "aria-valuenow"))


def test_the_divider_follows_the_mouse(opened: Opened) -> None:
    opened.page.locator(".stage").scroll_into_view_if_needed()
    box = opened.page.locator(".stage").bounding_box()
    mouse, down = opened.page.mouse, box["y"] + box["height"] / 3
    mouse.move(box["x"] + box["width"] / 2, down)
    mouse.down()
    mouse.move(box["x"] + box["width"] / 4, down, steps=3)
    assert wiped(opened) == 25
    mouse.move(box["x"] - 50, down, steps=3)
    assert wiped(opened) == 0
    mouse.up()
    mouse.move(box["x"] + box["width"] / 2, down)
    assert wiped(opened) == 0


def test_the_divider_follows_the_keyboard(opened: Opened) -> None:
    opened.page.focus("#wipe")
    for key, wanted in (("Home", 0), ("ArrowRight", 2), ("End", 100), ("ArrowLeft", 98), ("PageDown", 88)):
        opened.page.keyboard.press(key)
        assert wiped(opened) == wanted


def test_both_films_are_in_step(opened: Opened) -> None:
    page = opened.page
    page.evaluate("document.getElementById('wipe').focus()")
    page.keyboard.press("Home")
    for _ in range(25):
        page.keyboard.press("ArrowRight")
    assert wiped(opened) == 50
    page.locator("#seek").evaluate("(seek) => { seek.value = 17; seek.dispatchEvent(new Event('input')) }")
    assert opened.numbers() == (17, 17)
    assert page.text_content("#clock") == "0:01.700"
    page.click("#on")
    assert opened.numbers() == (18, 18)
    page.click("#back")
    page.click("#back")
    assert opened.numbers() == (16, 16)
    page.focus("#wipe")
    page.keyboard.press(".")
    assert opened.numbers() == (17, 17)


def test_it_plays_and_stops(opened: Opened) -> None:
    page = opened.page
    page.locator("#seek").evaluate("(seek) => { seek.value = 0; seek.dispatchEvent(new Event('input')) }")
    opened.at_rest()
    page.select_option("#speed", "2")
    page.click("#play")
    opened.until("film.currentTime > 1")
    assert page.get_attribute("#play", "aria-label") == "Pause"
    page.click("#play")
    ours, theirs = opened.numbers()
    assert ours == theirs > 5
    assert page.get_attribute("#play", "aria-label") == "Play"
    page.uncheck("#loop")
    page.locator("#seek").evaluate("(seek) => { seek.value = 55; seek.dispatchEvent(new Event('input')) }")
    opened.at_rest()
    page.click("#play")
    opened.until("film.ended")
    assert opened.numbers() == (FRAMES - 1, FRAMES - 1)


def test_plots_are_read_and_clicked(opened: Opened) -> None:
    page = opened.page
    assert page.locator(".plot").count() == 4
    for line in page.locator(".line").all():
        assert line.bounding_box()["width"] > 500
    area = page.locator(".plot[data-name=psnr] .area")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    at = box["x"] + box["width"] * (25.2 / FRAMES)
    page.mouse.move(at, box["y"] + 20)
    reading = page.locator(".plot[data-name=psnr] .reading em")
    assert 10 < float(reading.text_content()) < 30
    page.mouse.click(at, box["y"] + 20)
    assert opened.numbers() == (25, 25)
    area.focus()
    page.keyboard.press("End")
    assert float(reading.text_content()) == 50
    page.keyboard.press("Enter")
    assert opened.numbers() == (FRAMES - 1, FRAMES - 1)


def test_worst_moments_are_shown(opened: Opened) -> None:
    moments = opened.page.locator("[data-seconds]")
    assert moments.count() == 2
    loaded = "(picture) => picture.complete && picture.naturalWidth"
    assert all(picture.evaluate(loaded) == 192 for picture in opened.page.locator(".pair img").all())
    moments.nth(1).click()
    number, again = opened.numbers()
    assert number == again
    assert number in (25, 45)


@pytest.mark.parametrize("width", [1200, 360])
def test_it_fits_the_window(opened: Opened, width: int) -> None:
    opened.page.set_viewport_size({"width": width, "height": 800})
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width
