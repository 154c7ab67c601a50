"""Parts of a U-Net left out at some steps: what they said at the step before stands in for them.

From one step to the next much of what a U-Net works out hardly changes. Two parts can be left out:

- ``attention``: all attention layers (Zhao et al., "Real-Time Video Generation with Pyramid Attention Broadcast", ICLR
  2025). What each of them said is kept, which is much: 1.5 GB for 16 frames of 512x512 in Stable Diffusion 1.5.
- ``deep``: all blocks but the first and the last, which see the whole grid (Ma et al., "DeepCache: Accelerating
  Diffusion Models for Free", CVPR 2024). One tensor is kept, a ninth of that.

``vedit bench cache`` measures both. diffusers' own caches do not do here: those of whole blocks (first-block, Taylor,
Mag, faster cache) are for transformers and fail on a U-Net or do nothing, and its pyramid attention broadcast has one
memory a model, while windows at different steps take turns.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from torch import Tensor

Part = Literal["attention", "deep"]

_KEPT = "kept features"


@contextmanager
def cached(
    unet: Any, batch: Tensor, memo: dict[str, Any], number: int, every: int, part: Part
) -> Iterator[None]:
    """Call the U-Net within this: a part of it runs at every ``every``-th step and is remembered at the others.

    Args:
        unet: a UNet2DConditionModel or UNetMotionModel; as it was again afterwards.
        batch: what it is about to be given; where its shape is a new one, all of it runs.
        memo: the window's own, kept from step to step; what is remembered goes in here.
        number: of the step, from 0.
        every: 1 runs all of it always.
        part: what is left out.
    """
    layers = _attention_layers(unet) if part == "attention" else list(unet.up_blocks[-2:-1])
    if every < 2 or not layers:
        yield
        return
    shape, kept = memo.get(_KEPT, (None, {}))
    forwards: dict[Any, Callable[..., Any]] = {}
    if number % every == 0 or shape != batch.shape:
        fresh: dict[Any, Tensor] = {}
        memo[_KEPT] = batch.shape, fresh
        forwards = {layer: _remembering(layer, fresh) for layer in layers}
    else:
        if part == "deep":
            forwards = _silent(unet, kept[layers[0]].new_zeros(()))
        forwards |= {layer: _always(kept[layer]) for layer in layers}
    with _instead(forwards):
        yield


def _attention_layers(unet: Any) -> list[Any]:
    """Self-attention and attention to the text of all transformer blocks, those over time too."""
    ends = (".attn1", ".attn2")
    return [m for name, m in unet.named_modules() if ".transformer_blocks." in name and name.endswith(ends)]


def _silent(unet: Any, nothing: Tensor) -> dict[Any, Callable[..., Any]]:
    """The deep blocks saying nothing.

    ``nothing`` is a scalar zero: it can be added to, as ControlNets do, and nothing that runs looks at it.
    """
    forwards: dict[Any, Callable[..., Any]] = {}
    for block in unet.down_blocks[1:]:
        skips = (nothing,) * (len(block.resnets) + len(block.downsamplers or ()))
        forwards[block] = _always((nothing, skips))
    for block in (unet.mid_block, *unet.up_blocks[:-2]):
        if block is not None:
            forwards[block] = _always(nothing)
    return forwards


def _remembering(layer: Any, kept: dict[Any, Tensor]) -> Callable[..., Tensor]:
    forward = layer.forward

    def run(*args: Any, **settings: Any) -> Tensor:
        kept[layer] = forward(*args, **settings)
        return kept[layer]

    return run


def _always(answer: Any) -> Callable[..., Any]:
    return lambda *args, **settings: answer


@contextmanager
def _instead(forwards: dict[Any, Callable[..., Any]]) -> Iterator[None]:
    """Modules with another ``forward`` for a while."""
    before = {module: vars(module).get("forward") for module in forwards}
    try:
        for module, forward in forwards.items():
            module.forward = forward
        yield
    finally:
        for module, forward in before.items():
            if forward is None:
                vars(module).pop("forward", None)
            else:
                module.forward = forward
