"""A plan as a table for people."""

from fractions import Fraction

from rich.filesize import decimal
from rich.table import Table

from vedit.cli.facts import rate_in_words
from vedit.coverage import Coverage
from vedit.planning import Plan


def table(plan: Plan, title: str) -> Table:
    """The plan as a table of two columns."""
    source, video = plan.source, plan.source.original or plan.source.video
    rows = Table(title=f"{title} {source.path.name}", title_justify="left", show_header=False, box=None)
    rows.add_column(style="bold")
    rows.add_column(overflow="fold")
    rows.add_row(
        "film", f"{video.width}x{video.height} {video.codec}, {video.pix_fmt}, {_time(source.duration)}"
    )
    rows.add_row("result", f"{plan.output}: {plan.container}, {plan.codec}, {plan.pix_fmt}")
    rows.add_row("frames", f"{source.frames}, {rate_in_words(source.rate)}")
    if (plan.frames_out, plan.rate, plan.duration) != (source.frames, source.rate, source.duration):
        rows.add_row("", f"become {plan.frames_out}, {rate_in_words(plan.rate)}, {_time(plan.duration)}")
    if plan.shots is not None:
        rows.add_row("shots", str(plan.shots))
    for stream in plan.streams:
        made = f"{'stretched, as' if stream.stretched else 'converted to'} {stream.codec}"
        fate = {"copy": "kept bit for bit", "convert": made, "drop": "left out"}
        words = [stream.facts.codec, stream.facts.language, f"{fate[stream.how]}"]
        rows.add_row(stream.facts.kind, ", ".join(word for word in words if word))
    if source.chapters:
        rows.add_row("chapters", f"{source.chapters}, kept")
    if plan.coverage is not None:
        rows.add_row("mask", mask_in_words(plan.coverage))
    rows.add_row("time", f"about {_time(plan.seconds)} on {plan.device}")
    if plan.memory is not None:
        rows.add_row("memory", f"about {decimal(plan.memory)}")
    rows.add_row(
        "disk",
        f"about {decimal(plan.size)}, {decimal(plan.disk)} while it runs; {decimal(plan.free)} are free",
    )
    if plan.resume:
        rows.add_row("resume", plan.resume)
    for warning in plan.warnings:
        rows.add_row("warning", warning)
    return rows


def mask_in_words(coverage: Coverage) -> str:
    """How much a mask marks, and what other frames show of that."""
    if not coverage.marked:
        return f"marks nothing in the {coverage.looked} frames looked at"
    words = f"{coverage.mask_share:.1%} of the picture in {coverage.marked} of {coverage.looked} frames looked at; "
    if not coverage.seen:
        return words + "other frames show nothing of it, all is to be made up"
    found = (
        f"half of that within {coverage.near} frame{'s' * (coverage.near > 1)}, {coverage.sure:.0%} surely"
    )
    return words + (
        f"about {coverage.seen:.0%} of it seen in other frames ({found}), {1 - coverage.seen:.0%} to be made up"
    )


def _time(seconds: Fraction | float) -> str:
    if seconds < 100:
        return f"{float(seconds):.1f} s"
    return f"{float(seconds / 60):.1f} min" if seconds < 7200 else f"{float(seconds / 3600):.1f} h"
