"""Small films, and what a batch left in a folder."""

import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

RECIPE = """
name = "thirty"
description = "A cheap one."
[[steps]]
edit = "interpolate"
fps = 30
quality = "draft"
"""
RECORD = "vedit-batch.jsonl"
RAY = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed")
CLUSTER = pytest.param("cluster", marks=RAY)


def make_film(path: Path, shots: tuple[int, ...] = (10,), *, seed: int = 0) -> Path:
    """A texture that moves 1 pixel a frame, another one after each cut, at 24 fps; 96x64, no sound."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(path, "w") as film:
        stream = film.add_stream("libx264", rate=24, options={"crf": "16", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for shot, length in enumerate(shots):
            dice = np.random.default_rng(100 * seed + shot)
            coarse = dice.integers(0, 128, (8, 14 + length // 8, 3), dtype=np.uint8) + np.uint8(
                100 * (shot % 2)
            )
            texture = coarse.repeat(8, axis=0).repeat(8, axis=1)
            for i in range(length):
                picture = np.ascontiguousarray(texture[:, i : i + 96])
                film.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        film.mux(stream.encode())
    return path


def lines(folder: Path) -> list[dict[str, Any]]:
    """What the record of a folder says; lines that are cut short, or somebody's own, are left out."""
    told = []
    for line in (folder / RECORD).read_bytes().split(b"\n"):
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if isinstance(said, dict) and "event" in said:
            told.append(said)
    return told


def hashes(folder: Path) -> dict[str, str]:
    """Every file below a folder, hidden ones too, but the record."""
    return {
        path.relative_to(folder).as_posix(): hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != RECORD
    }
