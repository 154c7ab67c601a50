"""A tiny SAM 2 with random weights, in the format that the hub has it in."""

from pathlib import Path
from typing import Any

import torch

from vedit.torchvision_ops import tolerate_torchvision

SIDE = 128


def save_tiny_sam2(folder: Path) -> Path:
    """Write it; whatever is marked, it always takes the object to be there."""
    tolerate_torchvision()
    from transformers import Sam2VideoConfig, Sam2VideoModel, Sam2VideoProcessor, Sam2VideoVideoProcessor
    from transformers.models.sam2.image_processing_sam2 import Sam2ImageProcessor
    from transformers.utils import logging

    chatter: Any = logging
    chatter.disable_progress_bar()
    grids = [[SIDE // scale, SIDE // scale] for scale in (4, 8, 16)]
    backbone = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": 8,
        "num_attention_heads": 1,
        "image_size": [SIDE, SIDE],
        "window_positional_embedding_background_size": [2, 2],
        "blocks_per_stage": [1, 1, 2, 1],
        "embed_dim_per_stage": [8, 16, 32, 64],
        "num_attention_heads_per_stage": [1, 1, 1, 1],
        "window_size_per_stage": [4, 2, 2, 2],
        "global_attention_blocks": [3],
    }
    config = Sam2VideoConfig(
        vision_config={
            "backbone_config": backbone,
            "backbone_channel_list": [64, 32, 16, 8],
            "backbone_feature_sizes": grids,
            "fpn_hidden_size": 128,
        },
        prompt_encoder_config={"hidden_size": 128, "image_size": SIDE, "mask_input_channels": 4},
        mask_decoder_config={
            "hidden_size": 128,
            "mlp_dim": 32,
            "num_attention_heads": 2,
            "iou_head_hidden_dim": 16,
        },
        image_size=SIDE,
        memory_attention_hidden_size=128,
        memory_attention_num_layers=1,
        memory_attention_feed_forward_hidden_size=32,
        memory_attention_rope_feat_sizes=grids[-1],
        memory_encoder_hidden_size=128,
        memory_encoder_output_channels=64,
        memory_fuser_embed_dim=128,
        memory_fuser_intermediate_dim=32,
        memory_fuser_num_layers=1,
        mask_downsampler_embed_dim=128,
    )
    torch.manual_seed(0)
    model: Any = Sam2VideoModel(config)
    with torch.no_grad():
        for name, values in model.named_parameters():
            if values.dim() > 1:  # larger than they are begun with, or every picture looks the same to it
                values.mul_(6)
            if name.endswith("pred_obj_score_head.proj_out.bias"):
                values.fill_(10)
    model.save_pretrained(folder)
    square = {"height": SIDE, "width": SIDE}
    pictures = Sam2ImageProcessor(size=square, mask_size={"height": SIDE // 4, "width": SIDE // 4})
    processor: Any = Sam2VideoProcessor(pictures, Sam2VideoVideoProcessor(size=square))
    processor.save_pretrained(folder)
    return folder
