"""When something of the source is heard or read in the film made of it."""

from dataclasses import dataclass
from fractions import Fraction

from vedit.frame import Pace


@dataclass(frozen=True)
class Moved:
    """From the source's seconds to the film's.

    Args:
        shift: seconds added to every time.
        start: when the source's first picture is shown.
        begins: when the film's first picture is shown, without the shift.
        pace: how the source's time became the film's; None: it is the same.
    """

    shift: Fraction = Fraction(0)
    start: Fraction = Fraction(0)
    begins: Fraction = Fraction(0)
    pace: Pace | None = None

    def shown(self, seconds: Fraction) -> Fraction:
        """When a moment of the source is shown in the film."""
        if self.pace is None:
            return seconds + self.shift
        return self.begins + self.pace.shown(seconds - self.start) + self.shift

    def source(self, seconds: Fraction) -> Fraction:
        """Which moment of the source the film shows then."""
        if self.pace is None:
            return seconds - self.shift
        return self.start + self.pace.source(seconds - self.shift - self.begins)

    def at_own_speed(self) -> "Moved":
        """The same for what keeps its own time: only shifted."""
        return Moved(self.shift)
