"""The measures of every picture of a comparison as plots."""

from collections.abc import Sequence
from math import isnan

from vedit.pages.plots import Drawn, Plot
from vedit.pages.plots import plot as plot_of
from vedit.report.measures import Series

DRAWN = {
    "psnr": Drawn("PSNR", "dB", "higher is nearer", 1, (("result", "result", "psnr"),), high_is_good=True),
    "ssim": Drawn("SSIM", "", "1 is the same picture", 3, (("result", "result", "ssim"),), high_is_good=True),
    "structure": Drawn(
        *("Structure", "", "1 is the same drawing", 2, (("result", "result", "structure"),)),
        high_is_good=True,
    ),
    "style": Drawn(
        "Style distance", "", "0 is the same colour and texture", 3, (("result", "result", "style"),)
    ),
    "warp": Drawn(
        *("Warp error", "", "change along the reference’s motion; lower is steadier", 2),
        (("reference", "reference", "warp_reference"), ("result", "result", "warp_result")),
    ),
    "flicker": Drawn(
        *("Flicker", "", "change where the reference stands still, in levels of 255", 2),
        (("reference", "reference", "flicker_reference"), ("result", "result", "flicker_result")),
    ),
}


def plots(series: Series, names: Sequence[str], length: float) -> list[Plot]:
    """The plots of ``names`` in ``DRAWN`` over ``length`` seconds; those with nothing to show are left out."""
    made = (plot(name, series, length) for name in names)
    return [one for one in made if one.known]


def plot(name: str, series: Series, length: float) -> Plot:
    """One plot of one or two lines."""
    how = DRAWN[name]
    rows = [
        (seconds, *(series.values[measure][i] for *_, measure in how.lines))
        for i, seconds in enumerate(series.seconds)
    ]
    if name == "style":  # it is not measured of every picture: what is between is on the way
        rows = [row for row in rows if not isnan(row[1])]
    return plot_of(name, how, rows, length)
