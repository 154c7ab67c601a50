"""ffmpeg's minterpolate filter, what people without a GPU make in-between frames with, in imageio-ffmpeg's binary."""

from torch import Tensor

from vedit.bench.ffmpeg import RATE, filtered

DEFAULTS = "scd=none"
"""The filter as it comes, but for its own search for cuts: there are none, and what it takes for one it repeats."""
STRONGER = f"{DEFAULTS}:mi_mode=mci:mc_mode=aobmc:me_mode=bidir:vsbmc=1"
"""What guides recommend for quality: adaptive overlapped blocks of variable size, matched both ways."""


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
    # The filter holds back its last frames: without two more after them the last new one would not come. They do not
    # change the others.
    chain = f"tpad=stop_mode=clone:stop=2,minterpolate=fps={RATE * gap}:{settings}"
    wanted = (len(kept) - 1) * gap
    film = filtered(kept, chain, name="minterpolate", least=wanted)
    return film[[i for i in range(wanted) if i % gap]]
