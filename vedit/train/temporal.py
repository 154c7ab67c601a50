"""Train the nets that predict the next frames, on runs of films."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from vedit.device import pick_device
from vedit.errors import InputError
from vedit.flow.pairs import pair_flow
from vedit.flow.resize import resize, resize_flow
from vedit.latents.bundled import COLOURS, SCALE, BundledCodec
from vedit.temporal.extrapolate import extrapolate
from vedit.temporal.kinds import FORESIGHTS, Foresight
from vedit.temporal.predict import HORIZON, PAST, Ahead, Past, Predictor
from vedit.train.data import film_runs, photographs
from vedit.train.loop import train
from vedit.train.motion import random_path, render
from vedit.weight_files import read_weights

HEIGHT, WIDTH = 128, 192
"""Pixels of a run."""
LENGTH = PAST + HORIZON
PER_FILM = 14
"""Runs that are taken of every film."""
PER_PHOTO = 3
"""Runs of a camera that moves over a photograph."""
GRAIN = 0.015
SAME = 0.008
"""Mean change over a run below which hardly anything moves; there are enough of these by themselves."""
CUT = 0.2
"""Mean change from one frame to the next above which it is taken for a cut."""
FLOOR = 1 / 255
"""Error below which a prediction need not get better, root mean square."""
LATENTS = 0.3
"""Weight of the error of the latents beside that of the pixels."""
BATCH = 2


@dataclass(frozen=True, eq=False)
class Run:
    """12 frames of a film, and the motion of the first four.

    ``frames`` ``(12, 3, H, W)`` uint8; ``latents`` ``(12, 8, h, w)``; ``flows`` ``(3, 2, h, w)`` and ``seen``
    ``(3, 1, h, w)`` as of `Past`; ``back`` ``(8, 2, H, W)`` and ``landed`` ``(8, 1, H, W)`` as of
    `Extrapolation.back`. All but the frames are float16.
    """

    frames: Tensor
    latents: Tensor
    flows: Tensor
    seen: Tensor
    back: Tensor
    landed: Tensor


def runs_of(
    films: Iterator[Tensor], codec: BundledCodec, rng: np.random.Generator, per_film: int = PER_FILM
) -> Iterator[Run]:
    """Runs of every film ``(F, 3, h, w)`` uint8: any place, size and speed, mirrored half of the time."""
    for film in films:
        height, width = film.shape[-2:]
        largest = min(height / HEIGHT, width / WIDTH)
        if len(film) < LENGTH:
            continue
        made = 0
        for _ in range(3 * per_film):
            stride = int(rng.choice([1, 1, 2, 3]))
            stride = min(stride, (len(film) - 1) // (LENGTH - 1))
            start = int(rng.integers(len(film) - stride * (LENGTH - 1)))
            scale = float(rng.uniform(min(1, largest), largest))
            h, w = int(HEIGHT * scale), int(WIDTH * scale)
            top, left = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
            crop = (
                film[start : start + stride * LENGTH : stride, :, top : top + h, left : left + w].float()
                / 255
            )
            how = "area" if scale > 1 else "bilinear"
            frames = F.interpolate(crop, size=(HEIGHT, WIDTH), mode=how)
            if rng.random() < 0.5:
                frames = frames.flip(-1)
            change = frames.diff(dim=0).abs().mean((1, 2, 3))
            little = float((frames[-1] - frames[PAST - 1]).abs().mean()) < SAME
            if float(change.max()) > CUT or (little and rng.random() < 0.8):
                continue
            yield _run(frames, codec)
            made += 1
            if made == per_film:
                break


def panned_runs(photos: Iterator[Tensor], codec: BundledCodec, rng: np.random.Generator) -> Iterator[Run]:
    """Runs that a moving camera sees of photographs ``(3, h, w)`` uint8, with new grain in each frame.

    Footage of still cameras alone would teach that what moves soon stops.
    """
    for photo in photos:
        for _ in range(PER_PHOTO):
            picture = photo.float() / 255
            path = random_path(photo.shape[-2], photo.shape[-1], WIDTH, LENGTH, rng)
            frames = render(picture, path, WIDTH)[..., :HEIGHT, :]
            grain = torch.from_numpy(rng.standard_normal(frames.shape, dtype=np.float32))
            yield _run((frames + GRAIN * rng.random() * grain).clamp(0, 1), codec)


@torch.no_grad()
def _run(frames: Tensor, codec: BundledCodec) -> Run:
    grid = HEIGHT // SCALE, WIDTH // SCALE
    pairs = [pair_flow(frames[i], frames[i + 1]) for i in range(PAST - 1)]
    forward = extrapolate(frames[PAST - 2], frames[PAST - 1], pairs[-1])
    ways = [forward.back(float(k)) for k in range(1, HORIZON + 1)]
    return Run(
        (frames * 255).round().to(torch.uint8),
        codec.encode(frames).half(),
        torch.cat([resize_flow(p.flow_bw, *grid) for p in pairs]).half(),
        torch.cat([resize(1 - p.occlusion_bw, *grid) for p in pairs]).half(),
        torch.cat([way for way, _ in ways]).half(),
        torch.cat([landed for _, landed in ways]).half(),
    )


def prediction_loss(
    net: Predictor, runs: Sequence[Run], codec: BundledCodec, horizons: int, device: torch.device
) -> Tensor:
    """Error of pixels fetched along the corrected motion, and of the latents after the correction.

    Both are logarithms of mean squares, as PSNR is: a run that is easy to predict counts as much as a hard one.
    """

    def all_of(name: str) -> Tensor:  # (frames, N, c, h, w)
        return torch.stack([getattr(run, name) for run in runs], dim=1).to(device).float()

    latents, frames, back, landed = (all_of(name) for name in ("latents", "frames", "back", "landed"))
    frames = frames / 255
    grid = latents.shape[-2:]
    past = Past(list(latents[:PAST]), list(all_of("flows")), list(all_of("seen")))
    ahead = (
        Ahead(resize_flow(back[k], *grid), resize(landed[k], *grid), k + 1.0, 1.0) for k in range(horizons)
    )
    last = frames[PAST - 1]
    total = torch.zeros((), device=device)
    importance = torch.tensor([1.0] * COLOURS + [0.5] * (latents.shape[2] - COLOURS), device=device)
    for k, change in enumerate(net(past, ahead)):
        fetched = change.fetch(last, back[k])
        total = total + _logarithm(fetched - frames[PAST + k])
        if k == horizons - 1:  # coding costs as much as all the rest
            with torch.no_grad():
                wanted = latents[PAST + k] - codec.encode(fetched)
            error = (change.latents - wanted) * importance.view(1, -1, 1, 1)
            total = total + LATENTS * horizons * _logarithm(error)
    return total / horizons


def _logarithm(difference: Tensor) -> Tensor:
    return (difference.square().mean((1, 2, 3)) + FLOOR**2).log().mean()


def train_temporal(
    data: Path,
    out: Path,
    kind: Foresight,
    *,
    minutes: float,
    start: Path | None = None,
    seed: int = 0,
    device: str = "cpu",
    resume: bool = True,
    log: Callable[[str], None] = print,
) -> Predictor:
    """Train a predictor for a wall-clock time and save float16 weights to ``out`` every three minutes.

    Args:
        data: films, and photographs for a camera to move over.
        out: the weights, .safetensors; ``OUT.state`` beside it lets an interrupted training go on.
        kind: how it remembers: "rnn", "lstm" or "transformer".
        minutes: of training, without the half minute or so in which runs are taken of the films.
        start: weights to begin from; of another kind's all but the memory is taken.
        seed: of every random choice.
        device: see `pick_device`.
        resume: go on from ``OUT.state`` if it is there.
        log: is told of the progress.

    Raises:
        InputError: there is neither a film of 12 frames without a cut nor a photograph, or the state is of another net.
    """
    from vedit.diffusion.engine import load_engine

    on = pick_device(device)
    codec = load_engine("bundled", torch.device("cpu")).codec
    assert isinstance(codec, BundledCodec)  # noqa: S101 - the bundled engine's
    rng = np.random.default_rng(seed)
    runs = [
        *runs_of(film_runs(data, side=640, count=100), codec, rng),
        *panned_runs(photographs(data, side=768), codec, rng),
    ]
    log(f"{len(runs)} runs")
    return learn(
        runs, codec, out, kind, minutes=minutes, start=start, seed=seed, on=on, resume=resume, log=log
    )


def _begin_from(net: Predictor, start: Path, kind: Foresight) -> None:
    """Take what weights have for this kind; of those of another kind all but the memory.

    Raises:
        InputError: they are no predictor's.
    """
    try:
        held = read_weights(start)
        other = next((k for k in FORESIGHTS if f"{k}.out.weight" in held), kind)
        found = kind if f"{kind}.out.weight" in held else other
        own = {k.removeprefix(f"{found}."): v for k, v in held.items() if k.startswith(f"{found}.")}
        if found != kind:
            own = {k: v for k, v in own.items() if not k.startswith("memory.")}
        missing, unknown = net.load_state_dict(own, strict=False)
        if unknown or any(not name.startswith("memory.") for name in missing):
            raise ValueError("its parts are others")
    except Exception as error:
        raise InputError(
            f"{start} cannot be begun from ({str(error).splitlines()[0]})",
            "Give weights that this version's `vedit train temporal` wrote.",
        ) from error


def learn(
    runs: Sequence[Run],
    codec: BundledCodec,
    out: Path,
    kind: Foresight,
    *,
    minutes: float,
    start: Path | None,
    seed: int,
    on: torch.device,
    resume: bool,
    log: Callable[[str], None],
) -> Predictor:
    """The training of `train_temporal`, on runs that are there already.

    Raises:
        InputError: there are no runs, or the state is of another net.
    """
    if not runs:
        raise InputError(
            f"there is no film in which {LENGTH} frames follow each other without a cut, and no photograph",
            "Give longer films.",
        )
    torch.manual_seed(seed)
    net = Predictor(kind)
    if start is not None:
        _begin_from(net, start, kind)
    codec = codec.to(on)

    def loss(net: Predictor, step: int, done: float) -> Tensor:
        rng = np.random.default_rng((seed, step))
        picked = [runs[int(i)] for i in rng.integers(len(runs), size=BATCH)]
        # Short looks ahead first, and often: a step costs by the frame.
        return prediction_loss(net, picked, codec, int(rng.choice([1, 2, 3, 4, 4, 6, HORIZON])), on)

    def save(average: Predictor) -> None:
        save_file({f"{kind}.{k}": v.half().contiguous().cpu() for k, v in average.state_dict().items()}, out)

    return train(
        net.to(on),
        loss,
        out,
        minutes=minutes,
        rate=1e-3,
        save=save,
        resume=resume,
        log=log,
    )
