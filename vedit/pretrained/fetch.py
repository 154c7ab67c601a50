"""From a place to files on this machine: those that are here first, the hub only for what is not."""

from pathlib import Path
from typing import Any

from vedit.errors import EngineError
from vedit.pretrained.files import check_weights, lacking, weights_of
from vedit.pretrained.find import Place, hub_cache

SECONDS = 10
"""How long the hub may keep us waiting for a first answer."""


def local(place: Place) -> Path:
    """The file or folder of a place, whole and safe to read, fetched from the hub if it is not here.

    Raises:
        EngineError: it is missing and cannot be fetched (with the command that does), incomplete, damaged, or a pickle.
    """
    found = place.present()
    if place.repo is not None and (found is None or missing(place, found)):
        _download(place)
        found = place.present()
    if found is None:
        raise EngineError(f"{place.name} has none of the files of a {place.kind}", "See `vedit engines`.")
    if lacks := missing(place, found):
        remedy = (
            f"Fetch it with `{place.command}`." if place.repo else "Copy or fetch the whole folder again."
        )
        raise EngineError(f"{found} is not complete: {lacks} is missing", remedy)
    check_weights(found)
    return found


def describe(place: Place) -> dict[str, Any]:
    """Where a place's files are, which is the first that it lacks, and the command that fetches them.

    Loads and fetches nothing. ``path`` is None unless all that is needed is there; ``missing`` may say what is wrong.
    """
    found = place.present()
    try:
        lacks = missing(place, found) if found else None
    except EngineError as error:  # a damaged index, or only pickles
        lacks = error.problem
    return {
        "repo": place.repo,
        "revision": place.revision,
        "path": str(found) if found and not lacks else None,
        "missing": lacks,
        "command": place.command if place.repo else None,
    }


def missing(place: Place, found: Path) -> str | None:
    """The first file that a place lacks, of those it needs; None when it has them all."""
    if place.file is not None:
        repository = found.parents[place.file.count("/")]
        return next((one for one in place.include if not any(repository.glob(one))), None)
    if found.is_file():
        return None
    if place.include and not any(one.endswith(".safetensors") for one in place.include):  # settings alone
        return None if (found / "model_index.json").is_file() else "model_index.json"
    if place.kind == "model":
        return next(iter(lacking(found)), None)
    if place.kind == "segmenter":
        return next(
            (one for one in ("config.json", "model.safetensors") if not (found / one).is_file()), None
        )
    if place.kind in ("motion adapter", "ControlNet", "codec"):
        if not (found / "config.json").is_file():
            return "config.json"
        return (
            None
            if weights_of(found) or weights_of(found, half=True)
            else "diffusion_pytorch_model.safetensors"
        )
    return None


def _download(place: Place) -> None:
    """Fetch a place's files into the hub's cache."""
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    remedy = f"Fetch it where there is a network: `{place.command}`."
    repo = place.repo or ""
    try:
        # Asked first, because it answers at once where there is no network: the download tries for half a minute.
        HfApi().model_info(repo, revision=place.revision, timeout=SECONDS)
        snapshot_download(
            repo,
            revision=place.revision,
            allow_patterns=list(place.include),
            ignore_patterns=["safety_checker/*", "*non_ema*"]
            + ([] if any("fp16" in one for one in place.include) else ["*.fp16.*"]),
            cache_dir=hub_cache(),
            etag_timeout=SECONDS,
        )
    except GatedRepoError as error:
        page = f"https://huggingface.co/{place.repo}"
        raise EngineError(
            f"{place.repo} is only given to those who accept its terms",
            f"Accept them on {page}, run `hf auth login`, then `{place.command}`.",
        ) from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise EngineError(
            f"the hub has no {place.repo}" + (f" at {place.revision}" if place.revision else ""),
            "Check the name, or run `hf auth login` if it is private.",
        ) from error
    except Exception as error:  # no network, a proxy that refuses, a full disk: each library has its own kind
        why = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
        raise EngineError(
            f"the {place.kind} {place.name} is not on this machine and cannot be fetched ({why})", remedy
        ) from error
