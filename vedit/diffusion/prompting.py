"""Prompts that change over a film, and their embeddings for every frame of a window."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from vedit.diffusion.timeline import START, Span, Timeline, read_timeline, table_pairs, text_pairs
from vedit.errors import UsageError

Prompt = str | Mapping[int | str, str]
"""A text, or texts by frame, time or shot (see `vedit.diffusion.timeline`), as a table or in one string."""

Encode = Callable[[str], dict[str, Tensor]]
"""Embeds a text: names as diffusers has them, each ``(1, ...)``."""


@dataclass(frozen=True)
class Schedule:
    """Which text holds at which frame. Equal schedules are equal values."""

    timeline: Timeline
    values: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts, each once, in the order in which the film comes to them."""
        return tuple(dict.fromkeys(self.values))

    def of_shot(self, number: int) -> "Schedule":
        """What holds in a shot, counted from 1: where texts go by shot, one that holds all through."""
        if self.timeline.keys[0].unit != "shot":
            return self
        return Schedule(Timeline((START,)), (self.at(0, Fraction(0), number)[0][0],))

    def span(self, index: int, time: Fraction, shot: int = 1) -> Span:
        """The texts before and after a frame and the way between, as for `Timeline.span`."""
        span = self.timeline.span(index, time, shot)
        if span.weight == 0 or self.values[span.before] == self.values[span.after]:
            return Span(span.before, span.before, Fraction(0))
        return span

    def at(self, index: int, time: Fraction, shot: int = 1) -> tuple[tuple[str, Fraction], ...]:
        """The one or two texts of a frame, with weights that add up to 1.

        Args:
            index: the frame's, in the film.
            time: seconds from when the film's first frame is shown.
            shot: its number, from 1.

        Raises:
            UsageError: keys are not in this film's order (see `Timeline.span`).
        """
        before, after, weight = self.span(index, time, shot)
        if not weight:
            return ((self.values[before], Fraction(1)),)
        return ((self.values[before], 1 - weight), (self.values[after], weight))


def parse(spec: Prompt) -> Schedule:
    r"""A schedule from ``"a forest"``, ``"0: a forest; 4.5s: ashes"``, ``"shot 1: a; shot 2: b"`` or a table of those.

    A text with colons and semicolons stays a plain one unless every ;-part begins with a key and a colon (and a
    single part with ``0:``); a semicolon within a keyed text is written ``\;`` in a string, plainly in a table.

    Raises:
        UsageError: a key is no place in a film or not in order, a text is empty, or only some parts have keys.
    """
    keyed = text_pairs("prompt", spec) if isinstance(spec, str) else table_pairs(spec)
    pairs = [(str(START), spec)] if keyed is None else keyed
    if not pairs:
        raise UsageError(
            "prompt is an empty table", "Give texts by frame or time, such as { 0 = 'a forest' }."
        )
    timeline = read_timeline("prompt", [key for key, _ in pairs])
    for key, text in pairs:
        if not isinstance(text, str) or not text.strip():
            where = f" at {key}" if len(pairs) > 1 else ""
            raise UsageError(f"prompt{where} is {text!r}, which is no text", "Say what is to be seen.")
    values = tuple(str(text).strip() for _, text in pairs)
    if len(values) == 1:
        timeline = Timeline((START,))  # held all through, wherever its key is
    return Schedule(timeline, values)


class Embedded:
    """A schedule's texts, each embedded once, and what they are at every frame.

    Args:
        schedule: the texts.
        encode: embeds one; all are embedded here, so the text encoder can go afterwards.
    """

    def __init__(self, schedule: Schedule, encode: Encode) -> None:
        self._schedule = schedule
        self._embeds = {text: encode(text) for text in schedule.texts}

    def window(self, frames: Sequence[tuple[int, Fraction]], shot: int = 1) -> dict[str, Tensor]:
        """The embeddings of a window's frames, each ``(F, ...)``, in the type and on the device of `encode`'s.

        Args:
            frames: index in the film and seconds from its start, for every frame.
            shot: the number of their shot, from 1.
        """
        spans = [self._schedule.span(index, time, shot) for index, time in frames]
        rows = {span: self._row(span) for span in set(spans)}
        return {name: torch.cat([rows[span][name] for span in spans]) for name in rows[spans[0]]}

    def _row(self, span: Span) -> dict[str, Tensor]:
        before, after = (self._embeds[self._schedule.values[i]] for i in (span.before, span.after))
        if not span.weight:
            return before
        weight = float(span.weight)
        # lerp leaves what is the same in both, such as a negative prompt, as it is to the bit.
        return {n: torch.lerp(before[n].float(), after[n].float(), weight).to(before[n]) for n in before}


def text_encoder(
    pipe: Any, negative_prompt: str | None, guidance: bool, warn: Callable[[str], None]
) -> Encode:
    """What embeds a text with the text encoders of a Stable Diffusion or SDXL pipeline, on its device.

    It gives ``prompt_embeds (1, 77, C)``, with guidance ``negative_prompt_embeds`` too, and for SDXL
    ``pooled_prompt_embeds (1, C)`` and ``negative_pooled_prompt_embeds``: the names diffusers' pipelines take.

    Args:
        pipe: a diffusers pipeline of either family, with a motion adapter or without.
        negative_prompt: what is not to be seen; None as diffusers has it (SDXL then takes zeros).
        guidance: whether there is classifier-free guidance, and so need of the negative prompt's embeddings.
        warn: told what was cut off a text that is longer than its encoder reads.
    """
    pooled = getattr(pipe, "text_encoder_2", None) is not None
    if guidance and negative_prompt:
        _tell_cut(pipe, "negative prompt", negative_prompt, warn)

    def encode(text: str) -> dict[str, Tensor]:
        _tell_cut(pipe, "prompt", text, warn)
        device = pipe._execution_device
        with torch.no_grad(), _quiet():
            if pooled:
                made = pipe.encode_prompt(
                    prompt=text,
                    device=device,
                    do_classifier_free_guidance=guidance,
                    negative_prompt=negative_prompt,
                )
            else:
                made = pipe.encode_prompt(text, device, 1, guidance, negative_prompt)
        names = ("prompt_embeds", "negative_prompt_embeds")
        names_pooled = ("pooled_prompt_embeds", "negative_pooled_prompt_embeds")
        pairs = zip(names + names_pooled if pooled else names, made, strict=True)
        return {
            name: value for name, value in pairs if value is not None
        }  # without guidance, no negative ones

    return encode


def _tell_cut(pipe: Any, name: str, text: str, warn: Callable[[str], None]) -> None:
    """Warn of what CLIP does not read of a text: it cuts without an error."""
    cut = {}
    for tokenizer in (pipe.tokenizer, getattr(pipe, "tokenizer_2", None)):
        if tokenizer is None:
            continue
        most = tokenizer.model_max_length
        with _quiet():
            ids = tokenizer(pipe.maybe_convert_prompt(text, tokenizer)).input_ids
        if len(ids) > most:
            # The last of those read is the end mark.
            cut[tokenizer.decode(ids[most - 1 : -1]).strip()] = most
    for lost, most in cut.items():
        warn(f"the {name} is longer than the {most} tokens that are read; cut off: {lost!r}")


@contextmanager
def _quiet() -> Iterator[None]:
    """Let diffusers and transformers not print what `_tell_cut` tells."""
    loggers = [logging.getLogger(name) for name in ("diffusers", "transformers")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
