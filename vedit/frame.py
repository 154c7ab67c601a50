"""One picture of a film with its time, and what an edit is told about the shot it belongs to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Protocol

from vedit.window import Window

if TYPE_CHECKING:  # the facts of a film come from here too, and need no torch
    import torch
    from torch import Tensor

Fault = Literal["repeated", "skipped", "concealed", "fitted"]
"""What is wrong with a source picture: it could not be decoded and the one before it stands in, or it was left out; the
decoder made up parts of it; it came in another size or pixel format than the film's first and was fitted to that."""


Decode = Callable[[object, Window | None], "Tensor"]
"""From the decoder's picture to the pixels ``(C, h, w)`` of a window; None is the whole picture."""


Flaw = Literal["dust", "scratch", "duplicate", "dropped", "flicker"]
"""What `vedit.edits.Repair` looks for."""


@dataclass(frozen=True)
class Finding:
    """One flaw of one source frame.

    ``index`` counts source frames; of dropped frames it is the frame before which they are missing. ``seconds`` is when
    the frame is shown, from the film's first picture. ``count`` is how many specks, scratches or missing frames there
    are, ``area`` their pixels, 0 where the whole frame is meant. ``mended`` is False for what could only be told.
    """

    kind: Flaw
    index: int
    seconds: float
    count: int = 1
    area: int = 0
    mended: bool = True


class Frame:
    """One picture: RGB pixels, when it is shown and for how long.

    ``pixels`` is ``(C, H, W)`` float32 in [0, 1], C = 3 or 4 (alpha last), converted from the decoder's picture
    when first asked for, so a frame that no edit looks at is never converted. ``pts`` and ``duration`` are integer
    ticks of the stream's time base. ``cut`` marks the first frame of a shot, ``fault`` a picture that the film does not
    hold whole. ``anchor`` is the source frame from which a render could begin anew and come to this frame and then go
    on as it does now; None where it could not.

    ``native`` is the decoder's own picture (opaque here; ``vedit.video`` knows its type). What the writer encodes:

        native None               the pixels, converted
        native, changed None      the native picture, sample for sample: nothing was edited
        native, changed (1,H,W)   the pixels where changed > 0, the native samples everywhere else
    """

    __slots__ = (
        "_decode",
        "_pixels",
        "anchor",
        "changed",
        "cut",
        "duration",
        "fault",
        "index",
        "native",
        "pts",
    )

    def __init__(
        self,
        pts: int,
        duration: int,
        pixels: "Tensor | None" = None,
        *,
        index: int = 0,
        cut: bool = False,
        native: object | None = None,
        decode: Decode | None = None,
        changed: "Tensor | None" = None,
        fault: Fault | None = None,
        anchor: int | None = None,
    ) -> None:
        self.pts = pts
        self.duration = duration
        self.index = index
        self.cut = cut
        self.native = native
        self.changed = changed
        self.fault = fault
        self.anchor = anchor
        self._pixels = pixels
        self._decode = decode

    def __repr__(self) -> str:
        state = "converted" if self._pixels is not None else "not converted yet"
        return f"Frame(index={self.index}, pts={self.pts}, duration={self.duration}, cut={self.cut}, pixels {state})"

    @property
    def pixels(self) -> "Tensor":
        if self._pixels is None:
            assert self._decode is not None  # noqa: S101 - pixels or decode is always given
            self._pixels = self._decode(self.native, None)
        return self._pixels

    def part(self, window: Window | None) -> "Tensor":
        """What ``pixels`` shows in a window, ``(C, h, w)``; no more than that is converted, and it is not kept."""
        if self._pixels is None and self._decode is not None:
            return self._decode(self.native, window)
        return self.pixels if window is None else window.of(self.pixels)

    @property
    def weight(self) -> float:
        """Bytes a pixel that it takes while it waits unconverted: of the decoder's picture, or of an edit's floats."""
        return 1.5 if self._decode is not None and self.native is not None else 12.0

    def forget(self) -> None:
        """Let go of converted pixels that can be converted again: a waiting frame is then a third of the size."""
        if self._decode is not None:
            self._pixels = None

    @property
    def end(self) -> int:
        """The tick at which the next picture replaces this one."""
        return self.pts + self.duration

    def edited(self, pixels: "Tensor", changed: "Tensor | None" = None) -> "Frame":
        """The same moment with new pixels; ``changed`` (1,H,W) says where, None means everywhere."""
        return self._redone(changed, pixels=pixels)

    def patched(self, window: Window, pixels: "Tensor", changed: "Tensor") -> "Frame":
        """The same moment with new colours ``(3,h,w)`` in a window; ``changed`` (1,H,W) says where they differ.

        The rest of the picture is converted only if somebody asks for it.
        """

        def decode(_: object, asked: Window | None) -> "Tensor":
            out = self.part(asked).clone()
            asked = asked or Window(0, out.shape[-2], 0, out.shape[-1])
            if shared := asked.shared(window):
                shared.within(asked).of(out[:3])[:] = shared.within(window).of(pixels)
            return out

        return self._redone(changed, decode=decode)

    def _redone(
        self, changed: "Tensor | None", *, pixels: "Tensor | None" = None, decode: Decode | None = None
    ) -> "Frame":
        keep = changed is not None and self.native is not None
        if changed is not None and keep and self.changed is not None:
            changed = changed.maximum(self.changed)
        return Frame(
            self.pts,
            self.duration,
            pixels,
            index=self.index,
            cut=self.cut,
            native=self.native if keep else None,
            decode=decode,
            changed=changed if keep else None,
            anchor=self.anchor,
        )

    def at(
        self, pts: int, duration: int, index: int, *, cut: bool = False, anchor: int | None = None
    ) -> "Frame":
        """The same picture shown at another time."""
        return Frame(
            pts,
            duration,
            self._pixels,
            index=index,
            cut=cut,
            native=self.native,
            decode=self._decode,
            changed=self.changed,
            anchor=anchor,
        )


LISTED = 1000
"""Findings of a kind that are listed; all are counted. A film of any length has room."""


class Pace(Protocol):
    """How the time of one film becomes the time of another, both in seconds from when its first picture is shown."""

    def shown(self, seconds: Fraction) -> Fraction:
        """When a moment of the old film is shown in the new one."""
        ...

    def source(self, seconds: Fraction) -> Fraction:
        """Which moment of the old film the new one shows then."""
        ...


@dataclass(frozen=True)
class Timing:
    """The clock of a stream of frames.

    ``time_base`` is seconds per tick, ``rate`` frames per second or None when it varies, ``start`` its first
    pts, ``end`` the tick at which its last frame goes. ``pace`` is how the clock before it became this one; None:
    evenly, from start to end.
    """

    time_base: Fraction
    rate: Fraction | None
    start: int
    end: int
    pace: Pace | None = field(default=None, compare=False)

    @property
    def seconds(self) -> Fraction:
        """From the first frame to the end of the last."""
        return self.time(self.end)

    def time(self, pts: int) -> Fraction:
        """Seconds from the first frame to a tick."""
        return (pts - self.start) * self.time_base


@dataclass
class Notes:
    """What an edit has to tell the user: printed and kept in the report."""

    warnings: list[str] = field(default_factory=list)
    tell: Callable[[str], None] | None = None
    """Called with each warning as soon as it is known."""
    hole_pixels: int = 0
    """Pixels under the mask so far."""
    recovered_pixels: int = 0
    """Those of them filled with real pixels of other frames; the rest was synthesised."""

    masks: dict[str, bool] = field(default_factory=dict)
    """By the name of a mask that goes along with the film: whether it marked anything so far."""

    faults: dict[int, Fault] = field(default_factory=dict)
    """Source pictures that are not whole, by their index."""

    repeats: dict[str, int] = field(default_factory=dict)
    """Source pictures that only repeat the one before and were replaced, by the cadence of their shot, ``2, 2, 2…``;
    empty where none were looked for."""

    findings: list[Finding] = field(default_factory=list)
    """The first of the flaws that were found, in the order they were."""
    found: dict[str, list[int]] = field(default_factory=dict)
    """By the kind of flaw: how many frames have it, how many there are, and how many could not be mended."""
    added: int = 0
    """Frames made where the film's times have a hole."""

    report: Callable[[str, float], None] | None = None
    """Called with what is going on before frames come, and the part of it that is done."""

    def phase(self, name: str, done: float) -> None:
        """Tell what takes long before the next frame comes, and how far it is, in [0, 1]."""
        if self.report:
            self.report(name, done)

    def find(self, finding: Finding) -> None:
        """Count a flaw, and list it if not too many of its kind are listed."""
        frames, count, left = self.found.get(finding.kind, [0, 0, 0])
        self.found[finding.kind] = [
            frames + 1,
            count + finding.count,
            left + finding.count * (not finding.mended),
        ]
        if frames < LISTED:
            self.findings.append(finding)

    def warn(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)
            if self.tell:
                self.tell(message)


@dataclass(frozen=True)
class Shot:
    """What an edit knows about the shot whose frames it is streaming."""

    index: int
    timing: Timing
    height: int
    width: int
    on: str
    """The device's name, such as ``auto``."""
    notes: Notes
    wanted: int = 0
    """The first frame that is wanted: what is made of the frames before it is thrown away (a render goes on), so an
    edit may save itself the work as long as this one and the later ones stay the same."""
    trial: bool = False
    """The frames are only to find out how long they take: what is done once per shot is left out."""

    @cached_property
    def device(self) -> "torch.device":
        """Where to compute; found when first asked for, because that loads torch."""
        from vedit.device import pick_device

        return pick_device(self.on)
