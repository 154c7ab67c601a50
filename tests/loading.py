"""Loading tiny checkpoints in tests."""

import shutil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vedit.pretrained.checkpoint import Checkpoint
from vedit.pretrained.find import hub_cache
from vedit.pretrained.load import Loaded, load_pipeline

CPU = torch.device("cpu")


def load(model: Path | str, dtype: torch.dtype = torch.float32, **settings: Any) -> Loaded:
    settings = {"motion": None} | settings
    return load_pipeline(Checkpoint(str(model), **settings), CPU, dtype)


def noise(loaded: Loaded, frames: int = 2) -> Tensor:
    """What the U-Net makes of fixed random inputs."""
    unet, dice = loaded.pipe.unet, torch.Generator().manual_seed(5)
    moving = type(unet).__name__ == "UNetMotionModel"
    shape = (1, unet.config.in_channels, frames, 8, 8) if moving else (frames, unet.config.in_channels, 8, 8)
    texts = torch.randn(1, 77, unet.config.cross_attention_dim, generator=dice).repeat(frames, 1, 1)
    texts = texts.to(unet.dtype)
    added: dict[str, Tensor] = {}
    if loaded.family == "sdxl":
        count = 1 if moving else frames
        added = {"text_embeds": torch.ones(count, 32), "time_ids": torch.ones(count, 6)}
    if loaded.ip_adapter:
        added["image_embeds"] = [torch.ones(1 if moving else frames, 1, 32)]  # type: ignore[assignment]
    with torch.no_grad():
        made: Tensor = unet(
            torch.randn(shape, generator=dice).to(unet.dtype),
            10,
            encoder_hidden_states=texts[:1] if moving and frames == 1 else texts,
            added_cond_kwargs=added or None,
        ).sample
    return made


def into_cache(model: Path, repo: str, revision: str = "0" * 40) -> Path:
    """Lay a folder into the hub's cache, as fetching the newest would."""
    root = hub_cache() / f"models--{repo.replace('/', '--')}"
    shutil.copytree(model, root / "snapshots" / revision)
    (root / "refs").mkdir(exist_ok=True)
    (root / "refs" / "main").write_text(revision)
    return root / "snapshots" / revision
