"""Tiny random U-Nets, and flow-guided attention written out token by token."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from trajectory_rules import followed, random_pairs

from vedit.flow.pairs import PairFlow
from vedit.torchvision_ops import tolerate_torchvision

FRAMES = 4
HEADS = 2

tolerate_torchvision()
diffusers = pytest.importorskip("diffusers")


def small(kind: str = "UNet2DConditionModel", **settings: Any) -> Any:
    """A random U-Net with self-attention on two grids."""
    torch.manual_seed(0)
    blocks: dict[str, Any] = {
        "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
    }
    if kind == "UNetMotionModel":
        blocks = {name: tuple(f"{block[:-2]}Motion" for block in blocks[name]) for name in blocks}
        heads = {"num_attention_heads": HEADS, "motion_num_attention_heads": HEADS}
    else:
        heads = {"attention_head_dim": HEADS}  # the number of heads, as it happens
    if kind == "ControlNetModel":
        del blocks["up_block_types"]
    model = getattr(diffusers, kind)(
        **{
            "block_out_channels": (16, 32),
            "layers_per_block": 1,
            "cross_attention_dim": 8,
            "norm_num_groups": 4,
            **heads,
            **blocks,
            **settings,
        }
    )
    return model.eval().requires_grad_(False)


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def pairs(count: int = FRAMES - 1, height: int = 48, width: int = 72, seed: int = 0) -> list[PairFlow]:
    return random_pairs(count, height, width, seed, reach=height / 8)


def run(model: Any, latents: Tensor, **given: Any) -> Tensor:
    pictures = len(latents) * (latents.shape[2] if latents.ndim == 5 else 1)
    sample: Tensor = model(latents, 10, noise(pictures, 3, 8), **given).sample
    return sample


class Seen:
    """What goes in and out of a model's self-attention layers."""

    def __init__(self, model: Any, chosen: Callable[[str], bool] | None = None) -> None:
        self.calls: list[tuple[str, Any, Tensor, Tensor]] = []
        for name, module in model.named_modules():
            if chosen(name) if chosen else name.endswith(".attn1") and "motion_modules" not in name:
                module.register_forward_hook(self._keeper(name), with_kwargs=True)

    def _keeper(self, name: str) -> Callable[..., None]:
        def keep(module: Any, args: Any, given: dict[str, Any], output: Tensor) -> None:
            self.calls.append((name, module, args[0] if args else given["hidden_states"], output))

        return keep


def attended(attn: Any, own: Tensor, others: Tensor) -> Tensor:
    """Plain attention of ``own`` ``(n,c)`` to ``others`` ``(m,c)``, by hand."""
    queries, keys, values = (
        layer(x).view(len(x), attn.heads, -1)
        for layer, x in ((attn.to_q, own), (attn.to_k, others), (attn.to_v, others))
    )
    scores = torch.einsum("nhd,mhd->hnm", queries, keys) / math.sqrt(queries.shape[-1])
    found = torch.einsum("hnm,mhd->nhd", scores.softmax(-1), values)
    result: Tensor = attn.to_out[0](found.flatten(1))
    return result


def along(attn: Any, tokens: Tensor, found: Tensor, paths: Sequence[Sequence[int]]) -> Tensor:
    """The mean of ``found`` ``(T,c)`` along each token's path, one token after another."""
    whole = getattr(attn, "norm_q", None) is not None
    query, key = attn.to_q(tokens), attn.to_k(tokens)
    if whole:
        query, key = attn.norm_q(query), attn.norm_k(key)
    depth = query.shape[-1] // attn.heads
    result = found.clone()
    for path in paths:
        for token in path:
            weights = [0.0] * len(path)
            for head in range(attn.heads):
                part = slice(head * depth, (head + 1) * depth)
                scores = [
                    math.exp(float(query[token, part] @ key[other, part]) / math.sqrt(depth))
                    for other in path
                ]
                weights = [
                    weight + score / sum(scores) / attn.heads
                    for weight, score in zip(weights, scores, strict=True)
                ]
            result[token] = sum(
                (weight * found[other] for weight, other in zip(weights, path, strict=True)),
                torch.zeros_like(found[token]),
            )
    return result


def expected(
    attn: Any, features: Tensor, flow: Sequence[PairFlow | None], height: int, width: int, anchors: int = 0
) -> Tensor:
    """A layer's output over pictures ``(copies * (anchors + F), N, c)`` on a grid, all by hand."""
    paths = [path for path in followed(flow, height, width).paths if len(path) > 1]
    assert paths
    result = []
    pictures = anchors + len(flow) + 1
    for copy in features.view(-1, pictures, *features.shape[1:]):
        beside = copy[:anchors].flatten(0, 1)
        found = torch.stack([attended(attn, own, torch.cat([own, beside])) for own in copy])
        tokens, values = copy[anchors:].flatten(0, 1), found[anchors:].flatten(0, 1)
        result += [found[:anchors], along(attn, tokens, values, paths).view_as(copy[anchors:])]
    return torch.cat(result)


def same(one: Tensor, other: Tensor) -> None:
    assert float((one - other).abs().max()) < 1e-5
