"""Where one shot ends and the next begins."""

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TypeVar

from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from vedit.video.colour import scalable

T = TypeVar("T")

WIDTH = 160
"""Pictures are looked at this small: enough to tell shots apart, cheap, and blind to grain."""
RATIO = 3.3
"""How many times its neighbours' change a picture's change must be."""
CHANGE = 17.0
"""How much it must change at all: mean luma difference, of 255."""
SHORTEST = 5
"""Frames between two cuts; shorter is a flash."""


def mark_cuts(
    pictures: Iterable[tuple[VideoFrame, T]], first: int = 0
) -> Iterator[tuple[VideoFrame, T, bool]]:
    """Each picture, what came with it, and whether it starts a shot; runs two pictures ahead of what it yields.

    PySceneDetect's adaptive detector: a picture starts a shot when it differs from the one before far more than its
    neighbours differ from theirs, so fast motion alone is no cut. Luma only: the hue of dark pictures is noise.

    ``first`` is the number of the first picture in the film, which starts a shot: see ``settled``.
    """
    # Imported here: scenedetect imports moviepy, which `import vedit` must not.
    from scenedetect.common import FrameTimecode  # type: ignore[import-untyped] # it ships no types
    from scenedetect.detectors import AdaptiveDetector  # type: ignore[import-untyped]

    detector = AdaptiveDetector(
        adaptive_threshold=RATIO,
        min_content_val=CHANGE,
        min_scene_len=SHORTEST,
        window_width=2,
        luma_only=True,
    )
    scaler = VideoReformatter()
    waiting: deque[tuple[VideoFrame, T]] = deque()
    cuts = {first}
    done = first
    for index, (picture, more) in enumerate(pictures, first):
        scale = min(1.0, WIDTH / picture.width)
        width, height = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
        with scalable(picture):
            small = scaler.reformat(
                picture, width, height, "bgr24", interpolation=Interpolation.AREA, threads=1
            )
        found = detector.process_frame(FrameTimecode(index, Fraction(25)), small.to_ndarray())
        cuts.update(cut.frame_num for cut in found)
        waiting.append((picture, more))
        if len(waiting) > detector.window_width:
            yield *waiting.popleft(), done in cuts
            cuts.discard(done)
            done += 1
    for picture, more in waiting:
        yield picture, more, done in cuts
        done += 1


def settled(index: int, last_cut: int) -> int:
    """The picture from which ``mark_cuts`` must run to mark cuts from ``index`` on as if it had run from the start.

    It knows the few changes around a picture and how far back the last cut lies. Started at that cut it knows as much
    as ever; started later, with no cut up to ``index``, it knows enough ``SHORTEST`` pictures on.
    """
    return max(last_cut, index - 3 * SHORTEST, 0)
