"""From the names of a checkpoint to a diffusers pipeline that is ready to run."""

import importlib.util
import inspect
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from vedit.diffusion.memory import out_of_memory
from vedit.diffusion.speed import prepare
from vedit.errors import EngineError, UsageError
from vedit.pretrained import adapters
from vedit.pretrained.checkpoint import Checkpoint
from vedit.pretrained.family import Family, family_of
from vedit.pretrained.fetch import local
from vedit.pretrained.files import only_half, parts
from vedit.pretrained.find import Place, configs_of, of_known, place
from vedit.pretrained.known import KNOWN, known_control, known_motion
from vedit.pretrained.precision import INT8, check_precision, narrow
from vedit.pretrained.quiet import reading
from vedit.pretrained.schedulers import ANIMATEDIFF, FewSteps, few_steps, make_scheduler
from vedit.torchvision_ops import tolerate_torchvision

SD2_TEXT_WIDTH = 1024
COMMIT = 40
"""How long a full revision of a repository is; what is shorter is a branch or a tag."""
EXTRA = 'pip install "vedit-diffusion[pretrained]"'


@dataclass(frozen=True, eq=False)
class Loaded:
    """A pipeline of diffusers with all that the checkpoint named, in eval mode and without gradients."""

    pipe: Any
    family: str
    """sd (1.x and 2.x), sdxl, wan-vace, ltx or ltx2."""
    controlnets: dict[str, Any] = field(default_factory=dict)
    """By kind of map, apart from the pipeline."""
    ip_adapter: bool = False
    notes: tuple[str, ...] = ()
    """What was decided for the user, a sentence each."""
    steps: int | None = None
    """How many steps the model was distilled for; None for an ordinary one."""
    guidance_scale: float | None = None
    """The guidance it was distilled for, with ``steps``; 1 is none."""
    cached: bool = False
    """Whether the U-Net's deep features are to be remembered at every other step."""


def load_pipeline(checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype) -> Loaded:
    """Load a checkpoint and its adapters onto a device.

    With a motion adapter ``pipe`` is an AnimateDiffVideoToVideoPipeline (sd) or AnimateDiffSDXLPipeline (sdxl); without
    one a Stable Diffusion (XL) image-to-image pipeline, or the inpainting one where the U-Net has 9 channels. Wan VACE
    and LTX come as their own pipelines. Files that are here are used as they are and the hub is asked only for what is
    not. Only safetensors are read, never a pickle.

    The safety checker is never loaded: it judges single pictures and puts a black one in place of what it dislikes,
    wrongly often enough that long films would have black frames; whoever publishes a film judges it.

    Raises:
        UsageError: an adapter that the family cannot have, or weights that the device cannot.
        EngineError: files are missing (with the command that fetches them), damaged, pickles, or do not fit together;
            or a package is missing.
    """
    tolerate_torchvision()
    check_precision(checkpoint.weights, device)
    for package in ("transformers", *(("peft",) if checkpoint.lora else ())):
        if importlib.util.find_spec(package) is None:
            raise EngineError(f"pretrained engines need the package {package}", f"Install it: `{EXTRA}`.")
    where = place(checkpoint.model, "model")
    path = local(where)
    family = family_of(path)
    if family.name in ("sd", "sdxl"):
        loaded = _stable_diffusion(checkpoint, where, path, family, dtype)
    else:
        loaded = _whole(checkpoint, path, family, dtype)
    for part in (*loaded.pipe.components.values(), *loaded.controlnets.values()):
        if isinstance(part, torch.nn.Module):
            part.eval().requires_grad_(False)
    beside = tuple(loaded.controlnets.values())
    if checkpoint.weights == INT8:
        loaded = replace(loaded, notes=(*loaded.notes, narrow(loaded.pipe, beside)))
    compiled = "compile" in checkpoint.speed
    with reading(path, "Take a smaller model, or --device cpu."):
        try:
            prepare(loaded.pipe, device, beside=beside, compile=compiled)
        except RuntimeError as error:
            if device.type == "cpu" or not out_of_memory(error):
                raise
            prepare(loaded.pipe, device, beside=beside, compile=compiled, offload="model")
    loaded.pipe.set_progress_bar_config(disable=True)
    return replace(loaded, cached="cache" in checkpoint.speed)


def _stable_diffusion(
    checkpoint: Checkpoint, where: Place, path: Path, family: Family, dtype: torch.dtype
) -> Loaded:
    notes: list[str] = []
    if len(where.revision or "") == COMMIT and path.is_dir() and path.name != where.revision:
        notes.append(f"{where.name} is here in revision {path.name[:8]}, not {where.revision}")
    pipe = _images(path, family, dtype)
    controlnets = {
        kind: adapters.controlnet(_control(kind, name, family), pipe.unet, dtype)
        for kind, name in checkpoint.controls
    }
    wanted = few_steps(f"{where.repo or ''} {path.parent.name}/{path.name}")
    if (motion := _motion(checkpoint, family, pipe.unet, notes)) is not None:
        adapter, described = adapters.motion_adapter(motion, dtype)
        wanted = described or wanted
        pipe = _moving(pipe, adapter, family, motion)
    if checkpoint.codec is not None:
        codec = adapters.other_codec(place(checkpoint.codec, "codec"), pipe.unet.config.out_channels, dtype)
        pipe.register_modules(vae=codec)
    loras = [(place(name, "LoRA"), weight) for name, weight in checkpoint.loras]
    wanted = adapters.add_loras(pipe, loras) or wanted
    if checkpoint.ip_adapter is not None:
        adapters.add_ip_adapter(pipe, place(checkpoint.ip_adapter, "IP-Adapter"), family.name, dtype)
    _schedule(pipe, checkpoint.scheduler, wanted, motion is not None, notes)
    return Loaded(
        pipe,
        family.name,
        controlnets,
        checkpoint.ip_adapter is not None,
        tuple(notes),
        wanted.steps if wanted else None,
        wanted.guidance_scale if wanted else None,
    )


def _images(path: Path, family: Family, dtype: torch.dtype) -> Any:
    """The pipeline for single pictures: image to image, or inpainting where the U-Net has 9 channels."""
    import diffusers

    xl = "XL" if family.name == "sdxl" else ""
    kind: Any = getattr(
        diffusers, f"StableDiffusion{xl}{'Inpaint' if family.channels == 9 else 'Img2Img'}Pipeline"
    )
    without: dict[str, Any] = {"feature_extractor": None}
    without |= (
        {"add_watermarker": False} if xl else {"safety_checker": None, "requires_safety_checker": False}
    )
    if path.is_dir():
        return _from_folder(kind, path, dtype, **without)
    folder = _settings_of(path, family)
    with reading(path):
        unet: Any = diffusers.UNet2DConditionModel.from_single_file(
            str(path),
            config=str(folder),
            subfolder="unet",
            in_channels=family.channels,
            torch_dtype=dtype,
            local_files_only=True,
        )
        return kind.from_single_file(
            str(path), config=str(folder), unet=unet, torch_dtype=dtype, local_files_only=True, **without
        )


def _settings_of(path: Path, family: Family) -> Path:
    """The settings and tokenizer of a single file, which holds weights only.

    A folder beside it that has its name (``film.safetensors``, ``film/``), otherwise those of the family's known model.
    """
    beside = path.with_suffix("")
    if (beside / "model_index.json").is_file():
        return beside
    entry = next(one for one in KNOWN if one.name == family.base)
    try:
        return local(configs_of(entry))
    except EngineError as error:
        raise EngineError(
            f"{path} holds weights only, and the settings and tokenizer of its family {entry.name} are not here",
            f"{error.remedy} Or put a diffusers folder called {beside.name} beside it; its weights are not needed.",
        ) from error


def _from_folder(kind: Any, path: Path, dtype: torch.dtype, **settings: Any) -> Any:
    models = [path / name for name in parts(path) if (path / name / "config.json").is_file()]
    with reading(path):
        return kind.from_pretrained(
            path,
            torch_dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            variant="fp16" if any(only_half(folder) for folder in models) else None,
            **settings,
        )


def _motion(checkpoint: Checkpoint, family: Family, unet: Any, notes: list[str]) -> Place | None:
    """The place of the motion adapter, if there is to be one."""
    if checkpoint.motion != "auto":
        return place(checkpoint.motion, "motion adapter") if checkpoint.motion else None
    entry = known_motion(family.name)
    if entry is None or unet.config.cross_attention_dim == SD2_TEXT_WIDTH:
        notes.append("no motion adapter was made for this model; flow alone ties the frames together")
        return None
    found = of_known(entry)
    if found.present() is None:
        notes.append(
            f"the motion adapter {entry.name} is not here; flow alone ties the frames together; "
            f"fetch it with `{found.command}`"
        )
        return None
    return found


def _moving(pipe: Any, adapter: Any, family: Family, motion: Place) -> Any:
    """The video pipeline of AnimateDiff from the parts of one for pictures."""
    import diffusers

    kind: Any = (
        diffusers.AnimateDiffSDXLPipeline
        if family.name == "sdxl"
        else diffusers.AnimateDiffVideoToVideoPipeline
    )
    takes = inspect.signature(kind.__init__).parameters
    settings = {name: part for name, part in pipe.components.items() if name in takes}
    if "force_zeros_for_empty_prompt" in takes:
        settings["force_zeros_for_empty_prompt"] = pipe.config.force_zeros_for_empty_prompt
    with reading(Path(motion.name), f"Take a motion adapter made for the family {family.name}."):
        moving = kind(**settings, motion_adapter=adapter)
    moving.register_modules(motion_adapter=None)  # its weights are in the U-Net now; once is enough
    return moving


def _control(kind: str, name: str | None, family: Family) -> Place:
    if name is not None:
        return place(name, "ControlNet")
    if (entry := known_control(kind, family.name)) is None:
        raise EngineError(
            f"no ControlNet for {kind} is known in the family {family.name}", f"Name one: {kind}=owner/name."
        )
    return of_known(entry)


def _schedule(pipe: Any, name: str | None, wanted: FewSteps | None, moving: bool, notes: list[str]) -> None:
    """Give a pipeline the scheduler that the user, or else its adapters, ask for."""
    settings: dict[str, Any] = dict(ANIMATEDIFF) if moving else {}
    if wanted is not None and name in (None, wanted.scheduler):
        settings |= wanted.settings
    if name is None and wanted is not None:
        name = wanted.scheduler
        notes.append(
            f"{wanted.called}: scheduler {name}; made for {wanted.steps} steps and guidance {wanted.guidance_scale:g}"
        )
    elif name is None and moving and type(pipe.scheduler).__name__ == "PNDMScheduler":
        name = "ddim"
        notes.append("the scheduler is ddim, with which AnimateDiff was made, not the checkpoint's own, PNDM")
    with reading(Path(name or "the scheduler"), "Take another scheduler."):
        pipe.scheduler = make_scheduler(pipe.scheduler, name, **settings)


def _whole(checkpoint: Checkpoint, path: Path, family: Family, dtype: torch.dtype) -> Loaded:
    """Wan VACE or LTX, with LoRAs."""
    import diffusers

    for given, what in (
        (checkpoint.controlnet, "a ControlNet"),
        (checkpoint.ip_adapter, "an IP-Adapter"),
        (checkpoint.codec, "another codec"),
        (checkpoint.scheduler, "another scheduler"),
        (None if checkpoint.motion == "auto" else checkpoint.motion, "a motion adapter"),
        ("cache" in checkpoint.speed, "speed=cache"),
    ):
        if given:
            raise UsageError(
                f"{family.name} cannot have {what}", "Leave it out, or take a Stable Diffusion model."
            )
    kind = getattr(diffusers, family.pipeline, None)
    if kind is None:
        problem = f"diffusers {diffusers.__version__} has no {family.pipeline}"
        raise EngineError(problem, "Install a newer one: `pip install -U diffusers`.")
    settings = {}
    if family.name == "wan-vace":  # its codec washes out in half precision
        codec: Any = diffusers.AutoencoderKLWan
        with reading(path / "vae"):
            settings["vae"] = codec.from_pretrained(
                path,
                subfolder="vae",
                torch_dtype=torch.float32,
                use_safetensors=True,
                local_files_only=True,
                variant="fp16" if only_half(path / "vae") else None,
            )
    pipe = _from_folder(kind, path, dtype, **settings)
    loras = [(place(name, "LoRA"), weight) for name, weight in checkpoint.loras]
    wanted = adapters.add_loras(pipe, loras)
    return Loaded(
        pipe,
        family.name,
        steps=wanted.steps if wanted else None,
        guidance_scale=wanted.guidance_scale if wanted else None,
    )
