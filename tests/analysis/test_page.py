"""The page of an analysis, as a file and in a browser: a click goes to the moment, and nothing is asked for."""

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from browsing import Tab, browsing
from corpus import Sound, drawing, number_of, write

import vedit
from vedit.errors import OutputError

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
def opened(page: Path) -> Iterator[Tab]:
    """The page in a browser; what it asked for and complained of is looked at in the end."""
    with browsing() as browser:
        tab = Tab(browser.new_page(viewport={"width": 1200, "height": 900}), page)
        tab.page.wait_for_selector("html[data-ready]")
        yield tab
    assert tab.complaints == []
    assert [url.split(":")[0] for url in tab.asked] == ["file", "blob"]


def shown(tab: Tab) -> int:
    """The number that the picture on the screen carries."""
    tab.at_rest()
    return number_of(tab.pixels("#film"))


def test_a_click_on_a_plot_goes_there(opened: Tab) -> None:
    areas = opened.page.locator(".plot .area")
    assert areas.count() == 5
    for place, number in ((0, 44), (1, 20), (4, 7)):
        area = areas.nth(place)
        area.scroll_into_view_if_needed()
        box = area.bounding_box()
        opened.page.mouse.click(box["x"] + box["width"] * (number + 0.4) / FRAMES, box["y"] + 20)
        assert shown(opened) == number
    assert "shot 1 of 3" in opened.page.text_content("#shot")
    areas.nth(2).focus()
    opened.page.keyboard.press("End")
    opened.page.keyboard.press("Enter")
    assert shown(opened) == FRAMES - 1


def test_a_click_on_a_shot_goes_to_its_key_frame(opened: Tab) -> None:
    buttons = opened.page.locator("[data-seconds]")
    assert buttons.count() == 3
    for place in (2, 0, 1):
        buttons.nth(place).click()
        number = shown(opened)
        assert number == round(float(buttons.nth(place).get_attribute("data-seconds")) * RATE)
        assert sum(SHOTS[:place]) <= number < sum(SHOTS[: place + 1])
        assert "current" in buttons.nth(place).get_attribute("class")
        assert buttons.nth(place).locator("img").evaluate("(one) => one.complete && one.naturalWidth > 0")


def test_it_plays_and_steps(opened: Tab) -> None:
    opened.page.locator("#seek").evaluate(
        "(seek) => { seek.value = 10; seek.dispatchEvent(new Event('input')) }"
    )
    assert shown(opened) == 10
    opened.page.click("#on")
    assert shown(opened) == 11
    assert opened.page.text_content("#clock") == "0:01.100"
    opened.page.click("#play")
    opened.until("film.currentTime > 1.5")
    opened.page.click("#play")
    assert shown(opened) > 12


@pytest.mark.parametrize("width", [1200, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_the_window(opened: Tab, width: int, scheme: str) -> None:
    opened.page.emulate_media(color_scheme=scheme)
    opened.page.set_viewport_size({"width": width, "height": 800})
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width
    paper = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (int(paper[4:].split(",")[0]) > 128) == (scheme == "light")
