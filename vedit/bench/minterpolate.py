"""ffmpeg's minterpolate filter, what people without a GPU make in-between frames with, in imageio-ffmpeg's binary."""

import subprocess

import imageio_ffmpeg  # type: ignore[import-untyped]
import numpy as np
import torch
from torch import Tensor

from vedit.errors import EngineError

DEFAULTS = "scd=none"
"""The filter as it comes, but for its own search for cuts: there are none, and what it takes for one it repeats."""
STRONGER = f"{DEFAULTS}:mi_mode=mci:mc_mode=aobmc:me_mode=bidir:vsbmc=1"
"""What guides recommend for quality: adaptive overlapped blocks of variable size, matched both ways."""
RATE = 25
"""Frames a second that it is told; only how many are made of one counts."""


def minterpolate(kept: Tensor, gap: int, settings: str = DEFAULTS) -> Tensor:
    """Make ``gap`` - 1 frames between neighbours, evenly spaced.

    ffmpeg takes the pictures as 8-bit RGB and brings them to YUV 4:4:4 for this filter and back.

    Args:
        kept: ``(K, 3, H, W)`` RGB in [0, 1], K >= 2.
        gap: frames from one of them to the next, 2 or more.
        settings: of the filter, but for its fps.

    Returns:
        ``((K-1)*(gap-1), 3, H, W)``, the new frames only, in levels of 8 bits.

    Raises:
        EngineError: ffmpeg failed.
    """
    height, width = kept.shape[-2:]
    # The filter holds back its last frames: without two more after them the last new one would not come. They do not
    # change the others.
    chain = f"tpad=stop_mode=clone:stop=2,minterpolate=fps={RATE * gap}:{settings}"
    exe: str = imageio_ffmpeg.get_ffmpeg_exe()
    raw = "-f rawvideo -pix_fmt rgb24"
    given = f"{raw} -video_size {width}x{height} -framerate {RATE} -i pipe:0"
    command = [exe, "-v", "error", *given.split(), "-vf", chain, *raw.split(), "pipe:1"]
    pictures = (kept * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()
    done = subprocess.run(  # noqa: S603 - no shell, and nothing in it but numbers and names of settings
        command, input=pictures.tobytes(), capture_output=True, check=False
    )
    made = np.frombuffer(done.stdout, np.uint8)
    wanted = (len(kept) - 1) * gap
    if done.returncode or made.size < wanted * height * width * 3:
        why = (done.stderr.decode(errors="replace").splitlines() or ["no reason given"])[0]
        raise EngineError(
            f"ffmpeg's minterpolate failed on frames of {width}x{height}: {why}", "Give a larger --width."
        )
    film = made.reshape(-1, height, width, 3)[:wanted]
    new = np.stack([film[i] for i in range(wanted) if i % gap])
    return torch.from_numpy(new).permute(0, 3, 1, 2).float() / 255
