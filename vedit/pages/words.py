"""Numbers of films as words."""

from fractions import Fraction


def clock(seconds: float, decimals: int = 3) -> str:
    """A time such as 0:03.500 or 1:02:03.000."""
    minutes, rest = divmod(round(seconds, decimals), 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{rest:0{3 + decimals if decimals else 2}.{decimals}f}"
    return f"{hours}:{minutes:02}:{text}" if hours else f"{minutes}:{text}"


def rate_words(rate: Fraction | None) -> str:
    """Frames per second, such as 23.976 fps; None is a rate that changes."""
    return "variable rate" if rate is None else f"{float(rate):.5g} fps"
