"""Restyle, on clips in memory. Teaching the engine takes ten seconds even here, so it is done once."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from skimage.data import astronaut
from torch import Tensor

from vedit.clip import Clip
from vedit.diffusion.looks import LOOKS, look_in_words, look_row
from vedit.edits import Restyle
from vedit.edits.style import painted_key
from vedit.errors import InputError, UsageError
from vedit.frame import Notes, Shot, Timing
from vedit.temporal.kinds import KINDS
from vedit.train.painters import Chance, paint

STYLES = Path(__file__).parents[2] / "samples" / "styles"
PHOTO = torch.from_numpy(astronaut()).permute(2, 0, 1).float() / 255  # type: ignore[no-untyped-call]


def pan(count: int, height: int = 64, width: int = 96, step: int = 1) -> Clip:
    frames = [PHOTO[:, 40 : 40 + height, 160 + step * i : 160 + step * i + width] for i in range(count)]
    return Clip.at_rate(torch.stack(frames), Fraction(24000, 1001))


@pytest.fixture(scope="module")
def clip() -> Clip:
    return pan(3)


def edges(frames: Tensor) -> Tensor:
    grey = torch.nn.functional.avg_pool2d(frames.mean(1, keepdim=True), 3, 1, 1)
    return (grey.diff(dim=-1)[..., :-1, :].square() + grey.diff(dim=-2)[..., :-1].square()).sqrt().flatten()


def alike(a: Tensor, b: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([edges(a), edges(b)]))[0, 1])


def chroma(frames: Tensor) -> Tensor:
    return frames - (0.299 * frames[:, :1] + 0.587 * frames[:, 1:2] + 0.114 * frames[:, 2:3])


def change(a: Clip, b: Clip) -> float:
    return float((a.frames - b.frames).abs().mean())


def painted(frame: Tensor, look: str = "woodcut") -> Tensor:
    """A frame as somebody paints it by hand."""
    pixels = (frame * 255).round().byte().permute(1, 2, 0).numpy()
    return (
        torch.from_numpy(paint(pixels, look, Chance.seeded(pixels.shape[0], pixels.shape[1], 1)))
        .permute(2, 0, 1)
        .float()
        / 255
    )


# ---- looks by name and in words ----


def test_ink_loses_the_colours_and_keeps_structure_and_times(clip: Clip) -> None:
    ink = Restyle(look="ink").apply(clip)
    assert (ink.pts, ink.time_base, ink.frames.shape) == (clip.pts, clip.time_base, clip.frames.shape)
    colour = [float((c.frames.amax(1) - c.frames.amin(1)).mean()) for c in (ink, clip)]
    assert colour[0] < 0.5 * colour[1]
    assert alike(clip.frames, ink.frames) > 0.25


def test_every_look_paints_and_no_two_are_the_same(clip: Clip) -> None:
    frames = [Restyle(look=look).apply(clip[:1]).frames for look in LOOKS]
    apart = torch.stack([torch.stack([(a - b).abs().mean() for b in frames]) for a in frames])
    assert float((apart + torch.eye(len(LOOKS))).min()) > 0.02
    assert all(float((f - clip.frames[:1]).abs().mean()) > 0.02 for f in frames)


@pytest.mark.parametrize(
    ("words", "look"),
    [
        ("in the manner of an old ETCHING", "ink"),
        ("Watercolor on rough paper", "watercolour"),
        ("like a stained-glass window", "stained-glass"),
        ("an anime, not an oil painting", "cel"),
    ],
)
def test_words_name_a_look(words: str, look: str, clip: Clip) -> None:
    assert look_in_words(words) == look
    by_words, by_name = Restyle(prompt=words).apply(clip[:1]), Restyle(look=look).apply(clip[:1])
    assert torch.equal(by_words.frames, by_name.frames)


def test_names_are_read_kindly() -> None:
    assert look_row("Stained Glass") == look_row("stained_glass") == look_row(" stained-glass ")
    assert sorted(map(look_row, LOOKS)) == list(range(1, len(LOOKS) + 1))


def test_unknown_looks_and_prompts_are_refused_with_the_list() -> None:
    for refused in ({"look": "fresco"}, {"look": ""}, {"prompt": "as Vermeer would"}, {"prompt": "boiling"}):
        with pytest.raises(UsageError, match=", ".join(LOOKS)):
            Restyle(**refused)  # type: ignore[arg-type]


# ---- settings ----


def test_strength_zero_keeps_every_pixel_and_more_changes_more(clip: Clip) -> None:
    outs = [Restyle(look="ink", strength=s).apply(clip) for s in (0, 0.2, 0.5, 1)]
    assert torch.equal(outs[0].frames, clip.frames)
    changes = [change(out, clip) for out in outs]
    assert all(b > a + 0.01 for a, b in pairwise(changes)), changes


def test_the_colours_can_be_kept(clip: Clip) -> None:
    # Away from black and white, where nothing is cut off.
    dull = Clip(0.35 + 0.3 * clip.frames, clip.pts, clip.time_base)
    free, kept = (Restyle(look="ink", strength=0.5, keep_colour=k).apply(dull) for k in (False, True))
    whole = (kept.frames > 0).all(1) & (kept.frames < 1).all(1)
    assert float(whole.float().mean()) > 0.5
    off = [(chroma(c.frames) - chroma(dull.frames)).abs().amax(1)[whole].max() for c in (kept, free)]
    assert float(off[0]) < 1e-4 < 1e-2 < float(off[1])
    assert change(kept, dull) > 0.02


def test_structure_frees_or_stresses_the_drawing(clip: Clip) -> None:
    free, firm, stressed = (Restyle(look="ink", structure=s).apply(clip) for s in (0, 1, 2))
    assert min(change(free, firm), change(stressed, firm)) > 0.004
    assert alike(free.frames, clip.frames) < alike(firm.frames, clip.frames)
    assert float(edges(free.frames).mean()) < float(edges(stressed.frames).mean())


def test_outside_the_mask_every_pixel_stays(clip: Clip) -> None:
    out = Restyle(look="watercolour", mask="box:32,16,40,30").apply(clip)
    changed = (out.frames != clip.frames).any(0).any(0)
    inside = torch.zeros_like(changed)
    inside[16:46, 32:72] = True
    assert not changed[~inside].any()
    assert float(changed[inside].float().mean()) > 0.9


def test_alpha_is_carried_around_the_model(clip: Clip) -> None:
    alpha = torch.linspace(0, 1, 96).expand(3, 1, 64, 96)
    out = Restyle(look="watercolour").apply(Clip.at_rate(torch.cat([clip.frames, alpha], 1), 25))
    assert torch.equal(out.frames[:, 3:], alpha)


def test_every_kind_of_temporal_layer_runs_and_they_differ(clip: Clip) -> None:
    outs = {kind: Restyle(look="oil", temporal=kind).apply(clip).frames for kind in KINDS}
    assert all(out.shape == clip.frames.shape and torch.isfinite(out).all() for out in outs.values())
    different = {a + b for a in outs for b in outs if a < b and not torch.equal(outs[a], outs[b])}
    assert len(different) == 6


def test_same_seed_same_pixels(clip: Clip) -> None:
    one, two, other = (Restyle(look="oil", seed=s).apply(clip).frames for s in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("steps", [1, 7])
def test_any_number_of_steps_will_do(clip: Clip, steps: int) -> None:
    assert change(Restyle(look="ink", steps=steps).apply(clip[:1]), clip[:1]) > 0.02


def test_a_large_film_is_painted_smaller_and_keeps_its_size(clip: Clip) -> None:
    small, whole = (Restyle(look="ink", size=s).apply(clip[:1]) for s in (64, 768))
    assert small.frames.shape == clip[:1].frames.shape
    assert change(small, whole) > 0.01


@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 40), (33, 31)])
def test_films_of_odd_sizes(height: int, width: int) -> None:
    film = pan(2, height, width)
    assert Restyle(look="ink").apply(film).frames.shape == film.frames.shape


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "was given no look"),
        ({"look": "ink", "prompt": "in oil"}, "was given look and prompt"),
        ({"prompt": "0: ink; 6: oil painting"}, "the prompt changes over the film"),
        (
            {"style": STYLES / "halftone.png", "keyframes": {0: STYLES / "halftone.png"}},
            "given style and keyframes",
        ),
        ({"look": "ink", "strength": 1.2}, r"strength is 1\.2"),
        ({"look": "ink", "strength": float("nan")}, "strength is nan"),
        ({"look": "ink", "structure": -0.1}, r"structure is -0\.1"),
        ({"look": "ink", "structure": 2.1}, r"structure is 2\.1"),
        ({"look": "ink", "steps": 0}, "steps is 0"),
        ({"look": "ink", "size": 63}, "size is 63"),
        ({"look": "ink", "temporal": "gru"}, "temporal is 'gru'"),
        ({"look": "ink", "mask": "circle:1,2,3"}, "circle"),
        ({"keyframes": {}}, "there is no key frame"),
        ({"keyframes": {0.7: STYLES / "halftone.png"}}, r"key frame 0\.7"),
        ({"keyframes": {-1: STYLES / "halftone.png"}}, "key frame -1"),
        ({"keyframes": {"first": STYLES / "halftone.png"}}, "key frame 'first'"),
        (
            {"keyframes": {0: STYLES / "halftone.png"}, "structure": 0.5},
            "structure does not go with key frames",
        ),
        ({"keyframes": {0: torch.zeros(1, 8, 8)}}, r"the picture has shape \(1, 8, 8\)"),
        ({"style": torch.full((3, 8, 8), 200, dtype=torch.uint8)}, "values that are not in"),
        ({"style": torch.full((3, 8, 8), float("nan"))}, "values that are not in"),
        ({"style": torch.zeros(3, 8)}, r"the picture has shape \(3, 8\)"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises((UsageError, InputError), match=said):
        Restyle(**settings)


def test_pictures_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    for name, said in (("none.png", "does not exist"), ("text.png", "is not a picture")):
        for settings in ({"style": tmp_path / name}, {"keyframes": {0: tmp_path / name}}):
            with pytest.raises(InputError, match=said):
                Restyle(**settings)


def test_what_is_no_look_is_refused(clip: Clip, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        Restyle(look=str(tmp_path / "none.safetensors")).apply(clip)
    save_file({"x": torch.zeros(1)}, tmp_path / "x.safetensors")
    (tmp_path / "y.safetensors").write_text("no tensors")
    for name in ("x.safetensors", "y.safetensors"):
        with pytest.raises(InputError, match="is not a look"):
            Restyle(look=str(tmp_path / name)).apply(clip)


# ---- key frames and style ----


@pytest.fixture(scope="module")
def keyed() -> tuple[Clip, dict[int, Tensor], Clip]:
    """A film, its painted keys, and what is made of it."""
    film = pan(4, 32, 48, step=2)
    keys = {1: painted(film.frames[1])}
    return film, keys, Restyle(keyframes=keys).apply(film)


def test_a_keys_own_frame_comes_back_as_it_was_painted(keyed: tuple[Clip, dict[int, Tensor], Clip]) -> None:
    _, keys, out = keyed
    assert float((out.frames[1] - keys[1]).abs().mean()) < 0.01


def test_other_frames_get_the_keys_paint_where_it_moved(keyed: tuple[Clip, dict[int, Tensor], Clip]) -> None:
    film, keys, out = keyed
    for i, shift in ((0, -2), (2, 2), (3, 4)):
        expected = keys[1].roll(-shift, -1)[:, 8:-8, 8:-8]
        off, unmoved, raw = (
            float((p[:, 8:-8, 8:-8] - expected).abs().mean())
            for p in (out.frames[i], keys[1], film.frames[i])
        )
        assert off < 0.1 * min(unmoved, raw)  # without paint that is carried it is 0.6


def test_the_second_time_nothing_is_learned_again(keyed: tuple[Clip, dict[int, Tensor], Clip]) -> None:
    film, keys, out = keyed
    heard: list[str] = []
    again = list(
        Restyle(keyframes=keys).stream(
            film.stream(), shot_of(film, Notes(report=lambda n, _: heard.append(n)))
        )
    )
    assert heard == []
    assert torch.equal(torch.stack([f.pixels for f in again]), out.frames)


class _Learning(Exception):
    pass


def test_every_key_of_a_shot_is_learned_from(keyed: tuple[Clip, dict[int, Tensor], Clip]) -> None:
    film, keys, _ = keyed

    def learning(name: str, done: float) -> None:
        raise _Learning

    edit = Restyle(keyframes={**keys, 3: painted(film.frames[3], "oil")})
    with pytest.raises(_Learning):  # what was learned from one key is no use for two
        next(edit.stream(film.stream(), shot_of(film, Notes(report=learning))))


def shot_of(clip: Clip, notes: Notes) -> Shot:
    height, width = clip.frames.shape[-2:]
    return Shot(0, Timing(clip.time_base, clip.rate, 0, len(clip)), height, width, "cpu", notes)


def test_a_shot_without_a_key_stays_as_it_is_with_a_warning(clip: Clip) -> None:
    notes = Notes()
    edit = Restyle(keyframes={500: painted(clip.frames[0])})
    out = [frame.pixels for frame in edit.stream(clip.stream(), shot_of(clip, notes))]
    assert torch.equal(torch.stack(out), clip.frames)
    first, second = notes.warnings
    assert first == "the film ends with frame 2: there is no key frame 500 to paint"
    assert "has no key frame" in second


@pytest.mark.parametrize("shape", [(3, 64, 64), (3, 96, 64), (3, 60, 96)])
def test_a_key_of_another_shape_is_refused(clip: Clip, shape: tuple[int, int, int]) -> None:
    with pytest.raises(UsageError, match="which is not the film's shape"):
        Restyle(keyframes={0: torch.rand(shape)}).apply(clip)


def test_a_key_of_a_film_painted_large_is_not_made_smaller() -> None:
    painting = torch.rand(3, 8, 1500)
    assert torch.equal(painted_key(painting, (8, 1500)), painting)


def test_strength_zero_learns_nothing(clip: Clip) -> None:
    for edit in (
        Restyle(keyframes={0: painted(clip.frames[0])}, strength=0),
        Restyle(style=painted(clip.frames[0]), strength=0),
    ):
        assert torch.equal(edit.apply(clip).frames, clip.frames)


def test_any_picture_gives_its_palette() -> None:
    film = pan(2, 24, 32)
    red = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0)) * torch.tensor(
        [0.9, 0.2, 0.1]
    ).view(3, 1, 1)
    out = Restyle(style=red, engine=" bundled", seed=2**70).apply(film)
    assert out.frames.shape == film.frames.shape
    means = [c.mean((0, 2, 3)) for c in (film.frames, out.frames)]
    assert float(means[1][0] - means[1][2]) > float(means[0][0] - means[0][2]) + 0.15
