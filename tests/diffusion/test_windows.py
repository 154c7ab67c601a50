"""A hundred frames in windows of sixteen against all of them at once: no seams, and no more memory than one window."""

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
import torch
from skimage.data import astronaut
from torch import Tensor

from vedit.bench.consistency import painted, random_unet
from vedit.clip import Clip
from vedit.edits.steady import trusted_link
from vedit.flow.pairs import PairFlow
from vedit.metrics.temporal import join_ratio, pairs_of

PHOTO = torch.from_numpy(astronaut()).permute(2, 0, 1).float() / 255  # type: ignore[no-untyped-call]
AIDS = frozenset({"flow", "noise"})


@pytest.fixture(scope="module")
def unet() -> Any:
    return random_unet(4.0)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return Clip.at_rate(torch.stack([PHOTO[:, 60:108, 100 + i : 164 + i] for i in range(100)]), Fraction(25))


@pytest.fixture(scope="module")
def links(clip: Clip) -> list[PairFlow | None]:
    return [None, *(trusted_link(a, b, 24, 32, "draft") for a, b in pairwise(clip.frames))]


def run(
    unet: Any, clip: Clip, links: list[PairFlow | None], window: int, aids: frozenset[str] = AIDS
) -> Tensor:
    return painted(unet, clip, links, aids, window=window, strength=0.5, steps=4)


def test_no_seam_shows_where_windows_join(unet: Any, clip: Clip, links: list[PairFlow | None]) -> None:
    pairs = pairs_of(clip.frames)
    joins = range(12, 100, 12)
    sixteen, whole = (
        join_ratio(run(unet, clip, links, window), clip.frames, joins, pairs=pairs) for window in (16, 100)
    )
    assert sixteen / whole <= 1.1


@pytest.mark.parametrize("aids", [AIDS, AIDS | {"anchors", "fusion"}])
def test_the_net_sees_one_window_whatever_the_length(
    unet: Any, clip: Clip, links: list[PairFlow | None], aids: frozenset[str]
) -> None:
    seen: list[int] = []
    hook = unet.register_forward_pre_hook(lambda module, args: seen.append(len(args[0])))
    try:
        run(unet, clip, links, 16, aids)
    finally:
        hook.remove()
    anchors = 2 if "anchors" in aids else 0
    assert max(seen) <= 16 + anchors
    assert len(seen) == 2 * 8  # steps, and windows: the last four frames are seen by the one before theirs
