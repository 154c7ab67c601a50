"""Captions of a storyboard as subtitles: SubRip, in milliseconds, which the writer keeps or converts as any film's."""

from collections.abc import Sequence
from fractions import Fraction

from vedit.generating.storyboard import Panel, Span


def as_subrip(panels: Sequence[Panel], spans: Sequence[Span], rate: Fraction) -> str:
    """The captions of a film, each shown while its shot is; empty where no panel has one."""
    blocks: list[str] = []
    for panel, span in zip(panels, spans, strict=True):
        if panel.caption is not None:
            # A blank line would end the block.
            words = "\n".join(line.strip() for line in panel.caption.splitlines() if line.strip())
            times = f"{_time(span.start / rate)} --> {_time(span.stop / rate)}"
            blocks.append(f"{len(blocks) + 1}\n{times}\n{words}\n")
    return "\n".join(blocks)


def _time(seconds: Fraction) -> str:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d},{milliseconds:03d}"
