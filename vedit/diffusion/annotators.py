"""The networks that draw structure maps for ControlNets: controlnet-aux's, with the weights of lllyasviel/Annotators.

They run here in torch on the frame as it is, so that maps keep its proportions, are not rounded to 8 bits and stay
on the device; controlnet-aux's own detectors stretch the frame to multiples of 64 and go through numpy.

The published files are pickles: they are read with ``weights_only``, which builds tensors and runs no code.
"""

import io
import os
import pickle
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.errors import EngineError
from vedit.torchvision_ops import tolerate_torchvision

Annotator = Callable[[Tensor], Tensor]
"""From a picture ``(3, h, w)`` RGB in [0, 1], h and w multiples of 64, to ``(1 or 3, h, w)``.

In [0, 1], but for depth, which is relative: the nearer the greater, on no known scale."""

REPOSITORY = "lllyasviel/Annotators"
FOLDER = "VEDIT_ANNOTATORS"
"""The environment variable that names a folder to look for the files in, instead of the hub's cache."""
FILES = {
    "lineart": "sk_model.pth",
    "softedge": "ControlNetHED.pth",
    "depth": "dpt_hybrid-midas-501f0c75.pt",
    "normal": "scannet.pt",
    "pose": "body_pose_model.pth",
}

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and deviation of the pictures that the network of normals was trained on."""


def load_annotator(kind: str, device: torch.device) -> Annotator:
    """What draws the maps of a kind.

    Args:
        kind: "canny" or one of `FILES`.
        device: where the network computes; canny and the skeleton of a pose are found on the CPU.

    Raises:
        EngineError: the weights are not on this machine, or their file is damaged or holds other things than weights.
    """
    if kind == "canny":
        return canny
    path = find_weights(FILES[kind])
    return _network(kind, path, path.stat().st_mtime_ns, device)


@lru_cache(maxsize=6)
def _network(kind: str, path: Path, written: int, device: torch.device) -> Annotator:
    """A network with its weights, read once for all shots; ``written`` tells a file from another in its place."""
    weights = read_weights(path)
    with _third_party(), torch.device("meta"):  # no time is lost on weights that are replaced
        annotator, network = BUILDERS[kind]()
    try:
        network.load_state_dict(_renamed(kind, weights, network), assign=True)
    except (RuntimeError, KeyError, AttributeError, TypeError) as error:
        raise EngineError(f"{path} does not hold the weights of {kind} maps", _fetch(path.name)) from error
    network.float().eval().requires_grad_(False).to(device)
    return annotator


def find_weights(name: str) -> Path:
    """Where a file of the repository lies on this machine; nothing is downloaded.

    Raises:
        EngineError: nowhere, with the command that fetches it.
    """
    folder = os.environ.get(FOLDER)
    if folder:
        path = Path(os.path.expanduser(folder)) / name
        if path.is_file():
            return path
        raise EngineError(f"{name} is not in {folder} ({FOLDER})", _fetch(name))
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(REPOSITORY, name)
    if isinstance(found, str):
        return Path(found)
    raise EngineError(f"{name} of {REPOSITORY} is not on this machine", _fetch(name))


def read_weights(path: Path) -> Mapping[str, Any]:
    """The tensors of a .pth file; whatever else a pickle can hold is refused.

    Raises:
        EngineError: the file cannot be read, is damaged, or holds more than weights.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # of the form of a pickle that is refused anyway
            weights = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise EngineError(
            f"{path} holds more than weights, or is damaged, and was not loaded",
            f"Do not trust it. {_fetch(path.name)}",
        ) from error
    except Exception as error:  # what is no pickle fails in many ways
        raise EngineError(f"{path} cannot be read as weights", _fetch(path.name)) from error
    if not isinstance(weights, Mapping):
        raise EngineError(f"{path} does not hold weights by name", _fetch(path.name))
    return weights


def canny(picture: Tensor) -> Tensor:
    """Edges by Canny, with the thresholds ControlNets were trained on: 100 and 200 of 255."""
    import cv2

    edges = cv2.Canny(_bytes(picture), 100, 200)
    return torch.from_numpy(edges)[None].to(picture) / 255


def _softedge() -> tuple[Annotator, torch.nn.Module]:
    from controlnet_aux.hed import ControlNetHED_Apache2

    network = ControlNetHED_Apache2()

    def annotate(picture: Tensor) -> Tensor:
        size = picture.shape[-2:]
        edges = [
            F.interpolate(edge, size, mode="bilinear", align_corners=False)
            for edge in network(picture[None] * 255)
        ]
        return torch.cat(edges).mean(dim=0).sigmoid()

    return annotate, network


def _lineart() -> tuple[Annotator, torch.nn.Module]:
    from controlnet_aux.lineart import Generator

    network = Generator(3, 1, 3)

    def annotate(picture: Tensor) -> Tensor:
        return cast(
            Tensor, 1 - network(picture[None])[0]
        )  # it draws in black on white; ControlNets take the reverse

    return annotate, network


def _depth() -> tuple[Annotator, torch.nn.Module]:
    from controlnet_aux.midas.midas.dpt_depth import DPTDepthModel

    network = DPTDepthModel(backbone="vitb_rn50_384", non_negative=True)

    def annotate(picture: Tensor) -> Tensor:
        return cast(Tensor, network(picture[None] * 2 - 1))

    return annotate, network


def _normal() -> tuple[Annotator, torch.nn.Module]:
    from controlnet_aux.normalbae import NNET

    network = NNET(
        SimpleNamespace(
            mode="client",
            architecture="BN",
            pretrained="scannet",
            sampling_ratio=0.4,
            importance_ratio=0.7,
        )
    )

    def annotate(picture: Tensor) -> Tensor:
        mean, std = (picture.new_tensor(values)[:, None, None] for values in IMAGENET)
        normal = network(((picture - mean) / std)[None])[0][-1][0, :3]
        return cast(Tensor, (normal + 1) / 2)

    return annotate, network


def _pose() -> tuple[Annotator, torch.nn.Module]:
    # OpenPose's code and weights are licensed for non-commercial use only.
    from controlnet_aux.open_pose import OpenposeDetector
    from controlnet_aux.open_pose.body import Body
    from controlnet_aux.open_pose.model import bodypose_model

    body = Body.__new__(Body)  # its own __init__ reads a file, and not with weights_only
    body.model = bodypose_model()
    detector = OpenposeDetector(body)

    def annotate(picture: Tensor) -> Tensor:
        side = min(picture.shape[-2:])
        drawn = detector(_bytes(picture), detect_resolution=side, image_resolution=side, output_type="np")
        return torch.from_numpy(drawn).permute(2, 0, 1).to(picture) / 255

    return annotate, body.model


BUILDERS: dict[str, Callable[[], tuple[Annotator, torch.nn.Module]]] = {
    "lineart": _lineart,
    "softedge": _softedge,
    "depth": _depth,
    "normal": _normal,
    "pose": _pose,
}


def _renamed(kind: str, weights: Mapping[str, Any], network: torch.nn.Module) -> Mapping[str, Any]:
    """The published names of the weights as the network's own."""
    if kind == "normal":
        return {name.removeprefix("module."): value for name, value in weights["model"].items()}
    if kind == "pose":  # published without the names of the two branches that layers are in
        return {name: weights[name.split(".", 1)[1]] for name in network.state_dict()}
    return weights


def _bytes(picture: Tensor) -> Any:
    """``(3, h, w)`` in [0, 1] as an array ``(h, w, 3)`` uint8."""
    return (picture * 255).round().clamp(0, 255).byte().permute(1, 2, 0).contiguous().cpu().numpy()


def _fetch(name: str) -> str:
    folder = os.environ.get(FOLDER)
    return f"Fetch it: hf download {REPOSITORY} {name}" + (f" --local-dir {folder}" if folder else "")


@contextmanager
def _third_party() -> Iterator[None]:
    """Import controlnet-aux and build its networks without what they print and warn of."""
    tolerate_torchvision()
    with warnings.catch_warnings(action="ignore"), redirect_stdout(io.StringIO()):
        import controlnet_aux  # noqa: F401 - all of it, before another default device is set

        yield
