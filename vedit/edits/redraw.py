"""Places where two frames tell different stories, drawn anew in latents with everything around them held."""

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.diffusion.denoise import denoise
from vedit.diffusion.engine import load_engine
from vedit.diffusion.prior import Prior
from vedit.edits.retime import Moment
from vedit.flow.occlusion import occlusion
from vedit.flow.pairs import PairFlow
from vedit.inbetween.pair import Between, Pair

_AT_ONCE = 8
_STRENGTH = 0.25  # enough to make a ghost one thing, too little to invent another


def redraw(pair: Pair, moments: Sequence[Moment]) -> Iterator[Tensor]:
    """Yield the new pictures ``(C,H,W)`` between two frames, their doubtful places redrawn.

    The run [frame0, new..., frame1] goes through the latent path with its ends known, so what is drawn
    leads from the one to the other. A picture without doubtful places is the pair's own, to the bit.

    Args:
        pair: the two frames and their motion.
        moments: the new frames asked for, in order.

    Raises:
        EngineError: the bundled engine cannot be loaded.
    """
    frame0, frame1 = pair.frame0.pixels, pair.frame1.pixels
    for start in range(0, len(moments), _AT_ONCE):
        some = moments[start : start + _AT_ONCE]
        new = [pair.at(float(m.between)) for m in some]
        masks = [_doubtful(b.confidence) for b in new]
        if not any(mask.any() for mask in masks):
            yield from (b.pixels.cpu() for b in new)
            continue
        known = torch.zeros_like(masks[0])
        indices = [some[0].index - 1, *(m.index for m in some), some[-1].index + 1]
        run = [frame0[:3], *(b.pixels[:3] for b in new), frame1[:3]]
        links = [None, *_links(pair.flow, [float(m.between) for m in some], new)]
        priors = map(Prior, indices, run, [known, *masks, known], links)
        drawn = list(denoise(priors, load_engine("bundled", frame0.device), strength=_STRENGTH, seed=0))
        for between, mask, picture in zip(new, masks, drawn[1:-1], strict=True):
            yield _laid(picture.to(mask.device), between.pixels, mask).cpu()


def _doubtful(confidence: Tensor) -> Tensor:
    """The mask ``(1,H,W)`` of low confidence: specks dropped, the rest grown by 4 pixels."""
    low = (confidence < 0.5).float()[None]
    solid = -F.max_pool2d(-low, 9, 1, 4)
    return F.max_pool2d(solid, 17, 1, 8)[0]


def _laid(picture: Tensor, under: Tensor, mask: Tensor) -> Tensor:
    """``picture`` over the colours of ``under`` where the mask is, its edge softened inwards; alpha stays."""
    soft = mask * F.avg_pool2d(mask[None], 7, 1, 3, count_include_pad=False)[0].mul(2).sub(1).clamp(0, 1)
    colours = under[:3] + soft * (picture - under[:3])
    return torch.cat([colours, under[3:]])


def _links(flow: PairFlow, times: list[float], new: list[Between]) -> Iterator[PairFlow]:
    """Flow between each two neighbours of the run [frame0, new..., frame1], even from the one end to the other."""
    to_end = [flow.flow_fw, *(b.flow1 for b in new)]
    to_start = [*(b.flow0 for b in new), flow.flow_bw]
    for earlier, later, here, there in zip([0.0, *times], [*times, 1.0], to_end, to_start, strict=True):
        fw, bw = here * ((later - earlier) / (1 - earlier)), there * ((later - earlier) / later)
        yield PairFlow(fw, bw, occlusion(fw, bw), occlusion(bw, fw))
