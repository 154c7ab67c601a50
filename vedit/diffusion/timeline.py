"""Settings that change over a film: values keyed by frame, by time or by shot, as in ``"0: a forest; 4.5s: ashes"``.

A key is a frame's index in the film (``48``), a time from its start (``2.5s``, ``1:03``, ``00:01:03.5``) or a shot
(``shot 2``, counted from 1). Between two keys a value changes linearly, before the first and after the last it is
held; a shot's value is held until the next key and changes at the cut.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Literal, NamedTuple

from vedit.errors import UsageError

REMEDY = 'Key by frame, time or shot, rising, such as "0: A; 48: B; 4.5s: C" or "shot 1: A; shot 2: B".'
KEY = r"shot\s*-?\d{1,9}|-?\d{1,9}:\d\d(?::\d\d)?(?:\.\d{1,9})?|-?\d{1,9}(?:\.\d{1,9})?s?"
PART = re.compile(rf"\s*({KEY})\s*:(?!\d)(.*)", re.DOTALL | re.IGNORECASE)
"""A key, a colon and a value. A digit right after the colon makes it a ratio or a clock: "16:9 film"."""
AT_START = re.compile(r"0+s?|0+:00(:00)?|shot\s*0*1", re.IGNORECASE)


@dataclass(frozen=True)
class Key:
    """A place in a film: a frame's index, seconds from the start, or a shot's number from 1."""

    unit: Literal["frame", "second", "shot"]
    at: Fraction

    def __str__(self) -> str:
        if self.unit == "second":
            return f"{Decimal(self.at.numerator) / Decimal(self.at.denominator):f}s"
        return f"shot {self.at}" if self.unit == "shot" else f"{self.at}"


START = Key("frame", Fraction(0))


class Span(NamedTuple):
    """Where a frame lies among the keys: the key before it, the one after, and how far it is from one to the other."""

    before: int
    after: int
    weight: Fraction


@dataclass(frozen=True)
class Timeline:
    """Keys in the order in which a film comes to them."""

    keys: tuple[Key, ...]

    def span(self, index: int, time: Fraction, shot: int) -> Span:
        """Where a frame lies; ``weight`` is in [0, 1), and 0 where a value is held.

        Args:
            index: the frame's, in the film.
            time: seconds from when the film's first frame is shown.
            shot: its number, from 1.

        Raises:
            UsageError: this film comes to a time before the frame that is listed before it, or the other way round.
        """
        here = {"frame": Fraction(index), "second": time, "shot": Fraction(shot)}
        reached = [here[key.unit] >= key.at for key in self.keys]
        last = sum(reached) - 1
        if not all(reached[: last + 1]):
            late = self.keys[reached.index(False)]
            raise UsageError(
                f"key {self.keys[len(reached) - 1 - reached[::-1].index(True)]} comes before key {late} in this film",
                "List keys in the order in which the film comes to them.",
            )
        if last < 0 or last == len(self.keys) - 1 or self.keys[0].unit == "shot":
            held = max(last, 0)
            return Span(held, held, Fraction(0))
        before, after = self.keys[last], self.keys[last + 1]
        since, until = here[before.unit] - before.at, after.at - here[after.unit]
        if before.unit != after.unit and since:
            # A frame and a time: seconds count as the frames that the film has had per second so far.
            pace = index / time
            since, until = (
                size if key.unit == "frame" else size * pace
                for key, size in ((before, since), (after, until))
            )
        return Span(last, last + 1, since / (since + until))


def read_timeline(name: str, keys: Sequence[int | str]) -> Timeline:
    """The keys of a setting, checked.

    Args:
        name: the setting's, for the error.
        keys: whole numbers, or texts as above.

    Raises:
        UsageError: one is no place in a film, two are the same, they do not rise, or shots are mixed with others.
    """
    read = tuple(_key(name, key) for key in keys)
    units = {key.unit for key in read}
    if "shot" in units and len(units) > 1:
        raise UsageError(
            f"{name} has keys by shot and others",
            "Give all by shot, or none: 'shot 1: A; shot 2: B' or '0: A; 4.5s: B'.",
        )
    for unit in units:
        for a, b in pairwise(key for key in read if key.unit == unit):
            if a.at >= b.at:
                order = "twice" if a == b else f"after {a}"
                raise UsageError(f"{name} has key {b} {order}", REMEDY)
    return Timeline(read)


def table_pairs(table: Mapping[int | str, object]) -> list[tuple[int | str, object]]:
    """A table's keys and values in the film's order: files may have sorted them as text, ``"120"`` before ``"48"``.

    Keys that cannot be compared (frames with times) and those that are wrong are left as they are.
    """
    pairs = list(table.items())
    try:
        keys = [_key("", key) for key, _ in pairs]
    except UsageError:
        return pairs
    if len({key.unit for key in keys}) > 1:
        return pairs
    return [pair for _, pair in sorted(zip(keys, pairs, strict=True), key=lambda both: both[0].at)]


def text_pairs(name: str, text: str) -> list[tuple[str, str]] | None:
    r"""Keys and values of ``"0: a; 48: b"``; None for a plain text, which may have colons and semicolons too.

    It is keyed where every ;-part begins with a key and a colon, and a single part only where that is the film's
    start, so "2049: a city in neon" is plain. A semicolon within a value is written ``\;``.

    Raises:
        UsageError: the first part and others are keyed, but not all.
    """
    parts = [part for part in re.split(r"(?<!\\);", text) if part.strip()]
    found = [PART.fullmatch(part) for part in parts]
    pairs = [(match[1], match[2].replace("\\;", ";").strip()) for match in found if match]
    if (
        not found
        or not found[0]
        or (len(pairs) == 1 and not (len(parts) == 1 and AT_START.fullmatch(pairs[0][0])))
    ):
        return None
    if len(pairs) < len(parts):
        odd = parts[found.index(None)].strip()
        raise UsageError(
            f"{name} has the part {odd!r}, which says neither frame nor time",
            r"Begin each part with one, such as '48: ...', or write a semicolon of the text as \;",
        )
    return pairs


def _key(name: str, given: int | str) -> Key:
    text = str(given).strip().lower()
    if isinstance(given, bool) or not re.fullmatch(KEY, text):
        raise UsageError(f"{name} has the key {given!r}, which is no frame, time or shot", REMEDY)
    if text.startswith("shot"):
        key = Key("shot", Fraction(text[4:].strip()))
        if key.at < 1:
            raise UsageError(f"{name} has the key {given!r}", "Count shots from 1.")
        return key
    if ":" in text:
        hours, minutes, seconds = ["0", *text.split(":")][-3:]
        if float(seconds) >= 60 or (text.count(":") == 2 and int(minutes) >= 60):
            raise UsageError(f"{name} has the time {given!r}", "Minutes and seconds go up to 59.")
        key = Key("second", Fraction(seconds) + 60 * int(minutes) + 3600 * int(hours))
    elif text.endswith("s"):
        key = Key("second", Fraction(text[:-1]))
    elif "." in text:
        raise UsageError(
            f"{name} has the key {given!r}, which is no frame's index", f"For seconds, write {text}s."
        )
    else:
        key = Key("frame", Fraction(text))
    if text.startswith("-"):
        raise UsageError(f"{name} has the key {given!r}", "Count from the film's start, 0.")
    return key
