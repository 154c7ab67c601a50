"""Anchor pictures pass motion modules by: they stand beside the window and are no frames of it."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor


@contextmanager
def past_motion(model: Any, anchors: int) -> Iterator[None]:
    """Within, the first ``anchors`` frames of each copy that a U-Net is given are kept from its motion modules.

    They come out of each as they went in; the modules see the other frames, and only their number.
    """
    if not anchors:
        yield
        return
    from diffusers.models.unets.unet_motion_model import AnimateDiffTransformer3D

    hooks = []
    for module in model.modules():
        if isinstance(module, AnimateDiffTransformer3D):
            apart = _Apart(anchors)
            hooks.append(module.register_forward_pre_hook(apart.take, with_kwargs=True))
            hooks.append(module.register_forward_hook(apart.put_back))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


class _Apart:
    """What one motion module is not shown, from its call to its return."""

    def __init__(self, anchors: int) -> None:
        self._anchors = anchors
        self._kept: list[Tensor] = []

    def take(
        self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[()], dict[str, Any]]:
        given = inspect.signature(type(module).forward).bind(module, *args, **kwargs).arguments
        del given["self"]
        frames = given.get("num_frames", 1)
        features = given["hidden_states"]
        window = features.view(-1, frames, *features.shape[1:])
        self._kept.append(window[:, : self._anchors])
        given["hidden_states"] = window[:, self._anchors :].flatten(0, 1)
        given["num_frames"] = frames - self._anchors
        return (), given

    def put_back(self, module: Any, args: Any, output: Tensor) -> Tensor:
        kept = self._kept.pop()
        window = output.view(len(kept), -1, *output.shape[1:])
        return torch.cat([kept, window], dim=1).flatten(0, 1)
