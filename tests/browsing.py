"""The browser that tests of pages use, and a page in it."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """A Chromium on this machine: what VEDIT_CHROMIUM names, or one on the path."""
    return os.environ.get("VEDIT_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


@contextmanager
def browsing() -> Iterator[Any]:
    """A browser; the test is skipped where there is none."""
    player_of = pytest.importorskip(
        "playwright.sync_api", reason="the test extra's playwright is not installed"
    )
    where = chromium()
    if where is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    with player_of.sync_playwright() as player:
        # Without a sandbox, because it cannot be had in containers and as root; the pages are our own.
        browser = player.chromium.launch(executable_path=where, args=["--no-sandbox"])
        yield browser
        browser.close()


class Tab:
    """A page that stands in a file, what it asked for and what it complained about."""

    def __init__(self, page: Any, path: Path) -> None:
        self.page = page
        self.asked: list[str] = []
        self.complaints: list[str] = []
        page.set_default_timeout(60_000)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(path.as_uri())

    def until(self, condition: str) -> None:
        """Wait for a condition in JavaScript; the page's policy forbids the ways that the library has for that."""
        end = time.monotonic() + 60
        while not self.page.evaluate(condition):
            assert time.monotonic() < end, condition
            time.sleep(0.01)

    def at_rest(self) -> None:
        """Wait until the film shows what it was asked to."""
        self.until("!film.seeking && film.paused")
        self.drawn()

    def drawn(self) -> None:
        """Wait until what is to be seen is seen."""
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def pixels(self, of: str) -> np.ndarray[Any, np.dtype[np.float32]]:
        """What a canvas or a film shows, ``(H, W, 3)`` in [0, 1]; ``of`` is a CSS selector."""
        width, height, samples = self.page.evaluate(
            "(of) => { const shown = document.querySelector(of), copy = document.createElement('canvas');"
            " const wide = shown.videoWidth || shown.width, high = shown.videoHeight || shown.height;"
            " [copy.width, copy.height] = [wide, high];"
            " const paper = copy.getContext('2d', {willReadFrequently: true}); paper.drawImage(shown, 0, 0);"
            " return [wide, high, [...paper.getImageData(0, 0, wide, high).data]] }",
            of,
        )
        return np.array(samples, np.float32).reshape(height, width, 4)[..., :3] / np.float32(255)
