"""VMAF, by libvmaf in imageio-ffmpeg's binary: how good a film looks beside the one it should look like."""

import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import imageio_ffmpeg  # type: ignore[import-untyped]

from vedit.video.limits import FORMATS
from vedit.video.source import Source

LOG = "vmaf.json"
LEAST_SIDE = 16
"""Pixels a side; the model looks at features at a sixteenth of the size."""


def vmaf(reference: Source, result: Source) -> tuple[float | None, str]:
    """The mean VMAF (model v0.6.1) of the result's pictures, 0 to 100, and what it is of; None and why there is none.

    Args:
        reference: one film, ``as_edited``.
        result: the other; its pictures are compared with the reference's in order.
    """
    if reason := unfit(reference, result):
        return None, reason
    with TemporaryDirectory() as folder:
        try:
            done = subprocess.run(  # noqa: S603 - no shell, and nothing in it but two paths, which are absolute
                command(reference.path, result.path), cwd=folder, capture_output=True, check=False
            )
        except (OSError, RuntimeError) as error:  # imageio-ffmpeg raises the latter when it has no binary
            return None, f"ffmpeg cannot be run ({error})"
        if done.returncode:
            words = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
            return None, f"ffmpeg failed: {words[0]}"
        try:
            found = json.loads((Path(folder) / LOG).read_bytes())
            score, count = float(found["pooled_metrics"]["vmaf"]["mean"]), len(found["frames"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            return None, f"what libvmaf wrote cannot be read ({error})"
    if count != reference.frames:
        return None, f"ffmpeg decodes {count} pictures of {reference.frames}"
    return score, f"model v0.6.1, the mean of {count} pictures"


def unfit(reference: Source, result: Source) -> str | None:
    """Why VMAF would mean nothing for two films, or None."""
    if (reference.width, reference.height) != (result.width, result.height):
        return "the films are not of the same size"
    if reference.frames != result.frames:
        return "the films have not as many pictures"
    if min(reference.width, reference.height) < LEAST_SIDE:
        return "the pictures are too small"
    if reference.original is not None or result.original is not None:
        return "a film is interlaced or HDR"
    return None


def command(reference: Path, result: Path) -> list[str]:
    """Both films in order, whatever their times; the log goes to the folder it runs in."""
    given = ["-protocol_whitelist", "file", "-format_whitelist", FORMATS, "-i"]
    order = "settb=1/25,setpts=N"
    chain = (
        f"[0:v:0]{order}[made];[1:v:0]{order}[true];"
        f"[made][true]libvmaf=log_fmt=json:log_path={LOG}:n_threads=1:shortest=1"
    )
    exe: str = imageio_ffmpeg.get_ffmpeg_exe()
    quiet = ["-hide_banner", "-nostdin", "-v", "error"]
    return [exe, *quiet, *given, str(result), *given, str(reference), "-lavfi", chain, "-f", "null", "-"]
