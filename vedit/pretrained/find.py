"""Where a named checkpoint is: on disk, in the hub's cache, or nowhere yet and how to fetch it.

Reads names and folders only: needs neither torch nor a network, and never loads a model.
"""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from vedit.errors import EngineError
from vedit.pretrained.checkpoint import Checkpoint
from vedit.pretrained.known import CONFIGS, KNOWN, ONE, SEGMENTER, WHOLE, Kind, Known, known, known_motion

PICKLES = (".bin", ".ckpt", ".pt", ".pth")

_HUB_ID = re.compile(r"([\w.-]+/[\w.-]+)(/[\w./-]+\.safetensors)?(?:@([\w./-]+))?")
_INCLUDES: dict[str, tuple[str, ...]] = {
    "model": WHOLE,
    "motion adapter": ONE,
    "ControlNet": ONE,
    "codec": ONE,
    "LoRA": ("*.safetensors",),
    "IP-Adapter": ("*/*.safetensors", "*/image_encoder/config.json"),
    "segmenter": SEGMENTER,
}


@dataclass(frozen=True)
class Place:
    """What a name stands for: a path of the user's, or files of a hub repository."""

    name: str
    kind: Kind
    path: Path | None = None
    repo: str | None = None
    revision: str | None = None
    include: tuple[str, ...] = ()
    file: str | None = None
    """The one file of the repository that is meant."""

    @property
    def command(self) -> str:
        """The command that fetches it."""
        revision = f" --revision {self.revision}" if self.revision else ""
        return f"hf download {self.repo}{revision}" + "".join(f' --include "{one}"' for one in self.include)

    def present(self) -> Path | None:
        """The file or folder, if it is on this machine; in the hub's cache that may be only a part of it."""
        if self.path is not None:
            return self.path if self.path.exists() else None
        folder = self.snapshot()
        if folder is None or not any(next(folder.glob(one), None) for one in self.include):
            return None
        if self.file is None:
            return folder
        return folder / self.file if (folder / self.file).is_file() else None

    def snapshot(self) -> Path | None:
        """The repository's folder in the hub's cache: of the revision that its name asks for, or none.

        Where the name asks for none: of the one that is known to do, otherwise of the newest that was fetched.
        """
        root = hub_cache() / f"models--{(self.repo or '').replace('/', '--')}"
        first = self.revision or "main"
        for wanted in (first,) if "@" in self.name else (first, "main"):
            ref = root / "refs" / wanted
            commit = ref.read_text().strip() if ref.is_file() else wanted
            if (root / "snapshots" / commit).is_dir():
                return root / "snapshots" / commit
        return None


def place(name: str, kind: Kind) -> Place:
    """Read a name: a path, a known name, or ``owner/repository[/file][@revision]``.

    Raises:
        EngineError: it is none of them, or a file that holds a pickle.
    """
    path = Path(os.path.expanduser(name))  # Path's own fails where the user has no home
    if path.suffix.lower() in PICKLES:
        raise EngineError(
            f"{name} is a pickle, which can run any code when it is read",
            "Take the .safetensors file of the same model, or convert it on a machine that you can lose: "
            "`python -c \"import torch, safetensors.torch as s; w = torch.load('in.ckpt', weights_only=True); "
            "s.save_file(w.get('state_dict', w), 'out.safetensors')\"`.",
        )
    if os.path.exists(path):  # and not Path.exists, which fails for what is too long to be a name
        return Place(name, kind, path=path)
    if (entry := known(name)) is not None:
        return of_known(entry)
    if name.startswith((".", "/", "~")) or (path.suffix == ".safetensors" and name.count("/") < 2):
        raise EngineError(f"{name} does not exist", f"Check the path of the {kind}.")
    if (read := _HUB_ID.fullmatch(name)) is None:
        raise EngineError(
            f"there is no {kind} called {name!r}",
            "See `vedit engines`, or give a folder, a .safetensors file or a hub id such as owner/name.",
        )
    repo, file, revision = read[1], (read[2] or "")[1:] or None, read[3]
    include = _INCLUDES[kind] if file is None else (file,)
    if file is not None and kind == "IP-Adapter":
        include = (file, f"{file.rpartition('/')[0]}/image_encoder/*")
    return Place(name, kind, repo=repo, revision=revision, include=include, file=file)


def of_known(entry: Known) -> Place:
    """The place of a known checkpoint."""
    return Place(
        entry.name,
        entry.kind,
        repo=entry.repo,
        revision=entry.revision,
        include=entry.include,
        file=entry.file,
    )


def configs_of(entry: Known) -> Place:
    """The settings and the tokenizer of a known model, without its weights: a few megabytes."""
    return Place(entry.name, entry.kind, repo=entry.repo, revision=entry.revision, include=CONFIGS)


def hub_cache() -> Path:
    """The folder in which the hub's programs keep what they fetched."""
    if named := os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE"):
        return Path(os.path.expanduser(named))
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "huggingface"
    return (
        Path(os.path.expanduser(home)) / "hub"
    )  # without a home it is what it is, as for the hub's programs


def fingerprint(checkpoint: Checkpoint) -> str:
    """A cheap identity of all the files that a checkpoint is made of, for a render's journal.

    Paths, sizes and times of the user's files, revisions of the hub's; what is missing counts as missing.

    Raises:
        EngineError: a name is none.
    """
    parts = [repr(checkpoint)]
    for one in places(checkpoint):
        found = one.present()
        if one.path is None or found is None:
            snapshot = one.snapshot() if found else None
            parts.append(f"{one.repo} {one.file} {snapshot.name if snapshot else None}")
            continue
        files = [found] if found.is_file() else sorted(file for file in found.rglob("*") if file.is_file())
        for file in files:
            facts = file.stat()
            parts.append(f"{file.resolve()} {facts.st_size} {facts.st_mtime_ns}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def places(checkpoint: Checkpoint) -> list[Place]:
    """The places of all that a checkpoint names; for "auto" and bare kinds those of every family."""
    found = [place(checkpoint.model, "model")]
    found += [place(name, "LoRA") for name, _ in checkpoint.loras]
    wanted = {kind for kind, name in checkpoint.controls if name is None}
    found += [place(name, "ControlNet") for _, name in checkpoint.controls if name is not None]
    if checkpoint.ip_adapter is not None:
        found.append(place(checkpoint.ip_adapter, "IP-Adapter"))
    if checkpoint.codec is not None:
        found.append(place(checkpoint.codec, "codec"))
    if checkpoint.motion not in (None, "auto"):
        found.append(place(checkpoint.motion or "", "motion adapter"))
    for entry in KNOWN:
        if entry.control in wanted or (checkpoint.motion == "auto" and entry is known_motion(entry.family)):
            found.append(of_known(entry))
    return found
