from fractions import Fraction
from pathlib import Path

import pytest
import torch
from skimage.data import astronaut
from torch import Tensor

from vedit.clip import Clip
from vedit.edits import Restyle
from vedit.errors import InputError, UsageError

STYLES = Path(__file__).parents[2] / "samples" / "styles"


@pytest.fixture(scope="module")
def clip() -> Clip:
    photo = torch.from_numpy(astronaut()).permute(2, 0, 1).float() / 255  # type: ignore[no-untyped-call]
    return Clip.at_rate(
        torch.stack([photo[:, 20:116, 160 + i : 288 + i] for i in range(3)]), Fraction(24000, 1001)
    )


def edges(frames: Tensor) -> Tensor:
    grey = torch.nn.functional.avg_pool2d(frames.mean(1, keepdim=True), 3, 1, 1)
    return (grey.diff(dim=-1)[..., :-1, :].square() + grey.diff(dim=-2)[..., :-1].square()).sqrt().flatten()


def test_the_film_takes_the_palette_and_keeps_its_structure_and_times(clip: Clip) -> None:
    ink = Restyle(style=STYLES / "ink_hatching.png").apply(clip)
    assert (ink.pts, ink.time_base, ink.frames.shape) == (clip.pts, clip.time_base, clip.frames.shape)

    def colourfulness(c: Clip) -> float:
        return float((c.frames.amax(1) - c.frames.amin(1)).mean())

    assert colourfulness(ink) < 0.5 * colourfulness(clip)  # ink on paper has hardly a colour
    both = torch.stack([edges(clip.frames), edges(ink.frames)])
    assert float(torch.corrcoef(both)[0, 1]) > 0.25


def test_looks_differ(clip: Clip) -> None:
    ink, glass = (
        Restyle(style=STYLES / f"{name}.png").apply(clip) for name in ("ink_hatching", "stained_glass")
    )
    assert float((ink.frames - glass.frames).abs().mean()) > 0.05


def test_strength_zero_keeps_every_pixel(clip: Clip) -> None:
    out = Restyle(style=STYLES / "watercolour.png", strength=0).apply(clip)
    assert torch.equal(out.frames, clip.frames)


def test_outside_the_mask_every_pixel_stays(clip: Clip) -> None:
    out = Restyle(style=STYLES / "watercolour.png", mask="box:32,24,48,40").apply(clip)
    changed = (out.frames != clip.frames).any(0).any(0)
    inside = torch.zeros_like(changed)
    inside[24:64, 32:80] = True
    assert not changed[~inside].any()
    assert float(changed[inside].float().mean()) > 0.9


def test_alpha_is_carried_around_the_model(clip: Clip) -> None:
    alpha = torch.linspace(0, 1, 128).expand(3, 1, 96, 128)
    out = Restyle(style=STYLES / "watercolour.png").apply(
        Clip.at_rate(torch.cat([clip.frames, alpha], 1), 25)
    )
    assert torch.equal(out.frames[:, 3:], alpha)


def test_same_seed_same_pixels(clip: Clip) -> None:
    one, two, other = (
        Restyle(style=STYLES / "brush_strokes.png", seed=s).apply(clip).frames for s in (1, 1, 2)
    )
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_settings_that_cannot_work_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs a style"):
        Restyle()
    with pytest.raises(UsageError, match="does not read prompts"):
        Restyle(prompt="in oil")
    with pytest.raises(UsageError, match=r"strength is 1\.2"):
        Restyle(style=STYLES / "watercolour.png", strength=1.2)
    with pytest.raises(InputError, match="does not exist"):
        Restyle(style=tmp_path / "none.png")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(InputError, match="is not a picture"):
        Restyle(style=tmp_path / "text.png")
