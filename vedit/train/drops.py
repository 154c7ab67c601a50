"""Train the net that tells a loss of pictures from what else goes far at once: on films, and on losses made in them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from vedit.analysis.motion import MotionMeter
from vedit.analysis.picture import Reducer
from vedit.errors import InputError
from vedit.frame import Notes
from vedit.steps.drops import REACH, Drops, Inputs, odds
from vedit.steps.evidence import Step, Watch, difference, flow_between, largest
from vedit.steps.picture import PLAIN, Picture, contrast
from vedit.train.data import FILMS
from vedit.video.probe import probe
from vedit.video.read import read

PER_FILM = 80
"""Losses that are made in a film, and half as many in the same at half its rate."""
LENGTHS = 1, 5
"""Pictures that are lost, at least and at most."""
MARGIN = 10
"""Pictures of the same shot before a loss and after it."""
NEXT = 5
"""Steps before and after by which it is known how much moves there."""
VISIBLE = 4.0
"""Levels that the tenth of the blocks that change most must change by there: elsewhere nobody could see it."""
JUMPS = 1.3
"""Times that, by which the pictures on either side of the loss must differ."""
SHORTEST = 40
"""Pictures of a film that something is made of."""
HELD = 40 + REACH // 2
"""Pictures on either side that a step is looked at with."""
HIDDEN = 5
"""Units of the net. Of 0 to 16 these found the most at few alarms, film by film left out."""
DECAY = 1e-3
"""Weight of the squares of its weights beside the mean error."""
ROUNDS = 300
"""Of L-BFGS, at most."""
FOLDS = 6
"""Parts that the films are divided into to measure: each is judged by a net made of the others."""


@dataclass(frozen=True, eq=False)
class Examples:
    """What the net weighs ``(n, 12)``, whether pictures were lost ``(n,)``, and which film it is of ``(n,)``.

    ``lost`` and ``steps`` count all losses and all clean steps, those too that are never weighed.
    """

    inputs: Inputs
    truth: Inputs
    films: Inputs
    lost: int
    steps: int


def train_drops(
    data: Path, out: Path, *, seed: int = 0, log: Callable[[str], None] = print
) -> dict[str, Tensor]:
    """Train the net on a folder of films and save its weights to ``out``; says how well films left out were judged.

    What is in the films counts as whole: those that jump by themselves must not be among them.

    Raises:
        InputError: there is no film in which pictures could be lost.
    """
    examples = examples_of(data, np.random.default_rng(seed), log)
    for likely, found, alarms in left_out(examples, seed):
        log(
            f"told from {likely:g} on: {found:.0%} of {examples.lost} lost, {alarms} of {examples.steps} steps"
        )
    weights = fit(examples.inputs, examples.truth, seed)
    save_file(weights, out)
    return weights


def examples_of(data: Path, rng: np.random.Generator, log: Callable[[str], None]) -> Examples:
    """Every film as it is and at half its rate, clean steps and losses."""
    inputs: list[Inputs] = []
    truth: list[float] = []
    films: list[int] = []
    lost = steps = 0
    for number, path in enumerate(sorted(p for p in data.rglob("*") if p.suffix.lower() in FILMS)):
        pictures, cuts = _pictures(path)
        for stride in (1, 2):
            some = pictures[::stride]
            if len(some) < SHORTEST:
                continue
            marks = [any(cuts[max(0, k - stride + 1) : k + 1]) for k in range(0, len(pictures), stride)]
            watched = _watched(some, marks)
            clean, drops = Drops(), _losses(watched, PER_FILM // stride, rng)
            found = [(clean.inputs(*_around(watched, k)), 0.0) for k in range(1, len(watched))]
            steps += len(found)
            lost += len(drops)
            found += [(Drops().inputs(*_without(watched, *drop)), 1.0) for drop in drops]
            for one, lacks in found:
                if one is not None:
                    inputs.append(one)
                    truth.append(lacks)
                    films.append(number)
        log(f"{path.name}: {len(pictures)} pictures")
    if not lost or min(truth) == 1:
        raise InputError(
            f"no film below {data} moves enough for a loss of pictures to be seen",
            f"Give films of {SHORTEST} or more pictures in which things move.",
        )
    return Examples(np.stack(inputs), np.array(truth), np.array(films, float), lost, steps)


def _pictures(path: Path) -> tuple[list[Picture], list[bool]]:
    """A film's pictures as they are searched, and whether each begins a shot."""
    source = probe(path).as_edited("tonemap")
    reducer, meter = Reducer(source), MotionMeter()
    pictures, cuts = [], []
    with closing(read(source, Notes())) as frames:
        for frame in frames:
            meter.measure(reducer(frame), 0.0, cut=True)
            pictures.append(meter.picture)
            cuts.append(bool(frame.cut))
    return pictures, cuts


def _watched(pictures: Sequence[Picture], cuts: Sequence[bool]) -> list[Step]:
    watch, steps = Watch(), []
    for index, (picture, cut) in enumerate(zip(pictures, cuts, strict=True)):
        seen = index > 0 and not cut and contrast(picture) >= PLAIN
        flow = flow_between(pictures[index - 1], picture) if seen else None
        steps.append(watch.step(index, picture, flow, cut=cut))
    return steps


def _around(steps: Sequence[Step], at: int) -> tuple[Sequence[Step], int]:
    """A window around a step, and its place there."""
    first = max(0, at - HELD)
    return steps[first : at + HELD + 1], at - first


def _losses(steps: Sequence[Step], most: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Places and lengths of losses that could be seen, at random."""
    moved = np.array([step.moved for step in steps])
    found: list[tuple[int, int]] = []
    for at in rng.permutation(np.arange(MARGIN, max(MARGIN, len(steps) - MARGIN))).tolist():
        length = int(rng.integers(LENGTHS[0], LENGTHS[1] + 1))
        stop = at + length
        if stop + MARGIN > len(steps) or any(step.cut for step in steps[at - MARGIN + 1 : stop + MARGIN]):
            continue
        before, after = (float(np.median(moved[s])) for s in (slice(at - NEXT, at), slice(stop, stop + NEXT)))
        usual = float(np.median(moved[at - NEXT : stop + NEXT]))
        if min(before, after, usual) < VISIBLE:
            continue
        if largest(difference(steps[stop].picture, steps[at - 1].picture), 0.1) >= JUMPS * usual:
            found.append((at, length))
        if len(found) == most:
            break
    return found


def _without(steps: Sequence[Step], at: int, length: int) -> tuple[Sequence[Step], int]:
    """A window from which pictures were taken out, and the place of the step over them."""
    stop = at + length
    watch = Watch()
    for step in steps[at - 2 : at]:
        watch.step(step.index, step.picture, None, cut=False)
    over = watch.step(
        at, steps[stop].picture, flow_between(steps[at - 1].picture, steps[stop].picture), cut=False
    )
    after = replace(steps[stop + 1], change2=difference(steps[stop + 1].picture, steps[at - 1].picture))
    window = [*steps[max(0, at - HELD) : at], over, after, *steps[stop + 2 : stop + HELD]]
    return [replace(step, index=place) for place, step in enumerate(window)], min(at, HELD)


def fit(inputs: Inputs, truth: Inputs, seed: int) -> dict[str, Tensor]:
    """The net that tells them apart best, as `vedit.steps.drops.odds` takes it."""
    generator = torch.Generator().manual_seed(seed)
    mean, deviation = inputs.mean(axis=0), inputs.std(axis=0) + 1e-3
    scaled = torch.from_numpy(((inputs - mean) / deviation).clip(-4, 4)).float()
    wanted = torch.from_numpy(truth).float()
    size = inputs.shape[1]
    net = {
        "hidden.weight": torch.randn(HIDDEN, size, generator=generator) * size**-0.5,
        "hidden.bias": torch.zeros(HIDDEN),
        "out.weight": torch.randn(HIDDEN, generator=generator) * HIDDEN**-0.5,
        "out.bias": torch.zeros(1),
    }
    optimizer = torch.optim.LBFGS(
        [tensor.requires_grad_() for tensor in net.values()],
        max_iter=ROUNDS,
        history_size=20,
        line_search_fn="strong_wolfe",
    )

    def error() -> Tensor:
        optimizer.zero_grad()
        out = torch.tanh(scaled @ net["hidden.weight"].T + net["hidden.bias"]) @ net["out.weight"]
        loss = F.binary_cross_entropy_with_logits(out + net["out.bias"], wanted)
        sizes = [tensor.square().sum() for name, tensor in net.items() if name != "out.bias"]
        loss = loss + DECAY * torch.stack(sizes).sum()
        loss.backward()  # type: ignore[no-untyped-call] # torch ships no types for it
        return loss

    optimizer.step(error)  # type: ignore[no-untyped-call] # the same
    return {
        "mean": torch.from_numpy(mean).float(),
        "deviation": torch.from_numpy(deviation).float(),
        **{name: tensor.detach() for name, tensor in net.items()},
    }


def left_out(examples: Examples, seed: int) -> Iterator[tuple[float, float, int]]:
    """Thresholds, the part of the losses found, and the alarms, by nets that saw nothing of the film."""
    names = np.unique(examples.films)
    judged = np.zeros(len(examples.truth))
    for part in range(min(FOLDS, len(names))):
        held = np.isin(examples.films, names[part::FOLDS])
        if held.all() or examples.truth[~held].min() == 1 or examples.truth[~held].max() == 0:
            continue
        net = {
            k: t.double().numpy() for k, t in fit(examples.inputs[~held], examples.truth[~held], seed).items()
        }
        judged[held] = odds(examples.inputs[held], net)
    for likely in (1.0, 2.0, 3.0, 4.0, 5.0):
        told = judged > likely
        yield (
            likely,
            float((told & (examples.truth == 1)).sum()) / examples.lost,
            int((told & (examples.truth == 0)).sum()),
        )
