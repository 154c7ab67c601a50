"""Masks held as the box of their hole."""

import torch

from vedit.completion.marked import Marked
from vedit.window import Window


def test_every_window_shows_what_the_mask_shows() -> None:
    mask = torch.zeros(1, 40, 60)
    mask[:, 10:20, 30:45] = (torch.rand(1, 10, 15, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    marked = Marked(mask)
    assert torch.equal(marked.whole(), mask)
    for window in (Window(0, 40, 0, 60), Window(12, 18, 33, 40), Window(0, 11, 44, 60), Window(25, 40, 0, 9)):
        assert torch.equal(marked.of(window), window.of(mask)), window


def test_an_empty_mask_has_no_box() -> None:
    marked = Marked(torch.zeros(1, 4, 6))
    assert marked.box is None
    assert torch.equal(marked.whole(), torch.zeros(1, 4, 6))


def test_it_is_a_copy() -> None:
    mask = torch.ones(1, 4, 6)
    marked = Marked(mask)
    mask.zero_()
    assert bool((marked.whole() == 1).all())
