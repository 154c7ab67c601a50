"""Flow-guided attention in U-Nets, against attention written out token by token."""

from typing import Any

import pytest
import torch
from attention_by_hand import FRAMES, Seen, along, diffusers, expected, noise, pairs, run, same, small
from torch import Tensor
from trajectory_rules import followed

from vedit.diffusion import WindowFlows, flow_attention
from vedit.errors import EngineError


@pytest.mark.parametrize("kind", ["UNet2DConditionModel", "UNetMotionModel"])
@pytest.mark.parametrize("anchors", [0, 2])
def test_every_layer_equals_attention_written_by_hand(kind: str, anchors: int) -> None:
    """A wide picture, two copies as guidance makes them."""
    model, flow = small(kind), pairs()
    count = 2 * (anchors + FRAMES)
    latents = noise(count, 4, 6, 8)
    if kind == "UNetMotionModel":
        latents = latents.unflatten(0, (2, -1)).transpose(1, 2)  # type: ignore[no-untyped-call]
    seen = Seen(model)
    with flow_attention(model, WindowFlows(flow), anchors=anchors) as guidance:
        run(model, latents)
    assert guidance.taken == guidance.layers == len(seen.calls) == 7
    grids = set()
    for _, attn, features, output in seen.calls:
        grid = {48: (6, 8), 12: (3, 4)}[features.shape[1]]
        same(output, expected(attn, features, flow, *grid, anchors))
        grids.add(grid)
    assert len(grids) == 2


def test_motion_modules_do_not_see_anchors() -> None:
    model = small("UNetMotionModel")
    given, made = [], []
    module = model.down_blocks[0].motion_modules[0]
    module.register_forward_pre_hook(lambda module, args: given.append(args[0]))
    with flow_attention(model, WindowFlows(pairs()), anchors=2):
        module.register_forward_hook(lambda module, args, output: made.append(output))
        run(model, noise(2, 4, 2 + FRAMES, 6, 8))
    before, after = (x[0].view(2, 2 + FRAMES, *x[0].shape[1:]) for x in (given, made))
    assert torch.equal(after[:, :2], before[:, :2])
    alone = module(before[:, 2:].flatten(0, 1), num_frames=FRAMES)
    same(after[:, 2:].flatten(0, 1), alone)


@pytest.mark.parametrize(("height", "width"), [(64, 96), (7, 11), (30, 53)])
def test_any_size_takes_the_path(height: int, width: int) -> None:
    """512x768 is a size where FLATTEN does nothing and says nothing."""
    model = small(block_out_channels=(8, 8), attention_head_dim=1)
    seen = Seen(model)
    latents = noise(2, 4, height, width)
    plain = run(model, latents)
    with flow_attention(model, WindowFlows(pairs(1, 64, 96))) as guidance:
        guided = run(model, latents)
    assert guidance.taken == guidance.layers == 7
    assert [features.shape[1] for *_, features, _ in seen.calls].count(height * width) == 2 * 3
    assert float((guided - plain).abs().max()) > 1e-4


def test_it_changes_nothing_after_and_gives_the_same_again() -> None:
    model, latents = small(), noise(FRAMES, 4, 6, 8)
    plain = run(model, latents)
    with flow_attention(model, WindowFlows(pairs())) as guidance:
        guided = run(model, latents)
        assert torch.equal(run(model, latents), guided)
    assert guidance.taken == 2 * guidance.layers
    assert torch.equal(run(model, latents), plain)


def test_the_processors_are_left_as_found() -> None:
    model = small()
    before = dict(model.attn_processors)
    hooks = [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()]
    with flow_attention(model, WindowFlows(pairs())):
        changed = {name for name, one in model.attn_processors.items() if one is not before[name]}
        assert changed == {name for name in before if "attn1" in name}
    with pytest.raises(ZeroDivisionError), flow_attention(model, WindowFlows(pairs()), anchors=1):
        raise ZeroDivisionError
    assert all(one is before[name] for name, one in model.attn_processors.items())
    assert len(before) == len(model.attn_processors)
    assert hooks == [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()]


class Louder(torch.nn.Module):
    """A processor of a user's own, with a setting of its own, which projects something else than the layer's input."""

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        gain: float = 1.0,
    ) -> Tensor:
        others = hidden_states.flip(0)
        result: Tensor = hidden_states * gain + 0 * (attn.to_q(others) + attn.to_k(others))
        return result


def test_a_processor_of_the_users_own_goes_on_working() -> None:
    model, flow = small(), pairs()
    own = Louder()
    model.set_attn_processor({n: own if "attn1" in n else p for n, p in model.attn_processors.items()})
    seen = Seen(model)
    with flow_attention(model, WindowFlows(flow)):
        run(model, noise(FRAMES, 4, 6, 8), cross_attention_kwargs={"gain": 3.0})
    assert all(p is own for n, p in model.attn_processors.items() if "attn1" in n)
    _, attn, features, output = seen.calls[0]
    tokens = features.flatten(0, 1)
    paths = [path for path in followed(flow, 6, 8).paths if len(path) > 1]
    same(output.flatten(0, 1), along(attn, tokens, 3 * tokens, paths))


def test_ip_adapter_processors_go_on_working() -> None:
    adapted: Any = diffusers.models.attention_processor.IPAdapterAttnProcessor2_0
    model, flow = small(), pairs()
    torch.manual_seed(1)
    model.set_attn_processor(
        {
            name: adapted(
                hidden_size=model.get_submodule(name.removesuffix(".processor")).to_q.out_features,
                cross_attention_dim=8,
                num_tokens=(2,),
            )
            if "attn2" in name
            else processor
            for name, processor in model.attn_processors.items()
        }
    )
    model.requires_grad_(False)
    found, seen = [], Seen(model)
    model.down_blocks[0].attentions[0].transformer_blocks[0].attn2.register_forward_hook(
        lambda module, args, output: found.append(output)
    )
    text = (noise(FRAMES, 3, 8), [noise(FRAMES, 1, 2, 8, seed=3)])
    with flow_attention(model, WindowFlows(flow)):
        model(noise(FRAMES, 4, 6, 8), 10, text)
        model(noise(FRAMES, 4, 6, 8), 10, (text[0], [2 * text[1][0]]))
    assert float((found[0] - found[1]).abs().max()) > 1e-4  # the picture counts
    _, attn, features, output = seen.calls[0]
    same(output, expected(attn, features, flow, 6, 8))


def test_an_adapter_put_in_while_it_is_on_counts() -> None:
    """As LoRA does: the layer's projection is wrapped, and calls what was there before."""

    class Adapted(torch.nn.Module):
        def __init__(self, base: Any) -> None:
            super().__init__()
            self.base = base

        def forward(self, x: Tensor) -> Tensor:
            result: Tensor = 3 * self.base(x)
            return result

    model, flow = small(), pairs()
    seen = Seen(model)
    with flow_attention(model, WindowFlows(flow)):
        layer = model.down_blocks[0].attentions[0].transformer_blocks[0].attn1
        layer.to_q = Adapted(layer.to_q)
        run(model, noise(FRAMES, 4, 6, 8))
    _, attn, features, output = seen.calls[0]
    same(output, expected(attn, features, flow, 6, 8))


def test_attention_with_a_norm_and_a_residual_of_its_own() -> None:
    """Blocks of older U-Nets: what the layer adds to its input is averaged, its input is not."""
    model = small(
        down_block_types=("AttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "AttnUpBlock2D"),
    )
    flow = pairs()
    for anchors in (0, 1):
        seen = Seen(model, lambda name: name == "down_blocks.0.attentions.0")
        with flow_attention(model, WindowFlows(flow), anchors=anchors) as guidance:
            run(model, noise(2 * (anchors + FRAMES), 4, 6, 8))
        assert guidance.taken == guidance.layers
        _, attn, features, output = seen.calls[0]
        normed = attn.group_norm(features).flatten(2).transpose(1, 2)
        by_hand = expected(attn, normed, flow, 6, 8, anchors).transpose(1, 2).view_as(features)
        same(output, (by_hand + features) / attn.rescale_output_factor)


def test_controlnets_are_guided() -> None:
    model = small("ControlNetModel", conditioning_embedding_out_channels=(4, 8))
    with flow_attention(model, WindowFlows(pairs())) as guidance:
        model(noise(FRAMES, 4, 6, 8), 10, noise(FRAMES, 3, 8), noise(FRAMES, 3, 12, 16))
    assert guidance.taken == guidance.layers == 3


def test_what_does_not_fit_is_refused() -> None:
    other: Any = diffusers.models.attention_processor.AttnProcessor2_0
    model, flows = small(), WindowFlows(pairs())
    with (
        flow_attention(model, flows),
        pytest.raises(EngineError, match="5 pictures in a batch"),
    ):
        run(model, noise(5, 4, 6, 8))
    with flow_attention(model, flows, anchors=1), pytest.raises(EngineError, match="after 1 anchors"):
        run(model, noise(4, 4, 6, 8))
    video = small("UNetMotionModel")
    with flow_attention(video, flows), pytest.raises(EngineError, match="was given 8 frames"):
        run(video, noise(1, 4, 8, 6, 8))
    odd = small(downsample_padding=0)
    with flow_attention(odd, flows), pytest.raises(EngineError, match="attends over 12 tokens"):
        run(odd, noise(FRAMES, 4, 7, 9))
    with (
        pytest.raises(EngineError, match="AutoencoderTiny"),
        flow_attention(diffusers.AutoencoderTiny(), flows),
    ):
        pass
    with flow_attention(model, flows):
        model.set_attn_processor(other())
        with pytest.raises(EngineError, match="was replaced"):
            run(model, noise(FRAMES, 4, 6, 8))
