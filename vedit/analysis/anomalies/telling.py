"""What was suspected of a film as moments with exact times, the surest first."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from fractions import Fraction

from vedit.analysis.anomalies.moment import PICTURED, Anomaly, Suspicion
from vedit.analysis.anomalies.ranking import ranked, score
from vedit.analysis.anomalies.sounds import Heard
from vedit.video.source import Source


def anomalies_of(
    source: Source, suspicions: Sequence[Suspicion], heard: Sequence[Heard]
) -> tuple[Anomaly, ...]:
    """The anomalies of a film's pictures and of its sound."""
    times = [*source.pts, source.end]
    seconds = [(tick - source.pts[0]) * source.time_base for tick in times]
    found = [
        (
            one.odds,
            Anomaly(one.kind, one.start, one.stop, seconds[one.start], seconds[one.stop], 0, one.thumbnail),
        )
        for one in ranked(suspicions)
    ]
    for sound in heard:
        begins, ends = Fraction(sound.start, 1000), Fraction(sound.stop, 1000)
        if begins < seconds[-1]:
            start = bisect_right(seconds, begins) - 1
            stop = min(source.frames, max(start + 1, bisect_left(seconds, ends)))
            found.append((sound.odds, Anomaly(sound.kind, start, stop, begins, ends, 0, None)))
    found.sort(key=lambda one: (-one[0], one[1].begins))
    return tuple(
        Anomaly(
            one.kind,
            one.start,
            one.stop,
            one.begins,
            one.ends,
            score(odds),
            one.thumbnail if place < PICTURED else None,
        )
        for place, (odds, one) in enumerate(found)
    )
