"""Short runs of frames with holes, and the evidence the film holds about them: what the completion net learns from."""

from dataclasses import dataclass, fields
from itertools import count
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.multiprocessing import get_context

from vedit.completion.evidence import FACTS, Evidence, gather
from vedit.completion.motion import LOST
from vedit.frame import Frame
from vedit.train.holes import moving_marks
from vedit.train.motion import random_path, render

HEIGHT, WIDTH = 192, 256
LENGTH = 20
"""Frames of a scene."""
RADIUS = 16
"""How far its hidden pixels are searched for."""
CELL = 2
"""Pixels per cell of its motion."""
GRAIN = 0.02
"""Strength of the grain on moving photographs."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A run of frames, what covers them, and what `vedit.completion.evidence` found out.

    ``truth`` ``(F, 3, H, W)`` uint8, ``mask`` ``(F, 1, H, W)`` uint8, ``found`` ``(F, 14, H, W)`` uint8 (ahead and
    behind, in 255ths), ``back`` ``(F, 3, H/2, W/2)`` float16: motion to the frame before, as `Motion.back`.
    """

    truth: Tensor
    mask: Tensor
    found: Tensor
    back: Tensor


def filmed(film: Tensor, rng: np.random.Generator) -> Tensor:
    """A run of frames ``(F, 3, H, W)`` out of a film ``(F, 3, h, w)`` uint8: any place, size, speed and direction."""
    stride = int(rng.choice([1, 1, 2, 3]))
    stride = min(stride, (len(film) - 1) // LENGTH) or 1
    start = int(rng.integers(max(1, len(film) - stride * LENGTH + 1)))
    run = film[start : start + stride * LENGTH : stride]
    height, width = film.shape[-2:]
    largest = min(height / HEIGHT, width / WIDTH)
    scale = float(rng.uniform(min(1, largest), largest))
    h, w = int(HEIGHT * scale), int(WIDTH * scale)
    top, left = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
    crop = run[:, :, top : top + h, left : left + w].float() / 255
    out = F.interpolate(crop, size=(HEIGHT, WIDTH), mode="area" if scale > 1 else "bilinear")
    if rng.random() < 0.5:
        out = out.flip(-1)
    return out.flip(0) if rng.random() < 0.5 else out


def panned(photo: Tensor, rng: np.random.Generator) -> Tensor:
    """A run of frames that a moving camera sees of a photograph ``(3, h, w)`` uint8, with new grain in each."""
    frames = render(
        photo.float() / 255, random_path(photo.shape[-2], photo.shape[-1], WIDTH, LENGTH, rng), WIDTH
    )[..., :HEIGHT, :]
    grain = torch.from_numpy(rng.standard_normal(frames.shape, dtype=np.float32))
    return (frames + GRAIN * rng.random() * grain).clamp(0, 1)


def scene(frames: Tensor, rng: np.random.Generator) -> Scene:
    """Cover a run of frames with a mark and gather what the rest of it shows of what is under it."""
    masks = moving_marks(len(frames), HEIGHT, WIDTH, rng)
    films = (
        (Frame(i, 1, f * (1 - m), index=i), m) for i, (f, m) in enumerate(zip(frames, masks, strict=True))
    )
    found, back = [], []
    for evidence in gather(films, "normal", RADIUS):
        seen, motion = spread(evidence)
        found.append((seen * 255).round().to(torch.uint8))
        back.append(motion.half())
    truth = (frames * 255).round().to(torch.uint8)
    return Scene(truth, masks.to(torch.uint8), torch.stack(found), torch.stack(back))


def spread(evidence: Evidence) -> tuple[Tensor, Tensor]:
    """What was found ``(14, H, W)`` and the motion back ``(3, H/2, W/2)``, of a window, on the whole picture's grid."""
    height, width = evidence.mask.shape[-2:]
    found = torch.zeros(2 * (3 + FACTS), height, width)
    back = torch.full((3, -(-height // CELL), -(-width // CELL)), LOST)
    window, motion = evidence.window, evidence.motion
    if evidence.ahead is not None and evidence.behind is not None and window is not None:
        window.of(found)[:] = torch.cat([evidence.ahead, evidence.behind])
    if motion is not None:
        top, left = motion.window.top // CELL, motion.window.left // CELL
        rows, columns = motion.back.shape[-2:]
        back[:, top : top + rows, left : left + columns] = motion.back[0].clamp(-1000, 1000)
    return found, back


def any_scene(films: list[Tensor], photos: list[Tensor], rng: np.random.Generator) -> Scene:
    """Two in three are filmed, one is a moving photograph."""
    if not films or (photos and rng.random() < 1 / 3):
        return scene(panned(photos[int(rng.integers(len(photos)))], rng), rng)
    return scene(filmed(films[int(rng.integers(len(films)))], rng), rng)


class SceneMakers:
    """Processes that make scenes for as long as the context lasts."""

    def __init__(self, films: list[Tensor], photos: list[Tensor], workers: int, seed: int) -> None:
        context = get_context("spawn")  # a fork of a process with threads may hang
        self._folder = TemporaryDirectory(prefix="vedit-scenes-")
        self._made: Queue[str] = context.Queue(4 * workers)
        footage = [[t.share_memory_() for t in part] for part in (films, photos)]  # type: ignore[no-untyped-call]
        self._workers = [
            context.Process(
                target=_make, args=(*footage, (seed, k), self._folder.name, self._made), daemon=True
            )
            for k in range(workers)
        ]

    def __enter__(self) -> "SceneMakers":
        for worker in self._workers:
            worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.terminate()
            worker.join()
        self._folder.cleanup()

    def new(self) -> Scene | None:
        """A scene that was not given before; None when none is ready."""
        try:
            path = Path(self._made.get_nowait())
        except Empty:
            return None
        parts = load_file(path)
        path.unlink()
        return Scene(**parts)


def _make(
    films: list[Tensor], photos: list[Tensor], seed: tuple[int, int], folder: str, made: "Queue[str]"
) -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    for number in count():
        scene = any_scene(films, photos, rng)
        path = Path(folder) / f"{seed[1]}-{number}.safetensors"
        save_file({f.name: getattr(scene, f.name).contiguous() for f in fields(scene)}, path)
        made.put(str(path))
