"""What took long to make, kept on disk by the content it was made from."""

import hashlib
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

KEEP = 64
"""Entries that are kept; those used longest ago go first."""


def cache_folder() -> Path | None:
    """``VEDIT_CACHE`` if it is set, otherwise the place that the system has for such things.

    None where there is no such place: some containers run as a user that the system does not know.
    """
    if named := os.environ.get("VEDIT_CACHE"):
        return Path(named)
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "vedit" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "vedit"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "vedit"


def digest(parts: Iterable[Tensor | str | int | float]) -> str:
    """A name for what is made from these parts: their content and nothing else."""
    sum_ = hashlib.sha256()
    for part in parts:
        if isinstance(part, Tensor):
            data = part.detach().cpu().contiguous()
            sum_.update(f"{tuple(data.shape)} {data.dtype} ".encode())
            sum_.update(data.numpy().tobytes())
        else:
            sum_.update(f"{part!r} ".encode())
    return sum_.hexdigest()[:32]


def remembered(name: str, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """What ``make`` gives, from the disk if it was made before under this name.

    A cache that cannot be read or written is done without.
    """
    folder = cache_folder()
    if folder is None:
        return make()
    path = folder / f"{name}.safetensors"
    try:
        kept = load_file(path)
        os.utime(path)
        return kept
    except Exception:  # noqa: S110 - missing, damaged, or half written by a full disk: it is made anew
        pass
    made = make()
    part = folder / f"{name}.{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_file({k: v.contiguous() for k, v in made.items()}, part)
        part.replace(path)
        for old in sorted(folder.glob("*.safetensors"), key=lambda p: -p.stat().st_mtime)[KEEP:]:
            old.unlink(missing_ok=True)
    except Exception:  # noqa: S110 - no room, or no right to write: then it is made anew the next time too
        pass
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return made
