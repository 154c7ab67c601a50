"""A prompt read once, however often a pipeline is asked; and what a scheduler says each time, unsaid."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import torch


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
