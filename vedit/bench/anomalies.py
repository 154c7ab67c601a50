"""The search for anomalies measured: faults planted into clips, and false alarms on the clips as they are."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import get_args

import cv2
import numpy as np

from vedit.analysis.analyse import analyse
from vedit.analysis.anomalies.moment import Anomaly, Kind
from vedit.bench.faults import FAULTS, MOVING, Dice, Fault, Picture, Pictures, plant
from vedit.bench.jumps import AROUND, FURTHER, LEAST, visible
from vedit.bench.planted import check_lengths, other_pictures, read_pictures, write_film
from vedit.bench.sound_faults import FAULTS as SOUND_FAULTS
from vedit.bench.sound_faults import sound_of, spoiled_sound
from vedit.errors import UsageError
from vedit.video.probe import probe

MARGIN = 10
"""Pictures of the same shot before and after a fault, at least."""
APART = 30
"""Pictures between two faults, at least."""
NEAR = 3
"""Pictures by which a fault may be missed in time."""
VISIBLE = 4.0
"""Levels by which the tenth of the pixels that change most must change from picture to picture where things move."""

JUMPS = 1.5
"""Times that, by which pictures on either side of a drop must differ."""


@dataclass(frozen=True)
class Trial:
    """What is done: each clip, of at most ``frames`` pictures and ``width`` pixels wide, is planted ``passes`` times.

    Raises:
        UsageError: there is nothing to be done.
    """

    frames: int = 750
    width: int = 480
    passes: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.frames, self.passes) < 1 or self.width < 64:
            raise UsageError(
                f"{self.frames} frames, {self.passes} passes and a width of {self.width} leave nothing to be tried",
                "Give at least 1 frame, 1 pass and a width of 64.",
            )


@dataclass(frozen=True)
class Planted:
    """A film with faults, and what was found in it."""

    clip: str
    faults: tuple[Fault, ...]
    found: tuple[Anomaly, ...]


@dataclass(frozen=True)
class Clean:
    """A clip as it is, ``seconds`` long, with ``sound`` or not, and what was found in it."""

    clip: str
    frames: int
    seconds: float
    sound: bool
    found: tuple[Anomaly, ...]


@dataclass
class Tally:
    """One kind of fault over all clips.

    ``right`` of the ``planted`` were found as what they are, ``seen`` of those that are ``visible``, ``any`` as
    anything; of ``told`` in the planted films ``true`` were there; ``alarms`` were raised in ``minutes`` of the clips
    as they are.
    """

    kind: Kind
    planted: int = 0
    right: int = 0
    visible: int = 0
    seen: int = 0
    any: int = 0
    told: int = 0
    true: int = 0
    alarms: int = 0
    minutes: float = 0.0

    @property
    def recall(self) -> float | None:
        return self.right / self.planted if self.planted else None

    @property
    def recall_of_visible(self) -> float | None:
        return self.seen / self.visible if self.visible else None

    @property
    def precision(self) -> float | None:
        return self.true / self.told if self.told else None

    @property
    def per_minute(self) -> float | None:
        return self.alarms / self.minutes if self.minutes else None

    def facts(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            **vars(self),
            "recall": self.recall,
            "recall_of_visible": self.recall_of_visible,
            "precision": self.precision,
            "per_minute": self.per_minute,
        }


def protocol(trial: Trial) -> dict[str, str]:
    """The bench in words."""
    each = {
        f"{kind}": f"{low}{'' if low == high else f' to {high}'} pictures: {words}"
        for kind, (low, high, words) in FAULTS.items()
    }
    return {
        "clips": f"at most {trial.frames} pictures of each; if wider than {trial.width} pixels brought to that by area",
        "faults": f"{trial.passes} films are made of each clip, with faults at random places of their shots "
        f"(seed {trial.seed}): {MARGIN} or more pictures from a cut, {APART} or more from each other, the kinds that "
        "came least so far first. Films are lossless (FFV1) and searched as `vedit analyse --anomalies` does",
        **each,
        **{kind: f"in the sound, where there is one: {words}" for kind, words in SOUND_FAULTS.items()},
        "where": f"{', '.join(MOVING)}: where the tenth of the pixels that change most change by {VISIBLE:g} levels "
        "or more from picture to picture (medians of five before and after), "
        f"elsewhere they could not be seen; a drop where that makes a step of {JUMPS:g} times as much",
        "visible": "what a person could see: all but drops across which the tenth of the picture that moves most "
        f"goes less than {LEAST:g} pixels of 240, or less than {FURTHER:g} times as far as at any of {AROUND} steps "
        "before and after, by the motion through the pictures before they are taken out",
        "found": f"an anomaly of the same kind whose pictures are at most {NEAR} from the fault's; any: of any kind",
        "precision": "of what was told of a kind in the planted films, the part that was planted",
        "alarms": "told of the clips as they are, in their own files",
    }


def bench_anomalies(clips: Sequence[Path], trial: Trial) -> Iterator[Planted | Clean]:
    """Search every clip as it is, and then with faults.

    Raises:
        VeditError: a film cannot be read, or is shorter than a fault and its surroundings.
    """
    check_lengths(clips)
    dice = Dice(trial.seed)
    counts: Counter[Kind] = Counter()
    for place, path in enumerate(clips):
        whole = analyse(path, anomalies=True)
        yield Clean(
            path.name, whole.frames, float(whole.duration), whole.sound is not None, whole.anomalies or ()
        )
        pictures, cuts, rate = read_pictures(path, trial.frames, trial.width)
        sound = sound_of(probe(path))
        others = other_pictures(clips, place, trial.width)
        for _ in range(trial.passes):
            film, faults = spoiled(pictures, cuts, others, dice, counts)
            heard = None
            if sound is not None:
                samples, more = spoiled_sound(*sound, rate, dice)
                heard = sound[0], samples[: int(len(film) / rate * sound[0])]
                faults += [fault for fault in more if fault.stop < len(film)]
            if faults:
                with tempfile.TemporaryDirectory(prefix="vedit-bench-") as folder:
                    written = write_film(Path(folder) / "planted.mkv", film, rate, heard)
                    found = analyse(written, anomalies=True)
                yield Planted(path.name, tuple(faults), found.anomalies or ())


def tallies(results: Sequence[Planted | Clean]) -> list[Tally]:
    """What came of every kind of fault."""
    held = {kind: Tally(kind) for kind in get_args(Kind)}
    for result in results:
        if isinstance(result, Clean):
            for tally in held.values():
                tally.minutes += result.seconds / 60 if result.sound or tally.kind in FAULTS else 0
                tally.alarms += sum(one.kind == tally.kind for one in result.found)
            continue
        for fault in result.faults:
            near = [one for one in result.found if _meets(one, fault)]
            tally = held[fault.kind]
            tally.planted += 1
            tally.any += bool(near)
            right = any(one.kind == fault.kind for one in near)
            tally.right += right
            tally.visible += fault.visible
            tally.seen += right and fault.visible
        for one in result.found:
            if one.kind in held:
                held[one.kind].told += 1
                held[one.kind].true += any(
                    one.kind == fault.kind and _meets(one, fault) for fault in result.faults
                )
    return list(held.values())


def _meets(one: Anomaly, fault: Fault) -> bool:
    return one.start <= fault.stop - 1 + NEAR and fault.start <= one.stop - 1 + NEAR


def spoiled(
    pictures: Sequence[Picture],
    cuts: Sequence[int],
    others: Sequence[Picture],
    dice: Dice,
    counts: "Counter[Kind]",
) -> tuple[Pictures, list[Fault]]:
    """A clip with faults, and where they are in it. ``counts`` says how many of a kind there are so far."""
    film = list(pictures)
    changes = [0.0, *(_change(a, b) for a, b in pairwise(film))]
    faults: list[Fault] = []
    ends = [*cuts[1:], len(film)]
    at, gone, pasted = MARGIN + dice.whole(0, APART), 0, False
    while at < len(film) + gone - MARGIN:
        end = next(end for end in ends if end > at)
        begin = max(cut for cut in cuts if cut <= at)
        order = sorted(dice.shuffled(len(FAULTS)), key=lambda i: counts[list(FAULTS)[i]])
        for kind in (list(FAULTS)[i] for i in order):
            low, high, _ = FAULTS[kind]
            room = end - MARGIN - at
            if at - begin < MARGIN or room < low or (kind == "appearing object" and (pasted or room < 20)):
                continue
            length = dice.whole(low, min(high, room))
            if kind in MOVING:
                around = changes[at - MARGIN // 2 : at + length + MARGIN // 2]
                usual = float(np.median(around))
                sides = changes[at - MARGIN // 2 : at], changes[at + length : at + length + MARGIN // 2]
                if min(usual, *(float(np.median(side)) for side in sides)) < VISIBLE:
                    continue
                if kind == "drop" and _change(film[at - gone - 1], film[at - gone + length]) < JUMPS * usual:
                    continue
            shows = kind != "drop" or visible(film, at - gone, length)
            made = plant(kind, film, at - gone, length, end - gone, others, dice)
            if made is None:
                continue
            faults.append(replace(made, visible=shows))
            counts[kind] += 1
            pasted = pasted or kind == "appearing object"
            at += length
            gone += length if kind == "drop" else 0
            break
        at += APART + dice.whole(0, MARGIN)
    return film, faults


def _change(first: Picture, second: Picture) -> float:
    """How much the tenth of the pixels that change most change, at a width of 120."""
    size = 120, max(2, 120 * first.shape[0] // first.shape[1])
    apart = cv2.absdiff(*(cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (first, second)))
    flat = np.sort(apart.mean(axis=2).ravel())
    return float(flat[int(0.9 * len(flat)) :].mean())
