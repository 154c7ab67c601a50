"""The bundled engine's shots: a camera over every picture, a look over that, one bent towards the next."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from vedit.edits.edit import Edit
from vedit.frame import Frame, Shot
from vedit.generating.camera import chosen
from vedit.generating.morph import Bend, bend_between, dissolved, morphed
from vedit.generating.still import Still
from vedit.generating.storyboard import Camera, Panel, Span


@dataclass(frozen=True, eq=False)
class Scene:
    """What all shots of a film share: panels, their frames, ``size`` (height, width), seed, and what edits are told."""

    panels: Sequence[Panel]
    spans: Sequence[Span]
    size: tuple[int, int]
    seed: int
    shot: Shot
    films: bool = False
    """Whether words are filmed, and shots of words that morph may be one film."""

    def shot_of(self, number: int) -> Shot:
        """What an edit is told of a panel's shot."""
        told = self.shot
        return Shot(number, told.timing, told.height, told.width, told.on, told.notes)

    def bound(self, number: int) -> bool:
        """Whether a panel's shot cannot be made without the one before it."""
        return self.panels[number].continues or (
            self.films and number > 0 and self.panels[number].transition == "morph"
        )

    def cuts(self, index: int) -> bool:
        """Whether a frame is the first after a cut."""
        return index == 0 or any(
            span.start == index and panel.transition == "cut" and not panel.continues
            for span, panel in zip(self.spans, self.panels, strict=True)
        )

    def way(self, number: int, index: int) -> float | None:
        """How far the transition into a panel is at a frame, in (0, 1); None before and after it."""
        if not 0 < number < len(self.panels):
            return None
        begins, ends = self.spans[number].first, self.spans[number - 1].end
        return (index - begins + 1) / (ends - begins + 1) if begins <= index < ends else None


@dataclass
class Pictures:
    """The shots of panels that are pictures, frame by frame; two or three pictures are held.

    ``picture`` gives a panel's, ``(3,H,W)`` uint8, by its number; ``has`` says whether it has one.
    """

    scene: Scene
    picture: Callable[[int], Tensor]
    has: Callable[[int], bool]
    _stills: dict[int, Still] = field(default_factory=dict)
    _bends: dict[int, Bend | None] = field(default_factory=dict)
    _cameras: Sequence[Camera] = ()

    def frames(self, number: int, edits: Sequence[Edit] = ()) -> Iterator[Tensor]:
        """The pictures ``(3,h,w)`` of a panel's shot, from ``first`` to ``end`` of its span, after its edits."""
        shot = self.scene.shot_of(number)
        frames: Iterator[Frame] = self._plain(number)
        for edit in edits:
            frames = edit.stream(frames, shot)
        return (frame.pixels for frame in frames)

    def mixed(self, number: int, first: Tensor, second: Tensor, index: int) -> Tensor:
        """The picture of a frame in the transition into a panel, from those of the two shots."""
        way = self.scene.way(number, index)
        assert way is not None  # noqa: S101 - only asked within transitions
        if self._bend(number) is not None:
            before = self.scene.spans[number - 1]
            near = self._still(number - 1).depth(_along(before, index))
            return morphed(first, second, way, near)
        return dissolved(first, second, way)

    def _plain(self, number: int) -> Iterator[Frame]:
        span, scene = self.scene.spans[number], self.scene
        for old in [key for key in self._stills if key < number - 1]:
            del self._stills[old]
            self._bends.pop(old, None)
        still = self._still(number)
        for index in range(span.first, span.end):
            bend = None
            if (way := scene.way(number, index)) is not None and (known := self._bend(number)):
                bend = known.of_second(way)
            elif (way := scene.way(number + 1, index)) is not None and (known := self._bend(number + 1)):
                bend = known.of_first(way)
            pixels = still.view(_along(span, index), bend)
            yield Frame(index, 1, pixels, index=index, cut=index == span.first)

    def _still(self, number: int) -> Still:
        if number not in self._stills:
            scene, span = self.scene, self.scene.spans[number]
            picture = self.picture(number)
            self._cameras = self._cameras or chosen(scene.panels, scene.seed)
            seconds = float((span.end - span.first) * scene.shot.timing.time_base)
            free = scene.panels[number].camera is None
            self._stills[number] = Still(picture, scene.size, self._cameras[number], seconds, free=free)
        return self._stills[number]

    def _bend(self, number: int) -> Bend | None:
        """How the pictures before and after the start of a panel are bent towards each other."""
        if self.scene.panels[number].transition != "morph" or not (self.has(number - 1) and self.has(number)):
            return None
        if number not in self._bends:
            begins, ends = self.scene.spans[number].first, self.scene.spans[number - 1].end
            views = [
                self._still(n).view(_along(self.scene.spans[n], (begins + ends) // 2))
                for n in (number - 1, number)
            ]
            self._bends[number] = bend_between(*views)
            if self._bends[number] is None:
                self.scene.shot.notes.warn(
                    f"{self.scene.panels[number].place}: its picture has too little in common with the one before "
                    "for a morph; it is dissolved into"
                )
        return self._bends[number]


def _along(span: Span, index: int) -> float:
    return (index - span.first) / max(1, span.end - span.first - 1)
