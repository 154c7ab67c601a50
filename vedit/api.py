"""The functions of the package: a film in, an edit, a film out; and what they give back.

All of them take the :class:`vedit.render.Options` as keywords; :func:`vedit.render.render` describes each.
"""

from fractions import Fraction
from pathlib import Path
from typing import Unpack

from torch import Tensor

from vedit.clip import Clip as Clip
from vedit.edits.inpaint import Inpaint
from vedit.edits.interpolate import Interpolate
from vedit.edits.restyle import Restyle
from vedit.flow.quality import Quality
from vedit.planning import Plan as Plan
from vedit.planning import plan as plan
from vedit.proof import Report as Report
from vedit.render import Options, render
from vedit.render import resume as resume


def restyle(
    src: str | Path,
    dst: str | Path,
    *,
    style: str | Path | Tensor | None = None,
    prompt: str | None = None,
    strength: float = 0.6,
    mask: str | Path | Tensor | None = None,
    engine: str = "bundled",
    seed: int = 0,
    steps: int = 4,
    **options: Unpack[Options],
) -> Report:
    """Give a film the look of a picture, steady over time.

    Args:
        src: the film.
        dst: the restyled film.
        style: the picture whose look it takes: a path, or ``(3, H, W)`` in [0, 1].
        prompt: the look in words, for engines that read them.
        strength: 0 keeps the film, 1 ignores it.
        mask: where to restyle: an image or a film (white = change), ``box:x,y,w,h``, ``poly:x,y x,y x,y``, or
            ``(F, 1, H, W)`` in [0, 1]. None: everywhere.
        engine: the model; ``bundled`` needs no download.
        seed: same seed, same film, same machine: same pixels.
        steps: denoising steps.
        options: ``device``, ``overwrite``, ``progress``, ``warn``, ``audio``, ``codec``, ``crf``, ``on_corrupt``,
            ``hdr``, ``resume``: see :func:`vedit.render.render`.

    Raises:
        VeditError: as :func:`vedit.render.render`.
    """
    edit = Restyle(
        style=style, prompt=prompt, strength=strength, mask=mask, engine=engine, seed=seed, steps=steps
    )
    return render(src, dst, [edit], **options)


def interpolate(
    src: str | Path,
    dst: str | Path,
    *,
    fps: Fraction | float | str | None = None,
    factor: int | None = None,
    slowmo: Fraction | float | str | None = None,
    quality: Quality = "normal",
    **options: Unpack[Options],
) -> Report:
    """Make new frames between a film's own. Takes exactly one of ``fps``, ``factor`` and ``slowmo``.

    Args:
        src: the film.
        dst: the new film.
        fps: frames per second, exact: 60, 12.5, ``"60000/1001"``.
        factor: this many times the frames; 1 re-encodes and changes nothing else.
        slowmo: this many times slower at the film's own rate; the sound is left out, with a warning.
        quality: ``draft``, ``normal`` or ``best``: how much care the motion search takes.
        options: as for :func:`restyle`; see :func:`vedit.render.render`.

    Raises:
        VeditError: as :func:`vedit.render.render`.
    """
    edit = Interpolate(fps=fps, factor=factor, slowmo=slowmo, quality=quality)
    return render(src, dst, [edit], **options)


def inpaint(
    src: str | Path,
    dst: str | Path,
    *,
    mask: str | Path | Tensor,
    quality: Quality = "normal",
    engine: str = "bundled",
    seed: int = 0,
    **options: Unpack[Options],
) -> Report:
    """Take something out of a film: real pixels of other frames first, made-up ones only where none are.

    Args:
        src: the film.
        dst: the repaired film.
        mask: what to take out: an image or a film (white = change), ``box:x,y,w,h``, ``poly:x,y x,y x,y``, or
            ``(F, 1, H, W)`` in [0, 1].
        quality: ``draft``, ``normal`` or ``best``: how much care the motion search takes.
        engine: the model; ``bundled`` needs no download.
        seed: same seed, same film, same machine: same pixels.
        options: as for :func:`restyle`; see :func:`vedit.render.render`.

    Raises:
        VeditError: as :func:`vedit.render.render`.
    """
    edit = Inpaint(mask=mask, quality=quality, engine=engine, seed=seed)
    return render(src, dst, [edit], **options)
