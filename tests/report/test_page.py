"""The page: one file that needs nothing else, written whole or not at all."""

import base64
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import av
import pytest
from corpus import write

import vedit
from vedit.errors import UsageError

REACHING = re.compile(r"""(?:src|href|action|poster|srcset)\s*=|url\(|@import|\bfetch\(|XMLHttp|https?:""")


class Outline(HTMLParser):
    """Every element's attributes, and the text of elements with an id."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._id: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append((tag, dict(attrs)))
        self._id = dict(attrs).get("id")

    def handle_data(self, data: str) -> None:
        if self._id:
            self.texts[self._id] = self.texts.get(self._id, "") + data


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A film, and it at twice the rate by vedit, under a name that would be code if it were not escaped."""
    ours = write(tmp_path / "a.mp4", range(12))
    theirs = tmp_path / "<b onclick=x>&'\".mp4"
    vedit.interpolate(ours, theirs, factor=2, quality="draft")
    return ours, theirs


def test_a_page_holds_everything(pair: tuple[Path, Path], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    found = vedit.compare(*pair, html=page)
    assert found.html == page
    text = page.read_text()
    outline = Outline(text)
    data = json.loads(outline.texts["data"])
    assert len(data["frames"]) == 24  # the result's own pictures are shown, too
    assert [len(plot["lines"]) for plot in data["plots"]] == [1, 1, 2, 2]
    with av.open(BytesIO(base64.b64decode(outline.texts["film0"])), "r") as film:
        assert len(list(film.decode(video=0))) == 24
    assert "factor = 2" in outline.texts["recipe"]
    assert "vedit run" in outline.texts["commands"]
    assert "<b onclick" not in text
    assert "&lt;b onclick=x&gt;" in text
    styled = [
        attributes for tag, attributes in outline.attributes if tag == "path" and "line" in str(attributes)
    ]
    assert len(styled) == 6


def test_a_page_reaches_for_nothing(pair: tuple[Path, Path], tmp_path: Path) -> None:
    vedit.compare(*pair, html=tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    policy = next(
        a for tag, a in Outline(text).attributes if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert str(policy["content"]).startswith("default-src 'none'")
    for _, attributes in Outline(text).attributes:
        for name in ("src", "href", "srcset", "poster", "action"):
            assert str(attributes.get(name, "data:")).startswith("data:")
    code = re.sub(r"<script type=.*?</script>|<pre.*?</pre>|data:[^\"]*", "", text, flags=re.DOTALL)
    assert not [word for word in REACHING.findall(code) if word.split("=")[0].strip() not in ("src", "href")]


def test_a_page_is_only_replaced_when_asked_to(film: Callable[..., Path], tmp_path: Path) -> None:
    path, page = film(), tmp_path / "page.html"
    page.write_text("old")
    with pytest.raises(UsageError, match="exists"):
        vedit.compare(path, path, html=page, vmaf=False)
    assert page.read_text() == "old"
    vedit.compare(path, path, html=page, vmaf=False, overwrite=True)
    assert page.read_text().startswith("<!doctype html>")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["film.mp4", "page.html"]


def test_a_page_that_appears_meanwhile_is_left_alone(film: Callable[..., Path], tmp_path: Path) -> None:
    path, page = film(), tmp_path / "page.html"

    def appear(done: int, total: int) -> None:
        page.write_text("theirs")

    with pytest.raises(vedit.OutputError, match="appeared meanwhile"):
        vedit.compare(path, path, html=page, vmaf=False, progress=appear)
    assert page.read_text() == "theirs"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["film.mp4", "page.html"]


def test_a_still_and_a_film_of_one_picture(tmp_path: Path) -> None:
    one = write(tmp_path / "one.mp4", range(1))
    vedit.compare(one, one, html=tmp_path / "page.html", vmaf=False)
    assert (tmp_path / "page.html").stat().st_size > 10_000
