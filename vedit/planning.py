"""What a render would do, found out without doing it."""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Unpack

from vedit.calibration import Calibration, calibrate
from vedit.coverage import Coverage, coverage_of
from vedit.device import pick_device
from vedit.edits.edit import Edit
from vedit.edits.inpaint import Inpaint
from vedit.frame import Notes, Timing
from vedit.job import files_of
from vedit.render import Options, resume_hint
from vedit.streaming import clocks
from vedit.video.decode import open_film
from vedit.video.output import Output, check_clock, plan_output, writing
from vedit.video.probe import probe
from vedit.video.read import read
from vedit.video.source import Source
from vedit.video.streams import StreamPlan

PATIENCE = 1.0
"""Seconds for reading a film's times, if its shots are not to be counted; those not found by then are estimated."""
KEY_DISTANCE = 250
"""Frames from one key frame to the next, as most encoders put them."""


@dataclass(frozen=True)
class Plan:
    """What a render would do. ``seconds``, ``memory``, ``size`` and ``disk`` are estimates from a trial."""

    source: Source
    output: Path
    container: str
    codec: str
    pix_fmt: str
    streams: tuple[StreamPlan, ...]
    """What becomes of every stream but the edited picture."""
    frames_out: int
    rate: Fraction | None
    """Frames per second of the result; None when it varies."""
    duration: Fraction
    """Seconds of the result."""
    shots: int | None
    """None when they were not counted."""
    device: str
    seconds: float
    """Wall time."""
    memory: int | None
    """Bytes held at most; None where the system does not say."""
    size: int
    """Bytes of the result."""
    disk: int
    """Bytes needed while the render runs: its segments, and the film made of them."""
    free: int
    """Bytes free where the result goes."""
    resume: str | None
    """What an interrupted run has left to go on with."""
    warnings: tuple[str, ...]
    coverage: Coverage | None = None
    """What other frames show of the hole that `vedit.edits.Inpaint` fills; None where nothing is filled."""

    def facts(self) -> dict[str, object]:
        """Everything as plain values for JSON; exact numbers as strings such as ``24000/1001``."""
        return {
            "source": str(self.source.path),
            "output": str(self.output),
            "container": self.container,
            "codec": self.codec,
            "pix_fmt": self.pix_fmt,
            "streams": [
                {
                    "index": plan.facts.index,
                    "kind": plan.facts.kind,
                    "from": plan.facts.codec,
                    "how": plan.how,
                    "codec": plan.codec,
                    "reason": plan.reason,
                }
                for plan in self.streams
            ],
            "frames_in": self.source.frames,
            "frames_out": self.frames_out,
            "rate": str(self.rate) if self.rate else None,
            "duration_in": str(self.source.duration),
            "duration_out": str(self.duration),
            "shots": self.shots,
            "device": self.device,
            "seconds": self.seconds,
            "memory": self.memory,
            "size": self.size,
            "disk": self.disk,
            "free": self.free,
            "resume": self.resume,
            "warnings": list(self.warnings),
            "coverage": asdict(self.coverage) if self.coverage else None,
        }

    def to_json(self) -> str:
        """The facts as one line of JSON."""
        return json.dumps(self.facts())


def plan(
    src: str | Path,
    dst: str | Path,
    edits: Sequence[Edit],
    *,
    shots: bool = False,
    **options: Unpack[Options],
) -> Plan:
    """Say what :func:`vedit.render.render` would do with the same arguments. Nothing is written.

    A window of ten pictures from the middle of the film is decoded, edited and encoded (parts of the pictures when the
    edits are slow); time, memory and bytes are estimated from that. Where a hole is to be filled, a few stretches of
    the film are searched for what it hides (`vedit.coverage`).

    Args:
        src: the film.
        dst: the edited film.
        edits: in the order they run.
        shots: count the shots too, which reads the whole film.
        options: as for the render.

    Raises:
        VeditError: as the render would before it starts.
    """
    if unknown := options.keys() - Options.__annotations__.keys():
        raise TypeError(f"plan() got an unexpected keyword argument {min(unknown)!r}")
    source = probe(src, within=None if shots else PATIENCE).as_edited(options.get("hdr", "refuse"))
    device = pick_device(options.get("device", "auto"))
    notes = Notes()
    for remark in source.remarks:
        notes.warn(remark)
    timings, audio, _ = clocks(source, edits, options.get("audio", "copy"), notes)
    clock = timings[-1]
    output = Output(
        Path(dst),
        codec=options.get("codec", "auto"),
        crf=options.get("crf"),
        audio=audio,
        overwrite=options.get("overwrite", False),
        needed=files_of(edits),
    )
    encoding, streams, warnings = plan_output(source, output)
    check_clock(output.path, clock)
    for warning in warnings:
        notes.warn(warning)
    coverage = _coverage(source, edits, timings, str(device))
    marked = coverage.mask_share if coverage else 0
    with writing(output.path):  # in memory; the encoder's complaints are those of the real one
        trial = calibrate(source, edits, timings, encoding, str(device), notes, marked)
    frames = frames_out(source, clock, trial.made)
    keys = ceil(frames / KEY_DISTANCE)
    pictures = int(trial.key * keys + trial.between * max(0, frames - keys))
    size = pictures + _others(source, streams)
    disk, free = pictures + size, shutil.disk_usage(Path(dst).absolute().parent).free
    if disk > free:
        notes.warn(
            f"about {disk / 1e9:.1f} GB are needed, and {free / 1e9:.1f} GB are free where the film goes"
        )
    return Plan(
        source=source,
        output=Path(dst).absolute(),
        container=encoding.container,
        codec=encoding.codec,
        pix_fmt=encoding.pix_fmt,
        streams=streams,
        frames_out=frames,
        rate=clock.rate,
        duration=clock.seconds,
        shots=_shots(source, options) if shots else None,
        device=str(device),
        seconds=source.frames * _seconds(trial, str(device)),
        memory=trial.memory,
        size=size,
        disk=disk,
        free=free,
        resume=resume_hint(Path(dst)) if options.get("resume", True) else None,
        warnings=tuple(notes.warnings),
        coverage=coverage,
    )


def _coverage(
    source: Source, edits: Sequence[Edit], timings: Sequence[Timing], device: str
) -> Coverage | None:
    """Of the first edit that fills a hole of the film as it is: after a change of time the mask is not the film's."""
    for edit, timing in zip(edits, timings, strict=False):
        if isinstance(edit, Inpaint) and timing == source.timing:
            return coverage_of(source, edit, device)
    return None


def frames_out(source: Source, clock: Timing, made: float) -> int:
    """How many frames the edits make: ``made`` for each of the source's, or as many as the new rate has room for."""
    if clock == source.timing:
        return source.frames
    each = round(made)
    same = clock.seconds == source.duration
    if clock.rate is None or (same and made == each and source.rate and clock.rate == source.rate * each):
        return round(source.frames * made)
    # As vedit.edits.retime counts: where the source's times are rounded to ticks, a frame shown for less is none.
    even = source.rate is None or (1 / (source.rate * source.time_base)).denominator == 1
    slack = 0 if even else source.time_base * clock.seconds / source.duration
    return ceil((clock.seconds - slack) * clock.rate)


def _seconds(trial: Calibration, device: str) -> float:
    """Wall time for a source frame: decoding, editing and encoding run side by side as far as there are cores."""
    costs = (trial.decoding, trial.editing, trial.encoding)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # On a busy machine the clock also counts other programs' work, in bursts; processor time does not.
    alone = [cost.wall if device != "cpu" else min(cost.wall, cost.cpu) for cost in costs]
    return max(*alone, sum(cost.cpu for cost in costs) / cores)


def _others(source: Source, streams: Sequence[StreamPlan]) -> int:
    """Bytes of the streams that are kept, by the rates that the film states; unstated ones are small."""
    with open_film(source.path) as film:
        contexts = [film.streams[plan.facts.index].codec_context for plan in streams if plan.how != "drop"]
        rates = [context.bit_rate or 0 for context in contexts if context is not None]
    return int(sum(rates) * source.duration / 8)


def _shots(source: Source, options: Options) -> int:
    frames = read(source, Notes(), on_corrupt=options.get("on_corrupt", "repeat"))
    return sum(frame.cut for frame in frames)
