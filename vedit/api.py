"""The functions of the package: a film in, an edit, a film out; and what they give back.

All of them take the :class:`vedit.render.Options` as keywords; :func:`vedit.render.render` describes each.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Unpack

from torch import Tensor

from vedit.batching.batch import batch as batch
from vedit.batching.result import BatchReport as BatchReport
from vedit.clip import Clip as Clip
from vedit.diffusion.prompting import Prompt
from vedit.diffusion.ramps import Number
from vedit.edits.edit import Edit
from vedit.edits.extend import Extend
from vedit.edits.inpaint import Inpaint
from vedit.edits.interpolate import Interpolate
from vedit.edits.ramp import Key
from vedit.edits.repair import Repair
from vedit.edits.restyle import Restyle
from vedit.errors import UsageError
from vedit.flow.quality import Quality
from vedit.generating.film import Making, make_film
from vedit.interrupted import resume as resume
from vedit.planning import Plan as Plan
from vedit.planning import plan as plan
from vedit.proof import Report as Report
from vedit.recipes import Recipe, load_recipe
from vedit.render import Options, render
from vedit.report.compare import compare as compare
from vedit.report.comparison import Comparison as Comparison
from vedit.report.judging import judge as judge
from vedit.report.judging_tally import Tally as Tally
from vedit.report.judging_tally import tally as tally
from vedit.temporal.kinds import Temporal


def restyle(
    src: str | Path,
    dst: str | Path,
    *,
    look: str | None = None,
    style: str | Path | Tensor | None = None,
    prompt: Prompt | None = None,
    keyframes: Mapping[int, str | Path | Tensor] | None = None,
    strength: Number | None = None,
    structure: float = 1.0,
    keep_colour: bool = False,
    mask: str | Path | Tensor | None = None,
    temporal: Temporal = "attention",
    engine: str = "bundled",
    seed: int = 0,
    steps: int | None = None,
    size: int = 768,
    negative_prompt: str | None = None,
    guidance_scale: float | None = None,
    control: str | None = None,
    consistency: str = "auto",
    window: int | None = None,
    **options: Unpack[Options],
) -> Report:
    """Paint a film, steady over time.

    The bundled engine takes exactly one of ``look``, ``style``, ``prompt`` and ``keyframes``; a pretrained one takes no
    look, and prompt, style and key frames together. More on each setting: :class:`vedit.edits.Restyle`.

    Args:
        src: the film.
        dst: the restyled film.
        look: one of the looks that need no picture: "oil", "watercolour", "ink", "pencil", "woodcut", "halftone",
            "stained-glass", "cel"; or a .safetensors file from ``vedit train look``.
        style: any picture that has the look: a path, or ``(3, H, W)`` in [0, 1]. Learning it takes about a minute per
            shot, once.
        prompt: what is to be seen, in words; the bundled engine takes the one of its looks that they name, a pretrained
            one reads any, and texts that change: "0: a forest; 4.5s: ashes".
        keyframes: frames of the film that you have painted, by their index, counted from 0.
        strength: 0 keeps the film, 1 ignores all but its structure. None: 1 for the bundled engine, 0.6 for a
            pretrained one, with which it may change: "0: 0.3; 48: 0.8".
        structure: 0 frees the drawing, 1 keeps the film's, 2 stresses it.
        keep_colour: take the film's own colours, and only light and dark of the painting.
        mask: where to restyle: an image or a film (white = change), ``box:x,y,w,h``, ``poly:x,y x,y x,y``, or
            ``(F, 1, H, W)`` in [0, 1]. None: everywhere.
        temporal: how neighbouring frames see each other: "attention", "rnn", "lstm" or "none".
        engine: the model; ``bundled`` needs no download. A pretrained one by name, folder, file or hub id, with what is
            laid over it: "sd15 + lora=film.safetensors=0.8 + motion=animatelcm" (see ``vedit engines``).
        seed: same seed, same film, same machine: same pixels.
        steps: denoising steps; None takes 2, 4 for a look of ``vedit train look``, 25 for a pretrained engine.
        size: the longer side that larger films are painted at, in pixels.
        negative_prompt: what is not to be seen (pretrained).
        guidance_scale: how closely the prompt is followed (pretrained).
        control: maps of the film's structure that hold the drawing (pretrained): "canny", "depth:0.6,pose".
        consistency: what holds a pretrained engine's frames together: "auto", "none", or some of flow, noise, anchors,
            fusion, colour.
        window: frames a pretrained engine sees at once.
        options: ``device``, ``overwrite``, ``progress``, ``warn``, ``phase``, ``audio``, ``codec``, ``crf``,
            ``on_corrupt``, ``hdr``, ``resume``: see :func:`vedit.render.render`.

    Raises:
        VeditError: as :func:`vedit.render.render`.
    """
    edit = Restyle(
        look=look,
        style=style,
        prompt=prompt,
        keyframes=keyframes,
        strength=strength,
        structure=structure,
        keep_colour=keep_colour,
        mask=mask,
        temporal=temporal,
        engine=engine,
        seed=seed,
        steps=steps,
        size=size,
        negative_prompt=negative_prompt,
        guidance_scale=guidance_scale,
        control=control,
        consistency=consistency,
        window=window,
    )
    return render(src, dst, [edit], **options)


def interpolate(
    src: str | Path,
    dst: str | Path,
    *,
    fps: Fraction | float | str | None = None,
    factor: int | None = None,
    slowmo: Fraction | float | str | None = None,
    ramp: str | Mapping[Key, Key] | None = None,
    dedupe: bool = False,
    quality: Quality = "normal",
    engine: str = "bundled",
    prompt: str | None = None,
    steps: int | None = None,
    seed: int = 0,
    **options: Unpack[Options],
) -> Report:
    """Make new frames between a film's own. Takes one of ``fps``, ``factor``, ``slowmo`` and ``ramp``.

    Args:
        src: the film.
        dst: the new film.
        fps: frames per second, exact: 60, 12.5, ``"60000/1001"``. With ``slowmo`` or ``ramp`` it is their rate,
            instead of the film's own.
        factor: this many times the frames; 1 re-encodes and changes nothing else.
        slowmo: this many times slower at the film's own rate; the sound is stretched, at its own pitch.
        ramp: a speed that changes: which second of the film is shown at which second of the new one, as
            ``"0=0,2=1,4=4"`` or ``{0: 0, 2: 1, 4: 4}``; after the last the film goes on at its own speed. The
            sound goes along, at its own pitch, and is silent where the picture stands still.
        dedupe: replace frames that only repeat the one before, as in animation on twos or after a pulldown; what was
            found is among the warnings. With ``factor=1`` nothing else changes.
        quality: ``draft``, ``normal`` or ``best``; see `vedit.edits.Interpolate`.
        engine: the model; ``bundled`` needs no download; LTX, LTX-2 or Wan VACE make anew what the two frames around a
            new one do not tell.
        prompt: what is to be seen, in words (pretrained engines).
        steps: denoising steps (pretrained engines).
        seed: same seed, same film, same machine: same pixels (pretrained engines).
        options: as for :func:`restyle`; see :func:`vedit.render.render`.

    Raises:
        VeditError: as :func:`vedit.render.render`.
    """
    edit = Interpolate(
        fps=fps,
        factor=factor,
        slowmo=slowmo,
        ramp=ramp,
        dedupe=dedupe,
        quality=quality,
        engine=engine,
        prompt=prompt,
        steps=steps,
        seed=seed,
    )
    return render(src, dst, [edit], **options)


def inpaint(
    src: str | Path,
    dst: str | Path,
    *,
    mask: str | Path | Tensor,
    quality: Quality = "normal",
    engine: str = "bundled",
    seed: int = 0,
    dilate: int = 0,
    feather: int = 0,
    prompt: str | None = None,
    steps: int | None = None,
    **options: Unpack[Options],
) -> Report:
    """Take something out of a film: real pixels of other frames first, made-up ones only where none are.

    Args:
        src: the film.
        dst: the repaired film.
        mask: what to take out: an image, a film or a folder (white = change), ``box:x,y,w,h``, ``poly:x,y x,y x,y``,
            ``track:N=box:x,y,w,h`` (what is there in frame N, followed), ``sam2:N=point:x,y`` (outlined and followed by
            SAM 2), ``auto:caption``, ``auto:logo``, several of these joined by `` + `` and `` - ``, or
            ``(F, 1, H, W)`` in [0, 1].
        quality: ``draft``, ``normal`` or ``best``; see `vedit.edits.Inpaint`.
        engine: the model; ``bundled`` needs no download; a pretrained one paints what no frame shows.
        seed: same seed, same film, same machine: same pixels.
        dilate: pixels by which the mask grows.
        feather: pixels around that over which new colours fade into the old ones.
        prompt: what is to be seen where nothing is known, in words (pretrained engines).
        steps: denoising steps (pretrained engines).
        options: as for :func:`restyle`; see :func:`vedit.render.render`.

    Raises:
        VeditError: as :func:`vedit.render.render`.
    """
    edit = Inpaint(
        mask=mask,
        quality=quality,
        engine=engine,
        seed=seed,
        dilate=dilate,
        feather=feather,
        prompt=prompt,
        steps=steps,
    )
    return render(src, dst, [edit], **options)


def repair(
    src: str | Path,
    dst: str | Path,
    *,
    dust: bool = True,
    scratches: bool = True,
    dropped: bool = True,
    duplicates: bool = True,
    flicker: bool = False,
    preview: bool = False,
    **options: Unpack[Options],
) -> Report:
    """Mend a film's flaws from the frames beside them; what was found, and when, is in the report.

    Args:
        src: the film.
        dst: the repaired film.
        dust: specks, hairs and dirt of a single frame.
        scratches: thin vertical lines that stay for several frames.
        dropped: frames that are missing; they are made where the film's times have a hole for them.
        duplicates: single frames that show the one before again.
        flicker: exposure that goes up and down from frame to frame; it changes whole frames, so it has to be asked for.
        preview: mend nothing, and draw what is found over the film; see `vedit.edits.Repair`.
        options: as for :func:`restyle`; see :func:`vedit.render.render`.

    Raises:
        VeditError: as :func:`vedit.render.render`.
    """
    edit = Repair(
        dust=dust,
        scratches=scratches,
        dropped=dropped,
        duplicates=duplicates,
        flicker=flicker,
        preview=preview,
    )
    return render(src, dst, [edit], **options)


def extend(
    src: str | Path,
    dst: str | Path,
    *,
    seconds: Fraction | float | str,
    kind: str | Path = "transformer",
    engine: str = "bundled",
    seed: int = 0,
    prompt: str | None = None,
    negative_prompt: str | None = None,
    steps: int | None = None,
    guidance_scale: float | None = None,
    size: int = 768,
    window: int | None = None,
    **options: Unpack[Options],
) -> Report:
    """Go on after a film's last frame, for a while, as its last shot moves.

    Args:
        src: the film.
        dst: the longer film. The source's frames are kept; the sound ends where it ended.
        seconds: how much longer: 0.5, Fraction or "1/2"; in whole frames at the film's rate.
        kind: how what came before is remembered: "rnn", "lstm" or "transformer"; or a file of ``vedit train temporal``.
        engine: "bundled", or a pretrained one that films: Wan VACE, LTX, Stable Diffusion with a motion adapter.
        seed: of a pretrained engine's noise.
        prompt: what is to be seen; a pretrained engine needs one. Bundled takes none of what follows either.
        negative_prompt: what is not.
        steps: denoising steps.
        guidance_scale: how closely the prompt is followed.
        size: the longer side that new frames of larger films are made at, in pixels.
        window: frames made at once.
        options: as for :func:`restyle`; see :func:`vedit.render.render`.

    Raises:
        VeditError: as :func:`vedit.render.render`.
    """
    edit = Extend(
        seconds,
        kind=kind,
        engine=engine,
        seed=seed,
        prompt=prompt,
        negative_prompt=negative_prompt,
        steps=steps,
        guidance_scale=guidance_scale,
        size=size,
        window=window,
    )
    return render(src, dst, [edit], **options)


def generate(
    storyboard: str | Path | Sequence[str | Path],
    dst: str | Path,
    *,
    engine: str = "bundled",
    size: str | Sequence[int] | None = None,
    rate: Fraction | float | str | None = None,
    sound: str | Path | None = None,
    seed: int = 0,
    **options: Unpack[Making],
) -> Report:
    """Make a film from a storyboard.

    The bundled engine films pictures: a camera moves over each, near things more than far ones, a look may be laid
    over it, and one is bent into the next. Pretrained engines film prompts too. The film has exactly as many frames as
    its seconds hold at its rate.

    Args:
        storyboard: a list of pictures (paths) and prompts; a text file with one per line; or a TOML file of
            ``[[shots]]`` with picture or prompt, seconds, seed, look, strength, negative_prompt, camera (in, out, left,
            right, up, down, still), transition (cut, dissolve, morph), transition_seconds, continues; and at its top
            size, rate, sound, and what all shots share.
        dst: the film; its extension picks the container.
        engine: the model; ``bundled`` needs no download. A pretrained one as for :func:`restyle`: Stable Diffusion with
            a motion adapter, Wan VACE, LTX or LTX-2 film prompts; without a motion adapter one picture is painted from
            each prompt and moved over.
        size: width and height, both even, as ``"1280x720"`` or a pair; None takes the storyboard's, the first
            picture's, or what the model was trained at.
        rate: frames per second, exact; None takes the storyboard's, or 24.
        sound: a sound file, or a film with sound; cut to the film's length, where it fades out.
        seed: same seed, same storyboard, same machine: same pixels.
        options: ``seconds``, how long shots are that do not say; ``steps``, ``guidance_scale`` and ``window`` for
            pretrained engines; ``device``, ``overwrite``, ``progress``, ``warn``, ``phase``, ``codec``, ``crf``,
            ``resume``: see :func:`vedit.render.render`; an interrupted film goes on with the shot that it was at.

    Raises:
        UsageError: a setting, or something in the storyboard, cannot be; says the file and the line.
        InputError: the storyboard, a picture or the sound cannot be read.
        OutputError: the film cannot be written.
        EngineError: a model or device cannot do the job.
    """
    return make_film(storyboard, dst, engine=engine, size=size, rate=rate, sound=sound, seed=seed, **options)


def run(
    recipe: str | Path | Recipe | Sequence[Edit],
    src: str | Path,
    dst: str | Path,
    *,
    settings: Sequence[str] = (),
    **options: Unpack[Options],
) -> Report:
    """Run a film through the edits of a recipe.

    Args:
        recipe: the name of one that comes with vedit, such as "ink" (`vedit recipes` lists them); a TOML file; a
            `vedit.recipes.Recipe`; or edits of your own, in the order they run.
        src: the film.
        dst: the new film. It carries the recipe: ``vedit.probe(dst).recipe``.
        settings: what to change in the recipe, as "step.key=value", such as "restyle.strength=0.7"; see
            :func:`vedit.recipes.load_recipe`.
        options: as for :func:`restyle`; see :func:`vedit.render.render`.

    Raises:
        UsageError: there is no such recipe, or a setting of it cannot be.
        VeditError: as :func:`vedit.render.render`.
    """
    if isinstance(recipe, str | Path | Recipe):
        return render(src, dst, load_recipe(recipe, settings).edits(), **options)
    if settings:
        raise UsageError("settings were given for a list of edits", "Set them where the edits are made.")
    return render(src, dst, recipe, **options)
