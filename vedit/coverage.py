"""How much of what a mask hides other frames of the film show, found out from a few stretches of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import dropwhile, islice

import torch
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from torch import Tensor

from vedit.completion.evidence import FACTS, gather
from vedit.edits.inpaint import RADIUS, Inpaint
from vedit.excerpt import masked, reduced, scaled, shrunk, stretch
from vedit.frame import Frame
from vedit.video.shots import mark_cuts
from vedit.video.source import Source

PLACES = (0.5, 0.0, 1.0)
"""Where in the film the stretches lie, the most telling one first."""
PIXELS = 60_000
"""Of the pictures in which hidden pixels are followed."""
PATIENCE = 1.0
"""Seconds after which no further stretch is begun."""
AHEAD = 0.3
"""Seconds for decoding from a key frame to where a stretch should begin; then it begins where that has come to."""
SEEN, SURE = 0.75, 0.5
"""Pixels by which the way to another frame and back may miss if what is found there is to be of use, and to be trusted.
With the first, the share is nearest to what a run reports as recovered: ten points off in the mean of real clips, and
too high by twice that where water or the like moves by itself behind the hole."""


@dataclass(frozen=True)
class Coverage:
    """What the frames looked at tell of a mask; all but the counts are estimates, in [0, 1].

    ``looked`` is how many frames were looked at, ``marked`` in how many of them the mask marks anything, and
    ``mask_share`` the share of the picture it marks there. ``seen`` is the share of the hidden pixels that another
    frame shows, as far as motion tells; the rest has to be made up. ``near`` is how many frames away half of those are
    at most, ``sure`` the share of those whose motion agrees there and back. All zero where nothing is marked or seen.
    """

    looked: int
    marked: int
    mask_share: float
    seen: float
    near: int
    sure: float


def coverage_of(source: Source, edit: Inpaint, device: str) -> Coverage:
    """Look at up to three stretches of the film, each as long as what the edit searches for a frame.

    In the middle of each the hidden pixels of a frame are followed both ways, by the chains that the edit itself uses
    (`vedit.completion.evidence`), on smaller pictures and with a hasty search for motion. In large or slow films fewer
    stretches are looked at.

    Args:
        source: the film as it is edited.
        edit: its mask, and how far it searches.
        device: where to compute, as in :func:`vedit.device.pick_device`.

    Raises:
        VeditError: the mask does not fit the film, or the film cannot be read.
    """
    radius = RADIUS[edit.quality]
    length = 2 * radius + 1
    spare = max(0, source.frames - length) if source.stamped else 0
    starts = list(dict.fromkeys(int(place * spare) for place in PLACES))
    spent = _stopwatch()
    shares: dict[int, float] = {}
    facts: list[Tensor] = []
    for start in starts:
        if shares and spent() > PATIENCE:
            break
        frames = list(_looked_at(source, edit, device, start, length))
        shares |= {frame.index: share for frame, _, share in frames}
        facts += _followed(frames, radius)
    marked = [share for share in shares.values() if share]
    near, error = torch.cat([torch.zeros(2, 0), *facts], 1)
    near, error = near[error < SEEN], error[error < SEEN]
    hidden = sum(fact.shape[1] for fact in facts)
    return Coverage(
        looked=len(shares),
        marked=len(marked),
        mask_share=sum(marked) / max(1, len(marked)),
        seen=len(error) / max(1, hidden),
        near=int(near.median()) if len(near) else 0,
        sure=float((error < SURE).float().mean()) if len(error) else 0.0,
    )


_Looked = tuple[Frame, Tensor, float]
"""A small frame, its mask, and the share of the picture that it marks in full size."""


def _looked_at(source: Source, edit: Inpaint, device: str, start: int, length: int) -> Iterator[_Looked]:
    small, scaler = reduced(source, PIXELS), VideoReformatter()
    with closing(stretch(source, start or None)) as frames:
        shots = _cut(_some(frames, start, length))
        for frame, mask in masked(shots, edit.mask, source, device, dilate=edit.dilate + edit.feather):
            pixels = scaled(frame, small, scaler)
            little = Frame(frame.pts, frame.duration, pixels, index=frame.index, cut=frame.cut)
            yield little, shrunk(mask[None], small)[0], float(mask.mean())


def _some(frames: Iterator[Frame], start: int, length: int) -> Iterator[Frame]:
    spent = _stopwatch()
    late = dropwhile(lambda f: f.index < start and spent() < AHEAD, frames)
    return islice(late, length)


def _cut(frames: Iterator[Frame]) -> Iterator[Frame]:
    def pictures() -> Iterator[tuple[VideoFrame, Frame]]:
        for frame in frames:
            assert isinstance(frame.native, VideoFrame)  # noqa: S101 - `stretch` makes no others
            yield frame.native, frame

    for _, frame, cut in mark_cuts(pictures()):
        frame.cut = cut
        yield frame


def _followed(frames: list[_Looked], radius: int) -> list[Tensor]:
    """How many frames away the pixels hidden in a frame are shown, and the error in pixels of the way there and back.

    ``(2, N)``, of the better one of both ways; the error is infinite where neither finds the pixel. An empty list when
    the mask marks nothing.
    """
    marked = [i for i, (*_, share) in enumerate(frames) if share]
    if not marked:
        return []
    here = min(marked, key=lambda i: abs(i - len(frames) // 2))
    cuts = [i for i, (frame, *_) in enumerate(frames) if frame.cut]
    first = max((i for i in cuts if i <= here), default=0)
    last = min((i for i in cuts if i > here), default=len(frames))
    ahead = _ahead(frames[here:last], radius)
    behind = _ahead(frames[first : here + 1][::-1], radius)
    return [torch.where(ahead[1] <= behind[1], ahead, behind)]


def _ahead(frames: list[_Looked], radius: int) -> Tensor:
    """Follow what is hidden in the first of some frames to the later ones: distance and error ``(2, N)``."""
    with torch.no_grad():
        evidence = next(gather(((frame, mask) for frame, mask, _ in frames), "draft", radius))
    assert evidence.window is not None and evidence.ahead is not None  # noqa: S101, PT018 - there is a hole
    hole = evidence.window.of(evidence.mask)[0] > 0
    found, error, steps, _ = evidence.ahead[-FACTS:, hole].cpu()
    return torch.stack([(steps * 24).round(), torch.where(found > 0, error * 2, torch.inf)])


def _stopwatch() -> Callable[[], float]:
    """Tells the seconds since now: by the clock, or of this process where the machine is busy with others."""
    wall, cpu = time.perf_counter(), time.process_time()
    return lambda: min(time.perf_counter() - wall, time.process_time() - cpu)
