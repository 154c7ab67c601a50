"""Shots into one row of pictures, and where a film that was interrupted can go on."""

from collections.abc import Generator

from torch import Tensor

from vedit.generating.pictures import Scene
from vedit.generating.shots import Shots
from vedit.trail import noted_until
from vedit.video.journal import Mark


def joined(shots: Shots, scene: Scene, wanted: int = 0) -> Generator[Tensor]:
    """The film's pictures ``(3,h,w)``: the shots one after the other, mixed where transitions share them.

    Args:
        shots: what makes them.
        scene: the film.
        wanted: the first frame that is wanted: where `follow` has put a mark, 0, or the film's end. Its shot is made
            from its beginning, so that it comes out the same.
    """
    spans = scene.spans
    if wanted >= spans[-1].end:
        return
    number = next(n for n, span in enumerate(spans) if wanted < span.end)
    while number and scene.bound(number):
        number -= 1  # the shots before it have to be there too
    current = shots.frames(number)
    for _ in range(spans[number].first, spans[number - 1].end if number else 0):
        next(current)
    for now in range(number, len(spans)):
        begins = spans[now - 1].end if now else 0
        ends = spans[now + 1].first if now + 1 < len(spans) else spans[now].end
        for index in range(begins, ends):
            pixels = next(current)
            if index >= wanted:
                yield pixels
        if now + 1 == len(spans):
            return
        following = shots.frames(now + 1)
        for index in range(ends, spans[now].end):
            first, second = next(current), next(following)
            if index >= wanted:
                yield shots.mixed(now + 1, first, second, index)
        current = following


def follow(scene: Scene, index: int) -> Mark | None:
    """The mark from which a film can go on with this frame; None where it is within a shot or a transition."""
    if index not in (span.end for span in scene.spans[:-1]):
        return None
    return Mark(index, index, 0, "", 0, noted_until(scene.shot.notes, index))
