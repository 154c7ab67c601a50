"""What a comparison found, in words."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import isnan

from vedit.report.comparison import Comparison


@dataclass(frozen=True)
class Row:
    """A measure: its mean of the reference where it has one, of the result, and the worst of a picture."""

    title: str
    reference: str
    result: str
    worst: str
    meaning: str


def _furthest_from_one(values: Iterable[float]) -> float:
    return max(values, key=lambda value: abs(value - 1))


ROWS: tuple[tuple[str, str, str, str, Callable[[Iterable[float]], float], str], ...] = (
    ("PSNR", "", "psnr", "{:.2f} dB", min, "higher is nearer; 50 at most, which is the same picture"),
    ("SSIM", "", "ssim", "{:.4f}", min, "1 is the same picture"),
    ("Structure", "", "structure", "{:.3f}", min, "1 is the reference’s drawing, whatever its colours"),
    ("Style distance", "", "style", "{:.4f}", max, "0 is the reference’s colours and texture"),
    (
        "Sharpness",
        "",
        "sharpness",
        "{:.2f}",
        _furthest_from_one,
        "gradient energy over the reference’s; 1 is as sharp",
    ),
    ("Ghosts", "", "ghosts", "{:.2%}", max, "edges that the reference has nowhere near"),
    (
        "Warp error",
        "warp_reference",
        "warp_result",
        "{:.2f}",
        max,
        "change along the reference’s motion, 1/1000",
    ),
    (
        "Flicker",
        "flicker_reference",
        "flicker_result",
        "{:.2f}",
        max,
        "change where the reference is still, of 255",
    ),
)


def table(comparison: Comparison) -> list[Row]:
    """All measures that could be taken, and VMAF with what it is of, or why there is none."""
    rows = []
    for title, ours, theirs, form, worst, meaning in ROWS:
        mean = comparison.means[theirs]
        if mean is None:
            continue
        reference = comparison.means[ours] if ours else None
        extreme = worst(value for value in comparison.series.values[theirs] if not isnan(value))
        given = "" if reference is None else form.format(reference)
        rows.append(Row(title, given, form.format(mean), form.format(extreme), meaning))
    score = "" if comparison.vmaf is None else f"{comparison.vmaf:.1f}"
    rows.append(Row("VMAF", "", score or "none", "", comparison.vmaf_words))
    return rows


def verdict(comparison: Comparison) -> str:
    """The comparison in two or three sentences."""
    means = comparison.means
    count, same = comparison.frames, comparison.identical
    if same == count:
        return f"The pictures of both films are the same, sample for sample: all {count} of them."
    psnr, structure = means["psnr"] or 0.0, means["structure"] or 0.0
    if comparison.alike:
        said = f"The films look alike: {psnr:.1f} dB of PSNR"
        if means["ssim"] is not None:
            said += f", an SSIM of {means['ssim']:.3f}"
        said += f". {same} of {count} pictures are the same, sample for sample." if same else "."
    else:
        said = (
            f"The films do not look alike ({psnr:.1f} dB of PSNR), so what counts is the drawing and how steady "
            f"it is. {_drawing(structure)} ({structure:.2f} of 1)."
        )
    return f"{said} {_steadiness(means['warp_reference'], means['warp_result'])}".strip()


def _drawing(structure: float) -> str:
    if structure >= 0.8:
        return "The drawing is kept"
    return "Most of the drawing is kept" if structure >= 0.5 else "Little of the drawing is kept"


def _steadiness(ours: float | None, theirs: float | None) -> str:
    if ours is None or theirs is None:
        return ""
    figures = f"a warp error of {theirs:.2f}, the reference’s own is {ours:.2f}"
    if theirs <= 1.1 * ours + 0.05:
        return f"The result is as steady as the reference: {figures}."
    return f"The result is less steady than the reference: {figures}."
