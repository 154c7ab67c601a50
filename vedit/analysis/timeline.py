"""A reel for other editors: as an OpenTimelineIO timeline, and as an EDL (CMX 3600)."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from vedit.errors import UsageError
from vedit.video.source import Source

DAY = 24 * 3600
"""Seconds after which a time code begins anew."""
RECORD = 3600
"""Seconds at which the record side of an EDL begins, by custom."""


@dataclass(frozen=True)
class Event:
    """A piece of the reel: its pictures in the film, and when it is shown there and in the reel, in seconds."""

    start: int
    stop: int
    film_begins: Fraction
    film_ends: Fraction
    begins: Fraction
    ends: Fraction
    interest: float
    """How much it was found to be worth, in [0, 1], within its film."""

    def facts(self) -> dict[str, object]:
        """Plain values for JSON; exact times as strings."""
        return {
            "start": self.start,
            "stop": self.stop,
            "film_begins": str(self.film_begins),
            "film_ends": str(self.film_ends),
            "begins": str(self.begins),
            "ends": str(self.ends),
            "interest": self.interest,
        }


def opentimelineio() -> Any:
    """The library.

    Raises:
        UsageError: it is not installed.
    """
    try:
        import opentimelineio
    except ImportError as error:
        raise UsageError(
            "a timeline needs OpenTimelineIO, which is not installed",
            'Install it: pip install "vedit-diffusion[timeline]".',
        ) from error
    return opentimelineio


def timeline(events: Sequence[Event], source: Source, *, name: str, sound: bool) -> str:
    """The reel as an OpenTimelineIO timeline, in its JSON.

    A clip for each piece, on a video track and, with sound, an audio track too. Times are counted in whole pictures
    from the film's first one, or in its ticks where its rate varies; the exact seconds are in each clip's metadata.

    Raises:
        UsageError: OpenTimelineIO is not installed.
    """
    otio = opentimelineio()
    rate = source.rate or 1 / source.time_base

    def span(start: Fraction, ends: Fraction) -> Any:
        first, last = round(start * rate), round(ends * rate)
        return otio.opentime.TimeRange(
            otio.opentime.RationalTime(first, float(rate)),
            otio.opentime.RationalTime(last - first, float(rate)),
        )

    made = otio.schema.Timeline(name, metadata={"vedit": {"rate": str(rate)}})
    for kind in ("Video", "Audio")[: 1 + sound]:
        track = otio.schema.Track(f"{kind[0]}1", kind=kind)
        for number, event in enumerate(events, 1):
            media = otio.schema.ExternalReference(
                target_url=source.path.as_uri(), available_range=span(Fraction(0), source.duration)
            )
            media.name = source.path.name
            if source.rate is not None:
                times = span(event.start / source.rate, event.stop / source.rate)
            else:
                times = span(event.film_begins, event.film_ends)
            track.append(
                otio.schema.Clip(
                    name=f"{source.path.stem} {number}",
                    media_reference=media,
                    source_range=times,
                    metadata={"vedit": event.facts()},
                )
            )
        made.tracks.append(track)
    return str(otio.adapters.write_to_string(made, "otio_json"))


def check_edl(source: Source) -> None:
    """Complain about a film whose times an EDL cannot hold.

    Raises:
        UsageError: its rate varies.
    """
    if source.rate is None:
        raise UsageError(
            f"an EDL counts pictures, and the rate of {source.path.name} varies",
            "Use --otio, whose times are exact, or make the film's rate constant: vedit interpolate --fps.",
        )


def edl(events: Sequence[Event], source: Source, *, name: str, sound: bool) -> str:
    """The reel as an EDL (CMX 3600): each piece a cut, in time codes that count pictures and drop no number.

    The film's time code begins at 00:00:00:00, the reel's at 01:00:00:00.

    Raises:
        UsageError: as ``check_edl``.
    """
    check_edl(source)
    assert source.rate is not None  # noqa: S101 - just checked
    base = max(1, round(source.rate))
    lines = [f"TITLE: {_plain(name)}", "FCM: NON-DROP FRAME", ""]
    record = RECORD * base
    for number, event in enumerate(events, 1):
        length = event.stop - event.start
        codes = (event.start, event.stop, record, record + length)
        kind = "B" if sound else "V"
        lines.append(f"{number:03}  AX       {kind:<5} C        {' '.join(timecode(n, base) for n in codes)}")
        lines.append(f"* FROM CLIP NAME: {_plain(source.path.name)}")
        record += length
    return "\n".join(lines) + "\n"


def timecode(picture: int, base: int) -> str:
    """Picture number as ``hh:mm:ss:ff`` with ``base`` pictures a second; it begins anew after a day."""
    seconds, rest = divmod(picture, base)
    seconds %= DAY
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{rest:02}"


def _plain(text: str) -> str:
    """Text on one line: names of files may hold anything."""
    return " ".join(text.split())
