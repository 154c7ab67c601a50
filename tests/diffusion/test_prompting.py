"""Embeddings of prompts over a film: each text embedded once, the way between, the encoders of tiny pipelines."""

import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import checkpoints
import pytest
import torch
from torch import Tensor

from vedit.diffusion.prompting import Embedded, parse, text_encoder
from vedit.torchvision_ops import tolerate_torchvision

RATE = Fraction(25)


def frames(*indices: int) -> list[tuple[int, Fraction]]:
    return [(index, index / RATE) for index in indices]


class Encoder:
    """Embeds a text as its length, and counts the texts."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, text: str) -> dict[str, Tensor]:
        self.texts.append(text)
        length = float(len(text))
        return {
            "prompt_embeds": torch.full((1, 77, 4), length, dtype=torch.float16),
            "negative_prompt_embeds": torch.full((1, 77, 4), 0.1, dtype=torch.float16),
            "pooled_prompt_embeds": torch.full((1, 3), length),
        }


def test_each_text_is_embedded_once_and_the_way_between_is_straight() -> None:
    encoder = Encoder()
    embedded = Embedded(parse("0: a; 4: aaaaa; 8: a; 12: aaa"), encoder)
    assert encoder.texts == ["a", "aaaaa", "aaa"]
    window = embedded.window(frames(0, 1, 3, 4, 6, 11, 99))
    assert window["prompt_embeds"].shape == (7, 77, 4)
    assert window["prompt_embeds"].dtype == torch.float16
    assert window["prompt_embeds"][:, 76, 3].tolist() == [1, 2, 4, 5, 3, 2.5, 3]
    assert window["pooled_prompt_embeds"][:, 0].tolist() == [1, 2, 4, 5, 3, 2.5, 3]
    assert (window["negative_prompt_embeds"] == torch.tensor(0.1, dtype=torch.float16)).all()
    assert encoder.texts == ["a", "aaaaa", "aaa"]


def test_a_shot_has_one_embedding() -> None:
    embedded = Embedded(parse("shot 1: a; shot 2: aa"), Encoder())
    for shot, length in ((1, 1), (2, 2), (3, 2)):
        window = embedded.window(frames(5, 6), shot)
        assert (window["prompt_embeds"] == length).all()


@pytest.fixture(scope="module")
def pipes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Pipelines of each family, without a motion adapter and with."""
    tolerate_torchvision()
    import diffusers

    def load(kind: Any, path: Path) -> Any:
        return kind.from_pretrained(path, local_files_only=True)

    folder = tmp_path_factory.mktemp("checkpoints")
    sd = load(diffusers.StableDiffusionImg2ImgPipeline, checkpoints.sd15(folder / "sd"))
    sdxl = load(diffusers.StableDiffusionXLImg2ImgPipeline, checkpoints.sdxl(folder / "sdxl"))
    motion = load(diffusers.MotionAdapter, checkpoints.motion_adapter(folder / "motion"))
    motion_sdxl = load(diffusers.MotionAdapter, checkpoints.motion_adapter_sdxl(folder / "motion_sdxl"))
    return {
        "sd": sd,
        "sdxl": sdxl,
        "sd, motion": diffusers.AnimateDiffVideoToVideoPipeline.from_pipe(sd, motion_adapter=motion),
        "sdxl, motion": diffusers.AnimateDiffSDXLPipeline.from_pipe(sdxl, motion_adapter=motion_sdxl),
    }


@pytest.mark.parametrize("kind", ["sd", "sdxl", "sd, motion", "sdxl, motion"])
def test_embeddings_have_the_names_and_shapes_of_diffusers(kind: str, pipes: dict[str, Any]) -> None:
    warned: list[str] = []
    encode = text_encoder(pipes[kind], "blurry", True, warned.append)
    made = encode("a forest")
    shapes = {name: tuple(value.shape) for name, value in made.items()}
    width = 64 if "xl" in kind else 32
    expected: dict[str, tuple[int, ...]] = {
        "prompt_embeds": (1, 77, width),
        "negative_prompt_embeds": (1, 77, width),
    }
    if "xl" in kind:
        expected |= {"pooled_prompt_embeds": (1, 32), "negative_pooled_prompt_embeds": (1, 32)}
    assert shapes == expected
    assert not any(value.requires_grad for value in made.values())
    assert not torch.equal(made["prompt_embeds"], made["negative_prompt_embeds"])
    # A prompt's embedding is that of the same text as a negative prompt.
    other = text_encoder(pipes[kind], "a forest", True, warned.append)("blurry")
    assert torch.equal(other["negative_prompt_embeds"], made["prompt_embeds"])
    assert torch.equal(other["prompt_embeds"], made["negative_prompt_embeds"])
    unguided = text_encoder(pipes[kind], "blurry", False, warned.append)("a forest")
    assert set(unguided) == {name for name in expected if "negative" not in name}
    assert torch.equal(unguided["prompt_embeds"], made["prompt_embeds"])
    assert not warned


@pytest.mark.parametrize("kind", ["sd", "sdxl"])
def test_no_negative_prompt_is_as_diffusers_has_it(kind: str, pipes: dict[str, Any]) -> None:
    """SDXL takes zeros for none, which an empty text is not."""
    none, empty = (text_encoder(pipes[kind], text, True, print)("a forest") for text in (None, ""))
    same = torch.equal(none["negative_prompt_embeds"], empty["negative_prompt_embeds"])
    assert same == (kind == "sd")
    if kind == "sdxl":
        assert not none["negative_prompt_embeds"].any()


class Heard(logging.Handler):
    """What libraries log."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@pytest.fixture
def heard() -> Iterator[list[str]]:
    handler = Heard()
    loggers = [logging.getLogger(name) for name in ("diffusers", "transformers")]
    for logger in loggers:
        logger.addHandler(handler)
    yield handler.messages
    for logger in loggers:
        logger.removeHandler(handler)


@pytest.mark.parametrize("kind", ["sd", "sdxl, motion"])
def test_what_is_cut_off_is_told_once(kind: str, pipes: dict[str, Any], heard: list[str]) -> None:
    """The tests' tokenizer has a token for each letter; 75 fit beside the two marks."""
    warned: list[str] = []
    encode = text_encoder(pipes[kind], "b" * 80, True, warned.append)
    assert warned == ["the negative prompt is longer than the 77 tokens that are read; cut off: 'bbbbb'"]
    warned.clear()
    fits, longer = encode("a" * 75), encode("a" * 75 + "tail")
    assert warned == ["the prompt is longer than the 77 tokens that are read; cut off: 'tail'"]
    assert fits["prompt_embeds"].shape == longer["prompt_embeds"].shape
    assert not heard, "the libraries tell it too"


def test_a_schedule_of_real_embeddings(pipes: dict[str, Any]) -> None:
    encode = text_encoder(pipes["sdxl, motion"], "blurry", True, print)
    window = Embedded(parse("0: a forest; 10: ashes"), encode).window(frames(0, 5, 10))
    first, last = encode("a forest"), encode("ashes")
    for name, value in window.items():
        assert torch.equal(value[:1], first[name])
        assert torch.equal(value[2:], last[name])
        assert torch.allclose(value[1:2], (first[name] + last[name]) / 2, atol=1e-6)
    assert torch.equal(window["negative_prompt_embeds"][1], window["negative_prompt_embeds"][0])
