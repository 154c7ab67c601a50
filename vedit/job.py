"""What a render is, written down: to know it again after an interruption, and to begin it again without its command."""

import hashlib
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from uuid import uuid4

from vedit import edits as known
from vedit.edits.edit import Edit
from vedit.edits.named_files import with_files
from vedit.errors import InputError, UsageError
from vedit.pretrained.find import fingerprint
from vedit.pretrained.spec import read_engine
from vedit.video.source import Source

LIBRARIES = (
    "vedit-diffusion",
    "av",
    "torch",
    "numpy",
    "opencv-python",
    "diffusers",
    "transformers",
    "torchao",
    "controlnet-aux",
    "scenedetect",
)
"""What the pixels depend on: with another version they may differ, and halves of a film would not match."""
ENDS = 2**16
"""Bytes at either end of a file that are looked at to know it again."""


def describe_job(
    source: Source, edits: Sequence[Edit], *, device: str, on_corrupt: str, hdr: str
) -> dict[str, Any]:
    """What makes one render another, as plain JSON values; each key's name can be said to a user."""
    return {
        "the film": file_state(source.path),
        "the settings": {
            "edits": [describe_edit(edit) for edit in edits],
            "device": device,
            "on_corrupt": on_corrupt,
            "hdr": hdr,
        },
        "the version of vedit or of a library": versions(),
    }


def versions() -> dict[str, str]:
    """What pixels depend on beside the settings: libraries and the machine."""
    return {**{name: _version(name) for name in LIBRARIES}, "machine": platform.machine()}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # OpenCV has several distributions
        return "unknown"


def describe_edit(edit: Edit) -> dict[str, Any]:
    """An edit's kind and settings; files are known by their content's size, date and ends, tensors by their bytes."""
    kind = f"{type(edit).__module__}.{type(edit).__qualname__}"
    if not is_dataclass(edit):
        return {"kind": kind, "is": uuid4().hex}  # nothing says that it is the same another time
    settings = {field.name: getattr(edit, field.name) for field in fields(edit)}
    files: dict[str, object] = {}

    def look_at(name: str) -> str:
        name = absolute(name)  # as `settings_of` writes it down
        files[name] = file_state(Path(name)) if os.path.exists(name) else None
        return name

    settings = with_files(settings, look_at)
    if isinstance(engine := settings.get("engine"), str) and (checkpoint := read_engine(engine)) is not None:
        files["engine"] = fingerprint(checkpoint)
    return {"kind": kind, **{key: _described(value) for key, value in settings.items()}, "files": files}


def _described(value: object) -> object:
    torch = sys.modules.get("torch")  # who gives a tensor has loaded it
    if torch is not None and isinstance(value, torch.Tensor):
        data = value.detach().cpu().contiguous()
        digest = hashlib.sha256(data.flatten().view(torch.uint8).numpy().tobytes()).hexdigest()
        return {"tensor": digest, "shape": list(data.shape), "dtype": str(data.dtype)}
    if isinstance(value, Mapping):
        return {str(key): _described(one) for key, one in value.items()}
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def files_of(edits: Sequence[Edit]) -> tuple[Path, ...]:
    """The files that the edits' settings name."""
    names: list[str] = []

    def look_at(name: str) -> str:
        names.append(name)
        return name

    for edit in edits:
        if is_dataclass(edit):
            with_files({field.name: getattr(edit, field.name) for field in fields(edit)}, look_at)
    return tuple(map(Path, names))


def absolute(name: str) -> str:
    """The name of a file, or of what is none, as it is the same from another folder."""
    return str(Path(name).absolute()) if os.path.exists(name) else name


def file_state(path: Path) -> dict[str, Any]:
    """What tells a file, or the files of a folder, from what it was before.

    Raises:
        InputError: it cannot be read.
    """
    try:
        if path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.is_file())
            facts = [f"{p.relative_to(path)} {p.stat().st_size} {p.stat().st_mtime_ns}" for p in files]
            return {"files": hashlib.sha256("\n".join(facts).encode()).hexdigest()}
        content = file_content(path)
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "Check its permissions.") from error
    return {**content, "changed": changed}


def file_content(path: Path) -> dict[str, Any]:
    """What a file's content is known by: how much it is, and its ends.

    Raises:
        InputError: it is no file but a device or a pipe, at which one may wait for ever.
        OSError: it cannot be read.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is a device or a pipe, not a file", "Save it as a file first.")
    with path.open("rb") as file:
        ends = file.read(ENDS)
        size = file.seek(0, 2)
        file.seek(max(0, size - ENDS))
        ends += file.read(ENDS)
    return {"bytes": size, "ends": hashlib.sha256(ends).hexdigest()}


def describe_call(
    source: Source, edits: Sequence[Edit], options: Mapping[str, object]
) -> dict[str, Any] | None:
    """How to begin the render again without its command; None when a setting cannot be written down."""
    steps: list[dict[str, object]] = []
    for edit in edits:
        settings = settings_of(edit)
        if settings is None:
            return None
        steps.append({"edit": type(edit).__name__, **settings})
    return {"source": str(source.path), "edits": steps, "options": dict(options)}


def settings_of(edit: Edit) -> dict[str, object] | None:
    """All settings of one of vedit's edits as plain JSON values, files by their absolute paths.

    None when it is another's edit, or a setting cannot be written down, such as a tensor.
    """
    if getattr(known, type(edit).__name__, None) is not type(edit) or not is_dataclass(edit):
        return None
    settings = {field.name: _plain(getattr(edit, field.name)) for field in fields(edit)}
    if not all(ok for ok, _ in settings.values()):
        return None
    plain = {key: value for key, (_, value) in settings.items()}
    return with_files(plain, absolute)


def _plain(value: object) -> tuple[bool, object]:
    """Whether a setting can be written down, and as what."""
    if value is None or isinstance(value, bool | int | float):
        return True, value
    if isinstance(value, Fraction):
        return True, str(value)
    if isinstance(value, Mapping):
        parts = {str(key): _plain(one) for key, one in value.items()}
        return all(ok for ok, _ in parts.values()), {key: one for key, (_, one) in parts.items()}
    if isinstance(value, str | Path):
        return True, str(value)
    return False, None


def edits_of(call: Mapping[str, Any]) -> list[Edit]:
    """The edits that ``describe_call`` wrote down.

    Raises:
        UsageError: there is no such edit or setting.
        VeditError: as the edits raise.
    """
    made = []
    for step in call["edits"]:
        settings = dict(step)
        name = settings.pop("edit")
        if name not in known.__all__:
            raise UsageError(f"the journal names an unknown edit {name!r}", "Run the whole command again.")
        try:
            made.append(getattr(known, name)(**settings))
        except TypeError as error:
            raise UsageError(
                f"the journal's settings do not fit {name}: {error}", "Run the whole command again."
            ) from error
    return made
