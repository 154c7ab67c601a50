"""Train the net that tells dirt from what else one picture shows: on films and drawn scenes with dirt painted in."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from vedit.edits.repair.candidates import Candidate, centres
from vedit.edits.repair.dirt import MEMORY, seen_through
from vedit.edits.repair.speck_net import SpeckNet, measured, squares
from vedit.edits.repair.views import Mask, Plate, motion
from vedit.errors import InputError
from vedit.frame import Frame
from vedit.train.data import film_runs, photographs
from vedit.train.dirt import Pictures, dirtied, drawn, worn
from vedit.train.loop import train

LENGTH = 14
"""Pictures of a run."""
RUNS = 16
"""Runs that are taken out of a film, at most."""
STRIDES = (1, 1, 2, 3)
"""Pictures of the film from one to the next."""
SHORTEST = 8
DRAWN = 2
"""Runs that are drawn over each photograph."""
EACH = 0.5, 1.5, 5.0
"""Specks in a picture, in the mean of a run."""
ENDS = 5
"""Of so many pictures one is also looked at as a shot's first."""
HIT = 0.4
"""The part of a candidate that must be painted for it to be dirt; with less it is neither."""
AROUND = 3
"""Pixels around a candidate that are free of paint where it is no dirt."""
LOOKED = 0.15
"""The part of the time after which candidates that are clearly no dirt are left out."""
CLEARLY = -7.0
"""The logarithm of the odds that they have."""
BATCH = 256

Looked = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Squares, measures, and 1 for those of dirt."""


@dataclass(frozen=True, eq=False)
class Examples:
    """What the net sees of candidates ``(N, 4, SIDE, SIDE)`` and ``(N, 13)``, and whether they are dirt ``(N,)``."""

    squares: Tensor
    measures: Tensor
    dirt: Tensor

    def those(self, chosen: Tensor) -> "Examples":
        return Examples(self.squares[chosen], self.measures[chosen], self.dirt[chosen])


def train_specks(
    data: Path,
    out: Path,
    *,
    minutes: float,
    rate: float = 2e-3,
    seed: int = 0,
    resume: bool = True,
    log: Callable[[str], None] = print,
) -> SpeckNet:
    """Train the net on a folder of footage and save its weights to ``out``, as `vedit.train.loop.train` does.

    The films must be clean: what is in them counts as no dirt. Looking at them comes before, and takes about as long
    as `vedit repair` of 200 pictures of each.

    Raises:
        InputError: there is no film that can be looked at, or the state is of another net.
    """
    rng = np.random.default_rng(seed)
    examples = examples_of(runs(data, rng), rng, log)
    return train_on(examples, out, minutes=minutes, rate=rate, seed=seed, resume=resume, log=log)


def train_on(
    examples: Examples,
    out: Path,
    *,
    minutes: float,
    rate: float,
    seed: int,
    resume: bool,
    log: Callable[[str], None],
) -> SpeckNet:
    """`train_specks` on candidates that were already looked at."""
    torch.manual_seed(seed)
    net = SpeckNet()
    net.mean.copy_(examples.measures.mean(0))
    net.deviation.copy_(examples.measures.std(0) + 1e-3)

    thinned = False

    def loss(net: SpeckNet, step: int, done: float) -> Tensor:
        nonlocal examples, thinned
        if done > LOOKED and not thinned:
            thinned, clear = True, examples
            examples = clear.those((clear.dirt > 0) | (odds(net, clear) > CLEARLY))
            log(f"{len(examples.dirt)} of {len(clear.dirt)} candidates are not clearly clean")
        dice = np.random.default_rng((seed, step))
        some = examples.those(torch.from_numpy(dice.integers(len(examples.dirt), size=BATCH)))
        answer = net(turned(some.squares, dice), some.measures)
        return F.binary_cross_entropy_with_logits(answer, some.dirt)

    def save(average: SpeckNet) -> None:
        save_file({k: v.half().contiguous() for k, v in average.state_dict().items()}, out)

    return train(net, loss, out, minutes=minutes, rate=rate, save=save, resume=resume, log=log)


def odds(net: SpeckNet, examples: Examples) -> Tensor:
    """The net's logarithms of the odds, ``(N,)``."""
    with torch.no_grad():
        parts = zip(torch.split(examples.squares, 512), torch.split(examples.measures, 512), strict=True)
        return torch.cat([net(*part) for part in parts])


def turned(seen: Tensor, rng: np.random.Generator) -> Tensor:
    """Squares mirrored, turned, or with before and after exchanged; all the same way."""
    for axis in (-1, -2):
        if rng.random() < 0.5:
            seen = seen.flip(axis)
    if rng.random() < 0.5:
        seen = seen.transpose(-1, -2)
    return seen[:, [0, 2, 1, 3]] if rng.random() < 0.5 else seen


def runs(data: Path, rng: np.random.Generator) -> Iterator[Pictures]:
    """Runs ``(F, H, W, 3)`` out of every film below a folder, and drawn ones over its photographs."""
    for film in film_runs(data, side=640, count=400):
        pictures = film.permute(0, 2, 3, 1).numpy()
        found = [
            pictures[first : first + LENGTH * stride : stride]
            for stride in STRIDES
            for first in range(0, len(pictures) - SHORTEST * stride + 1, LENGTH * stride)
        ]
        for at in rng.permutation(len(found))[:RUNS]:
            yield found[at]
    photos = [photo.permute(1, 2, 0).numpy() for photo in photographs(data, side=900)]
    for _ in range(DRAWN * len(photos)):
        yield drawn(photos, LENGTH, rng)


def examples_of(
    some: Iterator[Pictures], rng: np.random.Generator, log: Callable[[str], None] = print
) -> Examples:
    """The candidates of runs with dirt painted in.

    Raises:
        InputError: there is none.
    """
    seen: list[np.ndarray] = []
    measures: list[np.ndarray] = []
    dirt: list[np.ndarray] = []
    for number, run in enumerate(some, 1):
        pictures, marks = dirtied(run, float(rng.choice(EACH)), rng)
        for one in _looked_at(worn(pictures, rng), marks):
            for kept, new in zip((seen, measures, dirt), one, strict=True):
                kept.append(new)
        if number % 20 == 0:
            log(f"{number} runs, {sum(map(len, dirt))} candidates, {int(sum(map(np.sum, dirt)))} of dirt")
    if not sum(map(np.sum, dirt)):
        raise InputError("nothing was found in the footage that dirt could be learned from", "Give films.")
    together = (torch.from_numpy(np.concatenate(parts)) for parts in (seen, measures, dirt))
    return Examples(*together)


def _looked_at(run: Pictures, marks: Mask) -> Iterator[Looked]:
    """The candidates of a run's pictures, as `without_dirt` comes to see them."""
    plates = [Plate(Frame(k, 1, torch.from_numpy(p).permute(2, 0, 1) / 255)) for k, p in enumerate(run)]
    flows = [motion(a, b) for a, b in pairwise(plates)]
    nothing = np.zeros(marks.shape[1:], bool)
    earlier: deque[np.ndarray] = deque(maxlen=MEMORY)
    for k in range(1, len(run) - 1):
        looks = [(plates[k - 1], k, plates[k + 1], (flows[k - 1], flows[k]), False)]
        if k % ENDS == 1:
            far = motion(plates[k + 1], plates[k - 1])
            looks.append((plates[k + 1], k - 1, plates[k], (far, flows[k - 1]), True))
        for before, at, after, both, at_end in looks:
            seen = seen_through(before, plates[at], after, both, nothing)
            dirt = np.array([_dirt(place, marks[at]) for place in seen.places], np.float32)
            known = [place for place, one in zip(seen.places, dirt, strict=True) if one >= 0]
            if known:
                these = replace(seen, places=known)
                yield squares(these), measured(these, list(earlier), at_end=at_end), dirt[dirt >= 0]
            if not at_end:
                earlier.append(centres(seen.places))


def _dirt(place: Candidate, mark: Mask) -> float:
    """1 for dirt, 0 for none, -1 for what is neither."""
    if mark[place.box][place.inside].mean() > HIT:
        return 1
    rows, columns = (slice(max(0, part.start - AROUND), part.stop + AROUND) for part in place.box)
    return -1 if mark[rows, columns].any() else 0
