"""What windows are to show, in words: each text read once, and on the way from one to the next both."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import lru_cache
from itertools import takewhile
from typing import Any

import torch
from torch import Tensor

from vedit.diffusion.prompting import Embedded, Schedule
from vedit.diffusion.timeline import START, Timeline
from vedit.diffusion.whole.settings import WholeSettings
from vedit.diffusion.whole.windows import Length, Window

STEP = Fraction(1, 3)
"""Of the way from one text to the next: the most that the new frames of one window go."""


class PromptEmbeds:
    """The embeddings of what each window is to show.

    A pipeline takes one embedding a call: a window's is that of the middle one of its new frames. Between two texts
    it is interpolated; where one of them has no word, the other's fades.

    Args:
        pipe: the pipeline.
        settings: the prompt and the negative prompt.
        guided: whether there is need of the negative prompt.
        names: what the pipeline calls the parts that its ``encode_prompt`` gives; masks end with "mask".
        tokens: the most that are read.
    """

    def __init__(
        self,
        pipe: Any,
        settings: WholeSettings,
        guided: bool,
        names: Sequence[str],
        tokens: int | None = None,
    ) -> None:
        def encode(text: str) -> dict[str, Tensor]:
            parts = dict(
                zip(names, encoded(pipe, text, settings.negative_prompt, guided, tokens), strict=True)
            )
            made = {
                name: part for name, part in parts.items() if part is not None
            }  # unguided, no negative ones
            for name in [name for name in made if name.endswith("mask")]:
                made[name] = made[name].bool()
                embeds = name.replace("attention_mask", "embeds")
                made[embeds] = made[embeds] * made[name][..., None]
            return made

        self._settings = settings
        self._embedded = Embedded(scheduled(settings.prompt), encode)

    def of(self, window: Window) -> dict[str, Tensor]:
        """The embeddings of a window, by the names that the pipeline gives them."""
        new = window.make.flatten(1).any(1).nonzero()
        middle = self._settings.first + window.start + int(new[0] + new[-1]) // 2
        return self._embedded.window([(middle, _time(middle, self._settings.rate))])


def scheduled(prompt: str | Schedule) -> Schedule:
    """A text that holds all through as a schedule."""
    return Schedule(Timeline((START,)), (prompt,)) if isinstance(prompt, str) else prompt


def lengths(settings: WholeSettings, window: int, overlap: int, every: int) -> Length:
    """How long windows are where the prompt changes: so short that each is true to all of its new frames.

    A window goes as far as the text holds; between two texts its new frames go a third of the way.

    Args:
        settings: the prompt, and the film's index of the shot's first frame.
        window: frames of the longest windows.
        overlap: frames that a window shares with the next.
        every: windows have ``every * k + 1`` frames.
    """
    prompt = scheduled(settings.prompt)

    def length(start: int, new: int) -> int:
        words = [
            dict(prompt.at(i, _time(i, settings.rate)))
            for i in range(settings.first + new, settings.first + start + window)
        ]
        for most in (0, STEP):
            alike = sum(1 for _ in takewhile(lambda these: _apart(words[0], these) <= most, words))  # noqa: B023 - used at once
            fitting = (new - start + alike - 1) // every * every + 1
            if fitting > overlap:
                return fitting
        return overlap + every

    return length


def _apart(first: dict[str, Fraction], second: dict[str, Fraction]) -> Fraction:
    """How far two mixtures of texts are from each other, in [0, 1]."""
    return 1 - sum(
        (min(weight, second.get(text, Fraction(0))) for text, weight in first.items()), Fraction(0)
    )


def _time(index: int, rate: Fraction | None) -> Fraction:
    return Fraction(index) / rate if rate else Fraction(0)


@lru_cache(maxsize=2)
def encoded(pipe: Any, prompt: str, negative_prompt: str, guided: bool, tokens: int | None = None) -> Any:
    """What the pipeline's ``encode_prompt`` gives for these words; ``tokens`` is the most that are read."""
    extra = {} if tokens is None else {"max_sequence_length": tokens}
    with torch.no_grad():
        return pipe.encode_prompt(prompt, negative_prompt, do_classifier_free_guidance=guided, **extra)


@contextmanager
def unsaid() -> Iterator[None]:
    """LTX's pipelines give timesteps to a scheduler that would rather have sigmas, and it says so at every call."""
    logger = logging.getLogger("diffusers.schedulers.scheduling_flow_match_euler_discrete")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
