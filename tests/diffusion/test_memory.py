"""What happens when memory runs out, with real models and a real limit."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from vedit.diffusion.memory import Plan, fitted, lighter, out_of_memory
from vedit.errors import EngineError

CPU = torch.device("cpu")

LIMITED = """
import resource
from pathlib import Path
import torch
from vedit.diffusion.memory import Plan, fitted
from vedit.errors import EngineError
from vedit.latents.vae import VaeCodec
from vedit.torchvision_ops import tolerate_torchvision
tolerate_torchvision()
from diffusers import AutoencoderKL, UNet2DConditionModel

torch.set_num_threads(1)
torch.manual_seed(0)
unet = UNet2DConditionModel(
    block_out_channels=(8, 8), down_block_types=("DownBlock2D", "DownBlock2D"), cross_attention_dim=8,
    up_block_types=("UpBlock2D", "UpBlock2D"), mid_block_type=None, layers_per_block=1, norm_num_groups=4,
).eval()
vae = AutoencoderKL(
    block_out_channels=(4, 4), down_block_types=("DownEncoderBlock2D",) * 2, norm_num_groups=4,
    up_block_types=("UpDecoderBlock2D",) * 2, latent_channels=4,
).eval()
text = torch.zeros(1, 4, 8)

@torch.no_grad()
def trial(plan):
    codec = VaeCodec(vae=vae, chunk=plan.chunk, tile=plan.tile)
    latents = codec.encode(torch.full((plan.window, 3, 96, 96), 0.5))
    out = unet(latents, 500, text.expand(plan.window, -1, -1)).sample
    return codec.decode(out, 96, 96)

trial(Plan(window=1, overlap=0))  # what the libraries set up once is not the window's
for megabytes in (4000, 40, 2):
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + megabytes * 2**20, -1))
    try:
        plan = fitted(Plan(window=64, overlap=4, chunk=64), trial, torch.device("cpu"), print)
    except EngineError as error:
        print(error)
    else:
        print("FOUND", plan)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to an address space")
def test_a_lighter_plan_is_found_and_told() -> None:
    """Plenty of memory, some and next to none, for real models: the process's address space is limited."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED],
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"},  # what is freed is gone at once
        capture_output=True,
        text=True,
        check=False,
    )
    steps = [line for line in done.stdout.splitlines() if "; going on with " in line]
    assert done.returncode == 0, done.stderr
    plenty, some, none = [line for line in done.stdout.splitlines() if line not in steps]
    assert none.startswith(
        "memory ran out even with windows of 8 frames, 1 at a time through the VAE, in tiles of 512 pixels. Make"
    )
    assert plenty == "FOUND windows of 64 frames, 64 at a time through the VAE"
    frames = int(some.split()[3])
    assert some == f"FOUND windows of {frames} frames, 1 at a time through the VAE, in tiles of 512 pixels"
    assert 8 <= frames < 64
    assert len(steps) == 4 + {32: 2, 16: 3, 8: 4}[frames]
    assert " with windows of 64 frames, 1 at a time" in steps[0]  # first what costs least


def test_plans_get_lighter_in_order() -> None:
    start = Plan(window=24, overlap=8, chunk=4)
    small = replace(start, chunk=1, tile=512)
    smaller = [replace(small, window=12), replace(small, window=9)]
    assert list(lighter(start, CPU)) == [small, *smaller]
    cuda = list(lighter(start, torch.device("cuda")))
    assert cuda[3:] == [replace(smaller[-1], offload=o) for o in ("model", "group")]
    assert not list(lighter(smaller[-1], CPU))
    assert list(lighter(cuda[3], torch.device("cuda"))) == [cuda[4]]


def test_what_the_first_trial_leaves_is_gone_before_the_next() -> None:
    """The tensors of a trial that failed are freed though its error was caught."""
    alive: list[bool] = []

    class Large:
        def __del__(self) -> None:
            alive.remove(True)

    def trial(plan: Plan) -> None:
        assert not alive
        large = Large()  # noqa: F841 - held by the error's traceback
        alive.append(True)
        torch.empty(2**62 if plan.window > 8 else 1, dtype=torch.uint8)

    told: list[str] = []
    assert fitted(Plan(window=16, chunk=1, tile=64), trial, CPU, told.append).window == 8
    assert told == [
        "memory ran out with windows of 16 frames, 1 at a time through the VAE, in tiles of 64 pixels; "
        "going on with windows of 8 frames, 1 at a time through the VAE, in tiles of 64 pixels"
    ]


def test_other_errors_are_not_taken_for_it() -> None:
    def wrong(_: Plan) -> None:
        torch.zeros(2) @ torch.zeros(3)

    with pytest.raises(RuntimeError, match="inconsistent tensor size"):
        fitted(Plan(), wrong, CPU, print)
    assert not out_of_memory(ValueError("out of memory"))


def test_every_device_s_words_are_known() -> None:
    assert out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"))
    assert out_of_memory(MemoryError())
    assert out_of_memory(RuntimeError("MPS backend out of memory (MPS allocated: 8 GB"))
    assert out_of_memory(
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")
    )
    assert out_of_memory(RuntimeError("could not create a primitive"))
    assert not out_of_memory(RuntimeError("could not create a primitive descriptor for the convolution"))
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**62, dtype=torch.uint8)
    assert out_of_memory(caught.value)
    with pytest.raises(EngineError, match="size="):
        fitted(Plan(), lambda _: torch.empty(2**62, dtype=torch.uint8), CPU, lambda _: None)
