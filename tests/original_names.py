"""The names that the original releases gave to the weights of diffusers' U-Net, codec and ControlNet."""

import re


def unet_name(key: str) -> str:
    """A U-Net key of diffusers in the original release, for one layer per block."""
    plain = {
        "time_embedding.linear_1": "time_embed.0",
        "time_embedding.linear_2": "time_embed.2",
        "conv_in": "input_blocks.0.0",
        "conv_norm_out": "out.0",
        "conv_out": "out.2",
    }
    stem, last = key.rsplit(".", 1)
    if stem in plain:
        return f"{plain[stem]}.{last}"
    side, rest = key.split(".", 1)
    if side == "mid_block":
        kind, number, rest = rest.split(".", 2)
        return f"middle_block.{1 if kind == 'attentions' else 2 * int(number)}.{_resnet(rest, kind)}"
    block, kind, number, rest = rest.split(".", 3)
    level, layer = int(block), int(number)
    if side == "down_blocks":
        if kind == "downsamplers":
            return f"input_blocks.{2 * level + 2}.0.{rest.replace('conv', 'op')}"
        return f"input_blocks.{2 * level + 1 + layer}.{int(kind == 'attentions')}.{_resnet(rest, kind)}"
    if (
        kind == "upsamplers"
    ):  # after the attention where the level has some; the lowest, which rises, has none
        return f"output_blocks.{2 * level + 1}.1.{rest}"
    return f"output_blocks.{2 * level + layer}.{int(kind == 'attentions')}.{_resnet(rest, kind)}"


def controlnet_name(key: str) -> str:
    """A ControlNet key of diffusers in the original release, for one layer per block."""
    key = re.sub(r"controlnet_down_blocks\.(\d+)", r"zero_convs.\1.0", key)
    key = key.replace("controlnet_mid_block", "middle_block_out.0")
    key = key.replace("controlnet_cond_embedding.conv_in", "input_hint_block.0")
    key = key.replace("controlnet_cond_embedding.conv_out", "input_hint_block.14")
    key = re.sub(
        r"controlnet_cond_embedding\.blocks\.(\d+)",
        lambda found: f"input_hint_block.{2 * int(found[1]) + 2}",
        key,
    )
    return key if key.startswith(("zero", "middle_block_out", "input_hint")) else unet_name(key)


def _resnet(rest: str, kind: str) -> str:
    if kind == "attentions":
        return rest
    names = {
        "norm1": "in_layers.0",
        "conv1": "in_layers.2",
        "norm2": "out_layers.0",
        "conv2": "out_layers.3",
        "time_emb_proj": "emb_layers.1",
        "conv_shortcut": "skip_connection",
    }
    layer, last = rest.split(".")
    return f"{names[layer]}.{last}"


def codec_name(key: str) -> str:
    """A codec key of diffusers in the original release, for four levels."""
    for old, new in (
        ("mid_block.attentions.0.group_norm", "mid.attn_1.norm"),
        ("mid_block.attentions.0.to_q", "mid.attn_1.q"),
        ("mid_block.attentions.0.to_k", "mid.attn_1.k"),
        ("mid_block.attentions.0.to_v", "mid.attn_1.v"),
        ("mid_block.attentions.0.to_out.0", "mid.attn_1.proj_out"),
        ("mid_block.resnets.0", "mid.block_1"),
        ("mid_block.resnets.1", "mid.block_2"),
        ("conv_norm_out", "norm_out"),
        ("conv_shortcut", "nin_shortcut"),
        ("downsamplers.0", "downsample"),
        ("upsamplers.0", "upsample"),
        ("resnets", "block"),
        ("down_blocks", "down"),
    ):
        key = key.replace(old, new)
    for level in range(4):
        key = key.replace(f"up_blocks.{level}.", f"up.{3 - level}.")
    return key
