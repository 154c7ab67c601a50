"""The page in a real browser: a film is dropped, tried, run, looked at, compared and downloaded."""

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlparse

import checkpoints
import numpy as np
import pytest
from browsing import browsing
from PIL import Image

import vedit
from vedit.ui.serve import POLICY

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.skipif(find_spec("gradio") is None, reason="gradio is not installed")
WAIT = 60_000
"""Milliseconds for what takes long."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page's address; at the end nothing is left of what was dropped."""
    folder = tmp_path_factory.mktemp("server")
    server = subprocess.Popen(
        [sys.executable, "-m", "vedit", "ui", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    assert server.stdout is not None
    with server, server.stdout as said:
        try:
            words = re.search(r"http://\S+/", said.readline())
            assert words
            yield words[0]
            [private] = folder.glob("vedit-ui-*")
            assert private.stat().st_mode & 0o777 == 0o700
        finally:
            server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
    assert not list(folder.glob("vedit-ui-*"))


@pytest.fixture(scope="module")
def page(url: str) -> Iterator["Page"]:
    """The page, open; at the end it has complained of nothing and asked nobody else for anything."""
    complaints: list[str] = []
    asked: list[str] = []
    with browsing() as browser:
        opened = browser.new_page(viewport={"width": 1400, "height": 1300})
        opened.set_default_timeout(WAIT)
        opened.on("console", lambda word: complaints.extend([word.text] * (word.type == "error")))
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("request", lambda request: asked.append(request.url))
        opened.goto(url)
        yield opened
    assert not complaints
    assert asked
    assert not [address for address in asked if not address.startswith((url, "data:", "blob:", "about:"))]


def drop(page: "Page", film: Path) -> None:
    page.wait_for_selector("#film")  # hidden while a film is made of pictures, whose field has a Clear too
    clear = page.locator("#film").get_by_label("Clear")
    if clear.is_visible():
        clear.click()
        page.wait_for_selector("#painter .empty:visible")
    page.set_input_files("#film input[type=file]", film)


def choose(page: "Page", doing: str) -> None:
    page.get_by_role("radio", name=doing, exact=True).check(force=True)


def said(page: "Page", where: str) -> str:
    """The text of a box in what can be folded."""
    if not page.locator(where).is_visible():
        page.get_by_text("Recipe and command line").click()
    return page.input_value(f"{where} textarea")


def downloaded(page: "Page", button: str, path: Path) -> Path:
    with page.expect_download() as found:
        page.click(button)
    found.value.save_as(path / found.value.suggested_filename)
    return path / found.value.suggested_filename


def test_drop_preview_run(page: "Page", film: Callable[..., Path], tmp_path: Path) -> None:
    source = film("my film.mp4", shots=(30,))
    drop(page, source)
    page.wait_for_selector("#painter .stage:visible")
    assert "96 × 64" in page.inner_text("#facts")
    choose(page, "Interpolate")
    page.get_by_label("draft").check()
    page.click("#preview")
    page.wait_for_selector("#pair video")
    sizes = "Array.from(document.querySelectorAll('#pair video'), (film) => film.videoWidth)"
    page.wait_for_function(f"{sizes}.every((width) => width > 0)")
    assert page.evaluate(sizes) == [96, 96]

    page.click("#run")
    page.wait_for_selector("#result .proof")
    assert "76 frames from 30 · 60 fps · duration equal · audio 1/1 bit-exact" in page.inner_text(".proof")
    page.wait_for_function("document.querySelector('#result video').readyState > 1")
    result = downloaded(page, "#download", tmp_path)
    assert result.name == "my film-interpolate.mp4"
    made = vedit.probe(result)
    assert (made.frames, made.duration) == (76, vedit.probe(source).duration)
    assert [stream.codec for stream in made.streams] == ["aac"]
    assert 'edit = "interpolate"\nfps = 60\nquality = "draft"' in said(page, "#toml")
    assert said(page, "#command") == (
        "vedit interpolate --fps 60 --quality draft -o 'my film-interpolate.mp4' 'my film.mp4'"
    )

    page.click("#compare")
    report = page.frame_locator("iframe.report")
    report.get_by_text("beside my film.mp4").wait_for()
    assert "<html" in downloaded(page, "#page", tmp_path).read_text()


def test_a_mask_is_drawn_on_a_frame(page: "Page", film: Callable[..., Path], tmp_path: Path) -> None:
    drop(page, film("to clean.mp4", shots=(8,)))
    page.wait_for_selector("#painter .stage:visible")
    choose(page, "Remove")
    page.wait_for_selector("#painter .tools:visible")
    page.get_by_label("draft").last.check()
    place = page.locator("#painter canvas").bounding_box()
    assert place
    scale = place["width"] / 96

    def drag(*points: tuple[float, float]) -> None:
        for number, (x, y) in enumerate(points):
            page.mouse.move(place["x"] + x * scale, place["y"] + y * scale, steps=3 if number else 1)
            if not number:
                page.mouse.down()
        page.mouse.up()

    page.click("#preview")  # with nothing drawn
    page.wait_for_selector("#message .complaint")
    assert "Draw a box" in page.inner_text("#message")

    drag((50, 40), (20, 25))
    assert page.inner_text("#painter output") == "30 × 15 at 20, 25"
    page.get_by_label("It moves").check()
    page.click("#preview")
    page.wait_for_selector("#pair video")
    assert 'mask = "track:0=box:20,25,30,15"' in said(page, "#toml")

    page.get_by_label("It moves").uncheck()
    page.locator("#painter [data-tool=brush]").click()
    drag((70, 10), (90, 10))
    page.locator("#painter [data-tool=eraser]").click()
    drag((20, 25), (20, 25))
    page.click("#run")
    page.wait_for_selector("#result .proof")
    said(page, "#toml")
    mask = np.asarray(Image.open(downloaded(page, "#mask", tmp_path)))
    assert mask.shape == (64, 96)
    assert set(np.unique(mask)) == {0, 255}
    assert mask[30:40, 30:50].all()
    assert mask[10, 71:90].all()
    assert not mask[25, 20]
    assert not mask[45:].any()
    assert not mask[:20, :65].any()


def test_a_film_is_analysed_and_summed_up(page: "Page", film: Callable[..., Path], tmp_path: Path) -> None:
    drop(page, film("long.mp4", shots=(20, 24)))
    page.wait_for_selector("#painter .stage:visible")
    choose(page, "Analyse")
    page.wait_for_selector("#preview", state="hidden")
    page.click("#run")
    page.frame_locator("iframe.report").get_by_text("2 shots", exact=True).wait_for()
    page.wait_for_function("document.querySelector('#result img.sheet').naturalWidth > 0")
    assert downloaded(page, "#sheet", tmp_path).name == "long-sheet.png"
    assert said(page, "#command") == "vedit analyse --html long-analysis.html --sheet long-sheet.png long.mp4"

    choose(page, "Summarise")
    page.get_by_label("Seconds of the reel").fill("1")
    page.click("#run")
    page.wait_for_selector("#result .proof")
    assert "s for 1 s" in page.inner_text(".proof")
    assert vedit.probe(downloaded(page, "#download", tmp_path)).frames == 24
    assert not page.locator("iframe.report").count()


def test_a_film_is_made_of_pictures(page: "Page", tmp_path: Path) -> None:
    choose(page, "Generate")
    page.wait_for_selector("#film", state="hidden")
    page.wait_for_selector("#run:enabled")
    page.click("#run")
    page.wait_for_selector("#message .complaint")
    assert page.inner_text("#message").startswith("There is nothing to make a film of. Drop some pictures")
    pictures = [tmp_path / "a.png", tmp_path / "b.png"]
    for grey, path in enumerate(pictures, 1):
        Image.fromarray(np.full((48, 64, 3), 80 * grey, np.uint8)).save(path)
    page.set_input_files("#pictures input[type=file]", pictures)
    page.get_by_text("b.png").or_(page.get_by_text("b .png")).first.wait_for()
    page.get_by_label("Seconds of each").fill("0.5")
    page.get_by_label("cut", exact=True).check()
    page.click("#run")
    page.get_by_text("24/24 frames of 2 shots").wait_for()
    assert 'picture = "a.png"' in said(page, "#toml")
    assert vedit.probe(downloaded(page, "#download", tmp_path)).frames == 24


def test_an_engine_is_typed(page: "Page", film: Callable[..., Path], tmp_path: Path) -> None:
    source, engine = film("to paint.mp4", shots=(4,)), checkpoints.sd15(tmp_path / "tiny")
    choose(page, "Restyle")
    drop(page, source)
    page.wait_for_selector("#painter .stage:visible")
    page.fill("#engine input", "nonesuch")
    page.keyboard.press("Enter")
    page.fill("#prompt textarea", "a forest")
    page.click("#run")
    page.wait_for_selector("#message .complaint")
    assert page.inner_text("#message").startswith("There is no model called 'nonesuch'.")
    page.fill("#engine input", str(engine))
    page.keyboard.press("Enter")
    page.click("#run")
    page.get_by_text("4/4 frames").wait_for()
    made, whole = map(vedit.probe, (downloaded(page, "#download", tmp_path), source))
    assert (made.frames, made.duration) == (whole.frames, whole.duration)
    assert f'engine = "{engine}"' in said(page, "#toml")
    page.fill("#engine input", "bundled")
    page.keyboard.press("Enter")
    page.wait_for_selector("#prompt", state="hidden")


def test_what_is_no_film_is_said(page: "Page", tmp_path: Path) -> None:
    fake = tmp_path / "text.mp4"
    fake.write_text("This is no film.\n" * 40)
    drop(page, fake)
    page.wait_for_selector("#message .complaint")
    assert page.inner_text("#message").startswith("text.mp4 is not a media file")
    assert page.locator("#run").is_disabled()


def test_cancel(page: "Page", film: Callable[..., Path]) -> None:
    drop(page, film(shots=(60,)))
    page.wait_for_selector("#painter .stage:visible")
    choose(page, "Restyle")
    page.click("#run")
    page.click("#cancel")
    page.wait_for_selector("#message .note:visible")
    assert page.inner_text("#message").startswith("Cancelled.")
    page.wait_for_selector("#run:enabled")
    assert not page.locator("#result video").count()


def test_cancel_what_waits_for_another_visitor(page: "Page", url: str, film: Callable[..., Path]) -> None:
    source = film(shots=(60,))
    assert page.context.browser
    with page.context.browser.new_page() as other:
        other.set_default_timeout(WAIT)
        other.goto(url)
        for visitor in (page, other):
            drop(visitor, source)
            visitor.wait_for_selector("#painter .stage:visible")
            choose(visitor, "Restyle")
        page.click("#run")
        page.wait_for_selector("#cancel:visible")
        other.click("#run")
        other.click("#cancel")
        page.wait_for_selector("#result .proof")
        other.wait_for_selector("#message .note:visible")
        assert other.inner_text("#message").startswith("Cancelled.")


def test_nothing_else_is_served(url: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("nobody's business")
    place = urlparse(url)
    assert place.hostname == "127.0.0.1"

    def ask(path: str, host: str = f"127.0.0.1:{place.port}") -> tuple[int, str | None]:
        with closing(http.client.HTTPConnection("127.0.0.1", place.port, timeout=20)) as connection:
            connection.request("GET", path, headers={"Host": host})
            with connection.getresponse() as answer:
                return answer.status, answer.getheader("content-security-policy")

    assert ask(f"/gradio_api/file={secret}")[0] == 403
    assert ask(f"/gradio_api/file={Path(vedit.__file__)}")[0] == 403
    assert ask("/", host="elsewhere.example")[0] == 400
    assert ask("/") == (200, POLICY)
