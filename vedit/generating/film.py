"""A storyboard into a film: its shots joined frame by frame, encoded, given their sound, verified, and then named."""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, TypedDict

from vedit.frame import Frame, Notes, Shot, Timing
from vedit.generating.board_file import read_storyboard
from vedit.generating.captions import as_subrip
from vedit.generating.join import follow, joined
from vedit.generating.pictures import Scene
from vedit.generating.shots import Shots, check_panels, film_size, shots_of
from vedit.generating.sound import write_carrier
from vedit.generating.storyboard import SECONDS, Storyboard, read_number, read_rate, read_size, spans
from vedit.heap import give_back
from vedit.job import absolute, file_state, versions
from vedit.pretrained.find import fingerprint
from vedit.pretrained.spec import read_engine, with_engine_files
from vedit.proof import Report, noted, peak_memory
from vedit.trail import noted_until, restore
from vedit.video.encode import container_for
from vedit.video.journal import Mark
from vedit.video.output import Output, check_place
from vedit.video.probe import probe
from vedit.video.source import SDR, Source, VideoFacts
from vedit.video.write import Writer


class Making(TypedDict, total=False):
    """The keywords of :func:`make_film` beside what a storyboard can say too."""

    seconds: Fraction | float | str | None
    steps: int | None
    guidance_scale: float | None
    window: int | None
    device: str
    overwrite: bool
    progress: Callable[[int, int], None] | None
    warn: Callable[[str], None] | None
    phase: Callable[[str, float], None] | None
    codec: str
    crf: float | None
    resume: bool


@dataclass(frozen=True)
class Generated(Report):
    """A film that was made from a storyboard: no film went in, so its length and rate are what there is to prove."""

    def _time_parts(self) -> list[str]:
        shots = f"{self.shots} shot{'s' * (self.shots != 1)}"
        rate = f"{float(self.rate):.5g} fps" if self.rate else "variable rate"
        parts = [
            f"{self.frames_out}/{self.frames_in} frames of {shots}",
            f"{rate}, {float(self.duration_out):g} s",
        ]
        if self.worst_time_error:
            parts.append(f"pts within {float(1000 * self.worst_time_error):.2g} ms")
        return parts

    def _audio_part(self) -> str:
        tracks = [stream for stream in self.streams if stream.kind == "audio"]
        return f"sound in {tracks[0].codec}" if tracks else "no sound"


def make_film(
    storyboard: str | Path | Sequence[str | Path],
    dst: str | Path,
    *,
    engine: str = "bundled",
    size: str | Sequence[int] | None = None,
    rate: Fraction | float | str | None = None,
    sound: str | Path | None = None,
    seed: int = 0,
    seconds: Fraction | float | str | None = None,
    steps: int | None = None,
    guidance_scale: float | None = None,
    window: int | None = None,
    device: str = "auto",
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
    warn: Callable[[str], None] | None = None,
    phase: Callable[[str, float], None] | None = None,
    codec: str = "auto",
    crf: float | None = None,
    resume: bool = True,
) -> Report:
    """Make a film; see :func:`vedit.api.generate`, which describes the settings."""
    began = time.monotonic()
    path, notes = Path(dst), Notes(tell=warn, report=phase)
    container_for(path)
    check_place(path, overwrite=overwrite)
    default = SECONDS if seconds is None else read_number(seconds, "seconds")
    board = _overridden(read_storyboard(storyboard, default), size, rate, sound)
    check_panels(board, engine, notes.warn, steps=steps, guidance_scale=guidance_scale, window=window)
    if device not in ("auto", "cpu"):
        from vedit.device import pick_device

        pick_device(device)
    ranges = spans(board.panels, board.rate)
    total = ranges[-1].stop
    clock = Timing(1 / board.rate, board.rate, 0, total)
    width, height = board.size or film_size(board, engine)
    shot = Shot(0, clock, height, width, device, notes)
    films = read_engine(engine) is not None
    scene = Scene(board.panels, ranges, (height, width), seed, shot, films)
    shots = shots_of(scene, engine, steps=steps, guidance_scale=guidance_scale, window=window)
    with tempfile.TemporaryDirectory(prefix="vedit-sound-") as folder:
        carrier = Path(folder, "sound.mkv")
        captions = as_subrip(board.panels, ranges, board.rate)
        heard = write_carrier(carrier, board.sound, captions, clock.seconds)
        if board.sound is not None and heard < clock.seconds - Fraction(1, 10):
            notes.warn(f"{board.sound.name} is {float(heard):.1f} s long; the rest of the film is silent")
        source = _source(carrier, width, height, clock)
        output = Output(path, codec, crf, "aac" if board.sound else "none", overwrite, needed=_needed(board))
        engine = with_engine_files(engine, absolute, os.path.exists)
        models = {"engine": engine, "steps": steps, "guidance_scale": guidance_scale, "window": window}
        asked = {
            "size": None if size is None else [width, height],
            "rate": None if rate is None else str(board.rate),
            "sound": None if sound is None else absolute(str(sound)),
            "seconds": str(default),
            "seed": seed,
            **models,
            "device": device,
            "overwrite": overwrite,
            "codec": codec,
            "crf": crf,
        }
        call = {"storyboard": _named(board), "options": asked}
        with _writer(source, output, clock, notes, _job(board, scene, models), call, resume) as writer:
            made = _written(shots, scene, writer, progress, began)
    return replace(made, source=board.path or made.output)


def _needed(board: Storyboard) -> tuple[Path, ...]:
    """The files that the film is made of."""
    named = [board.path, board.sound, *(panel.picture for panel in board.panels)]
    return tuple(Path(name) for name in named if name is not None)


def _overridden(
    board: Storyboard,
    size: str | Sequence[int] | None,
    rate: Fraction | float | str | None,
    sound: str | Path | None,
) -> Storyboard:
    """The storyboard with what the call says in place of its own."""
    return replace(
        board,
        size=board.size if size is None else read_size(size),
        rate=board.rate if rate is None else read_rate(rate),
        sound=board.sound if sound is None else Path(sound),
    )


def _source(carrier: Path, width: int, height: int, clock: Timing) -> Source:
    """The film of the sound, with our pictures in place of its own."""
    found = probe(carrier)
    video = VideoFacts(
        index=found.video.index,
        codec="rawvideo",
        pix_fmt="yuv420p",
        width=width,
        height=height,
        sar=Fraction(1),
        bit_depth=8,
        alpha=False,
        colour=SDR,
        field_order="progressive",
        rotation=0,
        mirrored=False,
    )
    return replace(
        found,
        video=video,
        pts=tuple(range(clock.end)),
        end=clock.end,
        time_base=clock.time_base,
        rate=clock.rate,
        original=None,
    )


def _job(board: Storyboard, scene: Scene, models: dict[str, Any]) -> dict[str, Any]:
    """What makes one film another, as plain JSON values: files are known by their content's size, date and ends."""
    panels = [
        replace(
            panel,
            place="",
            picture=panel.picture and panel.picture.absolute(),
            look=panel.look and absolute(panel.look),
        )
        for panel in board.panels
    ]
    files = [Path(name) for panel in panels for name in (panel.picture, panel.look) if name is not None]
    checkpoint = read_engine(models["engine"])
    return {
        "the storyboard": [str(panel) for panel in panels],
        "a file of the storyboard": [file_state(path) for path in files if path.is_file()],
        "the settings": [*models.values(), *scene.size, str(board.rate), scene.seed, scene.shot.on],
        "the model": None if checkpoint is None else fingerprint(checkpoint),
        "the version of vedit or of a library": versions(),
    }


def _named(board: Storyboard) -> str | list[str]:
    """The storyboard's file, or its pictures and words, as they are found from another folder too."""
    if board.path is not None:
        return str(board.path.absolute())
    return [str(panel.picture.absolute() if panel.picture else panel.prompt) for panel in board.panels]


def _writer(
    source: Source,
    output: Output,
    clock: Timing,
    notes: Notes,
    job: dict[str, Any],
    call: dict[str, Any],
    resume: bool,
) -> Writer:
    # What becomes of the carrier is not what became of the sound and the captions.
    ours = ("audio stream", "subtitle stream")
    told = Notes(tell=lambda message: None if message.startswith(ours) else notes.warn(message))
    return Writer(source, output, clock, told, job=job, call=call, resume=resume)


def _written(
    shots: Shots,
    scene: Scene,
    writer: Writer,
    progress: Callable[[int, int], None] | None,
    began: float,
) -> Generated:
    clock, total = scene.shot.timing, scene.shot.timing.end
    kept, notes = writer.frames_kept, scene.shot.notes
    if begun := writer.mark:
        restore(notes, begun.notes)
    with closing(joined(shots, scene, kept)) as pictures:
        for index, pixels in enumerate(pictures, kept):
            if (mark := follow(scene, index)) is not None:
                writer.end_segment(mark)
            writer.add(Frame(index, 1, pixels, index=index, cut=scene.cuts(index)))
            give_back(scene.size[0] * scene.size[1])
            if progress:
                progress(index + 1, total)
    result = writer.finish(Mark(total, total, 0, "", 0, noted_until(notes, total)))
    return Generated(
        source=result.path,
        output=result.path,
        frames_in=total,
        frames_out=result.frames,
        frames_kept=kept,
        shots=len(scene.panels),
        rate=clock.rate,
        duration_in=clock.seconds,
        duration_out=clock.seconds,
        pts_identical=result.pts_identical,
        worst_time_error=result.worst_time_error,
        audio_in=sum(stream.kind == "audio" for stream in writer.source.streams),
        streams=result.streams,
        seconds=time.monotonic() - began,
        peak_memory=peak_memory(),
        **noted(notes),
    )
