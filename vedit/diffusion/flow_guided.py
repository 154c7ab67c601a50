"""The attention processor that averages what a self-attention layer finds along the paths of the flow.

Cong et al., "FLATTEN: optical FLow-guided ATTENtion for consistent text-to-video editing", ICLR 2024, freed of its
limits: any size, occlusion-aware, and packed, so that memory is tokens times path length and not tokens squared.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from vedit.diffusion.trajectories import Block, Trajectories


@dataclass(frozen=True, eq=False)
class Layout:
    """Where a window's tokens lie among those of a layer.

    The layer's tokens, row after row, are ``copies`` runs of ``stride`` tokens (guidance makes copies of a window);
    in each the window's F*h*w begin at ``start``. The first ``anchors`` pictures of each run widen the keys of all.
    """

    trajectories: Trajectories
    copies: int
    stride: int
    start: int
    anchors: int = 0

    def places(self, block: Block) -> Tensor:
        """The block's tokens ``(copies*P, L)`` among the layer's."""
        begins = torch.arange(self.copies, device=block.tokens.device) * self.stride + self.start
        return (begins[:, None, None] + block.tokens).flatten(0, 1)


class FlowGuided:
    """Runs the processor a self-attention layer has, then takes the mean of its result along each token's path.

    The weights of the mean for a token p are softmax(q_p k_j / sqrt(d)) over the tokens j of p's path, p included,
    averaged over the heads; q and k are the layer's own projections of its own input, before any rotary embedding.
    A residual that the layer adds itself is left out of the mean.
    """

    def __init__(self, attn: Any, layout: Callable[[Tensor], Layout]) -> None:
        """Guide the layer ``attn`` until :meth:`remove`; ``layout`` tells how the tokens of an input lie."""
        self.inner = attn.processor
        self._attn = attn
        self._layout = layout
        self._asked: dict[str, Tensor | None] = {}
        self._heard: dict[str, Tensor] = {}
        # diffusers hands on what the signature of a processor's __call__ names: let it see the inner one's.
        self.__dict__["__call__"] = self.inner.__call__
        # The inner processor projects queries and keys already: these are heard, not computed again.
        self._hooks = [
            getattr(attn, name).register_forward_hook(partial(self._hear, name)) for name in ("to_q", "to_k")
        ]
        attn.set_processor(self)

    def remove(self) -> None:
        """Give the layer back the processor it had."""
        for hook in self._hooks:
            hook.remove()
        self._attn.set_processor(self.inner)

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Tensor:
        """The layer's output, of the shape of ``hidden_states``."""
        layout = self._layout(hidden_states)
        tokens = _tokens(hidden_states)
        normed = tokens
        if getattr(attn, "group_norm", None) is not None:
            normed = attn.group_norm(tokens.transpose(1, 2)).transpose(1, 2)
        others, own = encoder_hidden_states, encoder_hidden_states is None
        if layout.anchors:
            others = _widened(normed if others is None else others, layout)
        self._asked = {
            "to_q": hidden_states,
            "to_k": (hidden_states if others is None else others) if own else None,
        }
        try:
            if args:
                output = self.inner(attn, hidden_states, others, *args, **kwargs)
            else:
                output = self.inner(attn, hidden_states, encoder_hidden_states=others, **kwargs)
            # Queries and keys are let go before the values are mixed: memory stays below the layer's own.
            weights = _weights(
                attn, layout, normed, self._heard.pop("to_q", None), self._heard.pop("to_k", None)
            )
        finally:
            self._asked, self._heard = {}, {}
        mixed = _mixed(attn, layout, weights, _tokens(output), tokens)
        if output.ndim == 4:
            return mixed.transpose(1, 2).reshape(output.shape)
        return mixed

    def _hear(self, name: str, module: Any, args: tuple[Any, ...], projection: Tensor) -> None:
        # Only what is made of the layer's own input, and by all of its projection: an adapter put in later wraps it.
        if args and args[0] is self._asked.get(name) and module is getattr(self._attn, name):
            self._heard[name] = projection


def _tokens(features: Tensor) -> Tensor:
    """Features ``(B,N,C)`` of ``(B,N,C)`` or ``(B,C,h,w)``."""
    return features if features.ndim == 3 else features.flatten(2).transpose(1, 2)


def _widened(own: Tensor, layout: Layout) -> Tensor:
    """Each row's tokens ``(B,N,C)`` and behind them those of its copy's anchors."""
    pictures = len(own) // layout.copies
    anchors = own.reshape(layout.copies, pictures, *own.shape[1:])[:, : layout.anchors].flatten(1, 2)
    return torch.cat([own, anchors.repeat_interleave(pictures, dim=0)], dim=1)


def _rows(tokens: Tensor) -> Tensor:
    return tokens.reshape(-1, tokens.shape[-1])


def _weights(
    attn: Any, layout: Layout, normed: Tensor, query: Tensor | None, key: Tensor | None
) -> list[Tensor]:
    """The weights ``(P,L,L)`` of each block's paths; what was not projected yet is, block by block.

    ``key`` may have anchors' keys behind those of each row's own tokens.
    """
    source = _rows(normed)
    if key is not None:
        key = key[:, : normed.shape[1]]
    queries, keys = (None if projection is None else _rows(projection) for projection in (query, key))
    weights = []
    for block in layout.trajectories.blocks:
        places = layout.places(block)
        flat, length = places.flatten(), places.shape[1]
        left = _heads(
            attn, attn.to_q(source[flat]) if queries is None else queries[flat], attn.norm_q, length
        )
        right = _heads(attn, attn.to_k(source[flat]) if keys is None else keys[flat], attn.norm_k, length)
        scores = left @ right.transpose(2, 3) * left.shape[-1] ** -0.5
        if block.slots is not None:
            valid = block.valid.repeat(layout.copies, 1)
            scores = scores.masked_fill(~valid[:, None, None], float("-inf"))
        weights.append(scores.softmax(-1).mean(1))
    return weights


def _mixed(attn: Any, layout: Layout, weights: list[Tensor], found: Tensor, residual: Tensor) -> Tensor:
    """The mean of ``found`` ``(B,N,C)`` along the paths; tokens on no path keep theirs."""
    out = found.clone(memory_format=torch.contiguous_format)
    values, added, into = _rows(found), _rows(residual), _rows(out)
    adds = getattr(attn, "residual_connection", False)
    factor = getattr(attn, "rescale_output_factor", 1.0)
    for block, weight in zip(layout.trajectories.blocks, weights, strict=True):
        places = layout.places(block)
        flat = places.flatten()
        value = values[flat]
        if adds:
            value = value * factor - added[flat]
        mean = (weight.to(value.dtype) @ value.view(*places.shape, -1)).flatten(0, 1)
        if adds:
            mean = (mean + added[flat]) / factor
        if block.slots is not None:  # what only fills up would write its path's first token twice
            begins = torch.arange(layout.copies, device=flat.device) * block.tokens.numel()
            slots = (begins[:, None] + block.slots).flatten()
            flat, mean = flat[slots], mean[slots]
        into.index_copy_(0, flat, mean)
    return out


def _heads(attn: Any, projection: Tensor, norm: Any, length: int) -> Tensor:
    """Queries or keys ``(P, heads, L, d)`` of ``(P*L, inner)``, normalised; in float32 on a CPU."""
    depth = projection.shape[-1] // attn.heads
    if norm is not None:
        shape = getattr(norm, "normalized_shape", None) or getattr(norm, "dim", None)
        size = shape[-1] if isinstance(shape, tuple | list) else shape
        # Some models normalise all heads together, others each on its own.
        together = size == projection.shape[-1]
        projection = norm(projection if together else projection.view(-1, attn.heads, depth))
    if projection.device.type == "cpu":
        projection = projection.float()
    apart: Tensor = projection.reshape(-1, length, attn.heads, depth).transpose(1, 2)
    return apart
