"""Which family a checkpoint belongs to, read off its index or the names of its weights."""

from dataclasses import dataclass
from pathlib import Path

from vedit.errors import EngineError
from vedit.pretrained.files import header, read_json

_PIPELINES = (
    ("StableDiffusionXL", "sdxl"),
    ("AnimateDiffSDXL", "sdxl"),
    ("StableDiffusion3", ""),
    ("StableDiffusion", "sd"),
    ("AnimateDiff", "sd"),
    ("LatentConsistencyModel", "sd"),
    ("WanVACE", "wan-vace"),
    ("LTX2", "ltx2"),
    ("LTX", "ltx"),
)
_WHOLE = {"wan-vace": "WanVACEPipeline", "ltx": "LTXConditionPipeline", "ltx2": "LTX2ConditionPipeline"}
_FAMILIES = "Stable Diffusion 1.x, 2.x, XL, Wan VACE, LTX and LTX-2"
_UNET = "model.diffusion_model.input_blocks.0.0.weight"


@dataclass(frozen=True)
class Family:
    """What kind of model a checkpoint is."""

    name: str
    """sd, sdxl, wan-vace, ltx or ltx2."""
    channels: int = 4
    """What its U-Net takes in: 4, or 9 with the mask and the masked picture."""
    base: str = ""
    """The known model that has the same settings, for a single file."""

    @property
    def pipeline(self) -> str:
        """The class in diffusers, of a family that is run as a whole."""
        return _WHOLE[self.name]


def family_of(path: Path) -> Family:
    """The family of a pipeline's folder or of a single file.

    Raises:
        EngineError: none that vedit can run, or a U-Net with other inputs than 4 or 9 channels.
    """
    found = _of_folder(path) if path.is_dir() else _of_file(path)
    if found.channels not in (4, 9):
        raise EngineError(
            f"the U-Net of {path} takes {found.channels} channels in",
            "Take a model for pictures (4 channels) or for inpainting (9).",
        )
    return found


def _of_folder(path: Path) -> Family:
    kind = read_json(path / "model_index.json").get("_class_name")
    if not isinstance(kind, str):
        raise EngineError(f"{path} brings a pipeline of its own", f"vedit runs {_FAMILIES}.")
    name = next((family for start, family in _PIPELINES if kind.startswith(start)), "")
    if not name:
        raise EngineError(f"{path} is a {kind}, which vedit cannot run", f"It runs {_FAMILIES}.")
    if name not in ("sd", "sdxl"):
        return Family(name)
    return Family(name, read_json(path / "unet" / "config.json").get("in_channels", 4))


def _of_file(path: Path) -> Family:
    shapes, _ = header(path)
    if _UNET not in shapes:
        raise EngineError(
            f"{path} is not a whole Stable Diffusion checkpoint",
            "Give one with U-Net, codec and text encoder, or a diffusers folder.",
        )
    channels = shapes[_UNET][1]
    if any(key.startswith("conditioner.embedders.1.") for key in shapes):
        return Family("sdxl", channels, "sdxl")
    if any(key.startswith("cond_stage_model.model.") for key in shapes):
        return Family("sd", channels, "sd21")
    return Family("sd", channels, "sd15")
