"""The page for judges as HTML, and the names that it carries out of sight."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from pathlib import Path

from vedit.pages.page import page as page_of
from vedit.pages.small_film import Preview


@dataclass(frozen=True)
class Shown:
    """A clip as it is shown; ``order`` are the candidates below the source, from top to bottom."""

    preview: Preview
    order: tuple[int, ...]


def judging_page(
    clips: Sequence[Shown],
    names: Mapping[str, str | Sequence[str]],
    questions: Sequence[str],
    rounds: int,
    mode: str,
    seed: int,
) -> str:
    """The page's HTML; the same films and settings give the same page.

    Args:
        clips: what is shown.
        names: of the "source", its "clips", and the "candidates".
        questions: what is asked.
        rounds: how often each pair or candidate is shown.
        mode: "preference" or "rating".
        seed: for the order.
    """
    films = [sha256(clip.preview.data).hexdigest() for clip in clips]
    facts = json.dumps([films, dict(names), list(questions), rounds, mode, seed])
    page = sha256(facts.encode("utf-8", "backslashreplace")).hexdigest()[:16]
    ids = [sha256(f"{page} {number}".encode()).hexdigest()[:8] for number in range(len(names["candidates"]))]
    secret = {**names, "candidates": dict(zip(ids, names["candidates"], strict=True))}
    return page_of(
        Path(__file__).parent / "judging.html",
        rating=mode == "rating",
        excerpts=any(len(clip.preview.passages) > 1 for clip in clips),
        films=[clip.preview for clip in clips],
        data={
            "page": page,
            "mode": mode,
            "rounds": rounds,
            "seed": seed,
            "questions": list(questions),
            "candidates": sorted(ids),
            "key": scrambled(json.dumps(secret), page),
            "clips": [
                {
                    "width": clip.preview.width,
                    "height": clip.preview.height,
                    **clip.preview.times,
                    "rows": {ids[candidate]: row for row, candidate in enumerate(clip.order, 1)},
                }
                for clip in clips
            ],
        },
    )


def scrambled(text: str, page: str) -> str:
    """A text that cannot be read by looking at it; no secret from anyone who knows how it is done."""
    return b64encode(_mixed(text.encode(), page)).decode()


def unscrambled(text: str, page: str) -> str:
    """What :func:`scrambled` was given.

    Raises:
        ValueError: it is not of that page.
    """
    return _mixed(b64decode(text, validate=True), page).decode()


def _mixed(data: bytes, page: str) -> bytes:
    stream = bytearray()
    for block in count():
        if len(stream) >= len(data):
            break
        stream += sha256(f"{page} {block}".encode()).digest()
    return bytes(a ^ b for a, b in zip(data, stream, strict=False))
