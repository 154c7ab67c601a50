"""Pictures through a filter of imageio-ffmpeg's ffmpeg, in memory: what people run instead of vedit."""

import subprocess
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]
import numpy as np
import torch
from torch import Tensor

from vedit.errors import EngineError

RATE = 25
"""Frames a second that ffmpeg is told."""


def filtered(frames: Tensor, chain: str, *, name: str, least: int, folder: Path | None = None) -> Tensor:
    """What a chain of filters makes of frames, which it gets as 8-bit RGB.

    Args:
        frames: ``(F, 3, H, W)`` RGB in [0, 1].
        chain: the filters, as after ``-vf``.
        name: what an error calls it.
        least: how many frames have to come.
        folder: where ffmpeg runs, so that files the chain names need no path, which would have to be escaped.

    Returns:
        ``(N, 3, H, W)`` in [0, 1], levels of 8 bits, N at least ``least``.

    Raises:
        EngineError: ffmpeg failed, or gave fewer frames.
    """
    height, width = frames.shape[-2:]
    exe: str = imageio_ffmpeg.get_ffmpeg_exe()
    raw = "-f rawvideo -pix_fmt rgb24"
    given = f"{raw} -video_size {width}x{height} -framerate {RATE} -i pipe:0"
    command = [exe, "-v", "error", *given.split(), "-vf", chain, *raw.split(), "pipe:1"]
    pictures = (frames * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()
    done = subprocess.run(  # noqa: S603 - no shell, and nothing in it but numbers and names of settings
        command, input=pictures.tobytes(), capture_output=True, check=False, cwd=folder
    )
    made = np.frombuffer(done.stdout, np.uint8)
    if done.returncode or made.size < least * height * width * 3:
        why = (done.stderr.decode(errors="replace").splitlines() or ["no reason given"])[0]
        raise EngineError(
            f"ffmpeg's {name} failed on frames of {width}x{height}: {why}", "Give larger frames."
        )
    film = made[: made.size // (height * width * 3) * height * width * 3].reshape(-1, height, width, 3)
    return torch.from_numpy(film.copy()).permute(0, 3, 1, 2).float() / 255
