"""A pretrained engine's shots: words filmed, or painted once and moved over; pictures moved over and painted anew."""

from collections import deque
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.edits.edit import Edit
from vedit.edits.filming import Filming, Words, film_frames, film_whole, painting
from vedit.edits.restyle import Restyle
from vedit.errors import UsageError
from vedit.generating.morph import dissolved, morphed
from vedit.generating.pictures import Pictures, Scene
from vedit.generating.shots import look_of, picture_of
from vedit.generating.storyboard import Panel
from vedit.pretrained.family import family_of
from vedit.pretrained.fetch import local
from vedit.pretrained.find import place
from vedit.pretrained.models import load_checkpoint
from vedit.pretrained.spec import read_engine

SIZES = {
    "sd": (512, 512),
    "sdxl": (1024, 1024),
    "wan-vace": (832, 480),
    "ltx": (704, 480),
    "ltx2": (768, 512),
}
"""(width, height) that each family was trained at, or near it."""
ANEW = 0.35
"""How strongly frames that a camera sees of a painting are painted anew: they move, and stay the same scene."""
KEPT = 9
"""Frames of a shot that the next one may continue."""


class Prompted:
    """The shots of a pretrained engine.

    Words are filmed by whole pipelines (Wan VACE, LTX) and by Stable Diffusion with a motion adapter; shots of words
    that morph are one film, its prompt interpolated within the morph. Without a motion adapter one picture is
    painted from each prompt, a camera moves over it, and the frames are painted anew from that, noised, so that they
    move with it. Pictures are moved over too; with a whole pipeline and words a picture is the first frame of its shot.
    """

    def __init__(
        self,
        scene: Scene,
        engine: str,
        *,
        steps: int | None,
        guidance_scale: float | None,
        window: int | None,
    ) -> None:
        checkpoint = read_engine(engine)
        assert checkpoint is not None  # noqa: S101 - the bundled engine makes its own shots
        self._scene, self._engine = scene, engine
        loaded = load_checkpoint(checkpoint, scene.shot.device)
        for note in loaded.notes:
            scene.shot.notes.warn(note)
        self._asked = Filming(loaded, scene.shot, scene.size, steps, guidance_scale, window)
        self._whole, self._moves = self._asked.whole, self._asked.moves
        for number, panel in enumerate(scene.panels):
            self._check(panel)
            if panel.camera is not None and not self._is_picture(number):
                scene.shot.notes.warn(
                    f"{panel.place}: words are filmed, and camera is for pictures: say it in words"
                )
        self._pictures = Pictures(scene, self._picture, self._is_picture)
        self._films: dict[int, _Film] = {}
        self._last: dict[int, deque[Tensor]] = {}

    def frames(self, number: int) -> Iterator[Tensor]:
        edits = self._edits(number) if self._is_picture(number) else []
        made = self._pictures.frames(number, edits) if self._is_picture(number) else self._filmed(number)
        last = deque[Tensor](maxlen=KEPT)
        self._last = {number - 1: self._last.get(number - 1, last), number: last}
        for pixels in made:
            last.append(pixels)
            yield pixels

    def mixed(self, number: int, first: Tensor, second: Tensor, index: int) -> Tensor:
        if self._is_picture(number - 1) and self._is_picture(number):
            return self._pictures.mixed(number, first, second, index)
        if self._run(number - 1) == self._run(number):
            return first  # both are the one film
        way = self._scene.way(number, index)
        assert way is not None  # noqa: S101 - only asked within transitions
        mix = morphed if self._scene.panels[number].transition == "morph" else dissolved
        return mix(first, second, way)

    def _check(self, panel: Panel) -> None:
        if panel.look is not None and panel.prompt is not None:
            raise UsageError(
                f"{panel.place}: looks belong to the bundled engine",
                f'Say it in the prompt: "{panel.look} painting".',
            )
        if panel.continues and not (self._whole or self._moves):
            raise UsageError(
                f"{panel.place}: this engine films nothing that could be continued",
                "Leave continues out, or lay a motion adapter over the engine (see `vedit engines`).",
            )
        if panel.continues and panel.picture is not None:
            raise UsageError(f"{panel.place}: a picture cannot continue a shot", "Leave one of the two out.")
        if panel.strength is not None and panel.picture is None:
            raise UsageError(
                f"{panel.place}: strength is for pictures", "Leave it out: words are filmed from noise."
            )

    def _is_picture(self, number: int) -> bool:
        """Whether a camera moves over a picture there."""
        panel = self._scene.panels[number]
        if panel.picture is not None:
            return not (self._whole and panel.prompt is not None)
        return not (self._whole or self._moves)

    def _picture(self, number: int) -> Tensor:
        panel = self._scene.panels[number]
        if panel.picture is not None:
            return picture_of(panel)
        assert panel.prompt is not None  # noqa: S101 - a panel has one or the other
        made = painting(self._asked, Words(panel.prompt, panel.negative_prompt), self._seed(number))
        return (made.clamp(0, 1) * 255).round().byte()

    def _edits(self, number: int) -> list[Edit]:
        panel = self._scene.panels[number]
        if panel.prompt is None:
            return look_of(panel, self._scene.seed)
        anew = max(ANEW, 1 / self._asked.steps_done)  # a step at least
        strength = anew if panel.strength is None else panel.strength
        return [
            Restyle(
                engine=self._engine,
                prompt=self._prompts([number]),
                strength=strength,
                seed=self._seed(number),
                steps=self._asked.steps,
                size=max(64, *self._scene.size),
                negative_prompt=panel.negative_prompt,
                guidance_scale=self._asked.guidance_scale,
                window=self._asked.window,
            )
        ]

    def _filmed(self, number: int) -> Iterator[Tensor]:
        span, run = self._scene.spans[number], self._run(number)
        if run not in self._films:
            self._films = {run: _Film(self._begun(run), self._scene.spans[run].first)}
        film = self._films[run]
        return (film.at(index) for index in range(span.first, span.end))

    def _begun(self, run: int) -> Iterator[Tensor]:
        """The film that begins with a panel."""
        spans, panel = self._scene.spans, self._scene.panels[run]
        numbers = [n for n in range(run, len(self._scene.panels)) if self._run(n) == run]
        indices = range(spans[run].first, spans[numbers[-1]].end)
        words = Words(self._prompts(numbers), panel.negative_prompt)
        before = tuple(self._last[run - 1]) if panel.continues else ()
        if not self._whole:
            return film_frames(self._asked, indices, words, self._seed(run), before)
        start = None if panel.picture is None else covering(picture_of(panel), self._scene.size)
        return film_whole(self._asked, indices, words, self._seed(run), before, start)

    def _run(self, number: int) -> int:
        """The panel that begins the film which a panel's words are part of: those that morph are one."""
        panels = self._scene.panels
        while (
            number
            and panels[number].transition == "morph"
            and panels[number].picture is None
            and not (self._is_picture(number) or self._is_picture(number - 1))
            and panels[number].negative_prompt == panels[number - 1].negative_prompt
        ):
            number -= 1
        return number

    def _prompts(self, numbers: Sequence[int]) -> dict[int | str, str]:
        """The words of panels by frame: held, and on the way from one to the next within their transitions."""
        panels, spans = self._scene.panels, self._scene.spans
        table: dict[int | str, str] = {}
        for number in range(max(0, numbers[0] - 1), min(len(panels), numbers[-1] + 2)):
            prompt = panels[number].prompt
            if prompt is None or not (
                number in numbers or panels[max(number, numbers[0])].transition == "morph"
            ):
                continue
            begins = spans[number - 1].end if number else 0
            ends = spans[number + 1].first if number + 1 < len(spans) else spans[number].end
            table[begins] = prompt
            if ends > begins:
                table[ends] = prompt
        return table

    def _seed(self, number: int) -> int:
        own = self._scene.panels[number].seed
        return self._scene.seed + number if own is None else own


class _Film:
    """A film that several shots take their frames from, in order; within a transition both ask for the same."""

    def __init__(self, frames: Iterator[Tensor], first: int) -> None:
        self._frames, self._next = frames, first
        self._now: Tensor | None = None

    def at(self, index: int) -> Tensor:
        """The frame of an index, no earlier than the one asked for before."""
        while self._next <= index:
            self._now, self._next = next(self._frames), self._next + 1
        assert self._now is not None  # noqa: S101 - indices rise from the first
        return self._now


def covering(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """The middle of a picture ``(3,H,W)`` uint8 that fills a film's frame, ``(3,h,w)`` in [0, 1]."""
    height, width = picture.shape[-2:]
    scale = max(size[0] / height, size[1] / width)
    whole = [max(side, round(old * scale)) for side, old in zip(size, (height, width), strict=True)]
    pixels = F.interpolate(
        picture[None].float() / 255, size=whole, mode="bicubic", align_corners=False, antialias=True
    )[0]
    top, left = (whole[0] - size[0]) // 2, (whole[1] - size[1]) // 2
    return torch.clamp(pixels[:, top : top + size[0], left : left + size[1]], 0, 1)


def usual_size(engine: str) -> tuple[int, int]:
    """(width, height) that an engine makes best.

    Raises:
        EngineError: the model is not here.
    """
    checkpoint = read_engine(engine)
    assert checkpoint is not None  # noqa: S101 - the bundled engine films pictures, which have a size
    return SIZES[family_of(local(place(checkpoint.model, "model"))).name]
