"""The page of an analysis, as a file and in a browser: a click goes to the moment, and nothing is asked for."""

import os
import re
import shutil
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from corpus import Sound, drawing, number_of, write

import vedit
from vedit.errors import OutputError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
RATE = 10
SHOTS = (20, 25, 15)
FRAMES = sum(SHOTS)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a film of numbered pictures, whose name would be code if it were not escaped."""
    folder = tmp_path_factory.mktemp("page")
    sounds = [Sound("flac", FRAMES / RATE)]
    film = write(
        folder / "<b onclick=x>&'.mkv",
        range(FRAMES),
        tick=Fraction(1, RATE),
        draw=drawing(shots=SHOTS),
        sounds=sounds,
    )
    vedit.analyse(film, html=folder / "page.html")
    return folder / "page.html"


def test_a_page_reaches_for_nothing(page: Path) -> None:
    text = page.read_text()
    assert "default-src 'none'" in text
    assert "<b onclick" not in text
    assert "&lt;b onclick=x&gt;" in text
    assert not re.search(r"https?:|url\(|@import|\bfetch\(|XMLHttp", text)
    assert set(re.findall(r'(?:src|href)="([^":]*:?)', text)) == {"data:"}


def test_a_page_that_appears_meanwhile_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.html"

    def appear(done: int, total: int) -> None:
        page.write_text("theirs")

    with pytest.raises(OutputError, match="appeared meanwhile"):
        vedit.analyse(write(tmp_path / "a.mp4", range(8)), html=page, progress=appear)
    assert page.read_text() == "theirs"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mp4", "page.html"]


@pytest.fixture(scope="module")
def opened(page: Path) -> Iterator[Any]:
    """The page in a browser; what it asked for and complained of is looked at in the end."""
    player_of = pytest.importorskip(
        "playwright.sync_api", reason="the test extra's playwright is not installed"
    )
    where = os.environ.get("VEDIT_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if where is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    asked: list[str] = []
    complaints: list[str] = []
    with player_of.sync_playwright() as player:
        # Without a sandbox, because it cannot be had in containers and as root; the page is our own.
        browser = player.chromium.launch(executable_path=where, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1200, "height": 900})
        tab.set_default_timeout(20_000)
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.goto(page.as_uri())
        tab.wait_for_selector("html[data-ready]")
        yield tab
        browser.close()
    assert complaints == []
    assert [url.split(":")[0] for url in asked] == ["file", "blob"]


def shown(tab: Any) -> int:
    """The number that the picture on the screen carries."""
    end = time.monotonic() + 20
    while not tab.evaluate("!film.seeking && film.paused"):
        assert time.monotonic() < end
        time.sleep(0.01)
    width, height, samples = tab.evaluate(
        "(() => { const copy = document.createElement('canvas');"
        " const [wide, high] = [copy.width, copy.height] = [film.videoWidth, film.videoHeight];"
        " const paper = copy.getContext('2d'); paper.drawImage(film, 0, 0);"
        " return [wide, high, [...paper.getImageData(0, 0, wide, high).data]] })()"
    )
    rgb = np.array(samples, np.float32).reshape(height, width, 4)[..., :3] / np.float32(255)
    return number_of(rgb)


def test_a_click_on_a_plot_goes_there(opened: Any) -> None:
    areas = opened.locator(".plot .area")
    assert areas.count() == 5
    for place, number in ((0, 44), (1, 20), (4, 7)):
        area = areas.nth(place)
        area.scroll_into_view_if_needed()
        box = area.bounding_box()
        opened.mouse.click(box["x"] + box["width"] * (number + 0.4) / FRAMES, box["y"] + 20)
        assert shown(opened) == number
    assert "shot 1 of 3" in opened.text_content("#shot")
    areas.nth(2).focus()
    opened.keyboard.press("End")
    opened.keyboard.press("Enter")
    assert shown(opened) == FRAMES - 1


def test_a_click_on_a_shot_goes_to_its_key_frame(opened: Any) -> None:
    buttons = opened.locator("[data-seconds]")
    assert buttons.count() == 3
    for place in (2, 0, 1):
        buttons.nth(place).click()
        number = shown(opened)
        assert number == round(float(buttons.nth(place).get_attribute("data-seconds")) * RATE)
        assert sum(SHOTS[:place]) <= number < sum(SHOTS[: place + 1])
        assert "current" in buttons.nth(place).get_attribute("class")
        assert buttons.nth(place).locator("img").evaluate("(one) => one.complete && one.naturalWidth > 0")


def test_it_plays_and_steps(opened: Any) -> None:
    opened.locator("#seek").evaluate("(seek) => { seek.value = 10; seek.dispatchEvent(new Event('input')) }")
    assert shown(opened) == 10
    opened.click("#on")
    assert shown(opened) == 11
    assert opened.text_content("#clock") == "0:01.100"
    opened.click("#play")
    end = time.monotonic() + 20
    while not opened.evaluate("film.currentTime > 1.5"):
        assert time.monotonic() < end
    opened.click("#play")
    assert shown(opened) > 12


@pytest.mark.parametrize("width", [1200, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_the_window(opened: Any, width: int, scheme: str) -> None:
    opened.emulate_media(color_scheme=scheme)
    opened.set_viewport_size({"width": width, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") == width
    paper = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (int(paper[4:].split(",")[0]) > 128) == (scheme == "light")
