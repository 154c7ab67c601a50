"""An answer of the completion net is used for a few frames, while it holds."""

from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.completion.complete import Completed, complete
from vedit.completion.evidence import Evidence, gather
from vedit.completion.net import CompletionNet, assembled
from vedit.completion.thought import carried_on, thought
from vedit.completion.weights import load_completion
from vedit.frame import Frame

HEIGHT, WIDTH = 64, 96
CPU = torch.device("cpu")


def texture(width: int) -> Tensor:
    noise = torch.rand(1, 3, HEIGHT // 8, width // 8, generator=torch.Generator().manual_seed(0))
    return F.interpolate(noise, (HEIGHT, width), mode="bicubic", align_corners=False)[0].clamp(0, 1)


def pan(count: int, step: int) -> Tensor:
    wide = texture(WIDTH + 8 * -(-step * count // 8))
    return torch.stack([wide[:, :, i * step : i * step + WIDTH] for i in range(count)])


def box(left: int, width: int = 16) -> Tensor:
    mask = torch.zeros(1, HEIGHT, WIDTH)
    mask[:, 20:44, left : left + width] = 1
    return mask


def evidence(frames: Tensor, masks: list[Tensor]) -> Iterator[Evidence]:
    films = (
        (Frame(i, 1, f * (1 - m), index=i), m) for i, (f, m) in enumerate(zip(frames, masks, strict=True))
    )
    return gather(films, "normal", 8)


class Asked:
    """Counts how often a net is asked, while it is entered."""

    def __init__(self, net: CompletionNet) -> None:
        self.times, self._net = 0, net

    def __enter__(self) -> "Asked":
        self._hook = self._net.register_forward_hook(self._count)
        return self

    def __exit__(self, *_: object) -> None:
        self._hook.remove()

    def _count(self, *_: object) -> None:
        self.times += 1


def filled(frames: Tensor, masks: list[Tensor], lasts: int) -> tuple[Tensor, int]:
    """The completed frames, and how often the net that ships was asked."""
    net = load_completion(CPU)
    out = frames.clone()
    with Asked(net) as asked:
        for done in complete(evidence(frames, masks), net, lasts=lasts):
            if done.pixels is not None and done.window is not None:
                done.window.of(out[done.frame.index])[:] = done.pixels
    return out, asked.times


def apart(a: Tensor, b: Tensor, masks: list[Tensor]) -> float:
    """Mean squared difference in the holes."""
    return float((a - b)[torch.stack(masks).expand_as(a) > 0].square().mean())


def test_a_still_scene_is_thought_about_once_in_so_many_frames() -> None:
    frames, masks = pan(9, 0), [box(40)] * 9
    every, often = filled(frames, masks, 1)
    some, seldom = filled(frames, masks, 4)
    assert (often, seldom) == (9, 3)
    assert apart(some, frames, masks) < 1.1 * apart(every, frames, masks)
    assert apart(some, every, masks) < 0.1 * apart(every, frames, masks)


def test_what_moves_is_thought_about_anew() -> None:
    masks = [box(40)] * 8
    slow, fast = (filled(pan(8, step), masks, 4)[1] for step in (1, 3))
    assert slow < 8
    assert fast == 8


def test_an_answer_goes_with_the_motion() -> None:
    masks = [box(28, 40)] * 8
    first, second = list(evidence(pan(8, 1), masks))[3:5]
    batches = []
    for seen in (first, second):
        assert seen.picture is not None
        assert seen.ahead is not None
        assert seen.behind is not None
        carried = torch.cat([seen.picture, torch.ones_like(seen.mask)])
        batches.append(
            assembled(*(t[None] for t in (seen.picture, seen.mask, seen.ahead, seen.behind, carried)))
        )
    ramp = torch.arange(WIDTH).float().expand(1, 7, HEIGHT, WIDTH)
    then = carried_on(thought(first, batches[0], ramp), second, batches[1], 1)
    assert then is not None
    assert (then.age, round(then.strayed, 1)) == (1, 1.0)
    # What lies under a pixel of the second frame was one pixel further right in the first.
    inner = box(30, 34)[0] > 0
    assert (then.answer[0, 4] - ramp[0, 4] - 1)[inner].abs().max() < 0.1
    every, _ = filled(pan(8, 1), masks, 1)
    some, asked = filled(pan(8, 1), masks, 4)
    assert asked < 8
    assert apart(some, every, masks) < 0.05 * apart(every, pan(8, 1), masks)


def test_what_has_just_been_covered_is_as_it_was_seen() -> None:
    """A hole that creeps over a still scene: its new columns were seen a frame before. That needs no thought."""
    masks, net = [box(30 + i, 20) for i in range(8)], load_completion(CPU)
    done: list[Completed] = []
    thought_about = []
    with Asked(net) as asked:
        for one in complete(evidence(pan(8, 0), masks), net, lasts=4):
            done.append(one)
            thought_about.append(asked.times)
    assert asked.times < 8
    for i in range(1, 8):
        window, real = done[i].window, done[i].real
        assert window is not None
        assert real is not None
        if thought_about[i] == thought_about[i - 1]:
            assert real[window.of(masks[i] * (1 - masks[i - 1])) > 0].min() > 0.98


@pytest.mark.parametrize("lasts", [1, 4])
def test_a_hole_elsewhere_is_thought_about(lasts: int) -> None:
    masks = [box(20), box(20), box(60), box(60)]
    _, asked = filled(pan(4, 0), masks, lasts)
    assert asked == (4 if lasts == 1 else 3)  # a shot's first frame has none before it: the second knows more
